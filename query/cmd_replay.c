/* cmd_replay.c - a window once more, in the time that it took, or faster, or a key an event. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "query/event_text.h"
#include "query/sink.h"
#include "query/stream.h"
#include "schema/wire.h"

enum { REPLAY_STOPPED = 1, REPLAY_LOSS = 2 }; /* what each() ends the stream with */

enum replay_as { REPLAY_TEXT, REPLAY_JSONL, REPLAY_NETLINK };

struct replay {
	struct query *query;
	enum replay_as as;
	double speed; /* 0: as fast as it goes */
	bool step;
	bool through_loss;
	int terminal; /* for --step; -1: none */
	struct termios terminal_was;

	struct output *output;
	struct sink sink;
	struct line line;
	size_t width;
	uint64_t found, left_out;
	int error; /* of standard output, which remembers only that there was one */

	uint32_t boot_no; /* of which the pace is */
	uint64_t base_ns; /* a time stamp, and when it was shown */
	uint64_t shown_ns;
};

/* --- pace --- */

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void note_error(struct replay *replay)
{
	if (ferror_unlocked(stdout) && replay->error == 0)
		replay->error = errno ? -errno : -EIO;
}

static void show_so_far(struct replay *replay)
{
	errno = 0;
	if (replay->output)
		output_flush(replay->output);
	sink_flush(&replay->sink);
	note_error(replay);
	errno = 0;
	(void)fflush(stdout);
	note_error(replay);
}

/* Waits until it is time for this event.  Time stamps may step back a little: such events come at once. */
static void wait_until_due(struct replay *replay, const struct stream_item *item)
{
	uint64_t at_ns = item->event->timestamp_ns, due_ns;
	struct timespec due;

	if (replay->speed <= 0)
		return;
	if (replay->boot_no != item->boot_no) {
		replay->boot_no = item->boot_no;
		replay->base_ns = at_ns;
		replay->shown_ns = now_ns();
	}
	if (at_ns <= replay->base_ns)
		return;
	due_ns = replay->shown_ns + (uint64_t)((double)(at_ns - replay->base_ns) / replay->speed);
	if (due_ns <= now_ns())
		return;
	show_so_far(replay);
	due = (struct timespec){ .tv_sec = (time_t)(due_ns / 1000000000),
				 .tv_nsec = (long)(due_ns % 1000000000) };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

/* --- a key an event --- */

/* Keys come one by one, unseen, Ctrl-C as a character, so that the terminal is always put back. */
static int terminal_begin(struct replay *replay)
{
	struct termios raw;

	replay->terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (replay->terminal < 0 || tcgetattr(replay->terminal, &replay->terminal_was) < 0)
		return complain(EXIT_USAGE, "--step wants a terminal for its keys");
	raw = replay->terminal_was;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(replay->terminal, TCSANOW, &raw) < 0)
		return complain(EXIT_ERROR, "cannot read single keys: %s", strerror(errno));
	(void)fprintf(stderr, "-- any key: the next event; g: go on without keys; q: quit\n");
	return 0;
}

static void terminal_end(const struct replay *replay)
{
	if (replay->terminal < 0)
		return;
	(void)tcsetattr(replay->terminal, TCSANOW, &replay->terminal_was);
	(void)close(replay->terminal);
}

/* 0 or REPLAY_STOPPED. */
static int wait_for_key(struct replay *replay)
{
	char key = 'q';
	ssize_t n;

	show_so_far(replay);
	do
		n = read(replay->terminal, &key, 1);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || key == 'q' || key == 'Q' || key == 3 || key == 4) /* Ctrl-C, Ctrl-D */
		return REPLAY_STOPPED;
	if (key == 'g' || key == 'G')
		replay->step = false;
	return 0;
}

/* --- losses --- */

/* Whether something is missing before this event; then it is said. */
static bool loss_before(struct replay *replay, const struct stream_item *item)
{
	const struct event *event = item->event;
	char at[WHEN_TEXT_BYTES], what[96] = "";

	if (item->damage_before)
		(void)snprintf(what, sizeof(what), "events that cannot be read (damaged)");
	else if (event->kind == EVENT_LOST)
		(void)snprintf(what, sizeof(what), "%" PRIu64 " lost event%s of cpu %" PRIu32,
			       event->arg[0], event->arg[0] == 1 ? "" : "s", event->cpu);
	else if (event->kind == EVENT_BLIND)
		(void)snprintf(what, sizeof(what),
			       "a silence of the kernel, %" PRIu64 " fork%s missed", event->arg[0],
			       event->arg[0] == 1 ? "" : "s");
	else if (event->kind == EVENT_START && replay->found > 0 &&
		 (event->arg[1] & EVENT_START_SAME_BOOT) &&
		 !(event->arg[1] & EVENT_START_CONTINUED))
		(void)snprintf(what, sizeof(what), "a time when no recorder ran");
	if (!what[0])
		return false;
	query_time(replay->query, item->boot_no, event->timestamp_ns, 9, at);
	show_so_far(replay);
	(void)fprintf(stderr, "-- %s: %s%s\n", at, what,
		      replay->through_loss ? "" : "; stopped (--through-loss goes on)");
	return true;
}

/* --- the events --- */

