#!/bin/bash
# bare-root.sh [TARGET...]  As root: runs `make try` and `make check` (or the targets given), each in a Debian 12 root of its own
# with nothing but make and a fresh clone of this repository in it.  The roots are made with debootstrap in a temporary folder, which
# is removed at the end; packages come from wherever this machine's apt gets them.
set -eu
cd "$(dirname "$0")/.."
. tests/debian.sh

if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
	echo "bare-root.sh: this needs root, and debootstrap" >&2
	exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT

# inside ROOT COMMAND...  With ROOT as the root of a mount namespace of its own, which ends with the command.  (In a plain chroot the
# kernel refuses user namespaces, which tests need.)
inside() {
	# shellcheck disable=SC2016 # the inner shell's
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 unshare --mount --propagation private sh -ec '
		mount --bind "$1" "$1"
		cd "$1"
		mount -t proc proc proc
		mkdir -p old
		pivot_root . old
		umount -l /old
		rmdir /old
		shift
		exec "$@"' inside "$@" </dev/null
}

# trial NAME  Runs `make NAME` in a fresh root.
trial() {
	local root=$scratch/$1 status=0
	cp -a "$scratch/base" "$root"
	git clone -q . "$root/root/procledger"
	inside "$root" make --no-print-directory -C /root/procledger "$1" >"$scratch/$1.log" 2>&1 || status=$?
	sed "s/^/$1: /" "$scratch/$1.log"
	echo "== make $1 in a bare root: exit status $status, $SECONDS s since the start"
	rm -rf --one-file-system "$root"
	return $status
}

debian_root "$scratch/base"
inside "$scratch/base" sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends make' >"$scratch/log" 2>&1 ||
	{ tail -n 20 "$scratch/log"; exit 1; }
echo "== a bare Debian 12 with make, after $SECONDS s"

[ $# -gt 0 ] || set -- try check
failed=0
for name in "$@"; do
	trial "$name" || failed=1
done
exit $failed
