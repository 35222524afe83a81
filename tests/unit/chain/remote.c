/*
 * chain/remote: what the store keeps of pipelines on GitLab, and what others see of it: the numbers that
 * people know pipelines by, the runner, and what a store of an older version becomes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/remote.h"

#include "base/clock.h"
#include "chain/progress.h"
#include "chain/schedule.h"
#include "chain/store-internal.h"
#include "fixture.h"
#include "remote.h"
#include "stage/retraining.h"

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)

static struct store *s;
static struct config *here, *there;

static int open_both(void **state)
{
	int result = scratch_make(state);

	if (result != 0)
		return result;
	s = fixture_store(*state);
	here = fixture_config("");
	there = fixture_config(ON_GITLAB);
	return 0;
}

static int close_both(void **state)
{
	store_close(s);
	config_free(here);
	config_free(there);
	return scratch_remove(state);
}

#define store_test(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

static int64_t land_there(const char *repository, const char *branch, const char *chain)
{
	return fixture_land(s, there, repository, branch, "0", "2", chain);
}

static void test_add(void **state)
{
	struct remote r;
	struct err e = ERR_INIT;
	int64_t local = fixture_land(s, here, "/a", "main", "0", "1", "dev");
	int64_t id = land_there("/b", "main", "dev");

	(void)state;
	assert_result(remote_read(&r, s, local, &e), 0, &e);
	assert_result(remote_read(&r, s, id + 1, &e), 0, &e);
	r = must_read(s, id);
	assert_int_equal(r.pipeline, id);
	assert_int_equal(r.number, 0);
	assert_string_equal(r.sha, "");
	assert_string_equal(r.web_url, "");
	assert_int_equal(r.watch, REMOTE_ACTIVE);
	assert_int_equal(r.next_at, 0);
	assert_int_equal(r.tries, 0);
	assert_int_equal(r.asked_at, 0);
	assert_int_equal(r.doubt, REMOTE_CERTAIN);
	assert_int_equal(r.fit, REMOTE_UNSEEN);
	assert_string_equal(r.message, "");
	remote_clear(&r);
	assert_result(remote_add(s, id, &e), -1, &e); /* it is one already */
	err_clear(&e);
	assert_result(remote_add(s, 99, &e), -1, &e); /* no pipeline */
	err_clear(&e);
}

/* Each value comes back as it was saved. */
static void test_save(void **state)
{
	static const enum remote_watch watches[] = {REMOTE_CLOSED, REMOTE_ACTIVE, REMOTE_AWAITING};
	static const enum remote_fit fits[] = {REMOTE_UNSEEN, REMOTE_FIT, REMOTE_UNFIT};
	int64_t id = land_there("/r", "main", "dev"), other = land_there("/q", "main", "dev");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct remote r = must_read(s, id), got;

		free(r.sha);
		free(r.web_url);
		free(r.message);
		r.sha = mem_strdup("abc");
		r.web_url = mem_strdup("https://h/-/pipelines/7");
		r.message = mem_strdup("it's \"away\"");
		r.number = INT64_MAX - (int64_t)i;
		r.next_at = NOW + (int64_t)i;
		r.tries = 5;
		r.asked_at = NOW - 1;
		r.doubt = REMOTE_DOUBTFUL;
		r.watch = watches[i];
		r.fit = fits[i];
		must_save(s, &r);
		got = must_read(s, id);
		assert_int_equal(got.number, r.number);
		assert_string_equal(got.sha, r.sha);
		assert_string_equal(got.web_url, r.web_url);
		assert_string_equal(got.message, r.message);
		assert_int_equal(got.next_at, r.next_at);
		assert_int_equal(got.tries, 5);
		assert_int_equal(got.asked_at, NOW - 1);
		assert_int_equal(got.doubt, REMOTE_DOUBTFUL);
		if (got.watch != watches[i] || got.fit != fits[i])
			fail_msg("watch %d fit %d, not %d %d", (int)got.watch, (int)got.fit,
				(int)watches[i], (int)fits[i]);
		remote_clear(&got);
		remote_clear(&r);
		got = must_read(s, other);
		assert_int_equal(got.number, 0);
		assert_int_equal(got.watch, REMOTE_ACTIVE);
		remote_clear(&got);
	}
}

