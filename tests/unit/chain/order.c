/* chain/order: names that ask for a stage, and what becomes of an order, whoever carries it out. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "chain/order.h"
#include "chain/progress.h"
#include "chain/reconcile.h"
#include "fixture.h"
#include "git/repository.h"
#include "history.h"

#define PLAY "refs/modelgate/play/1/build"
#define LANDED "ref.updated pipeline.created"
#define LATER (clock_now() + RECONCILE_AGE + CLOCK_SECOND)
#define NEXT_DAY (clock_now() + RECONCILE_LAPSE + CLOCK_SECOND)

/* ---- names ---- */

struct name_row {
	const char *ref;
	const char *expected; /* "pipeline stage"; "": no order */
};

static const struct name_row names[] = {
	{"refs/modelgate/play/42/build", "42 build"},
	{"refs/modelgate/play/1/stage-model", "1 stage-model"},
	{"refs/modelgate/play/999999999999999999/x", "999999999999999999 x"},
	{"refs/modelgate/play/9999999999999999999/x", ""},
	{"refs/modelgate/play/042/build", ""},
	{"refs/modelgate/play/0/build", ""},
	{"refs/modelgate/play/-1/build", ""},
	{"refs/modelgate/play/+1/build", ""},
	{"refs/modelgate/play/4x/build", ""},
	{"refs/modelgate/play/x/build", ""},
	{"refs/modelgate/play//build", ""},
	{"refs/modelgate/play/42/", ""},
	{"refs/modelgate/play/42", ""},
	{"refs/modelgate/play/42/build/x", ""},
	{"refs/modelgate/play/", ""},
	{"refs/modelgate/play", ""},
	{"refs/modelgate/plays/42/build", ""},
	{"refs/modelgate/PLAY/42/build", ""},
	{"refs/modelgate/retry/42/build", ""},
	{"refs/modelgate/", ""},
	{"refs/modelgates/play/42/build", ""},
	{"refs/heads/play/42/build", ""},
	{"play/42/build", ""},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct order o;
		char *got = order_parse(&o, names[i].ref)
				    ? mem_format("%lld %s", (long long)o.pipeline, o.stage)
				    : mem_strdup("");

		if (!str_same(got, names[i].expected))
			fail_msg("%s: \"%s\", not \"%s\"", names[i].ref, got, names[i].expected);
		free(got);
	}
}

/* ---- what becomes of one ---- */

struct world {
	struct history *h;
	struct repository *r;
	struct store *s;
	struct config *config;
};

/* A repository with pipeline 1 of the chain prod, whose first stage waits for a hand. */
static struct world world_make(const char *state)
{
	struct world w = {.h = history_new("a b:a"), .s = fixture_store(state)};
	struct err e = ERR_INIT;

	w.config = fixture_config("");
	history_refs(w.h, "prod=b");
	assert_result(repository_open(&w.r, history_dir(w.h), REPOSITORY_OBJECTS, &e), 0, &e);
	assert_int_equal(
		fixture_land(w.s, w.config, history_dir(w.h), "prod", "1", "2", "prod"), 1);
	assert_statuses(w.s, 1, "manual: manual created created");
	return w;
}

static void world_clear(struct world *w)
{
	repository_free(w->r);
	config_free(w->config);
	store_close(w->s);
	history_free(w->h);
}

/* The intent of a push that creates PLAY at the commit NEW, recorded. */
static struct intent ask(struct world *w, const char *new)
{
	struct oid oid = history_oid(w->h, new);
	char hex[OID_HEX_SIZE];
	struct intent i;

	oid_hex(&oid, hex);
	i = fixture_intent(history_dir(w->h), "x", "0", hex, "");
	free(i.ref);
	i.ref = mem_strdup(PLAY);
	fixture_record(w->s, &i);
	return i;
}

static int is_there(struct world *w)
{
	struct oid oid;
	struct err e = ERR_INIT;
	int found = repository_tip(w->r, PLAY, &oid, &e);

	assert_true(found >= 0);
	return found;
}

static void pass(struct world *w, int64_t now)
{
	struct err e = ERR_INIT;

	assert_result(reconcile(w->s, "system.ini", now, &e), 0, &e);
}

static void test_carried_out_once(void **state)
{
	struct world w = world_make(*state);
	struct intent i = ask(&w, "a");
	struct err e = ERR_INIT;

	history_refs(w.h, "prod=b " PLAY "=a");
	assert_result(order_carry_out(w.s, &i, &e), 1, &e);
	assert_result(order_carry_out(w.s, &i, &e), 1, &e);
	assert_statuses(w.s, 1, "pending: pending created created");
	assert_int_equal(is_there(&w), 1);
	/* Whoever did it has ended before the reference was removed. */
	pass(&w, LATER);
	assert_int_equal(is_there(&w), 0);
	pass(&w, NEXT_DAY);
	assert_events(*state, LANDED " stage.played");
	intent_clear(&i);
	world_clear(&w);
}

