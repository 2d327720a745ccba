#include "query/output.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "query/sink.h"
#include "schema/cleanup.h"
#include "schema/json.h"

enum { TABLE_ROWS = 1000, TABLE_WIDTH_MAX = 40, CHUNK_BYTES = 512 };

enum cell_type { CELL_TEXT, CELL_NUMBER, CELL_NULL };

/* A cell of a table that waits for its column's width. */
struct cell {
	size_t at, bytes, width; /* in text; width in characters */
	enum cell_type type;
};

/* What a column begins with in JSON, and what it is when it is NULL: ',"name":null'. */
struct member {
	char *text;
	size_t name_bytes, bytes; /* up to the value; with null */
};

struct output {
	struct sink sink; /* a row is some thirty pieces */
	struct member *members;
	enum output_format format;
	const char *rows_name, *null_text;
	const struct output_column *columns;
	size_t column_count, column, row_count;
	size_t shown; /* values of this row so far that were written */
	bool *hidden; /* columns that nobody asked for; NULL: none */
	bool pretty, out_of_memory;

	/* text: the cells of the first rows */
	struct cell *cells;
	size_t cell_count, cell_capacity;
	char *text;
	size_t text_bytes, text_capacity;
	size_t *widths;
	bool *right; /* columns set to the right: those of numbers */
	bool guess;
	size_t width, row_width; /* of the terminal (0: none), and of the row so far */
	size_t blanks;           /* that the cell before is shorter than its column */
	bool laid_out;
};

