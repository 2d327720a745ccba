/* past.h - who lived in a window of one boot, whose child each was, what became of it: a fold of the ledger. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query/ledger.h"
#include "query/window.h"
#include "schema/detail.h"
#include "schema/lives.h"

/* A name of a task, from then on until its next one or its end. */
struct past_name {
	struct past_name *next; /* later */
	uint64_t from_ns;       /* 0: not known */
	bool known;             /* whether the name is */
	uint8_t source;         /* enum life_name */
	char comm[EVENT_COMM_BYTES];
};

struct past_image {
	struct past_image *hash_next;
	uint64_t event_no;
	int64_t life_id; /* of whom; others inherited it */
	struct detail detail;
	uint8_t packed[];
};

/* What a task ran and as whom, from then on until its next version or its end. */
struct past_version {
	struct past_version *next; /* later */
	uint64_t from_ns;          /* 0: not known */
	struct past_image *image;  /* NULL: not known */
	bool uid_known, gid_known;
	uint32_t ruid, euid, rgid, egid;
};

/* One life: what was known of it when the window ended, or when it did. */
struct past_life {
	int64_t id, parent_id, process_id; /* parent_id, process_id 0: not known */
	uint32_t boot_no, pid, tid, ppid, ptid;
	uint64_t start_ns; /* 0: not known */
	uint64_t end_ns;   /* 0: not known */
	bool ended;        /* a process: with its last thread */
	uint8_t born, end_how;
	uint32_t exit_code, exit_signal; /* only when end_how is LIFE_END_EXIT */
	bool task_ended;                 /* a leader may end before its process */
	uint64_t task_end_ns;
	bool comm_known, renamed; /* renamed: since its birth, by comm_source */
	uint8_t comm_source;      /* enum life_name */
	char comm[EVENT_COMM_BYTES];
	struct past_image *image; /* NULL: not known */
	bool uid_known, gid_known;
	uint32_t ruid, euid, rgid, egid;
	struct past_name *names, *last_name; /* those that reach into the window, oldest first */
	size_t name_count;
	struct past_version *versions, *last_version; /* the same of these: with PAST_VERSIONS */
	struct past_version at_birth;                 /* likewise; from_ns 0: not known */
	uint64_t kinds;                               /* of its events in the window, as bits */
	int64_t snapshot_id; /* of the life that a snapshot took it for before its FORK came; 0 */

	uint32_t end_ppid; /* whose child it was when it ended, as its EXIT said; 0: not known */
	bool from_index;   /* it ended before the ledger's fold begins: little is known of it */
	bool in_window;    /* else it is here for its descendants */
	bool selected, under, above; /* select.c */
	bool merged;                 /* cmd_tree.c: shown by another */

	/* The tree: children in the order of start. */
	struct past_life *parent, *first_child, *next_sibling;
	size_t depth;

	/* past.c and past_forest.c only */
	struct past_life *hash_next;
	size_t holders; /* children that need it; itself while it lives */
	bool dropped;
};

enum { PAST_THREADS = 1, PAST_NAMES = 2, PAST_VERSIONS = 4, PAST_WHOLE = 8 };

struct past;

/* Folds the ledger over the window of one boot.  flags: PAST_THREADS: tasks that are not processes too; PAST_NAMES: their names; PAST_VERSIONS: what
 * they ran and as whom; PAST_WHOLE: the fold begins where the boot does in the ring, so that every ancestor that the ring knows is there,
 * also those that ended before the keyframe before the window.
 * 0: *ret_past is the caller's to free; -errno. */
int past_new(struct ledger *ledger, const struct window_boot *window, unsigned flags,
	     struct past **ret_past);
void past_free(struct past *past); /* NULL does nothing */

/* All lives that were in the window, and the ancestors of them that are known: *ret_count of them, in the order of start.  The past's. */
struct past_life *const *past_lives(const struct past *past, size_t *ret_count);

/* The life with this id, or NULL. */
struct past_life *past_find(const struct past *past, int64_t id);

/* Ancestors that ended before the fold begins: a life in the past whose parent is known by its id alone (NULL: none any more); a parent
 * found elsewhere, which is copied (0 or -ENOMEM); or it is found nowhere.  past_relink() then makes the tree anew. */
const struct past_life *past_next_orphan(struct past *past);
int past_add(struct past *past, const struct past_life *from);
void past_give_up(struct past *past);
void past_relink(struct past *past);

/* Lets go of all but the selected lives and their ancestors. */
void past_keep_selected(struct past *past);

/* The next of a walk over the forest, parents before children; NULL to begin, NULL at the end.  Not recursive. */
struct past_life *past_walk(const struct past *past, struct past_life *life);

/* The lives that an event is of: its subject, and of a FORK the parent, of a PTRACE the tracer; 0 where there is none. */
struct past_event_lives {
	int64_t subject, other;
};
/* When a name ended: the next one's beginning, else the task's end; UINT64_MAX: it was borne on. */
uint64_t past_name_end(const struct past_life *life, const struct past_name *name);
