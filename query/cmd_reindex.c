/* cmd_reindex.c - index.db, made anew from the ring by the code that the recorder runs. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "query/query.h"
#include "schema/cleanup.h"
#include "schema/project.h"

int cmd_reindex(const struct options *options)
{
	struct query query;
	const char *message = "";
	uint64_t events;
	auto_close int lock = -1;
	int r = query_init(&query, options);

	if (r != 0)
		return r;
	if (access(query.ring_path, F_OK) < 0)
		return query_failed(&query, -errno, "open");
	r = projector_lock(options->store, &lock);
	if (r < 0)
		return query_failed(&query, r, "lock");
	if (r == PROJECTOR_LOCKED) /* it would go on filling the file that is replaced */
		return complain(EXIT_ERROR,
				"the index of %s is being written, by a recorder or another "
				"reindex: stop that first",
				options->store);
	r = projector_rebuild(query.ring_path, query.index_path, &events, &message);
	if (r < 0)
		return complain(EXIT_ERROR, "cannot make the index: %s",
				message && message[0] ? message : strerror(-r));
	printf("%" PRIu64 " events indexed\n", events);
	return EXIT_FOUND;
}
