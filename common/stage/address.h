/*
 * Addresses that .dvc/config names, and whoever may push has written: their form, and whether models may
 * come from there.
 */
#ifndef MODELGATE_STAGE_ADDRESS_H
#define MODELGATE_STAGE_ADDRESS_H

struct config;
struct dvc_remote;
struct err;

/*
 * 0: URL is http://HOST/PATH or https://HOST/PATH in visible ASCII without user, password, query,
 * fragment, backslash, and parts of the path that are "." or "..", also if written with %2e.  -1 and *E,
 * which calls it WHAT and never shows a password.
 */
int address_check(const char *url, const char *what, struct err *e);
/*
 * 0: each address of R (its url, its endpointurl) is as above, if it is one of http or s3, and matches a
 * glob of [build] model-remotes, if there are any: schemes are equal, hosts match, paths match where the
 * glob has one, and none has a part "." or ".." but one "../" at its start.  "*" matches all.  -1 and *E.
 */
int address_admit(const struct dvc_remote *r, const struct config *c, struct err *e);

#endif
