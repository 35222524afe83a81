/* chain/ci-job: what a job's variables say, and what it leaves behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/ci-job.h"

#include "chain/report.h"
#include "fixture.h"

#define SHA "2222222222222222222222222222222222222222"

static const struct variable {
	const char *name, *value;
} usual[] = {
	{"CI_COMMIT_REF_NAME", "main"},
	{"CI_PROJECT_DIR", "/builds/models/shop"},
	{"CI_PROJECT_URL", "https://h/models/shop"},
	{"CI_SERVER_URL", "https://h"},
	{"CI_PIPELINE_CREATED_AT", "2026-01-31T16:47:55Z"},
	{"CI_PIPELINE_ID", "61"},
	{"CI_PROJECT_ID", "5"},
	{"GITLAB_USER_ID", "18"},
	{"GITLAB_USER_LOGIN", "petrova"},
	{"MODELGATE_CHAIN", "dev"},
	{"MODELGATE_PROJECT", "shop"},
	{"MODELGATE_SHA", SHA},
	{"MODELGATE_SOURCE", "refs/heads/dev"},
	{"MODELGATE_DESCRIPTION", "Pay %245%0A%25"},
	{"MODELGATE_OWNER", "project-5"},
	{"MODELGATE_USER", "ivanov"},
	{"MODELGATE_RETRAINED", ""},
	{"MODELGATE_CREATED_AT", "1800000000000000"},
};

static void set_usual(void)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		assert_int_equal(setenv(usual[i].name, usual[i].value, 1), 0);
	assert_int_equal(unsetenv("MODELGATE_CONFIG"), 0);
}

static void set_or_not(const char *name, const char *value)
{
	assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_read(void **state)
{
	struct ci_job j;
	struct err e = ERR_INIT;

	(void)state;
	set_usual();
	assert_result(ci_job_read(&j, "build", &e), 0, &e);
	assert_string_equal(j.chain, "dev");
	assert_string_equal(j.stage, "build");
	assert_string_equal(j.folder, "/builds/models/shop");
	assert_string_equal(j.project, "shop");
	assert_string_equal(j.sha, SHA);
	assert_string_equal(j.ref, "refs/heads/main");
	assert_string_equal(j.source, "refs/heads/dev");
	assert_string_equal(j.description, "Pay $5\n%");
	assert_string_equal(j.owner, "project-5");
	assert_string_equal(j.user, "ivanov");
	assert_string_equal(j.url, "https://h/models/shop");
	assert_string_equal(j.server, "https://h");
	assert_string_equal(j.starter, "petrova");
	assert_int_equal(j.starter_id, 18);
	assert_int_equal(j.pipeline, 61);
	assert_int_equal(j.gitlab_project, 5);
	assert_int_equal(j.created_at, INT64_C(1800000000000000));
	ci_job_clear(&j);
}

static void test_faults(void **state)
{
	static const struct {
		const char *name, *value; /* NULL: it is not there */
		const char *said;         /* NULL: nothing, it may be so */
	} rows[] = {
		{"CI_PIPELINE_ID", NULL,
			"the variable CI_PIPELINE_ID is not there: this is for a job"},
		{"CI_PIPELINE_ID", "", "the variable CI_PIPELINE_ID is no number: "},
		{"CI_PIPELINE_ID", "0", "no number: 0"},
		{"CI_PIPELINE_ID", "-61", "no number: -61"},
		{"CI_PIPELINE_ID", "61x", "no number: 61x"},
		{"CI_PIPELINE_ID", "9223372036854775807", NULL},
		{"CI_PIPELINE_ID", "9223372036854775808", "no number: "},
		{"CI_PROJECT_ID", NULL, "CI_PROJECT_ID is not there"},
		{"GITLAB_USER_ID", NULL, "GITLAB_USER_ID is not there"},
		{"MODELGATE_CREATED_AT", NULL, "MODELGATE_CREATED_AT is not there"},
		/* of another project, or of none */
		{"CI_PROJECT_ID", "6",
			"MODELGATE_OWNER is \"project-5\", and this is a job of "
			"project-6: the pipeline was not made by modelgate"},
		{"MODELGATE_OWNER", "project-55", "MODELGATE_OWNER is \"project-55\""},
		{"MODELGATE_OWNER", "/srv/git/shop.git", "MODELGATE_OWNER is \"/srv"},
		{"MODELGATE_OWNER", "", "MODELGATE_OWNER is \"\""},
		{"MODELGATE_OWNER", NULL, "MODELGATE_OWNER is \"\""},
		/* names go into paths and into names of images */
		{"MODELGATE_CHAIN", NULL, "MODELGATE_CHAIN names no chain: \"\""},
		{"MODELGATE_CHAIN", "../x", "MODELGATE_CHAIN names no chain: \"../x\""},
		{"MODELGATE_CHAIN", "a b", "names no chain"},
		{"MODELGATE_CHAIN", "release.2026", NULL}, /* config: letters, digits, _ . and - */
		{"MODELGATE_CHAIN", ".", "names no chain: \".\""},
		{"MODELGATE_CHAIN", "..", "names no chain: \"..\""},
		{"MODELGATE_CHAIN", "-x", "names no chain"},
		{"MODELGATE_PROJECT", "a.b", "names no project"},
		{"MODELGATE_PROJECT", NULL, "MODELGATE_PROJECT names no project"},
		{"MODELGATE_PROJECT", "a/b", "names no project: \"a/b\""},
		{"MODELGATE_PROJECT", "a%0Ab", "names no project"},
		{"MODELGATE_SHA", NULL, "MODELGATE_SHA is no commit id: \"\""},
		{"MODELGATE_SHA", "main", "no commit id: \"main\""},
		{"MODELGATE_SHA", "-" SHA, "no commit id"},
		{"MODELGATE_SHA", SHA "x", "no commit id"},
		{"CI_PROJECT_DIR", NULL, "CI_PROJECT_DIR is no absolute path: \"\""},
		{"CI_PROJECT_DIR", "builds", "CI_PROJECT_DIR is no absolute path"},
		/* what may be missing */
		{"MODELGATE_SOURCE", NULL, NULL},
		{"MODELGATE_DESCRIPTION", NULL, NULL},
		{"MODELGATE_USER", NULL, NULL},
		{"MODELGATE_RETRAINED", NULL, NULL},
		{"CI_PROJECT_URL", NULL, NULL},
		{"CI_SERVER_URL", NULL, NULL},
		{"GITLAB_USER_LOGIN", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ci_job j;
		struct err e = ERR_INIT;
		int got;

		set_usual();
		set_or_not(rows[i].name, rows[i].value);
		got = ci_job_read(&j, "build", &e);
		if (got != (rows[i].said == NULL ? 0 : -1))
			fail_msg("%s=%s: %d: %s", rows[i].name, rows[i].value, got, err_text(&e));
		if (rows[i].said != NULL && strstr(err_text(&e), rows[i].said) == NULL)
			fail_msg("%s=%s: \"%s\" does not say \"%s\"", rows[i].name, rows[i].value,
				err_text(&e), rows[i].said);
		if (got != 0)
			assert_null(j.chain);
		ci_job_clear(&j);
		err_clear(&e);
	}
	set_usual();
}

