/* Paths as text: joined, split, reduced to a base name.  Nothing here touches a file system. */
#ifndef MODELGATE_BASE_PATH_H
#define MODELGATE_BASE_PATH_H

/* DIR/NAME; the caller's to free(). */
char *path_join(const char *dir, const char *name);
/* The folder PATH lies in ("." without a slash); the caller's to free(). */
char *path_dir(const char *path);
/* The last part of PATH, a pointer into it.  PATH should not end in a slash. */
const char *path_base(const char *path);
/*
 * 1 if PATH stays below the folder it is taken from: relative, not empty, and no part of it is
 * empty,
 * "." or "..".
 */
int path_is_inside(const char *path);

#endif
