#!/bin/bash
# test_completion.sh  What bash, fish and zsh offer behind a half-typed command line; fish and zsh where they are there.
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
PATH=$PWD/$BUILD:$PATH
# shellcheck source=query/completion/procledger.bash
. query/completion/procledger.bash

# bash_offers WORD...  What is offered for the last word, sorted, on one line.
bash_offers() {
	COMP_WORDS=(procledger "$@")
	COMP_CWORD=$#
	_procledger procledger "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf '%s\n' "${COMPREPLY[@]}" | sort -u | xargs
}
fish_offers() {
	fish --no-config -c "source query/completion/procledger.fish; complete -C 'procledger $*'" | cut -f 1 | sort -u | xargs
}
# What zsh's own functions would be given; _describe picks what fits.
zsh_offers() {
	# shellcheck disable=SC2016 # the inner shell's
	zsh -f -c '
		compadd() { [[ $1 == -a ]] && set -- ${(P)2}; print -rl -- "$@"; }
		_describe() { print -rl -- ${${(P)2}%%:*}; }
		words=(procledger "$@") CURRENT=$(($# + 1))
		source query/completion/_procledger' zsh "$@" | grep -- "^${*: -1}" | sort -u | xargs
}

for shell in bash fish zsh; do
	if ! command -v $shell >/dev/null; then
		note "$shell is not there: skipped"
		continue
	fi
	offers=${shell}_offers
	is "$($offers tr)" tree "$shell: a command"
	is "$($offers tree --und)" --under "$shell: an option of the command"
	is "$($offers sql --above)" '' "$shell: not one of another command"
	is "$($offers --color a)" 'always auto' "$shell: the values of an option"
	is "$($offers events --kind ex)" 'exec exit' "$shell: kinds of events"
	is "$($offers ps -o j)" 'json jsonl' "$shell: the formats of ps"
	is "$($offers ps -o su)" '' "$shell: and nothing else of what its help says of them"
	is "$($offers -S @0 tree -o js)" 'json jsonl' "$shell: formats, behind other options"
done
done_testing
