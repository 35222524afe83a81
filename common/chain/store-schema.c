/*
 * The tables of the store.  A step that was released is never changed: a new one is added after it.
 * Nothing scans history: what is open, waiting or runnable has partial indexes that hold just that.
 */
#include "chain/store-internal.h"

#include <stddef.h>

static const char version_1[] =
	"CREATE TABLE pipeline ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" project TEXT NOT NULL,"
	" repository TEXT NOT NULL,"
	" gl_repository TEXT NOT NULL,"
	" chain TEXT NOT NULL,"
	" environment TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" sha TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status IN ('created', 'pending', 'running', 'manual',"
	"  'success', 'failed', 'canceled', 'skipped')),"
	" cancel INTEGER NOT NULL DEFAULT 0,"
	" waiting INTEGER NOT NULL," /* stages that have not started */
	" actor_id TEXT NOT NULL,"
	" actor_name TEXT NOT NULL,"
	" actor_protocol TEXT NOT NULL,"
	" push_id TEXT NOT NULL,"
	" policy TEXT NOT NULL,"
	" correlation_id TEXT NOT NULL,"
	" created_at INTEGER NOT NULL,"
	" started_at INTEGER NOT NULL DEFAULT 0,"
	" finished_at INTEGER NOT NULL DEFAULT 0"
	");"
	"CREATE INDEX pipeline_project ON pipeline (project, id);"
	"CREATE INDEX pipeline_status ON pipeline (status, id);"
	"CREATE INDEX pipeline_project_status ON pipeline (project, status, id);"
	"CREATE INDEX pipeline_ref ON pipeline (repository, ref, id);"
	"CREATE INDEX pipeline_waiting ON pipeline (repository, ref, id) WHERE waiting > 0;"

	"CREATE TABLE stage ("
	" pipeline INTEGER NOT NULL REFERENCES pipeline (id),"
	" position INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status IN ('created', 'pending', 'running', 'manual',"
	"  'success', 'failed', 'canceled', 'skipped')),"
	" manual INTEGER NOT NULL,"
	" attempt INTEGER NOT NULL DEFAULT 0,"
	" failures INTEGER NOT NULL DEFAULT 0,"
	" not_before INTEGER NOT NULL DEFAULT 0,"
	" started_at INTEGER NOT NULL DEFAULT 0,"
	" finished_at INTEGER NOT NULL DEFAULT 0,"
	" message TEXT NOT NULL DEFAULT '',"
	" PRIMARY KEY (pipeline, position),"
	" UNIQUE (pipeline, name)"
	") WITHOUT ROWID;"
	"CREATE INDEX stage_active ON stage (pipeline, position)"
	" WHERE status IN ('pending', 'running');"

	"CREATE TABLE policy ("
	" repository TEXT PRIMARY KEY,"
	" sha256 TEXT NOT NULL" /* of the configuration that its last accepted push was judged by */
	") WITHOUT ROWID;"

	"CREATE TABLE fact ("
	" pipeline INTEGER NOT NULL,"
	" stage TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" PRIMARY KEY (pipeline, stage, name),"
	" FOREIGN KEY (pipeline, stage) REFERENCES stage (pipeline, name)"
	") WITHOUT ROWID;"

	"CREATE TABLE intent ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" push_id TEXT NOT NULL,"
	" push_key TEXT NOT NULL,"
	" repository TEXT NOT NULL,"
	" project TEXT NOT NULL,"
	" gl_repository TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" old TEXT NOT NULL,"
	" new TEXT NOT NULL,"
	" source TEXT NOT NULL,"
	" source_oid TEXT NOT NULL,"
	" merged TEXT NOT NULL,"
	" method TEXT NOT NULL,"
	" chain TEXT NOT NULL,"
	" actor_id TEXT NOT NULL,"
	" actor_name TEXT NOT NULL,"
	" actor_protocol TEXT NOT NULL,"
	" policy TEXT NOT NULL,"
	" correlation_id TEXT NOT NULL,"
	" state TEXT NOT NULL DEFAULT 'open'"
	"  CHECK (state IN ('open', 'landed', 'lapsed', 'unsourced')),"
	" pipeline INTEGER REFERENCES pipeline (id),"
	" created_at INTEGER NOT NULL"
	");"
	"CREATE INDEX intent_new ON intent (repository, ref, new);"
	"CREATE INDEX intent_old ON intent (repository, ref, old);"
	"CREATE INDEX intent_open ON intent (created_at) WHERE state = 'open';";

static const char version_2[] =
	"ALTER TABLE intent ADD COLUMN shadowed INTEGER NOT NULL DEFAULT 0;";

static const char version_3[] =
	"CREATE TABLE position (" /* where its last landing left a reference with rules */
	" repository TEXT NOT NULL,"
	" ref TEXT NOT NULL,"
	" oid TEXT NOT NULL," /* zeros: it was deleted */
	" project TEXT NOT NULL,"
	" gl_repository TEXT NOT NULL,"
	" PRIMARY KEY (repository, ref)"
	") WITHOUT ROWID;";

static const char version_4[] =
	"CREATE INDEX intent_source ON intent (repository, source) WHERE source <> '';";

/* ---- what runs on GitLab: a component of its own, which programs of before need not know ---- */

static const char remote_1[] =
	"CREATE TABLE remote (" /* a pipeline that runs on GitLab's runners */
	" pipeline INTEGER PRIMARY KEY REFERENCES pipeline (id),"
	" number INTEGER NOT NULL DEFAULT 0," /* GitLab's; 0: it was not made yet */
	" sha TEXT NOT NULL DEFAULT '',"
	" web_url TEXT NOT NULL DEFAULT '',"
	" watch TEXT NOT NULL DEFAULT 'active'"
	"  CHECK (watch IN ('closed', 'active', 'awaiting')),"
	" wakes INTEGER NOT NULL DEFAULT 0," /* calls of remote_wake() */
	" next_at INTEGER NOT NULL DEFAULT 0,"
	" tries INTEGER NOT NULL DEFAULT 0,"
	" asked_at INTEGER NOT NULL DEFAULT 0,"
	" doubt INTEGER NOT NULL DEFAULT 0,"
	" refused INTEGER NOT NULL DEFAULT 0,"
	" maker INTEGER NOT NULL DEFAULT 0," /* GitLab's user who made it; 0: not told */
	" fit INTEGER NOT NULL DEFAULT 0,"
	" message TEXT NOT NULL DEFAULT ''"
	");"
	"CREATE INDEX remote_number ON remote (number) WHERE number <> 0;"
	"CREATE INDEX remote_watch ON remote (next_at) WHERE watch <> 'closed';"
	"CREATE TABLE remote_job ("
	" pipeline INTEGER NOT NULL REFERENCES remote (pipeline),"
	" stage TEXT NOT NULL,"
	" job INTEGER NOT NULL,"
	" web_url TEXT NOT NULL,"
	" ended INTEGER NOT NULL,"
	" PRIMARY KEY (pipeline, stage)"
	") WITHOUT ROWID;";

static const char *const steps[] = {version_1, version_2, version_3, version_4, NULL};
static const char *const remote_steps[] = {remote_1, NULL};

const struct sqlite_schema store_schema = {"chain", steps, 4};
const struct sqlite_schema store_remote_schema = {"remote", remote_steps, 1};
