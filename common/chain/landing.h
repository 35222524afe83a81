/*
 * A landing: a ref with an intent has moved.  One landing makes exactly one pipeline, however many
 * intents name it and whoever sees it first, post-receive or the runner that reconciles.
 */
#ifndef MODELGATE_CHAIN_LANDING_H
#define MODELGATE_CHAIN_LANDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct config;
struct err;
struct intent;
struct store;

enum landing_seen { LANDING_BY_POST_RECEIVE, LANDING_BY_RECONCILER };
enum landing_source {
	LANDING_SOURCED,
	LANDING_UNSOURCED /* no source holds what was merged: no chain, ref.unsourced is recorded */
};

struct landing {
	const struct intent *intent; /* as found in the store */
	enum landing_source source;
	/* filled in: */
	int64_t pipeline;      /* 0: none was to be launched */
	char *chain;           /* owned; NULL: none */
	struct strlist stages; /* owned; names in order */
};
void landing_clear(struct landing *l);

/*
 * In one transaction: close the open intents that name these landings, make their pipelines with
 * the stages that CONFIG gives their chains, and append ref.updated, pipeline.created (or
 * pipeline.reconciled, ref.unsourced) to the audit log.  An intent that was closed before gives the
 * pipeline it has, and nothing is made or recorded twice.  0, or -1: nothing was changed.
 */
int landing_record(struct store *s, const struct config *config, struct landing *landings, size_t n,
	enum landing_seen seen, struct err *e);

#endif
