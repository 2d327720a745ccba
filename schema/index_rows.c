/* index_rows.c - lives, images, blocks and events as rows of the index.  What a column means stands in index.sql. */
#include "schema/index_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/bytes.h"
#include "schema/cgroup.h"
#include "schema/detail.h"
#include "schema/json.h"

/* Binds the parameters of one row from left to right, then runs it. */
struct row {
	struct index_db *index;
	sqlite3_stmt *statement;
	int column;
};

static struct row row_make(struct index_db *index, enum index_statement which)
{
	return (struct row){ .index = index, .statement = index->statement[which] };
}

static void row_number(struct row *row, int64_t number)
{
	(void)sqlite3_bind_int64(row->statement, ++row->column, number);
}

static void row_u64(struct row *row, uint64_t number)
{
	row_number(row, (int64_t)number);
}

static void row_null(struct row *row)
{
	(void)sqlite3_bind_null(row->statement, ++row->column);
}

static void row_number_if(struct row *row, bool known, int64_t number)
{
	if (known)
		row_number(row, number);
	else
		row_null(row);
}

/* Raw bytes as TEXT: SQL compares them with literals, and gives them back as they were.  Valid until the row is run. */
static void row_text(struct row *row, const void *text, size_t bytes)
{
	(void)sqlite3_bind_text(row->statement, ++row->column, bytes > 0 ? text : "", (int)bytes,
				SQLITE_STATIC);
}

static void row_run(struct row *row)
{
	index_step(row->index, row->statement);
}

/* --- rows that come in great numbers --- */

struct exit_row {
	uint64_t event_no;
	int64_t life_id;
};

struct plain_row {
	uint64_t event_no, timestamp_ns;
	int64_t life_id; /* 0: none */
	uint32_t cpu, pid, tid;
	char comm[EVENT_COMM_BYTES];
};

struct index_pending {
	struct bulk_source life, exit, exec, comm;
	struct exit_row *exit_rows;
	struct plain_row *exec_rows, *comm_rows;
	size_t exit_room, exec_room, comm_room;
	/* Of the last image; its row waits, for the next one is mostly of the same. */
	uint8_t cgroup_path[EVENT_DETAIL_MAX_BYTES];
	size_t cgroup_bytes; /* 0: none */
	uint64_t cgroup_event_no;
};

static void result_number_if(sqlite3_context *result, bool known, int64_t number)
{
	if (known)
		sqlite3_result_int64(result, number); /* else it stays NULL */
}

static void result_comm_if(sqlite3_context *result, bool known, const char comm[EVENT_COMM_BYTES])
{
	if (known)
		sqlite3_result_text(result, comm, (int)strnlen(comm, EVENT_COMM_BYTES),
				    SQLITE_STATIC);
}

/* ppid of a life that neither FORK nor SNAPSHOT told of is not known; it is not 0. */
static bool parent_told(const struct life *life)
{
	return life->born != LIFE_BORN_UNSEEN || life->ppid != 0;
}

/* --- a life: see index.sql for what is left out because it mostly is so --- */

enum {
	BITS_ENDED = 2,
	BITS_RENAMED = 5,
	BITS_START_CPU = 7,
	BITS_END_CPU = 21,
	BITS_CPU_REST = 16383, /* in place of one that does not fit */
};

static bool ended_by_exit(const struct life *life)
{
	return life->ended && life->end_how == LIFE_END_EXIT;
}

static bool start_cpu_known(const struct life *life)
{
	return life->born == LIFE_BORN_FORK || life->start_cpu != EVENT_CPU_NONE;
}

static int64_t cpu_bits(bool known, uint32_t cpu)
{
	if (!known)
		return 0;
	return cpu + 1 < BITS_CPU_REST && cpu != UINT32_MAX ? (int64_t)cpu + 1 : BITS_CPU_REST;
}

static int64_t life_bits(const struct life *life)
{
	return life->born | (int64_t)(life->ended ? life->end_how + 1 : 0) << BITS_ENDED |
	       (int64_t)(life->renamed ? life->comm_source : 0) << BITS_RENAMED |
	       cpu_bits(start_cpu_known(life), life->start_cpu) << BITS_START_CPU |
	       cpu_bits(ended_by_exit(life), life->end_cpu) << BITS_END_CPU;
}

