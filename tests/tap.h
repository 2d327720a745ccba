/* tap.h - the Test Anything Protocol in a few lines: ok() for each sentence about behaviour, done_testing() at the end. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 4, 5))) static inline bool tap_ok(bool good, const char *file,
								int line, const char *format, ...)
{
	va_list arguments;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

#define ok(good, ...) tap_ok((good), __FILE__, __LINE__, __VA_ARGS__)

/* Ends the whole test program as skipped. */
#define skip_all(...)                   \
	do {                            \
		printf("1..0 # SKIP "); \
		printf(__VA_ARGS__);    \
		printf("\n");           \
		exit(0);                \
	} while (0)

/* A child of a test that cannot be made here ends with CANNOT. */
enum { CANNOT = 2 };

static inline bool cannot(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == CANNOT;
}

static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed > 0;
}