int output_format_parse(const char *word, enum output_format *ret_format)
{
	static const char *const words[] = { "text", "json", "jsonl", "csv" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret_format = (enum output_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

void output_flush(struct output *output)
{
	sink_flush(&output->sink);
}

/* --- the beginning --- */

static bool members_make(struct output *output)
{
	if (output->format != OUTPUT_JSON && output->format != OUTPUT_JSONL)
		return true;
	output->members = calloc(output->column_count + 1, sizeof(*output->members));
	for (size_t i = 0; i < output->column_count && output->members; i++) {
		struct member *member = &output->members[i];
		int bytes = asprintf(&member->text, ",\"%s\":null", output->columns[i].name);

		if (bytes < 0) {
			member->text = NULL;
			return false;
		}
		member->bytes = (size_t)bytes;
		member->name_bytes = member->bytes - 4;
	}
	return output->members != NULL;
}

static bool is_hidden(const struct output *output, size_t column)
{
	return output->hidden && output->hidden[column];
}

static void put_head(struct output *output)
{
	bool begun = false;

	if (output->format == OUTPUT_JSON) {
		sink_words(&output->sink, "{\"");
		sink_words(&output->sink, output->rows_name);
		sink_words(&output->sink, "\":[");
	}
	for (size_t i = 0; i < output->column_count && output->format == OUTPUT_CSV; i++) {
		if (is_hidden(output, i))
			continue;
		sink_put(&output->sink, ",", begun);
		sink_words(&output->sink, output->columns[i].name);
		begun = true;
	}
	if (output->format == OUTPUT_CSV)
		sink_words(&output->sink, "\r\n");
}

struct output *output_new(FILE *file, enum output_format format, const char *rows_name,
			  const struct output_column *columns, size_t column_count,
			  const char *null_text)
{
	struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return NULL;
	*output = (struct output){ .format = format,
				   .rows_name = rows_name,
				   .null_text = null_text,
				   .columns = columns,
				   .column_count = column_count };
	sink_init(&output->sink, file);
	output->widths = calloc(column_count + 1, sizeof(*output->widths));
	output->right = calloc(column_count + 1, sizeof(*output->right));
	if (!output->widths || !output->right || !members_make(output)) {
		output_free(output);
		return NULL;
	}
	for (size_t i = 0; i < column_count; i++)
		output->right[i] = columns[i].number;
	put_head(output);
	return output;
}

/* Whether name is one of the words between commas. */
static bool is_listed(const char *name, const char *names)
{
	size_t bytes = strlen(name);

	for (const char *at = names; *at; at += strcspn(at, ","), at += *at == ',') {
		if (strncmp(at, name, bytes) == 0 && (at[bytes] == ',' || !at[bytes]))
			return true;
	}
	return false;
}

int output_choose(struct output *output, const char *names)
{
	size_t asked = 1, found = 0;

	for (const char *at = names; *at; at++)
		asked += *at == ',';
	output->hidden = calloc(output->column_count + 1, sizeof(*output->hidden));
	if (!output->hidden)
		return -ENOMEM;
	for (size_t i = 0; i < output->column_count; i++) {
		output->hidden[i] = !is_listed(output->columns[i].name, names);
		found += !output->hidden[i];
	}
	if (found < asked)
		return -EINVAL;
	output->sink.used = 0; /* the head is made anew */
	put_head(output);
	return 0;
}

void output_set_pretty(struct output *output)
{
	output->pretty = true;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	for (size_t i = 0; i < output->column_count && output->members; i++)
		free(output->members[i].text);
	free(output->members);
	free(output->hidden);
	sink_clear(&output->sink);
	free(output->cells);
	free(output->text);
	free(output->widths);
	free(output->right);
	free(output);
}

size_t output_row_count(const struct output *output)
{
	return output->row_count;
}

int output_error(const struct output *output)
{
	if (output->out_of_memory)
		return -ENOMEM;
	return output->sink.error;
}

/* --- text: a table --- */

static bool grow(void **array, size_t *capacity, size_t needed, size_t element_bytes)
{
	size_t wanted = *capacity ? *capacity : 64;
	void *grown;

	if (needed <= *capacity)
		return true;
	while (wanted < needed)
		wanted *= 2;
	grown = reallocarray(*array, wanted, element_bytes);
	if (!grown)
		return false;
	*array = grown;
	*capacity = wanted;
	return true;
}

/* Characters, not bytes: what begins a character in UTF-8. */
static size_t text_width(const char *text, size_t bytes)
{
	size_t width = 0;

	for (size_t i = 0; i < bytes; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

static void pad(struct output *output, size_t count)
{
	while (count-- > 0)
		sink_put(&output->sink, " ", 1);
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

/* A cell with the blanks before it, as far as it fits into the terminal.  A row that does not ends with a mark, for which there is room
 * behind all cells but the last. */
static void put_fitting(struct output *output, size_t blanks, const char *text, size_t bytes,
			size_t width, bool last)
{
	size_t room = output->width > output->row_width ? output->width - output->row_width : 0;

	if (output->width == 0 || blanks + width + !last <= room) {
		pad(output, blanks);
		sink_put(&output->sink, text, bytes);
		output->row_width += blanks + width;
		return;
	}
	output->row_width = output->width;
	if (room == 0) /* the mark stands already */
		return;
	room--;
	pad(output, blanks < room ? blanks : room);
	sink_put(&output->sink, text, cut_at(text, bytes, blanks < room ? room - blanks : 0));
	sink_words(&output->sink, "\342\200\246");
}

static void table_cell(struct output *output, size_t column, const char *text, size_t bytes,
		       size_t width)
{
	size_t space = width < output->widths[column] ? output->widths[column] - width : 0;
	bool last = column + 1 == output->column_count;
	size_t blanks = column > 0 ? output->blanks + 1 : 0;

	if (column == 0)
		output->row_width = 0;
	output->blanks = output->right[column] ? 0 : space;
	put_fitting(output, blanks + space - output->blanks, text, bytes, width, last);
	if (last)
		sink_put(&output->sink, "\n", 1);
}

/* A column is one of numbers when nothing else is in the rows so far. */
static void table_guess(struct output *output)
{
	for (size_t i = 0; i < output->column_count; i++) {
		bool number = false, text = false;

		for (size_t c = i; c < output->cell_count; c += output->column_count) {
			number |= output->cells[c].type == CELL_NUMBER;
			text |= output->cells[c].type == CELL_TEXT;
		}
		output->right[i] = number && !text;
	}
}

/* The widths that the rows so far ask for; one very long value does not push all others away. */
static void table_lay_out(struct output *output)
{
	if (output->column_count == 0)
		return;
	if (output->guess)
		table_guess(output);
	for (size_t i = 0; i < output->column_count; i++)
		output->widths[i] =
			text_width(output->columns[i].name, strlen(output->columns[i].name));
	for (size_t i = 0, column = 0; i < output->cell_count; i++) {
		size_t *width = &output->widths[column];
		size_t wanted = output->cells[i].width;

		column = column + 1 < output->column_count ? column + 1 : 0;

		if (wanted > TABLE_WIDTH_MAX)
			wanted = TABLE_WIDTH_MAX;
		if (wanted > *width)
			*width = wanted;
	}
	for (size_t i = 0; i < output->column_count; i++) {
		const char *name = output->columns[i].name;

		table_cell(output, i, name, strlen(name), text_width(name, strlen(name)));
	}
	for (size_t i = 0, column = 0; i < output->cell_count; i++) {
		const struct cell *cell = &output->cells[i];

		table_cell(output, column, output->text + cell->at, cell->bytes, cell->width);
		column = column + 1 < output->column_count ? column + 1 : 0;
	}
	output->cell_count = output->text_bytes = 0;
	output->laid_out = true;
}

static void table_put(struct output *output, const char *text, size_t bytes, enum cell_type type)
{
	size_t width = text_width(text, bytes);
	void *cells = output->cells, *buffer = output->text;

	if (output->laid_out) {
		table_cell(output, output->column, text, bytes, width);
		return;
	}
	if (!grow(&cells, &output->cell_capacity, output->cell_count + 1, sizeof(struct cell))) {
		output->out_of_memory = true;
		return;
	}
	output->cells = cells;
	if (!grow(&buffer, &output->text_capacity, output->text_bytes + bytes, 1)) {
		output->out_of_memory = true;
		return;
	}
	output->text = buffer;
	if (bytes > 0)
		memcpy(output->text + output->text_bytes, text, bytes);
	output->cells[output->cell_count++] =
		(struct cell){ output->text_bytes, bytes, width, type };
	output->text_bytes += bytes;
}

/* --- values --- */

/* Whether a value has no place: behind the last column, or in one that nobody asked for. */
static bool value_passes_by(struct output *output)
{
	if (output->column < output->column_count && !is_hidden(output, output->column))
		return false;
	output->column += output->column < output->column_count;
	return true;
}

static void value_end(struct output *output)
{
	output->column++;
	output->shown++;
}

/* A member's name, and null_too: its value. */
static void json_member(struct output *output, bool null_too)
{
	const struct member *member = &output->members[output->column];
	size_t bytes = null_too ? member->bytes : member->name_bytes;

	if (output->shown > 0 && !output->pretty) {
		sink_put(&output->sink, member->text, bytes);
		return;
	}
	if (output->format == OUTPUT_JSON && output->shown == 0)
		sink_words(&output->sink, output->row_count > 0 ? ",\n" : "\n");
	sink_words(&output->sink, output->shown > 0 ? "," : "{");
	sink_words(&output->sink, output->pretty ? "\n\t" : "");
	sink_put(&output->sink, member->text + 1, bytes - 1);
}

/* A value that needs no escape in any format. */
static void put_typed(struct output *output, const char *text, size_t bytes, bool quoted,
		      enum cell_type type)
{
	if (value_passes_by(output))
		return;
	switch (output->format) {
	case OUTPUT_TEXT:
		table_put(output, text, bytes, type);
		break;
	case OUTPUT_JSON:
	case OUTPUT_JSONL:
		json_member(output, false);
		sink_put(&output->sink, "\"", quoted);
		sink_put(&output->sink, text, bytes);
		sink_put(&output->sink, "\"", quoted);
		break;
	case OUTPUT_CSV:
		sink_put(&output->sink, ",", output->shown > 0);
		sink_put(&output->sink, text, bytes);
		break;
	case OUTPUT_VERBOSE:
		sink_words(&output->sink, "    ");
		sink_words(&output->sink, output->columns[output->column].name);
		sink_words(&output->sink, "=");
		sink_put(&output->sink, text, bytes);
		sink_words(&output->sink, "\n");
		break;
	}
	value_end(output);
}

static void put_plain(struct output *output, const char *text, size_t bytes, bool quoted)
{
	put_typed(output, text, bytes, quoted, quoted ? CELL_TEXT : CELL_NUMBER);
}

void output_null(struct output *output)
{
	switch (output->format) {
	case OUTPUT_TEXT:
		put_typed(output, output->null_text, strlen(output->null_text), false, CELL_NULL);
		break;
	case OUTPUT_JSON:
	case OUTPUT_JSONL:
		if (value_passes_by(output))
			break;
		json_member(output, true);
		value_end(output);
		break;
	case OUTPUT_CSV:
		put_plain(output, "", 0, false);
		break;
	case OUTPUT_VERBOSE:
		output->column += output->column < output->column_count;
		break;
	}
}

void output_unsigned(struct output *output, uint64_t value)
{
	char digits[SINK_DIGITS];

	put_plain(output, digits, sink_digits(value, digits), false);
}

void output_signed(struct output *output, int64_t value)
{
	char text[24];
	int bytes;

	if (value >= 0) {
		output_unsigned(output, (uint64_t)value);
		return;
	}
	bytes = snprintf(text, sizeof(text), "%" PRId64, value);
	put_plain(output, text, (size_t)bytes, false);
}

void output_real(struct output *output, double value)
{
	char text[40];
	int bytes;

	if (!isfinite(value)) { /* SQLite gives infinities; JSON has none */
		output_word(output, value > 0 ? "Infinity" : "-Infinity");
		return;
	}
	bytes = snprintf(text, sizeof(text), "%.15g", value);
	if (strtod(text, NULL) != value)
		bytes = snprintf(text, sizeof(text), "%.17g", value);
	put_plain(output, text, (size_t)bytes, false);
}

void output_word(struct output *output, const char *word)
{
	if (!word)
		output_null(output);
	else
		put_plain(output, word, strlen(word), true);
}

void output_made(struct output *output, const char *text, size_t bytes)
{
	put_plain(output, text, bytes, true);
}

void output_guess_numbers(struct output *output)
{
	output->guess = true;
}

void output_set_width(struct output *output, size_t width)
{
	output->width = width;
}

/* Escaped pieces need four times their room: a piece on the stack, or memory for long ones. */
static char *scratch(size_t bytes, size_t factor, char *local, size_t local_bytes)
{
	return bytes <= (local_bytes - 4) / factor ? local : malloc(bytes * factor + 4);
}

void output_escaped(FILE *file, const void *data, size_t bytes)
{
	char local[CHUNK_BYTES * 4 + 4];
	char *text = scratch(bytes, 4, local, sizeof(local));

	if (!text)
		return;
	(void)fwrite_unlocked(text, 1, escape_text(data, bytes, text), file);
	if (text != local)
		free(text);
}

bool output_json_string(FILE *file, const void *data, size_t bytes)
{
	char local[CHUNK_BYTES * 12 + 4];
	char *text = scratch(bytes, 12, local, sizeof(local));
	bool clean = false;
	size_t used;

	(void)putc_unlocked('"', file);
	if (text) {
		used = json_escape(data, bytes, text, &clean);
		(void)fwrite_unlocked(text, 1, used, file);
	}
	(void)putc_unlocked('"', file);
	if (text != local)
		free(text);
	return clean;
}

/* The bytes themselves, beside a string that could not hold them. */
static void json_hex(struct output *output, const void *data, size_t bytes)
{
	struct sink *sink = &output->sink;

	sink_words(sink, output->pretty ? ",\n\t\"" : ",\"");
	sink_words(sink, output->columns[output->column].name);
	sink_words(sink, "_hex\":\"");
	sink_hex(sink, data, bytes);
	sink_char(sink, '"');
}

static void put_escaped(struct output *output, const void *data, size_t bytes)
{
	char local[CHUNK_BYTES * 4 + 4];
	char *text = scratch(bytes, 4, local, sizeof(local));

	if (!text) {
		output->out_of_memory = true;
		return;
	}
	if (output->format == OUTPUT_CSV)
		put_plain(output, text, escape_csv(data, bytes, text), true);
	else
		put_plain(output, text, escape_text(data, bytes, text), true);
	if (text != local)
		free(text);
}

void output_bytes(struct output *output, const void *data, size_t bytes)
{
	if (output->format != OUTPUT_JSON && output->format != OUTPUT_JSONL) {
		put_escaped(output, data, bytes);
		return;
	}
	if (value_passes_by(output))
		return;
	json_member(output, false);
	if (!sink_json_string(&output->sink, data, bytes))
		json_hex(output, data, bytes);
	value_end(output);
}

void output_hex(struct output *output, const void *data, size_t bytes)
{
	char local[CHUNK_BYTES * 2 + 4];
	char *text = scratch(bytes, 2, local, sizeof(local));

	if (!text) {
		output->out_of_memory = true;
		return;
	}
	put_plain(output, text, escape_hex(data, bytes, text), true);
	if (text != local)
		free(text);
}

static void text_arguments(struct output *output, const char *data, size_t bytes)
{
	char *joined = malloc(bytes + 1);

	if (!joined) {
		output->out_of_memory = true;
		return;
	}
	if (bytes > 0)
		memcpy(joined, data, bytes);
	if (bytes > 0 && joined[bytes - 1] == '\0')
		bytes--;
	for (size_t i = 0; i < bytes; i++)
		if (joined[i] == '\0')
			joined[i] = ' ';
	put_escaped(output, joined, bytes);
	free(joined);
}

static void csv_arguments(struct output *output, const void *data, size_t bytes)
{
	auto_free char *json = malloc(JSON_ARGUMENTS_MAX(bytes));
	bool clean;

	if (json)
		put_escaped(output, json, json_arguments(data, bytes, json, &clean));
	else
		output->out_of_memory = true;
}

static void json_column_arguments(struct output *output, const void *data, size_t bytes)
{
	if (value_passes_by(output))
		return;
	json_member(output, false);
	if (!sink_json_arguments(&output->sink, data, bytes))
		json_hex(output, data, bytes);
	value_end(output);
}

void output_arguments(struct output *output, const void *data, size_t bytes)
{
	if (output->format == OUTPUT_TEXT || output->format == OUTPUT_VERBOSE)
		text_arguments(output, data, bytes);
	else if (output->format == OUTPUT_CSV)
		csv_arguments(output, data, bytes);
	else
		json_column_arguments(output, data, bytes);
}

void output_heading(struct output *output, const char *text, size_t bytes)
{
	sink_put(&output->sink, text, bytes);
	sink_words(&output->sink, "\n");
}

void output_row_end(struct output *output)
{
	while (output->column < output->column_count)
		output_null(output);
	output->column = output->shown = 0;
	output->row_count++;
	switch (output->format) {
	case OUTPUT_TEXT:
		if (!output->laid_out && output->row_count == TABLE_ROWS)
			table_lay_out(output);
		break;
	case OUTPUT_JSON:
		sink_put(&output->sink, "}", 1);
		break;
	case OUTPUT_JSONL:
		sink_words(&output->sink, output->pretty ? "\n}\n" : "}\n");
		break;
	case OUTPUT_CSV:
		sink_put(&output->sink, "\r\n", 2);
		break;
	case OUTPUT_VERBOSE:
		break;
	}
	sink_row_end(&output->sink);
}

void output_end(struct output *output)
{
	if (output->format == OUTPUT_TEXT && !output->laid_out && output->row_count > 0)
		table_lay_out(output);
	if (output->format == OUTPUT_JSON)
		sink_words(&output->sink, output->row_count > 0 ? "\n]" : "]");
	output_flush(output);
}
