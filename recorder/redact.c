/* redact.c - the walk over a command line: which program runs, and which of its words is the name of a secret, or announces one. */
#include "recorder/redact.h"

#include "recorder/redact_core.h"
#include "recorder/redact_marks.h"
#include "recorder/redact_names.h"
#include "recorder/redact_shapes.h"
#include "recorder/redact_text.h"
#include "recorder/redact_values.h"

/* What the word before has announced. */
enum due_kind {
	DUE_NOTHING,
	DUE_VALUE, /* of the name in `name` */
	DUE_PART, /* of which what stands behind `part` is secret; options may come before it where `late` */
	DUE_HEADER, /* "Name: value" */
	DUE_SHELL,  /* a command line */
};

struct due {
	enum due_kind kind;
	enum name_class class;
	struct span name;
	char part;
	bool late;
};

/* What is known of the command that the words belong to. */
struct command {
	const struct redact_program *program; /* NULL: none that has options of its own */
	bool program_due;                     /* the next word is a program */
	bool wraps, shell, login, first_due;
	unsigned operands;  /* so many words stand before the program yet */
	struct span option; /* the word before, where it was an option without a value of its own */
	bool target_due;    /* the next word is where a redirection goes to */
	struct due due;
};

enum { OUTER_MAX = 8, AGAIN_MAX = 2 /* times all of a text */ };

/* A command that goes on behind what stands within it: "$(...)", or quotes that have commands in them. */
struct outer {
	struct command command;
	struct text_quotes quotes; /* those that were open where it was left */
	char end;                  /* ')', '`', or a quote */
};

struct scan {
	struct values values;
	struct command now;
	unsigned outer_count;
	struct outer outer[OUTER_MAX];
};

/* --- commands --- */

static void command_begin(struct scan *scan)
{
	scan->now = (struct command){ .program_due = true };
}

/* A command within the one that runs, up to `end`.  Where they are nested too deep the outer one is forgotten. */
static void inner_begin(struct scan *scan, struct text *text, char end)
{
	if (scan->outer_count < OUTER_MAX)
		scan->outer[scan->outer_count++] = (struct outer){ scan->now, text->quotes, end };
	command_begin(scan);
}

static void inner_end(struct scan *scan, struct text *text)
{
	const struct outer *outer = &scan->outer[--scan->outer_count];

	scan->now = outer->command;
	text->quotes = outer->quotes;
}

/* Whether the command that runs began within the quotes that are open now. */
static bool is_inner(const struct scan *scan, const struct text *text)
{
	return text->quotes.depth == text->quotes.base ||
	       (scan->outer_count > 0 &&
		scan->outer[scan->outer_count - 1].quotes.depth == text->quotes.depth);
}

/* What ends a command within quotes does not end the one that the quotes belong to. */
static void command_end(struct scan *scan, struct text *text)
{
	if (is_inner(scan, text))
		command_begin(scan);
	else
		inner_begin(scan, text, text_top_quote(text));
}

/* --- words --- */

static struct span base_name(struct span path)
{
	const char *slash = path.bytes > 0 ? memrchr(path.text, '/', path.bytes) : NULL;

	return slash ? span_from(path, (size_t)(slash + 1 - path.text)) : path;
}

/* Of some programs the first argument says who and where: "user/password@database". */
static void first_take(struct scan *scan, struct span value)
{
	for (const struct redact_option *o = scan->now.program->options; o; o = o->next)
		if (o->how & OPTION_FIRST)
			(void)values_mark_part(&scan->values, NAME_CERTAIN, o->part, value);
	scan->now.first_due = false;
}

/* What may stand before a program. */
static bool is_shell_word(struct span word)
{
	static const char *const words[] = { "if",    "then",    "else",   "elif",   "while",
					     "until", "do",      "!",      "{",      "exec",
					     "eval",  "command", "coproc", "builtin" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_is(word, words[i]))
			return true;
	return false;
}

/* ">file", "2>", "<<END". */
static bool is_redirection(struct span word)
{
	size_t at = 0;

	while (at < word.bytes && is_digit(word.text[at]))
		at++;
	return at < word.bytes && (word.text[at] == '<' || word.text[at] == '>');
}

/* Whether a word of a script goes on where the one before ended, behind a quote: A="x y"z. */
static bool is_continued(const struct text *text, size_t from)
{
	return from > 0 && is_quote(text->all.text[from - 1]) &&
	       text_top_quote(text) != text->all.text[from - 1];
}

