/*
 * chain/store: intents found again; pipelines of concurrent processes have ids that are unique and
 * in order.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "chain/reconcile.h"
#include "chain/store-internal.h"
#include "fixture.h"
#include "stage/retraining.h"

static void test_find(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent one = fixture_intent("/r", "main", "1", "2", "dev");
	struct intent other = fixture_intent("/r", "prod", "1", "2", ""), found;
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, &one, 1, &e), 0, &e);
	assert_result(store_add_intents(s, &other, 1, &e), 0, &e);
	assert_result(
		store_find_intent(s, "key", "/r", one.ref, one.old, one.new, &found, &e), 1, &e);
	assert_string_equal(found.chain, "dev");
	assert_string_equal(found.project, "r");
	assert_string_equal(found.actor.name, "ivanov");
	assert_string_equal(found.policy, "p");
	assert_true(found.id > 0);
	intent_clear(&found);
	assert_result(
		store_find_intent(s, "key", "/r", one.ref, one.old, one.new, NULL, &e), 1, &e);
	assert_result(
		store_find_intent(s, "other", "/r", one.ref, one.old, one.new, NULL, &e), 0, &e);
	assert_result(
		store_find_intent(s, "key", "/q", one.ref, one.old, one.new, NULL, &e), 0, &e);
	assert_result(
		store_find_intent(s, "key", "/r", one.ref, one.new, one.old, NULL, &e), 0, &e);
	assert_result(store_landed(s, "/r", one.ref, one.new, &e), 1, &e);
	assert_result(store_landed(s, "/r", one.ref, one.old, &e), 0, &e);
	assert_result(store_landed(s, "/r", "refs/heads/x", one.new, &e), 0, &e);
	intent_clear(&one);
	intent_clear(&other);
	store_close(s);
}

/* What was let pass in shadow has not landed by the rules, until it comes by them. */
static void test_shadowed(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "retrain-1-20260101", "0", "2", "");
	struct err e = ERR_INIT;

	i.standing = INTENT_SHADOWED;
	assert_result(store_add_intents(s, &i, 1, &e), 0, &e);
	assert_result(store_landed(s, "/r", i.ref, i.new, &e), 0, &e);
	i.standing = INTENT_BY_RULE;
	assert_result(store_add_intents(s, &i, 1, &e), 0, &e);
	assert_result(store_landed(s, "/r", i.ref, i.new, &e), 1, &e);
	intent_clear(&i);
	store_close(s);
}

/* Of two intents of one push the newest counts: pre-receive ran twice. */
static void test_newest(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent i = fixture_intent("/r", "main", "1", "2", "dev");
	struct intent again = fixture_intent("/r", "main", "1", "2", "prod"), found;
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, &i, 1, &e), 0, &e);
	assert_result(store_add_intents(s, &again, 1, &e), 0, &e);
	assert_result(store_find_intent(s, "key", "/r", i.ref, i.old, i.new, &found, &e), 1, &e);
	assert_string_equal(found.chain, "prod");
	intent_clear(&found);
	intent_clear(&i);
	intent_clear(&again);
	store_close(s);
}

/* A push counts once, however many references it had and whatever became of it. */
static void test_pushes(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent i[] = {fixture_intent("/r", "main", "1", "2", "dev"),
		fixture_intent("/r", "prod", "1", "2", ""),
		fixture_intent("/r", "dev", "1", "2", "")};
	struct err e = ERR_INIT;
	int64_t n = -1;

	assert_result(store_pushes(s, &n, &e), 0, &e);
	assert_int_equal(n, 0);
	free(i[2].push_id);
	i[2].push_id = mem_strdup("another");
	assert_result(store_add_intents(s, i, 3, &e), 0, &e);
	assert_result(store_pushes(s, &n, &e), 0, &e);
	assert_int_equal(n, 2);
	for (size_t at = 0; at < 3; at++)
		intent_clear(&i[at]);
	/* Asked by a reader, while it is open and after that. */
	n = 0;
	assert_result(store_count_pushes(*state, &n, &e), 0, &e);
	assert_int_equal(n, 2);
	store_close(s);
	n = 0;
	assert_result(store_count_pushes(*state, &n, &e), 0, &e);
	assert_int_equal(n, 2);
}

static int add_name(void *context, const char *ref)
{
	struct str *names = context;

	str_addf(names, "%s%s", names->len > 0 ? " " : "", ref + strlen("refs/heads/"));
	return 0;
}

