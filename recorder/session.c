#include "recorder/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "schema/cleanup.h"
#include "schema/detail.h"
#include "schema/ring.h"
#include "schema/version.h"

enum { LOCK_TRIES = 50, LOCK_PAUSE_MS = 20, NOTE_BYTES = 2048, ROOM_PAUSE_MS = 1 };

struct procfs_setup session_procfs_setup(const struct options *options,
					 const struct redactor *redactor)
{
	return (struct procfs_setup){
		.path = "/proc",
		.argv_max_bytes = options->argv == ARGV_NONE ? 0 : options->argv_max_bytes,
		.redactor = redactor,
	};
}

int session_path(const struct options *options, const char *name, char *out, size_t out_bytes)
{
	int n = snprintf(out, out_bytes, "%s/%s", options->store, name);

	return n < 0 || (size_t)n >= out_bytes ? -ENAMETOOLONG : 0;
}

/* --- what the machine is --- */

/* The first line of a small file, without its newline; "" where it cannot be read. */
static void line_read(const char *path, char *out, size_t bytes)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, bytes - 1) : 0;

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* 32 hex digits, with or without hyphens, as 16 bytes.  False when they are not that. */
static bool uuid_parse(const char *text, uint8_t out[RING_UUID_BYTES])
{
	unsigned digits = 0;

	for (; *text && digits < 2 * RING_UUID_BYTES; text++) {
		static const char hex[] = "0123456789abcdef";
		const char *found = strchr(hex, *text);

		if (*text == '-')
			continue;
		if (!found)
			return false;
		out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | (found - hex));
		digits++;
	}
	return digits == 2 * RING_UUID_BYTES && !*text;
}

/* --- opening --- */

int session_store_make(const struct options *options, struct verdict *ret_verdict)
{
	const char *store = options->store;
	struct stat status;
	int r = 0;

	if (mkdir(store, 0750) == 0)
		return 0;
	if (errno != EEXIST)
		r = errno;
	else if (stat(store, &status) < 0)
		r = errno;
	else if (!S_ISDIR(status.st_mode))
		r = ENOTDIR;
	if (r == 0)
		return 0;
	return verdict_set(ret_verdict,
			   r == EACCES || r == EPERM ? VERDICT_NO_PERMISSION : VERDICT_NO_STORE,
			   "cannot make the store %s: %s; choose another folder with --store",
			   store, strerror(r));
}

static int open_explain(int r, const struct options *options, const char *path,
			struct verdict *ret_verdict)
{
	switch (r) {
	case RING_WRITER_LOCKED:
		return verdict_set(ret_verdict, VERDICT_NO_STORE,
				   "another procledgerd is recording into %s: stop it first, or "
				   "choose another folder with --store",
				   options->store);
	case RING_WRITER_NO_SPACE:
	case -ENOSPC:
		return verdict_set(
			ret_verdict, VERDICT_FAILED,
			"there is no room for the ring %s, which takes its whole size at "
			"once: make room, or choose a smaller --ring-size",
			path);
	case -EACCES:
	case -EPERM:
		return verdict_set(ret_verdict, VERDICT_NO_PERMISSION,
				   "cannot write the ring %s: %s; start procledgerd as the store's "
				   "owner, or choose another folder with --store",
				   path, strerror(-r));
	case -EPROTONOSUPPORT:
		return verdict_set(ret_verdict, VERDICT_NO_STORE,
				   "the ring %s is a slice of another one, or of another version "
				   "of procledger, and this one (" PROCLEDGER_VERSION
				   ") cannot write it: choose another folder with --store",
				   path);
	case -EBADMSG:
		return verdict_set(ret_verdict, VERDICT_NO_STORE,
				   "the ring %s is not a ring or is damaged beyond use: move it "
				   "away, or choose another folder with --store",
				   path);
	default:
		return verdict_set(ret_verdict, VERDICT_NO_STORE, "cannot use the ring %s: %s",
				   path, strerror(-r));
	}
}

/* Opens the ring.  A recorder whose parent was killed may need a moment to end in order and let go of it. */
static int ring_writer_try(struct session *session, const char *path)
{
	const struct io *io = session->syncer ? syncer_io(session->syncer) : &io_direct;
	int r = RING_WRITER_LOCKED;

	for (unsigned i = 0; i < LOCK_TRIES && r == RING_WRITER_LOCKED && !session->signal; i++) {
		if (i > 0)
			(void)session_rest(session, LOCK_PAUSE_MS);
		r = ring_writer_open_on(path, session->options->ring_bytes, session->boot_id, io,
					&session->writer, &session->opened);
	}
	return r;
}

static void baseline_take(void *context, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns)
{
	gaps_baseline(context, cpu, seq, timestamp_ns);
}

