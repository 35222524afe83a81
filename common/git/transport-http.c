/* Git over HTTP (gitprotocol-http(5)): each exchange is one request, which remote.http carries out. */
#include "git/conversation-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "git/remote.h"
#include "sys/files.h"

struct carrier {
	git_smart_subtransport parent;
	struct conversation *talk;
};

struct stream {
	git_smart_subtransport_stream parent;
	struct conversation *talk;
	git_smart_service_t action;
	struct str sent; /* the body of the request, gathered until its answer is read */
	int is_asked;
	struct str answer; /* of what is short */
	size_t at;
	int file; /* of a pack; -1: none */
};

static int lists(const struct stream *s)
{
	return s->action == GIT_SERVICE_UPLOADPACK_LS || s->action == GIT_SERVICE_RECEIVEPACK_LS;
}

/* ---- what the server makes of it ---- */

/* What keeps us out, and what to do about it. */
static int tell_denied(const struct remote *r, long status, struct err *e)
{
	if (*r->token_file != '\0')
		return err_set(e,
			"the server does not let us (status %ld): the token in token-file %s is "
			"wrong, has run out, or may not write to this repository",
			status, r->token_file);
	return err_set(e,
		"the server asks who we are (status %ld): write the path of a file with a token "
		"into token-file",
		status);
}

static int tell_status(const struct remote *r, long status, struct err *e)
{
	if (status == 401 || status == 403)
		return tell_denied(r, status, e);
	if (status == 404)
		return err_set(e, "the server knows no such repository (status 404), or hides it "
				  "from the user of token-file");
	if (status >= 300 && status < 400)
		return err_set(e,
			"the server sends us elsewhere (status %ld): write the repository's own "
			"address",
			status);
	(void)err_set(e, "the server answers with status %ld", status);
	e->passing = status == 408 || status == 429 || status >= 500;
	return -1;
}

static int check_answer(
	const struct stream *s, const struct remote_answer *a, const char *service, struct err *e)
{
	char *type;
	int result = 0;

	if (a->status != 200)
		return tell_status(s->talk->remote, a->status, e);
	type = mem_format("application/x-%s-%s", service, lists(s) ? "advertisement" : "result");
	if (!str_same(a->type, type))
		result = err_set(e, "what answers there is no Git repository over HTTP");
	free(type);
	return result;
}

/* ---- one request ---- */

/* A file without a name, for an answer that may be too long to be kept in memory. */
static int open_spool(const struct conversation *c, struct err *e)
{
	char *path;
	int fd;

	if (c->spool == NULL)
		return err_set(e, "nothing was to be fetched");
	path = path_join(c->spool, "answer");
	(void)unlink(path); /* left by one who was killed */
	fd = files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (fd >= 0 && unlink(path) != 0) {
		(void)err_errno(e, errno, "%s cannot be removed", path);
		(void)close(fd); /* nothing was written */
		fd = -1;
	}
	free(path);
	return fd;
}

static int send_request(struct stream *s, struct remote_answer *a, struct err *e)
{
	const struct remote *r = s->talk->remote;
	const char *service = conversation_service(s->action);
	char *url = lists(s) ? mem_format("%s/info/refs?service=%s", r->address.url, service)
			     : mem_format("%s/%s", r->address.url, service);
	char *type = lists(s) ? NULL : mem_format("application/x-%s-request", service);
	const struct remote_request request = {.url = url,
		.type = type,
		.body = s->sent.buf,
		.len = s->sent.len,
		.max = s->file >= 0 ? CONVERSATION_MAX_PACK : CONVERSATION_MAX_REFS,
		.out = s->file};
	int result = r->http(r->context, &request, a, e);

	if (result == 0)
		result = check_answer(s, a, service, e);
	free(type);
	free(url);
	return result;
}

static int ask(struct stream *s, struct err *e)
{
	struct remote_answer a = {0};
	int result = -1;

	s->is_asked = 1;
	if (s->action == GIT_SERVICE_UPLOADPACK && (s->file = open_spool(s->talk, e)) < 0)
		return -1;
	str_init(&a.body);
	if (send_request(s, &a, e) != 0)
		goto out;
	if (s->file >= 0 && lseek(s->file, 0, SEEK_SET) != 0) {
		(void)err_errno(e, errno, "the answer cannot be read");
		goto out;
	}
	str_clear(&s->answer);
	s->answer = a.body;
	str_init(&a.body);
	result = 0;
out:
	str_clear(&a.body);
	free(a.type);
	return result;
}

/* ---- what libgit2 calls ---- */

static int stream_read(
	git_smart_subtransport_stream *stream, char *buffer, size_t size, size_t *bytes)
{
	struct stream *s = (struct stream *)stream;
	ssize_t n;

	*bytes = 0;
	if (!s->is_asked && ask(s, &s->talk->fault) != 0)
		return -1;
	if (s->file >= 0) {
		n = read(s->file, buffer, size);
		if (n < 0)
			return err_errno(&s->talk->fault, errno, "the answer cannot be read");
		*bytes = (size_t)n;
		return 0;
	}
	*bytes = s->answer.len - s->at < size ? s->answer.len - s->at : size;
	memcpy(buffer, s->answer.buf + s->at, *bytes);
	s->at += *bytes;
	return 0;
}

static int stream_write(git_smart_subtransport_stream *stream, const char *buffer, size_t len)
{
	struct stream *s = (struct stream *)stream;

	if (len > CONVERSATION_MAX_PACK - s->sent.len)
		return err_set(
			&s->talk->fault, "more than %u bytes are not sent", CONVERSATION_MAX_PACK);
	str_addn(&s->sent, buffer, len);
	return 0;
}

static void stream_free(git_smart_subtransport_stream *stream)
{
	struct stream *s = (struct stream *)stream;

	if (s->file >= 0)
		(void)close(s->file); /* it has no name any more */
	str_clear(&s->sent);
	str_clear(&s->answer);
	free(s);
}

static int carrier_action(git_smart_subtransport_stream **out, git_smart_subtransport *carrier,
	const char *url, git_smart_service_t action)
{
	struct stream *s = mem_zalloc(1, sizeof(*s));

	(void)url; /* the conversation knows it */
	s->parent.subtransport = carrier;
	s->parent.read = stream_read;
	s->parent.write = stream_write;
	s->parent.free = stream_free;
	s->talk = ((struct carrier *)carrier)->talk;
	s->action = action;
	s->file = -1;
	str_init(&s->sent);
	str_init(&s->answer);
	*out = &s->parent;
	return 0;
}

static int carrier_close(git_smart_subtransport *carrier)
{
	(void)carrier; /* nothing outlives a request */
	return 0;
}

static void carrier_free(git_smart_subtransport *carrier)
{
	free(carrier);
}

int transport_http(git_smart_subtransport **out, git_transport *owner, void *conversation)
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
