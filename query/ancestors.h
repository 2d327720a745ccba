/* ancestors.h - who was there before the ledger's fold begins: parents that ended before the keyframe, out of the index.
 *
 * Only names and numbers are taken from it, to complete a tree: an index that is missing, of another ring or damaged leaves the parents
 * unknown, which is said.
 */
#pragma once

#include "query/past.h"
#include "query/query.h"

/* Gives parents that are known by id, but not to the past, their place in it.  0, or -ENOMEM. */
int ancestors_add(struct past *past, struct query *query);

/* select_lives() with what the query's options select; where families are asked for, also through such ancestors.  0 or -ENOMEM. */
int ancestors_select(struct past *past, struct query *query, const struct window_boot *window);
