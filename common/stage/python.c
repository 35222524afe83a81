#include "stage/python.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "stage/templates.h"
#include "sys/spawn.h"

#define PYTHON "python3"
#define MAX_MESSAGE 4096 /* bytes kept of what Python says */
#define MAX_SECONDS 60   /* of processor time: a file can be made that takes for ever */

/* Of config/check-dag.py. */
#define STATUS_OTHER_DAG 2
#define STATUS_DOES_NOT_COMPILE 3

/*
 * Killed from outside, as by a kernel that is short of memory, says nothing of the file.  A crash may be
 * the file's doing, and so is the end of its time.
 */
static int was_killed(int status)
{
	return status == 128 + SIGKILL || status == 128 + SIGTERM;
}

static int tell_fault(const char *name, const char *said, int status, struct err *e)
{
	if (was_killed(status)) {
		(void)err_set(e, "%s: something has killed Python, which was to compile it", name);
		if (e != NULL)
			e->passing = 1;
		return -1;
	}
	if (status == STATUS_OTHER_DAG)
		return err_set(e, "%s: %s; write dag_id=\"@DAG_ID@\"", name, said);
	if (status == STATUS_DOES_NOT_COMPILE)
		return err_set(e, "%s does not compile: %s", name, said);
	return err_set(e,
		"%s cannot be checked: " PYTHON " ended with status %d; the log has what it said",
		name, status);
}

int python_check(enum python_verdict *verdict, const char *path, const char *name,
	const char *dag_id, struct err *e)
{
	char *program = spawn_find(PYTHON), *message = NULL;
	const char *argv[] = {program, "-I", "-c", templates_check_dag, path, name,
		dag_id != NULL ? dag_id : "", NULL};
	struct spawn s = SPAWN_INIT;
	struct str output;
	int status, result = 0;

	*verdict = program == NULL ? PYTHON_ABSENT : PYTHON_COMPILES;
	if (program == NULL)
		return 0;
	s.argv = argv;
	s.err = STDERR_FILENO;
	s.cpu_seconds = MAX_SECONDS;
	s.group = SPAWN_GROUP_OURS; /* what ends the stage ends its tools */
	str_init(&output);
	if (spawn_capture(&s, MAX_MESSAGE, &output, &status, e) != 0) {
		result = -1;
	} else if (status != 0) {
		output.buf[strcspn(output.buf, "\n")] = '\0';
		message = str_safe(output.buf, MAX_MESSAGE);
		result = tell_fault(name, message, status, e);
	}
	free(message);
	str_clear(&output);
	free(program);
	return result;
}
