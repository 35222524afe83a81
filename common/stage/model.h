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
	char *address; /* of the object: the remote's url without user and password, then OBJECT */
};
void model_clear(struct model *m);

/*
 * Read the pointer that CONFIG names in the tree of COMMIT.  1; the caller calls model_clear().
 * 0: the tree has no such file.  -1: it is no valid pointer.
 */
int model_read(struct model *out, struct repository *r, const struct oid *commit,
	const struct config *config, struct err *e);
/*
 * Find the DVC remote of M in the .dvc/config of the tree of COMMIT.  0, or -1: there is none, or C does not
 * let models come from there.
 */
int model_locate(struct model *m, struct repository *r, const struct oid *commit,
	const struct config *c, struct err *e);
/*
 * Put what the located M names into the tree that lies in the folder DIR, a file or a folder of files, with
 * every size and md5 verified as it comes; as [build] model-fetch of C says, by ourselves or with dvc.  WORK:
 * a folder on the same file system, outside of DIR, for what is not whole yet.  0, or -1 and *E: not a
 * remote that can be read, no such object, or another content; e->passing where another try may help.
 */
int model_fetch(const struct model *m, const struct config *c, const char *dir, const char *work,
	struct err *e);

#endif
