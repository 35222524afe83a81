/*
 * A DVC remote on s3: where its objects are asked for, and with whose credentials (Amazon S3 API
 * reference, "Virtual hosting of buckets"; DVC's keys: dvc_s3, config_schema.py).
 *
 * Whoever may push writes .dvc/config, so what stands there decides where to ask, and never which secret
 * of this machine is sent where: the credentials of a profile are for the server that stands beside them
 * (endpoint_url), and without one for Amazon's alone.
 */
#ifndef MODELGATE_STAGE_S3_H
#define MODELGATE_STAGE_S3_H

#include "net/http.h"
#include "stage/aws-profile.h"

struct config;
struct dvc_remote;
struct err;

struct s3 {
	struct aws_profile profile; /* what CREDENTIALS borrows from */
	char *region;
	char *url;                           /* of the remote: https://..., no slash at its end */
	struct http_credentials credentials; /* HTTP_AUTH_NONE: a public bucket */
};
/* 0, the caller calls s3_clear(); or -1 and *E, with what to do. */
int s3_init(struct s3 *out, const struct dvc_remote *r, const struct config *c, struct err *e);
/*
 * 0: R asks no other server than the one that its profile's credentials are for, which is all that is looked
 * at; or -1 and *E.  For a program that is given the credentials file.
 */
int s3_check(const struct dvc_remote *r, const struct config *c, struct err *e);
void s3_clear(struct s3 *s); /* wipes */

/*
 * The URL of the remote s3://BUCKET/PREFIX, the caller's to free(); ENDPOINT NULL: Amazon's, in REGION.
 * NULL and *E: no name of a bucket, or a path that is none.
 */
char *s3_url(const char *url, const char *endpoint, const char *region, struct err *e);

#endif
