#include "recorder/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "recorder/procfs.h"
#include "schema/ring_format.h"

enum { ARGV_MIN_BYTES = 64 };

enum {
	OPT_STORE = 256,
	OPT_RING_SIZE,
	OPT_INPUT,
	OPT_RING_ONLY,
	OPT_DURABILITY,
	OPT_ARGV_MAX,
	OPT_ARGV,
	OPT_REDACT_RULES
};

static const struct option long_options[] = {
	{ "store", required_argument, NULL, OPT_STORE },
	{ "ring-size", required_argument, NULL, OPT_RING_SIZE },
	{ "input", required_argument, NULL, OPT_INPUT },
	{ "ring-only", no_argument, NULL, OPT_RING_ONLY },
	{ "durability", required_argument, NULL, OPT_DURABILITY },
	{ "argv", required_argument, NULL, OPT_ARGV },
	{ "argv-max", required_argument, NULL, OPT_ARGV_MAX },
	{ "redact-rules", required_argument, NULL, OPT_REDACT_RULES },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const char help_text[] =
	"Usage: procledgerd [OPTION]...\n"
	"Records every process event of this machine into a ledger: a ring file, and a SQLite\n"
	"index made from it.  Runs in the foreground until SIGTERM.\n"
	"\n"
	"  --store DIR        the ledger's folder, made if it is missing\n"
	"                     (default: $PROCLEDGER_STORE, else " OPTIONS_STORE_DEFAULT ")\n"
	"  --ring-size SIZE   bytes of a new ring file: a number and K, M, G or T; from 4M on\n"
	"                     (default 1G; a ring that is there keeps its size)\n"
	"  --input FILE       record a captured stream of netlink datagrams instead of the "
	"kernel's\n"
	"                     ('-' is standard input), then end; needs no privilege\n"
	"  --ring-only        write the ring, not the index ('procledger reindex' makes it later)\n"
	"  --durability MODE  what a power cut may cost: 'interval', the last second (default);\n"
	"                     'batch', the last 20 ms; 'process', what is not in a full block yet\n"
	"  --argv MODE        what becomes of command lines: 'redact', secrets are taken out "
	"(default);\n"
	"                     'full', all is kept; 'none', they are not recorded\n"
	"  --redact-rules FILE\n"
	"                     what else is a secret, and what is none (default, where it is "
	"there:\n"
	"                     /etc/procledger/redact.conf)\n"
	"  --argv-max SIZE    the most that is kept of a command line, from 64 to 12K (default "
	"4K)\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 ended in order, 1 failed while running or not all of the input was\n"
	"recorded, 2 wrong usage, 4 no permission, 5 the kernel gives no events here, 6 the store\n"
	"cannot be used.\n";

const char *options_help(void)
{
	return help_text;
}

const char *durability_word(enum durability durability)
{
	switch (durability) {
	case DURABILITY_INTERVAL:
		return "interval";
	case DURABILITY_PROCESS:
		return "process";
	case DURABILITY_BATCH:
		return "batch";
	}
	return "other";
}

int options_size(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "KMGT";
	uint64_t n = 0;
	const char *at = text;
	unsigned shift = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*at - '0'), &n))
			return -ERANGE;
	if (at == text)
		return -EINVAL;
	for (unsigned i = 0; units[i] && *at; i++)
		if (*at == units[i] || *at == units[i] + ('a' - 'A'))
			shift = 10 * (i + 1);
	if (shift > 0)
		at++;
	if (*at && strcmp(at, "B") != 0 && (shift == 0 || strcmp(at, "iB") != 0))
		return -EINVAL;
	if (n > (UINT64_C(1) << 63) >> shift)
		return -ERANGE;
	*ret_bytes = n << shift;
	return 0;
}

struct complaint {
	char *text;
	size_t bytes;
};

