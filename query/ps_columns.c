#include "query/ps_columns.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <time.h>

#include "schema/cgroup.h"

#define NS_PER_S UINT64_C(1000000000)

/* What the functions below are given. */
struct cell_of {
	struct output *output;
	struct query *query;
	const struct past_life *life;
	uint64_t at_ns;
	struct line *line;
};

static void put_number(const struct cell_of *of, bool known, uint64_t number)
{
	if (known)
		output_unsigned(of->output, number);
	else
		output_null(of->output);
}

static void put_pid(const struct cell_of *of)
{
	output_unsigned(of->output, of->life->pid);
}

static void put_tid(const struct cell_of *of)
{
	output_unsigned(of->output, of->life->tid);
}

static void put_ppid(const struct cell_of *of)
{
	put_number(of, of->life->born != LIFE_BORN_UNSEEN || of->life->ppid != 0, of->life->ppid);
}

static void put_id(const struct cell_of *of)
{
	output_signed(of->output, of->life->id);
}

static void put_boot(const struct cell_of *of)
{
	output_unsigned(of->output, of->life->boot_no);
}

static void put_euid(const struct cell_of *of)
{
	put_number(of, of->life->uid_known, of->life->euid);
}

static void put_ruid(const struct cell_of *of)
{
	put_number(of, of->life->uid_known, of->life->ruid);
}

static void put_egid(const struct cell_of *of)
{
	put_number(of, of->life->gid_known, of->life->egid);
}

static void put_rgid(const struct cell_of *of)
{
	put_number(of, of->life->gid_known, of->life->rgid);
}

static void put_user_name(const struct cell_of *of, bool known, uint32_t uid)
{
	const struct passwd *user = known ? getpwuid(uid) : NULL;

	if (user)
		output_bytes(of->output, user->pw_name, strlen(user->pw_name));
	else
		put_number(of, known, uid);
}

static void put_euser(const struct cell_of *of)
{
	put_user_name(of, of->life->uid_known, of->life->euid);
}

static void put_ruser(const struct cell_of *of)
{
	put_user_name(of, of->life->uid_known, of->life->ruid);
}

static void put_group_name(const struct cell_of *of, uint32_t gid)
{
	const struct group *group = of->life->gid_known ? getgrgid(gid) : NULL;

	if (group)
		output_bytes(of->output, group->gr_name, strlen(group->gr_name));
	else
		put_number(of, of->life->gid_known, gid);
}

static void put_egroup(const struct cell_of *of)
{
	put_group_name(of, of->life->egid);
}

static void put_rgroup(const struct cell_of *of)
{
	put_group_name(of, of->life->rgid);
}

static void put_loginuid(const struct cell_of *of)
{
	uint32_t uid;

	if (!of->life->image || detail_u32(&of->life->image->detail, DETAIL_LOGINUID, 0, &uid) < 0)
		output_null(of->output);
	else if (uid == UINT32_MAX)
		output_word(of->output, "unset");
	else
		output_unsigned(of->output, uid);
}

static void put_comm(const struct cell_of *of)
{
	if (of->life->comm_known)
		output_bytes(of->output, of->life->comm, comm_bytes(of->life->comm));
	else
		output_null(of->output);
}

static void put_args(const struct cell_of *of)
{
	line_clear(of->line);
	life_command(of->line, of->life);
	output_made(of->output, of->line->text, of->line->bytes);
}

static void put_detail(const struct cell_of *of, enum detail_tag tag)
{
	const struct detail_field *field =
		of->life->image ? &of->life->image->detail.field[tag] : NULL;

	if (field && detail_known(field))
		output_bytes(of->output, field->data, field->bytes);
	else
		output_null(of->output);
}

static void put_exe(const struct cell_of *of)
{
	put_detail(of, DETAIL_EXE);
}

static void put_cwd(const struct cell_of *of)
{
	put_detail(of, DETAIL_CWD);
}

static void put_cgroup(const struct cell_of *of)
{
	put_detail(of, DETAIL_CGROUP);
}

static void put_unit(const struct cell_of *of)
{
	const struct detail_field *path =
		of->life->image ? &of->life->image->detail.field[DETAIL_CGROUP] : NULL;
	struct cgroup cgroup = { 0 };

	if (path && detail_known(path))
		cgroup_parse(path->data, path->bytes, &cgroup);
	if (cgroup.unit[0])
		output_bytes(of->output, cgroup.unit, strlen(cgroup.unit));
	else
		output_null(of->output);
}

