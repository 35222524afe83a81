#define _GNU_SOURCE /* environ, pipe2 */
#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/files.h"
#include "sys/paths.h"

/* How often a silent pipe is doubted: the child may be gone and have left it to others. */
#define DOUBT_MS 50

enum tie { TIED, DETACHED };

/* All that the child needs, worked out before the fork: after it, nothing may allocate. */
struct plan {
	char *path;
	const char *const *argv;
	const char **env;
	const char *dir;
	int fds[3]; /* to become 0, 1 and 2 */
	int keep;
	int fault; /* where the child tells why it did not start */
	pid_t parent;
	enum tie tie;
	enum spawn_group group;
	int end_signal;
	unsigned cpu_seconds;
	size_t memory;
};

/* What went wrong in the child, as it is sent through the pipe. */
struct fault {
	int number; /* errno */
	enum { FAULT_SET_UP, FAULT_FOLDER, FAULT_EXEC } where;
};

char *spawn_find(const char *name)
{
	struct strlist dirs = {0};
	char *path = NULL;
	struct stat st;

	if (*name == '\0' || strchr(name, '/') != NULL)
		return NULL;
	strlist_split(&dirs, paths_tools() + strlen("PATH="), ':');
	for (size_t i = 0; i < dirs.n; i++) {
		path = path_join(dirs.v[i], name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0)
			break;
		free(path);
		path = NULL;
	}
	strlist_clear(&dirs);
	return path;
}

static _Noreturn void give_up(int fd, struct fault fault)
{
	/* If even that fails, the parent sees a child that ended without a word. */
	(void)files_write_all(fd, &fault, sizeof(fault));
	_exit(127);
}

/* Make the three descriptors 0, 1 and 2.  0, or -1 with errno set. */
static int arrange(const int fds[3])
{
	int safe[3];

	/* First out of each other's way: what is to become 1 may be called 0 now. */
	for (int i = 0; i < 3; i++) {
		safe[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
		if (safe[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(safe[i], i) < 0)
			return -1;
	return 0;
}

static void reset_signals(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &usual, NULL); /* KILL, STOP and the C library's own refuse */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL); /* cannot fail with these arguments */
}

/* 0, or -1 with errno set; a stricter limit that is there stays. */
static int limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return -1;
	if (now.rlim_cur <= most)
		return 0;
	now.rlim_cur = most;
	return setrlimit(resource, &now);
}

/* 0, or -1 with errno set: the child is on its own or tied to the parent, as planned. */
static int settle(const struct plan *p)
{
	if (p->tie == DETACHED) {
		(void)umask(077);
		return 0;
	}
	if (p->cpu_seconds > 0 && limit(RLIMIT_CPU, p->cpu_seconds) != 0)
		return -1;
	if (p->memory > 0 && limit(RLIMIT_DATA, p->memory) != 0)
		return -1;
	if (p->group == SPAWN_GROUP_NEW && setpgid(0, 0) != 0)
		return -1;
	if (prctl(PR_SET_PDEATHSIG, p->end_signal) != 0)
		return -1;
	if (getppid() != p->parent)
		_exit(127); /* it died before it could take us along */
	return 0;
}

/* The child's part; only what is safe after a fork of a threaded program. */
static _Noreturn void become(const struct plan *p)
{
	int fault = fcntl(p->fault, F_DUPFD_CLOEXEC, 3);

	if (fault < 0)
		give_up(p->fault, (struct fault){errno, FAULT_SET_UP});
	if (settle(p) != 0 || arrange(p->fds) != 0 ||
		(p->keep >= 0 && fcntl(p->keep, F_SETFD, 0) != 0))
		give_up(fault, (struct fault){errno, FAULT_SET_UP});
	spawn_close_others(fault, p->keep);
	if (chdir(p->dir) != 0)
		give_up(fault, (struct fault){errno, FAULT_FOLDER});
	reset_signals();
	execve(p->path, (char *const *)p->argv, (char *const *)p->env);
	give_up(fault, (struct fault){errno, FAULT_EXEC});
}

