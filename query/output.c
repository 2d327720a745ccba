#include "query/output.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/cleanup.h"
#include "schema/json.h"

enum { TABLE_ROWS = 1000, TABLE_WIDTH_MAX = 40, CHUNK_BYTES = 512 };

enum cell_type { CELL_TEXT, CELL_NUMBER, CELL_NULL };

/* A cell of a table that waits for its column's width. */
struct cell {
	size_t at, bytes, width; /* in text; width in characters */
	enum cell_type type;
};

struct output {
	FILE *file;
	enum output_format format;
	const char *rows_name, *null_text;
	const struct output_column *columns;
	size_t column_count, column, row_count;
	int error;
	bool out_of_memory;

	/* text: the cells of the first rows */
	struct cell *cells;
	size_t cell_count, cell_capacity;
	char *text;
	size_t text_bytes, text_capacity;
	size_t *widths;
	bool *right; /* columns set to the right: those of numbers */
	bool guess;
	size_t width, row_width; /* of the terminal (0: none), and of the row so far */
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

struct output *output_new(FILE *file, enum output_format format, const char *rows_name,
			  const struct output_column *columns, size_t column_count,
			  const char *null_text)
{
	struct output *output = calloc(1, sizeof(*output));

	if (!output)
		return NULL;
	*output = (struct output){ .file = file,
				   .format = format,
				   .rows_name = rows_name,
				   .null_text = null_text,
				   .columns = columns,
				   .column_count = column_count };
	output->widths = calloc(column_count + 1, sizeof(*output->widths));
	output->right = calloc(column_count + 1, sizeof(*output->right));
	if (!output->widths || !output->right) {
		output_free(output);
		return NULL;
	}
	for (size_t i = 0; i < column_count; i++)
		output->right[i] = columns[i].number;
	if (format == OUTPUT_JSON)
		(void)fprintf(file, "{\"%s\":[", rows_name);
	for (size_t i = 0; i < column_count && format == OUTPUT_CSV; i++) {
		if (i > 0)
			(void)putc_unlocked(',', file);
		(void)fputs_unlocked(columns[i].name, file);
	}
	if (format == OUTPUT_CSV)
		(void)fputs_unlocked("\r\n", file);
	return output;
}

void output_free(struct output *output)
{
	if (!output)
		return;
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
	return output->error;
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
		(void)putc_unlocked(' ', output->file);
}

/* So much of text as still fits into the terminal. */
static size_t fitting(struct output *output, const char *text, size_t bytes, size_t width)
{
	size_t room = output->width > output->row_width ? output->width - output->row_width : 0;

	output->row_width += width;
	if (output->width == 0 || width <= room)
		return bytes;
	for (size_t i = 0; i < bytes; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80 && room-- == 0)
			return i;
	}
	return bytes;
}

static void table_cell(struct output *output, size_t column, const char *text, size_t bytes,
		       size_t width)
{
	size_t space = width < output->widths[column] ? output->widths[column] - width : 0;
	bool last = column + 1 == output->column_count;

	if (column > 0)
		(void)putc_unlocked(' ', output->file);
	else
		output->row_width = 0;
	if (output->right[column])
		pad(output, space);
	if (!last || output->right[column])
		output->row_width += space + 1;
	(void)fwrite_unlocked(text, 1, fitting(output, text, bytes, width), output->file);
	if (!output->right[column] && !last)
		pad(output, space);
	if (last)
		(void)putc_unlocked('\n', output->file);
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

static const char *column_name(const struct output *output)
{
	return output->columns[output->column].name;
}

static void json_member(struct output *output)
{
	if (output->column > 0) {
		(void)fputs_unlocked(",\"", output->file);
	} else {
		if (output->format == OUTPUT_JSON)
			(void)fputs_unlocked(output->row_count > 0 ? ",\n" : "\n", output->file);
		(void)fputs_unlocked("{\"", output->file);
	}
	(void)fputs_unlocked(column_name(output), output->file);
	(void)fputs_unlocked("\":", output->file);
}

/* A value that needs no escape in any format. */
static void put_typed(struct output *output, const char *text, size_t bytes, bool quoted,
		      enum cell_type type)
{
	if (output->column >= output->column_count)
		return;
	switch (output->format) {
	case OUTPUT_TEXT:
		table_put(output, text, bytes, type);
		break;
	case OUTPUT_JSON:
	case OUTPUT_JSONL:
		json_member(output);
		if (quoted)
			(void)putc_unlocked('"', output->file);
		(void)fwrite_unlocked(text, 1, bytes, output->file);
		if (quoted)
			(void)putc_unlocked('"', output->file);
		break;
	case OUTPUT_CSV:
		if (output->column > 0)
			(void)putc_unlocked(',', output->file);
		(void)fwrite_unlocked(text, 1, bytes, output->file);
		break;
	}
	output->column++;
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
		put_plain(output, "null", 4, false);
		break;
	case OUTPUT_CSV:
		put_plain(output, "", 0, false);
		break;
	}
}

