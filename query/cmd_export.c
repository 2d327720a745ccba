/* cmd_export.c - a window in the formats of other tools, on standard output. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "query/export.h"

static const struct export_format *const formats[] = {
	&export_jsonl, &export_csv,        &export_netlink,        &export_ecs,   &export_ocsf,
	&export_audit, &export_timesketch, &export_timesketch_csv, &export_trace, &export_dot,
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

const char help_export[] =
	"FORMAT is one of these, jsonl when none is given:\n"
	"  jsonl      a line of JSON for each event, with the columns of 'events'\n"
	"  csv        the same as CSV (RFC 4180)\n"
	"  netlink    the kernel's datagrams byte for byte, for procledgerd --input\n"
	"  ecs        Elastic Common Schema, a line of JSON for each event\n"
	"  ocsf       Open Cybersecurity Schema Framework: process_activity, event_log_activity\n"
	"  audit      audit.log, for ausearch and aureport; what is not known is unset "
	"(4294967295)\n"
	"  timesketch, timesketch-csv   a timeline for Timesketch\n"
	"  trace      Chrome's trace JSON, for Perfetto: lives and names as slices, forks as "
	"flows\n"
	"  dot        the tree of processes for Graphviz\n"
	"  ring       a store of its own, made in the new folder FOLDER: blocks byte for byte\n"
	"What a format cannot carry, and what is missing of the window, is told on stderr.\n";

static const struct export_format *format_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	}
	return NULL;
}

uint64_t export_time(struct export *export, uint32_t boot_no, uint64_t timestamp_ns)
{
	uint64_t wall_ns = timestamp_ns;

	if (clocks_wall(export->query->clocks, boot_no, timestamp_ns, &wall_ns) != 0)
		export->no_wall = true;
	return wall_ns;
}

/* Events of one second come together. */
void export_time_text(struct export *export, uint64_t ns, char out[EXPORT_TIME_BYTES])
{
	uint64_t second = ns / 1000000000, fraction = ns % 1000000000;
	time_t time = (time_t)second;
	size_t bytes;
	struct tm tm;

	if (!export->second_text[0] || second != export->second) {
		(void)gmtime_r(&time, &tm);
		(void)strftime(export->second_text, sizeof(export->second_text),
			       "%Y-%m-%dT%H:%M:%S.", &tm);
		export->second = second;
	}
	bytes = strlen(export->second_text);
	memcpy(out, export->second_text, bytes);
	for (size_t i = 9; i-- > 0; fraction /= 10)
		out[bytes + i] = (char)('0' + fraction % 10);
	memcpy(out + bytes + 9, "Z", 2);
}

static int each_event(void *context, const struct stream_item *item)
{
	struct export *export = context;
	int r = export->format->event(export, item);

	sink_row_end(&export->sink);
	if (r == 0 && export->output)
		r = output_error(export->output);
	return r < 0 ? r : export->sink.error;
}

static int each_boot(struct export *export)
{
	struct query *query = export->query;
	const struct select *select = &query->options->select;
	int r = 0;

	for (size_t i = 0; i < query->window.boot_count && r == 0; i++) {
		struct past *past;

		r = past_new(query->ledger, &query->window.boots[i],
			     export->format->past | select_past_flags(select), &past);
		if (r < 0)
			return r;
		(void)select_lives(select, query->clocks, past, &query->window.boots[i]);
		past_keep_selected(past);
		r = export->format->lives(export, &query->window.boots[i], past);
		past_free(past);
	}
	return r;
}

static int write_all(struct export *export)
{
	const struct export_format *format = export->format;
	int r = format->begin ? format->begin(export) : 0;

	if (r == 0 && format->event)
		r = stream_each(export->query, format->stream, each_event, export);
	if (r == 0 && format->lives)
		r = each_boot(export);
	if (r == 0 && format->end)
		r = format->end(export);
	sink_flush(&export->sink);
	return r < 0 ? r : export->sink.error;
}

static void say_left_out(const struct export *export)
{
	if (export->left_out > 0)
		(void)fprintf(stderr,
			      "-- %" PRIu64
			      " event%s of the recorder's own %s not in this format\n",
			      export->left_out, export->left_out == 1 ? "" : "s",
			      export->left_out == 1 ? "is" : "are");
	if (export->details_out > 0)
		(void)fprintf(stderr,
			      "-- program and arguments of %" PRIu64
			      " event%s are not in this format\n",
			      export->details_out, export->details_out == 1 ? "" : "s");
	if (export->kills_out > 0)
		(void)fprintf(stderr,
			      "-- %" PRIu64
			      " end%s by a signal %s not in this format: it has those of processes "
			      "by signals that dump core\n",
			      export->kills_out, export->kills_out == 1 ? "" : "s",
			      export->kills_out == 1 ? "is" : "are");
	if (export->elsewhere)
		(void)fprintf(stderr, "-- of which architecture the recorder's machine was is not "
				      "known: numbers of system calls are those of this one\n");
	if (export->no_wall)
		(void)fprintf(stderr,
			      "-- times are seconds since that machine's start, written as if it "
			      "had been in 1970: an imported stream has no others\n");
}

static int to_stdout(struct query *query, const struct export_format *format)
{
	struct export export = { .query = query, .format = format };
	int r;

	sink_init(&export.sink, stdout);
	r = write_all(&export);
	if (r == -EPIPE)
		r = EXIT_FOUND;
	else if (r == -EXDEV)
		r = complain(EXIT_USAGE, "a trace is of one boot: choose it with -b");
	else if (r < 0)
		r = query_failed(query, r, "export");
	else
		r = query_end(query, NULL, export.found, format->lives ? COMPLETENESS_FOLD : 0);
	say_left_out(&export);
	sink_clear(&export.sink);
	output_free(export.output);
	free(export.line.text);
	return r;
}

static int choose(const struct options *options, const struct export_format **ret_format)
{
	const char *name = options->output ? options->output : "jsonl";
	bool ring = strcmp(name, "ring") == 0;

	*ret_format = ring ? NULL : format_find(name);
	if (!ring && !*ret_format)
		return complain(EXIT_USAGE, "there is no format '%s'; see procledger export --help",
				name);
	if (ring && options->select.count > 0)
		return complain(EXIT_USAGE, "-o ring copies whole blocks: it cannot select");
	if (ring && options->argument_count == 0)
		return complain(EXIT_USAGE, "-o ring wants the folder that is to be made");
	if (!ring && options->argument_count > 0)
		return complain(EXIT_USAGE,
				"'%s': only -o ring is written into a folder; the others go to "
				"standard output",
				options->arguments[0]);
	if (!ring && isatty(STDOUT_FILENO) && strcmp(name, "netlink") == 0)
		return complain(EXIT_USAGE, "netlink is no text: send it to a file or a pipe");
	return 0;
}

int cmd_export(const struct options *options)
{
	struct options own = *options; /* how the answer ends: on stderr, whatever the format */
	const struct export_format *format;
	struct query query;
	int r = choose(options, &format);

	if (r != 0)
		return r;
	own.format = OUTPUT_TEXT;
	r = query_open_window(&query, &own);
	if (r == 0 && format)
		r = to_stdout(&query, format);
	else if (r == 0)
		r = export_ring(&query, options->arguments[0]);
	query_clear(&query);
	return r;
}
