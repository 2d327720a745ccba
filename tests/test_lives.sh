#!/bin/bash
# test_lives.sh - tree, ps, comm and show over a store whose every event is known (tests/told-day.txt, made by tests/tell).
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
export PROCLEDGER_STORE=${scratch:?}/store
unset NO_COLOR
"$BUILD/tests/tell" "$PROCLEDGER_STORE" <tests/told-day.txt
ok $? "the day is told"

# run ARGUMENT...  An answer in $scratch/out, its exit status in $status.
run() {
	"$P" "$@" -q >"$scratch/out" 2>"$scratch/err"
	status=$?
}

# shows TEXT SENTENCE / hides TEXT SENTENCE  As an extended regular expression, in some line of the answer.
shows() {
	grep -Eq -- "$1" "$scratch/out"
	ok $? "$2"
}
hides() {
	! grep -Eq -- "$1" "$scratch/out"
	ok $? "$2"
}

# --- tree ---
run tree
shows '2\*\[cc -c a\.c\]$' "equal children are merged"
shows '22 .* exit 0 .*2\*' "with the number of the first"
shows '─cc -c b\.c$' "one that ended otherwise is not"
shows '^ *26 .*SIGKILL .*id  \(given to 1\)' "a child that was given to another parent says so"
shows '^ *10 .*running .*└─sshd' "who lived before hangs in the tree"
run tree -c
hides '\*\[' "-c merges nothing"
shows '^ *23 ' "and shows each"
run tree -p
shows '─cc -c a\.c\(22\)' "-p tells the pid behind the name"
run tree -u
shows '└─-bash  \([^)]+\)' "-u tells where the user changes"
shows 'sudo id  \(root\)' "also back"
hides 'make all  \(' "and not where it does not"
run tree -t
shows '^ *27 .*\{helper\}' "-t shows threads"
run tree 21
is "$(wc -l <"$scratch/out")" 4 "tree PID shows what is under it"
shows '^ *21 .* make all$' "with itself as the root"
run tree -s 21
shows '^ *1 .* init$' "-s shows its ancestors too"
run tree 24 --ascii -s
shows '`-cc -c b\.c' "--ascii draws with ASCII"
! LC_ALL=C grep -q $'[\x80-\xff]' "$scratch/out"
ok $? "and with nothing else"
run tree --failed
shows '^ *24 .*exit 1' "a selection shows who is meant"
shows '^ *20 ' "and the way to them"
hides '^ *26 .*exit 0' "and nobody else"
run tree -H 24 --color=always
is "$(grep -c $'^\x1b\\[1m' "$scratch/out")" 5 "-H sets a process and its ancestors off"
run tree -H 24
hides $'\x1b' "but only where colours are taken"
NO_COLOR=1 run tree --color=auto
hides $'\x1b' "NO_COLOR is heard"
run tree -H x
is $status 2 "-H wants a pid"
run tree --at '2026-11-22 12:00:00.220'
hides '^ *25 ' "at an instant those are shown who lived then"
shows '^ *22 .*running' "as what they were then"

