/* cmd_reindex.c - index.db, made anew from the ring by the code that the recorder runs. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "query/query.h"
#include "schema/project.h"

int cmd_reindex(const struct options *options)
{
	struct query query;
	const char *message = "";
	uint64_t events;
	int r = query_init(&query, options);

	if (r != 0)
		return r;
	r = query_recorder_runs(&query);
	if (r == -ENOENT)
		return query_failed(&query, r, "open");
	if (r == 1) /* it would go on filling the file that is replaced */
		return complain(EXIT_ERROR, "a recorder keeps the index of %s: stop it first",
				options->store);
	r = projector_rebuild(query.ring_path, query.index_path, &events, &message);
	if (r < 0)
		return complain(EXIT_ERROR, "cannot make the index: %s",
				message && message[0] ? message : strerror(-r));
	printf("%" PRIu64 " events indexed\n", events);
	return EXIT_FOUND;
}
