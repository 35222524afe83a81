#include "stage/mlflow-view.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/config.h"
#include "data/json.h"
#include "net/http.h"
#include "stage/mlflow.h"

#define PAGE_SIZE 100  /* elements that are asked for at a time */
#define MAX_PAGES 1000 /* a server that never comes to an end is not followed for ever */

void mlflow_view_clear(struct mlflow_view *w)
{
	free(w->owner);
	free(w->marks);
	registry_versions_clear(&w->versions);
	memset(w, 0, sizeof(*w));
}

enum mlflow_stages mlflow_stages_by(int promotion)
{
	return promotion == CONFIG_PROMOTION_ALIASES ? MLFLOW_BY_ALIAS : MLFLOW_BY_STAGE;
}

int mlflow_view_owner(
	const struct mlflow_view *w, const char *model, const char *owner, struct err *e)
{
	if (w->owner != NULL && strcmp(w->owner, owner) == 0)
		return 0;
	if (w->owner != NULL)
		return err_set(
			e, "registered model %s belongs to %s; this is %s", model, w->owner, owner);
	return err_set(e,
		"registered model %s in MLflow was made by somebody else; to hand it over to this "
		"repository, set its tag " MLFLOW_TAG_OWNER " to %s",
		model, owner);
}

/* ---- members of an answer ---- */

const char *mlflow_tag(const struct json *j, const char *name)
{
	const struct json *tags = json_get(j, "tags");

	for (size_t i = 0; i < json_length(tags); i++) {
		const struct json *tag = json_at(tags, i);

		if (str_same(json_get_text(tag, "key"), name))
			return json_get_text(tag, "value");
	}
	return NULL;
}

int64_t mlflow_number(const struct json *j, const char *name)
{
	const char *text = json_get_text(j, name);
	long long number;

	if (text == NULL)
		number = json_get_number(j, name, 0);
	else if (str_number(text, INT64_MAX, &number) != 0)
		number = 0;
	return number > 0 ? number : 0;
}

int64_t mlflow_time(const struct json *j, const char *name)
{
	int64_t ms = mlflow_number(j, name);

	return ms > 0 && ms < INT64_MAX / 1000 ? ms * 1000 : 0;
}

int64_t mlflow_alias(const struct json *j, const char *alias)
{
	const struct json *aliases = json_get(j, "aliases");

	for (size_t i = 0; i < json_length(aliases); i++)
		if (str_same(json_get_text(json_at(aliases, i), "alias"), alias))
			return mlflow_number(json_at(aliases, i), "version");
	return 0;
}

/* ---- pages ---- */

/* One page.  *TOKEN, the caller's to free(), is that of the next, NULL: there is none. */
static int read_page(struct mlflow *m, const char *path, const char *member, char **token,
	int (*each)(void *context, const struct json *element, struct err *e), void *context,
	struct err *e)
{
	char *escaped = http_escape(*token != NULL ? *token : "");
	char *full = mem_format("%s&max_results=%d%s%s", path, PAGE_SIZE,
		*token != NULL ? "&page_token=" : "", escaped);
	struct mlflow_call call = {"GET", full, NULL, MLFLOW_REPEATABLE};
	struct json *answer = NULL;
	const struct json *elements;
	const char *next;
	int result = mlflow_call(m, &call, &answer, e) == MLFLOW_DONE ? 0 : -1;

	free(escaped);
	free(full);
	free(*token);
	*token = NULL;
	elements = json_get(answer, member); /* an empty page has no such member */
	for (size_t i = 0; result == 0 && i < json_length(elements); i++)
		result = each(context, json_at(elements, i), e);
	next = json_get_text(answer, "next_page_token");
	if (result == 0 && next != NULL && *next != '\0')
		*token = mem_strdup(next);
	json_free(answer);
	return result == 0 ? 0 : -1;
}

int mlflow_pages(struct mlflow *m, const char *path, const char *member,
	int (*each)(void *context, const struct json *element, struct err *e), void *context,
	struct err *e)
{
	char *token = NULL;
	int result = 0, page = 0;

