/*
 * In an order in which a kill between two calls leaves what the next run mends: what MLflow would forget
 * is put into tags before it is forgotten, and what is new into tags when it is so.
 */
#include "stage/mlflow-move.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "data/config.h"
#include "data/json.h"
#include "stage/log.h"
#include "stage/mlflow-view.h"
#include "stage/mlflow.h"
#include "stage/registry.h"

struct step {
	struct mlflow *server;
	int promotion; /* enum config_promotion */
	const struct registry_move *m;
	struct mlflow_view w;
	size_t at; /* of the version that is moved, in W */
};

/* One version at a time is there: what it replaces is archived. */
static int holds_one(const char *stage)
{
	return strcmp(stage, REGISTRY_STAGING) == 0 || strcmp(stage, REGISTRY_PRODUCTION) == 0;
}

/* Give version I the tag NAME, which says that it is now. */
static int tag_now(const struct step *t, size_t i, const char *name, struct err *e)
{
	struct json *body = mlflow_version_body(t->m->model, t->w.versions.v[i].version);
	char now[CLOCK_TEXT_SIZE];

	clock_text(clock_now(), now);
	json_put_text(body, "key", name);
	json_put_text(body, "value", now);
	return mlflow_send(t->server, "POST", "model-versions/set-tag", body, e) == MLFLOW_DONE
		       ? 0
		       : -1;
}

/* Version I is in STAGE: MLflow will have forgotten it when it is in another one. */
static int remember(const struct step *t, size_t i, const char *stage, struct err *e)
{
	const struct mlflow_mark *mark = &t->w.marks[i];

	if (strcmp(stage, REGISTRY_STAGING) == 0)
		return mark->staged ? 0 : tag_now(t, i, MLFLOW_TAG_STAGED, e);
	if (strcmp(stage, REGISTRY_PRODUCTION) == 0)
		return mark->production ? 0 : tag_now(t, i, MLFLOW_TAG_PRODUCTION, e);
	return 0;
}

/* On a way back: what came to Production after the version that comes back. */
static int mark_rolled_back(const struct step *t, struct err *e)
{
	const struct registry_version *v = t->w.versions.v, *back = &v[t->at];

	for (size_t i = 0; t->m->direction == REGISTRY_BACK && i < t->w.versions.n; i++) {
		int is_later = v[i].production_since != back->production_since
				       ? v[i].production_since > back->production_since
				       : v[i].version > back->version;

		if (v[i].production_since != 0 && is_later && !t->w.marks[i].rolled_back &&
			tag_now(t, i, MLFLOW_TAG_ROLLED_BACK, e) != 0)
			return -1;
	}
	return 0;
}

/* Version I, which is or was in Production, is rolled back no more. */
static int unmark(const struct step *t, size_t i, struct err *e)
{
	struct json *body;

	if (strcmp(t->m->to, REGISTRY_PRODUCTION) != 0 || !t->w.marks[i].rolled_back)
		return 0;
	body = mlflow_version_body(t->m->model, t->w.versions.v[i].version);
	json_put_text(body, "key", MLFLOW_TAG_ROLLED_BACK);
	return mlflow_send(t->server, "DELETE", "model-versions/delete-tag", body, e) == MLFLOW_DONE
		       ? 0
		       : -1;
}

/*
 * The version that moves leaves its stage, another leaves the stage TO.  Which came there by hand, or just
 * before we were killed, has no tag yet.
 */
static int remember_leaving(const struct step *t, struct err *e)
{
	for (size_t i = 0; i < t->w.versions.n; i++) {
		const char *stage = t->w.versions.v[i].stage;
		int is_there = strcmp(stage, t->m->to) == 0;

		if (is_there != (i == t->at) && remember(t, i, stage, e) != 0)
			return -1;
	}
	return 0;
}

/*
 * On the way forward to Production.  A mark on the version that leaves it is of a rollback that was killed
 * before it was done.  And a version that was promoted before is promoted now: of a new one that is told
 * when it is there.
 */
static int go_forward(const struct step *t, struct err *e)
{
	const struct registry_version *v = t->w.versions.v;

	if (t->m->direction != REGISTRY_FORWARD || strcmp(t->m->to, REGISTRY_PRODUCTION) != 0 ||
		strcmp(v[t->at].stage, REGISTRY_PRODUCTION) == 0)
		return 0;
	for (size_t i = 0; i < t->w.versions.n; i++)
		if (strcmp(v[i].stage, REGISTRY_PRODUCTION) == 0 && unmark(t, i, e) != 0)
			return -1;
	return t->w.marks[t->at].production ? tag_now(t, t->at, MLFLOW_TAG_PRODUCTION, e) : 0;
}

