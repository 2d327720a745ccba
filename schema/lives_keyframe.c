/* lives_keyframe.c - all that a fold knows as bytes, and back (FORMAT.md 7).
 *
 * u8 version 1, then varints: boot_no, event_no, last_lost_no, start_no, start_ns, the five numbers of the clock;
 * count of CPUs, each cpu, seq, timestamp_ns; count of images, each event_no, zigzag life_id, bytes, the packed details; count of
 * credentials, each event_no, flags, ruid, euid, rgid, egid; count of lives, oldest first, each as life_write() has it.
 */
#include "schema/lives.h"

#include <errno.h>
#include <stdlib.h>

#include "schema/bytes.h"
#include "schema/cleanup.h"
#include "schema/lives_table.h"

enum { KEYFRAME_VERSION = 1, LIFE_PACKED_MAX_BYTES = 320 };
enum { CRED_UID_KNOWN = 1, CRED_GID_KNOWN = 2 };
enum {
	LIFE_COMM_KNOWN = 1,
	LIFE_BIRTH_COMM_KNOWN = 2,
	LIFE_RENAMED = 4,
	LIFE_ENDED = 8,
	LIFE_PROCESS_ENDED = 16,
	LIFE_EXIT_DUE = 32,
	LIFE_NAMES_DIFFER = 64,
	LIFE_HAS_IMAGE = 128,
	LIFE_HAS_CRED = 256,
	LIFE_IN_GROUP = 512, /* process points at its leader */
	LIFE_CORE_DUMPED = 1024,
};

