/* main.c - procledger: which command is run. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/listing.h"
#include "query/options.h"
#include "query/terminal.h"

enum { STDOUT_BYTES = 1 << 16 };

const struct command commands[] = {
	{ "tree", cmd_tree, "[PID|NAME|EXE]...", SELECT_ARGUMENTS,
	  TAKES_WINDOW | TAKES_RING | TAKES_PAGER | TAKES_SELECT | TAKES_THREADS | TAKES_TREE |
		  TAKES_FORMAT | TAKES_STRICT | TAKES_UTC,
	  NULL, "the tree of all processes that lived in the window", help_tree, NULL },
	{ "ps", cmd_ps, "[PID|NAME|EXE]...", SELECT_ARGUMENTS,
	  TAKES_WINDOW | TAKES_RING | TAKES_PAGER | TAKES_SELECT | TAKES_THREADS | TAKES_FORMAT |
		  TAKES_STRICT | TAKES_UTC | TAKES_PS,
	  "", "the processes alive in the window, one a line", help_ps, NULL },
	{ "comm", cmd_comm, "[PID|NAME]...", SELECT_ARGUMENTS,
	  TAKES_WINDOW | TAKES_RING | TAKES_PAGER | TAKES_SELECT | TAKES_FORMAT | TAKES_STRICT |
		  TAKES_UTC,
	  NULL, "the names of tasks, from when to when", help_comm, NULL },
	{ "show", cmd_show, "PID[@TIME]|id:ID", SELECT_ARGUMENTS,
	  TAKES_WINDOW | TAKES_RING | TAKES_PAGER | TAKES_SELECT | TAKES_FORMAT | TAKES_STRICT |
		  TAKES_UTC,
	  NULL, "one life: ancestry, programs, names, identities, children, threads, end",
	  help_show, "text or json" },
	{ "events", cmd_events, "[PID|NAME|EXE]...", SELECT_ARGUMENTS,
	  TAKES_WINDOW | TAKES_RING | TAKES_PAGER | TAKES_SELECT | TAKES_EVENTS | TAKES_FORMAT |
		  TAKES_STRICT | TAKES_UTC,
	  LISTING_WORDS, "every event in the window, in order", help_events, NULL },
	{ "sql", cmd_sql, "[QUERY]", 1,
	  TAKES_RING | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC | TAKES_SQL | TAKES_LIMITS, NULL,
	  "asks the index in SQL (without QUERY: standard input)", help_sql, NULL },
	{ "report", cmd_report, "[NAME]", 1,
	  TAKES_WINDOW | TAKES_RING | TAKES_PAGER | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC |
		  TAKES_REPORT | TAKES_LIMITS,
	  NULL, "what stands out in the window: failures, top programs, first-seen ones",
	  help_report, NULL },
	{ "status", cmd_status, "", 0, TAKES_RING | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC, NULL,
	  "what the ledger holds, and who writes it", help_status, "text, json or jsonl" },
	{ "doctor", cmd_doctor, "", 0, TAKES_FORMAT, NULL,
	  "whether recording works here, and how well", help_doctor, NULL },
	{ "reindex", cmd_reindex, "", 0, 0, NULL, "makes the index anew from the ledger", NULL,
	  NULL },
	{ "replay", cmd_replay, "[PID|NAME|EXE]...", SELECT_ARGUMENTS,
	  TAKES_WINDOW | TAKES_RING | TAKES_SELECT | TAKES_FORMAT | TAKES_STRICT | TAKES_UTC |
		  TAKES_REPLAY,
	  "", "the events of the window again, in the time that they took", help_replay,
	  "text, jsonl or netlink" },
	{ "export", cmd_export, "[FOLDER]", 1,
	  TAKES_WINDOW | TAKES_RING | TAKES_SELECT | TAKES_EXPORT | TAKES_STRICT, "",
	  "the window in the formats of other tools", help_export, NULL },
	{ 0 },
};

int main(int argc, char **argv)
{
	static char buffer[STDOUT_BYTES];
	const struct command *command;
	struct options options;
	int r;

	(void)signal(SIGPIPE, SIG_IGN); /* a pager that was left is no error */
	(void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	r = options_read(argc, argv, &options, &command);
	if (r == 0) {
		if ((command->takes & TAKES_PAGER) && !options.no_pager && !options.follow)
			terminal_pager_begin();
		r = options.list_boots ? cmd_boots(&options) : command->function(&options);
		terminal_pager_end();
	}
	options_clear(&options);
	if (fflush(stdout) != 0 && errno != EPIPE) /* what no answer ended, as --help */
		return complain(EXIT_ERROR, "cannot write: %s", strerror(errno));
	return r == OPTIONS_DONE ? EXIT_FOUND : r;
}
