#include "stage/model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/md5.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "git/repository.h"
#include "git/tree.h"
#include "sys/files.h"

#define COPY_SIZE 65536

void model_clear(struct model *m)
{
	pointer_clear(&m->pointer);
	dvc_remote_clear(&m->remote);
	free(m->pointer_file);
	free(m->file);
	free(m->object);
	free(m->address);
	memset(m, 0, sizeof(*m));
}

/* NAME beside FILE, both in the tree; the caller's to free(). */
static char *beside(const char *file, const char *name)
{
	char *dir = path_dir(file);
	char *path = strchr(file, '/') == NULL ? mem_strdup(name) : path_join(dir, name);

	free(dir);
	return path;
}

int model_read(struct model *out, struct repository *r, const struct oid *commit,
	const struct config *config, struct err *e)
{
	struct str text;
	int found;

	memset(out, 0, sizeof(*out));
	str_init(&text);
	found = tree_file(r, commit, config->model_file, POINTER_MAX_BYTES, &text, e);
	if (found == 1 && pointer_parse(&out->pointer, text.buf, text.len, e) != 0)
		found = err_wrap(e, "%s is no valid DVC pointer", config->model_file);
	str_clear(&text);
	if (found != 1)
		return found;
	out->pointer_file = mem_strdup(config->model_file);
	out->file = beside(config->model_file, out->pointer.path);
	return 1;
}

/* Where the object of P lies below a remote, the caller's to free(). */
static char *object_path(const struct pointer *p)
{
	return mem_format("%s%.2s/%s%s", p->layout == POINTER_FILES_MD5 ? "files/md5/" : "", p->md5,
		p->md5 + 2, p->object == POINTER_FOLDER ? ".dir" : "");
}

int model_locate(struct model *m, struct repository *r, const struct oid *commit, struct err *e)
{
	struct str text;
	int found, result = -1;

	str_init(&text);
	found = tree_file(r, commit, DVC_CONFIG_FILE, DVC_CONFIG_MAX, &text, e);
	if (found == 0)
		(void)err_set(e,
			"%s names a model, but the commit has no %s that says where it is kept",
			m->pointer_file, DVC_CONFIG_FILE);
	if (found == 1)
		result = dvc_config_remote(&m->remote, text.buf, text.len, e);
	str_clear(&text);
	if (result != 0)
		return -1;
	m->object = object_path(&m->pointer);
	m->address = path_join(m->remote.url, m->object);
	return 0;
}

/*
 * Open the file PATH below the folder ROOT for writing, with the folders it lies in made.  No part
 * of the path may be a symbolic link: a commit could hold one that leads out of ROOT.
 */
static int open_inside(const char *root, const char *path, struct err *e)
{
	int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next = -1;
	const char *part = path;
	size_t n;

	for (; dir >= 0 && part[n = strcspn(part, "/")] == '/'; part += n + 1) {
		char *name = mem_strndup(part, n);

		next = mkdirat(dir, name, 0755) == 0 || errno == EEXIST
			       ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			       : -1;
		free(name);
		(void)close(dir); /* only a place to open files in */
		dir = next;
	}
	if (dir < 0)
		return err_errno(e, errno, "%s cannot be made", path);
	/*
	 * A model that was committed beside its pointer gives way to the one that the pointer
	 * names.
	 */
	next = unlinkat(dir, part, 0) == 0 || errno == ENOENT
		       ? openat(dir, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
				 0644)
		       : -1;
	if (next < 0)
		(void)err_errno(e, errno, "%s cannot be made", path);
	(void)close(dir); /* only a place to open files in */
	return next;
}

/* Copy FROM to TO.  0, *SIZE and MD5, or -1. */
static int copy(int from, int to, int64_t *size, char md5[MD5_HEX_SIZE], struct err *e)
{
	char *buffer = mem_zalloc(COPY_SIZE, 1);
	struct md5 hash;
	ssize_t n;

	*size = 0;
	md5_init(&hash);
	while ((n = read(from, buffer, COPY_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || files_write_all(to, buffer, (size_t)n) != 0)
			break;
		md5_add(&hash, buffer, (size_t)n);
		*size += n;
	}
	free(buffer);
	if (n != 0)
		return err_errno(e, errno, "model cannot be copied");
	md5_hex(&hash, md5);
	return 0;
}

static int check(const struct model *m, int64_t size, const char *md5, struct err *e)
{
	if (size == m->pointer.size && strcmp(md5, m->pointer.md5) == 0)
		return 0;
	return err_set(e,
		"%s in DVC remote %s has md5 %s and %lld bytes, but %s says md5 %s and %lld bytes",
		m->object, m->remote.name, md5, (long long)size, m->pointer_file, m->pointer.md5,
		(long long)m->pointer.size);
}

static int copy_object(const struct model *m, const char *object, const char *dir, struct err *e)
{
	char md5[MD5_HEX_SIZE];
	int from = files_open(object, O_RDONLY, 0, e), to = -1, result = -1;
	int64_t size;

	if (from < 0)
		return -1;
	to = open_inside(dir, m->file, e);
	if (to >= 0 && copy(from, to, &size, md5, e) == 0)
		result = check(m, size, md5, e);
	if (to >= 0 && close(to) != 0 && result == 0)
		result = err_errno(e, errno, "%s cannot be written", m->file);
	(void)close(from); /* only read from */
	return result;
}

int model_fetch(const struct model *m, const char *dir, struct err *e)
{
	char *base = path_join(dir, ".dvc"), *remote = NULL, *object = NULL;
	int result = -1;

	if (m->pointer.object == POINTER_FOLDER) {
		(void)err_set(e, "%s names a folder: this version fetches models of one file only",
			m->pointer_file);
		goto out;
	}
	if (dvc_config_place(m->remote.url, base, &remote) != DVC_LOCAL) {
		(void)err_set(e,
			"DVC remote %s is %s: this version fetches models from local remotes only",
			m->remote.name, m->remote.url);
		goto out;
	}
	object = path_join(remote, m->object);
	if (!files_exists(object))
		(void)err_set(e,
			"the model of %s is not in DVC remote %s: there is no %s (md5 %s, %lld "
			"bytes)",
			m->pointer_file, m->remote.name, object, m->pointer.md5,
			(long long)m->pointer.size);
	else
		result = copy_object(m, object, dir, e);
out:
	free(object);
	free(remote);
	free(base);
	return result;
}
