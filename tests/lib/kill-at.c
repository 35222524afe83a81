/*
 * kill-at N [--who all|caller] [--when before|after] [--signal NUMBER] [--program GLOB]
 *	[--call GLOB] [--] COMMAND [ARG...]
 *
 * Run COMMAND, count the calls of its whole tree of processes that change what outlives a process,
 * and at the N-th send SIGKILL (or another signal, which they may catch): to all of the tree at once (the default), or to the calling process
 * alone; before the call is carried out (the default), or when it has just been.  With --program,
 * only calls of programs whose file has such a name count, with --call, only those of such a name
 * (glob(7), and @(a|b) for either).  N = 0 kills nothing and tells each call.  On standard error:
 *
 *	kill-at: call 17 of modelgate run --stage 1 build : fsync /srv/state/store.db-wal
 *	kill-at: 412 calls
 *
 * The first tells where it has killed, the second is told at the end in any case.  The exit status is
 * COMMAND's (128 + signal, where one has ended it), 2 for wrong usage, 3 where tracing is not possible.
 *
 * A filter of seccomp(2) stops these calls and no others, so that the rest runs at full speed.
 * What is written through a mapping (SQLite's index of its write-ahead log) is not seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "which architecture seccomp calls this is not known here"
#endif

#define PAGE 4096     /* the least that a page of memory has */
#define MAX_TEXT PAGE /* bytes of a path or a command line that is told */

/* Where a call says what it is about. */
enum about { ABOUT_NOTHING, ABOUT_FD, ABOUT_PATH, ABOUT_PATH_AT };

struct call {
	unsigned number;
	const char *name;
	enum about about;
	int flags; /* argument that opens for change if O_CREAT or O_TRUNC is in it; -1: none */
};

#define CALL(name, about)                                                                          \
	{                                                                                          \
		SYS_##name, #name, about, -1                                                       \
	}

static const struct call calls[] = {
	CALL(write, ABOUT_FD),
	CALL(pwrite64, ABOUT_FD),
	CALL(writev, ABOUT_FD),
	CALL(pwritev, ABOUT_FD),
	CALL(pwritev2, ABOUT_FD),
	CALL(sendfile, ABOUT_FD),
	CALL(copy_file_range, ABOUT_NOTHING),
	CALL(fsync, ABOUT_FD),
	CALL(fdatasync, ABOUT_FD),
	CALL(sync_file_range, ABOUT_FD),
	CALL(syncfs, ABOUT_FD),
	CALL(msync, ABOUT_NOTHING),
	CALL(ftruncate, ABOUT_FD),
	CALL(truncate, ABOUT_PATH),
	CALL(fallocate, ABOUT_FD),
	CALL(fchmod, ABOUT_FD),
	CALL(fchown, ABOUT_FD),
	CALL(fchmodat, ABOUT_PATH_AT),
	CALL(fchownat, ABOUT_PATH_AT),
	CALL(sendto, ABOUT_FD),
	CALL(sendmsg, ABOUT_FD),
	CALL(sendmmsg, ABOUT_FD),
	CALL(connect, ABOUT_FD),
	CALL(execve, ABOUT_PATH),
	CALL(execveat, ABOUT_PATH_AT),
	CALL(openat2, ABOUT_PATH_AT),
	CALL(mkdirat, ABOUT_PATH_AT),
	CALL(unlinkat, ABOUT_PATH_AT),
	CALL(linkat, ABOUT_PATH_AT),
	CALL(symlinkat, ABOUT_NOTHING),
	CALL(renameat2, ABOUT_PATH_AT),
	{SYS_openat, "openat", ABOUT_PATH_AT, 2},
#ifdef SYS_renameat
	CALL(renameat, ABOUT_PATH_AT),
#endif
#ifdef SYS_open /* the old calls, which newer architectures lack */
	{SYS_open, "open", ABOUT_PATH, 1},
	CALL(creat, ABOUT_PATH),
	CALL(mkdir, ABOUT_PATH),
	CALL(rmdir, ABOUT_PATH),
	CALL(unlink, ABOUT_PATH),
	CALL(link, ABOUT_PATH),
	CALL(symlink, ABOUT_PATH),
	CALL(rename, ABOUT_PATH),
	CALL(chmod, ABOUT_PATH),
	CALL(chown, ABOUT_PATH),
#endif
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))
#define MAX_STEPS 5 /* of the filter, a call */

