/* cmd_doctor.c - whether recording works here, and how well: a line for each thing it hangs on, with what to do. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <linux/capability.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "query/index_query.h"
#include "query/query.h"
#include "schema/cleanup.h"
#include "schema/detail.h"
#include "schema/index_db.h"
#include "schema/version.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

enum {
	WORDS_BYTES = 256,
	CONFIG_MAX_BYTES = 4 << 20,
	LISTENERS_MAX = 64,
	EXECS_MIN = 20, /* fewer tell nothing of how well programs are read */
	EXECS_GOOD_PERCENT = 95,
	LAG_WARN_EVENTS = 200000, /* a second of a storm */
	RCVBUF_WANTED = 8 << 20,  /* what a recorder without CAP_NET_ADMIN needs for a storm */
	SPACE_WARN_PERCENT = 5,
	READ_AT_MOST_S = 5, /* of the ledger: some gibibytes */
};
#define REALTIME_MIN_S   INT64_C(1735689600) /* 2025: before that no procledger was */
#define SPACE_WARN_BYTES (UINT64_C(256) << 20)

static const struct output_column columns[] = {
	{ .name = "check" }, { .name = "state" }, { .name = "found" }, { .name = "advice" }
};

struct doctor {
	struct query query;
	struct output *output; /* NULL: text */
	enum verdict worst;
	int recorder; /* its pid; 0: none runs */
};

/* A line of the answer.  advice NULL: nothing is to be done. */
__attribute__((format(printf, 5, 6))) static void tell(struct doctor *doctor, const char *check,
						       enum verdict verdict, const char *advice,
						       const char *format, ...)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	char found[WORDS_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(found, sizeof(found), format, arguments);
	va_end(arguments);
	if (verdict > doctor->worst)
		doctor->worst = verdict;
	if (verdict == VERDICT_OK)
		advice = NULL;
	if (!doctor->output) {
		printf("%-4s  %-10s  ", words[verdict], check);
		output_escaped(stdout, found, strlen(found));
		printf("\n");
		if (advice)
			printf("%18s-> %s\n", "", advice);
		return;
	}
	output_word(doctor->output, check);
	output_word(doctor->output, words[verdict]);
	output_bytes(doctor->output, found, strlen(found));
	output_word(doctor->output, advice);
	output_row_end(doctor->output);
}

/* The first line of a small file, without its newline; "" when it cannot be read. */
static void read_line(const char *path, char *out, size_t capacity)
{
	auto_fclose FILE *file = fopen(path, "re");

	out[0] = '\0';
	if (file && fgets(out, (int)capacity, file))
		out[strcspn(out, "\n")] = '\0';
	else
		out[0] = '\0';
}

/* A whole file, with a NUL behind it; NULL: it cannot be read, or is too large.  The caller frees it. */
static char *read_file(const char *path, size_t *ret_bytes)
{
	auto_fclose FILE *file = fopen(path, "re");
	auto_free char *data = file ? calloc(1, CONFIG_MAX_BYTES + 1) : NULL;
	size_t bytes = data ? fread(data, 1, CONFIG_MAX_BYTES, file) : 0;

	if (bytes == 0 || bytes == CONFIG_MAX_BYTES)
		return NULL;
	*ret_bytes = bytes;
	return steal_pointer(data);
}

/* --- the kernel --- */

/* The kernel's configuration as text: out of /proc/config.gz, else from /boot.  NULL: it cannot be read.  The caller frees it. */
static char *kernel_config(void)
{
	char path[WORDS_BYTES];
	struct utsname kernel;
	size_t bytes = 0;
	auto_free char *packed = read_file("/proc/config.gz", &bytes);
	struct libdeflate_decompressor *decompressor;
	char *text = NULL;

	if (!packed && uname(&kernel) == 0) {
		(void)snprintf(path, sizeof(path), "/boot/config-%s", kernel.release);
		return read_file(path, &bytes);
	}
	decompressor = packed ? libdeflate_alloc_decompressor() : NULL;
	text = decompressor ? calloc(1, CONFIG_MAX_BYTES + 1) : NULL;
	if (text && libdeflate_gzip_decompress(decompressor, packed, bytes, text, CONFIG_MAX_BYTES,
					       &bytes) != LIBDEFLATE_SUCCESS) {
		free(text);
		text = NULL;
	}
	libdeflate_free_decompressor(decompressor);
	return text;
}

