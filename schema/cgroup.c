#include "schema/cgroup.h"

#include "schema/span.h"

enum { CONTAINER_HEX = 64, ECS_HEX = 32, UUID_BYTES = 36, POD_HEX = 32 };

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool span_is_hex(struct span part, size_t bytes)
{
	if (part.bytes != bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (!is_hex(part.text[i]))
			return false;
	return true;
}

/* A name that has no room is left out: half of it would be another's. */
static void name_set(char out[CGROUP_NAME_BYTES], struct span part)
{
	size_t bytes = part.bytes < CGROUP_NAME_BYTES ? part.bytes : 0;

	memcpy(out, part.text, bytes);
	out[bytes] = '\0';
}

static unsigned hex_value(char c)
{
	return (unsigned)(is_digit(c) ? c - '0' : c - 'a' + 10);
}

/* systemd.unit(5): \xNN in the name of a unit is a byte. */
static void name_set_unescaped(char out[CGROUP_NAME_BYTES], struct span part)
{
	size_t at = 0;

	name_set(out, part);
	for (size_t i = 0; out[i]; at++) {
		bool escaped = out[i] == '\\' && out[i + 1] == 'x' && is_hex(out[i + 2]) &&
			       is_hex(out[i + 3]);
		unsigned byte = escaped ? hex_value(out[i + 2]) << 4 | hex_value(out[i + 3]) : 0;

		out[at] = byte != 0 ? (char)byte : out[i];
		i += byte != 0 ? 4 : 1;
	}
	out[at] = '\0';
}

/* --- systemd --- */

/* Where in the path of systemd's units we are. */
enum place { IN_SLICES, IN_UNIT, IN_USER_SLICES, ELSEWHERE };

static bool is_slice(struct span part)
{
	return span_cut_back(&part, ".slice") && part.bytes > 0;
}

/* Kinds of unit that have a cgroup, but for slices. */
static bool is_unit(struct span part)
{
	static const char *const endings[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (span_cut_back(&part, endings[i]))
			return part.bytes > 0;
	return false;
}

/* As systemd itself reads a path (cg_path_get_unit, cg_path_get_user_unit): slices, then one unit; what is below is the unit's
 * own, but that a user's manager has slices and units again. */
static enum place unit_step(struct cgroup *cgroup, enum place place, struct span part)
{
	struct span manager = part;

	/* cg_escape(): a name that might be taken for one of the kernel's files has '_' before it. */
	if (part.bytes > 1)
		(void)span_cut_front(&part, "_");
	switch (place) {
	case IN_SLICES:
		if (is_slice(part)) {
			name_set(cgroup->slice, part);
			return IN_SLICES;
		}
		if (!is_unit(part)) {
			return ELSEWHERE;
		}
		name_set(cgroup->unit, part);
		return span_cut_front(&manager, "user@") && span_cut_back(&manager, ".service")
			       ? IN_USER_SLICES
			       : IN_UNIT;
	case IN_USER_SLICES:
		if (is_slice(part))
			return IN_USER_SLICES;
		if (is_unit(part))
			name_set(cgroup->user_unit, part);
		return IN_UNIT;
	case IN_UNIT:
	case ELSEWHERE:
		break;
	}
	return place;
}

/* --- containers --- */

static void container_set(struct cgroup *cgroup, struct span id, const char *runtime)
{
	name_set(cgroup->container_id, id);
	cgroup->runtime = runtime;
}

/* What stands before the 64 hex digits.  Monitors (libpod-conmon-, crio-conmon-) are none. */
static const struct {
	const char *prefix, *runtime;
} engines[] = {
	{ "docker-", "docker" }, { "cri-containerd-", "containerd" }, { "nerdctl-", "containerd" },
	{ "crio-", "cri-o" },    { "libpod-payload-", "podman" },     { "libpod-", "podman" },
};

/* Folders in which a container is a folder of 64 hex digits; others are known to hold some, but not whose. */
static const struct {
	const char *folder, *runtime;
} folders[] = {
	{ "docker", "docker" },
	{ "k8s.io", "containerd" },
	{ "moby", "docker" },
};

/* "docker-ID.scope" of the systemd driver, "crio-ID" of the other. */
static bool engine_step(struct cgroup *cgroup, struct span part)
{
	(void)span_cut_back(&part, ".scope");
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		struct span id = part;

		if (span_cut_front(&id, engines[i].prefix) && span_is_hex(id, CONTAINER_HEX)) {
			container_set(cgroup, id, engines[i].runtime);
			return true;
		}
	}
	return false;
}

/* "SLICE:ENGINE:ID", what runc makes of the systemd spelling when the other driver is set. */
static bool colons_step(struct cgroup *cgroup, struct span part)
{
	struct span engine;

	(void)span_next(&part, ':');
	engine = span_next(&part, ':');
	if (!span_is_hex(part, CONTAINER_HEX))
		return false;
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
		struct span prefix = { engines[i].prefix, strlen(engines[i].prefix) - 1 };

		if (engine.bytes == prefix.bytes &&
		    memcmp(engine.text, prefix.text, prefix.bytes) == 0) {
			container_set(cgroup, part, engines[i].runtime);
			return true;
		}
	}
	return false;
}

