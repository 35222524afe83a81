/* chain/landing: one landing, one pipeline, however many intents name it and whoever sees it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"

static void test_created(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "main", "1", "2", "dev");
	struct landing l = {.intent = &i};
	struct err e = ERR_INIT;
	char *stages;

	fixture_record(s, &i);
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	assert_int_equal(l.pipeline, 1);
	assert_string_equal(l.chain, "dev");
	stages = strlist_join(&l.stages, " ");
	assert_string_equal(stages, "build create-model deploy stage-model");
	free(stages);
	assert_statuses(s, 1, "pending: pending created created created");
	assert_events(*state, "ref.updated pipeline.created");

	/* Seen once more: the same pipeline, and nothing is told twice. */
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_RECONCILER, &e), 0, &e);
	assert_int_equal(l.pipeline, 1);
	assert_string_equal(l.chain, "dev");
	assert_int_equal(l.stages.n, 4);
	assert_events(*state, "ref.updated pipeline.created");
	landing_clear(&l);
	intent_clear(&i);
	store_close(s);
	config_free(c);
}

static void test_manual(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct err e = ERR_INIT;
	struct pipeline p;

	assert_int_equal(fixture_land(s, c, "/r", "prod", "1", "2", "prod"), 1);
	assert_statuses(s, 1, "manual: manual created created");
	assert_int_equal(fixture_land(s, c, "/r", "online", "1", "2", "online"), 2);
	assert_int_equal(fixture_land(s, c, "/r", "retrain", "1", "2", "retrain"), 3);
	for (int64_t id = 1; id <= 3; id++) {
		assert_result(pipeline_read(&p, s, id, &e), 1, &e);
		assert_string_equal(p.environment, id < 3 ? "PROD" : "DEV");
		pipeline_clear(&p);
	}
	store_close(s);
	config_free(c);
}

static void test_without_chain(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "retrain-1-20260101", "0", "2", "");
	struct intent gone = fixture_intent("/r", "main", "1", "2", "no-such-chain");
	struct landing l[] = {{.intent = &i}, {.intent = &gone}};
	struct err e = ERR_INIT;

	fixture_record(s, &i);
	fixture_record(s, &gone);
	assert_result(landing_record(s, c, l, 2, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	assert_int_equal(l[0].pipeline, 0);
	assert_null(l[0].chain);
	assert_int_equal(l[1].pipeline, 0);
	assert_events(*state, "ref.updated ref.updated");
	assert_result(landing_record(s, c, l, 2, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	assert_events(*state, "ref.updated ref.updated");
	intent_clear(&i);
	intent_clear(&gone);
	store_close(s);
	config_free(c);
}

static void test_unsourced(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "main", "1", "2", "dev");
	struct landing l = {.intent = &i, .source = LANDING_UNSOURCED};
	struct err e = ERR_INIT;

	fixture_record(s, &i);
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	assert_int_equal(l.pipeline, 0);
	assert_events(*state, "ref.updated ref.unsourced");
	/* Nobody can make a pipeline of it later. */
	l.source = LANDING_SOURCED;
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_RECONCILER, &e), 0, &e);
	assert_int_equal(l.pipeline, 0);
	assert_events(*state, "ref.updated ref.unsourced");
	intent_clear(&i);
	store_close(s);
	config_free(c);
}

/* The first push was refused after pre-receive and came again: two intents, one landing. */
static void test_two_intents(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct intent first = fixture_intent("/r", "main", "1", "3", "dev");
	struct intent again = fixture_intent("/r", "main", "2", "3", "dev");
	struct intent late = fixture_intent("/r", "main", "1", "3", "dev");
	struct landing seen = {.intent = &again}, other = {.intent = &first};
	struct landing stale = {.intent = &late};
	struct err e = ERR_INIT;

	fixture_record(s, &first);
	fixture_record(s, &again);
	assert_result(landing_record(s, c, &seen, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	assert_result(landing_record(s, c, &other, 1, LANDING_BY_RECONCILER, &e), 0, &e);
	assert_int_equal(other.pipeline, 1);
	/* A slow push whose pre-receive ran only now; git will refuse it. */
	fixture_record(s, &late);
	assert_result(landing_record(s, c, &stale, 1, LANDING_BY_RECONCILER, &e), 0, &e);
	assert_int_equal(stale.pipeline, 1);
	assert_events(*state, "ref.updated pipeline.created");
	landing_clear(&seen);
	landing_clear(&other);
	landing_clear(&stale);
	intent_clear(&first);
	intent_clear(&again);
	intent_clear(&late);
	store_close(s);
	config_free(c);
}

/* There and back and there again is two landings. */
static void test_again(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "main", "1", "2", "dev");
	struct landing l = {.intent = &i};
	struct err e = ERR_INIT;

	assert_int_equal(fixture_land(s, c, "/r", "main", "1", "2", "dev"), 1);
	assert_int_equal(fixture_land(s, c, "/r", "main", "2", "1", "dev"), 2);
	fixture_record(s, &i);
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_RECONCILER, &e), 0, &e);
	assert_int_equal(l.pipeline, 3);
	landing_clear(&l);
	intent_clear(&i);
	store_close(s);
	config_free(c);
}

/* Where the audit log cannot be written nothing is recorded, and the next try does all of it. */
static void test_audit_fails(void **state)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "main", "1", "2", "dev");
	struct landing l = {.intent = &i};
	struct err e = ERR_INIT;

	fixture_record(s, &i);
	assert_result(files_replace("audit", "x", 1, 0600, &e), 0, &e); /* in the folder's place */
	assert_int_equal(landing_record(s, c, &l, 1, LANDING_BY_POST_RECEIVE, &e), -1);
	assert_non_null(e.text);
	err_clear(&e);
	assert_int_equal(l.pipeline, 0);
	assert_result(files_remove_tree("audit", &e), 0, &e);
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	assert_int_equal(l.pipeline, 1);
	landing_clear(&l);
	intent_clear(&i);
	store_close(s);
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_created), scratch_test(test_manual),
		scratch_test(test_without_chain), scratch_test(test_unsourced),
		scratch_test(test_two_intents), scratch_test(test_again),
		scratch_test(test_audit_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
