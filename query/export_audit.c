/* export_audit.c - events as audit.log has them, for ausearch and aureport.
 *
 * An event becomes the records that auditd would have written for the system call behind it, as far as it is known which: as arguments
 * and saved ids what the kernel's event does not tell is left out or unset.  Numbers are those of this machine, and arch says so where it
 * is the recorder's.  An end by a signal that dumps core is an ANOM_ABEND, others have no record; losses are DAEMON_ERR, so that they are
 * found where an auditor looks for them.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "query/export.h"
#include "query/life_text.h"
#include "query/subject.h"
#include "schema/cleanup.h"
#include "schema/version.h"

#define ARCH_UNKNOWN "?" /* without the field ausearch does not take the record for one of a call */
#if defined(__x86_64__) && defined(__LP64__)
#define ARCH "c000003e" /* AUDIT_ARCH_X86_64 */
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH "c00000b7" /* AUDIT_ARCH_AARCH64 */
#else
#define ARCH ARCH_UNKNOWN
#endif

enum {
	CLONE_THREAD_FLAG = 0x10000,
	PTRACE_ATTACH_CODE = 16,
	PTRACE_DETACH_CODE = 17,
	PR_SET_NAME_CODE = 15,
	RECORD_MAX_BYTES = 7500, /* of EXECVE arguments, as the kernel: MAX_EXECVE_AUDIT_LEN */
};

struct call {
	unsigned number;
	bool returns;
	uint64_t result, a0, a1;
	const struct life *life;
	uint32_t pid, ppid;
};

/* --- pieces --- */

static void put_field(struct sink *sink, const char *name, uint64_t value)
{
	sink_char(sink, ' ');
	sink_words(sink, name);
	sink_char(sink, '=');
	sink_unsigned(sink, value);
}

static void put_hex_field(struct sink *sink, const char *name, uint64_t value)
{
	char text[32];

	(void)snprintf(text, sizeof(text), " %s=%" PRIx64, name, value);
	sink_words(sink, text);
}

/* audit_string_contains_control(): quotes where every byte may stand between them, else two digits a byte. */
static bool is_plain(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (data[i] == '"' || data[i] < 0x21 || data[i] > 0x7e)
			return false;
	}
	return true;
}

static void put_encoded(struct sink *sink, const uint8_t *data, size_t bytes)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out;

	if (is_plain(data, bytes)) {
		sink_char(sink, '"');
		sink_put(sink, data, bytes);
		sink_char(sink, '"');
		return;
	}
	out = sink_room(sink, bytes * 2);
	for (size_t i = 0; i < bytes && out; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	if (out)
		sink->used += bytes * 2;
}

static void put_string(struct sink *sink, const char *name, const struct detail_field *field)
{
	sink_char(sink, ' ');
	sink_words(sink, name);
	sink_char(sink, '=');
	if (field)
		put_encoded(sink, field->data, field->bytes);
	else
		sink_words(sink, "(null)");
}

static void put_comm(struct sink *sink, const struct life *life)
{
	sink_words(sink, " comm=");
	if (life && life->comm_known)
		put_encoded(sink, (const uint8_t *)life->comm, comm_bytes(life->comm));
	else
		sink_words(sink, "(null)");
}

/* All records of an event have its time and its number. */
static void begin(struct export *export, const char *type, const struct stream_item *item)
{
	uint64_t ns = export_time(export, item->boot_no, item->event->timestamp_ns);
	char text[96];

	(void)snprintf(text, sizeof(text),
		       "type=%s msg=audit(%" PRIu64 ".%03" PRIu64 ":%" PRIu32 "):", type,
		       ns / 1000000000, ns / 1000000 % 1000, (uint32_t)item->event->event_no);
	sink_words(&export->sink, text);
}

static uint32_t known(bool is_known, uint32_t id)
{
	return is_known ? id : SUBJECT_UNSET;
}

/* --- records --- */

