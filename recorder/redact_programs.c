#include "recorder/redact_programs.h"

#include <errno.h>
#include <stdlib.h>

enum { BUCKETS = 1024 /* a power of two, and four times the programs that are known */ };

#define MYSQL                                                                              \
	"mysql mysqldump mysqladmin mysqlimport mysqlcheck mysqlshow mysqlslap mysqlpump " \
	"mysqlbinlog mysqlsh mysqlhotcopy mytop mariadb mariadb-dump mariadb-admin "       \
	"mariadb-import mariadb-check mariadb-show mariadb-slap mariadb-binlog "           \
	"mariadb-backup mariabackup xtrabackup innobackupex"
#define POSTGRES                                                                              \
	"psql pg_dump pg_dumpall pg_restore pg_basebackup pg_receivewal pg_isready createdb " \
	"dropdb createuser dropuser vacuumdb reindexdb clusterdb pgbench"
#define MONGO "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop"
#define SNMP  "snmpget snmpgetnext snmpwalk snmpbulkget snmpbulkwalk snmpset snmptable snmpstatus"
#define LDAP                                                                                   \
	"ldapsearch ldapadd ldapmodify ldapdelete ldapmodrdn ldapcompare ldapwhoami ldapexop " \
	"ldappasswd"
#define SAMBA   "smbclient smbget smbcacls smbtree rpcclient net winexe wmic"
#define ORACLE  "sqlplus sqlldr exp imp expdp impdp"
#define ENGINES "docker podman nerdctl buildah"

/* clang-format off */
static const struct {
	const char *programs, *option;
	unsigned how;
	char part;
} known[] = {
	{ MYSQL,                    "-p",          OPTION_ATTACHED, 0 },
	{ MYSQL,                    "--password",  OPTION_FLAG, 0 }, /* getopt: an optional value, so it is attached */
	{ POSTGRES,                 "--password",  OPTION_FLAG, 0 },
	{ "mysqladmin mariadb-admin", "password",  OPTION_SEPARATE, 0 },
	{ "mysqladmin mariadb-admin", "old-password", OPTION_SEPARATE, 0 },
	{ MONGO,                    "-p",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "sshpass",                "-p",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "curl",                   "-u",          OPTION_ATTACHED | OPTION_SEPARATE, ':' },
	{ "curl",                   "-U",          OPTION_ATTACHED | OPTION_SEPARATE, ':' },
	{ "curl",                   "--user",      OPTION_SEPARATE, ':' },
	{ "curl",                   "--proxy-user", OPTION_SEPARATE, ':' },
	{ "curl",                   "-b",          OPTION_ATTACHED | OPTION_SEPARATE, '=' },
	{ "curl",                   "-E",          OPTION_ATTACHED | OPTION_SEPARATE, ':' },
	{ "curl",                   "--cert",      OPTION_SEPARATE, ':' },
	{ "curl",                   "--proxy-cert", OPTION_SEPARATE, ':' },
	{ "http https xh xhs",      "-a",          OPTION_ATTACHED | OPTION_SEPARATE, ':' },
	{ "http https xh xhs",      "--auth",      OPTION_SEPARATE, ':' },
	{ "http https xh xhs",      "",            OPTION_HEADERS, 0 },
	{ "redis-cli valkey-cli redis-server valkey-server", "requirepass", OPTION_SEPARATE, 0 },
	{ "redis-cli valkey-cli redis-server valkey-server", "masterauth", OPTION_SEPARATE, 0 },
	{ "redis-server valkey-server", "--requirepass", OPTION_SEPARATE, 0 },
	{ "redis-server valkey-server", "--masterauth", OPTION_SEPARATE, 0 },
	{ "redis-cli valkey-cli",   "-a",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ LDAP,                     "-w",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "ldappasswd",             "-s",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "ldappasswd",             "-a",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ SAMBA,                    "-U",          OPTION_ATTACHED | OPTION_SEPARATE, '%' },
	{ SAMBA,                    "--user",      OPTION_SEPARATE, '%' },
	{ SNMP,                     "-c",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ SNMP,                     "-A",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ SNMP,                     "-X",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "openssl",                "-k",          OPTION_SEPARATE, 0 },
	{ "openssl",                "-K",          OPTION_SEPARATE, 0 },
	{ "openssl",                "-passin",     OPTION_SEPARATE | OPTION_WHERE, 0 },
	{ "openssl",                "-passout",    OPTION_SEPARATE | OPTION_WHERE, 0 },
	{ "ssh-keygen",             "-N",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "ssh-keygen",             "-P",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "7z 7za 7zr 7zz rar unrar", "-p",        OPTION_ATTACHED, 0 },
	{ "rar",                    "-hp",         OPTION_ATTACHED, 0 },
	{ "zip unzip zipcloak",     "-P",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "sqlcmd bcp isql tsql",   "-P",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ ORACLE,                   "",            OPTION_FIRST, '/' },
	{ ORACLE,                   "userid=",     OPTION_ATTACHED, '/' },
	{ ORACLE,                   "USERID=",     OPTION_ATTACHED, '/' },
	{ "useradd usermod adduser", "-p",         OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "ipmitool",               "-P",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "mosquitto_pub mosquitto_sub", "-P",     OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "kadmin kadmin.local",    "-w",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "lftp",                   "-u",          OPTION_ATTACHED | OPTION_SEPARATE, ',' },
	{ "ncftp ncftpget ncftpput ncftpls", "-p", OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "xfreerdp wlfreerdp xfreerdp3", "/p:",   OPTION_ATTACHED, 0 },
	{ "rdesktop",               "-p",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "nmcli",                  "password",    OPTION_SEPARATE, 0 },
	{ "twine",                  "-p",          OPTION_ATTACHED | OPTION_SEPARATE, 0 },
	{ "cf oc az helm " ENGINES, "-p",          OPTION_ATTACHED | OPTION_SEPARATE | OPTION_LOGIN, 0 },
	{ ENGINES " buildctl",      "--secret",    OPTION_SEPARATE | OPTION_MOUNT, 0 },
};

