/* test_escape.c - whatever bytes a program calls itself by, no sink gets one that it would obey, and none is lost. */
#include <stdlib.h>
#include <string.h>

#include "query/escape.h"
#include "schema/json.h"
#include "tests/tap.h"

enum { ROOM = 4096 };

static bool text_is(const char *data, size_t bytes, const char *wanted)
{
	char out[ROOM];
	size_t used = escape_text(data, bytes, out);

	if (used == strlen(wanted) && memcmp(out, wanted, used) == 0)
		return true;
	printf("# got: %.*s\n", (int)used, out);
	return false;
}

static bool json_is(const char *data, size_t bytes, const char *wanted, bool wanted_clean)
{
	char out[ROOM];
	bool clean;
	size_t used = json_escape(data, bytes, out, &clean);

	if (used == strlen(wanted) && memcmp(out, wanted, used) == 0 && clean == wanted_clean)
		return true;
	printf("# got: %.*s, %d\n", (int)used, out, clean);
	return false;
}

static bool csv_is(const char *data, const char *wanted)
{
	char out[ROOM];
	size_t used = escape_csv(data, strlen(data), out);

	if (used == strlen(wanted) && memcmp(out, wanted, used) == 0)
		return true;
	printf("# got: %.*s\n", (int)used, out);
	return false;
}

static bool undone(const uint8_t *data, size_t bytes)
{
	char out[ROOM];
	uint8_t back[ROOM];
	size_t used = escape_text(data, bytes, out), back_bytes;

	return used <= ESCAPE_TEXT_MAX(bytes) &&
	       escape_text_undo(out, used, back, &back_bytes) == 0 && back_bytes == bytes &&
	       memcmp(back, data, bytes) == 0;
}

/* Nothing that steers a terminal, and valid UTF-8: judged here without escape.c. */
static bool harmless(const char *text, size_t bytes)
{
	const uint8_t *in = (const uint8_t *)text;

	for (size_t i = 0; i < bytes;) {
		size_t length = in[i] < 0x80 ? 1 : in[i] >= 0xf0 ? 4 : in[i] >= 0xe0 ? 3 : 2;
		uint32_t c = in[i] < 0x80 ? in[i] : in[i] & (0x7fu >> length);

		if ((in[i] >= 0x80 && in[i] < 0xc2) || in[i] > 0xf4 || i + length > bytes)
			return false;
		for (size_t k = 1; k < length; k++) {
			if (in[i + k] >> 6 != 2)
				return false;
			c = c << 6 | (in[i + k] & 0x3f);
		}
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
		    (c >= 0x2066 && c <= 0x2069) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ||
		    (length == 3 && c < 0x800) || (length == 4 && c < 0x10000))
			return false;
		i += length;
	}
	return true;
}

static void test_bytes(void)
{
	size_t wrong_back = 0, harmful = 0, json_harmful = 0, csv_harmful = 0;
	char out[ROOM];
	bool clean;

	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			uint8_t pair[2] = { (uint8_t)a, (uint8_t)b };

			wrong_back += !undone(pair, 2);
			harmful += !harmless(out, escape_text(pair, 2, out));
			json_harmful += !harmless(out, json_escape(pair, 2, out, &clean));
			csv_harmful += !harmless(out, escape_csv(pair, 2, out));
		}
	}
	ok(wrong_back == 0, "every pair of bytes comes back");
	ok(harmful == 0, "no pair of bytes gives a control character in text");
	ok(json_harmful == 0, "nor in JSON");
	ok(csv_harmful == 0, "nor in CSV");
}

