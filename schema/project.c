/* project.c - fills index.db from the ring, live or rebuilding, by the same code.
 *
 * A batch: begin, fold events and put their rows, put the rows of all lives that were born or changed, the blocks, the
 * high-water mark, commit.  So a life that is born and ends within a batch is written once.  When a batch fails the fold is ahead of the
 * index: both are thrown away, and the next step begins from the high-water mark again, by folding from the keyframe before it.
 */
#include "schema/project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "schema/cleanup.h"
#include "schema/index_db.h"
#include "schema/index_pending.h"
#include "schema/lives.h"
#include "schema/ring.h"

/* What hangs on life->user: bits. */
enum { REBUILD_EVENTS = 16384 }; /* in one transaction */
enum { LIFE_IN_TABLE = 1, LIFE_TOUCHED = 2, LIFE_HAS_PROCESS_END = 4 };

struct projector {
	char *ring_path, *index_path;
	char message[512];
	struct ring *ring;
	struct index_db index;
	struct ring_cursor *cursor; /* NULL: the place is still to be found */
	struct lives *lives;
	struct life **
		touched; /* lives whose rows are to be written at the end of the batch, in the order of their births */
	size_t touched_count, touched_capacity;
	bool out_of_memory;
	bool placed,
		pruned;   /* in this batch: there is something to commit even without a new event */
	bool silent;      /* folding what is in the index already */
	bool damage_open; /* a row of damage may wait for the event behind it */
	uint64_t next_event_no, next_block_no, first_event_no, first_block_no;
	uint64_t last_event_no, last_event_ns; /* the newest event in the index; 0: none */
	uint32_t last_block_crc;               /* of the newest block's payload */
	uint32_t boot_no;
};

static int fail(struct projector *projector, int error, const char *doing, const char *path)
{
	(void)snprintf(projector->message, sizeof(projector->message), "cannot %s %s: %s", doing,
		       path, error == -EBADMSG ? "its content is damaged" : strerror(-error));
	return error;
}

/* --- what the fold tells --- */

static unsigned life_bits(const struct life *life)
{
	return (unsigned)(uintptr_t)life->user;
}

static void life_bits_set(struct life *life, unsigned bits)
{
	life->user = (void *)(uintptr_t)
		bits; /* NOLINT(performance-no-int-to-ptr): a mark, never followed */
}

static void touch(void *context, struct life *life)
{
	struct projector *projector = context;

	if (projector->silent || life_bits(life) & LIFE_TOUCHED)
		return;
	if (projector->touched_count == projector->touched_capacity) {
		size_t capacity = projector->touched_capacity * 2 + 1024;
		struct life **grown =
			reallocarray(projector->touched, capacity, sizeof(struct life *));

		if (!grown) {
			projector->out_of_memory = true;
			return;
		}
		projector->touched = grown;
		projector->touched_capacity = capacity;
	}
	projector->touched[projector->touched_count++] = life;
	life_bits_set(life, life_bits(life) | LIFE_TOUCHED);
}

static void on_named(void *context, struct life *life, const char *comm, enum life_name source,
		     uint64_t at_ns, const struct event *event)
{
	(void)comm;
	(void)source;
	(void)at_ns;
	(void)event;
	touch(context, life);
}

static void on_image(void *context, const struct image *image)
{
	struct projector *projector = context;

	if (!projector->silent)
		index_put_image(&projector->index, image);
}

static void on_cred(void *context, const struct cred *cred)
{
	struct projector *projector = context;

	if (!projector->silent)
		index_put_cred(&projector->index, cred);
}

/* The EXIT that stood for the end of this life was one of a leader whose place another thread took. */
static void on_revived(void *context, struct life *life)
{
	struct projector *projector = context;

	touch(projector, life);
	if (projector->silent || life->end_event_no < projector->first_event_no)
		return;
	index_move_exit(&projector->index, life);
}