/* A child of a child, in a session of its own, is nobody's to wait for. */
static _Noreturn void become_detached(const struct plan *p)
{
	pid_t pid;

	if (setsid() < 0)
		give_up(p->fault, (struct fault){errno, FAULT_SET_UP});
	pid = fork();
	if (pid == 0)
		become(p);
	if (pid < 0)
		give_up(p->fault, (struct fault){errno, FAULT_SET_UP});
	_exit(0);
}

/* Of our environment, what the child is to have too. */
static const char *const kept[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"TZ"};
#define N_KEPT (sizeof(kept) / sizeof(kept[0]))

/*
 * Below a web server (CGI) the variable HTTP_PROXY is the header "Proxy" of a request: whoever pushes
 * would choose where a stage connects to.
 */
static int is_ours_to_give(const char *name)
{
	return strcmp(name, "HTTP_PROXY") != 0 ||
	       (getenv("REQUEST_METHOD") == NULL && getenv("GATEWAY_INTERFACE") == NULL);
}

/* The "NAME=value" in SETTINGS (NULL-terminated, or NULL) for NAME, which ends with NUL or "=". */
static const char *find_setting(const char *const *settings, const char *name)
{
	size_t len = strcspn(name, "=");

	for (; settings != NULL && *settings != NULL; settings++)
		if (strncmp(*settings, name, len) == 0 && (*settings)[len] == '=')
			return *settings;
	return NULL;
}

/* PATH and LC_ALL, EXTRA, what is kept of ours: each unless EXTRA says otherwise.  Borrowed. */
static const char **make_env(const char *const *extra)
{
	const char *const usual[] = {paths_tools(), "LC_ALL=C"};
	size_t n = 0, used = 0;
	const char **env;

	while (extra != NULL && extra[n] != NULL)
		n++;
	env = mem_zalloc(2 + n + N_KEPT + 1, sizeof(*env));
	for (size_t i = 0; i < 2; i++)
		if (find_setting(extra, usual[i]) == NULL)
			env[used++] = usual[i];
	for (size_t k = 0; k < n; k++)
		env[used++] = extra[k];
	for (size_t i = 0; i < N_KEPT; i++) {
		const char *ours = find_setting((const char *const *)environ, kept[i]);

		if (ours != NULL && is_ours_to_give(kept[i]) &&
			find_setting(extra, kept[i]) == NULL)
			env[used++] = ours;
	}
	return env;
}

static char *resolve(const char *program, struct err *e)
{
	char *path = program[0] == '/' ? mem_strdup(program) : spawn_find(program);

	if (path == NULL)
		(void)err_set(
			e, "%s: no such program in %s", program, paths_tools() + strlen("PATH="));
	return path;
}

static pid_t wait_for(pid_t pid, int *status, int flags)
{
	pid_t got;

	do
		got = waitpid(pid, status, flags);
	while (got < 0 && errno == EINTR);
	return got;
}

/*
 * Hear from FD what became of the child PID: it runs PATH, or said why not.  A child that did not
 * start, or that only made the one that did, is waited for.
 */
static int hear(int fd, pid_t pid, const struct plan *p, struct err *e)
{
	struct fault fault;
	struct str said;
	int status = -1;

	str_init(&said);
	if (files_read_fd(fd, sizeof(fault), &said, e) != 0) {
		(void)err_wrap(e, "%s", p->path);
	} else if (said.len == sizeof(fault)) {
		memcpy(&fault, said.buf, sizeof(fault));
		(void)err_errno(e, fault.number, "%s: %s", p->path,
			fault.where == FAULT_FOLDER ? p->dir
			: fault.where == FAULT_EXEC ? "cannot be started"
						    : "cannot be set up");
	} else {
		status = 0;
	}
	str_clear(&said);
	if (status != 0 || p->tie == DETACHED)
		(void)wait_for(pid, NULL, 0); /* ECHILD: the kernel did it */
	return status;
}

/*
 * Fork, with every signal held back meanwhile so that no handler of ours runs in the child.  The
 * program runs when 0 is returned.
 */
