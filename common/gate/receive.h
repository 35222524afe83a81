/*
 * One push as a hook meets it: where it runs, for whom, under which configuration; and what it
 * tells the audit log.  What it tells the pusher: gate/tell.h.
 */
#ifndef MODELGATE_GATE_RECEIVE_H
#define MODELGATE_GATE_RECEIVE_H

#include <stddef.h>

#include "audit/record.h"
#include "base/clock.h"
#include "base/str.h"
#include "gate/code.h"
#include "gate/override.h"

struct config;
struct err;
struct judge;
struct push;
struct verdict;

struct receive {
	char *gitdir; /* absolute */
	struct config *config;
	char *project;
	char *gl_repository;  /* GL_REPOSITORY if GitLab is believed, else "" */
	char *correlation_id; /* CORRELATION_ID if GitLab is believed, else "" */
	struct actor actor;
	char id[CLOCK_ID_SIZE]; /* of this push, a ULID */
	char *key; /* what the hooks of one push share, and no two pushes at one time */
	enum receive_reader { RECEIVE_TERMINAL, RECEIVE_WEB_PAGE } reader; /* of what is told */
};

enum receive_start {
	RECEIVE_READY,
	RECEIVE_OUT_OF_SCOPE, /* not one of our repositories, or its own hook judges: pass at once */
	RECEIVE_BAD_CONFIG,   /* *E; MG901 */
	RECEIVE_BAD_REPOSITORY /* *E; MG902 */
};

/*
 * Find out where we are, as HOOK ("pre-receive").  Standard descriptors that are closed are opened on /dev/null first, so
 * that no file of ours gets their number.  The caller calls receive_clear() in any case.
 */
enum receive_start receive_begin(struct receive *r, const char *hook, struct err *e);
void receive_clear(struct receive *r);

/*
 * Read standard input to its end, at most PUSH_MAX_INPUT bytes, into *OUT (initialised).  0, or -1.
 */
int receive_input(struct str *out, struct err *e);

/* The judge for PUSH (resolved), with no repository open yet. */
void receive_judge(const struct receive *r, const struct push *push, struct judge *out);

/* A push that could be judged, and what its verdicts come to. */
struct receive_judged {
	const struct verdict *verdicts;
	size_t n;
	const struct override *override;
	enum override_outcome outcome;
};

/*
 * Append the one push.* event of a push with all its verdicts to the audit log.  BEFORE is the digest
 * of another policy that was in force until now, which policy.changed tells first; NULL: there was
 * none.  0, or -1 and *E (MG903).
 */
int receive_record(const struct receive *r, const struct receive_judged *judged, const char *before,
	struct err *e);
enum receive_recorded { RECEIVE_RECORDED, RECEIVE_NOT_RECORDED };
/*
 * Append push.rejected for a push that could not be judged: each update of PUSH (may be NULL) with
 * CODE and REASON.  Where that fails too, the push is rejected all the same.
 */
enum receive_recorded receive_record_fault(
	const struct receive *r, const struct push *push, enum code code, const char *reason);

#endif
