/* For the tests of sys/sandbox: what this kernel has, asked of the kernel and not of what is tested. */
#ifndef MODELGATE_TESTS_SYS_SUPPORT_H
#define MODELGATE_TESTS_SYS_SUPPORT_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/sandbox.h"

#if defined(__x86_64__) || defined(__aarch64__)
#define CALLS_ARE_KNOWN 1
#else
#define CALLS_ARE_KNOWN 0
#endif

/* That is what sandbox_support() says, too. */
static inline void find_support(struct sandbox_support *has)
{
	long version =
		syscall(444, NULL, (size_t)0, 1); /* landlock_create_ruleset: which version? */
	uint32_t action = SECCOMP_RET_ERRNO;
	int calls = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;

	sandbox_support(has);
	assert_int_equal(has->landlock, version > 0 ? version : 0);
	assert_int_equal(has->seccomp, CALLS_ARE_KNOWN && calls);
}

#endif
