/*
 * Files put into a tree that a commit has filled: no part of a path may be a symbolic link, because a
 * commit could hold one that leads out of the tree.
 */
#ifndef MODELGATE_STAGE_INSIDE_H
#define MODELGATE_STAGE_INSIDE_H

struct err;

/*
 * Rename FROM, a file on the same file system, to PATH below the folder ROOT; the folders that PATH lies in
 * are made.  A file that the commit has there gives way.  0, or -1.
 */
int inside_put(const char *root, const char *path, const char *from, struct err *e);
/* Make PATH below ROOT an empty folder, whatever the commit has there.  0, or -1. */
int inside_make_empty(const char *root, const char *path, struct err *e);

#endif
