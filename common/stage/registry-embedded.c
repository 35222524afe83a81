#include "stage/registry-embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config.h"
#include "data/sqlite.h"
#include "stage/registry-backend.h"

#define TIMEOUT_MS 10000 /* how long other writers are waited for */

/* When the version of the row V of model_version was promoted to Production last; a way back is none. */
#define SINCE                                                                                      \
	"(SELECT max(time) FROM stage_change c WHERE c.model = v.model"                            \
	" AND c.version = v.version AND c.to_stage = 'Production' AND c.back = 0)"

static const char *const steps[] = {
	"CREATE TABLE registered_model ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" owner TEXT NOT NULL,"
	" description TEXT NOT NULL DEFAULT '',"
	" created INTEGER NOT NULL,"
	" updated INTEGER NOT NULL);"
	"CREATE TABLE registered_model_tag ("
	" model TEXT NOT NULL REFERENCES registered_model(name),"
	" name TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (model, name));"
	"CREATE TABLE model_version ("
	" model TEXT NOT NULL REFERENCES registered_model(name),"
	" version INTEGER NOT NULL,"
	" source TEXT NOT NULL,"
	" stage TEXT NOT NULL DEFAULT 'None'"
	"  CHECK (stage IN ('None', 'Staging', 'Production', 'Archived')),"
	" description TEXT NOT NULL,"
	" commit_id TEXT NOT NULL,"
	" pipeline INTEGER NOT NULL,"
	" image TEXT NOT NULL,"
	" image_digest TEXT NOT NULL,"
	" model_md5 TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" updated INTEGER NOT NULL,"
	" PRIMARY KEY (model, version),"
	" UNIQUE (model, pipeline));"
	"CREATE TABLE stage_change ("
	" id INTEGER PRIMARY KEY,"
	" model TEXT NOT NULL,"
	" version INTEGER NOT NULL,"
	" from_stage TEXT NOT NULL,"
	" to_stage TEXT NOT NULL,"
	" pipeline INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" FOREIGN KEY (model, version) REFERENCES model_version(model, version));"
	"CREATE INDEX stage_change_of ON stage_change (model, version, to_stage);"
	"CREATE INDEX model_version_content ON model_version (model, model_md5);",
	"ALTER TABLE model_version ADD COLUMN straight INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE model_version ADD COLUMN rolled_back INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE stage_change ADD COLUMN back INTEGER NOT NULL DEFAULT 0;"
	/* a rollback is of no pipeline */
	"UPDATE stage_change SET back = 1 WHERE to_stage = 'Production' AND pipeline = 0;",
	NULL};

static const struct sqlite_schema schema = {.component = "registry", .steps = steps};

static void *embedded_open(const struct config *config, struct err *e)
{
	char *path = path_join(config->state, CONFIG_STATE_STORE);
	struct sqlite *db = NULL;
	int failed = sqlite_open(&db, path, &schema, TIMEOUT_MS, e);

	free(path);
	return failed ? NULL : db;
}

static void embedded_close(void *handle)
{
	sqlite_close(handle);
}

/* ---- create ---- */

static int add_model(struct sqlite *db, const struct registry_version *v, const char *owner,
	int64_t now, struct err *e)
{
	if (sqlite_run(db, e,
		    "INSERT OR IGNORE INTO registered_model (name, owner, description, created,"
		    " updated) VALUES (?, ?, ?, ?, ?)",
		    "tttii", v->model, owner,
		    v->model_description != NULL ? v->model_description : "", now, now) != 0)
		return -1;
	return sqlite_run(db, e,
		"INSERT OR IGNORE INTO registered_model_tag (model, name, value)"
		" VALUES (?, 'modelgate.owner', ?)",
		"tt", v->model, owner);
}

static int add_version(struct sqlite *db, const struct registry_version *v, int64_t version,
	int64_t now, struct err *e)
{
	if (sqlite_run(db, e,
		    "INSERT INTO model_version (model, version, source, description, commit_id,"
		    " pipeline, image, image_digest, model_md5, created, updated, straight)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    "titttitttiii", v->model, version, v->source, v->description, v->commit,
		    v->pipeline, v->image, v->image_digest, v->md5, now, now,
		    (int64_t)(v->way == REGISTRY_STRAIGHT)) != 0)
		return -1;
	return sqlite_run(db, e, "UPDATE registered_model SET updated = ? WHERE name = ?", "it",
		now, v->model);
}

static int create_inside(struct sqlite *db, const struct registry_version *v, const char *owner,
	int64_t *version, struct err *e)
{
	int64_t now = clock_now();
	int found = sqlite_one(db, version, e,
		"SELECT version FROM model_version WHERE model = ? AND pipeline = ?", "ti",
		v->model, v->pipeline);

	if (found != 0)
		return found < 0 ? -1 : 0;
	if (add_model(db, v, owner, now, e) != 0 ||
		sqlite_one(db, version, e,
			"SELECT coalesce(max(version), 0) + 1 FROM model_version WHERE model = ?",
			"t", v->model) != 1)
		return -1;
	return add_version(db, v, *version, now, e);
}

