/* common/sys/spawn: what a started program gets, what it does not get, and when it ends. */
#define _GNU_SOURCE /* mkdtemp, pipe2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "surroundings.h"
#include "sys/paths.h"
#include "sys/spawn.h"

#define DEADLINE_MS 20000 /* never waited for in full unless something is broken */

/* The script puts the numbers of its open descriptors into $fds; it opens none to find out. */
#define FIND_DESCRIPTORS                                                                           \
	"fds=; for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 63 79; do "        \
	"[ -e /proc/$$/fd/$i ] && fds=\"$fds $i\"; done; "
#define DESCRIPTORS FIND_DESCRIPTORS "echo $fds"

static void capture(const struct spawn *s, size_t max, struct str *out, int expected)
{
	struct err e = ERR_INIT;
	int status;

	if (spawn_capture(s, max, out, &status, &e) != 0)
		fail_msg("%s", err_text(&e));
	if (status != expected)
		fail_msg("status %d instead of %d, output \"%s\"", status, expected, out->buf);
}

/* Run SCRIPT as S says otherwise; its output must be EXPECTED. */
static void assert_says(struct spawn s, const char *script, const char *expected)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct str out;

	str_init(&out);
	s.argv = argv;
	capture(&s, 10000, &out, 0);
	assert_string_equal(out.buf, expected);
	str_clear(&out);
}

static void assert_refused(int result, struct err *e, const char *why)
{
	if (result != -1 || strstr(err_text(e), why) == NULL)
		fail_msg("%d, \"%s\" instead of -1, \"... %s ...\"", result, err_text(e), why);
	err_clear(e);
}

/* EOF on FD: nobody holds the other end of the pipe any more. */
static void assert_ends(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	assert_int_equal(read(fd, &c, 1), 0);
}

static void test_find(void **state)
{
	static const char *const none[] = {"", "no-such-program", "/bin/sh", "./sh", "../bin/sh"};
	char *path = spawn_find("sh");

	(void)state;
	assert_non_null(path);
	assert_int_equal(path[0], '/');
	assert_int_equal(access(path, X_OK), 0);
	free(path);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (spawn_find(none[i]) != NULL)
			fail_msg("\"%s\" was found", none[i]);
}

static void test_status(void **state)
{
	static const struct {
		const char *script;
		int expected;
	} cases[] = {
		{"exit 0", 0},
		{"exit 7", 7},
		{"exit 127", 127},
		{"kill -KILL $$", 128 + SIGKILL},
		{"kill -TERM $$", 128 + SIGTERM},
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *argv[] = {"sh", "-c", cases[i].script, NULL};
		struct spawn s = SPAWN_INIT;
		int status;

		s.argv = argv;
		if (spawn_run(&s, &status, &e) != 0 || status != cases[i].expected)
			fail_msg("%s: %d: %s", cases[i].script, status, err_text(&e));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *program, *dir, *why;
	} cases[] = {
		{"no-such-program", NULL, "no such program in /"},
		{"./plain", NULL, "no such program"},
		{"/no/such", NULL, "cannot be started: No such file"},
		{"/", NULL, "cannot be started: Permission denied"},
		{"sh", "/no/folder", "/no/folder: No such file"},
	};
	struct err e = ERR_INIT;
	char *plain = path_join(*state, "plain");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *argv[] = {cases[i].program, NULL};
		struct spawn s = SPAWN_INIT;
		struct str out;
		int status;
		pid_t pid;

		str_init(&out);
		s.argv = argv;
		s.dir = cases[i].dir;
		assert_refused(spawn_start(&s, &pid, &e), &e, cases[i].why);
		assert_int_equal(pid, -1);
		assert_refused(spawn_run(&s, &status, &e), &e, cases[i].why);
		assert_refused(spawn_capture(&s, 10, &out, &status, &e), &e, cases[i].why);
		if (s.dir == NULL)
			assert_refused(spawn_detached(argv, &e), &e, cases[i].why);
		str_clear(&out);
	}
	assert_int_equal(files_replace(plain, "echo no\n", 8, 0755, &e), 0);
	{
		const char *argv[] = {plain, NULL};

		/* No shell takes over where the kernel refuses. */
		assert_refused(spawn_detached(argv, &e), &e, "Exec format error");
	}
	free(plain);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_descriptors(void **state)
{
	static const int extra[] = {3, 5, 6, 20, 63, 79};
	int null = open("/dev/null", O_RDWR), before[6];
	struct spawn s = SPAWN_INIT;

	(void)state;
	for (int i = 0; i < 6; i++) {
		/* Without close-on-exec; what is there already is put back below. */
		before[i] = fcntl(extra[i], F_DUPFD_CLOEXEC, 100);
		assert_int_equal(dup2(null, extra[i]), extra[i]);
	}
	assert_says(s, DESCRIPTORS, "0 1 2\n");
	s.keep = 20;
	assert_says(s, DESCRIPTORS, "0 1 2 20\n");
	s.keep = 3;
	assert_says(s, DESCRIPTORS, "0 1 2 3\n");
	s.keep = -1;
	assert_says(s, "readlink /proc/$$/fd/0 /proc/$$/fd/2", "/dev/null\n/dev/null\n");
	for (int i = 0; i < 6; i++) {
		close(extra[i]);
		if (before[i] >= 0) {
			assert_int_equal(dup2(before[i], extra[i]), extra[i]);
			close(before[i]);
		}
	}
	if (null > 3)
		close(null);
}

