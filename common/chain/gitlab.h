/*
 * GitLab's REST API, version 4, of one project: what the launcher and a job of ours ask of it.  One
 * request a call, none of them tried again here.  Documents: doc/api/pipelines.md, jobs.md,
 * job_artifacts.md, commits.md, repositories.md and rest/ of GitLab.
 */
#ifndef MODELGATE_CHAIN_GITLAB_H
#define MODELGATE_CHAIN_GITLAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "chain/status.h"

struct err;
struct gitlab;
struct json;

/* What became of a request.  Of all but DONE *E tells. */
enum gitlab_result {
	GITLAB_DONE,
	GITLAB_LATER, /* not carried out, for a passing reason: gitlab_pause() says when to try again */
	GITLAB_UNCLEAR, /* it may have been carried out */
	GITLAB_REFUSED, /* and will be again until somebody changes something */
	GITLAB_MISSING, /* there is no such thing, or the token is not shown it */
	GITLAB_NO_REF   /* of gitlab_create(): GitLab does not know the branch, maybe not yet */
};

struct gitlab_settings {
	const char *url;        /* of the server, https://gitlab.example.com */
	const char *token_file; /* read as sys/secret.h says */
	const char *ca_file;    /* or "" */
	const char *key; /* what messages call the token's file, as "[launcher] token-file" */
	int64_t project; /* GitLab's number */
};
/* 0 and *OUT, the caller's to gitlab_close(); or -1: the token cannot be read. */
int gitlab_open(struct gitlab **out, const struct gitlab_settings *settings, struct err *e);
void gitlab_close(struct gitlab *g); /* NULL is fine */
/* Seconds that the server's last answer asked to wait; -1: it said nothing. */
int64_t gitlab_pause(const struct gitlab *g);
/* 1: who answered the last request may still be at work on it, as behind a proxy that gave up waiting. */
int gitlab_is_at_work(const struct gitlab *g);

/* 1: no answer came to the last request, for a passing reason: who asks for something else would wait in vain. */
int gitlab_is_away(const struct gitlab *g);

/* The project's number of GL_REPOSITORY ("project-17"); 0: that names no project. */
int64_t gitlab_project(const char *gl_repository);

/* A pipeline as GitLab tells of it. */
struct gitlab_pipeline {
	int64_t id; /* in all of GitLab; not iid, which counts in the project */
	char *sha;
	char *ref; /* short */
	char *source;
	char *word; /* its status as GitLab says it */
	char *web_url;
	int64_t user_id; /* who has made it; 0: not told, as in a list */
};
void gitlab_pipeline_clear(struct gitlab_pipeline *p);
struct gitlab_pipelines {
	struct gitlab_pipeline *v;
	size_t n;
	size_t cap;
};
void gitlab_pipelines_clear(struct gitlab_pipelines *l);

struct gitlab_job {
	int64_t id;
	char *name;
	char *word;           /* its status as GitLab says it */
	enum status status;   /* the nearest of ours: waiting_for_resource and such are pending */
	int has_started;      /* 1: it has run, whatever became of it */
	char *failure_reason; /* or "" */
	char *web_url;
	int64_t user_id; /* who has started it last; 0: nobody is told */
	char *username;  /* or "" */
};
struct gitlab_jobs {
	struct gitlab_job *v;
	size_t n;
	size_t cap;
};
void gitlab_jobs_clear(struct gitlab_jobs *l);
/* The job NAME, or NULL. */
const struct gitlab_job *gitlab_jobs_find(const struct gitlab_jobs *l, const char *name);

/* GitLab's word for a status as the nearest of ours: 0 and *OUT, or -1: GitLab has no such word. */
int gitlab_status(enum status *out, const char *word);

/* Variables of a pipeline that is to be made.  Texts are copied. */
struct gitlab_variables;
struct gitlab_variables *gitlab_variables_new(void);
void gitlab_variables_free(struct gitlab_variables *v);
void gitlab_variables_add(struct gitlab_variables *v, const char *key, const char *value);

/*
 * Make a pipeline on the branch REF (short) with V, which is freed.  *OUT is the caller's to
 * gitlab_pipeline_clear().
 */
enum gitlab_result gitlab_create(struct gitlab *g, const char *ref, struct gitlab_variables *v,
	struct gitlab_pipeline *out, struct err *e);

/*
 * Read: *OUT is filled in where the result is GITLAB_DONE, and empty elsewhere; the caller clears it.
 * Of lists at most GITLAB_MAX_PAGES pages of 100 are read: longer ones are GITLAB_REFUSED.
 */
#define GITLAB_MAX_PAGES 20
enum gitlab_result gitlab_read_pipeline(
	struct gitlab *g, int64_t id, struct gitlab_pipeline *out, struct err *e);