static void put_call(struct export *export, const struct stream_item *item, const struct call *call)
{
	struct sink *sink = &export->sink;
	struct subject subject;

	subject_init(&subject, call->life);
	begin(export, "SYSCALL", item);
	sink_words(sink, export->elsewhere ? " arch=" ARCH_UNKNOWN : " arch=" ARCH);
	put_field(sink, "syscall", call->number);
	if (call->returns) {
		sink_words(sink, " success=yes");
		put_field(sink, "exit", call->result);
	}
	put_hex_field(sink, "a0", call->a0);
	put_hex_field(sink, "a1", call->a1);
	sink_words(sink, " a2=0 a3=0 items=0");
	put_field(sink, "ppid", call->ppid);
	put_field(sink, "pid", call->pid);
	put_field(sink, "auid", subject_login(&subject, DETAIL_LOGINUID));
	put_field(sink, "uid", known(subject.uid_known, subject.ruid));
	put_field(sink, "gid", known(subject.gid_known, subject.rgid));
	put_field(sink, "euid", known(subject.uid_known, subject.euid));
	put_field(sink, "suid", SUBJECT_UNSET);
	put_field(sink, "fsuid", known(subject.uid_known, subject.euid));
	put_field(sink, "egid", known(subject.gid_known, subject.egid));
	put_field(sink, "sgid", SUBJECT_UNSET);
	put_field(sink, "fsgid", known(subject.gid_known, subject.egid));
	sink_words(sink, " tty=(none)");
	put_field(sink, "ses", subject_login(&subject, DETAIL_SESSIONID));
	put_comm(sink, call->life);
	put_string(sink, "exe", subject_field(&subject, DETAIL_EXE));
	sink_words(sink, " key=\"procledger\"\n");
}

/* One argument, over as many records as it takes; *used is what the present record has already. */
static void put_argument(struct export *export, const struct stream_item *item, unsigned number,
			 const uint8_t *data, size_t bytes, size_t *used)
{
	struct sink *sink = &export->sink;
	size_t wide = is_plain(data, bytes) ? bytes + 2 : bytes * 2;
	char name[64];

	if (*used > 0 && *used + wide > RECORD_MAX_BYTES) {
		sink_char(sink, '\n');
		begin(export, "EXECVE", item);
		*used = 0;
	}
	*used += wide;
	if (wide <= RECORD_MAX_BYTES) {
		(void)snprintf(name, sizeof(name), " a%u=", number);
		sink_words(sink, name);
		put_encoded(sink, data, bytes);
		return;
	}
	(void)snprintf(name, sizeof(name), " a%u_len=%zu", number, wide);
	sink_words(sink, name);
	for (size_t at = 0, piece = 0; at < bytes; piece++) {
		size_t now = bytes - at < RECORD_MAX_BYTES / 2 ? bytes - at : RECORD_MAX_BYTES / 2;

		if (at > 0) {
			sink_char(sink, '\n');
			begin(export, "EXECVE", item);
		}
		(void)snprintf(name, sizeof(name), " a%u[%zu]=", number, piece);
		sink_words(sink, name);
		put_encoded(sink, data + at, now);
		at += now;
		*used = now * 2;
	}
}

static void put_arguments(struct export *export, const struct stream_item *item,
			  const struct detail_field *argv)
{
	struct sink *sink = &export->sink;
	unsigned count = 0, number = 0;
	size_t used = 0;

	for (uint32_t i = 0; i < argv->bytes; i++)
		count += argv->data[i] == '\0' || i + 1 == argv->bytes;
	begin(export, "EXECVE", item);
	put_field(sink, "argc", count);
	for (size_t at = 0; at < argv->bytes; number++) {
		const uint8_t *end = memchr(argv->data + at, '\0', argv->bytes - at);
		size_t bytes = end ? (size_t)(end - argv->data) - at : argv->bytes - at;

		put_argument(export, item, number, argv->data + at, bytes, &used);
		at += bytes + 1;
	}
	sink_char(sink, '\n');
}

