/*
 * Files and folders: read whole with a maximum, written whole or not at all, made and removed as
 * trees.  As root, what is made is given to the owner of the folder it is made in, so that an
 * admin's command never leaves a file that the hooks cannot write.
 */
#ifndef MODELGATE_SYS_FILES_H
#define MODELGATE_SYS_FILES_H

#include <stddef.h>
#include <sys/types.h>

struct err;
struct str;

/* Read all of FD, at most MAX bytes, into *OUT (initialised by the caller).  0, or -1. */
int files_read_fd(int fd, size_t max, struct str *out, struct err *e);
/* Read the regular file PATH, at most MAX bytes.  1 read, 0 there is none, -1. */
int files_read(const char *path, size_t max, struct str *out, struct err *e);
/*
 * Replace PATH by a file of MODE with these bytes: written beside it, flushed, renamed over it, the
 * folder flushed.  0, or -1 and PATH is as it was.
 */
int files_replace(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e);
/* Write all of the bytes to FD, however many writes it takes.  0, or -1 with errno set. */
int files_write_all(int fd, const void *bytes, size_t len);
/*
 * Make the folder PATH and those above it that are missing, with MODE; each is flushed into the one
 * above it, so that a file that is flushed later does not get lost with its folder.  0, or -1.
 */
int files_make_folder(const char *path, mode_t mode, struct err *e);
/* Remove PATH and all below it, following no symbolic link.  Nothing there: 0 too; or -1. */
int files_remove_tree(const char *path, struct err *e);
/*
 * Open PATH with open(2)'s FLAGS | O_CLOEXEC | O_NOFOLLOW; a file this makes gets MODE and, as
 * root, the owner of its folder.  It must be a regular file.  The descriptor, or -1.
 */
int files_open(const char *path, int flags, mode_t mode, struct err *e);
/* 1 if PATH exists (a symbolic link counts), else 0. */
int files_exists(const char *path);
/*
 * The absolute path of PATH, which must exist, without symbolic links; the caller's to free().
 * NULL: *E.
 */
char *files_real_path(const char *path, struct err *e);

#endif
