/* test_past.c - who lived in a window must not depend on where the keyframe before it lies: windows of a capture, folded from there, are held
 * against the one fold of everything. */
#include <inttypes.h>

#include "query/ledger.h"
#include "query/past.h"
#include "query/window.h"
#include "schema/wire.h"
#include "tests/capture.h"
#include "tests/ring_fixture.h"

#define RING_BYTES (UINT64_C(24) << 20)

enum { SEAL_EVERY = 12, WINDOWS = 400 };

static uint64_t first_ns, last_ns;

static void seal(struct ring_writer *writer)
{
	struct ring_seal how = { 0 };
	uint64_t events;

	if (ring_writer_seal(writer, &how, true, &events) != 0)
		abort();
}

static size_t write_capture(const char *name)
{
	size_t bytes, count = 0;
	uint8_t *data = capture_read(name, &bytes);
	struct ring_opened found;
	struct ring_writer *writer;
	struct event event = { .kind = EVENT_START,
			       .cpu = EVENT_CPU_NONE,
			       .arg = { 1, EVENT_START_IMPORT } };

	if (!data)
		skip_all("xz cannot unpack tests/data/%s.nl.xz", name);
	if (ring_writer_open(fixture_path, RING_BYTES, boot_import, &writer, &found) != 0)
		abort();
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	for (size_t at = 0; at + CAPTURE_DATAGRAM_BYTES <= bytes; at += CAPTURE_DATAGRAM_BYTES) {
		struct event decoded;

		if (wire_decode(data + at, CAPTURE_DATAGRAM_BYTES, &decoded) != 0)
			abort();
		if (at == 0) {
			first_ns = event.timestamp_ns = decoded.timestamp_ns;
			if (stage_append(ring_writer_stage(writer), &event) != 0)
				abort();
		}
		if (stage_append(ring_writer_stage(writer), &decoded) != 0)
			abort();
		last_ns = decoded.timestamp_ns;
		if (++count % SEAL_EVERY == 0 && count < 1500)
			seal(writer);
	}
	ring_writer_close(writer);
	free(data);
	return count;
}

/* A window of raw time stamps, found in the ledger. */
struct asked {
	struct interval interval;
	struct window_boot boot;
};

static void ask(struct ledger *ledger, struct asked *asked, uint64_t from_ns, uint64_t to_ns)
{
	asked->interval = (struct interval){ from_ns, to_ns };
	asked->boot = (struct window_boot){ .boot = &ledger->boots[0],
					    .intervals = &asked->interval,
					    .count = 1 };
	window_place(&asked->boot, ledger, false);
}

static struct past *past_of(struct ledger *ledger, uint64_t from_ns, uint64_t to_ns)
{
	struct asked asked;
	struct past *past;

	ask(ledger, &asked, from_ns, to_ns);
	if (past_new(ledger, &asked.boot, PAST_THREADS | PAST_NAMES, &past) != 0)
		abort();
	return past;
}

static const struct past_life *find(const struct past *past, int64_t id)
{
	size_t count;
	struct past_life *const *lives = past_lives(past, &count);

	for (size_t i = 0; i < count; i++)
		if (lives[i]->id == id)
			return lives[i];
	return NULL;
}

/* The name that a life had at a time, as its history tells it; NULL: not known. */
static const char *name_at(const struct past_life *life, uint64_t at_ns)
{
	const struct past_name *found = NULL;

	for (const struct past_name *name = life->names; name; name = name->next)
		if (name->from_ns <= at_ns)
			found = name;
	return found && found->known ? found->comm : NULL;
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? memcmp(a, b, EVENT_COMM_BYTES) == 0 : a == b;
}

struct differences {
	size_t lives, missing, extra, facts, names, orphans;
};

/* What is known of one life in the window, and in the whole. */
static void compare_life(const struct past_life *part, const struct past_life *whole,
			 uint64_t from_ns, uint64_t to_ns, struct differences *d)
{
	bool ended = whole->ended && whole->end_ns <= to_ns;

	d->facts +=
		part->pid != whole->pid || part->tid != whole->tid || part->ppid != whole->ppid ||
		part->start_ns != whole->start_ns || part->born != whole->born ||
		part->parent_id != whole->parent_id || part->ended != ended ||
		(ended && (part->end_ns != whole->end_ns || part->exit_code != whole->exit_code));
	d->names += !same_name(name_at(part, to_ns), name_at(whole, to_ns)) ||
		    !same_name(name_at(part, from_ns), name_at(whole, from_ns));
}

