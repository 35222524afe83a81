/*
 * The listing of a folder that DVC keeps (an object whose name ends in ".dir"): a JSON list of
 * {"md5": ..., "relpath": ...}, one for each file (DVC's dvc_data/hashfile/tree.py).
 */
#ifndef MODELGATE_STAGE_DVC_FOLDER_H
#define MODELGATE_STAGE_DVC_FOLDER_H

#include <stddef.h>

#include "base/md5.h"

struct err;

#define DVC_FOLDER_MAX_BYTES ((size_t)16 << 20) /* of a listing */
#define DVC_FOLDER_MAX_FILES 100000

struct dvc_file {
	char *path; /* owned; stays below the folder */
	char md5[MD5_HEX_SIZE];
};
struct dvc_folder {
	struct dvc_file *v; /* a folder's files one after another */
	size_t n;
	size_t cap;
};
void dvc_folder_clear(struct dvc_folder *f);

/*
 * Parse LEN bytes.  0, the caller calls dvc_folder_clear(); or -1 and *E: no such list, a path that leads out
 * of the folder or cannot be shown, one path twice, or a file where another path has a folder.
 */
int dvc_folder_parse(struct dvc_folder *out, const char *text, size_t len, struct err *e);

#endif
