/* Does Python accept a file?  Compiled, never run. */
#ifndef MODELGATE_STAGE_PYTHON_H
#define MODELGATE_STAGE_PYTHON_H

struct err;

enum python_verdict {
	PYTHON_COMPILES,
	PYTHON_ABSENT /* there is no python3 to ask */
};

/*
 * Compile the file PATH with `python3 -I`; messages call it NAME.  DAG_ID: every DAG whose id stands in
 * the file as text must have this one; NULL: no matter.  0 and *VERDICT; -1 and *E: it does not
 * compile, with Python's own words, makes another DAG, or Python cannot be started, or was killed, for a
 * passing reason.
 */
int python_check(enum python_verdict *verdict, const char *path, const char *name,
	const char *dag_id, struct err *e);

#endif