	do
		result = read_page(m, path, member, &token, each, context, e);
	while (result == 0 && token != NULL && ++page < MAX_PAGES);
	if (result == 0 && token != NULL)
		result = err_set(e, "MLflow: %s has no end after %d pages", member, MAX_PAGES);
	free(token);
	return result;
}

/* ---- versions ---- */

struct reading {
	struct mlflow_view *w;
	const char *model;
	enum mlflow_stages stages;
	size_t cap_marks;
};

static char *text_of(const char *text)
{
	return mem_strdup(text != NULL ? text : "");
}

/* What the aliases say, and, where they have moved on, the tags. */
static const char *stage_by_alias(
	const struct mlflow_view *w, int64_t version, const struct mlflow_mark *mark)
{
	if (w->production == version)
		return REGISTRY_PRODUCTION;
	if (w->staging == version)
		return REGISTRY_STAGING;
	return mark->staged || mark->production ? REGISTRY_ARCHIVED : REGISTRY_NONE;
}

/* A server that no longer knows stages says none, or None of all: then the aliases say it. */
static const char *stage_of(const struct reading *r, const struct json *j, int64_t version,
	const struct mlflow_mark *mark)
{
	const char *told = json_get_text(j, "current_stage");
	int is_named = r->w->production == version || r->w->staging == version;

	if (r->stages == MLFLOW_BY_ALIAS || told == NULL || *told == '\0' ||
		(is_named && strcmp(told, REGISTRY_NONE) == 0))
		return stage_by_alias(r->w, version, mark);
	return told;
}

/* Of the pipeline that made it; 0: none has. */
static int64_t pipeline_of(const struct json *j)
{
	const char *text = mlflow_tag(j, MLFLOW_TAG_PIPELINE);
	long long number;

	return text != NULL && str_number(text, INT64_MAX, &number) == 0 ? number : 0;
}

static int64_t time_of_tag(const struct json *j, const char *name)
{
	const char *text = mlflow_tag(j, name);
	int64_t when;

	return text != NULL && clock_parse(text, &when) == 0 ? when : 0;
}

static void read_times(struct registry_version *v, const struct json *j)
{
	v->created = mlflow_time(j, "creation_timestamp");
	v->updated = mlflow_time(j, "last_updated_timestamp");
	v->production_since = time_of_tag(j, MLFLOW_TAG_PRODUCTION);
	v->rolled_back = time_of_tag(j, MLFLOW_TAG_ROLLED_BACK);
	/* Brought there by hand: at some time until it was changed last. */
	if (v->production_since == 0 && strcmp(v->stage, REGISTRY_PRODUCTION) == 0)
		v->production_since = v->updated;
}

static int read_version(void *context, const struct json *j, struct err *e)
{
	struct reading *r = context;
	struct registry_version *v;
	struct mlflow_mark *mark;
	const char *source = mlflow_tag(j, MLFLOW_TAG_SOURCE);
	int64_t version = mlflow_number(j, "version");

	if (version == 0)
		return err_set(e, "MLflow: a version of %s without a number", r->model);
	mem_grow(&r->w->marks, r->w->versions.n, &r->cap_marks, sizeof(*r->w->marks));
	mem_grow(&r->w->versions.v, r->w->versions.n, &r->w->versions.cap, sizeof(*v));
	mark = &r->w->marks[r->w->versions.n];
	v = &r->w->versions.v[r->w->versions.n++];
	memset(v, 0, sizeof(*v));
	mark->version = version;
	mark->staged = mlflow_tag(j, MLFLOW_TAG_STAGED) != NULL;
	mark->production = mlflow_tag(j, MLFLOW_TAG_PRODUCTION) != NULL;
	mark->rolled_back = mlflow_tag(j, MLFLOW_TAG_ROLLED_BACK) != NULL;
	v->version = version;
	v->model = mem_strdup(r->model);
	v->source = text_of(source != NULL ? source : json_get_text(j, "source"));
	v->description = text_of(json_get_text(j, "description"));
	v->commit = text_of(mlflow_tag(j, MLFLOW_TAG_COMMIT));
	v->image = text_of(mlflow_tag(j, MLFLOW_TAG_IMAGE));
	v->image_digest = text_of(mlflow_tag(j, MLFLOW_TAG_IMAGE_DIGEST));
	v->md5 = text_of(mlflow_tag(j, MLFLOW_TAG_MD5));
	v->stage = mem_strdup(stage_of(r, j, version, mark));
	v->history = mark->staged || strcmp(v->stage, REGISTRY_STAGING) == 0
			     ? REGISTRY_ONCE_STAGED
			     : REGISTRY_NEVER_STAGED;
	v->way = mlflow_tag(j, MLFLOW_TAG_STRAIGHT) != NULL ? REGISTRY_STRAIGHT
							    : REGISTRY_THROUGH_DEV;
	v->pipeline = pipeline_of(j);
	read_times(v, j);
	return 0;
}

