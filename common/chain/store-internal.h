/* What the modules of this room know of the store; nobody outside common/chain includes this. */
#ifndef MODELGATE_CHAIN_STORE_INTERNAL_H
#define MODELGATE_CHAIN_STORE_INTERNAL_H

#include "data/sqlite.h"

struct intent;

struct store {
	struct sqlite *db;
	char *state; /* state directory: the audit log lies there too */
};

extern const struct sqlite_schema store_schema, store_remote_schema;

/* The columns of an intent, in the order store_intent_row() reads them. */
#define STORE_INTENT_COLUMNS                                                                       \
	"id, push_id, push_key, repository, project, gl_repository, ref, old, new, source, "       \
	"source_oid, merged, method, chain, actor_id, actor_name, actor_protocol, policy, "        \
	"correlation_id"
#define STORE_INTENT_COLUMN_COUNT 19
/* Copy the current row of Q, selected with these columns, to *OUT. */
void store_intent_row(struct intent *out, struct sqlite_stmt *q);

#endif
