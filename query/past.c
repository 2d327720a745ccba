/* past.c - the fold goes from the keyframe before the window to the window's end.
 *
 * A life gets a past_life at birth.  One that ends before the window is let go at once, unless a child that still lives needs it as an
 * ancestor, so that memory is bounded by who lives and by the window.
 */
#include "query/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query/past_forest.h"
#include "schema/cleanup.h"

enum {
	ARENA_BYTES = 1 << 20,
	IMAGE_BUCKETS = 4096,
	FORGET_EVENTS =
		32, /* so many between two lives_forget_ended(): the next lives lie in the cache */
};

struct arena {
	struct arena *next;
	size_t used;
	_Alignas(16) uint8_t bytes[ARENA_BYTES];
};

struct past {
	const struct window_boot *window;
	uint64_t from_ns;
	uint32_t boot_no;
	unsigned flags;
	bool unpacking, failed;
	struct lives *lives;
	struct arena *arena;
	struct past_life *free;
	struct past_name *free_names;
	struct past_version *free_versions;
	uint64_t now_ns; /* of the event that is folded */
	struct past_life **bucket;
	size_t bucket_count, life_count; /* bucket_count is a power of two */
	struct past_image *image[IMAGE_BUCKETS];
	struct past_forest forest;
	size_t orphan_at; /* of its lives: those before are not orphans any more */
};

/* --- memory --- */

static void *arena_take(struct past *past, size_t bytes)
{
	struct arena *arena = past->arena;
	size_t room = (bytes + 15) & ~(size_t)15;

	if (!arena || ARENA_BYTES - arena->used < room) {
		arena = malloc(sizeof(*arena));
		if (!arena) {
			past->failed = true;
			return NULL;
		}
		arena->next = past->arena;
		arena->used = 0;
		past->arena = arena;
	}
	arena->used += room;
	return arena->bytes + arena->used - room;
}

static size_t hash_id(const struct past *past, int64_t id)
{
	return (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 20) &
	       (past->bucket_count - 1);
}

static bool table_grow(struct past *past)
{
	size_t old_count = past->bucket_count;
	struct past_life **old = past->bucket;

	past->bucket_count = old_count ? old_count * 2 : 1024;
	past->bucket = calloc(past->bucket_count, sizeof(struct past_life *));
	if (!past->bucket) {
		past->bucket = old;
		past->bucket_count = old_count;
		past->failed = true;
		return false;
	}
	for (size_t i = 0; i < old_count; i++) {
		for (struct past_life *life = old[i], *next; life; life = next) {
			size_t at = hash_id(past, life->id);

			next = life->hash_next;
			life->hash_next = past->bucket[at];
			past->bucket[at] = life;
		}
	}
	free(old);
	return true;
}

static struct past_life *find(const struct past *past, int64_t id)
{
	struct past_life *life = NULL;

	if (past->bucket_count > 0 && id != 0)
		life = past->bucket[hash_id(past, id)];
	while (life && life->id != id)
		life = life->hash_next;
	return life;
}

static struct past_life *life_add(struct past *past, int64_t id)
{
	struct past_life *life = past->free;
	size_t at;

	if (past->life_count >= past->bucket_count && !table_grow(past))
		return NULL;
	if (life)
		past->free = life->hash_next;
	else
		life = arena_take(past, sizeof(*life));
	if (!life)
		return NULL;
	at = hash_id(past, id);
	*life = (struct past_life){ .id = id, .hash_next = past->bucket[at], .holders = 1 };
	past->bucket[at] = life;
	past->life_count++;
	return life;
}

static void life_remove(struct past *past, struct past_life *life)
{
	struct past_life **at = &past->bucket[hash_id(past, life->id)];

	while (*at != life)
		at = &(*at)->hash_next;
	*at = life->hash_next;
	past->life_count--;
	if (life->names) {
		life->last_name->next = past->free_names;
		past->free_names = life->names;
	}
	if (life->versions) {
		life->last_version->next = past->free_versions;
		past->free_versions = life->versions;
	}
	life->hash_next = past->free;
	past->free = life;
}

/* One holder less; without any a life goes, and with it its hold on its parent. */
static void life_release(struct past *past, struct past_life *life)
{
	while (life && --life->holders == 0) {
		struct past_life *parent = life->parent;

		life_remove(past, life);
		life = parent;
	}
}