static int launch(struct plan *p, pid_t *pid, struct err *e)
{
	sigset_t all, before;
	int ends[2], fault, status;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, errno, "%s: no pipe", p->path);
	p->fault = ends[1];
	p->parent = getpid();
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before); /* cannot fail with these arguments */
	*pid = fork();
	if (*pid == 0) {
		if (p->tie == DETACHED)
			become_detached(p);
		become(p);
	}
	fault = errno;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)close(ends[1]); /* nothing was written to it here */
	if (*pid < 0)
		status = err_errno(e, fault, "%s: no process", p->path);
	else
		status = hear(ends[0], *pid, p, e);
	(void)close(ends[0]); /* only read */
	return status;
}

/* Start S with OUT and ERROR as its standard output and error; -1 stands for /dev/null. */
static int start(const struct spawn *s, int out, int error, enum tie tie, pid_t *pid, struct err *e)
{
	struct plan p = {.argv = s->argv,
		.keep = s->keep,
		.tie = tie,
		.group = s->group,
		.end_signal = s->end_signal != 0 ? s->end_signal : SIGKILL,
		.cpu_seconds = s->cpu_seconds,
		.memory = s->memory};
	int null = -1, status = -1;

	*pid = -1;
	p.dir = s->dir != NULL ? s->dir : "/";
	p.path = resolve(s->argv[0], e);
	p.env = make_env(s->env);
	if (p.path == NULL)
		goto out;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0) {
		(void)err_errno(e, errno, "/dev/null");
		goto out;
	}
	p.fds[0] = s->input >= 0 ? s->input : null;
	p.fds[1] = out >= 0 ? out : null;
	p.fds[2] = error >= 0 ? error : null;
	status = launch(&p, pid, e);
out:
	if (status != 0)
		*pid = -1;
	if (null >= 0)
		(void)close(null); /* nothing was written */
	free(p.env);
	free(p.path);
	return status;
}

