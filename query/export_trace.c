/* export_trace.c - lives as a trace for Perfetto and chrome://tracing (Trace Event Format, JSON).
 *
 * A process is a track of its pid, a thread one of its tid.  A life is a slice, its names slices inside it, a fork a flow from the parent
 * to the child.  Times are microseconds of CLOCK_MONOTONIC, so that it can be laid over a trace of the kernel of the same boot.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "query/export.h"
#include "query/json_writer.h"

static void put_us(struct json *json, const char *key, uint64_t ns)
{
	struct sink *sink = json->sink;
	char fraction[8];

	json_unsigned(json, key, ns / 1000);
	(void)snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)(ns % 1000));
	sink_words(sink, fraction);
}

static void event_begin(struct json *json, const char *phase, const struct past_life *life)
{
	json_open(json, NULL, '{');
	json_word(json, "ph", phase);
	json_unsigned(json, "pid", life->pid);
	json_unsigned(json, "tid", life->tid);
}

static void event_end(struct json *json)
{
	json_close(json, '}');
	sink_char(json->sink, '\n');
}

/* The track's name. */
static void put_name(struct json *json, const struct past_life *life, const char *what)
{
	event_begin(json, "M", life);
	json_word(json, "name", what);
	json_open(json, "args", '{');
	json_bytes(json, "name", life->comm, comm_bytes(life->comm));
	json_close(json, '}');
	event_end(json);
}

static void put_slice(struct export *export, struct json *json, const struct past_life *life,
		      uint64_t from_ns, uint64_t to_ns)
{
	char end[LIFE_WORD_BYTES];

	event_begin(json, "X", life);
	line_clear(&export->line);
	life_command(&export->line, life);
	json_bytes(json, "name", export->line.text, export->line.bytes);
	json_word(json, "cat", life->pid == life->tid ? "process" : "thread");
	put_us(json, "ts", from_ns);
	put_us(json, "dur", to_ns - from_ns);
	json_open(json, "args", '{');
	json_signed(json, "id", life->id);
	json_unsigned(json, "ppid", life->ppid);
	life_end_word(life, end);
	json_word(json, "end", end);
	if (life->uid_known)
		json_unsigned(json, "uid", life->ruid);
	json_close(json, '}');
	event_end(json);
}

static void put_names(struct json *json, const struct past_life *life, uint64_t from_ns,
		      uint64_t to_ns)
{
	for (const struct past_name *name = life->names; name && life->name_count > 1;
	     name = name->next) {
		uint64_t begin = name->from_ns > from_ns ? name->from_ns : from_ns;
		uint64_t end = past_name_end(life, name);

		if (end > to_ns)
			end = to_ns;
		if (!name->known || end <= begin)
			continue;
		event_begin(json, "X", life);
		json_bytes(json, "name", name->comm, comm_bytes(name->comm));
		json_word(json, "cat", "comm");
		put_us(json, "ts", begin);
		put_us(json, "dur", end - begin);
		event_end(json);
	}
}

static void put_fork(struct json *json, const struct past_life *life)
{
	if (life->born != LIFE_BORN_FORK || life->ptid == 0)
		return;
	json_open(json, NULL, '{');
	json_word(json, "ph", "s");
	json_unsigned(json, "pid", life->ppid);
	json_unsigned(json, "tid", life->ptid);
	json_word(json, "name", "fork");
	json_word(json, "cat", "fork");
	json_signed(json, "id", life->id);
	put_us(json, "ts", life->start_ns);
	event_end(json);
	event_begin(json, "f", life);
	json_word(json, "bp", "e"); /* binds to the slice that it is in, not to the next */
	json_word(json, "name", "fork");
	json_word(json, "cat", "fork");
	json_signed(json, "id", life->id);
	put_us(json, "ts", life->start_ns);
	event_end(json);
}

static void put_life(struct export *export, struct json *json, const struct past_life *life,
		     const struct window_boot *boot)
{
	uint64_t from_ns = life->start_ns ? life->start_ns : boot->intervals[0].from_ns;
	uint64_t to_ns = life->task_end_ns ? life->task_end_ns : life->end_ns;

	if (from_ns == 0)
		from_ns = boot->boot->ts_min_ns;
	if (to_ns == 0)
		to_ns = window_end_ns(boot);
	if (to_ns < from_ns)
		to_ns = from_ns;
	if (life->comm_known)
		put_name(json, life, life->pid == life->tid ? "process_name" : "thread_name");
	put_slice(export, json, life, from_ns, to_ns);
	put_names(json, life, from_ns, to_ns);
	put_fork(json, life);
	sink_row_end(json->sink);
	export->found++;
}

static int trace_begin(struct export *export)
{
	if (export->query->window.boot_count > 1)
		return -EXDEV;
	sink_words(&export->sink, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	return line_init(&export->line);
}

static int trace_lives(struct export *export, const struct window_boot *boot,
		       const struct past *past)
{
	struct json json = { .sink = &export->sink };
	size_t count;
	struct past_life *const *lives = past_lives(past, &count);

	for (size_t i = 0; i < count && export->sink.error == 0; i++) {
		if (lives[i]->selected)
			put_life(export, &json, lives[i], boot);
	}
	return 0;
}

static int trace_end(struct export *export)
{
	sink_words(&export->sink, "]}\n");
	return 0;
}

const struct export_format export_trace = {
	.name = "trace",
	.past = PAST_THREADS | PAST_NAMES,
	.begin = trace_begin,
	.lives = trace_lives,
	.end = trace_end,
};