/* Details are given up before that (intake.c), events behind it. */
static bool stage_is_nearly_full(void *context)
{
	const struct session *session = context;

	return stage_used_bytes(ring_writer_stage(session->writer)) > session->stage_bytes / 8 * 7;
}

static int parts_open(struct session *session, const struct procfs_setup *procfs)
{
	const bool import = session->options->input != NULL;
	int r = procfs ? procfs_open(procfs, &session->procfs) : 0;

	if (r < 0)
		return r;
	session->gaps = gaps_new();
	if (!session->gaps)
		return -ENOMEM;
	session->intake = intake_new(&(struct intake_setup){
		.stage = ring_writer_stage(session->writer),
		.stage_bytes = session->stage_bytes,
		.gaps = session->gaps,
		.procfs = session->procfs,
		.exec_lanes = session->exec_lanes,
		.keep_late = !import,
	});
	if (!session->intake)
		return -ENOMEM;
	ring_writer_each_cpu(session->writer, baseline_take, session->gaps);
	if (session->syncer)
		syncer_set_impatient(session->syncer, stage_is_nearly_full, session);
	return sealer_start(
		&(struct sealer_setup){
			.writer = session->writer,
			.stage_bytes = session->stage_bytes,
			.durability = session->options->durability,
			.import = import,
			.say = session->say,
		},
		&session->sealer);
}

static int signals_open(struct session *session)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	session->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return session->signal_fd < 0 ? -errno : 0;
}

int session_open(struct session *session, const struct options *options,
		 const struct procfs_setup *procfs, struct exec_lanes *exec_lanes, say_fn *say,
		 struct verdict *ret_verdict)
{
	char path[SESSION_PATH_BYTES], text[64];
	int r;

	*session = (struct session){
		.options = options, .say = say, .exec_lanes = exec_lanes, .signal_fd = -1
	};
	if (session_path(options, "ledger.ring", path, sizeof(path)) < 0)
		return verdict_set(ret_verdict, VERDICT_USAGE, "the name of the store is too long");
	if (!options->input) {
		line_read("/proc/sys/kernel/random/boot_id", text, sizeof(text));
		if (!uuid_parse(text, session->boot_id))
			return verdict_set(ret_verdict, VERDICT_FAILED,
					   "cannot read /proc/sys/kernel/random/boot_id, which "
					   "names the boot: is /proc mounted?");
	}
	if (session_store_make(options, ret_verdict) != 0)
		return ret_verdict->code;
	r = signals_open(session);
	if (r == 0 && !options->input)
		r = syncer_start(&session->syncer);
	if (r == 0) {
		r = ring_writer_try(session, path);
		if (r != 0)
			return open_explain(r, options, path, ret_verdict);
		session->boot_no = session->opened.boot_no;
		session->stage_bytes = (size_t)ring_writer_super(session->writer)->staging_bytes;
		session->ring_bytes = ring_writer_super(session->writer)->file_bytes;
	}
	if (r == 0)
		r = parts_open(session, procfs);
	if (r < 0)
		return verdict_set(ret_verdict, VERDICT_FAILED, "cannot start recording: %s",
				   strerror(-r));
	if (session->opened.unreadable_pages > 0)
		say("the disk could not read %" PRIu64
		    " pages of the ring that hold what was received last; they were made anew, and "
		    "what is lost with them is recorded as such",
		    session->opened.unreadable_pages);
	if (!session->opened.created && options->ring_bytes > 0 &&
	    options->ring_bytes != session->ring_bytes)
		say("the ring is already there and keeps its size of %llu bytes; --ring-size is "
		    "for a new one",
		    (unsigned long long)session->ring_bytes);
	return 0;
}

/* --- staging --- */