static void life_set_parent(struct past *past, struct past_life *life, int64_t parent_id)
{
	struct past_life *parent = find(past, parent_id);

	life->parent_id = parent_id;
	if (parent == life)
		parent = NULL;
	if (parent == life->parent)
		return;
	if (parent)
		parent->holders++;
	life_release(past, life->parent);
	life->parent = parent;
}

/* --- what is copied from the fold --- */

static struct past_image *image_copy(struct past *past, const struct image *image)
{
	struct past_image **bucket = &past->image[image->event_no % IMAGE_BUCKETS], *copy;

	for (copy = *bucket; copy; copy = copy->hash_next) {
		if (copy->event_no == image->event_no)
			return copy;
	}
	if (image->detail_bytes > EVENT_DETAIL_MAX_BYTES)
		return NULL;
	copy = arena_take(past, sizeof(*copy) + image->detail_bytes);
	if (!copy)
		return NULL;
	*copy = (struct past_image){ .hash_next = *bucket,
				     .event_no = image->event_no,
				     .life_id = image->life_id };
	memcpy(copy->packed, image->detail, image->detail_bytes);
	if (detail_unpack(copy->packed, image->detail_bytes, &copy->detail) < 0)
		copy->detail = (struct detail){ 0 };
	*bucket = copy;
	return copy;
}

static void copy_end(struct past_life *to, const struct life *from)
{
	bool leader = from->process == from || (!from->process && from->pid == from->tid);

	to->task_ended = from->ended;
	to->task_end_ns = from->end_ns;
	to->ended = leader ? from->process_ended : from->ended;
	to->end_how = leader ? from->process_end_how : from->end_how;
	to->end_ns = 0;
	if (to->ended)
		to->end_ns = leader ? from->process_end_ns : from->end_ns;
	to->exit_code = leader ? from->process_exit_code : from->exit_code;
	to->exit_signal = from->exit_signal;
	to->end_ppid = from->ended ? from->end_ppid : 0;
}

/* Everything that is known of a life now. */
static void copy(struct past *past, struct past_life *to, const struct life *from)
{
	to->boot_no = past->boot_no;
	to->pid = from->pid;
	to->tid = from->tid;
	to->ppid = from->ppid;
	to->ptid = from->ptid;
	to->process_id = from->process_id;
	to->start_ns = from->start_ns;
	to->born = from->born;
	to->comm_known = from->comm_known;
	to->renamed = from->renamed;
	to->comm_source = from->comm_source;
	memcpy(to->comm, from->comm, EVENT_COMM_BYTES);
	copy_end(to, from);
	if (from->image && (!to->image || to->image->event_no != from->image->event_no))
		to->image = image_copy(past, from->image);
	else if (!from->image)
		to->image = NULL;
	if (from->cred) {
		to->uid_known = from->cred->uid_known;
		to->gid_known = from->cred->gid_known;
		to->ruid = from->cred->ruid;
		to->euid = from->cred->euid;
		to->rgid = from->cred->rgid;
		to->egid = from->cred->egid;
	}
	life_set_parent(past, to, from->parent_id);
}

static void name_add(struct past *past, struct past_life *life, const char *comm,
		     enum life_name source, uint64_t from_ns)
{
	struct past_name *name;

	if (!(past->flags & PAST_NAMES))
		return;
	if (life->last_name && from_ns < past->from_ns) {
		name = life->last_name; /* the one before ended before the window */
	} else {
		name = past->free_names;
		if (name)
			past->free_names = name->next;
		else
			name = arena_take(past, sizeof(*name));
		if (!name)
			return;
		*name = (struct past_name){ 0 };
		if (life->last_name)
			life->last_name->next = name;
		else
			life->names = name;
		life->last_name = name;
		life->name_count++;
	}
	name->from_ns = from_ns;
	name->known = comm != NULL;
	name->source = (uint8_t)source;
	memset(name->comm, 0, EVENT_COMM_BYTES);
	if (comm)
		memcpy(name->comm, comm, EVENT_COMM_BYTES);
}

static struct past_version version_of(struct past *past, const struct life *from, uint64_t from_ns)
{
	struct past_version version = { .from_ns = from_ns };

