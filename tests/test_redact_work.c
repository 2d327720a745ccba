/* test_redact_work.c - what it takes to look through a command line grows with its length and no faster, whatever stands in it: who may
 * run programs must not be able to keep a thread busy that runs before all others.
 *
 * Not time but work is counted: the compiler puts a call before each basic block of what is included here (see the Makefile).
 */
/* NOLINTBEGIN(bugprone-suspicious-include) */
#include "recorder/redact.c"
#include "recorder/redact_marks.c"
#include "recorder/redact_names.c"
#include "recorder/redact_programs.c"
#include "recorder/redact_rules.c"
#include "recorder/redact_shapes.c"
#include "recorder/redact_text.c"
#include "recorder/redact_values.c"
/* NOLINTEND(bugprone-suspicious-include) */

#include <inttypes.h>

#include "tests/tap.h"

#ifdef __clang__
#define NOT_COUNTED __attribute__((no_sanitize("coverage")))
#else
#define NOT_COUNTED __attribute__((no_sanitize_coverage))
#endif

enum { SHORT_BYTES = 2048, LONG_BYTES = 8192, BLOCKS_A_BYTE_MAX = 200 };

static uint64_t block_count;

NOT_COUNTED void __sanitizer_cov_trace_pc(void);
NOT_COUNTED void __sanitizer_cov_trace_pc(void)
{
	block_count++;
}

/* '\1' stands for the end of an argument. */
static const char *const units[] = {
	"://",
	"?token=",
	",password=",
	"eyJ-",
	"a:b@",
	"://a:b",
	"://a:b@",
	"://a:b/",
	"://a:b@c/",
	"Authorization: ",
	"Authorization:",
	"key=",
	"?key=",
	",key=",
	"key=.",
	"key=1",
	"?key=1",
	"cookie=",
	"?cookie=",
	",cookie=",
	"tokens=",
	"?tokens=1",
	"tokens=/etc/",
	"token=$",
	"token=*",
	"token=file:",
	"pw=x,",
	",pw=x",
	"pwd=/",
	"-----BEGIN PRIVATE KEY",
	"-----BEGIN ",
	"-----END ",
	"bearer ",
	"bearer a",
	"AKIA",
	"sk-",
	"SG.",
	"gh",
	"acme_",
	"acme_.",
	"eyJ.",
	"eyJaaaaa.a-",
	"eyJaaaaaaaa.eyJaaaaaaaa.",
	"hooks.slack.com/services/",
	"-",
	"--",
	"-a",
	"-c",
	"-p",
	"-u",
	"-H",
	"-ss",
	"uu",
	"a",
	"=",
	"a=",
	"'",
	"\"",
	"\\",
	"\\\"",
	"\"a\":",
	"\"a\"   ",
	"\"token\":",
	"\"token\":\\",
	"\"tokens\":[",
	"{\"token\":\"a\",",
	"token='",
	"token=\"",
	"token=\\",
	"key='",
	";",
	"(",
	"`",
	" ",
	"\n",
	"%",
	"/",
	"a/b@",
	"sh -c '",
	"sudo ",
	"mysql -p",
	"curl -u ",
	"exp a/b@c ",
	"--token ",
	"--token -",
	"x\1",
	"-c\1",
	"-p\1",
	"-px\1",
	"-u\1a:b\1",
	"--token\1-\1",
	"-H\1a:\1",
	"sudo\1",
	"mysql\1-px\1",
	"sh\1-c\1a 'b\1",
	"\1",
	"<",
	"[redacted ",
	"$(",
	"$()",
	"\"$(",
	"\"$('",
	"'a;\"b;",
	"a'b;",
	"(\";\"",
	"`\";'",
	";#'",
	"\n#'\n",
	"\\'\\;",
	"a=\"b;",
	"2>&1 ",
	"a=\"",
	"a=';\"",
	"a=b\"",
	"if ",
	"> ",
	"token: ",
	"?key=1;",
	"&key=1",
	"\"&key=1;",
	"';?key=1;",
	",key={",
	";key='",
	"a;pw={",
	"key=$(",
	"token=${a",
	"token=$a",
	"token=\"$a",
	"token = ",
	"key = \"",
	"aaaaaaaa = ",
	"\\\\\"token\\\\\":",
	"\\\\\"key\\\\\":\\\\\"",
	" \"-p",
	" \"--key=",
	" \"a=mysql ",
	"--a=mysql ",
	"a=\"mysql ",
	"docker exec ",
	"docker --a ",
	"--a\1",
	"python3 -x a ",
	"a1.1.1",
	"://[:@",
	"key=\"",
	"key=a\"",
	"\"key\":\"",
	"\"key\":\\\"",
	"\"key\":[",
	"\"tokens\":[/etc/",
	"\"tokens\":{/etc/",
	"token=\"$",
	"token=$\"",
	"--token \"$",
	"\"key: ",
	"\"cookie: ",
};
static const char *const heads[] = {
	"app\1", "app\1 ", "app\1'",  "app\1x=",  "app\1\\", "curl\1",
	"curl ", "exp\1",  "mysql\1", "docker\1", "http\1",  "sh\1-c\1"
};