/* What stands before a program, or among the words of a command without being one of them. */
static bool shell_word_take(struct scan *scan, struct text *text, size_t from, struct span word)
{
	if (is_redirection(word)) {
		char last = word.text[word.bytes - 1];

		scan->now.target_due = last == '<' || last == '>';
		return true;
	}
	return scan->now.program_due && (is_continued(text, from) || is_shell_word(word));
}

static void program_begin(struct scan *scan, const struct redact_program *program)
{
	struct command *now = &scan->now;

	now->program = program;
	now->login = false;
	now->first_due = now->program_due = false;
	now->operands = 0;
	if (!program)
		return;
	now->first_due = true;
	now->shell |= program->shell;
	if (program->wraps && !program->verbs) {
		now->wraps = true;
		now->operands = program->operands;
	}
	now->program_due = program->interprets || (program->wraps && !program->verbs);
}

/* docker exec CONTAINER PROGRAM, kubectl run NAME -- PROGRAM: what they run stands behind such a word.  True: it is one. */
static bool verb_take(struct scan *scan, struct span word)
{
	struct command *now = &scan->now;
	bool exec = span_is(word, "exec");

	if (!now->program || !now->program->verbs || now->wraps ||
	    !(exec || span_is(word, "run") || span_is(word, "create") || span_is(word, "debug")))
		return false;
	now->wraps = now->program_due = true;
	now->operands = exec ? 1 : now->program->operands;
	return true;
}

/* A program, whether or not it is known; or, further on, one that is known.  before: the option before it.  True: it is one. */
static bool program_take(struct scan *scan, struct span word, struct span before)
{
	struct command *now = &scan->now;
	const struct redact_program *program;

	if (!now->program_due && !now->wraps)
		return false;
	program = redact_programs_find(scan->values.redactor->programs, base_name(word));
	if (!program && now->program && now->program->interprets) {
		now->program_due &= before.bytes > 0; /* it may be the value of that */
		return false;
	}
	if (!program && !now->program_due)
		return false;
	program_begin(scan, program);
	return true;
}

/* A word that is neither an option nor an assignment: the program itself, one that it runs, or an argument. */
static void bare_take(struct scan *scan, struct text *text, size_t from, struct span word,
		      struct span before)
{
	struct command *now = &scan->now;

	if (text->flat && shell_word_take(scan, text, from, word))
		return;
	if (span_is(word, ";")) {
		program_begin(scan, NULL); /* of find -exec */
		return;
	}
	if (redact_programs_takes_value(now->program, before))
		return;
	if (now->operands > 0) {
		now->operands -= !span_is(word, "-");
		return;
	}
	if (verb_take(scan, word) || program_take(scan, word, before))
		return;
	now->login |= span_is(word, "login");
	if (now->program && now->first_due && (span_has(word, '/') || span_has(word, '@')))
		first_take(scan, text_value_at(text, from));
}

/* Letters behind one dash, the last of which is this option's: curl -sSu NAME:SECRET. */
static bool is_cluster(struct span word, struct span option)
{
	if (option.bytes != 2 || word.bytes < 3 || word.text[0] != '-' ||
	    word.text[word.bytes - 1] != option.text[1])
		return false;
	for (size_t i = 1; i < word.bytes; i++)
		if (!is_upper(word.text[i]) && !is_lower(word.text[i]))
			return false;
	return true;
}

/* The bytes of a word up to where the value of this option begins: all of them, where that is the next word.  0: it is another. */
static size_t option_bytes(const struct redact_program *program, struct span option,
			   struct span word)
{
	size_t at = 1;

	if (option.bytes == 2 && option.text[0] == '-' && word.bytes > 0 && word.text[0] == '-') {
		while (at < word.bytes && word.text[at] != option.text[1] && word.text[at] &&
		       strchr(program->flags, word.text[at]))
			at++;
		if (at < word.bytes && word.text[at] == option.text[1])
			return at + 1;
		return 0;
	}
	return word.bytes >= option.bytes && memcmp(word.text, option.text, option.bytes) == 0
		       ? option.bytes
		       : 0;
}

static enum name_class option_class(const struct redact_option *option)
{
	if (option->how & OPTION_MOUNT)
		return NAME_MOUNT;
	return option->how & OPTION_WHERE ? NAME_PASSWORD : NAME_CERTAIN;
}

