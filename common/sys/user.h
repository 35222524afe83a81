/*
 * The users of this machine.  getpwuid(3) loads libraries for it while it runs, which a static program
 * must not depend on: here /etc/passwd is read, and whom it does not name getent(1), where there is one,
 * may know (LDAP and the like).
 */
#ifndef MODELGATE_SYS_USER_H
#define MODELGATE_SYS_USER_H

#include <sys/types.h>

/* The name of UID, the caller's to free(); NULL: it has none. */
char *user_name(uid_t uid);
/* The home directory of UID, the caller's to free(); NULL: nobody knows UID. */
char *user_home(uid_t uid);

#endif
