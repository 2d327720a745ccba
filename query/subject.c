#include "query/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	const struct ledger *ledger = query->ledger;

	out[0] = '\0';
	for (size_t i = 0; i < ledger->boot_count; i++) {
		const uint8_t *id = ledger->boots[i].boot_id;
		size_t at = 0;

		if (ledger->boots[i].boot_no != boot_no || ledger->boots[i].imported)
			continue;
		for (int b = 0; b < RING_UUID_BYTES; b++) {
			if (b == 4 || b == 6 || b == 8 || b == 10)
				out[at++] = '-';
			at += (size_t)snprintf(out + at, 3, "%02x", id[b]);
		}
	}
}

void subject_entity(struct query *query, const struct life *leader, char out[SUBJECT_ENTITY_BYTES])
{
	char boot[SUBJECT_UUID_BYTES];

	subject_boot_id(query, leader->boot_no, boot);
	if (!boot[0])
		(void)snprintf(boot, sizeof(boot), "boot%" PRIu32, leader->boot_no);
	if (leader->start_ns > 0)
		(void)snprintf(out, SUBJECT_ENTITY_BYTES, "%s-%" PRIu32 "-%" PRIu64, boot,
			       leader->pid, leader->start_ns);
	else
		(void)snprintf(out, SUBJECT_ENTITY_BYTES, "%s-%" PRIu32 "-id%" PRId64, boot,
			       leader->pid, leader->id);
}
