#include "git/reference.h"

#include "base/err.h"
#include "git/internal.h"
#include "git/oid.h"

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
	/* Fails if it is not there any more, or elsewhere, when its lock is held. */
	error = git_reference_delete(ref);
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
