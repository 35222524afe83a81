/* The stage build: the tree, the model beside its pointer, an archive of both. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/engine.h"

#include <dirent.h>
#include <unistd.h>

#include "base/sha256.h"
#include "fixture.h"
#include "stage/owner.h"

static void hash_file(const char *path, char out[SHA256_HEX_SIZE + 7])
{
	char hex[SHA256_HEX_SIZE];
	struct str text;

	str_init(&text);
	assert_int_equal(files_read(path, 1 << 20, &text, NULL), 1);
	sha256_of(text.buf, text.len, hex);
	snprintf(out, SHA256_HEX_SIZE + 7, "sha256:%s", hex);
	str_clear(&text);
}

static void assert_file(const struct fixture *f, const char *path, const char *expected)
{
	char *full = mem_format("%s/context/%s", f->work, path);
	struct str text;

	str_init(&text);
	if (files_read(full, 1 << 20, &text, NULL) != (expected != NULL) ||
		!str_same(text.buf, expected))
		fail_msg("%s holds \"%s\", not \"%s\"", full, text.buf, expected ? expected : "");
	str_clear(&text);
	free(full);
}

static void test_archive(void **state)
{
	char digest[SHA256_HEX_SIZE + 7], md5[MD5_HEX_SIZE], *archive, *labels;
	struct fixture f;
	struct str text;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", "score.py", "print(1)\n");
	fixture_remote(&f, "main");
	fixture_model(&f, "main", "the model");
	fixture_must(&f, stage_build);
	archive = mem_format("%s/artifacts/churn/%s.tar.gz", f.config->state, f.sha);
	labels = mem_format("%s/artifacts/churn/%s.json", f.config->state, f.sha);
	hash_file(archive, digest);
	fixture_md5("the model", md5);
	assert_fact(&f, FACT_ENGINE, "archive");
	assert_fact(&f, FACT_IMAGE, archive);
	assert_fact(&f, FACT_IMAGE_DIGEST, digest);
	assert_fact(&f, FACT_MODEL_MD5, md5);
	assert_fact(&f, FACT_MODEL_SIZE, "9");
	assert_file(&f, "rkl/model.pkl", "the model");
	assert_file(&f, "score.py", "print(1)\n");

	str_init(&text);
	assert_int_equal(files_read(labels, 10000, &text, NULL), 1);
	assert_non_null(strstr(text.buf, f.sha));
	assert_non_null(strstr(text.buf, "2026-01-01T00:00:00"));
	assert_non_null(strstr(text.buf, "\"modelgate.pipeline\""));
	str_clear(&text);

	/* the same commit for another pipeline: the same archive */
	fixture_pipeline(&f, 2, "prod", "refs/heads/main");
	fixture_must(&f, stage_build);
	assert_fact(&f, FACT_IMAGE_DIGEST, digest);
	free(labels);
	free(archive);
	fixture_clear(&f);
}

/* A build killed while it wrote, then run again: what it left half done is gone. */
static void test_after_a_kill(void **state)
{
	char *folder, *path;
	struct fixture f;
	struct dirent **names = NULL;
	int n;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", "score.py", "print(1)\n");
	folder = mem_format("%s/artifacts/churn", f.config->state);
	assert_int_equal(files_make_folder(folder, 0755, NULL), 0);
	path = mem_format("%s/.%s-p1", folder, f.sha);
	assert_int_equal(files_replace(path, "half", 4, 0644, NULL), 0);
	free(path);
	fixture_must(&f, stage_build);
	n = scandir(folder, &names, NULL, alphasort);
	assert_int_equal(n, 4); /* with "." and ".." */
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] == '.' &&
			strspn(names[i]->d_name, ".") < strlen(names[i]->d_name))
			fail_msg("%s was left", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	free(folder);
	fixture_clear(&f);
}

static void test_without_model(void **state)
{
	struct fixture f;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", "score.py", "print(1)\n");
	fixture_must(&f, stage_build);
	assert_fact(&f, FACT_MODEL_MD5, NULL);
	assert_fact(&f, FACT_ENGINE, "archive");
	fixture_clear(&f);
}

static void test_model_not_fetched(void **state)
{
	struct fixture f;

	fixture_init(&f, state, "model-fetch = none\n");
	fixture_model(&f, "main", "the model");
	fixture_must(&f, stage_build);
	assert_fact(&f, FACT_MODEL_SIZE, "9");
	assert_file(&f, "rkl/model.pkl", NULL);
	fixture_clear(&f);
}

#define POINTER(md5, size)                                                                         \
	"outs:\n- md5: " md5 "\n  size: " size "\n  hash: md5\n  path: model.pkl\n"
#define MD5_OF_X "9dd4e461268c8034f5c8564e155c67a6"
#define MD5_OF_Y "415290769594460e2e485922904f345d"