/* The place of a value in the same word, 0: there is none.  `bytes` are the option's. */
static size_t attached_at(const struct text *text, size_t from, struct span word,
			  const struct redact_option *option, size_t bytes)
{
	const struct span all = text->all;
	size_t at = from + bytes;

	if (option->how & OPTION_ATTACHED && word.bytes > bytes)
		return at;
	/* In a text -p'SECRET' is one word for the shell. */
	if (option->how & OPTION_ATTACHED && text->flat && at < all.bytes &&
	    is_quote(all.text[at]) && !text_is_open(text, all.text[at]))
		return at;
	if (option->how & OPTION_SEPARATE && span_begins(word, "--") && word.bytes > bytes &&
	    all.text[at] == '=')
		return at + 1;
	return 0;
}

/* One option of the program that runs.  True: the word is it. */
static bool option_try(struct scan *scan, struct text *text, size_t from, struct span word,
		       const struct redact_program *program, const struct redact_option *option)
{
	enum name_class class = option_class(option);
	const size_t at = text->at;
	size_t bytes, value;

	if ((option->how & OPTION_LOGIN && !scan->now.login) || option->how & OPTION_FIRST)
		return false;
	if (option->how & OPTION_HEADERS)
		return word.text[0] != '-' && values_take_header(&scan->values, text, from, false);
	bytes = option_bytes(program, option->option, word);
	value = bytes > 0 ? attached_at(text, from, word, option, bytes) : 0;
	if (value > 0) {
		if (values_mark_part(&scan->values, class, option->part,
				     text_word_value_at(text, from, value)))
			return true;
		text_again(text, at);
		/* --auth=X may still be one by its name. */
		return option->part == 0 || !span_begins(word, "--");
	}
	if (option->how & OPTION_SEPARATE &&
	    (bytes == word.bytes || (option->part && is_cluster(word, option->option)))) {
		scan->now.due = (struct due){ .kind = DUE_PART,
					      .class = class,
					      .part = option->part,
					      .late = word.text[0] != '-' };
		return true;
	}
	return bytes == word.bytes;
}

static bool options_try(struct scan *scan, struct text *text, size_t from, struct span word,
			const struct redact_program *program)
{
	if (word.bytes == 0)
		return false;
	for (const struct redact_option *o = program ? program->options : NULL; o; o = o->next)
		if (option_try(scan, text, from, word, program, o))
			return true;
	return false;
}

/* -c, -lc, -exc: a command line follows. */
static bool is_command_option(struct span word)
{
	return is_cluster(word, (struct span){ "-c", 2 }) || span_is(word, "-c");
}

/* Of find: a program follows. */
static bool is_exec_option(struct span word)
{
	return span_is(word, "-exec") || span_is(word, "-execdir") || span_is(word, "-ok") ||
	       span_is(word, "-okdir");
}

static bool is_header_option(struct span word)
{
	return span_is(word, "-H") || is_cluster(word, (struct span){ "-H", 2 }) ||
	       span_is(word, "--header") || span_is(word, "-header") ||
	       span_is(word, "--proxy-header");
}

/* An option whose value, if it has one, is the next word. */
static void option_announce(struct scan *scan, struct span word)
{
	struct span name = word;
	enum name_class class;

	while (name.bytes > 0 && name.text[0] == '-')
		name = span_from(name, 1);
	class = values_class_of(&scan->values, name);
	if (class != NAME_PLAIN && name.bytes > 1 && redact_name_takes_value(name))
		scan->now.due = (struct due){ .kind = DUE_VALUE, .class = class, .name = name };
	else if (is_header_option(word))
		scan->now.due.kind = DUE_HEADER;
	else if (scan->now.shell && is_command_option(word))
		scan->now.due.kind = DUE_SHELL;
	else if (is_exec_option(word))
		scan->now.program_due = true;
}

/* --rsh="sshpass -p X ssh", 'ProxyCommand=sshpass -p X ssh': a command is given as the value of a name. */
static void assigned_take(struct scan *scan, struct text *text, size_t from, struct span word)
{
	const struct redact_program *program;

	if (from > 0 && !(text_top_quote(text) && text->all.text[from - 1] == text_top_quote(text)))
		return;
	(void)span_next(&word, '=');
	program = redact_programs_find(scan->values.redactor->programs, base_name(word));
	if (!program)
		return;
	if (from > 0)
		inner_begin(scan, text, text->all.text[from - 1]);
	program_begin(scan, program);
}

