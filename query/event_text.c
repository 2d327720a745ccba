#include "query/event_text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Those of the view event, then what the others tell. */
const struct output_column event_columns[] = {
	{ .name = "event_no", .number = true },
	{ .name = "boot", .number = true },
	{ .name = "timestamp_ns", .number = true },
	{ .name = "cpu", .number = true },
	{ .name = "kind" },
	{ .name = "pid", .number = true },
	{ .name = "tid", .number = true },
	{ .name = "ppid", .number = true },
	{ .name = "ptid", .number = true },
	{ .name = "comm" },
	{ .name = "ruid", .number = true },
	{ .name = "euid", .number = true },
	{ .name = "rgid", .number = true },
	{ .name = "egid", .number = true },
	{ .name = "tracer_pid", .number = true },
	{ .name = "tracer_tid", .number = true },
	{ .name = "exit_code", .number = true },
	{ .name = "exit_signal", .number = true },
	{ .name = "wall_ns", .number = true },
	{ .name = "arg0", .number = true },
	{ .name = "arg1", .number = true },
	{ .name = "arg2", .number = true },
	{ .name = "exe" },
	{ .name = "argv" },
	{ .name = "note" },
};

const size_t event_column_count = sizeof(event_columns) / sizeof(event_columns[0]);

enum { TIME_DIGITS = 9 };

/* --- rows --- */

static void put_if(struct output *output, bool known, uint64_t value)
{
	if (known)
		output_unsigned(output, value);
	else
		output_null(output);
}

static bool has_subject(const struct event *event)
{
	return event->kind < EVENT_OWN_FIRST
		       ? event->kind != EVENT_NONE && event->kind != EVENT_UNKNOWN
		       : event->kind == EVENT_SNAPSHOT;
}

static bool has_parent(const struct event *event)
{
	return event->kind == EVENT_FORK || event->kind == EVENT_EXIT ||
	       event->kind == EVENT_COREDUMP || event->kind == EVENT_SNAPSHOT;
}

static bool has_detail(const struct event *event, struct detail *ret_detail)
{
	if (event->detail_bytes == 0 ||
	    detail_unpack(event->detail, event->detail_bytes, ret_detail) < 0)
		return false;
	detail_cut_comm(ret_detail);
	return true;
}

static const struct detail_field *known_field(const struct detail *detail, enum detail_tag tag)
{
	const struct detail_field *field = &detail->field[tag];

	return detail_known(field) ? field : NULL;
}

static void put_field(struct output *output, const struct detail_field *field)
{
	if (field)
		output_bytes(output, field->data, field->bytes);
	else
		output_null(output);
}

static void put_comm(struct output *output, const struct event *event, const struct detail *detail)
{
	if (event->kind == EVENT_COMM)
		output_bytes(output, event->comm, comm_bytes(event->comm));
	else if (event->kind == EVENT_SNAPSHOT && detail)
		put_field(output, known_field(detail, DETAIL_COMM));
	else
		output_null(output);
}

static void put_details(struct output *output, const struct detail *detail)
{
	const struct detail_field *argv = detail ? known_field(detail, DETAIL_ARGV) : NULL;

	put_field(output, detail ? known_field(detail, DETAIL_EXE) : NULL);
	if (argv)
		output_arguments(output, argv->data, argv->bytes);
	else
		output_null(output);
	put_field(output, detail ? known_field(detail, DETAIL_NOTE) : NULL);
}

