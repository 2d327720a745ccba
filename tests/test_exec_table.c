/* test_exec_table.c - from the thread that reads at an EXEC to the one that stages: the table between them, and which CPUs a lane has. */
#include "recorder/exec_table.h"

#include <pthread.h>
#include <string.h>

#include "recorder/cpus.h"
#include "recorder/exec_lane.h"
#include "schema/event.h"
#include "tests/tap.h"

static uint8_t in[EVENT_DETAIL_MAX_BYTES], out[EVENT_DETAIL_MAX_BYTES];
static size_t out_bytes;
static uint64_t read_ns;

static int take(struct exec_table *table, uint32_t seq)
{
	return exec_table_take(table, seq, out, &out_bytes, &read_ns);
}

/* A table of so many bytes, of which some are left when it is full. */
static void test_order(size_t bytes)
{
	const size_t room = bytes / sizeof(in);
	struct exec_table *table = exec_table_new(bytes);
	unsigned full = 0;

	ok(take(table, 1) == EXEC_TABLE_NOT_YET, "before anything was put, nothing is there yet");
	exec_table_put(table, 5, 77, (const uint8_t *)"five", 4);
	exec_table_put(table, 7, 78, (const uint8_t *)"seven", 5);
	exec_table_put(table, 8, 79, NULL, 0);
	ok(take(table, 4) == EXEC_TABLE_NOTHING, "a number that was passed by has nothing");
	ok(take(table, 5) == 0 && out_bytes == 4 && memcmp(out, "five", 4) == 0 && read_ns == 77,
	   "a number that was put has what was put");
	ok(take(table, 6) == EXEC_TABLE_NOTHING && take(table, 7) == 0 && out_bytes == 5,
	   "one that was not leaves the next alone");
	ok(take(table, 8) == EXEC_TABLE_NOTHING, "details that could not be had are nothing");
	ok(take(table, 9) == EXEC_TABLE_NOT_YET, "what comes next is not there yet");
	exec_table_put(table, UINT32_MAX, 1, in, 1);
	exec_table_put(table, 2, 2, in, 2);
	ok(take(table, 1) == EXEC_TABLE_NOTHING && take(table, 2) == 0 && out_bytes == 2,
	   "numbers go over 4294967295");
	for (uint32_t seq = 100; seq < 200; seq++)
		exec_table_put(table, seq, 1, in, sizeof(in));
	for (uint32_t seq = 100; seq < 200; seq++)
		full += take(table, seq) == EXEC_TABLE_NOTHING;
	ok(full == 100 - (room - 1), "what has no room is left out (%u of 100)", full);
	exec_table_put(table, 200, 1, in, sizeof(in));
	ok(take(table, 200) == 0 && out_bytes == sizeof(in), "and there is room again behind it");
	exec_table_free(table);
}

/* --- two threads --- */

enum { NUMBERS = 20000 };

static size_t bytes_of(uint32_t seq)
{
	return seq % 3 == 0 ? 0 : 1 + seq * 7 % 900;
}

static void *reader_main(void *context)
{
	static uint8_t packed[1024];

	for (uint32_t seq = 1; seq <= NUMBERS; seq++) {
		memset(packed, (int)(seq & 255), bytes_of(seq));
		exec_table_put(context, seq, seq, packed, bytes_of(seq));
	}
	return NULL;
}

static void test_threads(void)
{
	struct exec_table *table = exec_table_new(EXEC_TABLE_BYTES);
	unsigned taken = 0, nothing = 0, bad = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, reader_main, table) != 0)
		exit(1);
	for (uint32_t seq = 1; seq <= NUMBERS; seq++) {
		int r;

		while ((r = take(table, seq)) == EXEC_TABLE_NOT_YET)
			(void)sched_yield();
		if (r == EXEC_TABLE_NOTHING) {
			nothing++;
			continue;
		}
		taken++;
		bad += out_bytes != bytes_of(seq) || read_ns != seq;
		for (size_t i = 0; i < out_bytes; i++)
			bad += out[i] != (seq & 255);
	}
	(void)pthread_join(thread, NULL);
	ok(bad == 0 && taken > 0 && taken + nothing == NUMBERS && nothing >= NUMBERS / 3,
	   "one thread puts, another takes: %u whole, %u left out", taken, nothing);
	exec_table_free(table);
}

/* --- CPUs --- */

static int parsed(const char *text, struct cpus *cpus)
{
	return cpus_parse(text, strlen(text), cpus);
}

static void test_cpus(void)
{
	struct cpus cpus;
	static const char *const bad[] = { "",    "a",    "1-",
					   "3-1", "1,,2", "1,",
					   "-1",  "1 2",  "99999999999999999999" };
	unsigned refused = 0;

	ok(parsed("0-1\n", &cpus) == 0 && cpus_count(&cpus) == 2 && cpus_has(&cpus, 1) &&
		   !cpus_has(&cpus, 2),
	   "a list of CPUs is read as the kernel writes it");
	ok(parsed("3,8-10,1100", &cpus) == 0 && cpus_count(&cpus) == 5 && cpus_has(&cpus, 1100),
	   "with holes, and beyond 1024");
	ok(parsed("0-4000000000", &cpus) == 0 && cpus_count(&cpus) == GAPS_CPU_LIMIT,
	   "what is beyond the kernel's own limit is left out");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused += parsed(bad[i], &cpus) < 0;
	ok(refused == sizeof(bad) / sizeof(bad[0]), "what is no list is refused");
	ok(cpus_online(&cpus) == 0 && cpus_count(&cpus) > 0, "this machine's list is one");
}

static unsigned lane_count(const struct exec_lane_range *ranges, unsigned count, uint32_t cpu)
{
	unsigned of = 0;

	for (unsigned i = 0; i < count; i++)
		of += cpu >= ranges[i].first && cpu <= ranges[i].last;
	return of;
}

static void test_plan(void)
{
	struct exec_lane_range ranges[EXEC_LANES_MAX];
	struct cpus cpus;
	unsigned count, once = 0, most = 0;

	(void)parsed("0,2-3", &cpus);
	count = exec_lanes_plan(&cpus, ranges);
	ok(count == 3 && ranges[0].last == 0 && ranges[1].first == 2 && ranges[1].last == 2 &&
		   ranges[2].first == 3,
	   "few CPUs have a lane each");
	(void)parsed("0-15", &cpus);
	ok(exec_lanes_plan(&cpus, ranges) == 16 && ranges[15].first == 15 && ranges[15].last == 15,
	   "up to 16");
	(void)parsed("2-99", &cpus);
	count = exec_lanes_plan(&cpus, ranges);
	for (uint32_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++)
		once += lane_count(ranges, count, cpu) == 1;
	for (unsigned i = 0; i + 1 < count; i++)
		if (ranges[i].last - ranges[i].first + 1 > most)
			most = ranges[i].last - ranges[i].first + 1;
	ok(count == 16 && once == GAPS_CPU_LIMIT && most <= 9,
	   "many share lanes evenly, and every CPU that may come has one");
}

int main(void)
{
	test_order(EXEC_TABLE_BYTES);
	test_order(EXEC_TABLE_LESS_BYTES);
	test_threads();
	test_cpus();
	test_plan();
	return done_testing();
}
