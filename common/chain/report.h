/*
 * What a stage that ran in a GitLab CI job leaves for us: a JSON file among the job's artifacts, written by
 * `modelgate stage` and read by the launcher.
 *
 *   {"stage":"build","status":"failed","message":"...","passing":true,"refused":false,
 *    "facts":{"image":"..."}}
 */
#ifndef MODELGATE_CHAIN_REPORT_H
#define MODELGATE_CHAIN_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "stage/facts.h"

struct err;
struct pipeline;
struct store;

#define REPORT_FILE "modelgate-%s.json" /* with the stage's name; in the job's work tree */
/* What is taken from a report: it comes from a job, which a pusher's Dockerfile ran in. */
#define REPORT_MAX_FACTS 64
#define REPORT_MAX_NAME 64
#define REPORT_MAX_VALUE 4096

struct report {
	char *message;  /* why it failed; NULL: it did not say */
	int is_passing; /* another try may help */
	int is_refused; /* the stage was not let start: it is not the turn of its pipeline, or of who asks */
	struct facts facts;
};
void report_clear(struct report *r);

/* 0 and *OUT, the caller's to report_clear(); -1 and *E: it is no report of STAGE. */
int report_parse(
	struct report *out, const char *text, size_t len, const char *stage, struct err *e);
/* The file's text; the caller's to free().  R->message: NULL where the stage succeeded. */
char *report_render(const struct report *r, const char *stage);
/* Store the facts as those of P's STAGE.  0, or -1. */
int report_save(const struct report *r, struct store *s, const struct pipeline *p,
	const char *stage, struct err *e);

#endif