void event_row(struct output *output, struct query *query, uint32_t boot_no,
	       const struct event *event)
{
	struct detail detail;
	bool detailed = has_detail(event, &detail), subject = has_subject(event),
	     parent = has_parent(event), uid = event->kind == EVENT_UID,
	     gid = event->kind == EVENT_GID, traced = event->kind == EVENT_PTRACE,
	     exited = event->kind == EVENT_EXIT, other = event->kind >= EVENT_OWN_FIRST || !subject;
	uint64_t wall_ns = 0;
	bool wall = clocks_wall(query->clocks, boot_no, event->timestamp_ns, &wall_ns) == 0;

	output_unsigned(output, event->event_no);
	output_unsigned(output, boot_no);
	output_unsigned(output, event->timestamp_ns);
	put_if(output,
	       event->cpu != EVENT_CPU_NONE && event->kind != EVENT_SNAPSHOT &&
		       event->kind != EVENT_CLOCK,
	       event->cpu);
	output_word(output, event_kind_word(event->kind));
	put_if(output, subject, event->pid);
	put_if(output, subject, event->tid);
	put_if(output, parent, event->ppid);
	put_if(output, parent, event->kind == EVENT_SNAPSHOT ? event->ppid : event->ptid);
	put_comm(output, event, detailed ? &detail : NULL);
	put_if(output, uid, event->arg[0]);
	put_if(output, uid, event->arg[1]);
	put_if(output, gid, event->arg[0]);
	put_if(output, gid, event->arg[1]);
	put_if(output, traced, event->arg[0]);
	put_if(output, traced, event->arg[1]);
	put_if(output, exited, event->arg[0]);
	if (exited)
		output_signed(output, (int32_t)(uint32_t)event->arg[1]);
	else
		output_null(output);
	put_if(output, wall, wall_ns);
	for (int i = 0; i < EVENT_ARG_COUNT; i++)
		put_if(output, other, event->arg[i]);
	put_details(output, detailed ? &detail : NULL);
	output_row_end(output);
}

/* --- lines --- */

static void say_command(struct line *line, const struct detail *detail)
{
	const struct detail_field *argv = known_field(detail, DETAIL_ARGV);
	const struct detail_field *exe = known_field(detail, DETAIL_EXE);
	const struct detail_field *comm = known_field(detail, DETAIL_COMM);

	if (argv && argv->bytes > 0) {
		line_print(line, "  ");
		line_arguments(line, argv);
	} else if (exe && exe->bytes > 0) {
		line_print(line, "  ");
		line_escaped(line, exe->data, exe->bytes);
	} else if (comm) {
		line_print(line, "  [");
		line_escaped(line, comm->data, comm->bytes);
		line_print(line, "]");
	}
}

static void say_note(struct line *line, const struct detail *detail)
{
	const struct detail_field *note = known_field(detail, DETAIL_NOTE);
	uint32_t at = 0;

	/* lines of "name=value": each is escaped alone, so that the line stays one */
	while (note && at < note->bytes) {
		const uint8_t *text = note->data + at;
		const uint8_t *end = memchr(text, '\n', note->bytes - at);
		size_t bytes = end ? (size_t)(end - text) : note->bytes - at;

		line_print(line, "  ");
		line_escaped(line, text, bytes);
		at += (uint32_t)bytes + 1;
	}
}

static void say_exit(struct line *line, const struct event *event)
{
	char word[LIFE_WORD_BYTES];

	wait_status_word((uint32_t)event->arg[0], word);
	line_printf(line, "  %s", word);
}

const char *disk_error_words(uint64_t error)
{
	return error == ETIMEDOUT ? "syncing took too long to be waited for" : strerror((int)error);
}

static void say_lost(struct line *line, struct query *query, uint32_t boot_no,
		     const struct event *event)
{
	char from[WHEN_TEXT_BYTES];

	line_printf(line, "%" PRIu64 " event%s of cpu %" PRIu32 " %s", event->arg[0],
		    event->arg[0] == 1 ? "" : "s", event->cpu,
		    event->arg[2] == EVENT_LOST_DOWN ? "missed while no recorder ran" : "lost");
	if (event->arg[1] != 0) {
		query_time(query, boot_no, event->arg[1], TIME_DIGITS, from);
		line_printf(line, " since %s", from);
	}
}

static void say_subject(struct line *line, const struct event *event)
{
	line_number(line, event->pid, 0);
	if (event->tid != event->pid) {
		line_print(line, "/");
		line_number(line, event->tid, 0);
	}
}

/* A word and spaces up to a width. */
static void line_word(struct line *line, const char *word, size_t width)
{
	line_print(line, word);
	for (size_t bytes = strlen(word); bytes < width; bytes++)
		line_print(line, " ");
}

