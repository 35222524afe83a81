/* A registry whose server is mlflow-double.h's, for the tests of both. */
#ifndef MODELGATE_TESTS_STAGE_MLFLOW_BENCH_H
#define MODELGATE_TESTS_STAGE_MLFLOW_BENCH_H

#include "fixture.h"
#include "mlflow-double.h"
#include "stage/registry.h"

#define OWNER "project-7"

struct bench {
	struct fixture f;
	struct mlflow_double d;
	struct registry *r;
};

static inline void bench_open(struct bench *b, void **state, const char *promotion)
{
	struct err e = ERR_INIT;
	char *text;

	mlflow_double_start(&b->d);
	text = mem_format(
		"[registry]\nbackend = mlflow\nurl = http://127.0.0.1:%u\npromotion = %s\n",
		b->d.port, promotion);
	fixture_init(&b->f, state, text);
	free(text);
	assert_result(registry_open(&b->r, b->f.config, &e), 0, &e);
}

static inline void bench_close(struct bench *b)
{
	if (b->d.fault != NULL)
		fail_msg("MLflow would not understand: %s", b->d.fault);
	registry_close(b->r);
	fixture_clear(&b->f);
	mlflow_double_end(&b->d);
}

/* The server's state is EXPECTED. */
static inline void assert_shows(struct bench *b, const char *expected, const char *where)
{
	char *got = mlflow_double_show(&b->d);

	if (strcmp(got, expected) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", where, got, expected);
	free(got);
}

static inline int create(struct bench *b, int64_t pipeline, const char *source, const char *owner,
	int64_t *version, struct err *e)
{
	char model[] = "churn", commit[] = "c0ffee", empty[] = "", md5[] = "aa", text[] = "A merge";
	char *address = mem_strdup(source);
	const struct registry_version v = {.model = model,
		.source = address,
		.description = text,
		.commit = commit,
		.image = empty,
		.image_digest = empty,
		.md5 = md5,
		.pipeline = pipeline,
		.model_description = "Of churn"};
	int result = registry_create(b->r, &v, owner, version, e);

	free(address);
	return result;
}

static inline void must_create(struct bench *b, int64_t pipeline, int64_t expected)
{
	struct err e = ERR_INIT;
	int64_t version;

	assert_result(create(b, pipeline, "s3://models/a", OWNER, &version, &e), 0, &e);
	assert_int_equal(version, expected);
	err_clear(&e);
}

#endif
