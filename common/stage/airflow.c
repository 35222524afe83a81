#include "stage/airflow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "net/http.h"
#include "sys/files.h"
#include "sys/secret.h"

#define TIMEOUT 120   /* seconds that a server's hooks may take */
#define CACHE "cache" /* below the folder of repositories */
/* Whom GitLab, GitHub and Gitea take for the owner of a token that stands alone. */
#define TOKEN_USER "oauth2"

/* ---- HTTP, for common/git ---- */

struct sink {
	int fd;
	size_t room;
};

static int sink_write(void *context, const void *bytes, size_t len, struct err *e)
{
	struct sink *s = context;

	if (len > s->room)
		return err_set(e, "the server's answer is too long");
	s->room -= len;
	if (files_write_all(s->fd, bytes, len) == 0)
		return 0;
	return err_errno(e, errno, "the server's answer cannot be kept");
}

static int ask(
	void *context, const struct remote_request *r, struct remote_answer *out, struct err *e)
{
	const struct airflow *a = context;
	struct sink sink = {.fd = r->out, .room = r->max};
	const struct http_credentials who = {
		.kind = a->user != NULL ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE,
		.user = a->user,
		.secret = a->password};
	const struct http_request request = {.method = r->type != NULL ? "POST" : "GET",
		.url = r->url,
		.credentials = &who,
		.type = r->type,
		.body = r->type != NULL ? r->body : NULL,
		.len = r->len,
		.max = r->max,
		.sink = r->out >= 0 ? sink_write : NULL,
		.context = &sink};
	struct http_answer answer;

	if (http_do(a->http, &request, &answer, e) != HTTP_ANSWERED)
		return -1;
	out->status = answer.status;
	out->type = mem_strdup(answer.type);
	str_addn(&out->body, answer.body.buf, answer.body.len);
	http_answer_clear(&answer);
	return 0;
}

/* USER:PASSWORD, or a token alone. */
static int read_secret(struct airflow *a, const char *path, struct err *e)
{
	char *text = secret_read(path, e);
	const char *colon;

	if (text == NULL)
		return -1;
	colon = strchr(text, ':');
	a->user =
		colon != NULL ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup(TOKEN_USER);
	a->password = mem_strdup(colon != NULL ? colon + 1 : text);
	secret_free(text);
	return 0;
}

static int open_http(struct airflow *a, const struct config_airflow *section, struct err *e)
{
	const struct http_settings settings = {.ca_file = section->ca_file, .timeout = TIMEOUT};

	if (*section->token_file != '\0') {
		if (!str_starts(a->repository, "https://"))
			return err_set(e,
				"%s: over http:// anybody on the way could read the token; write "
				"https://",
				a->repository);
		if (read_secret(a, section->token_file, e) != 0)
			return err_wrap(e, "token-file");
	}
	a->remote.http = ask;
	a->remote.context = a;
	return http_new(&a->http, &settings, e);
}

static int open_address(struct airflow *a, const struct config_airflow *section, struct err *e)
{
	if (remote_parse(&a->remote.address, a->repository, e) != 0)
		return -1;
	switch (a->remote.address.kind) {
	case REMOTE_PATH:
		free(a->repository);
		a->repository = mem_strdup(a->remote.address.path);
		return 0;
	case REMOTE_HTTP:
		return open_http(a, section, e);
	case REMOTE_SSH:
		if (*section->key_file != '\0' && secret_check(section->key_file, e) != 0)
			return err_wrap(e, "key-file");
		return 0;
	}
	return 0;
}

int airflow_open(struct airflow *out, const struct config *config,
	const struct config_airflow *section, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->repository = config_airflow_repository(config, section);
	out->cache = mem_format("%s/%s/%s", config->state, CONFIG_STATE_REPOSITORIES, CACHE);
	out->remote.cache = out->cache;
	out->remote.token_file = section->token_file;
	out->remote.key_file = section->key_file;
	out->remote.known_hosts = section->known_hosts;
	if (open_address(out, section, e) == 0)
		return 0;
	airflow_close(out);
	return err_wrap(e, "[airflow \"%s\"]", section->name);
}

void airflow_close(struct airflow *a)
{
	remote_address_clear(&a->remote.address);
	http_free(a->http);
	secret_free(a->password);
	free(a->user);
	free(a->cache);
	free(a->repository);
	memset(a, 0, sizeof(*a));
}

const struct remote *airflow_remote(const struct airflow *a)
{
	return a->remote.address.kind == REMOTE_PATH ? NULL : &a->remote;
}
