/*
 * Whose a name is: a registered model, an image name and a DAG id belong to the repository that
 * first made them (contract, section 7).  Kept in <state>/store.db.
 */
#ifndef MODELGATE_STAGE_OWNER_H
#define MODELGATE_STAGE_OWNER_H

struct config;
struct err;
struct stage_job;

enum owner_kind { OWNER_MODEL, OWNER_IMAGE, OWNER_DAG };

/*
 * Claim NAME for the repository of JOB.  0: it is its own, from now on or before.  -1 and *E: it
 * belongs to another repository, which *E names; or the store cannot be used.
 */
int owner_claim(const struct stage_job *job, enum owner_kind kind, const char *name, struct err *e);

/*
 * Claim every name that a stage of JOB's chain would claim, before they run where this store is not.  0, or
 * -1 and *E as above.
 */
int owner_claim_all(const struct stage_job *job, struct err *e);

/* Whose NAME is.  1: *OWNER is the caller's to free().  0: nobody's yet.  -1. */
int owner_find(char **owner, const struct config *config, enum owner_kind kind, const char *name,
	struct err *e);
/* What a KIND is called: "registered model", "image name", "DAG id". */
const char *owner_kind_text(enum owner_kind kind);

#endif