	if (from->image)
		version.image = image_copy(past, from->image);
	if (from->cred) {
		version.uid_known = from->cred->uid_known;
		version.gid_known = from->cred->gid_known;
		version.ruid = from->cred->ruid;
		version.euid = from->cred->euid;
		version.rgid = from->cred->rgid;
		version.egid = from->cred->egid;
	}
	return version;
}

static bool version_same(const struct past_version *a, const struct past_version *b)
{
	return a->image == b->image && a->uid_known == b->uid_known &&
	       a->gid_known == b->gid_known && a->ruid == b->ruid && a->euid == b->euid &&
	       a->rgid == b->rgid && a->egid == b->egid;
}

/* As name_add(): what ended before the window makes room. */
static void version_add(struct past *past, struct past_life *life, const struct life *from,
			uint64_t from_ns)
{
	struct past_version *version = life->last_version, now;

	if (!(past->flags & PAST_VERSIONS))
		return;
	now = version_of(past, from, from_ns);
	if (version && version_same(version, &now))
		return;
	if (!version || from_ns >= past->from_ns) {
		version = past->free_versions;
		if (version)
			past->free_versions = version->next;
		else
			version = arena_take(past, sizeof(*version));
		if (!version)
			return;
		if (life->last_version)
			life->last_version->next = version;
		else
			life->versions = version;
		life->last_version = version;
	}
	*version = now;
}

/* --- the watch of the fold --- */

static void on_born(void *context, struct life *from)
{
	struct past *past = context;
	struct past_life *life;

	if (!(past->flags & PAST_THREADS) && from->pid != from->tid)
		return;
	life = life_add(past, from->id);
	if (!life)
		return;
	from->user = life;
	life->pid = from->pid;
	life->tid = from->tid;
	if (!past->unpacking)
		life_set_parent(past, life, from->parent_id);
	/* Of one that was not seen to be born, what is not known is not a name either. */
	if (from->comm_known || from->born == LIFE_BORN_FORK)
		name_add(past, life, from->comm_known ? from->comm : NULL,
			 past->unpacking ? from->comm_source : LIFE_NAME_FORK,
			 past->unpacking ? from->comm_since_ns : from->start_ns);
	if (past->flags & PAST_VERSIONS && !past->unpacking)
		life->at_birth = version_of(past, from, from->start_ns);
	version_add(past, life, from, past->unpacking ? 0 : from->start_ns);
}

static void on_named(void *context, struct life *from, const char *comm, enum life_name source,
		     uint64_t at_ns, const struct event *event)
{
	(void)event;
	if (from->user)
		name_add(context, from->user, comm, source, at_ns);
}

static void on_changed(void *context, struct life *from)
{
	struct past_life *life = from->user;

	if (life && life->parent_id != from->parent_id)
		life_set_parent(context, life, from->parent_id);
	if (life)
		version_add(context, life, from, ((struct past *)context)->now_ns);
}

/* A task or process is gone: what is known is kept, if the window reaches it. */
static void settle(struct past *past, struct life *from)
{
	struct past_life *life = from->user;

	if (!life)
		return;
	copy(past, life, from);
	if (from->ended && from->end_how == LIFE_END_EXIT && window_has(past->window, from->end_ns))
		life->kinds |= UINT64_C(1) << EVENT_EXIT;
	if (!life->ended || from->exit_due || past->failed)
		return;
	from->user = NULL;
	/* An end that is not known may have been in the window. */
	if (life->end_ns != 0 && life->end_ns < past->from_ns) {
		life->dropped = true;
		life_release(past, life);
	}
}

static void on_ended(void *context, struct life *from)
{
	/* A leader is settled with its process. */
	if (from->pid != from->tid || !from->process)
		settle(context, from);
}

static void on_process_ended(void *context, struct life *from)
{
	settle(context, from);
}

/* Its children and threads have been told that they are the other's now. */
static void on_merged(void *context, struct life *gone, struct life *into)
{
	struct past_life *life = gone->user, *other = into->user;

	gone->user = NULL;
	if (other)
		other->snapshot_id = gone->id;
	if (!life)
		return;
	life->dropped = true;
	life_release(context, life);
}

/* --- the fold --- */

