/* Names belong to the repository that first made them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/owner.h"
#include "fixture.h"

static void test_claim(void **state)
{
	static const struct {
		const char *owner;
		enum owner_kind kind;
		const char *name;
		const char *fault; /* NULL: none */
	} rows[] = {
		{"project-1", OWNER_MODEL, "churn", NULL},
		{"project-1", OWNER_MODEL, "churn", NULL},
		{"project-2", OWNER_MODEL, "churn",
			"registered model churn belongs to project-1; this is project-2"},
		{"project-2", OWNER_MODEL, "Churn", NULL},
		{"project-2", OWNER_DAG, "churn", NULL},
		{"project-1", OWNER_DAG, "churn", "DAG id churn belongs to project-2"},
		{"project-1", OWNER_IMAGE, "churn", NULL},
		{"project-2", OWNER_IMAGE, "churn", "image name churn belongs to project-1"},
	};
	struct fixture f;

	fixture_init(&f, state, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		f.job.owner = rows[i].owner;
		assert_result(owner_claim(&f.job, rows[i].kind, rows[i].name, &e),
			rows[i].fault ? -1 : 0, &e);
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		assert_int_equal(e.passing, 0);
	}
	fixture_clear(&f);
}

/* Who it is, without a claim. */
static void test_find(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	char *owner;

	fixture_init(&f, state, "");
	assert_result(owner_find(&owner, f.config, OWNER_DAG, "churn", &e), 0, &e);
	assert_null(owner);
	f.job.owner = "project-1";
	assert_result(owner_claim(&f.job, OWNER_DAG, "churn", &e), 0, &e);
	assert_result(owner_find(&owner, f.config, OWNER_DAG, "churn", &e), 1, &e);
	assert_string_equal(owner, "project-1");
	free(owner);
	assert_result(owner_find(&owner, f.config, OWNER_IMAGE, "churn", &e), 0, &e);
	assert_null(owner);
	fixture_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_claim), scratch_test(test_find)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
