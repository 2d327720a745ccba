/* index_prune.c - what the ring has forgotten goes from the index too: it stays what a rebuild would make. */
#include <errno.h>
#include <stdio.h>

#include "schema/cleanup.h"
#include "schema/index_db.h"
#include "schema/ring.h"

static void keep_image(void *context, const struct image *image)
{
	struct index_db *index = context;

	INDEX_RUN(index, KEEP, (int64_t)image->event_no);
}

static void keep_cred(void *context, const struct cred *cred)
{
	struct index_db *index = context;

	INDEX_RUN(index, KEEP, (int64_t)cred->event_no);
}

static void keep_life(void *context, struct life *life)
{
	struct index_db *index = context;

	INDEX_RUN(index, KEEP, life->id);
}

/* What a rebuild would have from this keyframe, and nothing else that is older.  Ids of lives, images and credentials are all numbers of
 * events, so that one set serves; an image that is kept only because a life has its number does not occur: a number is of one event, and a
 * birth is no exec; a snapshot is both, and its image and life are kept or not each by its own name below. */
static const char lives_sql[] =
	"DELETE FROM life_row WHERE id BETWEEN 1 AND ?1 - 1 AND id NOT IN temp.keep;"
	"DELETE FROM life_row WHERE id BETWEEN -2 * ?1 + 1 AND -1 AND id NOT IN temp.keep;"
	"DELETE FROM process_end WHERE id NOT IN (SELECT id FROM life_row);";

static const char images_sql[] =
	"DELETE FROM image WHERE event_no < ?1 AND event_no NOT IN temp.keep;"
	"UPDATE cgroup SET last_event_no = (SELECT ifnull(max(event_no), 0) FROM image "
	"WHERE event_no < ?1 AND image.cgroup = path) WHERE last_event_no < ?1;"
	"DELETE FROM cgroup WHERE last_event_no = 0;";
static const char creds_sql[] =
	"DELETE FROM cred WHERE event_no < ?1 AND event_no NOT IN temp.keep;";
static const char boots_sql[] =
	"DELETE FROM boot WHERE first_event_no < (SELECT max(first_event_no) FROM boot "
	"WHERE first_event_no <= ?1);"
	"UPDATE boot SET first_event_no = ?1 WHERE first_event_no < ?1;";

static int keyframe_keep(struct ring *ring, uint64_t block_no, const struct lives_watch *watch,
			 struct lives_clock *ret_clock)
{
	auto_free uint8_t *data = NULL;
	struct lives *lives = lives_new(watch);
	size_t bytes = 0;
	int r = lives ? ring_read_keyframe(ring, block_no, &data, &bytes) : -ENOMEM;

	if (r == 0)
		r = lives_unpack(lives, data, bytes);
	if (r == 0)
		*ret_clock = lives_clock(lives);
	lives_free(lives);
	return r;
}

/* Runs statements, one after the other, each with ?1. */
static void prune_run(struct index_db *index, const char *sql, int64_t number)
{
	while (*sql && index->failed == SQLITE_OK) {
		sqlite3_stmt *statement = NULL;

		index->failed = sqlite3_prepare_v2(index->db, sql, -1, &statement, &sql);
		if (!statement)
			break;
		(void)sqlite3_bind_int64(statement, 1, number);
		if (index->failed == SQLITE_OK && sqlite3_step(statement) != SQLITE_DONE)
			index->failed = sqlite3_errcode(index->db);
		(void)sqlite3_finalize(statement);
	}
}

static const char *const kind_tables[] = { "exit", "stray_exit", "exec",    "comm",     "uid",
					   "gid",  "sid",        "ptrace",  "coredump", "snapshot",
					   "lost", "other",      "datagram" };

static void prune_kinds(struct index_db *index, uint64_t first_event_no)
{
	char sql[128];

	for (size_t i = 0; i < sizeof(kind_tables) / sizeof(kind_tables[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE event_no < ?1;",
			       kind_tables[i]);
		prune_run(index, sql, (int64_t)first_event_no);
	}
}

/* The keyframe from which on the ring explains itself. */
struct oldest {
	struct ring *ring;
	uint64_t block_no, first_event_no;
};

/* The set in temp.keep is made for one kind of row at a time. */
static int prune_kept(struct index_db *index, const struct oldest *oldest,
		      const struct lives_watch *watch, const char *sql,
		      struct lives_clock *ret_clock)
{
	int r;

	prune_run(index, "DELETE FROM temp.keep;", 0);
	r = keyframe_keep(oldest->ring, oldest->block_no, watch, ret_clock);
	if (r == 0)
		prune_run(index, sql, (int64_t)oldest->first_event_no);
	return r;
}

static void prune_clocks(struct index_db *index, uint64_t first_event_no, uint64_t kept_event_no)
{
	char sql[128];

	(void)snprintf(sql, sizeof(sql),
		       "DELETE FROM clock WHERE event_no < ?1 AND event_no <> %llu;",
		       (unsigned long long)kept_event_no);
	prune_run(index, sql, (int64_t)first_event_no);
}

int index_prune(struct index_db *index, struct ring *ring, uint64_t block_no,
		uint64_t first_event_no)
{
	const struct oldest oldest = { ring, block_no, first_event_no };
	const struct lives_watch keep_lives = { .context = index, .born = keep_life };
	const struct lives_watch keep_images = { .context = index, .image = keep_image };
	const struct lives_watch keep_creds = { .context = index, .cred = keep_cred };
	struct lives_clock clock = { 0 };
	int r = prune_kept(index, &oldest, &keep_lives, lives_sql, &clock);

	if (r == 0)
		r = prune_kept(index, &oldest, &keep_images, images_sql, &clock);
	if (r == 0)
		r = prune_kept(index, &oldest, &keep_creds, creds_sql, &clock);
	if (r != 0)
		return r;
	prune_kinds(index, first_event_no);
	prune_run(index, "DELETE FROM block WHERE block_no < ?1;", (int64_t)block_no);
	prune_run(index, "DELETE FROM damage WHERE first_event_no < ?1;", (int64_t)first_event_no);
	prune_run(index, boots_sql, (int64_t)first_event_no);
	prune_clocks(index, first_event_no, clock.event_no);
	return 0;
}
