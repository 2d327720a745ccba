/* power.h - for tests that cut the power: a stream of events known by their numbers, and all that must hold after a crash. */
#pragma once

#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/disk.h"
#include "tests/ring_fixture.h"

/* How many cases without an argument: under a sanitizer, which takes five times as long, a fifth. */
#ifdef __SANITIZE_ADDRESS__
#define POWER_QUICK(count) ((count) / 5)
#else
#define POWER_QUICK(count) (count)
#endif

enum {
	POWER_EVENTS_MAX = 60000,
	POWER_MORE = 1000, /* events that must go in after a crash */
	POWER_BIG_BYTES = 15000,
	POWER_BIG_EVERY = 64, /* one of so many has the most details that a recorder takes */
	POWER_WORKERS_MAX = 64,
	POWER_OVERRUN_LEAD = 2,
	POWER_GIVEN_UP =
		9, /* slots in a row that failed writes may have cost (invariant 2), and the next */
	POWER_READS_A_SLOT = 32, /* at most, to open a ring */
	POWER_SCAN_BLOCKS = 12,  /* a short scan begins so many blocks before the end, */
	POWER_SCAN_ALL = 32,     /* and one scan of so many at the oldest block */
};

struct power {
	uint32_t starts[POWER_EVENTS_MAX]; /* boot_no where an event is a START, else 0 */
	uint64_t
		big_from_no; /* from here on some details are so large that keyframes have several parts */
	uint64_t plain_from_no;             /* and from here on there are none, for speed */
	uint64_t digests[POWER_EVENTS_MAX]; /* of the fold of events 1 .. n, up to base_no */
	uint64_t checks;
	unsigned
		late_blocks; /* so many may not have been synced at the end, beside what POWER_GIVEN_UP says */
	uint64_t base_no;
	uint8_t *base; /* the fold there, packed */
	size_t base_bytes;
};

static uint8_t power_detail[EVENT_DETAIL_MAX_BYTES];

/* Event n.  Its details are valid until the next call. */
static inline struct event power_event(const struct power *power, uint64_t n)
{
	struct event event;

	if (power->starts[n])
		return (struct event){ .timestamp_ns = n * 1000,
				       .kind = EVENT_START,
				       .cpu = EVENT_CPU_NONE,
				       .arg = { power->starts[n] } };
	event = event_plain(n, 1000 + (uint32_t)(mix(n / 4) % 60));
	if (event.kind != EVENT_EXEC || n >= power->plain_from_no)
		return event;
	if (n >= power->big_from_no && n % POWER_BIG_EVERY == 1) {
		event.pid = event.tid = 10 + (uint32_t)(n / POWER_BIG_EVERY % 4);
		event_set_detail(&event, n, power_detail, POWER_BIG_BYTES);
	} else if (n % 16 == 1) {
		event_set_detail(&event, n, power_detail, 8 + 8 * (mix(n) % 32));
	}
	return event;
}

static inline bool power_event_is(const struct power *power, const struct event *event)
{
	struct event want;

	if (event->event_no == 0 || event->event_no >= POWER_EVENTS_MAX)
		return false;
	want = power_event(power, event->event_no);
	return event_same(event, &want);
}

static inline void power_fold(struct lives *lives, const struct event *event)
{
	struct life *life;
	bool folded;

	if (lives_apply(lives, event, &life, &folded) < 0)
		abort();
	lives_forget_ended(lives);
}

/* Folds the stream up to base_no, for power_digest(). */
static inline void power_base(struct power *power, uint64_t base_no)
{
	struct lives *lives = lives_new(NULL);

	if (!lives)
		abort();
	for (uint64_t n = 1; n <= base_no; n++) {
		struct event event = power_event(power, n);

		event.event_no = n;
		power_fold(lives, &event);
		power->digests[n] = lives_digest(lives);
	}
	free(power->base);
	power->base = NULL;
	power->base_no = base_no;
	if (lives_pack(lives, &power->base, &power->base_bytes) < 0)
		abort();
	lives_free(lives);
}

