#include "query/life_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/cgroup.h"

enum { LINE_CAPACITY = 128 << 10, NAMES_SHOWN = 6 };

/* --- lines --- */

int line_init(struct line *line)
{
	*line = (struct line){ .text = malloc(LINE_CAPACITY), .capacity = LINE_CAPACITY };
	return line->text ? 0 : -ENOMEM;
}

void line_clear(struct line *line)
{
	line->bytes = 0;
	line->full = false;
	line->color = NULL;
}

void line_print(struct line *line, const char *words)
{
	size_t bytes = strlen(words);

	if (bytes > line->capacity - line->bytes) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->bytes, words, bytes);
	line->bytes += bytes;
}

void line_printf(struct line *line, const char *format, ...)
{
	char words[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	line_print(line, words);
}

void line_number(struct line *line, uint64_t number, unsigned width)
{
	char digits[40];
	size_t at = sizeof(digits) - 1;

	digits[at] = '\0';
	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (sizeof(digits) - 1 - at < width && at > 0)
		digits[--at] = ' ';
	line_print(line, digits + at);
}

void line_escaped(struct line *line, const void *data, size_t bytes)
{
	if (ESCAPE_TEXT_MAX(bytes) > line->capacity - line->bytes) {
		line->full = true;
		return;
	}
	line->bytes += escape_text(data, bytes, line->text + line->bytes);
}

/* The bytes of the first `width` characters. */
static size_t cut_at(const char *text, size_t bytes, size_t width)
{
	for (size_t i = 0; i < bytes; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80 && width-- == 0)
			return i;
	}
	return bytes;
}

void line_write(struct line *line, FILE *file, size_t width)
{
	size_t bytes = width > 0 ? cut_at(line->text, line->bytes, width) : line->bytes;
	const char *mark = line->mark ? line->mark : "\342\200\246";

	if (line->color)
		(void)fputs_unlocked(line->color, file);
	if (bytes < line->bytes) {
		bytes = cut_at(line->text, line->bytes, width - 1);
		(void)fwrite_unlocked(line->text, 1, bytes, file);
		(void)fputs_unlocked(mark, file);
	} else {
		(void)fwrite_unlocked(line->text, 1, bytes, file);
	}
	if (line->color)
		(void)fputs_unlocked("\033[0m", file);
	(void)putc_unlocked('\n', file);
}

/* --- words --- */

void wait_status_word(uint32_t status, char out[LIFE_WORD_BYTES])
{
	uint32_t signal = status & 0x7f;
	const char *core = status & 0x80 ? ", core" : "";
	const char *name = signal ? sigabbrev_np((int)signal) : NULL;

	if (signal == 0)
		(void)snprintf(out, LIFE_WORD_BYTES, "exit %" PRIu32, status >> 8 & 0xff);
	else if (name)
		(void)snprintf(out, LIFE_WORD_BYTES, "SIG%s%s", name, core);
	else
		(void)snprintf(out, LIFE_WORD_BYTES, "signal %" PRIu32 "%s", signal, core);
}

void life_end_word(const struct past_life *life, char out[LIFE_WORD_BYTES])
{
	const char *word = "running";

	if (life->ended) {
		switch ((enum life_end)life->end_how) {
		case LIFE_END_EXIT:
			wait_status_word(life->exit_code, out);
			return;
		case LIFE_END_EXEC:
			word = "exec";
			break;
		case LIFE_END_REUSED:
		case LIFE_END_ABSENT:
			word = "gone";
			break;
		case LIFE_END_BOOT:
			word = "end not seen";
			break;
		}
	}
	(void)snprintf(out, LIFE_WORD_BYTES, "%s", word);
}

void life_duration(const struct past_life *life, uint64_t window_end_ns, char out[WHEN_TEXT_BYTES])
{
	uint64_t end = life->ended ? life->end_ns : window_end_ns;
	bool inferred = life->ended && life->end_how != LIFE_END_EXIT;
	char span[WHEN_TEXT_BYTES];

	out[0] = '\0';
	if (life->start_ns == 0 || end == 0 || end == UINT64_MAX || end < life->start_ns)
		return;
	when_format_span(end - life->start_ns, span);
	(void)snprintf(out, WHEN_TEXT_BYTES, "%s%.40s", inferred ? "<" : "", span);
}

