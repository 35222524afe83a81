/*
 * Small histories for tests, written as text.  A history is words of the form
 *
 *     NAME[:PARENT[,PARENT...]][@SECONDS][+PATH[=CONTENT]]...[!PATH]...
 *
 * each a commit: the files of its first parent and what the other parents have beside them, with
 * PATH set to CONTENT (its own name if none is given) or removed; +*PATH is an executable, +>PATH a
 * symbolic link to CONTENT.  Each commit is a minute younger
 * than the one before it; @-90 makes it 90 seconds older than it would be.
 */
#ifndef MODELGATE_TESTS_HISTORY_H
#define MODELGATE_TESTS_HISTORY_H

#include "git/oid.h"

struct history;

/* A bare repository in a temporary folder, with these commits and no references. */
struct history *history_new(const char *text);
void history_free(struct history *h); /* removes the folder */
const char *history_dir(const struct history *h);
/* The commit NAME; "0" gives zeros.  An unknown name fails the test. */
struct oid history_oid(const struct history *h, const char *name);
/* Add N empty commits, one on top of the other, on NAME; the last one. */
struct oid history_chain(struct history *h, const char *name, int n);
/*
 * Set the references in "dev=NAME main=NAME refs/tags/x=NAME": names without a slash are branches.
 */
void history_refs(struct history *h, const char *text);

#endif
