/* What is read of a registered model: pages, their order, tags, stages, numbers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/mlflow-view.h"

#include "base/clock.h"
#include "data/json.h"
#include "fixture.h"
#include "scripted.h"
#include "stage/mlflow.h"

#define MODEL "{\"registered_model\":{\"name\":\"m\",\"aliases\":[%s],\"tags\":[%s]}}"
#define VERSIONS(list) "{\"model_versions\":[" list "]}"
#define MORE(list, token) "{\"model_versions\":[" list "],\"next_page_token\":\"" token "\"}"
#define V(number, rest) "{\"version\":\"" number "\"" rest "}"
#define STAGE(stage) ",\"current_stage\":\"" stage "\""
#define TAG(key, value) "{\"key\":\"" key "\",\"value\":\"" value "\"}"
#define TAGS(list) ",\"tags\":[" list "]"
#define ALIAS(name, number) "{\"alias\":\"" name "\",\"version\":\"" number "\"}"
#define TIME "2026-01-02T03:04:05.000000Z"

/* Serve ANSWERS as bodies, and read the model m.  *OUT is to be cleared. */
static int load(struct mlflow_view *out, enum mlflow_stages by, const char *const *bodies, size_t n,
	void **state, struct err *e)
{
	char **answers = mem_zalloc(n, sizeof(char *)), *text;
	struct mlflow *m = NULL;
	struct scripted s;
	struct fixture f;
	int result;

	for (size_t i = 0; i < n; i++)
		answers[i] = mem_format("HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s",
			strstr(bodies[i], "error_code") != NULL ? "404 No" : "200 OK",
			strlen(bodies[i]), bodies[i]);
	scripted_init(&s, "requests");
	scripted_start(&s, (const char *const *)answers, n);
	text = mem_format("[registry]\nbackend = mlflow\nurl = http://127.0.0.1:%u\n", s.port);
	fixture_init(&f, state, text);
	assert_result(mlflow_open(&m, f.config, NULL), 0, NULL);
	result = mlflow_view_load(out, m, "m", by, e);
	mlflow_close(m);
	fixture_clear(&f);
	free(text);
	assert_int_equal(scripted_end(&s), n);
	for (size_t i = 0; i < n; i++)
		free(answers[i]);
	free(answers);
	return result;
}

/* "3:None 2:Production+": versions and stages, "+" if it was in Staging; the caller's to free(). */
static char *show(const struct mlflow_view *w)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < w->versions.n; i++) {
		assert_int_equal(w->marks[i].version, w->versions.v[i].version);
		str_addf(&s, "%s%lld:%s%s", i > 0 ? " " : "", (long long)w->versions.v[i].version,
			w->versions.v[i].stage,
			w->versions.v[i].history == REGISTRY_ONCE_STAGED ? "+" : "");
	}
	return str_steal(&s);
}

