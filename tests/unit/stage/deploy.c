/* The stage deploy: which file becomes what, where it goes, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/stage.h"

#include "fixture.h"
#include "stage/registry.h"

/*
 * The file PATH in the repository NAME of the state directory, the caller's to free(); NULL: none.
 */
static char *deployed(const struct fixture *f, const char *name, const char *path)
{
	char *repository = mem_format("%s/repositories/%s.git", f->config->state, name);
	struct err e = ERR_INIT;
	struct str text;
	int found;

	str_init(&text);
	found = publish_read(repository, "main", path, 1 << 20, &text, &e);
	if (found < 0)
		fail_msg("%s", err_text(&e));
	free(repository);
	if (found == 1)
		return str_steal(&text);
	str_clear(&text);
	return NULL;
}

#define assert_deployed(f, name, path, part)                                                       \
	do {                                                                                       \
		char *got_ = deployed(f, name, path);                                              \
		if (got_ == NULL || strstr(got_, part) == NULL)                                    \
			fail_msg("%s of %s has no \"%s\": %s", path, name, part,                   \
				got_ ? got_ : "there is none");                                    \
		free(got_);                                                                        \
	} while (0)

static void ready(struct fixture *f, void **state, const char *text)
{
	fixture_init(f, state, text);
	fixture_remote(f, "main");
	fixture_model(f, "main", "the model");
	facts_set(&f->facts, FACT_IMAGE, "registry/churn@sha256:00");
	fixture_must(f, stage_create_model);
}

static void test_defaults(void **state)
{
	struct fixture f;

	ready(&f, state,
		"[project]\nschedule = 0 6 * * *\nretrain-schedule = 0 3 * * 0\n"
		"repository-url = https://example.com/churn.git\npush-token-variable = push\n");
	fixture_must(&f, stage_deploy);
	assert_fact(&f, FACT_DAG_ID, "churn");
	assert_fact(&f, FACT_DAG_FILE, "dags/churn.py");
	assert_fact(&f, FACT_PYTHON_CHECK, "ok");
	assert_deployed(&f, "airflow-dev", "dags/churn.py", "dag_id=\"churn\"");
	assert_deployed(&f, "airflow-dev", "dags/churn.py", "schedule=\"0 6 * * *\" or None");
	assert_deployed(&f, "airflow-dev", "dags/churn.py", "\"MODELGATE_MODEL_VERSION\": \"1\"");
	assert_deployed(&f, "airflow-dev", "dags/churn.py", "registry/churn@sha256:00");
	fixture_must(&f, stage_stage_model);

	fixture_pipeline(&f, 2, "retrain", "refs/heads/main");
	facts_set(&f.facts, FACT_IMAGE, "/state/a.tar.gz");
	fixture_must(&f, stage_deploy);
	assert_fact(&f, FACT_DAG_ID, "churn_retrain");
	assert_deployed(&f, "airflow-dev", "dags/churn_retrain.py", "dag_id=\"churn_retrain\"");
	assert_deployed(&f, "airflow-dev", "dags/churn_retrain.py", "\"0 3 * * 0\" or None");
	assert_deployed(
		&f, "airflow-dev", "dags/churn_retrain.py", "PUSH_TOKEN_VARIABLE = \"push\"");
	assert_deployed(
		&f, "airflow-dev", "dags/churn_retrain.py", "\"MODELGATE_PIPELINE_ID\": \"2\"");
	assert_deployed(&f, "airflow-dev", "dags/churn.py", "dag_id=\"churn\"");

	fixture_pipeline(&f, 3, "prod", "refs/heads/main");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	fixture_must(&f, stage_deploy);
	assert_deployed(&f, "airflow-prod", "dags/churn.py", "version 1 (Production)");

	fixture_pipeline(&f, 4, "online", "refs/heads/main");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	fixture_must(&f, stage_deploy);
	assert_fact(&f, FACT_DAG_FILE, "manifests/churn.yaml");
	assert_fact(&f, FACT_PYTHON_CHECK, NULL);
	assert_deployed(&f, "online-serving", "manifests/churn.yaml", "version: \"1\"");
	fixture_clear(&f);
}

