/* past_forest.h - the lives of a past in the order of their starts, each under its parent.  Memory only; the lives are the past's. */
#pragma once

#include <stddef.h>

#include "query/past.h"

struct past_forest {
	struct past_life **lives; /* in the order of start, after past_forest_plant() */
	size_t count, capacity;
	struct past_life *first_root; /* the others are its siblings */
};

/* An empty forest with room for so many lives, and for more later.  0 or -ENOMEM; past_forest_clear() frees it either way. */
int past_forest_init(struct past_forest *forest, size_t capacity);
void past_forest_clear(struct past_forest *forest); /* of a zeroed one does nothing */

/* One life more, which is in the tree after the next past_forest_plant().  0, or -ENOMEM: it was not added. */
int past_forest_add(struct past_forest *forest, struct past_life *life);

/* Lets go of all lives but the selected ones and their ancestors; past_forest_link() then makes the tree.  Uses up life->holders. */
void past_forest_keep_selected(struct past_forest *forest);

/* Sorts the lives, cuts a chain of parents that comes back to itself, and makes the tree. */
void past_forest_plant(struct past_forest *forest);

/* Makes the tree of lives that are in order and whose chains of parents end: children, siblings and depth, by life->parent. */
void past_forest_link(struct past_forest *forest);

/* As past_walk(). */
struct past_life *past_forest_walk(const struct past_forest *forest, struct past_life *life);
