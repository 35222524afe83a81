/*
 * The defaults, field by field; every fault in its exact words, beside the nearest text that
 * passes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config-parts.h"

#define SAMPLE "config/modelgate.ini" /* tests are run from the top of the tree */

static struct config *parse(const char *text)
{
	struct config *c = NULL;
	struct err e = ERR_INIT;

	if (config_parse(&c, text, strlen(text), "t.ini", &e) != 0)
		fail_msg("%s: %s", text, err_text(&e));
	return c;
}

static void expect_list(const struct strlist *list, const char *wanted)
{
	char *got = strlist_join(list, ", ");

	assert_string_equal(got, wanted);
	free(got);
}

static void has_default_values(void **state)
{
	struct config *c = parse("");

	(void)state;
	assert_int_equal(c->mode, CONFIG_ENFORCE);
	assert_string_equal(c->state, "/var/lib/modelgate");
	assert_int_equal(c->allow_repository_config, CONFIG_YES);
	expect_list(&c->projects, "");
	assert_int_equal(c->identity, CONFIG_IDENTITY_OS);
	assert_string_equal(c->project_name, "");
	assert_string_equal(c->project_description, "");
	assert_string_equal(c->repository_url, "");
	assert_string_equal(c->schedule, "");
	assert_string_equal(c->retrain_schedule, "");
	assert_string_equal(c->push_token_variable, "");
	expect_list(&c->date_formats, "%Y%m%d, %Y-%m-%d");
	assert_string_equal(c->model_file, "rkl/model.pkl.dvc");
	expect_list(&c->retrain_may_change, "rkl/*");
	assert_int_equal(c->known_pipeline, CONFIG_KNOWN_REQUIRE);
	expect_list(&c->retrain_roles, "");
	expect_list(&c->forbid, "");
	assert_int_equal(c->max_file_size, 0);
	expect_list(&c->override_role, "");
	assert_int_equal(c->launcher, CONFIG_LAUNCHER_LOCAL);
	assert_string_equal(c->launcher_url, "");
	assert_string_equal(c->launcher_token_file, "");
	assert_string_equal(c->launcher_ca_file, "");
	assert_int_equal(c->wake, CONFIG_WAKE_SPAWN);
	assert_int_equal(c->parallel, 2);
	assert_int_equal(c->stage_timeout, 3600);
	assert_int_equal(c->retries, 3);
	assert_int_equal(c->rotate_size, 64 << 20);
	assert_int_equal(c->rotate_age, 0);
	assert_string_equal(c->audit_syslog, "");
	assert_string_equal(c->audit_public_key, "");
	assert_int_equal(c->engine, CONFIG_ENGINE_AUTO);
	assert_string_equal(c->dockerfile, "Dockerfile");
	assert_string_equal(c->image_registry, "");
	assert_int_equal(c->model_fetch, CONFIG_FETCH_AUTO);
	assert_int_equal(c->registry, CONFIG_REGISTRY_EMBEDDED);
	assert_string_equal(c->registry_url, "");
	assert_string_equal(c->registry_token_file, "");
	assert_int_equal(c->promotion, CONFIG_PROMOTION_STAGES);
	assert_int_equal(c->n_roles, 0);
	expect_list(&c->files, "t.ini");
	config_free(c);
}