static int later_first(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

static int by_version(const void *a, const void *b)
{
	return later_first(((const struct registry_version *)a)->version,
		((const struct registry_version *)b)->version);
}

static int by_mark(const void *a, const void *b)
{
	return later_first(
		((const struct mlflow_mark *)a)->version, ((const struct mlflow_mark *)b)->version);
}

/*
 * Newest first, each once: whatever is removed or changes places while one page after another is asked
 * for may stand on two of them.
 */
static void sort(struct mlflow_view *w)
{
	struct registry_versions twice = {0};
	size_t n = w->versions.n, kept = 0;

	if (n == 0)
		return;
	qsort(w->versions.v, n, sizeof(*w->versions.v), by_version);
	qsort(w->marks, n, sizeof(*w->marks), by_mark);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && w->versions.v[i].version == w->versions.v[kept - 1].version) {
			mem_grow(&twice.v, twice.n, &twice.cap, sizeof(*twice.v));
			twice.v[twice.n++] = w->versions.v[i];
			continue;
		}
		w->marks[kept] = w->marks[i];
		w->versions.v[kept++] = w->versions.v[i];
	}
	w->versions.n = kept;
	registry_versions_clear(&twice);
}

int mlflow_view_parse(struct mlflow_view *w, const struct json *versions, const char *model,
	enum mlflow_stages stages, struct err *e)
{
	struct reading r = {.w = w, .model = model, .stages = stages};
	int result = 0;

	for (size_t i = 0; result == 0 && i < json_length(versions); i++)
		result = read_version(&r, json_at(versions, i), e);
	sort(w);
	return result;
}

static int load_model(struct mlflow_view *out, struct mlflow *m, const char *name, struct err *e)
{
	char *path = mem_format("registered-models/get?name=%s", name);
	struct mlflow_call call = {"GET", path, NULL, MLFLOW_REPEATABLE};
	struct json *answer = NULL;
	const struct json *model;
	enum mlflow_outcome outcome = mlflow_call(m, &call, &answer, e);

	free(path);
	if (outcome == MLFLOW_DONE) {
		model = json_get(answer, "registered_model");
		out->owner = mem_strdup(mlflow_tag(model, MLFLOW_TAG_OWNER));
		out->staging = mlflow_alias(model, MLFLOW_ALIAS_STAGING);
		out->production = mlflow_alias(model, MLFLOW_ALIAS_PRODUCTION);
	}
	json_free(answer);
	if (outcome == MLFLOW_MISSING)
		err_clear(e);
	return outcome == MLFLOW_DONE ? 1 : outcome == MLFLOW_MISSING ? 0 : -1;
}

int mlflow_view_load(struct mlflow_view *out, struct mlflow *m, const char *model,
	enum mlflow_stages stages, struct err *e)
{
	struct reading r = {.w = out, .model = model, .stages = stages};
	char *name = http_escape(model);
	char *filter = mem_format("name='%s'", model), *escaped = http_escape(filter);
	/* In the order in which they are made: one that is made meanwhile moves no other to another page. */
	char *path = mem_format(
		"model-versions/search?filter=%s&order_by=version_number%%20ASC", escaped);
	int found;

	memset(out, 0, sizeof(*out));
	found = load_model(out, m, name, e);
	if (found == 1 && mlflow_pages(m, path, "model_versions", read_version, &r, e) != 0)
		found = -1;
	sort(out);
	free(path);
	free(escaped);
	free(filter);
	free(name);
	return found;
}