static const struct {
	enum mlflow_stages by;
	const char *aliases;
	const char *pages[3];
	const char *shown; /* NULL: refused */
	const char *said;
} rows[] = {
	/* order and pages */
	{MLFLOW_BY_STAGE, "", {"{}"}, "", NULL},
	{MLFLOW_BY_STAGE, "", {VERSIONS(V("1", ""))}, "1:None", NULL},
	{MLFLOW_BY_STAGE, "", {VERSIONS(V("2", "") "," V("10", "") "," V("9", ""))},
		"10:None 9:None 2:None", NULL},
	{MLFLOW_BY_STAGE, "",
		{MORE(V("1", ""), "a b&c"), MORE(V("3", ""), "x"), VERSIONS(V("2", ""))},
		"3:None 2:None 1:None", NULL},
	{MLFLOW_BY_STAGE, "", {MORE(V("1", ""), "x"), "{}"}, "1:None", NULL},
	{MLFLOW_BY_STAGE, "", {MORE("", "x"), VERSIONS(V("1", ""))}, "1:None", NULL},
	{MLFLOW_BY_STAGE, "", {"{\"next_page_token\":\"\"}"}, "", NULL},
	/* one that moved from one page to the next */
	{MLFLOW_BY_STAGE, "",
		{MORE(V("2", STAGE("Staging")) "," V("1", ""), "x"), VERSIONS(V("1", ""))},
		"2:Staging+ 1:None", NULL},
	/* numbers as text and as numbers, and what is none */
	{MLFLOW_BY_STAGE, "", {VERSIONS("{\"version\":7}")}, "7:None", NULL},
	{MLFLOW_BY_STAGE, "", {VERSIONS(V("0", ""))}, NULL, "a version of m without a number"},
	{MLFLOW_BY_STAGE, "", {VERSIONS(V("-1", ""))}, NULL, "without a number"},
	{MLFLOW_BY_STAGE, "", {VERSIONS("{\"version\":-1}")}, NULL, "without a number"},
	{MLFLOW_BY_STAGE, "", {VERSIONS(V("1x", ""))}, NULL, "without a number"},
	{MLFLOW_BY_STAGE, "", {VERSIONS("{}")}, NULL, "without a number"},
	{MLFLOW_BY_STAGE, "", {VERSIONS("1,null,[]")}, NULL, "without a number"},
	{MLFLOW_BY_STAGE, "", {"{\"model_versions\":{\"version\":\"1\"}}"}, "", NULL},
	{MLFLOW_BY_STAGE, "", {MORE(V("1", ""), "x"), "[]"}, NULL, "no JSON object"},
	/* stages, and aliases where there are none */
	{MLFLOW_BY_STAGE, ALIAS("production", "1"),
		{VERSIONS(V("2", STAGE("Production")) "," V("1", STAGE("Archived")))},
		"2:Production 1:Archived", NULL},
	{MLFLOW_BY_STAGE, ALIAS("production", "1"),
		{VERSIONS(V("2", STAGE("None")) "," V("1", STAGE("None")))}, "2:None 1:Production",
		NULL},
	{MLFLOW_BY_STAGE, ALIAS("staging", "2") "," ALIAS("production", "1"),
		{VERSIONS(V("2", "") "," V("1", STAGE("")))}, "2:Staging+ 1:Production", NULL},
	{MLFLOW_BY_STAGE, ALIAS("other", "1"), {VERSIONS(V("1", ""))}, "1:None", NULL},
	/* aliases, whatever the stages say */
	{MLFLOW_BY_ALIAS, ALIAS("production", "1"),
		{VERSIONS(V("2", STAGE("Production")) "," V("1", STAGE("Archived")))},
		"2:None 1:Production", NULL},
	{MLFLOW_BY_ALIAS, ALIAS("staging", "1") "," ALIAS("production", "1"),
		{VERSIONS(V("1", ""))}, "1:Production", NULL},
	{MLFLOW_BY_ALIAS, "",
		{VERSIONS(V("2", TAGS(TAG("modelgate.staged", TIME))) "," V(
			"1", TAGS(TAG("modelgate.production", TIME))))},
		"2:Archived+ 1:Archived", NULL},
	{MLFLOW_BY_STAGE, "",
		{VERSIONS(V("2", STAGE("Archived") TAGS(TAG("modelgate.staged", "x"))))},
		"2:Archived+", NULL},
	{MLFLOW_BY_ALIAS, "{},{\"alias\":1},null", {VERSIONS(V("1", ""))}, "1:None", NULL},
};

static void test_versions(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *model = mem_format(MODEL, rows[i].aliases, "");
		const char *bodies[4] = {model};
		struct err e = ERR_INIT;
		struct mlflow_view w;
		size_t n = 1;
		int result;

		while (n < 4 && rows[i].pages[n - 1] != NULL) {
			bodies[n] = rows[i].pages[n - 1];
			if (++n == 4)
				break;
		}
		result = load(&w, rows[i].by, bodies, n, state, &e);
		if (result != (rows[i].shown != NULL ? 1 : -1))
			fail_msg("row %zu gives %d: %s", i, result, err_text(&e));
		if (result == 1) {
			char *got = show(&w);

			if (strcmp(got, rows[i].shown) != 0)
				fail_msg("row %zu: \"%s\", not \"%s\"", i, got, rows[i].shown);
			free(got);
		} else {
			assert_says(&e, rows[i].said);
		}
		mlflow_view_clear(&w);
		free(model);
	}
}