enum who { WHO_ALL, WHO_CALLER };
enum when { WHEN_BEFORE, WHEN_AFTER };

struct tree {
	long at; /* which call */
	enum who who;
	enum when when;
	const char *program; /* NULL: any */
	const char *call;    /* NULL: any */
	int signal;
	int has_begun; /* COMMAND has replaced this program */
	long count;
	pid_t awaited; /* the thread whose call is to end first; 0: none */
	int is_killed; /* all of it */
	pid_t *threads;
	size_t n;
	size_t cap;
};

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "kill-at: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* ---- the filter ---- */

#define LOAD(field)                                                                                \
	(struct sock_filter)                                                                       \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS_EQUAL(value, n)                                                                \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, n)
#define SKIP_UNLESS_SET(bits, n)                                                                   \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, n)
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)

/* Add to F the steps that stop CALL, whose number is loaded.  How many they are. */
static size_t add_call(struct sock_filter *f, const struct call *call)
{
	size_t n = 0;

	if (call->flags < 0) {
		f[n++] = SKIP_UNLESS_EQUAL(call->number, 1);
		f[n++] = RETURN(SECCOMP_RET_TRACE);
		return n;
	}
	f[n++] = SKIP_UNLESS_EQUAL(call->number, 4);
	/* The lower half: both architectures have it first. */
	f[n++] = LOAD(args[call->flags]);
	f[n++] = SKIP_UNLESS_SET(O_CREAT | O_TRUNC, 1);
	f[n++] = RETURN(SECCOMP_RET_TRACE);
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	return n;
}

static void filter_calls(void)
{
	struct sock_filter f[N_CALLS * MAX_STEPS + 5];
	struct sock_fprog program = {.filter = f};
	size_t n = 0;

	f[n++] = LOAD(arch);
	f[n++] = SKIP_UNLESS_EQUAL(NATIVE_ARCH, 1);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1);
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	f[n++] = LOAD(nr);
	for (size_t i = 0; i < N_CALLS; i++)
		n += add_call(f + n, &calls[i]);
	f[n++] = RETURN(SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		give_up("no filter of calls");
}

/* ---- what is told ---- */

/* At most MAX_TEXT bytes of the file /proc/PID/NAME, its NUL bytes as blanks.  *OUT: the caller's. */
static void read_proc(struct str *out, pid_t pid, const char *name)
{
	char *path = mem_format("/proc/%d/%s", (int)pid, name), text[MAX_TEXT];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	if (n > 0)
		str_addn(out, text, (size_t)n);
	if (fd >= 0)
		(void)close(fd); /* only read */
	free(path);
}

/* Where the symbolic link /proc/PID/NAME leads, the caller's to free(); "?": that cannot be told. */
static char *read_link(pid_t pid, const char *name)
{
	char *path = mem_format("/proc/%d/%s", (int)pid, name), text[MAX_TEXT];
	ssize_t n = readlink(path, text, sizeof(text));

	free(path);
	return n < 0 ? mem_strdup("?") : mem_strndup(text, (size_t)n);
}

/* The text at ADDRESS in the memory of PID, the caller's to free(). */
static char *read_text(pid_t pid, uint64_t address)
{
	char text[MAX_TEXT];
	struct iovec here = {.iov_base = text, .iov_len = sizeof(text)}, there[2];
	ssize_t n;

	/* In two parts: what follows the end of the page may not be there. */
	there[0].iov_base = (void *)(uintptr_t)address;
	there[0].iov_len = PAGE - (size_t)(address % PAGE);
	there[1].iov_base = (char *)there[0].iov_base + there[0].iov_len;
	there[1].iov_len = sizeof(text) - there[0].iov_len;
	n = process_vm_readv(pid, &here, 1, there, 2, 0);
	return n <= 0 ? mem_strdup("?") : mem_strndup(text, strnlen(text, (size_t)n));
}

