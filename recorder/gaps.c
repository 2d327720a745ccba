#include "recorder/gaps.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How far behind a base its CPU's events may come again: in a socket that was kept while another recorder went on; in a new one, whose first events
 * may have been there before the last run ended.  What seems to be further behind is ahead, the numbers having gone round. */
enum { BASE_REACH = 1 << 30, BASE_REACH_NEW = 1 << 20 };

/* Of the numbers that came one behind the other, so many are remembered. */
enum { RUN_MAX = 1 << 16 };

struct cpu_state {
	uint64_t timestamp_ns; /* of the event with seq */
	uint32_t seq;
	bool known;
	bool former; /* from before this start */
	bool based;
	uint32_t base_seq, base_reach; /* these are in the ledger: base_seq and so many before it */
	uint32_t run;                  /* and these: seq and so many before it, without a hole */
};

struct gaps {
	struct cpu_state cpus[GAPS_CPU_LIMIT]; /* most pages of it are never touched */
	uint64_t lost_recording, lost_down;
};

struct gaps *gaps_new(void)
{
	return calloc(1, sizeof(struct gaps));
}

void gaps_free(struct gaps *gaps)
{
	free(gaps);
}

void gaps_baseline(struct gaps *gaps, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns)
{
	if (cpu >= GAPS_CPU_LIMIT)
		return;
	gaps->cpus[cpu] = (struct cpu_state){
		.timestamp_ns = timestamp_ns,
		.seq = seq,
		.known = true,
		.former = true,
		.based = true,
		.base_seq = seq,
		.base_reach = BASE_REACH,
	};
}

void gaps_baseline_all(struct gaps *gaps)
{
	for (size_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++) {
		struct cpu_state *state = &gaps->cpus[cpu];

		if (!state->known)
			continue;
		state->former = state->based = true;
		state->base_seq = state->seq;
		state->base_reach = BASE_REACH_NEW;
	}
}

void gaps_base_all(struct gaps *gaps)
{
	for (size_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++) {
		struct cpu_state *state = &gaps->cpus[cpu];

		if (!state->known)
			continue;
		state->based = true;
		state->base_seq = state->seq;
		state->base_reach = BASE_REACH;
	}
}

void gaps_continue(struct gaps *gaps)
{
	for (size_t cpu = 0; cpu < GAPS_CPU_LIMIT; cpu++)
		if (gaps->cpus[cpu].former)
			gaps->cpus[cpu].former = false;
}

static int32_t seq_ahead(uint32_t seq, uint32_t last)
{
	return (int32_t)(seq - last);
}

bool gaps_is_newer(const struct gaps *gaps, uint32_t cpu, uint32_t seq)
{
	const struct cpu_state *state = &gaps->cpus[cpu < GAPS_CPU_LIMIT ? cpu : 0];

	return cpu >= GAPS_CPU_LIMIT || !state->known || seq_ahead(seq, state->seq) > 0;
}

bool gaps_follows(const struct gaps *gaps, uint32_t cpu, uint32_t seq)
{
	const struct cpu_state *state = &gaps->cpus[cpu < GAPS_CPU_LIMIT ? cpu : 0];

	return cpu >= GAPS_CPU_LIMIT || (state->known && seq_ahead(seq, state->seq) <= 1);
}

bool gaps_is_known(const struct gaps *gaps, uint32_t cpu, uint32_t seq)
{
	const struct cpu_state *state = &gaps->cpus[cpu < GAPS_CPU_LIMIT ? cpu : 0];

	if (cpu >= GAPS_CPU_LIMIT)
		return false;
	return (state->known && state->seq - seq <= state->run) ||
	       (state->based && state->base_seq - seq < state->base_reach);
}

/* Whether it is not newer than the last of its CPU. */
static bool is_back(const struct cpu_state *state, uint32_t seq)
{
	if (!state->known)
		return false;
	return state->former ? state->seq - seq < state->base_reach
			     : seq_ahead(seq, state->seq) <= 0;
}

/* How many came without a hole, the last excepted, when so many are missing before the next. */
static uint32_t run_of(const struct cpu_state *state, uint32_t missing)
{
	if (!state->known || missing > 0)
		return 0;
	return state->run < RUN_MAX ? state->run + 1 : RUN_MAX;
}

int gaps_feed(struct gaps *gaps, const struct event *event, struct event *ret_lost)
{
	struct cpu_state *state;
	uint32_t missing;
	int r = 0;

	if (event->cpu >= GAPS_CPU_LIMIT)
		return 0;
	state = &gaps->cpus[event->cpu];
	missing = event->seq - state->seq - 1;
	if (state->based && state->seq - state->base_seq > BASE_REACH)
		state->based = false; /* soon what is newest would not be newer than it */
	if (is_back(state, event->seq))
		return GAPS_BACK;
	if (state->known && missing > 0) {
		*ret_lost = (struct event){
			.kind = EVENT_LOST,
			.timestamp_ns = event->timestamp_ns,
			.cpu = event->cpu,
			.seq = state->seq + 1,
			.arg = { missing, state->timestamp_ns,
				 state->former ? EVENT_LOST_DOWN : EVENT_LOST_GAP },
		};
		*(state->former ? &gaps->lost_down : &gaps->lost_recording) += missing;
		r = GAPS_LOST;
	}
	state->run = run_of(state, missing);
	state->timestamp_ns = event->timestamp_ns;
	state->seq = event->seq;
	state->known = true;
	state->former = false;
	return r;
}

uint64_t gaps_last_ns(const struct gaps *gaps, uint32_t cpu)
{
	return cpu < GAPS_CPU_LIMIT && gaps->cpus[cpu].known ? gaps->cpus[cpu].timestamp_ns : 0;
}

void gaps_restart(struct gaps *gaps)
{
	memset(gaps->cpus, 0, sizeof(gaps->cpus));
}

uint64_t gaps_lost_recording(const struct gaps *gaps)
{
	return gaps->lost_recording;
}

uint64_t gaps_lost_down(const struct gaps *gaps)
{
	return gaps->lost_down;
}
