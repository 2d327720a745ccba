/* test_stories.c - every tests/stories/NAME.story: events, what the fold makes of them, line by line.
 *
 * A story is lines "KIND name=value ..." (times go up by 1000 ns where at= does not say them), then "---", then what is expected.
 * Beside the golden text each story is folded again from a keyframe taken before each of its events: the lives must be the same.
 * With --print NAME.story what came out is printed, to be looked at and kept.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/detail.h"
#include "schema/lives.h"
#include "tests/tap.h"

enum { EVENTS_MAX = 64, DETAIL_MAX = 512 };

struct story {
	struct event event[EVENTS_MAX];
	uint8_t detail[EVENTS_MAX][DETAIL_MAX];
	size_t count;
	char *expected;
};

struct text {
	char *data;
	size_t bytes;
	FILE *file;
};

static void text_open(struct text *text)
{
	*text = (struct text){ 0 };
	text->file = open_memstream(&text->data, &text->bytes);
	if (!text->file)
		abort();
}

static void number_set(struct event *event, const char *name, uint64_t value)
{
	if (strcmp(name, "pid") == 0)
		event->pid = (uint32_t)value;
	else if (strcmp(name, "tid") == 0)
		event->tid = (uint32_t)value;
	else if (strcmp(name, "ppid") == 0)
		event->ppid = (uint32_t)value;
	else if (strcmp(name, "ptid") == 0)
		event->ptid = (uint32_t)value;
	else if (strcmp(name, "cpu") == 0)
		event->cpu = (uint32_t)value;
	else if (strcmp(name, "at") == 0)
		event->timestamp_ns = value;
	else if (strncmp(name, "arg", 3) == 0 && name[3] >= '0' && name[3] < '3')
		event->arg[name[3] - '0'] = value;
	else
		abort();
}

static void detail_text(struct detail *detail, enum detail_tag tag, const char *text)
{
	detail->field[tag] = (struct detail_field){ .data = (const uint8_t *)text,
						    .bytes = (uint32_t)strlen(text),
						    .state = DETAIL_READ };
}

/* read=COMM:EXE, gone=exe, ids=RUID gives details as /proc would. */
static void word_parse(struct story *story, struct event *event, struct detail *detail, char *word,
		       uint8_t ids[16])
{
	char *value = strchr(word, '=');
	char *exe;

	if (!value)
		abort();
	*value++ = '\0';
	if (strcmp(word, "comm") == 0) {
		memcpy(event->comm, value, strnlen(value, EVENT_COMM_BYTES));
	} else if (strcmp(word, "read") == 0) {
		exe = strchr(value, ':');
		*exe++ = '\0';
		detail_text(detail, DETAIL_COMM, value);
		detail_text(detail, DETAIL_EXE, exe);
	} else if (strcmp(word, "gone") == 0 && strcmp(value, "exe") == 0) {
		detail->field[DETAIL_EXE] = (struct detail_field){ .state = DETAIL_GONE };
	} else if (strcmp(word, "ids") == 0) {
		le32 id = le32_put((uint32_t)strtoul(value, NULL, 0));

		for (int i = 0; i < 4; i++)
			memcpy(ids + 4 * i, &id, sizeof(id));
		detail->field[DETAIL_IDS] =
			(struct detail_field){ .data = ids, .bytes = 16, .state = DETAIL_READ };
	} else {
		number_set(event, word, strtoull(value, NULL, 0));
	}
	(void)story;
}

