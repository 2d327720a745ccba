# procledger.fish - completion for fish.  What there is to complete is read from the tool's own --help.

function __procledger_commands
	procledger --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(\S.*)' '$1\t$2'
end

function __procledger_command
	set -l known (__procledger_commands | string split -f 1 \t)
	for word in (commandline -opc)[2..]
		contains -- $word $known; and echo $word; and return 0
	end
	return 1
end

function __procledger_options
	procledger (__procledger_command) --help 2>/dev/null | string replace -rf '^  (?:-.,|   ) (--[a-z-]+)\S*(?: \S+)? +(.*)' '$1\t$2'
end

function __procledger_values
	set -l help (procledger (__procledger_command) --help 2>/dev/null)
	switch (commandline -opc)[-1]
		case -o --output
			string replace -rf '.*(?:--output FORMAT +|^FORMAT may also be: )' '' -- $help | string split -n ' ' | string trim -c , | string match -v or
		case --kind
			string replace -rf '^KIND: ' '' -- $help | string split ' '
		case -b --boot
			printf '%s\n' 0 -1 all
		case -S --since -U --until --at
			printf '%s\n' today yesterday now recent this-week
		case --color
			printf '%s\n' auto always never
		case --speed
			printf '%s\n' 1 10 max
		case --uid --loginuid --auid
			__fish_complete_users
		case --store
			__fish_complete_directories
		case --from-ring
			__fish_complete_path
		case '*'
			return 1
	end
end

complete -c procledger -f
complete -c procledger -a '(__procledger_values)'
complete -c procledger -n 'not __procledger_command; and not __procledger_values >/dev/null' -a '(__procledger_commands)'
complete -c procledger -n 'string match -q -- "-*" (commandline -ct)' -a '(__procledger_options)'
