#include "chain/remote.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/pipeline.h"
#include "chain/store-internal.h"

static const char *const words[] = {
	[REMOTE_CLOSED] = "closed", [REMOTE_ACTIVE] = "active", [REMOTE_AWAITING] = "awaiting"};

void remote_clear(struct remote *r)
{
	free(r->sha);
	free(r->web_url);
	free(r->message);
	memset(r, 0, sizeof(*r));
}

void remote_jobs_clear(struct remote_jobs *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].stage);
		free(l->v[i].web_url);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}

const struct remote_job *remote_jobs_find(const struct remote_jobs *l, const char *stage)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].stage, stage) == 0)
			return &l->v[i];
	return NULL;
}

int remote_add(struct store *s, int64_t pipeline, struct err *e)
{
	return sqlite_run(s->db, e, "INSERT INTO remote (pipeline) VALUES (?)", "i", pipeline);
}

int remote_read(struct remote *out, struct store *s, int64_t pipeline, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int found;

	memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e,
		    "SELECT pipeline, number, sha, web_url, next_at, tries, asked_at, doubt,"
		    " message, watch, fit, wakes, maker, refused FROM remote WHERE pipeline = ?",
		    "i", pipeline) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1) {
		out->pipeline = sqlite_number(q, 0);
		out->number = sqlite_number(q, 1);
		out->sha = mem_strdup(sqlite_text(q, 2));
		out->web_url = mem_strdup(sqlite_text(q, 3));
		out->next_at = sqlite_number(q, 4);
		out->tries = sqlite_number(q, 5);
		out->asked_at = sqlite_number(q, 6);
		out->doubt = sqlite_number(q, 7) == 0   ? REMOTE_CERTAIN
			     : sqlite_number(q, 7) == 1 ? REMOTE_UNANSWERED
							: REMOTE_DOUBTFUL;
		out->message = mem_strdup(sqlite_text(q, 8));
		while (out->watch < REMOTE_AWAITING &&
			!str_same(words[out->watch], sqlite_text(q, 9)))
			out->watch++; /* the table lets no other word in */
		out->fit = sqlite_number(q, 10) == 1   ? REMOTE_FIT
			   : sqlite_number(q, 10) == 2 ? REMOTE_UNFIT
						       : REMOTE_UNSEEN;
		out->wakes = sqlite_number(q, 11);
		out->maker = sqlite_number(q, 12);
		out->refused = sqlite_number(q, 13);
	}
	sqlite_end(q);
	return found;
}

int remote_has_older(struct store *s, const struct pipeline *p, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM remote CROSS JOIN pipeline p ON p.id = remote.pipeline"
		" WHERE watch <> 'closed' AND number = 0 AND p.id < ? AND p.repository = ?"
		" AND p.ref = ?",
		"itt", p->id, p->repository, p->ref);
}

int remote_find(int64_t *pipeline, struct store *s, int64_t number, struct err *e)
{
	return sqlite_one(s->db, pipeline, e,
		"SELECT pipeline FROM remote WHERE number <> 0 AND number = ?", "i", number);
}

int remote_save(struct store *s, const struct remote *r, struct err *e)
{
	return sqlite_run(s->db, e,
		"UPDATE remote SET number = ?1, sha = ?2, web_url = ?3, asked_at = ?4, doubt = ?5,"
		" message = ?6, fit = ?7, maker = ?13, refused = ?14,"
		" watch = CASE wakes WHEN ?8 THEN ?9 ELSE watch END,"
		" next_at = CASE wakes WHEN ?8 THEN ?10 ELSE next_at END,"
		" tries = CASE wakes WHEN ?8 THEN ?11 ELSE tries END WHERE pipeline = ?12",
		"ittiitiitiiiii", r->number, r->sha, r->web_url, r->asked_at, (int64_t)r->doubt,
		r->message, (int64_t)r->fit, r->wakes, words[r->watch], r->next_at, r->tries,
		r->pipeline, r->maker, r->refused);
}

int remote_wake(struct store *s, int64_t pipeline, struct err *e)
{
	return sqlite_run(s->db, e,
		"UPDATE remote SET watch = 'active', next_at = 0, tries = 0, wakes = wakes + 1"
		" WHERE pipeline = ?",
		"i", pipeline);
}

int remote_due(struct store *s, int64_t now, struct pipeline_ids *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e,
		    "SELECT pipeline FROM remote WHERE watch <> 'closed'"
		    " AND (next_at <= ?1 OR next_at > ?1 + ?2) ORDER BY pipeline",
		    "ii", now, REMOTE_MAX_WAIT) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		out->v[out->n++] = sqlite_number(q, 0);
	}
	sqlite_end(q);
	return row;
}

int remote_count(struct store *s, int64_t now, struct remote_count *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e,
		    "SELECT ifnull(sum(watch = 'active'), 0),"
		    " ifnull(max(next_at <= ?1 OR next_at > ?1 + ?2), 0)"
		    " FROM remote WHERE watch <> 'closed'",
		    "ii", now, REMOTE_MAX_WAIT) != 0)
		return -1;
	row = sqlite_next(q, e);
	if (row == 1) {
		out->active = sqlite_number(q, 0);
		out->is_due = sqlite_number(q, 1) != 0;
	}
	sqlite_end(q);
	return row == 1 ? 0 : -1;
}

int remote_jobs(struct store *s, int64_t pipeline, struct remote_jobs *out, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	memset(out, 0, sizeof(*out));
	if (sqlite_query(s->db, &q, e,
		    "SELECT stage, job, web_url, ended FROM remote_job WHERE pipeline = ?", "i",
		    pipeline) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		struct remote_job *job;

		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		job = &out->v[out->n++];
		job->stage = mem_strdup(sqlite_text(q, 0));
		job->job = sqlite_number(q, 1);
		job->web_url = mem_strdup(sqlite_text(q, 2));
		job->ended = sqlite_number(q, 3);
	}
	sqlite_end(q);
	return row;
}

int remote_set_job(struct store *s, int64_t pipeline, const struct remote_job *job, struct err *e)
{
	return sqlite_run(s->db, e,
		"INSERT INTO remote_job (pipeline, stage, job, web_url, ended) VALUES (?, ?, ?, ?, "
		"?) ON CONFLICT (pipeline, stage) DO UPDATE SET job = excluded.job,"
		" web_url = excluded.web_url, ended = excluded.ended",
		"ititi", pipeline, job->stage, job->job, job->web_url, job->ended);
}