static void event_parse(struct story *story, char *line)
{
	struct event *event = &story->event[story->count];
	struct detail detail = { 0 };
	uint8_t ids[16];
	char *state = NULL, *word = strtok_r(line, " ", &state);
	int kind = event_kind_parse(word);
	size_t bytes;

	if (kind < 0 || story->count == EVENTS_MAX)
		abort();
	*event = (struct event){ .event_no = story->count + 1,
				 .timestamp_ns = (story->count + 1) * 1000,
				 .kind = (uint8_t)kind };
	while ((word = strtok_r(NULL, " ", &state)))
		word_parse(story, event, &detail, word, ids);
	if (event->tid == 0)
		event->tid = event->pid;
	if (event->ptid == 0)
		event->ptid = event->ppid;
	if (detail_pack(&detail, story->detail[story->count], DETAIL_MAX, &bytes) == 0 &&
	    bytes > 0) {
		event->detail = story->detail[story->count];
		event->detail_bytes = (uint32_t)bytes;
	}
	story->count++;
}

static struct story *story_read(const char *path)
{
	struct story *story = calloc(1, sizeof(*story));
	auto_fclose FILE *file = fopen(path, "r");
	char line[512];
	struct text expected;

	if (!story || !file)
		abort();
	while (fgets(line, sizeof(line), file) && strcmp(line, "---\n") != 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#' && line[0] != '\0')
			event_parse(story, line);
	}
	text_open(&expected);
	while (fgets(line, sizeof(line), file))
		fputs(line, expected.file);
	fclose(expected.file);
	story->expected = expected.data;
	return story;
}

/* --- what comes out --- */

static const char *const birth_word[] = { "unseen", "fork", "snapshot" };
static const char *const end_word[] = { "exit", "exec", "reused", "absent", "boot" };
static const char *const name_word[] = { "fork", "exec", "comm", "snapshot" };

static void on_born(void *context, struct life *life)
{
	fprintf(context, "  born %" PRId64 " %u/%u\n", life->id, life->pid, life->tid);
}

static void on_named(void *context, struct life *life, const char *comm, enum life_name source,
		     uint64_t at_ns, const struct event *event)
{
	(void)event;
	fprintf(context, "  named %" PRId64 " %.16s by %s at %" PRIu64 "\n", life->id,
		comm ? comm : "(not known)", name_word[source], at_ns);
}

static void on_ended(void *context, struct life *life)
{
	fprintf(context, "  ended %" PRId64 " by %s at %" PRIu64 "\n", life->id,
		end_word[life->end_how], life->end_ns);
}

static void on_revived(void *context, struct life *life)
{
	fprintf(context, "  revived %" PRId64 "\n", life->id);
}

static void on_process_ended(void *context, struct life *life)
{
	fprintf(context, "  process ended %" PRId64 " at %" PRIu64 "\n", life->id,
		life->process_end_ns);
}

static void on_merged(void *context, struct life *gone, struct life *into)
{
	fprintf(context, "  merged %" PRId64 " into %" PRId64 "\n", gone->id, into->id);
}

static void life_print(FILE *out, const struct life *life)
{
	fprintf(out,
		"%" PRId64 " %u/%u %s parent %" PRId64 " (%u/%u) process %" PRId64
		" start %" PRIu64,
		life->id, life->pid, life->tid, birth_word[life->born], life->parent_id, life->ppid,
		life->ptid, life->process_id, life->start_ns);
	fprintf(out, " comm %.16s", life->comm_known ? life->comm : "?");
	if (life->renamed)
		fprintf(out, " (born %.16s)", life->birth_comm_known ? life->birth_comm : "?");
	if (life->image)
		fprintf(out, " image %" PRIu64 " of %" PRId64, life->image->event_no,
			life->image->life_id);
	if (life->cred)
		fprintf(out, " cred %" PRIu64 " uid %d/%d gid %d/%d", life->cred->event_no,
			life->cred->uid_known ? (int)life->cred->ruid : -1,
			life->cred->uid_known ? (int)life->cred->euid : -1,
			life->cred->gid_known ? (int)life->cred->rgid : -1,
			life->cred->gid_known ? (int)life->cred->egid : -1);
	if (life->ended)
		fprintf(out, " %s %" PRIu64 " code 0x%x", end_word[life->end_how], life->end_ns,
			life->exit_code);
	if (life->pid == life->tid && life->process_ended)
		fprintf(out, " process end %" PRIu64, life->process_end_ns);
	if (life->process_ended &&
	    (life->process_end_how != life->end_how || life->process_exit_code != life->exit_code))
		fprintf(out, " by %s code 0x%x", end_word[life->process_end_how],
			life->process_exit_code);
	if (life->pid == life->tid && !life->process_ended)
		fprintf(out, " tasks %u", life->live_threads);
	fprintf(out, "%s\n", life->exit_due ? " (exit due)" : "");
}

