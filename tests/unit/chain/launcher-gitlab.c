/* chain/launcher-gitlab: one look at a time, against a server that answers as a test says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/launcher-gitlab.h"

#include "chain/progress.h"
#include "chain/slot.h"
#include "chain/store-internal.h"
#include "gitlab-bench.h"

#define JOB(id, name, status)                                                                      \
	"{\"id\":" id ",\"name\":\"dev:" name "\",\"status\":\"" status                            \
	"\",\"web_url\":\"http://h/-/jobs/" id "\",\"user\":{\"id\":18,\"username\":\"petrova\"}}"
#define LIST(jobs) OK("[" jobs "]")
#define REPORT                                                                                     \
	OK("{\"stage\":\"build\",\"status\":\"success\",\"passing\":false,\"facts\":{\"image\":"   \
	   "\"i\"}}")
#define NO_REPORT ANSWER("404 Not Found", "", "{\"message\":\"404 Not Found\"}")
#define TRACE OK("building\ndone\n")

/* Look at what is due once. */
static void look(struct bench *b)
{
	struct err e = ERR_INIT;

	assert_result(launcher_gitlab_follow(b->state, b->system_file, &e), 0, &e);
}

/* GitLab has made pipeline 61 for the first one of ours, which it takes for what it is. */
static void made(struct bench *b)
{
	struct remote r = must_read(b->s, 1);

	r.number = 61;
	r.fit = REMOTE_FIT;
	free(r.sha);
	r.sha = mem_strdup(SHA);
	must_save(b->s, &r);
	remote_clear(&r);
}

static void run(struct bench *b, const char *sql)
{
	struct err e = ERR_INIT;

	assert_result(sqlite_run(b->s->db, &e, sql, ""), 0, &e);
}

/* The first stage runs as job 70 of GitLab's. */
static void running(struct bench *b)
{
	char stage[] = "build", url[] = "http://h/-/jobs/70";
	const struct remote_job job = {stage, 70, url, 0};
	struct err e = ERR_INIT;

	made(b);
	assert_result(progress_start_job(b->s, 1, &job, &e), 1, &e);
}

static void assert_job(struct bench *b, int64_t job, int ended)
{
	struct remote_jobs l;
	struct err e = ERR_INIT;
	const struct remote_job *got;

	assert_result(remote_jobs(b->s, 1, &l, &e), 0, &e);
	got = remote_jobs_find(&l, "build");
	assert_non_null(got);
	if (got->job != job || got->ended != ended)
		fail_msg("job %lld, ended %lld, not %lld, %d", (long long)got->job,
			(long long)got->ended, (long long)job, ended);
	remote_jobs_clear(&l);
}