/* What a kernel event says beyond its kind and its subject. */
static void say_kernel(struct line *line, const struct event *event)
{
	switch ((enum event_kind)event->kind) {
	case EVENT_FORK:
		line_print(line, "  of ");
		line_number(line, event->ppid, 0);
		if (event->ptid != event->ppid)
			line_printf(line, "/%" PRIu32, event->ptid);
		break;
	case EVENT_UID:
		line_printf(line, "  ruid %" PRIu64 " euid %" PRIu64, event->arg[0], event->arg[1]);
		break;
	case EVENT_GID:
		line_printf(line, "  rgid %" PRIu64 " egid %" PRIu64, event->arg[0], event->arg[1]);
		break;
	case EVENT_PTRACE:
		if (event->arg[0] == 0 && event->arg[1] == 0)
			line_print(line, "  detached");
		else
			line_printf(line, "  by %" PRIu64, event->arg[0]);
		break;
	case EVENT_COMM:
		line_print(line, "  ");
		line_escaped(line, event->comm, comm_bytes(event->comm));
		break;
	case EVENT_EXIT:
		say_exit(line, event);
		break;
	default:
		break;
	}
}

static void say_own(struct line *line, struct query *query, uint32_t boot_no,
		    const struct event *event)
{
	char from[WHEN_TEXT_BYTES];

	switch ((enum event_kind)event->kind) {
	case EVENT_NONE:
		line_printf(line, "error %" PRIu64 " ack %" PRIu64, event->arg[0], event->arg[1]);
		break;
	case EVENT_UNKNOWN:
		line_printf(line, "what %#" PRIx64, event->arg[0]);
		break;
	case EVENT_START:
		line_printf(line, "boot %" PRIu64 "%s%s%s%s", event->arg[0],
			    event->arg[1] & EVENT_START_IMPORT ? ", an imported stream" : "",
			    event->arg[1] & EVENT_START_SAME_BOOT ? ", again" : "",
			    event->arg[1] & EVENT_START_AFTER_CRASH ? ", after a crash" : "",
			    event->arg[1] & EVENT_START_CONTINUED ? ", continued" : "");
		break;
	case EVENT_STOP:
		line_printf(line,
			    "after %" PRIu64 " datagrams, %" PRIu64 " dropped, signal %" PRIu64,
			    event->arg[0], event->arg[1], event->arg[2]);
		break;
	case EVENT_SNAPSHOT_END:
		line_printf(line, "%" PRIu64 " tasks", event->arg[0]);
		break;
	case EVENT_CLOCK:
		line_printf(line, "boottime %" PRIu64 " realtime %" PRIu64, event->arg[0],
			    event->arg[1]);
		break;
	case EVENT_LOST:
		say_lost(line, query, boot_no, event);
		break;
	case EVENT_BLIND:
		line_printf(line, "%" PRIu64 " fork%s missed since ", event->arg[0],
			    event->arg[0] == 1 ? "" : "s");
		query_time(query, boot_no, event->arg[1], TIME_DIGITS, from);
		line_print(line, from);
		break;
	case EVENT_RESCAN:
		if (event->arg[0] == 0)
			line_print(line, "events may have been lost before a kill");
		else
			line_printf(line, "%" PRIu64 " event%s had been lost", event->arg[0],
				    event->arg[0] == 1 ? "" : "s");
		break;
	case EVENT_RECOVERY:
		line_printf(line, "%" PRIu64 " staged, %" PRIu64 " landed, %" PRIu64 " torn",
			    event->arg[0], event->arg[1], event->arg[2]);
		break;
	case EVENT_DISK_ERROR:
		line_printf(line, "block %" PRIu64 ": %s", event->arg[1],
			    disk_error_words(event->arg[0]));
		if (event->arg[2] > 1)
			line_printf(line, ", the last of %" PRIu64, event->arg[2]);
		break;
	default:
		break;
	}
}

void event_words(struct line *line, struct query *query, uint32_t boot_no,
		 const struct event *event)
{
	struct detail detail;

	line_word(line, event_kind_word(event->kind), 13);
	if (has_subject(event)) {
		say_subject(line, event);
		say_kernel(line, event);
	} else {
		say_own(line, query, boot_no, event);
	}
	if (has_detail(event, &detail)) {
		say_command(line, &detail);
		say_note(line, &detail);
	}
}

void event_line(struct line *line, struct query *query, uint32_t boot_no, const struct event *event)
{
	char time[WHEN_TEXT_BYTES];

	query_time(query, boot_no, event->timestamp_ns, TIME_DIGITS, time);
	line_clear(line);
	line_print(line, time);
	if (event->cpu != EVENT_CPU_NONE) {
		line_number(line, event->cpu, 3);
		line_print(line, " ");
	} else {
		line_print(line, "  - ");
	}
	event_words(line, query, boot_no, event);
}
