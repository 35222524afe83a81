/*
 * A DVC pointer: the small YAML file (*.dvc) that stands in Git for a model kept elsewhere.  Its
 * keys are those of DVC 3 (dvc.org/doc/user-guide/project-structure/dvc-files; dvc's schema.py and
 * output.py); of the outputs that it may list, here it has exactly one.
 */
#ifndef MODELGATE_DATA_POINTER_H
#define MODELGATE_DATA_POINTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/md5.h"

struct err;

#define POINTER_MAX_BYTES ((size_t)64 << 10) /* DVC writes some hundred */

/* Where the object lies below a DVC remote. */
enum pointer_layout {
	POINTER_FILES_MD5, /* files/md5/<2 digits>/<30>: "hash: md5", DVC 3 */
	POINTER_LEGACY     /* <2 digits>/<30>: no hash named, DVC 2 and before */
};

enum pointer_object {
	POINTER_FILE,
	POINTER_FOLDER /* a listing of files; the object's name ends in ".dir" */
};

struct pointer {
	char md5[MD5_HEX_SIZE]; /* of the file, or of the folder's listing */
	enum pointer_layout layout;
	enum pointer_object object;
	int64_t size;   /* bytes; of a folder: of all files in it */
	int64_t nfiles; /* files in the folder; -1: not told */
	char *path;     /* owned; of the model, relative to the folder that the pointer lies in */
	char *remote;   /* owned; name of the DVC remote it is kept in; NULL: the default one */
};

/*
 * Parse LEN bytes.  0, the caller calls pointer_clear(); or -1 and *E, which names the line and the
 * field: "line 3: outs[0].size: ...".
 */
int pointer_parse(struct pointer *out, const char *text, size_t len, struct err *e);
void pointer_clear(struct pointer *p);

#endif
