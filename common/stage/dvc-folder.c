#include "stage/dvc-folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/json.h"

#define MAX_PATH 2048 /* bytes, below the folder */

void dvc_folder_clear(struct dvc_folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
	memset(f, 0, sizeof(*f));
}

static int is_md5(const char *text)
{
	return strlen(text) == MD5_HEX_SIZE - 1 &&
	       strspn(text, "0123456789abcdef") == MD5_HEX_SIZE - 1;
}

/* NULL, or what is wrong with PATH. */
static const char *path_fault(const char *path)
{
	for (const char *c = path; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "holds a control character";
	if (strlen(path) > MAX_PATH)
		return "is too long";
	return path_is_inside(path) ? NULL
				    : "must be relative, without \".\", \"..\" or empty parts";
}

static int add_file(struct dvc_folder *out, const struct json *entry, size_t i, struct err *e)
{
	const char *md5 = json_get_text(entry, "md5"), *path = json_get_text(entry, "relpath");
	const char *fault = path != NULL ? path_fault(path) : "is missing";
	struct dvc_file *file;

	if (md5 == NULL || !is_md5(md5))
		return err_set(e, "entry %zu: md5 must be 32 lower-case hexadecimal digits", i);
	if (fault != NULL)
		return err_set(e, "entry %zu: relpath %s", i, fault);
	mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
	file = &out->v[out->n++];
	memcpy(file->md5, md5, sizeof(file->md5));
	file->path = mem_strdup(path);
	return 0;
}

/* As strcmp(), but a slash comes before all else: what lies in a folder follows the folder's name. */
static int compare(const void *a, const void *b)
{
	const char *p = ((const struct dvc_file *)a)->path, *q = ((const struct dvc_file *)b)->path;
	int x, y;

	while (*p != '\0' && *p == *q) {
		p++;
		q++;
	}
	x = *p == '/' ? 1 : (unsigned char)*p;
	y = *q == '/' ? 1 : (unsigned char)*q;
	return (x > y) - (x < y);
}

/* In order: a path that stands twice, or is a file here and a folder there, is beside the other. */
static int check_order(const struct dvc_folder *f, struct err *e)
{
	for (size_t i = 1; i < f->n; i++) {
		const char *before = f->v[i - 1].path, *path = f->v[i].path;
		size_t n = strlen(before);
		char *shown;

		if (strncmp(before, path, n) != 0 || (path[n] != '\0' && path[n] != '/'))
			continue;
		shown = str_safe(before, 200);
		(void)err_set(e, "\"%s\" %s", shown,
			path[n] == '\0' ? "stands there twice" : "is both a file and a folder");
		free(shown);
		return -1;
	}
	return 0;
}

int dvc_folder_parse(struct dvc_folder *out, const char *text, size_t len, struct err *e)
{
	struct json *list = NULL;
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (len > DVC_FOLDER_MAX_BYTES)
		return err_set(e, "more than %zu bytes", DVC_FOLDER_MAX_BYTES);
	if (json_parse(&list, text, len, e) != 0)
		return -1;
	if (!json_is_array(list)) {
		(void)err_set(e, "no JSON list");
		goto out;
	}
	if (json_length(list) > DVC_FOLDER_MAX_FILES) {
		(void)err_set(e, "more than %d files", DVC_FOLDER_MAX_FILES);
		goto out;
	}
	for (size_t i = 0; i < json_length(list); i++)
		if (add_file(out, json_at(list, i), i, e) != 0)
			goto out;
	if (out->n > 0)
		qsort(out->v, out->n, sizeof(*out->v), compare);
	result = check_order(out, e);
out:
	if (result != 0)
		dvc_folder_clear(out);
	json_free(list);
	return result;
}
