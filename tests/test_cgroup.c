/* test_cgroup.c - paths of control groups as runtimes and init systems make them, and what they tell. */
#include "schema/cgroup.h"

#include <string.h>

#include "tests/tap.h"

#define HEX1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD  "2f3cd9a1-7bd2-4b0e-9d32-0c1f5b8f2a77"
#define POD_ "2f3cd9a1_7bd2_4b0e_9d32_0c1f5b8f2a77"
#define HASH "a1b2c3d4e5f60718293a4b5c6d7e8f90"

static const struct {
	const char *path, *unit, *user_unit, *slice, *container_id, *runtime, *pod_uid;
} cases[] = {
	/* systemd */
	{ "/", "", "", "", "", "", "" },
	{ "", "", "", "", "", "", "" },
	{ "/init.scope", "init.scope", "", "", "", "", "" },
	{ "/system.slice/ssh.service", "ssh.service", "", "system.slice", "", "", "" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "",
	  "system-getty.slice", "", "", "" },
	{ "/system.slice/system-serial\\x2dgetty.slice/serial-getty@ttyS0.service",
	  "serial-getty@ttyS0.service", "", "system-serial\\x2dgetty.slice", "", "", "" },
	{ "/system.slice/dev-disk-by\\x2duuid-1234.swap", "dev-disk-by\\x2duuid-1234.swap", "",
	  "system.slice", "", "", "" },
	{ "/system.slice/dbus.socket", "dbus.socket", "", "system.slice", "", "", "" },
	{ "/system.slice/containerd.service/kubelet", "containerd.service", "", "system.slice", "",
	  "", "" },
	{ "/system.slice/_cgroup.service", "cgroup.service", "", "system.slice", "", "", "" },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "", "user-1000.slice",
	  "", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service",
	  "init.scope", "user-1000.slice", "", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-4321.scope",
	  "user@1000.service", "app-gnome-firefox-4321.scope", "user-1000.slice", "", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/session.slice/pipewire.service",
	  "user@1000.service", "pipewire.service", "user-1000.slice", "", "", "" },
	{ "/user.slice", "", "", "user.slice", "", "", "" },
	{ "/.service", "", "", "", "", "", "" },
	{ "/system.slice/.slice/x.service", "", "", "system.slice", "", "", "" },
	{ "/../../system.slice/cron.service", "cron.service", "", "system.slice", "", "", "" },
	/* Docker */
	{ "/docker/" HEX1, "", "", "", HEX1, "docker", "" },
	{ "/system.slice/docker-" HEX1 ".scope", "docker-" HEX1 ".scope", "", "system.slice", HEX1,
	  "docker", "" },
	{ "/system.slice/docker-" HEX1 ".scope/init.scope", "docker-" HEX1 ".scope", "",
	  "system.slice", HEX1, "docker", "" },
	{ "/my.slice/docker-" HEX1 ".scope", "docker-" HEX1 ".scope", "", "my.slice", HEX1,
	  "docker", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" HEX1 ".scope",
	  "user@1000.service", "docker-" HEX1 ".scope", "user-1000.slice", HEX1, "docker", "" },
	{ "/docker/" HEX1 "/docker/" HEX2, "", "", "", HEX2, "docker", "" },
	{ "/actions_job/" HEX1, "", "", "", HEX1, "", "" },
	{ "/system.slice/docker.service", "docker.service", "", "system.slice", "", "", "" },
	{ "/docker/buildx", "", "", "", "", "", "" },
	{ "/docker/" HEX1 "0", "", "", "", "", "", "" },
	/* Kubernetes: containerd, CRI-O and Docker, both drivers */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_
	  ".slice/cri-containerd-" HEX1 ".scope",
	  "cri-containerd-" HEX1 ".scope", "", "kubepods-burstable-pod" POD_ ".slice", HEX1,
	  "containerd", POD },
	{ "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" HEX1 ".scope", "crio-" HEX1 ".scope",
	  "", "kubepods-pod" POD_ ".slice", HEX1, "cri-o", POD },
	{ "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" HEX1 ".scope/container",
	  "crio-" HEX1 ".scope", "", "kubepods-pod" POD_ ".slice", HEX1, "cri-o", POD },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_
	  ".slice/crio-conmon-" HEX1 ".scope",
	  "crio-conmon-" HEX1 ".scope", "", "kubepods-besteffort-pod" POD_ ".slice", "", "", POD },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_
	  ".slice/docker-" HEX1 ".scope",
	  "docker-" HEX1 ".scope", "", "kubepods-besteffort-pod" POD_ ".slice", HEX1, "docker",
	  POD },
	{ "/kubepods/burstable/pod" POD "/" HEX1, "", "", "", HEX1, "", POD },
	{ "/kubepods/pod" POD "/" HEX1, "", "", "", HEX1, "", POD },
	{ "/kubepods/besteffort/pod" POD "/crio-" HEX1, "", "", "", HEX1, "cri-o", POD },
	{ "/kubepods/burstable/pod" HASH "/" HEX1, "", "", "", HEX1, "", HASH },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH
	  ".slice/cri-containerd-" HEX1 ".scope",
	  "cri-containerd-" HEX1 ".scope", "", "kubepods-burstable-pod" HASH ".slice", HEX1,
	  "containerd", HASH },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" POD_
	  ".slice:cri-containerd:" HEX1,
	  "containerd.service", "", "system.slice", HEX1, "containerd", POD },
	{ "/docker/" HEX2 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD_
	  ".slice/cri-containerd-" HEX1 ".scope",
	  "", "", "", HEX1, "containerd", POD },
	{ "/kubepods/burstable/pod" POD, "", "", "", "", "", POD },
	{ "/kubepods/burstable/podman", "", "", "", "", "", "" },
	{ "/k8s.io/" HEX1, "", "", "", HEX1, "containerd", "" },
	{ "/system.slice/nerdctl-" HEX1 ".scope", "nerdctl-" HEX1 ".scope", "", "system.slice",
	  HEX1, "containerd", "" },
	/* podman */
	{ "/machine.slice/libpod-" HEX1 ".scope", "libpod-" HEX1 ".scope", "", "machine.slice",
	  HEX1, "podman", "" },
	{ "/machine.slice/libpod-" HEX1 ".scope/container", "libpod-" HEX1 ".scope", "",
	  "machine.slice", HEX1, "podman", "" },
	{ "/machine.slice/libpod-conmon-" HEX1 ".scope", "libpod-conmon-" HEX1 ".scope", "",
	  "machine.slice", "", "", "" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX1
	  ".scope/container",
	  "user@1000.service", "libpod-" HEX1 ".scope", "user-1000.slice", HEX1, "podman", "" },
	{ "/libpod_parent/libpod-" HEX1, "", "", "", HEX1, "podman", "" },
	{ "/system.slice/web.service/libpod-payload-" HEX1, "web.service", "", "system.slice", HEX1,
	  "podman", "" },
	{ "/machine.slice/machine-libpod_pod_" HEX2 ".slice/libpod-" HEX1 ".scope",
	  "libpod-" HEX1 ".scope", "", "machine-libpod_pod_" HEX2 ".slice", HEX1, "podman", "" },
	/* LXC, nspawn, libvirt, ECS */
	{ "/lxc/web-1", "", "", "", "web-1", "lxc", "" },
	{ "/lxc/101/ns/system.slice/cron.service", "", "", "", "101", "lxc", "" },
	{ "/lxc.payload.web-1/system.slice/nginx.service", "", "", "", "web-1", "lxc", "" },
	{ "/lxc.payload/web-1", "", "", "", "web-1", "lxc", "" },
	{ "/lxc.monitor.web-1", "", "", "", "", "", "" },
	{ "/lxc.payload.ci/docker/" HEX1, "", "", "", HEX1, "docker", "" },
	{ "/machine.slice/systemd-nspawn@web\\x2d1.service/payload",
	  "systemd-nspawn@web\\x2d1.service", "", "machine.slice", "web-1", "systemd-nspawn", "" },
	{ "/machine.slice/machine-lxc\\x2d4711\\x2dweb\\x2d1.scope",
	  "machine-lxc\\x2d4711\\x2dweb\\x2d1.scope", "", "machine.slice", "web-1", "libvirt-lxc",
	  "" },
	{ "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "machine-qemu\\x2d1\\x2dvm.scope", "",
	  "machine.slice", "", "", "" },
	{ "/ecs/" HASH "/" HEX1, "", "", "", HEX1, "", "" },
	{ "/ecs/" HASH "/" HASH "-1234567890", "", "", "", HASH "-1234567890", "", "" },
	/* what only looks so */
	{ "/kubepods-pod" POD_ ".slice/x\\x2", "", "", "kubepods-pod" POD_ ".slice", "", "", POD },
	{ "/systemd-nspawn@a\\x00b\\xzz\\x2.service", "systemd-nspawn@a\\x00b\\xzz\\x2.service", "",
	  "", "a\\x00b\\xzz\\x2", "systemd-nspawn", "" },
	{ "/home/me/docker-not-hex.scope", "", "", "", "", "", "" },
	{ "///system.slice//a.service///", "a.service", "", "system.slice", "", "", "" },
	{ "/::", "", "", "", "", "", "" },
};

