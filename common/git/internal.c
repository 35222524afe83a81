#include "git/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/memory.h"
#include "git/oid.h"
#include "git/sizes-internal.h"

int git_err(struct err *e, const char *format, ...)
{
	const git_error *last = git_error_last();
	va_list ap;
	char *what;

	va_start(ap, format);
	what = mem_vformat(format, ap);
	va_end(ap);
	(void)err_set(e, "%s: %s", what,
		last != NULL && last->message != NULL ? last->message : "libgit2 gave no reason");
	free(what);
	/* libgit2 tells what the system said as text alone. */
	if (e != NULL && e->text != NULL && strstr(e->text, strerror(ENOSPC)) != NULL)
		e->passing = 1;
	return -1;
}

int git_check_size(const struct size *s, struct err *e)
{
	char hex[GIT_OID_HEXSZ + 1];

	if (s->size <= MEMORY_MAX_OBJECT)
		return 0;
	(void)git_oid_tostr(hex, sizeof(hex), &s->id); /* the buffer is large enough */
	return err_set(e, "%s %s has %zu bytes; at most %u are read",
		git_object_type2string(s->type), hex, s->size, MEMORY_MAX_OBJECT);
}

void oid_to_git(git_oid *out, const struct oid *o)
{
	memcpy(out->id, o->raw, OID_RAW_SIZE);
}

void oid_from_git(struct oid *out, const git_oid *o)
{
	memcpy(out->raw, o->id, OID_RAW_SIZE);
}

int git_start(struct err *e)
{
	static const char *harmless[] = {"preciousobjects", "worktreeconfig"};
	static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
		GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};

	if (git_libgit2_init() < 0)
		return git_err(e, "libgit2 does not start");
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "") < 0)
			return git_err(e, "libgit2 keeps its search path");
	/* They say how files are kept and where configuration is, which changes nothing here. */
	if (git_libgit2_opts(
		    GIT_OPT_SET_EXTENSIONS, harmless, sizeof(harmless) / sizeof(harmless[0])) < 0)
		return git_err(e, "libgit2 keeps its list of extensions");
	/*
	 * Git itself has decided that the process may work on this repository, and nothing of its
	 * configuration is carried out here: whose it is does not matter.
	 */
	if (git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0) < 0)
		return git_err(e, "libgit2 keeps its owner check");
	return 0;
}