enum { REST_NUMBER_MAX_BYTES = 24, REST_NUMBERS = 6 };

/* Appends a number, or null, to a JSON array. */
static size_t rest_write(char *out, size_t bytes, bool there, int64_t number)
{
	out[bytes] = bytes > 0 ? ',' : '[';
	bytes++;
	if (there)
		bytes += (size_t)snprintf(out + bytes, REST_NUMBER_MAX_BYTES, "%lld",
					  (long long)number);
	else
		bytes += (size_t)snprintf(out + bytes, REST_NUMBER_MAX_BYTES, "null");
	return bytes;
}

static void rest_column(sqlite3_context *result, const struct life *life)
{
	bool told = parent_told(life), exited = ended_by_exit(life),
	     thread = life->tid != life->pid;
	bool ptid = told && life->ptid != life->ppid;
	bool end_ppid =
		exited && (thread ? life->end_ppid != 0 : life->end_ppid != life->ppid || !told);
	bool end_ptid = exited && life->end_ptid != life->end_ppid;
	int32_t signal = (int32_t)life->exit_signal;
	bool exit_signal = exited && signal != (thread ? -1 : 17); /* SIGCHLD */
	bool start_cpu = cpu_bits(start_cpu_known(life), life->start_cpu) == BITS_CPU_REST;
	bool end_cpu = cpu_bits(exited, life->end_cpu) == BITS_CPU_REST;
	char out[REST_NUMBERS * REST_NUMBER_MAX_BYTES + 2];
	size_t bytes;

	if (!(ptid || end_ppid || end_ptid || exit_signal || start_cpu || end_cpu))
		return;
	bytes = rest_write(out, 0, ptid, life->ptid);
	bytes = rest_write(out, bytes, end_ppid, life->end_ppid);
	bytes = rest_write(out, bytes, end_ptid, life->end_ptid);
	bytes = rest_write(out, bytes, exit_signal, signal);
	bytes = rest_write(out, bytes, start_cpu, life->start_cpu);
	bytes = rest_write(out, bytes, end_cpu, life->end_cpu);
	out[bytes++] = ']';
	sqlite3_result_text(result, out, (int)bytes, SQLITE_TRANSIENT);
}

/* The columns of the table life_row, in its order. */
static void life_column(sqlite3_context *result, const struct bulk_source *source, size_t row,
			int column)
{
	const struct life *life = ((struct life *const *)source->rows)[row];

	switch (column) {
	case 0: /* id */
		sqlite3_result_int64(result, life->id);
		break;
	case 1: /* pid */
		sqlite3_result_int64(result, life->pid);
		break;
	case 2: /* tid */
		result_number_if(result, life->tid != life->pid, life->tid);
		break;
	case 3: /* ppid */
		result_number_if(result, parent_told(life), life->ppid);
		break;
	case 4: /* parent */
		result_number_if(result, life->parent_id != 0, life->id - life->parent_id);
		break;
	case 5: /* process */
		result_number_if(result, life->tid != life->pid && life->process_id != 0,
				 life->id - life->process_id);
		break;
	case 6: /* bits */
		sqlite3_result_int64(result, life_bits(life));
		break;
	case 7: /* start_ns */
		result_number_if(result, life->born == LIFE_BORN_FORK || life->start_ns != 0,
				 (int64_t)life->start_ns);
		break;
	case 8: /* duration_ns */
		result_number_if(result, life->ended && life->end_how != LIFE_END_BOOT,
				 (int64_t)(life->end_ns - life->start_ns));
		break;
	case 9: /* exit_code */
		result_number_if(result, ended_by_exit(life), life->exit_code);
		break;
	case 10: /* comm */
		result_comm_if(result, life->comm_known, life->comm);
		break;
	case 11: /* birth_comm */
		result_comm_if(result, life->renamed && life->birth_comm_known, life->birth_comm);
		break;
	case 12: /* image */
		result_number_if(result, life->image != NULL,
				 life->image ? (int64_t)life->image->event_no : 0);
		break;
	case 13: /* cred */
		result_number_if(result, life->cred != NULL,
				 life->cred ? (int64_t)life->cred->event_no : 0);
		break;
	default:
		rest_column(result, life);
		break;
	}
}

