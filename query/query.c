#include "query/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "query/escape.h"
#include "schema/cleanup.h"

/* A sentence may quote what was typed, or what an index says. */
int complain(int code, const char *format, ...)
{
	char sentence[1024];
	va_list arguments;

	(void)fflush(stdout);
	(void)fputs("procledger: ", stderr);
	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	output_escaped(stderr, sentence, strlen(sentence));
	(void)fputc('\n', stderr);
	return code;
}

/* Asked for every line of an answer, and localtime(3) is slow. */
static int32_t local_offset(void *context, int64_t utc_s)
{
	struct query *query = context;
	time_t time = (time_t)utc_s;
	struct tm tm;

	if (utc_s / 900 != query->offset_bucket) {
		query->offset_s = localtime_r(&time, &tm) ? (int32_t)tm.tm_gmtoff : 0;
		query->offset_bucket = utc_s / 900;
	}
	return query->offset_s;
}

/* A pipe is read into memory, as a ring is read here and there.  Only this many bytes: a ring has at most 1 TiB, a pipe none of that. */
#define PIPED_RING_MAX_BYTES (UINT64_C(4) << 30)

static int ring_from_pipe(struct query *query)
{
	static char bytes[1 << 16];
	uint64_t total = 0;
	ssize_t got;

	query->ring_fd = memfd_create("ledger.ring", MFD_CLOEXEC);
	if (query->ring_fd < 0)
		return complain(EXIT_ERROR, "no memory for the ring: %s", strerror(errno));
	while ((got = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0, put; at < got; at += put) {
			put = write(query->ring_fd, bytes + at, (size_t)(got - at));
			if (put <= 0)
				return complain(EXIT_ERROR, "no memory for the ring: %s",
						strerror(errno));
		}
		total += (uint64_t)got;
		if (total > PIPED_RING_MAX_BYTES)
			return complain(EXIT_ERROR, "the ring on standard input is too large");
	}
	if (got < 0)
		return complain(EXIT_ERROR, "cannot read the ring on standard input: %s",
				strerror(errno));
	(void)snprintf(query->ring_path, sizeof(query->ring_path), "/proc/self/fd/%d",
		       query->ring_fd);
	return 0;
}

/* Nothing of the store is used then: an index beside a foreign ring says nothing. */
static int ring_elsewhere(struct query *query)
{
	const char *path = query->options->from_ring;

	if (strcmp(path, "-") == 0)
		return ring_from_pipe(query);
	if (snprintf(query->ring_path, sizeof(query->ring_path), "%s", path) >=
	    (int)sizeof(query->ring_path))
		return complain(EXIT_USAGE, "the path of the ring is too long");
	return 0;
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
	progress_show(context, done, total);
}

/* The C library knows zones by $TZ alone. */
static bool zone_offset(void *context, const char *zone, int64_t utc_s, int32_t *ret_s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
	const char *tz = getenv("TZ");
	auto_free char *before = tz ? strdup(tz) : NULL;
	time_t time = (time_t)utc_s;
	char path[128];
	struct tm tm;

	(void)context;
	if (strspn(zone, letters) != strlen(zone) ||
	    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone) >= (int)sizeof(path) ||
	    access(path, R_OK) < 0 || (tz && !before))
		return false;
	(void)setenv("TZ", zone, 1);
	tzset();
	*ret_s = localtime_r(&time, &tm) ? (int32_t)tm.tm_gmtoff : 0;
	if (before)
		(void)setenv("TZ", before, 1);
	else
		(void)unsetenv("TZ");
	tzset();
	return true;
}

int query_init(struct query *query, const struct options *options)
{
	struct timespec now, since_boot;
	char folder[PATH_MAX];

	*query = (struct query){ .options = options, .ring_fd = -1 };
	(void)clock_gettime(CLOCK_REALTIME, &now);
	query->here.now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	if (clock_gettime(CLOCK_BOOTTIME, &since_boot) == 0)
		query->here.boot_ns = query->here.now_ns -
				      (uint64_t)since_boot.tv_sec * 1000000000 -
				      (uint64_t)since_boot.tv_nsec;
	query->here.zone_offset_s = zone_offset;
	query->here.utc_offset_s = options->utc ? NULL : local_offset;
	query->here.context = query;
	query->offset_bucket = INT64_MIN;
	tzset();
	if (options->from_ring)
		return ring_elsewhere(query);
	/* The store may be reached over a symbolic link, the index itself may not be one. */
	if (!realpath(options->store, folder))
		(void)snprintf(folder, sizeof(folder), "%s", options->store);
	if (snprintf(query->ring_path, sizeof(query->ring_path), "%s/ledger.ring",
		     options->store) >= (int)sizeof(query->ring_path) ||
	    snprintf(query->index_path, sizeof(query->index_path), "%s/index.db", folder) >=
		    (int)sizeof(query->index_path))
		return complain(EXIT_USAGE, "the path of the store is too long");
	return 0;
}

