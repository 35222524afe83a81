/*
 * What a runner does for the audit log beside its work: rotates it when it is time (audit/rotate.h), and
 * copies new records to syslog (audit/copy.h).  No stage waits for it, and none fails by it: what does not
 * succeed is told, once, and tried again.
 */
#ifndef MODELGATE_CHAIN_UPKEEP_H
#define MODELGATE_CHAIN_UPKEEP_H

#include <stdint.h>

#include "audit/rotate.h"

struct pulse;

struct upkeep_options {
	struct rotate_limits limits;
	const char *syslog; /* the socket; NULL or "": no copy is made */
};

struct upkeep {
	const char *state; /* state directory; borrowed, as OPTIONS */
	const struct upkeep_options *options;
	struct pulse *pulse;
	/* By clock_monotonic(): not before. */
	int64_t look_at;
	int64_t rotate_at; /* after a fault */
	int64_t size;      /* of the log when it was copied last; -1: not yet */
	int64_t file;      /* its inode */
	/* What failed the last time, and was told; NULL: nothing. */
	char *rotate_fault;
	char *copy_fault;
};

void upkeep_init(struct upkeep *u, const char *state, const struct upkeep_options *options,
	struct pulse *pulse);
void upkeep_clear(struct upkeep *u);

/* Do what is to be done, at most once a second, and for not much longer than one: the rest is for the next time. */
void upkeep_look(struct upkeep *u);
/* The same at once: the runner is about to end.  1: there is more to be copied; 0. */
int upkeep_end(struct upkeep *u);
/* 1: something was recorded after the last time, and somebody may rely on it being copied; 0. */
int upkeep_is_wanted(const struct upkeep *u);

#endif
