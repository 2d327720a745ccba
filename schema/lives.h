/* lives.h - the state machine of lives: folds the numbered stream of events into tasks, processes, names, images and credentials.
 *
 * Pure: no I/O, no clock.  The recorder keeps one to make keyframes, the projector to fill the index, the query tool to answer; the
 * rules for what the kernel leaves out or reports in odd order stand in lives.c.
 *
 * A life is one task (thread) from birth to end.  Its id is the event_no of the FORK or SNAPSHOT that began it.  A task whose
 * birth was not seen has the negative id -(2 * N) (a process) or -(2 * N + 1) (a thread), N being the event that first spoke of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schema/event.h"

/* The bit of an exit code that says that a core was dumped. */
enum { LIVES_STATUS_CORE = 0x80 };

/* What a task runs: the details of an exec or snapshot.  Shared by those who inherited it. */
struct image {
	uint64_t event_no; /* of the exec or snapshot */
	int64_t life_id;   /* of whom */
	uint32_t refs;
	uint32_t detail_bytes;
	uint8_t detail[]; /* packed: detail.h */
};

struct cred {
	uint64_t event_no; /* that set it */
	uint32_t refs;
	uint32_t ruid, euid, rgid, egid;
	bool uid_known, gid_known;
};

/* These numbers are in keyframes and in the index. */
enum life_birth { LIFE_BORN_FORK = 1, LIFE_BORN_SNAPSHOT = 2, LIFE_BORN_UNSEEN = 0 };
enum life_end {
	LIFE_END_EXIT = 0, /* by an EXIT event */
	LIFE_END_EXEC = 1, /* another thread of the process ran exec: inferred */
	LIFE_END_REUSED =
		2, /* its tid was given to another before any EXIT came: inferred; gone by end_ns */
	LIFE_END_ABSENT =
		3, /* no longer there in a later snapshot, or a leader that has ended there: inferred; gone by end_ns */
	LIFE_END_BOOT = 4, /* the machine was started anew: inferred; end_ns is not known */
};
enum life_name {
	LIFE_NAME_FORK = 0,
	LIFE_NAME_EXEC = 1,
	LIFE_NAME_COMM = 2,
	LIFE_NAME_SNAPSHOT = 3
};

struct life {
	int64_t id;
	int64_t parent_id;    /* the process that the kernel named as parent; 0: not known */
	struct life *process; /* the leader; itself for a leader; NULL: not known, or forgotten */
	int64_t process_id;   /* the leader's id; 0: not known */
	uint32_t boot_no;
	uint32_t pid, tid, ppid, ptid; /* ppid, ptid as FORK or SNAPSHOT said */
	uint64_t start_ns;             /* 0: not known */
	uint32_t start_cpu;
	uint8_t born; /* enum life_birth */

	bool comm_known, birth_comm_known, renamed; /* renamed: comm is not what it was at birth */
	char comm[EVENT_COMM_BYTES], birth_comm[EVENT_COMM_BYTES];
	uint8_t comm_source; /* enum life_name of comm */
	uint64_t comm_since_ns;
	struct image *image; /* NULL: not known */
	struct cred *cred;   /* NULL: not known */

	bool ended;                    /* this task is gone */
	uint8_t end_how;               /* enum life_end */
	uint64_t end_ns, end_event_no; /* 0: not known; end_event_no only with LIFE_END_EXIT */
	uint32_t end_cpu, exit_code, exit_signal, end_ppid, end_ptid;

	/* Of leaders only: the process, which ends with its last thread. */
	uint32_t live_threads; /* tasks of this process that live, the leader included */
	bool process_ended;
	uint64_t process_end_ns;
	/* Of the task that ended last: how, and with LIFE_END_EXIT the status that the process's parent is given. */
	uint8_t process_end_how; /* enum life_end */
	uint32_t process_exit_code;

	void *user;        /* the owner of the fold may hang something on a life; NULL at birth */
	struct life *next; /* in the list of lives_ended() */

