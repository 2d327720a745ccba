/* sql_shell.h - questions to index.db one after the other, from a terminal: with completion, history and a few dot-commands. */
#pragma once

#include "query/index_query.h"

/* Binds the parameters of a statement.  0, or an exit code after a sentence. */
typedef int sql_shell_bind(sqlite3_stmt *statement, const struct options *options);

/* Until .quit or the end of input.  EXIT_FOUND. */
int sql_shell_run(struct index_query *ask, const struct options *options, sql_shell_bind *bind);
