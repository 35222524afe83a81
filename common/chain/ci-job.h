/*
 * One stage inside a job of GitLab CI (`modelgate stage NAME`): the code of the local runner's stages, without
 * its store.  What it is about stands in the job's variables: those that the launcher gave the pipeline
 * (chain/gitlab-create.h), and GitLab's own (doc/ci/variables/predefined_variables.md).  What it found out is
 * left beside the work tree's files for GitLab to keep: modelgate-NAME.env, a dotenv report that the later
 * jobs get as variables, and modelgate-NAME.json, which the launcher reads (chain/report.h).
 */
#ifndef MODELGATE_CHAIN_CI_JOB_H
#define MODELGATE_CHAIN_CI_JOB_H

struct config;
struct err;
struct facts;

/* The variable that holds the configuration (modelgate.ini(5)), or the path of a file that does. */
#define CI_CONFIG "MODELGATE_CONFIG"
#define CI_ENV_FILE "modelgate-%s.env"
/* In front of a fact's name, whose "-" is "__" there. */
#define CI_FACT "MODELGATE_FACT_"

/* What the job's variables say.  Strings are owned; "" where a variable may be missing and is. */
struct ci_job {
	char *chain;
	char *stage;
	char *folder; /* the work tree, absolute */
	char *project;
	char *sha;
	char *tip; /* of the branch, that GitLab made the pipeline for: it holds SHA */
	char *ref; /* full name */
	char *source;
	char *description;
	char *owner;
	char *user;
	char *retrained;
	char *url;     /* of the project's page */
	char *server;  /* of GitLab */
	char *created; /* when GitLab made the pipeline: RFC 3339 */
	char *players; /* who may start it, with commas; "": anybody */
	char *starter; /* user name of who has started the job */
	long long starter_id;
	long long pipeline; /* GitLab's id */
	long long gitlab_project;
	long long created_at; /* of our pipeline, microseconds */
};
void ci_job_clear(struct ci_job *j);
/* Read the variables of the environment.  0 and *OUT, the caller's to ci_job_clear(), or -1. */
int ci_job_read(struct ci_job *out, const char *stage, struct err *e);

/*
 * Run it.  0, or -1 and *E; e->passing says that another try may help.  In either case both files are
 * there, as far as the disk takes them.
 */
int ci_job_run(const struct ci_job *j, struct err *e);

/* ---- the parts: ci-config.c, ci-order.c ---- */

/*
 * The configuration in the variable CI_CONFIG, with STATE for its state directory.  Files that it names for
 * secrets are copied there, readable for nobody else, for GitLab's runner leaves them readable for many.
 * 0 and *OUT, the caller's to config_free(), or -1.
 */
int ci_config_load(struct config **out, const struct ci_job *j, const char *state, struct err *e);
/* Remove those copies: the work tree of a runner without containers lies there until the next job. */
void ci_config_forget(const char *state);
/*
 * TEXT with "$NAME" and "${NAME}", where one is all of the value of a key that ends in "-file", replaced by
 * what LOOK_UP says of NAME, unless that can be no path; the caller's to free().
 */
char *ci_config_expand(const char *text, const char *(*look_up)(const char *name));

/*
 * May the job's stage start now?  0: yes.  -1 and *E: a newer pipeline of its branch has started; or,
 * e->passing, an older one of its project and environment is at work and goes first; or it cannot be told.
 */
int ci_order_check(const struct ci_job *j, const struct config *config, struct err *e);

#endif
