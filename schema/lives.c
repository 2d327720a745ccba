/* lives.c - the rules by which the stream of events becomes lives.
 *
 * What the kernel leaves out or tells in odd order, found by experiment, and what is made of it here:
 *
 * 1. FORK of a thread names the parent of the process, not the creator: a thread inherits from its leader, and its
 *    name only while all tasks of the process bear one name.
 * 2. EXIT of a leader may come long before that of its threads: the process ends with its last task, and the code of that one is what
 *    its parent is given (before Linux 5.18 where that task ended alone: the leader's).  But of a dump of core only the task that wrote
 *    it tells, whichever ends last.
 * 3. exec by another thread D than the leader B: EXIT B/B, then EXEC B/B; D never exits.  B's end is taken back, D ends
 *    with the EXEC.  So does every other task of the process, whose EXIT may come a little late.
 * 4. FORK of a tid that still lives: the EXIT of the older life is under way (the kernel frees the number before it
 *    sends EXIT), so the next EXIT is the older one's, unless something was lost since it was born: then its end is
 *    inferred and the EXIT, when one comes, is the newer one's.
 * 5. EXIT names the parent as 0/0 for threads and whoever was reaped already: parentage comes from FORK alone.
 * 6. A task that was there before the recording has a life from the first event that speaks of it, without a birth.
 * 7. The snapshot is put into the stream before the events that were queued while it was read: a FORK behind it may be
 *    of a task that the snapshot has seen: they are one life, the FORK's.  An EXIT behind it may be of a leader that it has seen ended.
 * 8. A START of another boot ends every life.
 * 9. A thread of the kernel is named without a COMM: its FORK has details where it was asked for.
 */
#include "schema/lives.h"

#include <errno.h>
#include <string.h>

#include "schema/detail.h"
#include "schema/lives_table.h"

/* /proc/PID/stat tells a start to 10 ms (USER_HZ), and the kernel takes it a little before FORK's time stamp. */
#define SNAPSHOT_START_TOLERANCE_NS UINT64_C(20000000)

#define TELL(lives, what, ...)                                                    \
	do {                                                                      \
		if ((lives)->watch.what)                                          \
			(lives)->watch.what((lives)->watch.context, __VA_ARGS__); \
	} while (0)

/* The event that began a life, or first spoke of it. */
static uint64_t life_first_no(const struct life *life)
{
	return life->id < 0 ? (uint64_t)-life->id / 2 : (uint64_t)life->id;
}

static int64_t unseen_id(uint64_t event_no, bool thread)
{
	return -(int64_t)(2 * event_no + thread);
}

/* --- ends --- */

/* What a task that is gone says of how its process ended, should it be the last (rule 2). */
static void process_end_note(struct life *leader, const struct life *life)
{
	leader->process_end_how = life->end_how;
	leader->process_exit_code = life->exit_code; /* 0 where no EXIT told it */
	if ((life->exit_code & 0x7f) == 0)
		return;
	leader->core_dumped |= (life->exit_code & LIVES_STATUS_CORE) != 0;
	if (leader->core_dumped)
		leader->process_exit_code |= LIVES_STATUS_CORE;
}

/* Takes a process whose last task is gone out of the fold. */
static void process_end(struct lives *lives, struct life *leader, uint64_t end_ns)
{
	leader->process_ended = true;
	leader->process_end_ns = end_ns;
	TELL(lives, process_ended, leader);
	if (!leader->exit_due)
		lives_table_retire(lives, leader);
}

/* Marks the end of a task; the caller has set end_how and what EXIT said. */
static void task_end(struct lives *lives, struct life *life, uint64_t end_ns)
{
	struct life *leader = life->process;

	life->ended = true;
	life->end_ns = end_ns;
	TELL(lives, ended, life);
	if (leader)
		process_end_note(leader, life);
	if (leader && leader != life) {
		lives_group_leave(life);
		if (life->exit_due)
			life->process = NULL; /* it may outlast the leader in the table */
	} else if (leader) {
		leader->live_threads--;
	}
	if (leader != life && !life->exit_due)
		lives_table_retire(lives, life);
	if (leader && leader->live_threads == 0)
		process_end(lives, leader, end_ns);
}

static void end_inferred(struct lives *lives, struct life *life, enum life_end how, uint64_t end_ns,
			 bool exit_due)
{
	life->end_how = (uint8_t)how;
	life->exit_due = exit_due;
	task_end(lives, life, end_ns);
}

