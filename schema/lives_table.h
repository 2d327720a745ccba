/* lives_table.h - what a fold of lives holds: the hash by tid, the lists, shared images and credentials.  Memory only.
 *
 * For lives.c, which has the rules, and lives_keyframe.c.
 */
#pragma once

#include "schema/lives.h"

enum {
	LIVES_CPU_SLOTS = 8192, /* CPUs that are followed: NR_CPUS of the largest kernel config */
};

struct lives_cpu_state {
	uint32_t cpu, seq;
	uint64_t timestamp_ns;
	bool used;
};

struct lives {
	struct lives_watch watch;
	struct life **bucket;
	size_t bucket_count, life_count; /* bucket_count is a power of two */
	struct life *all, *ended, *free;
	struct lives_cpu_state *cpu; /* open addressing, LIVES_CPU_SLOTS */
	size_t cpu_count;
	struct lives_clock clock;
	uint64_t event_no, last_lost_no, start_no, start_ns;
	uint32_t boot_no;
};

/* A life in the table and the list of all; zeroed but for pid, tid, id and process (itself, or NULL for a thread).  NULL: no memory. */
struct life *lives_table_add(struct lives *lives, int64_t id, uint32_t pid, uint32_t tid);

/* Out of the table, onto the list of the ended (or, merged away, to the free ones). */
void lives_table_retire(struct lives *lives, struct life *life);
void lives_table_drop(struct lives *lives, struct life *life);

/* Newest entry of this tid, then older ones. */
struct life *lives_table_newest(const struct lives *lives, uint32_t tid);
struct life *lives_table_older(const struct life *life);

/* A thread joins or leaves the group of its process (live_threads is kept). */
void lives_group_join(struct life *leader, struct life *thread);
void lives_group_leave(struct life *thread);

/* A new image or credential with one reference, or NULL; the references. */
struct image *lives_image_new(uint64_t event_no, int64_t life_id, const uint8_t *detail,
			      size_t bytes);
struct image *lives_image_ref(struct image *image); /* NULL gives NULL */
void lives_image_unref(struct image *image);        /* NULL does nothing */
struct cred *lives_cred_new(uint64_t event_no, const struct cred *like);
struct cred *lives_cred_ref(struct cred *cred);
void lives_cred_unref(struct cred *cred);

/* Puts another image or cred in the place of the one that a life has; takes over the reference. */
void lives_set_image(struct life *life, struct image *image);
void lives_set_cred(struct life *life, struct cred *cred);

/* Remembers the newest number of a CPU.  CPUs beyond LIVES_CPU_SLOTS / 2 are not followed. */
void lives_cpu_note(struct lives *lives, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns);
void lives_cpu_clear(struct lives *lives);