/* The value of an option: 'y', 'm', 'n' (not set), or 0: there is no configuration. */
static char kernel_option(const char *config, const char *name)
{
	size_t bytes = strlen(name);

	if (!config)
		return 0;
	for (const char *line = config; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, bytes) == 0 && line[bytes] == '=')
			return line[bytes + 1];
	}
	return 'n';
}

static void check_kernel(struct doctor *doctor)
{
	struct utsname kernel;
	auto_free char *config = kernel_config();
	char connector = kernel_option(config, "CONFIG_CONNECTOR");
	char events = kernel_option(config, "CONFIG_PROC_EVENTS");

	if (uname(&kernel) == 0)
		tell(doctor, "versions", VERDICT_OK, NULL, "procledger %s, Linux %s, SQLite %s",
		     PROCLEDGER_VERSION, kernel.release, sqlite3_libversion());
	if (events == 'y' && connector == 'y')
		tell(doctor, "kernel", VERDICT_OK, NULL, "CONFIG_PROC_EVENTS=y");
	else if (events == 0)
		tell(doctor, "kernel", VERDICT_WARN,
		     "start procledgerd: it says whether events come",
		     "its configuration cannot be read");
	else
		tell(doctor, "kernel", VERDICT_FAIL,
		     "use a kernel with CONFIG_CONNECTOR=y and CONFIG_PROC_EVENTS=y",
		     "it was built without CONFIG_PROC_EVENTS");
}

/* The kernel's own end of the connector is a socket (port 0) of the initial network namespace alone; false: it is not here. */
static bool connector_here(void)
{
	auto_fclose FILE *file = fopen("/proc/net/netlink", "re");
	char line[WORDS_BYTES];

	while (file && fgets(line, sizeof(line), file)) {
		unsigned protocol, port;

		if (sscanf(line, "%*s %u %u", &protocol, &port) == 2 &&
		    protocol == NETLINK_CONNECTOR && port == 0)
			return true;
	}
	return !file;
}

/* The initial pid and user namespaces have fixed inodes (include/linux/proc_ns.h). */
static bool initial_namespace(const char *kind, unsigned inode)
{
	char path[64], own[64] = "", wanted[64];

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	(void)snprintf(wanted, sizeof(wanted), "%s:[%u]", kind, inode);
	return readlink(path, own, sizeof(own) - 1) <= 0 || strcmp(own, wanted) == 0;
}

static void check_namespaces(struct doctor *doctor)
{
	const char *outside = NULL;

	if (!initial_namespace("pid", 0xeffffffcu))
		outside = "pid";
	else if (!initial_namespace("user", 0xeffffffdu))
		outside = "user";
	else if (!connector_here())
		outside = "network";
	if (outside)
		tell(doctor, "namespaces", VERDICT_FAIL,
		     "run procledgerd on the host: it sees all containers from there",
		     "this is not the initial %s namespace: the kernel sends no events into it",
		     outside);
	else
		tell(doctor, "namespaces", VERDICT_OK, NULL, "the initial ones");
}

/* --- the recorder --- */

static const struct need {
	unsigned capability;
	const char *name, *loss;
} needs[] = {
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", "a small receive buffer" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "programs and folders of others not known" },
	{ CAP_SYS_NICE, "CAP_SYS_NICE", "short-lived programs not read in time" },
};

enum { NEEDS = sizeof(needs) / sizeof(needs[0]) };

/* CapEff of a process, or all bits when it cannot be read. */
static uint64_t capabilities_of(int pid)
{
	auto_fclose FILE *file = NULL;
	char path[64], line[WORDS_BYTES];
	uint64_t capabilities;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %" SCNx64, &capabilities) == 1)
			return capabilities;
	}
	return UINT64_MAX;
}

/* Since Linux 6.6 anybody may join the group of proc events; before that it took CAP_NET_ADMIN.  Nothing is asked of the kernel's end. */
static bool may_listen(void)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR);
	struct sockaddr_nl group = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };

	return fd < 0 || bind(fd, (struct sockaddr *)&group, sizeof(group)) == 0 || errno != EPERM;
}