static const char *ring_name(const struct query *query)
{
	const char *path = query->options->from_ring;

	return path && strcmp(path, "-") == 0 ? "standard input" : query->ring_path;
}

int query_failed(const struct query *query, int error, const char *doing)
{
	if (ferror(stdout) && error != -EPIPE)
		return complain(EXIT_ERROR, "cannot write the answer: %s", strerror(-error));
	switch (error) {
	case -EPIPE:
		return EXIT_FOUND;
	case -ENOENT:
		if (query->options->from_ring)
			return complain(EXIT_ERROR, "there is no file %s",
					query->options->from_ring);
		return complain(EXIT_ERROR, "there is no ledger in %s: procledgerd makes it",
				query->options->store);
	case -EACCES:
		if (query->options->from_ring)
			return complain(EXIT_ERROR, "you may not read %s",
					query->options->from_ring);
		return complain(EXIT_ERROR,
				"you may not read the ledger in %s: its owner and group may",
				query->options->store);
	case -EBADMSG:
		return complain(EXIT_ERROR, "%s is not a ledger, or is damaged beyond use",
				ring_name(query));
	case -EPROTONOSUPPORT:
		return complain(EXIT_ERROR, "%s was written by a newer version of procledger",
				ring_name(query));
	default:
		return complain(EXIT_ERROR, "cannot %s %s: %s", doing, ring_name(query),
				strerror(-error));
	}
}

int query_open(struct query *query, const struct options *options)
{
	int r = query_init(query, options);

	if (r != 0)
		return r;
	r = ledger_open(query->ring_path, &query->ledger);
	if (r < 0)
		return query_failed(query, r, "open");
	query->ledger->progress = show_progress;
	query->ledger->progress_context = &query->progress;
	query->clocks = clocks_new(query->ledger);
	if (!query->clocks)
		return query_failed(query, -ENOMEM, "read");
	return 0;
}

int query_open_window(struct query *query, const struct options *options)
{
	char message[WINDOW_MESSAGE_BYTES] = "";
	int r = query_open(query, options);

	if (r != 0)
		return r;
	if (select_resolve(&options->select, &query->here, message) < 0)
		return complain(EXIT_USAGE, "%s", message);
	r = window_init(&query->window, query->ledger, query->clocks, &options->window,
			&query->here, query_recorder_runs(query) == 1, message);
	if (r == WINDOW_USAGE)
		return complain(EXIT_USAGE, "%s", message);
	if (r == WINDOW_NO_BOOT)
		return complain(EXIT_NOTHING, "%s", message);
	if (r == 0 && query->window.ambiguous && !options->quiet)
		(void)fprintf(stderr,
			      "-- clocks showed that local time twice: the answer is for both "
			      "(give a zone such as +02:00 to choose)\n");
	return r < 0 ? query_failed(query, r, "read") : 0;
}

int query_reopen(struct query *query)
{
	char message[WINDOW_MESSAGE_BYTES] = "";
	struct window window = { 0 };
	struct clocks *clocks = NULL;
	struct ledger *ledger;
	int r = ledger_open(query->ring_path, &ledger);

	if (r < 0)
		return r;
	clocks = clocks_new(ledger);
	r = clocks ? window_init(&window, ledger, clocks, &query->options->window, &query->here,
				 query_recorder_runs(query) == 1, message)
		   : -ENOMEM;
	if (r < 0) {
		clocks_free(clocks);
		ledger_close(ledger);
		return r;
	}
	window.from_no = query->window.from_no;
	window_clear(&query->window);
	clocks_free(query->clocks);
	ledger_close(query->ledger);
	query->window = window; /* of nothing, when the boot that was asked for is gone */
	query->clocks = clocks;
	query->ledger = ledger;
	return 0;
}

int query_window_all(struct query *query)
{
	static const struct window_request all = { .boot = "all" };
	char message[WINDOW_MESSAGE_BYTES] = "";
	int r = window_init(&query->window, query->ledger, query->clocks, &all, &query->here, false,
			    message);

	return r < 0 ? query_failed(query, r, "read") : r;
}

