/* common/sys/lock: one holder, a bounded wait, and no lock that outlives its holder. */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/clock.h"
#include "base/err.h"
#include "sys/lock.h"

#define LONG_MS 20000 /* never waited for in full unless something is broken */

static void test_one_holder(void **state)
{
	struct err e = ERR_INIT;
	int first, second;
	struct stat st;

	(void)state;
	assert_int_equal(lock_take(&first, "lock", LOCK_TRY, 0, &e), 1);
	assert_true(first >= 0);
	assert_int_equal(fcntl(first, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(first, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lock_take(&second, "lock", LOCK_TRY, LONG_MS, &e), 0);
	assert_int_equal(second, -1);
	assert_int_equal(lock_take(&second, "other", LOCK_TRY, 0, &e), 1);
	lock_drop(second);
	lock_drop(first);
	assert_int_equal(lock_take(&second, "lock", LOCK_TRY, 0, &e), 1);
	lock_drop(second);
	lock_drop(-1);
	assert_null(e.text);
}

static void test_waits_no_longer(void **state)
{
	static const int timeouts[] = {0, 30, 150};
	struct err e = ERR_INIT;
	int first, second;

	(void)state;
	assert_int_equal(lock_take(&first, "lock", LOCK_WAIT, 0, &e), 1);
	for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
		int64_t start = clock_monotonic(), took;

		assert_int_equal(lock_take(&second, "lock", LOCK_WAIT, timeouts[i], &e), 0);
		took = clock_monotonic() - start;
		if (took < timeouts[i] * INT64_C(1000) || took > LONG_MS / 4 * INT64_C(1000))
			fail_msg("%d ms: %lld us", timeouts[i], (long long)took);
	}
	lock_drop(first);
}

static void test_refused(void **state)
{
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(lock_take(&fd, "none/lock", LOCK_TRY, 0, &e), -1);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(err_text(&e), "none/lock"));
	err_clear(&e);
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(lock_take(&fd, "link", LOCK_TRY, 0, &e), -1);
	assert_false(files_exists("target"));
	err_clear(&e);
}

/* A child takes the lock and says so; then it is killed, and a lock that is waited for is there. */
static void test_dies_with_holder(void **state)
{
	struct err e = ERR_INIT;
	int ends[2], fd, status;
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (lock_take(&fd, "lock", LOCK_TRY, 0, NULL) == 1)
			(void)!write(ends[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(lock_take(&fd, "lock", LOCK_TRY, 0, &e), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(lock_take(&fd, "lock", LOCK_WAIT, LONG_MS, &e), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	lock_drop(fd);
	close(ends[0]);
	close(ends[1]);
}

static void test_inherited_copy(void **state)
{
	struct err e = ERR_INIT;
	int ends[2], fd, again, status;
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(lock_take(&fd, "lock", LOCK_TRY, 0, &e), 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) == 0 ? 0 : 1);
	}
	lock_drop(fd);
	assert_int_equal(lock_take(&again, "lock", LOCK_TRY, 0, &e), 0);
	close(ends[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(lock_take(&again, "lock", LOCK_TRY, 0, &e), 1);
	lock_drop(again);
	close(ends[0]);
}

#define CROWD 8
#define TURNS 50

/* Each adds one to the number in a file; without exclusion some would be lost. */
static void count_up(void)
{
	for (int i = 0; i < TURNS; i++) {
		int fd, n = 0, file;

		if (lock_take(&fd, "lock", LOCK_WAIT, LONG_MS, NULL) != 1)
			_exit(1);
		file = open("count", O_RDWR | O_CREAT, 0600);
		if (file < 0 || read(file, &n, sizeof(n)) < 0)
			_exit(2);
		n++;
		if (pwrite(file, &n, sizeof(n), 0) != sizeof(n))
			_exit(3);
		close(file);
		lock_drop(fd);
	}
	_exit(0);
}

static void test_crowd(void **state)
{
	pid_t children[CROWD];
	int status, n = 0, file;

	(void)state;
	for (int i = 0; i < CROWD; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0)
			count_up();
	}
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	file = open("count", O_RDONLY);
	assert_int_equal(read(file, &n, sizeof(n)), sizeof(n));
	close(file);
	assert_int_equal(n, CROWD * TURNS);
}

/* Who reads makes nothing, needs no right to write, and is beside others that read. */
static void test_shared(void **state)
{
	struct err e = ERR_INIT;
	int one, other, writer;

	(void)state;
	assert_int_equal(lock_take(&one, "lock", LOCK_SHARE, 0, &e), 1);
	assert_int_equal(one, -1);
	assert_false(files_exists("lock"));
	assert_int_equal(lock_take(&writer, "lock", LOCK_TRY, 0, &e), 1);
	assert_int_equal(lock_take(&one, "lock", LOCK_SHARE, 30, &e), 0);
	assert_int_equal(one, -1);
	lock_drop(writer);
	assert_int_equal(lock_take(&one, "lock", LOCK_SHARE, 0, &e), 1);
	assert_int_equal(fcntl(one, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(lock_take(&other, "lock", LOCK_SHARE, 0, &e), 1);
	assert_int_equal(lock_take(&writer, "lock", LOCK_WAIT, 30, &e), 0);
	lock_drop(one);
	assert_int_equal(lock_take(&writer, "lock", LOCK_TRY, 0, &e), 0);
	lock_drop(other);
	assert_int_equal(lock_take(&writer, "lock", LOCK_TRY, 0, &e), 1);
	lock_drop(writer);
	assert_null(e.text);
}

/* In a folder that cannot be written to; for root no mode says that. */
static void test_shared_read_only(void **state)
{
	struct err e = ERR_INIT;
	int fd;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(lock_take(&fd, "folder/lock", LOCK_TRY, 0, &e), 1);
	lock_drop(fd);
	assert_int_equal(chmod("folder/lock", 0444), 0);
	assert_int_equal(chmod("folder", 0555), 0);
	assert_int_equal(lock_take(&fd, "folder/lock", LOCK_SHARE, 0, &e), 1);
	assert_true(fd >= 0);
	lock_drop(fd);
	assert_int_equal(lock_take(&fd, "folder/none", LOCK_SHARE, 0, &e), 1);
	assert_int_equal(fd, -1);
	assert_int_equal(chmod("folder", 0700), 0);
	assert_int_equal(symlink("lock", "folder/link"), 0);
	assert_int_equal(lock_take(&fd, "folder/link", LOCK_SHARE, 0, &e), -1);
	assert_non_null(strstr(err_text(&e), "folder/link"));
	err_clear(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_one_holder),
		scratch_test(test_waits_no_longer),
		scratch_test(test_refused),
		scratch_test(test_dies_with_holder),
		scratch_test(test_inherited_copy),
		scratch_test(test_crowd),
		scratch_test(test_shared),
		scratch_test(test_shared_read_only),
	};

	return cmocka_run_group_tests_name("sys/lock", tests, NULL, NULL);
}