static void assert_used(struct store *s, const char *repository, const char *expected)
{
	struct str names;
	struct err e = ERR_INIT;

	str_init(&names);
	assert_result(
		store_used(s, repository, "refs/heads/retrain-1-", add_name, &names, &e), 0, &e);
	assert_string_equal(names.buf, expected);
	str_clear(&names);
}

static void add_intent(
	struct store *s, const char *repository, const char *ref, const char *old, const char *new)
{
	struct intent i = fixture_intent(repository, ref, old, new, "");
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, &i, 1, &e), 0, &e);
	intent_clear(&i);
}

/* A name is used once a landing of it is known: told, or shown by what came after. */
static void test_used(void **state)
{
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");
	struct err e = ERR_INIT;

	assert_used(s, "/r", "");
	(void)fixture_land(s, c, "/r", "retrain-1-a", "0", "1", "");
	(void)fixture_land(s, c, "/r", "retrain-10-a", "0", "1", "");
	(void)fixture_land(s, c, "/r", "retrain-1", "0", "1", "");
	(void)fixture_land(s, c, "/q", "retrain-1-q", "0", "1", "");
	assert_used(s, "/r", "retrain-1-a");
	assert_used(s, "/q", "retrain-1-q");
	/* deleted since */
	(void)fixture_land(s, c, "/r", "retrain-1-a", "1", "0", "");
	assert_used(s, "/r", "retrain-1-a");
	/* deleted under the rules, created before there were any */
	(void)fixture_land(s, c, "/r", "retrain-1-before", "1", "0", "");
	assert_used(s, "/r", "retrain-1-a");
	/* nobody knows yet what became of it; then it is deleted, so it was there */
	add_intent(s, "/r", "retrain-1-b", "0", "2");
	assert_used(s, "/r", "retrain-1-a");
	add_intent(s, "/r", "retrain-1-b", "3", "0");
	assert_used(s, "/r", "retrain-1-a");
	add_intent(s, "/r", "retrain-1-b", "2", "0");
	assert_used(s, "/r", "retrain-1-a retrain-1-b");
	/* refused by git: known after a day, also where the same came earlier to be deleted */
	add_intent(s, "/r", "retrain-1-c", "2", "0");
	add_intent(s, "/r", "retrain-1-c", "0", "2");
	assert_result(reconcile(s, NULL, clock_now() + 2 * RECONCILE_LAPSE, &e), 0, &e);
	assert_used(s, "/r", "retrain-1-a retrain-1-b");
	/* pushed again, and landed */
	(void)fixture_land(s, c, "/r", "retrain-1-c", "0", "2", "");
	assert_used(s, "/r", "retrain-1-a retrain-1-b retrain-1-c");
	config_free(c);
	store_close(s);
}

/* EXPECTED: of each its commit, result and before, by the digit that fixture_intent() has; "-" for none. */
static void assert_retrainings(struct store *s, const char *repository, const char *expected)
{
	struct retrainings l = {0};
	struct err e = ERR_INIT;
	struct str digits;

	str_init(&digits);
	assert_result(store_retrainings(s, repository, &l, &e), 0, &e);
	for (size_t i = 0; i < l.n; i++)
		str_addf(&digits, "%s%c%c%c", i > 0 ? " " : "", l.v[i].commit[0], l.v[i].result[0],
			*l.v[i].before != '\0' ? l.v[i].before[0] : '-');
	assert_string_equal(digits.buf, expected);
	str_clear(&digits);
	retrainings_clear(&l);
}

/* A push of SOURCE, whose tip is TIP, to REF. */
static struct intent take(
	const char *ref, const char *old, const char *new, const char *source, char tip)
{
	struct intent i = fixture_intent("/r", ref, old, new, "");

	free(i.source);
	free(i.source_oid);
	i.source = mem_format("refs/heads/%s", source);
	i.source_oid = mem_strdup(ZERO);
	memset(i.source_oid, tip, 40);
	return i;
}

static void must_take(struct store *s, struct intent i)
{
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, &i, 1, &e), 0, &e);
	intent_clear(&i);
}

