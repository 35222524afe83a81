#include "stage/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "git/repository.h"
#include "git/tree.h"
#include "net/http.h"
#include "stage/address.h"
#include "stage/arrival.h"
#include "stage/dvc-folder.h"
#include "stage/inside.h"
#include "stage/log.h"
#include "stage/model-dvc.h"
#include "stage/object-store.h"
#include "sys/files.h"
#include "sys/secret.h"

#define PART_FILE "model.part"

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

/* Where the object with this MD5 lies below a remote, the caller's to free(). */
static char *object_path(enum pointer_layout layout, const char *md5, const char *suffix)
{
	return mem_format("%s%.2s/%s%s", layout == POINTER_FILES_MD5 ? "files/md5/" : "", md5,
		md5 + 2, suffix);
}

/* Where OBJECT lies, without what a url may say of who asks for it; the caller's to free(). */
static char *address_of(const struct dvc_remote *r, const char *object)
{
	char *path = NULL, *url = NULL, *address;

	if (dvc_config_place(r->url, "", &path) != DVC_LOCAL)
		url = http_shown(r->url);
	address = path_join(url != NULL ? url : r->url, object);
	free(path);
	free(url);
	return address;
}

int model_locate(struct model *m, struct repository *r, const struct oid *commit,
	const struct config *c, struct err *e)
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
		result = dvc_config_remote(&m->remote, text.buf, text.len, m->pointer.remote, e);
	secret_wipe(&text); /* DVC lets passwords stand there */
	if (result != 0 || address_admit(&m->remote, c, e) != 0)
		return -1;
	m->object = object_path(m->pointer.layout, m->pointer.md5,
		m->pointer.object == POINTER_FOLDER ? ".dir" : "");
	m->address = address_of(&m->remote, m->object);
	return 0;
}

/* ---- what comes ---- */

/* One model on its way. */
struct fetch {
	const struct model *m;
	struct object_store *store;
	const char *dir;
	char *part; /* the file that is not whole yet */
	struct progress progress;
};

/* What came of one object. */
struct content {
	int64_t size;
	char md5[MD5_HEX_SIZE];
};

static int tell_missing(const struct fetch *f, const char *object, struct err *e)
{
	char *place = object_store_place(f->store, object);

	(void)err_set(e,
		"the model of %s is not in DVC remote %s: there is no %s (md5 %s, %lld bytes); "
		"what was not pushed there comes there with dvc push",
		f->m->pointer_file, f->m->remote.name, place, f->m->pointer.md5,
		(long long)f->m->pointer.size);
	free(place);
	return -1;
}

/* Fetch OBJECT, of at most MAX bytes, into the file f->part. */
static int get(struct fetch *f, const char *object, int64_t max, struct progress *progress,
	struct content *out, struct err *e)
{
	struct arrival a;
	enum object_result result;

	if (arrival_begin(&a, f->part, max, progress, e) != 0)
		return -1;
	result = object_store_get(f->store, object, &a, e);
	if (arrival_end(&a, out->md5, result == OBJECT_THERE ? e : NULL) != 0 &&
		result == OBJECT_THERE)
		result = OBJECT_FAILED;
	out->size = a.size;
	if (result == OBJECT_MISSING)
		return tell_missing(f, object, e);
	if (result == OBJECT_FAILED)
		return err_wrap(e, "the model of %s (md5 %s), %s in DVC remote %s",
			f->m->pointer_file, f->m->pointer.md5, object, f->m->remote.name);
	return 0;
}

static int fetch_file(struct fetch *f, struct err *e)
{
	const struct model *m = f->m;
	struct content got;

	if (get(f, m->object, m->pointer.size, &f->progress, &got, e) != 0)
		return -1;
	if (got.size != m->pointer.size || strcmp(got.md5, m->pointer.md5) != 0)
		return err_set(e,
			"%s in DVC remote %s has md5 %s and %lld bytes, but %s says md5 %s and "
			"%lld bytes",
			m->object, m->remote.name, got.md5, (long long)got.size, m->pointer_file,
			m->pointer.md5, (long long)m->pointer.size);
	return inside_put(f->dir, m->file, f->part, e);
}

/* ---- a folder ---- */

