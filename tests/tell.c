/* tell.c - makes a store whose events are told: tell STORE [START] <SCRIPT.  For tests of what procledger makes of them.
 *
 * A line is KIND and NAME=VALUE words: pid tid ppid ptid arg0 arg1 arg2 cpu, t (milliseconds; else 1 ms after the last), comm, and of
 * what /proc said exe argv (once for each argument) cwd cgroup note ids (uid or ruid,euid,rgid,egid) loginuid session.  In a value \xNN is a byte
 * and \s a space.  A line "seal" ends a block.  The boot begins with a clock: t=0 is 2026-11-22 12:00 UTC.  A line "boot" ends it: the
 * next begins an hour later, at t=0 again; with "boot import" it is one of a stream.  The first boot's start is at START milliseconds, or 0.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "recorder/ring_writer.h"
#include "schema/bytes.h"
#include "schema/detail.h"
#include "schema/project.h"

#define MS         UINT64_C(1000000)
#define BEGIN      (UINT64_C(1000000) * MS)       /* of the clock: CLOCK_MONOTONIC at t=0 */
#define WALL       (UINT64_C(1795348800000) * MS) /* of the first boot */
#define HOUR       (UINT64_C(3600000) * MS)
#define RING_BYTES (UINT64_C(4) << 20)

struct told {
	struct event event;
	struct detail detail;
	uint8_t text[DETAIL_TAG_LIMIT][EVENT_DETAIL_MAX_BYTES];
	bool detailed;
	uint64_t t_ms;
};

static struct ring_writer *writer;
static uint64_t boot_no;

static void stop(const char *what, const char *which)
{
	fprintf(stderr, "tell: %s: %s\n", what, which);
	exit(1);
}

static size_t unescape(const char *text, uint8_t *out, size_t capacity)
{
	size_t used = 0;

	for (; *text && used < capacity; text++) {
		unsigned byte;

		if (text[0] == '\\' && text[1] == 's') {
			out[used++] = ' ';
			text++;
		} else if (text[0] == '\\' && text[1] == 'x' &&
			   sscanf(text + 2, "%2x", &byte) == 1) {
			out[used++] = (uint8_t)byte;
			text += 3;
		} else {
			out[used++] = (uint8_t)text[0];
		}
	}
	return used;
}

static void tell_detail(struct told *told, enum detail_tag tag, const void *data, size_t bytes)
{
	struct detail_field *field = &told->detail.field[tag];

	if (field->bytes + bytes > sizeof(told->text[tag]))
		stop("too long", "a detail");
	memcpy(told->text[tag] + field->bytes, data, bytes);
	field->data = told->text[tag];
	field->bytes += (uint32_t)bytes;
	field->state = DETAIL_READ;
	told->detailed = true;
}

static void tell_numbers(struct told *told, enum detail_tag tag, const char *text, size_t count)
{
	uint32_t number = 0;

	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[4];

		if (*text)
			number = (uint32_t)strtoul(text, NULL, 10);
		text += strcspn(text, ",");
		text += *text == ',';
		for (size_t b = 0; b < 4; b++)
			bytes[b] = (uint8_t)(number >> (8 * b));
		tell_detail(told, tag, bytes, sizeof(bytes));
	}
}

static bool tell_known(struct told *told, const char *name, const char *value)
{
	static const struct {
		const char *name;
		enum detail_tag tag;
	} texts[] = { { "exe", DETAIL_EXE },
		      { "argv", DETAIL_ARGV },
		      { "cwd", DETAIL_CWD },
		      { "cgroup", DETAIL_CGROUP },
		      { "note", DETAIL_NOTE } };
	uint8_t raw[EVENT_DETAIL_MAX_BYTES];
	size_t bytes = unescape(value, raw, sizeof(raw));

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		tell_detail(told, texts[i].tag, raw, bytes);
		if (texts[i].tag == DETAIL_ARGV)
			tell_detail(told, DETAIL_ARGV, "", 1);
		return true;
	}
	if (strcmp(name, "comm") == 0) {
		if (told->event.kind == EVENT_COMM)
			memcpy(told->event.comm, raw, bytes < 15 ? bytes : 15);
		else
			tell_detail(told, DETAIL_COMM, raw, bytes);
	} else if (strcmp(name, "ids") == 0) {
		tell_numbers(told, DETAIL_IDS, value, 4);
	} else if (strcmp(name, "loginuid") == 0) {
		tell_numbers(told, DETAIL_LOGINUID, value, 1);
	} else if (strcmp(name, "session") == 0) {
		tell_numbers(told, DETAIL_SESSIONID, value, 1);
	} else {
		return false;
	}
	return true;
}

