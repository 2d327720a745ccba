/* export_ocsf.c - events in the Open Cybersecurity Schema Framework, a line of JSON each: class process_activity (1007), and what
 * concerns the recording itself as event_log_activity (1008).
 */
#include <string.h>

#include "query/escape.h"
#include "query/export.h"
#include "query/json_writer.h"
#include "query/life_text.h"
#include "query/subject.h"
#include "schema/version.h"

enum { CLASS_PROCESS = 1007, CLASS_LOG = 1008, ACTIVITY_OTHER = 99, NS_PER_MS = 1000000 };
enum { SEVERITY_INFORMATIONAL = 1, SEVERITY_MEDIUM = 3 };

struct activity {
	uint32_t class_uid, id;
	const char *name;
	uint32_t launch_type; /* 0: no launch */
};

static const struct activity activities[EVENT_KIND_LIMIT] = {
	[EVENT_FORK] = { CLASS_PROCESS, 1, "Launch", 2 },
	[EVENT_EXEC] = { CLASS_PROCESS, 1, "Launch", 3 },
	[EVENT_EXIT] = { CLASS_PROCESS, 2, "Terminate", 0 },
	[EVENT_PTRACE] = { CLASS_PROCESS, 3, "Open", 0 },
	[EVENT_UID] = { CLASS_PROCESS, 5, "Set User ID", 0 },
	[EVENT_GID] = { CLASS_PROCESS, ACTIVITY_OTHER, "Set Group ID", 0 },
	[EVENT_SID] = { CLASS_PROCESS, ACTIVITY_OTHER, "Set Session", 0 },
	[EVENT_COMM] = { CLASS_PROCESS, ACTIVITY_OTHER, "Name Change", 0 },
	[EVENT_COREDUMP] = { CLASS_PROCESS, ACTIVITY_OTHER, "Core Dump", 0 },
	[EVENT_SNAPSHOT] = { CLASS_PROCESS, ACTIVITY_OTHER, "Snapshot", 0 },
	[EVENT_START] = { CLASS_LOG, 6, "Start", 0 },
	[EVENT_STOP] = { CLASS_LOG, 7, "Stop", 0 },
	[EVENT_LOST] = { CLASS_LOG, ACTIVITY_OTHER, "Events Lost", 0 },
	[EVENT_BLIND] = { CLASS_LOG, ACTIVITY_OTHER, "Events Lost", 0 },
};

static struct activity activity_of(const struct event *event)
{
	static const struct activity thread = { CLASS_PROCESS, ACTIVITY_OTHER, "Thread Create", 0 },
				     detach = { CLASS_PROCESS, ACTIVITY_OTHER, "Ptrace Detach", 0 };
	struct activity other = { CLASS_LOG, ACTIVITY_OTHER, event_kind_word(event->kind), 0 };

	if (event->kind == EVENT_FORK && event->pid != event->tid)
		return thread;
	if (event->kind == EVENT_PTRACE && event->arg[0] == 0)
		return detach;
	return activities[event->kind].class_uid ? activities[event->kind] : other;
}

static uint64_t time_ms(struct export *export, uint32_t boot_no, uint64_t timestamp_ns)
{
	return export_time(export, boot_no, timestamp_ns) / NS_PER_MS;
}

static void put_uid(struct json *json, const char *key, const char *member, uint64_t id)
{
	char digits[SINK_DIGITS + 1];

	digits[sink_digits(id, digits)] = '\0';
	json_open(json, key, '{');
	json_word(json, member, digits);
	json_close(json, '}');
}