/* Ends all other tasks of a process, then, for how other than EXEC, the leader. */
static void group_end_inferred(struct lives *lives, struct life *leader, enum life_end how,
			       uint64_t end_ns, bool exit_due)
{
	while (leader->group_next)
		end_inferred(lives, leader->group_next, how, end_ns, exit_due);
	if (how != LIFE_END_EXEC && !leader->ended)
		end_inferred(lives, leader, how, end_ns, exit_due);
}

/* Of one whose end was inferred: its EXIT never came. */
static void exit_give_up(struct lives *lives, struct life *life, uint64_t now_ns)
{
	if (life->process != life || !life->group_next) {
		lives_table_retire(lives, life);
		return;
	}
	life->exit_due = false; /* it leaves with its process */
	group_end_inferred(lives, life, LIFE_END_REUSED, now_ns, false);
}

static void exit_take(struct life *life, const struct event *event)
{
	life->end_how = LIFE_END_EXIT;
	life->end_event_no = event->event_no;
	life->end_cpu = event->cpu;
	life->exit_code = (uint32_t)event->arg[0];
	life->exit_signal = (uint32_t)event->arg[1];
	life->end_ppid = event->ppid;
	life->end_ptid = event->ptid;
}

/* --- names, images, credentials --- */

/* A task was named: do the names within its process differ now? */
static bool names_part(const struct life *life)
{
	const struct life *leader = life->process;

	return leader && leader->live_threads > 1 &&
	       (life == leader || life->comm_known != leader->comm_known ||
		memcmp(life->comm, leader->comm, EVENT_COMM_BYTES) != 0);
}

static void name_set(struct lives *lives, struct life *life, const char *comm,
		     enum life_name source, const struct event *event)
{
	if (!life->renamed) {
		life->birth_comm_known = life->comm_known;
		memcpy(life->birth_comm, life->comm, EVENT_COMM_BYTES);
		life->renamed = true;
	}
	life->comm_known = comm != NULL;
	memset(life->comm, 0, EVENT_COMM_BYTES);
	if (comm)
		memcpy(life->comm, comm, EVENT_COMM_BYTES);
	life->comm_source = (uint8_t)source;
	life->comm_since_ns = event->timestamp_ns;
	if (names_part(life))
		life->process->names_differ = true; /* rule 1 */
	TELL(lives, named, life, comm, source, event->timestamp_ns, event);
}

static void inherit(struct life *life, const struct life *from)
{
	if (!from)
		return;
	life->comm_known = from->comm_known;
	memcpy(life->comm, from->comm, EVENT_COMM_BYTES);
	lives_set_image(life, lives_image_ref(from->image));
	lives_set_cred(life, lives_cred_ref(from->cred));
}

static int cred_change(struct lives *lives, struct life *life, const struct event *event,
		       const struct cred *wanted)
{
	struct cred *cred = lives_cred_new(event->event_no, wanted);

	if (!cred)
		return -ENOMEM;
	TELL(lives, cred, cred);
	lives_set_cred(life, cred);
	return 0;
}

/* Ids that were read from /proc are a new version only where they differ from what is known. */
static int cred_from_detail(struct lives *lives, struct life *life, const struct event *event,
			    const struct detail *detail)
{
	struct cred wanted = { .uid_known = true, .gid_known = true };
	const struct cred *known = life->cred;

	if (detail_u32(detail, DETAIL_IDS, 0, &wanted.ruid) < 0 ||
	    detail_u32(detail, DETAIL_IDS, 1, &wanted.euid) < 0 ||
	    detail_u32(detail, DETAIL_IDS, 2, &wanted.rgid) < 0 ||
	    detail_u32(detail, DETAIL_IDS, 3, &wanted.egid) < 0)
		return 0;
	if (known && known->uid_known && known->gid_known && known->ruid == wanted.ruid &&
	    known->euid == wanted.euid && known->rgid == wanted.rgid && known->egid == wanted.egid)
		return 0;
	return cred_change(lives, life, event, &wanted);
}

