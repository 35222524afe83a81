/* common/sys/spawn: what is open is closed, whatever the kernel has for it. */
#define _GNU_SOURCE /* setrlimit, syscall numbers */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/spawn.h"

#define CLOSE_RANGE 436 /* the same for all architectures */
#define LOW 5
#define KEPT 7
#define HIGH 200 /* beyond the limit that is set later */
#define LIMIT 64

/* From now on there is no close_range(2). */
static int take_away(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOSE_RANGE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(f) / sizeof(f[0]), .filter = f};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0;
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Bits: 1 what is low, 2 what is kept, 4 what is high is still open; 8: something else failed. */
static int left(int without)
{
	static const int open_now[] = {LOW, KEPT, HIGH};
	struct rlimit limit;
	int result = 0;

	for (size_t i = 0; i < 3; i++)
		if (dup2(2, open_now[i]) < 0)
			return 8;
	/* As many as fill more than one answer of the kernel. */
	for (int fd = HIGH + 1; fd < HIGH + 300; fd++)
		if (dup2(2, fd) < 0)
			return 8;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 8;
	limit.rlim_cur = LIMIT;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || (without && take_away() != 0))
		return 8;
	spawn_close_others(KEPT, -1);
	for (size_t i = 0; i < 3; i++)
		if (is_open(open_now[i]))
			result |= 1 << i;
	for (int fd = 3; fd < HIGH + 300; fd++)
		if (fd != KEPT && is_open(fd))
			result |= 4;
	return result;
}

static void test_close_others(void **state)
{
	(void)state;
	for (int without = 0; without < 2; without++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(left(without));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 2)
			fail_msg("%s close_range: status %x, not 2", without ? "without" : "with",
				(unsigned)status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_close_others)};

	return cmocka_run_group_tests_name("sys/spawn-descriptors", tests, NULL, NULL);
}