static void put_program(struct json *json, const struct subject *subject)
{
	const struct detail_field *exe = subject_field(subject, DETAIL_EXE),
				  *argv = subject_field(subject, DETAIL_ARGV),
				  *cwd = subject_field(subject, DETAIL_CWD);

	if (exe) {
		const uint8_t *slash = memrchr(exe->data, '/', exe->bytes);
		size_t at = slash ? (size_t)(slash + 1 - exe->data) : 0;

		json_open(json, "file", '{');
		json_unsigned(json, "type_id", 1); /* a regular file */
		json_bytes(json, "name", exe->data + at, exe->bytes - at);
		json_bytes(json, "path", exe->data, exe->bytes);
		json_close(json, '}');
	}
	if (argv)
		json_arguments_joined(json, "cmd_line", argv->data, argv->bytes);
	if (cwd)
		json_bytes(json, "working_directory", cwd->data, cwd->bytes);
}

/* The members of a process object, without its brackets. */
static void put_process(struct export *export, struct json *json, const struct life *life,
			uint32_t pid)
{
	char entity[SUBJECT_ENTITY_BYTES];
	struct subject subject;
	uint32_t auid;

	json_unsigned(json, "pid", pid);
	subject_init(&subject, life);
	if (!subject.leader || subject.leader->pid != pid)
		return;
	subject_entity(export->query, subject.leader, entity);
	json_word(json, "uid", entity);
	if (subject.leader->comm_known)
		json_bytes(json, "name", subject.leader->comm, comm_bytes(subject.leader->comm));
	if (subject.leader->start_ns > 0)
		json_unsigned(json, "created_time",
			      time_ms(export, subject.leader->boot_no, subject.leader->start_ns));
	put_program(json, &subject);
	auid = subject_login(&subject, DETAIL_LOGINUID);
	if (auid != SUBJECT_UNSET)
		json_unsigned(json, "auid", auid);
	if (subject.uid_known) {
		put_uid(json, "user", "uid", subject.ruid);
		json_unsigned(json, "euid", subject.euid);
	}
	if (subject.gid_known) {
		put_uid(json, "group", "uid", subject.rgid);
		json_unsigned(json, "egid", subject.egid);
	}
}

static void put_actor(struct export *export, struct json *json, const struct life *life,
		      uint32_t pid)
{
	json_open(json, "actor", '{');
	json_open(json, "process", '{');
	put_process(export, json, life, pid);
	json_close(json, '}');
	json_close(json, '}');
}

static void put_subject(struct export *export, struct json *json, const struct stream_item *item)
{
	const struct event *event = item->event;
	uint32_t ppid = event->ppid ? event->ppid : item->life ? item->life->ppid : 0;

	json_open(json, "process", '{');
	put_process(export, json, item->life, event->pid);
	if (event->pid != event->tid)
		json_unsigned(json, "tid", event->tid);
	if (event->kind == EVENT_EXIT)
		json_unsigned(json, "terminated_time",
			      time_ms(export, item->boot_no, event->timestamp_ns));
	if (event->kind == EVENT_SID)
		put_uid(json, "session", "uid", event->pid);
	if (ppid != 0) {
		json_open(json, "parent_process", '{');
		put_process(export, json,
			    event->kind == EVENT_FORK ? item->other : lives_find(item->lives, ppid),
			    ppid);
		json_close(json, '}');
	}
	json_close(json, '}');
}

static void put_exit(struct json *json, uint32_t status)
{
	char word[LIFE_WORD_BYTES];

	json_unsigned(json, "exit_code",
		      status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff);
	wait_status_word(status, word);
	if (status & 0x7f)
		json_word(json, "status_detail", word);
}

static void put_metadata(struct json *json, const struct event *event)
{
	json_open(json, "metadata", '{');
	json_word(json, "version", "1.4.0");
	json_unsigned(json, "sequence", event->event_no);
	json_word(json, "log_name", "ledger.ring");
	json_open(json, "product", '{');
	json_word(json, "name", "procledger");
	json_word(json, "vendor_name", "procledger");
	json_word(json, "version", PROCLEDGER_VERSION);
	json_close(json, '}');
	json_close(json, '}');
}