static void exit_column(sqlite3_context *result, const struct bulk_source *source, size_t row,
			int column)
{
	const struct exit_row *exit = (const struct exit_row *)source->rows + row;

	sqlite3_result_int64(result, column == 0 ? (int64_t)exit->event_no
						 : (int64_t)exit->event_no - exit->life_id);
}

/* exec: event_no, timestamp_ns, cpu, pid, tid, age; comm has its name before the age. */
static void plain_column(sqlite3_context *result, const struct bulk_source *source, size_t row,
			 int column)
{
	const struct plain_row *plain = (const struct plain_row *)source->rows + row;

	if (column == source->columns - 1) {
		result_number_if(result, plain->life_id != 0,
				 (int64_t)plain->event_no - plain->life_id);
		return;
	}
	switch (column) {
	case 0:
		sqlite3_result_int64(result, (int64_t)plain->event_no);
		break;
	case 1:
		sqlite3_result_int64(result, (int64_t)plain->timestamp_ns);
		break;
	case 2:
		sqlite3_result_int64(result, plain->cpu);
		break;
	case 3:
		sqlite3_result_int64(result, plain->pid);
		break;
	case 4:
		result_number_if(result, plain->tid != plain->pid, plain->tid);
		break;
	default:
		result_comm_if(result, true, plain->comm);
		break;
	}
}

int index_pending_open(struct index_db *index)
{
	struct index_pending *pending = calloc(1, sizeof(*pending));
	int result;

	if (!pending)
		return -ENOMEM;
	index->pending = pending;
	pending->life =
		(struct bulk_source){ .name = "new_life", .columns = 15, .column = life_column };
	pending->exit =
		(struct bulk_source){ .name = "new_exit", .columns = 2, .column = exit_column };
	pending->exec =
		(struct bulk_source){ .name = "new_exec", .columns = 6, .column = plain_column };
	pending->comm =
		(struct bulk_source){ .name = "new_comm", .columns = 7, .column = plain_column };
	result = bulk_register(index->db, &pending->life);
	if (result == SQLITE_OK)
		result = bulk_register(index->db, &pending->exit);
	if (result == SQLITE_OK)
		result = bulk_register(index->db, &pending->exec);
	if (result == SQLITE_OK)
		result = bulk_register(index->db, &pending->comm);
	return index_error(result);
}

void index_pending_close(struct index_db *index)
{
	struct index_pending *pending = index->pending;

	if (!pending)
		return;
	free(pending->exit_rows);
	free(pending->exec_rows);
	free(pending->comm_rows);
	free(pending);
	index->pending = NULL;
}

void index_pending_clear(struct index_db *index)
{
	index->pending->exit.count = index->pending->exec.count = index->pending->comm.count = 0;
	index->pending->cgroup_bytes = 0;
}

/* Room for one row more; NULL when memory ran out, which the commit will say. */
static void *pending_add(struct index_db *index, void *rows, size_t *room,
			 struct bulk_source *source, size_t row_bytes)
{
	void **list = rows;

	if (source->count == *room) {
		size_t more = *room * 2 + 1024;
		void *grown = reallocarray(*list, more, row_bytes);

		if (!grown) {
			index->failed = SQLITE_NOMEM;
			return NULL;
		}
		*list = grown;
		*room = more;
	}
	source->rows = *list;
	return (uint8_t *)*list + source->count++ * row_bytes;
}

static void rows_write(struct index_db *index, enum index_statement statement,
		       struct bulk_source *source)
{
	if (source->count > 0)
		index_run(index, statement, NULL, 0);
	source->count = 0;
}

static void row_text_if(struct row *row, const char *text)
{
	if (text[0])
		row_text(row, text, strlen(text));
	else
		row_null(row);
}

static void cgroup_flush(struct index_db *index)
{
	struct index_pending *pending = index->pending;
	struct cgroup cgroup;
	struct row row;

	cgroup_parse(pending->cgroup_path, pending->cgroup_bytes, &cgroup);
	if (cgroup.unit[0] || cgroup.slice[0] || cgroup.container_id[0] || cgroup.pod_uid[0]) {
		row = row_make(index, INDEX_CGROUP);
		row_text(&row, pending->cgroup_path, pending->cgroup_bytes);
		row_text_if(&row, cgroup.unit);
		row_text_if(&row, cgroup.user_unit);
		row_text_if(&row, cgroup.slice);
		row_text_if(&row, cgroup.container_id);
		row_text_if(&row, cgroup.runtime);
		row_text_if(&row, cgroup.pod_uid);
		row_u64(&row, pending->cgroup_event_no);
		row_run(&row);
	}
	pending->cgroup_bytes = 0;
}