static void put_exec(struct export *export, const struct stream_item *item)
{
	struct sink *sink = &export->sink;
	const struct detail_field *argv, *cwd;
	struct subject subject;

	subject_init(&subject, item->life);
	argv = subject_field(&subject, DETAIL_ARGV);
	cwd = subject_field(&subject, DETAIL_CWD);
	if (argv)
		put_arguments(export, item, argv);
	if (cwd) {
		begin(export, "CWD", item);
		put_string(sink, "cwd", cwd);
		sink_char(sink, '\n');
	}
	if (argv) {
		size_t bytes = argv->bytes < 128 ? argv->bytes : 128; /* MAX_PROCTITLE_AUDIT_LEN */

		begin(export, "PROCTITLE", item);
		put_string(sink, "proctitle",
			   &(struct detail_field){
				   .data = argv->data,
				   .bytes = (uint32_t)(bytes < argv->bytes ? bytes : bytes - 1) });
		sink_char(sink, '\n');
	}
}

static void put_abend(struct export *export, const struct stream_item *item)
{
	struct sink *sink = &export->sink;
	struct subject subject;

	subject_init(&subject, item->life);
	begin(export, "ANOM_ABEND", item);
	put_field(sink, "auid", subject_login(&subject, DETAIL_LOGINUID));
	put_field(sink, "uid", known(subject.uid_known, subject.ruid));
	put_field(sink, "gid", known(subject.gid_known, subject.rgid));
	put_field(sink, "ses", subject_login(&subject, DETAIL_SESSIONID));
	put_field(sink, "pid", item->event->pid);
	put_comm(sink, item->life);
	put_string(sink, "exe", subject_field(&subject, DETAIL_EXE));
	put_field(sink, "sig", item->event->arg[0] & 0x7f);
	sink_words(sink, " res=1\n");
}

static void put_target(struct export *export, const struct stream_item *item)
{
	struct sink *sink = &export->sink;
	struct subject subject;

	subject_init(&subject, item->life);
	begin(export, "OBJ_PID", item);
	put_field(sink, "opid", item->event->pid);
	put_field(sink, "oauid", subject_login(&subject, DETAIL_LOGINUID));
	put_field(sink, "ouid", known(subject.uid_known, subject.ruid));
	put_field(sink, "oses", subject_login(&subject, DETAIL_SESSIONID));
	sink_words(sink, " ocomm=");
	if (item->life && item->life->comm_known)
		put_encoded(sink, (const uint8_t *)item->life->comm, comm_bytes(item->life->comm));
	else
		sink_words(sink, "(null)");
	sink_char(sink, '\n');
}

static void put_daemon(struct export *export, const char *type, const char *words,
		       const struct stream_item *item)
{
	struct sink *sink = &export->sink;

	begin(export, type, item);
	sink_words(sink, words);
	sink_words(sink, " ver=" PROCLEDGER_VERSION " format=raw auid=4294967295 pid=0 uid=0"
			 " ses=4294967295");
	if (item->event->kind == EVENT_LOST || item->event->kind == EVENT_BLIND)
		put_field(sink, "lost", item->event->arg[0]);
	if (item->event->cpu != EVENT_CPU_NONE)
		put_field(sink, "cpu", item->event->cpu);
	sink_words(sink, item->event->kind == EVENT_LOST ? " res=failed\n" : " res=success\n");
}

/* --- events --- */

/* The kernel writes ANOM_ABEND of signals that dump core by default, once for the process: here with its last task. */
static bool is_abend(const struct stream_item *item)
{
	const struct event *event = item->event;
	const struct life *process = item->life ? item->life->process : NULL;
	static const uint32_t signals =
		1u << SIGQUIT | 1u << SIGILL | 1u << SIGTRAP | 1u << SIGABRT | 1u << SIGBUS |
		1u << SIGFPE | 1u << SIGSEGV | 1u << SIGXCPU | 1u << SIGXFSZ | 1u << SIGSYS;
	unsigned number = event->arg[0] & 0x7f;

	return (process ? process->process_ended : event->pid == event->tid) && number < 32 &&
	       (signals >> number & 1);
}

static uint32_t ppid_of(const struct life *life)
{
	return life ? life->ppid : 0;
}

