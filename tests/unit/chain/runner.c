/*
 * chain/runner: real processes in place of stages; order, exclusion, faults, and what a dead runner
 * leaves.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "chain/progress.h"
#include "chain/runner.h"
#include "fixture.h"
#include "sys/files.h"
#include "sys/lock.h"

#define DEADLINE (30 * CLOCK_SECOND)

/*
 * In front of each test's own lines: what the stage is, in words.  trace: a line for each start;
 * wait_for FILE ends when it is there, or with the status 9 after far too long.
 */
static const char prelude[] = "cd \"$(dirname \"$2\")\"\n"
			      "repository=$(basename \"$4\" .git) id=$7 stage=$8\n"
			      "wait_for() { i=0; while [ ! -e \"$1\" ]; do i=$((i + 1)); "
			      "[ $i -lt 3000 ] || exit 9; sleep 0.01; done; }\n"
			      "echo $id $stage >> trace\n";

struct world {
	const char *state;
	struct store *s;
	struct config *config;
	char *system_file;
	char *script;
	const char *program[3];
};

static void write_file(const char *path, const char *text, const char *more)
{
	char *all = mem_format("%s%s", text, more);
	struct err e = ERR_INIT;

	assert_result(files_replace(path, all, strlen(all), 0600, &e), 0, &e);
	free(all);
}

static struct world world_make(const char *state, const char *config, const char *script)
{
	struct world w = {.state = state};
	char *text = mem_format("[modelgate]\nstate = %s\n", state);

	w.system_file = path_join(state, "system.ini");
	write_file(w.system_file, text, config);
	w.script = path_join(state, "stage.sh");
	write_file(w.script, prelude, script);
	w.program[0] = "/bin/sh";
	w.program[1] = w.script;
	w.s = fixture_store(state);
	w.config = fixture_config("");
	free(text);
	return w;
}

static void world_clear(struct world *w)
{
	config_free(w->config);
	store_close(w->s);
	free(w->system_file);
	free(w->script);
}

/*
 * A pipeline of CHAIN for a push of the commit NEW to BRANCH of NAME, a repository beside the
 * store.
 */
static int64_t land(struct world *w, const char *name, const char *branch, const char *new)
{
	char *path = mem_format("%s/%s.git", w->state, name);
	struct err e = ERR_INIT;
	int64_t id;

	assert_result(files_make_folder(path, 0700, &e), 0, &e);
	id = fixture_land(w->s, w->config, path, branch, "0", new,
		strcmp(branch, "main") == 0 ? "dev" : branch);
	free(path);
	return id;
}

static int run(const struct world *w, enum runner_mode mode, enum runner_lock lock, struct err *e)
{
	const struct runner_options o = {.state = w->state,
		.system_file = w->system_file,
		.parallel = 2,
		.mode = mode,
		.lock = lock,
		.program = w->program};

	return runner_run(&o, e);
}

static void drain(const struct world *w)
{
	struct err e = ERR_INIT;

	assert_result(run(w, RUNNER_DRAIN, RUNNER_WAIT, &e), 0, &e);
}

/* A runner in a process of its own.  No connection to SQLite may be carried over a fork. */
static pid_t start_service(struct world *w)
{
	struct err e = ERR_INIT;
	pid_t pid;

	store_close(w->s);
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGALRM, SIG_DFL);
		(void)alarm(120); /* should the test die */
		_exit(run(w, RUNNER_SERVICE, RUNNER_WAIT, &e) == 0 ? 0 : 1);
	}
	assert_true(pid > 0);
	w->s = fixture_store(w->state);
	return pid;
}

static void wait_for_file(const char *path)
{
	int64_t deadline = clock_monotonic() + DEADLINE;

	while (!files_exists(path)) {
		if (clock_monotonic() > deadline)
			fail_msg("%s did not appear", path);
		(void)poll(NULL, 0, 10);
	}
}