/* A path that was cut may end in a name that is not whole: it tells nothing. */
static void put_cgroup(struct index_db *index, const struct detail_field *path, uint64_t event_no)
{
	struct index_pending *pending = index->pending;

	if (path->state != DETAIL_READ || path->bytes == 0)
		return;
	if (pending->cgroup_bytes != path->bytes ||
	    memcmp(pending->cgroup_path, path->data, path->bytes) != 0) {
		cgroup_flush(index);
		memcpy(pending->cgroup_path, path->data, path->bytes);
		pending->cgroup_bytes = path->bytes;
		pending->cgroup_event_no = 0;
	}
	if (event_no > pending->cgroup_event_no)
		pending->cgroup_event_no = event_no;
}

void index_flush(struct index_db *index)
{
	cgroup_flush(index);
	rows_write(index, INDEX_EXIT, &index->pending->exit);
	rows_write(index, INDEX_EXEC, &index->pending->exec);
	rows_write(index, INDEX_COMM, &index->pending->comm);
}

void index_put_lives(struct index_db *index, struct life **lives, size_t count, bool replace)
{
	struct bulk_source *source = &index->pending->life;

	source->rows = lives;
	source->count = count;
	rows_write(index, replace ? INDEX_LIFE_REPLACE : INDEX_LIFE_INSERT, source);
}

static void put_exit_folded(struct index_db *index, const struct event *event,
			    const struct life *life)
{
	struct index_pending *pending = index->pending;
	struct exit_row *row = pending_add(index, &pending->exit_rows, &pending->exit_room,
					   &pending->exit, sizeof(*row));

	if (row)
		*row = (struct exit_row){ .event_no = event->event_no, .life_id = life->id };
}

static void plain_fill(struct plain_row *row, const struct event *event, const struct life *life)
{
	if (!row)
		return;
	*row = (struct plain_row){
		.event_no = event->event_no,
		.timestamp_ns = event->timestamp_ns,
		.life_id = life ? life->id : 0,
		.cpu = event->cpu,
		.pid = event->pid,
		.tid = event->tid,
	};
	memcpy(row->comm, event->comm, sizeof(row->comm));
}

static void put_exec(struct index_db *index, const struct event *event, const struct life *life)
{
	struct index_pending *pending = index->pending;

	plain_fill(pending_add(index, &pending->exec_rows, &pending->exec_room, &pending->exec,
			       sizeof(struct plain_row)),
		   event, life);
}

static void put_comm(struct index_db *index, const struct event *event, const struct life *life)
{
	struct index_pending *pending = index->pending;

	plain_fill(pending_add(index, &pending->comm_rows, &pending->comm_room, &pending->comm,
			       sizeof(struct plain_row)),
		   event, life);
}

/* --- rows that are rare: bound and run one by one --- */

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
	put_cgroup(index, &detail.field[DETAIL_CGROUP], image->event_no);
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

/* Takes the row of an EXIT out again, pending or written. */
static void exit_remove(struct index_db *index, uint64_t event_no)
{
	struct index_pending *pending = index->pending;

	for (size_t i = pending->exit.count;
	     i-- > 0 && pending->exit_rows[i].event_no >= event_no;) {
		if (pending->exit_rows[i].event_no == event_no) {
			memmove(&pending->exit_rows[i], &pending->exit_rows[i + 1],
				(--pending->exit.count - i) * sizeof(pending->exit_rows[0]));
			return;
		}
	}
	INDEX_RUN(index, EXIT_DELETE, (int64_t)event_no);
}

void index_move_exit(struct index_db *index, const struct life *life)
{
	struct row row = row_make(index, INDEX_STRAY_EXIT);

	exit_remove(index, life->end_event_no);
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
		put_exit_folded(index, event, life);
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
		put_exec(index, event, life);
		break;
	case EVENT_SID:
		row = row_of(index, INDEX_SID, event);
		row_finish(&row, life);
		break;
	case EVENT_COMM:
		put_comm(index, event, life);
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
