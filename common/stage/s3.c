#include "stage/s3.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "stage/address.h"
#include "stage/dvc-config.h"
#include "stage/log.h"

#define SCHEME "s3://"
#define DEFAULT_REGION "us-east-1"
#define MAX_BUCKET 63
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

void s3_clear(struct s3 *s)
{
	aws_profile_clear(&s->profile);
	free(s->region);
	free(s->url);
	memset(s, 0, sizeof(*s));
}

/* ---- where ---- */

/* PREFIX, a path that may be empty, with each of its parts escaped and a slash before it. */
static int add_prefix(struct str *out, const char *prefix, struct err *e)
{
	size_t len = strlen(prefix);
	char *copy, *part, *escaped;

	while (len > 0 && prefix[len - 1] == '/')
		len--;
	if (len == 0)
		return 0;
	copy = mem_strndup(prefix, len);
	for (part = copy; part != NULL;) {
		char *slash = strchr(part, '/');

		if (slash != NULL)
			*slash = '\0';
		/* On their way some would take these for steps. */
		if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
			free(copy);
			return err_set(
				e, "the path of an s3 remote must have no part \".\" or \"..\"");
		}
		escaped = http_escape(part);
		str_addc(out, '/');
		str_add(out, escaped);
		free(escaped);
		part = slash != NULL ? slash + 1 : NULL;
	}
	free(copy);
	return 0;
}

static int is_bucket(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= MAX_BUCKET && name[0] != '.' && name[0] != '-' &&
	       strspn(name, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "._-") == len;
}

/* A bucket's name with a dot in it, or with what no host has, is no part of a host's. */
static int fits_host(const char *bucket)
{
	return strspn(bucket, LETTERS DIGITS "-") == strlen(bucket);
}

