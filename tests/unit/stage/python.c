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
		const char *fault; /* NULL: it compiles, and makes no other DAG than churn */
	} rows[] = {
		{"", NULL},
		{"x = 1\n", NULL},
		{"raise SystemExit(5)\n", NULL},
		{"import no_such_module\n", NULL},
		{"def f(:\n    pass\n", "dag.py does not compile: invalid syntax (dag.py, line 1)"},
		{"x = 1\n  y = 2\n", "(dag.py, line 2)"},
		{"x = '\xff'\n", "dag.py does not compile"},
		{"DAG('churn')\n", NULL},
		{"DAG('other')\n",
			"dag.py: line 1 makes the DAG 'other', not 'churn'; write dag_id="},
		{"with airflow.DAG(schedule=None, dag_id='churn') as d: pass\n", NULL},
		{"with airflow.DAG(schedule=None, dag_id='churn2') as d: pass\n", "'churn2'"},
		{"DAG(dag_id='churn')\n\nDAG(dag_id='second')\n", "line 3 makes the DAG 'second'"},
		{"NAME = 'churn'\nDAG(NAME)\n", NULL},
		{"NAME = 'other'\nDAG(NAME)\n", "line 2 makes the DAG 'other'"},
		{"DAG(f'{__name__}')\n", NULL}, /* computed */
		{"NAME: str = 'other'\nDAG(NAME)\n", "line 2 makes the DAG 'other'"},
		{"NAME: str\nDAG(NAME)\n", NULL},
		{"WHO, NAME = 'me', 'other'\nDAG(NAME)\n", "line 2 makes the DAG 'other'"},
		{"NAME, WHO = 'churn', 'other'\nDAG(NAME)\n", NULL},
		{"[A, (B, NAME)] = 1, [2, 'other']\nDAG(dag_id=NAME)\n", "line 2 makes"},
		{"WHO, NAME = names()\nDAG(NAME)\n", NULL},
		{"NAME, REST = 'ab'\nDAG(NAME)\n", NULL},
		{"*REST, NAME = 'me', 'other', 'churn'\nDAG(NAME)\n", NULL},
		{"def f():\n    name = 'other'\n    return DAG(name)\n", "line 3 makes"},
		{"DAG(name := 'other')\nDAG(name)\n", "line 2 makes"},
		{"def f(name='other'):\n    return DAG(name)\n", NULL},
		{"NAME = 'other'\nNAME = 'churn'\nDAG(NAME)\n", NULL},
		{"NAME = 'other'\nNAME += '2'\nDAG(NAME)\n", NULL},
		{"try:\n    from mine import NAME\nexcept ImportError:\n    NAME = "
		 "'other'\nDAG(NAME)\n",
			NULL},
		{"NAME = 'other'\nfor NAME in names(): DAG(NAME)\n", NULL},
		{"NAME = 'other'\ndef NAME(): pass\nDAG(NAME)\n", NULL},
		{"NAME = 'other'\nclass NAME: pass\nDAG(NAME)\n", NULL},
		{"NAME = 'other'\ntry: x()\nexcept E as NAME: DAG(NAME)\n", NULL},
		{"NAME = 'other'\nmatch x():\n    case {'a': 1, **NAME}: DAG(NAME)\n", NULL},
		{"NAME = 'other'\nmatch x():\n    case [1, *NAME]: DAG(NAME)\n", NULL},
		{"NAME = 'other'\nmatch x():\n    case [_] as NAME: DAG(NAME)\n", NULL},
		{"from airflow import DAG as D\nD('other')\n", "line 2 makes the DAG 'other'"},
		{"from airflow import DAG as D\nD('churn')\n", NULL},
		{"from mine import Other as DAG\nDAG('other')\n", NULL},
		{"from airflow.sdk import dag as d\n@d\ndef other(): pass\n", "'other'"},
		{"import airflow as a\na.DAG('other')\n", "line 2 makes the DAG 'other'"},
		{"DAG()\nDAGs('other')\n", NULL},
		{"@dag\ndef churn(): pass\n", NULL},
		{"@dag(schedule=None)\ndef churn(): pass\n", NULL},
		{"@dag(dag_id='churn')\ndef other(): pass\n", NULL},
		{"@dag\ndef other(): pass\n", "makes the DAG 'other'"},
		{"@dag('other')\ndef churn(): pass\n", "makes the DAG 'other'"},
		{"@task\ndef other(): pass\n", NULL},
	};
	char *path = path_join(*state, "given.py");
	struct err e = ERR_INIT;
	enum python_verdict verdict;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			files_replace(path, rows[i].text, strlen(rows[i].text), 0644, NULL), 0);
		assert_result(python_check(&verdict, path, "dag.py", "churn", &e),
			rows[i].fault ? -1 : 0, &e);
		if (verdict == PYTHON_ABSENT)
			skip();
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
	}
	assert_int_equal(files_replace(path, "DAG('x')\n", 9, 0644, NULL), 0);
	assert_int_equal(python_check(&verdict, path, "dag.py", NULL, NULL), 0);
	assert_int_equal(python_check(&verdict, "/no/such/file", "dag.py", NULL, &e), -1);
	assert_says(&e, "dag.py cannot be checked: python3 ended with status 1; the log");
	/* Nothing was left beside it. */
	assert_false(files_exists("__pycache__"));
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_check)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