/* The name in details; false when it was not read. */
static bool comm_from_detail(const struct detail *detail, char ret_comm[EVENT_COMM_BYTES])
{
	const struct detail_field *field = &detail->field[DETAIL_COMM];

	if (field->state != DETAIL_READ)
		return false;
	memset(ret_comm, 0, EVENT_COMM_BYTES);
	if (field->bytes > 0)
		memcpy(ret_comm, field->data,
		       field->bytes < EVENT_COMM_BYTES ? field->bytes : EVENT_COMM_BYTES - 1);
	return true;
}

/* --- births --- */

static struct life *life_unseen(struct lives *lives, uint64_t event_no, uint32_t pid, uint32_t tid)
{
	struct life *life = lives_table_add(lives, unseen_id(event_no, pid != tid), pid, tid);

	if (!life)
		return NULL;
	life->start_cpu = EVENT_CPU_NONE;
	life->born = LIFE_BORN_UNSEEN;
	return life;
}

/* The leader of a process, with a life from now on if it has none; NULL: no memory. */
static struct life *process_of(struct lives *lives, uint64_t event_no, uint32_t pid)
{
	struct life *life = lives_find(lives, pid);

	if (life && life->pid == pid)
		return life;
	life = life_unseen(lives, event_no, pid, pid);
	if (life)
		TELL(lives, born, life);
	return life;
}

/* The task that an event is of, with a life from now on if it has none (rule 6); NULL: no memory. */
static struct life *subject_of(struct lives *lives, const struct event *event)
{
	struct life *life = lives_find(lives, event->tid);
	struct life *leader;

	if (life && life->pid == event->pid)
		return life;
	leader = process_of(lives, event->event_no, event->pid);
	if (!leader || event->pid == event->tid)
		return leader;
	life = life_unseen(lives, event->event_no, event->pid, event->tid);
	if (!life)
		return NULL;
	lives_group_join(leader, life);
	TELL(lives, born, life);
	return life;
}

/* A tid begins a new life: what is left of older ones (rule 4).  Only the one that lived until now may still get its EXIT, so that no
 * stream can make this pile up. */
static void tid_free(struct lives *lives, const struct event *event, uint32_t tid)
{
	struct life *older = lives_table_newest(lives, tid), *after;
	bool may_be_due = true;

	for (; older; older = after) {
		bool lost = lives->last_lost_no > life_first_no(older);

		after = lives_table_older(older);
		if (older->exit_due)
			exit_give_up(lives, older, event->timestamp_ns);
		else if (older->process == older)
			group_end_inferred(lives, older, LIFE_END_REUSED, event->timestamp_ns,
					   may_be_due && !lost);
		else
			end_inferred(lives, older, LIFE_END_REUSED, event->timestamp_ns,
				     may_be_due && !lost);
		may_be_due = false;
	}
}

/* Rule 7: everything that hung on the snapshot's life hangs on the FORK's now. */
static void merge(struct lives *lives, struct life *gone, struct life *into,
		  const struct event *event)
{
	if (gone->comm_known && memcmp(gone->comm, into->comm, EVENT_COMM_BYTES) != 0) {
		into->renamed = true;
		into->birth_comm_known = into->comm_known;
		memcpy(into->birth_comm, into->comm, EVENT_COMM_BYTES);
		into->comm_known = true;
		memcpy(into->comm, gone->comm, EVENT_COMM_BYTES);
		into->comm_source = LIFE_NAME_SNAPSHOT;
		into->comm_since_ns = gone->seen_ns;
		TELL(lives, named, into, into->comm, LIFE_NAME_SNAPSHOT, gone->seen_ns, event);
	}
	if (gone->image)
		lives_set_image(into, lives_image_ref(gone->image));
	if (gone->cred)
		lives_set_cred(into, lives_cred_ref(gone->cred));
	into->names_differ = gone->names_differ;
	into->seen_by_no = gone->seen_by_no;
	into->seen_ns = gone->seen_ns;
	while (gone->process == gone && gone->group_next) {
		struct life *thread = gone->group_next;

		lives_group_leave(thread);
		lives_group_join(into, thread);
		TELL(lives, changed, thread);
	}
	if (gone->process && gone->process != gone)
		lives_group_leave(gone);
	for (struct life *life = lives->all; life; life = life->all_next) {
		if (life->parent_id == gone->id) {
			life->parent_id = into->id;
			TELL(lives, changed, life);
		}
	}
	if (gone->image && gone->image->life_id == gone->id)
		gone->image->life_id = into->id;
	TELL(lives, merged, gone, into);
	lives_table_drop(lives, gone);
}