static void on_merged(void *context, struct life *gone, struct life *into)
{
	struct projector *projector = context;

	touch(projector, into);
	if (projector->silent)
		return;
	for (size_t i = projector->touched_count; i-- > 0 && life_bits(gone) & LIFE_TOUCHED;) {
		if (projector->touched[i] == gone) {
			projector->touched[i] = NULL;
			break;
		}
	}
	if (life_bits(gone) & LIFE_IN_TABLE)
		INDEX_RUN(&projector->index, LIFE_DELETE, gone->id);
	INDEX_RUN(&projector->index, SNAPSHOT_MOVE, into->id, gone->id);
	INDEX_RUN(&projector->index, IMAGE_MOVE, into->id, gone->id);
}

static struct lives *lives_watched(struct projector *projector)
{
	const struct lives_watch watch = {
		.context = projector,
		.born = touch,
		.named = on_named,
		.changed = touch,
		.image = on_image,
		.cred = on_cred,
		.ended = touch,
		.revived = on_revived,
		.process_ended = touch,
		.merged = on_merged,
	};

	return lives_new(&watch);
}

/* --- finding the place --- */

static void place_forget(struct projector *projector)
{
	lives_free(projector->lives);
	ring_cursor_free(projector->cursor);
	projector->lives = NULL;
	projector->cursor = NULL;
	projector->touched_count = 0;
}

/* A process whose end is not its leader's has a row in process_end, until they are seen to be the same. */
static bool process_end_differs(const struct life *life)
{
	return life->pid == life->tid && life->ended &&
	       !(life->process_ended && life->process_end_ns == life->end_ns &&
		 life->process_end_how == life->end_how &&
		 life->process_exit_code == life->exit_code);
}

/* What the lives of the fold have in the index once everything up to now is there. */
static void lives_mark_stored(struct projector *projector)
{
	for (struct life *life = lives_first(projector->lives); life; life = lives_after(life))
		life_bits_set(life,
			      LIFE_IN_TABLE |
				      (process_end_differs(life) ? LIFE_HAS_PROCESS_END : 0u));
}

/* Loads a keyframe and puts the cursor behind it.  RING_*: it is not there. */
static int keyframe_load(struct projector *projector, uint64_t block_no)
{
	auto_free uint8_t *data = NULL;
	size_t bytes = 0;
	int r = ring_read_keyframe(projector->ring, block_no, &data, &bytes);

	if (r != 0)
		return r;
	projector->lives = lives_watched(projector);
	projector->cursor = ring_cursor_new(projector->ring, block_no);
	if (!projector->lives || !projector->cursor)
		return -ENOMEM;
	r = lives_unpack(projector->lives, data, bytes);
	projector->boot_no = lives_boot_no(projector->lives);
	return r;
}

/* Begins a boot in the index, from this event on. */
static void boot_begin(struct projector *projector, uint64_t event_no)
{
	projector->boot_no = lives_boot_no(projector->lives);
	if (!projector->silent)
		INDEX_RUN(&projector->index, BOOT, (int64_t)event_no, projector->boot_no);
}

/* An empty index begins at the oldest keyframe: its lives are written as they are there.  RING_END: the ring is empty. */
static int place_at_oldest(struct projector *projector)
{
	struct ring_block_header header;
	struct lives_clock clock;
	uint64_t block_no;
	int r = ring_find_keyframe(projector->ring, RING_NO_BLOCK, &block_no);

	if (r == 0)
		r = ring_read_header(projector->ring, block_no, &header);
	if (r == 0) {
		projector->first_event_no =
			header.first_event_no; /* lives are written against it */
		r = keyframe_load(projector, block_no);
	}
	if (r == RING_END) { /* no block is sealed yet */
		header.first_event_no = 1;
		block_no = 0;
		projector->lives = lives_watched(projector);
		projector->cursor = ring_cursor_new(projector->ring, 0);
		if (!projector->lives || !projector->cursor)
			return -ENOMEM;
	} else if (r != 0) {
		return r;
	}
	projector->next_event_no = projector->first_event_no = header.first_event_no;
	projector->next_block_no = projector->first_block_no = block_no;
	if (projector->boot_no != 0)
		boot_begin(projector, header.first_event_no);
	clock = lives_clock(projector->lives);
	if (clock.event_no != 0)
		index_put_clock(&projector->index, projector->boot_no, &clock);
	return 0;
}

