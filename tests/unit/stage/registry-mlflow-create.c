/* Versions in an MLflow server: made once whatever happens, for whom, and with what. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/registry-mlflow.h"

#include "mlflow-bench.h"
#include "stage/mlflow-view.h"

/* Before its K-th change, or losing that answer: one version, whatever happens. */
static void test_create(void **state)
{
	for (size_t k = 0; k <= 3; k++)
		for (int lost = 0; lost < 2; lost++) {
			struct err e = ERR_INIT;
			struct bench b;
			int64_t version;
			int result;

			bench_open(&b, state, "stages");
			b.d.refused_from = lost ? 0 : k;
			b.d.lost = lost ? k : 0;
			result = create(&b, 4, "s3://models/a", OWNER, &version, &e);
			/* a model and a version are two changes */
			assert_int_equal(result, !lost && (k == 1 || k == 2) ? -1 : 0);
			err_clear(&e);
			b.d.refused_from = b.d.lost = 0;
			must_create(&b, 4, 1);
			must_create(&b, 4, 1);
			assert_shows(&b, "1:None+", "create");
			must_create(&b, 5, 2);
			assert_shows(&b, "2:None+ 1:None+", "create");
			bench_close(&b);
		}
}

/* What stands where. */
static void test_created(void **state)
{
	struct bench b;
	const struct double_version *v;

	bench_open(&b, state, "stages");
	must_create(&b, 4, 1);
	assert_string_equal(b.d.model, "churn");
	assert_string_equal(double_get(&b.d.tags, MLFLOW_TAG_OWNER), OWNER);
	v = &b.d.versions[0];
	assert_string_equal(v->source, "s3://models/a");
	assert_string_equal(v->description, "A merge");
	assert_string_equal(double_get(&v->tags, MLFLOW_TAG_OWNER), OWNER);
	assert_string_equal(double_get(&v->tags, MLFLOW_TAG_COMMIT), "c0ffee");
	assert_string_equal(double_get(&v->tags, MLFLOW_TAG_PIPELINE), "4");
	assert_string_equal(double_get(&v->tags, MLFLOW_TAG_MD5), "aa");
	assert_string_equal(double_get(&v->tags, MLFLOW_TAG_SOURCE), "s3://models/a");
	assert_null(double_get(&v->tags, MLFLOW_TAG_IMAGE)); /* empty: there is none */
	assert_null(double_get(&v->tags, MLFLOW_TAG_STRAIGHT));
	bench_close(&b);
}

static void test_owner(void **state)
{
	static const struct {
		const char *tag; /* NULL: made by hand, without one */
		const char *said;
	} models[] = {
		{OWNER, NULL},
		{"project-8", "registered model churn belongs to project-8; this is " OWNER},
		{NULL, "made by somebody else; to hand it over to this repository, set its tag "
		       "modelgate.owner to " OWNER},
	};

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct err e = ERR_INIT;
		struct bench b;
		int64_t version;
		int wanted = models[i].said != NULL ? -1 : 0;

		bench_open(&b, state, "stages");
		b.d.model = mem_strdup("churn");
		if (models[i].tag != NULL)
			double_set(&b.d.tags, MLFLOW_TAG_OWNER, models[i].tag);
		assert_result(create(&b, 4, "s3://a/b", OWNER, &version, &e), wanted, &e);
		if (models[i].said != NULL) {
			assert_int_equal(e.passing, 0);
			assert_says(&e, models[i].said);
		}
		assert_int_equal(b.d.n, wanted == 0);
		bench_close(&b);
	}
}

/* Made twice by a server that carried out what was given up: the first counts. */
static void test_twice(void **state)
{
	static const struct {
		const char *stage; /* of the second one */
		const char *after;
	} cases[] = {
		{REGISTRY_NONE, "1:None+"},
		{REGISTRY_STAGING, "2:Staging+ 1:None+"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		bench_open(&b, state, "stages");
		must_create(&b, 4, 1);
		must_create(&b, 5, 2);
		double_set(&b.d.versions[1].tags, MLFLOW_TAG_PIPELINE, "4");
		free(b.d.versions[1].stage);
		b.d.versions[1].stage = mem_strdup(cases[i].stage);
		must_create(&b, 4, 1);
		assert_shows(&b, cases[i].after, cases[i].stage);
		bench_close(&b);
	}
}

/* Only where pipeline and commit are its own: another state directory counts pipelines anew. */
static void test_other_commit(void **state)
{
	struct bench b;

	bench_open(&b, state, "stages");
	must_create(&b, 4, 1);
	double_set(&b.d.versions[0].tags, MLFLOW_TAG_COMMIT, "beef");
	must_create(&b, 4, 2);
	assert_shows(&b, "2:None+ 1:None+", "another commit");
	bench_close(&b);
}

static void test_source(void **state)
{
	static const struct {
		const char *address;
		const char *other;  /* registry_mlflow_source() */
		const char *any;    /* what a server has that takes any host */
		const char *strict; /* one that takes none */
	} sources[] = {
		{"s3://b/k/x", "s3://b/k/x", "s3://b/k/x", "s3://b/k/x"},
		{"https://h/a/b", "dvc://h/a/b", "https://h/a/b", "dvc://h/a/b"},
		{"http://h:8/a", "dvc://h:8/a", "http://h:8/a", "dvc://h:8/a"},
		{"http://h/a/../b/./c", "dvc://h/a/b/c", "dvc://h/a/b/c", "dvc://h/a/b/c"},
		{"/srv/dvc/files", "dvc:///srv/dvc/files", "dvc:///srv/dvc/files",
			"dvc:///srv/dvc/files"},
		{"/srv/../a", "dvc:///srv/a", "dvc:///srv/a", "dvc:///srv/a"},
		{"rkl/model.pkl.dvc", "dvc://rkl/model.pkl.dvc", "dvc://rkl/model.pkl.dvc",
			"dvc://rkl/model.pkl.dvc"},
	};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		char *other = registry_mlflow_source(sources[i].address);

		assert_string_equal(other, sources[i].other);
		free(other);
		for (int strict = 0; strict < 2; strict++) {
			struct err e = ERR_INIT;
			struct bench b;
			int64_t version;

			bench_open(&b, state, "stages");
			b.d.sources = strict ? DOUBLE_NO_HTTP : DOUBLE_ANY_HOST;
			assert_result(
				create(&b, 1, sources[i].address, OWNER, &version, &e), 0, &e);
			assert_int_equal(b.d.n, 1);
			assert_string_equal(b.d.versions[0].source,
				strict ? sources[i].strict : sources[i].any);
			assert_string_equal(double_get(&b.d.versions[0].tags, MLFLOW_TAG_SOURCE),
				sources[i].address);
			bench_close(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_create),
		scratch_test(test_created),
		scratch_test(test_owner),
		scratch_test(test_twice),
		scratch_test(test_other_commit),
		scratch_test(test_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