/* name = value, name => value: what the word before announces. */
static void sign_announce(struct scan *scan, const struct text *text, size_t from)
{
	enum { BETWEEN_MAX_BYTES = 8 };
	const struct span all = text->all;
	size_t end = from;
	struct span name;
	enum name_class class;

	while (end > 0 && from - end < BETWEEN_MAX_BYTES &&
	       (is_blank(all.text[end - 1]) || is_quote(all.text[end - 1])))
		end--;
	name = text_name_before(all, end);
	class = name.bytes > 0 ? values_class_of(&scan->values, name) : NAME_PLAIN;
	if (class != NAME_PLAIN)
		scan->now.due = (struct due){ .kind = DUE_VALUE, .class = class, .name = name };
}

static bool is_assigning(struct span word)
{
	return span_is(word, "=") || span_is(word, "=>") || span_is(word, ":=") ||
	       span_is(word, "==");
}

static void word_take(struct scan *scan, struct text *text, size_t from, size_t to)
{
	struct span word = text_piece(text, from, to);
	const struct span before = scan->now.option;
	bool option = word.bytes > 1 && word.text[0] == '-';

	if (scan->now.target_due) {
		scan->now.target_due = false;
		return;
	}
	scan->now.option = option && !span_has(word, '=') ? word : (struct span){ word.text, 0 };
	if (scan->now.program && options_try(scan, text, from, word, scan->now.program))
		return;
	if (options_try(scan, text, from, word, scan->values.redactor->any_program))
		return;
	if (span_begins(word, "-H") && values_take_header(&scan->values, text, from + 2, false))
		return;
	if (option && !span_has(word, '='))
		option_announce(scan, word);
	else if (!option && !span_has(word, '='))
		bare_take(scan, text, from, word, before);
	values_take_pairs(&scan->values, text, from, to);
	if (text->flat && is_assigning(word))
		sign_announce(scan, text, from);
	else if (text->flat && text->at == to && span_has(word, '='))
		assigned_take(scan, text, from, word);
}

/* The word that was announced.  False: it is an option, so there was none. */
static bool due_take(struct scan *scan, struct text *text, size_t from)
{
	const struct due due = scan->now.due;
	const struct span word = text_piece(text, from, text->flat ? text->at : text->all.bytes);
	const size_t at = text->at;
	bool marked;

	scan->now.due = (struct due){ 0 };
	if (due.kind != DUE_NOTHING)
		scan->now.option.bytes = 0; /* it has its value */
	switch (due.kind) {
	case DUE_VALUE:
		if (text_is_option(word))
			return false;
		marked = values_mark(&scan->values, due.class, due.name, text_value_at(text, from));
		if (!marked)
			text_again(text, at);
		return marked || !span_begins(word, "-");
	case DUE_PART:
		if (due.late && text_is_option(word)) {
			scan->now.due = due;
			return false;
		}
		marked = values_mark_part(&scan->values, due.class, due.part,
					  text_value_at(text, from));
		if (!marked)
			text_again(text, at);
		return marked || due.part == 0;
	case DUE_HEADER:
		return values_take_header(&scan->values, text, from, false);
	case DUE_SHELL: /* in a text it goes on flat */
		command_begin(scan);
		break;
	case DUE_NOTHING:
		break;
	}
	return false;
}

/* --- texts --- */

/* Whether what follows this quote, which opens, stands for itself: A="x y", --rsh="ssh -p 22". */
static bool begins_inner(const struct scan *scan, const struct text *text, size_t at)
{
	char before = at > 0 ? text->all.text[at - 1] : ' ';

	return is_word_char(before) && (before == '=' || scan->now.program_due) &&
	       scan->now.due.kind == DUE_NOTHING;
}

static void quote_take(struct scan *scan, struct text *text, size_t at)
{
	const char quote = text->all.text[at];

	if (text->comment)
		return;
	if (!text_is_open(text, quote) && begins_inner(scan, text, at)) {
		text_quote_take(text, quote);
		inner_begin(scan, text, quote);
		return;
	}
	text_quote_take(text, quote);
	while (scan->outer_count > 0 &&
	       scan->outer[scan->outer_count - 1].quotes.depth > text->quotes.depth) {
		const struct text_quotes quotes = text->quotes;

		inner_end(scan, text);
		text->quotes = quotes;
	}
}