static void test_input_and_output(void **state)
{
	const char *argv[] = {"sh", "-c", "cat; echo to-error >&2", NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	struct str out;
	int status;

	(void)state;
	str_init(&out);
	assert_int_equal(files_replace("in", "said\n", 5, 0600, &e), 0);
	s.argv = argv;
	s.input = open("in", O_RDONLY | O_CLOEXEC);
	s.out = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(spawn_run(&s, &status, &e), 0);
	assert_int_equal(files_read("out", 100, &out, &e), 1);
	assert_string_equal(out.buf, "said\nto-error\n");
	/* Captured: standard output alone; the descriptors given are still ours. */
	str_reset(&out);
	assert_int_equal(lseek(s.input, 0, SEEK_SET), 0);
	assert_int_equal(ftruncate(s.out, 0), 0);
	assert_int_equal(lseek(s.out, 0, SEEK_SET), 0);
	capture(&s, 100, &out, 0);
	assert_string_equal(out.buf, "said\n");
	str_reset(&out);
	assert_int_equal(files_read("out", 100, &out, &e), 1);
	assert_string_equal(out.buf, "to-error\n");
	assert_int_equal(close(s.input), 0);
	assert_int_equal(close(s.out), 0);
	str_clear(&out);
}

/* Standard descriptors of ours that are closed must not confuse those of the child. */
static void test_error_alone(void **state)
{
	const char *argv[] = {"sh", "-c", "echo to-output; echo to-error >&2", NULL};
	struct spawn s = SPAWN_INIT;
	struct str out;
	int status;

	(void)state;
	s.argv = argv;
	s.out = open("output", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	s.err = open("error", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(spawn_run(&s, &status, NULL), 0);
	str_init(&out);
	assert_int_equal(files_read("output", 100, &out, NULL), 1);
	assert_string_equal(out.buf, "to-output\n");
	str_reset(&out);
	assert_int_equal(files_read("error", 100, &out, NULL), 1);
	assert_string_equal(out.buf, "to-error\n");
	str_reset(&out);
	capture(&s, 100, &out, 0);
	assert_string_equal(out.buf, "to-output\n");
	str_reset(&out);
	assert_int_equal(files_read("error", 100, &out, NULL), 1);
	assert_string_equal(out.buf, "to-error\nto-error\n");
	str_clear(&out);
	close(s.out);
	close(s.err);
}

static void test_closed_standard(void **state)
{
	const char *argv[] = {"sh", "-c", "cat; echo to-error >&2", NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	struct str out;
	int status;
	pid_t child;

	(void)state;
	str_init(&out);
	assert_int_equal(files_replace("in", "said\n", 5, 0600, &e), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(0);
		close(1);
		close(2);
		s.argv = argv;
		s.out = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* 0 */
		s.input = open("in", O_RDONLY | O_CLOEXEC);              /* 1 */
		_exit(spawn_run(&s, &status, NULL) != 0 || status != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(files_read("out", 100, &out, &e), 1);
	assert_string_equal(out.buf, "said\nto-error\n");
	str_clear(&out);
}

static void test_capture_maximum(void **state)
{
	const char *argv[] = {"sh", "-c",
		"i=0; while [ $i -lt 20000 ]; do echo 123456789; "
		"i=$((i+1)); done; exit 3",
		NULL};
	static const size_t sizes[] = {0, 1, 16384, 199999, 200000, 300000};
	struct spawn s = SPAWN_INIT;
	struct str out;

	(void)state;
	str_init(&out);
	s.argv = argv;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		str_reset(&out);
		str_add(&out, "before:");
		capture(&s, sizes[i], &out, 3);
		assert_int_equal(out.len, 7 + (sizes[i] < 200000 ? sizes[i] : 200000));
		assert_memory_equal(out.buf, "before:1234", sizes[i] < 4 ? 7 + sizes[i] : 11);
	}
	str_clear(&out);
}

/* What is watched goes on as it comes, standard error too, and its end is kept. */
static void test_watch(void **state)
{
	static const struct {
		const char *script;
		size_t max;
		const char *kept;
		const char *gone_on;
		int status;
	} rows[] = {
		{"echo one; echo two >&2", 100, "one\ntwo\n", "one\ntwo\n", 0},
		{"echo one; echo two >&2; exit 3", 4, "two\n", "one\ntwo\n", 3},
		{"printf 12345", 5, "12345", "12345", 0},
		{"printf 123456", 5, "23456", "123456", 0},
		{"printf 12; kill -9 $$", 5, "12", "12", 137},
		{":", 5, "", "", 0},
	};
	char *path = path_join(*state, "log");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argv[] = {"sh", "-c", rows[i].script, NULL};
		struct spawn s = SPAWN_INIT;
		struct str kept, gone_on;
		struct err e = ERR_INIT;
		int status;

		(void)unlink(path);
		s.argv = argv;
		s.out = files_open(path, O_WRONLY | O_CREAT, 0600, &e);
		str_init(&kept);
		str_init(&gone_on);
		str_add(&kept, "before "); /* counts for nothing */
		if (spawn_watch(&s, rows[i].max, &kept, &status, &e) != 0)
			fail_msg("%s", err_text(&e));
		close(s.out);
		assert_int_equal(status, rows[i].status);
		assert_string_equal(kept.buf + strlen("before "), rows[i].kept);
		assert_int_equal(files_read(path, 100, &gone_on, NULL), 1);
		assert_string_equal(gone_on.buf, rows[i].gone_on);
		str_clear(&gone_on);
		str_clear(&kept);
	}
	free(path);
}

/* One that hangs is ended, whether it holds its output open, floods it or has closed it. */
static void test_seconds(void **state)
{
	static const char *const scripts[] = {"echo one; exec sleep 300",
		"exec >&- 2>&-; exec sleep 300", "while :; do echo more; done"};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const char *argv[] = {"sh", "-c", scripts[i], NULL};
		const char *quick[] = {"sh", "-c", "exec >&- 2>&-; exit 4", NULL};
		int64_t start = clock_monotonic();
		struct spawn s = SPAWN_INIT;
		struct err e = ERR_INIT;
		struct str out;
		int status;

		str_init(&out);
		s.seconds = 1;
		s.argv = argv;
		assert_refused(spawn_capture(&s, 10, &out, &status, &e), &e,
			"sh has not ended within 1 s");
		assert_true(clock_monotonic() - start < DEADLINE_MS * 1000);
		s.seconds = 60;
		s.argv = quick;
		capture(&s, 10, &out, 4);
		assert_true(clock_monotonic() - start < DEADLINE_MS * 1000);
		str_clear(&out);
	}
}

/* A program that leaves a daemon behind, which holds the pipe, has ended all the same. */
static void test_capture_daemon(void **state)
{
	int64_t start = clock_monotonic();
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;

	(void)state;
	s.dir = ".";
	assert_int_equal(files_replace("go", "", 0, 0600, &e), 0);
	assert_says(s, "(while [ -e go ]; do sleep 0.05; done) & echo started", "started\n");
	assert_true(clock_monotonic() - start < DEADLINE_MS / 4 * INT64_C(1000));
	assert_int_equal(unlink("go"), 0);
}

static void test_signals(void **state)
{
	struct spawn s = SPAWN_INIT;
	sigset_t some, before;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&some);
	sigaddset(&some, SIGINT);
	sigprocmask(SIG_BLOCK, &some, &before);
	/*
	 * 32 and 33 are the C library's own, which its posix_spawn() leaves ignored: as make does.
	 */
	assert_says(s,
		"grep -E '^Sig(Ign|Blk)' /proc/self/status | sed "
		"s/0000000180000000/0000000000000000/",
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, NULL, &some);
	assert_int_equal(sigismember(&some, SIGINT), 1); /* ours are as they were */
	assert_int_equal(sigismember(&some, SIGHUP), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

static void test_group(void **state)
{
	const char *argv[] = {"sh", "-c", "sleep 60 & wait", NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	int ends[2], status;
	pid_t pid;

	(void)state;
	assert_says(s,
		"read pid name state parent group rest </proc/$$/stat; "
		"[ $group = $$ ] && echo own",
		"own\n");
	/* The whole group ends, the sleep in it too: nobody holds the pipe. */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s.argv = argv;
	s.out = ends[1];
	assert_int_equal(spawn_start(&s, &pid, &e), 0);
	close(ends[1]);
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_ends(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ends[0]);
}

/* A child that goes on for ever is ended when it has used its time. */
static void test_cpu_seconds(void **state)
{
	const char *const argv[] = {"sh", "-c", "while :; do :; done", NULL};
	struct spawn s = SPAWN_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	(void)state;
	s.argv = argv;
	s.cpu_seconds = 1;
	if (spawn_run(&s, &status, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(status, 128 + SIGXCPU);
}

static void test_dies_with_us(void **state)
{
	const char *argv[] = {"sleep", "60", NULL};
	struct spawn s = SPAWN_INIT;
	int ends[2], status;
	pid_t child, pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		s.argv = argv;
		s.keep = ends[1];
		if (spawn_start(&s, &pid, NULL) != 0)
			_exit(1);
		raise(SIGKILL);
	}
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_ends(ends[0]);
	close(ends[0]);
}

/* Wait until the file PATH is there, then its content must be EXPECTED. */
static void assert_appears(const char *path, const char *expected)
{
	int64_t deadline = clock_monotonic() + DEADLINE_MS * INT64_C(1000);
	struct err e = ERR_INIT;
	struct str content;

	str_init(&content);
	while (!files_exists(path) && clock_monotonic() < deadline)
		(void)poll(NULL, 0, 5);
	if (files_read(path, 10000, &content, &e) != 1)
		fail_msg("%s is not there: %s", path, err_text(&e));
	assert_string_equal(content.buf, expected);
	str_clear(&content);
}

/* A child that has others to end is told that we die, and does so. */
static void test_end_signal(void **state)
{
	const char *argv[] = {"sh", "-c",
		"cd \"$1\"; sleep 60 & "
		"trap 'kill $!; echo >new; mv new told; exit' HUP; : >ready; wait",
		"sh", *state, NULL};
	struct spawn s = SPAWN_INIT;
	pid_t child, pid;

	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		s.argv = argv;
		s.end_signal = SIGHUP;
		if (spawn_start(&s, &pid, NULL) != 0)
			_exit(1);
		assert_appears("ready", "");
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_appears("told", "\n");
}

static void test_detached(void **state)
{
	/* Ends when the file "go" does, or the whole folder. */
	static const char script[] = FIND_DESCRIPTORS
		"nulls=; for i in 0 1 2; do [ /proc/$$/fd/$i -ef /dev/null ] && nulls=\"$nulls "
		"$i\"; "
		"done; folder=$(pwd -P); cd \"$1\" || exit 1; "
		"read pid name state parent group session rest </proc/$$/stat; "
		"{ echo $fds; echo $nulls; echo $folder; echo $((session == $2)); " ENVIRONMENT
		"; } >report.new; mv report.new report; while [ -e go ]; do sleep 0.05; done";
	char session[32], *expected;
	const char *argv[] = {"sh", "-c", script, "sh", *state, session, NULL};
	struct err e = ERR_INIT;
	int ends[2];

	assert_int_equal(setenv("GIT_DIR", "/secret", 1), 0);
	assert_int_equal(files_replace("go", "", 0, 0600, &e), 0);
	snprintf(session, sizeof(session), "%ld", (long)getsid(0));
	assert_int_equal(pipe(ends), 0); /* would be inherited */
	if (spawn_detached(argv, &e) != 0)
		fail_msg("%s", err_text(&e));
	close(ends[1]);
	assert_ends(ends[0]);
	close(ends[0]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left to wait for */
	assert_int_equal(errno, ECHILD);
	expected = mem_format("0 1 2\n0 1 2\n/\n0\n%s\nLC_ALL=C\n", paths_tools());
	assert_appears("report", expected);
	free(expected);
	assert_int_equal(unlink("go"), 0);
}

/* Nobody but the owner reads what a runner makes, unless it says so. */
static void test_detached_umask(void **state)
{
	const char *argv[] = {
		"sh", "-c", "cd \"$1\" && umask >m.new && mv m.new m", "sh", *state, NULL};
	struct err e = ERR_INIT;

	if (spawn_detached(argv, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_appears("m", "0077\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_status),
		scratch_test(test_refused),
		cmocka_unit_test(test_descriptors),
		scratch_test(test_input_and_output),
		scratch_test(test_error_alone),
		scratch_test(test_closed_standard),
		cmocka_unit_test(test_capture_maximum),
		scratch_test(test_watch),
		cmocka_unit_test(test_seconds),
		scratch_test(test_capture_daemon),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_cpu_seconds),
		cmocka_unit_test(test_dies_with_us),
		scratch_test(test_end_signal),
		scratch_test(test_detached),
		scratch_test(test_detached_umask),
	};

	return cmocka_run_group_tests_name("sys/spawn", tests, forget_surroundings, NULL);
}
