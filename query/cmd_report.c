/* cmd_report.c - what stands out in a window: reports that are SQL, and show it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/index_query.h"
#include "schema/cleanup.h"

enum { LINES_DEFAULT = 20 };

static const struct report {
	const char *name, *text, *sql;
} reports[] = {
#define REPORT(name, text, sql) { name, text, sql },
#include "query/report_sql.h"
#undef REPORT
};

enum { REPORTS = sizeof(reports) / sizeof(reports[0]) };

const char help_report[] = "NAME is one of these, summary when none is given:\n"
#define REPORT(name, text, sql) "  " name ": " text "\n"
#include "query/report_sql.h"
#undef REPORT
	;

static const struct report *report_find(const char *name)
{
	for (size_t i = 0; i < REPORTS; i++) {
		if (strcmp(reports[i].name, name) == 0)
			return &reports[i];
	}
	return NULL;
}

/* The numbers of the events that may be in a boot's part of the window. */
static void numbers(const struct ledger *ledger, const struct window_boot *boot, int64_t *ret_first,
		    int64_t *ret_last)
{
	const struct ledger_span *first = ledger_span(ledger, boot->first);
	const struct ledger_span *last = ledger_span(ledger, boot->last);

	*ret_first = (int64_t)first->first_event_no;
	*ret_last = (int64_t)(last->first_event_no + last->event_count) - 1;
}

static int64_t sql_ns(uint64_t ns)
{
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

/* The report's SQL with the window before it. */
static void put_sql(FILE *file, const struct query *query, const struct report *report,
		    uint64_t lines)
{
	const char *comma = "";
	const char *limit = strstr(report->sql, ":lines");

	(void)fprintf(file, "WITH win(boot, from_ns, to_ns, from_no, to_no) AS (VALUES ");
	for (size_t i = 0; i < query->window.boot_count; i++) {
		const struct window_boot *boot = &query->window.boots[i];
		int64_t first = 0, last = -1;

		if (boot->recorded)
			numbers(query->ledger, boot, &first, &last);
		for (size_t k = 0; k < boot->count; k++) {
			(void)fprintf(file,
				      "%s(%" PRIu32 ", %" PRId64 ", %" PRId64 ", %" PRId64
				      ", %" PRId64 ")",
				      comma, boot->boot->boot_no,
				      sql_ns(boot->intervals[k].from_ns),
				      sql_ns(boot->intervals[k].to_ns), first, last);
			comma = ", ";
		}
	}
	if (!*comma) /* a window of nothing */
		(void)fprintf(file, "(0, 0, -1, 0, -1)");
	(void)fprintf(file, ")\n%.*s",
		      limit ? (int)(limit - report->sql) : (int)strlen(report->sql), report->sql);
	if (limit)
		(void)fprintf(file, "%" PRIu64, lines);
	(void)fprintf(file, "\n");
}

static int answer(struct index_query *ask, const struct report *report, uint64_t lines)
{
	auto_free char *sql = NULL;
	size_t bytes = 0;
	const char *rest;
	FILE *file = open_memstream(&sql, &bytes);
	int r;

	if (!file)
		return complain(EXIT_ERROR, "out of memory");
	put_sql(file, &ask->query, report, lines);
	if (fclose(file) != 0)
		return complain(EXIT_ERROR, "out of memory");
	r = index_query_catch_up(ask);
	if (r == 0)
		r = index_query_prepare(ask, sql, &rest);
	if (r == 0)
		r = index_query_run(ask, report->name);
	return r != 0 ? r : index_query_finish(ask);
}

int cmd_report(const struct options *options)
{
	const char *name = options->argument_count > 0 ? options->arguments[0] : "summary";
	const struct report *report = report_find(name);
	uint64_t lines = options->limit;
	struct index_query ask = { 0 };
	int r;

	if (!report)
		return complain(EXIT_USAGE, "there is no report '%s'; see procledger report --help",
				name);
	if (lines == UINT64_MAX)
		lines = LINES_DEFAULT;
	else if (lines > INT64_MAX)
		lines = INT64_MAX;
	r = index_query_open(&ask, options);
	if (r == 0)
		r = query_open_window(&ask.query, options);
	if (r == 0 && options->show_sql)
		put_sql(stdout, &ask.query, report, lines);
	else if (r == 0)
		r = answer(&ask, report, lines);
	index_query_close(&ask);
	return r;
}
