#include "query/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "query/ancestors.h"
#include "schema/cleanup.h"

struct stream {
	struct query *query;
	const struct select *select;
	const struct window_boot *boot;
	struct past *past;   /* where lives decide which events are selected; else NULL */
	struct lives *lives; /* NULL: not asked for */
	int (*each)(void *context, const struct stream_item *item);
	void *context;
};

static int load_keyframe(struct stream *stream, uint64_t block_no)
{
	auto_free uint8_t *data = NULL;
	size_t bytes;
	int r = ring_read_keyframe(stream->query->ledger->ring, block_no, &data, &bytes);

	if (r != 0)
		return r > 0 ? 0 : r; /* overwritten meanwhile: what the events alone tell */
	return lives_unpack(stream->lives, data, bytes);
}

/* A fold that knows who lived when the window begins; *ret_first is the span to begin with. */
static int fold_begin(struct stream *stream, size_t *ret_first)
{
	struct ledger *ledger = stream->query->ledger;
	uint64_t keyframe;
	size_t first;
	int r;

	stream->lives = lives_new(NULL);
	if (!stream->lives)
		return -ENOMEM;
	r = ledger_fold_start(ledger, stream->boot->first, &first, &keyframe);
	if (r != 0)
		return r < 0 ? r
			     : 0; /* nothing explains the beginning: what the events alone tell */
	*ret_first = first;
	return keyframe == RING_NO_BLOCK ? 0 : load_keyframe(stream, keyframe);
}

static const struct life *other_life(const struct lives *lives, const struct event *event)
{
	if (event->kind == EVENT_FORK)
		return lives_find(lives, event->ppid);
	if (event->kind == EVENT_PTRACE && event->arg[0] != 0)
		return lives_find(lives, (uint32_t)event->arg[0]);
	return NULL;
}

static bool selected(const struct stream *stream, const struct stream_item *item)
{
	struct past_event_lives ids = { .subject = item->life ? item->life->id : 0,
					.other = item->other ? item->other->id : 0 };

	if (!stream->past)
		return select_event(stream->select, item->event);
	return select_event_of(stream->select, stream->past, item->event, &ids);
}

static int walk(struct stream *stream, struct ledger_walk *walk)
{
	const struct ledger *ledger = stream->query->ledger;
	size_t damage_count = ledger->damage_count;
	struct stream_item item = { .lives = stream->lives };
	struct life *life = NULL;
	bool folded;
	int r;

	while ((r = ledger_walk_next(walk, &item.event)) == 0) {
		if (stream->lives) {
			lives_forget_ended(stream->lives);
			r = lives_apply(stream->lives, item.event, &life, &folded);
			if (r < 0)
				return r;
		}
		item.damage_before |= ledger->damage_count > damage_count;
		damage_count = ledger->damage_count;
		if (walk->boot_no != stream->boot->boot->boot_no ||
		    !window_has(stream->boot, item.event->timestamp_ns))
			continue;
		item.boot_no = walk->boot_no;
		item.life = stream->lives ? life : NULL;
		item.other = stream->lives ? other_life(stream->lives, item.event) : NULL;
		if (!selected(stream, &item))
			continue;
		r = stream->each(stream->context, &item);
		if (r != 0)
			return r;
		item.damage_before = false;
	}
	return r == LEDGER_WALK_END ? 0 : r;
}

/* Lives are judged over the whole window, so before its first event. */
static int judge(struct stream *stream)
{
	int r = ancestors_past(stream->query, stream->boot,
			       PAST_THREADS | select_past_flags(stream->select), false,
			       &stream->past);

	if (r == 0)
		(void)ancestors_select(stream->query, stream->boot, stream->past);
	return r;
}

static int stream_boot(struct stream *stream, unsigned flags)
{
	size_t first = stream->boot->first;
	struct ledger_walk cursor;
	int r = 0;

	if (!select_is_plain(stream->select)) {
		flags |= STREAM_LIVES;
		r = judge(stream);
	}
	if (r == 0 && flags & STREAM_LIVES)
		r = fold_begin(stream, &first);
	if (r == 0) {
		struct event_filter filter = {
			.kinds = select_kinds(stream->select),
			.from_ns = stream->boot->intervals[0].from_ns,
			.to_ns = stream->boot->intervals[stream->boot->count - 1].to_ns,
		};

		r = ledger_walk_init(&cursor, stream->query->ledger, first, stream->boot->last);
		/* A fold needs every event; the eye does not. */
		if (r == 0 && !(flags & STREAM_LIVES))
			ledger_walk_set_filter(&cursor, &filter);
		if (r == 0)
			r = walk(stream, &cursor);
		ledger_walk_clear(&cursor);
	}
	lives_free(stream->lives);
	stream->lives = NULL;
	past_free(stream->past);
	stream->past = NULL;
	return r;
}

int stream_each(struct query *query, unsigned flags,
		int (*each)(void *context, const struct stream_item *item), void *context)
{
	struct stream stream = {
		.query = query, .select = &query->options->select, .each = each, .context = context
	};
	int r = 0;

	for (size_t i = 0; i < query->window.boot_count && r == 0; i++) {
		stream.boot = &query->window.boots[i];
		if (stream.boot->recorded)
			r = stream_boot(&stream, flags);
	}
	return r;
}
