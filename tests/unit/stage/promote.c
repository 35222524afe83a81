/* create-model and stage-model: which version is made, and which one is promoted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/promote.h"

#include "mlflow-bench.h"
#include "stage/registry.h"

#define NO_SUCH "0000000000000000000000000000000000000001"

/* "2:Staging 1:Archived" */
static void assert_registry(const struct fixture *f, const char *expected)
{
	struct registry_versions l;
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	struct str s;

	str_init(&s);
	assert_result(registry_open(&r, f->config, &e), 0, &e);
	assert_result(registry_find(r, f->job.project, NULL, &l, &e), 0, &e);
	for (size_t i = 0; i < l.n; i++)
		str_addf(
			&s, "%s%lld:%s", i > 0 ? " " : "", (long long)l.v[i].version, l.v[i].stage);
	assert_string_equal(s.buf, expected);
	str_clear(&s);
	registry_versions_clear(&l);
	registry_close(r);
}

/* What the registry knows of VERSION, the caller's registry_versions_clear(). */
static const struct registry_version *look(
	const struct fixture *f, int64_t version, struct registry_versions *l)
{
	struct registry *r = NULL;
	struct err e = ERR_INIT;

	assert_result(registry_open(&r, f->config, &e), 0, &e);
	assert_result(registry_find(r, f->job.project, NULL, l, &e), 0, &e);
	registry_close(r);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].version == version)
			return &l->v[i];
	fail_msg("there is no version %lld", (long long)version);
	return NULL;
}

/* A pipeline of the chain dev with the model CONTENT on main, up to its version in Staging. */
static void through_dev(struct fixture *f, int64_t pipeline, const char *content)
{
	fixture_model(f, "main", content);
	fixture_pipeline(f, pipeline, "dev", "refs/heads/dev");
	fixture_must(f, stage_create_model);
	fixture_must(f, stage_stage_model);
}

/* A project whose version 1, "model one", is in Staging. */
static void begin(struct fixture *f, void **state)
{
	fixture_init(f, state, "");
	fixture_remote(f, "main");
	through_dev(f, 1, "model one");
}

static void test_dev(void **state)
{
	struct fixture f;
	struct registry_versions l;
	const struct registry_version *v;
	char *text;

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	fixture_model(&f, "main", "model one");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	facts_set(&f.facts, FACT_IMAGE_DIGEST, "sha256:00");
	for (int i = 0; i < 3; i++) {
		fixture_must(&f, stage_create_model);
		assert_fact(&f, FACT_MODEL_VERSION, "1");
		assert_fact(&f, FACT_MODEL_NAME, "churn");
		assert_registry(&f, "1:None");
	}
	for (int i = 0; i < 3; i++) {
		fixture_must(&f, stage_stage_model);
		assert_fact(&f, FACT_MODEL_STAGE, "Staging");
		assert_registry(&f, "1:Staging");
	}
	v = look(&f, 1, &l);
	assert_string_equal(v->commit, f.sha);
	assert_string_equal(v->image_digest, "sha256:00");
	assert_true(str_starts(v->description, "Work"));
	text = mem_format("%s/remote/files/md5/%.2s/%s", f.dir, v->md5, v->md5 + 2);
	assert_string_equal(v->source, text);
	free(text);
	registry_versions_clear(&l);
	through_dev(&f, 2, "model two");
	assert_registry(&f, "2:Staging 1:Archived");
	fixture_clear(&f);
}

/* A second run of dev's stage-model, after the version went to PROD, takes nothing back. */
static void test_dev_again(void **state)
{
	struct fixture f;

	begin(&f, state);
	fixture_pipeline(&f, 2, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "1:Production");
	fixture_pipeline(&f, 1, "dev", "refs/heads/dev");
	facts_set(&f.facts, FACT_MODEL_VERSION, "1");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "1:Production");
	fixture_clear(&f);
}

