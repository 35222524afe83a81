/*
 * A file that is written piece by piece and takes its place when it is whole.  Until then it has no
 * name, where the file system knows such files: a program that ends before leaves nothing behind.
 */
#ifndef MODELGATE_SYS_REPLACE_H
#define MODELGATE_SYS_REPLACE_H

#include <stdio.h>

struct err;

struct replace {
	FILE *file; /* to be written to */
	char *path;
	char *beside; /* the name it has until it is whole */
	int is_named; /* 1: BESIDE is there */
};

/*
 * Begin a new file for PATH, with mode 0600, or that of the regular file that is there, if it is the
 * caller's and nobody else may write to it.  Anything else that is there, a symbolic link too, is refused.  0, or -1 and *E; the caller calls
 * replace_clear() in either case.
 */
int replace_begin(struct replace *r, const char *path, struct err *e);
/* Flush it and put it in PATH's place in one step.  0, or -1 and PATH is as it was. */
int replace_commit(struct replace *r, struct err *e);
/* Take away what was begun and not committed. */
void replace_clear(struct replace *r);

#endif