static void has_default_branches(void **state)
{
	static const struct {
		const char *name, *merge_from, *may_change, *require_files;
		int direct_push;
	} rows[] = {
		{"main", "dev, retrain-*", "", "", CONFIG_DIRECT_DENY},
		{"prod", "main, retrain-*", "", "", CONFIG_DIRECT_DENY},
		{"retrain", "main", "retrain.py, dag-retrain.py, rkl/*",
			"retrain.py, dag-retrain.py", CONFIG_DIRECT_ALLOW},
		{"online", "main", "", "", CONFIG_DIRECT_DENY},
	};
	struct config *c = parse("");

	(void)state;
	assert_int_equal(c->n_branches, 4);
	for (size_t n = 0; n < 4; n++) {
		const struct config_branch *b = &c->branches[n];

		assert_string_equal(b->name, rows[n].name);
		assert_ptr_equal(config_branch(c, rows[n].name), b);
		expect_list(&b->merge_from, rows[n].merge_from);
		assert_int_equal(b->merge_methods,
			CONFIG_METHOD_MERGE | CONFIG_METHOD_FAST_FORWARD | CONFIG_METHOD_SQUASH);
		assert_int_equal(b->direct_push, rows[n].direct_push);
		expect_list(&b->direct_may_change, rows[n].may_change);
		assert_int_equal(b->content, CONFIG_CONTENT_AUTOMATIC);
		expect_list(&b->roles, "");
		expect_list(&b->require_files, rows[n].require_files);
		assert_int_equal(b->launch_on_create, CONFIG_NO);
		/* Each launches the chain of the environment that it stands for. */
		assert_string_equal(b->chain, n == 0 ? "dev" : rows[n].name);
	}
	assert_null(config_branch(c, "dev"));
	config_free(c);
}

static void has_default_chains(void **state)
{
	static const struct {
		const char *name, *stages, *airflow, *model_stage;
		int start;
	} chains[] = {
		{"dev", "build, create-model, deploy, stage-model", "airflow-dev", "Staging",
			CONFIG_START_AUTOMATIC},
		{"prod", "build, deploy, stage-model", "airflow-prod", "Production",
			CONFIG_START_MANUAL},
		{"retrain", "build, deploy", "airflow-dev", "", CONFIG_START_AUTOMATIC},
		{"online", "build, deploy, stage-model", "online-serving", "Production",
			CONFIG_START_MANUAL},
	};
	static const struct {
		const char *name, *path, *repository;
	} airflows[] = {
		{"airflow-dev", "dags", "/var/lib/modelgate/repositories/airflow-dev.git"},
		{"airflow-prod", "dags", "/var/lib/modelgate/repositories/airflow-prod.git"},
		{"online-serving", "manifests",
			"/var/lib/modelgate/repositories/online-serving.git"},
	};
	struct config *c = parse("");

	(void)state;
	assert_int_equal(c->n_chains, 4);
	for (size_t n = 0; n < 4; n++) {
		const struct config_chain *chain = config_chain(c, chains[n].name);

		assert_ptr_equal(chain, &c->chains[n]);
		expect_list(&chain->stages, chains[n].stages);
		assert_int_equal(chain->start, chains[n].start);
		expect_list(&chain->roles, "");
		assert_string_equal(chain->airflow, chains[n].airflow);
		assert_string_equal(chain->model_stage, chains[n].model_stage);
	}
	assert_int_equal(c->n_airflows, 3);
	for (size_t n = 0; n < 3; n++) {
		const struct config_airflow *a = config_airflow(c, airflows[n].name);
		char *repository = config_airflow_repository(c, a);

		assert_ptr_equal(a, &c->airflows[n]);
		assert_string_equal(a->repository, "");
		assert_string_equal(a->branch, "main");
		assert_string_equal(a->path, airflows[n].path);
		assert_string_equal(repository, airflows[n].repository);
		free(repository);
	}
	config_free(c);
}

static void gives_new_sections_their_values(void **state)
{
	struct config *c = parse("[branch \"dev\"]\n[chain \"x\"]\n[airflow \"y\"]\n"
				 "repository = /srv/y.git\n[role \"z\"]\n");
	const struct config_branch *b = config_branch(c, "dev");
	const struct config_chain *chain = config_chain(c, "x");
	const struct config_airflow *a = config_airflow(c, "y");
	char *repository = config_airflow_repository(c, a);

	(void)state;
	expect_list(&b->merge_from, "");
	assert_int_equal(b->merge_methods, 7);
	assert_int_equal(b->direct_push, CONFIG_DIRECT_DENY);
	assert_int_equal(b->content, CONFIG_CONTENT_AUTOMATIC);
	assert_int_equal(b->launch_on_create, CONFIG_NO);
	assert_string_equal(b->chain, "");
	expect_list(&chain->stages, "build");
	assert_int_equal(chain->start, CONFIG_START_MANUAL);
	assert_string_equal(chain->airflow, "");
	assert_string_equal(chain->model_stage, "");
	assert_string_equal(a->branch, "main");
	assert_string_equal(a->path, "dags");
	assert_string_equal(repository, "/srv/y.git");
	expect_list(&config_role(c, "z")->members, "");
	assert_null(config_role(c, "none"));
	free(repository);
	config_free(c);
}