/* The end of a value in JSON that begins at *at, which goes behind its quote or bracket. */
static size_t json_end(struct span all, size_t *at)
{
	size_t end = *at, slashes;

	while (end < all.bytes && all.text[end] == '\\')
		end++;
	slashes = end - *at;
	if (end < all.bytes && is_quote(all.text[end])) {
		*at = end + 1;
		return slashes > 0 ? text_find_escaped(all, *at, all.text[end], slashes)
				   : text_find_closing(all, *at, all.text[end]);
	}
	if (end < all.bytes && (all.text[end] == '[' || all.text[end] == '{'))
		return text_find_bracket(all, *at = end + 1);
	while (end < all.bytes && !strchr(",}]", all.text[end]) && !is_blank(all.text[end]))
		end++;
	return end;
}

/* Where the value of {"name": "value"} begins, also where its quotes have backslashes before them; 0: there is none.
 * to: the end of the name; *ret_closing: the quote behind it. */
static size_t json_begin(struct span all, size_t from, size_t to, size_t *ret_closing)
{
	size_t at = to;

	if (from == 0 || !is_quote(all.text[from - 1]))
		return 0;
	while (at < all.bytes && all.text[at] == '\\')
		at++;
	if (at >= all.bytes || all.text[at] != all.text[from - 1])
		return 0;
	*ret_closing = at++;
	while (at < all.bytes && is_blank(all.text[at]))
		at++;
	if (at >= all.bytes || all.text[at++] != ':')
		return 0;
	while (at < all.bytes && is_blank(all.text[at]))
		at++;
	return at < all.bytes ? at : 0;
}

static bool json_take(struct scan *scan, struct text *text, size_t from, size_t to)
{
	const struct span all = text->all, name = text_piece(text, from, to);
	size_t closing, begin = json_begin(all, from, to, &closing), at = begin;
	enum name_class class = begin > 0 ? values_class_of(&scan->values, name) : NAME_PLAIN;
	bool marked = false;

	if (class == NAME_PLAIN)
		return false;
	if (closing == to)
		quote_take(scan, text, closing);
	text->at = begin;
	/* An object may have a name that many things have. */
	if ((class == NAME_KEY || class == NAME_COOKIE) &&
	    (all.text[begin] == '{' || all.text[begin] == '['))
		return true;
	text->at = to = json_end(all, &at);
	marked = values_mark(&scan->values, class, name, text_piece(text, at, to));
	text->at += to < all.bytes && is_quote(all.text[to]) && all.text[to] == all.text[at - 1];
	if (!marked)
		text_again(text, begin);
	return true;
}

/* "2>&1", "&>file", ">|file": the sign is part of a redirection. */
static bool redirects(struct span all, size_t at)
{
	char before = at > 0 ? all.text[at - 1] : ' ',
	     after = at + 1 < all.bytes ? all.text[at + 1] : ' ';

	if (all.text[at] == '&')
		return before == '>' || before == '<' || after == '>';
	return all.text[at] == '|' && before == '>';
}

static void parenthesis_take(struct scan *scan, struct text *text, size_t at)
{
	char before = at > 0 ? text->all.text[at - 1] : ' ';

	if (text->all.text[at] == '(') {
		inner_begin(scan, text, ')');
		if (before == '$' && scan->values.shell_text)
			text->quotes.base = text->quotes.depth;
	} else if (scan->outer_count > 0 && scan->outer[scan->outer_count - 1].end == ')' &&
		   is_inner(scan, text)) {
		inner_end(scan, text);
		if (before == '(') /* of a function that follows */
			command_begin(scan);
	} else {
		command_end(scan, text);
	}
}

static void separator_take(struct scan *scan, struct text *text, size_t at)
{
	char c = text->all.text[at];

	if (c == '(' || c == ')')
		parenthesis_take(scan, text, at);
	else if (c != '`')
		command_end(scan, text);
	else if (scan->outer_count > 0 && scan->outer[scan->outer_count - 1].end == '`' &&
		 is_inner(scan, text))
		inner_end(scan, text);
	else
		inner_begin(scan, text, '`');
}

