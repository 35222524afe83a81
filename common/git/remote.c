#include "git/remote.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/conversation-internal.h"
#include "git/internal.h"

void remote_address_clear(struct remote_address *a)
{
	free(a->url);
	free(a->path);
	free(a->user);
	free(a->host);
	free(a->port);
	memset(a, 0, sizeof(*a));
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* TEXT with every %XX decoded (RFC 3986), the caller's to free(); NULL: one is malformed or a NUL. */
static char *decode(const char *text)
{
	struct str s;

	str_init(&s);
	for (; *text != '\0'; text++) {
		int high, low;

		if (*text != '%') {
			str_addc(&s, *text);
			continue;
		}
		high = digit(text[1]);
		low = high >= 0 ? digit(text[2]) : -1;
		if (low < 0 || high * 16 + low == 0) {
			str_clear(&s);
			return NULL;
		}
		str_addc(&s, (char)(high * 16 + low));
		text += 2;
	}
	return str_steal(&s);
}

/* A path of this machine, as it is. */
static int take_path(struct remote_address *out, const char *path, struct err *e)
{
	out->kind = REMOTE_PATH;
	if (path == NULL || path[0] != '/')
		return err_set(e, "%s: file:// wants an absolute path of this machine", out->url);
	out->path = mem_strdup(path);
	return 0;
}

static int take_http(struct remote_address *out, const char *rest, struct err *e)
{
	size_t authority = strcspn(rest, "/?#"), len = strlen(out->url);

	out->kind = REMOTE_HTTP;
	if (memchr(rest, '@', authority) != NULL)
		return err_set(e,
			"the address of a repository holds a user or a password; write them into a "
			"file of mode 0600 and its path into token-file");
	if (authority == 0 || rest[authority] != '/' || strpbrk(rest, "?#") != NULL)
		return err_set(
			e, "%s is no address of a repository: https://HOST/PATH is", out->url);
	while (out->url[len - 1] == '/')
		out->url[--len] = '\0';
	return 0;
}

/* [USER@]HOST in the LEN bytes at TEXT. */
static int take_host(struct remote_address *out, const char *text, size_t len, struct err *e)
{
	const char *at = memchr(text, '@', len);
	size_t user = at != NULL ? (size_t)(at - text) : 0;
	const char *host = at != NULL ? at + 1 : text;
	size_t host_len = len - (size_t)(host - text);

	if (memchr(text, ':', user) != NULL)
		return err_set(e,
			"the address of a repository holds a password; SSH takes a key: write its "
			"path into key-file");
	/* ssh(1) has its own names for addresses in brackets. */
	if (host_len > 2 && host[0] == '[' && host[host_len - 1] == ']') {
		host++;
		host_len -= 2;
	}
	out->user = mem_strndup(text, user);
	out->host = mem_strndup(host, host_len);
	/* Neither may be taken for an option. */
	if (out->host[0] == '\0' || out->host[0] == '-' || out->user[0] == '-' ||
		(at != NULL && user == 0))
		return err_set(
			e, "%s is no address of a repository: ssh://USER@HOST/PATH is", out->url);
	return 0;
}

/* How long HOST[:PORT] is without ":PORT"; an IPv6 address stands in brackets. */
static size_t without_port(const char *text, size_t len)
{
	size_t n = len;

	while (n > 0 && isdigit((unsigned char)text[n - 1]))
		n--;
	return n > 0 && n < len && text[n - 1] == ':' ? n - 1 : len;
}

static int take_ssh(struct remote_address *out, const char *rest, struct err *e)
{
	size_t authority = strcspn(rest, "/"), host = without_port(rest, authority);
	char *path = decode(rest + authority);

	out->kind = REMOTE_SSH;
	if (path == NULL || path[0] == '\0' || path[1] == '\0') {
		free(path);
		return err_set(e, "%s has no path", out->url);
	}
	/* ssh://HOST/~USER/PATH is below that user's home. */
	out->path = mem_strdup(path[1] == '~' ? path + 1 : path);
	free(path);
	out->port = mem_strndup(rest + host, authority - host);
	if (out->port[0] == ':')
		memmove(out->port, out->port + 1, strlen(out->port));
	return take_host(out, rest, host, e);
}

/* HOST:PATH.  A HOST in brackets may hold colons. */
static int take_scp(struct remote_address *out, const char *text, struct err *e)
{
	const char *bracket = strstr(text, "]:");
	size_t host = bracket != NULL ? (size_t)(bracket + 1 - text) : strcspn(text, ":");

	out->kind = REMOTE_SSH;
	out->port = mem_strdup("");
	out->path = mem_strdup(text[host] == ':' ? text + host + 1 : "");
	if (out->path[0] == '\0' || out->path[0] == '-')
		return err_set(e, "%s has no path", out->url);
	return take_host(out, text, host, e);
}

static int parse(struct remote_address *out, const char *text, struct err *e)
{
	char *decoded;
	int result;

	if (text[0] == '/')
		return take_path(out, text, e);
	if (str_starts(text, "file://")) {
		decoded = decode(text + strlen("file://"));
		result = take_path(out, decoded, e);
		free(decoded);
		return result;
	}
	if (str_starts(text, "https://") || str_starts(text, "http://"))
		return take_http(out, strstr(out->url, "://") + 3, e);
	if (str_starts(text, "ssh://"))
		return take_ssh(out, text + strlen("ssh://"), e);
	if (strstr(text, "://") != NULL)
		return err_set(e,
			"%.*s:// is not spoken here; write a path, https://, ssh:// or "
			"USER@HOST:PATH",
			(int)strcspn(text, ":"), text);
	return take_scp(out, text, e);
}

int remote_parse(struct remote_address *out, const char *text, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->url = mem_strdup(text);
	if (parse(out, text, e) == 0)
		return 0;
	remote_address_clear(out);
	return -1;
}

int remote_tip(const struct remote *r, const char *branch, struct oid *tip, struct err *e)
{
	char *ref = mem_format("refs/heads/%s", branch);
	git_remote *remote = NULL;
	struct conversation c;
	int result = -1;
	git_oid id;

	conversation_init(&c, r, NULL);
	if (git_start(e) != 0)
		goto out;
	if (conversation_connect(&remote, NULL, GIT_DIRECTION_PUSH, &c, e) == 0)
		result = conversation_tip(remote, ref, &c, &id, e);
	if (result == 1)
		oid_from_git(tip, &id);
	git_remote_free(remote);
	(void)git_libgit2_shutdown(); /* says how often it is still started */
out:
	conversation_clear(&c);
	free(ref);
	return result;
}
