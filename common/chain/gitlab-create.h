/*
 * A pipeline of ours is made on GitLab: once, whatever happens to the request, its answer or us.
 *
 * Before the request is sent, the store says so (asked_at).  What became of a request that failed in an
 * unclear way, or whose answer did not get into the store, is found out by looking for a pipeline with our
 * number among its variables.  Only when there is none, and nobody can be at work on that request any
 * more, another one is sent; and later it is looked once more whether there are two.
 */
#ifndef MODELGATE_CHAIN_GITLAB_CREATE_H
#define MODELGATE_CHAIN_GITLAB_CREATE_H

#include <stdint.h>

struct config;
struct err;
struct gitlab;
struct pipeline;
struct remote;
struct store;

/* The variables of the jobs.  Values are escaped: see creation_escape(). */
#define CREATION_CHAIN "MODELGATE_CHAIN"
#define CREATION_PIPELINE "MODELGATE_PIPELINE" /* our number */
#define CREATION_PUSH "MODELGATE_PUSH" /* push_id: with the number, the only one of its name */
#define CREATION_PROJECT "MODELGATE_PROJECT"
#define CREATION_SHA "MODELGATE_SHA"
#define CREATION_SOURCE "MODELGATE_SOURCE" /* full name, or "" */
#define CREATION_DESCRIPTION "MODELGATE_DESCRIPTION"
#define CREATION_OWNER "MODELGATE_OWNER"
#define CREATION_USER "MODELGATE_USER"
#define CREATION_CREATED "MODELGATE_CREATED_AT"  /* microseconds since 1970 */
#define CREATION_RETRAINED "MODELGATE_RETRAINED" /* lines "<commit> <result> <before>" */
#define CREATION_PLAYERS "MODELGATE_PLAYERS" /* who may play its stages, with commas; "": anybody */
#define CREATION_TAG "MODELGATE_RUNNER_TAG"
/* The tag of a job's runner where no label of the merge request says "runner:<tag>". */
#define CREATION_DEFAULT_TAG "modelgate"

struct creation {
	struct store *s;
	const struct config *config; /* of the repository */
	struct gitlab *g;
	const struct pipeline *p;
	struct remote *r; /* what is found out is saved */
};

enum creation_result {
	CREATION_DONE, /* R has GitLab's number */
	CREATION_LATER, /* R says when to try again; *E why, as that ours has ended and none is made */
	CREATION_FAILED, /* *E says why, and that lasts */
	CREATION_FAULT   /* *E: of the store */
};
enum creation_result creation_try(const struct creation *c, struct err *e);

/* Cancel other pipelines that were made for ours, if there can be any and all would be seen by now. */
enum creation_result creation_end_doubles(const struct creation *c, struct err *e);

/* When to look again after a fault or a look that brought nothing: seconds, at most MAX. */
#define CREATION_MAX_PAUSE 60
int creation_pause(int64_t tries, int64_t retry_after, int64_t max);

/*
 * TEXT as the value of a variable: GitLab replaces $NAME in values, which here come from people.  So "$",
 * "%" and control characters stand as "%" and two hexadecimal digits.  Both are the caller's to free().
 */
char *creation_escape(const char *text);
char *creation_unescape(const char *text);

#endif
