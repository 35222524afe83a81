#define _GNU_SOURCE /* strchrnul */
#include "git/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/loose.h"
#include "git/sizes-internal.h"
#include "git/walk-internal.h"
#include "sys/files.h"

#define MAX_SYMREFS 5           /* as git: a longer chain is a loop */
#define MAX_COMMONDIR_SIZE 8192 /* a path and a newline */
#define MAX_SYMREF_SIZE 4200    /* "ref: ", a name of at most 4096 bytes, a newline */

struct repository {
	git_repository *git;
	struct strlist object_dirs;
	struct walk *walk; /* NULL: not made yet */
	struct sizes sizes;
	int is_shallow;
};

git_repository *repository_handle(struct repository *r)
{
	return r->git;
}

const struct strlist *repository_object_dirs(const struct repository *r)
{
	return &r->object_dirs;
}

int repository_is_reftable(const char *gitdir)
{
	char *path = path_join(gitdir, "reftable");
	struct stat st;
	int yes = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	free(path);
	return yes;
}

static int open_failure(struct err *e, const char *gitdir)
{
	const git_error *last = git_error_last();
	const char *why = last != NULL && last->message != NULL ? last->message : "";

	if (strstr(why, "objectformat") != NULL)
		return err_set(e,
			"%s is a SHA-256 repository (extensions.objectformat), which cannot be "
			"judged",
			gitdir);
	if (strstr(why, "refstorage") != NULL)
		return err_set(
			e, "%s keeps its references as reftable, which cannot be judged", gitdir);
	return git_err(e, "%s cannot be opened", gitdir);
}

/* Add the object folder DIR to OUT, as an absolute path.  0; -1. */
static int add_quarantined(struct strlist *out, const char *dir, struct err *e)
{
	char *real;
	struct stat st;

	/*
	 * Git removes the quarantine as soon as it is done with it; what is not there adds nothing.
	 */
	if (dir[0] == '\0' || stat(dir, &st) != 0)
		return 0;
	real = files_real_path(dir, e);
	if (real == NULL)
		return -1;
	strlist_add(out, real);
	free(real);
	return 0;
}

/* Add to OUT the object folders that the environment names.  0; -1. */
static int find_quarantine(struct strlist *out, struct err *e)
{
	const char *objects = getenv("GIT_OBJECT_DIRECTORY");
	const char *more = getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES");

	if (objects != NULL && add_quarantined(out, objects, e) != 0)
		return -1;
	while (more != NULL && *more != '\0') {
		const char *end = strchrnul(more, ':');
		char *dir = mem_strndup(more, (size_t)(end - more));
		int failed = add_quarantined(out, dir, e);

		free(dir);
		if (failed)
			return -1;
		more = *end ? end + 1 : end;
	}
	return 0;
}

/* Add those that the environment names to ODB and to DIRS.  0; -1. */
static int add_quarantine(git_odb *odb, struct strlist *dirs, struct err *e)
{
	size_t n = dirs->n;

	if (find_quarantine(dirs, e) != 0)
		return -1;
	for (size_t i = n; i < dirs->n; i++)
		if (git_odb_add_disk_alternate(odb, dirs->v[i]) < 0)
			return git_err(e, "objects in %s cannot be read", dirs->v[i]);
	return 0;
}

int repository_object_paths(struct strlist *out, const char *gitdir, struct err *e)
{
	char *own = path_join(gitdir, "objects");
	struct strlist dirs = {0}, all = {0};
	int result;

	strlist_add(&dirs, own);
	result = find_quarantine(&dirs, e);
	if (result == 0)
		result = loose_dirs(&all, &dirs, e);
	for (size_t i = 0; i < all.n; i++)
		strlist_add(out, all.v[i]);
	strlist_clear(&all);
	strlist_clear(&dirs);
	free(own);
	return result;
}

static int open_objects(
	struct repository *r, const char *gitdir, enum repository_objects objects, struct err *e)
{
	char *common = repository_common_dir(gitdir, e), *own, *shallow;
	struct stat st;
	git_odb *odb = NULL;
	int result = -1;

	if (common == NULL)
		return -1;
	own = path_join(common, "objects");
	shallow = path_join(common, "shallow"); /* gitrepository-layout(5) */
	r->is_shallow = stat(shallow, &st) == 0 && st.st_size > 0;
	strlist_add(&r->object_dirs, own);
	if (loose_check_alternates(own, e) != 0)
		goto out;
	if (git_repository_odb(&odb, r->git) < 0)
		(void)git_err(e, "object database cannot be opened");
	else if (objects == REPOSITORY_OBJECTS || add_quarantine(odb, &r->object_dirs, e) == 0)
		result = loose_add(odb, &r->object_dirs, e);
out:
	git_odb_free(odb);
	free(shallow);
	free(own);
	free(common);
	return result;
}

