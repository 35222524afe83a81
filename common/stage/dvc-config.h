/*
 * The part of .dvc/config that says where models are kept (dvc.org, "dvc config"): an INI file with
 * [core] remote = NAME and ['remote "NAME"'] url = ADDRESS.
 */
#ifndef MODELGATE_STAGE_DVC_CONFIG_H
#define MODELGATE_STAGE_DVC_CONFIG_H

#include <stddef.h>

struct err;

#define DVC_CONFIG_FILE ".dvc/config"
#define DVC_CONFIG_MAX 65536 /* bytes read of it */

struct dvc_remote {
	char *name; /* owned */
	char *url;  /* owned, as it stands in the file */
};
void dvc_remote_clear(struct dvc_remote *r);

/*
 * Parse LEN bytes of TEXT and find the default remote.  0; the caller calls dvc_remote_clear().
 * -1 and *E: not well-formed (which line), or no such remote.
 */
int dvc_config_remote(struct dvc_remote *out, const char *text, size_t len, struct err *e);

enum dvc_place {
	DVC_LOCAL, /* a folder of this machine */
	DVC_ELSEWHERE
};
/*
 * What kind of address URL is.  DVC_LOCAL: *PATH is the folder, the caller's to free(): absolute,
 * or taken from BASE, the folder .dvc, where URL is relative.
 */
enum dvc_place dvc_config_place(const char *url, const char *base, char **path);

#endif