static void put_kernel(struct export *export, const struct stream_item *item)
{
	const struct event *event = item->event;
	struct call call = {
		.returns = true, .life = item->life, .pid = event->pid, .ppid = ppid_of(item->life)
	};

	switch ((enum event_kind)event->kind) {
	case EVENT_FORK:
		call = (struct call){ .number = SYS_clone,
				      .returns = true,
				      .result = event->tid,
				      .a0 = event->pid == event->tid ? SIGCHLD : CLONE_THREAD_FLAG,
				      .life = item->other,
				      .pid = event->ppid,
				      .ppid = ppid_of(item->other) };
		break;
	case EVENT_EXEC:
		call.number = SYS_execve;
		break;
	case EVENT_UID:
	case EVENT_GID:
		call.number = event->kind == EVENT_UID ? SYS_setresuid : SYS_setresgid;
		call.a0 = event->arg[0];
		call.a1 = event->arg[1];
		break;
	case EVENT_SID:
		call.number = SYS_setsid;
		call.result = event->pid;
		break;
	case EVENT_PTRACE: /* a detached one no longer knows of whom */
		call.number = SYS_ptrace;
		call.a0 = event->arg[0] ? PTRACE_ATTACH_CODE : PTRACE_DETACH_CODE;
		call.a1 = event->tid;
		call.life = item->other;
		call.pid = (uint32_t)event->arg[0];
		call.ppid = ppid_of(item->other);
		break;
	case EVENT_COMM:
		call.number = SYS_prctl;
		call.a0 = PR_SET_NAME_CODE;
		break;
	case EVENT_EXIT:
		call.number = event->pid == event->tid ? SYS_exit_group : SYS_exit;
		call.returns = false;
		call.a0 = event->arg[0] >> 8 & 0xff;
		call.ppid = event->ppid;
		break;
	default:
		return;
	}
	put_call(export, item, &call);
}

static int audit_event(struct export *export, const struct stream_item *item)
{
	const struct event *event = item->event;

	export->found++;
	switch ((enum event_kind)event->kind) {
	case EVENT_EXEC:
		put_kernel(export, item);
		put_exec(export, item);
		return 0;
	case EVENT_PTRACE:
		put_kernel(export, item);
		put_target(export, item);
		return 0;
	case EVENT_EXIT:
		if (is_abend(item)) {
			put_abend(export, item);
		} else if (event->arg[0] & 0x7f) {
			export->found--;
			export->kills_out++;
		} else {
			put_kernel(export, item);
		}
		return 0;
	case EVENT_FORK:
	case EVENT_UID:
	case EVENT_GID:
	case EVENT_SID:
	case EVENT_COMM:
		put_kernel(export, item);
		return 0;
	case EVENT_START:
		put_daemon(export, "DAEMON_START", " op=start", item);
		return 0;
	case EVENT_STOP:
		put_daemon(export, "DAEMON_END", " op=terminate", item);
		return 0;
	case EVENT_LOST:
	case EVENT_BLIND:
		put_daemon(export, "DAEMON_ERR", " op=lost", item);
		return 0;
	default:
		export->found--;
		export->left_out++;
		return 0;
	}
}

/* A ledger that has the running boot was recorded here, also its older boots; but not what was imported. */
static int audit_begin(struct export *export)
{
	char here[SUBJECT_UUID_BYTES] = "", boot[SUBJECT_UUID_BYTES];
	auto_fclose FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	const struct ledger *ledger = export->query->ledger;

	export->elsewhere = true;
	if (!file || !fgets(here, sizeof(here), file))
		return 0;
	for (size_t i = 0; i < ledger->boot_count; i++) {
		subject_boot_id(export->query, ledger->boots[i].boot_no, boot);
		if (strcmp(boot, here) == 0)
			export->elsewhere = false;
	}
	for (size_t i = 0; i < ledger->boot_count; i++)
		export->elsewhere |= ledger->boots[i].imported;
	return 0;
}

const struct export_format export_audit = {
	.name = "audit",
	.stream = STREAM_LIVES,
	.begin = audit_begin,
	.event = audit_event,
};
