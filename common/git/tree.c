#include "git/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/repository.h"
#include "git/sizes-internal.h"
#include "sys/files.h"

/* Folders below one another; real projects have a dozen, and each costs a descriptor of an export. */
#define MAX_DEPTH 128
#define MAX_PATH_SIZE 4096 /* bytes; git cannot check out a longer path */

static int load_tree(git_tree **out, struct repository *r, const struct oid *commit, struct err *e)
{
	git_commit *c = NULL;
	git_oid id;
	char hex[OID_HEX_SIZE];
	int error;

	*out = NULL;
	oid_hex(commit, hex);
	oid_to_git(&id, commit);
	if (repository_check_size(r, &id, e) != 0)
		return -1;
	if (git_commit_lookup(&c, repository_handle(r), &id) < 0)
		return git_err(e, "commit %s cannot be read", hex);
	error = repository_check_size(r, git_commit_tree_id(c), e);
	if (error == 0 && git_commit_tree(out, c) < 0)
		error = git_err(e, "tree of commit %s cannot be read", hex);
	git_commit_free(c);
	return error;
}

static int load_subtree(
	git_tree **out, struct repository *r, const git_tree_entry *entry, struct err *e)
{
	*out = NULL;
	if (repository_check_size(r, git_tree_entry_id(entry), e) != 0)
		return err_wrap(e, "folder %.100s", git_tree_entry_name(entry));
	if (git_tree_lookup(out, repository_handle(r), git_tree_entry_id(entry)) < 0)
		return git_err(e, "folder %.100s cannot be read", git_tree_entry_name(entry));
	return 0;
}

static int is_folder(const git_tree_entry *entry)
{
	return git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

/* The path of ENTRY below PREFIX, which is empty or ends in a slash; the caller's to free(). */
static char *entry_path(const char *prefix, const git_tree_entry *entry)
{
	return mem_format("%s%s", prefix, git_tree_entry_name(entry));
}

/* ---- what differs ---- */

struct comparison {
	struct repository *r;
	int (*each)(void *context, const char *path);
	void *context;
	size_t changes;
};

static int too_many(struct err *e)
{
	return err_set(e, "more than %d files and folders differ", TREE_MAX_CHANGES);
}

static int compare_trees(struct comparison *c, const git_tree *a, const git_tree *b,
	const char *prefix, int depth, struct err *e);

/* Entry A against entry B of the same name and kind, or one of them NULL. */
static int compare_entries(struct comparison *c, const git_tree_entry *a, const git_tree_entry *b,
	const char *prefix, int depth, struct err *e)
{
	const git_tree_entry *any = a != NULL ? a : b;
	git_tree *below_a = NULL, *below_b = NULL;
	char *path, *folder = NULL;
	int result = -1;

	if (a != NULL && b != NULL && git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) &&
		git_tree_entry_filemode_raw(a) == git_tree_entry_filemode_raw(b))
		return 0;
	if (++c->changes > TREE_MAX_CHANGES)
		return too_many(e);
	path = entry_path(prefix, any);
	if (!is_folder(any)) {
		result = c->each(c->context, path);
		goto out;
	}
	folder = mem_format("%s/", path);
	if ((a != NULL && load_subtree(&below_a, c->r, a, e) != 0) ||
		(b != NULL && load_subtree(&below_b, c->r, b, e) != 0))
		goto out;
	result = compare_trees(c, below_a, below_b, folder, depth + 1, e);
out:
	git_tree_free(below_a);
	git_tree_free(below_b);
	free(folder);
	free(path);
	return result;
}

static const git_tree_entry *entry_at(const git_tree *tree, size_t i)
{
	return tree == NULL ? NULL : git_tree_entry_byindex(tree, i);
}

/*
 * By hand and not with git_diff, which looks at core.fileMode of the repository's configuration and
 * would then miss a file that became executable.  Both trees are in Git's order, in which a file
 * and a folder of one name are two different things: so the one is reported gone and the other new.
 */
