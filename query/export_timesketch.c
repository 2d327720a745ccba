/* export_timesketch.c - events for a Timesketch timeline: what happened as a sentence, when, and the names to filter by. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query/event_text.h"
#include "query/export.h"
#include "query/subject.h"

static const struct output_column columns[] = {
	{ .name = "message" },
	{ .name = "datetime" },
	{ .name = "timestamp", .number = true }, /* microseconds since 1970 */
	{ .name = "timestamp_desc" },
	{ .name = "data_type" },
	{ .name = "event_no", .number = true },
	{ .name = "kind" },
	{ .name = "pid", .number = true },
	{ .name = "tid", .number = true },
	{ .name = "ppid", .number = true },
	{ .name = "life_id", .number = true },
	{ .name = "comm" },
	{ .name = "exe" },
	{ .name = "command_line" },
	{ .name = "uid", .number = true },
	{ .name = "loginuid", .number = true },
};

static const char *const meanings[EVENT_KIND_LIMIT] = {
	[EVENT_FORK] = "Process Start Time",   [EVENT_EXEC] = "Program Start Time",
	[EVENT_EXIT] = "Process End Time",     [EVENT_UID] = "User Change Time",
	[EVENT_GID] = "Group Change Time",     [EVENT_SID] = "Session Start Time",
	[EVENT_PTRACE] = "Trace Change Time",  [EVENT_COMM] = "Name Change Time",
	[EVENT_COREDUMP] = "Core Dump Time",   [EVENT_SNAPSHOT] = "Process Seen Time",
	[EVENT_START] = "Recorder Start Time", [EVENT_STOP] = "Recorder End Time",
	[EVENT_LOST] = "Events Lost Until",    [EVENT_BLIND] = "Events Lost Until",
};

static int begin(struct export *export)
{
	bool csv = strcmp(export->format->name, "timesketch-csv") == 0;

	export->output = output_new(stdout, csv ? OUTPUT_CSV : OUTPUT_JSONL, "events", columns,
				    sizeof(columns) / sizeof(columns[0]), "");
	return export->output && line_init(&export->line) == 0 ? 0 : -ENOMEM;
}

static void put_known(struct output *output, bool known, uint64_t value)
{
	if (known)
		output_unsigned(output, value);
	else
		output_null(output);
}

static void put_field(struct output *output, const struct detail_field *field)
{
	if (field)
		output_bytes(output, field->data, field->bytes);
	else
		output_null(output);
}

static void put_subject(struct export *export, const struct stream_item *item)
{
	struct output *output = export->output;
	const struct life *life = item->life;
	const struct event *event = item->event;
	const struct detail_field *argv;
	struct subject subject;
	uint32_t ppid = event->ppid ? event->ppid : life ? life->ppid : 0, loginuid;

	subject_init(&subject, life);
	argv = subject_field(&subject, DETAIL_ARGV);
	loginuid = subject_login(&subject, DETAIL_LOGINUID);
	put_known(output, event->pid != 0, event->pid);
	put_known(output, event->pid != 0, event->tid);
	put_known(output, ppid != 0, ppid);
	if (life)
		output_signed(output, life->id);
	else
		output_null(output);
	if (life && life->comm_known)
		output_bytes(output, life->comm, comm_bytes(life->comm));
	else
		output_null(output);
	put_field(output, subject_field(&subject, DETAIL_EXE));
	if (argv) {
		line_clear(&export->line);
		line_arguments(&export->line, argv);
		output_bytes(output, export->line.text, export->line.bytes);
	} else {
		output_null(output);
	}
	put_known(output, subject.uid_known, subject.ruid);
	put_known(output, loginuid != SUBJECT_UNSET, loginuid);
}

static int each(struct export *export, const struct stream_item *item)
{
	struct output *output = export->output;
	const struct event *event = item->event;
	uint64_t ns = export_time(export, item->boot_no, event->timestamp_ns);
	char time[EXPORT_TIME_BYTES];

	export_time_text(export, ns, time);
	line_clear(&export->line);
	event_words(&export->line, export->query, item->boot_no, event);
	output_bytes(output, export->line.text, export->line.bytes);
	output_word(output, time);
	output_unsigned(output, ns / 1000);
	output_word(output, meanings[event->kind] ? meanings[event->kind] : "Event Time");
	output_word(output, "procledger:event");
	output_unsigned(output, event->event_no);
	output_word(output, event_kind_word(event->kind));
	put_subject(export, item);
	output_row_end(output);
	export->found++;
	return 0;
}

static int end(struct export *export)
{
	output_end(export->output);
	return output_error(export->output);
}

const struct export_format export_timesketch = {
	.name = "timesketch",
	.stream = STREAM_LIVES,
	.begin = begin,
	.event = each,
	.end = end,
};

const struct export_format export_timesketch_csv = {
	.name = "timesketch-csv",
	.stream = STREAM_LIVES,
	.begin = begin,
	.event = each,
	.end = end,
};
