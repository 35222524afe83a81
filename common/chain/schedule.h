/* Which stage the runner starts next. */
#ifndef MODELGATE_CHAIN_SCHEDULE_H
#define MODELGATE_CHAIN_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "chain/status.h"

struct err;
struct store;

/* A stage that is pending or running.  Of one pipeline there is never more than one. */
struct schedule_row {
	int64_t pipeline;
	char *stage;
	char *project;
	char *environment;
	char *repository;
	enum status status;
	int64_t not_before;
	enum schedule_where { SCHEDULE_HERE, SCHEDULE_ON_GITLAB } where;
};

struct schedule {
	struct schedule_row *v; /* in the order of their pipelines */
	size_t n;
	size_t cap;
};
int schedule_load(struct schedule *out, struct store *s, struct err *e);
void schedule_clear(struct schedule *q);

/*
 * The row to start here at NOW, or NULL.  At most PARALLEL run here at once.  Of one project and environment
 * only the oldest pipeline that is pending or running is looked at: so its stages exclude those of
 * the others and go first, also while it waits for another try.
 */
struct schedule_row *schedule_next(const struct schedule *q, int64_t parallel, int64_t now);
/* How many rows run, or are to run, THERE. */
size_t schedule_count(const struct schedule *q, enum schedule_where there);
/* 1: a stage of PROJECT runs in ENVIRONMENT on GitLab, as far as we know; 0; -1. */
int schedule_is_busy_there(
	struct store *s, const char *project, const char *environment, struct err *e);
/* 1: another pipeline of its project and environment is to go before PIPELINE; 0. */
int schedule_is_held(const struct schedule *q, int64_t pipeline);

#endif