static int compare_trees(struct comparison *c, const git_tree *a, const git_tree *b,
	const char *prefix, int depth, struct err *e)
{
	size_t i = 0, j = 0;
	int result = 0;

	if (depth > MAX_DEPTH)
		return err_set(e, "folders are more than %d deep at %.100s", MAX_DEPTH, prefix);
	while (result == 0) {
		const git_tree_entry *x = entry_at(a, i), *y = entry_at(b, j);
		int order;

		if (x == NULL && y == NULL)
			return 0;
		order = x == NULL ? 1 : y == NULL ? -1 : git_tree_entry_cmp(x, y);
		if (order <= 0)
			i++;
		if (order >= 0)
			j++;
		result = compare_entries(
			c, order <= 0 ? x : NULL, order >= 0 ? y : NULL, prefix, depth, e);
	}
	return result;
}

int tree_changes(struct repository *r, const struct oid *a, const struct oid *b,
	int (*each)(void *context, const char *path), void *context, struct err *e)
{
	struct comparison c = {.r = r, .each = each, .context = context};
	git_tree *tree_a = NULL, *tree_b = NULL;
	int result = -1;

	if ((a == NULL || load_tree(&tree_a, r, a, e) == 0) && load_tree(&tree_b, r, b, e) == 0)
		result = compare_trees(&c, tree_a, tree_b, "", 0, e);
	git_tree_free(tree_a);
	git_tree_free(tree_b);
	return result;
}

/* ---- what commits bring ---- */

/* A folder of a commit, and the folders at its place in the commit's parents. */
struct place {
	const git_tree *tree;
	git_tree **parents;
	size_t n_parents;
	const char *prefix; /* of its paths: empty or ends in a slash */
	int depth;
};

static int search_place(struct tree_search *s, const struct place *at, struct err *e);

static void free_trees(git_tree **trees, size_t n)
{
	for (size_t i = 0; i < n; i++)
		git_tree_free(trees[i]);
	free(trees);
}

/* Search the folder ENTRY, which is PATH. */
static int search_folder(struct tree_search *s, const struct place *at, const git_tree_entry *entry,
	const char *path, struct err *e)
{
	char *prefix = mem_format("%s/", path);
	struct place below = {.prefix = prefix, .depth = at->depth + 1};
	git_tree *tree = NULL;
	int result = -1;

	below.parents = mem_zalloc(at->n_parents, sizeof(git_tree *));
	if (load_subtree(&tree, s->repository, entry, e) != 0)
		goto out;
	below.tree = tree;
	for (size_t i = 0; i < at->n_parents; i++) {
		const git_tree_entry *other =
			git_tree_entry_byname(at->parents[i], git_tree_entry_name(entry));

		if (other == NULL || !is_folder(other))
			continue;
		if (load_subtree(&below.parents[below.n_parents], s->repository, other, e) != 0)
			goto out;
		below.n_parents++;
	}
	result = search_place(s, &below, e);
out:
	free_trees(below.parents, below.n_parents);
	git_tree_free(tree);
	free(prefix);
	return result;
}

/* 1 if one of the parents has the same at this place. */
static int is_known(const struct place *at, const git_tree_entry *entry)
{
	for (size_t i = 0; i < at->n_parents; i++) {
		const git_tree_entry *other =
			git_tree_entry_byname(at->parents[i], git_tree_entry_name(entry));

		/* By kind too: a submodule may have been given the id of what is to come. */
		if (other != NULL && git_tree_entry_type(other) == git_tree_entry_type(entry) &&
			git_oid_equal(git_tree_entry_id(other), git_tree_entry_id(entry)))
			return 1;
	}
	return 0;
}

static int search_entry(
	struct tree_search *s, const struct place *at, const git_tree_entry *entry, struct err *e)
{
	struct oid blob;
	char *path;
	int result;

