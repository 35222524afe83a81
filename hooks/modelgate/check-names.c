#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "chain/pipeline.h"
#include "chain/store.h"
#include "data/config.h"
#include "stage/engine.h"
#include "stage/owner.h"
#include "stage/stage.h"
#include "sys/files.h"

#define MAX_PIPELINES 1000 /* of the project, newest first, in search of the repository's */

/* GL_REPOSITORY as the newest pipeline of this repository has it, the caller's to free(); NULL. */
static char *find_gl_repository(const struct check *c, struct store *s, const char *project)
{
	const struct pipeline_filter filter = {.project = project, .limit = MAX_PIPELINES};
	struct pipeline_list list = {0};
	struct err ignored = ERR_INIT; /* the store has a line of its own */
	char *found = NULL;

	if (pipeline_list(&list, s, &filter, &ignored) == 0)
		for (size_t i = 0; i < list.n && found == NULL; i++)
			if (strcmp(list.v[i].repository, c->repository) == 0)
				found = mem_strdup(list.v[i].gl_repository);
	pipeline_list_clear(&list);
	err_clear(&ignored);
	return found;
}

/*
 * Whose the names that this repository claims are, as its stages will be told, the caller's to
 * free().  NULL: not known; under GitLab that is so until the first pipeline.
 */
static char *find_self(const struct check *c, const char *project)
{
	struct store *s = NULL;
	struct err ignored = ERR_INIT; /* likewise */
	char *self = NULL;

	if (store_open(&s, c->config->state, &ignored) == 0)
		self = find_gl_repository(c, s, project);
	store_close(s);
	err_clear(&ignored);
	if (self != NULL && *self != '\0')
		return self;
	free(self);
	return c->config->identity == CONFIG_IDENTITY_GITLAB ? NULL : mem_strdup(c->repository);
}

static void check_name(struct check *c, const char *self, enum owner_kind kind, const char *name)
{
	struct err e = ERR_INIT;
	char *owner = NULL;

	if (owner_find(&owner, c->config, kind, name, &e) == 1 && strcmp(owner, self) != 0)
		check_wrong(c, "names",
			mem_strdup("give the project a name of its own: [project] name"),
			"names: %s %s belongs to %s: the stage that needs it will fail",
			owner_kind_text(kind), name, owner);
	free(owner);
	err_clear(&e); /* likewise */
}

void check_names(struct check *c)
{
	char *store = path_join(c->config->state, CONFIG_STATE_STORE), *project, *image,
	     *retraining, *self;

	/* Looked at, not made. */
	if (c->repository != NULL && files_exists(store)) {
		project = config_project(c->config, NULL, c->repository);
		image = engine_image_name(project);
		retraining = mem_format("%s" STAGE_RETRAIN_SUFFIX, project);
		self = find_self(c, project);
		if (self != NULL) {
			check_name(c, self, OWNER_MODEL, project);
			check_name(c, self, OWNER_IMAGE, image);
			check_name(c, self, OWNER_DAG, project);
			check_name(c, self, OWNER_DAG, retraining);
		}
		free(self);
		free(retraining);
		free(image);
		free(project);
	}
	free(store);
}