/* Letters that take no value. */
static const struct {
	const char *programs, *flags;
} clusters[] = {
	{ "curl",                  "#:012346BGIJLMNORSVZafgijklnpqsv" },
	{ MYSQL,                   "ABCEGHNXfinqstv" },
	{ LDAP,                    "ACLMNQZcntuvx" },
	{ "sshpass",               "v" },
	{ "zip unzip",             "0123456789DFJTVXejlmopqruvyz" },
	{ "ssh-keygen",            "BHLceilpqvy" },
	{ "smbclient",             "EgkN" },
	{ "mosquitto_pub mosquitto_sub", "dlnrsv" },
	{ "useradd usermod",       "DLMNUalmor" },
	{ "http https xh xhs",     "bdfhjv" },
};

/* Run others: what stands among their arguments may be a program.  Letters and names of options that have a value, which is none. */
#define WRAP(programs, operands, letters, names) { programs, operands, WRAPS_ALWAYS, letters, names }
#define VERB(programs, operands, letters, names) { programs, operands, WRAPS_BEHIND_VERB, letters, names }
static const struct {
	const char *programs;
	uint8_t operands;
	enum { WRAPS_NOT, WRAPS_ALWAYS, WRAPS_BEHIND_VERB } how;
	const char *letters, *names;
} wrapping[] = {
	WRAP("sudo doas pkexec", 0, "ugpCrtTUDRh", " --user --group --host --chdir --prompt --role --type "),
	WRAP("env", 0, "uC", " --unset --chdir "),
	WRAP("su", 1, "gGswT", " --group --shell "),
	WRAP("runuser", 0, "gGsuwT", " --group --shell --user "),
	WRAP("ssh", 1, "BbcDEeFIiJLlmOopQRSWw", ""),
	WRAP("sshpass", 0, "fdP", ""),
	WRAP("nice ionice", 0, "ncp", " --adjustment "),
	WRAP("timeout", 1, "sk", " --signal --kill-after "),
	WRAP("time", 0, "fo", ""),
	WRAP("watch", 0, "n", " --interval "),
	WRAP("xargs", 0, "InPLdEas", " --max-args --max-procs --delimiter --arg-file "),
	WRAP("parallel", 0, "jaI", " --jobs --arg-file "),
	WRAP("strace ltrace", 0, "abeEIoOpPsSuUX", ""),
	WRAP("nsenter", 0, "tSG", " --target "),
	WRAP("unshare setpriv stdbuf numactl", 0, "RSGNmCpioe", ""),
	WRAP("systemd-run", 0, "upEHM", " --unit --property --setenv --slice --uid --gid --description --working-directory "),
	WRAP("flock", 1, "wE", " --timeout --wait "),
	WRAP("script", 1, "tTEIBO", ""),
	WRAP("taskset chrt chroot gosu su-exec", 1, "", " --userspec --groups "),
	WRAP("faketime", 1, "f", ""),
	WRAP("lxc-attach", 0, "nPs", " --name "),
	WRAP("proxychains proxychains4", 0, "f", ""),
	WRAP("nohup gdb setsid busybox tini dumb-init perf", 0, "", ""),
	VERB(ENGINES, 0, "acehlmpuvwH",
	     " --name --network --net --hostname --user --workdir --env --env-file --volume --publish --label --memory --cpus --restart "
	     "--platform --pull --ip --network-alias --add-host --mount --log-driver --log-opt --gpus --device --cap-add --cap-drop "
	     "--security-opt --shm-size --tmpfs --ulimit --pid --ipc --link --expose --dns --volumes-from --context --pod "),
	VERB("docker-compose podman-compose", 1, "efpuvw", " --file --project-name --env --user --workdir --volume --index --name "),
	VERB("kubectl oc", 1, "nclos", " --namespace --container --context --kubeconfig --cluster --user --selector --output --image --as "),
	VERB("ip lxc", 1, "n", ""),
	/* interpreters */
	{ "python perl ruby node php", 0, WRAPS_NOT, "WXIrd", " --require " },
	{ "sh bash dash zsh ksh mksh ash fish", 0, WRAPS_NOT, "oO", " --rcfile --init-file " },
};
#undef WRAP
#undef VERB
static const char shells[] = "sh bash dash zsh ksh mksh ash fish busybox su runuser script flock";
/* clang-format on */

