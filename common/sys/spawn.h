/*
 * The one way other programs are started: by argument vector, never through a shell, absolute path
 * or looked up in a fixed PATH, clean environment, standard input from /dev/null, no other
 * descriptor inherited, a process group of its own or ours, an end with us.
 *
 * The environment is PATH, LC_ALL, what the caller gives, and of our own what says how the network is
 * reached and which time zone it is: http_proxy, https_proxy, all_proxy, no_proxy (in capitals too, but
 * for HTTP_PROXY below a web server, where a client can set it), SSL_CERT_FILE, SSL_CERT_DIR, TZ.
 */
#ifndef MODELGATE_SYS_SPAWN_H
#define MODELGATE_SYS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct str;

/* The PATH that tools are looked up in and given. */
#define SPAWN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum spawn_group {
	SPAWN_GROUP_NEW, /* of its own: whoever stops the child stops all that the child started */
	SPAWN_GROUP_OURS /* whoever stops us stops the child and all that it started */
};

struct spawn {
	const char *const *argv; /* NULL-terminated; argv[0] absolute or looked up in SPAWN_PATH */
	const char *const *
		env; /* NULL-terminated "NAME=value", rather than what is told above; may be NULL */
	const char *dir; /* working directory; NULL: "/" */
	int out;  /* descriptor for standard output and error, not closed here; -1: /dev/null */
	int keep; /* one more descriptor that stays open in the child under its number (a lock); -1:
		     none */
	int input; /* descriptor for standard input, not closed here; -1: /dev/null */
	int err;   /* descriptor for standard error alone, not closed here; -1: as OUT */
	enum spawn_group group;
	int end_signal; /* what the child gets when we die, if it stays a child of ours; 0: SIGKILL */
	unsigned cpu_seconds; /* of processor time, then SIGXCPU; 0: no limit of its own */
	size_t memory; /* bytes that it may write to, files that it has mapped to read left out; then
			  it gets no more; 0: no limit of its own */
	unsigned seconds; /* spawn_capture, spawn_watch: until it has ended, else SIGKILL and
				 -1; 0: no limit */
};

#define SPAWN_INIT                                                                                 \
	{                                                                                          \
		.out = -1, .keep = -1, .input = -1, .err = -1                                      \
	}

/* Absolute path of the program NAME in SPAWN_PATH, the caller's to free(); NULL: there is none. */
char *spawn_find(const char *name);
/*
 * Start S in its process group; the child gets S's end_signal when the calling thread's process dies.
 * 0 and *PID, or -1 and *E (exec failures included: they are reported here, not by the child).
 */
int spawn_start(const struct spawn *s, pid_t *pid, struct err *e);
/*
 * Start S, wait for it.  *STATUS: exit status, or 128 + signal.  0, or -1 if it could not be
 * started.
 */
int spawn_run(const struct spawn *s, int *status, struct err *e);
/* As spawn_run, with standard output (at most MAX bytes, the rest is dropped) added to *OUT. */
int spawn_capture(const struct spawn *s, size_t max, struct str *out, int *status, struct err *e);
/*
 * As spawn_run, with standard output and error going on to S->out as they come, and the last MAX
 * bytes of them added to *OUT.
 */
int spawn_watch(const struct spawn *s, size_t max, struct str *out, int *status, struct err *e);
/*
 * Start ARGV truly detached: double fork, a session of its own, descriptors 0, 1, 2 on /dev/null
 * and no other open, directory "/", signals at their defaults.  Nobody waits for it; it keeps no
 * pipe of the caller open.  0, or -1.
 */
int spawn_detached(const char *const *argv, struct err *e);

/* Close all descriptors but 0, 1, 2 and these two, of which each may be -1. */
void spawn_close_others(int a, int b);

#endif
