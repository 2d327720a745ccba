#include "recorder/pulse.h"

#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)

struct cpu_pulse {
	uint64_t oldest_ns,
		newest_ns; /* canaries that have not been heard; newest_ns: or the last that was */
	uint64_t heard_ns;
	uint32_t unheard;
};

struct pulse {
	uint64_t from_ns;
	uint32_t count;
	struct cpu_pulse cpus[];
};

struct pulse *pulse_new(uint32_t cpus, uint64_t from_ns)
{
	struct pulse *pulse = calloc(1, sizeof(*pulse) + cpus * sizeof(pulse->cpus[0]));

	if (pulse) {
		pulse->count = cpus;
		pulse->from_ns = from_ns;
	}
	return pulse;
}

void pulse_free(struct pulse *pulse)
{
	free(pulse);
}

void pulse_note(struct pulse *pulse, uint32_t cpu, uint64_t sent_ns, uint64_t heard_ns)
{
	struct cpu_pulse *of = &pulse->cpus[cpu < pulse->count ? cpu : 0];

	if (cpu >= pulse->count)
		return;
	if (heard_ns > of->heard_ns)
		of->heard_ns = heard_ns;
	if (sent_ns > of->newest_ns && sent_ns >= pulse->from_ns) {
		if (of->unheard == 0)
			of->oldest_ns = sent_ns;
		of->newest_ns = sent_ns;
		of->unheard++;
	}
	/* Whatever came after the newest one: the CPU is heard.  Where only an older one came, the newer ones are waited for. */
	if (of->heard_ns >= of->newest_ns) {
		of->unheard = 0;
	} else if (of->unheard > 1 && of->heard_ns >= of->oldest_ns) {
		of->unheard = 1;
		of->oldest_ns = of->newest_ns;
	}
}

bool pulse_silent(const struct pulse *pulse, uint64_t now_ns)
{
	for (uint32_t cpu = 0; cpu < pulse->count; cpu++) {
		const struct cpu_pulse *of = &pulse->cpus[cpu];

		if (of->unheard >= PULSE_UNHEARD_MIN &&
		    now_ns >= of->oldest_ns + PULSE_OLDEST_MS * NS_PER_MS &&
		    (of->unheard > PULSE_UNHEARD_MIN ||
		     now_ns >= of->newest_ns + PULSE_NEWEST_MS * NS_PER_MS))
			return true;
	}
	return false;
}

uint64_t pulse_good_ns(const struct pulse *pulse)
{
	uint64_t good_ns = UINT64_MAX;

	for (uint32_t cpu = 0; cpu < pulse->count; cpu++) {
		const struct cpu_pulse *of = &pulse->cpus[cpu];
		uint64_t heard_ns = of->heard_ns > pulse->from_ns ? of->heard_ns : pulse->from_ns;

		if (of->newest_ns != 0 && heard_ns < good_ns)
			good_ns = heard_ns;
	}
	return good_ns == UINT64_MAX ? pulse->from_ns : good_ns;
}

void pulse_restart(struct pulse *pulse, uint64_t from_ns)
{
	pulse->from_ns = from_ns;
	for (uint32_t cpu = 0; cpu < pulse->count; cpu++)
		pulse->cpus[cpu].unheard = 0;
}
