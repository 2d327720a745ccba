/* cmd_doctor.c - whether recording works here, and how well: a line for each thing it hangs on, with what to do. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "query/doctor.h"

enum { FOUND_BYTES = 256 };

static const struct output_column columns[] = {
	{ .name = "check" }, { .name = "state" }, { .name = "found" }, { .name = "advice" }
};

void doctor_tell(struct doctor *doctor, const char *check, enum verdict verdict, const char *advice,
		 const char *format, ...)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	char found[FOUND_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(found, sizeof(found), format, arguments);
	va_end(arguments);
	if (verdict > doctor->worst)
		doctor->worst = verdict;
	if (verdict == VERDICT_OK)
		advice = NULL;
	if (!doctor->output) {
		printf("%-4s  %-10s  ", words[verdict], check);
		output_escaped(stdout, found, strlen(found));
		printf("\n");
		if (advice)
			printf("%18s-> %s\n", "", advice);
		return;
	}
	output_word(doctor->output, check);
	output_word(doctor->output, words[verdict]);
	output_bytes(doctor->output, found, strlen(found));
	output_word(doctor->output, advice);
	output_row_end(doctor->output);
}

static int finish(struct doctor *doctor)
{
	if (doctor->output)
		output_end(doctor->output);
	if (doctor->query.options->format == OUTPUT_JSON)
		printf("}\n");
	output_free(doctor->output);
	if (fflush(stdout) != 0 && errno != EPIPE)
		return complain(EXIT_ERROR, "cannot write the answer: %s", strerror(errno));
	return 0;
}

int cmd_doctor(const struct options *options)
{
	static const int codes[] = { EXIT_FOUND, EXIT_NOTHING, EXIT_ERROR };
	struct doctor doctor = { 0 };
	int r = query_init(&doctor.query, options);

	if (r != 0)
		return r;
	if (options->format != OUTPUT_TEXT) {
		doctor.output = output_new(stdout, options->format, "checks", columns,
					   sizeof(columns) / sizeof(columns[0]), "");
		if (!doctor.output)
			return complain(EXIT_ERROR, "out of memory");
	}
	doctor.recorder = query_recorder_pid(&doctor.query);
	if (doctor.recorder < 0)
		doctor.recorder = 0;
	doctor_check_machine(&doctor);
	doctor_check_store(&doctor);
	r = finish(&doctor);
	query_clear(&doctor.query);
	return r != 0 ? r : codes[doctor.worst];
}

const char help_doctor[] =
	"Exit status: 0 all is well, 1 something could be better (warn), 2 wrong usage,\n"
	"3 recording cannot work here (fail).\n";
