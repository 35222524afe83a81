#include "chain/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/store-internal.h"
#include "data/config.h"
#include "stage/retraining.h"
#include "stage/stage.h"

/* As an old or new value: the reference is not there. */
#define NO_COMMIT "0000000000000000000000000000000000000000"

int store_open(struct store **out, const char *state, struct err *e)
{
	struct store *s = mem_zalloc(1, sizeof(*s));
	char *path = path_join(state, CONFIG_STATE_STORE);
	int result;

	*out = NULL;
	s->state = mem_strdup(state);
	result = sqlite_open(&s->db, path, &store_schema, STORE_TIMEOUT_MS, e);
	if (result == 0)
		result = sqlite_add_schema(s->db, &store_remote_schema, e);
	free(path);
	if (result != 0) {
		store_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	sqlite_close(s->db);
	free(s->state);
	free(s);
}

void intent_clear(struct intent *i)
{
	free(i->push_id);
	free(i->push_key);
	free(i->repository);
	free(i->project);
	free(i->gl_repository);
	free(i->ref);
	free(i->old);
	free(i->new);
	free(i->source);
	free(i->source_oid);
	free(i->merged);
	free(i->method);
	free(i->chain);
	actor_clear(&i->actor);
	free(i->policy);
	free(i->correlation_id);
	memset(i, 0, sizeof(*i));
}

void store_intent_row(struct intent *out, struct sqlite_stmt *q)
{
	char **const fields[] = {&out->push_id, &out->push_key, &out->repository, &out->project,
		&out->gl_repository, &out->ref, &out->old, &out->new, &out->source,
		&out->source_oid, &out->merged, &out->method, &out->chain, &out->actor.id,
		&out->actor.name, &out->actor.protocol, &out->policy, &out->correlation_id};

	memset(out, 0, sizeof(*out));
	out->id = sqlite_number(q, 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		*fields[i] = mem_strdup(sqlite_text(q, (int)i + 1));
}

static const char *known(const char *text)
{
	return text != NULL ? text : "";
}

static int add_intent(struct store *s, const struct intent *i, int64_t now, struct err *e)
{
	return sqlite_run(s->db, e,
		"INSERT INTO intent (push_id, push_key, repository, project, gl_repository, ref, "
		"old,"
		" new, source, source_oid, merged, method, chain, actor_id, actor_name, "
		"actor_protocol,"
		" policy, correlation_id, shadowed, created_at)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		"ttttttttttttttttttii", known(i->push_id), known(i->push_key), known(i->repository),
		known(i->project), known(i->gl_repository), known(i->ref), known(i->old),
		known(i->new), known(i->source), known(i->source_oid), known(i->merged),
		known(i->method), known(i->chain), known(i->actor.id), known(i->actor.name),
		known(i->actor.protocol), known(i->policy), known(i->correlation_id),
		(int64_t)i->standing, now);
}

int store_add_intents(struct store *s, const struct intent *intents, size_t n, struct err *e)
{
	int64_t now = clock_now();

	if (sqlite_begin(s->db, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_intent(s, &intents[i], now, e) != 0) {
			sqlite_rollback(s->db);
			return -1;
		}
	return sqlite_commit(s->db, e);
}

int store_find_intent(struct store *s, const char *push_key, const char *repository,
	const char *ref, const char *old, const char *new, struct intent *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int found;

	if (out != NULL)
		memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e,
		    "SELECT " STORE_INTENT_COLUMNS " FROM intent"
		    " WHERE push_key = ifnull(?, push_key) AND repository = ? AND ref = ?"
		    " AND old = ? AND new = ?"
		    " ORDER BY id DESC LIMIT 1",
		    "ttttt", push_key, repository, ref, old, new) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1 && out != NULL)
		store_intent_row(out, q);
	sqlite_end(q);
	return found;
}

/*
 * Open intents count: the caller has seen TIP on the ref, and whoever brought it there may have
 * died before post-receive could say so.
 */
int store_landed(
	struct store *s, const char *repository, const char *ref, const char *tip, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE repository = ? AND ref = ? AND new = ?"
		" AND NOT shadowed LIMIT 1",
		"ttt", repository, ref, tip);
}

/*
 * The first text after all that start with PREFIX, as SQLite compares them (by byte); PREFIX ends
 * in a character of ASCII.  The caller's to free().
 */
static char *end_of_prefix(const char *prefix)
{
	char *end = mem_strdup(prefix);

	end[strlen(end) - 1]++;
	return end;
}

