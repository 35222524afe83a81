/*
 * Names of references: what git accepts, what a retrain branch is called, what only looks like a
 * branch.
 */
#ifndef MODELGATE_GATE_NAMES_H
#define MODELGATE_GATE_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct config;
struct strlist;

#define NAMES_HEADS "refs/heads/"
#define NAMES_TAGS "refs/tags/"
#define NAMES_RETRAIN "retrain"
#define NAMES_RETRAIN_PREFIX "retrain-"
#define NAMES_RETRAIN_GLOB "retrain-*"                    /* in merge-from */
#define NAMES_RETRAIN_FORM "retrain-<pipeline_id>-<date>" /* as shown to people */
#define NAMES_DEVELOPMENT "dev"

/* 1 if git would accept REF as a full reference name (git-check-ref-format(1)) below refs/. */
int names_is_ref(const char *ref);
/* The branch's short name, a pointer into REF; NULL: REF is no branch. */
const char *names_branch(const char *ref);

/* The parts of "retrain-<pipeline_id>-<date>", pointers into the name. */
struct names_retrain {
	const char *id; /* digits, not terminated */
	size_t id_len;
	const char *date; /* not checked, not empty */
};
/* Take BRANCH apart: 1, or 0 where it has no such form. */
int names_retrain(struct names_retrain *out, const char *branch);

/* 1 if BRANCH starts with "retrain" in any case and is neither `retrain` nor of the form above. */
int names_is_retrain_like(const char *branch);

enum names_date { NAMES_DATE_OK, NAMES_DATE_WRONG, NAMES_DATE_FUTURE };
/*
 * Is TEXT a day, written in one of the FORMATS (strftime), that has begun somewhere on Earth at NOW
 * (microseconds since 1970)?  A date that is not the same text when printed back is WRONG.
 */
enum names_date names_date(const char *text, const struct strlist *formats, int64_t now);

/* The day of NOW (as above, UTC) written in FORMAT, one of those; the caller's to free(). */
char *names_day(const char *format, int64_t now);
/* 1 if the dates A and B, of any two of the FORMATS, can mean one day, or are the same text. */
int names_same_day(const char *a, const char *b, const struct strlist *formats);
/*
 * 1 if BRANCH is retrain-<pipeline_id>-<date> with an id without leading zeros and a real day, in
 * the future or not, in a format of C.
 */
int names_is_well_formed_retrain(const struct config *c, const char *branch);

/*
 * The branch that the reference REF could be mistaken for, although it is another: one that differs
 * by case alone, one below it, or a tag of its name; among `dev`, the branches of C and retrain
 * branches.  Borrowed from C or REF; NULL: none.
 */
const char *names_lookalike(const struct config *c, const char *ref);

#endif