/* Of the fold of all events up to n. */
static inline uint64_t power_digest(const struct power *power, uint64_t n)
{
	struct lives *lives;
	uint64_t digest;

	if (n <= power->base_no)
		return power->digests[n];
	lives = lives_new(NULL);
	if (!lives || lives_unpack(lives, power->base, power->base_bytes) < 0)
		abort();
	for (uint64_t at = power->base_no + 1; at <= n; at++) {
		struct event event = power_event(power, at);

		event.event_no = at;
		power_fold(lives, &event);
	}
	digest = lives_digest(lives);
	lives_free(lives);
	return digest;
}

/* Stages events; how many there was room for. */
static inline uint64_t power_stage(const struct power *power, struct disk *disk,
				   struct ring_writer *writer, uint64_t count)
{
	struct stage *stage = ring_writer_stage(writer);

	for (uint64_t i = 0; i < count; i++) {
		struct event event = power_event(power, stage_next_event_no(stage));

		if (stage_append(stage, &event) != 0)
			return i;
		disk->appended = event.event_no;
	}
	return count;
}

/* The next event is a START of this boot. */
static inline void power_start(struct power *power, struct disk *disk, struct ring_writer *writer,
			       uint32_t boot_no)
{
	uint64_t n = stage_next_event_no(ring_writer_stage(writer));

	/* What an earlier attempt had planned for here. */
	memset(power->starts + n, 0, 2 * POWER_MORE * sizeof(power->starts[0]));
	power->starts[n] = boot_no;
	(void)power_stage(power, disk, writer, 1);
}

/* Whether the event is in the oldest blocks, which those that failed and were given up were written over. */
static inline bool power_given_up(const struct power *power, struct ring *ring, uint64_t first,
				  uint64_t event_no)
{
	const uint64_t block_no = first + POWER_OVERRUN_LEAD + POWER_GIVEN_UP + power->late_blocks;
	struct ring_block_header header;

	return ring_read_header(ring, block_no, &header) == 0 && event_no < header.first_event_no;
}

/* The very first block of a ring may be one that nobody waited for. */
static inline bool power_may_begin_late(const struct power *power, uint64_t acked_no)
{
	return power->late_blocks > 0 && acked_no == 0;
}

/* Every event from the oldest block on is there, once, right and in order, up to next_no; and the fold from the oldest keyframe (short:
 * from a newer one) has this digest.  NULL, or what is wrong. */
