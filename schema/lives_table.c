/* lives_table.c - hash by tid, lists, shared images and credentials of a fold.  Memory only. */
#include "schema/lives_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_AT_FIRST = 4096 };

static size_t bucket_of(const struct lives *lives, uint32_t tid)
{
	return (tid * 2654435761u) >> 7 & (lives->bucket_count - 1);
}

struct lives *lives_new(const struct lives_watch *watch)
{
	struct lives *lives = calloc(1, sizeof(*lives));

	if (!lives)
		return NULL;
	lives->bucket_count = BUCKETS_AT_FIRST;
	lives->bucket = calloc(lives->bucket_count, sizeof(struct life *));
	lives->cpu = calloc(LIVES_CPU_SLOTS, sizeof(*lives->cpu));
	if (!lives->bucket || !lives->cpu) {
		lives_free(lives);
		return NULL;
	}
	if (watch)
		lives->watch = *watch;
	return lives;
}

static void life_clear(struct life *life)
{
	lives_image_unref(life->image);
	lives_cred_unref(life->cred);
	life->image = NULL;
	life->cred = NULL;
}

void lives_free(struct lives *lives)
{
	struct life *life;

	if (!lives)
		return;
	lives_forget_ended(lives);
	while ((life = lives->all)) {
		lives->all = life->all_next;
		life_clear(life);
		free(life);
	}
	while ((life = lives->free)) {
		lives->free = life->next;
		free(life);
	}
	free(lives->bucket);
	free(lives->cpu);
	free(lives);
}

/* Twice the buckets; without memory the old ones go on serving.  Chains are rebuilt from their ends, so that of one tid the newest
 * stays first. */
static void table_grow(struct lives *lives)
{
	size_t old_count = lives->bucket_count;
	struct life **grown = calloc(old_count * 2, sizeof(struct life *));
	struct life **old = lives->bucket;

	if (!grown)
		return;
	lives->bucket = grown;
	lives->bucket_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		struct life *reversed = NULL;

		for (struct life *life = old[i], *after; life; life = after) {
			after = life->hash_next;
			life->hash_next = reversed;
			reversed = life;
		}
		for (struct life *life = reversed, *after; life; life = after) {
			struct life **head = &lives->bucket[bucket_of(lives, life->tid)];

			after = life->hash_next;
			life->hash_next = *head;
			*head = life;
		}
	}
	free(old);
}

struct life *lives_table_add(struct lives *lives, int64_t id, uint32_t pid, uint32_t tid)
{
	struct life *life = lives->free;
	struct life **head;

	if (life)
		lives->free = life->next;
	else
		life = malloc(sizeof(*life));
	if (!life)
		return NULL;
	if (lives->life_count >= lives->bucket_count)
		table_grow(lives);
	memset(life, 0, sizeof(*life));
	life->id = id;
	life->pid = pid;
	life->tid = tid;
	life->boot_no = lives->boot_no;
	if (pid == tid) {
		life->process = life;
		life->process_id = id;
		life->live_threads = 1;
	}
	head = &lives->bucket[bucket_of(lives, tid)];
	life->hash_next = *head;
	*head = life;
	life->all_next = lives->all;
	if (lives->all)
		lives->all->all_prev = life;
	lives->all = life;
	lives->life_count++;
	return life;
}

static void table_remove(struct lives *lives, struct life *life)
{
	struct life **at = &lives->bucket[bucket_of(lives, life->tid)];

	while (*at != life)
		at = &(*at)->hash_next;
	*at = life->hash_next;
	if (life->all_prev)
		life->all_prev->all_next = life->all_next;
	else
		lives->all = life->all_next;
	if (life->all_next)
		life->all_next->all_prev = life->all_prev;
	life->hash_next = life->all_prev = life->all_next = NULL;
	lives->life_count--;
}

void lives_table_retire(struct lives *lives, struct life *life)
{
	table_remove(lives, life);
	life->next = lives->ended;
	lives->ended = life;
}

void lives_table_drop(struct lives *lives, struct life *life)
{
	table_remove(lives, life);
	life_clear(life);
	life->next = lives->free;
	lives->free = life;
}

void lives_forget_ended(struct lives *lives)
{
	struct life *life;

	while ((life = lives->ended)) {
		lives->ended = life->next;
		life_clear(life);
		life->next = lives->free;
		lives->free = life;
	}
}

struct life *lives_table_newest(const struct lives *lives, uint32_t tid)
{
	struct life *life = lives->bucket[bucket_of(lives, tid)];

	while (life && life->tid != tid)
		life = life->hash_next;
	return life;
}

struct life *lives_table_older(const struct life *life)
{
	struct life *older = life->hash_next;

	while (older && older->tid != life->tid)
		older = older->hash_next;
	return older;
}

