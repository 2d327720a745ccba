/* index_rows.c - images, credentials, blocks and events as rows of the index, one by one.  What a column means stands in index.sql. */
#include "schema/index_db.h"

#include <stdio.h>
#include <string.h>

#include "schema/detail.h"
#include "schema/index_pending.h"
#include "schema/index_row.h"
#include "schema/json.h"

static void row_field(struct row *row, const struct detail *detail, enum detail_tag tag)
{
	const struct detail_field *field = &detail->field[tag];

	if (detail_known(field))
		row_text(row, field->data, field->bytes);
	else
		row_null(row);
}

static void row_field_u32(struct row *row, const struct detail *detail, enum detail_tag tag)
{
	uint32_t number = 0;
	bool known = detail_u32(detail, tag, 0, &number) == 0 &&
		     number != UINT32_MAX; /* unset: nobody logged in */

	row_number_if(row, known, number);
}

/* {"argv":"gone", ...} for what was asked for and not read whole; 0 bytes when all was. */
static size_t doubt_write(const struct detail *detail, char *out, size_t capacity)
{
	static const char *const name[DETAIL_TAG_LIMIT] = {
		[DETAIL_EXE] = "exe",     [DETAIL_ARGV] = "argv",
		[DETAIL_CWD] = "cwd",     [DETAIL_CGROUP] = "cgroup",
		[DETAIL_IDS] = "ids",     [DETAIL_LOGINUID] = "loginuid",
		[DETAIL_COMM] = "comm",   [DETAIL_SESSIONID] = "sessionid",
		[DETAIL_PIDNS] = "pidns",
	};
	size_t bytes = 0;

	for (size_t i = 1; i < DETAIL_TAG_LIMIT; i++) {
		unsigned state = detail->field[i].state;

		if (!name[i] || state == DETAIL_ABSENT || state == DETAIL_READ)
			continue;
		bytes += (size_t)snprintf(out + bytes, capacity - bytes, "%s\"%s\":\"%s\"",
					  bytes > 0 ? "," : "{", name[i], detail_state_word(state));
	}
	if (bytes > 0)
		bytes += (size_t)snprintf(out + bytes, capacity - bytes, "}");
	return bytes;
}

void index_put_image(struct index_db *index, const struct image *image)
{
	struct row row = row_make(index, INDEX_IMAGE);
	char json[JSON_ARGUMENTS_MAX(EVENT_DETAIL_MAX_BYTES)];
	const struct detail_field *argv;
	struct detail detail = { 0 };
	char doubt[512];
	size_t doubt_bytes;

	(void)detail_unpack(image->detail, image->detail_bytes, &detail);
	detail_cut_comm(&detail);
	argv = &detail.field[DETAIL_ARGV];
	row_u64(&row, image->event_no);
	row_number(&row, image->life_id);
	row_field(&row, &detail, DETAIL_COMM);
	row_field(&row, &detail, DETAIL_EXE);
	if (detail_known(argv)) {
		bool clean;
		size_t json_bytes = json_arguments(argv->data, argv->bytes, json, &clean);

		row_text(&row, json, json_bytes);
		if (clean)
			row_null(&row);
		else
			(void)sqlite3_bind_blob(row.statement, ++row.column, argv->data,
						(int)argv->bytes, SQLITE_STATIC);
	} else {
		row_null(&row);
		row_null(&row);
	}
	row_field(&row, &detail, DETAIL_CWD);
	row_field(&row, &detail, DETAIL_CGROUP);
	row_field_u32(&row, &detail, DETAIL_LOGINUID);
	row_field_u32(&row, &detail, DETAIL_SESSIONID);
	row_field_u32(&row, &detail, DETAIL_PIDNS);
	row_field_u32(&row, &detail, DETAIL_REDACTIONS);
	doubt_bytes = doubt_write(&detail, doubt, sizeof(doubt));
	if (doubt_bytes > 0)
		row_text(&row, doubt, doubt_bytes);
	else
		row_null(&row);
	row_run(&row);
	index_pending_put_cgroup(index, &detail.field[DETAIL_CGROUP], image->event_no);
}

void index_put_cred(struct index_db *index, const struct cred *cred)
{
	struct row row = row_make(index, INDEX_CRED);

	row_u64(&row, cred->event_no);
	row_number_if(&row, cred->uid_known, cred->ruid);
	row_number_if(&row, cred->uid_known, cred->euid);
	row_number_if(&row, cred->gid_known, cred->rgid);
	row_number_if(&row, cred->gid_known, cred->egid);
	row_run(&row);
}

