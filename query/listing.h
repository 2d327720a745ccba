/* listing.h - events on their way to the reader, in any of the ways that they may be written. */
#pragma once

#include <stdint.h>

#include "query/event_text.h"
#include "query/query.h"

/* Those of text begin with the time as journalctl's ways of the same name do. */
enum listing_style {
	LISTING_TEXT,
	LISTING_SHORT,
	LISTING_SHORT_FULL,
	LISTING_SHORT_ISO,
	LISTING_SHORT_PRECISE,
	LISTING_SHORT_ISO_PRECISE,
	LISTING_SHORT_MONOTONIC,
	LISTING_SHORT_UNIX,
	LISTING_VERBOSE,
	LISTING_CAT,
	LISTING_JSON_PRETTY,
	LISTING_TABLE, /* the formats of output.h but text */
};

#define LISTING_WORDS                                                                       \
	"short, short-full, short-iso, short-precise, short-iso-precise, short-monotonic, " \
	"short-unix, verbose, cat, json-pretty"

struct listing {
	struct query *query;
	enum listing_style style;
	struct output *output; /* NULL: lines of text */
	struct line line;
	size_t width, found;
	bool color;
	uint64_t last_no; /* of the event shown last; 0: none */
};

/* 0, or an exit code after a sentence.  The caller clears it in any case. */
int listing_init(struct listing *listing, struct query *query);
void listing_clear(struct listing *listing);

void listing_show(struct listing *listing, uint32_t boot_no, const struct event *event);

/* Everything shown so far is with the reader.  0, or -errno: nobody reads any more. */
int listing_flush(struct listing *listing);
