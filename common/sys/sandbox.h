/*
 * A process that gives up what it does not need, for ever, and for all that it starts: Landlock (the
 * kernel's Documentation/userspace-api/landlock.rst) for files, seccomp(2) for calls, limits, no core file.
 */
#ifndef MODELGATE_SYS_SANDBOX_H
#define MODELGATE_SYS_SANDBOX_H

#include "base/str.h"

struct err;

/* What stays possible.  Each path stands for itself and all below it; one that is not there adds nothing. */
struct sandbox {
	struct strlist read;
	struct strlist
		write; /* read, too; files and folders are made and removed, no devices or links */
	struct strlist execute; /* programs */
	enum sandbox_execute {
		SANDBOX_EXECUTE_LISTED,
		/*
		 * Of what is executed it is not known what it executes: also all programs below
		 * /bin, /sbin, /usr, /lib*, /opt, /nix/store and /gnu/store, which may be read.
		 */
		SANDBOX_EXECUTE_ANY
	} programs;
};

#define SANDBOX_INIT                                                                               \
	{                                                                                          \
		.programs = SANDBOX_EXECUTE_LISTED                                                 \
	}

void sandbox_clear(struct sandbox *s);
/* Add the path DIR/NAME to LIST. */
void sandbox_add(struct strlist *list, const char *dir, const char *name);

/* What programs of this machine need to start, whichever they are: its libraries, a few files; no tokens. */
void sandbox_add_machine(struct sandbox *s);

/*
 * PROGRAM, an absolute path, may be executed: what the kernel loads for it is added, and where it may have
 * its libraries: where it is installed, what ldconfig(8) is told, the folders of some package managers.
 * Of a script, or what cannot be read, nobody knows what it executes: then S->programs is
 * SANDBOX_EXECUTE_ANY, and the files of its folder may be executed too, but for those of "/" and "/etc".
 */
void sandbox_add_program(struct sandbox *s, const char *program);

/*
 * From now on, for this process and what it will start: what S says, no network, no other process looked
 * into, no privileges gained, no core file, limited memory.  What was open before stays open.  What the
 * kernel does not have is left out (sandbox_support).  0; or -1 and *E: it should have worked and did not,
 * and what holds now is not known.
 */
int sandbox_enter(const struct sandbox *s, struct err *e);

/*
 * Does PROGRAM, an absolute path, say its version where it and what sandbox_add_machine() adds is all there is?
 * Tried in another process.  0; -1: *E.
 */
int sandbox_try(const char *program, struct err *e);

/* Neither a core file nor another process of the same user shows what is in our memory. */
int sandbox_hide(struct err *e);

struct sandbox_support {
	int landlock; /* the kernel's version of it (ABI); 0: there is none */
	int seccomp;  /* 1: there is, and which calls are meant is known for this architecture; 0 */
};
void sandbox_support(struct sandbox_support *out);

#endif
