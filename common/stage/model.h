/*
 * The model of a commit: the DVC pointer in its tree, the object in the DVC remote that the pointer
 * names, and that object put into its place.
 */
#ifndef MODELGATE_STAGE_MODEL_H
#define MODELGATE_STAGE_MODEL_H

#include "data/pointer.h"
#include "git/oid.h"
#include "stage/dvc-config.h"

struct config;
struct err;
struct repository;

struct model {
	struct pointer pointer;
	char *pointer_file; /* path of the pointer in the tree */
	char *file;         /* path of the model itself, beside it */
	/* Filled in by model_locate: */
	struct dvc_remote remote;
	char *object;  /* path of the object below the remote */
	char *address; /* of the object: the remote's url, then OBJECT */
};
void model_clear(struct model *m);

/*
 * Read the pointer that CONFIG names in the tree of COMMIT.  1; the caller calls model_clear().
 * 0: the tree has no such file.  -1: it is no valid pointer.
 */
int model_read(struct model *out, struct repository *r, const struct oid *commit,
	const struct config *config, struct err *e);
/* Find the DVC remote of M in the .dvc/config of the tree of COMMIT.  0, or -1. */
int model_locate(struct model *m, struct repository *r, const struct oid *commit, struct err *e);
/*
 * Copy the object of the located M into the tree that lies in the folder DIR, verifying size and
 * md5 on the way.  0, or -1 and *E: not a remote this can read, no such object, or another content.
 */
int model_fetch(const struct model *m, const char *dir, struct err *e);

#endif
