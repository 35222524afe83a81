/* The registry: versions, once a pipeline; stages, with what they replace archived. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/registry.h"
#include "fixture.h"

static struct registry *open_registry(const struct fixture *f)
{
	struct registry *r = NULL;
	struct err e = ERR_INIT;

	assert_result(registry_open(&r, f->config, &e), 0, &e);
	return r;
}

static int64_t create(struct registry *r, const char *model, int64_t pipeline, const char *md5)
{
	struct registry_version v = {.pipeline = pipeline};
	char empty[] = "", *name = mem_strdup(model), *hash = mem_strdup(md5);
	struct err e = ERR_INIT;
	int64_t version;

	v.model = name;
	v.md5 = hash;
	v.source = v.description = v.commit = v.image = v.image_digest = empty;
	assert_result(registry_create(r, &v, "owner", &version, &e), 0, &e);
	free(hash);
	free(name);
	return version;
}

static int move(struct registry *r, int64_t version, const char *from, const char *to)
{
	const struct registry_move m = {
		.model = "churn", .version = version, .from = from, .to = to, .pipeline = 9};
	struct err e = ERR_INIT;
	int result = registry_transition(r, &m, &e);

	if ((result < 0) != (e.text != NULL))
		fail_msg("%d with \"%s\"", result, err_text(&e));
	err_clear(&e);
	return result;
}

/* "3:None 2:Staging+ 1:Archived+": versions, their stages, "+" if they were in Staging. */
static char *stages(struct registry *r, const char *md5)
{
	struct registry_versions l;
	struct err e = ERR_INIT;
	struct str s;

	str_init(&s);
	assert_result(registry_find(r, "churn", md5, &l, &e), 0, &e);
	for (size_t i = 0; i < l.n; i++)
		str_addf(&s, "%s%lld:%s%s", i > 0 ? " " : "", (long long)l.v[i].version,
			l.v[i].stage, l.v[i].history == REGISTRY_ONCE_STAGED ? "+" : "");
	registry_versions_clear(&l);
	return str_steal(&s);
}

#define assert_stages(r, md5, expected)                                                            \
	do {                                                                                       \
		char *got_ = stages(r, md5);                                                       \
		assert_string_equal(got_, expected);                                               \
		free(got_);                                                                        \
	} while (0)

static void test_create(void **state)
{
	struct fixture f;
	struct registry *r;

	fixture_init(&f, state, "");
	r = open_registry(&f);
	assert_stages(r, NULL, "");
	assert_int_equal(create(r, "churn", 10, "aa"), 1);
	assert_int_equal(create(r, "churn", 12, "bb"), 2);
	assert_int_equal(create(r, "churn", 10, "aa"), 1);
	assert_int_equal(create(r, "other", 10, "aa"), 1);
	assert_stages(r, NULL, "2:None 1:None");
	assert_stages(r, "aa", "1:None");
	assert_stages(r, "cc", "");
	registry_close(r);
	fixture_clear(&f);
}

static void test_transition(void **state)
{
	static const struct {
		int64_t version;
		const char *from;
		const char *to;
		int expected;
		const char *after;
	} rows[] = {
		{1, "None", "Staging", 1, "3:None 2:None 1:Staging+"},
		{1, "None", "Staging", 0, "3:None 2:None 1:Staging+"},
		{1, NULL, "Production", 1, "3:None 2:None 1:Production+"},
		/* a second run of the pipeline that staged it */
		{1, "None", "Staging", 0, "3:None 2:None 1:Production+"},
		{2, "None", "Staging", 1, "3:None 2:Staging+ 1:Production+"},
		{3, "None", "Staging", 1, "3:Staging+ 2:Archived+ 1:Production+"},
		{2, NULL, "Production", 1, "3:Staging+ 2:Production+ 1:Archived+"},
		{2, NULL, "Production", 0, "3:Staging+ 2:Production+ 1:Archived+"},
		{2, NULL, "Archived", 1, "3:Staging+ 2:Archived+ 1:Archived+"},
		{3, NULL, "None", 1, "3:None+ 2:Archived+ 1:Archived+"},
		{4, NULL, "Staging", -1, "3:None+ 2:Archived+ 1:Archived+"},
		{3, NULL, "Nowhere", -1, "3:None+ 2:Archived+ 1:Archived+"},
	};
	struct fixture f;
	struct registry *r;

	fixture_init(&f, state, "");
	r = open_registry(&f);
	for (int i = 1; i <= 3; i++)
		assert_int_equal(create(r, "churn", i, "aa"), i);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int result = move(r, rows[i].version, rows[i].from, rows[i].to);

		if (result != rows[i].expected)
			fail_msg("row %zu: %d, not %d", i, result, rows[i].expected);
		assert_stages(r, NULL, rows[i].after);
	}
	registry_close(r);
	fixture_clear(&f);
}

