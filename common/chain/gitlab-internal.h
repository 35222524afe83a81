/* What the files of GitLab's API have in common; nobody outside common/chain includes this. */
#ifndef MODELGATE_CHAIN_GITLAB_INTERNAL_H
#define MODELGATE_CHAIN_GITLAB_INTERNAL_H

#include "chain/gitlab.h"
#include "net/http.h"

/* What reading takes, as GitLab's documents have it. */
#define GITLAB_RIGHT_READ                                                                          \
	"the role Reporter, or Developer where the project's pipelines are not public"

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

/* One request. */
struct gitlab_call {
	const char *method;
	const char *root; /* NULL: the project's */
	char *path;       /* below that, this call's to free() */
	const struct json *body;
	const char *what;
	const char *right;
	size_t max; /* bytes of the answer: what is longer is cut; 0: MAX_ANSWER, and that is a fault */
};

/* Ask for JSON: GITLAB_DONE and *OUT, the caller's to json_free().  Frees what is C's. */
enum gitlab_result gitlab_ask(
	struct gitlab *g, struct gitlab_call *c, struct json **out, struct err *e);
/* The answer to C was not what GitLab's documents say, as *E tells. */
enum gitlab_result gitlab_not_understood(const struct gitlab_call *c, struct err *e);

#endif