/* A keyframe into a fresh fold; RING_NO_BLOCK: nothing to do. */
static int unpack_keyframe(struct lives *lives, struct ledger *ledger, uint64_t block_no)
{
	auto_free uint8_t *data = NULL;
	size_t bytes;
	int r;

	if (block_no == RING_NO_BLOCK)
		return 0;
	r = ring_read_keyframe(ledger->ring, block_no, &data, &bytes);
	if (r > 0)
		return -EBADMSG;
	return r < 0 ? r : lives_unpack(lives, data, bytes);
}

static int load_keyframe(struct past *past, struct ledger *ledger, uint64_t block_no)
{
	int r;

	past->unpacking = true;
	r = unpack_keyframe(past->lives, ledger, block_no);
	past->unpacking = false;
	for (struct life *life = lives_first(past->lives); life; life = lives_after(life)) {
		if (life->user)
			life_set_parent(past, life->user, life->parent_id);
	}
	return r;
}

/* Whether the window reaches the end of a boot that another one followed: then nobody lives on, and no end was seen. */
static bool boot_is_over(const struct ledger *ledger, const struct window_boot *window, size_t last,
			 uint64_t until_ns)
{
	const struct ledger_boot *boot = window->boot;

	return boot != &ledger->boots[ledger->boot_count - 1] &&
	       last == boot->first_span + boot->span_count - 1 && until_ns >= boot->ts_max_ns;
}

static void copy_living(struct past *past, bool boot_over)
{
	for (struct life *life = lives_first(past->lives); life; life = lives_after(life)) {
		struct past_life *to = life->user;

		if (!to)
			continue;
		copy(past, to, life);
		if (!to->ended && boot_over) {
			to->ended = true;
			to->end_how = LIFE_END_BOOT;
			to->end_ns = 0;
		}
	}
}

static void note_kind(const struct past *past, const struct life *from, const struct event *event)
{
	struct past_life *life = from->user;

	if (life && event->kind < EVENT_KIND_LIMIT && window_has(past->window, event->timestamp_ns))
		life->kinds |= UINT64_C(1) << event->kind;
}

static int fold(struct past *past, struct ledger *ledger, size_t first, size_t last)
{
	uint64_t until = past->window->intervals[past->window->count - 1].to_ns;
	struct ledger_walk walk;
	size_t since_forget = 0;
	int r = ledger_walk_init(&walk, ledger, first, last);

	while (r == 0) {
		const struct event *event;
		struct life *life;
		bool folded;

		r = ledger_walk_next(&walk, &event);
		if (r != 0)
			break;
		if (event->timestamp_ns > until || walk.boot_no != past->boot_no)
			continue;
		past->now_ns = event->timestamp_ns;
		r = lives_apply(past->lives, event, &life, &folded);
		if (r == 0 && life)
			note_kind(past, life, event);
		if (r == 0 && past->failed)
			r = -ENOMEM;
		if (++since_forget == FORGET_EVENTS) {
			lives_forget_ended(past->lives);
			since_forget = 0;
		}
	}
	ledger_walk_clear(&walk);
	if (r == LEDGER_WALK_END)
		r = 0;
	if (r == 0)
		copy_living(past, boot_is_over(ledger, past->window, last, until));
	return past->failed ? -ENOMEM : r;
}

/* --- who is in it --- */

/* The parent in the tree: of a thread the leader. */
static struct past_life *tree_parent(const struct past *past, const struct past_life *life)
{
	if (life->pid != life->tid) {
		struct past_life *leader = find(past, life->process_id);

		return leader != life ? leader : NULL;
	}
	return life->parent;
}

static bool lived_in_window(const struct past *past, const struct past_life *life)
{
	uint64_t end = life->ended && life->end_ns != 0 ? life->end_ns : UINT64_MAX;

	return !life->dropped && window_overlaps(past->window, life->start_ns, end);
}

static int collect(struct past *past)
{
	int r = past_forest_init(&past->forest, past->life_count);

	for (size_t i = 0; r == 0 && i < past->bucket_count; i++) {
		for (struct past_life *life = past->bucket[i]; r == 0 && life;
		     life = life->hash_next) {
			life->in_window = life->selected = lived_in_window(past, life);
			life->parent = tree_parent(past, life);
			r = past_forest_add(&past->forest, life);
		}
	}
	return r;
}

