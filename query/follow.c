#include "query/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "schema/cleanup.h"

enum {
	LOOK_EVERY_MS = 20, /* what is staged is there to be read at once */
	FILE_EVERY = 50,    /* looks, between two at whether the file is still the same */
	FORGET_EVENTS = 4096,
	PARENTS_MAX = 1 << 16, /* of a chain that comes back to itself */
	DETAIL_BYTES = EVENT_DETAIL_MAX_BYTES,
};

struct follow {
	struct listing *listing;
	struct query *query;
	const struct select *select;
	struct ring *ring; /* of its own: the query's ledger may be opened anew meanwhile */
	struct ring_cursor *cursor;
	struct lives *lives; /* where lives decide; else NULL */
	uint64_t from_no;    /* older events are folded, not shown */
	uint32_t boot_no;
	size_t since_forget;
	struct stat file;
};

/* --- lives as they are now --- */

static bool is_under(const struct life *life)
{
	return life && life->user != NULL;
}

/* The parent, if it lives. */
static const struct life *parent_of(const struct follow *follow, const struct life *life)
{
	const struct life *parent = lives_find(follow->lives, life->ppid);

	if (life->process && life->process != life)
		return life->process;
	return parent && parent->id == life->parent_id ? parent : NULL;
}

/* What select.c wants to know of a life; version and image hold what it points to. */
static struct past_life life_now(const struct follow *follow, const struct life *life,
				 struct past_image *image)
{
	bool leader = life->process == life;
	struct past_life now = {
		.id = life->id,
		.boot_no = follow->boot_no,
		.pid = life->pid,
		.tid = life->tid,
		.ppid = life->ppid,
		.start_ns = life->start_ns,
		.ended = leader ? life->process_ended : life->ended,
		.end_how = leader ? life->process_end_how : life->end_how,
		.end_ns = leader ? life->process_end_ns : life->end_ns,
		.exit_code = leader ? life->process_exit_code : life->exit_code,
		.comm_known = life->comm_known,
	};

	memcpy(now.comm, life->comm, sizeof(now.comm));
	if (life->image &&
	    detail_unpack(life->image->detail, life->image->detail_bytes, &image->detail) == 0)
		now.image = image;
	if (life->cred) {
		now.uid_known = life->cred->uid_known;
		now.ruid = life->cred->ruid;
		now.euid = life->cred->euid;
	}
	return now;
}

static bool is_named(const struct follow *follow, enum select_field field, const struct life *life)
{
	struct past_image image;
	struct past_life now = life_now(follow, life, &image);

	return select_names(follow->select, field, follow->query->clocks, &now);
}

/* Descendants are marked at birth, so that they stay so when who is between has gone. */
static void on_born(void *context, struct life *life)
{
	const struct follow *follow = context;

	if (is_under(parent_of(follow, life)) || is_named(follow, SELECT_UNDER, life))
		life->user = life;
}

/* Out of a keyframe children may come before their parents. */
static void mark_under(struct follow *follow)
{
	bool more = select_has(follow->select, SELECT_UNDER);

	while (more) {
		more = false;
		for (struct life *life = lives_first(follow->lives); life;
		     life = lives_after(life)) {
			if (is_under(life) || !is_under(parent_of(follow, life)))
				continue;
			life->user = life;
			more = true;
		}
	}
}

/* Whether one of those that --above names has this life among its ancestors. */
static bool is_above(const struct follow *follow, const struct life *life)
{
	for (const struct life *named = lives_first(follow->lives); named;
	     named = lives_after(named)) {
		const struct life *up = named;

		if (!is_named(follow, SELECT_ABOVE, named))
			continue;
		for (size_t i = 0; up && i < PARENTS_MAX; i++) {
			if (up == life)
				return true;
			up = parent_of(follow, up);
		}
	}
	return false;
}

static bool life_selected(const struct follow *follow, const struct life *life,
			  const struct event *event)
{
	struct past_image image;
	struct past_life now;

	if (!life)
		return false;
	if (select_has(follow->select, SELECT_UNDER) && !is_under(life))
		return false;
	if (select_has(follow->select, SELECT_ABOVE) && !is_above(follow, life))
		return false;
	now = life_now(follow, life, &image);
	now.kinds = UINT64_C(1) << event->kind;
	return select_life(follow->select, follow->query->clocks, &now, event->timestamp_ns);
}

static const struct life *other_life(const struct follow *follow, const struct event *event)
{
	if (event->kind == EVENT_FORK)
		return lives_find(follow->lives, event->ppid);
	if (event->kind == EVENT_PTRACE && event->arg[0] != 0)
		return lives_find(follow->lives, (uint32_t)event->arg[0]);
	return NULL;
}

/* 1 selected, 0 not, -errno. */
static int judge(struct follow *follow, const struct event *event)
{
	struct life *life = NULL;
	bool folded;
	int r;

	if (!follow->lives)
		return select_event(follow->select, event);
	if (++follow->since_forget >= FORGET_EVENTS) {
		lives_forget_ended(follow->lives);
		follow->since_forget = 0;
	}
	r = lives_apply(follow->lives, event, &life, &folded);
	if (r < 0)
		return r;
	return select_kind(follow->select, event->kind) &&
	       (life_selected(follow, life, event) ||
		life_selected(follow, other_life(follow, event), event));
}

/* --- what happens beside events --- */

