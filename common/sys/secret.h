/* A secret in a file of its own: a token or a password, never in the configuration itself. */
#ifndef MODELGATE_SYS_SECRET_H
#define MODELGATE_SYS_SECRET_H

struct err;
struct str;

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
/*
 * All that the file PATH holds, which must be as above, in *OUT; the caller's to secret_wipe().  0, or -1
 * and *E, which never holds any of it.
 */
int secret_load(const char *path, struct str *out, struct err *e);
/* Wipe and free what S holds. */
void secret_wipe(struct str *s);
/* Wipe and free; NULL is fine. */
void secret_free(char *secret);

#endif