static void put_device(struct export *export, struct json *json, uint32_t boot_no)
{
	const uint8_t *machine_id = ring_super(export->query->ledger->ring)->machine_id;
	static const uint8_t unknown[RING_UUID_BYTES];
	char boot[SUBJECT_UUID_BYTES], machine[2 * RING_UUID_BYTES + 1];

	json_open(json, "device", '{');
	json_unsigned(json, "type_id", 0);
	json_word(json, "type", "Unknown");
	json_open(json, "os", '{');
	json_word(json, "name", "Linux");
	json_unsigned(json, "type_id", 200);
	json_close(json, '}');
	subject_boot_id(export->query, boot_no, boot);
	if (!boot[0]) { /* imported: of which machine is not known */
		json_close(json, '}');
		return;
	}
	json_word(json, "boot_uid", boot);
	if (memcmp(machine_id, unknown, sizeof(unknown)) != 0) {
		machine[escape_hex(machine_id, RING_UUID_BYTES, machine)] = '\0';
		json_word(json, "uid", machine);
	}
	json_close(json, '}');
}

static void put_unmapped(struct json *json, const struct stream_item *item)
{
	const struct event *event = item->event;

	json_open(json, "unmapped", '{');
	json_word(json, "kind", event_kind_word(event->kind));
	json_unsigned(json, "boot", item->boot_no);
	json_unsigned(json, "timestamp_ns", event->timestamp_ns);
	if (event->cpu != EVENT_CPU_NONE)
		json_unsigned(json, "cpu", event->cpu);
	if (event->kind < EVENT_OWN_FIRST)
		json_unsigned(json, "seq", event->seq);
	if (event->kind == EVENT_LOST) {
		json_unsigned(json, "lost_count", event->arg[0]);
		if (event->arg[1] > 0)
			json_unsigned(json, "lost_from_ns", event->arg[1]);
	}
	json_close(json, '}');
}

static void put_class(struct json *json, const struct activity *activity)
{
	bool process = activity->class_uid == CLASS_PROCESS;

	json_unsigned(json, "category_uid", 1);
	json_word(json, "category_name", "System Activity");
	json_unsigned(json, "class_uid", activity->class_uid);
	json_word(json, "class_name", process ? "Process Activity" : "Event Log Activity");
	json_unsigned(json, "activity_id", activity->id);
	json_word(json, "activity_name", activity->name);
	json_unsigned(json, "type_uid", activity->class_uid * UINT64_C(100) + activity->id);
	if (activity->launch_type > 0)
		json_unsigned(json, "launch_type_id", activity->launch_type);
}

static int ocsf_event(struct export *export, const struct stream_item *item)
{
	struct json json = { .sink = &export->sink };
	const struct event *event = item->event;
	struct activity activity = activity_of(event);
	bool lost = event->kind == EVENT_LOST || event->kind == EVENT_BLIND;

	json_open(&json, NULL, '{');
	put_class(&json, &activity);
	json_unsigned(&json, "severity_id", lost ? SEVERITY_MEDIUM : SEVERITY_INFORMATIONAL);
	json_unsigned(&json, "time", time_ms(export, item->boot_no, event->timestamp_ns));
	put_metadata(&json, event);
	put_device(export, &json, item->boot_no);
	if (activity.class_uid == CLASS_PROCESS) {
		if (event->kind == EVENT_FORK)
			put_actor(export, &json, item->other, event->ppid);
		else if (event->kind == EVENT_PTRACE && event->arg[0] != 0)
			put_actor(export, &json, item->other, (uint32_t)event->arg[0]);
		else
			put_actor(export, &json, item->life, event->pid);
		put_subject(export, &json, item);
		if (event->kind == EVENT_EXIT)
			put_exit(&json, (uint32_t)event->arg[0]);
	} else {
		json_word(&json, "log_name", "procledger");
	}
	put_unmapped(&json, item);
	json_close(&json, '}');
	json_line_end(&json);
	export->found++;
	return 0;
}

const struct export_format export_ocsf = {
	.name = "ocsf",
	.stream = STREAM_LIVES,
	.event = ocsf_event,
};