/* 64 hex digits alone; or a task of ECS, "32 hex digits-number". */
static bool digits_step(struct cgroup *cgroup, struct span before, struct span part)
{
	struct span rest = part, head;

	if (span_is_hex(part, CONTAINER_HEX)) {
		container_set(cgroup, part, "");
		for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
			if (span_is(before, folders[i].folder))
				cgroup->runtime = folders[i].runtime;
		return true;
	}
	head = span_next(&rest, '-');
	if (!span_is_hex(head, ECS_HEX) || rest.bytes == 0 || !span_is_hex(before, ECS_HEX))
		return false;
	for (size_t i = 0; i < rest.bytes; i++)
		if (!is_digit(rest.text[i]))
			return false;
	container_set(cgroup, part, "");
	return true;
}

/* Containers that are named by people. */
static void named_step(struct cgroup *cgroup, struct span before, struct span part)
{
	struct span name = part;

	if (span_is(before, "lxc") || span_is(before, "lxc.payload") ||
	    span_cut_front(&name, "lxc.payload.")) {
		container_set(cgroup, name, "lxc");
	} else if (span_cut_front(&name, "systemd-nspawn@") && span_cut_back(&name, ".service")) {
		name_set_unescaped(cgroup->container_id, name);
		cgroup->runtime = "systemd-nspawn";
	} else if (span_cut_front(&name, "machine-lxc\\x2d") && span_cut_back(&name, ".scope")) {
		while (name.bytes > 0 && is_digit(name.text[0])) /* the number of its process */
			name = span_from(name, 1);
		if (!span_cut_front(&name, "\\x2d"))
			return;
		name_set_unescaped(cgroup->container_id, name);
		cgroup->runtime = "libvirt-lxc";
	}
}

/* --- pods --- */

/* A UUID, with '_' for '-' in the name of a slice; or the hash of a static pod. */
static void pod_set(struct cgroup *cgroup, struct span uid)
{
	bool hash = span_is_hex(uid, POD_HEX);

	if (!hash && uid.bytes != UUID_BYTES)
		return;
	for (size_t i = 0; i < uid.bytes && !hash; i++) {
		bool joint = i == 8 || i == 13 || i == 18 || i == 23;

		if (joint ? uid.text[i] != '-' && uid.text[i] != '_' : !is_hex(uid.text[i]))
			return;
	}
	for (size_t i = 0; i < uid.bytes; i++)
		cgroup->pod_uid[i] = uid.text[i];
	cgroup->pod_uid[uid.bytes] = '\0';
	for (size_t i = 0; i < uid.bytes; i++)
		if (cgroup->pod_uid[i] == '_')
			cgroup->pod_uid[i] = '-';
}

/* "podUID", or "kubepods-burstable-podUID.slice" with whatever stands before it. */
static void pod_step(struct cgroup *cgroup, struct span part)
{
	struct span rest = part;
	const char *found;

	rest = span_next(&part, ':');
	if (span_cut_back(&rest, ".slice")) {
		found = rest.bytes > 0 ? memmem(rest.text, rest.bytes, "-pod", 4) : NULL;
		if (!found)
			return;
		rest = span_from(rest, (size_t)(found - rest.text) + 1);
	}
	if (span_cut_front(&rest, "pod"))
		pod_set(cgroup, rest);
}

void cgroup_parse(const void *path, size_t bytes, struct cgroup *ret_cgroup)
{
	struct span rest = { path, bytes > 0 ? strnlen(path, bytes) : 0 }, before = { "", 0 };
	enum place place = IN_SLICES;

	ret_cgroup->unit[0] = ret_cgroup->user_unit[0] = ret_cgroup->slice[0] = '\0';
	ret_cgroup->container_id[0] = ret_cgroup->pod_uid[0] = '\0';
	ret_cgroup->runtime = "";
	while (rest.bytes > 0) {
		struct span part = span_next(&rest, '/');

		if (part.bytes == 0 || span_is(part, ".."))
			continue;
		place = unit_step(ret_cgroup, place, part);
		pod_step(ret_cgroup, part);
		if (!engine_step(ret_cgroup, part) && !colons_step(ret_cgroup, part) &&
		    !digits_step(ret_cgroup, before, part))
			named_step(ret_cgroup, before, part);
		before = part;
	}
	if (ret_cgroup->container_id[0] == '\0') /* a name without room, or none */
		ret_cgroup->runtime = "";
}
