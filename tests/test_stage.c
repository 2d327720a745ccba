/* test_stage.c - the staging log: order, fullness, wrap-around, resumption, damage, and two threads. */
#include "recorder/stage.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <string.h>

#include "tests/tap.h"

enum { AREA_BYTES = 65536 };

static alignas(64) uint8_t area[AREA_BYTES];
static const struct stage_start start = { .salt = 0xfeed, .tail_event_no = 1 };

/* Events of many lengths, whose fields can be told from their number alone. */
static struct event make_event(uint64_t n)
{
	static const uint8_t blob[EVENT_DETAIL_MAX_BYTES];
	struct event event = { .timestamp_ns = n * 1000, .kind = EVENT_FORK, .pid = (uint32_t)n };

	if (n % 3 == 0)
		event.kind = EVENT_CLOCK;
	if (n % 7 == 0) {
		event.detail = blob;
		event.detail_bytes = (uint32_t)(n * 131 % 3000);
	}
	return event;
}

static bool is_event(const struct event *event, uint64_t n)
{
	struct event want = make_event(n);

	return event->event_no == n && event->pid == want.pid && event->kind == want.kind &&
	       event->timestamp_ns == want.timestamp_ns && event->detail_bytes == want.detail_bytes;
}

static size_t append_until_full(struct stage *stage)
{
	for (size_t count = 0;; count++) {
		struct event event = make_event(stage_next_event_no(stage));

		if (stage_append(stage, &event) == STAGE_FULL)
			return count;
	}
}

static void test_order(void)
{
	struct stage *stage = stage_new(area, AREA_BYTES, &start);
	struct event event;
	size_t count, wrong = 0;
	uint64_t end_pos;

	ok(stage_peek(stage, &event) == STAGE_EMPTY && stage_used_bytes(stage) == 0,
	   "a fresh stage is empty");
	event = make_event(1);
	ok(stage_append(stage, &event) == 0 && event.event_no == 1,
	   "an appended event gets the next number");
	count = 1 + append_until_full(stage);
	ok(stage_used_bytes(stage) > AREA_BYTES - 4096 && stage_used_bytes(stage) <= AREA_BYTES,
	   "a full stage has used its area");
	event.event_no = 12345;
	event.detail_bytes = 0;
	while (stage_append(stage, &event) == 0)
		count++;
	ok(event.event_no != stage_next_event_no(stage), "a refused event gets no number");
	for (uint64_t n = 1; stage_peek(stage, &event) == 0; n++)
		wrong += n <= 100 && !is_event(&event, n);
	ok(wrong == 0 && event.event_no == count, "events come out in order, all %zu", count);
	stage_rewind(stage);
	ok(stage_peek(stage, &event) == 0 && event.event_no == 1,
	   "rewound, the oldest comes again");
	end_pos = stage_peek_pos(stage);
	stage_release(stage, end_pos, 2);
	event = make_event(1);
	ok(stage_append(stage, &event) == 0 && stage_append(stage, &event) == STAGE_FULL,
	   "releasing one makes room for one");
	stage_free(stage);
}

static void test_wrap(void)
{
	struct stage *stage;
	struct event event;
	uint64_t n = 1;
	size_t wrong = 0, laps = 0;

	memset(area, 0, sizeof(area));
	stage = stage_new(area, AREA_BYTES, &start);
	for (; laps < 50; laps++) {
		append_until_full(stage);
		for (; stage_peek(stage, &event) == 0; n++)
			wrong += !is_event(&event, n);
		stage_release(stage, stage_peek_pos(stage), n);
	}
	ok(wrong == 0 && n == stage_next_event_no(stage) && stage_peek_pos(stage) > 40 * AREA_BYTES,
	   "%llu events over 50 laps come out whole", (unsigned long long)n);
	stage_free(stage);
}

