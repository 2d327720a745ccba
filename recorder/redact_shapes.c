#include "recorder/redact_shapes.h"

enum { JWT_PART_MIN_BYTES = 8, CUT_MIN_BYTES = 4, BEARER_MIN_BYTES = 6 };
enum { SHORTEST_BYTES = 13 /* of all that is known here: "Bearer " and 6 */ };

/* Of one argument.  What was found out about a run of characters is remembered until the end of the run: whoever makes command lines
 * must not be able to have it looked through again from each of its characters. */
struct finder {
	const struct redact_shapes *shapes;
	struct span all;
	bool cut;
	size_t word_begin, word_end; /* letters, digits, '_' and '-' */
	size_t url_end;              /* before a blank */
	const char *url_sign;        /* the last '@' before that; NULL: none */
	size_t password_end;         /* passwords of URLs were taken up to here */
};

/* --- tokens: a prefix, and so many characters behind it --- */

enum charset { UPPER_DIGITS, ALNUM, WORD /* and '_' '-' */, WORD_DOTS, WORD_SLASHES };

static const struct {
	const char *prefix;
	size_t min_bytes;
	enum charset charset;
	bool prefix_stays; /* it tells nothing */
} tokens[] = {
	/* secret_bytes() knows their first letters */
	{ "AKIA", 16, UPPER_DIGITS, false }, /* AWS */
	{ "ASIA", 16, UPPER_DIGITS, false },
	{ "ABIA", 16, UPPER_DIGITS, false },
	{ "ACCA", 16, UPPER_DIGITS, false },
	{ "AIza", 30, WORD, false }, /* Google */
	{ "ya29.", 20, WORD_DOTS, false },
	{ "GOCSPX-", 20, WORD, false },
	{ "ghp_", 20, ALNUM, false }, /* GitHub */
	{ "gho_", 20, ALNUM, false },
	{ "ghu_", 20, ALNUM, false },
	{ "ghs_", 20, ALNUM, false },
	{ "ghr_", 20, ALNUM, false },
	{ "github_pat_", 20, WORD, false },
	{ "glpat-", 16, WORD, false }, /* GitLab */
	{ "xoxa-", 10, WORD, false },  /* Slack */
	{ "xoxb-", 10, WORD, false },
	{ "xoxe-", 10, WORD, false },
	{ "xoxp-", 10, WORD, false },
	{ "xoxr-", 10, WORD, false },
	{ "xoxs-", 10, WORD, false },
	{ "xapp-", 10, WORD, false },
	{ "hooks.slack.com/services/", 8, WORD_SLASHES, true },
	{ "discord.com/api/webhooks/", 16, WORD_SLASHES, true },
	{ "sk_live_", 10, ALNUM, false }, /* Stripe */
	{ "sk_test_", 10, ALNUM, false },
	{ "rk_live_", 10, ALNUM, false },
	{ "rk_test_", 10, ALNUM, false },
	{ "whsec_", 16, ALNUM, false },
	{ "sk-ant-", 16, WORD, false },
	{ "sk-proj-", 16, WORD, false },
	{ "sk-", 32, ALNUM, false },
	{ "SG.", 40, WORD_DOTS, false }, /* SendGrid */
	{ "npm_", 30, ALNUM, false },
	{ "pypi-AgE", 40, WORD, false },
	{ "hf_", 30, ALNUM, false },
	{ "hvs.", 20, WORD_DOTS, false }, /* Vault */
	{ "dop_v1_", 32, ALNUM, false },  /* DigitalOcean */
	{ "shpat_", 20, ALNUM, false },   /* Shopify */
	{ "AGE-SECRET-KEY-1", 30, UPPER_DIGITS, false },
};

static bool in_charset(char c, enum charset charset)
{
	switch (charset) {
	case UPPER_DIGITS:
		return is_upper(c) || is_digit(c);
	case ALNUM:
		return is_alnum(c);
	case WORD:
		return is_alnum(c) || c == '_' || c == '-';
	case WORD_DOTS:
		return is_alnum(c) || c == '_' || c == '-' || c == '.';
	case WORD_SLASHES:
		return is_alnum(c) || c == '_' || c == '-' || c == '/';
	}
	return false;
}

/* The bytes that text begins with and that are of the set. */
static size_t run_bytes(struct span text, enum charset charset)
{
	size_t bytes = 0;

	while (bytes < text.bytes && in_charset(text.text[bytes], charset))
		bytes++;
	return bytes;
}

/* The bytes that text begins with and that are of the set WORD. */
static size_t word_bytes(struct finder *finder, struct span text)
{
	size_t at = (size_t)(text.text - finder->all.text);

	if (at < finder->word_begin || at >= finder->word_end) {
		finder->word_begin = at;
		finder->word_end = at + run_bytes(text, WORD);
	}
	return finder->word_end - at;
}

