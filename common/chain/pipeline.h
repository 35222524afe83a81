/* Pipelines as the store keeps them: read, listed, saved, with their stages and facts. */
#ifndef MODELGATE_CHAIN_PIPELINE_H
#define MODELGATE_CHAIN_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

#include "audit/record.h"
#include "chain/status.h"

struct err;
struct facts;
struct store;

enum pipeline_start { PIPELINE_START_AUTOMATIC, PIPELINE_START_MANUAL };
enum pipeline_cancel { PIPELINE_GOES_ON, PIPELINE_CANCEL_REQUESTED };

/* Times are microseconds since 1970; 0: not yet. */
struct pipeline_stage {
	char *name;
	enum status status;
	enum pipeline_start start; /* how it starts once the stage before it succeeded */
	int64_t attempt;           /* how often it was started */
	int64_t failures;          /* passing failures since it was last asked for */
	int64_t not_before;        /* pending: not to be started earlier */
	int64_t started_at;
	int64_t finished_at;
	char *message; /* why it failed, was skipped ...; "" */
};

struct pipeline {
	int64_t id;
	char *project;
	char *repository;    /* Git directory, absolute */
	char *gl_repository; /* or "" */
	char *chain;
	char *environment; /* running stages of one project and environment exclude each other */
	char *ref;
	char *sha;
	char *source; /* full name of the source branch, or "" */
	enum status status;
	enum pipeline_cancel cancel;
	struct actor actor; /* who pushed */
	char *push_id;
	char *policy;
	char *correlation_id;
	int64_t created_at;
	int64_t started_at;
	int64_t finished_at;
	struct pipeline_stage *stages; /* in order */
	size_t n_stages;
};
void pipeline_clear(struct pipeline *p);

/* Whose what P makes is: GL_REPOSITORY, else the repository path (contract, section 7). */
const char *pipeline_owner(const struct pipeline *p);
/* The stage NAME; NULL: the pipeline has none such. */
struct pipeline_stage *pipeline_stage(const struct pipeline *p, const char *name);
/* The same; of NULL *E tells, and which stages it has. */
struct pipeline_stage *pipeline_find_stage(
	const struct pipeline *p, const char *name, struct err *e);

/* Read pipeline ID: 1 and *OUT, the caller's to pipeline_clear(); 0: there is none; -1. */
int pipeline_read(struct pipeline *out, struct store *s, int64_t id, struct err *e);

struct pipeline_filter {
	const char *project; /* NULL: any */
	const char *status;  /* a status word; NULL: any */
	int64_t limit;
};
struct pipeline_list {
	struct pipeline *v;
	size_t n;
	size_t cap;
};
/*
 * The newest pipelines that F lets through, newest first.  0; the caller calls
 * pipeline_list_clear().
 */
int pipeline_list(
	struct pipeline_list *out, struct store *s, const struct pipeline_filter *f, struct err *e);
void pipeline_list_clear(struct pipeline_list *l);

/*
 * The newest pipeline of PROJECT that is of REPOSITORY, or whose pipeline_owner() is OWNER; NULL: any.  1
 * and *OUT, the caller's to pipeline_clear(); 0: there is none; -1.
 */
int pipeline_newest(struct pipeline *out, struct store *s, const char *project,
	const char *repository, const char *owner, struct err *e);

/*
 * Add the new pipeline P with its stages and set its id, or write what has changed of P and its
 * stages (state, times, messages).  To be called inside a transaction.  0, or -1.
 */
int pipeline_add(struct store *s, struct pipeline *p, struct err *e);
int pipeline_save(struct store *s, const struct pipeline *p, struct err *e);

/* The id of a newer pipeline of P's ref that has started: 1 and *NEWER; 0: there is none; -1. */
int pipeline_newer_started(
	struct store *s, const struct pipeline *p, int64_t *newer, struct err *e);
/* Ids of the older pipelines of P's ref that have stages which have not started, oldest first. */
struct pipeline_ids {
	int64_t *v;
	size_t n;
	size_t cap;
};
int pipeline_older_waiting(
	struct store *s, const struct pipeline *p, struct pipeline_ids *out, struct err *e);

/*
 * Add the facts of pipeline ID to *OUT; only those of the stages before STAGE unless that is NULL.
 * A later stage's value replaces an earlier one's.  0, or -1.
 */
int pipeline_facts(
	struct store *s, int64_t id, const char *stage, struct facts *out, struct err *e);
/*
 * Replace the facts of STAGE by those of NOW that are not in BEFORE, in one transaction.  0, or -1.
 */
int pipeline_save_facts(struct store *s, int64_t id, const char *stage, const struct facts *before,
	const struct facts *now, struct err *e);
/* Set the message of STAGE, from the process that runs it.  0, or -1. */
int pipeline_save_message(
	struct store *s, int64_t id, const char *stage, const char *message, struct err *e);

#endif
