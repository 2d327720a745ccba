# shellcheck shell=bash
# debian.sh - a Debian 12 root in a folder, with packages from wherever this machine's apt gets them.  Source it; needs root.

# debian_root FOLDER [PACKAGE,...]  Makes one with debootstrap; what it prints goes to FOLDER.log, of which the end is shown if it fails.
debian_root() {
	local mirror
	# shellcheck disable=SC2016 # $(...) is apt's
	mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Identifier: Packages' |
		sed -n 's/^bookworm //p' | head -n 1)
	debootstrap --variant=minbase ${2:+"--include=$2"} bookworm "$1" ${mirror:+"$mirror"} >"$1.log" 2>&1 || {
		tail -n 20 "$1.log"
		return 1
	}
	debian_apt "$1"
}

# debian_apt ROOT  Sources, mirrors, proxies as apt has them on this machine.
debian_apt() {
	rm -f "$1/etc/apt/sources.list"
	cp -a /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/trusted.gpg.d /etc/apt/keyrings /etc/apt/auth.conf.d \
		"$1/etc/apt/" 2>/dev/null || true
	apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|ForceIP)' >"$1/etc/apt/apt.conf.d/99like-here" || true
	cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
	if grep -qr 'https://' "$1/etc/apt" && [ -f /etc/ssl/certs/ca-certificates.crt ]; then
		install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
	fi
}