/* What is referred to, sorted by event_no, each once. */
struct refs {
	const struct image **image;
	const struct cred **cred;
	size_t image_count, cred_count;
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int image_compare(const void *a, const void *b)
{
	return compare_u64((*(const struct image *const *)a)->event_no,
			   (*(const struct image *const *)b)->event_no);
}

static int cred_compare(const void *a, const void *b)
{
	return compare_u64((*(const struct cred *const *)a)->event_no,
			   (*(const struct cred *const *)b)->event_no);
}

static size_t image_unique(const struct image **image, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(image, count, sizeof(struct image *), image_compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || image[kept - 1] != image[i])
			image[kept++] = image[i];
	return kept;
}

static size_t cred_unique(const struct cred **cred, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(cred, count, sizeof(struct cred *), cred_compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || cred[kept - 1] != cred[i])
			cred[kept++] = cred[i];
	return kept;
}

static int refs_collect(const struct lives *lives, struct refs *ret_refs)
{
	struct refs refs = { 0 };

	refs.image = malloc((lives->life_count + 1) * sizeof(struct image *));
	refs.cred = malloc((lives->life_count + 1) * sizeof(struct cred *));
	if (!refs.image || !refs.cred) {
		free(refs.image);
		free(refs.cred);
		return -ENOMEM;
	}
	for (const struct life *life = lives->all; life; life = life->all_next) {
		if (life->image)
			refs.image[refs.image_count++] = life->image;
		if (life->cred)
			refs.cred[refs.cred_count++] = life->cred;
	}
	refs.image_count = image_unique(refs.image, refs.image_count);
	refs.cred_count = cred_unique(refs.cred, refs.cred_count);
	*ret_refs = refs;
	return 0;
}

static void comm_write(struct writer *w, const char comm[EVENT_COMM_BYTES])
{
	size_t bytes = strnlen(comm, EVENT_COMM_BYTES);

	write_u8(w, (uint8_t)bytes);
	write_bytes(w, comm, bytes);
}

static void comm_read(struct reader *r, char ret_comm[EVENT_COMM_BYTES])
{
	uint8_t bytes = read_u8(r);
	const uint8_t *data = bytes <= EVENT_COMM_BYTES ? read_bytes(r, bytes) : NULL;

	memset(ret_comm, 0, EVENT_COMM_BYTES);
	if (data)
		memcpy(ret_comm, data, bytes);
	else
		r->failed = true;
}

static unsigned life_flags(const struct life *life)
{
	return (life->comm_known ? LIFE_COMM_KNOWN : 0u) |
	       (life->birth_comm_known ? LIFE_BIRTH_COMM_KNOWN : 0u) |
	       (life->renamed ? LIFE_RENAMED : 0u) | (life->ended ? LIFE_ENDED : 0u) |
	       (life->process_ended ? LIFE_PROCESS_ENDED : 0u) |
	       (life->exit_due ? LIFE_EXIT_DUE : 0u) |
	       (life->names_differ ? LIFE_NAMES_DIFFER : 0u) | (life->image ? LIFE_HAS_IMAGE : 0u) |
	       (life->cred ? LIFE_HAS_CRED : 0u) |
	       (life->process && life->process != life ? LIFE_IN_GROUP : 0u) |
	       (life->core_dumped ? LIFE_CORE_DUMPED : 0u);
}

static void life_write(struct writer *w, const struct life *life)
{
	write_varint(w, life_flags(life));
	write_varint(w, zigzag(life->id));
	write_varint(w, zigzag(life->parent_id));
	write_varint(w, zigzag(life->process_id));
	write_varint(w, life->pid);
	write_varint(w, life->tid);
	write_varint(w, life->ppid);
	write_varint(w, life->ptid);
	write_varint(w, life->start_ns);
	write_varint(w, life->start_cpu);
	write_u8(w, life->born);
	write_u8(w, life->comm_source);
	write_varint(w, life->comm_since_ns);
	if (life->comm_known)
		comm_write(w, life->comm);
	if (life->birth_comm_known)
		comm_write(w, life->birth_comm);
	if (life->image)
		write_varint(w, life->image->event_no);
	if (life->cred)
		write_varint(w, life->cred->event_no);
	if (life->ended) {
		write_u8(w, life->end_how);
		write_varint(w, life->end_ns);
		write_varint(w, life->end_event_no);
		write_varint(w, life->end_cpu);
		write_varint(w, life->exit_code);
		write_varint(w, life->exit_signal);
		write_varint(w, life->end_ppid);
		write_varint(w, life->end_ptid);
	}
	if (life->process_ended)
		write_varint(w, life->process_end_ns);
	write_varint(w, life->seen_by_no);
	write_varint(w, life->seen_ns);
}

static void head_write(struct writer *w, const struct lives *lives)
{
	write_u8(w, KEYFRAME_VERSION);
	write_varint(w, lives->boot_no);
	write_varint(w, lives->event_no);
	write_varint(w, lives->last_lost_no);
	write_varint(w, lives->start_no);
	write_varint(w, lives->start_ns);
	write_varint(w, lives->clock.event_no);
	write_varint(w, lives->clock.monotonic_ns);
	write_varint(w, lives->clock.boottime_ns);
	write_varint(w, lives->clock.realtime_ns);
	write_varint(w, lives->clock.reason);
	write_varint(w, lives->cpu_count);
	for (size_t i = 0; i < LIVES_CPU_SLOTS; i++) {
		if (!lives->cpu[i].used)
			continue;
		write_varint(w, lives->cpu[i].cpu);
		write_varint(w, lives->cpu[i].seq);
		write_varint(w, lives->cpu[i].timestamp_ns);
	}
}

static void refs_write(struct writer *w, const struct refs *refs)
{
	write_varint(w, refs->image_count);
	for (size_t i = 0; i < refs->image_count; i++) {
		write_varint(w, refs->image[i]->event_no);
		write_varint(w, zigzag(refs->image[i]->life_id));
		write_varint(w, refs->image[i]->detail_bytes);
		write_bytes(w, refs->image[i]->detail, refs->image[i]->detail_bytes);
	}
	write_varint(w, refs->cred_count);
	for (size_t i = 0; i < refs->cred_count; i++) {
		const struct cred *cred = refs->cred[i];

		write_varint(w, cred->event_no);
		write_u8(w, (uint8_t)((cred->uid_known ? CRED_UID_KNOWN : 0) |
				      (cred->gid_known ? CRED_GID_KNOWN : 0)));
		write_varint(w, cred->ruid);
		write_varint(w, cred->euid);
		write_varint(w, cred->rgid);
		write_varint(w, cred->egid);
	}
}

static size_t keyframe_max_bytes(const struct lives *lives, const struct refs *refs)
{
	size_t bytes = 128 + lives->cpu_count * 32 + lives->life_count * LIFE_PACKED_MAX_BYTES +
		       refs->cred_count * 48;

	for (size_t i = 0; i < refs->image_count; i++)
		bytes += 48 + refs->image[i]->detail_bytes;
	return bytes;
}

int lives_pack(const struct lives *lives, uint8_t **ret_data, size_t *ret_bytes)
{
	struct refs refs;
	const struct life *life = lives->all;
	uint8_t *data = NULL;
	struct writer w;
	int r = refs_collect(lives, &refs);

	if (r < 0)
		return r;
	w.capacity = keyframe_max_bytes(lives, &refs);
	data = malloc(w.capacity);
	if (!data) {
		r = -ENOMEM;
		goto out;
	}
	w = writer_make(data, w.capacity);
	head_write(&w, lives);
	refs_write(&w, &refs);
	write_varint(&w, lives->life_count);
	while (life && life->all_next)
		life = life->all_next;
	for (; life; life = life->all_prev)
		life_write(&w, life);
	if (w.failed) {
		r = -ENOMEM; /* keyframe_max_bytes() is wrong */
		goto out;
	}
	*ret_data = steal_pointer(data);
	*ret_bytes = w.bytes;
out:
	free(data);
	free(refs.image);
	free(refs.cred);
	return r;
}

/* --- and back --- */

struct owned_refs {
	struct image **image;
	struct cred **cred;
	size_t image_count, cred_count;
};

static void owned_refs_clear(struct owned_refs *refs)
{
	for (size_t i = 0; i < refs->image_count; i++)
		lives_image_unref(refs->image[i]);
	for (size_t i = 0; i < refs->cred_count; i++)
		lives_cred_unref(refs->cred[i]);
	free(refs->image);
	free(refs->cred);
}

/* A count of things that take at least one byte each: more than there are bytes left is a lie. */
static size_t count_read(struct reader *r)
{
	uint64_t count = read_varint(r);

	if (count > reader_left(r)) {
		r->failed = true;
		return 0;
	}
	return (size_t)count;
}

static int images_read(struct reader *r, struct owned_refs *refs)
{
	size_t count = count_read(r);

	refs->image = calloc(count + 1, sizeof(struct image *));
	if (!refs->image)
		return -ENOMEM;
	for (size_t i = 0; i < count && !r->failed; i++) {
		uint64_t event_no = read_varint(r);
		int64_t life_id = unzigzag(read_varint(r));
		uint64_t bytes = read_varint(r);
		const uint8_t *detail =
			bytes <= EVENT_DETAIL_MAX_BYTES ? read_bytes(r, (size_t)bytes) : NULL;

		if (!detail)
			return -EBADMSG;
		refs->image[i] = lives_image_new(event_no, life_id, detail, (size_t)bytes);
		if (!refs->image[i])
			return -ENOMEM;
		refs->image_count++;
	}
	return r->failed ? -EBADMSG : 0;
}

static int creds_read(struct reader *r, struct owned_refs *refs)
{
	size_t count = count_read(r);

	refs->cred = calloc(count + 1, sizeof(struct cred *));
	if (!refs->cred)
		return -ENOMEM;
	for (size_t i = 0; i < count && !r->failed; i++) {
		struct cred *cred = lives_cred_new(read_varint(r), NULL);
		uint8_t flags = read_u8(r);

		if (!cred)
			return -ENOMEM;
		refs->cred[refs->cred_count++] = cred;
		cred->uid_known = flags & CRED_UID_KNOWN;
		cred->gid_known = flags & CRED_GID_KNOWN;
		cred->ruid = (uint32_t)read_varint(r);
		cred->euid = (uint32_t)read_varint(r);
		cred->rgid = (uint32_t)read_varint(r);
		cred->egid = (uint32_t)read_varint(r);
	}
	return r->failed ? -EBADMSG : 0;
}

static struct image *image_find(const struct owned_refs *refs, uint64_t event_no)
{
	const struct image key = { .event_no = event_no };
	const struct image *wanted = &key;
	struct image **found =
		bsearch(&wanted, refs->image, refs->image_count, sizeof(wanted), image_compare);