static const char *domain_of(const char *region)
{
	return str_starts(region, "cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

char *s3_url(const char *url, const char *endpoint, const char *region, struct err *e)
{
	const char *rest = url + strlen(SCHEME);
	size_t len = strcspn(rest, "/");
	char *bucket = mem_strndup(rest, len);
	struct str s;
	int failed;

	str_init(&s);
	if (!is_bucket(bucket)) {
		char *shown = str_safe(bucket, 80);

		(void)err_set(
			e, "\"%s\" is no name of a bucket: s3://BUCKET/PATH is wanted", shown);
		free(shown);
		free(bucket);
		str_clear(&s);
		return NULL;
	}
	if (endpoint != NULL) {
		size_t n = strlen(endpoint);

		while (n > 0 && endpoint[n - 1] == '/')
			n--;
		str_addf(&s, "%.*s/%s", (int)n, endpoint, bucket);
	} else if (fits_host(bucket)) {
		str_addf(&s, "https://%s.s3.%s.%s", bucket, region, domain_of(region));
	} else {
		str_addf(&s, "https://s3.%s.%s/%s", region, domain_of(region), bucket);
	}
	failed = add_prefix(&s, rest[len] == '/' ? rest + len + 1 : "", e);
	free(bucket);
	if (failed == 0)
		return str_steal(&s);
	str_clear(&s);
	return NULL;
}

/* ---- whose credentials ---- */

static size_t length_without_slash(const char *url)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return n;
}

static int is_same_endpoint(const char *a, const char *b)
{
	size_t n = length_without_slash(a);

	return n == length_without_slash(b) && strncasecmp(a, b, n) == 0;
}

/* 1: ENDPOINT is one of Amazon's own for s3, such as https://s3.eu-west-1.amazonaws.com. */
static int is_amazon(const char *endpoint)
{
	char *host = mem_strndup(endpoint, length_without_slash(endpoint));
	const char *rest = host + strlen("https://s3.");
	int result = str_starts(host, "https://s3.") &&
		     strspn(rest, LETTERS DIGITS ".-") == strlen(rest) &&
		     (str_ends(host, ".amazonaws.com") || str_ends(host, ".amazonaws.com.cn"));

	free(host);
	return result;
}

static const char *profile_of(const struct dvc_remote *r)
{
	const char *name = dvc_remote_get(r, "profile");

	return name != NULL ? name : AWS_PROFILE_DEFAULT;
}

/*
 * The endpoint of R and of its profile P must be one.  0 and *ENDPOINT, borrowed (NULL: Amazon's);
 * or -1 and *E.
 */
static int agree(const struct aws_profile *p, const struct dvc_remote *r, const char **endpoint,
	struct err *e)
{
	const char *asked = dvc_remote_get(r, "endpointurl"), *own = p->endpoint;

	*endpoint = asked != NULL ? asked : own;
	if (asked == NULL || (own == NULL && is_amazon(asked)) ||
		(own != NULL && is_same_endpoint(asked, own)))
		return 0;
	return err_set(e,
		"DVC remote %s is at %s, but the credentials of the profile \"%s\" are for %s "
		"alone: whoever may push could name any server; if this one is to have them, "
		"write beside them endpoint_url = %s",
		r->name, asked, profile_of(r), own != NULL ? own : "Amazon's s3", asked);
}

static void use_profile(struct s3 *s)
{
	s->credentials = (struct http_credentials){.kind = HTTP_AUTH_AWS,
		.user = s->profile.id,
		.secret = s->profile.secret,
		.session = s->profile.session};
}

/* 0 and S has credentials or none, and *ENDPOINT is borrowed; or -1. */
static int choose(struct s3 *s, const struct dvc_remote *r, const struct config *c,
	const char **endpoint, struct err *e)
{
	const char *id = dvc_remote_get(r, "access_key_id");
	const char *secret = dvc_remote_get(r, "secret_access_key");
	int found;

	*endpoint = dvc_remote_get(r, "endpointurl");
	if (dvc_remote_is(r, "allow_anonymous_login"))
		return 0;
	if (id != NULL && secret != NULL) {
		log_line("warning: the credentials of DVC remote %s stand in %s, where everybody "
			 "who may read the repository reads them",
			r->name, DVC_CONFIG_FILE);
		s->profile.id = mem_strdup(id);
		s->profile.secret = mem_strdup(secret);
		s->profile.session = mem_strdup(dvc_remote_get(r, "session_token"));
		use_profile(s);
		return 0;
	}
	found = aws_profile_load(
		&s->profile, c->model_credentials_file, dvc_remote_get(r, "profile"), e);
	if (found <= 0)
		return found;
	if (s->profile.id == NULL || s->profile.secret == NULL)
		return err_set(e,
			"the profile \"%s\" for DVC remote %s has no aws_access_key_id with an "
			"aws_secret_access_key; other kinds of credentials are for [build] "
			"model-fetch = dvc",
			profile_of(r), r->name);
	use_profile(s);
	return agree(&s->profile, r, endpoint, e);
}

int s3_check(const struct dvc_remote *r, const struct config *c, struct err *e)
{
	const char *endpoint, *profile = dvc_remote_get(r, "profile");
	struct aws_profile p;
	int found;

	if (dvc_remote_is(r, "allow_anonymous_login") ||
		(dvc_remote_get(r, "access_key_id") != NULL &&
			dvc_remote_get(r, "secret_access_key") != NULL))
		return 0;
	found = aws_profile_load(&p, c->model_credentials_file, profile, e);
	if (found == 1 && agree(&p, r, &endpoint, e) != 0)
		found = -1;
	aws_profile_clear(&p);
	return found < 0 ? -1 : 0;
}

static int set_region(struct s3 *s, const struct dvc_remote *r, struct err *e)
{
	const char *region = dvc_remote_get(r, "region");
	char *shown;

	if (region == NULL)
		region = s->profile.region != NULL ? s->profile.region : DEFAULT_REGION;
	/* It becomes part of a host's name and of a signature. */
	if (strlen(region) > 40 || strspn(region, LETTERS DIGITS "-") != strlen(region)) {
		shown = str_safe(region, 80);
		(void)err_set(e, "DVC remote %s: \"%s\" is no region", r->name, shown);
		free(shown);
		return -1;
	}
	s->region = mem_strdup(region);
	s->credentials.region = s->region;
	return 0;
}

int s3_init(struct s3 *out, const struct dvc_remote *r, const struct config *c, struct err *e)
{
	const char *endpoint;

	memset(out, 0, sizeof(*out));
	if (dvc_remote_get(r, "sse_customer_key") != NULL)
		return err_set(e,
			"DVC remote %s has sse_customer_key: objects under a key of one's own are "
			"fetched with [build] model-fetch = dvc alone",
			r->name);
	if (choose(out, r, c, &endpoint, e) != 0 || set_region(out, r, e) != 0 ||
		(endpoint != NULL && address_check(endpoint, "endpointurl", e) != 0)) {
		s3_clear(out);
		return -1;
	}
	out->url = s3_url(r->url, endpoint, out->region, e);
	if (out->url != NULL)
		return 0;
	s3_clear(out);
	return -1;
}
