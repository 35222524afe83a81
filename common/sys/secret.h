/* A secret in a file of its own: a token or a password, never in the configuration itself. */
#ifndef MODELGATE_SYS_SECRET_H
#define MODELGATE_SYS_SECRET_H

struct err;

#define SECRET_MAX 65536 /* bytes of such a file */

/*
 * 0: PATH is a regular file, no symbolic link, that nobody but its owner may read or write (mode 0600
 * or stricter), and its owner is root or this process's user.  -1: *E, with the remedy.
 */
int secret_check(const char *path, struct err *e);
/*
 * The one line of the file PATH, which must be as above, without its newline; the caller's to
 * secret_free().  NULL: *E, which never holds any of it; an empty file, a second line and control
 * characters are refused.
 */
char *secret_read(const char *path, struct err *e);
/* Wipe and free; NULL is fine. */
void secret_free(char *secret);

#endif