static void test_own_files(void **state)
{
	static const struct {
		const char *chain;
		const char *path;
		const char *repository;
		const char *result;
		const char *content;
		const char *part;
	} rows[] = {
		{"dev", "dag.py", "airflow-dev", "dags/churn.py",
			"# airflow DAG '@DAG_ID@' of mine\n", "'churn' of mine"},
		{"retrain", "dag-retrain.py", "airflow-dev", "dags/churn_retrain.py",
			"\xef\xbb\xbf# airflow dag '@DAG_ID@' of mine\r\n",
			"'churn_retrain' of mine"},
		{"online", "serving.yaml", "online-serving", "manifests/churn.yaml",
			"a: '@MODEL_NAME@ of mine'\n", "'churn of mine'"},
	};
	struct fixture f;

	ready(&f, state, "");
	fixture_must(&f, stage_stage_model);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_commit(&f, "main", rows[i].path, rows[i].content);
		fixture_pipeline(&f, 10 + (int64_t)i, rows[i].chain, "refs/heads/main");
		facts_set(&f.facts, FACT_MODEL_VERSION, "1");
		fixture_must(&f, stage_deploy);
		assert_deployed(&f, rows[i].repository, rows[i].result, rows[i].part);
	}
	fixture_clear(&f);
}

static void test_again(void **state)
{
	struct fixture f;
	char *first;

	ready(&f, state, "");
	fixture_must(&f, stage_deploy);
	first = mem_strdup(facts_get(&f.facts, FACT_DAG_COMMIT));
	fixture_must(&f, stage_deploy);
	assert_fact(&f, FACT_DAG_COMMIT, first);
	fixture_pipeline(&f, 2, "dev", "refs/heads/dev");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	facts_set(&f.facts, FACT_MODEL_VERSION, "1");
	fixture_must(&f, stage_deploy);
	assert_string_not_equal(facts_get(&f.facts, FACT_DAG_COMMIT), first);
	free(first);
	fixture_clear(&f);
}

static void test_refused(void **state)
{
	static const struct {
		const char *content; /* of dag.py; NULL: as before */
		const char *project;
		const char *image;
		const char *fault;
	} rows[] = {
		{"# airflow dag\nx = @NO_SUCH@\n", "churn", "i",
			"dag.py: line 2: there is no @NO_SUCH@"},
		{"# airflow dag\ndef f(:\n", "churn", "i",
			"dag.py does not compile: invalid syntax"},
		{"# airflow alone\n", "churn", "i", "not both the words"},
		{"# a dag alone\n", "churn", "i", "not both the words"},
		{"# airflow dag\nx = '@IMAGE@'\n", "churn", "it's",
			"line 2: IMAGE \"it's\" holds a quote"},
		{NULL, "churn", "{{ x }}", "IMAGE \"{{ x }}\" holds a brace"},
		{NULL, "churn", NULL, "IMAGE is not known"},
		{NULL, "churn", "run.sh", "the name of a file"},
		{"# airflow dag of churn\nDAG('other')\n", "churn", "i",
			"line 2 makes the DAG 'other'"},
		{"# airflow dag churn \xe9\n", "churn", "i", "dag.py is not UTF-8 (byte 21)"},
		{NULL, "a/b", "i", "\"a/b\" is no DAG id"},
		{NULL, "\xc3\xbc", "i", "is no DAG id"},
	};
	struct fixture f;

	ready(&f, state, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		char *got;

		if (rows[i].content != NULL)
			fixture_commit(&f, "main", "dag.py", rows[i].content);
		fixture_pipeline(&f, 1, "dev", "refs/heads/dev");
		f.job.project = rows[i].project;
		facts_set(&f.facts, FACT_MODEL_VERSION, "1");
		if (rows[i].image != NULL)
			facts_set(&f.facts, FACT_IMAGE, rows[i].image);
		assert_result(fixture_run(&f, stage_deploy, &e), -1, &e);
		assert_int_equal(e.passing, 0);
		assert_says(&e, rows[i].fault);
		got = deployed(&f, "airflow-dev", "dags/churn.py");
		assert_null(got);
	}
	fixture_clear(&f);
}

