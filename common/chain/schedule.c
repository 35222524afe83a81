#include "chain/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/lifecycle.h"
#include "chain/store-internal.h"

void schedule_clear(struct schedule *q)
{
	for (size_t i = 0; i < q->n; i++) {
		free(q->v[i].stage);
		free(q->v[i].project);
		free(q->v[i].environment);
		free(q->v[i].repository);
	}
	free(q->v);
	memset(q, 0, sizeof(*q));
}

int schedule_load(struct schedule *out, struct store *s, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	memset(out, 0, sizeof(*out));
	/* CROSS JOIN fixes the order: from the few active stages to their pipelines. */
	if (sqlite_query(s->db, &q, e,
		    "SELECT s.pipeline, s.name, s.status = 'running', s.not_before, p.project,"
		    " p.environment, p.repository, EXISTS (SELECT 1 FROM remote"
		    "  WHERE remote.pipeline = p.id) FROM stage s CROSS JOIN pipeline p"
		    " ON p.id = s.pipeline WHERE s.status IN ('pending', 'running')"
		    " ORDER BY s.pipeline, s.position",
		    "") != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		struct schedule_row *r;

		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		r = &out->v[out->n++];
		r->pipeline = sqlite_number(q, 0);
		r->stage = mem_strdup(sqlite_text(q, 1));
		r->status = sqlite_number(q, 2) ? STATUS_RUNNING : STATUS_PENDING;
		r->not_before = sqlite_number(q, 3);
		r->project = mem_strdup(sqlite_text(q, 4));
		r->environment = mem_strdup(sqlite_text(q, 5));
		r->repository = mem_strdup(sqlite_text(q, 6));
		r->where = sqlite_number(q, 7) ? SCHEDULE_ON_GITLAB : SCHEDULE_HERE;
	}
	sqlite_end(q);
	return row;
}

static int is_same_place(const struct schedule_row *a, const struct schedule_row *b)
{
	return strcmp(a->project, b->project) == 0 && strcmp(a->environment, b->environment) == 0;
}

/* One before it is to go first; one after it may have begun while this one waited for a hand. */
static int is_held(const struct schedule *q, size_t i)
{
	for (size_t j = 0; j < q->n; j++)
		if (j != i && (j < i || q->v[j].status == STATUS_RUNNING) &&
			is_same_place(&q->v[j], &q->v[i]))
			return 1;
	return 0;
}

/* No wait is longer than that: a time further off was set before the clock was set back. */
static int is_due(const struct schedule_row *row, int64_t now)
{
	return row->not_before <= now || row->not_before > now + LIFECYCLE_MAX_DELAY;
}

struct schedule_row *schedule_next(const struct schedule *q, int64_t parallel, int64_t now)
{
	int64_t running = 0;

	for (size_t i = 0; i < q->n; i++)
		running += q->v[i].where == SCHEDULE_HERE && q->v[i].status == STATUS_RUNNING;
	if (running >= parallel)
		return NULL;
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].where == SCHEDULE_HERE && q->v[i].status == STATUS_PENDING &&
			is_due(&q->v[i], now) && !is_held(q, i))
			return &q->v[i];
	return NULL;
}

int schedule_is_busy_there(
	struct store *s, const char *project, const char *environment, struct err *e)
{
	struct schedule q;
	int busy = schedule_load(&q, s, e);

	for (size_t i = 0; busy == 0 && i < q.n; i++)
		busy = q.v[i].where == SCHEDULE_ON_GITLAB && q.v[i].status == STATUS_RUNNING &&
		       strcmp(q.v[i].project, project) == 0 &&
		       strcmp(q.v[i].environment, environment) == 0;
	schedule_clear(&q);
	return busy;
}

size_t schedule_count(const struct schedule *q, enum schedule_where there)
{
	size_t n = 0;

	for (size_t i = 0; i < q->n; i++)
		n += q->v[i].where == there;
	return n;
}

int schedule_is_held(const struct schedule *q, int64_t pipeline)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->v[i].pipeline == pipeline)
			return is_held(q, i);
	return 0;
}
