/* ps_columns.h - the columns of ps by ps's keywords, filled with what a ledger knows of a process. */
#pragma once

#include <stddef.h>

#include "query/life_text.h"
#include "query/output.h"
#include "query/past.h"
#include "query/query.h"

enum { PS_COLUMNS_MAX = 64, PS_HEADER_BYTES = 40 };

struct ps_columns {
	size_t count, keyword[PS_COLUMNS_MAX];
	char header[PS_COLUMNS_MAX][PS_HEADER_BYTES];
	struct output_column column[PS_COLUMNS_MAX];
};

/* "pid,user=WHO,args".  0, or EXIT_USAGE after a sentence.  What no ledger can know (tty, time, %cpu ...) is a column of "?", and said. */
int ps_columns_parse(struct ps_columns *columns, const char *text);

/* One row; at_ns is the moment that ages are told of. */
void ps_row(const struct ps_columns *columns, struct output *output, struct query *query,
	    const struct past_life *life, uint64_t at_ns, struct line *line);
