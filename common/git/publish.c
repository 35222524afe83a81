#include "git/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/repository.h"
#include "git/tree.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/rename.h"

#define MAX_ATTEMPTS 20
#define FIRST_PAUSE_MS 10
#define MAX_PAUSE_MS 1000
/*
 * Age in seconds at which the lock file of a reference has lost its owner: it is held for
 * milliseconds, and stays behind only where its maker was killed.  All pauses together are longer.
 */
#define STALE_LOCK 10
#define MAKE_TIMEOUT_MS 30000

/* ---- the repository ---- */

static int start(struct err *e)
{
	if (git_start(e) != 0)
		return -1;
	if (git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) < 0) {
		(void)git_err(e, "libgit2 keeps its objects unflushed");
		(void)git_libgit2_shutdown(); /* says how often it is still started */
		return -1;
	}
	return 0;
}

static int init_bare(const char *path, const char *branch, struct err *e)
{
	git_repository_init_options options;
	git_repository *made = NULL;

	if (git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION) < 0)
		return git_err(e, "libgit2 is of another version than it was built with");
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR |
			GIT_REPOSITORY_INIT_NO_REINIT;
	options.initial_head = branch;
	if (git_repository_init_ext(&made, path, &options) < 0)
		return git_err(e, "%s cannot be made", path);
	git_repository_free(made);
	return 0;
}

/* Make PATH whole under another name, then rename it; the caller holds the lock on its making. */
static int make_locked(const char *path, const char *branch, struct err *e)
{
	char *new = mem_format("%s.new", path);
	int result = -1;

	/* First what is left of a killed maker. */
	if (files_remove_tree(new, e) == 0 && init_bare(new, branch, e) == 0)
		result = rename_durably(new, path, e);
	free(new);
	return result;
}

/* Make the bare repository PATH unless it is there. */
static int make(const char *path, const char *branch, struct err *e)
{
	char *lock = NULL, *parent = NULL;
	int fd = -1, taken, result = -1;

	if (files_exists(path))
		return 0;
	lock = mem_format("%s.lock", path);
	parent = path_dir(path);
	if (files_make_folder(parent, 0755, e) != 0)
		goto out;
	taken = lock_take(&fd, lock, LOCK_WAIT, MAKE_TIMEOUT_MS, e);
	if (taken < 0)
		goto out;
	if (taken == 0) {
		(void)err_set(e, "%s is being made by somebody else", path);
		e->passing = 1;
		goto out;
	}
	/*
	 * Whoever waited for the lock, or took it on a file that is gone by now, finds the
	 * repository.
	 */
	result = files_exists(path) ? 0 : make_locked(path, branch, e);
	if (result == 0 && unlink(lock) != 0 && errno != ENOENT)
		result = err_errno(e, errno, "%s cannot be removed", lock);
out:
	lock_drop(fd);
	free(parent);
	free(lock);
	return result;
}

/* ---- one attempt ---- */

enum outcome { FAILED = -1, UNCHANGED = 0, COMMITTED = 1, RACED = 2 };

struct attempt {
	const struct publish *p;
	git_repository *git;
	char *ref;
	git_oid blob;
};

/* The tip of the branch: 1 and *TIP with its tree, 0 there is no such branch yet, -1. */
static int read_tip(const struct attempt *a, git_commit **tip, git_tree **tree, struct err *e)
{
	git_oid id;
	int error = git_reference_name_to_id(&id, a->git, a->ref);

	if (error == GIT_ENOTFOUND)
		return 0;
	if (error < 0 || git_commit_lookup(tip, a->git, &id) < 0 || git_commit_tree(tree, *tip) < 0)
		return git_err(e, "%s of %s cannot be read", a->ref, a->p->repository);
	return 1;
}

static int make_tree(const struct attempt *a, git_tree *base, git_oid *out, struct err *e)
{
	git_tree_update update = {.action = GIT_TREE_UPDATE_UPSERT,
		.id = a->blob,
		.filemode = GIT_FILEMODE_BLOB,
		.path = a->p->path};

	if (git_tree_create_updated(out, a->git, base, 1, &update) < 0)
		return git_err(e, "%s cannot be put into %s", a->p->path, a->p->repository);
	return 0;
}

static int make_commit(const struct attempt *a, git_commit *tip, const git_oid *tree_id,
	git_oid *out, struct err *e)
{
	const git_commit *parents[] = {tip};
	git_signature *who = NULL;
	git_tree *tree = NULL;
	int result = 0;

	if (git_signature_new(&who, a->p->author_name, a->p->author_email, a->p->time, 0) < 0 ||
		git_tree_lookup(&tree, a->git, tree_id) < 0 ||
		git_commit_create(out, a->git, NULL, who, who, NULL, a->p->message, tree,
			tip != NULL ? 1 : 0, parents) < 0)
		result = git_err(e, "commit in %s cannot be made", a->p->repository);
	git_tree_free(tree);
	git_signature_free(who);
	return result;
}