static void compare(const struct past *part, const struct past *whole, uint64_t from_ns,
		    uint64_t to_ns, struct differences *d)
{
	size_t count;
	struct past_life *const *lives = past_lives(whole, &count);

	for (size_t i = 0; i < count; i++) {
		const struct past_life *life = lives[i], *found = find(part, life->id);
		uint64_t end_ns = life->ended && life->end_ns ? life->end_ns : UINT64_MAX;
		bool inside = life->start_ns <= to_ns && end_ns >= from_ns;

		if (life->start_ns == 0)
			continue; /* who was first heard of behind the window is not known in it */
		d->missing += inside && (!found || !found->in_window);
		d->extra += !inside && found && found->in_window;
		if (inside && found) {
			d->lives++;
			compare_life(found, life, from_ns, to_ns, d);
		}
	}
	lives = past_lives(part, &count);
	for (size_t i = 0; i < count; i++)
		d->orphans += lives[i]->parent && !lives[i]->parent->first_child;
}

static void test_windows(struct ledger *ledger)
{
	struct past *whole = past_of(ledger, 0, UINT64_MAX);
	struct differences d = { 0 };
	size_t keyframed = 0;

	for (unsigned i = 0; i < WINDOWS; i++) {
		uint64_t from = first_ns + mix(i) % (last_ns - first_ns);
		uint64_t to =
			from + (i % 4 == 0 ? 0 : mix(i + 999) % (i % 4 == 1 ? 5000000 : 400000000));
		struct past *part = past_of(ledger, from, to);
		struct asked asked;
		uint64_t keyframe;
		size_t first;

		ask(ledger, &asked, from, to);
		keyframed += asked.boot.lived &&
			     ledger_fold_start(ledger, asked.boot.first, &first, &keyframe) == 0 &&
			     first > 0;
		if (asked.boot.lived)
			compare(part, whole, from, to, &d);
		past_free(part);
	}
	ok(keyframed > WINDOWS / 2 && d.lives > 1000,
	   "%d windows, %zu of them folded from a keyframe, %zu lives in them", WINDOWS, keyframed,
	   d.lives);
	ok(d.missing == 0, "nobody who lived in a window is missing from it");
	ok(d.extra == 0, "nobody else is in it");
	ok(d.facts == 0, "birth, parent, end and exit code are what the whole fold knows");
	ok(d.names == 0, "so are the names at both ends of the window");
	ok(d.orphans == 0, "whoever has a parent is among its children");
	if (d.missing + d.extra + d.facts + d.names > 0)
		printf("# %zu missing, %zu extra, %zu facts, %zu names\n", d.missing, d.extra,
		       d.facts, d.names);
	past_free(whole);
}

static void test_forest(struct ledger *ledger)
{
	struct past *past = past_of(ledger, 0, UINT64_MAX);
	size_t count, walked = 0, wrong = 0, before = 0;
	struct past_life *const *lives = past_lives(past, &count);

	for (struct past_life *life = past_walk(past, NULL); life; life = past_walk(past, life)) {
		walked++;
		wrong += life->parent ? life->depth != life->parent->depth + 1 : life->depth != 0;
		before += life->next_sibling && life->next_sibling->start_ns < life->start_ns;
	}
	ok(walked == count && wrong == 0, "a walk meets all %zu lives once, parents first", count);
	ok(before == 0, "children stand in the order of their birth");
	for (size_t i = 0; i < count; i++)
		wrong += lives[i]->pid != lives[i]->tid &&
			 (!lives[i]->parent || lives[i]->parent->pid != lives[i]->pid);
	ok(wrong == 0, "threads hang on their process");
	past_free(past);
}

/* Without the flag there are processes alone. */
static void test_flags(struct ledger *ledger)
{
	struct asked asked;
	struct past *past;
	struct past_life *const *lives;
	size_t count, threads = 0, named = 0;

	ask(ledger, &asked, 0, UINT64_MAX);
	if (past_new(ledger, &asked.boot, 0, &past) != 0)
		abort();
	lives = past_lives(past, &count);
	for (size_t i = 0; i < count; i++) {
		threads += lives[i]->pid != lives[i]->tid;
		named += lives[i]->names != NULL;
	}
	ok(count > 0 && threads == 0 && named == 0, "threads and names come only when asked for");
	past_free(past);
}

int main(void)
{
	struct ledger *ledger;

	fixture_begin();
	printf("# %zu datagrams\n", write_capture("zoo"));
	if (ledger_open(fixture_path, &ledger) != 0)
		abort();
	test_windows(ledger);
	test_forest(ledger);
	test_flags(ledger);
	ledger_close(ledger);
	return done_testing();
}