static int show_datagram(struct replay *replay, const struct event *event)
{
	char *out = sink_room(&replay->sink, EVENT_RAW_MAX_BYTES);
	size_t bytes;

	if (!out)
		return -ENOMEM;
	if (wire_encode(event, (uint8_t *)out, EVENT_RAW_MAX_BYTES, &bytes) != 0) {
		replay->left_out++;
		return 0;
	}
	replay->sink.used += bytes;
	sink_row_end(&replay->sink);
	return 0;
}

static int show(struct replay *replay, const struct stream_item *item)
{
	switch (replay->as) {
	case REPLAY_TEXT:
		event_line(&replay->line, replay->query, item->boot_no, item->event);
		line_write(&replay->line, stdout, replay->width);
		return 0;
	case REPLAY_JSONL:
		event_row(replay->output, replay->query, item->boot_no, item->event);
		return output_error(replay->output);
	case REPLAY_NETLINK:
		return show_datagram(replay, item->event);
	}
	return 0;
}

static int each(void *context, const struct stream_item *item)
{
	struct replay *replay = context;
	int r;

	if (loss_before(replay, item) && !replay->through_loss)
		return REPLAY_LOSS;
	if (replay->step)
		r = wait_for_key(replay);
	else
		r = (wait_until_due(replay, item), 0);
	errno = 0;
	if (r == 0)
		r = show(replay, item);
	if (r == 0)
		r = replay->sink.error;
	note_error(replay);
	replay->found++;
	return replay->error < 0 ? replay->error : r;
}

/* --- the command --- */

static int read_speed(const char *text, double *ret_speed)
{
	char *end = NULL;
	double speed;

	if (!text) {
		*ret_speed = 1;
		return 0;
	}
	if (strcmp(text, "max") == 0) {
		*ret_speed = 0;
		return 0;
	}
	speed = isdigit((unsigned char)text[0]) || text[0] == '.' ? strtod(text, &end) : 0;
	if (end && *end == 'x')
		end++;
	if (!end || *end || !isfinite(speed) || speed <= 0)
		return complain(EXIT_USAGE,
				"--speed is a number like 1, 10 or 0.5, or max; not '%s'", text);
	*ret_speed = speed;
	return 0;
}

static int read_request(struct replay *replay, const struct options *options)
{
	const char *format = options->output ? options->output : "text";

	if (strcmp(format, "text") == 0)
		replay->as = REPLAY_TEXT;
	else if (strcmp(format, "jsonl") == 0)
		replay->as = REPLAY_JSONL;
	else if (strcmp(format, "netlink") == 0)
		replay->as = REPLAY_NETLINK;
	else
		return complain(EXIT_USAGE, "replay writes text, jsonl or netlink, not '%s'",
				format);
	if (replay->as == REPLAY_NETLINK && isatty(STDOUT_FILENO))
		return complain(EXIT_USAGE, "netlink is no text: send it to a file or a pipe");
	if (options->step && options->speed)
		return complain(EXIT_USAGE, "--step and --speed exclude each other");
	replay->step = options->step;
	replay->through_loss = options->through_loss;
	return read_speed(options->speed, &replay->speed);
}

static int run(struct replay *replay)
{
	int r = line_init(&replay->line);

	replay->width = terminal_width();
	sink_init(&replay->sink, stdout);
	if (r == 0 && replay->as == REPLAY_JSONL) {
		replay->output = output_new(stdout, OUTPUT_JSONL, "events", event_columns,
					    event_column_count, "");
		if (!replay->output)
			r = -ENOMEM;
	}
	if (r == 0)
		r = stream_each(replay->query, 0, each, replay);
	show_so_far(replay);
	return r >= 0 && replay->error < 0 ? replay->error : r;
}

static int finish(struct replay *replay, int stream)
{
	int r;

	if (stream < 0)
		return query_failed(replay->query, stream, "replay");
	if (replay->left_out > 0)
		(void)fprintf(stderr,
			      "-- %" PRIu64
			      " event%s of the recorder's own, and what /proc told of "
			      "programs, are not in this format\n",
			      replay->left_out, replay->left_out == 1 ? "" : "s");
	r = query_end(replay->query, replay->output, replay->found, 0);
	return stream == REPLAY_LOSS && r != EXIT_ERROR ? EXIT_INCOMPLETE : r;
}

int cmd_replay(const struct options *options)
{
	struct options own = *options;
	struct query query;
	struct replay replay = { .query = &query, .terminal = -1 };
	int r = read_request(&replay, options), stream = 0;

	if (r != 0)
		return r;
	own.format = replay.as == REPLAY_JSONL ? OUTPUT_JSONL : OUTPUT_TEXT;
	r = query_open_window(&query, &own);
	if (r == 0 && replay.step)
		r = terminal_begin(&replay);
	if (r == 0)
		stream = run(&replay);
	terminal_end(&replay);
	if (r == 0)
		r = finish(&replay, stream);
	free(replay.line.text);
	sink_clear(&replay.sink);
	output_free(replay.output);
	query_clear(&query);
	return r;
}

const char help_replay[] =
	"-o netlink writes the kernel's datagrams byte for byte, as procledgerd --input - and "
	"other\n"
	"readers of the connector take them.  replay stops where events are missing, with exit\n"
	"status 4, unless --through-loss is given.\n";