/* Whether a run of so many bytes in text is long enough: of one that is cut off at the end nobody knows how long it was. */
static bool run_counts(struct span text, size_t run, size_t min_bytes, bool cut)
{
	return run >= min_bytes || (cut && run == text.bytes && run >= CUT_MIN_BYTES);
}

/* Bytes of the token of one's own that text begins with, 0: none. */
static size_t own_token_bytes(struct finder *finder, struct span text)
{
	for (size_t i = 0; i < finder->shapes->prefix_count; i++) {
		const struct redact_prefix *prefix = &finder->shapes->prefixes[i];
		struct span rest = text;
		size_t run;

		if (!span_cut_front(&rest, prefix->text))
			continue;
		run = word_bytes(finder, rest);
		if (run_counts(rest, run, prefix->min_bytes, finder->cut))
			return text.bytes - rest.bytes + run;
	}
	return 0;
}

/* Bytes of the token that text begins with, 0: none.  One that is too short is not long to look at: so runs need not be remembered. */
static size_t token_bytes(struct span text, bool cut, size_t *ret_stays)
{
	if (text.bytes < 2)
		return 0;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		struct span rest = text;
		size_t run;

		if (tokens[i].prefix[0] != text.text[0] || tokens[i].prefix[1] != text.text[1] ||
		    !span_cut_front(&rest, tokens[i].prefix))
			continue;
		run = run_bytes(rest, tokens[i].charset);
		if (!run_counts(rest, run, tokens[i].min_bytes, cut))
			continue;
		*ret_stays = tokens[i].prefix_stays ? text.bytes - rest.bytes : 0;
		return text.bytes - rest.bytes + run;
	}
	return 0;
}

/* RFC 7519: three runs of base64 with dots between, the first of which is a JSON object: {" is eyJ. */
static size_t jwt_bytes(struct finder *finder, struct span text)
{
	size_t at, run;

	if (!span_begins(text, "eyJ"))
		return 0;
	at = word_bytes(finder, text);
	if (finder->cut && at == text.bytes && at >= 2 * JWT_PART_MIN_BYTES)
		return at;
	if (at < JWT_PART_MIN_BYTES || at >= text.bytes || text.text[at] != '.')
		return 0;
	run = run_bytes(span_from(text, at + 1), WORD);
	if (run < JWT_PART_MIN_BYTES && !(finder->cut && at + 1 + run == text.bytes))
		return 0;
	at += 1 + run;
	if (at < text.bytes && text.text[at] == '.')
		at += 1 + run_bytes(span_from(text, at + 1), WORD);
	return at;
}

/* RFC 7468: -----BEGIN ... PRIVATE KEY-----, up to and with the line that ends it; or all there is. */
static size_t pem_bytes(struct span text)
{
	enum { HEAD_MAX_BYTES = 64 };
	static const char kind[] = "PRIVATE KEY", end[] = "-----END ", dashes[] = "-----";
	size_t head = text.bytes < HEAD_MAX_BYTES ? text.bytes : HEAD_MAX_BYTES;
	const char *found;
	struct span rest;

	if (!span_begins(text, "-----BEGIN ") || !memmem(text.text, head, kind, strlen(kind)))
		return 0;
	found = memmem(text.text, text.bytes, end, strlen(end));
	if (!found)
		return text.bytes;
	rest = span_from(text, (size_t)(found - text.text) + strlen(end));
	found = rest.bytes > 0 ? memmem(rest.text, rest.bytes, dashes, strlen(dashes)) : NULL;
	return found ? (size_t)(found - text.text) + strlen(dashes) : text.bytes;
}

/* RFC 6750: "Bearer TOKEN", the word in any case.  *ret_stays: the bytes before the token. */
static size_t bearer_bytes(struct span text, bool cut, size_t *ret_stays)
{
	static const char word[] = "bearer ";
	size_t at = 0, run = 0;

	while (at < text.bytes && word[at] && (text.text[at] | 0x20) == word[at])
		at++;
	if (word[at])
		return 0;
	while (at + run < text.bytes &&
	       (in_charset(text.text[at + run], WORD_DOTS) ||
		(text.text[at + run] && strchr("~+/=", text.text[at + run]))))
		run++;
	if (!run_counts(span_from(text, at), run, BEARER_MIN_BYTES, cut))
		return 0;
	*ret_stays = at;
	return at + run;
}

/* --- URLs --- */

static bool all_digits(struct span span)
{
	for (size_t i = 0; i < span.bytes; i++)
		if (!is_digit(span.text[i]))
			return false;
	return true;
}

static bool ends_url(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '"' || c == '\'' || c == '<' ||
	       c == '>' || c == '`';
}

static const char *last_at_sign(struct span span)
{
	return span.bytes > 0 ? memrchr(span.text, '@', span.bytes) : NULL;
}