/* What a way back leaves behind is rolled back, until it is promoted anew. */
static void test_back(void **state)
{
	static const struct {
		int64_t version;
		const char *to;
		enum registry_direction direction;
		const char *after; /* those that are rolled back, newest first */
	} rows[] = {
		{1, REGISTRY_PRODUCTION, REGISTRY_FORWARD, ""},
		{3, REGISTRY_PRODUCTION, REGISTRY_FORWARD, ""},
		{2, REGISTRY_PRODUCTION, REGISTRY_FORWARD, ""},
		/* by time, not by number */
		{3, REGISTRY_PRODUCTION, REGISTRY_BACK, "2"},
		{2, REGISTRY_STAGING, REGISTRY_BACK, "2"},
		{1, REGISTRY_PRODUCTION, REGISTRY_BACK, "32"},
		/* promoted anew, it is the last one */
		{3, REGISTRY_PRODUCTION, REGISTRY_FORWARD, "2"},
		{2, REGISTRY_PRODUCTION, REGISTRY_BACK, "3"},
		{1, REGISTRY_PRODUCTION, REGISTRY_BACK, "32"},
	};
	struct fixture f;
	struct registry *r;

	fixture_init(&f, state, "");
	r = open_registry(&f);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(create(r, "churn", i, "aa"), i);
	assert_int_equal(create(r, "other", 1, "aa"), 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct registry_move m = {.model = "churn",
			.version = rows[i].version,
			.to = rows[i].to,
			.direction = rows[i].direction};
		struct registry_versions l;
		struct err e = ERR_INIT;
		struct str got;

		str_init(&got);
		assert_result(registry_transition(r, &m, &e), 1, &e);
		assert_result(registry_find(r, "churn", NULL, &l, &e), 0, &e);
		for (size_t k = 0; k < l.n; k++)
			if (l.v[k].rolled_back != 0)
				str_addf(&got, "%lld", (long long)l.v[k].version);
		if (strcmp(got.buf, rows[i].after) != 0)
			fail_msg("row %zu: \"%s\", not \"%s\"", i, got.buf, rows[i].after);
		str_clear(&got);
		registry_versions_clear(&l);
	}
	registry_close(r);
	fixture_clear(&f);
}

static void test_list(void **state)
{
	static const struct {
		struct registry_page page;
		const char *expected;
		int64_t total;
	} rows[] = {
		{{NULL, 10, 1}, "Alpha:1,0,0 churn:2,2,1 x_churn:1,0,0", 3},
		{{"CHURN", 10, 1}, "churn:2,2,1 x_churn:1,0,0", 2},
		{{"%", 10, 1}, "", 0},
		{{NULL, 2, 1}, "Alpha:1,0,0 churn:2,2,1", 3},
		{{NULL, 2, 2}, "x_churn:1,0,0", 3},
		{{NULL, 2, 3}, "", 3},
	};
	struct fixture f;
	struct registry *r;

	fixture_init(&f, state, "");
	r = open_registry(&f);
	create(r, "churn", 1, "aa");
	create(r, "churn", 2, "bb");
	create(r, "x_churn", 3, "aa");
	create(r, "Alpha", 4, "aa");
	move(r, 1, NULL, "Production");
	move(r, 2, NULL, "Staging");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct registry_models l;
		struct err e = ERR_INIT;
		struct str s;

		str_init(&s);
		assert_result(registry_list(r, &rows[i].page, &l, &e), 0, &e);
		for (size_t j = 0; j < l.n; j++) {
			str_addf(&s, "%s%s:%lld,%lld,%lld", j > 0 ? " " : "", l.v[j].name,
				(long long)l.v[j].latest, (long long)l.v[j].staging,
				(long long)l.v[j].production);
			assert_int_equal(l.v[j].n_tags, 1);
			assert_string_equal(l.v[j].tags[0].value, "owner");
		}
		assert_string_equal(s.buf, rows[i].expected);
		assert_int_equal(l.total, rows[i].total);
		str_clear(&s);
		registry_models_clear(&l);
	}
	registry_close(r);
	fixture_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_create),
		scratch_test(test_transition),
		scratch_test(test_back),
		scratch_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
