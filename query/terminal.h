/* terminal.h - what the answer goes to: how wide it is, whether it takes colours, the pager before it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The width of the terminal that stdout is ($COLUMNS, else what it says); 0: it is none, or a pager scrolls it sideways: cut nothing. */
size_t terminal_width(void);

/* Whether to colour: when is "always", "never", or "auto" and NULL: if stdout is a terminal (or was, before the pager), not a dumb one, and
 * $NO_COLOR is not set. */
bool terminal_color(const char *when);

/* Puts a pager between us and a terminal; anything else is left as it is.  $PROCLEDGER_PAGER, $PAGER, less, more; "" or "cat": none.
 * Where we may do more than who sits at the terminal (sudo, set-uid) or $PROCLEDGER_PAGERSECURE says so, only less is used, and told to
 * start no other program. */
void terminal_pager_begin(void);

/* Waits until the reader has left it. */
void terminal_pager_end(void);

/* "\rprocledger: reading 43 %" on stderr, if that is a terminal and stdout is not in use by a pager; from one second after the first call on. */
struct progress {
	unsigned long long begun_ms, shown_ms;
	bool asked, on, shown;
};
void progress_show(struct progress *progress, unsigned long long done, unsigned long long total);
void progress_end(struct progress *progress);
