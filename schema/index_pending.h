/* index_pending.h - rows of the index that come in great numbers: they wait in memory, and are written many at a time (bulk.h).
 *
 * Of exits, programs and names each has its row; of control groups only one that differs from the last image's.  Where memory runs out,
 * index_commit() says so.
 */
#pragma once

#include <stdint.h>

#include "schema/detail.h"
#include "schema/event.h"
#include "schema/index_db.h"
#include "schema/lives.h"

/* Makes index->pending, and its tables known to the connection.  0 or -errno; index_pending_close() frees it either way. */
int index_pending_open(struct index_db *index);
void index_pending_close(struct index_db *index); /* without one does nothing */

/* Writes what waits, at the end of a batch and before its commit; forgets it, after a rollback. */
void index_pending_flush(struct index_db *index);
void index_pending_clear(struct index_db *index);

/* The row of an EXIT that is in the row of its life. */
void index_pending_put_exit(struct index_db *index, uint64_t event_no, int64_t life_id);

/* Takes that row out again, whether it waits or is written. */
void index_pending_take_exit(struct index_db *index, uint64_t event_no);

/* The row of an EXEC, of a COMM.  life: of whom, or NULL. */
void index_pending_put_exec(struct index_db *index, const struct event *event,
			    const struct life *life);
void index_pending_put_comm(struct index_db *index, const struct event *event,
			    const struct life *life);

/* What the path of the control group of this event's image tells: nothing where it was not read whole. */
void index_pending_put_cgroup(struct index_db *index, const struct detail_field *path,
			      uint64_t event_no);