static int compare_ids(const void *a, const void *b)
{
	int64_t x = (*(struct life *const *)a)->id, y = (*(struct life *const *)b)->id;

	return (x > y) - (x < y);
}

/* Those still in the fold, by id; and, when all, those that left it. */
static void lives_print(FILE *out, const struct lives *lives, bool all)
{
	struct life *list[4 * EVENTS_MAX];
	size_t count = 0;

	for (struct life *life = lives_first(lives); life; life = lives_after(life))
		list[count++] = life;
	for (struct life *life = lives_ended(lives); life && all; life = life->next)
		list[count++] = life;
	qsort(list, count, sizeof(list[0]), compare_ids);
	for (size_t i = 0; i < count; i++)
		life_print(out, list[i]);
}

static void fold(struct lives *lives, const struct event *event)
{
	struct life *life;
	bool folded;

	if (lives_apply(lives, event, &life, &folded) < 0)
		abort();
}

static char *story_run(const struct story *story)
{
	struct text out;
	struct lives_watch watch;
	struct lives *lives;

	text_open(&out);
	watch = (struct lives_watch){ .context = out.file,
				      .born = on_born,
				      .named = on_named,
				      .ended = on_ended,
				      .revived = on_revived,
				      .process_ended = on_process_ended,
				      .merged = on_merged };
	lives = lives_new(&watch);
	for (size_t i = 0; i < story->count; i++) {
		const struct event *event = &story->event[i];

		fprintf(out.file, "%zu %s %u/%u\n", i + 1, event_kind_word(event->kind), event->pid,
			event->tid);
		fold(lives, event);
	}
	lives_print(out.file, lives, true);
	lives_free(lives);
	fclose(out.file);
	return out.data;
}

/* The lives left in the fold at the end, when it was packed and unpacked before event number `cut`. */
static char *story_run_cut(const struct story *story, size_t cut, bool *ret_same_bytes)
{
	struct lives *lives = lives_new(NULL), *again = lives_new(NULL);
	auto_free uint8_t *data = NULL, *data_again = NULL;
	size_t bytes, bytes_again;
	struct text out;

	for (size_t i = 0; i < cut; i++) {
		fold(lives, &story->event[i]);
		lives_forget_ended(lives);
	}
	if (lives_pack(lives, &data, &bytes) < 0 || lives_unpack(again, data, bytes) < 0 ||
	    lives_pack(again, &data_again, &bytes_again) < 0)
		abort();
	*ret_same_bytes = bytes == bytes_again && memcmp(data, data_again, bytes) == 0;
	for (size_t i = cut; i < story->count; i++) {
		fold(again, &story->event[i]);
		lives_forget_ended(again);
	}
	text_open(&out);
	lives_print(out.file, again, false);
	lives_free(lives);
	lives_free(again);
	fclose(out.file);
	return out.data;
}

static bool keyframes_hold(const struct story *story)
{
	bool same, good = true;
	auto_free char *whole = story_run_cut(story, 0, &same);

	for (size_t cut = 0; cut <= story->count; cut++) {
		auto_free char *text = story_run_cut(story, cut, &same);

		if (strcmp(text, whole) != 0)
			printf("# cut before event %zu gives\n%s# and not\n%s", cut + 1, text,
			       whole);
		good &= same && strcmp(text, whole) == 0;
	}
	return good;
}