	if (strlen(at->prefix) + strlen(git_tree_entry_name(entry)) > MAX_PATH_SIZE)
		return err_set(e, "a path below %.100s is too long", at->prefix);
	path = entry_path(at->prefix, entry);
	if (is_folder(entry)) {
		result = search_folder(s, at, entry, path, e);
	} else {
		oid_from_git(&blob, git_tree_entry_id(entry));
		result = s->each(s->context, path, &blob);
	}
	free(path);
	return result;
}

/* Trees may be forged: whatever their order is, what is not found in a parent is searched. */
static int search_place(struct tree_search *s, const struct place *at, struct err *e)
{
	size_t n = git_tree_entrycount(at->tree);
	int result = 0;

	if (at->depth > MAX_DEPTH)
		return err_set(e, "folders are more than %d deep at %.100s", MAX_DEPTH, at->prefix);
	for (size_t i = 0; result == 0 && i < n; i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(at->tree, i);

		s->read += 1 + at->n_parents;
		if (s->read > TREE_MAX_READ)
			return err_set(e, "more than %d files and folders are to be compared",
				TREE_MAX_READ);
		if (git_tree_entry_type(entry) == GIT_OBJECT_COMMIT || is_known(at, entry))
			continue;
		if (++s->changes > TREE_MAX_CHANGES)
			return too_many(e);
		result = search_entry(s, at, entry, e);
	}
	return result;
}

int tree_search(
	struct tree_search *s, const struct oid *commit, enum tree_against against, struct err *e)
{
	struct place root = {.prefix = ""};
	git_tree *tree = NULL;
	struct commit c;
	int result = -1;

	if (commit_read(&c, s->repository, commit, e) != 0)
		return -1;
	root.parents = mem_zalloc(c.n_parents, sizeof(git_tree *));
	if (load_tree(&tree, s->repository, commit, e) != 0)
		goto out;
	root.tree = tree;
	for (; against == TREE_AGAINST_PARENTS && root.n_parents < c.n_parents; root.n_parents++)
		if (load_tree(&root.parents[root.n_parents], s->repository,
			    &c.parents[root.n_parents], e) != 0)
			goto out;
	result = search_place(s, &root, e);
out:
	free_trees(root.parents, root.n_parents);
	git_tree_free(tree);
	commit_clear(&c);
	return result;
}

int tree_blob_size(struct repository *r, const struct oid *blob, uint64_t *out, struct err *e)
{
	git_oid id;
	struct size found;
	char hex[OID_HEX_SIZE];

	*out = 0;
	oid_hex(blob, hex);
	oid_to_git(&id, blob);
	if (repository_size(&found, r, &id) < 0)
		return git_err(e, "file %s cannot be read", hex);
	if (found.type != GIT_OBJECT_BLOB)
		return err_set(e, "object %s is no file", hex);
	*out = found.size;
	return 0;
}

/* ---- one file ---- */

/* Go from *TREE down into its folder NAME, which is then *TREE.  1; 0: it has none such; -1. */
static int go_down(git_tree **tree, struct repository *r, const char *name, struct err *e)
{
	const git_tree_entry *entry = git_tree_entry_byname(*tree, name);
	git_tree *below;

	if (entry == NULL || !is_folder(entry))
		return 0;
	if (load_subtree(&below, r, entry, e) != 0)
		return -1;
	git_tree_free(*tree);
	*tree = below;
	return 1;
}

/* The entry at PATH: 1 and *OUT, to be freed; 0; -1.  libgit2's own way reads folders of any size. */
static int find_entry(git_tree_entry **out, struct repository *r, const struct oid *commit,
	const char *path, struct err *e)
{
	const git_tree_entry *entry;
	git_tree *tree = NULL;
	int result = 1;

	*out = NULL;
	if (load_tree(&tree, r, commit, e) != 0)
		return -1;
	for (const char *slash; result == 1 && (slash = strchr(path, '/')) != NULL;
		path = slash + 1) {
		char *name = mem_strndup(path, (size_t)(slash - path));

		result = go_down(&tree, r, name, e);
		free(name);
	}
	entry = result == 1 ? git_tree_entry_byname(tree, path) : NULL;
	if (result == 1 && entry == NULL)
		result = 0;
	else if (result == 1 && git_tree_entry_dup(out, entry) < 0)
		result = git_err(e, "%s cannot be looked up", path);
	git_tree_free(tree);
	return result;
}