/* Move the branch from TIP (NULL: it was not there) to NEW. */
static enum outcome move(
	const struct attempt *a, const git_commit *tip, const git_oid *new, struct err *e)
{
	git_reference *ref = NULL;
	int error;

	if (tip != NULL)
		error = git_reference_create_matching(
			&ref, a->git, a->ref, new, 1, git_commit_id(tip), "modelgate");
	else
		error = git_reference_create(&ref, a->git, a->ref, new, 0, "modelgate");
	git_reference_free(ref);
	if (error == 0)
		return COMMITTED;
	if (error == GIT_EMODIFIED || error == GIT_ELOCKED || error == GIT_EEXISTS ||
		error == GIT_ENOTFOUND)
		return RACED;
	return (enum outcome)git_err(e, "%s of %s cannot be moved", a->ref, a->p->repository);
}

static enum outcome attempt_once(const struct attempt *a, struct oid *commit, struct err *e)
{
	git_commit *tip = NULL;
	git_tree *base = NULL;
	git_oid tree, new;
	enum outcome result = FAILED;

	if (read_tip(a, &tip, &base, e) < 0 || make_tree(a, base, &tree, e) != 0)
		goto out;
	if (base != NULL && git_oid_equal(&tree, git_tree_id(base))) {
		oid_from_git(commit, git_commit_id(tip));
		result = UNCHANGED;
		goto out;
	}
	if (make_commit(a, tip, &tree, &new, e) != 0)
		goto out;
	oid_from_git(commit, &new);
	result = move(a, tip, &new, e);
out:
	git_tree_free(base);
	git_commit_free(tip);
	return result;
}

/* Remove the lock file that a killed writer left on the branch. */
static void break_stale_lock(const struct attempt *a)
{
	char *path = mem_format("%s/%s.lock", a->p->repository, a->ref);
	struct stat st;

	if (lstat(path, &st) == 0 && time(NULL) - st.st_mtime > STALE_LOCK)
		(void)unlink(path); /* if it stays, the next attempt fails and says so */
	free(path);
}

static void pause_before(int attempt)
{
	long ms = attempt < 7 ? FIRST_PAUSE_MS << attempt : MAX_PAUSE_MS;
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	(void)nanosleep(&t, NULL); /* a signal only makes it shorter */
}

static enum outcome attempt_often(const struct attempt *a, struct oid *commit, struct err *e)
{
	for (int i = 0; i < MAX_ATTEMPTS; i++) {
		enum outcome result = attempt_once(a, commit, e);

		if (result != RACED)
			return result;
		break_stale_lock(a);
		pause_before(i);
	}
	(void)err_set(e, "%s of %s was moved or locked by others %d times in a row", a->ref,
		a->p->repository, MAX_ATTEMPTS);
	e->passing = 1;
	return FAILED;
}

int publish_file(const struct publish *p, struct oid *commit, struct err *e)
{
	struct attempt a = {.p = p};
	struct repository *r = NULL;
	int result = -1;

	memset(commit, 0, sizeof(*commit));
	if (!path_is_inside(p->path))
		return err_set(e, "\"%s\" is no path in a repository", p->path);
	if (start(e) != 0)
		return -1;
	a.ref = mem_format("refs/heads/%s", p->branch);
	if (make(p->repository, p->branch, e) != 0 ||
		repository_open(&r, p->repository, REPOSITORY_OBJECTS, e) != 0)
		goto out;
	a.git = repository_handle(r);
	if (git_blob_create_from_buffer(&a.blob, a.git, p->content, p->len) < 0) {
		(void)git_err(e, "%s cannot be stored in %s", p->path, p->repository);
		goto out;
	}
	result = attempt_often(&a, commit, e);
out:
	repository_free(r);
	free(a.ref);
	(void)git_libgit2_shutdown(); /* says how often it is still started */
	return result;
}

int publish_read(const char *repository, const char *branch, const char *path, size_t max,
	struct str *out, struct err *e)
{
	struct repository *r = NULL;
	struct oid tip;
	char *ref = NULL;
	int result;

	if (!files_exists(repository))
		return 0;
	if (repository_open(&r, repository, REPOSITORY_OBJECTS, e) != 0)
		return -1;
	ref = mem_format("refs/heads/%s", branch);
	result = repository_tip(r, ref, &tip, e);
	if (result == 1)
		result = tree_file(r, &tip, path, max, out, e);
	free(ref);
	repository_free(r);
	return result;
}