/* Every character that Unicode has room for, and a little more. */
static void test_characters(void)
{
	size_t wrong_back = 0, harmful = 0, unclean = 0;
	char out[ROOM];
	bool clean;

	for (uint32_t c = 0x80; c < 0x120000; c++) {
		uint8_t text[4];
		size_t bytes = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

		for (size_t i = bytes; i-- > 1;)
			text[i] = (uint8_t)(0x80 | (c >> (6 * (bytes - 1 - i)) & 0x3f));
		text[0] = (uint8_t)((0xf00u >> bytes & 0xff) | c >> (6 * (bytes - 1)));
		wrong_back += !undone(text, bytes);
		harmful += !harmless(out, escape_text(text, bytes, out));
		(void)json_escape(text, bytes, out, &clean);
		unclean += clean == ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff);
	}
	ok(wrong_back == 0, "every character comes back");
	ok(harmful == 0, "no character is harmful in text");
	ok(unclean == 0, "JSON holds every character but surrogates and what is beyond Unicode");
}

static void test_random(void)
{
	size_t wrong = 0;
	uint8_t data[200];
	uint64_t state = 1;
	char out[ROOM];

	for (int round = 0; round < 20000; round++) {
		size_t bytes;

		for (size_t i = 0; i < sizeof(data); i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			data[i] = (uint8_t)(state >> 56);
		}
		bytes = data[0] % sizeof(data);
		wrong += !undone(data, bytes) || !harmless(out, escape_text(data, bytes, out));
	}
	ok(wrong == 0, "20,000 random strings are harmless and come back");
}

static void test_undo(void)
{
	static const char *const bad[] = { "\\", "\\x", "\\x1", "\\xg0", "\\x1g", "\\n", "a\\" };
	uint8_t back[16];
	size_t bytes, taken = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		taken += escape_text_undo(bad[i], strlen(bad[i]), back, &bytes) == 0;
	ok(taken == 0, "what was never written so is not read");
}

int main(void)
{
	ok(text_is("cat", 3, "cat"), "a plain name stays as it is");
	ok(text_is("\033]0;x\a\n\377\376(", 10, "\\x1b]0;x\\x07\\x0a\\xff\\xfe("),
	   "escape sequences, newlines and what is not UTF-8 become \\xNN");
	ok(text_is("a\\b", 3, "a\\\\b"), "a backslash is doubled");
	ok(text_is("z\303\266\343\201\202", 6, "z\303\266\343\201\202"), "printable UTF-8 stays");
	ok(text_is("\302\233", 2, "\\xc2\\x9b"), "C1 controls are escaped as UTF-8 too");
	ok(text_is("\342\200\256", 3, "\\xe2\\x80\\xae"), "so are controls of direction");
	ok(text_is("a\0b", 3, "a\\x00b"), "so is NUL");
	ok(text_is("\300\257", 2, "\\xc0\\xaf"), "an overlong form is not UTF-8");
	ok(json_is("a\"\\\n\001\177", 6, "a\\\"\\\\\\u000a\\u0001\\u007f", true),
	   "JSON escapes what it must and what a terminal would obey, and loses nothing");
	ok(json_is("\360\237\230\200\363\240\200\201", 8, "\360\237\230\200\\udb40\\udc01", true),
	   "what lies beyond 16 bits and is invisible becomes two surrogates");
	ok(json_is("a\377b", 3, "a\357\277\275b", false), "JSON says when bytes were not UTF-8");
	ok(csv_is("plain", "plain"), "a plain field stays in CSV");
	ok(csv_is("", "\"\""), "an empty field is told apart from none");
	ok(csv_is("a,b", "\"a,b\""), "a comma is quoted");
	ok(csv_is("a\"b", "\"a\"\"b\""), "a quote is doubled");
	ok(csv_is("a\r\nb", "a\\x0d\\x0ab"), "a field stays one line");
	ok(csv_is("=1+1", "'=1+1") && csv_is("+1", "'+1") && csv_is("-1", "'-1") &&
		   csv_is("@x", "'@x"),
	   "what a spreadsheet would take for a formula is told to be text");
	ok(csv_is("=\",\"", "\"'=\"\",\"\"\""), "all of that together");
	test_bytes();
	test_characters();
	test_random();
	test_undo();
	return done_testing();
}