struct entry {
	struct redact_program program;
	struct entry *next;
};

struct link {
	struct redact_option option;
	struct link *next;
};

struct redact_programs {
	struct entry *bucket[BUCKETS];
	struct link *links; /* all that was made */
};

/* FNV-1a. */
static uint32_t bucket_of(struct span name)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < name.bytes; i++)
		hash = (hash ^ (uint8_t)name.text[i]) * 16777619u;
	return (hash ^ hash >> 15) & (BUCKETS - 1);
}

static struct entry *entry_find(const struct redact_programs *programs, struct span name)
{
	struct entry *entry = programs->bucket[bucket_of(name)];

	while (entry && !(entry->program.name.bytes == name.bytes &&
			  memcmp(entry->program.name.text, name.text, name.bytes) == 0))
		entry = entry->next;
	return entry;
}

static struct entry *entry_have(struct redact_programs *programs, struct span name)
{
	struct entry *entry = entry_find(programs, name), **bucket;

	if (entry)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	bucket = &programs->bucket[bucket_of(name)];
	*entry = (struct entry){
		.program = { .name = name, .flags = "", .valued = "", .valued_names = "" },
		.next = *bucket
	};
	*bucket = entry;
	return entry;
}

const struct redact_program *redact_programs_find(const struct redact_programs *programs,
						  struct span name)
{
	const struct entry *entry = entry_find(programs, name);

	if (entry)
		return &entry->program;
	/* python3.11 */
	if (name.bytes == 0 || !is_digit(name.text[name.bytes - 1]))
		return NULL;
	while (name.bytes > 0 &&
	       (is_digit(name.text[name.bytes - 1]) || name.text[name.bytes - 1] == '.'))
		name.bytes--;
	entry = entry_find(programs, name);
	return entry && entry->program.interprets ? &entry->program : NULL;
}

