#!/bin/bash
# test_docs.sh [--update]  The examples of README and manuals, run on the ledger of tests/data/example.ring.xz (which tests/vm/run example
# made); --update writes their output as it is now into them.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh

export PROCLEDGER_STORE=$scratch/store LC_ALL=C.UTF-8 COLUMNS=100 PATH="$PWD/$BUILD:$PATH"
mkdir "$PROCLEDGER_STORE"
xz -dc tests/data/example.ring.xz >"$PROCLEDGER_STORE/ledger.ring" || exit 1
procledger reindex 2>/dev/null || exit 1
# Options that --help tells and the manual does not.
untold() {
	"$1" --help | grep -oE -- '--[a-z-]+' | sort -u | while read -r option; do
		grep -qF -- "\\-${option#--}" "$2" || echo "$option"
	done | xargs
}
# Variables of the environment that the sources FILE... read and the manual does not tell of.  Those of systemd are its own.
unsaid() {
	local manual=$1
	shift
	grep -ohE 'getenv\("[A-Z_]+"\)' "$@" | grep -oE '[A-Z_]{2,}' | grep -vE '^(SUDO_UID|NOTIFY_SOCKET|LISTEN_[A-Z]+)$' | sort -u | while read -r name; do
		grep -qE -- "^\.(It )?Ev .*\<$name\>" "$manual" || echo "$name"
	done | xargs
}
# How a field was come by: the words of detail.c that FILE does not have.
words_missing() {
	sed -n 's/^\t*\[DETAIL_[A-Z_]*\] = "\([a-z,]*\)".*/\1/p' schema/detail.c | grep -v '^absent$' | while read -r word; do
		grep -qE "(^|[^a-z,])$word([^a-z]|$)" "$1" || echo "$word"
	done | xargs
}
if [ $# -eq 0 ]; then
	is "$(untold procledgerd recorder/procledgerd.8)" '' 'procledgerd(8) tells every option'
	is "$(untold procledger "$BUILD/query/procledger.1")" '' 'procledger(1) tells every option'
	is "$(unsaid recorder/procledgerd.8 recorder/*.c)" '' 'procledgerd(8) tells of the environment'
	is "$(unsaid "$BUILD/query/procledger.1" query/*.c)" '' 'procledger(1), too'
	grep -A 2 -F -e '-color' "$BUILD/query/procledger.1" | grep -q '^auto, always or never'
	ok $? 'values are written as they are to be typed'
	is "$(words_missing README.md)" '' 'README has the words on how a field was come by'
	is "$(words_missing schema/index.sql)" '' 'as has index.sql'
fi
perl tests/examples.pl "$tap_count" "$@" README.md ./*/*.[1-8]