/* What retrain branches have brought: of this repository, by rule, as far as anybody knows. */
static void test_retrainings(void **state)
{
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");
	struct intent shadowed = fixture_intent("/r", "retrain-5-a", "0", "5", "");
	struct err e = ERR_INIT;

	assert_retrainings(s, "/r", "");
	(void)fixture_land(s, c, "/r", "retrain-1-a", "0", "1", "");
	(void)fixture_land(s, c, "/r", "retrain-1-a", "1", "0", "");
	(void)fixture_land(s, c, "/r", "retrain", "0", "2", "");
	(void)fixture_land(s, c, "/r", "retrain.", "0", "3", "");
	(void)fixture_land(s, c, "/q", "retrain-1-q", "0", "4", "");
	assert_retrainings(s, "/r", "11-");
	shadowed.standing = INTENT_SHADOWED;
	must_take(s, shadowed);
	assert_retrainings(s, "/r", "11-");
	/* nobody knows yet what became of it; then it is known not to have landed */
	add_intent(s, "/r", "retrain-9-a", "0", "9");
	assert_retrainings(s, "/r", "11- 99-");
	assert_result(reconcile(s, NULL, clock_now() + 2 * RECONCILE_LAPSE, &e), 0, &e);
	assert_retrainings(s, "/r", "11-");
	config_free(c);
	store_close(s);
}

/* What a retrain branch stands on: the commit of the pipeline of `retrain` that it names. */
static void test_retrainings_base(void **state)
{
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");

	assert_int_equal(fixture_land(s, c, "/r", "retrain", "0", "1", "retrain"), 1);
	assert_int_equal(fixture_land(s, c, "/r", "main", "0", "2", "dev"), 2);
	assert_int_equal(fixture_land(s, c, "/q", "retrain", "0", "3", "retrain"), 3);
	(void)fixture_land(s, c, "/r", "retrain-1-20260101", "0", "4", "");
	(void)fixture_land(s, c, "/r", "retrain-2-20260101", "0", "5", "");
	(void)fixture_land(s, c, "/r", "retrain-3-20260101", "0", "6", "");
	(void)fixture_land(s, c, "/r", "retrain-10-20260101", "0", "7", "");
	assert_retrainings(s, "/r", "441 55- 66- 77-");
	config_free(c);
	store_close(s);
}

/* What took a retrain branch, into whichever branch. */
static void test_retrainings_taken(void **state)
{
	struct store *s = fixture_store(*state);
	struct intent shadowed = take("prod", "3", "4", "retrain-1-a", '9');

	must_take(s, take("prod", "1", "2", "retrain-1-a", '9'));
	must_take(s, take("main", "0", "3", "retrain-1-a", '9'));
	must_take(s, take("prod", "2", "3", "retrain", '8'));
	must_take(s, take("prod", "2", "4", "main", '7'));
	must_take(s, take("prod", "2", "5", "retrain.", '6'));
	shadowed.standing = INTENT_SHADOWED;
	must_take(s, shadowed);
	assert_retrainings(s, "/r", "291 39-");
	assert_retrainings(s, "/q", "");
	store_close(s);
}

static int enough(void *context, const char *ref)
{
	*(int *)context += 1;
	return ref != NULL ? 7 : 0;
}

static void test_used_ends(void **state)
{
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");
	struct err e = ERR_INIT;
	int seen = 0;

	(void)fixture_land(s, c, "/r", "retrain-1-a", "0", "1", "");
	(void)fixture_land(s, c, "/r", "retrain-1-b", "0", "1", "");
	assert_result(store_used(s, "/r", "refs/heads/retrain-1-", enough, &seen, &e), 7, &e);
	assert_int_equal(seen, 1);
	config_free(c);
	store_close(s);
}

static void set_stage(struct store *s, int64_t id, const char *stage, const char *status)
{
	struct err e = ERR_INIT;

	assert_result(
		sqlite_run(s->db, &e, "UPDATE stage SET status = ? WHERE pipeline = ? AND name = ?",
			"tit", status, id, stage),
		0, &e);
}

static void test_deployed(void **state)
{
	static const struct {
		const char *build, *deploy; /* their statuses */
		const char *repository, *id, *chain;
		int expected;
	} cases[] = {
		{"success", "success", "/r", "1", "retrain", 1},
		{"success", "running", "/r", "1", "retrain", 0},
		{"success", "failed", "/r", "1", "retrain", 0},
		{"success", "created", "/r", "1", "retrain", 0},
		{"success", "success", "/q", "1", "retrain", 0},
		{"success", "success", "/r", "2", "retrain", 0},
		{"success", "success", "/r", "1", "dev", 0},
		{"success", "success", "/r", "-1", "retrain", 0},
		{"success", "success", "/r", "", "retrain", 0},
		{"success", "success", "/r", "9223372036854775808", "retrain", 0},
		{"success", "success", "/r", "18446744073709551617", "retrain", 0},
	};
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");
	int64_t id = fixture_land(s, c, "/r", "retrain", "1", "2", "retrain");

	assert_int_equal(id, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		char *sha = NULL;

		set_stage(s, id, "build", cases[i].build);
		set_stage(s, id, "deploy", cases[i].deploy);
		assert_result(store_deployed(s, cases[i].repository, cases[i].id, cases[i].chain,
				      &sha, &e),
			cases[i].expected, &e);
		if (cases[i].expected == 1)
			assert_string_equal(sha, "2222222222222222222222222222222222222222");
		else
			assert_null(sha);
		free(sha);
	}
	config_free(c);
	store_close(s);
}

