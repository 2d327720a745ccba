#!/bin/bash
# test_details.sh - what is known of a process beyond the kernel's events, and how it was come by, on the live kernel: the
# program and its arguments, what a fork inherits, units and containers of cgroups, pid namespaces, threads of the kernel.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
store=${scratch:?}/store
hex=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
pod=2f3cd9a1_7bd2_4b0e_9d32_0c1f5b8f2a77
group=$scratch/cgroup/kubepods.slice/kubepods-pod$pod.slice/crio-$hex.scope

[ "$(id -u)" -eq 0 ] || skip_all "only root records the live kernel"
command -v sqlite3 >/dev/null || skip_all "sqlite3 is not installed"

"$BUILD/procledgerd" --store "$store" --ring-size 8M --argv-max 256 2>"$scratch/log" &
recorder=$!
leave() {
	[ -z "$recorder" ] || kill "$recorder" 2>/dev/null
	if mountpoint -q "$scratch/cgroup"; then
		rmdir "$group" "${group%/*}" "${group%/*/*}" 2>/dev/null
		umount "$scratch/cgroup"
	fi
	rm -rf "$scratch"
}
trap leave EXIT
if ! recording "$recorder" "$scratch/log"; then
	recorder=
	skip_all "nothing can be recorded here: $(tail -n 1 "$scratch/log")"
fi
sleep 0.3

# Everybody sleeps for long enough to be read.
(sleep 0.31 & # a subshell: no program of its own
 wait)
(while read -r -t 0.2; do :; done) < <(sleep 0.32)
sh -c "sleep 0.33; : $(head -c 400 /dev/zero | tr '\0' x)"
mkdir "$scratch/cgroup"
if mount -t cgroup2 none "$scratch/cgroup" 2>/dev/null && mkdir -p "$group"; then
	sh -c "echo \$\$ >'$group/cgroup.procs'; sleep 0.34"
fi
unshare -p -f sleep 0.35 2>/dev/null
sleep 0.5
"$P" --store "$store" ps -S -1s >/dev/null 2>"$scratch/running"
read -ra children <"/proc/$recorder/task/$recorder/children"
kill -STOP "${children[@]}"
sleep 6
"$P" --store "$store" ps -S -1s >/dev/null 2>"$scratch/stopped"
kill -CONT "${children[@]}"
sleep 0.5
kill "$recorder"
wait "$recorder"
ok $? "the recorder ends in order"
recorder=
is "$(cat "$scratch/running")" '-- complete' "while it records, the last second is complete"
grep -q '^-- incomplete: the recorder has recorded nothing after ' "$scratch/stopped"
ok $? "while it is stopped, that it records nothing is said"

sql() {
	sqlite3 "$store/index.db" "$1"
}

is "$(sql "SELECT comm_source, exe_source, argv_source, cwd_source, inherited FROM process WHERE argv = '[\"sleep\",\"0.31\"]'")" \
	'read|read|read|read|0' "what ran a program has its own name, program and arguments"
is "$(sql "SELECT DISTINCT comm, comm_source, exe_source, argv_source, inherited, exe IS NOT NULL FROM process
	WHERE id = (SELECT parent_id FROM process WHERE argv = '[\"sleep\",\"0.31\"]')")" \
	'test_details.sh|inherited|inherited|inherited|1|1' "what was only forked has its parent's, marked as inherited"
is "$(sql "SELECT argv_source, length(argv) BETWEEN 256 AND 300 FROM process WHERE argv LIKE '[\"sh\",\"-c\",\"sleep 0.33;%'")" \
	'truncated|1' "a command line that is longer than --argv-max is cut, and says so"
"$P" --store "$store" tree -b 1 >"$scratch/tree" 2>/dev/null
grep -q 'test_details.sh  *(named test_details.sh)  (no exec)\|test_details.sh.*(no exec)' "$scratch/tree"
ok $? "the tree says who ran no program of its own"
grep -q 'sleep 0.33; : x*'"' \.\.\." "$scratch/tree"
ok $? "and shows that a command line was cut"
if [ -d "$group" ]; then
	is "$(sql "SELECT unit, slice, container_id, container_runtime, pod_uid FROM process WHERE argv = '[\"sleep\",\"0.34\"]'")" \
		"crio-$hex.scope|kubepods-pod$pod.slice|$hex|cri-o|${pod//_/-}" \
		"a process in a container has unit, slice, container, runtime and pod"
	is "$(sql "SELECT count(*) FROM cgroup WHERE container_id = '$hex'")" 1 "which are stored once"
fi
if [ -n "$(sql "SELECT 1 FROM process WHERE argv = '[\"sleep\",\"0.35\"]'")" ]; then
	is "$(sql "SELECT (SELECT pidns FROM process WHERE argv = '[\"sleep\",\"0.34\"]') = $(stat -Lc %i /proc/self/ns/pid),
		(SELECT pidns FROM process WHERE argv = '[\"sleep\",\"0.35\"]') <> $(stat -Lc %i /proc/self/ns/pid)")" \
		'1|1' "pid namespaces are told apart"
fi
is "$(sql "SELECT count(*) FROM process WHERE ppid = 2 AND (comm IS NULL OR argv IS NOT '[]')")" 0 \
	"every thread of the kernel has a name, and no arguments"

# The answers of the two ways to ask.
columns='"id","comm","exe","argv","cwd","uid","cgroup","inherited","unit","user_unit","slice","container_id","container_runtime","pod_uid","pidns","comm_source","exe_source","argv_source","cwd_source","redactions"'
"$P" --store "$store" ps -b 1 --threads -o jsonl 2>/dev/null |
	sqlite3 :memory: "CREATE TABLE line(t); " ".mode ascii" ".separator \"\\037\" \"\\n\"" ".import /dev/stdin line" \
		"ATTACH '$store/index.db' AS i" \
		"SELECT count(*) FROM line WHERE t ->> 'id' IS NOT NULL" \
		"SELECT count(*) FROM line JOIN i.task ON task.id = t ->> 'id' WHERE $(for c in ${columns//,/ }; do
			printf '(t ->> %s) IS task.%s AND ' "'${c//\"/}'" "${c//\"/}"
		done) 1" >"$scratch/same"
is "$(head -n 1 "$scratch/same")" "$(tail -n 1 "$scratch/same")" "the query tool and SQL tell the same of every task"
"$P" --store "$store" reindex >/dev/null 2>&1
is "$(sql "SELECT count(DISTINCT container_id) FROM process")" "$([ -d "$group" ] && echo 1 || echo 0)" \
	"and an index that was made again as well"
done_testing
