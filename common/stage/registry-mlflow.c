/*
 * Each function reads what the server has and then does what is missing, in an order in which a kill
 * between two calls leaves what the next run mends: so a second run finds less to do, never more.
 */
#include "stage/registry-mlflow.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/config.h"
#include "data/json.h"
#include "stage/log.h"
#include "stage/mlflow-move.h"
#include "stage/mlflow-view.h"
#include "stage/mlflow.h"
#include "stage/registry-backend.h"

/* How often, and how long apart, a version is looked for of which it is unclear whether it was made. */
#define LOOKS 3
#define LOOK_PAUSE_MS 500

struct server {
	struct mlflow *m;
	int promotion; /* enum config_promotion */
};

static enum mlflow_stages stages_of(const struct server *s)
{
	return mlflow_stages_by(s->promotion);
}

static void *server_open(const struct config *config, struct err *e)
{
	struct server *s = mem_zalloc(1, sizeof(*s));

	s->promotion = config->promotion;
	if (mlflow_open(&s->m, config, e) == 0)
		return s;
	free(s);
	return NULL;
}

static void server_close(void *handle)
{
	struct server *s = handle;

	mlflow_close(s->m);
	free(s);
}

/* ---- create ---- */

static void add_tag(struct json *tags, const char *name, const char *value)
{
	struct json *tag = json_new_object();

	if (value == NULL || *value == '\0') {
		json_free(tag);
		return;
	}
	json_put_text(tag, "key", name);
	json_put_text(tag, "value", value);
	json_append(tags, tag);
}

char *registry_mlflow_source(const char *address)
{
	const char *scheme = strstr(address, "://"), *rest = address;
	struct strlist parts = {0};
	struct str out;

	if (scheme != NULL && strncmp(address, "http://", 7) != 0 &&
		strncmp(address, "https://", 8) != 0)
		return mem_strdup(address);
	if (scheme != NULL)
		rest = scheme + 3;
	str_init(&out);
	str_add(&out, rest[0] == '/' ? "dvc://" : "dvc:/");
	strlist_split(&parts, rest, '/');
	for (size_t i = 0; i < parts.n; i++)
		if (strcmp(parts.v[i], ".") != 0 && strcmp(parts.v[i], "..") != 0)
			str_addf(&out, "/%s", parts.v[i]);
	strlist_clear(&parts);
	return str_steal(&out);
}

static struct json *create_body(
	const struct registry_version *v, const char *owner, const char *source)
{
	struct json *body = json_new_object(), *tags = json_new_array();
	char *pipeline = mem_format("%lld", (long long)v->pipeline);

	json_put_text(body, "name", v->model);
	json_put_text(body, "source", source);
	json_put_known(body, "description", v->description);
	add_tag(tags, MLFLOW_TAG_OWNER, owner);
	add_tag(tags, MLFLOW_TAG_COMMIT, v->commit);
	add_tag(tags, MLFLOW_TAG_PIPELINE, pipeline);
	add_tag(tags, MLFLOW_TAG_IMAGE, v->image);
	add_tag(tags, MLFLOW_TAG_IMAGE_DIGEST, v->image_digest);
	add_tag(tags, MLFLOW_TAG_MD5, v->md5);
	add_tag(tags, MLFLOW_TAG_SOURCE, v->source);
	if (v->way == REGISTRY_STRAIGHT)
		add_tag(tags, MLFLOW_TAG_STRAIGHT, "yes");
	json_put(body, "tags", tags);
	free(pipeline);
	return body;
}

static enum mlflow_outcome create_from(const struct server *s, const struct registry_version *v,
	const char *owner, const char *source, int64_t *version, struct err *e)
{
	struct json *body = create_body(v, owner, source), *answer = NULL;
	struct mlflow_call call = {"POST", "model-versions/create", body, MLFLOW_ONCE};
	enum mlflow_outcome outcome = mlflow_call(s->m, &call, &answer, e);

	if (outcome == MLFLOW_DONE) {
		*version = mlflow_number(json_get(answer, "model_version"), "version");
		/* Made it has; which one it is, a search tells. */
		if (*version == 0) {
			(void)err_set(
				e, "MLflow: a version of %s was made, and has no number", v->model);
			outcome = MLFLOW_UNCLEAR;
		}
	}
	json_free(answer);
	json_free(body);
	return outcome;
}

/* The address itself where the server takes it, as contract 7 has it; else a name for the place. */
static enum mlflow_outcome create_version(const struct server *s, const struct registry_version *v,
	const char *owner, int64_t *version, struct err *e)
{
	char *other = registry_mlflow_source(v->source);
	enum mlflow_outcome outcome = MLFLOW_REFUSED;

	if (strstr(v->source, "://") != NULL)
		outcome = create_from(s, v, owner, v->source, version, e);
	if (outcome == MLFLOW_REFUSED && strcmp(other, v->source) != 0) {
		log_line("MLflow takes %s for no source of a version: it is told as %s, and as tag "
			 "%s",
			v->source, other, MLFLOW_TAG_SOURCE);
		outcome = create_from(s, v, owner, other, version, e);
	}
	free(other);
	return outcome;
}

