#include "query/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "query/escape.h"
#include "query/sink.h"

void subject_init(struct subject *subject, const struct life *life)
{
	*subject = (struct subject){ .life = life };
	if (!life)
		return;
	subject->leader = life->pid == life->tid ? life : life->process;
	if (life->image &&
	    detail_unpack(life->image->detail, life->image->detail_bytes, &subject->detail) < 0)
		subject->detail = (struct detail){ 0 };
	if (!life->cred)
		return;
	subject->uid_known = life->cred->uid_known;
	subject->gid_known = life->cred->gid_known;
	subject->ruid = life->cred->ruid;
	subject->euid = life->cred->euid;
	subject->rgid = life->cred->rgid;
	subject->egid = life->cred->egid;
}

const struct detail_field *subject_field(const struct subject *subject, enum detail_tag tag)
{
	const struct detail_field *field = &subject->detail.field[tag];

	return detail_known(field) && field->bytes > 0 ? field : NULL;
}

uint32_t subject_login(const struct subject *subject, enum detail_tag tag)
{
	uint32_t value = SUBJECT_UNSET;

	(void)detail_u32(&subject->detail, tag, 0, &value);
	return value;
}

void subject_boot_id(struct query *query, uint32_t boot_no, char out[SUBJECT_UUID_BYTES])
{
	static const size_t groups[] = { 4, 2, 2, 2, 6 };
	const struct ledger *ledger = query->ledger;
	size_t at = 0, used = 0, i = 0;

	out[0] = '\0';
	while (i < ledger->boot_count && ledger->boots[i].boot_no != boot_no)
		i++;
	if (i == ledger->boot_count || ledger->boots[i].imported)
		return;
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		if (g > 0)
			out[used++] = '-';
		used += escape_hex(ledger->boots[i].boot_id + at, groups[g], out + used);
		at += groups[g];
	}
	out[used] = '\0';
}

static size_t put_number(char *out, uint64_t number)
{
	size_t bytes;

	out[0] = '-';
	bytes = 1 + sink_digits(number, out + 1);
	out[bytes] = '\0';
	return bytes;
}

void subject_entity(struct query *query, const struct life *leader, char out[SUBJECT_ENTITY_BYTES])
{
	size_t used;

	subject_boot_id(query, leader->boot_no, out);
	if (!out[0])
		(void)snprintf(out, SUBJECT_ENTITY_BYTES, "boot%" PRIu32, leader->boot_no);
	used = strlen(out);
	used += put_number(out + used, leader->pid);
	if (leader->start_ns > 0)
		(void)put_number(out + used, leader->start_ns);
	else
		(void)snprintf(out + used, SUBJECT_ENTITY_BYTES - used, "-id%" PRId64, leader->id);
}
