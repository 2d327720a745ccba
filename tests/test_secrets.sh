#!/bin/bash
# test_secrets.sh - commands with secrets in their arguments, recorded on the live kernel: none of the secrets is in any file of the
# store, neither while it is recorded nor afterwards; what is ordinary is as it was.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

P=$BUILD/procledger
recorder=
trap '[ -z "$recorder" ] || kill "$recorder" 2>/dev/null; rm -rf "${scratch:?}"' EXIT

[ "$(id -u)" -eq 0 ] || skip_all "only root records the live kernel"
command -v sqlite3 >/dev/null || skip_all "sqlite3 is not installed"

# record STORE OPTION...  Starts a recorder; waits until it records.
record() {
	local store=$1
	shift
	"$BUILD/procledgerd" --store "$store" --ring-size 8M "$@" 2>"$scratch/log" &
	recorder=$!
	recording "$recorder" "$scratch/log" && return
	recorder=
	skip_all "nothing can be recorded here: $(tail -n 1 "$scratch/log")"
}

finish() {
	sleep 0.3
	kill "$recorder"
	wait "$recorder"
	ok $? "$1"
	recorder=
}

# run NAME ARGUMENT...  Runs something for a moment that looks like the program NAME with these arguments.
run() {
	(exec -a "$1" perl -e 'select undef,undef,undef,.1' -- "${@:2}") &
	started+=($!)
}

# found FILE...  How many of the secrets are in the files, or their names.
found() {
	grep -rlaoF -f "$scratch/secrets" "$@" | wc -l
}

# The secrets: each has the word in it, which is nowhere else.
word=Xq7Zt
for i in $(seq -w 1 46); do
	echo "${word}${i}aB3dE5fG7hJ9kL"
done >"$scratch/secrets"
mapfile -t s <"$scratch/secrets"
jwt="eyJhbGciOiJIUzI1NiJ9.${word}30aB3dE5fG7hJ9kL.c2ln"

commands() {
	started=()
	run mysql -uroot "-p${s[0]}" ordinary-01
	run app "--password=${s[1]}" ordinary-02
	run app --password "${s[2]}" ordinary-03
	run app --token "${s[3]}" ordinary-04
	run app "--api-key=${s[4]}" ordinary-05
	run env "DB_PASSWORD=${s[5]}" ordinary-06
	run curl -u "joe:${s[6]}" ordinary-07
	run curl -H "Authorization: Bearer ${s[7]}" ordinary-08
	run curl -H "X-Api-Key: ${s[8]}" ordinary-09
	run curl "https://joe:${s[9]}@host/ordinary-10"
	run psql "postgres://joe:${s[10]}@host/ordinary-11"
	run curl -d "{\"user\":\"ordinary-12\",\"password\":\"${s[11]}\"}"
	run sh -c "mysqldump -p${s[12]} ordinary-13"
	run sh -c "PGPASSWORD='${s[13]}' psql ordinary-14"
	run ssh host "app --secret ${s[14]} && ordinary-15"
	run sshpass -p "${s[15]}" ssh ordinary-16
	run redis-cli -a "${s[16]}" ordinary-17
	run docker login -u ordinary-18 -p "${s[17]}"
	run docker run -e "API_TOKEN=${s[18]}" ordinary-19
	run java "-Djavax.net.ssl.keyStorePassword=${s[19]}" ordinary-20
	run openssl enc -pass "pass:${s[20]}" ordinary-21
	run mount -o "user=ordinary-22,password=${s[21]},uid=0" /mnt
	run smbclient -U "joe%${s[22]}" ordinary-23
	run app "sk-ant-${s[23]}" ordinary-24
	run app "ghp_${s[24]}0000000000000000" ordinary-25
	run app "xoxb-${s[25]}" ordinary-26
	run app "-----BEGIN PRIVATE KEY-----
${s[26]}
-----END PRIVATE KEY-----" ordinary-27
	run acme -z "${s[27]}" ordinary-28
	run curl "https://host/?user=ordinary-29&access_token=${s[28]}&x=1"
	run app "$jwt" ordinary-30
	run curl --oauth2-bearer "${s[30]}" ordinary-31
	run curl "-sujoe:${s[31]}" ordinary-32
	run curl -E "ordinary-33.pem:${s[32]}"
	run redis-cli "-a${s[33]}" ordinary-34
	run exp "userid=scott/${s[34]}@ordinary-35"
	run sqlplus "sys/${s[35]}@ordinary-36 as sysdba"
	run mysqladmin password "${s[36]}" ordinary-37
	run app "--tokens=${s[37]}" ordinary-38
	run mysql "-psrc=${s[38]}" ordinary-39
	run app "--password=/etc/${s[39]}" ordinary-40
	run sh -c "curl 'http://h/?a=1&b=2' -u joe:${s[40]} ordinary-41"
	run sh -c "if true; then mysql -h \$(hostname) -p${s[41]} ordinary-42; fi"
	run curl --json "{\"auth\":{\"password\":\"${s[42]}\"}}" ordinary-43
	run python3 /usr/bin/http -a "joe:${s[43]}" ordinary-44
	run curl -d "user=ordinary-45&password=ab,${s[44]}"
	run sh -c "DB_PASSWORD=\${DB_PASSWORD:-${s[45]}} ordinary-46"
	wait "${started[@]}"
}

