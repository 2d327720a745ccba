/* ring_writer.c - see ring_writer.h: opening, recovery in order, and what is not sealing (ring_seal.c). */
#include "recorder/ring_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "recorder/ring_create.h"
#include "recorder/ring_recover.h"
#include "recorder/ring_writer_core.h"
#include "schema/cleanup.h"

enum {
	RATIO_FIRST = 12, /* plain kernel events give about 18 */
};

uint8_t *ring_writer_staging(const struct ring_writer *writer)
{
	return writer->map + (writer->super.staging_offset - writer->super.landing_offset);
}

void ring_writer_close(struct ring_writer *writer)
{
	if (!writer)
		return;
	keyframer_clear(&writer->keyframer);
	block_packer_free(writer->packer);
	lives_free(writer->lives);
	stage_free(writer->stage);
	free(writer->events);
	free(writer->cpus);
	if (writer->map && !writer->io->map)
		(void)munmap(writer->map, writer->map_bytes);
	ring_close(writer->ring);
	if (writer->fd >= 0)
		(void)close(writer->fd);
	free(writer);
}

static void writer_cleanup(struct ring_writer **writer)
{
	ring_writer_close(*writer);
}
#define auto_writer __attribute__((cleanup(writer_cleanup)))

/* An existing ring, locked.  0; -ENOENT; RING_WRITER_LOCKED; -EBADMSG: not a regular file; -errno. */
static int open_existing(const char *path, int *ret_fd)
{
	/* O_NONBLOCK: a FIFO in its place must not make us wait. */
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	struct stat stat;

	if (fd < 0)
		return errno == EISDIR ? -EBADMSG : -errno;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EBADMSG;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? RING_WRITER_LOCKED : -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int open_or_create(const char *path, uint64_t ring_bytes, const struct io *io,
			  bool *ret_created, int *ret_fd)
{
	int r = open_existing(path, ret_fd);

	*ret_created = false;
	if (r != -ENOENT)
		return r;
	r = ring_create(path, ring_bytes ? ring_bytes : RING_DEFAULT_BYTES, io, ret_fd);
	if (r == -EEXIST)
		return open_existing(path, ret_fd);
	*ret_created = r == 0;
	return r;
}

/* What is to be mapped can be read: who touches a page that the disk does not give is ended by a SIGBUS.  Such a page becomes zeros. */
static int areas_heal(struct ring_writer *writer, uint64_t *ret_pages)
{
	const uint64_t begin = writer->super.landing_offset;
	uint64_t pages = 0;

	for (uint64_t at = begin; at < begin + writer->map_bytes; at += IO_PAGE_BYTES) {
		uint8_t page[IO_PAGE_BYTES];
		int r = io_read(writer->io, writer->fd, page, sizeof(page), at);

		if (r == -EIO) {
			memset(page, 0, sizeof(page));
			pages++;
			r = io_write(writer->io, writer->fd, page, sizeof(page), at);
		}
		if (r < 0)
			return r;
	}
	*ret_pages = pages;
	return 0;
}

/* Landing and staging, present and, where the limit allows, locked: a page fault on the way of an event costs more than the event. */
static int map_areas(struct ring_writer *writer, uint64_t *ret_unreadable_pages)
{
	const struct ring_superblock *super = &writer->super;
	struct stat stat;
	void *map;
	int r;

	if (fstat(writer->fd, &stat) < 0)
		return -errno;
	/* Behind the end of a file that was cut short lies a SIGBUS. */
	if ((uint64_t)stat.st_size < super->file_bytes)
		return -EBADMSG;
	writer->map_bytes =
		(size_t)(super->staging_offset + super->staging_bytes - super->landing_offset);
	r = areas_heal(writer, ret_unreadable_pages);
	if (r < 0)
		return r;
	if (writer->io->map) {
		writer->map = writer->io->map(writer->io->context, super->landing_offset,
					      writer->map_bytes);
		return writer->map ? 0 : -ENOMEM;
	}
	map = mmap(NULL, writer->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		   writer->fd, (off_t)super->landing_offset);
	if (map == MAP_FAILED)
		return -errno;
	writer->map = map;
	(void)mlock(map, writer->map_bytes);
	return 0;
}

static struct ring_writer *writer_new(int fd, const struct io *io)
{
	struct ring_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->fd = fd;
	writer->io = io;
	writer->durability = RING_DURABILITY_INTERVAL;
	writer->ratio = RATIO_FIRST;
	writer->stage_unsure = true; /* the writer before may have ended after a failed sync */
	writer->late_block_no = RING_NO_BLOCK;
	return writer;
}

/* Reads the ring's frame and makes ready what does not depend on its contents. */
static int writer_begin(struct ring_writer *writer, struct ring_opened *opened)
{
	int r = ring_open_fd(writer->fd, writer->io, &writer->ring);

	if (r < 0)
		return r;
	writer->super = writer->ring->super;
	if (writer->super.feature_ro_compat != 0)
		return -EPROTONOSUPPORT;
	writer->packer = block_packer_new();
	if (!writer->packer)
		return -ENOMEM;
	return map_areas(writer, &opened->unreadable_pages);
}

static int stage_begin(struct ring_writer *writer, const struct ring_tail *tail)
{
	struct stage_start start = { .salt = tail->salt,
				     .tail_pos = tail->pos,
				     .tail_event_no = tail->event_no };

	stage_free(writer->stage);
	writer->stage =
		stage_new(ring_writer_staging(writer), (size_t)writer->super.staging_bytes, &start);
	return writer->stage ? 0 : -ENOMEM;
}

static struct writer_cpu *cpu_find(const struct ring_writer *writer, uint32_t cpu)
{
	for (size_t i = 0; i < writer->cpu_count; i++)
		if (writer->cpus[i].cpu == cpu)
			return &writer->cpus[i];
	return NULL;
}

static struct writer_cpu *cpu_add(struct ring_writer *writer, uint32_t cpu)
{
	struct writer_cpu *cpus;

	if (writer->cpu_count == CPUS_MAX)
		return NULL;
	cpus = reallocarray(writer->cpus, writer->cpu_count + 1, sizeof(*cpus));
	if (!cpus)
		return NULL;
	writer->cpus = cpus;
	cpus[writer->cpu_count].cpu = cpu;
	return &cpus[writer->cpu_count++];
}

static void cpu_set(void *context, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns)
{
	struct writer_cpu *known = cpu_find(context, cpu);

	if (known && event_seq_is_late(seq, known->seq))
		return;
	if (!known)
		known = cpu_add(context, cpu);
	if (!known)
		return;
	known->seq = seq;
	known->timestamp_ns = timestamp_ns;
}

/* Walks what is staged: how much it is, what it says of CPUs and losses. */
static void count_staged(struct ring_writer *writer, struct ring_opened *opened)
{
	uint32_t boot_no = writer->super.boot_no;
	struct event event;

	if (lives_boot_no(writer->lives) == boot_no)
		lives_each_cpu(writer->lives, cpu_set, writer);
	while (stage_peek(writer->stage, &event) == 0) {
		opened->staged_events++;
		if (event.kind == EVENT_LOST) {
			opened->lost_total += event.arg[0];
			cpu_set(writer, event.cpu, event_lost_last_seq(&event), event.arg[1]);
		}
		if (event.kind == EVENT_START && (uint32_t)event.arg[0] != boot_no) {
			boot_no = (uint32_t)event.arg[0];
			writer->cpu_count = 0;
		}
		if (event.kind < EVENT_OWN_FIRST && event.cpu != EVENT_CPU_NONE)
			cpu_set(writer, event.cpu, event.seq, event.timestamp_ns);
	}
	stage_rewind(writer->stage);
}

/* Writes bytes of the ring again, as they are; what the disk does not give is left: it is not in memory alone. */
static int write_again(struct ring_writer *writer, uint64_t offset, size_t bytes)
{
	auto_free uint8_t *data = malloc(bytes);
	int r = data ? 0 : -ENOMEM;

	if (r == 0)
		r = io_read(writer->io, writer->fd, data, bytes, offset);
	if (r == -EIO)
		return 0;
	return r < 0 ? r : io_write(writer->io, writer->fd, data, bytes, offset);
}

/* Rule 11: what this start builds on is made durable before anything is written over what may be all that the disk has. */
static int secure(struct ring_writer *writer, const struct ring_head *head)
{
	int r = 0;

	for (uint64_t at = 0; at < RING_LANDING_OFFSET && r == 0; at += RING_SUPERBLOCK_BYTES)
		r = write_again(writer, at, RING_SUPERBLOCK_BYTES);
	if (r == 0 && head->have_newest)
		r = write_again(writer, ring_slot_offset(writer->ring, head->newest.block_no),
				RING_SLOT_BYTES);
	return r < 0 ? r : ring_writer_sync_now(writer);
}

/* Takes up what the last writer left.  *ret_needs_salt: staging must begin anew. */
static int writer_recover(struct ring_writer *writer, struct ring_opened *opened,
			  bool *ret_needs_salt)
{
	struct ring_head head;
	int r = ring_recover_head(writer->ring, ring_writer_staging(writer), &head);

	if (r == 0)
		r = ring_recover_lives(writer->ring, &head, &writer->lives);
	if (r == 0)
		r = stage_begin(writer, &head.tail);
	if (r == 0)
		r = secure(writer, &head);
	if (r < 0)
		return r;
	if (ring_read_staging_header(writer->ring, &writer->staging) < 0)
		memcpy(writer->staging.boot_id, writer->super.boot_id, RING_UUID_BYTES);
	writer->staging.salt = head.tail.salt;
	writer->next_block_no = head.next_block_no;
	writer->boot_no = writer->super.boot_no;
	memcpy(writer->boot_id, writer->super.boot_id, RING_UUID_BYTES);
	if (head.have_newest) {
		writer->block_boot_no = head.newest.boot_no;
		writer->lost_total = opened->lost_total = head.newest.lost_total;
	}
	keyframer_init(&writer->keyframer, writer->super.slot_count,
		       head.have_newest ? head.newest.keyframe_block_no : RING_NO_BLOCK,
		       writer->next_block_no);
	writer->lost_block = head.have_newest ? head.newest.lost_block : RING_NO_BLOCK;
	opened->torn_slots = head.torn_slots;
	count_staged(writer, opened);
	/* Behind a page that was made anew, what was staged later must never count again. */
	*ret_needs_salt = head.needs_salt || opened->unreadable_pages > 0;
	return 0;
}

/* Invariant 5: what the last boot staged becomes blocks of that boot. */
static int seal_staged(struct ring_writer *writer)
{
	const struct ring_seal seal = { 0 };
	uint64_t events;
	int r = 0, failed = 0;

	writer->recovering = true;
	while (r != RING_WRITER_IDLE) {
		r = ring_writer_seal(writer, &seal, true, &events);
		if (r < 0 && (r != -EIO || ++failed > RING_FAILED_SLOTS_MAX))
			return r;
	}
	writer->recovering = false;
	return 0;
}

/* Invariant 5: a new salt, in both copies, before anything is staged under it. */
static int staging_anew(struct ring_writer *writer, const uint8_t boot_id[RING_UUID_BYTES])
{
	struct ring_staging_header header = {
		.generation = writer->staging.generation,
		.start_pos = stage_peek_pos(writer->stage),
		.first_event_no = stage_next_event_no(writer->stage),
	};
	struct ring_tail tail;
	int r = 0;

	if (getrandom(&header.salt, sizeof(header.salt), 0) != sizeof(header.salt))
		return -EIO;
	memcpy(header.boot_id, boot_id, RING_UUID_BYTES);
	for (size_t i = 0; r == 0 && i < 2; i++) {
		uint8_t disk[RING_STAGING_HEADER_BYTES];

		header.generation++;
		ring_staging_header_pack(&header, disk);
		r = io_write(writer->io, writer->fd, disk, sizeof(disk),
			     RING_STAGING_HEADER_OFFSET +
				     header.generation % 2 * RING_STAGING_HEADER_BYTES);
		if (r == 0)
			r = ring_writer_sync_now(writer);
	}
	if (r < 0)
		return r;
	writer->staging = header;
	tail = (struct ring_tail){ .salt = header.salt,
				   .pos = header.start_pos,
				   .event_no = header.first_event_no };
	return stage_begin(writer, &tail);
}

int ring_writer_note(struct ring_writer *writer, int r)
{
	if (r < 0)
		writer->failure = (struct ring_failure){ .count = writer->failure.count + 1,
							 .error = -r,
							 .block_no = writer->next_block_no };
	return r;
}

struct ring_failure ring_writer_failure(const struct ring_writer *writer)
{
	return writer->failure;
}

/* Blocks that went out before a sync that has failed, and whose staging is gone: all that can be done is to write them again. */
static int late_again(struct ring_writer *writer)
{
	const uint64_t end = writer->next_block_no, slots = writer->super.slot_count;
	uint64_t block_no = writer->late_block_no;
	int r = 0;

	if (end > slots && block_no < end - slots)
		block_no = end - slots;
	for (; block_no < end && r == 0; block_no++)
		r = write_again(writer, ring_slot_offset(writer->ring, block_no), RING_SLOT_BYTES);
	return r;
}

int ring_writer_sync_now(struct ring_writer *writer)
{
	struct stage_piece pieces[2] = { 0 };
	int r = writer->late_unsure ? late_again(writer) : 0;

	if (r < 0)
		return r;
	if (writer->stage_unsure)
		stage_pieces(writer->stage, pieces);
	for (size_t i = 0; i < 2; i++)
		io_touch(writer->io, pieces[i].data, pieces[i].bytes);
	r = io_sync(writer->io, writer->fd);
	if (r == IO_LATE)
		return r;
	writer->late_unsure = r < 0 && writer->late_block_no != RING_NO_BLOCK;
	if (r == 0)
		writer->late_block_no = RING_NO_BLOCK;
	writer->stage_unsure = r < 0;
	writer->super_unsure = writer->super_unsure && r < 0;
	return r;
}

int ring_writer_put_super(struct ring_writer *writer)
{
	struct ring_superblock super = writer->super;
	uint8_t disk[RING_SUPERBLOCK_BYTES];
	int r;

	/* Never over the copy that is on the disk for certain. */
	super.generation += writer->super_unsure ? 2 : 1;
	super.hint_block_no = writer->next_block_no;
	ring_superblock_pack(&super, disk);
	r = io_write(writer->io, writer->fd, disk, sizeof(disk),
		     super.generation % 2 * RING_SUPERBLOCK_BYTES);
	if (r == 0)
		writer->super = super;
	writer->super_unsure = true;
	return ring_writer_note(writer, r);
}

static bool is_zero_id(const uint8_t id[RING_UUID_BYTES])
{
	static const uint8_t zero[RING_UUID_BYTES];

	return memcmp(id, zero, RING_UUID_BYTES) == 0;
}

/* From what was found to what this start begins. */
static int writer_start(struct ring_writer *writer, const uint8_t boot_id[RING_UUID_BYTES],
			bool needs_salt, struct ring_opened *opened)
{
	int r = 0;

	opened->same_boot = !is_zero_id(boot_id) && writer->super.boot_no > 0 &&
			    memcmp(boot_id, writer->super.boot_id, RING_UUID_BYTES) == 0;
	if (!opened->same_boot || needs_salt) {
		r = seal_staged(writer);
		if (r == 0)
			r = staging_anew(writer, boot_id);
		if (r < 0)
			return r;
	}
	if (!opened->same_boot) {
		/* Staged events may have begun another boot (an imported stream that began again). */
		if (writer->super.boot_no < writer->boot_no)
			writer->super.boot_no = writer->boot_no;
		writer->super.boot_no++;
		memcpy(writer->super.boot_id, boot_id, RING_UUID_BYTES);
		writer->cpu_count = 0;
		/* Invariant 6; before the superblock says that this boot has begun, for this start may end right behind it. */
		memset(ring_writer_landing(writer), 0,
		       (size_t)RING_LANDING_SLOT_COUNT * RING_LANDING_SLOT_BYTES);
	}
	writer->boot_no = writer->super.boot_no;
	memcpy(writer->boot_id, boot_id, RING_UUID_BYTES);
	opened->clean = writer->super.clean;
	opened->boot_no = writer->boot_no;
	opened->next_event_no = stage_next_event_no(writer->stage);
	writer->super.clean = false;
	r = ring_writer_put_super(writer);
	return r < 0 ? r : ring_writer_sync_now(writer);
}

int ring_writer_open_on(const char *path, uint64_t ring_bytes,
			const uint8_t boot_id[RING_UUID_BYTES], const struct io *io,
			struct ring_writer **ret_writer, struct ring_opened *ret_opened)
{
	auto_writer struct ring_writer *writer = NULL;
	struct ring_opened opened = { 0 };
	bool needs_salt = false;
	auto_close int fd = -1;
	int r = open_or_create(path, ring_bytes, io, &opened.created, &fd);

	if (r != 0)
		return r;
	writer = writer_new(fd, io);
	if (!writer)
		return -ENOMEM;
	(void)steal_fd(&fd);
	r = writer_begin(writer, &opened);
	if (r == 0)
		r = writer_recover(writer, &opened, &needs_salt);
	if (r == 0)
		r = writer_start(writer, boot_id, needs_salt, &opened);
	if (r < 0)
		return r;
	*ret_writer = steal_pointer(writer);
	*ret_opened = opened;
	return 0;
}

int ring_writer_open(const char *path, uint64_t ring_bytes, const uint8_t boot_id[RING_UUID_BYTES],
		     struct ring_writer **ret_writer, struct ring_opened *ret_opened)
{
	return ring_writer_open_on(path, ring_bytes, boot_id, &io_direct, ret_writer, ret_opened);
}

const struct ring_superblock *ring_writer_super(const struct ring_writer *writer)
{
	return &writer->super;
}

struct stage *ring_writer_stage(struct ring_writer *writer)
{
	return writer->stage;
}

uint8_t *ring_writer_landing(struct ring_writer *writer)
{
	return writer->map;
}

void ring_writer_set_durability(struct ring_writer *writer, enum ring_durability durability)
{
	writer->durability = durability;
}

struct lives *ring_writer_lives(struct ring_writer *writer)
{
	return writer->lives;
}

void ring_writer_each_cpu(const struct ring_writer *writer,
			  void (*each)(void *context, uint32_t cpu, uint32_t seq,
				       uint64_t timestamp_ns),
			  void *context)
{
	for (size_t i = 0; i < writer->cpu_count; i++)
		each(context, writer->cpus[i].cpu, writer->cpus[i].seq,
		     writer->cpus[i].timestamp_ns);
}

uint32_t ring_writer_next_boot(struct ring_writer *writer)
{
	writer->super.boot_no = ++writer->boot_no;
	/* If this is lost, the START event of the new boot says it again. */
	(void)ring_writer_put_super(writer);
	return writer->boot_no;
}

int ring_writer_sync(struct ring_writer *writer)
{
	if (writer->durability == RING_DURABILITY_PROCESS)
		return 0;
	return ring_writer_note(writer, ring_writer_sync_now(writer));
}

int ring_writer_mark_clean(struct ring_writer *writer)
{
	int r;

	writer->super.clean = true;
	r = ring_writer_put_super(writer);
	return r < 0 ? r : ring_writer_sync(writer);
}
