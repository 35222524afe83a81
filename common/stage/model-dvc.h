/*
 * A model fetched by DVC itself ([build] model-fetch = dvc), for the kinds of remotes that we cannot read.
 *
 * DVC believes a repository's .dvc/config in everything, commands to run and files to read included.  So it
 * never sees the commit: it works in a folder of its own, with a pointer and a configuration that are
 * written here, from the one remote's keys that are harmless.
 */
#ifndef MODELGATE_STAGE_MODEL_DVC_H
#define MODELGATE_STAGE_MODEL_DVC_H

struct config;
struct dvc_remote;
struct err;
struct model;

/*
 * Have `dvc fetch` bring the objects of the located M, whose tree lies in DIR, into a cache below WORK.  0
 * and *CACHE is that cache as a remote, the caller's to dvc_remote_clear(): what lies there is still to be
 * verified.  -1 and *E: there is no dvc, or it failed.
 */
int model_dvc_fetch(struct dvc_remote *cache, const struct model *m, const struct config *c,
	const char *dir, const char *work, struct err *e);

#endif
