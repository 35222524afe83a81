/* How the parts of chain/gitlab.h ask: gitlab.c and gitlab-repository.c. */
#ifndef MODELGATE_CHAIN_GITLAB_INTERNAL_H
#define MODELGATE_CHAIN_GITLAB_INTERNAL_H

#include "chain/gitlab.h"
#include "net/http.h"

struct gitlab {
	struct http *http;
	char *api;  /* .../api/v4 */
	char *base; /* .../api/v4/projects/17 */
	char *key;
	char *secret;
	struct http_credentials credentials;
	int64_t pause;
	int is_at_work;
	int is_away;
	int is_state;
};

struct gitlab_call {
	const char *method;
	const char *root; /* NULL: the project's */
	char *path;       /* below that, this call's to free() */
	const struct json *body;
	const char *what;
	const char *right;
	size_t max; /* bytes of the answer: what is longer is cut; 0: MAX_ANSWER, and that is a fault */
};

/* What the documents ask of the token's user for most of what is read. */
#define GITLAB_RIGHT_READ                                                                          \
	"the role Reporter, or Developer where the project's pipelines are not public"

/* Send C, whose path is freed.  *OUT is the answer's JSON where the result is GITLAB_DONE, the caller's. */
enum gitlab_result gitlab_ask(
	struct gitlab *g, struct gitlab_call *c, struct json **out, struct err *e);
/* The answer to C is not what the documents say: it is something else's than GitLab's, and may be gone next time. */
enum gitlab_result gitlab_not_understood(const struct gitlab_call *c, struct err *e);

#endif
