#include "stage/dvc-config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

#define MAX_REMOTES 64

enum section { SECTION_OTHER, SECTION_CORE, SECTION_REMOTE };

struct parse {
	enum section section;
	char *remote; /* name of the section, in SECTION_REMOTE */
	char *core;   /* the default remote */
	struct dvc_remote *remotes;
	size_t n;
	size_t cap;
	int line;
};

void dvc_remote_clear(struct dvc_remote *r)
{
	free(r->name);
	free(r->url);
	memset(r, 0, sizeof(*r));
}

static void parse_clear(struct parse *p)
{
	for (size_t i = 0; i < p->n; i++)
		dvc_remote_clear(&p->remotes[i]);
	free(p->remotes);
	free(p->remote);
	free(p->core);
}

/* Cut blanks, then one pair of quotes, off both ends of S in place; where it starts. */
static char *trim(char *s)
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

/* [core] or ['remote "NAME"'], after its bracket. */
static int parse_section(struct parse *p, char *text, struct err *e)
{
	char *end = strrchr(text, ']'), *name;

	if (end == NULL)
		return err_set(e, "line %d: a section without its \"]\"", p->line);
	*end = '\0';
	name = trim(text);
	free(p->remote);
	p->remote = NULL;
	p->section = SECTION_OTHER;
	if (strcasecmp(name, "core") == 0) {
		p->section = SECTION_CORE;
	} else if (strncasecmp(name, "remote", 6) == 0 && isspace((unsigned char)name[6])) {
		p->section = SECTION_REMOTE;
		p->remote = mem_strdup(trim(name + 6));
	}
	return 0;
}

static int parse_value(struct parse *p, char *text, struct err *e)
{
	char *equals = strchr(text, '='), *key, *value;

	if (equals == NULL)
		return err_set(e, "line %d: neither a section nor \"key = value\"", p->line);
	*equals = '\0';
	key = trim(text);
	value = trim(equals + 1);
	if (p->section == SECTION_CORE && strcasecmp(key, "remote") == 0) {
		free(p->core);
		p->core = mem_strdup(value);
	} else if (p->section == SECTION_REMOTE && strcasecmp(key, "url") == 0) {
		if (p->n == MAX_REMOTES)
			return err_set(e, "line %d: more than %d remotes", p->line, MAX_REMOTES);
		mem_grow(&p->remotes, p->n, &p->cap, sizeof(*p->remotes));
		p->remotes[p->n].name = mem_strdup(p->remote);
		p->remotes[p->n++].url = mem_strdup(value);
	}
	return 0;
}

static int parse_line(struct parse *p, char *line, struct err *e)
{
	line += strspn(line, " \t\r");
	if (*line == '\0' || *line == '#' || *line == ';')
		return 0;
	return *line == '[' ? parse_section(p, line + 1, e) : parse_value(p, line, e);
}

static int parse_all(struct parse *p, const char *text, size_t len, struct err *e)
{
	const char *end = text + len;

	if (memchr(text, '\0', len) != NULL)
		return err_set(e, "a NUL byte");
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		char *line = mem_strndup(text, (size_t)((newline ? newline : end) - text));
		int failed;

		p->line++;
		failed = parse_line(p, line, e);
		free(line);
		if (failed)
			return -1;
		text = newline ? newline + 1 : end;
	}
	return 0;
}

/* DVC makes names lower case as it reads them.  The last of two sections of one name counts. */
static int choose(struct dvc_remote *out, const struct parse *p, struct err *e)
{
	const char *name = p->core;

	if (name == NULL)
		return err_set(e, "no default remote; it wants [core] remote = NAME");
	for (size_t i = p->n; i > 0; i--) {
		if (strcasecmp(p->remotes[i - 1].name, name) != 0 ||
			p->remotes[i - 1].url[0] == '\0')
			continue;
		out->name = mem_strdup(p->remotes[i - 1].name);
		out->url = mem_strdup(p->remotes[i - 1].url);
		return 0;
	}
	return err_set(e, "remote \"%s\" has no url; it wants ['remote \"%s\"'] url = ADDRESS",
		name, name);
}

int dvc_config_remote(struct dvc_remote *out, const char *text, size_t len, struct err *e)
{
	struct parse p = {0};
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (parse_all(&p, text, len, e) == 0)
		result = choose(out, &p, e);
	parse_clear(&p);
	return result == 0 ? 0 : err_wrap(e, "%s", DVC_CONFIG_FILE);
}

enum dvc_place dvc_config_place(const char *url, const char *base, char **path)
{
	*path = NULL;
	if (str_starts(url, "file:///"))
		url += strlen("file://");
	/* user@host:path is an address of ssh. */
	if (strstr(url, "://") != NULL || (url[0] != '/' && strchr(url, ':') != NULL))
		return DVC_ELSEWHERE;
	*path = url[0] == '/' ? mem_strdup(url) : path_join(base, url);
	return DVC_LOCAL;
}
