/* doctor_machine.c - see doctor.h: whether this machine lets a recorder work. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <linux/capability.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "query/doctor.h"
#include "schema/cleanup.h"
#include "schema/version.h"

enum {
	WORDS_BYTES = 256,
	CONFIG_MAX_BYTES = 4 << 20,
	LISTENERS_MAX = 64,
	RCVBUF_WANTED = 8 << 20, /* what a recorder without CAP_NET_ADMIN needs for a storm */
};
#define REALTIME_MIN_S INT64_C(1735689600) /* 2025: before that no procledger was */

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
		doctor_tell(doctor, "versions", VERDICT_OK, NULL,
			    "procledger %s, Linux %s, SQLite %s", PROCLEDGER_VERSION,
			    kernel.release, sqlite3_libversion());
	if (events == 'y' && connector == 'y')
		doctor_tell(doctor, "kernel", VERDICT_OK, NULL, "CONFIG_PROC_EVENTS=y");
	else if (events == 0)
		doctor_tell(doctor, "kernel", VERDICT_WARN,
			    "start procledgerd: it says whether events come",
			    "its configuration cannot be read");
	else
		doctor_tell(doctor, "kernel", VERDICT_FAIL,
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
		doctor_tell(
			doctor, "namespaces", VERDICT_FAIL,
			"run procledgerd on the host: it sees all containers from there",
			"this is not the initial %s namespace: the kernel sends no events into it",
			outside);
	else
		doctor_tell(doctor, "namespaces", VERDICT_OK, NULL, "the initial ones");
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
		doctor_tell(doctor, "privileges", VERDICT_FAIL,
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
		doctor_tell(doctor, "privileges", VERDICT_WARN,
			    "start procledgerd as root, or give it these capabilities",
			    "%s has no %s", who, lacks);
	else
		doctor_tell(doctor, "privileges", VERDICT_OK, NULL, "%s has what it needs", who);
}

static void check_recorder(struct doctor *doctor)
{
	int running = query_recorder_runs(&doctor->query);

	if (running == 1)
		doctor_tell(doctor, "recorder", VERDICT_OK, NULL, "running, pid %d",
			    doctor->recorder);
	else if (running == 0 || running == -ENOENT) /* nor is there a ledger */
		doctor_tell(doctor, "recorder", VERDICT_WARN, "start procledgerd", "not running");
	else
		doctor_tell(doctor, "recorder", VERDICT_WARN, "ask as root", "cannot be known: %s",
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
		doctor_tell(doctor, "buffer", VERDICT_OK, NULL,
			    "net.core.rmem_max does not bind the recorder");
	else if (most >= RCVBUF_WANTED)
		doctor_tell(doctor, "buffer", VERDICT_OK, NULL, "net.core.rmem_max is %" PRIu64,
			    most);
	else
		doctor_tell(doctor, "buffer", VERDICT_WARN,
			    "start it with CAP_NET_ADMIN, or raise net.core.rmem_max to 8 MiB",
			    "net.core.rmem_max is %" PRIu64 ": a storm of forks would overrun it",
			    most);
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
		doctor_tell(doctor, "listeners", VERDICT_WARN,
			    "they cost every fork some time; one that says IGNORE silences kernels "
			    "before "
			    "6.6",
			    "%zu other socket%s for the same events, of %s%s", others,
			    others == 1 ? "" : "s", names[0] ? names : "processes that have ended",
			    also);
	else if (unknown > 0)
		doctor_tell(doctor, "listeners", VERDICT_WARN, "ask as root", "%s", also);
	else
		doctor_tell(doctor, "listeners", VERDICT_OK, NULL, "no others");
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
		doctor_tell(doctor, "drops", VERDICT_WARN,
			    "see 'procledger report losses' for when; give the recorder a larger "
			    "buffer",
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
		doctor_tell(doctor, "clock", VERDICT_FAIL, "set the clock",
			    "it shows a time before procledger was written");
	else if (state == TIME_ERROR || timex.status & STA_UNSYNC)
		doctor_tell(doctor, "clock", VERDICT_WARN,
			    "synchronise it (NTP): wall-clock times of machines cannot be compared "
			    "else",
			    "not synchronised, source %s", source[0] ? source : "not known");
	else
		doctor_tell(doctor, "clock", VERDICT_OK, NULL, "synchronised, source %s",
			    source[0] ? source : "not known");
}

void doctor_check_machine(struct doctor *doctor)
{
	check_kernel(doctor);
	check_namespaces(doctor);
	check_privileges(doctor);
	check_recorder(doctor);
	check_buffer(doctor);
	check_listeners(doctor);
	check_clock(doctor);
}
