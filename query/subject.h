/* subject.h - what is known of a life at this moment of a fold, for formats that tell it with every event. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "query/query.h"
#include "schema/detail.h"
#include "schema/lives.h"

struct subject {
	const struct life *life;   /* NULL: nothing is known */
	const struct life *leader; /* the process it is of; NULL: not known */
	struct detail detail;      /* of what it runs; nothing in it where that is not known */
	bool uid_known, gid_known;
	uint32_t ruid, euid, rgid, egid;
};

void subject_init(struct subject *subject, const struct life *life);

/* A field that tells something, or NULL. */
const struct detail_field *subject_field(const struct subject *subject, enum detail_tag tag);

/* The login user (DETAIL_LOGINUID) or audit session; SUBJECT_UNSET: none, or not known. */
#define SUBJECT_UNSET UINT32_MAX
uint32_t subject_login(const struct subject *subject, enum detail_tag tag);

/* A name for a process that no other ever bears: the boot's id, its pid, and when it began. */
enum { SUBJECT_ENTITY_BYTES = 96 };
void subject_entity(struct query *query, const struct life *leader, char out[SUBJECT_ENTITY_BYTES]);

/* The boot's id as a UUID; "" where the ledger has none (an imported stream). */
enum { SUBJECT_UUID_BYTES = 37 };
void subject_boot_id(struct query *query, uint32_t boot_no, char out[SUBJECT_UUID_BYTES]);