/* --- times --- */

static bool age_of(const struct cell_of *of, uint64_t *ret_s)
{
	uint64_t end = of->life->ended && of->life->end_ns ? of->life->end_ns : of->at_ns;

	if (of->life->start_ns == 0 || end < of->life->start_ns)
		return false;
	*ret_s = (end - of->life->start_ns) / NS_PER_S;
	return true;
}

static void put_etimes(const struct cell_of *of)
{
	uint64_t s = 0;

	put_number(of, age_of(of, &s), s);
}

/* [[DD-]hh:]mm:ss */
static void put_etime(const struct cell_of *of)
{
	char text[48];
	uint64_t s;

	if (!age_of(of, &s)) {
		output_null(of->output);
		return;
	}
	if (s >= 86400)
		(void)snprintf(text, sizeof(text), "%" PRIu64 "-%02u:%02u:%02u", s / 86400,
			       (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60),
			       (unsigned)(s % 60));
	else if (s >= 3600)
		(void)snprintf(text, sizeof(text), "%02u:%02u:%02u", (unsigned)(s / 3600),
			       (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	else
		(void)snprintf(text, sizeof(text), "%02u:%02u", (unsigned)(s / 60),
			       (unsigned)(s % 60));
	output_word(of->output, text);
}

static void put_time(const struct cell_of *of, uint64_t ns, unsigned digits)
{
	char time[WHEN_TEXT_BYTES];

	if (ns == 0) {
		output_null(of->output);
		return;
	}
	query_time(of->query, of->life->boot_no, ns, digits, time);
	output_word(of->output, time);
}

/* As ps writes it: "Sun Nov 22 11:27:44 2026", of the local clock or UTC. */
static void put_lstart(const struct cell_of *of)
{
	uint64_t wall_ns;
	char text[64];
	struct tm tm;
	time_t s;

	if (of->life->start_ns == 0 ||
	    clocks_wall(of->query->clocks, of->life->boot_no, of->life->start_ns, &wall_ns) < 0) {
		put_time(of, of->life->start_ns, 0);
		return;
	}
	s = (time_t)(wall_ns / NS_PER_S);
	if (!(of->query->options->utc ? gmtime_r(&s, &tm) : localtime_r(&s, &tm)) ||
	    strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm) == 0)
		output_null(of->output);
	else
		output_word(of->output, text);
}

/* The time of a day that is the asked one's, else the date. */
static void put_stime(const struct cell_of *of)
{
	uint64_t start_ns, at_ns;
	char start[WHEN_TEXT_BYTES], at[WHEN_TEXT_BYTES];

	if (of->life->start_ns == 0 ||
	    clocks_wall(of->query->clocks, of->life->boot_no, of->life->start_ns, &start_ns) < 0 ||
	    clocks_wall(of->query->clocks, of->life->boot_no, of->at_ns, &at_ns) < 0) {
		put_time(of, of->life->start_ns, 0);
		return;
	}
	when_format(start_ns, 0, &of->query->here, start);
	when_format(at_ns, 0, &of->query->here, at);
	if (strncmp(start, at, 10) == 0) {
		start[16] = '\0';
		output_word(of->output, start + 11);
	} else {
		start[10] = '\0';
		output_word(of->output, start);
	}
}

static void put_start(const struct cell_of *of)
{
	put_time(of, of->life->start_ns, 3);
}

static void put_end(const struct cell_of *of)
{
	char end[LIFE_WORD_BYTES];

	life_end_word(of->life, end);
	output_word(of->output, end);
}

static void put_duration(const struct cell_of *of)
{
	char duration[WHEN_TEXT_BYTES];

	life_duration(of->life, of->at_ns, duration);
	output_word(of->output, duration[0] ? duration : NULL);
}

static void put_unknown(const struct cell_of *of)
{
	output_null(of->output);
}

/* ps's keywords and their other names, then our own. */
static const struct keyword {
	const char *names; /* between spaces */
	const char *header;
	bool number;
	void (*put)(const struct cell_of *of);
} keywords[] = {
	{ " pid tgid ", "PID", true, put_pid },
	{ " tid lwp spid ", "TID", true, put_tid },
	{ " ppid ", "PPID", true, put_ppid },
	{ " uid euid ", "UID", true, put_euid },
	{ " ruid ", "RUID", true, put_ruid },
	{ " gid egid ", "GID", true, put_egid },
	{ " rgid ", "RGID", true, put_rgid },
	{ " user euser uname ", "USER", false, put_euser },
	{ " ruser ", "RUSER", false, put_ruser },
	{ " group egroup ", "GROUP", false, put_egroup },
	{ " rgroup ", "RGROUP", false, put_rgroup },
	{ " luid loginuid auid ", "LUID", true, put_loginuid },
	{ " comm ucmd ucomm ", "COMMAND", false, put_comm },
	{ " args cmd command ", "COMMAND", false, put_args },
	{ " exe ", "EXE", false, put_exe },
	{ " cwd ", "CWD", false, put_cwd },
	{ " cgroup ", "CGROUP", false, put_cgroup },
	{ " unit ", "UNIT", false, put_unit },
	{ " etime ", "ELAPSED", true, put_etime },
	{ " etimes ", "ELAPSED", true, put_etimes },
	{ " lstart ", "STARTED", false, put_lstart },
	{ " stime start_time bsdstart ", "STIME", false, put_stime },
	{ " start ", "START", false, put_start },
	{ " duration ", "DURATION", true, put_duration },
	{ " end ", "END", false, put_end },
	{ " id ", "ID", true, put_id },
	{ " boot ", "BOOT", true, put_boot },
	{ " tty tt tname ", "TTY", false, put_unknown },
	{ " stat state s ", "STAT", false, put_unknown },
	{ " time cputime bsdtime ", "TIME", false, put_unknown },
	{ " %cpu pcpu c ", "%CPU", false, put_unknown },
	{ " %mem pmem ", "%MEM", false, put_unknown },
	{ " vsz vsize ", "VSZ", false, put_unknown },
	{ " rss rssize ", "RSS", false, put_unknown },
	{ " ni nice ", "NI", false, put_unknown },
	{ " pgid pgrp ", "PGID", false, put_unknown },
	{ " sid sess session ", "SID", false, put_unknown },
};

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(keywords[0]) };

