/* A new project: what is in it, where it is made and where not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/project.h"

#include <unistd.h>

#include "data/config.h"
#include "fixture.h"
#include "git/repository.h"
#include "git/tree.h"
#include "sys/spawn.h"

static int make(const char *dir, const char *remote, char **place, struct err *e)
{
	const struct project p = {.dir = dir, .name = "churn", .dvc_remote = remote};
	struct oid commit;

	return project_make(&p, place, &commit, e);
}

static void assert_text(const char *path, const char *part)
{
	struct str text;

	str_init(&text);
	if (files_read(path, 1 << 20, &text, NULL) != 1 || strstr(text.buf, part) == NULL)
		fail_msg("%s has no \"%s\": %s", path, part, text.buf);
	str_clear(&text);
}

static int count(void *context, const char *name, const struct oid *tip)
{
	struct str *s = context;

	(void)tip;
	str_addf(s, "%s%s", s->len > 0 ? " " : "", name);
	return 0;
}

/* Names in the folder PATH that are not "." and "..". */
static void assert_entries(const char *path, const char *expected)
{
	const char *argv[] = {"ls", "-A", path, NULL};
	struct spawn s = SPAWN_INIT;
	struct str out;
	int status = -1;

	s.argv = argv;
	str_init(&out);
	assert_int_equal(spawn_capture(&s, 10000, &out, &status, NULL), 0);
	assert_string_equal(out.buf, expected);
	str_clear(&out);
}

static void test_make(void **state)
{
	static const char *const files[] = {"README.md", "Dockerfile", "requirements.txt",
		"score.py", "retrain.py", "dag.py", "dag-retrain.py", ".gitignore", ".dvc/config",
		".dvc/.gitignore", "rkl/.gitignore", "rkl/model.pkl.dvc"};
	struct repository *r = NULL;
	struct err e = ERR_INIT;
	struct str branches;
	struct oid tip;
	char *place, *url = mem_format("url = %s/work/.dvc/local-remote\n", (const char *)*state);

	assert_result(make("work", NULL, &place, &e), 0, &e);
	assert_true(str_ends(place, "/work"));
	assert_entries(*state, "work\n");
	assert_text("work/.dvc/config", url);
	assert_text("work/.git/HEAD", "ref: refs/heads/dev\n");
	assert_text("work/dag.py", "@DAG_ID@");
	assert_text("work/README.md", "# churn\n");
	assert_result(repository_open(&r, "work/.git", REPOSITORY_OBJECTS, &e), 0, &e);
	str_init(&branches);
	assert_result(repository_each(r, "refs/", count, &branches, &e), 0, &e);
	assert_string_equal(branches.buf, "refs/heads/dev refs/heads/main refs/heads/online "
					  "refs/heads/prod refs/heads/retrain");
	assert_int_equal(repository_tip(r, "HEAD", &tip, NULL), 1);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (tree_has_file(r, &tip, files[i], NULL) != 1)
			fail_msg("%s is not committed", files[i]);
	assert_int_equal(tree_has_file(r, &tip, "rkl/model.pkl", NULL), 0);
	str_clear(&branches);
	repository_free(r);
	free(place);
	free(url);
}

/* What is made can be built: the pointer, the remote and the model agree. */
static void test_builds(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	char *place, *repository;
	struct repository *r = NULL;
	struct oid tip;

	fixture_init(&f, state, "");
	assert_result(make("new", "models", &place, &e), 0, &e);
	repository = path_join(place, ".git");
	assert_result(repository_open(&r, repository, REPOSITORY_OBJECTS, &e), 0, &e);
	assert_int_equal(repository_tip(r, "HEAD", &tip, NULL), 1);
	repository_free(r);
	oid_hex(&tip, f.sha);
	f.job.repository = f.job.owner = repository;
	f.config->engine = CONFIG_ENGINE_ARCHIVE;
	fixture_must(&f, stage_build);
	fixture_must(&f, stage_create_model);
	fixture_must(&f, stage_deploy);
	fixture_must(&f, stage_stage_model);
	assert_true(files_exists("models/files/md5"));
	free(repository);
	free(place);
	fixture_clear(&f);
}

static void test_places(void **state)
{
	static const struct {
		const char *dir;
		const char *fault; /* NULL: it is made */
	} rows[] = {
		{"full", "is there and not empty"},
		{"full/file", "/full/file cannot be read"},
		{"none/work", "none"},
		{"empty", NULL},
		{"empty", "is there and not empty"},
		{"slash/", NULL},
	};

	assert_int_equal(mkdir("full", 0755), 0);
	assert_int_equal(mkdir("empty", 0755), 0);
	assert_int_equal(files_replace("full/file", "", 0, 0644, NULL), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		char *place;

		assert_result(make(rows[i].dir, "models", &place, &e), rows[i].fault ? -1 : 0, &e);
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		free(place);
	}
	/* A remote that cannot be: nothing is left. */
	{
		struct err e = ERR_INIT;
		char *place;

		assert_result(make("half", "full/file/remote", &place, &e), -1, &e);
		assert_says(&e, "full/file");
		assert_result(make("half", "a\"b", &place, &e), -1, &e);
		assert_says(&e, "holds a quote");
	}
	assert_entries(*state, "empty\nfull\nmodels\nslash\n");
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		int expected;
	} rows[] = {{"churn", 0}, {"Alliya_Churn-2", 0}, {"", -1}, {"a b", -1}, {"a/b", -1},
		{"a.b", -1}, {"\xc3\xbc", -1}, {"../x", -1}};
	char long_name[CONFIG_PROJECT_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (project_check_name(rows[i].name, NULL) != rows[i].expected)
			fail_msg("\"%s\"", rows[i].name);
	memset(long_name, 'a', sizeof(long_name));
	long_name[CONFIG_PROJECT_NAME_MAX + 1] = '\0';
	assert_int_equal(project_check_name(long_name, NULL), -1);
	long_name[CONFIG_PROJECT_NAME_MAX] = '\0';
	assert_int_equal(project_check_name(long_name, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_make),
		scratch_test(test_builds),
		scratch_test(test_places),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
