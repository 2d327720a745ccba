/* redact_programs.h - options that mean a secret with one program and something else with another: mysql -p, mkdir -p. */
#pragma once

#include <stdint.h>

#include "schema/span.h"

enum option_how {
	OPTION_ATTACHED = 1,  /* -pSECRET */
	OPTION_SEPARATE = 2,  /* -p SECRET */
	OPTION_FLAG = 4,      /* has no value in the next argument, whatever its name */
	OPTION_LOGIN = 8,     /* only behind the word login */
	OPTION_FIRST = 16,    /* no option: the first argument that is none */
	OPTION_WHERE = 32,    /* the value may also say where the secret is: env:NAME */
	OPTION_HEADERS = 128, /* no option: each argument may be a header, Name:VALUE */
	OPTION_MOUNT = 64,    /* or what is to be made of one: id=npm,src=.npmrc */
};

struct redact_option {
	struct span option;
	uint8_t how;
	char part; /* the secret is what stands behind this character ('/': and before '@'); 0: all of it */
	const struct redact_option *next;
};

struct redact_program {
	struct span name;
	bool wraps;      /* it runs another program that stands among its arguments */
	bool verbs;      /* that only behind words like exec and run */
	bool interprets; /* its first argument that is no option may be a program */
	bool shell;      /* what follows its -c is a command line */
	uint8_t operands; /* arguments before the program that it runs: the host of ssh; of verbs, behind run */
	const char *valued;       /* letters of options that have a value */
	const char *valued_names; /* " --name --other " */
	const char *
		flags; /* letters that may stand before that of an option: -s in curl -sujoe:SECRET */
	const struct redact_option *options;
};

struct redact_programs;

/* Those that are known.  NULL when memory ran out. */
struct redact_programs *redact_programs_new(void);
void redact_programs_free(struct redact_programs *programs); /* NULL does nothing */

/* One option more; the texts stay the caller's and outlive it.  program "*": whatever runs.  0, -ENOMEM. */
int redact_programs_add(struct redact_programs *programs, struct span program,
			const struct redact_option *option);

/* Whether this word is an option, or several letters, of which the last has its value in the next word.  NULL: of no program. */
bool redact_programs_takes_value(const struct redact_program *program, struct span option);

/* By its name without a folder; of an interpreter also with its version.  NULL: not known. */
const struct redact_program *redact_programs_find(const struct redact_programs *programs,
						  struct span name);
