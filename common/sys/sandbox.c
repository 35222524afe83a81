#include "sys/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/path.h"
#include "sys/sandbox-internal.h"

/* Bytes that a process may take for itself; what it maps of files does not count. */
#define MAX_MEMORY (2ULL << 30)

void sandbox_clear(struct sandbox *s)
{
	strlist_clear(&s->read);
	strlist_clear(&s->write);
	strlist_clear(&s->execute);
}

void sandbox_add(struct strlist *list, const char *dir, const char *name)
{
	char *path = path_join(dir, name);

	strlist_add(list, path);
	free(path);
}

/* At most MOST of RESOURCE, now and later.  0, or -1. */
static int limit(int resource, rlim_t most, struct err *e)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return err_errno(e, errno, "limits of this process");
	if (now.rlim_cur > most)
		now.rlim_cur = most;
	if (now.rlim_max > most)
		now.rlim_max = most;
	if (setrlimit(resource, &now) != 0)
		return err_errno(e, errno, "limits of this process");
	return 0;
}

/* As many files as now, whatever could be asked for later. */
static int keep_files_limit(struct err *e)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return err_errno(e, errno, "limits of this process");
	return limit(RLIMIT_NOFILE, now.rlim_cur, e);
}

int sandbox_hide(struct err *e)
{
	if (limit(RLIMIT_CORE, 0, e) != 0)
		return -1;
	if (!SANDBOX_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_errno(e, errno, "this process cannot be hidden from others");
	return 0;
}

static int keep_privileges(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(e, errno, "privileges cannot be given up");
	return 0;
}

/* Each step, whatever became of the one before it: what goes on in spite of a fault holds as much as it can. */
int sandbox_enter(const struct sandbox *s, struct err *e)
{
	int result = sandbox_hide(e);

	if (keep_files_limit(e) != 0)
		result = -1;
	if (!SANDBOX_SANITIZED && limit(RLIMIT_DATA, MAX_MEMORY, e) != 0)
		result = -1;
	if (keep_privileges(e) != 0)
		result = -1;
	if (sandbox_files_support() > 0 && sandbox_files_enter(s, e) != 0)
		result = -1;
	if (sandbox_calls_support() && sandbox_calls_enter(e) != 0)
		result = -1;
	return result;
}

void sandbox_support(struct sandbox_support *out)
{
	out->landlock = sandbox_files_support();
	out->seccomp = sandbox_calls_support();
}