static enum tree_kind kind_of(const git_tree_entry *entry)
{
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return TREE_FOLDER;
	case GIT_FILEMODE_BLOB_EXECUTABLE:
		return TREE_EXECUTABLE;
	case GIT_FILEMODE_LINK:
		return TREE_LINK;
	case GIT_FILEMODE_COMMIT:
		return TREE_SUBMODULE;
	default:
		return TREE_FILE;
	}
}

/* The same of a regular file: anything else counts as not there. */
static int find_file(git_tree_entry **out, struct repository *r, const struct oid *commit,
	const char *path, struct err *e)
{
	int found = find_entry(out, r, commit, path, e);

	if (found != 1 || kind_of(*out) == TREE_FILE || kind_of(*out) == TREE_EXECUTABLE)
		return found;
	git_tree_entry_free(*out);
	*out = NULL;
	return 0;
}

/* The size alone, so that a huge file is not read to be refused. */
static int read_size(size_t *out, git_odb *odb, const git_tree_entry *entry)
{
	git_object_t type;

	return git_odb_read_header(out, &type, odb, git_tree_entry_id(entry));
}

int tree_look(struct tree_entry *out, struct repository *r, const struct oid *commit,
	const char *path, struct err *e)
{
	git_tree_entry *entry = NULL;
	git_odb *odb = NULL;
	int found = find_entry(&entry, r, commit, path, e);

	memset(out, 0, sizeof(*out));
	if (found == 1) {
		out->kind = kind_of(entry);
		if (out->kind != TREE_FOLDER && out->kind != TREE_SUBMODULE &&
			(git_repository_odb(&odb, repository_handle(r)) < 0 ||
				read_size(&out->size, odb, entry) < 0))
			found = git_err(e, "%s cannot be read", path);
	}
	git_odb_free(odb);
	git_tree_entry_free(entry);
	return found < 0 ? -1 : 0;
}

int tree_file(struct repository *r, const struct oid *commit, const char *path, size_t max,
	struct str *out, struct err *e)
{
	git_tree_entry *entry = NULL;
	git_odb *odb = NULL;
	git_odb_object *object = NULL;
	size_t size;
	int result = find_file(&entry, r, commit, path, e);

	if (result != 1)
		return result;
	result = -1;
	if (git_repository_odb(&odb, repository_handle(r)) < 0 ||
		read_size(&size, odb, entry) < 0) {
		(void)git_err(e, "%s cannot be read", path);
		goto out;
	}
	if (size > max) {
		(void)err_set(e, "%s has %zu bytes; at most %zu are read", path, size, max);
		goto out;
	}
	if (git_odb_read(&object, odb, git_tree_entry_id(entry)) < 0) {
		(void)git_err(e, "%s cannot be read", path);
		goto out;
	}
	str_addn(out, git_odb_object_data(object), git_odb_object_size(object));
	result = 1;
out:
	git_odb_object_free(object);
	git_odb_free(odb);
	git_tree_entry_free(entry);
	return result;
}

int tree_has_file(struct repository *r, const struct oid *commit, const char *path, struct err *e)
{
	git_tree_entry *entry = NULL;
	int result = find_file(&entry, r, commit, path, e);

	git_tree_entry_free(entry);
	return result;
}

/* ---- a whole tree ---- */

static int export_tree(
	struct repository *r, const git_tree *tree, int dir, int depth, struct err *e);