bool session_rest(struct session *session, unsigned ms)
{
	struct pollfd wait = { .fd = session->signal_fd, .events = POLLIN };
	struct signalfd_siginfo info;

	if (session->signal) {
		wait.fd = -1; /* it is known already, and would cut every rest short */
		(void)poll(&wait, 1, (int)ms);
		return true;
	}
	if (poll(&wait, 1, (int)ms) > 0 &&
	    read(session->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		session->signal = (int)info.ssi_signo;
	return session->signal != 0;
}

int session_wait_room(struct session *session, unsigned waits)
{
	int r = session->options->input ? sealer_failure(session->sealer) : 0;

	if (r < 0)
		return r;
	if (!session_rest(session, ROOM_PAUSE_MS))
		return 0;
	return waits * ROOM_PAUSE_MS > SESSION_STOP_MS ? -EINTR : 0;
}

int session_stage(struct session *session, struct event *event)
{
	for (unsigned waits = 0; intake_own(session->intake, event) == INTAKE_FULL; waits++) {
		int r = session_wait_room(session, waits);

		if (r < 0)
			return r;
	}
	return 0;
}

int session_stage_errors(struct session *session)
{
	const struct sealer_error *error;

	while ((error = sealer_error_peek(session->sealer))) {
		struct event event = {
			.kind = EVENT_DISK_ERROR,
			.timestamp_ns = session->options->input ? intake_last_ns(session->intake)
								: error->at_ns,
			.cpu = EVENT_CPU_NONE,
			.arg = { (uint64_t)error->failure.error, error->failure.block_no,
				 error->failure.count },
		};
		int r = session_stage(session, &event);

		if (r < 0)
			return r;
		sealer_error_take(session->sealer);
	}
	return 0;
}

/* "name=value" lines, in which a value cannot make another line. */
__attribute__((format(printf, 4, 5))) static void note_add(char *note, size_t *at, const char *name,
							   const char *format, ...)
{
	char value[SESSION_PATH_BYTES];
	va_list arguments;
	int n;

	va_start(arguments, format);
	(void)vsnprintf(value, sizeof(value), format, arguments);
	va_end(arguments);
	for (char *c = value; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
	n = snprintf(note + *at, NOTE_BYTES - *at, "%s=%s\n", name, value);
	if (n > 0 && (size_t)n < NOTE_BYTES - *at)
		*at += (size_t)n;
}

static size_t note_write(const struct session *session, char note[NOTE_BYTES])
{
	const struct options *options = session->options;
	char boot_id[64], machine_id[64];
	struct utsname machine;
	size_t bytes = 0;

	line_read("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	line_read("/etc/machine-id", machine_id, sizeof(machine_id));
	note_add(note, &bytes, "version", "%s", PROCLEDGER_VERSION);
	if (!options->input)
		note_add(note, &bytes, "boot_id", "%s", boot_id);
	note_add(note, &bytes, "machine_id", "%s", machine_id);
	if (uname(&machine) == 0) {
		note_add(note, &bytes, "kernel", "%s", machine.release);
		note_add(note, &bytes, "hostname", "%s", machine.nodename);
	}
	note_add(note, &bytes, "ring_size", "%llu", (unsigned long long)session->ring_bytes);
	note_add(note, &bytes, "durability", "%s", durability_word(options->durability));
	if (!options->input)
		note_add(note, &bytes, "argv", "%s", argv_mode_word(options->argv));
	note_add(note, &bytes, "index", "%s", options->ring_only ? "no" : "yes");
	if (!options->input)
		note_add(note, &bytes, "exec_lane", "%s",
			 session->exec_lanes ? realtime_word(exec_lanes_mode(session->exec_lanes))
					     : "none");
	if (options->input)
		note_add(note, &bytes, "input", "%.1000s", options->input);
	return bytes;
}

int session_stage_start(struct session *session, uint64_t timestamp_ns, unsigned flags)
{
	char note[NOTE_BYTES];
	uint8_t packed[NOTE_BYTES + 16];
	struct detail detail = { 0 };
	struct event event = {
		.kind = EVENT_START,
		.timestamp_ns = timestamp_ns,
		.cpu = EVENT_CPU_NONE,
		.arg = { session->boot_no, flags },
		.detail = packed,
	};
	size_t bytes = 0;

	if (session->options->input)
		event.arg[1] |= EVENT_START_IMPORT;
	if (!session->opened.clean)
		event.arg[1] |= EVENT_START_AFTER_CRASH;
	detail.field[DETAIL_NOTE] = (struct detail_field){
		.data = (const uint8_t *)note,
		.bytes = (uint32_t)note_write(session, note),
		.state = DETAIL_READ,
	};
	if (detail_pack(&detail, packed, sizeof(packed), &bytes) == 0)
		event.detail_bytes = (uint32_t)bytes;
	return session_stage(session, &event);
}

int session_stage_stop(struct session *session, uint64_t timestamp_ns, uint64_t received,
		       uint64_t drops)
{
	struct event event = {
		.kind = EVENT_STOP,
		.timestamp_ns = timestamp_ns,
		.cpu = EVENT_CPU_NONE,
		.arg = { received, drops, (uint64_t)session->signal },
	};

	int r = session_stage_errors(session);

	return r < 0 ? r : session_stage(session, &event);
}

int session_end(struct session *session)
{
	return sealer_stop(steal_pointer(session->sealer), true);
}

void session_close(struct session *session)
{
	(void)sealer_stop(session->sealer, false);
	intake_free(session->intake);
	gaps_free(session->gaps);
	procfs_close(session->procfs);
	ring_writer_close(session->writer);
	syncer_stop(session->syncer);
	if (session->signal_fd >= 0)
		(void)close(session->signal_fd);
}
