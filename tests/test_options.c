/* test_options.c - the command line of procledgerd. */
#include "recorder/options.h"

#include <errno.h>
#include <string.h>

#include "schema/ring_format.h"
#include "tests/tap.h"

enum { ARGUMENTS_MAX = 12 };

static struct options options;
static char message[512];

/* Parses "procledgerd" and the words of a line. */
static int parse(const char *line, const char *store)
{
	static char program[] = "procledgerd", words[512];
	char *arguments[ARGUMENTS_MAX] = { program }, *at, *word;
	int count = 1;

	(void)snprintf(words, sizeof(words), "%s", line);
	for (at = words; (word = strsep(&at, " ")) && count < ARGUMENTS_MAX - 1;)
		if (*word)
			arguments[count++] = word;
	memset(&options, 0xa5, sizeof(options));
	message[0] = '\0';
	return options_parse(count, arguments, store, &options, message, sizeof(message));
}

static void test_good(void)
{
	ok(parse("", NULL) == 0 && strcmp(options.store, "/var/lib/procledger") == 0 &&
		   !options.input && options.ring_bytes == 0 && !options.ring_only &&
		   options.durability == DURABILITY_INTERVAL,
	   "without options the defaults hold");
	ok(parse("", "/srv/x") == 0 && strcmp(options.store, "/srv/x") == 0,
	   "the environment names the store");
	ok(parse("", "") == 0 && strcmp(options.store, "/var/lib/procledger") == 0,
	   "an empty environment variable is none");
	ok(parse("--store=/a --ring-size 64M --ring-only --durability process", "/srv/x") == 0 &&
		   strcmp(options.store, "/a") == 0 && options.ring_bytes == 64 << 20 &&
		   options.ring_only && options.durability == DURABILITY_PROCESS,
	   "options are read, with = or a space");
	ok(parse("--input -", NULL) == 0 && strcmp(options.input, "-") == 0, "- is an input");
	ok(parse("--durability batch", NULL) == 0 && options.durability == DURABILITY_BATCH,
	   "each durability has its word");
	ok(parse("--help", NULL) == OPTIONS_HELP && parse("--version", NULL) == OPTIONS_VERSION,
	   "--help and --version are asked for");
	ok(strstr(options_help(), "--ring-size") && strstr(options_help(), "--durability") &&
		   strstr(options_help(), "--input") && strstr(options_help(), "--store") &&
		   strstr(options_help(), "--ring-only"),
	   "the help names every option");
}

static void bad(const char *line, const char *says)
{
	int r = parse(line, NULL);

	ok(r == -EINVAL && strstr(message, says) && !strchr(message, '\n'), "'%s' is refused: %s",
	   line, message);
}

static void test_bad(void)
{
	bad("--nope", "--nope");
	bad("-x", "-x");
	bad("extra", "extra");
	bad("--store /a -- extra", "extra");
	bad("--store", "--store");
	bad("--ring-only=1", "--ring-only");
	bad("--ring-size 1M", "at least 4M");
	bad("--ring-size 0", "at least 4M");
	bad("--ring-size 10X", "10X");
	bad("--ring-size -4M", "-4M");
	bad("--ring-size=", "is not a size");
	ok(parse("--argv-max 8K", NULL) == 0 && options.argv_max_bytes == 8192 &&
		   parse("", NULL) == 0 && options.argv_max_bytes == 4096,
	   "--argv-max is taken, and is 4K where it is not given");
	ok(parse("--argv full --redact-rules /x", NULL) == 0 && options.argv == ARGV_FULL &&
		   strcmp(options.redact_rules, "/x") == 0 && parse("--argv=none", NULL) == 0 &&
		   options.argv == ARGV_NONE && parse("", NULL) == 0 &&
		   options.argv == ARGV_REDACT && !options.redact_rules,
	   "--argv and --redact-rules are taken, and secrets are taken out where they are not "
	   "given");
	bad("--argv some", "'redact', 'full' or 'none'");
	bad("--argv-max 63", "64 to 12K");
	bad("--argv-max 13K", "64 to 12K");
	bad("--argv-max x", "'x'");
	bad("--durability sometimes", "sometimes");
	bad("--input=", "empty");
	bad("--store=", "empty");
}

static void test_sizes(void)
{
	uint64_t n = 42;

	ok(options_size("4194304", &n) == 0 && n == RING_MIN_BYTES, "plain bytes");
	ok(options_size("4K", &n) == 0 && n == 4096 && options_size("1m", &n) == 0 &&
		   n == 1 << 20 && options_size("3G", &n) == 0 && n == UINT64_C(3) << 30 &&
		   options_size("2T", &n) == 0 && n == UINT64_C(2) << 40,
	   "K, M, G and T are to base 1024");
	ok(options_size("1GiB", &n) == 0 && n == 1 << 30 && options_size("1GB", &n) == 0 &&
		   n == 1 << 30,
	   "iB and B may follow");
	ok(options_size("8388607T", &n) == 0 && n == UINT64_C(8388607) << 40, "up to 8 million T");
	n = 42;
	ok(options_size("8388609T", &n) == -ERANGE &&
		   options_size("99999999999999999999", &n) == -ERANGE && n == 42,
	   "what does not fit is out of range, and nothing is set");
	ok(options_size("", &n) == -EINVAL && options_size("M", &n) == -EINVAL &&
		   options_size("1MM", &n) == -EINVAL && options_size("1iB", &n) == -EINVAL &&
		   options_size(" 1", &n) == -EINVAL && options_size("1.5G", &n) == -EINVAL &&
		   options_size("0x10", &n) == -EINVAL && n == 42,
	   "what is not a size is refused");
}

int main(void)
{
	test_good();
	test_bad();
	test_sizes();
	return done_testing();
}
