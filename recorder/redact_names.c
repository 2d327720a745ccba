#include "recorder/redact_names.h"

#include <stdint.h>

/* Lists of words end with NULL; static, so that none is put on the stack each time. */
#define WORDS(...)                                                         \
	({                                                                 \
		static const char *const words_[] = { __VA_ARGS__, NULL }; \
		words_;                                                    \
	})

enum { RANDOM_MIN_BYTES = 16, RANDOM_LOOK_BYTES = 128, FLAG_DIGITS = 2 };
enum { WORD_MIN_BYTES = 2 /* "pw" */ };

static char lower(char c)
{
	return is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

static bool equals_folded(struct span span, const char *word)
{
	size_t i = 0;

	while (i < span.bytes && word[i] && lower(span.text[i]) == word[i])
		i++;
	return i == span.bytes && !word[i];
}

static bool in_words(struct span span, const char *const words[])
{
	char first = span.bytes > 0 ? lower(span.text[0]) : '\0';

	for (; *words && first; words++)
		if (**words == first && equals_folded(span, *words))
			return true;
	return false;
}

bool redact_name_is(struct span name, struct span other)
{
	if (name.bytes != other.bytes)
		return false;
	for (size_t i = 0; i < name.bytes; i++) {
		char a = name.text[i] == '_' ? '-' : lower(name.text[i]);
		char b = other.text[i] == '_' ? '-' : lower(other.text[i]);

		if (a != b)
			return false;
	}
	return true;
}

/* --- the words of a name --- */

/* Whether a word begins at `at`: behind a joint, or where the case says so: dbPassword, APIKey. */
static bool word_begins(struct span name, size_t at)
{
	char before, c = name.text[at];

	if (at == 0)
		return true;
	before = name.text[at - 1];
	if (!is_alnum(before))
		return true;
	if (!is_upper(c))
		return false;
	return !is_upper(before) || (at + 1 < name.bytes && is_lower(name.text[at + 1]));
}

/* Takes the last word off a name, without the digits behind it ("password2"); no bytes: there is none. */
static struct span last_word_take(struct span *name)
{
	struct span word;
	size_t begin;

	while (name->bytes > 0 &&
	       (!is_alnum(name->text[name->bytes - 1]) || is_digit(name->text[name->bytes - 1])))
		name->bytes--;
	begin = name->bytes;
	while (begin > 0 && !word_begins(*name, --begin))
		;
	word = span_from(*name, begin);
	name->bytes = begin;
	return word;
}

static struct span first_word(struct span name)
{
	size_t bytes = name.bytes > 0 ? 1 : 0;

	while (bytes < name.bytes && is_alnum(name.text[bytes]) && !word_begins(name, bytes))
		bytes++;
	return (struct span){ name.text, bytes };
}

/* The kinds of key that are told apart by the word before; others are files, fingerprints, columns. */
static enum name_class key_class(struct span before)
{
	if (in_words(before,
		     WORDS("api", "secret", "access", "account", "auth", "encryption", "master",
			   "shared", "storage", "subscription", "consumer", "signing", "app",
			   "application", "license", "webhook", "service")))
		return NAME_SECRET;
	/* A public key, or the name or the number of one. */
	if (in_words(before,
		     WORDS("recv", "default", "public", "pub", "sort", "foreign", "primary", "host",
			   "import", "export", "edit", "sign", "list", "trusted", "fingerprint")))
		return NAME_PLAIN;
	return NAME_KEY;
}

/* Passes of an encoder. */
static enum name_class pass_class(struct span before)
{
	return in_words(before, WORDS("one", "two", "single", "multi", "first", "second", "last",
				      "num", "n", "by", "max", "low", "high", "band"))
		       ? NAME_PLAIN
		       : NAME_PASSWORD;
}

/* Tokens of a language model, or of the next page of a list. */
static enum name_class token_class(struct span before)
{
	return in_words(before, WORDS("eos", "bos", "pad", "stop", "mask", "unk", "sep", "cls",
				      "per", "next", "page", "start", "starting", "continuation",
				      "pagination", "resume", "sync", "special", "max"))
		       ? NAME_PLAIN
		       : NAME_SECRET;
}

/* What a language model reads and writes. */
static enum name_class tokens_class(struct span before)
{
	return in_words(before, WORDS("max", "min", "num", "n", "new", "total", "prompt", "input",
				      "output", "completion", "context", "cached", "reasoning",
				      "stop", "bad", "special", "suppress"))
		       ? NAME_PLAIN
		       : NAME_SEVERAL;
}

static enum name_class keys_class(struct span before)
{
	return key_class(before) == NAME_SECRET ? NAME_SEVERAL : NAME_PLAIN;
}

typedef enum name_class class_by_word_before(struct span before);

/* clang-format off */
/* What the last word of a name may be, or (ends) end in.  A table, because every '=' and '-' of a command line is looked up in it. */
static const struct secret_word {
	const char *text;
	uint8_t bytes;
	bool ends;
	enum name_class class;
	class_by_word_before *by_word_before; /* of this word alone; NULL: the class is the same behind all */
} secret_words[] = {
#define WHOLE(text, class) { text, sizeof(text) - 1, false, class, NULL }
#define ENDS(text, class)  { text, sizeof(text) - 1, true, class, NULL }
#define ASK(text, ask)     { text, sizeof(text) - 1, false, NAME_PLAIN, ask }
	ASK("key", key_class), ASK("keys", keys_class), ASK("pass", pass_class), ASK("token", token_class),
	ASK("tokens", tokens_class), WHOLE("cookie", NAME_COOKIE), WHOLE("signature", NAME_KEY), WHOLE("sig", NAME_KEY),
	WHOLE("auth", NAME_KEY), WHOLE("psk", NAME_KEY),
	WHOLE("passwort", NAME_PASSWORD), WHOLE("pwd", NAME_PASSWORD), WHOLE("pw", NAME_PASSWORD),
	WHOLE("credential", NAME_SECRET), WHOLE("credentials", NAME_SECRET), WHOLE("creds", NAME_SECRET),
	WHOLE("authorization", NAME_SECRET), WHOLE("bearer", NAME_SECRET),
	ENDS("password", NAME_PASSWORD), ENDS("passwd", NAME_PASSWORD), ENDS("passphrase", NAME_PASSWORD),
	ENDS("passcode", NAME_PASSWORD), ENDS("storepass", NAME_PASSWORD), ENDS("keypass", NAME_PASSWORD),
	ENDS("sshpass", NAME_PASSWORD), ENDS("userpass", NAME_PASSWORD), ENDS("dbpass", NAME_PASSWORD),
	ENDS("rootpass", NAME_PASSWORD), ENDS("smtppass", NAME_PASSWORD), ENDS("mysqlpwd", NAME_PASSWORD),
	ENDS("dbpwd", NAME_PASSWORD),
	ENDS("secret", NAME_SECRET), ENDS("token", NAME_SECRET), ENDS("apikey", NAME_SECRET),
	ENDS("accesskey", NAME_SECRET), ENDS("secretkey", NAME_SECRET), ENDS("accountkey", NAME_SECRET),
	ENDS("authkey", NAME_SECRET),
	ENDS("passwords", NAME_SEVERAL), ENDS("passphrases", NAME_SEVERAL), ENDS("secrets", NAME_SEVERAL),
	ENDS("tokens", NAME_SEVERAL), ENDS("apikeys", NAME_SEVERAL),
#undef WHOLE
#undef ENDS
#undef ASK
};
/* clang-format on */

/* The first in the table that the word is, or ends in.  NULL: none. */
static const struct secret_word *secret_word_find(struct span word)
{
	char last = lower(word.text[word.bytes - 1]);

	for (size_t i = 0; i < sizeof(secret_words) / sizeof(secret_words[0]); i++) {
		const struct secret_word *w = &secret_words[i];

		if (w->text[w->bytes - 1] == last &&
		    (w->ends ? word.bytes >= w->bytes : word.bytes == w->bytes) &&
		    equals_folded(span_from(word, word.bytes - w->bytes), w->text))
			return w;
	}
	return NULL;
}

enum name_class redact_name_class(struct span name)
{
	struct span word = last_word_take(&name);
	const struct secret_word *found =
		word.bytes >= WORD_MIN_BYTES ? secret_word_find(word) : NULL;

	if (!found)
		return NAME_PLAIN;
	return found->by_word_before ? found->by_word_before(last_word_take(&name)) : found->class;
}

bool redact_name_takes_value(struct span name)
{
	return !in_words(first_word(name),
			 WORDS("no", "without", "ask", "use", "show", "list", "gen", "generate",
			       "force", "require", "prompt", "reset", "create", "get", "print",
			       "allow", "enable", "disable", "skip", "hide", "is", "has", "need",
			       "forget", "verify", "check", "export", "import", "delete", "remove",
			       "rotate", "revoke", "recv", "edit", "include", "exclude", "ignore",
			       "keep", "save", "store", "read", "expire"));
}

/* --- values --- */

/* Long, of the letters of base64 or hex, with letters and digits both.  What is very long needs no more than such letters: so the costs of
 * a look have a bound. */
static bool looks_random(struct span value, bool cut)
{
	size_t look = value.bytes < RANDOM_LOOK_BYTES ? value.bytes : RANDOM_LOOK_BYTES;
	bool digit = false, letter = false;

	if (value.bytes < RANDOM_MIN_BYTES && !(cut && value.bytes >= RANDOM_MIN_BYTES / 2))
		return false;
	if (value.text[0] == '/' || value.text[0] == '-')
		return false;
	for (size_t i = 0; i < look; i++) {
		char c = value.text[i];

		if (!is_alnum(c) && c != '+' && c != '/' && c != '=' && c != '_' && c != '-' &&
		    c != '%')
			return false;
		digit |= is_digit(c);
		letter |= is_upper(c) || is_lower(c);
	}
	return (digit && letter) || value.bytes > look;
}

static bool is_path(struct span value)
{
	static const char *const roots[] = { "./",     "../",    "~/",       "/etc/", "/run/",
					     "/var/",  "/home/", "/root/",   "/tmp/", "/usr/",
					     "/opt/",  "/proc/", "/dev/",    "/srv/", "/mnt/",
					     "/media", "/sys/",  "/lib/",    "/bin/", "/boot/",
					     "/data/", "/app/",  "/secrets/" };

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]) && value.bytes > 1; i++)
		if (value.text[0] == roots[i][0] && value.text[1] == roots[i][1] &&
		    span_begins(value, roots[i]))
			return true;
	return false;
}

