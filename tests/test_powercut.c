/* test_powercut.c - power cuts under the real recorder: test_powercut [CUTS], 20 without.
 *
 * The store lies on an ext4 in a loop-mounted image.  EXT4_IOC_SHUTDOWN with NOLOGFLUSH stops that file system in the middle of a storm
 * of forks: what was not synced is gone, some of what was written back by chance is there.  Then every process is killed, the image
 * mounted again, and a recorder started on it.
 *
 * What is durable: strace notes when each fdatasync of the ring began that came back with 0; a reader at the writer's heels notes when it
 * saw which event.  Every event that it had seen before such a call began has to be there after the cut, and be the same.
 * How long the calls took is known as well: where a storm starves the loop device's workers that is more than the second between two of them.
 * Cuts before which the recorder said that a sync is late are counted apart: there it has given that up (invariant 3).
 * Holds invariants 1 to 5 of FORMAT.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "schema/event.h"
#include "schema/ring.h"
#include "tests/clocks.h"
#include "tests/live_kernel.h"
#include "tests/shell.h"
#include "tests/tap.h"

/* fs/ext4/ext4.h; no header for programs has them. */
#define EXT4_IOC_SHUTDOWN           _IOR('X', 125, uint32_t)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2u

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

enum {
	CUTS_QUICK = 20,
	PATH_BYTES = 256,
	SEEN_MAX = 1 << 20,
	SAMPLES_MAX = 1 << 16,
	STORM_MIN_MS = 30,
	STORM_MAX_MS = 500,
	LONG_EVERY = 5, /* every so many cuts the storm is longer than the recorder's interval */
	LONG_MS = 1300,
	STOP_EVERY = 5, /* and the recorder stopped in order, the index compared */
	STOPS_MAX = 5,
	MORE_EVENTS = 1000, /* have to go in after every cut */
	WAIT_MS = 10000,
};

/* A second between two syncs, and that again, for the recorder's turn on a busy machine. */
#define LOST_MAX_NS (2 * NS_PER_S)

/* Syncs that took more than this are no fault of the recorder's, and told apart; less has to fit into the above. */
#define DISK_SLOW_NS (NS_PER_S / 2)

static char build[PATH_BYTES], folder[64], mount_point[96], store[128], ring_path[160];

/* What was seen of the events of this cycle, by event_no - seen_base. */
static uint32_t seen[SEEN_MAX];
static uint64_t seen_ns[SEEN_MAX];
static uint64_t seen_base, seen_count;
static struct sample {
	uint64_t realtime_ns, next_no; /* everything below had been seen by then */
} samples[SAMPLES_MAX];
static size_t sample_count;

/* What all cuts together gave. */
static struct sum {
	uint64_t wrong, disordered, holes, not_opened, no_more, bad_stops, bad_indexes;
	uint64_t durable; /* events */
	unsigned syncs;
	struct loss {
		uint64_t events, synced;      /* events, and how many of them were synced */
		uint64_t max_ns, ours_max_ns; /* the latter without what a slow disk took */
		unsigned cuts, slow;          /* that lost any; of these, with a slow disk */
	} loss, late_loss;
} sum;

/* A power cut, before what it has taken is known. */
struct cut {
	uint64_t at_ns;
	uint64_t durable; /* the first event that need not have been synced */
	uint64_t disk_ns; /* as in struct syncs */
	bool late;
};

/* --- the machine --- */

static bool image_mount(void)
{
	return shell("mount -o loop %s/image %s 2>>%s/mount.log", folder, mount_point, folder) == 0;
}

static void image_unmount(void)
{
	for (int i = 0; i < 100 && umount2(mount_point, 0) < 0 && errno == EBUSY; i++)
		rest_ms(20);
}

/* A power cut is followed by another boot: the recorder knows it by its id. */
static void boot_next(unsigned boot)
{
	(void)shell("printf '%%08x-0000-4000-8000-000000000000\\n' %u >%s/boot_id", boot, folder);
}

