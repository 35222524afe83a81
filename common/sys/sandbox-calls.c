/*
 * seccomp(2): calls that no gate, nor the git it starts, has any use for fail with EPERM.  A list of what is
 * forbidden, since what the C library and git call changes with their versions; what is on it gives a
 * process the network, other processes, other privileges, or parts of the kernel where faults were found.
 */
#define _GNU_SOURCE /* syscall, CLONE_* */
#include "sys/sandbox-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#define NATIVE_ARCH 0 /* which calls are meant is not known */
#endif

#define X32_BIT 0x40000000U /* calls of another kind, on x86_64 alone: no such number elsewhere */
#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1UL << 2)
#endif

/* By their numbers where the headers are too old; the same for all architectures from 424 on. */
static const unsigned forbidden[] = {
	/* the network, and descriptors from other processes */
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_sendto,
	SYS_sendmsg,
	SYS_sendmmsg,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_recvmmsg,
	SYS_mq_open,
	SYS_shmget,
	SYS_shmat, /* these go by numbers, which others may have told */
	SYS_shmctl,
	SYS_msgget,
	SYS_msgsnd,
	SYS_msgrcv,
	SYS_msgctl,
	SYS_semget,
	SYS_semop,
	SYS_semtimedop,
	SYS_semctl,
/* other processes */
#if !SANDBOX_SANITIZED
	SYS_ptrace,
	SYS_process_vm_readv,
#endif
	SYS_process_vm_writev,
	SYS_kcmp,
	424, /* pidfd_send_signal */
	434, /* pidfd_open */
	438, /* pidfd_getfd */
	440, /* process_madvise */
	SYS_setpriority,
	SYS_ioprio_set,
	SYS_sched_setaffinity,
	SYS_sched_setscheduler,
	SYS_sched_setparam,
	SYS_sched_setattr,
	SYS_migrate_pages,
	SYS_move_pages,
	/* other file systems, and files that have no path */
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	428, /* open_tree */
	429, /* move_mount */
	430, /* fsopen */
	431, /* fsconfig */
	432, /* fsmount */
	433, /* fspick */
	442, /* mount_setattr */
	SYS_open_by_handle_at,
	SYS_name_to_handle_at,
	SYS_memfd_create, /* and would be executed */
	447,              /* memfd_secret */
	SYS_mknodat,
	SYS_fanotify_init,
	/* what Landlock does not see */
	SYS_fchownat,
	SYS_fchmodat,
	452, /* fchmodat2 */
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_fsetxattr,
	SYS_removexattr,
	SYS_lremovexattr,
	SYS_fremovexattr,
	463, /* setxattrat */
	466, /* removexattrat */
	469, /* file_setattr */
	/* other privileges */
	SYS_unshare,
	SYS_setns,
	SYS_personality,
	SYS_setuid,
	SYS_setgid,
	SYS_setreuid,
	SYS_setregid,
	SYS_setresuid,
	SYS_setresgid,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_setgroups,
	SYS_capset,
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	/* the kernel itself */
	425, /* io_uring_setup */
	426, /* io_uring_enter */
	427, /* io_uring_register */
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	443, /* quotactl_fd */
	SYS_syslog,
	SYS_vhangup,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_lookup_dcookie,
#ifdef __x86_64__ /* the old calls, which newer architectures lack */
	SYS_mknod,
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_utime,
	SYS_utimes,
	SYS_futimesat,
	SYS_modify_ldt,
	SYS_iopl,
	SYS_ioperm,
	SYS_uselib,
#endif
};

#define N_FORBIDDEN (sizeof(forbidden) / sizeof(forbidden[0]))
/*
 * The kernel asks a new filter about each call that there is, so that a list without end would take a third of
 * a millisecond: of the numbers, in their order, it steps over so many at once.
 */
#define STRIDE 12
#define N_FIXED 56 /* steps beside those for numbers, at most */

#define SIGN_BIT 0x80000000U

#define SPACES                                                                                     \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
		CLONE_NEWCGROUP)

/* The lower half of an argument: both architectures have it first. */
#define LOAD(field)                                                                                \
	(struct sock_filter)                                                                       \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS_EQUAL(value, n)                                                                \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n)
#define SKIP_UNLESS_SET(bits, n)                                                                   \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, n)
#define SKIP_FROM(value, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, n, 0)
#define SKIP_IF_EQUAL(value, n)                                                                    \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, n, 0)
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
#define FAIL(number) RETURN(SECCOMP_RET_ERRNO | (number))