static void tell_word(struct told *told, char *word)
{
	struct event *event = &told->event;
	char *value = strchr(word, '=');
	uint64_t number;

	if (!value)
		stop("no value", word);
	*value++ = '\0';
	number = strtoull(value, NULL, 0);
	if (tell_known(told, word, value))
		return;
	if (strcmp(word, "pid") == 0)
		event->pid = event->tid = (uint32_t)number;
	else if (strcmp(word, "tid") == 0)
		event->tid = (uint32_t)number;
	else if (strcmp(word, "ppid") == 0)
		event->ppid = event->ptid = (uint32_t)number;
	else if (strcmp(word, "ptid") == 0)
		event->ptid = (uint32_t)number;
	else if (strcmp(word, "cpu") == 0)
		event->cpu = (uint32_t)number;
	else if (strcmp(word, "t") == 0)
		told->t_ms = number;
	else if (strncmp(word, "arg", 3) == 0 && word[3] >= '0' && word[3] < '0' + EVENT_ARG_COUNT)
		event->arg[word[3] - '0'] = number;
	else
		stop("no such word", word);
}

static void append(struct told *told)
{
	uint8_t packed[EVENT_DETAIL_MAX_BYTES];
	size_t bytes = 0;

	if (told->detailed) {
		if (detail_pack(&told->detail, packed, sizeof(packed), &bytes) < 0)
			stop("too long", "details");
		told->event.detail = packed;
		told->event.detail_bytes = (uint32_t)bytes;
	}
	told->event.timestamp_ns = BEGIN + told->t_ms * MS;
	if (stage_append(ring_writer_stage(writer), &told->event) != 0)
		stop("no room", "in staging");
}

static uint64_t wall(void)
{
	return WALL + (boot_no - 1) * HOUR;
}

static void seal(uint64_t t_ms)
{
	struct ring_seal at = { .monotonic_ns = BEGIN + t_ms * MS,
				.boottime_ns = BEGIN + t_ms * MS,
				.realtime_ns = wall() + t_ms * MS };
	uint64_t events;
	int r;

	do
		r = ring_writer_seal(writer, &at, true, &events);
	while (r == 0);
	if (r != RING_WRITER_IDLE)
		stop("cannot seal", strerror(-r));
}

static void begin(const char *ring_path, bool import, uint64_t t_ms)
{
	static struct told told;
	uint8_t boot_id[RING_UUID_BYTES + 1] = "a boot for tests";
	struct ring_opened opened;

	boot_id[0] = (uint8_t)('a' + boot_no++);
	if (import)
		memset(boot_id, 0, sizeof(boot_id));
	if (ring_writer_open(ring_path, RING_BYTES, boot_id, &writer, &opened) != 0)
		stop("cannot make", ring_path);
	ring_writer_set_durability(writer, RING_DURABILITY_PROCESS);
	told.event = (struct event){ .kind = EVENT_START,
				     .cpu = EVENT_CPU_NONE,
				     .arg = { boot_no, import ? EVENT_START_IMPORT : 0 } };
	told.t_ms = t_ms;
	append(&told);
	told.t_ms = 0;
	told.event = (struct event){ .kind = EVENT_CLOCK,
				     .cpu = EVENT_CPU_NONE,
				     .arg = { BEGIN, wall() } };
	append(&told);
}

static void boot(const char *ring_path, bool import, uint64_t *t_ms)
{
	seal(*t_ms);
	ring_writer_close(writer);
	begin(ring_path, import, 0);
	*t_ms = 0;
}

static void tell_line(char *line, const char *ring_path, uint64_t *t_ms)
{
	static struct told told;
	char *state = NULL, *word = strtok_r(line, " \n", &state);
	int kind;

	if (!word || word[0] == '#')
		return;
	if (strcmp(word, "seal") == 0) {
		seal(*t_ms);
		return;
	}
	if (strcmp(word, "boot") == 0) {
		word = strtok_r(NULL, " \n", &state);
		boot(ring_path, word && strcmp(word, "import") == 0, t_ms);
		return;
	}
	kind = event_kind_parse(word);
	if (kind < 0)
		stop("no such kind", word);
	told = (struct told){ .t_ms = *t_ms + 1, .event = { .kind = (uint8_t)kind } };
	while ((word = strtok_r(NULL, " \n", &state)))
		tell_word(&told, word);
	append(&told);
	*t_ms = told.t_ms;
}

int main(int argc, char **argv)
{
	char ring_path[512], index_path[512], *line = NULL;
	const char *message = "";
	size_t capacity = 0;
	uint64_t t_ms = 0, events;

	if (argc < 2 || argc > 3)
		stop("usage", "tell STORE [START] <SCRIPT");
	(void)mkdir(argv[1], 0755);
	(void)snprintf(ring_path, sizeof(ring_path), "%s/ledger.ring", argv[1]);
	(void)snprintf(index_path, sizeof(index_path), "%s/index.db", argv[1]);
	begin(ring_path, false, argc == 3 ? strtoull(argv[2], NULL, 10) : 0);
	while (getline(&line, &capacity, stdin) > 0)
		tell_line(line, ring_path, &t_ms);
	seal(t_ms);
	free(line);
	ring_writer_close(writer);
	if (projector_rebuild(ring_path, index_path, &events, &message) < 0)
		stop("cannot index", message);
	return 0;
}