void query_clear(struct query *query)
{
	if (query->completeness_known)
		completeness_clear(&query->completeness);
	window_clear(&query->window);
	clocks_free(query->clocks);
	ledger_close(query->ledger);
	if (query->ring_fd >= 0)
		(void)close(query->ring_fd);
	query->ring_fd = -1;
	query->clocks = NULL;
	query->ledger = NULL;
}

void query_time(struct query *query, uint32_t boot_no, uint64_t timestamp_ns, unsigned digits,
		char out[WHEN_TEXT_BYTES])
{
	uint64_t wall_ns;

	if (clocks_wall(query->clocks, boot_no, timestamp_ns, &wall_ns) == 0)
		when_format(wall_ns, digits, &query->here, out);
	else
		when_format_mono(timestamp_ns, out);
}

/* /proc/locks shows who holds what without taking the lock, which a recorder that starts just now would find taken. */
int query_recorder_pid(const struct query *query)
{
	auto_fclose FILE *locks = fopen("/proc/locks", "re");
	struct stat status;
	char line[256];

	if (stat(query->ring_path, &status) < 0)
		return -errno;
	if (!locks)
		return -errno;
	while (fgets(line, sizeof(line), locks)) {
		unsigned major, minor;
		uint64_t inode;
		char type[16], access[16];
		int pid;

		if (sscanf(line, "%*u: %15s %*s %15s %d %x:%x:%" SCNu64, type, access, &pid, &major,
			   &minor, &inode) == 6 &&
		    strcmp(type, "FLOCK") == 0 && strcmp(access, "WRITE") == 0 &&
		    major == major(status.st_dev) && minor == minor(status.st_dev) &&
		    inode == status.st_ino)
			return pid > 0 ? pid : INT_MAX; /* of another pid namespace */
	}
	return 0;
}

int query_recorder_runs(const struct query *query)
{
	int pid = query_recorder_pid(query);

	return pid > 0 ? 1 : pid;
}

uint64_t query_bytes_missing(const struct query *query)
{
	uint64_t wanted = ring_super(query->ledger->ring)->file_bytes;
	struct stat status;

	if (stat(query->ring_path, &status) < 0 || (uint64_t)status.st_size >= wanted)
		return 0;
	return wanted - (uint64_t)status.st_size;
}

/* Canaries leave an event each second. */
#define STALLED_AFTER_NS (UINT64_C(5) * 1000000000)

/* Without dashes. */
static bool boot_id_read(char out[2 * RING_UUID_BYTES + 1])
{
	auto_fclose FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	size_t used = 0;
	int c;

	while (file && (c = fgetc(file)) != EOF && used < 2 * RING_UUID_BYTES) {
		if (c != '-')
			out[used++] = (char)c;
	}
	out[used] = '\0';
	return used == 2 * RING_UUID_BYTES;
}

/* Whether the recorder that holds the ring had left nothing in it for a while when it was opened, as one that is stopped, or that waits
 * for its disk.  Of a boot that is not this machine's it has left nothing at all. */
static bool recorder_stalled(const struct query *query)
{
	const struct ledger *ledger = query->ledger;
	char here[2 * RING_UUID_BYTES + 1], newest[2 * RING_UUID_BYTES + 1];
	const struct ledger_boot *boot;

	if (ledger->boot_count == 0 || !boot_id_read(here))
		return false;
	boot = &ledger->boots[ledger->boot_count - 1];
	newest[escape_hex(boot->boot_id, RING_UUID_BYTES, newest)] = '\0';
	return !boot->imported && (strcmp(here, newest) != 0 ||
				   ledger->opened_ns > boot->ts_max_ns + STALLED_AFTER_NS);
}

/* --- how an answer ends --- */