int sandbox_calls_support(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return NATIVE_ARCH != 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Add to F: NUMBER fails where bits of BITS are set in the half of an argument that WHERE loads. */
static size_t add_bits(
	struct sock_filter *f, unsigned number, struct sock_filter where, uint32_t bits)
{
	size_t n = 0;

	f[n++] = SKIP_UNLESS_EQUAL(number, 4);
	f[n++] = where;
	f[n++] = SKIP_UNLESS_SET(bits, 1);
	f[n++] = FAIL(EPERM);
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	return n;
}

/* Add to F: NUMBER fails where its second argument is one of the N_VALUES. */
static size_t add_values(
	struct sock_filter *f, unsigned number, const uint32_t *values, size_t n_values)
{
	size_t n = 0;

	f[n++] = SKIP_UNLESS_EQUAL(number, (unsigned char)(n_values + 3));
	f[n++] = LOAD(args[1]);
	for (size_t i = 0; i < n_values; i++)
		f[n++] = SKIP_IF_EQUAL(values[i], (unsigned char)(n_values - i));
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	f[n++] = FAIL(EPERM);
	return n;
}

/* Add to F the steps for calls that are forbidden with some arguments; the number is loaded. */
static size_t add_special(struct sock_filter *f)
{
	/* Who is sent a signal when something can be read, and which: one that kill() could not send. */
	static const uint32_t owners[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};
	/* Keys typed into the terminal that a hook was started from; owners of sockets and terminals. */
	static const uint32_t keys[] = {TIOCSTI, FIOSETOWN, SIOCSPGRP};
	size_t n = 0;

	/* Its flags lie in memory, where no filter sees them: the C library then uses clone. */
	f[n++] = SKIP_UNLESS_EQUAL(435, 1); /* clone3 */
	f[n++] = FAIL(ENOSYS);
	n += add_bits(f + n, SYS_clone, LOAD(args[0]), SPACES);
	/* Limits of other processes; 0 is this one. */
	n += add_bits(f + n, SYS_prlimit64, LOAD(args[0]), ~0U);
	/*
	 * Groups, and all processes there are.  One by its number cannot be told from the git that a hook may
	 * have to end; Landlock can (version 6).
	 */
	f[n++] = SKIP_UNLESS_EQUAL(SYS_kill, 5);
	f[n++] = LOAD(args[0]);
	f[n++] = SKIP_IF_EQUAL(0, 1);
	f[n++] = SKIP_UNLESS_SET(SIGN_BIT, 1);
	f[n++] = FAIL(EPERM);
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	/* Times of a file by its path; for one that is open there is none. */
	f[n++] = SKIP_UNLESS_EQUAL(SYS_utimensat, 6);
	f[n++] = LOAD(args[1]);
	f[n++] = SKIP_UNLESS_SET(~0U, 1);
	f[n++] = FAIL(EPERM);
	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4);
	f[n++] = SKIP_UNLESS_SET(~0U, 1);
	f[n++] = FAIL(EPERM);
	f[n++] = LOAD(nr);
	n += add_values(f + n, SYS_fcntl, owners, sizeof(owners) / sizeof(owners[0]));
	n += add_values(f + n, SYS_ioctl, keys, sizeof(keys) / sizeof(keys[0]));
	return n;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* Add to F the steps that forbid what stands in the table; the number is loaded. */
static size_t add_forbidden(struct sock_filter *f)
{
	unsigned numbers[N_FORBIDDEN];
	size_t n = 0;

	memcpy(numbers, forbidden, sizeof(numbers));
	qsort(numbers, N_FORBIDDEN, sizeof(numbers[0]), by_number);
	for (size_t i = 0; i < N_FORBIDDEN; i += STRIDE) {
		size_t left = N_FORBIDDEN - i, k = left < STRIDE ? left : STRIDE;

		if (left > STRIDE)
			f[n++] = SKIP_FROM(numbers[i + STRIDE], (unsigned char)(k + 2));
		for (size_t j = 0; j < k; j++)
			f[n++] = SKIP_IF_EQUAL(numbers[i + j], (unsigned char)(k - j));
		f[n++] = RETURN(SECCOMP_RET_ALLOW);
		f[n++] = FAIL(EPERM);
	}
	return n;
}

int sandbox_calls_enter(struct err *e)
{
	struct sock_filter f[N_FORBIDDEN + 3 * (N_FORBIDDEN / STRIDE + 1) + N_FIXED];
	struct sock_fprog program = {.filter = f};
	size_t n = 0;

	f[n++] = LOAD(arch);
	f[n++] = SKIP_IF_EQUAL(NATIVE_ARCH, 1);
	f[n++] = FAIL(ENOSYS);
	f[n++] = LOAD(nr);
	f[n++] = SKIP_UNLESS_SET(X32_BIT, 1);
	f[n++] = FAIL(ENOSYS);
	n += add_special(f + n);
	n += add_forbidden(f + n);
	program.len = (unsigned short)n;
	/* The flag: this process has no secrets of its own to be guessed at, and is not to become slow. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    &program) != 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return err_errno(e, errno, "seccomp");
	return 0;
}
