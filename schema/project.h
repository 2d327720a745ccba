/* project.h - fills index.db from the ring: a reader of the ring like any other, live or rebuilding, by the same code.
 *
 * One transaction a batch holds its rows and its high-water mark together, so every event is projected exactly once, whatever is killed when.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct projector;
struct sqlite3;

/* Opens the index beside a ring, made or (when it is of another ring or version, or damaged) made anew, and finds its place.
 * 0, or -errno with *ret_message (static or the projector's last words, valid until the next call) saying what was being done. */
int projector_open(const char *ring_path, const char *index_path, struct projector **ret_projector,
		   const char **ret_message);

/* An index of the ring that lies in memory alone, complete up to now: for a ring that is not to be trusted or whose folder is not to be
 * written.  0: *ret_db is the caller's to close; -errno and a message as above. */
int projector_in_memory(const char *ring_path, struct sqlite3 **ret_db, const char **ret_message);

/* Projects what there is, at most max_events in one transaction.  0: *ret_events were (0: nothing newer yet); -errno: the transaction was
 * rolled back and can be tried again; see projector_message(). */
int projector_step(struct projector *projector, size_t max_events, size_t *ret_events);

/* What the last failure was, in words; "" when there was none. */
const char *projector_message(const struct projector *projector);

/* The number of the next event to be projected. */
uint64_t projector_next_event_no(const struct projector *projector);

/* Moves the WAL into the database file. 0 or -errno. */
int projector_checkpoint(struct projector *projector);

void projector_close(struct projector *projector); /* NULL does nothing */

/* Builds the index anew from the ring into index_path, replacing what is there at the end (rename).  0, or -errno and a message as above.
 * *ret_events is how many events went in. */
int projector_rebuild(const char *ring_path, const char *index_path, uint64_t *ret_events,
		      const char **ret_message);

/* One process writes the index of a store: this takes that right, until *ret_fd is closed.
 * 0; PROJECTOR_LOCKED: another one has it; -errno. */
enum { PROJECTOR_LOCKED = 1 };
int projector_lock(const char *store, int *ret_fd);