/* invariant 4 */
static void test_resume(void)
{
	struct stage *stage;
	struct stage_start tail = start;
	struct event event;
	size_t wrong = 0, resumed = 0;
	uint64_t n = 1;

	memset(area, 0, sizeof(area));
	for (int lap = 0; lap < 40; lap++) {
		uint64_t first = n, next;

		stage = stage_new(area, AREA_BYTES, &tail);
		append_until_full(stage);
		next = stage_next_event_no(stage);
		stage_free(stage); /* killed */
		stage = stage_new(area, AREA_BYTES, &tail);
		wrong += stage_next_event_no(stage) != next;
		for (; n < first + (next - first) / 2; n++)
			wrong += stage_peek(stage, &event) != 0 || !is_event(&event, n);
		tail.tail_pos = stage_peek_pos(stage);
		tail.tail_event_no = n;
		stage_release(stage, tail.tail_pos, n);
		stage_free(stage);
		resumed++;
	}
	ok(wrong == 0, "invariant 4: a log that was left is taken up where it ended, %zu times",
	   resumed);
	tail.salt++;
	stage = stage_new(area, AREA_BYTES, &tail);
	ok(stage_next_event_no(stage) == tail.tail_event_no && stage_used_bytes(stage) == 0,
	   "invariant 5: under another salt nothing of it counts");
	stage_free(stage);
	tail.salt--;
	tail.tail_event_no++;
	stage = stage_new(area, AREA_BYTES, &tail);
	ok(stage_used_bytes(stage) == 0, "nor under another event number");
	stage_free(stage);
}

static void test_damage(void)
{
	struct stage *stage;
	struct event event;
	uint64_t last_pos = 0, end_pos;
	size_t missed = 0, bits = 0;

	memset(area, 0, sizeof(area));
	stage = stage_new(area, AREA_BYTES, &start);
	for (int i = 0; i < 10; i++) {
		last_pos = stage_used_bytes(stage);
		event = make_event(stage_next_event_no(stage));
		(void)stage_append(stage, &event);
	}
	end_pos = stage_used_bytes(stage);
	stage_free(stage);
	for (uint64_t bit = last_pos * 8; bit < end_pos * 8; bit++, bits++) {
		area[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		stage = stage_new(area, AREA_BYTES, &start);
		missed += stage_next_event_no(stage) != 10;
		stage_free(stage);
		area[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	ok(missed == 0 && bits > 0,
	   "invariant 4: any flipped bit of the last record ends the log before it (%zu tried)",
	   bits);
	stage = stage_new(area, AREA_BYTES, &start);
	area[last_pos + 8] ^= 1; /* its event_no */
	for (int i = 0; i < 9; i++)
		(void)stage_peek(stage, &event);
	ok(stage_peek(stage, &event) == -EBADMSG,
	   "a record that is out of order is noticed while we run");
	stage_free(stage);
}

/* A hostile file: every commit word and length there is, at the tail and at the end of the area. */
static void test_hostile(void)
{
	struct stage_start at = start;
	size_t taken = 0;

	for (uint32_t word = 0; word < 1u << 17; word++) {
		uint32_t value = word < 1u << 16 ? word : EVENT_PAD | (word & 0xffff);

		at.tail_pos = word % 2 ? 0 : AREA_BYTES - 16;
		memcpy(area + at.tail_pos, &value, sizeof(value));
		struct stage *stage = stage_new(area, AREA_BYTES, &at);
		taken += stage_used_bytes(stage) > 0;
		stage_free(stage);
	}
	ok(taken == 0, "no length alone makes a record");
}

enum { THREAD_EVENTS = 200000 };

static void *appender(void *argument)
{
	struct stage *stage = argument;

	for (uint64_t n = 1; n <= THREAD_EVENTS;) {
		struct event event = make_event(n);

		if (stage_append(stage, &event) == 0)
			n++;
		else
			sched_yield();
	}
	return NULL;
}

static void test_threads(void)
{
	struct stage *stage;
	struct event event;
	pthread_t thread;
	size_t wrong = 0;

	memset(area, 0, sizeof(area));
	stage = stage_new(area, AREA_BYTES, &start);
	if (pthread_create(&thread, NULL, appender, stage) != 0)
		abort();
	for (uint64_t n = 1; n <= THREAD_EVENTS;) {
		int r = stage_peek(stage, &event);

		if (r == 0) {
			wrong += !is_event(&event, n);
			if (n++ % 64 == 0)
				stage_release(stage, stage_peek_pos(stage), n);
		} else {
			wrong += r != STAGE_EMPTY;
			stage_release(stage, stage_peek_pos(stage), n);
			sched_yield();
		}
	}
	pthread_join(thread, NULL);
	ok(wrong == 0, "%d events pass from one thread to another, whole and in order",
	   THREAD_EVENTS);
	stage_free(stage);
}

int main(void)
{
	test_order();
	test_wrap();
	test_resume();
	test_damage();
	test_hostile();
	test_threads();
	return done_testing();
}