static bool near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= SNAPSHOT_START_TOLERANCE_NS;
}

/* FORK of a thread names the parent of its process: news where the birth of the process was not seen. */
static void leader_learn_parent(struct life *leader, const struct event *event)
{
	if (leader->born == LIFE_BORN_UNSEEN && leader->ppid == 0) {
		leader->ppid = event->ppid;
		leader->ptid = event->ptid;
	}
}

/* Rule 9. */
static int birth_detail(struct lives *lives, struct life *life, const struct event *event)
{
	struct detail detail;
	struct image *image;

	if (event->detail_bytes == 0 ||
	    detail_unpack(event->detail, event->detail_bytes, &detail) < 0)
		return 0;
	image = lives_image_new(event->event_no, life->id, event->detail, event->detail_bytes);
	if (!image)
		return -ENOMEM;
	TELL(lives, image, image);
	lives_set_image(life, image);
	life->comm_known |= comm_from_detail(&detail, life->comm);
	return cred_from_detail(lives, life, event, &detail);
}

static int apply_fork(struct lives *lives, const struct event *event, struct life **ret_life)
{
	struct life *snapshot = lives_find(lives, event->tid);
	struct life *parent = NULL, *leader = NULL, *life, *creator;
	int r;

	if (snapshot && snapshot->pid == event->pid && snapshot->born == LIFE_BORN_SNAPSHOT &&
	    !snapshot->ended && near(snapshot->start_ns, event->timestamp_ns) &&
	    event->timestamp_ns <= snapshot->seen_ns) {
		/* one life, the FORK's: joined below */
	} else {
		snapshot = NULL;
		tid_free(lives, event, event->tid);
	}
	if (event->pid != event->tid) {
		leader = process_of(lives, event->event_no, event->pid);
		if (!leader)
			return -ENOMEM;
		leader_learn_parent(leader, event);
		parent = lives_find(lives, event->ppid);
	} else if (event->ppid != 0 && event->ppid != event->pid) {
		parent = process_of(lives, event->event_no, event->ppid);
		if (!parent)
			return -ENOMEM;
	}
	life = lives_table_add(lives, (int64_t)event->event_no, event->pid, event->tid);
	if (!life)
		return -ENOMEM;
	life->ppid = event->ppid;
	life->ptid = event->ptid;
	life->parent_id = parent && parent->pid == event->ppid ? parent->id : 0;
	life->start_ns = event->timestamp_ns;
	life->start_cpu = event->cpu;
	life->born = LIFE_BORN_FORK;
	life->comm_source = LIFE_NAME_FORK;
	life->comm_since_ns = event->timestamp_ns;
	if (event->pid == event->tid) {
		creator = lives_find(lives, event->ptid);
		inherit(life, creator && creator->pid == event->ppid ? creator : parent);
	} else {
		inherit(life, leader);
		if (leader->names_differ)
			life->comm_known = false; /* rule 1 */
		if (!life->comm_known)
			memset(life->comm, 0, EVENT_COMM_BYTES);
		lives_group_join(leader, life);
	}
	r = birth_detail(lives, life, event);
	if (r < 0)
		return r;
	TELL(lives, born, life);
	if (snapshot)
		merge(lives, snapshot, life, event);
	*ret_life = life;
	return 0;
}

/* --- exec and exit --- */

static void revive(struct lives *lives, struct life *leader)
{
	TELL(lives, revived, leader);
	leader->ended = false;
	leader->end_how = 0;
	leader->end_ns = leader->end_event_no = 0;
	leader->end_cpu = leader->exit_code = leader->exit_signal = leader->end_ppid =
		leader->end_ptid = 0;
	leader->live_threads++;
}

static int apply_exec(struct lives *lives, const struct event *event, struct life **ret_life)
{
	struct life *life = subject_of(lives, event);
	char comm[EVENT_COMM_BYTES];
	struct image *image = NULL;
	struct detail detail;
	bool named = false;
	int r = 0;

	if (!life)
		return -ENOMEM;
	if (life->process == life) { /* rule 3 */
		if (life->ended)
			revive(lives, life);
		group_end_inferred(lives, life, LIFE_END_EXEC, event->timestamp_ns, true);
		life->names_differ = false;
	}
	if (event->detail_bytes > 0 &&
	    detail_unpack(event->detail, event->detail_bytes, &detail) == 0) {
		image = lives_image_new(event->event_no, life->id, event->detail,
					event->detail_bytes);
		if (!image)
			return -ENOMEM;
		TELL(lives, image, image);
		named = comm_from_detail(&detail, comm);
		r = cred_from_detail(lives, life, event, &detail);
	}
	lives_set_image(life, image);
	if (named || life->comm_known)
		name_set(lives, life, named ? comm : NULL, LIFE_NAME_EXEC, event);
	TELL(lives, changed, life);
	*ret_life = life;
	return r;
}