static char *describe(pid_t pid, const struct call *call, const struct __ptrace_syscall_info *info)
{
	char *name, *text;

	switch (call->about) {
	case ABOUT_FD:
		name = mem_format("fd/%d", (int)info->seccomp.args[0]);
		text = read_link(pid, name);
		free(name);
		return text;
	case ABOUT_PATH:
		return read_text(pid, info->seccomp.args[0]);
	case ABOUT_PATH_AT:
		return read_text(pid, info->seccomp.args[1]);
	case ABOUT_NOTHING:
		break;
	}
	return mem_strdup("");
}

/* The file of a program may be reached by another name, /proc/self/exe: its own is told. */
static char *program_of(pid_t pid)
{
	char *exe = read_link(pid, "exe");
	char *name = mem_strdup(path_base(exe));

	free(exe);
	return name;
}

static void tell_call(const struct tree *t, pid_t pid, const struct call *call,
	const struct __ptrace_syscall_info *info)
{
	char *program = program_of(pid), *what = describe(pid, call, info);
	const char *arguments;
	struct str line;

	str_init(&line);
	read_proc(&line, pid, "cmdline");
	arguments = strchr(line.buf, ' ');
	fprintf(stderr, "kill-at: call %ld of %s%s: %s %s\n", t->count, program,
		arguments != NULL ? arguments : "", call->name, what);
	str_clear(&line);
	free(what);
	free(program);
}

/* ---- the tree ---- */

static void add_thread(struct tree *t, pid_t tid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->threads[i] == tid)
			return;
	mem_grow(&t->threads, t->n, &t->cap, sizeof(*t->threads));
	t->threads[t->n++] = tid;
}

static void remove_thread(struct tree *t, pid_t tid)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->threads[i] == tid) {
			t->threads[i] = t->threads[--t->n];
			return;
		}
}

/* SIGKILL to one thread ends its process. */
static void send(pid_t tid, int number)
{
	(void)syscall(SYS_tkill, tid, number); /* gone already: the better */
}

static void kill_due(struct tree *t, pid_t caller)
{
	if (t->who == WHO_CALLER) {
		send(caller, t->signal);
		return;
	}
	/* And whoever has been forked, but not been seen yet. */
	t->is_killed = t->signal == SIGKILL;
	for (size_t i = 0; i < t->n; i++)
		send(t->threads[i], t->signal);
}

static const struct call *find_call(uint64_t number)
{
	for (size_t i = 0; i < N_CALLS; i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}

/* 1: the call of the thread TID counts. */
static int counts(const struct tree *t, pid_t tid, const struct call *call)
{
	char *program;
	int result;

	if (t->call != NULL && (call == NULL || fnmatch(t->call, call->name, FNM_EXTMATCH) != 0))
		return 0;
	if (t->program == NULL)
		return 1;
	program = program_of(tid);
	result = fnmatch(t->program, program, FNM_EXTMATCH) == 0;
	free(program);
	return result;
}

static void see_call(struct tree *t, pid_t tid)
{
	struct __ptrace_syscall_info info;
	const struct call *call;

	if (!t->has_begun)
		return;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return; /* it was killed meanwhile */
	call = find_call(info.seccomp.nr);
	if (!counts(t, tid, call))
		return;
	t->count++;
	if (call != NULL && (t->count == t->at || t->at == 0))
		tell_call(t, tid, call, &info);
	if (t->count != t->at)
		return;
	if (t->when == WHEN_AFTER)
		t->awaited = tid;
	else
		kill_due(t, tid);
}

/* 1: the thread is at the end of the call that was awaited. */
static int has_ended(const struct tree *t, pid_t tid)
{
	struct __ptrace_syscall_info info;

	return tid == t->awaited && ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) > 0 &&
	       info.op == PTRACE_SYSCALL_INFO_EXIT;
}