static void test_case(size_t i)
{
	struct cgroup cgroup;

	memset(&cgroup, 0x5a, sizeof(cgroup));
	cgroup_parse(cases[i].path, strlen(cases[i].path), &cgroup);
	ok(strcmp(cgroup.unit, cases[i].unit) == 0 &&
		   strcmp(cgroup.user_unit, cases[i].user_unit) == 0 &&
		   strcmp(cgroup.slice, cases[i].slice) == 0 &&
		   strcmp(cgroup.container_id, cases[i].container_id) == 0 &&
		   strcmp(cgroup.runtime, cases[i].runtime) == 0 &&
		   strcmp(cgroup.pod_uid, cases[i].pod_uid) == 0,
	   "%s", cases[i].path[0] ? cases[i].path : "no path");
}

static void test_long(void)
{
	char path[1024] = "/system.slice/";
	struct cgroup cgroup;

	memset(path + 14, 'x', 300);
	memcpy(path + 314, ".service", 9);
	cgroup_parse(path, strlen(path), &cgroup);
	ok(cgroup.unit[0] == '\0' && strcmp(cgroup.slice, "system.slice") == 0,
	   "a name that is longer than any is left out");
	cgroup_parse(path, 20, &cgroup);
	ok(cgroup.unit[0] == '\0', "nothing is read beyond the path");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_case(i);
	test_long();
	return done_testing();
}
