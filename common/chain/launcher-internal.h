/* One pipeline on GitLab, looked after: what the files of the launcher have in common. */
#ifndef MODELGATE_CHAIN_LAUNCHER_INTERNAL_H
#define MODELGATE_CHAIN_LAUNCHER_INTERNAL_H

#include <stdint.h>

#include "chain/follow.h"
#include "chain/pipeline.h"
#include "chain/remote.h"

struct config;
struct err;
struct gitlab;
struct gitlab_jobs;
struct store;

/* What goes from one pipeline to the next. */
struct launcher {
	const char *state;
	const char *system_file;
	struct store *s;
	/* Of the pipeline before, since the next is often of the same repository. */
	char *repository;
	int64_t project;
	struct config *config;
	struct gitlab *g;
	char *dead; /* url of a GitLab that did not answer in this pass, */
	char *why;  /* and what was told of it */
};

/* One pipeline. */
struct visit {
	struct launcher *l;
	struct pipeline p;
	struct remote r;
};

enum visit_result {
	VISIT_AGAIN, /* something has changed: look again at once */
	VISIT_DONE,  /* R is up to date, its time included */
	VISIT_FAULT  /* *E: of the store */
};

/* ---- launcher-gitlab-step.c ---- */

/* Write V's row.  VISIT_DONE, or VISIT_FAULT. */
enum visit_result visit_save(struct visit *v, struct err *e);
void visit_set_message(struct visit *v, const char *text);
/* When to look again: RETRY_AFTER seconds, if not -1, else longer with each try, up to MAX. */
void visit_set_time(struct visit *v, int64_t retry_after, int64_t max);

/* *WHY stands in the way, for now or until somebody changes something; it is told, and cleared. */
enum visit_result visit_put_off(struct visit *v, struct err *why, struct err *e);
/* Nothing is to be done, as JOBS are. */
enum visit_result visit_rest(struct visit *v, const struct gitlab_jobs *jobs, struct err *e);
/* The awaited stage fails for *WHY, which lasts, and which is cleared. */
enum visit_result visit_fail(struct visit *v, struct err *why, struct err *e);

/* Is what goes on there to go on? */
enum follow_wanted visit_is_wanted(const struct visit *v);
/* Take the one step. */
enum visit_result visit_carry_out(struct visit *v, const struct follow_step *step, struct err *e);

#endif
