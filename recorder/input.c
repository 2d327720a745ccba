#include "recorder/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recorder/session.h"
#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/wire.h"

enum { CHUNK_BYTES = 1 << 18 };

enum { INPUT_CUT = 1, INPUT_FOREIGN = 2 }; /* how a stream that is not whole ends */

struct input {
	struct session session;
	const char *name;
	int fd;
	uint8_t *buffer; /* CHUNK_BYTES */
	size_t begin, end;
	uint64_t offset; /* of buffer[begin] in the stream */
	bool at_end;     /* of the file */

	bool started;        /* START of the present boot is staged */
	uint64_t boot_count; /* intake_count() when it was */
};

/* --- reading --- */

/* Moves what is left to the front and reads more behind it.  0, -errno, or -EINTR after a signal. */
static int buffer_fill(struct input *input)
{
	struct pollfd waits[] = {
		{ .fd = input->session.signal_fd, .events = POLLIN },
		{ .fd = input->fd, .events = POLLIN },
	};
	ssize_t n;

	memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
	input->end -= input->begin;
	input->begin = 0;
	do {
		if (poll(waits, 2, -1) > 0 && waits[0].revents && session_rest(&input->session, 0))
			return -EINTR;
		n = read(input->fd, input->buffer + input->end, CHUNK_BYTES - input->end);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return -errno;
	input->at_end = n == 0;
	input->end += (size_t)n;
	return 0;
}

/* How long the next datagram is.  0 and *ret_bytes, which are in the buffer (0 bytes: end of the stream); INPUT_CUT, INPUT_FOREIGN; -errno. */
static int datagram_next(struct input *input, size_t *ret_bytes)
{
	for (;;) {
		const uint8_t *at = input->buffer + input->begin;
		size_t available = input->end - input->begin, bytes = 0;
		int r = wire_length(at, available, &bytes);
		le32 nlmsg_len;

		if (r < 0)
			return INPUT_FOREIGN;
		if (r == 0) {
			*ret_bytes = bytes;
			return 0;
		}
		if (!input->at_end) {
			r = buffer_fill(input);
			if (r < 0)
				return r;
			continue;
		}
		/* The last datagram may lack what would fill it up to a multiple of 4. */
		if (available >= WIRE_NLMSG_BYTES) {
			memcpy(&nlmsg_len, at, sizeof(nlmsg_len));
			if (le32_get(nlmsg_len) > available)
				return INPUT_CUT;
		}
		if (available > 0 && available < WIRE_NLMSG_BYTES)
			return INPUT_CUT;
		*ret_bytes = available;
		return 0;
	}
}

/* --- recording --- */

/* The stream begins, or another one does.  Its clock begins with its first event. */
static int boot_begin(struct input *input, uint64_t timestamp_ns)
{
	input->started = true;
	input->boot_count = intake_count(input->session.intake);
	return session_stage_start(&input->session, timestamp_ns, 0);
}

static int boot_end(struct input *input)
{
	const struct intake *intake = input->session.intake;

	if (!input->started)
		return 0;
	return session_stage_stop(&input->session, intake_last_ns(intake),
				  intake_count(intake) - input->boot_count, 0);
}

/* On one CPU a number is not newer than the last: within one boot that cannot be, so captures have been put one behind the other. */
static int boot_change(struct input *input, uint64_t timestamp_ns)
{
	struct session *session = &input->session;
	int r = boot_end(input);

	if (r == 0)
		r = sealer_next_boot(session->sealer, &session->boot_no);
	if (r < 0)
		return r;
	gaps_restart(session->gaps);
	return boot_begin(input, timestamp_ns);
}

static int datagram_take(struct input *input, const uint8_t *datagram, size_t bytes)
{
	struct event event;

	if (!input->started) {
		int r = wire_decode(datagram, bytes, &event);

		if (r != 0)
			return INPUT_FOREIGN;
		r = boot_begin(input, event.timestamp_ns);
		if (r < 0)
			return r;
	}
	for (unsigned waits = 0;; waits++) {
		int r = intake_take(input->session.intake, datagram, bytes, NULL);

		if (r == 0)
			return 0;
		if (r == INTAKE_FULL) {
			r = session_wait_room(&input->session, waits);
		} else if (r == INTAKE_BACK) {
			r = wire_decode(datagram, bytes, &event) == 0
				    ? boot_change(input, event.timestamp_ns)
				    : -EBADMSG;
		} else {
			return INPUT_FOREIGN;
		}
		if (r < 0)
			return r;
	}
}

static int stream_take(struct input *input)
{
	for (;;) {
		size_t bytes;
		int r = datagram_next(input, &bytes);

		if (r != 0 || bytes == 0)
			return r;
		r = datagram_take(input, input->buffer + input->begin, bytes);
		if (r != 0)
			return r;
		input->begin += bytes;
		input->offset += bytes;
	}
}

/* --- the run --- */

static int outcome(const struct input *input, int r, int end, struct verdict *ret_verdict)
{
	const char *name = input->name;
	uint64_t count = intake_count(input->session.intake);

	if (end < 0)
		return verdict_set(
			ret_verdict, VERDICT_FAILED,
			"the ring of %s cannot be written: %s; not all of %s is recorded",
			input->session.options->store, strerror(-end), name);
	if (r == INPUT_CUT)
		return verdict_set(ret_verdict, VERDICT_FAILED,
				   "%s ends in the middle of a datagram at offset %" PRIu64
				   "; the %" PRIu64 " before it are recorded",
				   name, input->offset, count);
	if (r == INPUT_FOREIGN)
		return verdict_set(ret_verdict, VERDICT_FAILED,
				   "%s holds something else than a datagram of the proc connector "
				   "at offset %" PRIu64 "; the %" PRIu64 " before it are recorded",
				   name, input->offset, count);
	if (r == -EINTR)
		return verdict_set(ret_verdict, VERDICT_FAILED,
				   "ended by a signal at offset %" PRIu64 " of %s; the %" PRIu64
				   " datagrams before it are recorded",
				   input->offset, name, count);
	if (r < 0)
		return verdict_set(ret_verdict, VERDICT_FAILED,
				   "cannot read %s at offset %" PRIu64 ": %s; the %" PRIu64
				   " datagrams before it are recorded",
				   name, input->offset, strerror(-r), count);
	return verdict_set(ret_verdict, VERDICT_OK, "%s", "");
}

static int record(struct input *input, struct verdict *ret_verdict)
{
	int r = stream_take(input), end = sealer_failure(input->session.sealer);

	if (end == 0)
		end = boot_end(input);
	if (end == 0)
		end = session_end(&input->session);
	return outcome(input, r, end, ret_verdict);
}

int input_run(const struct options *options, say_fn *say, ready_fn *ready, void *context,
	      struct verdict *ret_verdict)
{
	const bool from_stdin = strcmp(options->input, "-") == 0;
	auto_close int fd =
		from_stdin ? dup(STDIN_FILENO) : open(options->input, O_RDONLY | O_CLOEXEC);
	auto_free uint8_t *buffer = NULL;
	struct input input = {
		.name = from_stdin ? "standard input" : options->input,
		.fd = fd,
	};
	int r;

	if (fd < 0)
		return verdict_set(ret_verdict, VERDICT_FAILED, "cannot open %s: %s", input.name,
				   strerror(errno));
	input.buffer = buffer = malloc(CHUNK_BYTES);
	if (!buffer)
		return verdict_set(ret_verdict, VERDICT_FAILED, "memory ran out");
	/* Asked before a ring is made for nothing: a folder can be opened, and not read. */
	if (read(fd, buffer, 0) < 0)
		return verdict_set(ret_verdict, VERDICT_FAILED, "cannot read %s: %s", input.name,
				   strerror(errno));
	r = session_open(&input.session, options, NULL, NULL, say, ret_verdict);
	if (r == 0) {
		ready(context, &KEPT_NONE);
		r = record(&input, ret_verdict);
	}
	session_close(&input.session);
	return r;
}