static void wait_for_statuses(struct world *w, int64_t id, const char *expected)
{
	int64_t deadline = clock_monotonic() + DEADLINE;

	for (;;) {
		char *got = fixture_statuses(w->s, id);
		int same = strcmp(got, expected) == 0;

		if (!same && clock_monotonic() > deadline)
			fail_msg("pipeline %lld stays \"%s\", not \"%s\"", (long long)id, got,
				expected);
		free(got);
		if (same)
			return;
		(void)poll(NULL, 0, 10);
	}
}

static char *read_file(const char *path)
{
	struct str text;
	struct err e = ERR_INIT;

	str_init(&text);
	assert_true(files_read(path, 100000, &text, &e) >= 0);
	return str_steal(&text);
}

static void assert_file(const char *path, const char *expected)
{
	char *text = read_file(path);

	assert_string_equal(text, expected);
	free(text);
}

static struct pipeline_stage stage_of(struct world *w, int64_t id, size_t at, char **message)
{
	struct pipeline p;
	struct pipeline_stage stage;
	struct err e = ERR_INIT;

	assert_result(pipeline_read(&p, w->s, id, &e), 1, &e);
	stage = p.stages[at];
	*message = mem_strdup(stage.message);
	pipeline_clear(&p);
	return stage;
}

/* A process whose number the script wrote to PATH is gone, or about to be. */
static void assert_ends(const char *path)
{
	int64_t deadline = clock_monotonic() + DEADLINE;
	char *text = read_file(path), *newline = strchr(text, '\n'), *proc;

	assert_non_null(newline);
	*newline = '\0';
	proc = mem_format("/proc/%s/stat", text);
	for (;;) {
		struct str s;
		int there;

		str_init(&s);
		there = files_read(proc, 10000, &s, NULL) == 1 && strstr(s.buf, ") Z ") == NULL;
		str_clear(&s);
		if (!there)
			break;
		if (clock_monotonic() > deadline)
			fail_msg("process %s goes on", text);
		(void)poll(NULL, 0, 10);
	}
	free(proc);
	free(text);
}

static void stop(pid_t pid, int signal, int expected)
{
	int status;

	assert_int_equal(kill(pid, signal), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, expected);
}

static void test_chain(void **state)
{
	struct world w = world_make(*state, "", "echo out of $stage; echo and this >&2\n");
	char *log;

	(void)land(&w, "r", "main", "1");
	drain(&w);
	assert_statuses(w.s, 1, "success: success success success success");
	assert_file("trace", "1 build\n1 create-model\n1 deploy\n1 stage-model\n");
	log = read_file("logs/1/build.log");
	assert_non_null(
		strstr(log, "pipeline 1, stage build, attempt 1\nout of build\nand this\n"));
	free(log);
	assert_events(*state,
		"ref.updated pipeline.created stage.started stage.finished stage.started "
		"stage.finished stage.started stage.finished stage.started stage.finished "
		"pipeline.finished");
	world_clear(&w);
}

/* Stages of one project and environment: one at a time, pipeline after pipeline. */
static void test_order(void **state)
{
	struct world w = world_make(
		*state, "", "mkdir at-work || echo overlap >> trace\nsleep 0.02\nrmdir at-work\n");

	(void)land(&w, "r", "main", "1");
	(void)land(&w, "r", "retrain", "1");
	(void)land(&w, "r", "main", "2");
	drain(&w);
	assert_file("trace", "1 build\n1 create-model\n1 deploy\n1 stage-model\n2 build\n2 deploy\n"
			     "3 build\n3 create-model\n3 deploy\n3 stage-model\n");
	world_clear(&w);
}

/* Two projects meet: each stage waits until the other's has begun too. */
static void test_side_by_side(void **state)
{
	struct world w = world_make(
		*state, "", ": > $repository-$stage; wait_for r-$stage; wait_for q-$stage\n");

	(void)land(&w, "r", "main", "1");
	(void)land(&w, "q", "main", "1");
	drain(&w);
	assert_statuses(w.s, 1, "success: success success success success");
	assert_statuses(w.s, 2, "success: success success success success");
	world_clear(&w);
}

