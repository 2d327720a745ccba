/* export_ring.c - a window as a store of its own: the blocks that hold it and explain it, byte for byte. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "query/export.h"
#include "schema/cleanup.h"
#include "schema/ring_slice.h"

enum { TRIES = 5 };

/* The blocks of the window, from the keyframe on that tells who lived at its beginning; *ret_next is behind the last.
 * 0, -ENODATA: nothing was recorded in it, -errno. */
static int find_blocks(struct query *query, uint64_t *ret_first, uint64_t *ret_next, bool *ret_tail)
{
	const struct ledger *ledger = query->ledger;
	size_t first = ledger->span_count, last = 0;
	uint64_t keyframe;

	for (size_t i = 0; i < query->window.boot_count; i++) {
		const struct window_boot *boot = &query->window.boots[i];

		if (!boot->recorded)
			continue;
		if (first == ledger->span_count) {
			int r = ledger_fold_start(query->ledger, boot->first, &first, &keyframe);

			if (r < 0)
				return r;
			if (r == LEDGER_NO_KEYFRAME)
				first = boot->first;
		}
		last = boot->last;
	}
	if (first == ledger->span_count)
		return -ENODATA;
	*ret_tail = ledger_span(ledger, last)->tail;
	*ret_first = ledger_span(ledger, first)->block_no;
	*ret_next = *ret_tail ? ledger->next_block : ledger_span(ledger, last)->block_no + 1;
	/* a ring has two slots at least, and what was not written looks like damage but in the first lap */
	if (*ret_next - *ret_first == 1 && *ret_first > ledger->first_block)
		--*ret_first;
	return 0;
}

static int make_ring(struct query *query, int fd, uint64_t *ret_first, uint64_t *ret_next)
{
	bool tail = false;
	int r = find_blocks(query, ret_first, ret_next, &tail);

	for (int i = 0; r == 0 && i < TRIES; i++) {
		uint64_t first, next;

		r = ring_slice(query->ledger->ring, *ret_first, *ret_next, tail, fd);
		if (r != RING_OVERRUN)
			break;
		/* the writer went on: what was staged is in a block now, what was oldest is gone */
		r = ring_refresh(query->ledger->ring, &first, &next);
		if (*ret_first < first)
			*ret_first = first;
		if (tail)
			*ret_next = next;
		if (i + 1 == TRIES)
			r = -EAGAIN;
	}
	return r;
}

static int make_store(struct query *query, const char *folder)
{
	auto_close int dir = -1, fd = -1;
	uint64_t first = 0, next = 0;
	int r;

	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		return complain(EXIT_ERROR, "cannot make %s: %s", folder, strerror(errno));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		fd = openat(dir, "ledger.ring", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0 && errno == EEXIST)
		return complain(EXIT_ERROR, "there is a ledger in %s already", folder);
	if (fd < 0)
		return complain(EXIT_ERROR, "cannot make a ledger in %s: %s", folder,
				strerror(errno));
	r = make_ring(query, fd, &first, &next);
	if (r < 0) {
		(void)unlinkat(dir, "ledger.ring", 0);
		if (r == -ENODATA)
			return complain(EXIT_NOTHING, "nothing was recorded in that window");
		return query_failed(query, r, "export");
	}
	(void)fprintf(stderr,
		      "-- %s: %" PRIu64 " block%s; 'procledger --store %s reindex' adds an index\n",
		      folder, next - first, next - first == 1 ? "" : "s", folder);
	return 0;
}

int export_ring(struct query *query, const char *folder)
{
	int r = make_store(query, folder);

	return r != 0 ? r : query_end(query, NULL, 1, COMPLETENESS_FOLD);
}
