/* chain/reconcile: landings that post-receive did not see, found in real repositories. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "base/clock.h"
#include "chain/order.h"
#include "chain/reconcile.h"
#include "fixture.h"
#include "git/repository.h"
#include "history.h"
#include "sys/process.h"

#define LATER (clock_now() + RECONCILE_AGE + CLOCK_SECOND)
#define TOO_LATE (clock_now() + RECONCILE_PATIENCE + CLOCK_SECOND)
#define NEXT_DAY (clock_now() + RECONCILE_LAPSE + CLOCK_SECOND)

struct world {
	struct history *h;
	struct store *s;
	struct config *config;
	char *system_file;
};

static struct world world_make(const char *state, const char *refs)
{
	struct world w;
	char *text = mem_format("[modelgate]\nstate = %s\n", state);
	struct err e = ERR_INIT;

	w.h = history_new("a b:a c:b d:c x:a");
	history_refs(w.h, refs);
	w.system_file = path_join(state, "system.ini");
	assert_result(files_replace(w.system_file, text, strlen(text), 0600, &e), 0, &e);
	free(text);
	w.s = fixture_store(state);
	w.config = fixture_config("");
	return w;
}

static void world_clear(struct world *w)
{
	config_free(w->config);
	store_close(w->s);
	history_free(w->h);
	free(w->system_file);
}

static struct intent make_intent(
	struct world *w, const char *ref, const char *old, const char *new, const char *chain)
{
	struct oid from = history_oid(w->h, old), to = history_oid(w->h, new);
	char old_hex[OID_HEX_SIZE], new_hex[OID_HEX_SIZE];

	oid_hex(&from, old_hex);
	oid_hex(&to, new_hex);
	return fixture_intent(history_dir(w->h), ref, old_hex, new_hex, chain);
}

static void add_intent(struct world *w, const char *ref, const char *old, const char *new,
	const char *source, const char *source_oid)
{
	struct intent i = make_intent(w, ref, old, new, "dev");
	struct oid oid = history_oid(w->h, source_oid);
	char hex[OID_HEX_SIZE];

	oid_hex(&oid, hex);
	free(i.source);
	free(i.source_oid);
	i.source = source[0] != '\0' ? mem_format("refs/heads/%s", source) : mem_strdup("");
	i.source_oid = mem_strdup(hex);
	fixture_record(w->s, &i);
	intent_clear(&i);
}

static void pass(struct world *w, int64_t now)
{
	struct err e = ERR_INIT;

	assert_result(reconcile(w->s, w->system_file, now, &e), 0, &e);
}

static int64_t land(struct world *w, const char *ref, const char *old, const char *new)
{
	struct intent i = make_intent(w, ref, old, new, "dev");
	int64_t id = fixture_land(w->s, w->config, i.repository, ref, i.old, i.new, "dev");

	intent_clear(&i);
	return id;
}

static void test_lost_landing(void **state)
{
	struct world w = world_make(*state, "main=b dev=b");

	add_intent(&w, "main", "a", "b", "dev", "b");
	pass(&w, clock_now());
	assert_events(*state, ""); /* too young: post-receive may be at work */
	pass(&w, LATER);
	assert_events(*state, "ref.updated pipeline.reconciled");
	assert_statuses(w.s, 1, "pending: pending created created created");
	pass(&w, LATER);
	assert_events(*state, "ref.updated pipeline.reconciled");
	world_clear(&w);
}

static void test_refused_push(void **state)
{
	struct world w = world_make(*state, "main=a dev=b");

	add_intent(&w, "main", "a", "b", "dev", "b");
	pass(&w, LATER);
	pass(&w, NEXT_DAY);
	assert_events(*state, "");
	/* Too late to be a landing of that push. */
	history_refs(w.h, "main=b");
	pass(&w, NEXT_DAY);
	assert_events(*state, "");
	world_clear(&w);
}

/* The ref has moved on by then; its pipeline is still older than that of the next push. */
static void test_two_lost(void **state)
{
	struct world w = world_make(*state, "main=d dev=d");
	struct pipeline p;
	struct err e = ERR_INIT;
	struct oid b = history_oid(w.h, "b");
	char hex[OID_HEX_SIZE];

	add_intent(&w, "main", "a", "b", "dev", "b");
	add_intent(&w, "main", "b", "c", "dev", "c");
	assert_int_equal(land(&w, "main", "c", "d"), 3);
	assert_events(*state, "ref.updated pipeline.reconciled ref.updated pipeline.reconciled "
			      "ref.updated pipeline.created");
	assert_result(pipeline_read(&p, w.s, 1, &e), 1, &e);
	oid_hex(&b, hex);
	assert_string_equal(p.sha, hex);
	pipeline_clear(&p);
	pass(&w, LATER);
	assert_result(pipeline_read(&p, w.s, 4, &e), 0, &e);
	world_clear(&w);
}

