/* test_output.c - rows as text, JSON, JSON lines and CSV. */
#include <stdlib.h>
#include <string.h>

#include "query/output.h"
#include "tests/tap.h"

static const struct output_column columns[] = {
	{ .name = "pid", .number = true },
	{ .name = "comm" },
	{ .name = "argv" },
	{ .name = "code", .number = true },
};

static void put_rows(struct output *output)
{
	output_unsigned(output, 4294967295);
	output_bytes(output, "sh\n", 3);
	output_arguments(output, "sh\0-c\0a b\0", 10);
	output_signed(output, -1);
	output_row_end(output);
	output_unsigned(output, 7);
	output_bytes(output, "\377\"", 2);
	output_null(output);
	output_null(output);
	output_row_end(output);
	output_unsigned(output, UINT64_MAX);
	output_word(output, "=x");
	output_arguments(output, "", 0);
	output_row_end(output); /* the last column is not known */
}

static char *written(enum output_format format, void (*put)(struct output *), size_t *ret_rows)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *file = open_memstream(&text, &bytes);
	struct output *output = output_new(file, format, "things", columns, 4, "?");

	put(output);
	output_end(output);
	if (ret_rows)
		*ret_rows = output_row_count(output);
	output_free(output);
	(void)fclose(file);
	return text;
}

static void put_none(struct output *output)
{
	(void)output;
}

static void is(enum output_format format, void (*put)(struct output *), const char *wanted,
	       const char *sentence)
{
	char *text = written(format, put, NULL);

	ok(strcmp(text, wanted) == 0, "%s", sentence);
	if (strcmp(text, wanted) != 0)
		printf("#--- got:\n%s\n#--- wanted:\n%s\n", text, wanted);
	free(text);
}

/* A table goes on in its layout when rows come behind the first thousand. */
static void put_many(struct output *output)
{
	for (uint64_t i = 0; i < 2500; i++) {
		output_unsigned(output, i);
		output_word(output, "name");
		output_null(output);
		output_unsigned(output, i % 3);
		output_row_end(output);
	}
}

static void test_many(void)
{
	size_t lines = 0, rows, odd = 0, width = 0;
	char *text = written(OUTPUT_TEXT, put_many, &rows);

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (lines++ == 0)
			width = strlen(line);
		else if (lines > 1 && lines < 1002)
			odd += strlen(line) != width;
	}
	ok(rows == 2500 && lines == 2501 && odd == 0, "2,500 rows are one table under one head");
	free(text);
}

static void test_write_error(void)
{
	FILE *full = fopen("/dev/full", "w");
	struct output *output;

	if (!full)
		return;
	output = output_new(full, OUTPUT_JSONL, "things", columns, 4, "?");
	for (int i = 0; i < 3000; i++)
		put_rows(output);
	ok(output_error(output) < 0, "an error of the file is told");
	output_free(output);
	(void)fclose(full);
}

static void test_formats(void)
{
	enum output_format format = OUTPUT_TEXT;

	ok(output_format_parse("jsonl", &format) == 0 && format == OUTPUT_JSONL &&
		   output_format_parse("csv", &format) == 0 && format == OUTPUT_CSV &&
		   output_format_parse("xml", &format) < 0 && format == OUTPUT_CSV &&
		   output_format_parse("", &format) < 0,
	   "formats have names");
}

int main(void)
{
	is(OUTPUT_TEXT, put_rows,
	   "                 pid comm   argv      code\n"
	   "          4294967295 sh\\x0a sh -c a b   -1\n"
	   "                   7 \\xff\"  ?            ?\n"
	   "18446744073709551615 =x                  ?\n",
	   "text is a table without control characters");
	is(OUTPUT_JSON, put_rows,
	   "{\"things\":[\n"
	   "{\"pid\":4294967295,\"comm\":\"sh\\u000a\",\"argv\":[\"sh\",\"-c\",\"a "
	   "b\"],\"code\":-1},\n"
	   "{\"pid\":7,\"comm\":\"\357\277\275\\\"\",\"comm_hex\":\"ff22\",\"argv\":null,\"code\":"
	   "null},\n"
	   "{\"pid\":18446744073709551615,\"comm\":\"=x\",\"argv\":[],\"code\":null}\n]",
	   "JSON has what is not known as null, and bytes that are no UTF-8 in hex as well");
	is(OUTPUT_JSONL, put_rows,
	   "{\"pid\":4294967295,\"comm\":\"sh\\u000a\",\"argv\":[\"sh\",\"-c\",\"a "
	   "b\"],\"code\":-1}\n"
	   "{\"pid\":7,\"comm\":\"\357\277\275\\\"\",\"comm_hex\":\"ff22\",\"argv\":null,\"code\":"
	   "null}\n"
	   "{\"pid\":18446744073709551615,\"comm\":\"=x\",\"argv\":[],\"code\":null}\n",
	   "JSON lines are one object a line");
	is(OUTPUT_CSV, put_rows,
	   "pid,comm,argv,code\r\n"
	   "4294967295,sh\\x0a,\"[\"\"sh\"\",\"\"-c\"\",\"\"a b\"\"]\",-1\r\n"
	   "7,\"\\xff\"\"\",,\r\n"
	   "18446744073709551615,=x,[],\r\n",
	   "CSV has a head, and nothing where nothing is known");
	is(OUTPUT_TEXT, put_none, "", "no rows are no text");
	is(OUTPUT_JSON, put_none, "{\"things\":[]", "no rows are an empty array");
	is(OUTPUT_JSONL, put_none, "", "no rows are no lines");
	is(OUTPUT_CSV, put_none, "pid,comm,argv,code\r\n", "no rows are a head alone");
	test_many();
	test_write_error();
	test_formats();
	return done_testing();
}
