/* memo.h - what stands behind two ids of the kernel for as long as it runs, so that it is read once and not for every program.  No I/O.
 *
 * - The login uid behind an audit session: both are set together, and each time with a new session (kernel/auditsc.c,
 *   audit_set_loginuid()); without a login both are 4294967295.
 * - The path behind the id of a cgroup of the v2 hierarchy: it is never renamed (kernel/cgroup/cgroup.c has no rename for it), nor is its
 *   id given to another (fs/kernfs/dir.c counts generations).
 *
 * Each table has one place for an id, and the newer takes it.  Fixed size; all zeros is an empty one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEMO_PLACES = 64, MEMO_PATH_MAX_BYTES = 500 };

struct memo_login {
	uint32_t sessionid, loginuid;
	uint32_t pid; /* who told first; 0: nobody has */
	bool sure;    /* somebody else has told the same */
};

struct memo_cgroup {
	uint64_t id; /* 0: none */
	uint32_t bytes;
	uint8_t path[MEMO_PATH_MAX_BYTES];
};

struct memo {
	struct memo_login logins[MEMO_PLACES];
	struct memo_cgroup cgroups[MEMO_PLACES];
};

/* The login uid of this audit session, once two processes have told the same: one alone may have been read between the kernel's setting
 * the one and the other. */
bool memo_login(const struct memo *memo, uint32_t sessionid, uint32_t *ret_loginuid);
void memo_login_note(struct memo *memo, uint32_t pid, uint32_t sessionid, uint32_t loginuid);

/* The path of this cgroup, until the next note; NULL: not known. */
const uint8_t *memo_cgroup(const struct memo *memo, uint64_t id, size_t *ret_bytes);

/* To be told only of a process that was in this cgroup both before and after the path was read.  Passes over what does not fit, and
 * the path of one that is deleted. */
void memo_cgroup_note(struct memo *memo, uint64_t id, const uint8_t *path, size_t bytes);