static void check_privileges(struct doctor *doctor)
{
	int pid = doctor->recorder > 0 ? doctor->recorder : (int)getpid();
	const char *who = doctor->recorder > 0 ? "the recorder" : "who starts it like this";
	uint64_t capabilities = capabilities_of(pid);
	char lacks[WORDS_BYTES] = "";

	if (doctor->recorder == 0 && !may_listen()) {
		tell(doctor, "privileges", VERDICT_FAIL,
		     "start procledgerd as root, or give it that capability",
		     "%s has no CAP_NET_ADMIN: on this kernel it cannot listen", who);
		return;
	}
	for (size_t i = 0; i < NEEDS; i++) {
		if (!(capabilities >> needs[i].capability & 1))
			(void)snprintf(lacks + strlen(lacks), sizeof(lacks) - strlen(lacks),
				       "%s%s (%s)", lacks[0] ? ", " : "", needs[i].name,
				       needs[i].loss);
	}
	if (lacks[0])
		tell(doctor, "privileges", VERDICT_WARN,
		     "start procledgerd as root, or give it these capabilities", "%s has no %s",
		     who, lacks);
	else
		tell(doctor, "privileges", VERDICT_OK, NULL, "%s has what it needs", who);
}

static void check_recorder(struct doctor *doctor)
{
	int running = query_recorder_runs(&doctor->query);

	if (running == 1)
		tell(doctor, "recorder", VERDICT_OK, NULL, "running, pid %d", doctor->recorder);
	else if (running == 0 || running == -ENOENT) /* nor is there a ledger */
		tell(doctor, "recorder", VERDICT_WARN, "start procledgerd", "not running");
	else
		tell(doctor, "recorder", VERDICT_WARN, "ask as root", "cannot be known: %s",
		     strerror(-running));
}

static void check_buffer(struct doctor *doctor)
{
	char text[32];
	uint64_t most;

	read_line("/proc/sys/net/core/rmem_max", text, sizeof(text));
	most = strtoull(text, NULL, 10);
	if (capabilities_of(doctor->recorder > 0 ? doctor->recorder : (int)getpid()) >>
		    CAP_NET_ADMIN &
	    1)
		tell(doctor, "buffer", VERDICT_OK, NULL,
		     "net.core.rmem_max does not bind the recorder");
	else if (most >= RCVBUF_WANTED)
		tell(doctor, "buffer", VERDICT_OK, NULL, "net.core.rmem_max is %" PRIu64, most);
	else
		tell(doctor, "buffer", VERDICT_WARN,
		     "start it with CAP_NET_ADMIN, or raise net.core.rmem_max to 8 MiB",
		     "net.core.rmem_max is %" PRIu64 ": a storm of forks would overrun it", most);
}

/* --- who else listens --- */

struct listener {
	uint64_t inode, drops;
	int pid; /* 0: not found */
};

static size_t read_listeners(struct listener listeners[LISTENERS_MAX])
{
	auto_fclose FILE *file = fopen("/proc/net/netlink", "re");
	char line[WORDS_BYTES];
	size_t count = 0;

	while (file && count < LISTENERS_MAX && fgets(line, sizeof(line), file)) {
		unsigned protocol, groups;
		uint64_t drops, inode;

		/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; group 1 is CN_IDX_PROC */
		if (sscanf(line, "%*s %u %*s %x %*s %*s %*s %*s %" SCNu64 " %" SCNu64, &protocol,
			   &groups, &drops, &inode) == 4 &&
		    protocol == NETLINK_CONNECTOR && groups & 1)
			listeners[count++] = (struct listener){ .inode = inode, .drops = drops };
	}
	return count;
}

/* Which of the sockets a process has open are listeners. */
static void claim(int pid, struct listener *listeners, size_t count)
{
	char path[64], target[64];
	DIR *folder;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		uint64_t inode;
		ssize_t bytes =
			readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

		target[bytes > 0 ? bytes : 0] = '\0';
		if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
			continue;
		for (size_t i = 0; i < count; i++) {
			if (listeners[i].inode == inode && listeners[i].pid == 0)
				listeners[i].pid = pid;
		}
	}
	if (folder)
		(void)closedir(folder);
}

static void find_owners(struct listener *listeners, size_t count)
{
	DIR *proc = opendir("/proc");

	for (struct dirent *entry; proc && count > 0 && (entry = readdir(proc));) {
		if (isdigit((unsigned char)entry->d_name[0]))
			claim(atoi(entry->d_name), listeners, count);
	}
	if (proc)
		(void)closedir(proc);
}

/* Adds the name of a process to a list that does not have it yet. */
static void add_name(char *names, size_t capacity, int pid)
{
	char comm[32], path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_line(path, comm, sizeof(comm));
	if (comm[0] && !strstr(names, comm))
		(void)snprintf(names + strlen(names), capacity - strlen(names), "%s%s",
			       names[0] ? ", " : "", comm);
}