static void grouped(uint64_t number, char out[32])
{
	char digits[24];
	int bytes = snprintf(digits, sizeof(digits), "%" PRIu64, number), used = 0;

	for (int i = 0; i < bytes; i++) {
		if (i > 0 && (bytes - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}

static void say_between(struct query *query, const struct missing *missing)
{
	char from[WHEN_TEXT_BYTES] = "", to[WHEN_TEXT_BYTES] = "";
	bool from_known = missing->from_boot && missing->from_ns > 0;
	bool to_known = missing->to_boot && missing->to_ns < UINT64_MAX;

	if (from_known)
		query_time(query, missing->from_boot, missing->from_ns, 6, from);
	if (to_known)
		query_time(query, missing->to_boot, missing->to_ns, 6, to);
	if (from_known && to_known)
		(void)fprintf(stderr, " between %s and %s", from, to);
	else if (to_known)
		(void)fprintf(stderr, " before %s", to);
	else if (from_known)
		(void)fprintf(stderr, " after %s", from);
}

static void say_missing(struct query *query, const struct missing *missing)
{
	char count[32];

	grouped(missing->count, count);
	switch (missing->reason) {
	case MISSING_LOST:
		(void)fprintf(stderr, "%s event%s lost on cpu %" PRIu32, count,
			      missing->count == 1 ? "" : "s", missing->cpu);
		break;
	case MISSING_BLIND:
		(void)fprintf(stderr, "the kernel was silent, %s fork%s missed", count,
			      missing->count == 1 ? "" : "s");
		break;
	case MISSING_DOWN:
		(void)fprintf(stderr, "no recorder ran");
		break;
	case MISSING_OVERWRITTEN:
		(void)fprintf(stderr, "%s older event%s overwritten", count,
			      missing->count == 1 ? "" : "s");
		break;
	case MISSING_NO_KEYFRAME:
		(void)fprintf(stderr, "who already lived is not known");
		break;
	case MISSING_DAMAGED:
		(void)fprintf(stderr, "%s event%s cannot be read (damaged)", count,
			      missing->count == 1 ? "" : "s");
		break;
	case MISSING_STALLED:
		(void)fprintf(stderr, "the recorder has recorded nothing");
		break;
	case MISSING_DOUBT:
		(void)fprintf(stderr, "who lived may be wrong: %s event%s lost", count,
			      missing->count == 1 ? " was" : "s were");
		break;
	case MISSING_FUTURE:
		(void)fprintf(stderr, "nothing is known yet");
		break;
	case MISSING_ALL:
		(void)fprintf(stderr, "nothing was recorded");
		break;
	case MISSING_CUT:
		(void)fprintf(stderr, "the ledger's file is cut short: nothing is known");
		break;
	}
	say_between(query, missing);
}

static bool is_complete(const struct query *query)
{
	return query->completeness.count == 0 && query->index_lag == 0 && !query->ancestors_unknown;
}

/* The boot whose whole was asked for, of which no more is meant than what was recorded; else NULL.  Between two boots nobody knows. */
static const struct ledger_boot *whole_boot(const struct query *query)
{
	const struct window *window = &query->window;

	return window->boot_count == 1 && !window->since_given && !window->until_given
		       ? window->boots[0].boot
		       : NULL;
}

static void say_complete(struct query *query)
{
	const struct ledger_boot *boot = whole_boot(query);
	char from[WHEN_TEXT_BYTES], to[WHEN_TEXT_BYTES];

	if (!boot) {
		(void)fprintf(stderr, "-- complete\n");
		return;
	}
	query_time(query, boot->boot_no, completeness_begin_ns(query->ledger, boot), 6, from);
	query_time(query, boot->boot_no, boot->ts_max_ns, 6, to);
	(void)fprintf(stderr, "-- complete from %s to %s\n", from, to);
}

static void say_completeness(struct query *query)
{
	const struct completeness *completeness = &query->completeness;
	const char *between = "";
	char lag[32];

	if (is_complete(query)) {
		if (!query->options->quiet)
			say_complete(query);
		return;
	}
	(void)fprintf(stderr, "-- incomplete: ");
	if (query->index_lag > 0) {
		grouped(query->index_lag, lag);
		(void)fprintf(stderr, "the index lacks the newest %s event%s", lag,
			      query->index_lag == 1 ? "" : "s");
		between = "; ";
	}
	if (query->ancestors_unknown) {
		(void)fprintf(stderr, "%smore may belong to the family, by ancestors not known",
			      between);
		between = "; ";
	}
	for (size_t i = 0; i < completeness->count; i++, between = "; ") {
		(void)fprintf(stderr, "%s", between);
		say_missing(query, &completeness->missing[i]);
	}
	(void)fprintf(stderr, "\n");
}

static void json_time(struct query *query, const char *edge, uint32_t boot_no, uint64_t ns,
		      bool known)
{
	uint64_t wall_ns;

	if (!known) {
		printf(",\"%s_ns\":null,\"%s_wall_ns\":null", edge, edge);
		return;
	}
	printf(",\"%s_ns\":%" PRIu64, edge, ns);
	if (clocks_wall(query->clocks, boot_no, ns, &wall_ns) == 0)
		printf(",\"%s_wall_ns\":%" PRIu64, edge, wall_ns);
	else
		printf(",\"%s_wall_ns\":null", edge);
}

static void json_missing(struct query *query, const struct missing *missing)
{
	uint32_t boot_no = missing->to_boot ? missing->to_boot : missing->from_boot;

	printf("{\"reason\":\"%s\",\"boot\":%" PRIu32, missing_word(missing->reason), boot_no);
	if (missing->cpu != EVENT_CPU_NONE)
		printf(",\"cpu\":%" PRIu32, missing->cpu);
	if (missing->count > 0)
		printf(",\"count\":%" PRIu64, missing->count);
	json_time(query, "from", missing->from_boot, missing->from_ns,
		  missing->from_boot && missing->from_ns > 0);
	json_time(query, "to", missing->to_boot, missing->to_ns,
		  missing->to_boot && missing->to_ns < UINT64_MAX);
	printf("}");
}

static void json_recorded(struct query *query)
{
	const struct ledger_boot *boot = whole_boot(query);

	if (!boot)
		return;
	printf("\"recorded\":{\"boot\":%" PRIu32, boot->boot_no);
	json_time(query, "from", boot->boot_no, completeness_begin_ns(query->ledger, boot), true);
	json_time(query, "to", boot->boot_no, boot->ts_max_ns, true);
	printf("},");
}

static void json_completeness(struct query *query)
{
	const struct completeness *completeness = &query->completeness;
	const char *between = "";

	json_recorded(query);
	printf("\"complete\":%s,\"missing\":[", is_complete(query) ? "true" : "false");
	if (query->index_lag > 0) {
		printf("{\"reason\":\"index lag\",\"count\":%" PRIu64 "}", query->index_lag);
		between = ",";
	}
	if (query->ancestors_unknown) {
		printf("%s{\"reason\":\"ancestors\"}", between);
		between = ",";
	}
	for (size_t i = 0; i < completeness->count; i++, between = ",") {
		printf("%s", between);
		json_missing(query, &completeness->missing[i]);
	}
	printf("]");
}

static void json_cursor(const struct query *query)
{
	if (query->cursor)
		printf(",\"cursor\":\"%s\"", query->cursor);
}

/* Of what was asked for by a path with links in it, such as /bin/sh, nothing is ever found. */
static void tell_links(const struct query *query)
{
	char real[PATH_MAX];
	const char *path;

	for (size_t i = 0; (path = select_path(&query->options->select, i)); i++) {
		if (!realpath(path, real) || strcmp(path, real) == 0)
			continue;
		(void)fputs("-- ", stderr);
		output_escaped(stderr, path, strlen(path));
		(void)fputs(" is here, without links, ", stderr);
		output_escaped(stderr, real, strlen(real));
		(void)fputs(": programs have that name\n", stderr);
	}
}

int query_end(struct query *query, struct output *output, size_t found, unsigned flags)
{
	enum output_format format = query->options->format;
	int running = query_recorder_runs(query), r;

	progress_end(&query->progress);
	if (running != 0)
		flags |= COMPLETENESS_RUNNING; /* or it cannot be known */
	if (running > 0 && recorder_stalled(query))
		flags |= COMPLETENESS_STALLED;
	if (query_bytes_missing(query) > 0)
		flags |= COMPLETENESS_CUT;
	r = completeness_init(&query->completeness, query->ledger, query->clocks, &query->window,
			      flags);
	if (r < 0)
		return query_failed(query, r, "read");
	query->completeness_known = true;
	if (output)
		output_end(output);
	if (format == OUTPUT_JSON) {
		printf(",");
		json_completeness(query);
		json_cursor(query);
		printf("}\n");
	} else if (format == OUTPUT_JSONL) {
		printf("{\"completeness\":{");
		json_completeness(query);
		printf("}");
		json_cursor(query);
		printf("}\n");
	}
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		r = errno ? -errno : -EIO;
		if (output && output_error(output) < 0)
			r = output_error(output);
		if (r == -EPIPE)
			return EXIT_FOUND;
		return complain(EXIT_ERROR, "cannot write the answer: %s", strerror(-r));
	}
	if (output && output_error(output) < 0)
		return output_error(output) == -EPIPE
			       ? EXIT_FOUND
			       : complain(EXIT_ERROR, "cannot write the answer: %s",
					  strerror(-output_error(output)));
	if (format == OUTPUT_TEXT || format == OUTPUT_CSV)
		say_completeness(query);
	if (found == 0)
		tell_links(query);
	if (query->options->strict && !is_complete(query))
		return EXIT_INCOMPLETE;
	return found > 0 ? EXIT_FOUND : EXIT_NOTHING;
}
