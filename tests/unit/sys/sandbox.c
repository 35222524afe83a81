/* common/sys/sandbox: what stays possible, and beside each its nearest that does not. */
#define _GNU_SOURCE /* syscall, unshare */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "base/mem.h"
#include "support.h"
#include "sys/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* ---- what is tried: each returns 0, or errno ---- */

static int opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd); /* nothing was written */
	return 0;
}

static int of(long result)
{
	return result < 0 ? errno : 0;
}

static int read_in(void)
{
	return opened("in/file", O_RDONLY);
}

static int read_link_from_in(void)
{
	return opened("in/link", O_RDONLY);
}

static int list_in(void)
{
	return opened("in", O_RDONLY | O_DIRECTORY);
}

static int write_in(void)
{
	return opened("in/file", O_WRONLY);
}

static int make_in(void)
{
	return of(mkdir("in/new", 0700));
}

static int remove_in(void)
{
	return of(unlink("in/file"));
}

static int truncate_in(void)
{
	return of(truncate("in/file", 0));
}

static int read_aside(void)
{
	return opened("aside/file", O_RDONLY);
}

static int list_aside(void)
{
	return opened("aside", O_RDONLY | O_DIRECTORY);
}

static int read_alone(void)
{
	return opened("alone", O_RDONLY);
}

static int read_late(void)
{
	return opened("late", O_RDONLY);
}

static int make_out(void)
{
	return opened("out/new", O_RDWR | O_CREAT | O_EXCL);
}