static void test_two_lost_and_none_seen(void **state)
{
	struct world w = world_make(*state, "main=c dev=c");

	add_intent(&w, "main", "a", "b", "dev", "b");
	add_intent(&w, "main", "b", "c", "dev", "c");
	pass(&w, LATER);
	assert_events(*state, "ref.updated pipeline.reconciled ref.updated pipeline.reconciled");
	world_clear(&w);
}

struct source_row {
	const char *refs;
	const char *source;
	const char *events;
};

static void test_sources(void **state)
{
	static const struct source_row rows[] = {
		{"main=b dev=b", "dev", "ref.updated pipeline.reconciled"},
		{"main=b dev=d", "dev", "ref.updated pipeline.reconciled"},
		{"main=b", "", "ref.updated pipeline.reconciled"},
		{"main=b dev=a", "dev", "ref.updated ref.unsourced"},
		{"main=b dev=x", "dev", "ref.updated ref.unsourced"},
		{"main=b", "dev", "ref.updated ref.unsourced"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world w = world_make(*state, rows[i].refs);

		add_intent(&w, "main", "a", "b", rows[i].source, "b");
		pass(&w, LATER);
		assert_events(*state, rows[i].events);
		world_clear(&w);
		assert_int_equal(files_remove_tree("audit", NULL), 0);
		assert_int_equal(files_remove_tree("store.db", NULL), 0);
	}
}

/* A retrain branch landed under the rules, was merged, and is gone. */
static void test_deleted_source(void **state)
{
	struct world w = world_make(*state, "main=c");

	(void)land(&w, "retrain-1-20260101", "0", "b");
	add_intent(&w, "main", "a", "c", "retrain-1-20260101", "b");
	pass(&w, LATER);
	assert_statuses(w.s, 2, "pending: pending created created created");
	world_clear(&w);
}

static void test_deletion(void **state)
{
	struct world w = world_make(*state, "dev=b");
	struct intent i = make_intent(&w, "retrain-1-20260101", "b", "0", "");

	fixture_record(w.s, &i);
	pass(&w, LATER);
	assert_events(*state, "ref.updated");
	intent_clear(&i);
	world_clear(&w);
}

/* A repository that is gone does not keep the others waiting. */
static void test_gone_repository(void **state)
{
	struct world w = world_make(*state, "main=b dev=b");
	struct intent gone = fixture_intent("/nowhere.git", "main", "1", "2", "dev");

	fixture_record(w.s, &gone);
	add_intent(&w, "main", "a", "b", "dev", "b");
	pass(&w, LATER);
	assert_events(*state, "ref.updated pipeline.reconciled");
	intent_clear(&gone);
	world_clear(&w);
}

/* Record an intent for main, from a to b, of the push that the process NAME serves. */
static void add_intent_of(struct world *w, const char *name)
{
	struct intent i = make_intent(w, "main", "a", "b", "dev");

	free(i.push_key);
	i.push_key = mem_strdup(name);
	fixture_record(w->s, &i);
	intent_clear(&i);
}

/* The git that served the push is gone, or lives: no time has to go by, or five seconds are not enough. */
static void test_process_of_push(void **state)
{
	struct process own;
	char *lives, *gone;
	struct world w = world_make(*state, "main=b dev=b");
	struct err e = ERR_INIT;

	assert_int_equal(process_read(&own, getpid()), 1);
	lives = process_name(&own);
	own.started--;
	gone = process_name(&own);
	add_intent_of(&w, lives);
	assert_result(reconcile_awaits(w.s, clock_now(), &e), 1, &e);
	pass(&w, LATER);
	assert_events(*state, "");
	assert_result(reconcile_awaits(w.s, LATER, &e), 1, &e);
	pass(&w, TOO_LATE);
	assert_events(*state, "ref.updated pipeline.reconciled");
	assert_result(reconcile_awaits(w.s, TOO_LATE, &e), 0, &e);
	world_clear(&w);
	assert_int_equal(files_remove_tree("audit", NULL), 0);
	assert_int_equal(files_remove_tree("store.db", NULL), 0);

	w = world_make(*state, "main=b dev=b");
	add_intent_of(&w, gone);
	assert_result(reconcile_awaits(w.s, clock_now(), &e), 0, &e);
	pass(&w, clock_now());
	assert_events(*state, "ref.updated pipeline.reconciled");
	world_clear(&w);
	free(lives);
	free(gone);
}

/* Pipeline 1 waits for a hand; an order for it is on the reference, or was refused by git. */
struct order_row {
	const char *title;
	const char *refs;
	const char *name; /* below refs/modelgate/ */
	int passes;
	const char *statuses; /* of pipeline 1 */
	const char *events;
};
#define MADE "ref.updated pipeline.created"

static void test_orders(void **state)
{
	static const struct order_row rows[] = {
		{"it is there", "refs/modelgate/play/1/build=a ", "play/1/build", 1,
			"pending: pending created created", MADE " stage.played"},
		{"it is looked at twice", "refs/modelgate/play/1/build=a ", "play/1/build", 2,
			"pending: pending created created", MADE " stage.played"},
		{"git has refused it", "", "play/1/build", 1, "manual: manual created created",
			MADE},
		{"it is elsewhere", "refs/modelgate/play/1/build=b ", "play/1/build", 1,
			"manual: manual created created", MADE},
		{"it cannot be any more", "refs/modelgate/play/1/deploy=a ", "play/1/deploy", 2,
			"manual: manual created created", MADE " stage.played"},
		{"there is no such stage any more", "refs/modelgate/play/1/x=a ", "play/1/x", 2,
			"manual: manual created created", MADE " stage.played"},
	};

	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		const struct order_row *row = &rows[k];
		struct world w = world_make(*state, row->refs);
		struct intent i = make_intent(&w, "x", "0", "a", "");
		struct repository *r = NULL;
		struct oid tip;
		struct err e = ERR_INIT;

		(void)fixture_land(w.s, w.config, i.repository, "prod", "1", "2", "prod");
		free(i.ref);
		i.ref = mem_format("refs/modelgate/%s", row->name);
		fixture_record(w.s, &i);
		for (int n = 0; n < row->passes; n++)
			pass(&w, LATER);
		assert_statuses(w.s, 1, row->statuses);
		assert_events(*state, row->events);
		assert_result(repository_open(&r, i.repository, REPOSITORY_OBJECTS, &e), 0, &e);
		/* What is not ours to remove is left. */
		assert_result(repository_tip(r, i.ref, &tip, &e),
			strcmp(row->title, "it is elsewhere") == 0, &e);
		repository_free(r);
		intent_clear(&i);
		world_clear(&w);
		assert_int_equal(files_remove_tree("audit", NULL), 0);
		assert_int_equal(files_remove_tree("store.db", NULL), 0);
	}
}