static void test_manifest_refused(void **state)
{
	static const struct {
		const char *content;
		const char *fault; /* NULL: none */
	} rows[] = {
		{"a: [1\n", "serving.yaml: line"},
		{"a: '@IMAGE@'\na: 2\n", "serving.yaml: line 2"},
		{"- '@IMAGE@'\n", "serving.yaml is no mapping"},
		{"image: '@NO_SUCH@'\n", "serving.yaml: line 1: there is no @NO_SUCH@"},
		{"a: &x '@IMAGE@'\n", "serving.yaml: line 1"},
		{"a: {b: {c: {d: {e: {f: {g: {h: {i: {j: '@IMAGE@'}}}}}}}}}\n", NULL},
		{"image: '@IMAGE@'\n", NULL},
	};
	struct fixture f;

	ready(&f, state, "");
	fixture_must(&f, stage_stage_model);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		fixture_commit(&f, "main", "serving.yaml", rows[i].content);
		fixture_pipeline(&f, 5, "online", "refs/heads/main");
		facts_set(&f.facts, FACT_IMAGE, "i");
		assert_result(
			fixture_run(&f, stage_deploy, &e), rows[i].fault != NULL ? -1 : 0, &e);
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
	}
	fixture_clear(&f);
}

/* Commit CONTENT as the DAG file of churn, with this message, as somebody else would. */
static void deploy_otherwise(const struct fixture *f, const char *content, const char *message)
{
	char *repository = mem_format("%s/repositories/airflow-dev.git", f->config->state);
	struct err e = ERR_INIT;
	struct oid commit;
	const struct publish p = {.repository = repository,
		.branch = "main",
		.path = "dags/churn.py",
		.content = content,
		.len = strlen(content),
		.author_name = "P. Petrova",
		.author_email = "p@example.com",
		.time = 1767225600,
		.message = message};

	assert_result(publish_file(&p, &commit, &e), 1, &e);
	free(repository);
}

/* The file is there before this state directory knows of the id: its commits say whose it is. */
static void test_there_before(void **state)
{
	static const struct {
		const char *message;
		const char *fault; /* NULL: none */
	} rows[] = {
		{"By hand\n", "was not deployed by modelgate"},
		{"Deploy\n\nOwner: project-8\n", "belongs to project-8"},
		{"By hand, after project-8\n", "belongs to project-8"},
		{"Deploy\n\nOwner: project-80\nOwner: project-7\n", NULL},
		{"By hand, after project-7\n", NULL},
		{"Deploy\n\nOwner: project-70\n", "belongs to project-70"},
	};
	struct fixture f;

	ready(&f, state, "");
	f.job.owner = "project-7";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *content = mem_format("# %zu\n", i);
		struct err e = ERR_INIT;

		deploy_otherwise(&f, content, rows[i].message);
		assert_result(
			fixture_run(&f, stage_deploy, &e), rows[i].fault != NULL ? -1 : 0, &e);
		assert_int_equal(e.passing, 0);
		if (rows[i].fault != NULL) {
			assert_says(&e, rows[i].fault);
			assert_deployed(&f, "airflow-dev", "dags/churn.py", content);
		}
		free(content);
	}
	fixture_clear(&f);
}

/* Two repositories with one DAG id: the second is told whose it is, and nothing is overwritten. */
static void test_owner(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	char *long_name = mem_zalloc(252, 1);

	ready(&f, state, "");
	fixture_must(&f, stage_deploy);
	f.job.owner = "/srv/other.git";
	assert_result(fixture_run(&f, stage_deploy, &e), -1, &e);
	assert_says(&e, "DAG id churn belongs to");
	memset(long_name, 'a', 251);
	f.job.project = long_name;
	assert_result(fixture_run(&f, stage_deploy, &e), -1, &e);
	assert_says(&e, "is longer than 250 characters");
	long_name[250] = '\0';
	fixture_must(&f, stage_deploy);
	fixture_clear(&f);
	free(long_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_defaults),
		scratch_test(test_own_files),
		scratch_test(test_again),
		scratch_test(test_refused),
		scratch_test(test_manifest_refused),
		scratch_test(test_there_before),
		scratch_test(test_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