/* A power cut may take events from the ring that the index has, for each is written back when the kernel likes; the ring then gives
 * their numbers to others.  Time stamps tell.  The newest block may have been written again, too. */
static int history_check(struct projector *projector, bool last_is_same)
{
	struct ring_block_header header;
	int r;

	if (!last_is_same && projector->next_event_no > projector->first_event_no)
		return RING_OVERRUN;
	if (projector->next_block_no <= projector->first_block_no)
		return 0;
	r = ring_read_header(projector->ring, projector->next_block_no - 1, &header);
	if (r == RING_HOLE)
		return 0; /* has no row, or was damaged later */
	if (r == 0 && header.payload_crc32 != projector->last_block_crc)
		r = RING_OVERRUN;
	return r;
}

/* Folds in silence what is in the index already. */
static int place_at_mark(struct projector *projector)
{
	uint64_t block_no, from_no, to_no;
	struct life *life;
	const struct event *event;
	bool folded, last_is_same = false;
	int r = ring_find_keyframe(projector->ring,
				   projector->next_block_no > 0 ? projector->next_block_no - 1 : 0,
				   &block_no);

	if (r == 0 && block_no >= projector->first_block_no)
		r = keyframe_load(projector, block_no);
	else if (r == 0)
		r = RING_OVERRUN;
	if (r == RING_END &&
	    projector->first_event_no == 1) { /* no block is sealed yet, or only the first */
		projector->lives = lives_watched(projector);
		projector->cursor = ring_cursor_new(projector->ring, 0);
		r = projector->lives && projector->cursor ? 0 : -ENOMEM;
	}
	while (r == 0 && lives_event_no(projector->lives) + 1 < projector->next_event_no) {
		r = ring_next(projector->cursor, &event, &from_no, &to_no);
		if (r == 0) {
			last_is_same = event->event_no == projector->last_event_no &&
				       event->timestamp_ns == projector->last_event_ns;
			r = lives_apply(projector->lives, event, &life, &folded);
		}
		lives_forget_ended(projector->lives);
	}
	if (r == 0)
		r = history_check(projector, last_is_same);
	if (r == 0) {
		projector->boot_no = lives_boot_no(projector->lives);
		lives_mark_stored(projector);
	}
	return r;
}

/* Empties the index and begins again at the oldest keyframe: it is of another ring, or what it lacks is no longer in the ring. */
static int index_begin_anew(struct projector *projector)
{
	static const char *const wanted = "begin the index anew in";
	uint8_t uuid[RING_UUID_BYTES];
	int r;

	place_forget(projector);
	if (projector->index.db)
		index_close(&projector->index);
	index_remove(projector->index_path);
	r = index_open(projector->index_path, &projector->index, uuid);
	if (r < 0)
		return fail(projector, r, wanted, projector->index_path);
	return 0;
}

static void mark_put(struct projector *projector)
{
	index_meta_set(&projector->index, "next_event_no", projector->next_event_no);
	index_meta_set(&projector->index, "next_block_no", projector->next_block_no);
	index_meta_set(&projector->index, "first_event_no", projector->first_event_no);
	index_meta_set(&projector->index, "first_block_no", projector->first_block_no);
	index_meta_set(&projector->index, "last_event_no", projector->last_event_no);
	index_meta_set(&projector->index, "last_event_ns", projector->last_event_ns);
	index_meta_set(&projector->index, "last_block_crc", projector->last_block_crc);
}

/* Within a transaction: finds where to go on.  The outcome is that of the ring: RING_END when there is nothing yet. */
static int place_find(struct projector *projector)
{
	int r;

	projector->next_event_no = index_meta(&projector->index, "next_event_no", 0);
	projector->next_block_no = index_meta(&projector->index, "next_block_no", 0);
	projector->first_event_no = index_meta(&projector->index, "first_event_no", 0);
	projector->first_block_no = index_meta(&projector->index, "first_block_no", 0);
	projector->last_event_no = index_meta(&projector->index, "last_event_no", 0);
	projector->last_event_ns = index_meta(&projector->index, "last_event_ns", 0);
	projector->last_block_crc = (uint32_t)index_meta(&projector->index, "last_block_crc", 0);
	projector->boot_no = 0;
	projector->silent = projector->next_event_no != 0;
	if (projector->silent) {
		r = place_at_mark(projector);
	} else {
		index_uuid_set(&projector->index, ring_super(projector->ring)->ring_uuid);
		r = place_at_oldest(projector);
	}
	projector->silent = false;
	projector->placed = projector->damage_open = true;
	if (r != 0)
		place_forget(projector);
	return r;
}

