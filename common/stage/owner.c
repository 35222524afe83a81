#include "stage/owner.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "data/sqlite.h"
#include "stage/engine.h"
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

/* Whose the name is: 1 and *OWNER, the caller's to free(); 0; -1. */
static int find(
	char **owner, struct sqlite *db, enum owner_kind kind, const char *name, struct err *e)
{
	struct sqlite_stmt *s = NULL;
	int found = sqlite_query(db, &s, e, "SELECT owner FROM claim WHERE kind = ? AND name = ?",
		"tt", kinds[kind].word, name);

	if (found == 0)
		found = sqlite_next(s, e);
	if (found == 1)
		*owner = mem_strdup(sqlite_text(s, 0));
	sqlite_end(s);
	return found;
}

/* Whoever comes first stays: an insertion that finds the name taken changes nothing. */
static int claim(struct sqlite *db, const struct stage_job *job, enum owner_kind kind,
	const char *name, struct err *e)
{
	char *owner = NULL;
	int result = -1;

	if (sqlite_run(db, e,
		    "INSERT OR IGNORE INTO claim (kind, name, owner, time) VALUES (?, ?, ?, ?)",
		    "ttti", kinds[kind].word, name, job->owner, clock_now()) != 0 ||
		find(&owner, db, kind, name, e) != 1)
		return -1;
	if (str_same(owner, job->owner))
		result = 0;
	else
		(void)err_set(e, "%s %s belongs to %s; this is %s", kinds[kind].person, name, owner,
			job->owner);
	free(owner);
	return result;
}

/* The store of STATE with its table of claims; NULL: *E. */
static struct sqlite *open_store(const char *state, struct err *e)
{
	char *path = path_join(state, CONFIG_STATE_STORE);
	struct sqlite *db = NULL;

	(void)sqlite_open(&db, path, &schema, TIMEOUT_MS, e); /* leaves NULL where it fails */
	free(path);
	return db;
}

int owner_claim(const struct stage_job *job, enum owner_kind kind, const char *name, struct err *e)
{
	struct sqlite *db = open_store(job->config->state, e);
	int result = db != NULL ? claim(db, job, kind, name, e) : -1;

	sqlite_close(db);
	return result;
}

int owner_claim_all(const struct stage_job *job, struct err *e)
{
	char *image = engine_image_name(job->project), *dag = deploy_id(job);
	const struct config_chain *chain = config_chain(job->config, job->chain);
	int result = 0;

	if (chain == NULL)
		result = err_set(e, "chain %s is no longer configured", job->chain);
	if (result == 0 && strlist_has(&chain->stages, "build"))
		result = owner_claim(job, OWNER_IMAGE, image, e);
	if (result == 0 && (strlist_has(&chain->stages, "create-model") ||
				   strlist_has(&chain->stages, "stage-model")))
		result = owner_claim(job, OWNER_MODEL, job->project, e);
	if (result == 0 && strlist_has(&chain->stages, "deploy"))
		result = owner_claim(job, OWNER_DAG, dag, e);
	free(image);
	free(dag);
	return result;
}

int owner_find(char **owner, const struct config *config, enum owner_kind kind, const char *name,
	struct err *e)
{
	struct sqlite *db = open_store(config->state, e);
	int found;

	*owner = NULL;
	found = db != NULL ? find(owner, db, kind, name, e) : -1;
	sqlite_close(db);
	return found;
}

const char *owner_kind_text(enum owner_kind kind)
{
	return kinds[kind].person;
}
