/* index_pending.c - rows that come in great numbers: lives, exits, programs, names, control groups.  What a column means stands in
 * index.sql. */
#include "schema/index_pending.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/cgroup.h"
#include "schema/index_row.h"

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

/* --- exits, programs, names --- */

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

/* --- what waits --- */

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

/* A path that was cut may end in a name that is not whole. */
void index_pending_put_cgroup(struct index_db *index, const struct detail_field *path,
			      uint64_t event_no)
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

void index_pending_flush(struct index_db *index)
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

void index_pending_put_exit(struct index_db *index, uint64_t event_no, int64_t life_id)
{
	struct index_pending *pending = index->pending;
	struct exit_row *row = pending_add(index, &pending->exit_rows, &pending->exit_room,
					   &pending->exit, sizeof(*row));

	if (row)
		*row = (struct exit_row){ .event_no = event_no, .life_id = life_id };
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

void index_pending_put_exec(struct index_db *index, const struct event *event,
			    const struct life *life)
{
	struct index_pending *pending = index->pending;

	plain_fill(pending_add(index, &pending->exec_rows, &pending->exec_room, &pending->exec,
			       sizeof(struct plain_row)),
		   event, life);
}

void index_pending_put_comm(struct index_db *index, const struct event *event,
			    const struct life *life)
{
	struct index_pending *pending = index->pending;

	plain_fill(pending_add(index, &pending->comm_rows, &pending->comm_room, &pending->comm,
			       sizeof(struct plain_row)),
		   event, life);
}

void index_pending_take_exit(struct index_db *index, uint64_t event_no)
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