int repository_open(
	struct repository **out, const char *gitdir, enum repository_objects objects, struct err *e)
{
	struct repository *r = NULL;
	const char *name = getenv("GIT_NAMESPACE");

	*out = NULL;
	if (name != NULL && *name != '\0')
		return err_set(e, "namespace %s of a repository cannot be judged", name);
	if (repository_is_reftable(gitdir))
		return err_set(
			e, "%s keeps its references as reftable, which cannot be judged", gitdir);
	if (git_start(e) != 0)
		return -1;
	r = mem_zalloc(1, sizeof(*r));
	if (git_repository_open_ext(&r->git, gitdir,
		    GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_BARE |
			    GIT_REPOSITORY_OPEN_NO_DOTGIT,
		    NULL) < 0) {
		(void)open_failure(e, gitdir);
		goto fail;
	}
	if (open_objects(r, gitdir, objects, e) != 0)
		goto fail;
	*out = r;
	return 0;
fail:
	repository_free(r);
	return -1;
}

void repository_free(struct repository *r)
{
	if (r == NULL)
		return;
	if (r->walk != NULL)
		walk_clear(r->walk);
	free(r->walk);
	sizes_clear(&r->sizes);
	git_repository_free(r->git);
	strlist_clear(&r->object_dirs);
	free(r);
	(void)git_libgit2_shutdown(); /* returns how often libgit2 is still started */
}

const char *repository_cut(const struct repository *r)
{
	return r->is_shallow ? ": the repository is shallow, its history is cut off" : "";
}

int repository_size(struct size *out, struct repository *r, const git_oid *id)
{
	git_odb *odb = NULL;
	int error = git_repository_odb(&odb, r->git);

	if (error == 0)
		error = sizes_read(out, &r->sizes, odb, id);
	git_odb_free(odb);
	return error;
}

int repository_check_size(struct repository *r, const git_oid *id, struct err *e)
{
	struct size found;

	return repository_size(&found, r, id) < 0 ? 0 : git_check_size(&found, e);
}

struct walk *repository_walk(struct repository *r, struct err *e)
{
	struct walk *w;

	if (r->walk != NULL)
		return r->walk;
	w = mem_zalloc(1, sizeof(*w));
	if (walk_init(w, r, 0, 0, e) != 0) {
		free(w);
		return NULL;
	}
	r->walk = w;
	return w;
}

int repository_tip(struct repository *r, const char *name, struct oid *out, struct err *e)
{
	git_oid id;
	int error;

	memset(out, 0, sizeof(*out));
	error = git_reference_name_to_id(&id, r->git, name);
	if (error == GIT_ENOTFOUND)
		return 0;
	if (error < 0)
		return git_err(e, "reference %s cannot be read", name);
	oid_from_git(out, &id);
	return 1;
}

/*
 * The target of NAME if it is a symbolic reference: 1 and *TARGET; 0 it is none (or is not there,
 * or is packed: packed references are never symbolic); -1.
 */
static int read_symref(const char *gitdir, const char *name, char **target, struct err *e)
{
	char *path = path_join(gitdir, name), *text = NULL;
	ssize_t len = 0;
	int fd, result = -1;

	*target = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0) {
		/*
		 * ENAMETOOLONG: git cannot keep such a name as a file, so it is no symbolic
		 * reference.
		 */
		result = errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG
				 ? 0
				 : err_errno(e, errno, "reference %s cannot be read", name);
		goto out;
	}
	text = mem_zalloc(MAX_SYMREF_SIZE, 1);
	len = read(fd, text, MAX_SYMREF_SIZE - 1);
	if (len < 0) {
		result = errno == EISDIR ? 0
					 : err_errno(e, errno, "reference %s cannot be read", name);
		goto out;
	}
	if (!str_starts(text, "ref:")) {
		result = 0;
		goto out;
	}
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		text[--len] = '\0';
	*target = mem_strdup(text + 4 + strspn(text + 4, " \t"));
	result = 1;
out:
	if (fd >= 0)
		(void)close(fd); /* only read from */
	free(text);
	free(path);
	return result;
}

int repository_resolve(const char *gitdir, const char *name, char **target, struct err *e)
{
	char *current = mem_strdup(name), *next = NULL;

	*target = NULL;
	for (int i = 0; i <= MAX_SYMREFS; i++) {
		int found = read_symref(gitdir, current, &next, e);

		if (found == 0) {
			*target = current;
			return 0;
		}
		free(current);
		current = next;
		if (found < 0)
			return -1;
		if (!str_starts(current, "refs/") || !path_is_inside(current)) {
			(void)err_set(e, "symbolic reference %s points to %s, outside refs/", name,
				current);
			free(current);
			return -1;
		}
	}
	free(current);
	return err_set(e, "symbolic reference %s does not end", name);
}