static bool is_flag(struct span value)
{
	size_t digits = 0;

	while (digits < value.bytes && is_digit(value.text[digits]))
		digits++;
	return (digits == value.bytes && digits <= FLAG_DIGITS) ||
	       in_words(value,
			WORDS("-", "true", "false", "yes", "no", "on", "off", "none", "null",
			      "auto", "never", "always", "stdin", "prompt", "ask", "interactive"));
}

/* Whether all of these characters may stand in the name of a variable, or a path. */
static bool is_plain_name(struct span span)
{
	for (size_t i = 0; i < span.bytes; i++)
		if (!is_alnum(span.text[i]) && !(span.text[i] && strchr("_-./~", span.text[i])))
			return false;
	return true;
}

/* Where the secret is, not what it is. */
static bool is_reference(struct span value)
{
	return (span_cut_front(&value, "file:") || span_cut_front(&value, "env:") ||
		span_cut_front(&value, "fd:")) &&
	       is_plain_name(value);
}

/* What stands in a manual, or where a secret was taken out already. */
static bool is_placeholder(struct span value)
{
	size_t same = 0;

	if (span_begins(value, "[redacted ") ||
	    (value.text[0] == '<' && value.text[value.bytes - 1] == '>'))
		return true;
	while (same < value.bytes && value.text[same] == '*')
		same++;
	return same == value.bytes;
}