/* The life whose EXIT this is; NULL: none that is known. */
static struct life *exit_subject(struct lives *lives, const struct event *event)
{
	struct life *newest = lives_table_newest(lives, event->tid), *due = NULL;

	for (struct life *life = newest; life; life = lives_table_older(life))
		if (life->exit_due)
			due = life;
	if (!due || due == newest)
		return newest;
	if (lives->last_lost_no > life_first_no(due)) { /* rule 4 */
		exit_give_up(lives, due, event->timestamp_ns);
		return exit_subject(lives, event);
	}
	return due;
}

/* The second EXIT of a leader that is gone: its exec went unseen.  The first was not its end, and the tasks that are left ended with
 * that exec. */
static void exec_infer(struct lives *lives, struct life *leader, const struct event *event)
{
	revive(lives, leader);
	group_end_inferred(lives, leader, LIFE_END_EXEC, event->timestamp_ns, true);
}

/* A task's end had been inferred: now it is known. */
static void inferred_end_known(struct lives *lives, struct life *life, const struct event *event)
{
	exit_take(life, event);
	life->end_ns = event->timestamp_ns;
	life->exit_due = false;
	TELL(lives, ended, life);
	if (life->process_ended) {
		life->process_end_ns = event->timestamp_ns;
		process_end_note(life, life);
		TELL(lives, process_ended, life);
	}
	if (life->process != life || life->process_ended)
		lives_table_retire(lives, life);
}

static int apply_exit(struct lives *lives, const struct event *event, struct life **ret_life,
		      bool *ret_folded)
{
	struct life *life = exit_subject(lives, event);

	if (!life || life->pid != event->pid) {
		life = lives_find(lives, event->pid) || event->pid == event->tid
			       ? subject_of(lives, event)
			       : life_unseen(lives, event->event_no, event->pid, event->tid);
		if (!life)
			return -ENOMEM;
		if (!life->process)
			TELL(lives, born, life);
	}
	*ret_life = life;
	if (life->ended && life->end_how != LIFE_END_EXIT) {
		inferred_end_known(lives, life, event);
	} else {
		if (life->ended)
			exec_infer(lives, life, event);
		exit_take(life, event);
		task_end(lives, life, event->timestamp_ns);
	}
	*ret_folded = true;
	return 0;
}

/* --- what changes a living task --- */

static int apply_comm(struct lives *lives, const struct event *event, struct life **ret_life)
{
	struct life *life = subject_of(lives, event);

	if (!life)
		return -ENOMEM;
	name_set(lives, life, event->comm, LIFE_NAME_COMM, event);
	*ret_life = life;
	return 0;
}

static int apply_ids(struct lives *lives, const struct event *event, struct life **ret_life)
{
	struct life *life = subject_of(lives, event);
	struct cred wanted = { 0 };
	int r;

	if (!life)
		return -ENOMEM;
	if (life->cred)
		wanted = *life->cred;
	if (event->kind == EVENT_UID) {
		wanted.ruid = (uint32_t)event->arg[0];
		wanted.euid = (uint32_t)event->arg[1];
		wanted.uid_known = true;
	} else {
		wanted.rgid = (uint32_t)event->arg[0];
		wanted.egid = (uint32_t)event->arg[1];
		wanted.gid_known = true;
	}
	r = cred_change(lives, life, event, &wanted);
	if (r < 0)
		return r;
	TELL(lives, changed, life);
	*ret_life = life;
	return 0;
}

/* --- the recorder's own events --- */

