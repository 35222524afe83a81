/*
 * The words of each rejection: a reason with the pusher's own refs and commits, and what to do
 * next. Each function adds one finding to the verdict; every text is made harmless for a terminal.
 */
#ifndef MODELGATE_GATE_FINDING_H
#define MODELGATE_GATE_FINDING_H

#include <stddef.h>

struct actor;
struct oid;
struct config_branch;
struct step;
struct strlist;
struct verdict;

void finding_rewrite(struct verdict *v);
void finding_direct(struct verdict *v, const struct step *step);
void finding_direct_path(struct verdict *v, const struct step *step, const char *path);
void finding_left_line(struct verdict *v, const struct step *step);
/* FROM: the reference that the merged commit comes from, or NULL. */
void finding_foreign(struct verdict *v, const struct step *step, const char *from);
void finding_octopus(struct verdict *v, const struct step *step);
void finding_deletion(struct verdict *v);
void finding_creation(struct verdict *v);
void finding_retrain_name(struct verdict *v, const char *branch);
void finding_retrain_date(struct verdict *v, const char *date, const struct strlist *formats);
void finding_retrain_future(struct verdict *v, const char *date);
/* ID is not terminated. */
void finding_retrain_pipeline(struct verdict *v, const char *id, size_t len);
void finding_retrain_moved(struct verdict *v);
void finding_lookalike(struct verdict *v, const char *ref, const char *like);
void finding_required_file(struct verdict *v, const char *path);
void finding_role(struct verdict *v, const struct actor *actor);
/* The reference is at NOW (zeros: it is not there), not where the push says it was. */
void finding_stale(struct verdict *v, const struct oid *now);
void finding_reserved(struct verdict *v, const char *ref);

/* "dev, retrain-<pipeline_id>-<date>": what BRANCH takes merges from; the caller's to free(). */
char *finding_sources_text(const struct config_branch *branch);

#endif
