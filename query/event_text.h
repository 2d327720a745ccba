/* event_text.h - an event as a row for machines: the view event, then what the other kinds tell; and as a line for people. */
#pragma once

#include <stdint.h>

#include "query/life_text.h"
#include "query/output.h"
#include "query/query.h"
#include "schema/event.h"

extern const struct output_column event_columns[];
extern const size_t event_column_count;
void event_row(struct output *output, struct query *query, uint32_t boot_no,
	       const struct event *event);

/* Adds what an event says: its kind, whom it is of, and the rest. */
void event_words(struct line *line, struct query *query, uint32_t boot_no,
		 const struct event *event);

/* What a DISK_ERROR's errno means; valid until the next call. */
const char *disk_error_words(uint64_t error);

/* Makes the line anew, with time and CPU before those words; the caller writes it. */
void event_line(struct line *line, struct query *query, uint32_t boot_no,
		const struct event *event);
