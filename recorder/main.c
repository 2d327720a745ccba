/* main.c - procledgerd: puts the parts together and says what they have to say. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/index_keeper.h"
#include "recorder/input.h"
#include "recorder/live.h"
#include "recorder/notify.h"
#include "recorder/options.h"
#include "recorder/say.h"
#include "recorder/session.h"
#include "recorder/supervise.h"
#include "schema/version.h"

/* A machine under a storm has a long queue for its CPUs, and the recorder needs little of them, but soon. */
enum { PRIORITY = -10 };

/* How long an orderly stop may be drawn out by an index that lags: all of it is to be done within a second. */
enum { CATCH_UP_MS = 400 };

enum { LISTEN_FDS_START = 3 }; /* sd_listen_fds(3) */

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	char sentence[1024];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	/* One write a sentence: three processes share the stream. */
	(void)fprintf(stderr, "procledgerd: %s\n", sentence);
}

static int record(void *context, const struct kept *kept, ready_fn *ready, void *ready_context)
{
	const struct options *options = context;
	struct verdict verdict = { 0 };
	int code = options->input ? input_run(options, say, ready, ready_context, &verdict)
				  : live_run(options, kept, say, ready, ready_context, &verdict);

	if (verdict.sentence[0])
		say("%s", verdict.sentence);
	return code;
}

static int keep_index(void *context)
{
	const struct options *options = context;
	char ring_path[SESSION_PATH_BYTES], index_path[SESSION_PATH_BYTES];

	if (session_path(options, "ledger.ring", ring_path, sizeof(ring_path)) < 0 ||
	    session_path(options, "index.db", index_path, sizeof(index_path)) < 0)
		return VERDICT_FAILED;
	return index_keeper_run(&(struct index_keeper_setup){
		.store = options->store,
		.ring_path = ring_path,
		.index_path = index_path,
		.catch_up_ns = options->input ? UINT64_MAX : CATCH_UP_MS * UINT64_C(1000000),
		.say = say,
	});
}

int main(int argc, char **argv)
{
	struct options options;
	char message[512];
	int r = options_parse(argc, argv, getenv("PROCLEDGER_STORE"), &options, message,
			      sizeof(message));

	if (r < 0) {
		say("%s; see procledgerd --help", message);
		return VERDICT_USAGE;
	}
	if (r == OPTIONS_HELP)
		(void)fputs(options_help(), stdout);
	if (r == OPTIONS_VERSION)
		(void)puts("procledgerd " PROCLEDGER_VERSION);
	if (r > 0)
		return fflush(stdout) == 0 ? VERDICT_OK : VERDICT_FAILED;
	(void)umask(0027);
	if (!options.input)
		(void)setpriority(PRIO_PROCESS, 0, PRIORITY);
	return supervise_run(&(struct supervise_setup){
		.record = record,
		.index = options.ring_only ? NULL : keep_index,
		.context = &options,
		.kept = notify_take(getenv("LISTEN_PID"), getenv("LISTEN_FDS"),
				    getenv("LISTEN_FDNAMES"), getpid(), LISTEN_FDS_START),
		.notify_socket = getenv("NOTIFY_SOCKET"),
		.index_counts = options.input != NULL,
		.say = say,
	});
}
