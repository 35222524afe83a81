#include "stage/python.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "sys/spawn.h"

#define PYTHON "python3"
#define MAX_MESSAGE 4096 /* bytes kept of what Python says */
#define MAX_SECONDS 60   /* of processor time: a file can be made that takes for ever */

/*
 * Faults of the file are told on standard output, by status 1 where it does not compile and by 2 where it
 * makes another DAG; anything else is a fault of Python's.  An id that is computed is not looked at: what
 * is meant to be found is a slip, as a file that was copied from another project.
 */
#define STATUS_OTHER_DAG 2
static const char script[] =
	"import ast, sys\n"
	"path, name, wanted = sys.argv[1:]\n"
	"def called(node):\n"
	"    node = node.func if isinstance(node, ast.Call) else node\n"
	"    return node.attr if isinstance(node, ast.Attribute) else getattr(node, 'id', '')\n"
	"def given(call):\n"
	"    return [k.value for k in call.keywords if k.arg == 'dag_id'] + call.args[:1]\n"
	"def ids(tree):\n"
	"    texts = {t.id: n.value for n in tree.body if isinstance(n, ast.Assign)\n"
	"        for t in n.targets if isinstance(t, ast.Name)}\n"
	"    for node in ast.walk(tree):\n"
	"        if isinstance(node, ast.Call) and called(node) in ('DAG', 'dag') and "
	"given(node):\n"
	"            value = given(node)[0]\n"
	"            yield node, texts.get(getattr(value, 'id', None), value)\n"
	"        for mark in getattr(node, 'decorator_list', []):\n"
	"            if called(mark) == 'dag' and not (isinstance(mark, ast.Call) and "
	"given(mark)):\n"
	"                yield node, ast.Constant(node.name)\n"
	"try:\n"
	"    text = open(path, 'rb').read()\n"
	"    compile(text, name, 'exec', dont_inherit=True)\n"
	"    for node, value in ids(ast.parse(text)) if wanted else ():\n"
	"        if isinstance(value, ast.Constant) and value.value != wanted:\n"
	"            print(f'line {node.lineno} makes the DAG {value.value!r}, not {wanted!r}')\n"
	"            sys.exit(2)\n"
	"except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:\n"
	"    print(fault or type(fault).__name__)\n"
	"    sys.exit(1)\n";

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
	return err_set(e, "%s does not compile: %s (status %d)", name,
		*said ? said : "Python gave no reason", status);
}

int python_check(enum python_verdict *verdict, const char *path, const char *name,
	const char *dag_id, struct err *e)
{
	char *program = spawn_find(PYTHON), *message = NULL;
	const char *argv[] = {
		program, "-I", "-c", script, path, name, dag_id != NULL ? dag_id : "", NULL};
	struct spawn s = SPAWN_INIT;
	struct str output;
	int status, result = 0;

	*verdict = program == NULL ? PYTHON_ABSENT : PYTHON_COMPILES;
	if (program == NULL)
		return 0;
	s.argv = argv;
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