static bool machine_ready(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mkdir(mount_point, 0755) < 0)
		return false;
	boot_next(0);
	return shell("truncate -s 256M %s/image && mkfs.ext4 -q -F -E lazy_itable_init=0 %s/image "
		     ">/dev/null 2>&1",
		     folder, folder) == 0 &&
	       shell("mount --bind %s/boot_id /proc/sys/kernel/random/boot_id", folder) == 0 &&
	       image_mount();
}

static void power_cut(void)
{
	uint32_t flags = EXT4_GOING_FLAGS_NOLOGFLUSH;
	int fd = open(mount_point, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, EXT4_IOC_SHUTDOWN, &flags) < 0)
		abort();
	(void)close(fd);
}

/* --- the recorder and the storm, each a process group --- */

static pid_t group_start(const char *command, const char *log)
{
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		(void)setpgid(0, 0);
		(void)dup2(fd, STDERR_FILENO);
		(void)dup2(fd, STDOUT_FILENO);
		(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	(void)setpgid(pid, pid);
	return pid;
}

/* All of both groups are dead and gone afterwards: their orphans are ours. */
static void groups_kill(pid_t recorder, pid_t storm)
{
	int status;

	(void)kill(-recorder, SIGKILL);
	(void)kill(-storm, SIGKILL);
	while (waitpid(-1, &status, 0) > 0 || errno == EINTR)
		;
}

static bool log_says(const char *words)
{
	return shell("grep -q '%s' %s/log", words, folder) == 0;
}

static void log_show(void)
{
	fflush(stdout);
	(void)shell("sed 's/^/# /' %s/log", folder);
}

/* The smallest ring with the staging that the default has, so that it goes round within some cuts. */
#define RING_SIZE "24M"

static pid_t recorder_start(bool index)
{
	char command[1024], log[PATH_BYTES];

	(void)snprintf(log, sizeof(log), "%s/log", folder);
	(void)snprintf(command, sizeof(command),
		       "exec strace -D -f --seccomp-bpf -qqq -ttt -T -e trace=fdatasync -e "
		       "signal=none -P %s "
		       "-o %s/syncs %s/procledgerd --store %s --ring-size " RING_SIZE
		       " --durability interval %s",
		       ring_path, folder, build, store, index ? "" : "--ring-only");
	return group_start(command, log);
}

static bool recorder_wait(void)
{
	for (int i = 0; i < WAIT_MS / 20; i++) {
		if (log_says("recording into"))
			return true;
		rest_ms(20);
	}
	log_show();
	return false;
}

static pid_t storm_start(void)
{
	char command[PATH_BYTES * 2];

	(void)snprintf(command, sizeof(command), "exec %s/tests/storm fork 10000000 2", build);
	return group_start(command, "/dev/null");
}

/* What strace wrote of the ring's syncs up to the cut. */
struct syncs {
	uint64_t last_ns; /* when the last one began that succeeded (CLOCK_REALTIME); 0: none did */
	uint64_t disk_ns; /* what it took, and one that was being made at the cut */
};

/* A line is one call, or its begin, or its end.  *began_ns: of the one that is being made; UINT64_MAX: none. */
static void sync_line(const char *line, uint64_t cut_ns, uint64_t *began_ns, struct syncs *syncs)
{
	const char *end = strstr(line, ") "), *took = end ? strrchr(end, '<') : NULL;
	const uint64_t took_ns = took ? (uint64_t)(strtod(took + 1, NULL) * 1e9) : 0;
	unsigned long long seconds, micros;

	if (strstr(line, " fdatasync(") && sscanf(line, "%*d %llu.%llu", &seconds, &micros) == 2 &&
	    seconds * NS_PER_S + micros * 1000 < cut_ns)
		*began_ns = seconds * NS_PER_S + micros * 1000;
	if (!took || *began_ns == UINT64_MAX)
		return;
	if (strstr(end, " = 0")) {
		sum.syncs++;
		*syncs = (struct syncs){ *began_ns, took_ns };
	} else if (*began_ns + took_ns >= cut_ns) {
		return; /* it is the cut that it failed of */
	}
	*began_ns = UINT64_MAX;
}

static struct syncs syncs_read(uint64_t cut_ns)
{
	char path[PATH_BYTES], line[512];
	struct syncs syncs = { 0 };
	uint64_t began_ns = UINT64_MAX;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/syncs", folder);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		sync_line(line, cut_ns, &began_ns, &syncs);
	if (file)
		(void)fclose(file);
	if (began_ns != UINT64_MAX)
		syncs.disk_ns += cut_ns - began_ns;
	return syncs;
}

/* --- reading --- */

static uint32_t event_hash(const struct event *event)
{
	static uint8_t record[EVENT_RECORD_MAX_BYTES];
	size_t bytes = event_record_bytes(event);

	memset(record, 0, bytes);
	event_record_pack(event, 0, 0, record);
	return (uint32_t)crc32_z(0, record, bytes);
}

static void see(const struct event *event)
{
	if (seen_count == 0)
		seen_base = event->event_no;
	if (event->event_no != seen_base + seen_count || seen_count == SEEN_MAX) {
		sum.wrong += event->event_no != seen_base + seen_count;
		return;
	}
	seen[seen_count] = event_hash(event);
	seen_ns[seen_count++] = event->timestamp_ns;
}

/* Follows the writer for so long, and until MORE_EVENTS have gone in.  False: the ring could not be read. */
static bool follow(struct ring *ring, unsigned ms)
{
	uint64_t first, next, from, to, began = clock_ns(CLOCK_MONOTONIC);
	uint64_t until = began + ms * NS_PER_MS, limit = began + WAIT_MS * NS_PER_MS;
	struct ring_cursor *cursor;
	const struct event *event;
	int r = ring_refresh(ring, &first, &next);

	if (r < 0)
		return false;
	seen_count = sample_count = 0;
	cursor = ring_cursor_new(ring, next > first ? next - 1 : first);
	while (clock_ns(CLOCK_MONOTONIC) < (seen_count < MORE_EVENTS ? limit : until)) {
		for (int i = 0; i < 1024 && (r = ring_next(cursor, &event, &from, &to)) == 0; i++)
			see(event);
		if (r != 0 && r != RING_END)
			break;
		if (sample_count < SAMPLES_MAX)
			samples[sample_count++] =
				(struct sample){ .realtime_ns = clock_ns(CLOCK_REALTIME),
						 .next_no = seen_base + seen_count };
		if (r == RING_END)
			rest_ms(1);
	}
	ring_cursor_free(cursor);
	return r == 0 || r == RING_END;
}

/* The first event that need not have been synced. */
static uint64_t durable_until(uint64_t sync_ns)
{
	uint64_t next_no = 0;

	for (size_t i = 0; i < sample_count && samples[i].realtime_ns < sync_ns; i++)
		next_no = samples[i].next_no;
	return next_no;
}

/* Per CPU the kernel's numbers only grow: an event that comes twice would not. */
static void order_check(const struct event *event, uint32_t last_seq[64], uint64_t *known)
{
	if (event->kind >= EVENT_OWN_FIRST || event->cpu >= 64)
		return;
	sum.disordered += (*known >> event->cpu & 1) != 0 &&
			  (int32_t)(event->seq - last_seq[event->cpu]) <= 0;
	last_seq[event->cpu] = event->seq;
	*known |= UINT64_C(1) << event->cpu;
}

/* Walks the ring after the cut.  Gives the first event that is not what had been seen. */
static uint64_t first_lost(struct ring *ring)
{
	uint64_t first, next, from, to, known = 0, kept = seen_base, last_no = 0;
	uint32_t last_seq[64];
	const struct event *event;
	struct ring_cursor *cursor;
	int r = ring_refresh(ring, &first, &next);

	cursor = ring_cursor_new(ring, first);
	while (r >= 0 && (r = ring_next(cursor, &event, &from, &to)) != RING_END && r >= 0) {
		if (r != 0) {
			sum.holes++;
			continue;
		}
		sum.disordered += last_no != 0 && event->event_no != last_no + 1;
		last_no = event->event_no;
		order_check(event, last_seq, &known);
		if (event->event_no == kept && kept - seen_base < seen_count &&
		    event_hash(event) == seen[kept - seen_base])
			kept++;
	}
	ring_cursor_free(cursor);
	sum.holes += r < 0;
	return kept;
}

static void compare_with_before(struct ring *ring, const struct cut *cut)
{
	uint64_t kept = first_lost(ring), end = seen_base + seen_count;
	struct loss *loss = cut->late ? &sum.late_loss : &sum.loss;

	sum.durable += cut->durable > seen_base ? cut->durable - seen_base : 0;
	if (kept < cut->durable) {
		loss->synced += cut->durable - kept;
		printf("# events %" PRIu64 " to %" PRIu64 " were synced and are gone%s\n", kept,
		       cut->durable - 1,
		       cut->late ? ": of a sync that had been said to be late" : "");
	}
	if (kept < end) {
		uint64_t lost_ns = cut->at_ns - seen_ns[kept - seen_base];

		loss->cuts++;
		loss->events += end - kept;
		if (lost_ns > loss->max_ns)
			loss->max_ns = lost_ns;
		if (cut->disk_ns > DISK_SLOW_NS) {
			loss->slow++;
			lost_ns -= lost_ns < cut->disk_ns ? lost_ns : cut->disk_ns;
		}
		if (lost_ns > loss->ours_max_ns)
			loss->ours_max_ns = lost_ns;
	}
}

/* --- a cycle --- */

/* The recorder itself, behind strace -D. */
static void recorder_stop(pid_t recorder)
{
	int status = 0;

	(void)kill(recorder, SIGTERM);
	if (waitpid(recorder, &status, 0) != recorder || status != 0) {
		sum.bad_stops++;
		printf("# the recorder's status is %#x; it said:\n", (unsigned)status);
		log_show();
	}
	groups_kill(recorder, recorder);
}

static void index_wait(void)
{
	for (int i = 0; i < WAIT_MS / 20; i++) {
		if (shell("%s/procledger --store %s status -o json 2>/dev/null | "
			  "grep -q '\"index_lag\":0,'",
			  build, store) == 0)
			return;
		rest_ms(20);
	}
}

static void index_compare(void)
{
	if (shell("sqlite3 -readonly %s/index.db .dump >%s/live && %s/procledger --store %s "
		  "reindex "
		  ">/dev/null && sqlite3 -readonly %s/index.db .dump >%s/rebuilt && cmp %s/live "
		  "%s/rebuilt >&2",
		  store, folder, build, store, store, folder, folder, folder) == 0)
		return;
	sum.bad_indexes++;
	(void)shell("diff %s/live %s/rebuilt | head -n 12 | cut -c1-150 | sed 's/^/# /'", folder,
		    folder);
	log_show();
}

/* Kernels write back what they like when they like.  The worst for us: the index and not the ring. */
static void index_write_back(void)
{
	(void)shell("sync %s/index.db-wal %s/index.db 2>/dev/null", store, store);
}

static void cycle(unsigned number, struct cut *cut)
{
	struct ring *ring = NULL;
	pid_t recorder, storm;
	struct syncs syncs;
	uint64_t cut_ns;

	boot_next(number);
	recorder = recorder_start(true);
	if (!recorder_wait() || ring_open(ring_path, &ring) < 0) {
		sum.not_opened++;
		groups_kill(recorder, recorder);
		return;
	}
	if (number > 1)
		compare_with_before(ring, cut);
	storm = storm_start();
	if (!follow(ring, number % LONG_EVERY == 0
				  ? LONG_MS
				  : STORM_MIN_MS + (unsigned)random() % STORM_MAX_MS))
		sum.holes++;
	sum.no_more += seen_count < MORE_EVENTS;
	ring_close(ring);
	if (number % 2)
		index_write_back();
	cut->at_ns = clock_ns(CLOCK_MONOTONIC);
	cut_ns = clock_ns(CLOCK_REALTIME);
	power_cut();
	groups_kill(recorder, storm);
	syncs = syncs_read(cut_ns);
	cut->durable = durable_until(syncs.last_ns);
	cut->disk_ns = syncs.disk_ns;
	cut->late = log_says("takes too long to sync");
	image_unmount();
	if (!image_mount())
		sum.not_opened++;
}

/* Starts, compares and stops in order. */
static void stop_and_compare(unsigned number, struct cut *cut)
{
	struct ring *ring = NULL;
	pid_t recorder;

	boot_next(number + 1);
	recorder = recorder_start(true);
	if (!recorder_wait() || ring_open(ring_path, &ring) < 0)
		sum.not_opened++;
	else
		compare_with_before(ring, cut);
	ring_close(ring);
	index_wait();
	recorder_stop(recorder);
	/* The index is given but little time then.  When that was not enough it was said, and the next start makes up for it. */
	for (int i = 0; i < STOPS_MAX && log_says("the index is behind the ring"); i++) {
		recorder = recorder_start(true);
		(void)recorder_wait();
		index_wait();
		recorder_stop(recorder);
	}
	index_compare();
	cut->durable = seen_count = 0;
}

static void cuts(unsigned count)
{
	struct cut cut = { .late = false };

	for (unsigned i = 1; i <= count && sum.not_opened == 0; i++) {
		cycle(i, &cut);
		if (i % STOP_EVERY == 0 || i == count)
			stop_and_compare(i, &cut);
	}
	ok(sum.not_opened == 0, "after each of %u power cuts the recorder opens the ring", count);
	ok(sum.durable > 0 && sum.loss.synced == 0,
	   "no event that was synced is lost (%" PRIu64 " lost, %" PRIu64 " synced under %u syncs)",
	   sum.loss.synced, sum.durable, sum.syncs);
	ok(sum.loss.ours_max_ns < LOST_MAX_NS,
	   "and of the others at most about the last second (%" PRIu64 " events, %" PRIu64 " ms)",
	   sum.loss.events, sum.loss.ours_max_ns / NS_PER_MS);
	if (sum.loss.slow > 0)
		printf("# without what syncs took in %u cuts that found the disk slow: with it "
		       "%" PRIu64 " ms at most\n",
		       sum.loss.slow, sum.loss.max_ns / NS_PER_MS);
	if (sum.late_loss.cuts > 0)
		printf("# %u more cuts came behind a sync that had been said to be late, and took "
		       "%" PRIu64 " events, %" PRIu64 " ms at most, %" PRIu64 " of them synced\n",
		       sum.late_loss.cuts, sum.late_loss.events, sum.late_loss.max_ns / NS_PER_MS,
		       sum.late_loss.synced);
	ok(sum.wrong == 0 && sum.disordered == 0 && sum.holes == 0,
	   "every event is there once and in its place (%" PRIu64
	   " strange while recording, %" PRIu64 " out of order, %" PRIu64 " holes)",
	   sum.wrong, sum.disordered, sum.holes);
	ok(sum.no_more == 0, "%d more events go in every time", MORE_EVENTS);
	ok(sum.bad_stops == 0, "the recorder then stops in order");
	ok(sum.bad_indexes == 0, "and the index equals one that is made anew");
}

static void clean_up(void)
{
	image_unmount();
	(void)shell("rm -rf --one-file-system %s", folder);
}

static void skip_unless_possible(void)
{
	const char *refusal = live_kernel_refusal();

	if (refusal)
		skip_all("%s", refusal);
	if (shell("command -v mkfs.ext4 strace sqlite3 >/dev/null") != 0)
		skip_all("mkfs.ext4, strace or sqlite3 is not installed");
	if (!machine_ready())
		skip_all("no ext4 image can be mounted here");
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : CUTS_QUICK;

	(void)snprintf(build, sizeof(build), "%s/..", dirname(argv[0]));
	(void)snprintf(folder, sizeof(folder), "/dev/shm/procledger.powercut.XXXXXX");
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* under strace it cannot look */
	if (!mkdtemp(folder))
		skip_all("nothing can be written to /dev/shm");
	(void)snprintf(mount_point, sizeof(mount_point), "%s/disk", folder);
	(void)snprintf(store, sizeof(store), "%s/store", mount_point);
	(void)snprintf(ring_path, sizeof(ring_path), "%s/ledger.ring", store);
	(void)atexit(clean_up);
	skip_unless_possible();
	cuts(count);
	return done_testing();
}