size_t comm_bytes(const char comm[EVENT_COMM_BYTES])
{
	return strnlen(comm, EVENT_COMM_BYTES);
}

const char *name_source_word(uint8_t source)
{
	switch ((enum life_name)source) {
	case LIFE_NAME_FORK:
		return "fork";
	case LIFE_NAME_EXEC:
		return "exec";
	case LIFE_NAME_COMM:
		return "comm";
	case LIFE_NAME_SNAPSHOT:
		return "snapshot";
	}
	return "other";
}

/* Nothing of its own was run since it was forked. */
static bool image_is_inherited(const struct past_life *life)
{
	return life->image && life->image->life_id != life->id;
}

static const struct detail_field *life_field(const struct past_life *life, enum detail_tag tag)
{
	const struct detail_field *field;

	if (!life->image)
		return NULL;
	field = &life->image->detail.field[tag];
	return detail_known(field) ? field : NULL;
}

/* Between quotes where it is not one word; a quote inside is written as its byte, so that it ends nothing. */
static void line_argument(struct line *line, const char *text, size_t bytes)
{
	bool quote = bytes == 0 || memchr(text, ' ', bytes) || memchr(text, '\'', bytes);

	if (!quote) {
		line_escaped(line, text, bytes);
		return;
	}
	line_print(line, "'");
	while (bytes > 0) {
		const char *inner = memchr(text, '\'', bytes);
		size_t run = inner ? (size_t)(inner - text) : bytes;

		line_escaped(line, text, run);
		if (inner) {
			line_print(line, "\\x27");
			run++;
		}
		text += run;
		bytes -= run;
	}
	line_print(line, "'");
}

void line_arguments(struct line *line, const struct detail_field *argv)
{
	const char *text = (const char *)argv->data;

	for (size_t at = 0; at < argv->bytes;) {
		size_t bytes = strnlen(text + at, argv->bytes - at);

		if (at > 0)
			line_print(line, " ");
		line_argument(line, text + at, bytes);
		at += bytes + 1;
	}
	if (detail_cut(argv))
		line_print(line, " ...");
}

void life_command(struct line *line, const struct past_life *life)
{
	const struct detail_field *argv = life_field(life, DETAIL_ARGV);
	const struct detail_field *exe = life_field(life, DETAIL_EXE);
	bool thread = life->pid != life->tid, bare = argv && argv->bytes == 0;

	if (!thread && argv && argv->bytes > 0) {
		line_arguments(line, argv);
		return;
	}
	if (thread)
		line_print(line, "{");
	else if (bare)
		line_print(line, "[");
	if (life->comm_known)
		line_escaped(line, life->comm, comm_bytes(life->comm));
	else if (exe && !thread)
		line_escaped(line, exe->data, exe->bytes);
	else
		line_print(line, "?");
	if (thread)
		line_print(line, "}");
	else if (bare)
		line_print(line, "]");
}

/* A name that only says from whom a process was forked before it ran a program of its own. */
static bool name_is_parents(const struct past_name *name)
{
	return name->source == LIFE_NAME_FORK && name->next->source == LIFE_NAME_EXEC &&
	       name->next->known;
}

/* The names before the last one that are known and tell something, none twice in a row. */
static void remark_names(struct line *line, const struct past_life *life)
{
	const struct past_name *last = NULL;
	size_t shown = 0, more = 0;

	for (const struct past_name *name = life->names; name && name->next; name = name->next) {
		const struct past_name *next = name->next;

		if (!name->known || name_is_parents(name) ||
		    (next->known && memcmp(name->comm, next->comm, EVENT_COMM_BYTES) == 0) ||
		    (last && memcmp(name->comm, last->comm, EVENT_COMM_BYTES) == 0))
			continue;
		last = name;
		if (shown == NAMES_SHOWN) {
			more++;
			continue;
		}
		line_print(line, shown++ == 0 ? "  (was " : ", ");
		line_escaped(line, name->comm, comm_bytes(name->comm));
	}
	if (more > 0)
		line_printf(line, " and %zu more", more);
	if (shown > 0)
		line_print(line, ")");
}