/* QUERY: parameters of doc/api/pipelines.md, escaped, as "ref=main&source=api"; newest first. */
enum gitlab_result gitlab_list_pipelines(
	struct gitlab *g, const char *query, struct gitlab_pipelines *out, struct err *e);
/* The newest job of each name: those that were retried are left out. */
enum gitlab_result gitlab_list_jobs(
	struct gitlab *g, int64_t pipeline, struct gitlab_jobs *out, struct err *e);
/* *MATCH: 1 if the pipeline has the N variables WANTED, with these values; else 0. */
struct gitlab_variable {
	const char *key;
	const char *value;
};
enum gitlab_result gitlab_match_variables(struct gitlab *g, int64_t pipeline,
	const struct gitlab_variable *wanted, size_t n, int *match, struct err *e);
/* The parents of a commit, hexadecimal. */
enum gitlab_result gitlab_read_parents(
	struct gitlab *g, const char *sha, struct strlist *out, struct err *e);
/* The best common ancestor of two commits, the caller's to free(). */
enum gitlab_result gitlab_merge_base(
	struct gitlab *g, const char *one, const char *other, char **out, struct err *e);

/*
 * Of the merge requests that hold a commit, the newest that was merged into TARGET (short); or, where GitLab
 * does not say so yet, the newest that is being merged; or that is open.
 */
struct gitlab_merge_request {
	int64_t iid; /* 0: there is none */
	char *title;
	char *description;
	struct strlist labels;
};
void gitlab_merge_request_clear(struct gitlab_merge_request *m);
enum gitlab_result gitlab_find_merge_request(struct gitlab *g, const char *sha, const char *target,
	struct gitlab_merge_request *out, struct err *e);

/*
 * Start a manual job; run a job again, which makes a new one: *JOB is its number; end a pipeline.
 * GITLAB_REFUSED with gitlab_is_state(): not in the state that the thing is in by now.
 */
enum gitlab_result gitlab_play(struct gitlab *g, int64_t job, struct err *e);
enum gitlab_result gitlab_retry(struct gitlab *g, int64_t job, int64_t *out, struct err *e);
enum gitlab_result gitlab_cancel(struct gitlab *g, int64_t pipeline, struct err *e);
/* 1: the last request was refused for the state of what it was about, not for a missing right. */
int gitlab_is_state(const struct gitlab *g);

/* A job's log so far, and one file of its artifacts; added to *OUT, no more of them than this. */
#define GITLAB_MAX_TRACE (16U << 20)
#define GITLAB_MAX_FILE (256U << 10)
enum gitlab_result gitlab_read_trace(struct gitlab *g, int64_t job, struct str *out, struct err *e);
enum gitlab_result gitlab_read_artifact(
	struct gitlab *g, int64_t job, const char *path, struct str *out, struct err *e);

/* What a token may do and until when (doc/api/personal_access_tokens.md), whatever the project. */
struct gitlab_token {
	struct strlist scopes;
	char *expires_at; /* "2026-12-31"; "": never */
};
void gitlab_token_clear(struct gitlab_token *t);
enum gitlab_result gitlab_read_token(struct gitlab *g, struct gitlab_token *out, struct err *e);
/* The number of the token's user (doc/api/users.md). */
enum gitlab_result gitlab_read_user(struct gitlab *g, int64_t *out, struct err *e);
/* What the project says of the token's user, and of who may set a pipeline's variables (doc/api/projects.md). */
struct gitlab_access {
	int64_t level; /* the user's, as doc/api/members.md numbers roles; 0: none that is told */
	char *minimum; /* role from which on variables may be set: "maintainer"; "": it is not told */
};
void gitlab_access_clear(struct gitlab_access *a);
enum gitlab_result gitlab_read_access(struct gitlab *g, struct gitlab_access *out, struct err *e);
#define GITLAB_DEVELOPER 30

/* ---- what answers mean, without a network: chain/gitlab-answer.c ---- */

/* An answer other than 200 and 201 to METHOD: what it is taken for, and *E. */
struct gitlab_refusal {
	const char *method; /* POST: it may have been carried out */
	const char *what;   /* was asked for, for the message */
	const char *key;    /* as in struct gitlab_settings */
	const char *right;  /* that this needs, for the message */
	const char *secret; /* the token: words that hold it are not passed on; NULL: none */
	long status;
	const char *text; /* the body, terminated */
	size_t len;
};
enum gitlab_result gitlab_sort(const struct gitlab_refusal *r, int *is_state, struct err *e);

/* Fill in *OUT from the answer's JSON.  0, or -1 and *E: it is not what GitLab's documents say. */
int gitlab_parse_pipeline(struct gitlab_pipeline *out, const struct json *j, struct err *e);
int gitlab_parse_job(struct gitlab_job *out, const struct json *j, struct err *e);
int gitlab_parse_merge_requests(
	struct gitlab_merge_request *out, const struct json *j, const char *target, struct err *e);

#endif
