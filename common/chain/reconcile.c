#include "chain/reconcile.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/landing.h"
#include "chain/order.h"
#include "chain/source.h"
#include "chain/store-internal.h"
#include "chain/store.h"
#include "data/config.h"
#include "git/repository.h"
#include "sys/files.h"
#include "sys/process.h"

#define RECONCILE_MAX 1000 /* intents looked at in one pass */

struct intents {
	struct intent *v;
	size_t n;
	size_t cap;
};

static void intents_clear(struct intents *l)
{
	for (size_t i = 0; i < l->n; i++)
		intent_clear(&l->v[i]);
	free(l->v);
}

/*
 * Does the post-receive of the push KEY come no more?  What was made in the future was made before the
 * clock was set back.
 */
static int is_left_alone(const char *key, int64_t made, int64_t now)
{
	int64_t age = now - made;

	if (age < 0 || age > RECONCILE_PATIENCE)
		return 1;
	switch (process_look(key)) {
	case PROCESS_GONE:
		return 1;
	case PROCESS_LIVES:
		return 0;
	default:
		return age > RECONCILE_AGE;
	}
}

/* The open intents that are left alone at NOW, those of one repository together, in order. */
static int load(struct intents *out, struct store *s, int64_t now, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	if (sqlite_query(s->db, &q, e,
		    "SELECT " STORE_INTENT_COLUMNS ", created_at FROM (SELECT * FROM intent"
		    " WHERE state = 'open' ORDER BY created_at DESC LIMIT ?)"
		    " ORDER BY repository, id",
		    "i", (int64_t)RECONCILE_MAX) != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		struct intent *i;

		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		i = &out->v[out->n];
		store_intent_row(i, q);
		if (is_left_alone(i->push_key, sqlite_number(q, STORE_INTENT_COLUMN_COUNT), now))
			out->n++;
		else
			intent_clear(i);
	}
	sqlite_end(q);
	return row;
}

/* 1: a later intent began where I ends, and landed; 0; -1. */
static int is_left(struct store *s, const struct intent *i, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE repository = ? AND ref = ? AND old = ? AND id > ?"
		" AND state IN ('landed', 'unsourced') LIMIT 1",
		"ttti", i->repository, i->ref, i->new, i->id);
}

static int has_landed(struct store *s, struct repository *r, const struct intent *i, struct err *e)
{
	struct oid tip, new;
	int found = repository_tip(r, i->ref, &tip, e);

	if (found < 0 || oid_parse(&new, i->new) != 0)
		return found < 0 ? -1 : 0;
	if (found == 1 ? oid_equal(&tip, &new) : oid_is_zero(&new))
		return 1;
	return is_left(s, i, e);
}

static int record(struct store *s, struct repository *r, const struct config *config,
	const struct intent *i, struct err *e)
{
	struct landing l = {.intent = i};
	int result = source_look(&l.source, s, r, i, e);

	if (result == 0)
		result = landing_record(s, config, &l, 1, LANDING_BY_RECONCILER, e);
	landing_clear(&l);
	return result;
}

/* Close an intent whose push was refused after pre-receive, if it is old enough to know. */
static int lapse(struct store *s, const struct intent *i, int64_t now, struct err *e)
{
	return sqlite_run(s->db, e,
		"UPDATE intent SET state = 'lapsed'"
		" WHERE id = ? AND state = 'open' AND created_at < ?",
		"ii", i->id, now - RECONCILE_LAPSE);
}

/* Open intents of one repository. */
struct batch {
	struct store *s;
	const char *system_file;
	int64_t now;
	const struct intent *v;
	size_t n;
};

static int lapse_all(const struct batch *b, struct err *e)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < b->n; i++)
		result = lapse(b->s, &b->v[i], b->now, e);
	return result;
}

/*
 * Carry out an order whose reference is there, and finish one of which that was begun.  Whatever git
 * refused after pre-receive has no reference.
 */
static int look_at_order(
	const struct batch *b, struct repository *r, const struct intent *i, struct err *e)
{
	struct err why = ERR_INIT;
	int64_t one;
	int begun = sqlite_one(b->s->db, &one, e,
		"SELECT 1 FROM intent WHERE id = ? AND (state <> 'open' OR pipeline IS NOT NULL)",
		"i", i->id);
	int landed = begun == 0 ? has_landed(b->s, r, i, e) : begun;

	if (landed == 0)
		return lapse(b->s, i, b->now, e);
	if (landed == 1 && order_carry_out(b->s, i, &why) < 0)
		landed = err_set(e, "%s", err_text(&why));
	err_clear(&why);
	return landed == 1 ? order_clear_away(b->s, r, i, e) : -1;
}

static int look_at(const struct batch *b, struct repository *r, struct config **config,
	const struct intent *i, struct err *e)
{
	const struct config_sources from = {b->system_file, i->repository};
	struct order order;
	int landed;

	if (order_parse(&order, i->ref))
		return look_at_order(b, r, i, e);
	landed = has_landed(b->s, r, i, e);
	if (landed == 0)
		return lapse(b->s, i, b->now, e);
	if (landed == 1 && *config == NULL && config_load(config, &from, e) != 0)
		return -1;
	return landed == 1 ? record(b->s, r, *config, i, e) : -1;
}

static int reconcile_repository(const struct batch *b, struct err *e)
{
	struct repository *r = NULL;
	struct config *config = NULL;
	int result = 0;

	if (!files_exists(b->v[0].repository))
		return lapse_all(b, e);
	if (repository_open(&r, b->v[0].repository, REPOSITORY_OBJECTS, e) != 0)
		return -1;
	/* One that cannot be dealt with, such as an order whose reference stays, holds up no other. */
	for (size_t i = 0; i < b->n; i++)
		if (look_at(b, r, &config, &b->v[i], e) != 0)
			result = -1;
	config_free(config);
	repository_free(r);
	return result;
}

int reconcile(struct store *s, const char *system_file, int64_t now, struct err *e)
{
	struct batch b = {.s = s, .system_file = system_file, .now = now};
	struct intents open = {0};
	struct err one = ERR_INIT;
	int result = load(&open, s, now, e);

	for (size_t i = 0; result >= 0 && i < open.n; i += b.n) {
		b.v = &open.v[i];
		for (b.n = 1; i + b.n < open.n && str_same(b.v[0].repository, b.v[b.n].repository);)
			b.n++;
		if (reconcile_repository(&b, &one) != 0) {
			(void)err_set(e, "%s: %s", b.v[0].repository, err_text(&one));
			err_clear(&one);
			result = 1;
		}
	}
	intents_clear(&open);
	return result == 0 ? 0 : -1;
}

int reconcile_awaits(struct store *s, int64_t now, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row = 0, awaits = 0;

	if (sqlite_query(s->db, &q, e,
		    "SELECT push_key, created_at FROM intent WHERE state = 'open'"
		    " AND created_at BETWEEN ? AND ?",
		    "ii", now - RECONCILE_PATIENCE, now) != 0)
		return -1;
	while (!awaits && (row = sqlite_next(q, e)) == 1)
		awaits = !is_left_alone(sqlite_text(q, 0), sqlite_number(q, 1), now);
	sqlite_end(q);
	return row < 0 ? -1 : awaits;
}