void life_remarks(struct line *line, struct query *query, const struct past_life *life)
{
	const struct detail_field *argv = life_field(life, DETAIL_ARGV);
	char at[WHEN_TEXT_BYTES], comm[EVENT_COMM_BYTES + 1] = "";

	/* What it calls itself, where the arguments do not show it. */
	if (life->comm_known && argv && argv->bytes > 0 && life->pid == life->tid) {
		memcpy(comm, life->comm, EVENT_COMM_BYTES);
		if (comm[0] && !memmem(argv->data, strnlen((const char *)argv->data, argv->bytes),
				       comm, strlen(comm))) {
			line_print(line, "  (named ");
			line_escaped(line, comm, strlen(comm));
			line_print(line, ")");
		}
	}
	remark_names(line, life);
	if (image_is_inherited(life) && life->pid == life->tid)
		line_print(line, "  (no exec)");
	else if (life->image && life->image->detail.field[DETAIL_EXE].state == DETAIL_DENIED)
		line_print(line, "  (/proc denied)");
	if (life->ended && life->end_how != LIFE_END_EXIT && life->end_ns != 0) {
		query_time(query, life->boot_no, life->end_ns, 3, at);
		line_printf(line, "  (%s %s)",
			    life->end_how == LIFE_END_EXEC ? "ended when another thread ran exec,"
							   : "end not seen, gone by",
			    at);
	}
	if (life->ended && life->end_ppid != 0 && life->end_ppid != life->ppid && life->ppid != 0 &&
	    life->pid == life->tid)
		line_printf(line, "  (given to %" PRIu32 ")", life->end_ppid);
	if (!life->parent && life->ppid != 0 && life->pid == life->tid)
		line_printf(line, "  (parent %" PRIu32 " not known)", life->ppid);
	if (life->from_index)
		line_print(line, "  (ended before; from the index)");
	else if (!life->in_window)
		line_print(line, "  (not in the window)");
}

/* --- rows --- */

const struct output_column life_columns[] = {
	{ .name = "id", .number = true },
	{ .name = "boot", .number = true },
	{ .name = "pid", .number = true },
	{ .name = "ppid", .number = true },
	{ .name = "parent_id", .number = true },
	{ .name = "start_ns", .number = true },
	{ .name = "end_ns", .number = true },
	{ .name = "start_wall_ns", .number = true },
	{ .name = "end_wall_ns", .number = true },
	{ .name = "comm" },
	{ .name = "exe" },
	{ .name = "argv" },
	{ .name = "cwd" },
	{ .name = "uid", .number = true },
	{ .name = "gid", .number = true },
	{ .name = "loginuid", .number = true },
	{ .name = "cgroup" },
	{ .name = "exit_code", .number = true },
	{ .name = "euid", .number = true },
	{ .name = "egid", .number = true },
	{ .name = "sessionid", .number = true },
	{ .name = "exit_signal", .number = true },
	{ .name = "born" },
	{ .name = "ended" },
	{ .name = "inherited", .number = true },
	{ .name = "unit" },
	{ .name = "user_unit" },
	{ .name = "slice" },
	{ .name = "container_id" },
	{ .name = "container_runtime" },
	{ .name = "pod_uid" },
	{ .name = "pidns", .number = true },
	{ .name = "comm_source" },
	{ .name = "exe_source" },
	{ .name = "argv_source" },
	{ .name = "cwd_source" },
	{ .name = "redactions", .number = true },
	{ .name = "tid", .number = true },
	{ .name = "process_id", .number = true },
	{ .name = "in_window", .number = true },
};
const size_t life_column_count = sizeof(life_columns) / sizeof(life_columns[0]);

static void put_if(struct output *output, bool known, int64_t value)
{
	if (known)
		output_signed(output, value);
	else
		output_null(output);
}

static void put_wall(struct output *output, struct query *query, uint32_t boot_no, uint64_t ns)
{
	uint64_t wall_ns;

	if (ns != 0 && clocks_wall(query->clocks, boot_no, ns, &wall_ns) == 0)
		output_unsigned(output, wall_ns);
	else
		output_null(output);
}

static void put_field(struct output *output, const struct past_life *life, enum detail_tag tag)
{
	const struct detail_field *field = life_field(life, tag);

	if (!field)
		output_null(output);
	else if (tag == DETAIL_ARGV)
		output_arguments(output, field->data, field->bytes);
	else
		output_bytes(output, field->data, field->bytes);
}

/* What a path of a cgroup holds was chosen by whoever made it. */
static void put_part(struct output *output, const char *part)
{
	if (part[0])
		output_bytes(output, part, strlen(part));
	else
		output_null(output);
}

