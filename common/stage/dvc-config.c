#define _DEFAULT_SOURCE /* explicit_bzero */
#include "stage/dvc-config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/ini-lines.h"

#define MAX_REMOTES 64
#define MAX_SETTINGS 64 /* of one remote */
#define MAX_STEPS 8     /* remotes that stand on one another */

#define SCHEME_REMOTE "remote://"

struct parse {
	char *core; /* the default remote */
	struct dvc_remote *remotes;
	size_t n;
	size_t cap;
};

static void wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void dvc_remote_clear(struct dvc_remote *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].key);
		wipe(r->v[i].value);
	}
	free(r->v);
	free(r->name);
	wipe(r->url);
	memset(r, 0, sizeof(*r));
}

static void parse_clear(struct parse *p)
{
	for (size_t i = 0; i < p->n; i++)
		dvc_remote_clear(&p->remotes[i]);
	free(p->remotes);
	free(p->core);
}

/* Cut blanks, then one pair of quotes, off both ends of S in place; where it starts. */
static char *unquote(char *s)
{
	size_t len;

	while (isspace((unsigned char)*s))
		s++;
	for (len = strlen(s); len > 0 && isspace((unsigned char)s[len - 1]);)
		s[--len] = '\0';
	if (len >= 2 && (*s == '"' || *s == '\'') && s[len - 1] == *s) {
		s[len - 1] = '\0';
		s++;
	}
	return s;
}

/* As DVC's reader (ConfigObj) has it: a # begins a comment, unless it stands in quotes. */
static char *value_of(char *s)
{
	char *end = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;

	if (end != NULL && strchr(" \t#", end[1]) != NULL)
		end[1] = '\0';
	else if (end == NULL)
		s[strcspn(s, "#")] = '\0';
	return unquote(s);
}

/* The remote NAME, whatever its case; NULL: there is none. */
static struct dvc_remote *find(const struct parse *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcasecmp(p->remotes[i].name, name) == 0)
			return &p->remotes[i];
	return NULL;
}

/* KEY of R, whatever its case; NULL: not set. */
static struct dvc_setting *find_setting(const struct dvc_remote *r, const char *key)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcasecmp(r->v[i].key, key) == 0)
			return &r->v[i];
	return NULL;
}

