/*
 * Audit records about pipelines, collected during a transaction and appended before it is
 * committed.
 */
#ifndef MODELGATE_CHAIN_EVENT_H
#define MODELGATE_CHAIN_EVENT_H

#include <stddef.h>

#include "audit/record.h"

struct err;
struct pipeline;
struct pipeline_stage;
struct store;

#define EVENT_REF_UPDATED "ref.updated"
#define EVENT_REF_UNSOURCED "ref.unsourced"
#define EVENT_REF_DRIFTED "ref.drifted"
#define EVENT_PIPELINE_CREATED "pipeline.created"
#define EVENT_PIPELINE_RECONCILED "pipeline.reconciled"
#define EVENT_PIPELINE_FINISHED "pipeline.finished"
#define EVENT_PIPELINE_CANCELED "pipeline.canceled"
#define EVENT_STAGE_STARTED "stage.started"
#define EVENT_STAGE_FINISHED "stage.finished"
#define EVENT_STAGE_PLAYED "stage.played"

/* Zeroed to begin with.  Everything that the records point to is borrowed. */
struct events {
	struct audit_record *v;
	size_t n;
	size_t cap;
};
void events_clear(struct events *l);

/* Add an empty record of EVENT; the result is valid until the next one is added. */
struct audit_record *events_add(struct events *l, const char *event);
/* The same, with what P says of itself and of who pushed it. */
struct audit_record *events_add_pipeline(
	struct events *l, const char *event, const struct pipeline *p);
/* The same, with STAGE and its message; the status is the stage's. */
struct audit_record *events_add_stage(struct events *l, const char *event, const struct pipeline *p,
	const struct pipeline_stage *stage);

/*
 * Append all to the audit log of S, on disk when 0 is returned, and commit the transaction that is
 * open.  In this order: an event may be told twice, never not at all.  -1: the transaction has been
 * rolled back.
 */
int events_commit(struct events *l, struct store *s, struct err *e);

#endif