/* The token is sent back as it came, and the order is asked for. */
static void test_asked(void **state)
{
	static const char *const bodies[] = {
		"{\"registered_model\":{}}", MORE(V("1", ""), "a b&c/="), VERSIONS(V("2", ""))};
	struct err e = ERR_INIT;
	struct mlflow_view w;
	struct str text;

	assert_result(load(&w, MLFLOW_BY_STAGE, bodies, 3, state, &e), 1, &e);
	mlflow_view_clear(&w);
	str_init(&text);
	assert_int_equal(files_read("requests", 100000, &text, NULL), 1);
	assert_non_null(strstr(text.buf, "GET /api/2.0/mlflow/registered-models/get?name=m HTTP"));
	assert_non_null(
		strstr(text.buf, "GET /api/2.0/mlflow/model-versions/search?filter=name%3D%27m%27"
				 "&order_by=version_number%20ASC&max_results=100 HTTP"));
	assert_non_null(strstr(text.buf, "&max_results=100&page_token=a%20b%26c%2F%3D HTTP"));
	str_clear(&text);
}

static void test_members(void **state)
{
	static const char *const bodies[] = {
		"{\"registered_model\":{\"aliases\":[" ALIAS("staging", "3") "],\"tags\":[" TAG(
			"other", "x") "," TAG("modelgate.owner", "project-7") "]}}",
		VERSIONS(V("3", ",\"creation_timestamp\":1767323045000,\"last_updated_timestamp\":"
				"\"1767323046000\","
				"\"source\":\"dvc://h/a\",\"description\":\"d\"" TAGS(TAG(
					"modelgate.commit", "c0ffee") "," TAG("modelgate.pipeline",
					"42") "," TAG("modelgate.image",
					"r/i:1") "," TAG("modelgate.image_digest",
					"sha256:1") "," TAG("modelgate.md5",
					"aa") "," TAG("modelgate.source",
					"https://h/a") "," TAG("modelgate.production",
					TIME) "," TAG("modelgate.rolledback", TIME))) ","
			/* by hand: no tags, and times that are none */
			V("2", STAGE("Production") ",\"last_updated_timestamp\":1767323046000,"
						   "\"source\":\"s3://b/k\"") "," V("1",
				TAGS(TAG("modelgate.pipeline", "x") "," TAG("modelgate.production",
					"yesterday")) ",\"creation_timestamp\":"
						      "9223372036854775807"))};
	const struct registry_version *v;
	struct err e = ERR_INIT;
	struct mlflow_view w;
	int64_t when;

	assert_int_equal(clock_parse(TIME, &when), 0);
	assert_result(load(&w, MLFLOW_BY_STAGE, bodies, 2, state, &e), 1, &e);
	assert_string_equal(w.owner, "project-7");
	assert_int_equal(w.staging, 3);
	assert_int_equal(w.production, 0);
	v = w.versions.v;
	assert_int_equal(w.versions.n, 3);
	assert_string_equal(v[0].model, "m");
	assert_string_equal(v[0].source, "https://h/a");
	assert_string_equal(v[0].description, "d");
	assert_string_equal(v[0].commit, "c0ffee");
	assert_string_equal(v[0].image, "r/i:1");
	assert_string_equal(v[0].image_digest, "sha256:1");
	assert_string_equal(v[0].md5, "aa");
	assert_int_equal(v[0].pipeline, 42);
	assert_true(v[0].created == when && v[0].updated == when + CLOCK_SECOND);
	assert_true(v[0].production_since == when && v[0].rolled_back == when);
	assert_true(w.marks[0].production && w.marks[0].rolled_back && !w.marks[0].staged);
	assert_string_equal(v[1].source, "s3://b/k");
	assert_string_equal(v[1].commit, "");
	assert_true(v[1].production_since == when + CLOCK_SECOND && !w.marks[1].production);
	assert_int_equal(v[2].pipeline, 0);
	assert_true(v[2].production_since == 0 && v[2].created == 0 && v[2].rolled_back == 0);
	mlflow_view_clear(&w);
}

static void test_none(void **state)
{
	static const struct {
		const char *body;
		int result;
	} models[] = {
		{"{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":\"x\"}", 0},
		{"{\"error_code\":\"ENDPOINT_NOT_FOUND\",\"message\":\"x\"}", -1},
		{"error_code", -1}, /* a proxy's 404 is no word of MLflow's */
	};

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		struct err e = ERR_INIT;
		struct mlflow_view w;

		assert_result(load(&w, MLFLOW_BY_STAGE, &models[i].body, 1, state, &e),
			models[i].result, &e);
		assert_true((e.text != NULL) == (models[i].result < 0));
		assert_null(w.owner);
		assert_int_equal(w.versions.n, 0);
		mlflow_view_clear(&w);
		err_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_versions),
		scratch_test(test_asked),
		scratch_test(test_members),
		scratch_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