/* Basic blocks that a command line costs: a head, and one thing over and over. */
static uint64_t work(const struct redactor *redactor, const char *head, const char *unit,
		     size_t bytes, bool cut)
{
	static uint8_t argv[LONG_BYTES], out[LONG_BYTES];
	size_t head_bytes = strlen(head), unit_bytes = strlen(unit), out_bytes;
	bool full;

	for (size_t i = 0; i < bytes; i++) {
		char c = i < head_bytes ? head[i] : unit[(i - head_bytes) % unit_bytes];

		argv[i] = c == '\1' ? '\0' : (uint8_t)c;
	}
	block_count = 0;
	(void)redact_argv(redactor, &(struct redact_text){ argv, bytes, cut }, out, bytes,
			  &out_bytes, &full);
	return block_count;
}

static const char *unit_shown(const char *unit, char shown[64])
{
	size_t i = 0;

	for (; i < 63 && unit[i]; i++)
		shown[i] = unit[i] < ' ' ? '^' : unit[i];
	shown[i] = '\0';
	return shown;
}

int main(void)
{
	static const uint8_t key[REDACT_KEY_BYTES];
	static const char rules[] = "prefix acme_ 4000\nprefix acme. 4000\nsecret ours\n";
	char message[REDACT_MESSAGE_BYTES];
	struct redactor *redactor;
	uint64_t worst = 0;

	if (redactor_new(key, rules, strlen(rules), &redactor, message) < 0)
		return 1;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		unsigned steep = 0;
		char shown[64];

		for (size_t h = 0; h < 2 * sizeof(heads) / sizeof(heads[0]); h++) {
			const char *head = heads[h / 2];
			uint64_t less = work(redactor, head, units[u], SHORT_BYTES, h % 2);
			uint64_t more = work(redactor, head, units[u], LONG_BYTES, h % 2);

			/* Four times as much, and a quarter of that for what does not repeat evenly. */
			steep += more > less * 5;
			if (more > less * 5)
				printf("# behind '%s': %" PRIu64 ", then %" PRIu64 "\n",
				       heads[h / 2], less, more);
			worst = more > worst ? more : worst;
		}
		ok(steep == 0, "'%s', over and over", unit_shown(units[u], shown));
	}
	ok(worst > LONG_BYTES && worst < (uint64_t)LONG_BYTES * BLOCKS_A_BYTE_MAX,
	   "none costs more than %d basic blocks a byte (%" PRIu64 ")", BLOCKS_A_BYTE_MAX,
	   worst / LONG_BYTES);
	redactor_free(redactor);
	return done_testing();
}
