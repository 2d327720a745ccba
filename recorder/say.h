/* say.h - how a module hands a sentence to the operator: main.c gives the function, modules do not print.
 *
 * A program that ends says why once, by a verdict; what happens while it goes on is said by a say_fn.
 */
#pragma once

#include <stdarg.h>
#include <stdio.h>

/* Says one sentence, without the program's name and without a newline. */
typedef void say_fn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Exit codes: those of the LSB, as auditd uses them. */
enum verdict_code {
	VERDICT_OK = 0,
	VERDICT_FAILED = 1, /* while running; an input or a disk that cannot be used to its end */
	VERDICT_USAGE = 2,  /* the command line */
	VERDICT_NO_PERMISSION = 4, /* a capability or an access right is missing */
	VERDICT_NO_KERNEL = 5,     /* the kernel cannot give events here */
	VERDICT_NO_STORE = 6,      /* another version, damaged, or another recorder is on it */
};

struct verdict {
	int code;           /* enum verdict_code */
	char sentence[640]; /* "": nothing to be said */
};

/* Sets both and gives back the code. */
__attribute__((format(printf, 3, 4))) static inline int
verdict_set(struct verdict *verdict, enum verdict_code code, const char *format, ...)
{
	va_list arguments;

	verdict->code = (int)code;
	va_start(arguments, format);
	(void)vsnprintf(verdict->sentence, sizeof(verdict->sentence), format, arguments);
	va_end(arguments);
	return (int)code;
}