/* What a snapshot says of a task that is in the fold, or has just been put there. */
static int snapshot_enrich(struct lives *lives, struct life *life, const struct event *event)
{
	struct image *image;
	struct detail detail;
	char comm[EVENT_COMM_BYTES];
	int r;

	life->seen_by_no = event->event_no;
	life->seen_ns = event->timestamp_ns;
	if (event->detail_bytes == 0 ||
	    detail_unpack(event->detail, event->detail_bytes, &detail) < 0)
		return 0;
	if (comm_from_detail(&detail, comm) &&
	    (!life->comm_known || memcmp(life->comm, comm, EVENT_COMM_BYTES) != 0))
		name_set(lives, life, comm, LIFE_NAME_SNAPSHOT, event);
	r = cred_from_detail(lives, life, event, &detail);
	if (r < 0 || life->process != life)
		return r;
	if (life->image && detail.field[DETAIL_EXE].state == DETAIL_GONE)
		return 0; /* it says nothing of what ran */
	if (life->image && life->image->detail_bytes == event->detail_bytes &&
	    memcmp(life->image->detail, event->detail, event->detail_bytes) == 0)
		return 0;
	image = lives_image_new(event->event_no, life->id, event->detail, event->detail_bytes);
	if (!image)
		return -ENOMEM;
	TELL(lives, image, image);
	lives_set_image(life, image);
	return 0;
}

static struct life *snapshot_born(struct lives *lives, const struct event *event)
{
	struct life *leader = NULL, *life;

	tid_free(lives, event, event->tid);
	if (event->pid != event->tid) {
		leader = process_of(lives, event->event_no, event->pid);
		if (!leader)
			return NULL;
	}
	life = lives_table_add(lives, (int64_t)event->event_no, event->pid, event->tid);
	if (!life)
		return NULL;
	life->born = LIFE_BORN_SNAPSHOT;
	life->start_cpu = EVENT_CPU_NONE;
	life->start_ns = event->arg[0];
	life->comm_source = LIFE_NAME_SNAPSHOT;
	life->comm_since_ns = event->timestamp_ns;
	if (leader) {
		lives_group_join(leader, life);
		lives_set_image(life, lives_image_ref(leader->image));
		lives_set_cred(life, lives_cred_ref(leader->cred));
	}
	TELL(lives, born, life);
	return life;
}

/* Neither born nor seen in a snapshot since this start, or since the recorder looks again who lives. */
static bool is_of_before(const struct lives *lives, const struct life *life)
{
	return life->seen_by_no < lives->start_no && life_first_no(life) < lives->start_no;
}

/* Who bears the number of the parent that a snapshot has named; not one of before, who need not be that parent. */
static bool parent_learn(const struct lives *lives, struct life *life)
{
	struct life *parent =
		life->parent_id == 0 && life->ppid != 0 ? lives_find(lives, life->ppid) : NULL;

	if (!parent || parent->pid != life->ppid || parent == life->process ||
	    is_of_before(lives, parent))
		return false;
	life->parent_id = parent->id;
	return true;
}

/* A leader that ended before its threads is there like them, though not alive; else its end was not seen, or its exec (rule 3). */
static void snapshot_leader(struct lives *lives, struct life *life, const struct event *event)
{
	bool gone = event->arg[2] & EVENT_SNAPSHOT_LEADER_GONE;
	struct life *leader = life->process;
	struct detail detail;

	if (gone && leader && leader != life && !leader->ended)
		end_inferred(lives, leader, LIFE_END_ABSENT, event->timestamp_ns, false);
	if (gone || leader != life || !life->ended || event->detail_bytes == 0 ||
	    detail_unpack(event->detail, event->detail_bytes, &detail) < 0 ||
	    detail.field[DETAIL_EXE].state == DETAIL_GONE)
		return;
	revive(lives, life);
}

static int apply_snapshot(struct lives *lives, const struct event *event, struct life **ret_life)
{
	struct life *life = lives_find(lives, event->tid);
	int r;

	if (life && (life->pid != event->pid ||
		     (life->start_ns != 0 && !near(life->start_ns, event->arg[0]))))
		life = NULL; /* another one bears the number now */
	if (!life) {
		life = snapshot_born(lives, event);
		if (!life)
			return -ENOMEM;
	}
	if (life->start_ns == 0)
		life->start_ns = event->arg[0];
	if (life->born != LIFE_BORN_FORK && life->ppid == 0) {
		life->ppid = event->ppid;
		life->ptid = event->ptid;
	}
	snapshot_leader(lives, life, event);
	r = snapshot_enrich(lives, life, event);
	parent_learn(lives, life);
	TELL(lives, changed, life);
	*ret_life = life;
	return r;
}

