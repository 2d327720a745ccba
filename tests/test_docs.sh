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
if [ $# -eq 0 ]; then
	is "$(untold procledgerd recorder/procledgerd.8)" '' 'procledgerd(8) tells every option'
	is "$(untold procledger "$BUILD/query/procledger.1")" '' 'procledger(1) tells every option'
fi
perl tests/examples.pl "$tap_count" "$@" README.md ./*/*.[1-8]
