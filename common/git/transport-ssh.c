/*
 * Git over SSH: OpenSSH's ssh(1), started for the server's git-upload-pack or git-receive-pack, with a
 * socket for its standard input and output.
 */
#define _GNU_SOURCE /* SOCK_CLOEXEC, pipe2 */
#include "git/conversation-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "git/remote.h"
#include "git/transport-ssh-internal.h"
#include "sys/secret.h"
#include "sys/spawn.h"

#define MAX_SAID 4096 /* bytes of standard error that are kept */

struct stream;

struct carrier {
	git_smart_subtransport parent;
	struct conversation *talk;
	struct stream *stream; /* the one there is; NULL: none */
};

struct stream {
	git_smart_subtransport_stream parent;
	struct carrier *carrier;
	pid_t pid;
	int fd;          /* to and from the server */
	int error;       /* standard error of ssh; -1: closed */
	struct str said; /* there */
	size_t taken;    /* bytes from the server */
};

/* ---- the program ---- */

/* One `-o NAME=VALUE`; the lists own their strings. */
static void add_option(struct strlist *argv, const char *name, const char *value)
{
	char *option = mem_format("%s=%s", name, value);

	strlist_add(argv, "-o");
	strlist_add(argv, option);
	free(option);
}

/* Where ssh replaces %h and the like, and takes blanks for ends; the caller's to free(). */
static char *quote_path(const char *path)
{
	struct str s;

	str_init(&s);
	str_addc(&s, '"');
	for (; *path != '\0'; path++) {
		if (*path == '%')
			str_addc(&s, '%');
		str_addc(&s, *path);
	}
	str_addc(&s, '"');
	return str_steal(&s);
}

/* TEXT as one word of the server's shell, added to *OUT. */
static void add_word(struct str *out, const char *text)
{
	str_addc(out, '\'');
	for (; *text != '\0'; text++)
		if (*text == '\'')
			str_add(out, "'\\''");
		else
			str_addc(out, *text);
	str_addc(out, '\'');
}

void transport_ssh_arguments(struct strlist *argv, const struct remote *r, const char *service)
{
	static const char *const fixed[] = {"ssh", "-F", "none", "-T", "-x", "-a", "-o",
		"BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o",
		"ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3",
		"-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o",
		"ControlPath=none"};
	struct str command;
	char *path;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		strlist_add(argv, fixed[i]);
	if (*r->key_file != '\0') {
		path = quote_path(r->key_file);
		add_option(argv, "IdentityFile", path);
		add_option(argv, "IdentitiesOnly", "yes");
		add_option(argv, "IdentityAgent", "none");
		free(path);
	}
	if (*r->known_hosts != '\0') {
		path = quote_path(r->known_hosts);
		add_option(argv, "UserKnownHostsFile", path);
		add_option(argv, "GlobalKnownHostsFile", "none");
		free(path);
	}
	if (*r->address.user != '\0')
		add_option(argv, "User", r->address.user);
	if (*r->address.port != '\0')
		add_option(argv, "Port", r->address.port);
	str_init(&command);
	str_addf(&command, "%s ", service);
	add_word(&command, r->address.path);
	strlist_add(argv, "--");
	strlist_add(argv, r->address.host);
	strlist_add(argv, command.buf);
	str_clear(&command);
}

/* ---- what ssh says ---- */

/* `ssh-keyscan ... >>FILE`, for whoever has to make the server known; the caller's to free(). */
static char *keyscan(const struct remote *r)
{
	const struct remote_address *a = &r->address;

	return mem_format("ssh-keyscan%s%s %s >>%s", *a->port ? " -p " : "", a->port, a->host,
		*r->known_hosts ? r->known_hosts : "~/.ssh/known_hosts");
}

static int tell_host_key(const struct remote *r, const char *said, struct err *e)
{
	char *scan = keyscan(r);

	if (strstr(said, "IDENTIFICATION HAS CHANGED") != NULL)
		(void)err_set(e,
			"the server's key is not the one that is known: somebody may stand in "
			"between; if it was changed on purpose, remove the old line (ssh-keygen -R "
			"%s -f FILE) and add the new one: %s",
			r->address.host, scan);
	else
		(void)err_set(e,
			"the server's key is not known; compare it with what its admin says, and "
			"add it, as the user the runner works as: %s",
			scan);
	free(scan);
	return -1;
}

static int tell_denied(const struct remote *r, struct err *e)
{
	if (*r->key_file != '\0')
		return err_set(e,
			"the server does not take our key: is the public half of key-file %s among "
			"those that may write to this repository?",
			r->key_file);
	return err_set(e,
		"the server asks for a key: write the path of a private key without a passphrase "
		"into key-file");
}

