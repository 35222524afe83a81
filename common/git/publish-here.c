/* publish_file() into a repository of this machine: its branch is moved under its own lock. */
#define _GNU_SOURCE /* syncfs */
#include "git/publish-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/internal.h"
#include "git/leftovers.h"
#include "git/reference.h"
#include "git/repository.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/rename.h"

/*
 * Age in seconds at which the lock file of a reference has lost its owner: it is held for
 * milliseconds, and stays behind only where its maker was killed.  All pauses together are longer.
 */
#define STALE_LOCK 5
#define MAKE_TIMEOUT_MS 30000

/* ---- the repository ---- */

/* Put all of the folder PATH on disk: libgit2 flushes no configuration and no HEAD. */
static int flush(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;

	if (fd < 0 || syncfs(fd) != 0)
		result = err_errno(e, errno, "%s cannot be flushed", path);
	if (fd >= 0)
		(void)close(fd); /* only flushed */
	return result;
}

/* Make PATH whole under another name, then rename it; the caller holds the lock on its making. */
static int make_locked(const char *path, const char *branch, struct err *e)
{
	char *new = mem_format("%s.new", path);
	int result = -1;

	/* First what is left of a killed maker. */
	if (files_remove_tree(new, e) == 0 && publish_init_bare(new, branch, NULL, e) == 0 &&
		flush(new, e) == 0)
		result = rename_durably(new, path, e);
	free(new);
	return result;
}

/* The repository is there, so that a lock on its making is of one that was killed once it was done. */
static void remove_lock_of_dead(const char *lock)
{
	struct stat st;

	if (lstat(lock, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlink(lock); /* it would disturb nobody */
}

/* Make the bare repository PATH unless it is there. */
static int make(const char *path, const char *branch, struct err *e)
{
	char *lock = NULL, *parent = NULL;
	int fd = -1, taken, result = -1;

	lock = mem_format("%s.lock", path);
	parent = path_dir(path);
	if (files_exists(path)) {
		remove_lock_of_dead(lock);
		result = 0;
		goto out;
	}
	if (files_make_folder(parent, 0755, e) != 0)
		goto out;
	taken = lock_take(&fd, lock, LOCK_WAIT, MAKE_TIMEOUT_MS, e);
	if (taken < 0)
		goto out;
	if (taken == 0) {
		(void)err_set(e, "%s is being made by somebody else", path);
		if (e != NULL)
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

/* Move the branch from TIP (NULL: it was not there) to NEW. */
static enum outcome move(
	const struct attempt *a, const git_oid *tip, const git_oid *new, struct err *e)
{
	git_reference *ref = NULL;
	int error;

	if (tip != NULL)
		error = git_reference_create_matching(
			&ref, a->git, a->ref, new, 1, tip, "modelgate");
	else
		error = git_reference_create(&ref, a->git, a->ref, new, 0, "modelgate");
	git_reference_free(ref);
	if (error == 0)
		return COMMITTED;
	if (error == GIT_EMODIFIED || error == GIT_ELOCKED || error == GIT_EEXISTS ||
		error == GIT_ENOTFOUND)
		return RACED;
	return (enum outcome)git_err(e, "%s of %s cannot be moved", a->ref, a->name);
}

static int is_locked(const struct attempt *a)
{
	char *path = mem_format("%s/%s.lock", a->p->repository, a->ref);
	int result = files_exists(path);

	free(path);
	return result;
}

static enum outcome attempt_once(struct attempt *a, struct oid *commit, struct err *e)
{
	git_oid tip, new;
	int error = git_reference_name_to_id(&tip, a->git, a->ref);
	const git_oid *base = error == 0 ? &tip : NULL;
	enum outcome result;

	if (error < 0 && error != GIT_ENOTFOUND)
		return (enum outcome)attempt_unreadable(a, a->ref, e);
	result = attempt_commit(a, base, &new, e);
	if (result == FAILED)
		return FAILED;
	oid_from_git(commit, result == UNCHANGED ? attempt_holder(a, &tip) : &new);
	if (result != UNCHANGED)
		return move(a, base, &new, e);
	/*
	 * Whoever has the lock may be about to move the branch; or was killed after that, and left the
	 * lock to be broken by us.
	 */
	return is_locked(a) ? RACED : UNCHANGED;
}

static enum outcome attempt_often(struct attempt *a, struct oid *commit, struct err *e)
{
	for (int i = 0; i < PUBLISH_ATTEMPTS; i++) {
		enum outcome result = attempt_once(a, commit, e);

		if (result != RACED)
			return result;
		/* if it stays, the next attempt fails and says so */
		(void)reference_break_lock(a->p->repository, a->ref, STALE_LOCK);
		attempt_pause(i);
	}
	return attempt_give_up(a, e);
}

int publish_here(struct attempt *a, struct oid *commit, struct err *e)
{
	struct repository *r = NULL;
	int writing = -1, result = -1;

	if (make(a->p->repository, a->p->branch, e) != 0 ||
		repository_open(&r, a->p->repository, REPOSITORY_OBJECTS, e) != 0)
		goto out;
	a->git = repository_handle(r);
	writing = leftovers_begin(a->p->repository);
	if (attempt_store(a, e) == 0)
		result = attempt_often(a, commit, e);
out:
	if (writing >= 0)
		(void)close(writing); /* only held */
	repository_free(r);
	return result;
}