int spawn_start(const struct spawn *s, pid_t *pid, struct err *e)
{
	return start(s, s->out, s->err >= 0 ? s->err : s->out, TIED, pid, e);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int finish(const struct spawn *s, pid_t pid, int *status, struct err *e)
{
	int raw;

	if (wait_for(pid, &raw, 0) != pid)
		return err_errno(e, errno, "%s: how it ended is not known", s->argv[0]);
	*status = exit_status(raw);
	return 0;
}

int spawn_run(const struct spawn *s, int *status, struct err *e)
{
	pid_t pid;

	*status = -1;
	if (spawn_start(s, &pid, e) != 0)
		return -1;
	return finish(s, pid, status, e);
}

/* What becomes of what a child writes. */
struct flow {
	struct str kept;
	size_t max; /* bytes that are kept */
	enum { KEEP_START, KEEP_END } keep;
	int copy; /* descriptor that all of it goes to as well; -1: none */
	enum { OUTPUT_ALONE, OUTPUT_AND_ERROR } what;
	int64_t deadline; /* of the child, by clock_monotonic(); 0: none */
};

static void drop_start(struct str *s, size_t max)
{
	if (s->len <= max)
		return;
	memmove(s->buf, s->buf + s->len - max, max + 1);
	s->len = max;
}

static void take(struct flow *f, const char *bytes, size_t n)
{
	if (f->copy >= 0)
		/* What cannot be shown is no reason to stop the child. */
		(void)files_write_all(f->copy, bytes, n);
	if (f->keep == KEEP_END) {
		str_addn(&f->kept, bytes, n);
		drop_start(&f->kept, f->max);
	} else if (f->kept.len < f->max) {
		str_addn(&f->kept, bytes, n < f->max - f->kept.len ? n : f->max - f->kept.len);
	}
}

/* Take what FD has to say now.  1: there may be more; 0: no; -1. */
static int read_some(int fd, struct flow *f)
{
	char buf[16384];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -1;
	take(f, buf, (size_t)n);
	return n > 0;
}

/* 1: PID has ended, and is still to be waited for; 0: not yet; -1 with errno set. */
static int has_ended(pid_t pid)
{
	siginfo_t ended = {.si_pid = 0};

	if (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0)
		return -1;
	return ended.si_pid != 0;
}

/*
 * Until PID ends, which has nothing more to say: most do at once, and it may still hang.  0 or -1 with
 * errno set.
 */
static int await_end(pid_t pid, int64_t deadline)
{
	int ended, pause_ms = 1;

	while ((ended = has_ended(pid)) == 0) {
		if (clock_monotonic() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(NULL, 0, pause_ms); /* a pause; it may be shorter */
		pause_ms = pause_ms < DOUBT_MS / 2 ? 2 * pause_ms : DOUBT_MS;
	}
	return ended > 0 ? 0 : -1;
}

/*
 * Read until every writer has closed FD, or the child has ended and those it left behind are
 * silent: a daemon that it started must not hold us.  Where there is a deadline, until it has ended.
 * 0 or -1 with errno set; the child is not waited for.
 */
static int drain(int fd, pid_t pid, struct flow *f)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int more = 1, ready, ended;

	while (more > 0) {
		ready = poll(&p, 1, DOUBT_MS);
		if (ready < 0 && errno != EINTR)
			return -1;
		if (ready > 0)
			more = read_some(fd, f);
		if (more > 0 && f->deadline != 0 && clock_monotonic() >= f->deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (ready != 0)
			continue;
		ended = has_ended(pid);
		if (ended < 0)
			return -1;
		more = !ended;
	}
	return more == 0 && f->deadline != 0 ? await_end(pid, f->deadline) : more;
}

/* Start S and read what it writes until it ends. */
static int start_and_read(const struct spawn *s, struct flow *f, int *status, struct err *e)
{
	int ends[2], started, fault = 0;
	pid_t pid;

	*status = -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, errno, "%s: no pipe", s->argv[0]);
	if (s->seconds > 0)
		f->deadline = clock_monotonic() + s->seconds * CLOCK_SECOND;
	started = start(s, ends[1],
		f->what == OUTPUT_AND_ERROR ? ends[1]
		: s->err >= 0               ? s->err
					    : s->out,
		TIED, &pid, e);
	(void)close(ends[1]); /* nothing was written to it here */
	if (started == 0 && drain(ends[0], pid, f) != 0) {
		fault = errno;
		(void)kill(s->group == SPAWN_GROUP_NEW ? -pid : pid, SIGKILL); /* nobody reads it */
	}
	(void)close(ends[0]); /* only read */
	if (started != 0 || finish(s, pid, status, e) != 0)
		return -1;
	if (fault == ETIMEDOUT)
		return err_set(e, "%s has not ended within %u s", s->argv[0], s->seconds);
	return fault == 0 ? 0 : err_errno(e, fault, "%s: cannot be read", s->argv[0]);
}

/* What is kept is added to OUT at the end, so that MAX counts nothing that was there before. */
static int read_into(
	const struct spawn *s, struct flow *f, struct str *out, int *status, struct err *e)
{
	int result;

	str_init(&f->kept);
	result = start_and_read(s, f, status, e);
	str_addn(out, f->kept.buf, f->kept.len);
	str_clear(&f->kept);
	return result;
}

int spawn_capture(const struct spawn *s, size_t max, struct str *out, int *status, struct err *e)
{
	struct flow f = {.max = max, .keep = KEEP_START, .copy = -1, .what = OUTPUT_ALONE};

	return read_into(s, &f, out, status, e);
}

int spawn_watch(const struct spawn *s, size_t max, struct str *out, int *status, struct err *e)
{
	struct flow f = {.max = max, .keep = KEEP_END, .copy = s->out, .what = OUTPUT_AND_ERROR};

	return read_into(s, &f, out, status, e);
}

int spawn_detached(const char *const *argv, struct err *e)
{
	struct spawn s = SPAWN_INIT;
	pid_t pid;

	s.argv = argv;
	return start(&s, -1, -1, DETACHED, &pid, e);
}