bool redact_programs_takes_value(const struct redact_program *program, struct span option)
{
	enum { NAME_MAX_BYTES = 24 };

	if (!program || option.bytes < 2)
		return false;
	if (option.text[1] == '-') {
		struct span names = { program->valued_names, strlen(program->valued_names) };

		while (names.bytes > 0 && option.bytes <= NAME_MAX_BYTES) {
			struct span name = span_next(&names, ' ');

			if (name.bytes == option.bytes &&
			    memcmp(name.text, option.text, name.bytes) == 0)
				return true;
		}
		return false;
	}
	/* The first letter that has a value has what is behind it. */
	for (size_t at = 1; at < option.bytes; at++)
		if (option.text[at] && strchr(program->valued, option.text[at]))
			return at + 1 == option.bytes;
	return false;
}

int redact_programs_add(struct redact_programs *programs, struct span program,
			const struct redact_option *option)
{
	struct entry *entry = entry_have(programs, program);
	struct link *link = entry ? calloc(1, sizeof(*link)) : NULL;

	if (!link)
		return -ENOMEM;
	link->option = *option;
	link->option.next = entry->program.options;
	link->next = programs->links;
	programs->links = link;
	entry->program.options = &link->option;
	return 0;
}

static struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

/* Calls for each name of a list. */
static int known_add(struct redact_programs *programs, size_t at)
{
	struct span names = span_of(known[at].programs);
	const struct redact_option option = { .option = span_of(known[at].option),
					      .how = (uint8_t)known[at].how,
					      .part = known[at].part };
	int r = 0;

	while (names.bytes > 0 && r == 0)
		r = redact_programs_add(programs, span_next(&names, ' '), &option);
	return r;
}

static int wrapping_set(struct redact_programs *programs, size_t at)
{
	struct span names = span_of(wrapping[at].programs);

	while (names.bytes > 0) {
		struct entry *entry = entry_have(programs, span_next(&names, ' '));

		if (!entry)
			return -ENOMEM;
		entry->program.wraps = wrapping[at].how != WRAPS_NOT;
		entry->program.verbs = wrapping[at].how == WRAPS_BEHIND_VERB;
		entry->program.interprets = wrapping[at].how == WRAPS_NOT;
		entry->program.operands = wrapping[at].operands;
		entry->program.valued = wrapping[at].letters;
		entry->program.valued_names = wrapping[at].names;
	}
	return 0;
}

static int shells_set(struct redact_programs *programs)
{
	struct span names = span_of(shells);

	while (names.bytes > 0) {
		struct entry *entry = entry_have(programs, span_next(&names, ' '));

		if (!entry)
			return -ENOMEM;
		entry->program.shell = true;
	}
	return 0;
}

static int flags_set(struct redact_programs *programs, size_t at)
{
	struct span names = span_of(clusters[at].programs);

	while (names.bytes > 0) {
		struct entry *entry = entry_have(programs, span_next(&names, ' '));

		if (!entry)
			return -ENOMEM;
		entry->program.flags = clusters[at].flags;
	}
	return 0;
}

struct redact_programs *redact_programs_new(void)
{
	struct redact_programs *programs = calloc(1, sizeof(*programs));
	int r = programs ? shells_set(programs) : -ENOMEM;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && r == 0; i++)
		r = known_add(programs, i);
	for (size_t i = 0; i < sizeof(clusters) / sizeof(clusters[0]) && r == 0; i++)
		r = flags_set(programs, i);
	for (size_t i = 0; i < sizeof(wrapping) / sizeof(wrapping[0]) && r == 0; i++)
		r = wrapping_set(programs, i);
	if (r == 0)
		return programs;
	redact_programs_free(programs);
	return NULL;
}

void redact_programs_free(struct redact_programs *programs)
{
	if (!programs)
		return;
	for (struct link *link = programs->links, *next; link; link = next) {
		next = link->next;
		free(link);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct entry *entry = programs->bucket[i], *next; entry; entry = next) {
			next = entry->next;
			free(entry);
		}
	}
	free(programs);
}
