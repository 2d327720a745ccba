/* export.h - a window in the formats of other tools: what cmd_export.c and the export_*.c, one a family of formats, have in common.
 *
 * A format is told of each event, with the lives it is of, or of each boot's lives at once, or copies what lies in the ring.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "query/life_text.h"
#include "query/output.h"
#include "query/past.h"
#include "query/query.h"
#include "query/sink.h"
#include "query/stream.h"

struct export
{
	struct query *query;
	const struct export_format *format;
	struct sink sink;
	struct output *output; /* formats that are rows */
	struct line line;      /* working memory of those that need it */
	uint64_t found;        /* events, or lives, that were written */
	uint64_t left_out;     /* events that the format has no words for */
	uint64_t details_out;  /* events whose details the format does not carry */
	uint64_t second;       /* of the time that was made text last */
	char second_text[24];  /* and that text, up to the second */
	uint64_t kills_out;    /* audit: ends by a signal of which it has no record */
	bool elsewhere;        /* audit: recorded on a machine that may be of another kind */
	bool no_wall;          /* times are the kernel's own: the stream was imported */
};

struct export_format {
	const char *name;
	unsigned stream; /* STREAM_* that event() needs */
	unsigned past;   /* PAST_* that lives() needs */
	/* Any may be NULL.  0 or -errno; begin() before the first event, end() after the last. */
	int (*begin)(struct export *export);
	int (*event)(struct export *export, const struct stream_item *item);
	int (*lives)(struct export *export, const struct window_boot *boot,
		     const struct past *past);
	int (*end)(struct export *export);
};

extern const struct export_format export_jsonl, export_csv, export_netlink, export_ecs, export_ocsf,
	export_audit, export_timesketch, export_timesketch_csv, export_trace, export_dot;

/* --- of use to several --- */

/* When it was, in nanoseconds since 1970; of an imported stream, which has no such time, the kernel's time stamp (and no_wall is set). */
uint64_t export_time(struct export *export, uint32_t boot_no, uint64_t timestamp_ns);

/* "2026-11-22T08:18:41.123456789Z" */
enum { EXPORT_TIME_BYTES = 32 };
void export_time_text(struct export *export, uint64_t ns, char out[EXPORT_TIME_BYTES]);

/* The window as a ring of its own, in a new folder.  An exit code. */
int export_ring(struct query *query, const char *folder);