static bool is_mount(struct span value)
{
	static const char *const heads[] = { "id=", "src=", "source=", "type=", "env=" };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (span_begins(value, heads[i]))
			return true;
	/* podman: "name,type=env,target=X" */
	(void)span_next(&value, ',');
	return span_begins(value, "type=") || span_begins(value, "target=") ||
	       span_begins(value, "uid=") || span_begins(value, "gid=") ||
	       span_begins(value, "mode=");
}

/* A number, or a file by its ending. */
static bool is_count_or_file(struct span value)
{
	const char *dot = memrchr(value.text, '.', value.bytes);
	size_t digits = 0;

	while (digits < value.bytes && is_digit(value.text[digits]))
		digits++;
	return digits == value.bytes ||
	       (dot && in_words(span_from(value, (size_t)(dot + 1 - value.text)),
				WORDS("txt", "json", "yaml", "yml", "toml", "ini", "conf", "env",
				      "csv", "lst", "list")));
}

struct span redact_unquoted(struct span value)
{
	char first = value.bytes > 0 ? value.text[0] : '\0';

	if (first != '\'' && first != '"')
		return value;
	value = span_from(value, 1);
	if (value.bytes > 0 && value.text[value.bytes - 1] == first)
		value.bytes--;
	return value;
}

/* Whether a value says that it is no secret, where its name leaves that open. */
static bool is_none(enum name_class class, struct span name, struct span value, bool cut)
{
	if (is_flag(value) || is_placeholder(value) || is_reference(value))
		return true;
	switch (class) {
	case NAME_KEY:
		return !looks_random(value, cut) || is_path(value);
	case NAME_COOKIE:
		return !span_has(value, '=') || is_path(value);
	case NAME_SEVERAL:
		return is_path(value) || is_count_or_file(value);
	case NAME_SECRET:
		return is_path(value);
	case NAME_MOUNT:
		return is_path(value) || is_mount(value);
	case NAME_PASSWORD: /* the working directory */
		return value.text[0] == '/' && in_words(name, WORDS("pwd", "oldpwd"));
	case NAME_PLAIN:
		return true;
	case NAME_CERTAIN:
		return false;
	}
	return false;
}

struct span redact_value(enum name_class class, struct span name, struct span value, bool cut)
{
	value = redact_unquoted(value);
	if (class == NAME_CERTAIN)
		return value;
	(void)span_cut_front(&value, "pass:");
	if (value.bytes == 0 || is_none(class, name, value, cut))
		return (struct span){ value.text, 0 };
	return value;
}
