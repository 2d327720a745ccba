/* session.h - one run of the recorder on a store: opens the ring, stages the recorder's own events, ends in order.
 *
 * What recording from the kernel and from a file have in common.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/gaps.h"
#include "recorder/intake.h"
#include "recorder/options.h"
#include "recorder/procfs.h"
#include "recorder/ring_writer.h"
#include "recorder/say.h"
#include "recorder/sealer.h"
#include "recorder/syncer.h"
#include "schema/ring_format.h"

enum { SESSION_PATH_BYTES = 4096 };

struct session {
	const struct options *options;
	say_fn *say;
	struct ring_writer *writer;
	struct ring_opened opened;
	struct gaps *gaps;
	struct procfs *procfs;         /* NULL for an import */
	struct exec_lanes *exec_lanes; /* the caller's; NULL: there are none */
	struct intake *intake;
	struct sealer *sealer;
	struct syncer *syncer; /* NULL for an import */
	uint8_t boot_id[RING_UUID_BYTES];
	uint32_t boot_no;
	size_t stage_bytes;
	uint64_t ring_bytes;
	int signal_fd; /* gives SIGTERM, SIGINT and SIGHUP, which are blocked */
	int signal;    /* the one that has come; 0: none */
};

/* How /proc is to be read. */
struct procfs_setup session_procfs_setup(const struct options *options,
					 const struct redactor *redactor);

/* Makes the folder of the store where it is missing.  0 or the code of *ret_verdict. */
int session_store_make(const struct options *options, struct verdict *ret_verdict);

/* The path of a file in the store.  0, or -ENAMETOOLONG. */
int session_path(const struct options *options, const char *name, char *out, size_t out_bytes);

/* Makes the folder where it is missing, opens the ring, takes over what the last run knew and starts the sealer.  procfs: how /proc is read,
 * NULL: not at all (an import).  exec_lanes: they read for an EXEC, or NULL; they outlive the session.
 * 0, or the code of *ret_verdict; session_close() is called in both cases. */
int session_open(struct session *session, const struct options *options,
		 const struct procfs_setup *procfs, struct exec_lanes *exec_lanes, say_fn *say,
		 struct verdict *ret_verdict);

/* Stages one event of the recorder's own, waiting for room.  0, or as session_wait_room(). */
enum { SESSION_STOP_MS = 500 };
int session_stage(struct session *session, struct event *event);

/* Rests for ms or until a signal comes; session->signal tells.  Gives whether there was one, now or before. */
bool session_rest(struct session *session, unsigned ms);

/* Rests a little because staging is full; waits: how often already for this event.
 * 0: try again; -EINTR: a signal has come and still there is no room after SESSION_STOP_MS; -errno (import): the disk fails. */
int session_wait_room(struct session *session, unsigned waits);

/* Stages START: boot_no, flags (more of EVENT_START_* than the session knows by itself), and a note of what and where this is. */
int session_stage_start(struct session *session, uint64_t timestamp_ns, unsigned flags);

/* Stages a DISK_ERROR for each error of the disk that the sealing side has met since the last call.  As session_stage(). */
int session_stage_errors(struct session *session);

/* Stages STOP, behind what session_stage_errors() has. */
int session_stage_stop(struct session *session, uint64_t timestamp_ns, uint64_t received,
		       uint64_t drops);

/* Ends in order: seals, marks clean.  0 or -errno; the session can then only be closed. */
int session_end(struct session *session);

void session_close(struct session *session);
