#include "recorder/memo.h"

#include <string.h>

/* Ids are mostly counted up: neighbours have places of their own. */
static size_t place_of(uint64_t id)
{
	return (id ^ id >> 32) % MEMO_PLACES;
}

bool memo_login(const struct memo *memo, uint32_t sessionid, uint32_t *ret_loginuid)
{
	const struct memo_login *login = &memo->logins[place_of(sessionid)];

	if (!login->sure || login->sessionid != sessionid)
		return false;
	*ret_loginuid = login->loginuid;
	return true;
}

void memo_login_note(struct memo *memo, uint32_t pid, uint32_t sessionid, uint32_t loginuid)
{
	struct memo_login *login = &memo->logins[place_of(sessionid)];

	if (login->pid == 0 || login->sessionid != sessionid || login->loginuid != loginuid)
		*login = (struct memo_login){ sessionid, loginuid, pid, false };
	else if (login->pid != pid)
		login->sure = true;
}

const uint8_t *memo_cgroup(const struct memo *memo, uint64_t id, size_t *ret_bytes)
{
	const struct memo_cgroup *cgroup = &memo->cgroups[place_of(id)];

	if (id == 0 || cgroup->id != id)
		return NULL;
	*ret_bytes = cgroup->bytes;
	return cgroup->path;
}

void memo_cgroup_note(struct memo *memo, uint64_t id, const uint8_t *path, size_t bytes)
{
	static const char deleted[] = " (deleted)";
	const size_t deleted_bytes = sizeof(deleted) - 1;
	struct memo_cgroup *cgroup = &memo->cgroups[place_of(id)];

	if (id == 0 || bytes == 0 || bytes > sizeof(cgroup->path))
		return;
	if (bytes >= deleted_bytes &&
	    memcmp(path + bytes - deleted_bytes, deleted, deleted_bytes) == 0)
		return;
	cgroup->id = id;
	cgroup->bytes = (uint32_t)bytes;
	memcpy(cgroup->path, path, bytes);
}