struct life *lives_find(const struct lives *lives, uint32_t tid)
{
	struct life *life = lives_table_newest(lives, tid);

	return life && !life->exit_due ? life : NULL;
}

struct life *lives_first(const struct lives *lives)
{
	return lives->all;
}

struct life *lives_after(const struct life *life)
{
	return life->all_next;
}

struct life *lives_ended(const struct lives *lives)
{
	return lives->ended;
}

void lives_group_join(struct life *leader, struct life *thread)
{
	thread->process = leader;
	thread->process_id = leader->id;
	thread->group_prev = leader;
	thread->group_next = leader->group_next;
	if (leader->group_next)
		leader->group_next->group_prev = thread;
	leader->group_next = thread;
	leader->live_threads++;
}

void lives_group_leave(struct life *thread)
{
	thread->group_prev->group_next = thread->group_next;
	if (thread->group_next)
		thread->group_next->group_prev = thread->group_prev;
	thread->group_prev = thread->group_next = NULL;
	thread->process->live_threads--;
}

struct image *lives_image_new(uint64_t event_no, int64_t life_id, const uint8_t *detail,
			      size_t bytes)
{
	struct image *image = malloc(sizeof(*image) + bytes);

	if (!image)
		return NULL;
	image->event_no = event_no;
	image->life_id = life_id;
	image->refs = 1;
	image->detail_bytes = (uint32_t)bytes;
	if (bytes > 0)
		memcpy(image->detail, detail, bytes);
	return image;
}

struct image *lives_image_ref(struct image *image)
{
	if (image)
		image->refs++;
	return image;
}

void lives_image_unref(struct image *image)
{
	if (image && --image->refs == 0)
		free(image);
}

struct cred *lives_cred_new(uint64_t event_no, const struct cred *like)
{
	struct cred *cred = calloc(1, sizeof(*cred));

	if (!cred)
		return NULL;
	if (like)
		*cred = *like;
	cred->event_no = event_no;
	cred->refs = 1;
	return cred;
}

struct cred *lives_cred_ref(struct cred *cred)
{
	if (cred)
		cred->refs++;
	return cred;
}

void lives_cred_unref(struct cred *cred)
{
	if (cred && --cred->refs == 0)
		free(cred);
}

void lives_set_image(struct life *life, struct image *image)
{
	lives_image_unref(life->image);
	life->image = image;
}

void lives_set_cred(struct life *life, struct cred *cred)
{
	lives_cred_unref(life->cred);
	life->cred = cred;
}

static struct lives_cpu_state *cpu_slot(const struct lives *lives, uint32_t cpu)
{
	size_t i = cpu & (LIVES_CPU_SLOTS - 1);

	while (lives->cpu[i].used && lives->cpu[i].cpu != cpu)
		i = (i + 1) & (LIVES_CPU_SLOTS - 1);
	return &lives->cpu[i];
}

void lives_cpu_note(struct lives *lives, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns)
{
	struct lives_cpu_state *slot = cpu_slot(lives, cpu);

	if (!slot->used) {
		if (lives->cpu_count >= LIVES_CPU_SLOTS / 2)
			return;
		lives->cpu_count++;
	} else if (event_seq_is_late(seq, slot->seq)) {
		return;
	}
	*slot = (struct lives_cpu_state){
		.cpu = cpu, .seq = seq, .timestamp_ns = timestamp_ns, .used = true
	};
}

void lives_cpu_clear(struct lives *lives)
{
	if (lives->cpu_count > 0)
		memset(lives->cpu, 0, LIVES_CPU_SLOTS * sizeof(*lives->cpu));
	lives->cpu_count = 0;
}

int lives_cpu(const struct lives *lives, uint32_t cpu, uint32_t *ret_seq,
	      uint64_t *ret_timestamp_ns)
{
	const struct lives_cpu_state *slot = cpu_slot(lives, cpu);

	if (!slot->used)
		return -ENOENT;
	*ret_seq = slot->seq;
	*ret_timestamp_ns = slot->timestamp_ns;
	return 0;
}

void lives_each_cpu(const struct lives *lives,
		    void (*each)(void *context, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns),
		    void *context)
{
	for (size_t i = 0; i < LIVES_CPU_SLOTS; i++)
		if (lives->cpu[i].used)
			each(context, lives->cpu[i].cpu, lives->cpu[i].seq,
			     lives->cpu[i].timestamp_ns);
}

uint64_t lives_event_no(const struct lives *lives)
{
	return lives->event_no;
}

uint32_t lives_boot_no(const struct lives *lives)
{
	return lives->boot_no;
}

struct lives_clock lives_clock(const struct lives *lives)
{
	return lives->clock;
}
