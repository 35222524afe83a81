#include "stage/address.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "net/http.h"
#include "stage/dvc-config.h"

/* What follows the scheme; NULL: it is neither http nor https. */
static const char *after_scheme(const char *url)
{
	if (strncasecmp(url, "https://", 8) == 0)
		return url + 8;
	return strncasecmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

/* 1: the N bytes at PART are "." or "..", each dot perhaps as %2e. */
static int is_step(const char *part, size_t n)
{
	int dots = 0;

	while (n > 0 && dots < 3) {
		size_t one = *part == '.' ? 1 : n >= 3 && strncasecmp(part, "%2e", 3) == 0 ? 3 : 0;

		if (one == 0)
			return 0;
		part += one;
		n -= one;
		dots++;
	}
	return n == 0 && (dots == 1 || dots == 2);
}

static int has_step(const char *path)
{
	for (size_t n; *path != '\0'; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (is_step(path, n))
			return 1;
	}
	return 0;
}

/* Blanks, controls, what is not in ASCII, and what readers of addresses understand differently. */
static int has_odd_character(const char *url)
{
	for (const char *c = url; *c != '\0'; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("\\\"<>^`{|}", *c) != NULL)
			return 1;
	return 0;
}

/* NULL, or what is wrong with URL. */
static const char *fault_of(const char *url)
{
	const char *host = after_scheme(url);
	size_t len;

	if (host == NULL)
		return "must start with https:// or http://";
	if (has_odd_character(url))
		return "must be in ASCII, without blanks; write other characters as %XX";
	len = strcspn(host, "/?#");
	if (memchr(host, '@', len) != NULL)
		return "must have no user and no password before its host; DVC takes them as keys "
		       "of the remote: user, password, auth = basic";
	if (len == 0 || *host == ':')
		return "names no host";
	if (strpbrk(host, "?#") != NULL)
		return "must have no \"?\" and no \"#\": a path follows it";
	return has_step(host) ? "must have no part \".\" or \"..\" in its path" : NULL;
}

int address_check(const char *url, const char *what, struct err *e)
{
	const char *fault = fault_of(url);
	char *plain, *shown;

	if (fault == NULL)
		return 0;
	plain = http_shown(url);
	shown = str_safe(plain, 200);
	(void)err_set(e, "%s %s: it %s", what, shown, fault);
	free(shown);
	free(plain);
	return -1;
}

/* "https", "//host" and "/path" of an address; without a scheme, all of it is the path. */
struct parts {
	char *scheme;
	char *host;
	const char *path; /* in the address */
};

static void split(struct parts *out, const char *address)
{
	const char *end = strstr(address, "://");

	memset(out, 0, sizeof(*out));
	out->path = address;
	if (end == NULL)
		return;
	out->scheme = mem_strndup(address, (size_t)(end - address));
	out->host = mem_strndup(end + 3, strcspn(end + 3, "/"));
	out->path = end + 3 + strlen(out->host);
}

static void parts_clear(struct parts *p)
{
	free(p->scheme);
	free(p->host);
}

/* Does a user stand before the host, of which the glob says nothing? */
static const char *without_user(const char *glob, const char *host)
{
	const char *at = strchr(glob, '@') == NULL ? strchr(host, '@') : NULL;

	return at != NULL ? at + 1 : host;
}

/* No star matches across the end of the host: *.example.com is no part of somebody's path. */
static int matches(const char *glob, const char *address)
{
	struct parts g, a;
	int result;

	split(&g, glob);
	split(&a, address);
	if (g.scheme == NULL || a.scheme == NULL)
		result = g.scheme == NULL && a.scheme == NULL && str_glob(glob, address);
	else
		result = strcmp(g.scheme, a.scheme) == 0 &&
			 str_glob(g.host, without_user(g.host, a.host)) &&
			 (g.path[0] == '\0' || str_glob(g.path, a.path));
	parts_clear(&g);
	parts_clear(&a);
	return result;
}

/*
 * What a glob would not see: where "a/../b" leads, and where a host ends for whoever connects to it.  A
 * path that is relative to the folder .dvc begins with one step out of it.
 */
static const char *fault_for_any_glob(const char *url)
{
	const char *end = strstr(url, "://"), *at;

	if (has_step(str_starts(url, "../") ? url + 3 : url))
		return "has a part \".\" or \"..\" in its path, where it is limited what models "
		       "may come from";
	if (end == NULL)
		return NULL;
	at = strchr(end, '@');
	if (has_odd_character(url) || strpbrk(url, "?#") != NULL ||
		(at != NULL && strchr(at + 1, '@') != NULL))
		return "has a character that not every program reads alike, where it is "
		       "limited what models may come from";
	return NULL;
}

static const char *fault_for_globs(
	const char *url, enum dvc_place place, const struct strlist *globs)
{
	const char *fault = fault_for_any_glob(url);

	if (fault != NULL || strlist_has(globs, "*"))
		return fault;
	/* user@host:path looks like a folder. */
	if (place == DVC_ELSEWHERE && strstr(url, "://") == NULL)
		return "is none of the addresses that models may come from: write it with its "
		       "scheme";
	for (size_t i = 0; i < globs->n; i++)
		if (matches(globs->v[i], url))
			return NULL;
	return "is none of the addresses that models may come from";
}

static int admit(const struct dvc_remote *r, const char *url, const struct config *c, struct err *e)
{
	const char *fault;
	char *plain, *shown, *path;

	if (c->model_remotes.n == 0)
		return 0;
	fault = fault_for_globs(url, dvc_config_place(url, ".dvc", &path), &c->model_remotes);
	free(path);
	if (fault == NULL)
		return 0;
	plain = http_shown(url);
	shown = str_safe(plain, 200);
	(void)err_set(e, "DVC remote %s: %s %s ([build] model-remotes)", r->name, shown, fault);
	free(shown);
	free(plain);
	return -1;
}

int address_admit(const struct dvc_remote *r, const struct config *c, struct err *e)
{
	const char *endpoint = dvc_remote_get(r, "endpointurl");
	char *what = mem_format("DVC remote %s: url", r->name), *path;
	enum dvc_place place = dvc_config_place(r->url, ".dvc", &path);
	int result = 0;

	if (place == DVC_HTTP)
		result = address_check(r->url, what, e);
	free(what);
	what = mem_format("DVC remote %s: endpointurl", r->name);
	if (result == 0 && place == DVC_S3 && endpoint != NULL)
		result = address_check(endpoint, what, e);
	if (result == 0)
		result = admit(r, r->url, c, e);
	if (result == 0 && endpoint != NULL)
		result = admit(r, endpoint, c, e);
	free(path);
	free(what);
	return result;
}
