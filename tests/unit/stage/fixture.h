/*
 * A state directory, a repository with commits made file by file, and a job, for the tests of
 * stages.
 */
#ifndef MODELGATE_TESTS_STAGE_FIXTURE_H
#define MODELGATE_TESTS_STAGE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/md5.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "git/publish.h"
#include "scratch.h"
#include "stage/facts.h"
#include "stage/retraining.h"
#include "stage/stage.h"
#include "sys/files.h"

/* The call gave RESULT with *E: anything but EXPECTED fails the test with what it said. */
#define assert_result(result, expected, e)                                                         \
	do {                                                                                       \
		int got_ = (result);                                                               \
		if (got_ != (expected))                                                            \
			fail_msg("%s gave %d: %s", #result, got_, err_text(e));                    \
	} while (0)

/* *E says something that has PART in it; it is cleared. */
#define assert_says(e, part)                                                                       \
	do {                                                                                       \
		if (strstr(err_text(e), part) == NULL)                                             \
			fail_msg("\"%s\" does not say \"%s\"", err_text(e), part);                 \
		err_clear(e);                                                                      \
	} while (0)

struct fixture {
	const char *dir; /* the scratch folder */
	char *repository;
	char *work;
	char sha[OID_HEX_SIZE]; /* of the job */
	struct config *config;
	struct facts facts;
	struct retrainings retrained;
	struct stage_job job;
};

/* TEXT: more of the configuration. */
static inline void fixture_init(struct fixture *f, void **state, const char *text)
{
	struct err e = ERR_INIT;
	char *all = mem_format("[modelgate]\nstate = %s/state\n[build]\nengine = archive\n%s",
		(const char *)*state, text);

	memset(f, 0, sizeof(*f));
	f->dir = *state;
	f->repository = path_join(f->dir, "churn.git");
	f->work = path_join(f->dir, "work");
	assert_result(config_parse(&f->config, all, strlen(all), "test", &e), 0, &e);
	assert_result(files_make_folder(f->config->state, 0755, &e), 0, &e);
	free(all);
	f->job = (struct stage_job){.config = f->config,
		.pipeline = 1,
		.project = "churn",
		.chain = "dev",
		.repository = f->repository,
		.owner = f->repository,
		.ref = "refs/heads/main",
		.sha = f->sha,
		.source = "refs/heads/dev",
		.user = "ivanov",
		.work = f->work,
		.retrained = &f->retrained,
		.facts = &f->facts};
}

static inline void fixture_clear(struct fixture *f)
{
	facts_clear(&f->facts);
	retrainings_clear(&f->retrained);
	config_free(f->config);
	free(f->work);
	free(f->repository);
}

/* Commit PATH to BRANCH; the job is for that commit from now on. */
static inline void fixture_commit(
	struct fixture *f, const char *branch, const char *path, const char *content)
{
	struct err e = ERR_INIT;
	struct oid commit;
	const struct publish p = {.repository = f->repository,
		.branch = branch,
		.path = path,
		.content = content,
		.len = strlen(content),
		.author_name = "A",
		.author_email = "a@b",
		.time = 1767225600,
		.message = "Work\n\nFor the test.\n"};

	assert_result(publish_file(&p, &commit, &e), 1, &e);
	oid_hex(&commit, f->sha);
}

static inline void fixture_md5(const char *content, char out[MD5_HEX_SIZE])
{
	struct md5 hash;

	md5_init(&hash);
	md5_add(&hash, content, strlen(content));
	md5_hex(&hash, out);
}

/* Put CONTENT into the DVC remote, and commit the pointer to it. */
static inline void fixture_model(struct fixture *f, const char *branch, const char *content)
{
	char md5[MD5_HEX_SIZE], *folder, *object, *text;
	struct err e = ERR_INIT;

	fixture_md5(content, md5);
	folder = mem_format("%s/remote/files/md5/%.2s", f->dir, md5);
	object = path_join(folder, md5 + 2);
	assert_result(files_make_folder(folder, 0755, &e), 0, &e);
	assert_result(files_replace(object, content, strlen(content), 0644, &e), 0, &e);
	text = mem_format("outs:\n- md5: %s\n  size: %zu\n  hash: md5\n  path: model.pkl\n", md5,
		strlen(content));
	fixture_commit(f, branch, "rkl/model.pkl.dvc", text);
	free(text);
	free(object);
	free(folder);
}

/* Commit a .dvc/config whose remote is the folder that fixture_model uses. */
static inline void fixture_remote(struct fixture *f, const char *branch)
{
	char *text = mem_format(
		"[core]\n    remote = r\n['remote \"r\"']\n    url = %s/remote\n", f->dir);

	fixture_commit(f, branch, ".dvc/config", text);
	free(text);
}

/* A new pipeline, which knows nothing yet. */
static inline void fixture_pipeline(
	struct fixture *f, int64_t id, const char *chain, const char *source)
{
	facts_clear(&f->facts);
	f->job.pipeline = id;
	f->job.chain = chain;
	f->job.source = source;
}

/* Run a stage in an empty folder, as the runner does. */
static inline int fixture_run(struct fixture *f, stage_function *stage, struct err *e)
{
	assert_int_equal(files_remove_tree(f->work, NULL), 0);
	assert_int_equal(mkdir(f->work, 0755), 0);
	return stage(&f->job, e);
}

static inline void fixture_must(struct fixture *f, stage_function *stage)
{
	struct err e = ERR_INIT;

	assert_result(fixture_run(f, stage, &e), 0, &e);
}

/* EXPECTED: NULL, if the fact is not to be known. */
static inline void assert_fact(const struct fixture *f, const char *name, const char *expected)
{
	const char *value = facts_get(&f->facts, name);

	if ((value == NULL) != (expected == NULL) || !str_same(value, expected))
		fail_msg("%s is \"%s\", not \"%s\"", name, value ? value : "",
			expected ? expected : "");
}

#endif
