/* pulse.h - tells when the kernel has fallen silent: canaries of a CPU went out, and nothing has come from it since.  Pure.
 *
 * No event is also what an idle machine sends, and a listener whom the kernel has forgotten: other sockets can bring the
 * kernel's count of listeners down to none, and then it neither sends nor numbers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pulse;

/* One canary may be lost with others, and shows as a hole in the numbers; so it takes two, the first so long ago, and the newest long
 * enough to have been there when the socket was found empty; or a third, whenever it was sent. */
enum { PULSE_UNHEARD_MIN = 2, PULSE_OLDEST_MS = 1000, PULSE_NEWEST_MS = 100 };

/* from_ns: until then all is well.  NULL when memory ran out. */
struct pulse *pulse_new(uint32_t cpus, uint64_t from_ns);
void pulse_free(struct pulse *pulse); /* NULL does nothing */

/* What is known of one CPU (those from `cpus` on are not looked at): when its newest canary was sent (0: none was), and the time of its newest
 * event (0: none came). To be told once a canary period or more often. */
void pulse_note(struct pulse *pulse, uint32_t cpu, uint64_t sent_ns, uint64_t heard_ns);

/* Whether silence is to be suspected of any CPU; to be asked when the socket has just been found empty. */
bool pulse_silent(const struct pulse *pulse, uint64_t now_ns);

/* Until when every CPU that sends canaries has been heard. */
uint64_t pulse_good_ns(const struct pulse *pulse);

/* Another socket is listened to: what was sent before is not waited for, and all is well until from_ns. */
void pulse_restart(struct pulse *pulse, uint64_t from_ns);