/* printf is most of the cost of a row of numbers. */
void output_unsigned(struct output *output, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while ((value /= 10) > 0);
	put_plain(output, digits + at, sizeof(digits) - at, false);
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
	const uint8_t *in = data;

	(void)fprintf(output->file, ",\"%s_hex\":\"", column_name(output));
	for (size_t i = 0; i < bytes; i++) {
		char digits[2];

		(void)fwrite_unlocked(digits, 1, escape_hex(in + i, 1, digits), output->file);
	}
	(void)putc_unlocked('"', output->file);
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
	if (output->format == OUTPUT_TEXT || output->format == OUTPUT_CSV) {
		put_escaped(output, data, bytes);
		return;
	}
	if (output->column >= output->column_count)
		return;
	json_member(output);
	if (!output_json_string(output->file, data, bytes))
		json_hex(output, data, bytes);
	output->column++;
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

/* Arguments as a JSON array; NULL: no memory.  The caller frees it. */
static char *arguments_json(const void *data, size_t bytes, size_t *ret_bytes, bool *ret_clean)
{
	char *json = malloc(JSON_ARGUMENTS_MAX(bytes));

	if (json)
		*ret_bytes = json_arguments(data, bytes, json, ret_clean);
	return json;
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

static void json_column_arguments(struct output *output, const void *data, size_t bytes)
{
	size_t json_bytes;
	bool clean;
	auto_free char *json = arguments_json(data, bytes, &json_bytes, &clean);

	if (!json) {
		output->out_of_memory = true;
	} else if (output->format == OUTPUT_CSV) {
		put_escaped(output, json, json_bytes);
	} else if (output->column < output->column_count) {
		json_member(output);
		(void)fwrite_unlocked(json, 1, json_bytes, output->file);
		if (!clean)
			json_hex(output, data, bytes);
		output->column++;
	}
}

void output_arguments(struct output *output, const void *data, size_t bytes)
{
	if (output->format == OUTPUT_TEXT)
		text_arguments(output, data, bytes);
	else
		json_column_arguments(output, data, bytes);
}

void output_row_end(struct output *output)
{
	while (output->column < output->column_count)
		output_null(output);
	output->column = 0;
	output->row_count++;
	switch (output->format) {
	case OUTPUT_TEXT:
		if (!output->laid_out && output->row_count == TABLE_ROWS)
			table_lay_out(output);
		break;
	case OUTPUT_JSON:
		(void)putc_unlocked('}', output->file);
		break;
	case OUTPUT_JSONL:
		(void)fputs_unlocked("}\n", output->file);
		break;
	case OUTPUT_CSV:
		(void)fputs_unlocked("\r\n", output->file);
		break;
	}
	if (ferror_unlocked(output->file) && output->error == 0)
		output->error = errno ? -errno : -EIO;
}

void output_end(struct output *output)
{
	if (output->format == OUTPUT_TEXT && !output->laid_out && output->row_count > 0)
		table_lay_out(output);
	if (output->format == OUTPUT_JSON)
		(void)fputs_unlocked(output->row_count > 0 ? "\n]" : "]", output->file);
	if (ferror_unlocked(output->file) && output->error == 0)
		output->error = errno ? -errno : -EIO;
}
