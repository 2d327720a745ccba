/* doctor.h - what procledger doctor looks at, and how it tells of it: a line for each thing. */
#pragma once

#include "query/query.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
	struct query query;
	struct output *output; /* NULL: text */
	enum verdict worst;
	int recorder; /* its pid; 0: none runs */
};

/* A line of the answer, kept in doctor->worst as well.  advice: what is to be done, told unless all is well; NULL: nothing is. */
__attribute__((format(printf, 5, 6))) void doctor_tell(struct doctor *doctor, const char *check,
						       enum verdict verdict, const char *advice,
						       const char *format, ...);

/* Whether the machine lets a recorder work: kernel, namespaces, privileges, the one that runs, its buffer, who else listens, the clock. */
void doctor_check_machine(struct doctor *doctor);

/* Whether the store is well: its room, the ledger (read for some seconds), its losses, the index, how programs were read.  Opens query.ledger. */
void doctor_check_store(struct doctor *doctor);