static void reads_values(void **state)
{
	struct config *c = parse(
		"[modelgate]\nstate = /srv/m g\nallow-repository-config = no\nprojects = ml/*, "
		"/srv/git/*\n"
		"[identity]\nsource = gitlab\n"
		"[project]\nname = churn_2\ndescription = \"Churn\" #1\nschedule = 0 5 * * 1-5\n"
		"[role \"r\"]\nmembers = a, b\nmembers.2 = c\nmembers.3 = d, e\n"
		"[branch \"prod\"]\nmerge-from = main\nroles = r\ncontent = any\n"
		"launch-on-create = yes\nchain =\n"
		"[branch \"release/2\"]\ndirect-push = allow\ndirect-may-change = *.md\n"
		"[content]\nmax-file-size = 0k\n"
		"[runner]\nwake = none\nparallel = 64\nstage-timeout = 1\nretries = 0\n"
		"[audit]\nrotate-size = 10k\nrotate-age = 30\nsyslog = /dev/log\n"
		"public-key = /etc/audit.pub\n"
		"[build]\nengine = archive\nmodel-fetch = none\n");

	(void)state;
	assert_string_equal(c->state, "/srv/m g");
	assert_int_equal(c->allow_repository_config, CONFIG_NO);
	expect_list(&c->projects, "ml/*, /srv/git/*");
	assert_int_equal(c->identity, CONFIG_IDENTITY_GITLAB);
	assert_string_equal(c->project_name, "churn_2");
	assert_string_equal(c->project_description, "\"Churn\" #1");
	assert_string_equal(c->schedule, "0 5 * * 1-5");
	expect_list(&config_role(c, "r")->members, "a, b, c, d, e");
	expect_list(&config_branch(c, "prod")->merge_from, "main");
	expect_list(&config_branch(c, "prod")->roles, "r");
	assert_int_equal(config_branch(c, "prod")->content, CONFIG_CONTENT_ANY);
	assert_int_equal(config_branch(c, "prod")->launch_on_create, CONFIG_YES);
	assert_string_equal(config_branch(c, "prod")->chain, "");
	assert_int_equal(config_branch(c, "release/2")->direct_push, CONFIG_DIRECT_ALLOW);
	expect_list(&config_branch(c, "release/2")->direct_may_change, "*.md");
	assert_int_equal(c->wake, CONFIG_WAKE_NONE);
	assert_int_equal(c->parallel, 64);
	assert_int_equal(c->stage_timeout, 1);
	assert_int_equal(c->retries, 0);
	assert_int_equal(c->rotate_size, 10 << 10);
	assert_int_equal(c->rotate_age, 30);
	assert_string_equal(c->audit_syslog, "/dev/log");
	assert_string_equal(c->audit_public_key, "/etc/audit.pub");
	assert_int_equal(c->engine, CONFIG_ENGINE_ARCHIVE);
	assert_int_equal(c->model_fetch, CONFIG_FETCH_NONE);
	config_free(c);
}

static void refuses_what_is_too_much(void **state)
{
	char *text = mem_zalloc(CONFIG_FILE_SIZE + 2, 1);
	struct config *c = NULL;
	struct err e = ERR_INIT;

	(void)state;
	memset(text, '\n', CONFIG_FILE_SIZE + 1);
	assert_int_equal(config_parse(&c, text, CONFIG_FILE_SIZE + 1, "t.ini", &e), -1);
	assert_string_equal(err_text(&e), "t.ini: 262145 bytes; at most 262144");
	assert_null(c);
	assert_int_equal(config_parse(&c, text, CONFIG_FILE_SIZE, "t.ini", &e), 0);
	config_free(c);
	err_clear(&e);
	free(text);
}