static inline const char *power_scan(const struct power *power, struct disk *disk, uint64_t next_no,
				     uint64_t digest, uint64_t acked_no, bool brief)
{
	struct ring *ring;
	struct ring_cursor *cursor;
	struct lives *lives = lives_new(NULL);
	struct ring_block_header header;
	const struct event *event;
	const char *wrong = NULL;
	uint64_t first, next, keyframe_no, expected = 0, from, to;
	bool fold = true;
	uint8_t *data;
	size_t bytes;
	int r;

	if (ring_open_fd(-1, &disk->io, &ring) < 0)
		return "a reader cannot open it";
	if (!lives || ring_refresh(ring, &first, &next) < 0)
		abort();
	brief = brief && next - first > 2 * POWER_SCAN_BLOCKS;
	if (ring_find_keyframe(ring, brief ? next - POWER_SCAN_BLOCKS : RING_NO_BLOCK,
			       &keyframe_no) != 0)
		wrong = "there is no whole keyframe";
	else if (ring_read_keyframe(ring, keyframe_no, &data, &bytes) != 0)
		wrong = "the oldest keyframe cannot be read";
	else if (lives_unpack(lives, data, bytes) < 0)
		wrong = "the oldest keyframe cannot be unpacked";
	if (!wrong)
		free(data);
	if (brief && !wrong)
		first = keyframe_no;
	cursor = ring_cursor_new(ring, first);
	if (!cursor)
		abort();
	while (!wrong) {
		r = ring_next(cursor, &event, &from, &to);
		if (r == RING_OVERRUN && expected == 0)
			continue; /* the oldest block, while the writer is at its slot */
		if (r == RING_END)
			break;
		if (r == RING_HOLE && (from == expected || expected == 0) && from > acked_no &&
		    to > from) {
			/* The header of a block is there, or a later block, and its events, which no sync covered, are not. */
			fold = fold && expected != 0;
			expected = to;
			continue;
		}
		if (r == RING_HOLE && power_given_up(power, ring, first, to)) {
			fold = fold && to <= lives_event_no(lives) + 1;
			expected = to;
			continue;
		}
		if (r != 0)
			wrong = r == RING_HOLE ? "there is a hole" : "a reader fails or falls back";
		else if (expected != 0 && event->event_no != expected)
			wrong = "an event comes twice or not at all";
		else if (!power_event_is(power, event))
			wrong = "an event is not the one that was staged";
		if (wrong)
			break;
		if (expected == 0 && first == 0 && power_may_begin_late(power, acked_no))
			fold = fold && event->event_no == 1;
		else if (expected == 0 &&
			 (first == 0
				  ? event->event_no != 1
				  : ring_read_header(
					    ring, first + POWER_OVERRUN_LEAD + power->late_blocks,
					    &header) == 0 &&
					    event->event_no > header.first_event_no))
			wrong = "old events are missing";
		expected = event->event_no + 1;
		if (event->event_no > lives_event_no(lives))
			power_fold(lives, event);
	}
	if (!wrong && expected != next_no)
		wrong = "the newest events are missing";
	if (!wrong && fold && lives_digest(lives) != digest)
		wrong = "the fold from the oldest keyframe is another";
	ring_cursor_free(cursor);
	ring_close(ring);
	lives_free(lives);
	return wrong;
}

struct power_case {
	const uint8_t *boot_id;
	uint64_t least_no,
		most_no; /* event up to which all must be there; and that nothing may be behind of */
};

/* What a start says, for a second one to say again. */
struct power_found {
	uint64_t next_no, staged, folded_no, digest,
		boot_no; /* no padding: they are compared as bytes */
};

static inline const char *power_open(const struct power_case *what, struct disk *disk,
				     struct ring_writer **ret_writer, struct power_found *ret_found)
{
	struct ring_opened opened;
	int r;

	disk->reads = disk->read_bytes = 0;
	r = ring_writer_open_on(fixture_path, 0, what->boot_id, &disk->io, ret_writer, &opened);
	if (r != 0)
		return r == -EIO ? "the disk failed while it was opened" : "it does not open";
	*ret_found = (struct power_found){
		.next_no = opened.next_event_no,
		.staged = stage_used_bytes(ring_writer_stage(*ret_writer)),
		.folded_no = lives_event_no(ring_writer_lives(*ret_writer)),
		.digest = lives_digest(ring_writer_lives(*ret_writer)),
		.boot_no = opened.boot_no,
	};
	return NULL;
}

/* Whether the newest blocks have a hole of events that no sync covered: a header got there, its payload and the staged events did not. */
static inline bool power_unsynced_hole(struct disk *disk, uint64_t acked_no)
{
	uint64_t first, next, from, to;
	const struct event *event;
	struct ring_cursor *cursor;
	struct ring *ring;
	bool hole = false;
	int r;

	if (ring_open_fd(-1, &disk->io, &ring) < 0 || ring_refresh(ring, &first, &next) < 0)
		abort();
	cursor = ring_cursor_new(ring, next > first + POWER_SCAN_BLOCKS ? next - POWER_SCAN_BLOCKS
									: first);
	if (!cursor)
		abort();
	while ((r = ring_next(cursor, &event, &from, &to)) >= 0 && r != RING_END)
		hole = hole || (r == RING_HOLE && from > acked_no);
	ring_cursor_free(cursor);
	ring_close(ring);
	return hole;
}

