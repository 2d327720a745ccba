/* refusal.h - why the kernel gives no events here, in a sentence that says what to do. */
#pragma once

#include "recorder/say.h"

/* What the machine says of this process; read by refusal_read(), or made up by a test. */
struct refusal_facts {
	char release[65]; /* of the kernel */
	int initial_pid;  /* in the initial pid namespace: 1 yes, 0 no, -1 cannot be told */
	int initial_user; /* in the initial user namespace: likewise */
};

void refusal_read(struct refusal_facts *ret_facts);

/* outcome is what connector_open() gave, not 0.  Sets the verdict and gives back its code. */
int refusal_explain(int outcome, const struct refusal_facts *facts, struct verdict *ret_verdict);