	return found ? *found : NULL;
}

static struct cred *cred_find(const struct owned_refs *refs, uint64_t event_no)
{
	const struct cred key = { .event_no = event_no };
	const struct cred *wanted = &key;
	struct cred **found =
		bsearch(&wanted, refs->cred, refs->cred_count, sizeof(wanted), cred_compare);

	return found ? *found : NULL;
}

static void end_read(struct reader *r, struct life *life)
{
	life->end_how = read_u8(r);
	life->end_ns = read_varint(r);
	life->end_event_no = read_varint(r);
	life->end_cpu = (uint32_t)read_varint(r);
	life->exit_code = (uint32_t)read_varint(r);
	life->exit_signal = (uint32_t)read_varint(r);
	life->end_ppid = (uint32_t)read_varint(r);
	life->end_ptid = (uint32_t)read_varint(r);
}

/* The leader with this id, among those that bear the number. */
static struct life *leader_find(const struct lives *lives, uint32_t pid, int64_t id)
{
	struct life *life = lives_table_newest(lives, pid);

	while (life && life->id != id)
		life = lives_table_older(life);
	return life && life->pid == life->tid ? life : NULL;
}

static int life_read(struct reader *r, struct lives *lives, const struct owned_refs *refs)
{
	uint64_t flags = read_varint(r);
	int64_t id = unzigzag(read_varint(r));
	int64_t parent_id = unzigzag(read_varint(r));
	int64_t process_id = unzigzag(read_varint(r));
	uint32_t pid = (uint32_t)read_varint(r);
	uint32_t tid = (uint32_t)read_varint(r);
	struct life *life = r->failed ? NULL : lives_table_add(lives, id, pid, tid);

	if (!life)
		return r->failed ? -EBADMSG : -ENOMEM;
	life->parent_id = parent_id;
	life->process_id = process_id;
	life->ppid = (uint32_t)read_varint(r);
	life->ptid = (uint32_t)read_varint(r);
	life->start_ns = read_varint(r);
	life->start_cpu = (uint32_t)read_varint(r);
	life->born = read_u8(r);
	life->comm_source = read_u8(r);
	life->comm_since_ns = read_varint(r);
	life->comm_known = flags & LIFE_COMM_KNOWN;
	life->birth_comm_known = flags & LIFE_BIRTH_COMM_KNOWN;
	life->renamed = flags & LIFE_RENAMED;
	life->exit_due = flags & LIFE_EXIT_DUE;
	life->names_differ = flags & LIFE_NAMES_DIFFER;
	if (life->comm_known)
		comm_read(r, life->comm);
	if (life->birth_comm_known)
		comm_read(r, life->birth_comm);
	if (flags & LIFE_HAS_IMAGE)
		life->image = lives_image_ref(image_find(refs, read_varint(r)));
	if (flags & LIFE_HAS_CRED)
		life->cred = lives_cred_ref(cred_find(refs, read_varint(r)));
	life->ended = flags & LIFE_ENDED;
	if (life->ended)
		end_read(r, life);
	life->process_ended = flags & LIFE_PROCESS_ENDED;
	if (life->process_ended) { /* it waits for its own EXIT */
		life->process_end_ns = read_varint(r);
		life->process_end_how = life->end_how;
	}
	life->core_dumped = flags & LIFE_CORE_DUMPED;
	life->seen_by_no = read_varint(r);
	life->seen_ns = read_varint(r);
	if (life->ended && pid == tid)
		life->live_threads = 0;
	life->user = flags & LIFE_IN_GROUP ? lives : NULL; /* until groups are joined */
	return r->failed ? -EBADMSG : 0;
}

/* Puts the threads to their leaders, which may stand behind them.  -EBADMSG: what is said of groups does not hold together. */
static int groups_join(struct lives *lives)
{
	for (struct life *life = lives->all; life; life = life->all_next) {
		struct life *leader =
			life->user ? leader_find(lives, life->pid, life->process_id) : NULL;

		if (life->user && (!leader || leader == life || life->ended))
			return -EBADMSG;
		if (leader)
			lives_group_join(leader, life);
		life->user = NULL;
	}
	for (const struct life *life = lives->all; life; life = life->all_next) {
		bool lingers = life->exit_due || (life->process == life && life->live_threads > 0);

		if (life->ended && !lingers)
			return -EBADMSG; /* nothing would ever take it out again */
	}
	return 0;
}

static int lives_read(struct lives *lives, struct reader *r, struct owned_refs *refs)
{
	size_t count;
	int result = images_read(r, refs);

	if (result == 0)
		result = creds_read(r, refs);
	if (result < 0)
		return result;
	count = count_read(r);
	for (size_t i = 0; i < count && result == 0; i++)
		result = life_read(r, lives, refs);
	if (result == 0 && (r->failed || reader_left(r) > 0))
		result = -EBADMSG;
	return result < 0 ? result : groups_join(lives);
}

static void head_read(struct lives *lives, struct reader *r)
{
	size_t cpus;

	lives->boot_no = (uint32_t)read_varint(r);
	lives->event_no = read_varint(r);
	lives->last_lost_no = read_varint(r);
	lives->start_no = read_varint(r);
	lives->start_ns = read_varint(r);
	lives->clock.event_no = read_varint(r);
	lives->clock.monotonic_ns = read_varint(r);
	lives->clock.boottime_ns = read_varint(r);
	lives->clock.realtime_ns = read_varint(r);
	lives->clock.reason = read_varint(r);
	cpus = count_read(r);
	for (size_t i = 0; i < cpus && !r->failed; i++) {
		uint32_t cpu = (uint32_t)read_varint(r);
		uint32_t seq = (uint32_t)read_varint(r);

		lives_cpu_note(lives, cpu, seq, read_varint(r));
	}
}

static void watch_tell(const struct lives *lives, const struct owned_refs *refs)
{
	const struct lives_watch *watch = &lives->watch;

	for (size_t i = 0; i < refs->image_count && watch->image; i++)
		watch->image(watch->context, refs->image[i]);
	for (size_t i = 0; i < refs->cred_count && watch->cred; i++)
		watch->cred(watch->context, refs->cred[i]);
	for (struct life *life = lives->all; life && watch->born; life = life->all_next)
		watch->born(watch->context, life);
}

int lives_unpack(struct lives *lives, const uint8_t *data, size_t bytes)
{
	struct reader r = reader_make(data, bytes);
	struct owned_refs refs = { 0 };
	uint8_t version = read_u8(&r);
	int result;

	if (r.failed)
		return -EBADMSG;
	if (version != KEYFRAME_VERSION)
		return -EPROTONOSUPPORT;
	head_read(lives, &r);
	result = lives_read(lives, &r, &refs);
	if (result == 0)
		watch_tell(lives, &refs);
	owned_refs_clear(&refs);
	return result;
}