/* What must hold after a crash: see the tests.  NULL, or what is wrong.  Changes the disk, which must not be failing any more. */
static inline const char *power_check(struct power *power, struct disk *disk,
				      const struct power_case *what)
{
	struct ring_writer *writer;
	struct power_found found, again;
	uint64_t reads_max = POWER_READS_A_SLOT * (disk->bytes / RING_SLOT_BYTES);
	const char *wrong;

	disk->quiet = true;
	wrong = power_open(what, disk, &writer, &found);
	if (wrong)
		return wrong;
	if (disk->reads > reads_max || disk->read_bytes > 6 * disk->bytes)
		wrong = "opening it is not bounded";
	else if (found.next_no <= what->least_no)
		wrong = "acknowledged events are missing";
	else if (found.next_no > what->most_no + 1)
		wrong = "there are events that never were";
	else if (found.digest != power_digest(power, found.folded_no) &&
		 !power_may_begin_late(power, what->least_no) &&
		 !power_unsynced_hole(disk, what->least_no))
		wrong = "the fold is another";
	ring_writer_close(writer);
	if (wrong)
		return wrong;
	disk->changes = 0;
	wrong = power_open(what, disk, &writer, &again);
	if (wrong)
		return wrong;
	/* An event before the first START is of no boot, and one of the check's own START may follow. */
	if (memcmp(&found, &again, sizeof(found)) != 0 || disk->changes > 0)
		wrong = "a second recovery changes something";
	else {
		power->plain_from_no = found.next_no;
		power_start(power, disk, writer, (uint32_t)found.boot_no);
		if (power_stage(power, disk, writer, POWER_MORE - 1) != POWER_MORE - 1)
			wrong = "there is no room for more events";
		else if (seal_all(writer, true) < 0 || ring_writer_sync(writer) < 0)
			wrong = "more events cannot be sealed";
		else
			wrong = power_scan(power, disk, found.next_no + POWER_MORE,
					   lives_digest(ring_writer_lives(writer)), what->least_no,
					   power->checks++ % POWER_SCAN_ALL != 0);
		power->plain_from_no = UINT64_MAX;
	}
	ring_writer_close(writer);
	return wrong;
}

/* A new ring of the smallest size on a disk. */
static inline struct disk *power_ring_new(const uint8_t *boot_id, struct ring_writer **ret_writer,
					  struct ring_opened *ret_opened)
{
	struct disk *disk = disk_new(RING_MIN_BYTES);

	/* What is large is not given back to the kernel each time: it would be most of the work. */
	(void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 256 << 20);
	(void)unlink(fixture_path);
	if (ring_writer_open_on(fixture_path, RING_MIN_BYTES, boot_id, &disk->io, ret_writer,
				ret_opened) != 0)
		abort();
	return disk;
}

/* What the workers of a test have found together. */
struct power_tally {
	_Atomic uint64_t tried, failed, seen; /* seen: by the test */
};

/* Runs work(worker, count, tally) in as many processes as there are CPUs, each with a file for the ring of its own.
 * False when one of them did not end well. */
static inline bool power_workers(void (*work)(unsigned worker, unsigned count,
					      struct power_tally *tally),
				 struct power_tally **ret_tally)
{
	struct power_tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t cpus;
	unsigned count, ended = 0;
	int status;

	if (tally == MAP_FAILED || sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		abort();
	count = (unsigned)CPU_COUNT(&cpus);
	if (count > POWER_WORKERS_MAX)
		count = POWER_WORKERS_MAX;
	fflush(stdout);
	for (unsigned worker = 0; worker < count; worker++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid > 0)
			continue;
		snprintf(fixture_path, sizeof(fixture_path), "%s/ring.%u", fixture_folder, worker);
		work(worker, count, tally);
		fflush(stdout);
		_exit(0);
	}
	while (wait(&status) > 0)
		ended += WIFEXITED(status) && WEXITSTATUS(status) == 0;
	*ret_tally = tally;
	return ended == count;
}

/* The file whose name and size a writer asks for; what is in it is the disk's. */
static inline void power_file(const struct disk *disk)
{
	int fd = open(fixture_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)disk->bytes) < 0)
		abort();
	(void)close(fd);
}