# --- ps ---
run ps -o pid,ppid,euid,ruid,comm --pid 25
is "$(sed -n 2p "$scratch/out" | tr -s ' ')" " 25 20 0 0 sudo" "ps -o takes ps's keywords"
run ps -o pid=P,user=WHO --pid 26
is "$(head -n 1 "$scratch/out")" " P WHO" "and headers"
run ps -o pid,tty --pid 26
grep -q 'tty is not recorded' "$scratch/err"
ok $? "what is not recorded is said"
shows '26 \?' "and unknown"
run ps -o frobnicate
is $status 2 "what is no keyword is refused"
run ps -o etimes,etime,lstart,unit,luid --pid 20
shows '^ *0 +00:00 Sun Nov 22 12:00:00 2026 session-3.scope 1000$' "ages, starts, units and login users are told"
run ps -f
is "$(head -n 1 "$scratch/out" | tr -s ' ')" "UID PID PPID STIME CMD" "-f has ps's columns"
run ps -ef
is "$status" 0 "-ef is understood"
run ps aux
is "$(head -n 1 "$scratch/out" | cut -d' ' -f1)" "USER" "ps aux too"
run ps -u 1000 -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "20 21 22 23 24 25 " "-u chooses the user's, also those that became another"
run ps -C cc --at '2026-11-22 12:00:00.220' -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ')" "22" "ps --at shows who lived at that instant"
run ps '25@2026-11-22 12:00:00.550' -o comm
is "$(tail -n 1 "$scratch/out")" "sudo" "PID@TIME is who bore the number then"
run ps '25@2026-11-22 12:00:00.100'
is $status 1 "and nobody before"
run ps --loginuid unset -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 10 " "--loginuid unset finds who never logged in"
run ps --unit ssh --unit 'session-*' -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "10 20 " "units are found by name and glob"
run ps --above 24 -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 10 20 21 24 " "--above is a life and its ancestors"
run ps --under 21 --failed -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "21 24 " "fields must all hold"
run ps -g '^cc .*b' -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ')" "24" "-g looks into command lines"
run ps -g '^CC' -o pid
is $status 1 "capitals in it are meant"
run ps /usr/bin/make -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ')" "21" "a path is a program"

# --- comm ---
run comm 20
is "$(tail -n +2 "$scratch/out" | awk '{print $(NF-1) " " $NF}' | tr '\n' ' ')" "fork sshd exec bash comm renamed " "comm tells the names of a process in order"
run comm helper
shows '^ *26 +27 ' "and of threads"
run comm -o jsonl 'ren*'
shows '"comm":"renamed","from_ns":[0-9]+,"to_ns":null,"source":"comm"' "also as JSON"

# --- show ---
run show 25
is $status 0 "show tells of a life"
shows '^Process 25  sudo id  \(id [0-9]+, boot 1\)$' "by what it ran"
shows '^  ended .* exit 0  after 100\.0ms$' "its end"
shows '^  program +/usr/bin/sudo$' "its program"
shows '^  user +0 \(root\)$' "its user"
shows '^ +25 .*uid 1000 +login 1000 +sudo id$' "ancestry with the user and login user at its birth"
shows '^ +20 .*uid 0 +login unset +-bash$' "and of its parent"
shows '^ +1 .*uid 0 +login unset +init$' "up to the first"
shows 'uid +25  ruid 0 euid 0$' "the changes of its user"
shows '^ +26 .*SIGKILL +id$' "and its children"
run show 26
shows '^Threads$' "show tells of threads"
shows 'ptrace +26  by 20$' "and of who traced it"
run show 20
shows 'ptrace +26  by 20$' "or whom it traced"
shows '  sid +20$' "and of its session"
shows '^  2026-11-22 12:00:00.650000.00:00  comm +renamed$' "and of its names"
run show '26@2026-11-22 12:00:00.530' -o json
is "$(sqlite3 :memory: "SELECT json_array_length(v, '$.life') || json_array_length(v, '$.ancestry') || json_array_length(v, '$.threads') || json_array_length(v, '$.children') || (v ->> '$.events[0].kind') || (v ->> '$.ancestry[1].birth_euid') FROM (SELECT readfile('$scratch/out') AS v)")" "1510fork1000" "show -o json is one document with all of it"
run show "id:$("$P" ps 26 -o id -q | tail -n 1 | tr -d ' ')"
shows '^Process 26 ' "a life can be named by its id"
run show 4711
is $status 1 "who never lived is not found"
run show
is $status 2 "show wants to know of whom"
run show 25 -o csv
is $status 2 "a dossier is no table"

