#include "stage/owner.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "data/sqlite.h"
#include "stage/stage.h"

#define TIMEOUT_MS 10000 /* how long other writers are waited for */

static const char *const steps[] = {"CREATE TABLE claim ("
				    " kind TEXT NOT NULL CHECK (kind IN ('model', 'image', 'dag')),"
				    " name TEXT NOT NULL,"
				    " owner TEXT NOT NULL,"
				    " time INTEGER NOT NULL,"
				    " PRIMARY KEY (kind, name));",
	NULL};

static const struct sqlite_schema schema = {.component = "owner", .steps = steps};

static const struct {
	const char *word;   /* in the table */
	const char *person; /* in a message */
} kinds[] = {
	[OWNER_MODEL] = {"model", "registered model"},
	[OWNER_IMAGE] = {"image", "image name"},
	[OWNER_DAG] = {"dag", "DAG id"},
};

/* Whoever comes first stays: an insertion that finds the name taken changes nothing. */
static int claim(struct sqlite *db, const struct stage_job *job, enum owner_kind kind,
	const char *name, struct err *e)
{
	struct sqlite_stmt *s = NULL;
	int result = -1;

	if (sqlite_run(db, e,
		    "INSERT OR IGNORE INTO claim (kind, name, owner, time) VALUES (?, ?, ?, ?)",
		    "ttti", kinds[kind].word, name, job->owner, clock_now()) != 0 ||
		sqlite_query(db, &s, e, "SELECT owner FROM claim WHERE kind = ? AND name = ?", "tt",
			kinds[kind].word, name) != 0 ||
		sqlite_next(s, e) != 1)
		goto out;
	if (str_same(sqlite_text(s, 0), job->owner))
		result = 0;
	else
		(void)err_set(e, "%s %s belongs to %s; this is %s", kinds[kind].person, name,
			sqlite_text(s, 0), job->owner);
out:
	sqlite_end(s);
	return result;
}

int owner_claim(const struct stage_job *job, enum owner_kind kind, const char *name, struct err *e)
{
	char *path = path_join(job->config->state, CONFIG_STATE_STORE);
	struct sqlite *db = NULL;
	int result = -1;

	if (sqlite_open(&db, path, &schema, TIMEOUT_MS, e) == 0)
		result = claim(db, job, kind, name, e);
	sqlite_close(db);
	free(path);
	return result;
}
