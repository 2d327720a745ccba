/* cgroup.h - what the path of a control group tells: the systemd unit and slice, the container and its runtime, the pod.  Pure.
 *
 * A path is a convention of who made it, and whoever may make cgroups may make one that looks like another's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	CGROUP_NAME_BYTES = 256,
	CGROUP_POD_BYTES = 37
}; /* NAME_MAX and a UUID, each with its NUL */

/* Each an empty string where the path does not tell. */
struct cgroup {
	char unit
		[CGROUP_NAME_BYTES]; /* of the system's manager: "ssh.service", "session-3.scope" */
	char user_unit[CGROUP_NAME_BYTES]; /* of a user's manager, below a unit user@UID.service */
	char slice[CGROUP_NAME_BYTES]; /* the innermost that holds the unit: "user-1000.slice" */
	char container_id[CGROUP_NAME_BYTES]; /* the innermost, where they are nested */
	char pod_uid[CGROUP_POD_BYTES];       /* of Kubernetes, as its interface writes it */
	const char *
		runtime; /* "docker" "containerd" "cri-o" "podman" "lxc" "systemd-nspawn" "libvirt-lxc"; static */
};

/* Unit and slice are spelt as systemd spells them (\x2d stays), what is in them is not. */
void cgroup_parse(const void *path, size_t bytes, struct cgroup *ret_cgroup);