static void test_by_the_runner(void **state)
{
	struct world w = world_make(*state);
	struct intent first = ask(&w, "a"), again = ask(&w, "a");
	struct err e = ERR_INIT;

	history_refs(w.h, "prod=b " PLAY "=a");
	pass(&w, clock_now()); /* left to its push */
	assert_int_equal(is_there(&w), 1);
	pass(&w, LATER);
	assert_int_equal(is_there(&w), 0);
	assert_statuses(w.s, 1, "pending: pending created created");
	/* Post-receive is late; the other intent names the same landing. */
	assert_result(order_carry_out(w.s, &again, &e), 1, &e);
	pass(&w, NEXT_DAY);
	assert_events(*state, LANDED " stage.played");
	intent_clear(&first);
	intent_clear(&again);
	world_clear(&w);
}

/* Git refused it after the gate. */
static void test_never_landed(void **state)
{
	struct world w = world_make(*state);
	struct intent i = ask(&w, "a");

	pass(&w, LATER);
	pass(&w, NEXT_DAY);
	history_refs(w.h, "prod=b " PLAY "=a"); /* too late to be of that push */
	pass(&w, NEXT_DAY);
	assert_events(*state, LANDED);
	assert_statuses(w.s, 1, "manual: manual created created");
	intent_clear(&i);
	world_clear(&w);
}

/* Somebody was first: that is told, and no reason to try again. */
static void test_not_any_more(void **state)
{
	struct world w = world_make(*state);
	struct intent i = ask(&w, "a");
	struct err e = ERR_INIT;

	assert_result(progress_ask(w.s, PROGRESS_PLAY, 1, "build", &i.actor, &e), 1, &e);
	history_refs(w.h, "prod=b " PLAY "=a");
	assert_int_equal(order_carry_out(w.s, &i, &e), 0);
	assert_non_null(strstr(err_text(&e), "stage build is pending"));
	err_clear(&e);
	pass(&w, LATER);
	assert_int_equal(is_there(&w), 0);
	pass(&w, NEXT_DAY);
	assert_events(*state, LANDED " stage.played stage.played"); /* the second: refused */
	intent_clear(&i);
	world_clear(&w);
}

/* Where the audit log cannot be written nothing is done, and the next try does all of it. */
static void test_audit_fails(void **state)
{
	struct world w = world_make(*state);
	struct intent i = ask(&w, "a");
	struct err e = ERR_INIT;

	history_refs(w.h, "prod=b " PLAY "=a");
	assert_int_equal(rename("audit", "kept"), 0);
	assert_result(files_replace("audit", "x", 1, 0600, &e), 0, &e);
	assert_int_equal(order_carry_out(w.s, &i, &e), -1);
	assert_non_null(e.text);
	err_clear(&e);
	assert_statuses(w.s, 1, "manual: manual created created");
	assert_int_equal(reconcile(w.s, "system.ini", LATER, &e), -1);
	err_clear(&e);
	assert_int_equal(is_there(&w), 1);
	assert_int_equal(remove("audit"), 0);
	assert_int_equal(rename("kept", "audit"), 0);
	pass(&w, LATER);
	assert_int_equal(is_there(&w), 0);
	assert_events(*state, LANDED " stage.played");
	intent_clear(&i);
	world_clear(&w);
}

/* ---- could it be ---- */

struct look_row {
	const char *ref;
	const char *repository; /* NULL: the pipeline's own */
	int could;
	const char *chain; /* NULL: no such pipeline */
	const char *why;
};

static void test_look(void **state)
{
	static const struct look_row rows[] = {
		{PLAY, NULL, 1, "prod", ""},
		{PLAY, "/other.git", 0, NULL, "this repository has no pipeline 1"},
		{"refs/modelgate/play/2/build", NULL, 0, NULL, "this repository has no pipeline 2"},
		{"refs/modelgate/play/1/deploy", NULL, 0, "prod", "stage deploy is created"},
		{"refs/modelgate/play/1/x", NULL, 0, "prod", "has no stage x"},
	};
	struct world w = world_make(*state);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *repository =
			rows[i].repository != NULL ? rows[i].repository : history_dir(w.h);
		struct err e = ERR_INIT;
		struct order o;
		char *chain;
		int could;

		assert_int_equal(order_parse(&o, rows[i].ref), 1);
		could = order_look(&chain, w.s, repository, &o, &e);
		if (could != rows[i].could || !str_same(chain, rows[i].chain) ||
			strstr(err_text(&e), rows[i].why) == NULL)
			fail_msg("%s: %d, %s, \"%s\"", rows[i].ref, could, chain, err_text(&e));
		err_clear(&e);
		free(chain);
	}
	/* Asking has changed nothing. */
	assert_statuses(w.s, 1, "manual: manual created created");
	assert_events(*state, LANDED);
	world_clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_names),
		scratch_test(test_carried_out_once), scratch_test(test_by_the_runner),
		scratch_test(test_never_landed), scratch_test(test_not_any_more),
		scratch_test(test_audit_fails), scratch_test(test_look)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