/* As ledger_fold_start(); without a keyframe: what can be told, beginning with nothing. */
static int find_start(struct ledger *ledger, const struct window_boot *window, unsigned flags,
		      size_t *ret_first, uint64_t *ret_keyframe)
{
	size_t known = flags & PAST_WHOLE ? window->boot->first_span : window->first;
	int r = ledger_fold_start(ledger, known, ret_first, ret_keyframe);

	if (r == LEDGER_NO_KEYFRAME && *ret_first > window->last) {
		*ret_first = window->first;
		*ret_keyframe = RING_NO_BLOCK;
	}
	return r < 0 ? r : 0;
}

int past_new(struct ledger *ledger, const struct window_boot *window, unsigned flags,
	     struct past **ret_past)
{
	struct lives_watch watch = { .born = on_born,
				     .named = on_named,
				     .changed = on_changed,
				     .ended = on_ended,
				     .process_ended = on_process_ended,
				     .merged = on_merged };
	struct past *past = calloc(1, sizeof(*past));
	uint64_t keyframe;
	size_t first;
	int r = -ENOMEM;

	if (!past)
		return -ENOMEM;
	past->window = window;
	past->from_ns = window->intervals[0].from_ns;
	past->boot_no = window->boot->boot_no;
	past->flags = flags;
	watch.context = past;
	past->lives = lives_new(&watch);
	if (past->lives && table_grow(past)) {
		r = 0;
		if (window->lived) {
			r = find_start(ledger, window, flags, &first, &keyframe);
			if (r == 0)
				r = load_keyframe(past, ledger, keyframe);
			if (r == 0)
				r = fold(past, ledger, first, window->last);
		}
	}
	lives_free(past->lives);
	past->lives = NULL;
	if (r == 0)
		r = collect(past);
	if (r < 0) {
		past_free(past);
		return r;
	}
	past_forest_keep_selected(&past->forest);
	past_forest_plant(&past->forest);
	*ret_past = past;
	return 0;
}

void past_free(struct past *past)
{
	if (!past)
		return;
	for (struct arena *arena = past->arena, *next; arena; arena = next) {
		next = arena->next;
		free(arena);
	}
	lives_free(past->lives);
	free(past->bucket);
	past_forest_clear(&past->forest);
	free(past);
}

struct past_life *const *past_lives(const struct past *past, size_t *ret_count)
{
	*ret_count = past->forest.count;
	return past->forest.lives;
}

struct past_life *past_find(const struct past *past, int64_t id)
{
	return find(past, id);
}

/* --- ancestors from elsewhere --- */

static bool is_orphan(const struct past_life *life)
{
	return !life->parent && life->parent_id != 0 && life->pid == life->tid;
}

const struct past_life *past_next_orphan(struct past *past)
{
	for (; past->orphan_at < past->forest.count; past->orphan_at++) {
		struct past_life *life = past->forest.lives[past->orphan_at];

		if (!is_orphan(life))
			continue;
		life->parent =
			find(past, life->parent_id); /* another child's parent may be its own */
		if (life->parent == life)
			life->parent = NULL;
		if (is_orphan(life))
			return life;
	}
	return NULL;
}

int past_add(struct past *past, const struct past_life *from)
{
	struct past_life *life, *hash_next;

	life = life_add(past, from->id);
	if (!life)
		return -ENOMEM;
	hash_next = life->hash_next;
	*life = *from;
	life->hash_next = hash_next;
	life->holders = 1;
	life->from_index = true;
	return past_forest_add(&past->forest, life);
}

void past_give_up(struct past *past)
{
	past->orphan_at++;
}

void past_relink(struct past *past)
{
	past_forest_plant(&past->forest);
}

void past_keep_selected(struct past *past)
{
	past_forest_keep_selected(&past->forest);
	past_forest_link(&past->forest);
}

struct past_life *past_walk(const struct past *past, struct past_life *life)
{
	return past_forest_walk(&past->forest, life);
}

uint64_t past_name_end(const struct past_life *life, const struct past_name *name)
{
	if (name->next)
		return name->next->from_ns;
	if (life->task_ended && life->task_end_ns != 0)
		return life->task_end_ns;
	return UINT64_MAX;
}