static int stops_group(int number)
{
	return number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/* Let the thread TID, which has stopped with STATUS of waitpid(), go on. */
static void see_stop(struct tree *t, pid_t tid, int status)
{
	int number = WSTOPSIG(status), event = status >> 16, deliver = 0;

	add_thread(t, tid);
	if (t->is_killed) {
		send(tid, SIGKILL);
	} else if (event == PTRACE_EVENT_SECCOMP) {
		see_call(t, tid);
	} else if (event == PTRACE_EVENT_EXEC) {
		t->has_begun = 1;
	} else if (number == (SIGTRAP | 0x80)) {
		if (has_ended(t, tid)) {
			t->awaited = 0;
			kill_due(t, tid);
		}
	} else if (event == PTRACE_EVENT_STOP && stops_group(number)) {
		(void)ptrace(PTRACE_LISTEN, tid, NULL, NULL); /* gone already: waitpid() tells */
		return;
	} else if (event == 0) {
		deliver = number;
	}
	/* A thread that was killed meanwhile is no longer there to go on: waitpid() tells. */
	(void)ptrace(tid == t->awaited ? PTRACE_SYSCALL : PTRACE_CONT, tid, NULL,
		(void *)(uintptr_t)deliver);
}

/* Until all of the tree has ended.  How its root FIRST has: of waitpid(). */
static int follow(struct tree *t, pid_t first)
{
	int result = 0, status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid <= 0)
			continue;
		if (WIFSTOPPED(status)) {
			see_stop(t, tid, status);
			continue;
		}
		remove_thread(t, tid);
		if (tid == first)
			result = status;
	}
	return result;
}

/* Start ARGV stopped until it is traced. */
static pid_t start(char **argv)
{
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD |
			     PTRACE_O_EXITKILL;
	int ends[2];
	char go = 0;
	pid_t pid;

	if (pipe(ends) != 0)
		give_up("no pipe");
	pid = fork();
	if (pid < 0)
		give_up("no process");
	if (pid == 0) {
		(void)close(ends[1]);
		if (read(ends[0], &go, 1) != 1)
			_exit(3);
		(void)close(ends[0]);
		filter_calls();
		execvp(argv[0], argv);
		give_up(argv[0]);
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) != 0)
		give_up("cannot trace");
	if (write(ends[1], &go, 1) != 1)
		give_up("no pipe");
	(void)close(ends[0]);
	(void)close(ends[1]);
	return pid;
}

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: kill-at N [--who all|caller] [--when before|after] "
			"[--signal NUMBER] [--program GLOB] [--call GLOB] [--] COMMAND [ARG...]\n");
	exit(2);
}

/* 1: WORD is B, 0: it is A. */
static int choose(const char *word, const char *a, const char *b)
{
	if (strcmp(word, a) != 0 && strcmp(word, b) != 0)
		usage();
	return strcmp(word, b) == 0;
}

static int read_signal(const char *word)
{
	long long number;

	if (str_number(word, SIGRTMAX, &number) != 0)
		usage();
	return (int)number;
}

/* Where COMMAND begins. */
static char **read_options(struct tree *t, char **argv)
{
	long long at;

	if (argv[0] == NULL || str_number(argv[0], 1000000000, &at) != 0)
		usage();
	t->at = (long)at;
	for (argv++; argv[0] != NULL && argv[0][0] == '-'; argv += 2) {
		if (strcmp(argv[0], "--") == 0)
			return argv + 1;
		if (argv[1] == NULL)
			usage();
		if (strcmp(argv[0], "--who") == 0)
			t->who = choose(argv[1], "all", "caller") ? WHO_CALLER : WHO_ALL;
		else if (strcmp(argv[0], "--when") == 0)
			t->when = choose(argv[1], "before", "after") ? WHEN_AFTER : WHEN_BEFORE;
		else if (strcmp(argv[0], "--signal") == 0)
			t->signal = read_signal(argv[1]);
		else if (strcmp(argv[0], "--program") == 0)
			t->program = argv[1];
		else if (strcmp(argv[0], "--call") == 0)
			t->call = argv[1];
		else
			usage();
	}
	return argv;
}

int main(int argc, char **argv)
{
	struct tree t = {.who = WHO_ALL, .when = WHEN_BEFORE, .signal = SIGKILL};
	char **command = read_options(&t, argv + (argc > 0));
	int status;

	if (command[0] == NULL)
		usage();
	status = follow(&t, start(command));
	fprintf(stderr, "kill-at: %ld calls\n", t.count);
	free(t.threads);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