static void test_failure(void **state)
{
	struct world w = world_make(*state, "", "[ $stage != create-model ] || exit 1\n");
	struct pipeline_stage stage;
	char *message;

	(void)land(&w, "r", "main", "1");
	drain(&w);
	assert_statuses(w.s, 1, "failed: success failed created created");
	stage = stage_of(&w, 1, 1, &message);
	assert_int_equal(stage.attempt, 1);
	assert_string_equal(message, "exit status 1");
	free(message);
	world_clear(&w);
}

/* "75" twice, then success; with retries = 1 the second failure is the last. */
static void test_passing_failure(void **state)
{
	static const char script[] = "[ $(grep -c \"$id build\" trace) -gt 2 ] || exit 75\n";
	struct world w = world_make(*state, "[runner]\nretries = 2\n", script);
	struct pipeline_stage stage;
	char *message;

	(void)land(&w, "r", "retrain", "1");
	drain(&w);
	assert_statuses(w.s, 1, "success: success success");
	stage = stage_of(&w, 1, 0, &message);
	free(message);
	assert_int_equal(stage.attempt, 3);
	world_clear(&w);
	w = world_make(*state, "[runner]\nretries = 1\n", script);
	(void)land(&w, "r", "retrain", "2");
	drain(&w);
	assert_statuses(w.s, 2, "failed: failed created");
	stage = stage_of(&w, 2, 0, &message);
	free(message);
	assert_int_equal(stage.attempt, 2);
	world_clear(&w);
}

/* The whole group ends, also the part that does not listen to SIGTERM. */
static void test_time_out(void **state)
{
	struct world w = world_make(*state, "[runner]\nstage-timeout = 1\n",
		"trap '' TERM\necho $$ > leader\nsleep 600 &\necho $! > child\nwait\nwait\n");
	struct pipeline_stage stage;
	char *message;

	(void)land(&w, "r", "main", "1");
	drain(&w);
	assert_statuses(w.s, 1, "failed: failed created created created");
	stage = stage_of(&w, 1, 0, &message);
	assert_int_equal(stage.attempt, 1);
	assert_string_equal(message, "timed out after 1 s");
	assert_ends("leader");
	assert_ends("child");
	free(message);
	world_clear(&w);
}

/* What a stage leaves running in its group ends with it. */
static void test_leftovers(void **state)
{
	struct world w = world_make(*state, "", "sleep 600 &\necho $! > child\n");

	(void)land(&w, "r", "retrain", "1");
	drain(&w);
	assert_statuses(w.s, 1, "success: success success");
	assert_ends("child");
	world_clear(&w);
}

static void test_killed_runner(void **state)
{
	struct world w = world_make(*state, "", "echo $$ > leader\n: > begun\nwait_for go\n");
	struct pipeline_stage stage;
	char *message;
	pid_t pid;

	(void)land(&w, "r", "retrain", "1");
	pid = start_service(&w);
	wait_for_file("begun");
	wait_for_statuses(&w, 1, "running: running created");
	stop(pid, SIGKILL, SIGKILL);
	assert_ends("leader");
	write_file("go", "", "");
	drain(&w);
	assert_statuses(w.s, 1, "success: success success");
	assert_file("trace", "1 build\n1 build\n1 deploy\n");
	stage = stage_of(&w, 1, 0, &message);
	free(message);
	assert_int_equal(stage.attempt, 2);
	assert_int_equal(stage.failures, 0);
	world_clear(&w);
}

static void test_stopped_runner(void **state)
{
	struct world w = world_make(*state, "", "echo $$ > leader\n: > begun\nwait_for go\n");
	struct pipeline_stage stage;
	char *message;
	pid_t pid;

	(void)land(&w, "r", "retrain", "1");
	pid = start_service(&w);
	wait_for_file("begun");
	stop(pid, SIGTERM, 0);
	assert_statuses(w.s, 1, "pending: pending created");
	stage = stage_of(&w, 1, 0, &message);
	free(message);
	assert_int_equal(stage.failures, 0);
	assert_ends("leader");
	write_file("go", "", "");
	drain(&w);
	assert_statuses(w.s, 1, "success: success success");
	world_clear(&w);
}

