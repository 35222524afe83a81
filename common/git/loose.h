/*
 * Loose objects (gitformat: zlib, "<type> SP <size> NUL <content>"), read here instead of by
 * libgit2: 1.5 inflates a file that was cut off, as a disk leaves it after a crash, for ever.
 */
#ifndef MODELGATE_GIT_LOOSE_H
#define MODELGATE_GIT_LOOSE_H

#include <git2.h>

struct err;
struct strlist;

#define LOOSE_MAX_SIZE (1U << 30) /* bytes of one object; a larger one is not read */

/*
 * The info/alternates of the object folder DIR, and those that they lead to, are files, if they are there:
 * at a pipe libgit2 would wait.  0, or -1.
 */
int loose_check_alternates(const char *dir, struct err *e);

/*
 * Put a reader of the loose objects in the object folders DIRS, and in those that their
 * info/alternates name, in front of ODB's own.  Nothing of DIRS is kept.  0, or -1.
 */
int loose_add(git_odb *odb, const struct strlist *dirs, struct err *e);
/* Add to OUT the object folders DIRS and those that their info/alternates name.  0; -1: not all. */
int loose_dirs(struct strlist *out, const struct strlist *dirs, struct err *e);

#endif