static int say_missing(struct follow *follow, const char *reason, uint64_t count)
{
	int r = listing_flush(follow->listing);
	bool json = follow->query->options->format == OUTPUT_JSONL;

	if (r < 0)
		return r;
	if (json)
		printf("{\"completeness\":{\"complete\":false,\"missing\":[{\"reason\":\"%s\","
		       "\"count\":%" PRIu64 "}]}}\n",
		       reason, count);
	else
		(void)fprintf(stderr, "-- incomplete: %" PRIu64 " event%s %s\n", count,
			      count == 1 ? "" : "s", reason);
	return 0;
}

/* --- the walk --- */

/* The fold as it was at the newest keyframe; *ret_block_no is where its events begin. */
static int begin_lives(struct follow *follow, uint64_t *ret_block_no)
{
	const struct lives_watch watch = { .context = follow, .born = on_born };
	auto_free uint8_t *data = NULL;
	size_t bytes;
	int r = 0;

	lives_free(follow->lives);
	follow->lives = lives_new(&watch);
	if (!follow->lives)
		return -ENOMEM;
	if (ring_find_keyframe(follow->ring, *ret_block_no, ret_block_no) == 0 &&
	    ring_read_keyframe(follow->ring, *ret_block_no, &data, &bytes) == 0)
		r = lives_unpack(follow->lives, data, bytes);
	mark_under(follow);
	return r;
}

/* Stands behind what there is now, or, where lives decide, at the newest keyframe. */
static int begin(struct follow *follow)
{
	uint64_t first, next = 0;
	int r = ring_open(follow->query->ring_path, &follow->ring);

	if (r == 0 && stat(follow->query->ring_path, &follow->file) < 0)
		r = -errno;
	if (r == 0)
		r = ring_refresh(follow->ring, &first, &next);
	/* What was shown before may have been sealed meanwhile. */
	if (r == 0 && !select_is_plain(follow->select))
		r = begin_lives(follow, &next);
	else if (r == 0 && follow->query->ledger->next_block < next)
		next = follow->query->ledger->next_block;
	if (r < 0)
		return r;
	follow->cursor = ring_cursor_new(follow->ring, next);
	return follow->cursor ? 0 : -ENOMEM;
}

static void end(struct follow *follow)
{
	ring_cursor_free(follow->cursor);
	ring_close(follow->ring);
	lives_free(follow->lives);
	follow->cursor = NULL;
	follow->ring = NULL;
	follow->lives = NULL;
}

/* The file was made anew: its events are others, from the first on. */
static int begin_if_replaced(struct follow *follow)
{
	struct stat now;
	int r;

	if (stat(follow->query->ring_path, &now) < 0 ||
	    (now.st_ino == follow->file.st_ino && now.st_dev == follow->file.st_dev))
		return 0;
	end(follow);
	r = query_reopen(follow->query);
	if (r < 0)
		return r == -EBADMSG || r == -ENOENT ? 0 : r; /* in the making */
	(void)fprintf(stderr, "-- the ledger was made anew\n");
	follow->from_no = 1;
	return begin(follow);
}

static int take(struct follow *follow, const struct event *event)
{
	int r;

	follow->boot_no = ring_cursor_boot_no(follow->cursor);
	r = judge(follow, event);
	if (r < 0 || event->event_no < follow->from_no)
		return r < 0 ? r : 0;
	/* Another boot, or a clock that was set: wall times are found anew. */
	if (event->kind == EVENT_START || event->kind == EVENT_CLOCK) {
		int again = query_reopen(follow->query);

		if (again < 0)
			return again;
	}
	if (r > 0)
		listing_show(follow->listing, follow->boot_no, event);
	follow->from_no = event->event_no + 1;
	return 0;
}

/* Everything that is there.  0 or -errno. */
static int drain(struct follow *follow)
{
	uint64_t from_no, to_no;
	const struct event *event;
	int r;

	while ((r = ring_next(follow->cursor, &event, &from_no, &to_no)) != RING_END) {
		if (r == 0)
			r = take(follow, event);
		else if (r > 0 && to_no > follow->from_no)
			r = say_missing(
				follow,
				r == RING_OVERRUN ? "overwritten before they were read"
						  : "cannot be read (damaged)",
				to_no - (from_no > follow->from_no ? from_no : follow->from_no));
		if (r < 0)
			return r;
	}
	return listing_flush(follow->listing);
}

/* Whether the reader of a pipe has gone. */
static bool nobody_reads(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

int follow(struct listing *listing, uint64_t event_no)
{
	static const struct timespec pause = { .tv_nsec = LOOK_EVERY_MS * 1000000L };
	struct follow follow = {
		.listing = listing,
		.query = listing->query,
		.select = &listing->query->options->select,
		.from_no = event_no,
	};
	sigset_t ends, before;
	unsigned looks = 0;
	int r;

	/* No handler, and no flag: the pause is the only place where a signal matters. */
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGINT);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, &before);
	r = begin(&follow);
	while (r == 0) {
		if (follow.cursor)
			r = drain(&follow);
		if (r == 0 && nobody_reads())
			r = -EPIPE;
		if (r < 0)
			break;
		if (sigtimedwait(&ends, NULL, &pause) > 0)
			break;
		if (++looks % FILE_EVERY == 0)
			r = begin_if_replaced(&follow);
	}
	end(&follow);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