static void tell_listeners(struct doctor *doctor, size_t others, size_t unknown, const char *names)
{
	char also[64] = "";

	if (unknown > 0)
		(void)snprintf(also, sizeof(also), "%s%zu whose owner is not known",
			       others > 0 ? ", and " : "", unknown);
	if (others > 0)
		tell(doctor, "listeners", VERDICT_WARN,
		     "they cost every fork some time; one that says IGNORE silences kernels before "
		     "6.6",
		     "%zu other socket%s for the same events, of %s%s", others,
		     others == 1 ? "" : "s", names[0] ? names : "processes that have ended", also);
	else if (unknown > 0)
		tell(doctor, "listeners", VERDICT_WARN, "ask as root", "%s", also);
	else
		tell(doctor, "listeners", VERDICT_OK, NULL, "no others");
}

static void check_listeners(struct doctor *doctor)
{
	struct listener listeners[LISTENERS_MAX];
	size_t count = read_listeners(listeners), others = 0, unknown = 0;
	char names[128] = "";
	uint64_t drops = 0;

	if (doctor->recorder > 0)
		claim(doctor->recorder, listeners,
		      count); /* what its supervisor holds as well is its */
	find_owners(listeners, count);
	for (size_t i = 0; i < count; i++) {
		if (listeners[i].pid == 0) {
			unknown++;
		} else if (listeners[i].pid == doctor->recorder) {
			drops += listeners[i].drops;
		} else {
			others++;
			add_name(names, sizeof(names), listeners[i].pid);
		}
	}
	tell_listeners(doctor, others, unknown, names);
	if (drops > 0)
		tell(doctor, "drops", VERDICT_WARN,
		     "see 'procledger report losses' for when; give the recorder a larger buffer",
		     "the kernel dropped %" PRIu64 " datagrams of the recorder's", drops);
}

/* --- the clock --- */

static void check_clock(struct doctor *doctor)
{
	char source[64];
	struct timex timex = { 0 };
	int state = adjtimex(&timex);
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", source,
		  sizeof(source));
	if (now.tv_sec < REALTIME_MIN_S)
		tell(doctor, "clock", VERDICT_FAIL, "set the clock",
		     "it shows a time before procledger was written");
	else if (state == TIME_ERROR || timex.status & STA_UNSYNC)
		tell(doctor, "clock", VERDICT_WARN,
		     "synchronise it (NTP): wall-clock times of machines cannot be compared else",
		     "not synchronised, source %s", source[0] ? source : "not known");
	else
		tell(doctor, "clock", VERDICT_OK, NULL, "synchronised, source %s",
		     source[0] ? source : "not known");
}

/* --- the store --- */

static void check_space(struct doctor *doctor)
{
	const char *store = doctor->query.options->store;
	struct statvfs space;
	uint64_t free_bytes, all_bytes;

	if (statvfs(store, &space) < 0) {
		tell(doctor, "space", VERDICT_WARN,
		     "make the folder, or choose another with --store", "%s: %s", store,
		     strerror(errno));
		return;
	}
	free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
	all_bytes = (uint64_t)space.f_blocks * space.f_frsize;
	if (free_bytes < SPACE_WARN_BYTES || free_bytes / SPACE_WARN_PERCENT * 100 < all_bytes)
		tell(doctor, "space", VERDICT_WARN,
		     "the ring has its room already; the index stops when there is none: make some",
		     "%" PRIu64 " MiB free beside the ring", free_bytes >> 20);
	else
		tell(doctor, "space", VERDICT_OK, NULL, "%" PRIu64 " MiB free beside the ring",
		     free_bytes >> 20);
}

