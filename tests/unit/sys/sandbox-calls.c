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
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "support.h"
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

/* The group of processes that we are in. */
static int own_group_signalled(void)
{
	return of(kill(0, 0));
}

static int a_signal_to_itself(void)
{
	return of(kill(getpid(), 0));
}

/* Whom the kernel sends a signal when standard input can be read. */
static int an_owner(void)
{
	return of(fcntl(0, F_SETOWN, getppid()));
}

static int an_owner_of_a_kind(void)
{
	struct f_owner_ex owner = {.type = F_OWNER_PID, .pid = getppid()};

	return of(fcntl(0, F_SETOWN_EX, &owner));
}

static int a_signal_to_the_owner(void)
{
	return of(fcntl(0, F_SETSIG, SIGUSR1));
}

static int a_flag(void)
{
	return of(fcntl(0, F_SETFD, 0));
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

/* Kernels before 6.17 have none, and say so in another way than the sandbox does. */
static int attributes_of_a_file(void)
{
	int fault = of(syscall(469, AT_FDCWD, "out", NULL, 0, 0)); /* file_setattr */

	return fault == EPERM ? fault : 0;
}

/* Made before, by who told their numbers. */
static struct shared {
	int memory;
	int messages;
	int semaphore;
} shared;

static int memory_of_others(void)
{
	return shmat(shared.memory, NULL, 0) == (void *)-1 ? errno : 0;
}

static int state_of_memory(void)
{
	struct shmid_ds ds;

	return of(shmctl(shared.memory, IPC_STAT, &ds));
}

static int a_message_sent(void)
{
	const struct {
		long type;
		char text[1];
	} message = {1, "x"};

	return of(msgsnd(shared.messages, &message, 1, IPC_NOWAIT));
}

static int a_message_received(void)
{
	struct {
		long type;
		char text[1];
	} message;

	return of(msgrcv(shared.messages, &message, 1, 0, IPC_NOWAIT));
}

static int state_of_messages(void)
{
	struct msqid_ds ds;

	return of(msgctl(shared.messages, IPC_STAT, &ds));
}

/* By their calls: the C library has one for both. */
static int a_semaphore(void)
{
	struct sembuf up = {.sem_op = 1};

	return of(syscall(SYS_semop, shared.semaphore, &up, 1));
}

static int a_semaphore_in_time(void)
{
	struct sembuf up = {.sem_op = 1};

	return of(syscall(SYS_semtimedop, shared.semaphore, &up, 1, NULL));
}

static int state_of_a_semaphore(void)
{
	return of(semctl(shared.semaphore, 0, GETVAL));
}

static const struct {
	const char *name;
	int (*attempt)(void);
	int expected; /* where there is seccomp */
} rows[] = {
	{"signal to all", all_signalled, EPERM},
	{"signal to its group", own_group_signalled, EPERM},
	{"signal to itself", a_signal_to_itself, 0},
	{"owner of a descriptor", an_owner, EPERM},
	{"owner of a kind", an_owner_of_a_kind, EPERM},
	{"signal to the owner", a_signal_to_the_owner, EPERM},
	{"flag of a descriptor", a_flag, 0},
	{"shmat", memory_of_others, EPERM},
	{"shmctl", state_of_memory, EPERM},
	{"msgsnd", a_message_sent, EPERM},
	{"msgrcv", a_message_received, EPERM},
	{"msgctl", state_of_messages, EPERM},
	{"semop", a_semaphore, EPERM},
	{"semtimedop", a_semaphore_in_time, EPERM},
	{"semctl", state_of_a_semaphore, EPERM},
	{"file_setattr", attributes_of_a_file, EPERM},
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
	find_support(&has);
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

/* Standard input is a pipe, which can have an owner. */
static int make_all(void **state)
{
	int ends[2];

	shared.memory = shmget(IPC_PRIVATE, 1, 0600);
	shared.messages = msgget(IPC_PRIVATE, 0600);
	shared.semaphore = semget(IPC_PRIVATE, 1, 0600);
	if (shared.memory < 0 || shared.messages < 0 || shared.semaphore < 0 || pipe(ends) != 0 ||
		dup2(ends[0], 0) != 0)
		return -1;
	return scratch_make(state);
}

static int remove_all(void **state)
{
	int result = scratch_remove(state);

	if (shmctl(shared.memory, IPC_RMID, NULL) != 0 ||
		msgctl(shared.messages, IPC_RMID, NULL) != 0 ||
		semctl(shared.semaphore, 0, IPC_RMID) != 0)
		return -1;
	return result;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("sys/sandbox-calls", tests, make_all, remove_all);
}
