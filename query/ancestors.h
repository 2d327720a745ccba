/* ancestors.h - who was there before the ledger's fold begins: parents that ended before the keyframe, out of the index.
 *
 * Only names and numbers are taken from it, to complete a tree: an index that is missing, of another ring or damaged leaves the parents
 * unknown, which is said.  Where families are asked for they decide the answer: then the ring is folded from its begin.
 */
#pragma once

#include "query/past.h"
#include "query/query.h"

/* past_new() with such ancestors, where the query's options select families or (shown) the answer shows them.  0 or -errno. */
int ancestors_past(struct query *query, const struct window_boot *window, unsigned flags,
		   bool shown, struct past **ret_past);

/* select_lives() with what the query's options select.  Families that may be larger than is known are noted in the query, for its end. */
size_t ancestors_select(struct query *query, const struct window_boot *window, struct past *past);