static void test_cancel(void **state)
{
	const struct actor who = {(char *)"uid-2", (char *)"petrova", (char *)"local"};
	struct world w = world_make(*state, "", "echo $$ > leader\n: > begun\nwait_for go\n");
	struct err e = ERR_INIT;
	pid_t pid;

	(void)land(&w, "r", "retrain", "1");
	pid = start_service(&w);
	wait_for_file("begun");
	assert_result(progress_ask(w.s, PROGRESS_CANCEL, 1, NULL, &who, &e), 1, &e);
	wait_for_statuses(&w, 1, "canceled: canceled canceled");
	assert_ends("leader");
	stop(pid, SIGTERM, 0);
	assert_events(*state, "ref.updated pipeline.created stage.started pipeline.canceled "
			      "stage.finished pipeline.finished");
	world_clear(&w);
}

/* A cancel of a stage whose runner was killed is carried out by the next one, to the last file. */
static void test_cancel_of_orphan(void **state)
{
	const struct actor who = {(char *)"uid-2", (char *)"petrova", (char *)"local"};
	struct world w = world_make(*state, "", ": > begun\nwait_for go\n");
	struct err e = ERR_INIT;
	char *folder;
	pid_t pid;

	(void)land(&w, "r", "retrain", "1");
	pid = start_service(&w);
	wait_for_file("begun");
	stop(pid, SIGKILL, SIGKILL);
	folder = mem_format("%s/work/1-build-1/context", (const char *)*state);
	assert_int_equal(files_make_folder(folder, 0700, &e), 0);
	assert_result(progress_ask(w.s, PROGRESS_CANCEL, 1, NULL, &who, &e), 1, &e);
	drain(&w);
	assert_int_equal(files_exists(folder), 0);
	free(folder);
	assert_statuses(w.s, 1, "canceled: canceled canceled");
	world_clear(&w);
}

static void test_one_runner(void **state)
{
	struct world w = world_make(*state, "", "");
	struct err e = ERR_INIT;
	int lock;

	(void)land(&w, "r", "retrain", "1");
	assert_result(files_make_folder("run", 0700, &e), 0, &e);
	assert_result(lock_take(&lock, "run/runner.lock", LOCK_TRY, 0, &e), 1, &e);
	assert_result(run(&w, RUNNER_DRAIN, RUNNER_NO_WAIT, &e), 0, &e);
	assert_statuses(w.s, 1, "pending: pending created");
	lock_drop(lock);
	assert_result(run(&w, RUNNER_DRAIN, RUNNER_NO_WAIT, &e), 0, &e);
	assert_statuses(w.s, 1, "success: success success");
	world_clear(&w);
}

#define WAKERS 4
#define WAKES 5

/* Who pushes: lands a pipeline, and wakes a runner that leaves the work to one that is there. */
static void land_and_wake(struct world *w, int waker)
{
	struct err e = ERR_INIT;

	(void)alarm(120); /* should the test die */
	w->s = fixture_store(w->state);
	for (int i = 0; i < WAKES; i++) {
		char *name = mem_format("r%d-%d", waker, i);

		(void)land(w, name, "retrain", "1");
		free(name);
		if (run(w, RUNNER_DRAIN, RUNNER_NO_WAIT, &e) != 0)
			_exit(1);
	}
	_exit(0);
}

