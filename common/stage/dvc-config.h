/*
 * The part of .dvc/config that says where models are kept (dvc.org, "dvc config"; DVC's
 * config_schema.py): an INI file with [core] remote = NAME and ['remote "NAME"'] url = ADDRESS.
 */
#ifndef MODELGATE_STAGE_DVC_CONFIG_H
#define MODELGATE_STAGE_DVC_CONFIG_H

#include <stddef.h>

struct err;

#define DVC_CONFIG_FILE ".dvc/config"
#define DVC_CONFIG_MAX 65536 /* bytes read of it */

struct dvc_setting {
	char *key; /* lower case */
	char *value;
};

/* A remote and what it stands on (url = remote://OTHER/path): all owned. */
struct dvc_remote {
	char *name;
	char *url; /* as it stands in the file, remote://OTHER replaced by its url */
	struct dvc_setting
		*v; /* its keys but url; those of a remote it stands on come after its own */
	size_t n;
	size_t cap;
};
void dvc_remote_clear(struct dvc_remote *r); /* wipes: DVC lets passwords stand there */

/*
 * Parse LEN bytes of TEXT and find the remote WANTED; NULL: the default one.  0; the caller calls
 * dvc_remote_clear().  -1 and *E: not well-formed (which line), or no such remote.
 */
int dvc_config_remote(
	struct dvc_remote *out, const char *text, size_t len, const char *wanted, struct err *e);

/* The value of KEY, borrowed; NULL: not set, or empty. */
const char *dvc_remote_get(const struct dvc_remote *r, const char *key);
/* 1 if KEY is set to true, else 0. */
int dvc_remote_is(const struct dvc_remote *r, const char *key);

enum dvc_place {
	DVC_LOCAL, /* a folder of this machine */
	DVC_HTTP,  /* http:// or https:// */
	DVC_S3,
	DVC_ELSEWHERE
};
/*
 * What kind of address URL is.  DVC_LOCAL: *PATH is the folder, the caller's to free(): absolute,
 * or taken from BASE, the folder .dvc, where URL is relative.
 */
enum dvc_place dvc_config_place(const char *url, const char *base, char **path);

#endif