# --- ancestors that ended before the newest keyframe ---
{
	cat <<-'END'
		snapshot pid=1 ppid=0 comm=init argv=init ids=0
		snapshot_end arg0=1
		fork pid=10 ppid=1
		exec pid=10 comm=grandpa argv=grandpa ids=0
		fork pid=11 ppid=10
		exec pid=11 comm=parent argv=parent ids=5
		fork pid=12 ppid=11
		exec pid=12 comm=child argv=child ids=7
		exit pid=11 ppid=10 arg0=0 arg1=17
		exit pid=10 ppid=1 arg0=0 arg1=17
		seal
	END
	for second in $(seq 2 40); do
		printf 'fork pid=%d ppid=12 t=%d000\nexit pid=%d ppid=12 t=%d500 arg0=0 arg1=17\nseal\n' $((100 + second)) "$second" $((100 + second)) "$second"
	done
} | "$BUILD/tests/tell" "$scratch/long"
late='2026-11-22 12:00:38'
run tree --store "$scratch/long" -S "$late"
shows '^ *10 .*exit 0 +└─grandpa  \(ended before; from the index\)$' "an ancestor from before the keyframe is named out of the index"
shows '^ *12 .* └─child$' "and its descendants hang below it"
run tree --store "$scratch/long" -S "$late" 10
shows '^ *12 .* └─child$' "--under reaches through it"
for command in ps comm events; do
	run $command --store "$scratch/long" -S "$late" --under 10
	shows '140' "also of $command"
	hides '^ *1 ' "and to nobody else"
done
run show --store "$scratch/long" 12 -S "$late"
shows '^ +11 .*parent  \(ended before; from the index\)$' "show tells it in the ancestry"
run tree --from-ring "$scratch/long/ledger.ring" -S "$late"
shows '^ *12 .* child  \(parent 11 not known\)$' "without an index it is said not to be known"
for command in tree ps comm events; do
	"$P" $command --store "$scratch/long" -S "$late" -U "${late%8}9" --under 10 --strict -o jsonl >"$scratch/with-index" 2>&1
	"$P" $command --from-ring "$scratch/long/ledger.ring" -S "$late" -U "${late%8}9" --under 10 --strict -o jsonl >"$scratch/out" 2>&1
	is $? 0 "without an index the ring has the family, for $command"
	is "$(grep -c '"pid":139' "$scratch/out")" "$(grep -c '"pid":139' "$scratch/with-index")" "as large as with one"
done
ln -s "$scratch/long" "$scratch/link"
run tree --store "$scratch/link" -S "$late"
shows 'grandpa  \(ended before; from the index\)$' "an index is found over a symbolic link to the store"
rm "$scratch/long/index.db"
run ps --store "$scratch/long" -S "$late" --under 10
shows '^ *140 ' "a family is found where the index has gone"
run ps --store "$scratch/long" -S "$late" --above 140 -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 10 11 12 140 " "also upwards"

# --- ancestors that the ring does not hold any more ---
{
	cat <<-'END'
		snapshot pid=1 ppid=0 comm=init argv=init ids=0
		snapshot_end arg0=1
		fork pid=10 ppid=1
		fork pid=11 ppid=10
		fork pid=12 ppid=11
		exit pid=11 ppid=10 arg0=0 arg1=17
		exit pid=10 ppid=1 arg0=0 arg1=17
		seal
	END
	for second in $(seq 2 100); do
		printf 'fork pid=%d ppid=12 t=%d000\nexit pid=%d ppid=12 t=%d500 arg0=0 arg1=17\nseal\n' $((100 + second)) "$second" $((100 + second)) "$second"
	done
} | "$BUILD/tests/tell" "$scratch/short"
for from in "--store $scratch/short" "--from-ring $scratch/short/ledger.ring"; do
	# shellcheck disable=SC2086 # two words
	"$P" ps $from -S @mono:1098000000000 -U @mono:1099000000000 --under 10 --strict -q >"$scratch/out" 2>"$scratch/err"
	is "$? $(cat "$scratch/err")" "4 -- incomplete: more may belong to the family, by ancestors not known" "what nobody knows of a family is said"