int repository_each(struct repository *r, const char *prefix,
	int (*each)(void *context, const char *name, const struct oid *tip), void *context,
	struct err *e)
{
	char *glob = mem_format("%s*", prefix);
	git_reference_iterator *it = NULL;
	const char *name;
	int error, result = -1;

	if (git_reference_iterator_glob_new(&it, r->git, glob) < 0) {
		(void)git_err(e, "references cannot be listed");
		goto out;
	}
	while ((error = git_reference_next_name(&name, it)) == 0) {
		git_oid id;
		struct oid tip;

		if (git_reference_name_to_id(&id, r->git, name) < 0)
			continue; /* a broken or dangling reference holds nothing */
		oid_from_git(&tip, &id);
		result = each(context, name, &tip);
		if (result != 0)
			goto out;
	}
	result = error == GIT_ITEROVER ? 0 : git_err(e, "references cannot be listed");
out:
	git_reference_iterator_free(it);
	free(glob);
	return result;
}

int repository_has(struct repository *r, const struct oid *oid)
{
	git_odb *odb = NULL;
	git_oid id;
	int has;

	oid_to_git(&id, oid);
	has = git_repository_odb(&odb, r->git) == 0 && git_odb_exists(odb, &id);
	git_odb_free(odb);
	return has;
}

int repository_revision(struct repository *r, const char *revision, enum repository_peel peel,
	struct oid *out, struct err *e)
{
	git_object *object = NULL, *peeled = NULL;
	int error, result = -1;

	memset(out, 0, sizeof(*out));
	error = git_revparse_single(&object, r->git, revision);
	if (error == 0)
		error = git_object_peel(&peeled, object,
			peel == REPOSITORY_COMMIT ? GIT_OBJECT_COMMIT : git_object_type(object));
	if (error == 0) {
		oid_from_git(out, git_object_id(peeled));
		result = 1;
	} else if (error == GIT_ENOTFOUND || error == GIT_EAMBIGUOUS || error == GIT_EPEEL ||
		   error == GIT_EINVALIDSPEC) {
		result = 0;
	} else {
		(void)git_err(e, "%s cannot be looked up", revision);
	}
	git_object_free(peeled);
	git_object_free(object);
	return result;
}

int commit_read(struct commit *out, struct repository *r, const struct oid *oid, struct err *e)
{
	char hex[OID_HEX_SIZE];
	git_commit *commit = NULL;
	git_oid id;
	unsigned n;

	memset(out, 0, sizeof(*out));
	oid_hex(oid, hex);
	oid_to_git(&id, oid);
	if (repository_check_size(r, &id, e) != 0)
		return -1;
	if (git_commit_lookup(&commit, r->git, &id) < 0)
		return git_err(e, "commit %s cannot be read%s", hex, repository_cut(r));
	n = git_commit_parentcount(commit);
	out->oid = *oid;
	oid_from_git(&out->tree, git_commit_tree_id(commit));
	out->parents = mem_zalloc(n, sizeof(*out->parents));
	out->n_parents = n;
	for (unsigned i = 0; i < n; i++)
		oid_from_git(&out->parents[i], git_commit_parent_id(commit, i));
	out->time = git_commit_time(commit);
	out->message = mem_strdup(git_commit_message(commit));
	git_commit_free(commit);
	return 0;
}

void commit_clear(struct commit *c)
{
	free(c->parents);
	free(c->message);
	memset(c, 0, sizeof(*c));
}

char *commit_subject(const struct commit *c)
{
	const char *start = c->message + strspn(c->message, " \t\r\n");

	return mem_strndup(start, strcspn(start, "\r\n"));
}

char *repository_common_dir(const char *gitdir, struct err *e)
{
	char *file = path_join(gitdir, "commondir"), *joined = NULL, *dir = NULL;
	struct str text;
	int found;

	str_init(&text);
	found = files_read(file, MAX_COMMONDIR_SIZE, &text, e);
	if (found == 0)
		dir = files_real_path(gitdir, e);
	if (found <= 0)
		goto out;
	while (text.len > 0 && strchr(" \t\r\n", text.buf[text.len - 1]) != NULL)
		text.buf[--text.len] = '\0';
	joined = text.buf[0] == '/' ? mem_strdup(text.buf) : path_join(gitdir, text.buf);
	dir = files_real_path(joined, e);
out:
	free(joined);
	str_clear(&text);
	free(file);
	return dir;
}

char *repository_discover(const char *path, struct err *e)
{
	git_buf found = {0};
	char *dir = NULL;

	if (git_start(e) != 0)
		return NULL;
	if (git_repository_discover(&found, path, 0, NULL) < 0)
		(void)err_set(e, "this folder lies in no Git repository");
	else
		dir = repository_common_dir(found.ptr, e);
	git_buf_dispose(&found);
	(void)git_libgit2_shutdown(); /* returns how often libgit2 is still started */
	return dir;
}