/* --- batches --- */

static void process_end_put(struct projector *projector, struct life *life)
{
	unsigned bits = life_bits(life);

	if (process_end_differs(life)) {
		index_put_process_end(&projector->index, life);
		life_bits_set(life, bits | LIFE_HAS_PROCESS_END);
	} else if (bits & LIFE_HAS_PROCESS_END) {
		INDEX_RUN(&projector->index, PROCESS_END_DELETE, life->id);
		life_bits_set(life, bits & ~(unsigned)LIFE_HAS_PROCESS_END);
	}
}

/* Moves those that are not in the table yet to the front, in the order of their births.  Returns how many they are. */
static size_t touched_fresh_first(struct projector *projector)
{
	size_t fresh = 0;

	for (size_t i = 0; i < projector->touched_count; i++) {
		struct life *life = projector->touched[i];

		if (!(life_bits(life) & LIFE_IN_TABLE)) {
			projector->touched[i] = projector->touched[fresh];
			projector->touched[fresh++] = life;
		}
	}
	return fresh;
}

static void touched_put(struct projector *projector)
{
	size_t count = 0, fresh;

	for (size_t i = 0; i < projector->touched_count; i++)
		if (projector->touched[i]) /* else merged into another */
			projector->touched[count++] = projector->touched[i];
	projector->touched_count = count;
	fresh = touched_fresh_first(projector);
	index_put_lives(&projector->index, projector->touched, fresh, false);
	index_put_lives(&projector->index, projector->touched + fresh, count - fresh, true);
	for (size_t i = 0; i < count; i++) {
		struct life *life = projector->touched[i];

		life_bits_set(life, (life_bits(life) & LIFE_HAS_PROCESS_END) | LIFE_IN_TABLE);
		process_end_put(projector, life);
	}
	projector->touched_count = 0;
	lives_forget_ended(projector->lives);
}

/* Blocks whose events are all in the index. */
static int blocks_put(struct projector *projector)
{
	struct ring_block_header header;

	for (;;) {
		int r = ring_read_header(projector->ring, projector->next_block_no, &header);

		if (r == RING_HOLE) { /* damaged: it has no row */
			projector->next_block_no++;
			continue;
		}
		if (r == RING_END)
			return 0;
		if (r != 0)
			return r;
		if (header.first_event_no + header.event_count > projector->next_event_no)
			return 0;
		index_put_block(&projector->index, &header);
		projector->last_block_crc = header.payload_crc32;
		projector->next_block_no++;
	}
}

/* Events [from_no, to_no) are damaged: to_ns follows with the next event. */
static void damage_put(struct projector *projector, uint64_t from_no, uint64_t to_no)
{
	if (from_no == 0)
		from_no = projector->next_event_no;
	INDEX_RUN(&projector->index, DAMAGE, (int64_t)from_no, (int64_t)to_no,
		  (int64_t)projector->last_event_ns);
	projector->damage_open = true;
	projector->next_event_no = to_no;
}

/* A time of another boot is none of this one's; and the event that began it may be among the damaged. */
static void damage_end(struct projector *projector, const struct event *event,
		       uint32_t before_boot_no)
{
	bool same = before_boot_no == projector->boot_no &&
		    before_boot_no == ring_cursor_boot_no(projector->cursor);

	INDEX_RUN(&projector->index, DAMAGE_END, same ? (int64_t)event->timestamp_ns : 0);
	projector->damage_open = false;
}