done
"$P" ps --store "$scratch/short" -S @mono:1098000000000 -U @mono:1099000000000 --under 10 -o json >"$scratch/out"
grep -q '"complete":false,"missing":\[{"reason":"ancestors"}' "$scratch/out"
ok $? "also in JSON"
"$P" ps --store "$scratch/short" -S @mono:1098000000000 -U @mono:1099000000000 --under 12 --strict -q >"$scratch/out"
is $? 0 "but not of one below it"

# --- two boots ---
"$BUILD/tests/tell" "$scratch/boots" <<-'END'
	snapshot pid=1 ppid=0 comm=init argv=init ids=0
	snapshot_end arg0=1
	fork pid=500 ppid=1 t=600000
	exec pid=500 comm=before argv=before ids=0
	seal
	fork pid=501 ppid=500 t=601000
	boot
	snapshot pid=1 ppid=0 comm=init argv=init ids=0
	snapshot_end arg0=1
	fork pid=600 ppid=1 t=60000
	exec pid=600 comm=behind argv=behind ids=0
END
PROCLEDGER_STORE=$scratch/boots
for command in ps tree comm; do
	run $command -b 2
	shows behind "$command of a boot tells who lived in it"
	hides '(before|[^.:]\b50[01])\b' "and nobody of the boot before"
done
run show -b 2 500
is $status 1 "nor does show"
run show -b 1 500
shows 'before$' "where he did live, he is found"
run ps -b 1 -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 500 501 " "with his child"
run ps -b 2 -S '2026-11-22 13:01:00' -U '2026-11-22 13:01:00.5' -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 600 " "a window of the later boot holds its own alone"
"$P" export -o ring -b 2 -q "$scratch/slice" 2>/dev/null
run ps --from-ring "$scratch/slice/ledger.ring" -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 600 " "so does a slice of it"
# --- what was lost or damaged before the window ---
{
	printf 'snapshot pid=1 ppid=0 comm=init argv=init ids=0\nsnapshot_end arg0=1\nfork pid=10 ppid=1 t=500\n'
	for second in $(seq 1 40); do
		[ "$second" = 5 ] && printf 'lost cpu=1 arg0=3 arg1=1004500000000 t=5000\n'
		[ "$second" = 7 ] && printf 'lost cpu=0 arg0=2 arg1=1006500000000 t=7000\n'
		[ "$second" = 30 ] && printf 'start arg0=1 arg1=2 t=29900\nlost arg0=9 arg1=1029800000000 arg2=1\nsnapshot pid=1 ppid=0 comm=init\nsnapshot_end arg0=1\n'
		printf 'fork pid=%d ppid=1 t=%d000\nseal\n' $((100 + second)) "$second"
	done
} | "$BUILD/tests/tell" "$scratch/lost"
PROCLEDGER_STORE=$scratch/lost
doubt='-- incomplete: who lived may be wrong: 5 events were lost between 2026-11-22 12:00:04.500000+00:00 and 2026-11-22 12:00:07.000000+00:00'
ends() { # WHAT SENTENCE ARGUMENT...  How an answer ends.
	local wanted=$1 sentence=$2
	shift 2
	"$P" "$@" >/dev/null 2>"$scratch/err"
	is "$(cat "$scratch/err")" "$wanted" "$sentence"
}
for command in ps tree comm 'show 10'; do
	# shellcheck disable=SC2086 # show and its argument
	ends "$doubt" "$command behind a loss says that who lived may be wrong" $command -S '2026-11-22 12:00:20' -U '2026-11-22 12:00:21'