/* Parents of the snapshot may stand behind their children in it; and who lived before this start but is not in the snapshot, is gone.
 * Where a snapshot is not whole this never comes, and nobody is gone for that reason. */
static void apply_snapshot_end(struct lives *lives)
{
	for (struct life *life = lives->all; life; life = life->all_next)
		if (parent_learn(lives, life))
			TELL(lives, changed, life);
	for (struct life *life = lives->all; life;
	     life = life->all_next) /* exit_due keeps it in the list */
		if (!life->ended && is_of_before(lives, life))
			end_inferred(lives, life, LIFE_END_ABSENT, lives->start_ns, true);
}

static void begin_anew(struct lives *lives, const struct event *event)
{
	lives->start_no = event->event_no;
	lives->start_ns = event->timestamp_ns;
	lives->last_lost_no = event->event_no; /* nothing is known of the time before */
}

static void apply_start(struct lives *lives, const struct event *event)
{
	if (event->arg[0] == lives->boot_no && (event->arg[1] & EVENT_START_CONTINUED))
		return; /* the stream goes on */
	begin_anew(lives, event);
	if (event->arg[0] == lives->boot_no)
		return;
	while (lives->all) { /* rule 8 */
		struct life *life = lives->all;

		if (life->ended || !life->process) {
			if (!life->ended)
				end_inferred(lives, life, LIFE_END_BOOT, 0, false);
			else if (life->process == life && life->group_next)
				group_end_inferred(lives, life, LIFE_END_BOOT, 0, false);
			else
				lives_table_retire(lives, life);
			continue;
		}
		group_end_inferred(lives, life->process, LIFE_END_BOOT, 0, false);
	}
	lives->boot_no = (uint32_t)event->arg[0];
	lives_cpu_clear(lives);
	lives->clock = (struct lives_clock){ 0 };
}

static void apply_own(struct lives *lives, const struct event *event)
{
	switch (event->kind) {
	case EVENT_START:
		apply_start(lives, event);
		break;
	case EVENT_BLIND: /* who is not in the snapshot that follows has gone meanwhile */
		begin_anew(lives, event);
		break;
	case EVENT_RESCAN: /* likewise; but what was lost, and when, is known */
		lives->start_no = event->event_no;
		lives->start_ns = event->timestamp_ns;
		break;
	case EVENT_SNAPSHOT_END:
		apply_snapshot_end(lives);
		break;
	case EVENT_LOST:
		lives->last_lost_no = event->event_no;
		/* It may be the newest that is known of its CPU: its event was not staged yet. */
		lives_cpu_note(lives, event->cpu, event_lost_last_seq(event), event->arg[1]);
		break;
	case EVENT_CLOCK:
		lives->clock = (struct lives_clock){
			.event_no = event->event_no,
			.monotonic_ns = event->timestamp_ns,
			.boottime_ns = event->arg[0],
			.realtime_ns = event->arg[1],
			.reason = event->arg[2],
		};
		break;
	default: /* nothing that a life knows of */
		break;
	}
}

int lives_apply(struct lives *lives, const struct event *event, struct life **ret_life,
		bool *ret_folded)
{
	struct life *life = NULL;
	bool folded = false;
	int r = 0;

	lives->event_no = event->event_no;
	if (event->kind < EVENT_OWN_FIRST)
		lives_cpu_note(lives, event->cpu, event->seq, event->timestamp_ns);
	switch (event->kind) {
	case EVENT_FORK:
		r = apply_fork(lives, event, &life);
		break;
	case EVENT_EXEC:
		r = apply_exec(lives, event, &life);
		break;
	case EVENT_EXIT:
		r = apply_exit(lives, event, &life, &folded);
		break;
	case EVENT_COMM:
		r = apply_comm(lives, event, &life);
		break;
	case EVENT_UID:
	case EVENT_GID:
		r = apply_ids(lives, event, &life);
		break;
	case EVENT_SID:
	case EVENT_PTRACE:
	case EVENT_COREDUMP:
		life = subject_of(lives, event);
		r = life ? 0 : -ENOMEM;
		break;
	case EVENT_SNAPSHOT:
		r = apply_snapshot(lives, event, &life);
		break;
	default:
		apply_own(lives, event);
		break;
	}
	if (r < 0)
		return r;
	*ret_life = life;
	*ret_folded = folded;
	return 0;
}