/* Who has read it before somebody asked for something puts it not to sleep again. */
static void test_woken_meanwhile(void **state)
{
	static const enum remote_watch watches[] = {REMOTE_CLOSED, REMOTE_ACTIVE, REMOTE_AWAITING};
	int64_t id = land_there("/r", "main", "dev");

	(void)state;
	for (int before = 0; before < 2; before++)
		for (size_t i = 0; i < 3; i++) {
			struct remote r = must_read(s, id), got;

			if (before) { /* as one that nobody has looked at yet */
				must_wake(s, id);
				remote_clear(&r);
				r = must_read(s, id);
			}
			must_wake(s, id);
			r.watch = watches[i];
			r.next_at = NOW;
			r.tries = 3;
			r.number = 70 + (int64_t)i;
			must_save(s, &r);
			got = must_read(s, id);
			if (got.watch != REMOTE_ACTIVE || got.next_at != 0 || got.tries != 0)
				fail_msg("%s, saved with watch %d: watch %d, next look at %lld, "
					 "%lld tries",
					before ? "woken before" : "not woken before",
					(int)watches[i], (int)got.watch, (long long)got.next_at,
					(long long)got.tries);
			assert_int_equal(got.number, 70 + (int64_t)i); /* nobody else writes that */
			/* what is read now is up to date, and counts */
			got.watch = watches[i];
			got.next_at = NOW;
			must_save(s, &got);
			remote_clear(&got);
			got = must_read(s, id);
			assert_int_equal(got.watch, watches[i]);
			assert_int_equal(got.next_at, NOW);
			remote_clear(&got);
			remote_clear(&r);
		}
}

/* A verb opens what was closed; of a pipeline that runs here there is nothing to wake. */
static void test_wake(void **state)
{
	struct err e = ERR_INIT;
	int64_t local = fixture_land(s, here, "/a", "main", "0", "1", "dev");
	int64_t id = land_there("/b", "main", "dev");
	struct remote r = must_read(s, id);

	(void)state;
	r.watch = REMOTE_CLOSED;
	r.next_at = NOW;
	r.tries = 9;
	must_save(s, &r);
	remote_clear(&r);
	must_wake(s, local);
	assert_result(remote_read(&r, s, local, &e), 0, &e);
	must_wake(s, id);
	r = must_read(s, id);
	assert_int_equal(r.watch, REMOTE_ACTIVE);
	assert_int_equal(r.next_at, 0);
	assert_int_equal(r.tries, 0);
	remote_clear(&r);
}

/* EXPECTED: "2 3" */
static void assert_due(const char *expected, int is_due, int64_t active)
{
	struct pipeline_ids ids = {0};
	struct remote_count count;
	struct err e = ERR_INIT;
	struct str text;

	str_init(&text);
	assert_result(remote_due(s, NOW, &ids, &e), 0, &e);
	for (size_t i = 0; i < ids.n; i++)
		str_addf(&text, "%s%lld", i > 0 ? " " : "", (long long)ids.v[i]);
	assert_string_equal(text.buf, expected);
	assert_result(remote_count(s, NOW, &count, &e), 0, &e);
	assert_int_equal(count.is_due, is_due);
	assert_int_equal(count.active, active);
	str_clear(&text);
	free(ids.v);
}

static void set(int64_t id, enum remote_watch watch, int64_t next_at)
{
	struct remote r = must_read(s, id);

	r.watch = watch;
	r.next_at = next_at;
	must_save(s, &r);
	remote_clear(&r);
}

static void test_due(void **state)
{
	static const struct {
		enum remote_watch watch;
		int64_t next_at;
		int is_due;
	} rows[] = {
		{REMOTE_ACTIVE, 0, 1},
		{REMOTE_ACTIVE, NOW, 1},
		{REMOTE_ACTIVE, NOW + 1, 0},
		{REMOTE_ACTIVE, NOW + REMOTE_MAX_WAIT, 0},
		/* nobody waits so long: the clock was set back */
		{REMOTE_ACTIVE, NOW + REMOTE_MAX_WAIT + 1, 1},
		{REMOTE_ACTIVE, INT64_MAX, 1},
		{REMOTE_AWAITING, NOW, 1},
		{REMOTE_AWAITING, NOW + 1, 0},
		{REMOTE_CLOSED, 0, 0},
		{REMOTE_CLOSED, INT64_MAX, 0},
	};
	int64_t one, two;

	(void)state;
	assert_due("", 0, 0);
	(void)fixture_land(s, here, "/a", "main", "0", "1", "dev");
	assert_due("", 0, 0);
	one = land_there("/b", "main", "dev");
	two = land_there("/c", "main", "dev");
	assert_int_equal(one, 2);
	assert_int_equal(two, 3);
	assert_due("2 3", 1, 2);
	set(one, REMOTE_CLOSED, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set(two, rows[i].watch, rows[i].next_at);
		assert_due(
			rows[i].is_due ? "3" : "", rows[i].is_due, rows[i].watch == REMOTE_ACTIVE);
	}
}

