/* A new project's work tree: what a data scientist starts with. */
#ifndef MODELGATE_STAGE_PROJECT_H
#define MODELGATE_STAGE_PROJECT_H

#include "git/oid.h"

struct err;

/* 0: NAME can be a project's: CONFIG_PROJECT_NAME_MAX letters, digits, "_" and "-".  -1: *E. */
int project_check_name(const char *name, struct err *e);

struct project {
	const char *dir;  /* to be made, or an empty folder; not the working one */
	const char *name; /* as above */
	const char
		*dvc_remote; /* folder, made if it is not there; NULL: one inside the work tree */
};

/*
 * Make the work tree with its first model, one commit and the five branches.  0, *PLACE, its
 * absolute path, the caller's to free(), and *COMMIT.  -1: nothing was made but perhaps the DVC
 * remote.  SIGINT, SIGTERM and SIGHUP wait meanwhile; one that has come is a reason to give up.
 */
int project_make(const struct project *p, char **place, struct oid *commit, struct err *e);

#endif
