/* export_events.c - events as they are: rows of JSON or CSV, and the kernel's own datagrams. */
#include <errno.h>
#include <string.h>

#include "query/event_text.h"
#include "query/export.h"
#include "schema/wire.h"

/* --- rows: the columns of `events` --- */

static int rows_begin(struct export *export)
{
	enum output_format format =
		strcmp(export->format->name, "csv") == 0 ? OUTPUT_CSV : OUTPUT_JSONL;

	export->output =
		output_new(stdout, format, "events", event_columns, event_column_count, "");
	return export->output ? 0 : -ENOMEM;
}

static int rows_event(struct export *export, const struct stream_item *item)
{
	event_row(export->output, export->query, item->boot_no, item->event);
	export->found++;
	return 0;
}

static int rows_end(struct export *export)
{
	output_end(export->output);
	return output_error(export->output);
}

const struct export_format export_jsonl = {
	.name = "jsonl",
	.begin = rows_begin,
	.event = rows_event,
	.end = rows_end,
};

const struct export_format export_csv = {
	.name = "csv",
	.begin = rows_begin,
	.event = rows_event,
	.end = rows_end,
};

/* --- datagrams --- */

static int netlink_event(struct export *export, const struct stream_item *item)
{
	char *out = sink_room(&export->sink, EVENT_RAW_MAX_BYTES);
	size_t bytes;

	if (!out)
		return -ENOMEM;
	if (wire_encode(item->event, (uint8_t *)out, EVENT_RAW_MAX_BYTES, &bytes) != 0) {
		export->left_out++;
		return 0;
	}
	export->details_out += item->event->detail_bytes > 0;
	export->sink.used += bytes;
	export->found++;
	return 0;
}

const struct export_format export_netlink = {
	.name = "netlink",
	.event = netlink_event,
};