/* One look at a stage that is pending, or runs as job 70. */
static void test_looks(void **state)
{
	static const struct {
		const char *name;
		const char *answers[8];
		int is_running;
		const char *statuses;
		const char *requests;
		int64_t job;
		int ended;
	} rows[] = {
		{"nothing new", {LIST(JOB("70", "build", "running"))}, 1,
			"running: running created created created", "jobs", 70, 0},
		{"started",
			{LIST(JOB("70", "build", "running")), LIST(JOB("70", "build", "running"))},
			0, "running: running created created created", "jobs jobs", 70, 0},
		{"succeeded",
			{LIST(JOB("70", "build", "success")), REPORT, TRACE,
				LIST(JOB("70", "build", "success") "," JOB(
					"71", "create-model", "pending"))},
			1, "running: success pending created created", "jobs report trace jobs", 70,
			1},
		{"failed",
			{LIST(JOB("70", "build", "failed")), NO_REPORT, TRACE,
				LIST(JOB("70", "build", "failed"))},
			1, "failed: failed created created created", "jobs report trace jobs", 70,
			1},
		/* GitLab has run it again by itself: the new job goes on, and is not run a second time */
		{"replaced by one that runs",
			{LIST(JOB("71", "build", "running")), NO_REPORT, TRACE,
				LIST(JOB("71", "build", "running")),
				LIST(JOB("71", "build", "running"))},
			1, "running: running created created created",
			"jobs report trace jobs jobs", 71, 0},
		{"replaced by one that waits",
			{LIST(JOB("71", "build", "pending")), NO_REPORT, TRACE,
				LIST(JOB("71", "build", "pending"))},
			1, "pending: pending created created created", "jobs report trace jobs", 70,
			1},
		{"replaced by one that has ended",
			{LIST(JOB("71", "build", "success")), NO_REPORT, TRACE,
				LIST(JOB("71", "build", "success")),
				LIST(JOB("71", "build", "success")), REPORT, TRACE},
			1, "running: success pending created created",
			"jobs report trace jobs jobs report trace", 71, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		char *got, *store = path_join(*state, "store.db");

		bench_open(&b, *state, rows[i].answers);
		(void)bench_land(&b, "dev");
		if (rows[i].is_running)
			running(&b);
		else
			made(&b);
		look(&b);
		got = fixture_statuses(b.s, 1);
		if (strcmp(got, rows[i].statuses) != 0)
			fail_msg("%s: %s, not %s", rows[i].name, got, rows[i].statuses);
		free(got);
		got = bench_requests(&b);
		if (!str_starts(got, rows[i].requests))
			fail_msg("%s: asked %s, not %s", rows[i].name, got, rows[i].requests);
		free(got);
		assert_job(&b, rows[i].job, rows[i].ended);
		bench_close(&b);
		assert_int_equal(unlink(store), 0);
		free(store);
	}
}

/* A page of 17 MB, which is more than is read of a log, and more than a report may have; the caller's. */
static char *long_answer(void)
{
	size_t n = 17U << 20;
	char *text = mem_zalloc(n + 200, 1);
	int head = snprintf(text, 200, "%s", OK(""));

	assert_true(head > 0);
	memset(text + head, 'x', n);
	return text;
}

/* A log that is longer than any that is kept is cut; it stops no stage. */
static void test_long(void **state)
{
	char *answer = long_answer(), *got;
	const char *const answers[] = {LIST(JOB("70", "build", "success")), answer, answer, NULL};
	char *log;
	struct str text;
	struct bench b;

	bench_open(&b, *state, answers);
	(void)bench_land(&b, "dev");
	running(&b);
	look(&b);
	got = fixture_statuses(b.s, 1);
	assert_string_equal(got, "running: success pending created created");
	free(got);
	log = slot_log_path(b.state, 1, "build");
	str_init(&text);
	assert_int_equal(files_read(log, 64 << 20, &text, NULL), 1);
	assert_in_range(text.len, GITLAB_MAX_TRACE, GITLAB_MAX_TRACE + 200);
	str_clear(&text);
	free(log);
	bench_close(&b);
	free(answer);
}

/* A branch that was moved by force: one pipeline is made, canceled, and no other while nobody asks for one. */
static void test_unfit(void **state)
{
	static const struct {
		const char *chain_sql; /* how the first stage starts */
		const char *after;     /* its pipeline's statuses */
	} rows[] = {
		{"UPDATE stage SET manual = 0", "failed: failed created created created"},
		{"UPDATE stage SET status = 'manual', manual = 1 WHERE position = 0",
			"manual: manual created created created"},
	};
	const char *const answers[] = {PARENTS, NONE, MADE(PIPELINE("61", OTHER_SHA)),
		OK("{\"id\":\"4444444444444444444444444444444444444444\"}"),
		LIST(JOB("70", "build", "running")), MADE("{}"), LIST(JOB("70", "build", "failed")),
		LIST(JOB("70", "build", "failed")), LIST(JOB("70", "build", "failed")), NULL};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *store = path_join(*state, "store.db"), *got;
		struct bench b;

		bench_open(&b, *state, answers);
		(void)bench_land(&b, "dev");
		run(&b, rows[i].chain_sql);
		if (i == 1)
			run(&b, "UPDATE pipeline SET status = 'manual'");
		for (int k = 0; k < 5; k++) {
			look(&b);
			run(&b, "UPDATE remote SET next_at = 0");
		}
		got = fixture_statuses(b.s, 1);
		if (strcmp(got, rows[i].after) != 0)
			fail_msg("%s: %s", rows[i].chain_sql, got);
		free(got);
		got = bench_requests(&b);
		if (!str_starts(got, "commit merge-requests create merge-base jobs cancel:61 jobs"))
			fail_msg("%s: asked %s", rows[i].chain_sql, got);
		if (strstr(strstr(got, "create") + 1, "create") != NULL)
			fail_msg("%s: another one was made: %s", rows[i].chain_sql, got);
		free(got);
		bench_close(&b);
		assert_int_equal(unlink(store), 0);
		free(store);
	}
}

