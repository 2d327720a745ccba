# procledger.bash - completion for bash.  What there is to complete is read from the tool's own --help.  shellcheck shell=bash

# _procledger_help [COMMAND]  What the command's --help says; without one, the tool's.
_procledger_help() {
	procledger ${1:+"$1"} --help 2>/dev/null
}

# _procledger_values OPTION  The values that the option may have, as far as they can be told.
_procledger_values() {
	case $2 in
	-o | --output) _procledger_help "$1" | sed -n 's/.*--output FORMAT *//p; s/^FORMAT may also be: //p' | tr -d , | sed 's/ or / /' ;;
	--kind) _procledger_help "$1" | sed -n 's/^KIND: //p' ;;
	-b | --boot) echo 0 -1 all ;;
	-S | --since | -U | --until | --at) echo today yesterday now recent this-week ;;
	--color) echo auto always never ;;
	--speed) echo 1 10 max ;;
	esac
}

_procledger() {
	local word=$2 before=$3 command='' at
	local commands
	commands=$(_procledger_help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	for ((at = 1; at < COMP_CWORD; at++)); do
		[[ $'\n'$commands$'\n' == *$'\n'"${COMP_WORDS[at]}"$'\n'* ]] && command=${COMP_WORDS[at]} && break
	done
	COMPREPLY=()
	case $before in
	--store) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	--from-ring) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--uid | --loginuid | --auid) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
	esac
	[ ${#COMPREPLY[@]} -eq 0 ] || return 0
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_procledger_help "$command" | grep -oE '^  (-.,| {3}) --[a-z-]+' | grep -oE -- '--[a-z-]+')" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$(_procledger_values "$command" "$before")" -- "$word")
		[ ${#COMPREPLY[@]} -gt 0 ] || [ -n "$command" ] || mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	fi
}
complete -o default -F _procledger procledger