static int embedded_create(void *handle, const struct registry_version *v, const char *owner,
	int64_t *version, struct err *e)
{
	struct sqlite *db = handle;

	*version = 0;
	if (sqlite_begin(db, e) != 0)
		return -1;
	if (create_inside(db, v, owner, version, e) != 0) {
		sqlite_rollback(db);
		return -1;
	}
	return sqlite_commit(db, e);
}

/* ---- find ---- */

static void read_version(struct registry_version *v, struct sqlite_stmt *s)
{
	v->model = mem_strdup(sqlite_text(s, 0));
	v->version = sqlite_number(s, 1);
	v->source = mem_strdup(sqlite_text(s, 2));
	v->stage = mem_strdup(sqlite_text(s, 3));
	v->description = mem_strdup(sqlite_text(s, 4));
	v->commit = mem_strdup(sqlite_text(s, 5));
	v->pipeline = sqlite_number(s, 6);
	v->image = mem_strdup(sqlite_text(s, 7));
	v->image_digest = mem_strdup(sqlite_text(s, 8));
	v->md5 = mem_strdup(sqlite_text(s, 9));
	v->created = sqlite_number(s, 10);
	v->updated = sqlite_number(s, 11);
	v->history = sqlite_number(s, 12) ? REGISTRY_ONCE_STAGED : REGISTRY_NEVER_STAGED;
	v->production_since = sqlite_number(s, 13);
	v->way = sqlite_number(s, 14) ? REGISTRY_STRAIGHT : REGISTRY_THROUGH_DEV;
	v->rolled_back = sqlite_number(s, 15);
}

static int embedded_find(void *handle, const char *model, const char *md5,
	struct registry_versions *out, struct err *e)
{
	struct sqlite_stmt *s = NULL;
	int more;

	if (sqlite_query(handle, &s, e,
		    "SELECT model, version, source, stage, description, commit_id, pipeline, image,"
		    " image_digest, model_md5, created, updated, EXISTS (SELECT 1 FROM "
		    "stage_change c"
		    "  WHERE c.model = v.model AND c.version = v.version AND c.to_stage = "
		    "'Staging'), " SINCE ", straight, rolled_back"
		    " FROM model_version v WHERE model = ?1 AND (?2 IS NULL OR model_md5 = ?2)"
		    " ORDER BY version DESC",
		    "tt", model, md5) != 0)
		return -1;
	while ((more = sqlite_next(s, e)) == 1) {
		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		read_version(&out->v[out->n++], s);
	}
	sqlite_end(s);
	if (more < 0)
		registry_versions_clear(out);
	return more;
}

/* ---- transition ---- */

/* What was in the stage of its successor goes to Archived, with its own line in the history. */
static int archive_replaced(
	struct sqlite *db, const struct registry_move *m, int64_t now, struct err *e)
{
	if (strcmp(m->to, REGISTRY_STAGING) != 0 && strcmp(m->to, REGISTRY_PRODUCTION) != 0)
		return 0;
	if (sqlite_run(db, e,
		    "INSERT INTO stage_change (model, version, from_stage, to_stage, pipeline, "
		    "time)"
		    " SELECT model, version, stage, 'Archived', ?, ? FROM model_version"
		    " WHERE model = ? AND stage = ? AND version <> ? ORDER BY version",
		    "iitti", m->pipeline, now, m->model, m->to, m->version) != 0)
		return -1;
	return sqlite_run(db, e,
		"UPDATE model_version SET stage = 'Archived', updated = ?"
		" WHERE model = ? AND stage = ? AND version <> ?",
		"itti", now, m->model, m->to, m->version);
}

static int mark_rolled_back(
	struct sqlite *db, const struct registry_move *m, int64_t now, struct err *e)
{
	if (strcmp(m->to, REGISTRY_PRODUCTION) != 0)
		return 0;
	if (m->direction == REGISTRY_BACK &&
		sqlite_run(db, e,
			"UPDATE model_version AS v SET rolled_back = ?1 WHERE model = ?2"
			" AND rolled_back = 0 AND (" SINCE ", version) > (SELECT " SINCE ", version"
			" FROM model_version v WHERE model = ?2 AND version = ?3)",
			"iti", now, m->model, m->version) != 0)
		return -1;
	return sqlite_run(db, e,
		"UPDATE model_version SET rolled_back = 0 WHERE model = ? AND version = ?", "ti",
		m->model, m->version);
}

