#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "command.h"
#include "data/config.h"
#include "data/json.h"
#include "git/oid.h"
#include "stage/registry.h"
#include "table.h"

#define DEFAULT_LIMIT 10 /* models on a page, as MLflow shows them */
#define MAX_LIMIT 1000

static void print_json(struct json *j)
{
	char *text = json_text(j, JSON_ONE_LINE);

	printf("%s\n", text);
	free(text);
	json_free(j);
}

/* ---- all models ---- */

static void put_version(struct json *j, const char *name, int64_t version)
{
	if (version == 0)
		json_put_null(j, name);
	else
		json_put_number(j, name, version);
}

static struct json *model_json(const struct registry_model *m)
{
	struct json *j = json_new_object(), *tags = json_new_object();

	json_put_text(j, "name", m->name);
	put_version(j, "latest_version", m->latest);
	put_version(j, "staging", m->staging);
	put_version(j, "production", m->production);
	json_put_time(j, "last_modified", m->updated);
	for (size_t i = 0; i < m->n_tags; i++)
		json_put_text(tags, m->tags[i].name, m->tags[i].value);
	json_put(j, "tags", tags);
	return j;
}

static void add_version(struct table *t, int64_t version)
{
	char *text = version == 0 ? mem_strdup("") : mem_format("Version %lld", (long long)version);

	table_add(t, text);
	free(text);
}

static void add_tags(struct table *t, const struct registry_model *m)
{
	struct str text;

	str_init(&text);
	for (size_t i = 0; i < m->n_tags; i++)
		str_addf(&text, "%s%s: %s", i > 0 ? ", " : "", m->tags[i].name, m->tags[i].value);
	table_add(t, text.buf);
	str_clear(&text);
}

static void print_models(const struct registry_models *l, const struct registry_page *page)
{
	/* The titles that people know from MLflow's page. */
	static const char *const titles[] = {
		"Name", "Latest Version", "Staging", "Production", "Last Modified", "Tags", NULL};
	char updated[COMMAND_TIME_SIZE];
	struct table t;

	if (l->n == 0) {
		puts(l->total > 0 ? "no more models" : "no models");
		return;
	}
	table_init(&t, titles);
	for (size_t i = 0; i < l->n; i++) {
		command_time(l->v[i].updated, updated);
		table_add(&t, l->v[i].name);
		add_version(&t, l->v[i].latest);
		add_version(&t, l->v[i].staging);
		add_version(&t, l->v[i].production);
		table_add(&t, updated);
		add_tags(&t, &l->v[i]);
	}
	table_print(&t);
	table_clear(&t);
	if (l->total > (int64_t)l->n)
		printf("page %lld: %zu of %lld models\n", (long long)page->number, l->n,
			(long long)l->total);
}

static int list_models(
	struct registry *r, const struct registry_page *page, int as_json, struct err *e)
{
	struct registry_models list;
	struct json *j, *array;

	if (registry_list(r, page, &list, e) != 0)
		return command_err(COMMAND_CANNOT_TELL, e);
	if (as_json) {
		j = json_new_object();
		array = json_new_array();
		for (size_t i = 0; i < list.n; i++)
			json_append(array, model_json(&list.v[i]));
		json_put(j, "models", array);
		json_put_number(j, "total", list.total);
		print_json(j);
	} else {
		print_models(&list, page);
	}
	registry_models_clear(&list);
	return COMMAND_DONE;
}

/* ---- the versions of one ---- */

static struct json *version_json(const struct registry_version *v)
{
	struct json *j = json_new_object();

	json_put_text(j, "name", v->model);
	json_put_number(j, "version", v->version);
	json_put_text(j, "stage", v->stage);
	json_put_time(j, "created_at", v->created);
	json_put_time(j, "updated_at", v->updated);
	json_put_text(j, "commit", v->commit);
	json_put_number(j, "pipeline", v->pipeline);
	json_put_text(j, "md5", v->md5);
	json_put_text(j, "source", v->source);
	json_put_text(j, "image", v->image);
	json_put_text(j, "image_digest", v->image_digest);
	json_put_text(j, "description", v->description);
	return j;
}

static void print_versions(const struct registry_versions *l)
{
	static const char *const titles[] = {
		"Version", "Stage", "Created", "Commit", "Pipeline", "md5", NULL};
	char created[COMMAND_TIME_SIZE];
	struct table t;

	table_init(&t, titles);
	for (size_t i = 0; i < l->n; i++) {
		char *commit = mem_strndup(l->v[i].commit, OID_SHORT);

		command_time(l->v[i].created, created);
		add_version(&t, l->v[i].version);
		table_add(&t, l->v[i].stage);
		table_add(&t, created);
		table_add(&t, commit);
		table_add_number(&t, l->v[i].pipeline);
		table_add(&t, l->v[i].md5);
		free(commit);
	}
	table_print(&t);
	table_clear(&t);
}

static int list_versions(struct registry *r, const char *model, int as_json, struct err *e)
{
	struct registry_versions list;
	struct json *j, *array;
	int status = COMMAND_DONE;

	if (registry_find(r, model, NULL, &list, e) != 0)
		return command_err(COMMAND_CANNOT_TELL, e);
	if (list.n == 0) {
		status = command_fail(COMMAND_NO, "there is no model %s", model);
	} else if (as_json) {
		j = json_new_object();
		array = json_new_array();
		for (size_t i = 0; i < list.n; i++)
			json_append(array, version_json(&list.v[i]));
		json_put(j, "versions", array);
		print_json(j);
	} else {
		print_versions(&list);
	}
	registry_versions_clear(&list);
	return status;
}

static int models(struct command *c, int argc, char **argv)
{
	const char *search = NULL, *limit = NULL, *number = NULL, *as_json = NULL;
	const struct command_option options[] = {{"--search=", &search}, {"--limit=", &limit},
		{"--page=", &number}, {"--json", &as_json}, {NULL, NULL}};
	long long size = DEFAULT_LIMIT, at = 1;
	struct registry_page page;
	struct registry *r = NULL;
	struct err e = ERR_INIT;
	int status, n = command_options(&verb_models, argc, argv, options, 0, 1);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if ((limit != NULL && command_number(limit, "limit", &size) != 0) ||
		(number != NULL && command_number(number, "page", &at) != 0))
		return COMMAND_USAGE;
	if (size > MAX_LIMIT)
		return command_fail(
			COMMAND_USAGE, "models: a page has at most %d models", MAX_LIMIT);
	if (n == 1 && (search != NULL || limit != NULL || number != NULL))
		return command_fail(
			COMMAND_USAGE, "models: --search, --limit and --page are for the list");
	if (registry_open(&r, c->config, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	page = (struct registry_page){.search = search, .limit = size, .number = at};
	status = n == 1 ? list_versions(r, argv[1], as_json != NULL, &e)
			: list_models(r, &page, as_json != NULL, &e);
	registry_close(r);
	return status;
}

const struct verb verb_models = {
	.name = "models",
	.run = models,
	.needs_config = 1,
	.arguments = "[NAME] [--search S] [--limit N] [--page N] [--json]",
	.summary = "Show the registered models; with NAME, the versions of one",
	.options = "  --search S  only names that contain S, in any case\n"
		   "  --limit N   models on a page, 10 if not given\n"
		   "  --page N    which page, from 1\n"
		   "  --json      as JSON\n",
};