done
ends '-- complete' "events do not" events -S '2026-11-22 12:00:20' -U '2026-11-22 12:00:21'
ends "-- incomplete: who lived may be wrong: 3 events were lost between 2026-11-22 12:00:04.500000+00:00 and 2026-11-22 12:00:05.000000+00:00" "only what was lost before counts" ps --at '2026-11-22 12:00:06.2'
is "$("$P" ps -S '2026-11-22 12:00:20' -U '2026-11-22 12:00:21' -o json 2>/dev/null | grep -o '"missing":.*')" \
	'"missing":[{"reason":"who lived","boot":1,"count":5,"from_ns":1004500000000,"from_wall_ns":1795348804500000000,"to_ns":1007000000000,"to_wall_ns":1795348807000000000}]}' "so does the JSON"
ends '-- complete' "before the loss nothing is in doubt" ps --at '2026-11-22 12:00:03'
ends '-- complete' "nor after the recorder has looked again" ps -S '2026-11-22 12:00:35' -U '2026-11-22 12:00:36'
run ps -S '2026-11-22 12:00:35' -U '2026-11-22 12:00:36' --strict
is $status 0 "--strict agrees"
# A look in between: at second 10 one that was not whole, at second 20 one that was.
{
	printf 'snapshot pid=1 ppid=0 comm=init argv=init ids=0\nsnapshot_end arg0=1\nfork pid=10 ppid=1 t=500\nfork pid=11 ppid=1 t=600\n'
	printf 'lost cpu=1 arg0=3 arg1=1004500000000 t=5000\nseal\n'
	printf 'rescan arg0=3 t=10000\nsnapshot pid=1 ppid=0 comm=init\nsnapshot pid=10 ppid=1 comm=sh arg0=1000500000000\nseal\n'
	printf 'rescan arg0=3 t=20000\nsnapshot pid=1 ppid=0 comm=init\nsnapshot pid=10 ppid=1 comm=sh arg0=1000500000000\nsnapshot_end arg0=2\nseal\n'
	printf 'fork pid=12 ppid=1 t=30000\nseal\n'
} | "$BUILD/tests/tell" "$scratch/rescan"
PROCLEDGER_STORE=$scratch/rescan
ends "-- incomplete: who lived may be wrong: 3 events were lost between 2026-11-22 12:00:04.500000+00:00 and 2026-11-22 12:00:05.000000+00:00" \
	"a look that was not whole takes no doubt away" ps --at '2026-11-22 12:00:15'
ends '-- complete' "one that was whole does" ps --at '2026-11-22 12:00:25'
run ps --at '2026-11-22 12:00:25' -o pid
is "$(tail -n +2 "$scratch/out" | tr -d ' ' | tr '\n' ' ')" "1 10 " "who ended unseen is not there any more"
run events --kind rescan
shows 'rescan .*3 events had been lost' "the look itself is an event"
PROCLEDGER_STORE=$scratch/boots
ends '-- complete' "what was lost in another boot is none of this one's" ps --at '2026-11-22 13:01:00'
cp -r "$scratch/long" "$scratch/hole"
"$P" reindex --store "$scratch/hole" >/dev/null 2>&1
slots=$(od -An -tu8 -j128 -N8 "$scratch/hole/ledger.ring" | tr -d ' ')
keyframe=$(sqlite3 "$scratch/hole/index.db" 'SELECT max(block_no) FROM block WHERE keyframe_parts > 0 AND block_no < 30')
for block in 1 2; do # the one behind the keyframe, and the next keyframe
	dd if=/dev/zero of="$scratch/hole/ledger.ring" bs=512 seek=$(((slots + 65536 * (keyframe + block)) / 512)) count=1 conv=notrunc status=none
done
PROCLEDGER_STORE=$scratch/hole
late=$(printf '2026-11-22 12:00:%02d.2' $((keyframe + 4)))
for command in ps tree comm 'show 12'; do
	# shellcheck disable=SC2086 # show and its argument
	"$P" $command -S "$late" -U "$late" >/dev/null 2>"$scratch/err"
	grep -q '^-- incomplete: 4 events cannot be read (damaged)' "$scratch/err"
	ok $? "$command over damaged events says so"
