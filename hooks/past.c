#include "past.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/order.h"
#include "chain/store.h"
#include "git/oid.h"

static int landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	struct past_teller *p = context;
	struct store *store = past_store(p, e);
	char hex[OID_HEX_SIZE];
	int found;

	if (store == NULL)
		return -1;
	oid_hex(tip, hex);
	found = store_landed(store, p->gitdir, ref, hex, e);
	if (found < 0)
		p->outcome = PAST_FAILED;
	return found;
}

/* EACH of the gate may fail for reasons of its own, which are not the store's. */
struct names {
	int (*each)(void *arg, const char *ref);
	void *arg;
	int ended; /* what EACH returned when it had enough */
};

static int pass_on(void *arg, const char *ref)
{
	struct names *names = arg;

	names->ended = names->each(names->arg, ref);
	return names->ended != 0;
}

static int used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	struct past_teller *p = context;
	struct store *store = past_store(p, e);
	struct names names = {.each = each, .arg = arg};

	if (store == NULL)
		return -1;
	if (store_used(store, p->gitdir, prefix, pass_on, &names, e) < 0) {
		p->outcome = PAST_FAILED;
		return -1;
	}
	return names.ended;
}

static int deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	struct past_teller *p = context;
	struct store *store = past_store(p, e);
	char *sha = NULL;
	int found;

	memset(commit, 0, sizeof(*commit));
	if (store == NULL)
		return -1;
	found = store_deployed(store, p->gitdir, id, chain, &sha, e);
	if (found == 1 && oid_parse(commit, sha) != 0)
		found = err_set(e, "pipeline %s of the store has no commit", id);
	free(sha);
	if (found < 0)
		p->outcome = PAST_FAILED;
	return found;
}

static int order(void *context, const char *ref, struct past_order *out, struct err *e)
{
	struct past_teller *p = context;
	struct store *store;
	struct err why = ERR_INIT;
	struct order o;
	int could;

	memset(out, 0, sizeof(*out));
	if (!order_parse(&o, ref))
		return 0;
	store = past_store(p, e);
	if (store == NULL)
		return -1;
	could = order_look(&out->chain, store, p->gitdir, &o, &why);
	if (could < 0) {
		p->outcome = PAST_FAILED;
		(void)err_set(e, "%s", err_text(&why));
	}
	if (could == 0)
		out->refused = mem_strdup(err_text(&why));
	err_clear(&why);
	return could < 0 ? -1 : 1;
}

void past_init(struct past_teller *out, const char *state, const char *gitdir)
{
	memset(out, 0, sizeof(*out));
	out->past = (struct past){landed, used, deployed, order, out};
	out->state = state;
	out->gitdir = gitdir;
}

struct store *past_store(struct past_teller *p, struct err *e)
{
	if (p->store == NULL && store_open(&p->store, p->state, e) != 0)
		p->outcome = PAST_FAILED;
	return p->store;
}

int past_failed(const struct past_teller *p)
{
	return p->outcome == PAST_FAILED;
}

void past_clear(struct past_teller *p)
{
	store_close(p->store);
	memset(p, 0, sizeof(*p));
}