static int move(struct sqlite *db, const struct registry_move *m, struct err *e)
{
	int64_t now = clock_now();

	if (mark_rolled_back(db, m, now, e) != 0 || archive_replaced(db, m, now, e) != 0 ||
		sqlite_run(db, e,
			"INSERT INTO stage_change (model, version, from_stage, to_stage, pipeline, "
			"time, back)"
			" SELECT model, version, stage, ?, ?, ?, ? FROM model_version"
			" WHERE model = ? AND version = ?",
			"tiiiti", m->to, m->pipeline, now, (int64_t)(m->direction == REGISTRY_BACK),
			m->model, m->version) != 0 ||
		sqlite_run(db, e,
			"UPDATE model_version SET stage = ?, updated = ? WHERE model = ? AND "
			"version = ?",
			"titi", m->to, now, m->model, m->version) != 0)
		return -1;
	return sqlite_run(db, e, "UPDATE registered_model SET updated = ? WHERE name = ?", "it",
		now, m->model);
}

static int transition_inside(struct sqlite *db, const struct registry_move *m, struct err *e)
{
	int64_t due = 0;
	int found = sqlite_one(db, &due, e,
		"SELECT stage <> ?1 AND (?2 IS NULL OR stage = ?2) FROM model_version"
		" WHERE model = ?3 AND version = ?4",
		"ttti", m->to, m->from, m->model, m->version);

	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(e, "model %s has no version %lld", m->model, (long long)m->version);
	if (!due)
		return 0;
	return move(db, m, e) == 0 ? 1 : -1;
}

static int embedded_transition(void *handle, const struct registry_move *m, struct err *e)
{
	struct sqlite *db = handle;
	int moved;

	if (sqlite_begin(db, e) != 0)
		return -1;
	moved = transition_inside(db, m, e);
	if (moved < 0) {
		sqlite_rollback(db);
		return -1;
	}
	return sqlite_commit(db, e) == 0 ? moved : -1;
}

/* ---- list ---- */

static int read_tags(struct sqlite *db, struct registry_model *m, struct err *e)
{
	struct sqlite_stmt *s = NULL;
	int more;

	if (sqlite_query(db, &s, e,
		    "SELECT name, value FROM registered_model_tag WHERE model = ? ORDER BY name",
		    "t", m->name) != 0)
		return -1;
	while ((more = sqlite_next(s, e)) == 1) {
		mem_grow(&m->tags, m->n_tags, &m->cap_tags, sizeof(*m->tags));
		m->tags[m->n_tags].name = mem_strdup(sqlite_text(s, 0));
		m->tags[m->n_tags++].value = mem_strdup(sqlite_text(s, 1));
	}
	sqlite_end(s);
	return more;
}

static int read_models(struct sqlite *db, const struct registry_page *page,
	struct registry_models *out, struct err *e)
{
	struct sqlite_stmt *s = NULL;
	int more;

	if (sqlite_query(db, &s, e,
		    "SELECT m.name, m.updated, coalesce(max(v.version), 0),"
		    " coalesce(max(CASE v.stage WHEN 'Staging' THEN v.version END), 0),"
		    " coalesce(max(CASE v.stage WHEN 'Production' THEN v.version END), 0)"
		    " FROM registered_model m LEFT JOIN model_version v ON v.model = m.name"
		    " WHERE ?1 IS NULL OR instr(lower(m.name), lower(?1)) > 0"
		    " GROUP BY m.name ORDER BY m.name LIMIT ?2 OFFSET ?3",
		    "tii", page->search, page->limit, (page->number - 1) * page->limit) != 0)
		return -1;
	while ((more = sqlite_next(s, e)) == 1) {
		struct registry_model *m;

		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		m = &out->v[out->n++];
		m->name = mem_strdup(sqlite_text(s, 0));
		m->updated = sqlite_number(s, 1);
		m->latest = sqlite_number(s, 2);
		m->staging = sqlite_number(s, 3);
		m->production = sqlite_number(s, 4);
	}
	sqlite_end(s);
	return more;
}

static int embedded_list(
	void *handle, const struct registry_page *page, struct registry_models *out, struct err *e)
{
	struct sqlite *db = handle;

	if (sqlite_one(db, &out->total, e,
		    "SELECT count(*) FROM registered_model"
		    " WHERE ?1 IS NULL OR instr(lower(name), lower(?1)) > 0",
		    "t", page->search) != 1 ||
		read_models(db, page, out, e) != 0)
		goto fail;
	for (size_t i = 0; i < out->n; i++)
		if (read_tags(db, &out->v[i], e) != 0)
			goto fail;
	return 0;
fail:
	registry_models_clear(out);
	return -1;
}

const struct registry_backend registry_embedded = {
	.open = embedded_open,
	.close = embedded_close,
	.create = embedded_create,
	.find = embedded_find,
	.transition = embedded_transition,
	.list = embedded_list,
};
