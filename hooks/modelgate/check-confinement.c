#include "check.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/merge.h"
#include "sys/sandbox.h"

/* What the kernel lacks for the limits that hooks put on themselves. */
static void check_kernel(struct check *c)
{
	struct sandbox_support has;

	sandbox_support(&has);
	if (has.landlock > 0 && has.seccomp)
		check_ok(c, "confinement",
			"confinement: hooks are held by Landlock (version %d) and seccomp",
			has.landlock);
	else if (has.landlock > 0)
		check_note(c, "confinement",
			"confinement: this kernel has no seccomp for this machine: only the files "
			"that hooks reach are limited (Landlock, version %d), not their calls",
			has.landlock);
	else
		check_note(c, "confinement",
			"confinement: this kernel has no Landlock%s: hooks reach whatever files "
			"their "
			"user does",
			has.seccomp ? "" : " and no seccomp");
}

/* Libraries may lie where hooks do not reach. */
static void check_start(struct check *c, const char *git)
{
	struct err e = ERR_INIT;

	if (sandbox_try(git, &e) != 0)
		check_wrong(c, "confinement",
			mem_format("name the folders of its libraries in /etc/ld.so.conf.d, or put "
				   "a git in the path whose libraries are in the usual ones"),
			"confinement: hooks cannot make merges: %s", err_text(&e));
	err_clear(&e);
}

void check_confinement(struct check *c)
{
	struct sandbox s = SANDBOX_INIT;
	char *git = merges_program();

	check_kernel(c);
	if (git != NULL) {
		sandbox_add_program(&s, git);
		check_start(c, git);
	}
	if (s.programs == SANDBOX_EXECUTE_ANY)
		check_note(c, "confinement",
			"confinement: %s is a script or cannot be read, so hooks may execute and "
			"read "
			"what lies in its folder and below /bin, /sbin, /usr, /lib, /opt, "
			"/nix/store "
			"and /gnu/store; with the program itself first in the path they may "
			"execute "
			"that alone",
			git);
	sandbox_clear(&s);
	free(git);
}