/* What stands between words.  A value may be nothing but quotes and what is in them. */
static void sign_take(struct scan *scan, struct text *text)
{
	const struct span all = text->all;
	size_t at = text->at++;
	char c = all.text[at], next = text->at < all.bytes ? all.text[text->at] : '\0';

	if (is_quote(c)) {
		if (next == c && !text_is_open(text, c))
			scan->now.due = (struct due){ 0 }; /* what was announced is empty */
		quote_take(scan, text, at);
	} else if (c == '\n') {
		text->comment = false;
		command_end(scan, text);
	} else if (c == '\\') {
		/* For a shell a backslash means nothing between these. */
		if (next == '\'' && scan->values.shell_text && text_top_quote(text) == '\'')
			return;
		if (next == ';')
			program_begin(scan, NULL);
		text->at += is_quote(next) || is_separator(next) || next == '\\' || next == '\n';
	} else if (is_separator(c) && !redirects(all, at)) {
		separator_take(scan, text, at);
	}
}

static void text_take(struct scan *scan, struct text *text)
{
	const struct span all = text->all;

	text->again = AGAIN_MAX * all.bytes;
	command_begin(scan);
	while (text->at < all.bytes) {
		size_t from = text->at, to = from;

		while (to < all.bytes && is_word_char(all.text[to]))
			to++;
		if (to == from) {
			sign_take(scan, text);
			continue;
		}
		text->comment |= all.text[from] == '#' && !text_top_quote(text) &&
				 (from == 0 || is_blank(all.text[from - 1]) ||
				  is_separator(all.text[from - 1]));
		text->at = to;
		if (!due_take(scan, text, from) && !json_take(scan, text, from, to))
			word_take(scan, text, from, to);
	}
}

/* --- arguments --- */

static bool has_blanks_or_quotes(struct span span)
{
	for (size_t i = 0; i < span.bytes; i++)
		if (is_blank(span.text[i]) || is_quote(span.text[i]))
			return true;
	return false;
}

/* "NAME=", "--env=NAME=": an argument that is one assignment, however many blanks its value has. */
static bool assignment_take(struct scan *scan, struct span argument)
{
	for (size_t at = 0; at < argument.bytes; at++) {
		struct span name;
		enum name_class class;

		if (is_name_char(argument.text[at]))
			continue;
		if (argument.text[at] != '=' || at == 0)
			return false;
		name = text_name_before(argument, at);
		class = values_class_of(&scan->values, name);
		if (class != NAME_PLAIN)
			return values_mark(&scan->values, class, name, span_from(argument, at + 1));
	}
	return false;
}

static void argument_as_text(struct scan *scan, struct span argument, bool shell)
{
	struct scan inner = { .values = { scan->values.redactor, scan->values.marks, shell } };
	struct text text = { .all = argument, .flat = true };

	text_take(&inner, &text);
}

static void argument_take(struct scan *scan, struct span argument)
{
	struct text whole = { .all = argument };

	if (scan->now.due.kind == DUE_SHELL) {
		scan->now.due.kind = DUE_NOTHING;
		argument_as_text(scan, argument, true);
		return;
	}
	if (due_take(scan, &whole, 0))
		return;
	if (!has_blanks_or_quotes(argument)) {
		word_take(scan, &whole, 0, argument.bytes);
		return;
	}
	scan->now.program_due &= scan->now.option.bytes > 0; /* else this is it */
	scan->now.option.bytes = 0;
	if (assignment_take(scan, argument) || values_take_header(&scan->values, &whole, 0, true) ||
	    (scan->now.program && options_try(scan, &whole, 0, argument, scan->now.program)))
		return;
	if (scan->now.program && scan->now.first_due && span_has(argument, '/'))
		first_take(scan, argument);
	argument_as_text(scan, argument, false);
}

static void argv_scan(const struct redactor *redactor, struct marks *marks)
{
	struct scan scan = { .values = { redactor, marks, false }, .now.program_due = true };
	const struct redact_shapes shapes = { .prefixes = redactor->prefixes,
					      .prefix_count = redactor->prefix_count,
					      .found = marks_add,
					      .context = marks };
	struct span rest = marks->argv;

	while (rest.bytes > 0) {
		struct span argument = span_next(&rest, '\0');

		argument_take(&scan, argument);
		redact_shapes_find(&shapes, argument, marks_is_cut(marks, argument));
	}
}

uint32_t redact_argv(const struct redactor *redactor, const struct redact_text *text, uint8_t *out,
		     size_t capacity, size_t *ret_bytes, bool *ret_cut)
{
	struct marks marks;

	marks_begin(&marks, text);
	argv_scan(redactor, &marks);
	return marks_write(&marks, redactor->key, out, capacity, ret_bytes, ret_cut);
}