	/* lives_table.c and lives.c only */
	struct life *hash_next;               /* same bucket; of one tid the newest first */
	struct life *all_prev, *all_next;     /* everything not yet among the ended */
	struct life *group_prev, *group_next; /* of a leader: its other live tasks */
	uint64_t seen_by_no;                  /* the newest SNAPSHOT that had it; 0: none */
	uint64_t seen_ns;                     /* when that SNAPSHOT was read */
	bool exit_due;                        /* its end was inferred; its EXIT may still come */
	bool names_differ; /* of a leader: since its exec not all tasks had one name */
	bool core_dumped;  /* of a leader: a task of the process ended with LIVES_STATUS_CORE */
};

/* Told of what happens, each before lives_apply() returns.  Any may be NULL. */
struct lives_watch {
	void *context;
	void (*born)(void *context, struct life *life);
	/* The task has a name (NULL: no longer known) from at_ns on. */
	void (*named)(void *context, struct life *life, const char *comm, enum life_name source,
		      uint64_t at_ns, const struct event *event);
	/* Some other fact of this life has changed: image, cred, parent, start. */
	void (*changed)(void *context, struct life *life);
	/* A new image or credential version, before changed() for those who have it. */
	void (*image)(void *context, const struct image *image);
	void (*cred)(void *context, const struct cred *cred);
	/* The task is gone.  May come a second time for the same life, when its EXIT arrives after its end had been inferred. */
	void (*ended)(void *context, struct life *life);
	/* An EXIT that was taken for the leader's end was not: another thread took its place by exec (KERNEL rule: EXIT B/B, EXEC B/B).
	 * end_* still hold that EXIT; they are cleared when this returns. */
	void (*revived)(void *context, struct life *life);
	/* The last task of the process is gone. */
	void (*process_ended)(void *context, struct life *leader);
	/* The snapshot's life `gone` is the same as `into`, whose FORK came behind it in the stream. */
	void (*merged)(void *context, struct life *gone, struct life *into);
};

struct lives;

/* NULL when memory ran out.  The watch is copied; NULL: none. */
struct lives *lives_new(const struct lives_watch *watch);
void lives_free(struct lives *lives); /* NULL does nothing; frees every life */

/* Folds the next event.  *ret_life is the life that the event is of (for fork the child), or NULL where it has none;
 * valid until lives_forget_ended().  *ret_folded: an EXIT that is this life's end (and not one that could not be joined to it).
 * 0, or -ENOMEM, after which the fold is of no more use. */
int lives_apply(struct lives *lives, const struct event *event, struct life **ret_life,
		bool *ret_folded);

/* The life that bears this tid now, or NULL. */
struct life *lives_find(const struct lives *lives, uint32_t tid);

/* Those in the fold, in no order; and those that left it since the last lives_forget_ended(), newest first.  Beside the living the first
 * list has leaders that ended before their threads (ended is set), and lives whose end was inferred while their EXIT may still come. */
struct life *lives_first(const struct lives *lives);
struct life *lives_after(const struct life *life);
struct life *lives_ended(const struct lives *lives);
void lives_forget_ended(struct lives *lives);

/* Number of the event folded last, and the boot it was of. */
uint64_t lives_event_no(const struct lives *lives);
uint32_t lives_boot_no(const struct lives *lives);

/* Per CPU: seq and timestamp_ns of its newest kernel event in this boot.  0, or -ENOENT. */
int lives_cpu(const struct lives *lives, uint32_t cpu, uint32_t *ret_seq,
	      uint64_t *ret_timestamp_ns);
/* Calls each(context, cpu, seq, timestamp_ns) for every CPU known. */
void lives_each_cpu(const struct lives *lives,
		    void (*each)(void *context, uint32_t cpu, uint32_t seq, uint64_t timestamp_ns),
		    void *context);

/* The newest CLOCK event folded (0 event_no: none in this boot). */
struct lives_clock {
	uint64_t event_no, monotonic_ns, boottime_ns, realtime_ns;
	uint64_t reason; /* EVENT_CLOCK_* */
};
struct lives_clock lives_clock(const struct lives *lives);

/* A keyframe: all that is known of what lives.  0: *ret_data is the caller's to free; -ENOMEM. */
int lives_pack(const struct lives *lives, uint8_t **ret_data, size_t *ret_bytes);

/* Begins with a keyframe; lives must be fresh.  No watch is called but born(), image() and cred().
 * 0, -EBADMSG, -EPROTONOSUPPORT, -ENOMEM. */
int lives_unpack(struct lives *lives, const uint8_t *data, size_t bytes);