/* Every prefix of a keyframe is refused, and no flipped bit does worse than be refused or give another state. */
static bool keyframe_hostile(const struct story *story)
{
	struct lives *lives = lives_new(NULL);
	auto_free uint8_t *data = NULL;
	size_t bytes, taken = 0;

	for (size_t i = 0; i < story->count; i++)
		fold(lives, &story->event[i]);
	if (lives_pack(lives, &data, &bytes) < 0)
		abort();
	lives_free(lives);
	for (size_t cut = 0; cut < bytes; cut++) {
		lives = lives_new(NULL);
		taken += lives_unpack(lives, data, cut) == 0;
		lives_free(lives);
	}
	for (size_t bit = 0; bit < bytes * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		lives = lives_new(NULL);
		if (lives_unpack(lives, data, bytes) == 0)
			for (size_t i = 0; i < story->count; i++)
				fold(lives, &story->event[i]);
		lives_free(lives);
		data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	return taken == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void story_test(const char *name)
{
	char path[512];
	struct story *story;
	auto_free char *got = NULL;

	(void)snprintf(path, sizeof(path), "tests/stories/%s", name);
	story = story_read(path);
	got = story_run(story);
	if (!ok(strcmp(got, story->expected) == 0, "%s: comes out as told", name))
		printf("--- got\n%s--- and not\n%s", got, story->expected);
	ok(keyframes_hold(story), "%s: is the same folded from a keyframe before any event", name);
	ok(keyframe_hostile(story), "%s: no part of its keyframe is taken for a whole one", name);
	free(story->expected);
	free(story);
}

/* More lives than the table begins with, many of them under one number: each event finds its own. */
static void test_many(void)
{
	enum { MANY = 20000, TWICE = 3000 };
	struct lives *lives = lives_new(NULL);
	struct event event = { .kind = EVENT_FORK };
	struct life *life = NULL;
	size_t wrong = 0;
	bool folded;

	if (!lives)
		abort();
	for (uint32_t i = 0; i < TWICE + MANY; i++) {
		event.event_no = event.timestamp_ns = i + 1;
		event.pid = event.tid = 1 + (i < TWICE ? i : i - TWICE);
		if (lives_apply(lives, &event, &life, &folded) < 0)
			abort();
	}
	for (uint32_t pid = 1; pid <= MANY; pid++)
		wrong += !lives_find(lives, pid) || lives_find(lives, pid)->id != TWICE + pid;
	ok(wrong == 0 && !lives_find(lives, MANY + 1), "of 20,000 numbers each is found");
	event.kind = EVENT_EXIT;
	for (uint32_t i = 0; i < TWICE + MANY; i++) {
		event.event_no++;
		event.pid = event.tid = 1 + (i < TWICE ? i : i - TWICE);
		if (lives_apply(lives, &event, &life, &folded) < 0)
			abort();
		wrong += !folded || life->id != i + 1;
		lives_forget_ended(lives);
	}
	ok(wrong == 0 && !lives_first(lives),
	   "each EXIT is that of the older of two, and then none is left");
	lives_free(lives);
}

int main(int argc, char **argv)
{
	char *name[128];
	size_t count = 0;
	DIR *folder;
	struct dirent *entry;

	if (argc == 3 && strcmp(argv[1], "--print") == 0) {
		struct story *story = story_read(argv[2]);
		auto_free char *got = story_run(story);

		fputs(got, stdout);
		free(story->expected);
		free(story);
		return 0;
	}
	folder = opendir("tests/stories");
	while (folder && (entry = readdir(folder)) && count < 128)
		if (strlen(entry->d_name) > 6 &&
		    strcmp(entry->d_name + strlen(entry->d_name) - 6, ".story") == 0)
			name[count++] = strdup(entry->d_name);
	if (folder)
		closedir(folder);
	ok(count > 0, "there are stories in tests/stories (%zu)", count);
	qsort(name, count, sizeof(name[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		story_test(name[i]);
		free(name[i]);
	}
	test_many();
	return done_testing();
}