static int has_any(const char *said, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcasestr(said, *words) != NULL)
			return 1;
	return 0;
}

int transport_ssh_tell(const struct remote *r, const char *said, int status, struct err *e)
{
	static const char *const denied[] = {"Permission denied", "invalid format", "Load key",
		"Too many authentication failures", NULL};
	static const char *const missing[] = {"does not appear to be a git repository", "not found",
		"no such", "does not exist", "access denied", "not allowed", NULL};
	char *safe;

	if (strstr(said, "Host key verification failed") != NULL)
		return tell_host_key(r, said, e);
	if (status == 255 && has_any(said, denied))
		return tell_denied(r, e);
	safe = conversation_words(said);
	if (*safe == '\0')
		(void)err_set(e, "the server ended the conversation (ssh: status %d)", status);
	else
		(void)err_set(e, "the server, or ssh, says: %s (status %d)", safe, status);
	free(safe);
	/*
	 * 255 is ssh's own fault: a server that is not there, a line that broke.  From 128 on, the server's
	 * program was killed; and one that ends well has not said all.
	 */
	e->passing = status <= 0 || (status >= 128 && !has_any(said, missing));
	return -1;
}

/* ---- one process ---- */

/* Take some of what ssh says; more of it is for another time. */
static void drain_error(struct stream *s)
{
	char buf[1024];
	ssize_t n = read(s->error, buf, sizeof(buf));

	if (n > 0 && s->said.len < MAX_SAID)
		str_addn(&s->said, buf, (size_t)n);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	(void)close(s->error); /* only read */
	s->error = -1;
}

/* Milliseconds from now to UNTIL, by clock_monotonic(), for poll(2). */
static int left(int64_t until)
{
	int64_t now = clock_monotonic();

	return now < until ? (int)((until - now) / 1000 + 1) : 0;
}

/*
 * Wait until the server can be written to or read from, as EVENTS of poll(2) say, and take what ssh says
 * meanwhile, which is no excuse.  0, or -1: it has been still for too long.
 */
static int wait_for(struct stream *s, short events)
{
	struct err *e = &s->carrier->talk->fault;
	int64_t until = clock_monotonic() + CONVERSATION_STALL * CLOCK_SECOND;

	for (;;) {
		struct pollfd fds[] = {
			{.fd = s->fd, .events = events}, {.fd = s->error, .events = POLLIN}};
		int ms = left(until), n = poll(fds, 2, ms);

		if (n < 0 && errno != EINTR)
			return err_errno(e, errno, "ssh cannot be waited for");
		if (n > 0 && fds[1].revents != 0)
			drain_error(s);
		if (n > 0 && fds[0].revents != 0)
			return 0;
		if (ms > 0)
			continue;
		(void)err_set(e, "the server has been silent for %d seconds", CONVERSATION_STALL);
		e->passing = 1;
		return -1;
	}
}

