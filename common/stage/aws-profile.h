/*
 * One profile of the files that the AWS tools share: ~/.aws/credentials and the config beside it
 * (docs.aws.amazon.com, "Configuration and credential file settings").
 */
#ifndef MODELGATE_STAGE_AWS_PROFILE_H
#define MODELGATE_STAGE_AWS_PROFILE_H

#include <stddef.h>

struct err;

#define AWS_PROFILE_DEFAULT "default"

/* All owned; NULL: not there.  Without id and secret it stands for another kind of credentials. */
struct aws_profile {
	char *id;      /* aws_access_key_id */
	char *secret;  /* aws_secret_access_key */
	char *session; /* aws_session_token */
	char *region;
	char *endpoint; /* endpoint_url: the one server that these credentials are for */
};
void aws_profile_clear(struct aws_profile *p); /* wipes */

/*
 * Add what the LEN bytes at TEXT, which a NUL follows and which is cut in place, say of the section
 * SECTION; what *OUT has already stays.  1; 0: there is no such section with a key in it; -1 and *E,
 * which holds no value.
 */
int aws_profile_parse(
	struct aws_profile *out, char *text, size_t len, const char *section, struct err *e);
/*
 * Load the profile NAME (NULL: the default one) from the credentials file FILE, mode 0600 or stricter.
 * FILE "": ~/.aws/credentials, with ~/.aws/config for what is no secret.  1, the caller calls
 * aws_profile_clear(); 0: FILE is "", NAME is NULL, and there is no such profile; -1 and *E.
 */
int aws_profile_load(struct aws_profile *out, const char *file, const char *name, struct err *e);

#endif