static void test_jobs(void **state)
{
	char build[] = "build", deploy[] = "deploy", url[] = "https://h/-/jobs/1";
	const struct remote_job jobs[] = {
		{build, 7, url, 0}, {deploy, 8, url, 0}, {build, 7, url, 1}, {build, 9, url, 0}};
	int64_t id = land_there("/r", "main", "dev"), other = land_there("/q", "main", "dev");
	struct remote_jobs l = {0};
	struct err e = ERR_INIT;

	(void)state;
	assert_result(remote_jobs(s, id, &l, &e), 0, &e);
	assert_int_equal(l.n, 0);
	assert_null(remote_jobs_find(&l, "build"));
	for (size_t i = 0; i < 4; i++) {
		const struct remote_job *got;

		assert_result(remote_set_job(s, id, &jobs[i], &e), 0, &e);
		remote_jobs_clear(&l);
		assert_result(remote_jobs(s, id, &l, &e), 0, &e);
		got = remote_jobs_find(&l, jobs[i].stage);
		assert_non_null(got);
		assert_int_equal(got->job, jobs[i].job);
		assert_int_equal(got->ended, jobs[i].ended);
		assert_string_equal(got->web_url, url);
	}
	assert_int_equal(l.n, 2);
	remote_jobs_clear(&l);
	assert_result(remote_jobs(s, other, &l, &e), 0, &e);
	assert_int_equal(l.n, 0);
}

/* ---- what others see ---- */

static void deploy(int64_t id)
{
	struct err e = ERR_INIT;

	assert_result(sqlite_run(s->db, &e,
			      "UPDATE stage SET status = 'success' WHERE pipeline = ?", "i", id),
		0, &e);
}

/* Pipeline 1 and 3 run here, 2 and 4 are GitLab's 70 and 3, 5 was not made yet. */
static void test_numbers(void **state)
{
	static const struct {
		const char *number;
		const char *commit; /* its digit, or "" */
	} rows[] = {
		{"1", "1"},
		{"2", ""},
		{"70", "2"},
		/* both have it: the one that came last */
		{"3", "4"},
		{"4", ""},
		{"5", ""},
		{"0", ""},
		{"71", ""},
		{"070", "2"},
		{"-70", ""},
	};
	const char *const names[] = {"1", "2", "70", "3", "4", "5"};
	struct retrainings l = {0};
	struct err e = ERR_INIT;
	struct str text;

	(void)state;
	(void)fixture_land(s, here, "/r", "retrain", "0", "1", "retrain");
	(void)fixture_land(s, there, "/r", "retrain", "1", "2", "retrain");
	(void)fixture_land(s, here, "/r", "retrain", "2", "3", "retrain");
	(void)fixture_land(s, there, "/r", "retrain", "3", "4", "retrain");
	assert_int_equal(fixture_land(s, there, "/r", "retrain", "4", "5", "retrain"), 5);
	set_number(s, 2, 70);
	set_number(s, 4, 3);
	for (int64_t id = 1; id <= 5; id++)
		deploy(id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *sha = NULL;
		int found = store_deployed(s, "/r", rows[i].number, "retrain", &sha, &e);

		if (found != (*rows[i].commit != '\0') || (found == 1 && sha[0] != *rows[i].commit))
			fail_msg("%s: %d, commit %.1s, not \"%s\"", rows[i].number, found,
				sha != NULL ? sha : "-", rows[i].commit);
		free(sha);
		sha = NULL;
		assert_result(store_deployed(s, "/q", rows[i].number, "retrain", &sha, &e), 0, &e);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *branch = mem_format("retrain-%s-20260101", names[i]);

		(void)fixture_land(s, here, "/r", branch, "0", "9", "");
		free(branch);
	}
	str_init(&text);
	assert_result(store_retrainings(s, "/r", &l, &e), 0, &e);
	for (size_t i = 0; i < l.n; i++)
		str_addf(&text, "%s%c", i > 0 ? " " : "",
			*l.v[i].before != '\0' ? l.v[i].before[0] : '-');
	assert_string_equal(text.buf, "1 - 2 3 4 - -");
	retrainings_clear(&l);
	str_clear(&text);
}

