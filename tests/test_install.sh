#!/bin/bash
# test_install.sh - make install puts everything in its place, and what is there works from there.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

root=$scratch/root
unset MAKEFLAGS MAKELEVEL MFLAGS

make -s install VARIANT="${BUILD#build/}" DESTDIR="$root" prefix=/usr >"$scratch/log" 2>&1
ok $? "make install DESTDIR= prefix=/usr"
sed 's/^/# /' "$scratch/log"

for program in bin/procledger sbin/procledgerd; do
	[ "$(stat -c %a "$root/usr/$program")" = 755 ]
	ok $? "/usr/$program can be run"
done
missing=
for manual in */*.[1-8]; do
	name=${manual##*/}
	[ -s "$root/usr/share/man/man${name##*.}/$name" ] || missing="$missing $name"
done
is "$missing" "" "every manual page is there"
[ -s "$root/usr/share/doc/procledger/FORMAT.md" ] && [ -s "$root/usr/share/bash-completion/completions/procledger" ]
ok $? "as are the description of the ring and the completions"
is "$(find "$root" -type f -perm /022 | wc -l)" 0 "nobody but the owner may write any of it"

unit=$root/usr/lib/systemd/system/procledgerd.service
is "$(sed -n 's/^ExecStart=//p' "$unit")" /usr/sbin/procledgerd "the unit starts the program where it is"
if command -v systemd-analyze >/dev/null; then
	sed "s|^ExecStart=|&$root|" "$unit" >"$scratch/procledgerd.service"
	systemd-analyze verify --man=no "$scratch/procledgerd.service" >"$scratch/log" 2>&1
	ok $? "systemd takes it"
	sed 's/^/# /' "$scratch/log"
else
	ok 0 "systemd takes it # SKIP systemd-analyze is not installed"
fi
make -s install VARIANT="${BUILD#build/}" DESTDIR="$scratch/local" >"$scratch/log" 2>&1
is "$(sed -n 's/^ExecStart=//p' "$scratch/local/usr/local/lib/systemd/system/procledgerd.service")" /usr/local/sbin/procledgerd \
	"and with another prefix as well"

if command -v xz >/dev/null; then
	xz -dc tests/data/zoo.nl.xz | "$root/usr/sbin/procledgerd" --store "$scratch/store" --ring-size 4M --input -
	ok $? "what is installed records a stream"
	"$root/usr/bin/procledger" --store "$scratch/store" tree | grep -q . &&
		"$root/usr/bin/procledger" --store "$scratch/store" sql 'SELECT count(*) FROM event' | grep -q '[1-9]'
	ok $? "and answers from it"
else
	ok 0 "what is installed records a stream # SKIP xz is not installed"
fi
done_testing