static void boot_id_put(struct index_db *index, const struct ring_block_header *header)
{
	static const uint8_t none[RING_UUID_BYTES];
	struct row row = row_make(index, INDEX_BOOT_ID);
	char text[2 * RING_UUID_BYTES + 1];

	if (memcmp(header->boot_id, none, sizeof(none)) == 0)
		return;
	for (size_t i = 0; i < RING_UUID_BYTES; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", header->boot_id[i]);
	row_text(&row, text, sizeof(text) - 1);
	row_number(&row, header->boot_no);
	row_run(&row);
}

void index_put_block(struct index_db *index, const struct ring_block_header *header)
{
	struct row row = row_make(index, INDEX_BLOCK);

	row_u64(&row, header->block_no);
	row_u64(&row, header->first_event_no);
	row_number(&row, header->event_count);
	row_number(&row, header->boot_no);
	row_number_if(&row, header->event_count > 0, (int64_t)header->ts_min_ns);
	row_number_if(&row, header->event_count > 0, (int64_t)header->ts_max_ns);
	row_number(&row, header->raw_bytes);
	row_number(&row, (int64_t)header->stored_bytes + RING_HEADER_BYTES + RING_FOOTER_BYTES);
	row_number(&row, header->keyframe_parts);
	row_u64(&row, header->lost_total);
	row_run(&row);
	boot_id_put(index, header);
}

void index_put_clock(struct index_db *index, uint32_t boot_no, const struct lives_clock *clock)
{
	INDEX_RUN(index, CLOCK, (int64_t)clock->event_no, boot_no, (int64_t)clock->monotonic_ns,
		  (int64_t)clock->boottime_ns, (int64_t)clock->realtime_ns, (int64_t)clock->reason);
}

void index_put_process_end(struct index_db *index, const struct life *leader)
{
	struct row row = row_make(index, INDEX_PROCESS_END);
	enum life_end how = leader->process_end_how;

	row_number(&row, leader->id);
	row_number_if(&row, leader->process_ended, how);
	row_number_if(&row, leader->process_ended && how != LIFE_END_BOOT,
		      (int64_t)leader->process_end_ns);
	row_number_if(&row, leader->process_ended && how == LIFE_END_EXIT,
		      leader->process_exit_code);
	row_run(&row);
}

void index_move_exit(struct index_db *index, const struct life *life)
{
	struct row row = row_make(index, INDEX_STRAY_EXIT);

	index_pending_take_exit(index, life->end_event_no);
	row_u64(&row, life->end_event_no);
	row_u64(&row, life->end_ns);
	row_number(&row, life->end_cpu);
	row_number(&row, life->pid);
	row_number_if(&row, life->tid != life->pid, life->tid);
	row_number(&row, life->end_ppid);
	row_number(&row, life->end_ptid);
	row_number(&row, life->exit_code);
	row_number(&row, (int32_t)life->exit_signal);
	row_number(&row, life->id);
	row_run(&row);
}

/* The columns with which most tables begin: event_no, timestamp_ns, cpu, pid, tid. */
static struct row row_of(struct index_db *index, enum index_statement which,
			 const struct event *event)
{
	struct row row = row_make(index, which);

	row_u64(&row, event->event_no);
	row_u64(&row, event->timestamp_ns);
	row_number(&row, event->cpu);
	row_number(&row, event->pid);
	row_number_if(&row, event->tid != event->pid, event->tid);
	return row;
}

/* ... and those with which they end: two numbers, the life. */
static void row_finish(struct row *row, const struct life *life)
{
	row_number_if(row, life, life ? life->id : 0);
	row_run(row);
}

static void put_pair(struct index_db *index, enum index_statement which, const struct event *event,
		     uint64_t a, uint64_t b, const struct life *life)
{
	struct row row = row_of(index, which, event);

	row_u64(&row, a);
	row_u64(&row, b);
	row_finish(&row, life);
}

static void put_exit(struct index_db *index, const struct event *event, const struct life *life,
		     bool folded)
{
	struct row row;

	if (folded && life) {
		index_pending_put_exit(index, event->event_no, life->id);
		return;
	}
	row = row_of(index, INDEX_STRAY_EXIT, event);
	row_number(&row, event->ppid);
	row_number(&row, event->ptid);
	row_number(&row, (int64_t)event->arg[0]);
	row_number(&row, (int32_t)event->arg[1]);
	row_finish(&row, life);
}

static void put_snapshot(struct index_db *index, const struct event *event, const struct life *life)
{
	struct row row = row_make(index, INDEX_SNAPSHOT);
	struct detail detail = { 0 };

	if (event->detail_bytes > 0)
		(void)detail_unpack(event->detail, event->detail_bytes, &detail);
	detail_cut_comm(&detail);
	row_u64(&row, event->event_no);
	row_u64(&row, event->timestamp_ns);
	row_number(&row, event->pid);
	row_number_if(&row, event->tid != event->pid, event->tid);
	row_number(&row, event->ppid);
	row_field(&row, &detail, DETAIL_COMM);
	row_finish(&row, life);
}

static void put_lost(struct index_db *index, const struct event *event)
{
	struct row row = row_make(index, INDEX_LOST);
	const char *reason = event->arg[2] == EVENT_LOST_DOWN ? "down" : "lost";

	row_u64(&row, event->event_no);
	row_u64(&row, event->timestamp_ns);
	row_number(&row, event->cpu);
	row_u64(&row, event->arg[0]);
	row_number_if(&row, event->arg[1] != 0, (int64_t)event->arg[1]);
	row_text(&row, reason, strlen(reason));
	row_run(&row);
}

static void put_other(struct index_db *index, const struct event *event)
{
	struct row row = row_make(index, INDEX_OTHER);
	const char *word = event_kind_word(event->kind);
	struct detail detail = { 0 };

	if (event->detail_bytes > 0)
		(void)detail_unpack(event->detail, event->detail_bytes, &detail);
	row_u64(&row, event->event_no);
	row_u64(&row, event->timestamp_ns);
	row_number_if(&row, event->kind < EVENT_OWN_FIRST || event->cpu != EVENT_CPU_NONE,
		      event->cpu);
	row_text(&row, word, strlen(word));
	for (int i = 0; i < EVENT_ARG_COUNT; i++)
		row_u64(&row, event->arg[i]);
	row_field(&row, &detail, DETAIL_NOTE);
	row_run(&row);
}

static void put_datagram(struct index_db *index, const struct event *event)
{
	struct row row = row_make(index, INDEX_DATAGRAM);

	row_u64(&row, event->event_no);
	(void)sqlite3_bind_blob(row.statement, ++row.column, event->raw, (int)event->raw_bytes,
				SQLITE_STATIC);
	row_run(&row);
}

void index_put_event(struct index_db *index, const struct event *event, uint32_t boot_no,
		     const struct life *life, bool folded)
{
	struct row row;

	if (event->raw_bytes > 0)
		put_datagram(index, event);
	switch (event->kind) {
	case EVENT_FORK:
		break; /* its life's row */
	case EVENT_EXIT:
		put_exit(index, event, life, folded);
		break;
	case EVENT_EXEC:
		index_pending_put_exec(index, event, life);
		break;
	case EVENT_SID:
		row = row_of(index, INDEX_SID, event);
		row_finish(&row, life);
		break;
	case EVENT_COMM:
		index_pending_put_comm(index, event, life);
		break;
	case EVENT_UID:
		put_pair(index, INDEX_UID, event, event->arg[0], event->arg[1], life);
		break;
	case EVENT_GID:
		put_pair(index, INDEX_GID, event, event->arg[0], event->arg[1], life);
		break;
	case EVENT_PTRACE:
		put_pair(index, INDEX_PTRACE, event, event->arg[0], event->arg[1], life);
		break;
	case EVENT_COREDUMP:
		put_pair(index, INDEX_COREDUMP, event, event->ppid, event->ptid, life);
		break;
	case EVENT_SNAPSHOT:
		put_snapshot(index, event, life);
		break;
	case EVENT_CLOCK:
		INDEX_RUN(index, CLOCK, (int64_t)event->event_no, boot_no,
			  (int64_t)event->timestamp_ns, (int64_t)event->arg[0],
			  (int64_t)event->arg[1], (int64_t)event->arg[2]);
		break;
	case EVENT_LOST:
		put_lost(index, event);
		break;
	default: /* none, unknown, and our own without a table */
		put_other(index, event);
		break;
	}
}