/* However wakes and ends of runners meet: when all have ended nothing is left. */
static void test_no_wake_is_lost(void **state)
{
	struct world w = world_make(*state, "", "");
	int status;

	store_close(w.s);
	for (int i = 0; i < WAKERS; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			land_and_wake(&w, i);
	}
	for (int i = 0; i < WAKERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	w.s = fixture_store(*state);
	for (int64_t id = 1; id <= WAKERS * WAKES; id++)
		assert_statuses(w.s, id, "success: success success");
	world_clear(&w);
}

static void test_broken_config(void **state)
{
	struct world w = world_make(*state, "", "");
	char *message, *log;

	(void)land(&w, "r", "main", "1");
	write_file("r.git/modelgate.ini", "[no-such-section]\n", "x = y\n");
	drain(&w);
	assert_statuses(w.s, 1, "failed: failed created created created");
	(void)stage_of(&w, 1, 0, &message);
	log = read_file("logs/1/build.log");
	assert_non_null(strstr(message, "no-such-section"));
	assert_non_null(strstr(log, message));
	assert_false(files_exists("trace"));
	free(message);
	free(log);
	world_clear(&w);
}

/* Two pipelines of prod wait for a hand; the newer one is played. */
static void test_overtaken(void **state)
{
	const struct actor who = {(char *)"uid-2", (char *)"petrova", (char *)"local"};
	struct world w = world_make(*state, "", "");
	struct err e = ERR_INIT;

	(void)land(&w, "r", "prod", "1");
	(void)land(&w, "r", "prod", "2");
	assert_result(progress_ask(w.s, PROGRESS_PLAY, 1, "build", &who, &e), 1, &e);
	drain(&w);
	assert_statuses(w.s, 1, "manual: success manual created");
	assert_statuses(w.s, 2, "manual: manual created created");
	assert_result(progress_ask(w.s, PROGRESS_PLAY, 2, "build", &who, &e), 1, &e);
	drain(&w);
	assert_statuses(w.s, 1, "skipped: success skipped skipped");
	assert_statuses(w.s, 2, "manual: success manual created");
	assert_result(progress_ask(w.s, PROGRESS_PLAY, 1, "deploy", &who, &e), 0, &e);
	assert_non_null(strstr(err_text(&e), "newer"));
	assert_result(progress_ask(w.s, PROGRESS_PLAY, 2, "no-such-stage", &who, &e), 0, &e);
	assert_result(progress_ask(w.s, PROGRESS_PLAY, 3, "build", &who, &e), 0, &e);
	assert_file("trace", "1 build\n2 build\n");
	err_clear(&e);
	world_clear(&w);
}

/* An older pipeline failed; a newer one has started; the older one is not tried again over it. */
static void test_no_retry_over_newer(void **state)
{
	const struct actor who = {(char *)"uid-2", (char *)"petrova", (char *)"local"};
	struct world w = world_make(*state, "", "[ $id != 1 ] || exit 1\n");
	struct err e = ERR_INIT;

	(void)land(&w, "r", "retrain", "1");
	drain(&w);
	assert_statuses(w.s, 1, "failed: failed created");
	assert_result(progress_ask(w.s, PROGRESS_RETRY, 1, "build", &who, &e), 1, &e);
	drain(&w);
	assert_statuses(w.s, 1, "failed: failed created");
	(void)land(&w, "r", "retrain", "2");
	drain(&w);
	assert_statuses(w.s, 1, "failed: failed skipped");
	assert_statuses(w.s, 2, "success: success success");
	assert_result(progress_ask(w.s, PROGRESS_RETRY, 1, "build", &who, &e), 0, &e);
	err_clear(&e);
	world_clear(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_chain), scratch_test(test_order),
		scratch_test(test_side_by_side), scratch_test(test_failure),
		scratch_test(test_passing_failure), scratch_test(test_time_out),
		scratch_test(test_leftovers), scratch_test(test_killed_runner),
		scratch_test(test_stopped_runner), scratch_test(test_cancel),
		scratch_test(test_cancel_of_orphan), scratch_test(test_one_runner),
		scratch_test(test_no_wake_is_lost), scratch_test(test_broken_config),
		scratch_test(test_overtaken), scratch_test(test_no_retry_over_newer)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
