/* cmd_boots.c - --list-boots: the boots that the ledger holds, each with its first and last event. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "query/query.h"

static const struct output_column columns[] = {
	{ .name = "idx", .number = true },
	{ .name = "boot", .number = true },
	{ .name = "boot_id" },
	{ .name = "first_ns", .number = true },
	{ .name = "last_ns", .number = true },
	{ .name = "first_wall_ns", .number = true },
	{ .name = "last_wall_ns", .number = true },
};
static const struct output_column text_columns[] = {
	{ .name = "IDX", .number = true },
	{ .name = "BOOT", .number = true },
	{ .name = "BOOT ID" },
	{ .name = "FIRST EVENT" },
	{ .name = "LAST EVENT" },
};

enum {
	COLUMNS = sizeof(columns) / sizeof(columns[0]),
	TEXT_COLUMNS = sizeof(text_columns) / sizeof(text_columns[0]),
};

static void put_wall(struct output *output, struct query *query, uint32_t boot_no, uint64_t ns)
{
	uint64_t wall_ns;

	if (clocks_wall(query->clocks, boot_no, ns, &wall_ns) == 0)
		output_unsigned(output, wall_ns);
	else
		output_null(output);
}

static void put_time(struct output *output, struct query *query, uint32_t boot_no, uint64_t ns)
{
	char time[WHEN_TEXT_BYTES];

	query_time(query, boot_no, ns, 0, time);
	output_word(output, time);
}

static void boot_row(struct output *output, struct query *query, size_t index)
{
	const struct ledger *ledger = query->ledger;
	const struct ledger_boot *boot = &ledger->boots[index];

	output_signed(output, (int64_t)index - (int64_t)(ledger->boot_count - 1));
	output_unsigned(output, boot->boot_no);
	if (boot->imported)
		output_word(output, query->options->format == OUTPUT_TEXT ? "(imported)" : NULL);
	else
		output_hex(output, boot->boot_id, sizeof(boot->boot_id));
	if (query->options->format == OUTPUT_TEXT) {
		put_time(output, query, boot->boot_no, boot->ts_min_ns);
		put_time(output, query, boot->boot_no, boot->ts_max_ns);
	} else {
		output_unsigned(output, boot->ts_min_ns);
		output_unsigned(output, boot->ts_max_ns);
		put_wall(output, query, boot->boot_no, boot->ts_min_ns);
		put_wall(output, query, boot->boot_no, boot->ts_max_ns);
	}
	output_row_end(output);
}

int cmd_boots(const struct options *options)
{
	bool text = options->format == OUTPUT_TEXT;
	struct query query = { .ring_fd = -1 };
	struct output *output = NULL;
	int r = query_open(&query, options);

	if (r == 0)
		r = query_window_all(&query);
	if (r == 0) {
		output = output_new(stdout, options->format, "boots", text ? text_columns : columns,
				    text ? TEXT_COLUMNS : COLUMNS, "?");
		if (!output)
			r = query_failed(&query, -ENOMEM, "read");
	}
	for (size_t i = 0; r == 0 && i < query.ledger->boot_count; i++)
		boot_row(output, &query, i);
	if (r == 0)
		r = query_end(&query, output, output_row_count(output), 0);
	output_free(output);
	query_clear(&query);
	return r;
}