static int event_put(struct projector *projector, const struct event *event)
{
	struct life *life = NULL;
	bool folded = false;
	uint32_t before_boot_no = projector->boot_no;
	int r = lives_apply(projector->lives, event, &life, &folded);

	if (r < 0)
		return r;
	if (lives_boot_no(projector->lives) != projector->boot_no)
		boot_begin(projector, event->event_no);
	if (projector->damage_open)
		damage_end(projector, event, before_boot_no);
	index_put_event(&projector->index, event, projector->boot_no, life, folded);
	projector->next_event_no = event->event_no + 1;
	projector->last_event_no = event->event_no;
	projector->last_event_ns = event->timestamp_ns;
	return 0;
}

/* RING_OVERRUN: what comes next is no longer in the ring.  A hole by damage is passed over, and has a row that says so. */
static int events_put(struct projector *projector, size_t max_events, size_t *ret_events)
{
	uint64_t from_no, to_no;
	const struct event *event;
	size_t count = 0;
	int r = 0;

	while (count < max_events && r == 0) {
		r = ring_next(projector->cursor, &event, &from_no, &to_no);
		if (r == RING_HOLE) {
			damage_put(projector, from_no, to_no);
			r = 0;
		} else if (r == 0) {
			r = event_put(projector, event);
			count++;
		}
		if (projector->out_of_memory)
			r = -ENOMEM;
	}
	*ret_events = count;
	return r == RING_END ? 0 : r;
}

/* --- what the ring has forgotten --- */

/* Only when all that is before the oldest keyframe is in the index, and never for a keyframe that is being overwritten. */
static int prune(struct projector *projector)
{
	struct ring_block_header header;
	uint64_t block_no;
	int r = ring_find_keyframe(projector->ring, RING_NO_BLOCK, &block_no);

	if (r == 0 && block_no <= projector->first_block_no)
		return 0;
	if (r == 0)
		r = ring_read_header(projector->ring, block_no, &header);
	if (r == 0 && header.first_event_no >= projector->next_event_no)
		return 0;
	if (r == 0)
		r = index_prune(&projector->index, projector->ring, block_no,
				header.first_event_no);
	if (r == 0) {
		projector->first_event_no = header.first_event_no;
		projector->first_block_no = block_no;
		projector->pruned = true;
	}
	return r < 0 ? r : 0;
}

/* --- the interface --- */

static int step_in_transaction(struct projector *projector, size_t max_events, size_t *ret_events)
{
	int r = projector->cursor ? 0 : place_find(projector);

	if (r == 0)
		r = events_put(projector, max_events, ret_events);
	if (r != 0)
		return r;
	touched_put(projector);
	index_pending_flush(&projector->index);
	r = blocks_put(projector);
	if (r == 0)
		r = prune(projector);
	if (r == 0)
		mark_put(projector);
	return r;
}

/* One try.  RING_*: the ring has gone on without us. */
static int batch(struct projector *projector, size_t max_events, size_t *ret_events)
{
	uint64_t mark = projector->next_event_no, blocks = projector->next_block_no;
	int r = index_begin(&projector->index);

	if (r < 0)
		return r;
	projector->placed = projector->pruned = false;
	r = step_in_transaction(projector, max_events, ret_events);
	if (r != 0)
		index_rollback(&projector->index);
	else if (projector->placed || projector->pruned || mark != projector->next_event_no ||
		 blocks != projector->next_block_no)
		r = index_commit(&projector->index);
	else
		index_rollback(&projector->index); /* nothing newer */
	if (r != 0)
		place_forget(projector);
	return r;
}

int projector_step(struct projector *projector, size_t max_events, size_t *ret_events)
{
	uint64_t first, next;
	size_t events = 0;
	int r = ring_refresh(projector->ring, &first, &next);

	if (r < 0)
		return fail(projector, r, "read", projector->ring_path);
	r = projector->index.db && index_is_there(&projector->index)
		    ? batch(projector, max_events, &events)
		    : -EBADMSG;
	if (r > 0 ||
	    r == -EBADMSG) { /* what comes next is no longer in the ring, or the index is damaged */
		r = index_begin_anew(projector);
		if (r < 0)
			return r;
		events = 0;
		r = batch(projector, max_events, &events);
	}
	if (r > 0)
		return fail(projector, -EAGAIN, "keep up with", projector->ring_path);
	if (r < 0)
		return fail(projector, r, "write the index", projector->index_path);
	*ret_events = events;
	return 0;
}