/* One that somebody has removed meanwhile is gone, too.  0, or -1. */
static int remove_version(const struct server *s, const char *model, int64_t version, struct err *e)
{
	enum mlflow_outcome outcome = mlflow_send(
		s->m, "DELETE", "model-versions/delete", mlflow_version_body(model, version), e);

	if (outcome == MLFLOW_MISSING)
		err_clear(e);
	return outcome == MLFLOW_DONE || outcome == MLFLOW_MISSING ? 0 : -1;
}

/*
 * The version that was made for V's pipeline and commit.  1 and *VERSION; 0: there is none; -1.  Of
 * several, which only a server can make that carries out a request long after it was given up, the
 * first counts, and the others are removed as long as nobody has given them a stage.
 */
static int find_own(
	const struct server *s, const struct registry_version *v, int64_t *version, struct err *e)
{
	struct mlflow_view w;
	int found = mlflow_view_load(&w, s->m, v->model, stages_of(s), e), result = found;

	if (found == 1)
		result = 0;
	for (size_t i = w.versions.n; result >= 0 && i > 0; i--) {
		const struct registry_version *own = &w.versions.v[i - 1];

		if (own->pipeline != v->pipeline || !str_same(own->commit, v->commit))
			continue;
		if (result == 0) {
			*version = own->version;
			result = 1;
		} else if (strcmp(own->stage, REGISTRY_NONE) == 0) {
			log_line("version %lld was made twice: %lld is removed",
				(long long)*version, (long long)own->version);
			if (remove_version(s, v->model, own->version, e) != 0)
				result = -1;
		}
	}
	mlflow_view_clear(&w);
	return result;
}

/* MODEL there, and OWNER's.  0, or -1. */
static int ensure_model(
	const struct server *s, const struct registry_version *v, const char *owner, struct err *e)
{
	struct json *body, *tags;
	struct mlflow_call call = {"POST", "registered-models/create", NULL, MLFLOW_ONCE};
	enum mlflow_outcome outcome = MLFLOW_DONE;
	struct mlflow_view w;
	int found = mlflow_view_load(&w, s->m, v->model, stages_of(s), e), result = -1;

	if (found == 0) {
		mlflow_view_clear(&w);
		body = json_new_object();
		tags = json_new_array();
		json_put_text(body, "name", v->model);
		json_put_known(body, "description", v->model_description);
		add_tag(tags, MLFLOW_TAG_OWNER, owner);
		json_put(body, "tags", tags);
		call.body = body;
		outcome = mlflow_call(s->m, &call, NULL, e);
		json_free(body);
		/* Somebody else's, or our own, whose answer was lost: look again. */
		found = -1;
		if (outcome == MLFLOW_DONE || outcome == MLFLOW_EXISTS ||
			outcome == MLFLOW_UNCLEAR) {
			err_clear(e);
			found = mlflow_view_load(&w, s->m, v->model, stages_of(s), e);
		}
	}
	if (found == 1)
		result = mlflow_view_owner(&w, v->model, owner, e);
	if (found == 0 && e != NULL) {
		(void)err_set(
			e, "MLflow: registered model %s is not there after it was made", v->model);
		e->passing = 1;
	}
	mlflow_view_clear(&w);
	return result;
}

static void pause_ms(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL); /* a signal only makes it shorter */
}

/* Nobody knows whether the version was made: it is, if it can be found.  0 and *VERSION, or -1. */
static int look_for_it(
	const struct server *s, const struct registry_version *v, int64_t *version, struct err *e)
{
	struct err why = ERR_INIT;
	int found = 0;

	log_line("%s; looking whether the version was made", err_text(e));
	for (int i = 0; found <= 0 && i < LOOKS; i++) {
		if (i > 0)
			pause_ms((long)LOOK_PAUSE_MS * i);
		err_clear(&why);
		found = find_own(s, v, version, &why);
	}
	if (found < 0)
		(void)err_wrap(e, "%s", err_text(&why));
	err_clear(&why);
	e->passing = 1; /* the next try begins with a look, too */
	return found == 1 ? 0 : -1;
}

static int server_create(void *handle, const struct registry_version *v, const char *owner,
	int64_t *version, struct err *e)
{
	const struct server *s = handle;
	struct err own = ERR_INIT;
	enum mlflow_outcome outcome;
	int found, result;

	*version = 0;
	if (ensure_model(s, v, owner, e) != 0)
		return -1;
	found = find_own(s, v, version, e);
	if (found != 0)
		return found < 0 ? -1 : 0;
	outcome = create_version(s, v, owner, version, &own);
	result = outcome == MLFLOW_DONE ? 0 : -1;
	if (outcome == MLFLOW_UNCLEAR)
		result = look_for_it(s, v, version, &own);
	if (result != 0) {
		(void)err_set(e, "%s", err_text(&own));
		if (e != NULL)
			e->passing = own.passing;
	}
	err_clear(&own);
	return result;
}