static void put_cgroup(struct output *output, const struct past_life *life)
{
	const struct detail_field *path = life_field(life, DETAIL_CGROUP);
	struct cgroup cgroup;
	bool whole = path && !detail_cut(path);

	cgroup_parse(whole ? path->data : NULL, whole ? path->bytes : 0, &cgroup);
	put_part(output, cgroup.unit);
	put_part(output, cgroup.user_unit);
	put_part(output, cgroup.slice);
	put_part(output, cgroup.container_id);
	put_part(output, cgroup.runtime);
	put_part(output, cgroup.pod_uid);
}

/* How a field was come by, in the words of the view process; NULL: nobody asked, or there is none. */
static const char *source_word(const struct past_life *life, enum detail_tag tag)
{
	unsigned state = life->image ? life->image->detail.field[tag].state : DETAIL_ABSENT;

	if (tag == DETAIL_COMM && life->comm_known) {
		if (life->renamed && life->comm_source == LIFE_NAME_COMM)
			return "event";
		return !life->renamed && (!life->image || image_is_inherited(life)) ? "inherited"
										    : "read";
	}
	if (tag != DETAIL_COMM && life_field(life, tag) && image_is_inherited(life))
		return "inherited";
	return state == DETAIL_ABSENT ? NULL : detail_state_word(state);
}

/* 4294967295 is the kernel's word for "nobody logged in"; elsewhere it does not occur. */
static void put_u32(struct output *output, const struct past_life *life, enum detail_tag tag)
{
	uint32_t id = 0;
	bool known = life->image && detail_u32(&life->image->detail, tag, 0, &id) == 0 &&
		     id != UINT32_MAX;

	put_if(output, known, id);
}

static const char *end_how_word(const struct past_life *life)
{
	static const char *const words[] = { "exit", "exec", "reused", "absent", "boot" };

	if (!life->ended || life->end_how >= sizeof(words) / sizeof(words[0]))
		return NULL;
	return words[life->end_how];
}

void life_row(struct output *output, struct query *query, const struct past_life *life)
{
	static const char *const births[] = { "unseen", "fork", "snapshot" };
	bool exited = life->ended && life->end_how == LIFE_END_EXIT;

	output_signed(output, life->id);
	output_unsigned(output, life->boot_no);
	output_unsigned(output, life->pid);
	put_if(output, life->born != LIFE_BORN_UNSEEN || life->ppid != 0, life->ppid);
	put_if(output, life->parent_id != 0, life->parent_id);
	put_if(output, life->start_ns != 0, (int64_t)life->start_ns);
	put_if(output, life->ended && life->end_ns != 0, (int64_t)life->end_ns);
	put_wall(output, query, life->boot_no, life->start_ns);
	put_wall(output, query, life->boot_no, life->ended ? life->end_ns : 0);
	if (life->comm_known)
		output_bytes(output, life->comm, comm_bytes(life->comm));
	else
		output_null(output);
	put_field(output, life, DETAIL_EXE);
	put_field(output, life, DETAIL_ARGV);
	put_field(output, life, DETAIL_CWD);
	put_if(output, life->uid_known, life->ruid);
	put_if(output, life->gid_known, life->rgid);
	put_u32(output, life, DETAIL_LOGINUID);
	put_field(output, life, DETAIL_CGROUP);
	put_if(output, exited, life->exit_code);
	put_if(output, life->uid_known, life->euid);
	put_if(output, life->gid_known, life->egid);
	put_u32(output, life, DETAIL_SESSIONID);
	put_if(output, exited, (int32_t)life->exit_signal);
	output_word(output, life->born < 3 ? births[life->born] : "other");
	output_word(output, end_how_word(life));
	put_if(output, life->image != NULL, image_is_inherited(life));
	put_cgroup(output, life);
	put_u32(output, life, DETAIL_PIDNS);
	output_word(output, source_word(life, DETAIL_COMM));
	output_word(output, source_word(life, DETAIL_EXE));
	output_word(output, source_word(life, DETAIL_ARGV));
	output_word(output, source_word(life, DETAIL_CWD));
	put_u32(output, life, DETAIL_REDACTIONS);
	output_unsigned(output, life->tid);
	put_if(output, life->process_id != 0, life->process_id);
	output_unsigned(output, life->in_window);
	output_row_end(output);
}
