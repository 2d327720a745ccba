/* redact_rules.c - a redactor from the text of a rules file (redact.h says what may stand in one). */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "recorder/redact_core.h"

enum { PREFIX_MIN_BYTES = 2, PREFIX_RUN_MAX_BYTES = 4096 };

struct reading {
	struct redactor *redactor;
	unsigned line;
	char *message;
};

__attribute__((format(printf, 2, 3))) static int complain(const struct reading *reading,
							  const char *format, ...)
{
	va_list arguments;
	int n = snprintf(reading->message, REDACT_MESSAGE_BYTES, "line %u: ", reading->line);

	va_start(arguments, format);
	(void)vsnprintf(reading->message + n, REDACT_MESSAGE_BYTES - (size_t)n, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* The next word of a line; no bytes: there is none. */
static struct span word_next(struct span *line)
{
	struct span word;

	while (line->bytes > 0 && (line->text[0] == ' ' || line->text[0] == '\t'))
		*line = span_from(*line, 1);
	word.text = line->text;
	word.bytes = 0;
	while (word.bytes < line->bytes && line->text[word.bytes] != ' ' &&
	       line->text[word.bytes] != '\t')
		word.bytes++;
	*line = span_from(*line, word.bytes);
	return word;
}

static int name_add(struct reading *reading, struct span name, enum name_class class)
{
	struct redactor *redactor = reading->redactor;
	struct redact_name_rule *grown;

	while (name.bytes > 0 && name.text[0] == '-')
		name = span_from(name, 1);
	if (name.bytes == 0)
		return complain(reading, "a name is missing");
	grown = reallocarray(redactor->names, redactor->name_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[redactor->name_count++] = (struct redact_name_rule){ name, class };
	redactor->names = grown;
	return 0;
}

/* secret NAME, secret -x PROGRAM... */
static int secret_take(struct reading *reading, struct span name, struct span line)
{
	const struct redact_option option = {
		.option = name,
		.how = OPTION_SEPARATE | (name.bytes == 2 ? OPTION_ATTACHED : 0),
	};
	struct span program = word_next(&line);
	int r = 0;

	if (program.bytes == 0 && name.bytes == 2 && name.text[0] == '-')
		return complain(reading,
				"of which programs %.2s takes a secret must stand behind it",
				name.text);
	if (program.bytes == 0)
		return name_add(reading, name, NAME_SECRET);
	for (; program.bytes > 0 && r == 0; program = word_next(&line))
		r = redact_programs_add(reading->redactor->programs, program, &option);
	return r;
}

/* prefix TEXT MIN */
static int prefix_take(struct reading *reading, struct span text, struct span line)
{
	struct redactor *redactor = reading->redactor;
	struct span number = word_next(&line);
	struct redact_prefix *grown;
	size_t min_bytes = 0;
	char *begin = redactor->rules + (text.text - redactor->rules);

	for (size_t i = 0; i < number.bytes; i++) {
		if (!is_digit(number.text[i]) || min_bytes > PREFIX_RUN_MAX_BYTES)
			return complain(reading, "'%.*s' is not a number of characters",
					(int)number.bytes, number.text);
		min_bytes = min_bytes * 10 + (size_t)(number.text[i] - '0');
	}
	if (text.bytes < PREFIX_MIN_BYTES || number.bytes == 0)
		return complain(reading,
				"a prefix of %d characters or more, and how many follow at "
				"least, must stand behind 'prefix'",
				PREFIX_MIN_BYTES);
	grown = reallocarray(redactor->prefixes, redactor->prefix_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	begin[text.bytes] = '\0'; /* the blank before the number */
	grown[redactor->prefix_count++] = (struct redact_prefix){ begin, min_bytes };
	redactor->prefixes = grown;
	return 0;
}

static int line_take(struct reading *reading, struct span line)
{
	struct span word = word_next(&line), name;

	if (word.bytes == 0 || word.text[0] == '#')
		return 0;
	name = word_next(&line);
	if (name.bytes == 0)
		return complain(reading, "something is missing behind '%.*s'", (int)word.bytes,
				word.text);
	if (span_is(word, "secret"))
		return secret_take(reading, name, line);
	if (span_is(word, "plain"))
		return name_add(reading, name, NAME_PLAIN);
	if (span_is(word, "prefix"))
		return prefix_take(reading, name, line);
	return complain(reading, "'%.*s' is none of secret, plain and prefix",
			word.bytes < 40 ? (int)word.bytes : 40, word.text);
}

static int rules_read(struct reading *reading, size_t bytes)
{
	struct span rest = { reading->redactor->rules, bytes };
	int r = 0;

	while (rest.bytes > 0 && r == 0) {
		struct span line = span_next(&rest, '\n'), words = line;

		reading->line++;
		if (span_has(line, '\0'))
			return complain(reading, "this is no text");
		words = span_next(&line, '#');
		(void)span_cut_back(&words, "\r");
		r = line_take(reading, words);
	}
	return r;
}

int redactor_new(const uint8_t key[REDACT_KEY_BYTES], const char *rules, size_t rules_bytes,
		 struct redactor **ret_redactor, char message[REDACT_MESSAGE_BYTES])
{
	const struct span any = { "*", 1 };
	struct redactor *redactor = calloc(1, sizeof(*redactor));
	struct reading reading = { .redactor = redactor, .message = message };
	int r = -ENOMEM;

	if (!redactor || sodium_init() < 0)
		goto failed;
	memcpy(redactor->key, key, REDACT_KEY_BYTES);
	redactor->rules = malloc(rules_bytes + 1);
	redactor->programs = redact_programs_new();
	if (!redactor->rules || !redactor->programs)
		goto failed;
	memcpy(redactor->rules, rules, rules_bytes);
	redactor->rules[rules_bytes] = '\0';
	r = rules_read(&reading, rules_bytes);
	if (r < 0)
		goto failed;
	redactor->any_program = redact_programs_find(redactor->programs, any);
	*ret_redactor = redactor;
	return 0;
failed:
	redactor_free(redactor);
	return r;
}

void redactor_free(struct redactor *redactor)
{
	if (!redactor)
		return;
	redact_programs_free(redactor->programs);
	free(redactor->names);
	free(redactor->prefixes);
	free(redactor->rules);
	sodium_memzero(redactor->key, sizeof(redactor->key));
	free(redactor);
}