static int work_out(void)
{
	struct stat st;
	int fd;

	if (mkdir("out/folder", 0700) != 0 || mkdir("out/other", 0700) != 0)
		return errno;
	fd = open("out/folder/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "text", 4) != 4 || flock(fd, LOCK_EX) != 0 || fsync(fd) != 0 ||
		fchmod(fd, 0640) != 0 || fchown(fd, getuid(), getgid()) != 0 ||
		ftruncate(fd, 2) != 0 ||
		mmap(NULL, 2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
		return errno;
	if (rename("out/folder/file", "out/other/file") != 0 || stat("out/other/file", &st) != 0 ||
		unlink("out/other/file") != 0 || rmdir("out/other") != 0)
		return errno;
	return close(fd) == 0 ? 0 : errno;
}

static int make_fifo(void)
{
	return of(mkfifo("out/fifo", 0600));
}

static int make_link(void)
{
	return of(symlink("/etc", "out/link"));
}

static int move_from_in(void)
{
	return of(rename("in/file", "out/file"));
}

/* 0 if the program runs and succeeds; what keeps it from starting, else. */
static int execute(const char *program, const char *argument)
{
	int ends[2], fault = 0, status;
	pid_t pid;

	if (pipe(ends) != 0 || (pid = fork()) < 0)
		return errno;
	if (pid == 0) {
		(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		(void)execl(program, program, argument, NULL);
		fault = errno;
		_exit(write(ends[1], &fault, sizeof(fault)) < 0);
	}
	(void)close(ends[1]); /* the child's */
	if (read(ends[0], &fault, sizeof(fault)) != sizeof(fault))
		fault = 0;
	(void)close(ends[0]); /* only read */
	if (waitpid(pid, &status, 0) != pid)
		return errno;
	return fault != 0 ? fault : status == 0 ? 0 : ECHILD;
}

static int execute_true(void)
{
	return execute("/usr/bin/true", "x");
}

static int execute_other(void)
{
	return execute("/usr/bin/sleep", "0");
}

static int execute_shell(void)
{
	return execute("/bin/sh", "-n");
}

static int execute_memory(void)
{
	return of(syscall(SYS_memfd_create, "program", 0));
}

static int a_thread(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WEXITSTATUS(status) == 7 ? 0 : ECHILD;
}

static int a_pipe(void)
{
	int ends[2];

	return of(pipe(ends));
}

static int a_socket(void)
{
	return of(socket(AF_INET, SOCK_STREAM, 0));
}

static int a_local_socket(void)
{
	return of(socket(AF_UNIX, SOCK_DGRAM, 0));
}

static int a_pair(void)
{
	int ends[2];

	return of(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

/* A socket that was open before. */
static int a_connection(void)
{
	struct sockaddr to = {.sa_family = AF_UNSPEC};

	return of(connect(0, &to, sizeof(to)));
}

static int traced(void)
{
	return of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int a_namespace(void)
{
	return of(unshare(CLONE_NEWUSER));
}

/* The C library's fork is one, without a namespace. */
static int a_process_in_a_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return of(pid);
}

static int a_new_clone(void)
{
	return of(syscall(435, NULL, 0)); /* clone3 */
}

static int a_root(void)
{
	return of(chroot("out"));
}

static int a_user(void)
{
	return of(setuid(getuid()));
}

static int an_owner(void)
{
	return of(chown("out", getuid(), getgid()));
}

static int a_ring(void)
{
	return of(syscall(425, 1, NULL)); /* io_uring_setup */
}

static int a_filter(void)
{
	return of(syscall(SYS_bpf, 0, NULL, 0));
}

static int a_key(void)
{
	return of(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

/* Our parent is outside. */
static int a_signal(void)
{
	return of(kill(getppid(), 0));
}

static int own_signal(void)
{
	return of(kill(getpid(), 0));
}

static int core_file(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return errno;
	return limit.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == SANITIZED ? 0 : EINVAL;
}

static int more_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return errno;
	return limit.rlim_max == limit.rlim_cur ? 0 : EINVAL;
}

static int privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : EINVAL;
}

/* A gigabyte is there for who asks for it, three are not; what is mapped of a file does not count. */
static int map(size_t gigabytes, int fd)
{
	void *at = mmap(NULL, gigabytes << 30, fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ,
		fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_PRIVATE, fd, 0);

	return at == MAP_FAILED ? errno : of(munmap(at, gigabytes << 30));
}

static int some_memory(void)
{
	return map(1, -1);
}

static int much_memory(void)
{
	return SANITIZED ? ENOMEM : map(3, -1);
}

static int a_large_file(void)
{
	int fd = open("in/large", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : map(3, fd);
}

static const struct {
	const char *name;
	int (*attempt)(void);
	int expected;
	enum { ALWAYS, BY_LANDLOCK, BY_SECCOMP } needs; /* to fail as expected */
} rows[] = {
	{"read in", read_in, 0, ALWAYS},
	{"list in", list_in, 0, ALWAYS},
	{"read a file of its own", read_alone, 0, ALWAYS},
	{"write in", write_in, EACCES, BY_LANDLOCK},
	{"make in", make_in, EACCES, BY_LANDLOCK},
	{"remove in", remove_in, EACCES, BY_LANDLOCK},
	{"truncate in", truncate_in, EACCES, BY_LANDLOCK},
	{"read aside", read_aside, EACCES, BY_LANDLOCK},
	{"list aside", list_aside, EACCES, BY_LANDLOCK},
	{"read by a link to aside", read_link_from_in, EACCES, BY_LANDLOCK},
	{"read what was not there", read_late, EACCES, BY_LANDLOCK},
	{"make out", make_out, 0, ALWAYS},
	{"work out", work_out, 0, ALWAYS},
	{"make a pipe with a name", make_fifo, EPERM, BY_SECCOMP},
	{"make a link", make_link, EACCES, BY_LANDLOCK},
	{"move from in", move_from_in, EACCES, BY_LANDLOCK},
	{"execute the program", execute_true, 0, ALWAYS},
	{"execute another", execute_other, EACCES, BY_LANDLOCK},
	{"execute a shell", execute_shell, EACCES, BY_LANDLOCK},
	{"execute from memory", execute_memory, EPERM, BY_SECCOMP},
	{"fork", a_thread, 0, ALWAYS},
	{"pipe", a_pipe, 0, ALWAYS},
	{"socket", a_socket, EPERM, BY_SECCOMP},
	{"socket, local", a_local_socket, EPERM, BY_SECCOMP},
	{"socketpair", a_pair, EPERM, BY_SECCOMP},
	{"connect", a_connection, EPERM, BY_SECCOMP},
	{"ptrace", traced, SANITIZED ? 0 : EPERM, BY_SECCOMP},
	{"unshare", a_namespace, EPERM, BY_SECCOMP},
	{"clone with a namespace", a_process_in_a_namespace, EPERM, BY_SECCOMP},
	{"clone3", a_new_clone, ENOSYS, BY_SECCOMP},
	{"chroot", a_root, EPERM, BY_SECCOMP},
	{"setuid", a_user, EPERM, BY_SECCOMP},
	{"chown", an_owner, EPERM, BY_SECCOMP},
	{"io_uring", a_ring, EPERM, BY_SECCOMP},
	{"bpf", a_filter, EPERM, BY_SECCOMP},
	{"keyctl", a_key, EPERM, BY_SECCOMP},
	{"signal to itself", own_signal, 0, ALWAYS},
	{"core file", core_file, 0, ALWAYS},
	{"more files", more_files, 0, ALWAYS},
	{"privileges", privileges, 0, ALWAYS},
	{"some memory", some_memory, 0, ALWAYS},
	{"much memory", much_memory, ENOMEM, ALWAYS},
	{"a large file", a_large_file, 0, ALWAYS},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void put_file(const char *path, off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(close(fd), 0);
}

static void put_files(void)
{
	static const char *const folders[] = {"in", "aside", "out"};

	for (size_t i = 0; i < 3; i++)
		if (mkdir(folders[i], 0700) != 0)
			assert_int_equal(errno, EEXIST);
	put_file("in/file", 1);
	put_file("in/large", (off_t)3 << 30);
	put_file("aside/file", 1);
	put_file("alone", 1);
	if (symlink("../aside/file", "in/link") != 0)
		assert_int_equal(errno, EEXIST);
}

static void fill(struct sandbox *s)
{
	static const char *const read[] = {
		"in", "alone", "late", "/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"};

	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++)
		strlist_add(&s->read, read[i]);
	strlist_add(&s->write, "out");
	sandbox_add_program(s, "/usr/bin/true");
}

/* All attempts in one child that has entered, and said so; ANSWERS gets what came of them. */
static _Noreturn void try_all(int answers, int go)
{
	struct sandbox s = SANDBOX_INIT;
	struct err e = ERR_INIT;
	int results[N_ROWS];
	char byte = 'e';

	fill(&s);
	if (s.programs != SANDBOX_EXECUTE_LISTED || sandbox_enter(&s, &e) != 0) {
		fprintf(stderr, "%s\n", err_text(&e));
		_exit(1);
	}
	if (write(answers, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(1);
	for (size_t i = 0; i < N_ROWS; i++)
		results[i] = rows[i].attempt();
	_exit(write(answers, results, sizeof(results)) != sizeof(results));
}

static void test_rows(void **state)
{
	struct sandbox_support has;
	int results[N_ROWS] = {0}, ends[2], go[2], status;
	size_t wrong = 0;
	pid_t pid;
	char byte;

	(void)state;
	find_support(&has);
	put_files();
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		try_all(ends[1], go[0]);
	(void)close(ends[1]); /* the child's */
	(void)close(go[0]);   /* the child's */
	assert_int_equal(read(ends[0], &byte, 1), 1);
	put_file("late", 1);
	assert_int_equal(write(go[1], &byte, 1), 1);
	(void)close(go[1]); /* all said */
	assert_int_equal(read(ends[0], results, sizeof(results)), sizeof(results));
	(void)close(ends[0]); /* only read */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < N_ROWS; i++) {
		if ((rows[i].needs == BY_LANDLOCK && has.landlock == 0) ||
			(rows[i].needs == BY_SECCOMP && !has.seccomp) ||
			results[i] == rows[i].expected)
			continue;
		print_error("%s: expected %d (%s), got %d (%s)\n", rows[i].name, rows[i].expected,
			strerror(rows[i].expected), results[i], strerror(results[i]));
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* ---- signals out of the sandbox, where the kernel holds them ---- */

static void test_signals(void **state)
{
	struct sandbox_support has;
	int status;
	pid_t pid;

	(void)state;
	find_support(&has);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox s = SANDBOX_INIT;

		fill(&s);
		_exit(sandbox_enter(&s, NULL) != 0 ? 255 : a_signal());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), has.landlock >= 6 ? EPERM : 0);
}

/* ---- programs ---- */

static void test_programs(void **state)
{
	struct sandbox s = SANDBOX_INIT;
	char *here;
	int fd;

	(void)state;
	sandbox_add_program(&s, "/usr/bin/true");
	assert_int_equal(s.programs, SANDBOX_EXECUTE_LISTED);
	assert_int_equal(s.execute.n, 2); /* it, and what loads it */
	assert_string_equal(s.execute.v[0], "/usr/bin/true");
	assert_true(strlist_has(&s.read, "/usr/lib"));
	assert_true(strlist_has(&s.read, "/nix/store"));
	assert_true(strlist_has(&s.read, "/usr/local/lib")); /* as Debian's ldconfig is told */
	assert_false(strlist_has(&s.read, "/usr/local"));
	sandbox_clear(&s);

	fd = open("script", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "#!/bin/sh\n", 10), 10);
	assert_int_equal(close(fd), 0);
	sandbox_add_program(&s, "script");
	assert_int_equal(s.programs, SANDBOX_EXECUTE_ANY);
	here = getcwd(NULL, 0);
	assert_true(here != NULL && strlist_has(&s.execute, here));
	free(here);
	sandbox_clear(&s);
}

/* A program that is a script runs, with what it starts; the rest holds. */
static void test_script(void **state)
{
	struct sandbox_support has;
	int status;
	pid_t pid;

	(void)state;
	find_support(&has);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox s = SANDBOX_INIT;

		fill(&s);
		s.programs = SANDBOX_EXECUTE_ANY;
		if (sandbox_enter(&s, NULL) != 0)
			_exit(1);
		if (execute_other() != 0 || execute_shell() != 0)
			_exit(2);
		_exit(has.landlock > 0 && (write_in() != EACCES || read_aside() != EACCES ||
						  opened("/etc/shadow", O_RDONLY) != EACCES)
				? 3
				: 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_script),
	};

	return cmocka_run_group_tests_name("sys/sandbox", tests, scratch_make, scratch_remove);
}
