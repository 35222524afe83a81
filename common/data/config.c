#include "data/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config-parts.h"
#include "data/ini.h"
#include "sys/paths.h"

/* Add the content of the last of D->files. */
static int add_text(struct config_draft *d, enum config_layer layer, const char *text, size_t len,
	struct err *e)
{
	const char *name = d->files.v[d->files.n - 1];
	struct ini ini = {0};
	int result = -1;

	if (len > CONFIG_FILE_SIZE)
		return err_set(e, "%s: %zu bytes; at most %d", name, len, CONFIG_FILE_SIZE);
	if (ini_read(&ini, text, len, name, e) == 0)
		result = config_layer(d, &ini, layer, e);
	ini_clear(&ini);
	return result;
}

static int start(struct config_draft *d, struct err *e)
{
	memset(d, 0, sizeof(*d));
	d->c = mem_zalloc(1, sizeof(*d->c));
	strlist_add(&d->files, "built-in defaults");
	return add_text(d, CONFIG_DEFAULTS, config_defaults, strlen(config_defaults), e);
}

static int add_line(const struct config_key *k, const char *name, void *base, void *arg)
{
	struct str line;

	str_init(&line);
	str_add(&line, k->section);
	str_addc(&line, '\t');
	str_add(&line, name);
	str_addc(&line, '\t');
	str_add(&line, k->key);
	str_addc(&line, '\t');
	config_render(&line, k, base);
	str_addc(&line, '\n');
	strlist_add(arg, line.buf);
	str_clear(&line);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void digest(struct config *c)
{
	struct strlist lines = {0};
	struct sha256 h;

	(void)config_each(c, add_line, &lines);
	qsort(lines.v, lines.n, sizeof(*lines.v), compare);
	sha256_init(&h);
	for (size_t i = 0; i < lines.n; i++)
		sha256_add(&h, lines.v[i], strlen(lines.v[i]));
	sha256_hex(&h, c->sha256);
	strlist_clear(&lines);
}

/* Check what the files gave together.  RESULT is what reading them gave; so is what is returned. */
static int finish(struct config_draft *d, int result, struct config **out, struct err *e)
{
	if (result == 0)
		result = config_check(d, e);
	if (result == 0) {
		for (size_t i = 1; i < d->files.n; i++) /* the first is the defaults */
			strlist_add(&d->c->files, d->files.v[i]);
		digest(d->c);
		d->c->places = d->v;
		d->c->n_places = d->n;
		d->v = NULL;
		d->n = 0;
		*out = d->c;
	} else {
		config_free(d->c);
	}
	config_draft_clear(d);
	return result;
}

int config_parse(struct config **out, const char *text, size_t len, const char *name, struct err *e)
{
	struct config_draft d;
	int result;

	*out = NULL;
	result = start(&d, e);
	if (result == 0) {
		strlist_add(&d.files, name);
		result = add_text(&d, CONFIG_SYSTEM, text, len, e);
	}
	return finish(&d, result, out, e);
}

static int add_file(struct config_draft *d, enum config_layer layer, const char *path,
	const struct str *text, struct err *e)
{
	strlist_add(&d->files, path);
	return add_text(d, layer, text->buf, text->len, e);
}

static int add_system(struct config_draft *d, const char *given, uint64_t owner, struct err *e)
{
	const char *path = given != NULL ? given : paths_system_config();
	struct str text;
	int result;

	str_init(&text);
	result = config_file_read(
		&text, path, owner, given != NULL ? CONFIG_MUST_EXIST : CONFIG_MAY_BE_ABSENT, e);
	if (result == 1)
		result = add_file(d, CONFIG_SYSTEM, path, &text, e);
	str_clear(&text);
	return result;
}

/* The repository's file may stand in one of two places, not in both. */
static int add_repository(
	struct config_draft *d, const char *repository, uint64_t owner, struct err *e)
{
	char *hooks = path_join(repository, "custom_hooks/" PATHS_REPOSITORY_CONFIG);
	char *plain = path_join(repository, PATHS_REPOSITORY_CONFIG);
	struct str in_hooks, in_plain;
	int n_hooks, n_plain, result = -1;

	str_init(&in_hooks);
	str_init(&in_plain);
	n_hooks = config_file_read(&in_hooks, hooks, owner, CONFIG_MAY_BE_ABSENT, e);
	if (n_hooks < 0)
		goto out;
	n_plain = config_file_read(&in_plain, plain, owner, CONFIG_MAY_BE_ABSENT, e);
	if (n_plain < 0)
		goto out;
	if (n_hooks + n_plain == 2)
		result = err_set(e, "%s and %s are both there; keep one", hooks, plain);
	else if (n_hooks == 1)
		result = add_file(d, CONFIG_REPOSITORY, hooks, &in_hooks, e);
	else if (n_plain == 1)
		result = add_file(d, CONFIG_REPOSITORY, plain, &in_plain, e);
	else
		result = 0;
out:
	str_clear(&in_hooks);
	str_clear(&in_plain);
	free(hooks);
	free(plain);
	return result;
}

int config_load(struct config **out, const struct config_sources *from, struct err *e)
{
	uint64_t owner = geteuid();
	struct config_draft d;
	struct stat st;
	int result;

	*out = NULL;
	if (from->repository != NULL) {
		if (stat(from->repository, &st) != 0)
			return err_errno(e, errno, "%s", from->repository);
		owner = st.st_uid;
	}
	result = start(&d, e);
	if (result == 0)
		result = add_system(&d, from->system_file, owner, e);
	if (result == 0 && from->repository != NULL)
		result = add_repository(&d, from->repository, owner, e);
	return finish(&d, result, out, e);
}

static int free_value(const struct config_key *k, const char *name, void *base, void *arg)
{
	void *member = (char *)base + k->offset;

	(void)name;
	(void)arg;
	if (k->type == CONFIG_TEXT || k->type == CONFIG_PROSE)
		free(*(char **)member);
	else if (k->type == CONFIG_LIST)
		strlist_clear(member);
	return 0;
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	(void)config_each(c, free_value, NULL);
	for (size_t i = 0; i < c->n_roles; i++)
		free(c->roles[i].name);
	for (size_t i = 0; i < c->n_branches; i++)
		free(c->branches[i].name);
	for (size_t i = 0; i < c->n_chains; i++)
		free(c->chains[i].name);
	for (size_t i = 0; i < c->n_airflows; i++)
		free(c->airflows[i].name);
	free(c->roles);
	free(c->branches);
	free(c->chains);
	free(c->airflows);
	config_places_free(c->places, c->n_places);
	strlist_clear(&c->files);
	free(c);
}

static const void *named(const struct config *c, const char *section, const char *name)
{
	return config_element(c, config_section_find(section), name);
}

const struct config_branch *config_branch(const struct config *c, const char *name)
{
	return named(c, "branch", name);
}

const struct config_chain *config_chain(const struct config *c, const char *name)
{
	return named(c, "chain", name);
}

const struct config_airflow *config_airflow(const struct config *c, const char *name)
{
	return named(c, "airflow", name);
}

const struct config_role *config_role(const struct config *c, const char *name)
{
	return named(c, "role", name);
}

char *config_project(const struct config *c, const char *project_path, const char *gitdir)
{
	const char *path = project_path != NULL && project_path[0] != '\0' ? project_path : gitdir;
	size_t end = strlen(path), start_at;
	char *name;

	if (c->project_name[0] != '\0')
		return mem_strdup(c->project_name);
	while (end > 0 && path[end - 1] == '/')
		end--;
	if (path == gitdir && end >= 4 && memcmp(path + end - 4, ".git", 4) == 0)
		end -= 4;
	while (end > 0 && path[end - 1] == '/') /* a work tree's own DIR/.git: it is called DIR */
		end--;
	for (start_at = end; start_at > 0 && path[start_at - 1] != '/';)
		start_at--;
	if (end - start_at > CONFIG_PROJECT_NAME_MAX)
		end = start_at + CONFIG_PROJECT_NAME_MAX;
	if (end == start_at)
		return mem_strdup("_");
	name = mem_strndup(path + start_at, end - start_at);
	for (size_t i = 0; name[i] != '\0'; i++) {
		char one[2] = {name[i], '\0'};

		if (!config_fits_project(one))
			name[i] = '_';
	}
	return name;
}

char *config_airflow_repository(const struct config *c, const struct config_airflow *a)
{
	if (a->repository[0] != '\0')
		return mem_strdup(a->repository);
	return mem_format("%s/%s/%s.git", c->state, CONFIG_STATE_REPOSITORIES, a->name);
}
