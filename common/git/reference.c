#include "git/reference.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/internal.h"
#include "git/oid.h"

#define STALE_LOCK 60 /* seconds; a hook of git's, reference-transaction, works while it is held */

int reference_break_lock(const char *gitdir, const char *name, int seconds)
{
	char *path = mem_format("%s/%s.lock", gitdir, name);
	struct stat st;
	int gone = lstat(path, &st) == 0 && time(NULL) - st.st_mtime > seconds && unlink(path) == 0;

	free(path);
	return gone;
}

/* As git_reference_delete(): fails if it is not there any more, or elsewhere, when its lock is held. */
static int delete (git_repository *git, git_reference *ref)
{
	int error = git_reference_delete(ref);

	if (error == GIT_ELOCKED && reference_break_lock(git_repository_commondir(git),
					    git_reference_name(ref), STALE_LOCK))
		error = git_reference_delete(ref);
	return error;
}

int reference_remove(
	struct repository *r, const char *name, const struct oid *expected, struct err *e)
{
	git_reference *ref = NULL;
	struct oid tip;
	int error = git_reference_lookup(&ref, repository_handle(r), name), result = -1;

	if (error == GIT_ENOTFOUND)
		return 0;
	if (error < 0)
		return git_err(e, "reference %s cannot be read", name);
	if (git_reference_type(ref) != GIT_REFERENCE_DIRECT) {
		result = 0; /* not as a push leaves one */
		goto out;
	}
	oid_from_git(&tip, git_reference_target(ref));
	if (!oid_equal(&tip, expected)) {
		result = 0;
		goto out;
	}
	error = delete (repository_handle(r), ref);
	if (error == 0)
		result = 1;
	else if (error == GIT_ENOTFOUND || error == GIT_EMODIFIED)
		result = 0;
	else
		(void)git_err(e, "reference %s cannot be removed", name);
out:
	git_reference_free(ref);
	return result;
}