int store_used(struct store *s, const char *repository, const char *prefix,
	int (*each)(void *context, const char *ref), void *context, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	char *end = end_of_prefix(prefix);
	int row, result = 0;

	row = sqlite_query(s->db, &q, e,
		"SELECT DISTINCT ref FROM intent i"
		" WHERE repository = ?1 AND ref >= ?2 AND ref < ?3 AND new <> ?4"
		" AND (state IN ('landed', 'unsourced') OR EXISTS (SELECT 1 FROM intent later"
		"  WHERE later.repository = ?1 AND later.ref = i.ref AND later.old = i.new"
		"  AND later.id > i.id))",
		"tttt", repository, prefix, end, NO_COMMIT);
	free(end);
	if (row != 0)
		return -1;
	while (result == 0 && (row = sqlite_next(q, e)) == 1)
		result = each(context, sqlite_text(q, 0));
	sqlite_end(q);
	return row < 0 ? -1 : result;
}

/*
 * The number of the pipeline is where the name of the branch goes on after "retrain-"; CAST reads as far as
 * there are digits.
 */
/*
 * The pipelines that people know by NUMBER: GitLab's number where they run there, ours where they run here.
 */
#define PIPELINES_NUMBERED(NUMBER)                                                                 \
	"SELECT pipeline FROM remote WHERE number <> 0 AND number = " NUMBER                       \
	" UNION ALL SELECT " NUMBER " WHERE NOT EXISTS"                                            \
	" (SELECT 1 FROM remote WHERE pipeline = " NUMBER ")"

int store_retrainings(
	struct store *s, const char *repository, struct retrainings *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	char *end = end_of_prefix(STAGE_RETRAIN_REFS);
	int row;

	row = sqlite_query(s->db, &q, e,
		"SELECT i.new, i.new, ifnull(p.sha, ''), i.id FROM intent i LEFT JOIN pipeline p"
		"  ON p.id IN (" PIPELINES_NUMBERED("CAST(substr(i.ref, length(?2) + 1) AS "
						    "INTEGER)") ")"
								"  AND p.repository = i.repository "
								"AND p.ref = ?5"
								" WHERE i.repository = ?1 AND "
								"i.ref >= ?2 AND i.ref < ?3 AND "
								"i.new <> ?4"
								"  AND NOT i.shadowed AND i.state "
								"IN ('open', 'landed')"
								" UNION"
								" SELECT new, source_oid, "
								"replace(old, ?4, ''), id FROM "
								"intent"
								" WHERE repository = ?1 AND source "
								"<> '' AND source >= ?2 AND source "
								"< ?3"
								"  AND new <> ?4"
								"  AND NOT shadowed AND state IN "
								"('open', 'landed') ORDER BY 4",
		"ttttt", repository, STAGE_RETRAIN_REFS, end, NO_COMMIT, STAGE_RETRAIN_REF);
	free(end);
	if (row != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1)
		retrainings_add(out, sqlite_text(q, 0), sqlite_text(q, 1), sqlite_text(q, 2));
	sqlite_end(q);
	return row;
}

int store_deployed(struct store *s, const char *repository, const char *id, const char *chain,
	char **sha, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	long long number;
	int found;

	*sha = NULL;
	if (str_number(id, INT64_MAX, &number) != 0)
		return 0; /* larger than any that was given out */
	if (sqlite_query(s->db, &q, e,
		    "SELECT sha FROM pipeline p"
		    " WHERE id IN (" PIPELINES_NUMBERED(
			    "?1") ")"
				  " AND repository = ?2 AND chain = ?3"
				  " AND EXISTS (SELECT 1 FROM stage WHERE pipeline = p.id"
				  "  AND name = 'deploy' AND status = 'success')"
				  " ORDER BY id DESC LIMIT 1",
		    "itt", (int64_t)number, repository, chain) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1)
		*sha = mem_strdup(sqlite_text(q, 0));
	sqlite_end(q);
	return found;
}

#define COUNT_PUSHES                                                                               \
	"SELECT count(*) FROM (SELECT push_id FROM intent UNION SELECT push_id FROM pipeline)"

int store_pushes(struct store *s, int64_t *n, struct err *e)
{
	return sqlite_one(s->db, n, e, COUNT_PUSHES, "") == 1 ? 0 : -1;
}

int store_count_pushes(const char *state, int64_t *n, struct err *e)
{
	char *path = path_join(state, CONFIG_STATE_STORE);
	int found = sqlite_read_one(n, path, COUNT_PUSHES, STORE_TIMEOUT_MS, e);

	if (found < 0)
		(void)err_wrap(e, "whether anything was pushed could not be told");
	free(path);
	return found == 1 ? 0 : -1;
}

int store_policy(struct store *s, const char *repository, char **sha256, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int found;

	*sha256 = NULL;
	if (sqlite_query(s->db, &q, e, "SELECT sha256 FROM policy WHERE repository = ?", "t",
		    repository) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1)
		*sha256 = mem_strdup(sqlite_text(q, 0));
	sqlite_end(q);
	return found;
}

int store_set_policy(struct store *s, const char *repository, const char *sha256, struct err *e)
{
	return sqlite_run(s->db, e,
		"INSERT INTO policy (repository, sha256) VALUES (?, ?)"
		" ON CONFLICT (repository) DO UPDATE SET sha256 = excluded.sha256",
		"tt", repository, sha256);
}