/* The same values give the same digest, however they were written; any other value another. */
static void digests_values(void **state)
{
	static const struct {
		const char *text;
		int same; /* 1: as without a file */
	} rows[] = {
		{"; remark\n", 1},
		{"[branch \"main\"]\nmerge-from=dev,retrain-*\n", 1},
		{"[runner]\nparallel = 02\n", 1},
		{"[branch \"main\"]\nmerge-methods = squash, merge, fast-forward\n", 1},
		{"[branch \"main\"]\nmerge-from = dev\n", 0},
		{"[runner]\nparallel = 3\n", 0},
		{"[branch \"dev\"]\n", 0},
		{"[role \"a\"]\n", 0},
		{"[branch \"main\"]\nmerge-from = retrain-*, dev\n", 0},
	};
	struct config *plain = parse("");

	(void)state;
	assert_int_equal(strlen(plain->sha256), 64);
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct config *c = parse(rows[n].text);

		if ((strcmp(c->sha256, plain->sha256) == 0) != rows[n].same)
			fail_msg("%s: %s", rows[n].text, c->sha256);
		config_free(c);
	}
	config_free(plain);
}

static void names_projects(void **state)
{
	static const struct {
		const char *configured, *project_path, *gitdir, *name;
	} rows[] = {
		{"[project]\nname = churn\n", "g/other", "/srv/x.git", "churn"},
		{"", "group/sub/churn", "/srv/@hashed/ab.git", "churn"},
		{"", "churn", "/srv/x.git", "churn"},
		{"", "", "/srv/churn.git", "churn"},
		{"", NULL, "/srv/churn.git", "churn"},
		{"", NULL, "/srv/churn.git/", "churn"},
		{"", NULL, "/srv/churn", "churn"},
		{"", NULL, "/home/a/churn/.git", "churn"},
		{"", "g/churn.git", "/srv/x.git", "churn_git"},
		{"", "g/my model.v2", "/srv/x.git", "my_model_v2"},
		{"", "g/\xc3\xa9t", "/srv/x.git", "__t"},
		{"", NULL, "/", "_"},
		{"", NULL, "/.git", "_"},
	};

	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct config *c = parse(rows[n].configured);
		char *name = config_project(c, rows[n].project_path, rows[n].gitdir);

		assert_string_equal(name, rows[n].name);
		free(name);
		config_free(c);
	}
}

static char *read_sample(void)
{
	FILE *f = fopen(SAMPLE, "r");
	char *text = mem_zalloc(CONFIG_FILE_SIZE, 1);

	if (f == NULL)
		fail_msg(SAMPLE " is not there; run this from the top of the tree");
	assert_true(fread(text, 1, CONFIG_FILE_SIZE - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* The annotated sample says what holds without it, and leaves no key out. */
static void agrees_with_the_sample(void **state)
{
	char *text = read_sample(), *again = mem_format("\n%s", text);
	struct config *sample = parse(text), *plain = parse("");

	(void)state;
	assert_string_equal(sample->sha256, plain->sha256);
	for (const struct config_key *k = config_keys; k->key != NULL; k++) {
		char *line = mem_format("\n%s =", k->key), *remark = mem_format("\n;%s =", k->key);

		if (strstr(again, line) == NULL && strstr(again, remark) == NULL)
			fail_msg(SAMPLE " lacks [%s] %s", k->section, k->key);
		free(line);
		free(remark);
	}
	config_free(sample);
	config_free(plain);
	free(text);
	free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_default_values),
		cmocka_unit_test(has_default_branches),
		cmocka_unit_test(has_default_chains),
		cmocka_unit_test(gives_new_sections_their_values),
		cmocka_unit_test(reads_values),
		cmocka_unit_test(refuses_what_is_too_much),
		cmocka_unit_test(digests_values),
		cmocka_unit_test(names_projects),
		cmocka_unit_test(agrees_with_the_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