static void add_setting(struct dvc_remote *r, const char *key, const char *value)
{
	struct dvc_setting *s;

	mem_grow(&r->v, r->n, &r->cap, sizeof(*r->v));
	s = &r->v[r->n++];
	s->key = mem_strdup(key);
	for (char *c = s->key; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	s->value = mem_strdup(value);
}

/* The last of two values of one key counts. */
static int set(struct dvc_remote *r, const struct ini_line *line, char *key, struct err *e)
{
	char *value = value_of(line->value);
	struct dvc_setting *known;

	if (strcasecmp(key, "url") == 0) {
		wipe(r->url);
		r->url = mem_strdup(value);
		return 0;
	}
	known = find_setting(r, key);
	if (known != NULL) {
		wipe(known->value);
		known->value = mem_strdup(value);
		return 0;
	}
	if (r->n == MAX_SETTINGS)
		return err_set(
			e, "line %d: more than %d keys of one remote", line->number, MAX_SETTINGS);
	add_setting(r, key, value);
	return 0;
}

/* One key; the name of a remote stands in its section: 'remote "NAME"'. */
static int take(void *context, const struct ini_line *line, struct err *e)
{
	struct parse *p = context;
	char *copy = mem_strdup(line->section), *section = unquote(copy), *name = NULL;
	char *key = unquote(line->key);
	int result = 0;

	if (strcasecmp(section, "core") == 0 && strcasecmp(key, "remote") == 0) {
		free(p->core);
		p->core = mem_strdup(value_of(line->value));
	} else if (strncasecmp(section, "remote", 6) == 0 && section[6] != '\0' &&
		   strchr(" \t\"'", section[6]) != NULL) {
		name = unquote(section + 6);
		if (find(p, name) == NULL && p->n == MAX_REMOTES) {
			result = err_set(
				e, "line %d: more than %d remotes", line->number, MAX_REMOTES);
		} else if (find(p, name) == NULL) {
			mem_grow(&p->remotes, p->n, &p->cap, sizeof(*p->remotes));
			p->remotes[p->n++].name = mem_strdup(name);
		}
		if (result == 0)
			result = set(find(p, name), line, key, e);
	}
	free(copy);
	return result;
}

/*
 * Fill *OUT, whose name is set, from the remote NAME of P, on which STEPS others stand, and from those it
 * stands on: the keys of the nearer one count, and its path goes behind the url of the other.
 */
static int gather(
	struct dvc_remote *out, const struct parse *p, const char *name, int steps, struct err *e)
{
	const struct dvc_remote *r = find(p, name);
	const char *path;
	char *other, *url;
	int result;

	if (r == NULL || r->url == NULL || r->url[0] == '\0')
		return err_set(e,
			"remote \"%s\" has no url; it wants ['remote \"%s\"'] url = ADDRESS", name,
			name);
	for (size_t i = 0; i < r->n; i++)
		if (find_setting(out, r->v[i].key) == NULL)
			add_setting(out, r->v[i].key, r->v[i].value);
	if (!str_starts(r->url, SCHEME_REMOTE)) {
		out->url = mem_strdup(r->url);
		return 0;
	}
	if (steps == MAX_STEPS)
		return err_set(e, "remote \"%s\" stands on more than %d others, or on itself",
			out->name, MAX_STEPS);
	path = r->url + strlen(SCHEME_REMOTE);
	other = mem_strndup(path, strcspn(path, "/"));
	path += strlen(other);
	path += strspn(path, "/");
	result = gather(out, p, other, steps + 1, e);
	if (result == 0 && *path != '\0') {
		url = path_join(out->url, path);
		wipe(out->url);
		out->url = url;
	}
	free(other);
	return result;
}

static int choose(struct dvc_remote *out, const struct parse *p, const char *wanted, struct err *e)
{
	const struct dvc_remote *remote;

	if (wanted == NULL)
		wanted = p->core;
	if (wanted == NULL)
		return err_set(e, "no default remote; it wants [core] remote = NAME");
	remote = find(p, wanted);
	out->name = mem_strdup(remote != NULL ? remote->name : wanted);
	return gather(out, p, wanted, 0, e);
}

int dvc_config_remote(
	struct dvc_remote *out, const char *text, size_t len, const char *wanted, struct err *e)
{
	struct parse p = {0};
	char *copy = mem_strndup(text, len);
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (ini_lines_each(copy, len, take, &p, e) == 0)
		result = choose(out, &p, wanted, e);
	if (result != 0)
		dvc_remote_clear(out);
	parse_clear(&p);
	explicit_bzero(copy, len);
	free(copy);
	return result == 0 ? 0 : err_wrap(e, "%s", DVC_CONFIG_FILE);
}

const char *dvc_remote_get(const struct dvc_remote *r, const char *key)
{
	const struct dvc_setting *s = find_setting(r, key);

	return s != NULL && s->value[0] != '\0' ? s->value : NULL;
}

int dvc_remote_is(const struct dvc_remote *r, const char *key)
{
	const char *value = dvc_remote_get(r, key);

	return value != NULL && strcasecmp(value, "true") == 0;
}

enum dvc_place dvc_config_place(const char *url, const char *base, char **path)
{
	*path = NULL;
	if (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0)
		return DVC_HTTP;
	if (strncasecmp(url, "s3://", 5) == 0)
		return DVC_S3;
	if (str_starts(url, "file:///"))
		url += strlen("file://");
	/* user@host:path is an address of ssh. */
	if (strstr(url, "://") != NULL || (url[0] != '/' && strchr(url, ':') != NULL))
		return DVC_ELSEWHERE;
	*path = url[0] == '/' ? mem_strdup(url) : path_join(base, url);
	return DVC_LOCAL;
}
