#include "recorder/redact_names.h"

/* Lists of words end with NULL. */
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { RANDOM_MIN_BYTES = 16, RANDOM_LOOK_BYTES = 128, FLAG_DIGITS = 2 };

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
	for (; *words; words++)
		if (equals_folded(span, *words))
			return true;
	return false;
}

static bool ends_in_words(struct span span, const char *const words[])
{
	for (; *words; words++) {
		size_t bytes = strlen(*words);

		if (span.bytes >= bytes &&
		    equals_folded(span_from(span, span.bytes - bytes), *words))
			return true;
	}
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

enum name_class redact_name_class(struct span name)
{
	struct span word = last_word_take(&name), before = last_word_take(&name);

	if (in_words(word, WORDS("key")))
		return key_class(before);
	if (in_words(word, WORDS("cookie")))
		return NAME_COOKIE;
	if (in_words(word, WORDS("signature", "sig", "auth", "psk")))
		return NAME_KEY;
	/* Passes of an encoder; and the tokens of a language model, or of the next page of a list. */
	if (in_words(word, WORDS("pass")) &&
	    in_words(before, WORDS("one", "two", "single", "multi", "first", "second", "last",
				   "num", "n", "by", "max", "low", "high", "band")))
		return NAME_PLAIN;
	if (in_words(word, WORDS("token")) &&
	    in_words(before, WORDS("eos", "bos", "pad", "stop", "mask", "unk", "sep", "cls", "per",
				   "next", "page", "start", "starting", "continuation",
				   "pagination", "resume", "sync", "special", "max")))
		return NAME_PLAIN;
	if (in_words(word, WORDS("password", "passwd", "passphrase", "passcode", "passwort", "pass",
				 "pwd", "pw", "secret", "token", "credential", "credentials",
				 "creds", "authorization")))
		return NAME_SECRET;
	if (ends_in_words(word, WORDS("password", "passwd", "passphrase", "passcode", "secret",
				      "token", "apikey", "accesskey", "secretkey", "accountkey",
				      "authkey", "storepass", "keypass", "sshpass", "userpass",
				      "dbpass", "rootpass", "smtppass", "mysqlpwd", "dbpwd")))
		return NAME_SECRET;
	return NAME_PLAIN;
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

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (span_begins(value, roots[i]))
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

/* Where the secret is, not what it is; or what stands in a manual. */
static bool is_reference(struct span value)
{
	static const char *const heads[] = { "file:", "env:",  "fd:",     "id=",
					     "src=",  "type=", "source=", "[redacted " };
	size_t same = 0;

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (span_begins(value, heads[i]))
			return true;
	if (value.text[0] == '<' && value.text[value.bytes - 1] == '>')
		return true;
	while (same < value.bytes && value.text[same] == '*')
		same++;
	return same == value.bytes;
}

static struct span unquoted(struct span value)
{
	char first = value.bytes > 0 ? value.text[0] : '\0';

	if (first != '\'' && first != '"')
		return value;
	value = span_from(value, 1);
	if (value.bytes > 0 && value.text[value.bytes - 1] == first)
		value.bytes--;
	return value;
}

struct span redact_value(enum name_class class, struct span name, struct span value, bool cut)
{
	const struct span none = { value.text, 0 };

	value = unquoted(value);
	(void)span_cut_front(&value, "pass:");
	if (value.bytes == 0 || class == NAME_PLAIN || is_flag(value) || is_path(value) ||
	    is_reference(value))
		return none;
	if (class == NAME_KEY && !looks_random(value, cut))
		return none;
	if (class == NAME_COOKIE && !span_has(value, '='))
		return none;
	/* The working directory. */
	if (value.text[0] == '/' && in_words(name, WORDS("pwd", "oldpwd")))
		return none;
	return value;
}
