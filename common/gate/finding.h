/*
 * The words of each rejection: a reason with the pusher's own refs and commits, and what to do
 * next. Each function adds one finding to the verdict; every text is made harmless for a terminal.
 */
#ifndef MODELGATE_GATE_FINDING_H
#define MODELGATE_GATE_FINDING_H

#include <stddef.h>

#include "gate/code.h"

struct actor;
struct oid;
struct config_branch;
struct step;
struct strlist;
struct verdict;

#define FINDING_MAX_NAME 200     /* bytes of a name in a message */
#define FINDING_MAX_OF_A_CODE 50 /* findings; what is beyond says nothing new */

/*
 * Add a finding to *V, behind those of the same and of lower codes, decided by the KEY of SECTION (both may be NULL, see struct finding).  REASON and
 * FIX are taken over; FIX may be NULL.
 */
struct finding_key {
	const char *section;
	const char *key;
};
void finding_add(struct verdict *v, enum code code, struct finding_key by, char *reason, char *fix);
/* How many findings of CODE there are. */
size_t finding_count(const struct verdict *v, enum code code);
/*
 * "WHAT dev, then open a merge request dev -> main": the way to V's branch; where FROM, the branch that
 * the commits are on, or NULL, is on the way itself, from there on.  The caller's to free().
 */
char *finding_way_in(const struct verdict *v, const char *what, const char *from);

void finding_rewrite(struct verdict *v);
void finding_direct(struct verdict *v, const struct step *step);
void finding_direct_path(struct verdict *v, const struct step *step, const char *path);
void finding_left_line(struct verdict *v, const struct step *step);
/* FROM: the reference that the merged commit comes from, or NULL. */
void finding_foreign(struct verdict *v, const struct step *step, const char *from);
#define FINDING_MAX_PATHS 5 /* paths that a message names */
/* The merge of STEP is not the automatic one (its content says how), in PATHS and more, TOTAL in all. */
void finding_content(
	struct verdict *v, const struct step *step, const struct strlist *paths, size_t total);
void finding_method(struct verdict *v, const struct step *step);
void finding_octopus(struct verdict *v, const struct step *step);
void finding_deletion(struct verdict *v);
void finding_creation(struct verdict *v);
void finding_retrain_name(struct verdict *v, const char *branch);
void finding_lookalike(struct verdict *v, const char *ref, const char *like);
/* ROLES: those that the rule asks for; BY: its key. */
void finding_role(struct verdict *v, const struct actor *actor, const struct strlist *roles,
	struct finding_key by);
/* The reference is at NOW (zeros: it is not there), not where the push says it was. */
void finding_stale(struct verdict *v, const struct oid *now);

/* "dev, retrain-<pipeline_id>-<date>": what BRANCH takes merges from; the caller's to free(). */
char *finding_sources_text(const struct config_branch *branch);

#endif
