#include "chain/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/store-internal.h"
#include "stage/facts.h"

#define PIPELINE_COLUMNS                                                                           \
	"id, project, repository, gl_repository, chain, environment, ref, sha, source, actor_id,"  \
	" actor_name, actor_protocol, push_id, policy, correlation_id, status, cancel, "           \
	"created_at,"                                                                              \
	" started_at, finished_at"

void pipeline_clear(struct pipeline *p)
{
	free(p->project);
	free(p->repository);
	free(p->gl_repository);
	free(p->chain);
	free(p->environment);
	free(p->ref);
	free(p->sha);
	free(p->source);
	actor_clear(&p->actor);
	free(p->push_id);
	free(p->policy);
	free(p->correlation_id);
	for (size_t i = 0; i < p->n_stages; i++) {
		free(p->stages[i].name);
		free(p->stages[i].message);
	}
	free(p->stages);
	memset(p, 0, sizeof(*p));
}

void pipeline_list_clear(struct pipeline_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		pipeline_clear(&l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

const char *pipeline_owner(const struct pipeline *p)
{
	return p->gl_repository[0] != '\0' ? p->gl_repository : p->repository;
}

struct pipeline_stage *pipeline_stage(const struct pipeline *p, const char *name)
{
	for (size_t i = 0; i < p->n_stages; i++)
		if (strcmp(p->stages[i].name, name) == 0)
			return &p->stages[i];
	return NULL;
}

struct pipeline_stage *pipeline_find_stage(
	const struct pipeline *p, const char *name, struct err *e)
{
	struct pipeline_stage *stage = pipeline_stage(p, name);
	struct strlist names = {0};
	char *list;

	if (stage != NULL)
		return stage;
	for (size_t i = 0; i < p->n_stages; i++)
		strlist_add(&names, p->stages[i].name);
	list = strlist_join(&names, ", ");
	(void)err_set(e, "pipeline %lld (chain %s) has no stage %s; it has %s", (long long)p->id,
		p->chain, name, list);
	free(list);
	strlist_clear(&names);
	return NULL;
}

static int read_status(enum status *out, struct sqlite_stmt *q, int column, struct err *e)
{
	const char *word = sqlite_text(q, column);

	if (status_parse(out, word) == 0)
		return 0;
	return err_set(e, "the store holds a status that is none: \"%s\"", word);
}

static int read_row(struct pipeline *out, struct sqlite_stmt *q, struct err *e)
{
	char **const fields[] = {&out->project, &out->repository, &out->gl_repository, &out->chain,
		&out->environment, &out->ref, &out->sha, &out->source, &out->actor.id,
		&out->actor.name, &out->actor.protocol, &out->push_id, &out->policy,
		&out->correlation_id};

	memset(out, 0, sizeof(*out));
	out->id = sqlite_number(q, 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		*fields[i] = mem_strdup(sqlite_text(q, (int)i + 1));
	out->cancel = sqlite_number(q, 16) ? PIPELINE_CANCEL_REQUESTED : PIPELINE_GOES_ON;
	out->created_at = sqlite_number(q, 17);
	out->started_at = sqlite_number(q, 18);
	out->finished_at = sqlite_number(q, 19);
	return read_status(&out->status, q, 15, e);
}

static int read_stage(struct pipeline_stage *out, struct sqlite_stmt *q, struct err *e)
{
	out->name = mem_strdup(sqlite_text(q, 0));
	out->start = sqlite_number(q, 2) ? PIPELINE_START_MANUAL : PIPELINE_START_AUTOMATIC;
	out->attempt = sqlite_number(q, 3);
	out->failures = sqlite_number(q, 4);
	out->not_before = sqlite_number(q, 5);
	out->started_at = sqlite_number(q, 6);
	out->finished_at = sqlite_number(q, 7);
	out->message = mem_strdup(sqlite_text(q, 8));
	return read_status(&out->status, q, 1, e);
}

static int read_stages(struct pipeline *p, struct store *s, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	size_t cap = 0;
	int row;

	if (sqlite_query(s->db, &q, e,
		    "SELECT name, status, manual, attempt, failures, not_before, started_at,"
		    " finished_at, message FROM stage WHERE pipeline = ? ORDER BY position",
		    "i", p->id) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		mem_grow(&p->stages, p->n_stages, &cap, sizeof(*p->stages));
		if (read_stage(&p->stages[p->n_stages++], q, e) != 0) {
			row = -1;
			break;
		}
	}
	sqlite_end(q);
	return row;
}

int pipeline_read(struct pipeline *out, struct store *s, int64_t id, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int found;

	memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e, "SELECT " PIPELINE_COLUMNS " FROM pipeline WHERE id = ?",
		    "i", id) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1 && read_row(out, q, e) != 0)
		found = -1;
	sqlite_end(q);
	if (found == 1 && read_stages(out, s, e) != 0)
		found = -1;
	if (found != 1)
		pipeline_clear(out);
	return found;
}

/* A query for each filter, so that each can use its index. */
static int query_list(
	struct sqlite_stmt **q, struct store *s, const struct pipeline_filter *f, struct err *e)
{
#define SELECT_LIST(WHERE)                                                                         \
	"SELECT " PIPELINE_COLUMNS " FROM pipeline " WHERE " ORDER BY id DESC LIMIT ?"
	if (f->project != NULL && f->status != NULL)
		return sqlite_query(s->db, q, e, SELECT_LIST("WHERE project = ? AND status = ?"),
			"tti", f->project, f->status, f->limit);
	if (f->project != NULL)
		return sqlite_query(
			s->db, q, e, SELECT_LIST("WHERE project = ?"), "ti", f->project, f->limit);
	if (f->status != NULL)
		return sqlite_query(
			s->db, q, e, SELECT_LIST("WHERE status = ?"), "ti", f->status, f->limit);
	return sqlite_query(s->db, q, e, SELECT_LIST(""), "i", f->limit);
#undef SELECT_LIST
}

int pipeline_list(
	struct pipeline_list *out, struct store *s, const struct pipeline_filter *f, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	memset(out, 0, sizeof(*out));
	if (query_list(&q, s, f, e) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		out->n++;
		if (read_row(&out->v[out->n - 1], q, e) != 0 ||
			read_stages(&out->v[out->n - 1], s, e) != 0) {
			row = -1;
			break;
		}
	}
	sqlite_end(q);
	return row;
}

int pipeline_newest(struct pipeline *out, struct store *s, const char *project,
	const char *repository, const char *owner, struct err *e)
{
	int64_t id;
	int found = sqlite_one(s->db, &id, e,
		"SELECT id FROM pipeline WHERE project = ?1 AND repository = ifnull(?2, repository)"
		" AND (?3 IS NULL OR ?3 = iif(gl_repository <> '', gl_repository, repository))"
		" ORDER BY id DESC LIMIT 1",
		"ttt", project, repository, owner);

	memset(out, 0, sizeof(*out));
	return found == 1 ? pipeline_read(out, s, id, e) : found;
}

static int64_t count_waiting(const struct pipeline *p)
{
	int64_t n = 0;

	for (size_t i = 0; i < p->n_stages; i++)
		n += status_is_waiting(p->stages[i].status);
	return n;
}

static int add_stage(struct store *s, const struct pipeline *p, size_t i, struct err *e)
{
	const struct pipeline_stage *stage = &p->stages[i];

	return sqlite_run(s->db, e,
		"INSERT INTO stage (pipeline, position, name, status, manual) VALUES (?, ?, ?, ?, "
		"?)",
		"iitti", p->id, (int64_t)i, stage->name, status_text(stage->status),
		(int64_t)(stage->start == PIPELINE_START_MANUAL));
}

int pipeline_add(struct store *s, struct pipeline *p, struct err *e)
{
	if (sqlite_run(s->db, e,
		    "INSERT INTO pipeline (project, repository, gl_repository, chain, environment,"
		    " ref, sha, source, actor_id, actor_name, actor_protocol, push_id, policy,"
		    " correlation_id, status, waiting, created_at)"
		    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		    "tttttttttttttttii", p->project, p->repository, p->gl_repository, p->chain,
		    p->environment, p->ref, p->sha, p->source, p->actor.id, p->actor.name,
		    p->actor.protocol, p->push_id, p->policy, p->correlation_id,
		    status_text(p->status), count_waiting(p), p->created_at) != 0)
		return -1;
	p->id = sqlite_last_id(s->db);
	for (size_t i = 0; i < p->n_stages; i++)
		if (add_stage(s, p, i, e) != 0)
			return -1;
	return 0;
}

static int save_stage(struct store *s, const struct pipeline *p, size_t i, struct err *e)
{
	const struct pipeline_stage *stage = &p->stages[i];

	return sqlite_run(s->db, e,
		"UPDATE stage SET status = ?, attempt = ?, failures = ?, not_before = ?,"
		" started_at = ?, finished_at = ?, message = ? WHERE pipeline = ? AND position = ?",
		"tiiiiitii", status_text(stage->status), stage->attempt, stage->failures,
		stage->not_before, stage->started_at, stage->finished_at, stage->message, p->id,
		(int64_t)i);
}

int pipeline_save(struct store *s, const struct pipeline *p, struct err *e)
{
	if (sqlite_run(s->db, e,
		    "UPDATE pipeline SET status = ?, cancel = ?, waiting = ?, started_at = ?,"
		    " finished_at = ? WHERE id = ?",
		    "tiiiii", status_text(p->status),
		    (int64_t)(p->cancel == PIPELINE_CANCEL_REQUESTED), count_waiting(p),
		    p->started_at, p->finished_at, p->id) != 0)
		return -1;
	for (size_t i = 0; i < p->n_stages; i++)
		if (save_stage(s, p, i, e) != 0)
			return -1;
	return 0;
}

int pipeline_newer_started(struct store *s, const struct pipeline *p, int64_t *newer, struct err *e)
{
	return sqlite_one(s->db, newer, e,
		"SELECT id FROM pipeline WHERE repository = ? AND ref = ? AND id > ?"
		" AND started_at > 0 ORDER BY id LIMIT 1",
		"tti", p->repository, p->ref, p->id);
}

int pipeline_older_waiting(
	struct store *s, const struct pipeline *p, struct pipeline_ids *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	if (sqlite_query(s->db, &q, e,
		    "SELECT id FROM pipeline WHERE repository = ? AND ref = ? AND id < ?"
		    " AND waiting > 0 ORDER BY id",
		    "tti", p->repository, p->ref, p->id) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		out->v[out->n++] = sqlite_number(q, 0);
	}
	sqlite_end(q);
	return row;
}

int pipeline_facts(struct store *s, int64_t id, const char *stage, struct facts *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	if (sqlite_query(s->db, &q, e,
		    "SELECT f.name, f.value FROM fact f"
		    " JOIN stage s ON s.pipeline = f.pipeline AND s.name = f.stage"
		    " WHERE f.pipeline = ?1 AND (?2 IS NULL OR s.position <"
		    "  (SELECT position FROM stage WHERE pipeline = ?1 AND name = ?2))"
		    " ORDER BY s.position, f.name",
		    "it", id, stage) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1)
		facts_set(out, sqlite_text(q, 0), sqlite_text(q, 1));
	sqlite_end(q);
	return row;
}

static int replace_facts(struct store *s, int64_t id, const char *stage, const struct facts *before,
	const struct facts *now, struct err *e)
{
	if (sqlite_run(s->db, e, "DELETE FROM fact WHERE pipeline = ? AND stage = ?", "it", id,
		    stage) != 0)
		return -1;
	for (size_t i = 0; i < now->n; i++) {
		const struct fact *fact = &now->v[i];
		const char *earlier = facts_get(before, fact->name);

		if (earlier != NULL && strcmp(earlier, fact->value) == 0)
			continue;
		if (sqlite_run(s->db, e,
			    "INSERT INTO fact (pipeline, stage, name, value) VALUES (?, ?, ?, ?)",
			    "ittt", id, stage, fact->name, fact->value) != 0)
			return -1;
	}
	return 0;
}

int pipeline_save_facts(struct store *s, int64_t id, const char *stage, const struct facts *before,
	const struct facts *now, struct err *e)
{
	if (sqlite_begin(s->db, e) != 0)
		return -1;
	if (replace_facts(s, id, stage, before, now, e) != 0) {
		sqlite_rollback(s->db);
		return -1;
	}
	return sqlite_commit(s->db, e);
}

int pipeline_save_message(
	struct store *s, int64_t id, const char *stage, const char *message, struct err *e)
{
	return sqlite_run(s->db, e, "UPDATE stage SET message = ? WHERE pipeline = ? AND name = ?",
		"tit", message, id, stage);
}