static bool keyword_find(const char *name, size_t bytes, size_t *ret_keyword)
{
	char padded[40];

	if (bytes == 0 || bytes + 3 > sizeof(padded))
		return false;
	(void)snprintf(padded, sizeof(padded), " %.*s ", (int)bytes, name);
	for (size_t i = 0; i < KEYWORD_COUNT; i++) {
		if (strstr(keywords[i].names, padded)) {
			*ret_keyword = i;
			return true;
		}
	}
	return false;
}

static int column_add(struct ps_columns *columns, const char *text, size_t bytes)
{
	const char *equals = memchr(text, '=', bytes);
	size_t name_bytes = equals ? (size_t)(equals - text) : bytes, keyword, at = columns->count;

	if (at == PS_COLUMNS_MAX)
		return complain(EXIT_USAGE, "-o takes at most %d columns", (int)PS_COLUMNS_MAX);
	if (!keyword_find(text, name_bytes, &keyword))
		return complain(
			EXIT_USAGE,
			"-o is text, json, jsonl, csv, or columns as ps has them, not '%.*s'; "
			"see procledger ps --help",
			(int)(name_bytes < 80 ? name_bytes : 80), text);
	if (keywords[keyword].put == put_unknown)
		(void)fprintf(stderr, "-- %.*s is not recorded\n", (int)name_bytes, text);
	columns->keyword[at] = keyword;
	if (equals)
		(void)snprintf(columns->header[at], PS_HEADER_BYTES, "%.*s",
			       (int)(bytes - name_bytes - 1), equals + 1);
	else
		(void)snprintf(columns->header[at], PS_HEADER_BYTES, "%s",
			       keywords[keyword].header);
	columns->column[at] = (struct output_column){ .name = columns->header[at],
						      .number = keywords[keyword].number };
	columns->count++;
	return 0;
}

int ps_columns_parse(struct ps_columns *columns, const char *text)
{
	int r = 0;

	columns->count = 0;
	while (r == 0 && *text) {
		size_t bytes = strcspn(text, ", ");

		r = column_add(columns, text, bytes);
		text += bytes + (text[bytes] != '\0');
	}
	if (r == 0 && columns->count == 0)
		r = complain(EXIT_USAGE, "-o wants columns, as pid,user,args");
	return r;
}

void ps_row(const struct ps_columns *columns, struct output *output, struct query *query,
	    const struct past_life *life, uint64_t at_ns, struct line *line)
{
	struct cell_of of = { output, query, life, at_ns, line };

	for (size_t i = 0; i < columns->count; i++)
		keywords[columns->keyword[i]].put(&of);
	output_row_end(output);
}