static int open_folder(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int export_folder(
	struct repository *r, const git_tree_entry *entry, int dir, int depth, struct err *e)
{
	const char *name = git_tree_entry_name(entry);
	git_tree *below = NULL;
	int fd = -1, result = -1;

	if (load_subtree(&below, r, entry, e) != 0)
		return -1;
	/*
	 * A name that is there already, say as a link out of DIR, ends it here: such a tree is
	 * forged.
	 */
	if (mkdirat(dir, name, 0755) != 0 || (fd = open_folder(dir, name)) < 0)
		(void)err_errno(e, errno, "folder %s cannot be made", name);
	else
		result = export_tree(r, below, fd, depth + 1, e);
	if (fd >= 0)
		(void)close(fd); /* only a place to make files in */
	git_tree_free(below);
	return result;
}

static int export_link(const git_blob *blob, int dir, const char *name, struct err *e)
{
	size_t size = (size_t)git_blob_rawsize(blob);
	char *target = mem_strndup(git_blob_rawcontent(blob), size);
	int result = 0;

	if (strlen(target) != size)
		result = err_set(e, "symbolic link %s has a NUL byte in its target", name);
	else if (symlinkat(target, dir, name) != 0)
		result = err_errno(e, errno, "symbolic link %s cannot be made", name);
	free(target);
	return result;
}

static int export_file(const git_blob *blob, int dir, const char *name, mode_t mode, struct err *e)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	int result = -1;

	if (fd < 0)
		return err_errno(e, errno, "file %s cannot be made", name);
	/* fchmod: whatever the umask, one commit always gives the same files. */
	if (fchmod(fd, mode) != 0 ||
		files_write_all(fd, git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob)) != 0)
		(void)err_errno(e, errno, "file %s cannot be written", name);
	else
		result = 0;
	if (close(fd) != 0 && result == 0)
		result = err_errno(e, errno, "file %s cannot be written", name);
	return result;
}

static int export_blob(struct repository *r, const git_tree_entry *entry, int dir, struct err *e)
{
	const char *name = git_tree_entry_name(entry);
	git_filemode_t mode = git_tree_entry_filemode(entry);
	git_blob *blob = NULL;
	int result;

	if (git_blob_lookup(&blob, repository_handle(r), git_tree_entry_id(entry)) < 0)
		return git_err(e, "file %s cannot be read", name);
	if (mode == GIT_FILEMODE_LINK)
		result = export_link(blob, dir, name, e);
	else
		result = export_file(
			blob, dir, name, mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644, e);
	git_blob_free(blob);
	return result;
}

/* Names that a server without receive.fsckObjects may hold, and git itself would not check out. */
static int is_forged(const char *name)
{
	return name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	       strchr(name, '/') != NULL || strcasecmp(name, ".git") == 0;
}

static int export_entry(
	struct repository *r, const git_tree_entry *entry, int dir, int depth, struct err *e)
{
	const char *name = git_tree_entry_name(entry);

	if (is_forged(name))
		return err_set(
			e, "the tree holds the name \"%s\", which cannot be checked out", name);
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_TREE:
		return export_folder(r, entry, dir, depth, e);
	case GIT_FILEMODE_COMMIT:
		if (mkdirat(dir, name, 0755) != 0)
			return err_errno(e, errno, "folder %s of a submodule cannot be made", name);
		return 0;
	default:
		return export_blob(r, entry, dir, e);
	}
}

static int export_tree(
	struct repository *r, const git_tree *tree, int dir, int depth, struct err *e)
{
	size_t n = git_tree_entrycount(tree);

	if (depth > MAX_DEPTH)
		return err_set(e, "folders are more than %d deep", MAX_DEPTH);
	for (size_t i = 0; i < n; i++)
		if (export_entry(r, git_tree_entry_byindex(tree, i), dir, depth, e) != 0)
			return -1;
	return 0;
}

int tree_export(struct repository *r, const struct oid *commit, const char *dir, struct err *e)
{
	git_tree *tree = NULL;
	int fd, result;

	if (load_tree(&tree, r, commit, e) != 0)
		return -1;
	fd = open_folder(AT_FDCWD, dir);
	if (fd < 0) {
		git_tree_free(tree);
		return err_errno(e, errno, "%s cannot be opened", dir);
	}
	result = export_tree(r, tree, fd, 0, e);
	(void)close(fd); /* only a place to make files in */
	git_tree_free(tree);
	return result;
}
