/* export_ecs.c - events as documents of the Elastic Common Schema 8, a line of JSON each.
 *
 * What ECS has no field for stands below "procledger".
 */
#include <string.h>

#include "query/export.h"
#include "query/json_writer.h"
#include "query/life_text.h"
#include "query/subject.h"

/* What ECS calls each kind: event.kind, event.category, event.type, event.action. */
static const struct ecs_words {
	const char *kind, *category, *type, *action;
} words[EVENT_KIND_LIMIT] = {
	[EVENT_FORK] = { "event", "process", "start", "fork" },
	[EVENT_EXEC] = { "event", "process", "start", "exec" },
	[EVENT_UID] = { "event", "process", "change", "uid_change" },
	[EVENT_GID] = { "event", "process", "change", "gid_change" },
	[EVENT_SID] = { "event", "process", "change", "session_id_change" },
	[EVENT_PTRACE] = { "event", "process", "access", "ptrace_attach" },
	[EVENT_COMM] = { "event", "process", "change", "comm_change" },
	[EVENT_COREDUMP] = { "event", "process", "info", "coredump" },
	[EVENT_EXIT] = { "event", "process", "end", "exit" },
	[EVENT_SNAPSHOT] = { "state", "process", "info", "process_exists" },
	[EVENT_LOST] = { "pipeline_error", "process", "info", "events_lost" },
	[EVENT_BLIND] = { "pipeline_error", "process", "info", "events_lost" },
	[EVENT_START] = { "event", "configuration", "change", "recorder_start" },
	[EVENT_STOP] = { "event", "configuration", "change", "recorder_stop" },
	[EVENT_CLOCK] = { "event", "host", "info", "clock" },
};

static struct ecs_words words_of(const struct event *event)
{
	static const struct ecs_words other = { "event", "host", "info", NULL },
				      thread = { "event", "process", "start", "thread_create" },
				      detach = { "event", "process", "info", "ptrace_detach" };

	if (event->kind == EVENT_FORK && event->pid != event->tid)
		return thread;
	if (event->kind == EVENT_PTRACE && event->arg[0] == 0)
		return detach;
	return words[event->kind].kind ? words[event->kind] : other;
}

static void put_time(struct export *export, struct json *json, const char *key, uint32_t boot_no,
		     uint64_t timestamp_ns)
{
	char text[EXPORT_TIME_BYTES];

	export_time_text(export, export_time(export, boot_no, timestamp_ns), text);
	json_word(json, key, text);
}

static void put_id(struct json *json, const char *key, uint64_t id)
{
	char digits[SINK_DIGITS + 1];

	digits[sink_digits(id, digits)] = '\0';
	json_open(json, key, '{');
	json_word(json, "id", digits); /* ECS has ids of users as words */
	json_close(json, '}');
}

static void put_comm(struct json *json, const char *key, const struct life *life)
{
	if (life->comm_known)
		json_bytes(json, key, life->comm, comm_bytes(life->comm));
}

static void put_program(struct json *json, const struct subject *subject)
{
	const struct detail_field *exe = subject_field(subject, DETAIL_EXE),
				  *argv = subject_field(subject, DETAIL_ARGV),
				  *cwd = subject_field(subject, DETAIL_CWD);
	uint64_t count = 0;

	if (exe)
		json_bytes(json, "executable", exe->data, exe->bytes);
	if (cwd)
		json_bytes(json, "working_directory", cwd->data, cwd->bytes);
	if (!argv)
		return;
	for (uint32_t i = 0; i < argv->bytes; i++)
		count += argv->data[i] == '\0' || i + 1 == argv->bytes;
	json_arguments_array(json, "args", argv->data, argv->bytes);
	json_unsigned(json, "args_count", count);
	json_arguments_joined(json, "command_line", argv->data, argv->bytes);
}

static void put_users(struct json *json, const struct subject *subject)
{
	if (subject->uid_known) {
		put_id(json, "user", subject->euid);
		put_id(json, "real_user", subject->ruid);
	}
	if (subject->gid_known) {
		put_id(json, "group", subject->egid);
		put_id(json, "real_group", subject->rgid);
	}
}

/* The members of process.*, or of process.parent.*, of whom only the number may be known. */
static void put_process(struct export *export, struct json *json, const struct life *life,
			uint32_t pid)
{
	char entity[SUBJECT_ENTITY_BYTES];
	struct subject subject;

	json_unsigned(json, "pid", pid);
	subject_init(&subject, life);
	if (!subject.leader || subject.leader->pid != pid)
		return;
	subject_entity(export->query, subject.leader, entity);
	json_word(json, "entity_id", entity);
	if (subject.leader->start_ns > 0)
		put_time(export, json, "start", subject.leader->boot_no, subject.leader->start_ns);
	put_comm(json, "name", subject.leader);
	put_program(json, &subject);
	put_users(json, &subject);
}

static void put_thread(struct json *json, const struct life *life, const struct event *event)
{
	json_open(json, "thread", '{');
	json_unsigned(json, "id", event->tid);
	if (life)
		put_comm(json, "name", life);
	json_close(json, '}');
}

