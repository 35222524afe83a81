/* common/sys/sandbox: on kernels that lack something, or refuse it. */
#define _GNU_SOURCE /* syscall */
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
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "support.h"
#include "sys/sandbox.h"

#define NO_CALL 0x3fffffffU /* no call has this number */

/* What keeps us from reading what nothing allows; 0. */
static int elsewhere(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int a_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) < 0 ? errno : 0;
}

/* From now on the call NUMBER fails with FAULT. */
static void take_away(unsigned number, unsigned fault)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | fault),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(f) / sizeof(f[0]), .filter = f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(100);
}

/* What is left: 1 Landlock, 2 seccomp; 64: it cannot be entered. */
static int left_without(unsigned number, unsigned fault)
{
	struct sandbox s = SANDBOX_INIT;
	struct sandbox_support has;

	take_away(number, fault);
	sandbox_support(&has);
	strlist_add(&s.read, ".");
	if (sandbox_enter(&s, NULL) != 0)
		return 64;
	if ((has.landlock > 0) != (elsewhere() == EACCES) || has.seccomp != (a_socket() == EPERM))
		return 101;
	return (has.landlock > 0 ? 1 : 0) + (has.seccomp ? 2 : 0);
}

static void test_older_kernels(void **state)
{
	static const struct {
		unsigned number;
		unsigned fault;
		int missing; /* of what this kernel has */
	} kernels[] = {
		{444, ENOSYS, 1},         /* landlock_create_ruleset: there is none */
		{444, EPERM, 1},          /* as a container's filter says it */
		{446, EPERM, 64},         /* landlock_restrict_self: it should work */
		{SYS_seccomp, ENOSYS, 2}, /* the kernel has no filters */
		{NO_CALL, ENOSYS, 0},     /* nothing is missing */
	};
	struct sandbox_support has;
	int all;

	(void)state;
	find_support(&has);
	all = (has.landlock > 0 ? 1 : 0) + (has.seccomp ? 2 : 0);
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		int missing = kernels[i].missing, status, expected;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(left_without(kernels[i].number, kernels[i].fault));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		expected = missing == 64 ? (has.landlock > 0 ? 64 : all) : all & ~missing;
		if (WEXITSTATUS(status) != expected)
			fail_msg("without %u: expected %d, got %d", kernels[i].number, expected,
				WEXITSTATUS(status));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_older_kernels),
	};

	return cmocka_run_group_tests_name("sys/sandbox-kernels", tests, NULL, NULL);
}