static void test_refused(void **state)
{
	static const struct {
		const char *path;
		const char *content;
		const char *fault;
	} rows[] = {
		{"rkl/model.pkl.dvc", POINTER(MD5_OF_X, "2"),
			"has md5 " MD5_OF_X " and 1 bytes, but rkl/model.pkl.dvc says md5 " MD5_OF_X
			" and 2 bytes"},
		{"rkl/model.pkl.dvc", POINTER(MD5_OF_Y, "1"),
			"has md5 " MD5_OF_X " and 1 bytes, but rkl/model.pkl.dvc says md5 " MD5_OF_Y
			" and 1 bytes"},
		{"rkl/model.pkl.dvc", POINTER("00000000000000000000000000000000", "1"),
			"is not in DVC remote r: there is no "},
		{"rkl/model.pkl.dvc", POINTER(MD5_OF_X, "0"),
			"it has more than the 0 bytes that it may have"},
		{"rkl/model.pkl.dvc", POINTER(MD5_OF_X, "9223372036854775807"),
			"has 9223372036854775807 bytes, for which there is no room"},
		{".dvc/config", "[core]\nremote = s\n['remote \"s\"']\nurl = gs://bucket/key\n",
			"DVC remote s is none that is read here"},
		{".dvc/config",
			"[core]\nremote = s\n['remote \"s\"']\nurl = https://a:b@example.com/m\n",
			"must have no user and no password"},
		{".dvc/config", "nonsense\n", ".dvc/config: line 1"},
		{"rkl/model.pkl.dvc", "outs: []\n", "rkl/model.pkl.dvc is no valid DVC pointer"},
	};
	struct fixture f;
	struct err untold = ERR_INIT;
	char *wrong = path_join(*state, "remote/files/md5/41"), *owner = NULL;

	fixture_init(&f, state, "");
	/* under the name of Y, the remote has X */
	assert_int_equal(files_make_folder(wrong, 0755, NULL), 0);
	free(wrong);
	wrong = path_join(*state, "remote/files/md5/41/5290769594460e2e485922904f345d");
	assert_int_equal(files_replace(wrong, "x", 1, 0644, NULL), 0);
	free(wrong);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		char *branch = mem_format("b%zu", i), *artifacts;

		fixture_remote(&f, branch);
		fixture_model(&f, branch, "x");
		fixture_must(&f, stage_build);
		fixture_commit(&f, branch, rows[i].path, rows[i].content);
		assert_result(fixture_run(&f, stage_build, &e), -1, &e);
		assert_int_equal(e.passing, 0);
		assert_says(&e, rows[i].fault);
		artifacts = mem_format("%s/artifacts/churn/%s.tar.gz", f.config->state, f.sha);
		assert_false(files_exists(artifacts));
		free(artifacts);
		free(branch);
	}
	/* a commit that is broken, whose project has made nothing before: the name is its own all the same */
	f.job.project = "fresh";
	assert_result(fixture_run(&f, stage_build, &untold), -1, &untold);
	err_clear(&untold);
	assert_int_equal(owner_find(&owner, f.config, OWNER_IMAGE, "fresh", NULL), 1);
	assert_string_equal(owner, f.job.owner);
	free(owner);
	fixture_clear(&f);
}

static void test_relative_remote(void **state)
{
	struct fixture f;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", ".dvc/config",
		"[core]\nremote = r\n['remote \"r\"']\nurl = ../models\n");
	fixture_commit(&f, "main", "models/9d/d4e461268c8034f5c8564e155c67a6", "x");
	fixture_commit(&f, "main", "rkl/model.pkl.dvc",
		"outs:\n- md5: " MD5_OF_X "\n  size: 1\n  path: model.pkl\n");
	fixture_must(&f, stage_build);
	assert_file(&f, "rkl/model.pkl", "x");
	fixture_clear(&f);
}

static void test_engine_refused(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", "score.py", "print(1)\n");
	f.config->engine = CONFIG_ENGINE_DOCKER;
	assert_result(fixture_run(&f, stage_build, &e), -1, &e);
	assert_says(&e, "engine docker needs a Dockerfile, and the commit has none");
	f.config->engine = CONFIG_ENGINE_AUTO;
	fixture_must(&f, stage_build);
	assert_fact(&f, FACT_ENGINE, "archive");
	f.job.owner = "project-2";
	assert_result(fixture_run(&f, stage_build, &e), -1, &e);
	assert_says(&e, "image name churn belongs to");
	/* told first, whatever else is wrong */
	f.config->engine = CONFIG_ENGINE_DOCKER;
	assert_result(fixture_run(&f, stage_build, &e), -1, &e);
	assert_says(&e, "image name churn belongs to");
	f.config->engine = CONFIG_ENGINE_AUTO;
	/* another project, whose name makes the same image name */
	f.job.project = "Churn";
	assert_result(fixture_run(&f, stage_build, &e), -1, &e);
	assert_int_equal(e.passing, 0);
	assert_says(&e, "image name churn belongs to");
	f.job.project = "Churn2";
	fixture_must(&f, stage_build);
	fixture_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_archive),
		scratch_test(test_after_a_kill),
		scratch_test(test_without_model),
		scratch_test(test_model_not_fetched),
		scratch_test(test_refused),
		scratch_test(test_relative_remote),
		scratch_test(test_engine_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