printf '# ours\nsecret -z acme\n' >"$scratch/rules"
store=$scratch/store

# One that runs before the recorder does: the snapshot has it.
(exec -a app perl -e 'select undef,undef,undef,9' -- "--password=${s[0]}" ordinary-00) &
early=$!
sleep 0.1
record "$store" --redact-rules "$scratch/rules"
commands
cp -r "$store" "$scratch/copy"
finish "commands with secrets are recorded"
kill "$early"

is "$(found "$scratch/copy")" 0 "no secret is in the store while it is recorded: ring, staging, landing zone, index"
is "$(found "$store")" 0 "nor in what is kept"
is "$(grep -rlF "$word" "$store" | wc -l)" 0 "nor a part of one"
is "$(stat -c %a "$store/redact.key") $(stat -c %s "$store/redact.key")" "600 32" "the key of the markers is its owner's alone"
sql() {
	sqlite3 "$store/index.db" "$1"
}
is "$(sql "SELECT count(DISTINCT substr(argv, instr(argv, 'ordinary-'), 11)) FROM process WHERE argv LIKE '%ordinary-%' AND argv_source = 'redacted'")" \
	47 "every one of them is there, with what is ordinary in its arguments"
is "$(sql "SELECT DISTINCT json_extract(argv, '\$[4]'), json_extract(argv, '\$[5]') LIKE '-p[redacted 21 ____________]', json_extract(argv, '\$[6]'), redactions
	FROM process WHERE argv LIKE '%ordinary-01%'")" '-uroot|1|ordinary-01|1' "a marker stands in the place of the secret alone"
is "$(sql "SELECT count(DISTINCT substr(argv, instr(argv, '[redacted 21 '), 26)) FROM process WHERE argv LIKE '%ordinary-01%' OR argv LIKE '%ordinary-00%'")" \
	1 "the same secret has the same marker"
"$P" --store "$store" status >"$scratch/status" 2>/dev/null
grep -qE '^secrets +[0-9]+ taken out' "$scratch/status"
ok $? "status says how many were taken out"
key=$(sha256sum <"$store/redact.key")
record "$store" --argv none
(exec -a app perl -e 'select undef,undef,undef,.2' -- ordinary-31) &
wait $!
finish "the store is recorded into again, without command lines"
is "$(sha256sum <"$store/redact.key")" "$key" "the key stays"
is "$(sql "SELECT argv IS NULL, argv_source FROM process WHERE boot = 1 AND comm = 'perl' ORDER BY id DESC LIMIT 1")" '1|withheld' \
	"--argv none records none, and says so"

# That the search would find what is there.
record "$scratch/full" --argv full
commands
finish "with --argv full they are recorded as they are"
[ "$(sqlite3 "$scratch/full/index.db" "SELECT count(*) FROM process WHERE argv LIKE '%$word%'")" -ge 46 ]
ok $? "and the secrets are there"

# What is wrong with a rules file.
echo 'hide x' >"$scratch/bad"
"$BUILD/procledgerd" --store "$scratch/none" --redact-rules "$scratch/bad" 2>"$scratch/log"
is "$? $(grep -c "bad, line 1: 'hide' is none of" "$scratch/log")" "2 1" "a rules file that is wrong is refused, with the line"
"$BUILD/procledgerd" --store "$scratch/none" --redact-rules "$scratch/missing" 2>"$scratch/log"
is "$? $(grep -c 'cannot read .*missing' "$scratch/log")" "2 1" "one that is not there too"
done_testing