static void test_dev_refused(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", "score.py", "x");
	assert_result(fixture_run(&f, stage_create_model, &e), -1, &e);
	assert_says(&e, "has no rkl/model.pkl.dvc");
	assert_result(fixture_run(&f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "create-model of pipeline 1 has made no version");
	fixture_model(&f, "main", "model one");
	assert_result(fixture_run(&f, stage_create_model, &e), -1, &e);
	assert_says(&e, "no .dvc/config");
	fixture_commit(&f, "main", "rkl/model.pkl.dvc", "outs: 1\n");
	assert_result(fixture_run(&f, stage_create_model, &e), -1, &e);
	assert_says(&e, "rkl/model.pkl.dvc is no valid DVC pointer");
	assert_registry(&f, "");

	fixture_remote(&f, "main");
	through_dev(&f, 2, "model one");
	f.job.owner = "project-2";
	f.job.pipeline = 3;
	assert_result(fixture_run(&f, stage_create_model, &e), -1, &e);
	assert_says(&e, "registered model churn belongs to");
	fixture_clear(&f);
}

/* Promotion: by content, never merely the latest. */
static void test_promote_by_content(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	fixture_remote(&f, "prod");
	through_dev(&f, 1, "model one");
	through_dev(&f, 2, "model two");
	fixture_model(&f, "prod", "model one");
	fixture_pipeline(&f, 3, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_fact(&f, FACT_MODEL_VERSION, "1");
	assert_registry(&f, "2:Staging 1:Production");
	/* there already: nothing to do */
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Staging 1:Production");
	fixture_model(&f, "prod", "model two");
	fixture_pipeline(&f, 4, "online", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Production 1:Archived");
	fixture_model(&f, "prod", "model three");
	fixture_pipeline(&f, 5, "prod", "refs/heads/main");
	assert_result(fixture_run(&f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "no version of model churn has this commit's model");
	assert_int_equal(e.passing, 0);
	assert_registry(&f, "2:Production 1:Archived");
	fixture_clear(&f);
}

/* Of two versions with one content, the one whose commit the promoted commit holds. */
static void test_promote_held(void **state)
{
	struct fixture f;
	char held[OID_HEX_SIZE];

	begin(&f, state);
	memcpy(held, f.sha, sizeof(held));
	/* the same model from a line of commits that PROD does not have */
	fixture_commit(&f, "other", "README.md", "other");
	fixture_remote(&f, "other");
	fixture_model(&f, "other", "model one");
	fixture_pipeline(&f, 2, "dev", "refs/heads/dev");
	fixture_must(&f, stage_create_model);
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Staging 1:Archived");
	memcpy(f.sha, held, sizeof(held));
	fixture_pipeline(&f, 3, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Staging 1:Production");
	/* and where it holds none of them, the highest */
	fixture_commit(&f, "third", "README.md", "third");
	fixture_remote(&f, "third");
	fixture_model(&f, "third", "model one");
	fixture_pipeline(&f, 4, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Production 1:Archived");
	fixture_clear(&f);
}

/* The job's commit is the tip of a retrain branch on top of BEFORE. */
static void bring(struct fixture *f, const char *before)
{
	retrainings_add(&f->retrained, f->sha, f->sha, before);
}

static void test_promote_never_staged(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	fixture_model(&f, "main", "model one");
	fixture_must(&f, stage_create_model);
	fixture_pipeline(&f, 2, "prod", "refs/heads/main");
	assert_result(fixture_run(&f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "version 1 of model churn has this commit's model");
	/* a retraining that is in DEV, too, has to pass through it */
	bring(&f, "");
	fixture_pipeline(&f, 3, "prod", "refs/heads/retrain-1-20260101");
	assert_result(fixture_run(&f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "was never in Staging");
	assert_registry(&f, "1:None");
	fixture_clear(&f);
}

/* A retraining merged straight into prod: registered, once, by whichever stage comes first. */
static void test_promote_retrained(void **state)
{
	struct fixture f;

	begin(&f, state);
	fixture_model(&f, "main", "model two");
	bring(&f, "");
	fixture_pipeline(&f, 2, "prod", "refs/heads/retrain-1-20260101");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	fixture_must(&f, stage_deploy);
	assert_registry(&f, "2:None 1:Staging");
	fixture_must(&f, stage_deploy);
	fixture_must(&f, stage_stage_model);
	fixture_must(&f, stage_stage_model);
	assert_fact(&f, FACT_MODEL_VERSION, "2");
	assert_registry(&f, "2:Production 1:Staging");
	fixture_clear(&f);
}

/*
 * What counts is that a retraining has brought the model, not what this merge has taken: the pipeline
 * of the merge that took the branch may have been overtaken or cancelled before it came to the registry.
 */
static void test_promote_retrained_later(void **state)
{
	struct fixture f;
	char before[OID_HEX_SIZE];

	begin(&f, state);
	memcpy(before, f.sha, sizeof(before));
	fixture_model(&f, "main", "model two");
	retrainings_add(&f.retrained, NO_SUCH, NO_SUCH, NO_SUCH);
	fixture_commit(&f, "main", "rkl/more", "of the same retraining");
	bring(&f, before);
	fixture_commit(&f, "main", "README.md", "more");
	fixture_pipeline(&f, 3, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Production 1:Staging");
	fixture_clear(&f);
}

static void assert_not_retrained(struct fixture *f)
{
	struct err e = ERR_INIT;

	assert_result(fixture_run(f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "let it pass through the chain dev first");
}

static void test_promote_not_retrained(void **state)
{
	struct fixture f;
	char before[OID_HEX_SIZE], with_model[OID_HEX_SIZE];

	begin(&f, state);
	memcpy(before, f.sha, sizeof(before));
	fixture_model(&f, "main", "model two");
	bring(&f, before);
	/* another model than that of the branch, whatever the merge has taken */
	fixture_model(&f, "main", "model three");
	fixture_pipeline(&f, 4, "prod", "refs/heads/retrain-1-20260101");
	assert_not_retrained(&f);
	/* the merge that took the branch brought this one, the branch another */
	retrainings_add(&f.retrained, f.sha, f.retrained.v[0].result, before);
	assert_not_retrained(&f);
	/* its model, but not its commit */
	fixture_model(&f, "aside", "model three");
	bring(&f, before);
	fixture_model(&f, "main", "model three ");
	fixture_model(&f, "main", "model three");
	memcpy(with_model, f.sha, sizeof(with_model));
	assert_not_retrained(&f);
	/* a retrain branch that brings no model of its own, on a commit that did */
	bring(&f, with_model);
	assert_not_retrained(&f);
	/* the same where nobody knows what it stands on */
	fixture_commit(&f, "main", "note.txt", "x");
	bring(&f, "");
	assert_not_retrained(&f);
	assert_registry(&f, "1:Staging");
	fixture_clear(&f);
}

/* The landing that took the branch has another model than it: what brings the branch's later is no landing. */
static void test_promote_retrained_dropped(void **state)
{
	struct fixture f;
	char before[OID_HEX_SIZE], tip[OID_HEX_SIZE];

	begin(&f, state);
	memcpy(before, f.sha, sizeof(before));
	fixture_model(&f, "retrain-1-20260102", "model two");
	memcpy(tip, f.sha, sizeof(tip));
	fixture_model(&f, "main", "model three");
	retrainings_add(&f.retrained, f.sha, tip, before);
	fixture_model(&f, "main", "model two");
	fixture_pipeline(&f, 5, "prod", "refs/heads/main");
	assert_not_retrained(&f);
	assert_registry(&f, "1:Staging");
	fixture_clear(&f);
}

/* A squash holds no commit of the branch: this one, and one of an earlier pipeline. */
static void test_promote_squashed(void **state)
{
	struct fixture f;
	char before[OID_HEX_SIZE], tip[OID_HEX_SIZE];

	begin(&f, state);
	memcpy(before, f.sha, sizeof(before));
	fixture_model(&f, "retrain-1-20260102", "model two");
	memcpy(tip, f.sha, sizeof(tip));
	fixture_model(&f, "main", "model two");
	retrainings_add(&f.retrained, f.sha, tip, before);
	fixture_commit(&f, "main", "README.md", "more");
	fixture_pipeline(&f, 5, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Production 1:Staging");
	fixture_clear(&f);
}

/* Where no pipeline has to be known, no base is: the commit itself must have brought the model. */
static void test_promote_retrained_from_nowhere(void **state)
{
	struct fixture f;

	begin(&f, state);
	fixture_model(&f, "main", "model two");
	bring(&f, "");
	fixture_pipeline(&f, 5, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Production 1:Staging");
	fixture_clear(&f);
}

/* A server that others use, too: what it has under this name may be another repository's. */
static void test_promote_of_another(void **state)
{
	struct bench b;
	struct err e = ERR_INIT;

	bench_open(&b, state, "stages");
	must_create(&b, 1, 1);
	fixture_remote(&b.f, "main");
	fixture_model(&b.f, "main", "model one");
	b.f.job.owner = "project-8";
	fixture_pipeline(&b.f, 2, "prod", "refs/heads/main");
	assert_result(fixture_run(&b.f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "belongs to " OWNER "; this is project-8");
	bench_close(&b);
}

/* What deploy has put into the DAG is what stage-model promotes, whatever has come since. */
static void test_promote_known(void **state)
{
	struct fixture f;
	struct err e = ERR_INIT;
	char prod[OID_HEX_SIZE];

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	fixture_commit(&f, "prod", "README.md", "a line of its own");
	fixture_remote(&f, "prod");
	through_dev(&f, 1, "model one");
	fixture_model(&f, "prod", "model one");
	memcpy(prod, f.sha, sizeof(prod));
	fixture_pipeline(&f, 2, "prod", "refs/heads/main");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	fixture_must(&f, stage_deploy);
	assert_fact(&f, FACT_MODEL_VERSION, "1");
	/* the same model again, in a newer version; prod holds the commit of neither */
	fixture_commit(&f, "main", "README.md", "more");
	fixture_pipeline(&f, 3, "dev", "refs/heads/dev");
	fixture_must(&f, stage_create_model);
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Staging 1:Archived");
	memcpy(f.sha, prod, sizeof(prod));
	fixture_pipeline(&f, 2, "prod", "refs/heads/main");
	facts_set(&f.facts, FACT_MODEL_VERSION, "1");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Staging 1:Production");
	/* a pipeline that has chosen none yet takes the highest */
	fixture_pipeline(&f, 4, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_registry(&f, "2:Production 1:Archived");
	/* what was chosen must have the model */
	fixture_pipeline(&f, 5, "prod", "refs/heads/main");
	facts_set(&f.facts, FACT_MODEL_VERSION, "7");
	assert_result(fixture_run(&f, stage_stage_model, &e), -1, &e);
	assert_says(&e, "version 7 of model churn");
	fixture_clear(&f);
}

/* A release of code alone, after a retraining that went straight into prod, keeps its version. */
static void test_promote_retrained_again(void **state)
{
	struct fixture f;

	fixture_init(&f, state, "");
	fixture_remote(&f, "main");
	fixture_model(&f, "main", "model one");
	bring(&f, "");
	fixture_pipeline(&f, 1, "prod", "refs/heads/retrain-1-20260101");
	facts_set(&f.facts, FACT_IMAGE, "churn:x");
	fixture_must(&f, stage_deploy); /* that is as far as it comes */
	assert_registry(&f, "1:None");
	fixture_commit(&f, "main", "README.md", "more");
	fixture_pipeline(&f, 2, "prod", "refs/heads/main");
	fixture_must(&f, stage_stage_model);
	assert_fact(&f, FACT_MODEL_VERSION, "1");
	assert_registry(&f, "1:Production");
	fixture_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_dev),
		scratch_test(test_dev_again),
		scratch_test(test_dev_refused),
		scratch_test(test_promote_by_content),
		scratch_test(test_promote_held),
		scratch_test(test_promote_never_staged),
		scratch_test(test_promote_retrained),
		scratch_test(test_promote_retrained_later),
		scratch_test(test_promote_not_retrained),
		scratch_test(test_promote_retrained_dropped),
		scratch_test(test_promote_squashed),
		scratch_test(test_promote_retrained_from_nowhere),
		scratch_test(test_promote_of_another),
		scratch_test(test_promote_known),
		scratch_test(test_promote_retrained_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
