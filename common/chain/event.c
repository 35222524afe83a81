#include "chain/event.h"

#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "base/mem.h"
#include "chain/pipeline.h"
#include "chain/store-internal.h"

void events_clear(struct events *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}

struct audit_record *events_add(struct events *l, const char *event)
{
	struct audit_record *r;

	mem_grow(&l->v, l->n, &l->cap, sizeof(*l->v));
	r = &l->v[l->n++];
	r->event = event;
	return r;
}

struct audit_record *events_add_pipeline(
	struct events *l, const char *event, const struct pipeline *p)
{
	struct audit_record *r = events_add(l, event);

	r->push_id = p->push_id;
	r->actor = p->actor;
	r->repository.path = p->repository;
	r->repository.project = p->project;
	r->repository.gl_repository = p->gl_repository;
	r->pipeline = p->id;
	r->status = status_text(p->status);
	r->policy = p->policy;
	r->correlation_id = p->correlation_id;
	return r;
}

struct audit_record *events_add_stage(struct events *l, const char *event, const struct pipeline *p,
	const struct pipeline_stage *stage)
{
	struct audit_record *r = events_add_pipeline(l, event, p);

	r->stage = stage->name;
	r->status = status_text(stage->status);
	r->reason = stage->message;
	return r;
}

int events_commit(struct events *l, struct store *s, struct err *e)
{
	/* A full disk is to be met before it is told, or each try tells it again. */
	if (l->n > 0 &&
		(sqlite_flush(s->db, e) != 0 || audit_append(s->state, l->v, l->n, e) != 0)) {
		sqlite_rollback(s->db);
		return -1;
	}
	return sqlite_commit(s->db, e);
}