/* MLFLOW_NO_ENDPOINT: this server has no stages any more. */
static enum mlflow_outcome set_stage(const struct step *t, struct err *e)
{
	struct json *body = mlflow_version_body(t->m->model, t->m->version);

	json_put_text(body, "stage", t->m->to);
	/* For None and Archived MLflow answers 500 if it is true. */
	json_put_flag(body, "archive_existing_versions", holds_one(t->m->to));
	return mlflow_send(t->server, "POST", "model-versions/transition-stage", body, e);
}

static int set_alias(
	const struct step *t, const char *alias, int64_t now, int wanted, struct err *e)
{
	struct json *body;
	enum mlflow_outcome outcome;

	/* There already, or another version's. */
	if (wanted ? now == t->m->version : now != t->m->version)
		return 0;
	body = mlflow_version_body(t->m->model, t->m->version);
	json_put_text(body, "alias", alias);
	outcome = mlflow_send(
		t->server, wanted ? "POST" : "DELETE", "registered-models/alias", body, e);
	if (!wanted && outcome == MLFLOW_MISSING) {
		err_clear(e);
		outcome = MLFLOW_DONE;
	}
	return outcome == MLFLOW_DONE ? 0 : -1;
}

/* The new one is set before the old one goes: a version is never without. */
static int set_aliases(const struct step *t, struct err *e)
{
	int staging = strcmp(t->m->to, REGISTRY_STAGING) == 0;
	int production = strcmp(t->m->to, REGISTRY_PRODUCTION) == 0;

	if (staging && set_alias(t, MLFLOW_ALIAS_STAGING, t->w.staging, 1, e) != 0)
		return -1;
	if (set_alias(t, MLFLOW_ALIAS_PRODUCTION, t->w.production, production, e) != 0)
		return -1;
	return staging ? 0 : set_alias(t, MLFLOW_ALIAS_STAGING, t->w.staging, 0, e);
}

static int carry_out(const struct step *t, struct err *e)
{
	int by_alias = t->promotion != CONFIG_PROMOTION_STAGES;
	enum mlflow_outcome outcome = MLFLOW_DONE;

	if (remember_leaving(t, e) != 0 || mark_rolled_back(t, e) != 0 || go_forward(t, e) != 0)
		return -1;
	if (t->promotion != CONFIG_PROMOTION_ALIASES &&
		strcmp(t->w.versions.v[t->at].stage, t->m->to) != 0)
		outcome = set_stage(t, e);
	if (outcome == MLFLOW_NO_ENDPOINT) {
		log_line("this MLflow server has no stages any more: aliases are set instead; "
			 "[registry] promotion = aliases says so");
		err_clear(e);
		by_alias = 1;
	} else if (outcome != MLFLOW_DONE) {
		return -1;
	}
	if (by_alias && set_aliases(t, e) != 0)
		return -1;
	return remember(t, t->at, t->m->to, e) == 0 ? unmark(t, t->at, e) : -1;
}

int mlflow_move(struct mlflow *server, int promotion, const struct registry_move *m, struct err *e)
{
	struct step t = {.server = server, .promotion = promotion, .m = m};
	int found = mlflow_view_load(&t.w, server, m->model, mlflow_stages_by(promotion), e);
	int result = -1;
	const char *stage;

	while (found == 1 && t.at < t.w.versions.n && t.w.versions.v[t.at].version != m->version)
		t.at++;
	if (found == 0 || (found == 1 && t.at == t.w.versions.n)) {
		(void)err_set(e, "model %s has no version %lld", m->model, (long long)m->version);
	} else if (found == 1 &&
		   (m->owner == NULL || mlflow_view_owner(&t.w, m->model, m->owner, e) == 0)) {
		stage = t.w.versions.v[t.at].stage;
		result = strcmp(stage, m->to) != 0;
		if (result == 1 && m->from != NULL && strcmp(stage, m->from) != 0)
			result = 0;
		else if (carry_out(&t, e) != 0)
			result = -1;
	}
	mlflow_view_clear(&t.w);
	return result;
}