/* End it and hear its last words.  Its status as spawn_run() gives it; -1: we had to kill it. */
static int end(struct stream *s)
{
	int64_t until = clock_monotonic() + SSH_END * CLOCK_SECOND;
	int status = 0, killed = 0;

	if (s->pid <= 0)
		return 0;
	(void)shutdown(s->fd, SHUT_RDWR); /* ssh ends by this; it may have done so already */
	while (s->error >= 0 && !killed) {
		struct pollfd p = {.fd = s->error, .events = POLLIN};
		int ms = left(until);

		if (poll(&p, 1, ms) > 0)
			drain_error(s);
		killed = ms == 0;
	}
	if (killed)
		(void)kill(s->pid, SIGKILL); /* our child, not yet waited for */
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	s->pid = 0;
	return killed || WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

/* The server is gone while we had something to ask or to say. */
static int tell_end(struct stream *s)
{
	struct conversation *c = s->carrier->talk;
	int status = end(s);

	return transport_ssh_tell(c->remote, s->said.buf, status, &c->fault);
}

static int stream_read(
	git_smart_subtransport_stream *stream, char *buffer, size_t size, size_t *bytes)
{
	struct stream *s = (struct stream *)stream;
	struct err *e = &s->carrier->talk->fault;
	ssize_t n;

	*bytes = 0;
	do {
		if (wait_for(s, POLLIN) != 0)
			return -1;
		n = recv(s->fd, buffer, size, MSG_DONTWAIT);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n <= 0)
		return tell_end(s);
	s->taken += (size_t)n;
	if (s->taken > CONVERSATION_MAX_PACK)
		return err_set(e, "the server sends more than %u bytes", CONVERSATION_MAX_PACK);
	*bytes = (size_t)n;
	return 0;
}

static int stream_write(git_smart_subtransport_stream *stream, const char *buffer, size_t len)
{
	struct stream *s = (struct stream *)stream;

	while (len > 0) {
		ssize_t n;

		if (wait_for(s, POLLOUT) != 0)
			return -1;
		n = send(s->fd, buffer, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return tell_end(s);
		buffer += n;
		len -= (size_t)n;
	}
	return 0;
}

static void stream_free(git_smart_subtransport_stream *stream)
{
	struct stream *s = (struct stream *)stream;

	(void)end(s); /* whatever it says now, nobody waits for it */
	if (s->carrier->stream == s)
		s->carrier->stream = NULL;
	if (s->fd >= 0)
		(void)close(s->fd); /* a socket */
	if (s->error >= 0)
		(void)close(s->error); /* only read */
	str_clear(&s->said);
	free(s);
}

/* ---- its start ---- */

/* Start ssh with the ends THEIRS of the socket and ERROR of the pipe. */
static int spawn(struct stream *s, const char *service, int theirs, int error, struct err *e)
{
	const struct remote *r = s->carrier->talk->remote;
	struct strlist argv = {0};
	const char **arguments;
	struct spawn child = SPAWN_INIT;
	int result;

	transport_ssh_arguments(&argv, r, service);
	arguments = mem_zalloc(argv.n + 1, sizeof(*arguments));
	for (size_t i = 0; i < argv.n; i++)
		arguments[i] = argv.v[i];
	child.argv = arguments;
	child.input = theirs;
	child.out = theirs;
	child.err = error;
	child.group = SPAWN_GROUP_OURS;
	result = spawn_start(&child, &s->pid, e);
	free(arguments);
	strlist_clear(&argv);
	return result;
}

static int start(struct stream *s, const char *service, struct err *e)
{
	int ends[2] = {-1, -1}, errors[2] = {-1, -1}, result = -1;
	const struct remote *r = s->carrier->talk->remote;

	if (*r->key_file != '\0' && secret_check(r->key_file, e) != 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ||
		pipe2(errors, O_CLOEXEC) != 0 || fcntl(errors[0], F_SETFL, O_NONBLOCK) != 0)
		(void)err_errno(e, errno, "no socket for ssh");
	else
		result = spawn(s, service, ends[1], errors[1], e);
	s->fd = ends[0];
	s->error = errors[0];
	if (ends[1] >= 0)
		(void)close(ends[1]); /* the child has its own */
	if (errors[1] >= 0)
		(void)close(errors[1]); /* the child has its own */
	return result;
}

/* ---- what libgit2 calls ---- */

static int carrier_action(git_smart_subtransport_stream **out, git_smart_subtransport *carrier,
	const char *url, git_smart_service_t action)
{
	struct carrier *c = (struct carrier *)carrier;
	struct stream *s = c->stream;

	(void)url; /* the conversation knows it */
	*out = NULL;
	if (action == GIT_SERVICE_UPLOADPACK || action == GIT_SERVICE_RECEIVEPACK) {
		/* Goes on where the list of references ended; libgit2 says goodbye to the dead, too. */
		if (s == NULL || s->pid <= 0)
			return -1;
		*out = &s->parent;
		return 0;
	}
	s = mem_zalloc(1, sizeof(*s));
	s->parent.subtransport = carrier;
	s->parent.read = stream_read;
	s->parent.write = stream_write;
	s->parent.free = stream_free;
	s->carrier = c;
	s->fd = s->error = -1;
	str_init(&s->said);
	if (start(s, conversation_service(action), &c->talk->fault) != 0) {
		stream_free(&s->parent);
		return -1;
	}
	c->stream = s;
	*out = &s->parent;
	return 0;
}

static int carrier_close(git_smart_subtransport *carrier)
{
	(void)carrier; /* the stream is freed by itself */
	return 0;
}

static void carrier_free(git_smart_subtransport *carrier)
{
	free(carrier);
}

int transport_ssh(git_smart_subtransport **out, git_transport *owner, void *conversation)
{
	struct carrier *c = mem_zalloc(1, sizeof(*c));

	(void)owner; /* has nothing that we need */
	c->parent.action = carrier_action;
	c->parent.close = carrier_close;
	c->parent.free = carrier_free;
	c->talk = conversation;
	*out = &c->parent;
	return 0;
}
