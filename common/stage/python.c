#include "stage/python.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "sys/spawn.h"

#define PYTHON "python3"
#define MAX_MESSAGE 4096 /* bytes kept of what Python says */

/*
 * Faults of the file are told on standard output and by status 1; anything else is a fault of
 * Python's.
 */
static const char script[] =
	"import sys\n"
	"try:\n"
	"    compile(open(sys.argv[1], 'rb').read(), sys.argv[2], 'exec', dont_inherit=True)\n"
	"except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:\n"
	"    print(fault or type(fault).__name__)\n"
	"    sys.exit(1)\n";

int python_check(enum python_verdict *verdict, const char *path, const char *name, struct err *e)
{
	char *program = spawn_find(PYTHON), *message = NULL;
	const char *argv[] = {program, "-I", "-c", script, path, name, NULL};
	struct spawn s = SPAWN_INIT;
	struct str output;
	int status, result = 0;

	*verdict = program == NULL ? PYTHON_ABSENT : PYTHON_COMPILES;
	if (program == NULL)
		return 0;
	s.argv = argv;
	s.group = SPAWN_GROUP_OURS; /* what ends the stage ends its tools */
	str_init(&output);
	if (spawn_capture(&s, MAX_MESSAGE, &output, &status, e) != 0) {
		result = -1;
	} else if (status != 0) {
		output.buf[strcspn(output.buf, "\n")] = '\0';
		message = str_safe(output.buf, MAX_MESSAGE);
		result = err_set(e, "%s does not compile: %s (status %d)", name,
			*message ? message : "Python gave no reason", status);
	}
	free(message);
	str_clear(&output);
	free(program);
	return result;
}