static char *read_left(const char *folder, const char *name)
{
	char *path = path_join(folder, name);
	struct str text;

	str_init(&text);
	if (files_read(path, 1 << 20, &text, NULL) != 1)
		fail_msg("%s is not there", name);
	free(path);
	return str_steal(&text);
}

/* A stage that cannot start leaves both files, and says why in one; GitLab wants no empty .env. */
static void test_run_fails(void **state)
{
	static const struct {
		const char *config;
		const char *starter;
		const char *said;
	} rows[] = {
		{NULL, "petrova", "the variable MODELGATE_CONFIG is not there"},
		{"[chain \"dev\"]\nstart = odd\n", "petrova", "MODELGATE_CONFIG:2: "},
		{"[role \"r\"]\nmembers = ivanov, user-19\n[chain \"dev\"]\nstart = manual\nroles "
		 "= r\n",
			"petrova", "petrova may not play the stages of chain dev"},
		/* whoever may, comes as far as the token */
		{"[role \"r\"]\nmembers = petrova\n[chain \"dev\"]\nstart = manual\nroles = r\n",
			"petrova", "[launcher] token-file in MODELGATE_CONFIG is empty"},
		{"[role \"r\"]\nmembers = user-18\n[chain \"dev\"]\nstart = manual\nroles = r\n",
			"petrova", "[launcher] token-file in MODELGATE_CONFIG is empty"},
		{"[runner]\n", "petrova", "[launcher] token-file in MODELGATE_CONFIG is empty"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ci_job j;
		struct err e = ERR_INIT;
		struct report r;
		char *env, *report;

		set_usual();
		set_or_not("CI_PROJECT_DIR", *state);
		set_or_not("MODELGATE_CONFIG", rows[i].config);
		set_or_not("GITLAB_USER_LOGIN", rows[i].starter);
		set_or_not("MODELGATE_FACT_image", "h/x:1");
		assert_result(ci_job_read(&j, "build", &e), 0, &e);
		assert_int_equal(ci_job_run(&j, &e), -1);
		if (strstr(err_text(&e), rows[i].said) == NULL)
			fail_msg("row %zu: \"%s\" does not say \"%s\"", i, err_text(&e),
				rows[i].said);
		env = read_left(*state, "modelgate-build.env");
		report = read_left(*state, "modelgate-build.json");
		assert_string_equal(env, "MODELGATE_FACT_none=1\n");
		assert_int_equal(report_parse(&r, report, strlen(report), "build", NULL), 0);
		assert_string_equal(r.message, err_text(&e));
		assert_int_equal(r.facts.n, 0);
		report_clear(&r);
		free(env);
		free(report);
		ci_job_clear(&j);
		err_clear(&e);
	}
	set_usual();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_faults),
		scratch_test(test_run_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