/* A job that GitLab skips fails its stage, in words. */
static void test_skipped(void **state)
{
	const char *const answers[] = {
		LIST("{\"id\":69,\"name\":\"lint\",\"status\":\"failed\"}," JOB(
			"70", "build", "skipped")),
		LIST("{\"id\":69,\"name\":\"lint\",\"status\":\"failed\"}," JOB(
			"70", "build", "skipped")),
		NULL};
	struct bench b;
	struct pipeline p;
	struct err e = ERR_INIT;
	char *got;

	bench_open(&b, *state, answers);
	(void)bench_land(&b, "dev");
	made(&b);
	look(&b);
	got = fixture_statuses(b.s, 1);
	assert_string_equal(got, "failed: failed created created created");
	free(got);
	assert_result(pipeline_read(&p, b.s, 1, &e), 1, &e);
	if (strstr(p.stages[0].message, "GitLab skips the job dev:build") == NULL)
		fail_msg("the stage says \"%s\"", p.stages[0].message);
	pipeline_clear(&p);
	bench_close(&b);
}

/* Canceled here before GitLab answered: nothing is made there any more, and nothing more is looked for. */
static void test_ended_before_made(void **state)
{
	const char *const answers[] = {NONE, NONE, NULL};
	struct actor actor = {0};
	char id[] = "user-18", name[] = "petrova", protocol[] = "web";
	struct err e = ERR_INIT;
	struct bench b;
	struct remote r;

	bench_open(&b, *state, answers);
	(void)bench_land(&b, "dev");
	r = must_read(b.s, 1);
	r.asked_at = clock_now() - 500 * CLOCK_SECOND;
	r.doubt = REMOTE_UNANSWERED;
	must_save(b.s, &r);
	remote_clear(&r);
	actor = (struct actor){.id = id, .name = name, .protocol = protocol};
	assert_result(progress_ask(b.s, PROGRESS_CANCEL, 1, NULL, &actor, &e), 1, &e);
	look(&b);
	look(&b);
	assert_requests(&b, "of-commit of-branch", "a canceled one");
	r = must_read(b.s, 1);
	assert_int_equal(r.watch, REMOTE_CLOSED);
	assert_int_equal(r.number, 0);
	remote_clear(&r);
	bench_close(&b);
}

/* What GitLab says yes to and does not do is asked again, but ever less often. */
static void test_pauses(void **state)
{
	const char *const answers[] = {LIST(JOB("70", "build", "pending")), MADE("{}"),
		LIST(JOB("70", "build", "pending")), MADE("{}"),
		LIST(JOB("70", "build", "pending")), MADE("{}"),
		LIST(JOB("70", "build", "pending")), MADE("{}"), NULL};
	char id[] = "user-18", name[] = "petrova", protocol[] = "web";
	const struct actor actor = {.id = id, .name = name, .protocol = protocol};
	struct err e = ERR_INIT;
	struct bench b;

	bench_open(&b, *state, answers);
	(void)bench_land(&b, "dev");
	made(&b);
	assert_result(progress_ask(b.s, PROGRESS_CANCEL, 1, NULL, &actor, &e), 1, &e);
	for (int k = 0; k < 4; k++) {
		int64_t before = clock_now(), pause;
		struct remote r;

		look(&b);
		r = must_read(b.s, 1);
		pause = (r.next_at - before) / CLOCK_SECOND;
		if (pause < 1 << k || r.watch != REMOTE_ACTIVE)
			fail_msg("look %d: the next after %lld seconds, watch %d", k,
				(long long)pause, (int)r.watch);
		remote_clear(&r);
		run(&b, "UPDATE remote SET next_at = 0");
	}
	assert_requests(
		&b, "jobs cancel:61 jobs cancel:61 jobs cancel:61 jobs cancel:61", "a cancel");
	bench_close(&b);
}

/* Somebody on GitLab's page: what is done there is done here in that name. */
static void test_actor(void **state)
{
	const char *const answers[] = {
		LIST(JOB("70", "build", "canceled")), LIST(JOB("70", "build", "canceled")), NULL};
	struct bench b;

	bench_open(&b, *state, answers);
	(void)bench_land(&b, "dev");
	made(&b);
	look(&b);
	assert_statuses(b.s, 1, "canceled: canceled canceled canceled canceled");
	assert_events(b.state, "ref.updated pipeline.created pipeline.canceled pipeline.finished");
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_looks),
		scratch_test(test_long),
		scratch_test(test_unfit),
		scratch_test(test_skipped),
		scratch_test(test_ended_before_made),
		scratch_test(test_pauses),
		scratch_test(test_actor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
