/* python3 is asked whether a file compiles, and never runs it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/python.h"

#include "fixture.h"

static void test_check(void **state)
{
	static const struct {
		const char *text;
		const char *fault; /* NULL: it compiles */
	} rows[] = {
		{"", NULL},
		{"x = 1\n", NULL},
		{"raise SystemExit(5)\n", NULL},
		{"import no_such_module\n", NULL},
		{"def f(:\n    pass\n", "dag.py does not compile: invalid syntax (dag.py, line 1)"},
		{"x = 1\n  y = 2\n", "(dag.py, line 2)"},
		{"x = '\xff'\n", "dag.py does not compile"},
	};
	char *path = path_join(*state, "given.py");
	enum python_verdict verdict;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(
			files_replace(path, rows[i].text, strlen(rows[i].text), 0644, NULL), 0);
		assert_result(
			python_check(&verdict, path, "dag.py", &e), rows[i].fault ? -1 : 0, &e);
		if (verdict == PYTHON_ABSENT)
			skip();
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
	}
	/* Nothing was left beside it. */
	assert_false(files_exists("__pycache__"));
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_check)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