static int fetch_listing(struct fetch *f, struct dvc_folder *out, struct err *e)
{
	const struct model *m = f->m;
	struct content got;
	struct str text;
	int result = -1;

	if (get(f, m->object, (int64_t)DVC_FOLDER_MAX_BYTES, NULL, &got, e) != 0)
		return -1;
	if (strcmp(got.md5, m->pointer.md5) != 0)
		return err_set(e, "%s in DVC remote %s has md5 %s, but %s says md5 %s", m->object,
			m->remote.name, got.md5, m->pointer_file, m->pointer.md5);
	str_init(&text);
	if (files_read(f->part, DVC_FOLDER_MAX_BYTES, &text, e) == 1)
		result = dvc_folder_parse(out, text.buf, text.len, e);
	str_clear(&text);
	if (result != 0)
		return err_wrap(e, "%s in DVC remote %s is no listing of a folder", m->object,
			m->remote.name);
	if (m->pointer.nfiles < 0 || (uint64_t)m->pointer.nfiles == out->n)
		return 0;
	(void)err_set(e, "%s in DVC remote %s lists %zu files, but %s says %lld", m->object,
		m->remote.name, out->n, m->pointer_file, (long long)m->pointer.nfiles);
	dvc_folder_clear(out);
	return -1;
}

/* Fetch one file of the folder, of at most *LEFT bytes, of which it takes its own. */
static int fetch_member(struct fetch *f, const struct dvc_file *file, int64_t *left, struct err *e)
{
	char *object = object_path(f->m->pointer.layout, file->md5, "");
	char *path = path_join(f->m->file, file->path);
	struct content got;
	int result = get(f, object, *left, &f->progress, &got, e);

	if (result == 0 && strcmp(got.md5, file->md5) != 0)
		result = err_set(e, "%s in DVC remote %s has md5 %s, but %s lists it with md5 %s",
			object, f->m->remote.name, got.md5, f->m->object, file->md5);
	if (result == 0)
		result = inside_put(f->dir, path, f->part, e);
	*left -= result == 0 ? got.size : 0;
	free(path);
	free(object);
	return result;
}

static int fetch_folder(struct fetch *f, struct err *e)
{
	const struct model *m = f->m;
	struct dvc_folder folder = {0};
	int64_t left = m->pointer.size;
	int result;

	if (fetch_listing(f, &folder, e) != 0)
		return -1;
	log_line("%s is a folder of %zu files", m->file, folder.n);
	result = inside_make_empty(f->dir, m->file, e);
	for (size_t i = 0; result == 0 && i < folder.n; i++)
		result = fetch_member(f, &folder.v[i], &left, e);
	if (result == 0 && left != 0)
		result = err_set(e,
			"the files of %s in DVC remote %s have %lld bytes, but %s says %lld bytes",
			m->object, m->remote.name, (long long)(m->pointer.size - left),
			m->pointer_file, (long long)m->pointer.size);
	dvc_folder_clear(&folder);
	return result;
}

/* 0: the objects of R go by their md5, also for DVC; or -1. */
static int check_names(const struct dvc_remote *r, struct err *e)
{
	const char *key = dvc_remote_is(r, "worktree") ? "worktree" : "version_aware";

	if (!dvc_remote_is(r, key))
		return 0;
	return err_set(e,
		"DVC remote %s has %s = true, and so keeps its objects under other names than "
		"their md5: a remote without it is wanted",
		r->name, key);
}

/* 0: WORK has room for all of M, which may claim any size; or -1. */
static int check_room(const struct model *m, const char *work, struct err *e)
{
	struct statvfs v;
	uint64_t blocks;

	if (statvfs(work, &v) != 0)
		return err_errno(e, errno, "%s", work);
	blocks = v.f_frsize > 0 ? (uint64_t)m->pointer.size / v.f_frsize : 0;
	if (blocks < v.f_bavail)
		return 0;
	return err_set(e,
		"the model of %s has %lld bytes, for which there is no room in %s: %llu bytes are "
		"free",
		m->pointer_file, (long long)m->pointer.size, work,
		(unsigned long long)v.f_bavail * v.f_frsize);
}

int model_fetch(const struct model *m, const struct config *c, const char *dir, const char *work,
	struct err *e)
{
	struct dvc_remote cache = {0};
	const struct dvc_remote *from = &m->remote;
	struct fetch f = {.m = m, .dir = dir};
	char *base = path_join(dir, ".dvc");
	int result = -1;

	f.part = path_join(work, PART_FILE);
	progress_init(&f.progress, m->pointer.size);
	if (check_names(&m->remote, e) != 0 || check_room(m, work, e) != 0)
		goto out;
	if (c->model_fetch == CONFIG_FETCH_DVC) {
		if (model_dvc_fetch(&cache, m, c, dir, work, e) != 0)
			goto out;
		from = &cache;
	}
	if (object_store_open(&f.store, from, base, c, e) == 0)
		result = m->pointer.object == POINTER_FOLDER ? fetch_folder(&f, e)
							     : fetch_file(&f, e);
out:
	object_store_close(f.store);
	dvc_remote_clear(&cache);
	free(f.part);
	free(base);
	return result;
}