done
ends '-- complete' "events behind them do not" events -S "$late" -U "$late"
# --- losses that are told late ---
{
	for boot in '' 'boot import'; do
		printf '%s\nfork pid=10 ppid=1 t=1000 cpu=1\nfork pid=11 ppid=1 t=2000\n' "$boot"
		for second in $(seq 3 18); do
			printf 'lost cpu=0 arg0=1 arg1=10%02d900000000 t=%d000\nseal\n' $((second - 1)) "$second"
		done
		printf 'lost cpu=1 arg0=5 arg1=1001000000000 t=%d000\n' $((${#boot} ? 600 : 50))
	done
} | "$BUILD/tests/tell" "$scratch/late"
PROCLEDGER_STORE=$scratch/late
ends '-- incomplete: 5 events lost on cpu 1 between 2026-11-22 12:00:01.000000+00:00 and 2026-11-22 12:00:50.000000+00:00' \
	"a loss is known that was told behind many others" events --at '2026-11-22 12:00:02'
ends '-- incomplete: 5 events lost on cpu 1 between @mono:1001000000000 and @mono:1600000000000' \
	"of an import however late" events -b 2 --at @mono:1002000000000
# --- leaders that ended before their threads ---
# 10 ends with a thread's status, 11 is killed, 12 has dumped core, 13 lives on, 14 has ended, how was not seen
{
	for pid in 10 11 12 13 14; do
		printf 'fork pid=%d ppid=1\ncomm pid=%d comm=p%d\nfork pid=%d tid=%d ppid=1\n' $pid $pid $pid $pid $((pid + 10))
		[ $pid = 12 ] && printf 'exit pid=12 tid=22 arg0=134 arg1=4294967295\n'
		printf 'exit pid=%d ppid=1 arg0=%d arg1=17\n' $pid $((pid == 12 ? 6 : 0))
	done
	printf 'seal\nexit pid=10 tid=20 arg0=1280 arg1=4294967295 t=1000\n'
	printf 'exit pid=11 tid=21 arg0=9 arg1=4294967295\nfork pid=14 ppid=1\nexit pid=14 ppid=1 arg0=0\n'
} | "$BUILD/tests/tell" "$scratch/leaders"
PROCLEDGER_STORE=$scratch/leaders
run tree
shows '^ *10 .* exit 5 ' "a process ends with the status of the task that ended last"
shows '^ *11 .* SIGKILL ' "or by what killed it"
shows '^ *12 .* SIGABRT, core ' "one that dumped core says so, whichever task told"
shows '^ *13 .* running ' "one whose leader alone has ended runs"
shows '^ *14 .* gone ' "one whose last task was not seen to end has no status"
run tree --failed
is "$(grep -cE '^ *1[0-4] ' "$scratch/out")" 3 "those are the failed ones"
run show 10
shows 'ended .*exit 5' "show says the same"
ends_sql="SELECT pid, ended, exit_code, exit_signal, end_ns FROM process WHERE pid BETWEEN 10 AND 13 OR pid = 14 AND ended = 'reused' ORDER BY pid"
"$P" sql -q -o csv "$ends_sql" | tr -d '\r' | cut -d , -f 1-4 >"$scratch/sql"
is "$(tail -n +2 "$scratch/sql")" '10,exit,1280,17
11,exit,9,17
12,exit,134,17
13,,,
14,reused,,' "so does the view process"
for pid in 10 11 12 13; do
	"$P" tree -q -o jsonl --pid $pid | grep -E "\"pid\":$pid,.*\"tid\":$pid," | grep -oE '"(end_ns|exit_code|exit_signal|ended)":[^,]*' | sort | cut -d : -f 2 | paste -sd ,
done | tr -d '"' >"$scratch/rows"
"$P" sql -q -o csv "SELECT ifnull(end_ns, 'null'), ifnull(ended, 'null'), ifnull(exit_code, 'null'), ifnull(exit_signal, 'null') FROM process WHERE pid < 14 AND pid > 9 ORDER BY pid" | tail -n +2 | tr -d '"\r' >"$scratch/sql"
is "$(cat "$scratch/rows")" "$(cat "$scratch/sql")" "and the rows that tree gives to machines"
cp -r "$scratch/leaders" "$scratch/again"
"$P" reindex --store "$scratch/again" >/dev/null 2>&1
is "$("$P" sql -q --store "$scratch/again" -o csv "$ends_sql")" "$("$P" sql -q -o csv "$ends_sql")" "made anew the index says the same"
is "$("$P" export -q -o audit 2>/dev/null | grep -c "^type=ANOM_ABEND .* pid=12 .* sig=6")" 1 "for auditd it ended abnormally once"
is "$("$P" report failed -q -o csv | cut -d , -f 3,5 | tr -d '\r')" $'pid,status\n10,5' "failed: with its thread"
is "$("$P" report killed -q -o csv | cut -d , -f 3,5,6 | tr -d '\r')" $'pid,signal,core\n11,9,0\n12,6,1' "killed: likewise"
is "$("$P" report failed -q -o csv -S '2026-11-22 12:00:00.5' | wc -l)" 2 "in the window in which the thread ended"
is "$("$P" report failed -q -o csv -U '2026-11-22 12:00:00.5' | wc -l)" 1 "and not in that of the leader"
is "$("$P" report summary -q -o csv | grep -c '^"processes ended",4\|^processes ended,4\|status other than 0",1\|status other than 0,1\|signal,2\|core,1')" 4 "and they are counted once"
# --- a thread of the kernel, of whose name /proc tells more than the kernel keeps ---
printf 'start arg0=1\nsnapshot pid=20 ppid=2 comm=rcu_tasks_rude_kthread\nsnapshot_end arg0=1\n' |
	"$BUILD/tests/tell" "$scratch/kernel"
PROCLEDGER_STORE=$scratch/kernel
for answer in "sql 'SELECT comm FROM process WHERE pid = 20'" "sql 'SELECT comm FROM comm_history WHERE pid = 20'" \
	"sql 'SELECT comm FROM event WHERE pid = 20'" 'events --kind snapshot -o csv' 'events --kind snapshot' 'comm 20' 'show 20' 'ps -o comm'; do
	eval "\"\$P\" $answer -q" >"$scratch/out" 2>/dev/null
	is "$(grep -o 'rcu_tasks[a-z_]*' "$scratch/out" | sort -u)" rcu_tasks_rude_ "$answer has the kernel's name"
done
# --- somebody holds the ring and records nothing ---
PROCLEDGER_STORE=$scratch/boots
exec 9<"$PROCLEDGER_STORE/ledger.ring"
flock -x 9
ends '-- incomplete: the recorder has recorded nothing after 2026-11-22 13:01:00.001000+00:00' \
	"a recorder that records nothing is told from one that is not there" ps -S '2026-11-22 13:00:59'
is "$("$P" ps -S '2026-11-22 13:00:59' -o json 2>/dev/null | grep -o '"reason":"[^"]*"')" '"reason":"stalled"' "in JSON, too"
ends '-- complete' "what it had recorded before is complete" ps -S '2026-11-22 13:00:59' -U '2026-11-22 13:01:00'
exec 9<&-
ends '-- incomplete: no recorder ran after 2026-11-22 13:01:00.001000+00:00' "without it none ran" ps -S '2026-11-22 13:00:59'
PROCLEDGER_STORE=$scratch/late
exec 9<"$PROCLEDGER_STORE/ledger.ring"
flock -x 9
ends '-- complete' "an import needs no canaries" events -b 2 -S @mono:1700000000000
exec 9<&-
done_testing