/* What stands from `from` up to the end of the URL, or of several that nothing parts. */
static struct span url_rest(struct finder *finder, size_t from)
{
	const struct span all = finder->all;

	if (from >= finder->url_end) {
		size_t end = from;

		while (end < all.bytes && !ends_url(all.text[end]))
			end++;
		finder->url_end = end;
		finder->url_sign = last_at_sign((struct span){ all.text + from, end - from });
	}
	return (struct span){ all.text + from, finder->url_end - from };
}

/* Host, port and who asks: before the first of "/?#".  Not long to look at, however many URLs follow: "://" ends it. */
static struct span url_authority(struct span rest)
{
	size_t bytes = 0;

	while (bytes < rest.bytes && rest.text[bytes] != '/' && rest.text[bytes] != '?' &&
	       rest.text[bytes] != '#')
		bytes++;
	return (struct span){ rest.text, bytes };
}

/* Not one of an address in brackets: [fe80::1]:80. */
static const char *first_colon(struct span authority)
{
	const char *closing = authority.bytes > 0 && authority.text[0] == '['
				      ? memchr(authority.text, ']', authority.bytes)
				      : NULL;

	if (closing)
		authority = span_from(authority, (size_t)(closing - authority.text));
	return authority.bytes > 0 ? memchr(authority.text, ':', authority.bytes) : NULL;
}

/* The password of "user:password@host", which begins at `from`, behind the scheme.  One that has '/' in it, which it should not, is found
 * where no port can be meant. */
static struct span url_password(struct finder *finder, size_t from)
{
	const struct span rest = url_rest(finder, from), authority = url_authority(rest),
			  none = { rest.text, 0 };
	const char *colon = first_colon(authority);
	const char *sign = last_at_sign(authority);
	struct span password;

	if (!colon || (sign && colon > sign))
		return none;
	password = span_from(rest, (size_t)(colon + 1 - rest.text));
	if (!sign) {
		if (all_digits(span_from(authority, (size_t)(colon + 1 - authority.text))))
			return none;
		sign = finder->url_sign;
		/* Where it ends is not there to be seen. */
		if ((!sign || sign < password.text) && finder->cut &&
		    finder->url_end == finder->all.bytes)
			return password;
	}
	if (!sign || sign < password.text)
		return none;
	password.bytes = (size_t)(sign - password.text);
	return password;
}

/* A URL within the password of another has its own within that. */
static void url_find(struct finder *finder, size_t from)
{
	struct span password;

	if (from < finder->password_end)
		return;
	password = url_password(finder, from);
	if (password.bytes == 0)
		return;
	finder->shapes->found(finder->shapes->context, password);
	finder->password_end = (size_t)(password.text + password.bytes - finder->all.text);
}

/* --- the walk --- */

/* Bytes of the secret that text begins with, 0: none.  Most characters begin none, and there are many. */
static size_t secret_bytes(struct finder *finder, struct span text, size_t *ret_stays)
{
	switch (text.text[0]) {
	case '-':
		return pem_bytes(text);
	case 'e':
		return jwt_bytes(finder, text);
	case 'b':
	case 'B':
		return bearer_bytes(text, finder->cut, ret_stays);
	case 'A':
	case 'G':
	case 'S':
	case 'a':
	case 'd':
	case 'g':
	case 'h':
	case 'n':
	case 'p':
	case 'r':
	case 's':
	case 'w':
	case 'x':
	case 'y':
		return token_bytes(text, finder->cut, ret_stays);
	default:
		return 0;
	}
}

/* Bytes to go on by. */
static size_t find_at(struct finder *finder, size_t at)
{
	const struct span text = span_from(finder->all, at);
	size_t stays = 0, bytes = own_token_bytes(finder, text);

	if (bytes == 0)
		bytes = secret_bytes(finder, text, &stays);
	if (bytes == 0)
		return 1;
	finder->shapes->found(finder->shapes->context,
			      (struct span){ text.text + stays, bytes - stays });
	return bytes;
}

void redact_shapes_find(const struct redact_shapes *shapes, struct span text, bool cut)
{
	const size_t shortest = shapes->prefix_count > 0 ? 0 : SHORTEST_BYTES;
	struct finder finder = { .shapes = shapes, .all = text, .cut = cut };

	for (size_t at = 0; at < text.bytes;) {
		size_t taken = 1;
		/* Most arguments are too short to be looked at. */
		bool begins = (at == 0 || !is_alnum(text.text[at - 1])) &&
			      (text.bytes - at >= shortest || cut);

		if (text.text[at] == ':' && span_begins(span_from(text, at), "://"))
			url_find(&finder, at + 3);
		else if (begins)
			taken = find_at(&finder, at);
		at += taken;
	}
}
