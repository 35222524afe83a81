/* common/sys/sandbox: other processes, priorities and the times of files, which Landlock does not see. */
#define _GNU_SOURCE /* prlimit, syscall, cpu_set_t */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "sys/sandbox.h"

/* ---- what is tried: each returns 0, or errno ---- */

static int of(long result)
{
	return result < 0 ? errno : 0;
}

/* Every process that there is; nothing is sent. */
static int all_signalled(void)
{
	return of(kill(-1, 0));
}

static int a_process_held(void)
{
	return of(syscall(434, getpid(), 0)); /* pidfd_open */
}

static int limits_of_another(void)
{
	struct rlimit limit;

	return of(prlimit(getppid(), RLIMIT_NOFILE, NULL, &limit));
}

static int own_limits(void)
{
	struct rlimit limit;

	return of(prlimit(0, RLIMIT_NOFILE, NULL, &limit));
}

static int a_priority(void)
{
	return of(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0)));
}

static int an_io_priority(void)
{
	return of(syscall(SYS_ioprio_set, 1, 0, 0));
}

static int an_affinity(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) != 0
		       ? ESRCH
		       : of(sched_setaffinity(0, sizeof(set), &set));
}

static int a_scheduler(void)
{
	struct sched_param param = {0};

	return of(sched_setscheduler(0, SCHED_OTHER, &param));
}

static int a_scheduler_parameter(void)
{
	struct sched_param param = {0};

	return of(sched_setparam(0, &param));
}

static int a_time(void)
{
	return of(utimensat(AT_FDCWD, "out", NULL, 0));
}

#ifdef SYS_utime
static int an_old_time(void)
{
	return of(syscall(SYS_utime, "out", NULL));
}

static int a_less_old_time(void)
{
	return of(syscall(SYS_utimes, "out", NULL));
}

static int a_time_in_a_folder(void)
{
	return of(syscall(SYS_futimesat, AT_FDCWD, "out", NULL));
}
#endif

static int a_time_of_what_is_open(void)
{
	int fd = open("out/dated", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 ? errno : of(futimens(fd, NULL));
}

static const struct {
	const char *name;
	int (*attempt)(void);
	int expected; /* where there is seccomp */
} rows[] = {
	{"signal to all", all_signalled, EPERM},
	{"pidfd_open", a_process_held, EPERM},
	{"limits of another", limits_of_another, EPERM},
	{"its own limits", own_limits, 0},
	{"priority", a_priority, EPERM},
	{"priority of reading", an_io_priority, EPERM},
	{"affinity", an_affinity, EPERM},
	{"scheduler", a_scheduler, EPERM},
	{"its parameter", a_scheduler_parameter, EPERM},
	{"time of a file", a_time, EPERM},
#ifdef SYS_utime
	{"utime", an_old_time, EPERM},
	{"utimes", a_less_old_time, EPERM},
	{"futimesat", a_time_in_a_folder, EPERM},
#endif
	{"time of an open file", a_time_of_what_is_open, 0},
};

/* What comes of ROW; with CONFINED, in a sandbox in which the folder out may be written. */
static int outcome(size_t row, int confined)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox s = SANDBOX_INIT;

		strlist_add(&s.write, "out");
		if (confined && sandbox_enter(&s, NULL) != 0)
			_exit(255);
		_exit(rows[row].attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Each is possible without. */
static void test_rows(void **state)
{
	struct sandbox_support has;

	(void)state;
	sandbox_support(&has);
	assert_int_equal(mkdir("out", 0700), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int expected = has.seccomp ? rows[i].expected : 0, got = outcome(i, 0);

		if (got != 0)
			fail_msg("%s: not possible here: %s", rows[i].name, strerror(got));
		got = outcome(i, 1);
		if (got != expected)
			fail_msg("%s: expected %d (%s), got %d (%s)", rows[i].name, expected,
				strerror(expected), got, strerror(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name(
		"sys/sandbox-calls", tests, scratch_make, scratch_remove);
}