static void start(int64_t id)
{
	struct err e = ERR_INIT;

	assert_result(sqlite_run(s->db, &e,
			      "UPDATE stage SET status = 'running', attempt = 1"
			      " WHERE pipeline = ? AND position = 0",
			      "i", id),
		0, &e);
}

/* A runner that was killed has left what ran here, and nothing of GitLab's. */
static void test_resume(void **state)
{
	struct err e = ERR_INIT;
	int64_t local = fixture_land(s, here, "/a", "main", "0", "1", "dev");
	int64_t id = land_there("/b", "main", "dev");

	(void)state;
	start(local);
	start(id);
	assert_result(progress_resume(s, &e), 0, &e);
	assert_statuses(s, local, "pending: pending created created created");
	/* its status is as it was set up: nothing has touched it */
	assert_statuses(s, id, "pending: running created created created");
}

static void test_schedule(void **state)
{
	struct schedule q;
	struct err e = ERR_INIT;
	int64_t first = land_there("/one/r", "main", "dev");
	int64_t second = fixture_land(s, here, "/two/r", "main", "0", "1", "dev");
	int64_t third = fixture_land(s, here, "/two/x", "main", "0", "1", "dev");
	int64_t fourth = land_there("/three/r", "main", "dev");
	const struct schedule_row *next;

	(void)state;
	start(first);
	assert_result(schedule_load(&q, s, &e), 0, &e);
	assert_int_equal(q.n, 4);
	assert_int_equal(q.v[0].where, SCHEDULE_ON_GITLAB);
	assert_int_equal(q.v[0].status, STATUS_RUNNING);
	assert_int_equal(q.v[1].where, SCHEDULE_HERE);
	assert_int_equal(schedule_count(&q, SCHEDULE_HERE), 2);
	assert_int_equal(schedule_count(&q, SCHEDULE_ON_GITLAB), 2);
	/* the first holds its project's place, and no slot */
	next = schedule_next(&q, 1, NOW);
	assert_non_null(next);
	assert_int_equal(next->pipeline, third);
	assert_int_equal(schedule_is_held(&q, first), 0);
	assert_int_equal(schedule_is_held(&q, second), 1);
	assert_int_equal(schedule_is_held(&q, third), 0);
	assert_int_equal(schedule_is_held(&q, fourth), 1);
	assert_int_equal(schedule_is_held(&q, 99), 0);
	schedule_clear(&q);
	start(third);
	assert_result(schedule_load(&q, s, &e), 0, &e);
	assert_null(schedule_next(&q, 2, NOW)); /* GitLab's are never started here */
	schedule_clear(&q);
}

/* A store that was made before pipelines could run on GitLab keeps what it has. */
static void test_upgrade(void **state)
{
	struct err e = ERR_INIT;
	int64_t id = fixture_land(s, here, "/r", "main", "0", "1", "dev"), one;

	assert_result(sqlite_run(s->db, &e, "DROP TABLE remote_job", ""), 0, &e);
	assert_result(sqlite_run(s->db, &e, "DROP TABLE remote", ""), 0, &e);
	assert_result(
		sqlite_run(s->db, &e, "DELETE FROM schema WHERE component = 'remote'", ""), 0, &e);
	store_close(s);
	s = fixture_store(*state);
	assert_result(sqlite_one(s->db, &one, &e,
			      "SELECT version FROM schema WHERE component = 'chain'", ""),
		1, &e);
	assert_int_equal(one, 4);
	assert_statuses(s, id, "pending: pending created created created");
	assert_due("", 0, 0);
	assert_int_equal(land_there("/r", "prod", "prod"), id + 1);
	assert_due("2", 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(test_add),
		store_test(test_save),
		store_test(test_woken_meanwhile),
		store_test(test_wake),
		store_test(test_due),
		store_test(test_jobs),
		store_test(test_numbers),
		store_test(test_resume),
		store_test(test_schedule),
		store_test(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