__attribute__((format(printf, 2, 3))) static int complain(struct complaint to, const char *format,
							  ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(to.text, to.bytes, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int ring_size_take(struct options *options, const char *text, struct complaint to)
{
	if (options_size(text, &options->ring_bytes) < 0)
		return complain(to,
				"'%s' is not a size for --ring-size: give a number of bytes, or "
				"one with K, M, G or T",
				text);
	if (options->ring_bytes < RING_MIN_BYTES)
		return complain(to, "--ring-size %s is too small: a ring takes at least %lluM",
				text, (unsigned long long)(RING_MIN_BYTES >> 20));
	if (options->ring_bytes > RING_MAX_BYTES)
		return complain(to, "--ring-size %s is too large: a ring takes at most %lluT", text,
				(unsigned long long)(RING_MAX_BYTES >> 40));
	return 0;
}

static int argv_max_take(struct options *options, const char *text, struct complaint to)
{
	uint64_t bytes;

	if (options_size(text, &bytes) < 0 || bytes < ARGV_MIN_BYTES ||
	    bytes > PROCFS_ARGV_MAX_BYTES)
		return complain(to, "--argv-max is a size from %d to %dK, not '%s'", ARGV_MIN_BYTES,
				PROCFS_ARGV_MAX_BYTES >> 10, text);
	options->argv_max_bytes = (size_t)bytes;
	return 0;
}

static int durability_take(struct options *options, const char *text, struct complaint to)
{
	for (int d = DURABILITY_INTERVAL; d <= DURABILITY_BATCH; d++) {
		if (strcmp(text, durability_word((enum durability)d)) == 0) {
			options->durability = (enum durability)d;
			return 0;
		}
	}
	return complain(to, "--durability is 'process', 'interval' or 'batch', not '%s'", text);
}

const char *argv_mode_word(enum argv_mode mode)
{
	switch (mode) {
	case ARGV_REDACT:
		return "redact";
	case ARGV_FULL:
		return "full";
	case ARGV_NONE:
		return "none";
	}
	return "other";
}

static int argv_take(struct options *options, const char *text, struct complaint to)
{
	for (int mode = ARGV_REDACT; mode <= ARGV_NONE; mode++) {
		if (strcmp(text, argv_mode_word((enum argv_mode)mode)) == 0) {
			options->argv = (enum argv_mode)mode;
			return 0;
		}
	}
	return complain(to, "--argv is 'redact', 'full' or 'none', not '%s'", text);
}

static int option_take(int option, struct options *options, struct complaint to)
{
	switch (option) {
	case OPT_STORE:
	case OPT_INPUT:
		if (!*optarg)
			return complain(to, "--%s is given an empty name",
					option == OPT_STORE ? "store" : "input");
		*(option == OPT_STORE ? &options->store : &options->input) = optarg;
		return 0;
	case OPT_RING_SIZE:
		return ring_size_take(options, optarg, to);
	case OPT_RING_ONLY:
		options->ring_only = true;
		return 0;
	case OPT_DURABILITY:
		return durability_take(options, optarg, to);
	case OPT_ARGV:
		return argv_take(options, optarg, to);
	case OPT_REDACT_RULES:
		options->redact_rules = optarg;
		return 0;
	case OPT_ARGV_MAX:
		return argv_max_take(options, optarg, to);
	case 'h':
		return OPTIONS_HELP;
	case 'V':
		return OPTIONS_VERSION;
	default:
		return -EINVAL;
	}
}

int options_parse(int argc, char **argv, const char *store_default, struct options *ret_options,
		  char *message, size_t message_bytes)
{
	struct complaint to = { .text = message, .bytes = message_bytes };
	struct options options = {
		.store = store_default && *store_default ? store_default : OPTIONS_STORE_DEFAULT,
		.argv_max_bytes = PROCFS_ARGV_DEFAULT_BYTES,
	};
	int option, at, r;

	optind = 0; /* glibc: begin anew, so that this may be called again */
	opterr = 0;
	for (;;) {
		at = optind > 0 ? optind : 1;
		option = getopt_long(argc, argv, ":hV", long_options, NULL);
		if (option == -1)
			break;
		if (option == ':')
			return complain(to, "option '%s' needs a value", argv[at]);
		if (option == '?')
			return complain(to, "option '%s' is not known, or takes no value",
					argv[at]);
		r = option_take(option, &options, to);
		if (r != 0)
			return r;
	}
	if (optind < argc)
		return complain(to, "there is no place for the argument '%s'", argv[optind]);
	*ret_options = options;
	return 0;
}