int projector_open(const char *ring_path, const char *index_path, struct projector **ret_projector,
		   const char **ret_message)
{
	static char message[512];
	struct projector *projector = calloc(1, sizeof(*projector));
	uint8_t uuid[RING_UUID_BYTES];
	int r = -ENOMEM;

	*ret_message = "cannot begin to project: out of memory";
	if (!projector)
		return r;
	projector->ring_path = strdup(ring_path);
	projector->index_path = strdup(index_path);
	if (projector->ring_path && projector->index_path) {
		r = ring_open(ring_path, &projector->ring);
		if (r < 0)
			r = fail(projector, r, "open", ring_path);
	}
	if (r == 0) {
		r = index_open(index_path, &projector->index, uuid);
		if (r == -EBADMSG || (r == 0 && memcmp(uuid, ring_super(projector->ring)->ring_uuid,
						       sizeof(uuid)) != 0))
			r = index_begin_anew(projector);
		else if (r < 0)
			r = fail(projector, r, "open", index_path);
	}
	if (r < 0) {
		(void)snprintf(message, sizeof(message), "%s", projector->message);
		*ret_message = message;
		projector_close(projector);
		return r;
	}
	*ret_projector = projector;
	return 0;
}

const char *projector_message(const struct projector *projector)
{
	return projector->message;
}

uint64_t projector_next_event_no(const struct projector *projector)
{
	return projector->next_event_no;
}

int projector_checkpoint(struct projector *projector)
{
	return index_error(sqlite3_wal_checkpoint_v2(projector->index.db, NULL,
						     SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

void projector_close(struct projector *projector)
{
	if (!projector)
		return;
	place_forget(projector);
	index_close(&projector->index);
	ring_close(projector->ring);
	free(projector->touched);
	free(projector->ring_path);
	free(projector->index_path);
	free(projector);
}

int projector_rebuild(const char *ring_path, const char *index_path, uint64_t *ret_events,
		      const char **ret_message)
{
	struct projector *projector = NULL;
	static char message[512];
	char path[4096];
	uint64_t total = 0;
	size_t events = 1;
	int r;

	if ((size_t)snprintf(path, sizeof(path), "%s.new", index_path) >= sizeof(path)) {
		*ret_message = "the path of the index is too long";
		return -ENAMETOOLONG;
	}
	index_remove(path);
	r = projector_open(ring_path, path, &projector, ret_message);
	if (r < 0)
		return r;
	while (r == 0 && events > 0) {
		r = projector_step(projector, REBUILD_EVENTS, &events);
		total += events;
	}
	if (r == 0)
		r = projector_checkpoint(projector);
	(void)snprintf(message, sizeof(message), "%s", projector->message);
	*ret_message = message;
	projector_close(projector);
	if (r == 0) {
		index_remove(index_path);
		if (rename(path, index_path) < 0) {
			r = -errno;
			(void)snprintf(message, sizeof(message), "cannot rename %.400s: %s", path,
				       strerror(errno));
		}
	}
	index_remove(path);
	if (r == 0)
		*ret_events = total;
	return r;
}

int projector_in_memory(const char *ring_path, struct sqlite3 **ret_db, const char **ret_message)
{
	struct projector *projector = NULL;
	static char message[512];
	size_t events = 1;
	int r = projector_open(ring_path, INDEX_IN_MEMORY, &projector, ret_message);

	while (r == 0 && events > 0)
		r = projector_step(projector, REBUILD_EVENTS, &events);
	if (!projector)
		return r;
	(void)snprintf(message, sizeof(message), "%s", projector->message);
	*ret_message = message;
	if (r == 0)
		r = index_copy(&projector->index, ret_db);
	projector_close(projector);
	return r;
}

int projector_lock(const char *store, int *ret_fd)
{
	auto_close int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EWOULDBLOCK ? PROJECTOR_LOCKED : -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}