/* Killed between the commit and the removal of the reference: the stage is not played again. */
static void test_order_half_done(void **state)
{
	struct world w = world_make(*state, "refs/modelgate/play/1/build=a ");
	struct intent i = make_intent(&w, "x", "0", "a", "");
	struct repository *r = NULL;
	struct oid tip;
	struct err e = ERR_INIT;

	(void)fixture_land(w.s, w.config, i.repository, "prod", "1", "2", "prod");
	free(i.ref);
	i.ref = mem_strdup("refs/modelgate/play/1/build");
	fixture_record(w.s, &i);
	assert_result(order_carry_out(w.s, &i, &e), 1, &e);
	assert_result(order_carry_out(w.s, &i, &e), 1, &e);
	pass(&w, LATER);
	assert_events(*state, MADE " stage.played");
	assert_result(repository_open(&r, i.repository, REPOSITORY_OBJECTS, &e), 0, &e);
	assert_result(repository_tip(r, i.ref, &tip, &e), 0, &e);
	repository_free(r);
	intent_clear(&i);
	world_clear(&w);
}

struct name_row {
	const char *ref;
	int64_t pipeline; /* 0: it is no order */
	const char *stage;
};

static void test_order_names(void **state)
{
	static const struct name_row rows[] = {
		{"refs/modelgate/play/42/build", 42, "build"},
		{"refs/modelgate/play/1/stage-model", 1, "stage-model"},
		{"refs/modelgate/play/999999999999999999/x", 999999999999999999, "x"},
		{"refs/modelgate/play/1000000000000000000/x", 0, NULL},
		{"refs/modelgate/play/042/build", 0, NULL},
		{"refs/modelgate/play/0/build", 0, NULL},
		{"refs/modelgate/play/-1/build", 0, NULL},
		{"refs/modelgate/play/42", 0, NULL},
		{"refs/modelgate/play/42/", 0, NULL},
		{"refs/modelgate/play/42/build/x", 0, NULL},
		{"refs/modelgate/play/42x/build", 0, NULL},
		{"refs/modelgate/play//build", 0, NULL},
		{"refs/modelgate/play", 0, NULL},
		{"refs/modelgate/retry/42/build", 0, NULL},
		{"refs/heads/play/42/build", 0, NULL},
		{"", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct order o;

		if (order_parse(&o, rows[i].ref) != (rows[i].pipeline != 0) ||
			o.pipeline != rows[i].pipeline || !str_same(o.stage, rows[i].stage))
			fail_msg("%s: pipeline %lld, stage %s", rows[i].ref, (long long)o.pipeline,
				o.stage != NULL ? o.stage : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_lost_landing),
		scratch_test(test_process_of_push), scratch_test(test_orders),
		scratch_test(test_order_half_done), scratch_test(test_order_names),
		scratch_test(test_refused_push), scratch_test(test_two_lost),
		scratch_test(test_two_lost_and_none_seen), scratch_test(test_sources),
		scratch_test(test_deleted_source), scratch_test(test_deletion),
		scratch_test(test_gone_repository)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
