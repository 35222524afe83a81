/* The files of config/ that are compiled in: whole, and Python where they say so. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/templates.h"

#include "fixture.h"
#include "stage/python.h"
#include "stage/template.h"

static void test_project_files(void **state)
{
	static const char *const wanted[] = {"score.py", "retrain.py", "dag.py", "dag-retrain.py",
		"Dockerfile", ".dvc/config", "rkl/model.pkl.dvc"};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct templates_file *f = templates_project;

		while (f->path != NULL && strcmp(f->path, wanted[i]) != 0)
			f++;
		assert_non_null(f->path);
		assert_true(strlen(f->text) > 10);
		assert_int_equal(f->text[strlen(f->text) - 1], '\n');
	}
	assert_true(str_ends(templates_first_model, "."));
}

/* With values filled in, each with what a project's own may have at most. */
static void test_dags_compile(void **state)
{
	static const struct template_value values[] = {{"PROJECT", "churn", 0},
		{"DAG_ID", "churn", 0}, {"IMAGE", "/a b/c.tar.gz", 0}, {"MODEL_NAME", "churn", 0},
		{"MODEL_VERSION", "", 1}, {"MODEL_STAGE", "Staging", 0}, {"GIT_SHA", "0123", 0},
		{"PIPELINE_ID", "42", 0}, {"REPOSITORY_URL", "https://example.com/\xc3\xbc.git", 0},
		{"SCHEDULE", "0 6 * * *", 1}, {"PUSH_TOKEN_VARIABLE", "", 1}, {0}};
	static const struct {
		const char *name;
		const char *text;
		int python;
	} rows[] = {{"dag.py", templates_dag, 1}, {"dag-retrain.py", templates_dag_retrain, 1},
		{"serving.yaml", templates_serving, 0}};
	char *path = path_join(*state, "filled.py");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum python_verdict verdict = PYTHON_ABSENT;
		struct err e = ERR_INIT;
		struct str text;

		str_init(&text);
		assert_result(template_fill(&text, rows[i].text, values, &e), 0, &e);
		assert_null(strstr(text.buf, "@PROJECT@"));
		assert_int_equal(files_replace(path, text.buf, text.len, 0644, NULL), 0);
		if (rows[i].python)
			assert_result(python_check(&verdict, path, rows[i].name, NULL, &e), 0, &e);
		str_clear(&text);
	}
	free(path);
}

static void test_programs_compile(void **state)
{
	char *path = path_join(*state, "file.py");

	for (const struct templates_file *f = templates_project; f->path != NULL; f++) {
		enum python_verdict verdict;
		struct err e = ERR_INIT;

		if (!str_ends(f->path, ".py"))
			continue;
		assert_int_equal(files_replace(path, f->text, strlen(f->text), 0644, NULL), 0);
		assert_result(python_check(&verdict, path, f->path, NULL, &e), 0, &e);
	}
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_project_files),
		scratch_test(test_dags_compile),
		scratch_test(test_programs_compile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