#define WRITERS 4
#define EACH 10

/* One process: EACH landings, the ids told through FD. */
static void write_some(const char *dir, int writer, int fd)
{
	struct config *c = fixture_config("");
	struct store *s = fixture_store(dir);

	for (int i = 0; i < EACH; i++) {
		char *ref = mem_format("b%d-%d", writer, i);
		int64_t id = fixture_land(s, c, "/r", ref, "1", "2", "dev");

		if (write(fd, &id, sizeof(id)) != (ssize_t)sizeof(id))
			_exit(1);
		free(ref);
	}
	store_close(s);
	config_free(c);
	_exit(0);
}

static void assert_newest(
	struct store *s, const char *repository, const char *owner, int64_t expected)
{
	struct pipeline p;
	struct err e = ERR_INIT;

	assert_result(pipeline_newest(&p, s, "r", repository, owner, &e), expected != 0, &e);
	assert_int_equal(p.id, expected);
	pipeline_clear(&p);
}

static void test_newest_pipeline(void **state)
{
	struct store *s = fixture_store(*state);
	struct config *c = fixture_config("");
	struct err e = ERR_INIT;

	assert_newest(s, NULL, NULL, 0);
	(void)fixture_land(s, c, "/r", "main", "0", "1", "dev");
	(void)fixture_land(s, c, "/other/r", "main", "0", "1", "dev");
	(void)fixture_land(s, c, "/lab/r", "main", "0", "1", "dev");
	(void)fixture_land(s, c, "/lab/s", "main", "0", "1", "dev");
	assert_result(sqlite_run(s->db, &e,
			      "UPDATE pipeline SET gl_repository = 'project-7' WHERE id >= 3", ""),
		0, &e);
	assert_newest(s, NULL, NULL, 3);
	assert_newest(s, "/r", NULL, 1);
	assert_newest(s, NULL, "/r", 1);
	assert_newest(s, NULL, "/other/r", 2);
	assert_newest(s, NULL, "project-7", 3);
	assert_newest(s, NULL, "/lab/r", 0);
	assert_newest(s, "/lab/r", NULL, 3);
	config_free(c);
	store_close(s);
}

static void test_concurrent(void **state)
{
	int seen[WRITERS * EACH + 1] = {0}, ends[WRITERS][2], status;
	enum audit_verdict verdict;
	struct audit_report report;
	struct err e = ERR_INIT;

	for (int w = 0; w < WRITERS; w++) {
		pid_t pid;

		assert_int_equal(pipe(ends[w]), 0);
		pid = fork();
		if (pid == 0)
			write_some(*state, w, ends[w][1]);
		assert_true(pid > 0);
		(void)close(ends[w][1]);
	}
	for (int w = 0; w < WRITERS; w++) {
		int64_t id, last = 0;

		while (read(ends[w][0], &id, sizeof(id)) == (ssize_t)sizeof(id)) {
			assert_in_range(id, last + 1, WRITERS * EACH);
			assert_int_equal(seen[id]++, 0);
			last = id;
		}
		(void)close(ends[w][0]);
	}
	for (int w = 0; w < WRITERS; w++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (int id = 1; id <= WRITERS * EACH; id++)
		assert_int_equal(seen[id], 1);
	assert_result(audit_verify(*state, &verdict, &report, &e), 0, &e);
	assert_int_equal(verdict, AUDIT_VALID);
	assert_int_equal(report.records, 2 * WRITERS * EACH);
	audit_report_clear(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_find), scratch_test(test_shadowed),
		scratch_test(test_newest), scratch_test(test_pushes), scratch_test(test_used),
		scratch_test(test_used_ends), scratch_test(test_retrainings),
		scratch_test(test_retrainings_base), scratch_test(test_retrainings_taken),
		scratch_test(test_deployed), scratch_test(test_newest_pipeline),
		scratch_test(test_concurrent)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