/* ---- find ---- */

static int server_find(void *handle, const char *model, const char *md5,
	struct registry_versions *out, struct err *e)
{
	const struct server *s = handle;
	struct registry_versions others = {0};
	struct mlflow_view w;
	int found = mlflow_view_load(&w, s->m, model, stages_of(s), e);

	for (size_t i = 0; found == 1 && i < w.versions.n; i++) {
		struct registry_versions *to =
			md5 == NULL || str_same(w.versions.v[i].md5, md5) ? out : &others;

		mem_grow(&to->v, to->n, &to->cap, sizeof(*to->v));
		to->v[to->n++] = w.versions.v[i];
	}
	if (found == 1)
		w.versions.n = 0; /* they have moved */
	registry_versions_clear(&others);
	mlflow_view_clear(&w);
	return found < 0 ? -1 : 0;
}

/* ---- transition ---- */

static int server_transition(void *handle, const struct registry_move *m, struct err *e)
{
	const struct server *s = handle;

	return mlflow_move(s->m, s->promotion, m, e);
}

/* ---- list ---- */

struct listing {
	enum mlflow_stages stages;
	const struct registry_page *page;
	struct registry_models *out;
};

static void read_stages(struct registry_model *m, const struct json *j, enum mlflow_stages stages)
{
	const struct json *latest = json_get(j, "latest_versions");

	for (size_t i = 0; i < json_length(latest); i++) {
		const struct json *v = json_at(latest, i);
		const char *stage = json_get_text(v, "current_stage");
		int64_t number = mlflow_number(v, "version");

		if (number > m->latest)
			m->latest = number;
		if (stages == MLFLOW_BY_ALIAS)
			continue;
		if (str_same(stage, REGISTRY_STAGING))
			m->staging = number;
		if (str_same(stage, REGISTRY_PRODUCTION))
			m->production = number;
	}
	if (m->staging == 0)
		m->staging = mlflow_alias(j, MLFLOW_ALIAS_STAGING);
	if (m->production == 0)
		m->production = mlflow_alias(j, MLFLOW_ALIAS_PRODUCTION);
}

static int read_model(void *context, const struct json *j, struct err *e)
{
	struct listing *l = context;
	const struct json *tags = json_get(j, "tags");
	const char *name = json_get_text(j, "name");
	int64_t first = (l->page->number - 1) * l->page->limit, at = l->out->total;
	struct registry_model *m;

	if (name == NULL)
		return err_set(e, "MLflow: a registered model without a name");
	if (l->page->search != NULL && !str_holds(name, l->page->search))
		return 0;
	l->out->total++;
	if (at < first || at >= first + l->page->limit)
		return 0;
	mem_grow(&l->out->v, l->out->n, &l->out->cap, sizeof(*l->out->v));
	m = &l->out->v[l->out->n++];
	m->name = mem_strdup(name);
	m->updated = mlflow_time(j, "last_updated_timestamp");
	read_stages(m, j, l->stages);
	for (size_t i = 0; i < json_length(tags); i++) {
		const char *key = json_get_text(json_at(tags, i), "key"),
			   *value = json_get_text(json_at(tags, i), "value");

		mem_grow(&m->tags, m->n_tags, &m->cap_tags, sizeof(*m->tags));
		m->tags[m->n_tags].name = mem_strdup(key != NULL ? key : "");
		m->tags[m->n_tags++].value = mem_strdup(value != NULL ? value : "");
	}
	return 0;
}

static int server_list(
	void *handle, const struct registry_page *page, struct registry_models *out, struct err *e)
{
	const struct server *s = handle;
	struct listing l = {stages_of(s), page, out};

	if (mlflow_pages(s->m, "registered-models/search?order_by=name", "registered_models",
		    read_model, &l, e) == 0)
		return 0;
	registry_models_clear(out);
	return -1;
}

static int server_check_owner(void *handle, const char *model, const char *owner, struct err *e)
{
	const struct server *s = handle;
	struct mlflow_view w;
	int result = mlflow_view_load(&w, s->m, model, mlflow_stages_by(s->promotion), e);

	if (result == 1)
		result = mlflow_view_owner(&w, model, owner, e);
	mlflow_view_clear(&w);
	return result;
}

const struct registry_backend registry_mlflow = {
	.open = server_open,
	.close = server_close,
	.create = server_create,
	.check_owner = server_check_owner,
	.find = server_find,
	.transition = server_transition,
	.list = server_list,
};
