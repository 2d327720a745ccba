/* past_forest.c - the order of lives, and the tree. */
#include "query/past_forest.h"

#include <errno.h>
#include <stdlib.h>

int past_forest_init(struct past_forest *forest, size_t capacity)
{
	*forest = (struct past_forest){ .capacity = capacity + 1 };
	forest->lives = malloc(forest->capacity * sizeof(struct past_life *));
	return forest->lives ? 0 : -ENOMEM;
}

void past_forest_clear(struct past_forest *forest)
{
	free(forest->lives);
	*forest = (struct past_forest){ 0 };
}

int past_forest_add(struct past_forest *forest, struct past_life *life)
{
	if (forest->count == forest->capacity) {
		size_t capacity = 2 * forest->capacity;
		struct past_life **lives =
			reallocarray(forest->lives, capacity, sizeof(struct past_life *));

		if (!lives)
			return -ENOMEM;
		forest->lives = lives;
		forest->capacity = capacity;
	}
	forest->lives[forest->count++] = life;
	return 0;
}

void past_forest_keep_selected(struct past_forest *forest)
{
	size_t kept = 0;

	for (size_t i = 0; i < forest->count; i++) {
		struct past_life *life = forest->lives[i];

		life->holders = 0; /* from here on: is it kept? */
	}
	for (size_t i = 0; i < forest->count; i++) {
		struct past_life *life = forest->lives[i];

		for (; life->selected || life != forest->lives[i]; life = life->parent) {
			if (life->holders)
				break;
			life->holders = 1;
			if (!life->parent)
				break;
		}
	}
	for (size_t i = 0; i < forest->count; i++) {
		if (forest->lives[i]->holders)
			forest->lives[kept++] = forest->lives[i];
	}
	forest->count = kept;
}

static int by_start(const void *a, const void *b)
{
	const struct past_life *x = *(struct past_life *const *)a,
			       *y = *(struct past_life *const *)b;

	if (x->boot_no != y->boot_no)
		return x->boot_no < y->boot_no ? -1 : 1;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Only a forged ledger has a chain that comes back to itself. */
static void cut_cycles(struct past_forest *forest)
{
	for (size_t i = 0; i < forest->count; i++)
		forest->lives[i]->depth = 0;
	for (size_t i = 0; i < forest->count; i++) {
		struct past_life *life = forest->lives[i];

		/* depth marks whom this walk has met: i + 1 */
		while (life && life->depth == 0) {
			life->depth = i + 1;
			if (life->parent && life->parent->depth == i + 1)
				life->parent = NULL;
			life = life->parent;
		}
	}
}

void past_forest_link(struct past_forest *forest)
{
	forest->first_root = NULL;
	for (size_t i = 0; i < forest->count; i++)
		forest->lives[i]->first_child = forest->lives[i]->next_sibling = NULL;
	/* From the youngest to the oldest, each put in front: the lists come out in the order of start. */
	for (size_t i = forest->count; i-- > 0;) {
		struct past_life *life = forest->lives[i], *parent = life->parent;

		if (parent) {
			life->next_sibling = parent->first_child;
			parent->first_child = life;
		} else {
			life->next_sibling = forest->first_root;
			forest->first_root = life;
		}
	}
	for (struct past_life *life = past_forest_walk(forest, NULL); life;
	     life = past_forest_walk(forest, life))
		life->depth = life->parent ? life->parent->depth + 1 : 0;
}

void past_forest_plant(struct past_forest *forest)
{
	qsort(forest->lives, forest->count, sizeof(struct past_life *), by_start);
	cut_cycles(forest);
	past_forest_link(forest);
}

struct past_life *past_forest_walk(const struct past_forest *forest, struct past_life *life)
{
	if (!life)
		return forest->first_root;
	if (life->first_child)
		return life->first_child;
	while (life && !life->next_sibling)
		life = life->parent;
	return life ? life->next_sibling : NULL;
}
