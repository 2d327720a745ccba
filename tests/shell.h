/* shell.h - for tests: a command of the shell. */
#pragma once

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs the command, formatted; what system(3) gives. */
__attribute__((format(printf, 1, 2))) static inline int shell(const char *format, ...)
{
	char command[2048];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}
