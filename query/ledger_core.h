/* ledger_core.h - the inside of a ledger, for ledger.c (events) and ledger_spans.c (headers). */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "query/ledger.h"

/* Makes room for one more element.  0 or -ENOMEM. */
static inline int room_for_one(void **array, size_t count, size_t element_bytes)
{
	void *grown;

	/* full at 0 and at every power of two from 16 on */
	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return 0;
	grown = reallocarray(*array, count == 0 ? 16 : count * 2, element_bytes);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	return 0;
}

#define GROW(array, count)                                                 \
	({                                                                 \
		void *array_ = (array);                                    \
		int r_ = room_for_one(&array_, (count), sizeof(*(array))); \
		if (r_ == 0)                                               \
			(array) = array_;                                  \
		r_;                                                        \
	})

/* The span that holds an event number, or the one before the hole that it is in; the first when it is older than all. */
const struct ledger_span *ledger_span_of_event(const struct ledger *ledger, uint64_t event_no);

/* Fills in the boots of a ledger whose spans are there.  0 or -ENOMEM. */
int ledger_find_boots(struct ledger *ledger);