static void put_exit(struct export *export, struct json *json, const struct stream_item *item)
{
	uint32_t status = (uint32_t)item->event->arg[0], signal = status & 0x7f;

	json_unsigned(json, "exit_code", signal ? 128 + signal : status >> 8 & 0xff);
	put_time(export, json, "end", item->boot_no, item->event->timestamp_ns);
}

static void put_parent(struct export *export, struct json *json, const struct stream_item *item)
{
	const struct event *event = item->event;
	const struct life *parent = item->other;
	uint32_t pid = item->life ? item->life->ppid : 0;

	if (event->kind == EVENT_FORK || event->kind == EVENT_EXIT || event->kind == EVENT_SNAPSHOT)
		pid = event->ppid;
	if (pid == 0)
		return;
	if (event->kind != EVENT_FORK)
		parent = lives_find(item->lives, pid);
	json_open(json, "parent", '{');
	put_process(export, json, parent, pid);
	json_close(json, '}');
}

/* Of a ptrace the subject is who traces: what is traced stands below "procledger". */
static void put_subject(struct export *export, struct json *json, const struct stream_item *item)
{
	const struct event *event = item->event;
	bool attach = event->kind == EVENT_PTRACE && event->arg[0] != 0;

	json_open(json, "process", '{');
	if (attach) {
		put_process(export, json, item->other, (uint32_t)event->arg[0]);
	} else {
		put_process(export, json, item->life, event->pid);
		if (event->pid != event->tid)
			put_thread(json, item->life, event);
		if (event->kind == EVENT_EXIT)
			put_exit(export, json, item);
		put_parent(export, json, item);
	}
	json_close(json, '}');
}

static void put_target(struct export *export, struct json *json, const struct stream_item *item)
{
	json_open(json, "target", '{');
	put_process(export, json, item->life, item->event->pid);
	json_close(json, '}');
}

static void put_own(struct export *export, struct json *json, const struct stream_item *item)
{
	const struct event *event = item->event;
	uint32_t status = (uint32_t)event->arg[0];

	json_open(json, "procledger", '{');
	json_unsigned(json, "boot", item->boot_no);
	json_unsigned(json, "timestamp_ns", event->timestamp_ns);
	if (event->cpu != EVENT_CPU_NONE)
		json_unsigned(json, "cpu", event->cpu);
	if (event->kind < EVENT_OWN_FIRST)
		json_unsigned(json, "seq", event->seq);
	if (event->kind == EVENT_PTRACE)
		put_target(export, json, item);
	if (event->kind == EVENT_EXIT && status & 0x7f) {
		json_open(json, "exit", '{');
		json_unsigned(json, "signal", status & 0x7f);
		json_bool(json, "core", status & 0x80);
		json_close(json, '}');
	}
	if (event->kind == EVENT_LOST) {
		json_open(json, "lost", '{');
		json_unsigned(json, "count", event->arg[0]);
		json_unsigned(json, "cpu", event->cpu);
		if (event->arg[1] > 0)
			json_unsigned(json, "from_ns", event->arg[1]);
		json_unsigned(json, "to_ns", event->timestamp_ns);
		json_close(json, '}');
	} else if (event->kind >= EVENT_OWN_FIRST && event->kind != EVENT_SNAPSHOT) {
		json_open(json, "args", '[');
		for (int i = 0; i < EVENT_ARG_COUNT; i++)
			json_unsigned(json, NULL, event->arg[i]);
		json_close(json, ']');
	}
	json_close(json, '}');
}

static int ecs_event(struct export *export, const struct stream_item *item)
{
	struct json json = { .sink = &export->sink };
	struct ecs_words word = words_of(item->event);
	char boot[SUBJECT_UUID_BYTES];

	json_open(&json, NULL, '{');
	put_time(export, &json, "@timestamp", item->boot_no, item->event->timestamp_ns);
	json_open(&json, "ecs", '{');
	json_word(&json, "version", "8.11.0");
	json_close(&json, '}');
	json_open(&json, "event", '{');
	json_word(&json, "kind", word.kind);
	json_open(&json, "category", '[');
	json_word(&json, NULL, word.category);
	json_close(&json, ']');
	json_open(&json, "type", '[');
	json_word(&json, NULL, word.type);
	json_close(&json, ']');
	json_word(&json, "action", word.action ? word.action : event_kind_word(item->event->kind));
	json_unsigned(&json, "sequence", item->event->event_no);
	json_word(&json, "module", "procledger");
	json_word(&json, "dataset", "procledger.event");
	json_close(&json, '}');
	subject_boot_id(export->query, item->boot_no, boot);
	if (boot[0]) {
		json_open(&json, "host", '{');
		json_open(&json, "boot", '{');
		json_word(&json, "id", boot);
		json_close(&json, '}');
		json_close(&json, '}');
	}
	if (item->event->pid != 0)
		put_subject(export, &json, item);
	put_own(export, &json, item);
	json_close(&json, '}');
	json_line_end(&json);
	export->found++;
	return 0;
}

const struct export_format export_ecs = {
	.name = "ecs",
	.stream = STREAM_LIVES,
	.event = ecs_event,
};
