#include "recorder/refusal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "recorder/connector.h"

/* Numbers of the initial namespaces, the same on every kernel since 3.8: include/linux/proc_ns.h, PROC_*_INIT_INO. */
#define INITIAL_USER 0xeffffffdul
#define INITIAL_PID  0xeffffffcul

/* 1: /proc/self/ns/NAME is namespace `initial`; 0: another; -1: not to be told. */
static int is_namespace(const char *path, unsigned long initial)
{
	char text[64] = { 0 }, *number, *end;
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	unsigned long found;

	number = n > 0 ? strchr(text, '[') : NULL;
	if (!number)
		return -1;
	found = strtoul(number + 1, &end, 10);
	return *end == ']' ? found == initial : -1;
}

void refusal_read(struct refusal_facts *ret_facts)
{
	struct refusal_facts facts = {
		.initial_pid = is_namespace("/proc/self/ns/pid", INITIAL_PID),
		.initial_user = is_namespace("/proc/self/ns/user", INITIAL_USER),
	};
	struct utsname name;

	if (uname(&name) == 0)
		(void)snprintf(facts.release, sizeof(facts.release), "%.64s", name.release);
	*ret_facts = facts;
}

static int explain_silence(const struct refusal_facts *facts, struct verdict *ret_verdict)
{
	if (facts->initial_user == 0)
		return verdict_set(
			ret_verdict, VERDICT_NO_KERNEL,
			"the kernel does not answer a request for process events from a user "
			"namespace: start procledgerd in the initial one (on the host, without "
			"user namespace remapping)");
	if (facts->initial_pid == 0)
		return verdict_set(
			ret_verdict, VERDICT_NO_KERNEL,
			"the kernel does not answer a request for process events from a pid "
			"namespace: start procledgerd on the host, or in a container that shares "
			"the host's pid namespace");
	return verdict_set(ret_verdict, VERDICT_NO_KERNEL,
			   "the kernel (%s) did not answer the request for process events within "
			   "%d ms: either it is built without CONFIG_PROC_EVENTS, or this is not "
			   "the initial pid and user namespace",
			   facts->release, CONNECTOR_ACK_MS);
}

int refusal_explain(int outcome, const struct refusal_facts *facts, struct verdict *ret_verdict)
{
	switch (outcome) {
	case CONNECTOR_NO_PERMISSION:
		return verdict_set(ret_verdict, VERDICT_NO_PERMISSION,
				   "listening to process events needs the capability CAP_NET_ADMIN "
				   "on this kernel (%s): start procledgerd as root",
				   facts->release);
	case CONNECTOR_NO_PROTOCOL:
		return verdict_set(ret_verdict, VERDICT_NO_KERNEL,
				   "this kernel (%s) has no connector sockets: it needs "
				   "CONFIG_CONNECTOR and CONFIG_PROC_EVENTS",
				   facts->release);
	case CONNECTOR_NO_LISTENER:
		return verdict_set(
			ret_verdict, VERDICT_NO_KERNEL,
			"the kernel gives process events only in the initial network namespace, "
			"and this is another one: start procledgerd on the host, or in a "
			"container that shares the host's network");
	case CONNECTOR_NO_ACK:
		return explain_silence(facts, ret_verdict);
	case CONNECTOR_REFUSED:
		return verdict_set(ret_verdict, VERDICT_NO_KERNEL,
				   "the kernel (%s) refused the request for process events",
				   facts->release);
	case CONNECTOR_OTHER_CLOCK:
		return verdict_set(
			ret_verdict, VERDICT_NO_KERNEL,
			"the kernel's process events carry the time of the initial time "
			"namespace, and this is another one: start procledgerd on the host, or "
			"in a container that shares the host's time namespace");
	default:
		return verdict_set(ret_verdict, VERDICT_FAILED,
				   "cannot open the socket for process events: %s",
				   strerror(-outcome));
	}
}