/* Where the index is, or -1: there is none of this version, or it cannot be read. */
static int64_t index_next(const struct doctor *doctor)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int64_t next = -1;

	if (sqlite3_open_v2(doctor->query.index_path, &db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK &&
	    sqlite3_busy_timeout(db, 1000) == SQLITE_OK && index_check(db) == 0 &&
	    sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'next_event_no'", -1,
			       &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		next = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(db);
	return next;
}

static void check_index(struct doctor *doctor)
{
	int64_t next = index_next(doctor);
	uint64_t end = doctor->query.ledger->end_event_no, lag;

	if (next < 0) {
		tell(doctor, "index", VERDICT_WARN, "'procledger reindex' makes it from the ledger",
		     "there is none of this version that can be read: sql and report cannot "
		     "answer");
		return;
	}
	lag = (uint64_t)next < end ? end - (uint64_t)next : 0;
	if (lag > LAG_WARN_EVENTS || (lag > 0 && doctor->recorder == 0))
		tell(doctor, "index", VERDICT_WARN,
		     doctor->recorder == 0 ? "'procledger reindex' makes it anew"
					   : "wait; or see its last error in the recorder's log",
		     "it lacks the newest %" PRIu64 " events", lag);
	else
		tell(doctor, "index", VERDICT_OK, NULL, "it lacks %" PRIu64 " events", lag);
}

/* Of the newest blocks' EXECs: how many came with the program. */
static void check_programs(struct doctor *doctor)
{
	struct ledger *ledger = doctor->query.ledger;
	const struct event_filter filter = { .kinds = UINT64_C(1) << EVENT_EXEC,
					     .to_ns = UINT64_MAX };
	size_t last = ledger->span_count - 1, first = last > 1 ? last - 1 : 0;
	uint64_t execs = 0, with_program = 0;
	const struct event *event;
	struct ledger_walk walk;
	struct detail detail;
	int r = ledger_walk_init(&walk, ledger, first, last);

	if (r == 0)
		ledger_walk_set_filter(&walk, &filter);
	while (r == 0 && (r = ledger_walk_next(&walk, &event)) == 0) {
		execs++;
		with_program += event->detail_bytes > 0 &&
				detail_unpack(event->detail, event->detail_bytes, &detail) == 0 &&
				detail_known(&detail.field[DETAIL_EXE]);
	}
	ledger_walk_clear(&walk);
	if (execs < EXECS_MIN)
		tell(doctor, "programs", VERDICT_OK, NULL,
		     "too few programs were run lately to tell how many are read in time");
	else if (with_program * 100 < execs * EXECS_GOOD_PERCENT)
		tell(doctor, "programs", VERDICT_WARN,
		     "give the recorder CAP_SYS_NICE, so that it reads them the moment they run",
		     "of the last %" PRIu64 " programs run %" PRIu64 " %% were read in time", execs,
		     with_program * 100 / execs);
	else
		tell(doctor, "programs", VERDICT_OK, NULL,
		     "of the last %" PRIu64 " programs run %" PRIu64 " %% were read in time", execs,
		     with_program * 100 / execs);
}

/* What the index was made without, at whatever time that was. */
static int note_index_damage(struct doctor *doctor)
{
	sqlite3 *db = NULL;
	int r = 0;

	if (sqlite3_open_v2(doctor->query.index_path, &db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) == SQLITE_OK)
		r = index_note_damage(db, doctor->query.ledger);
	(void)sqlite3_close(db);
	return r;
}

/* Reads blocks whole, the newest first, for as long as anybody likes to wait: what is damaged is in ledger->damage then.
 * 0: *ret_count of them were read; -errno. */
static int read_blocks(struct ledger *ledger, size_t *ret_count)
{
	struct timespec begin, now;
	size_t i = ledger->span_count;
	int r = 0;

	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	now = begin;
	while (i > 0 && r == 0 && now.tv_sec - begin.tv_sec < READ_AT_MOST_S) {
		r = ledger_read_span(ledger, ledger_span(ledger, --i));
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	}
	*ret_count = ledger->span_count - i;
	return r;
}

static int find_damage(struct doctor *doctor, size_t *ret_read)
{
	struct query *query = &doctor->query;
	int r;

	query->clocks = clocks_new(query->ledger);
	r = query->clocks ? read_blocks(query->ledger, ret_read) : -ENOMEM;
	if (r == 0)
		r = note_index_damage(doctor);
	if (r == 0 && query_window_all(query) != 0)
		r = -ENOMEM;
	if (r == 0)
		r = completeness_init(&query->completeness, query->ledger, query->clocks,
				      &query->window, 0);
	query->completeness_known = r == 0;
	return r;
}

static void tell_ledger(struct doctor *doctor, size_t read)
{
	const struct ledger *ledger = doctor->query.ledger;
	uint64_t cut_bytes = query_bytes_missing(&doctor->query), damaged = 0;

	for (size_t i = 0; i < ledger->damage_count; i++)
		damaged += ledger->damage[i].to_no - ledger->damage[i].from_no;
	if (cut_bytes > 0)
		tell(doctor, "ledger", VERDICT_FAIL,
		     "copy it once more; a recorder needs it moved away",
		     "the file is cut short: %" PRIu64 " of its %" PRIu64 " bytes are not there",
		     cut_bytes, ring_super(ledger->ring)->file_bytes);
	else if (damaged > 0)
		tell(doctor, "ledger", VERDICT_WARN, "look after the disk",
		     "%" PRIu64 " event%s cannot be read (damaged)", damaged,
		     damaged == 1 ? "" : "s");
	else if (ledger->span_count == 0)
		tell(doctor, "ledger", VERDICT_WARN, "start procledgerd", "it holds nothing");
	else if (read < ledger->span_count)
		tell(doctor, "ledger", VERDICT_OK, NULL,
		     "%zu blocks, the newest %zu were read: none damaged", ledger->span_count,
		     read);
	else
		tell(doctor, "ledger", VERDICT_OK, NULL, "%zu blocks, none damaged", read);
}

/* Behind a damaged block more may have been told of. */
static void tell_losses(struct doctor *doctor)
{
	const struct completeness *completeness = &doctor->query.completeness;
	bool whole =
		query_bytes_missing(&doctor->query) == 0 && doctor->query.ledger->damage_count == 0;
	uint64_t lost = 0;

	for (size_t i = 0; i < completeness->count; i++) {
		if (completeness->missing[i].reason == MISSING_LOST)
			lost += completeness->missing[i].count;
	}
	if (lost > 0)
		tell(doctor, "losses", VERDICT_WARN, "'procledger report losses' tells when",
		     "%" PRIu64 " events of what it holds were lost", lost);
	else if (doctor->query.ledger->span_count == 0)
		tell(doctor, "losses", VERDICT_WARN, NULL, "not known: nothing was recorded");
	else if (!whole)
		tell(doctor, "losses", VERDICT_WARN, NULL,
		     "no event was lost of what can be read of it");
	else
		tell(doctor, "losses", VERDICT_OK, NULL, "no event of what it holds was lost");
}

static void check_losses(struct doctor *doctor)
{
	size_t read = 0;
	int r = find_damage(doctor, &read);

	if (r < 0) {
		tell(doctor, "ledger", VERDICT_WARN, "ask once more", "it cannot be read: %s",
		     strerror(-r));
		return;
	}
	tell_ledger(doctor, read);
	tell_losses(doctor);
}

static void check_store(struct doctor *doctor)
{
	const char *path = doctor->query.ring_path;
	int r;

	check_space(doctor);
	r = ledger_open(path, &doctor->query.ledger);
	if (r == -ENOENT) {
		tell(doctor, "ledger", VERDICT_WARN, "procledgerd makes it when it is started",
		     "there is none in %s", doctor->query.options->store);
		return;
	}
	if (r < 0) {
		tell(doctor, "ledger", r == -EACCES ? VERDICT_WARN : VERDICT_FAIL,
		     r == -EACCES ? "ask as its owner or as one of its group"
				  : "move it away: procledgerd makes another",
		     "%s: %s", path,
		     r == -EBADMSG ? "not a ring, or damaged beyond use" : strerror(-r));
		return;
	}
	check_losses(doctor);
	check_index(doctor);
	if (doctor->query.ledger->span_count > 0)
		check_programs(doctor);
}

static int finish(struct doctor *doctor)
{
	if (doctor->output)
		output_end(doctor->output);
	if (doctor->query.options->format == OUTPUT_JSON)
		printf("}\n");
	output_free(doctor->output);
	if (fflush(stdout) != 0 && errno != EPIPE)
		return complain(EXIT_ERROR, "cannot write the answer: %s", strerror(errno));
	return 0;
}

int cmd_doctor(const struct options *options)
{
	static const int codes[] = { EXIT_FOUND, EXIT_NOTHING, EXIT_ERROR };
	struct doctor doctor = { 0 };
	int r = query_init(&doctor.query, options);

	if (r != 0)
		return r;
	if (options->format != OUTPUT_TEXT) {
		doctor.output = output_new(stdout, options->format, "checks", columns,
					   sizeof(columns) / sizeof(columns[0]), "");
		if (!doctor.output)
			return complain(EXIT_ERROR, "out of memory");
	}
	doctor.recorder = query_recorder_pid(&doctor.query);
	if (doctor.recorder < 0)
		doctor.recorder = 0;
	check_kernel(&doctor);
	check_namespaces(&doctor);
	check_privileges(&doctor);
	check_recorder(&doctor);
	check_buffer(&doctor);
	check_listeners(&doctor);
	check_clock(&doctor);
	check_store(&doctor);
	r = finish(&doctor);
	query_clear(&doctor.query);
	return r != 0 ? r : codes[doctor.worst];
}

const char help_doctor[] =
	"Exit status: 0 all is well, 1 something could be better (warn), 2 wrong usage,\n"
	"3 recording cannot work here (fail).\n";
