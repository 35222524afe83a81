#include "admit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/launcher-local.h"
#include "chain/store.h"
#include "data/config.h"
#include "gate/judge.h"
#include "gate/push.h"
#include "gate/receive.h"

/* The store, opened when it is first needed. */
struct lazy_store {
	const struct receive *receive;
	struct store *store;
	int failed;
};

static int need_store(struct lazy_store *lazy, struct err *e)
{
	if (lazy->store != NULL)
		return 0;
	if (store_open(&lazy->store, lazy->receive->config->state, e) == 0)
		return 0;
	lazy->failed = 1;
	return -1;
}

/* For struct provenance_view: did REF come to TIP through the gates? */
static int landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	struct lazy_store *lazy = context;
	char hex[OID_HEX_SIZE];
	int found;

	if (need_store(lazy, e) != 0)
		return -1;
	oid_hex(tip, hex);
	found = store_landed(lazy->store, lazy->receive->gitdir, ref, hex, e);
	lazy->failed = found < 0;
	return found;
}

int admit_fault(
	const struct receive *r, const struct push *push, enum code code, const char *reason)
{
	enum receive_recorded recorded = RECEIVE_NOT_RECORDED;
	char *text;

	if (r->key != NULL) /* begun as far as the audit log needs it */
		recorded = receive_record_fault(r, push, code, reason);
	text = receive_fault_text(r, code, reason, recorded);
	receive_tell(text);
	free(text);
	return 1;
}

static void fill_intent(struct intent *i, const struct receive *r, const struct verdict *v)
{
	char hex[OID_HEX_SIZE];

	i->push_id = mem_strdup(r->id);
	i->push_key = mem_strdup(r->key);
	i->repository = mem_strdup(r->gitdir);
	i->project = mem_strdup(r->project);
	i->gl_repository = mem_strdup(r->gl_repository);
	i->ref = mem_strdup(v->update->target);
	oid_hex(&v->update->old, hex);
	i->old = mem_strdup(hex);
	oid_hex(&v->update->new, hex);
	i->new = mem_strdup(hex);
	i->source = mem_strdup(v->source != NULL ? v->source : "");
	oid_hex(&v->source_oid, hex);
	i->source_oid = mem_strdup(v->source != NULL ? hex : "");
	i->merged = strlist_join(&v->merged, "\n");
	i->method = mem_strdup(v->method);
	i->chain = mem_strdup(v->chain != NULL ? v->chain : "");
	actor_copy(&i->actor, &r->actor);
	i->policy = mem_strdup(r->config->sha256);
	i->correlation_id = mem_strdup(r->correlation_id);
}

static int record_intents(
	struct lazy_store *lazy, const struct verdict *verdicts, size_t n, struct err *e)
{
	struct intent *intents = mem_zalloc(n, sizeof(*intents));
	size_t n_intents = 0;
	int result = 0;

	for (size_t i = 0; i < n; i++)
		if (verdicts[i].rule.kind != POLICY_FREE)
			fill_intent(&intents[n_intents++], lazy->receive, &verdicts[i]);
	if (n_intents > 0) {
		result = need_store(lazy, e);
		if (result == 0)
			result = store_add_intents(lazy->store, intents, n_intents, e);
	}
	for (size_t i = 0; i < n_intents; i++)
		intent_clear(&intents[i]);
	free(intents);
	return result;
}

static int reject(const struct receive *r, const struct verdict *verdicts, size_t n)
{
	struct err e = ERR_INIT;
	int recorded = receive_record(r, "push.rejected", verdicts, n, NULL, &e) == 0;
	char *text = receive_rejection_text(
		r, verdicts, n, recorded ? RECEIVE_RECORDED : RECEIVE_NOT_RECORDED);

	receive_tell(text);
	free(text);
	if (!recorded) {
		text = receive_fault_text(r, CODE_AUDIT, err_text(&e), RECEIVE_NOT_RECORDED);
		receive_tell(text);
		free(text);
	}
	err_clear(&e);
	return 1;
}

/*
 * push.accepted, and policy.changed before it where the last push with rules was judged by another
 * policy.  The log is written before the store forgets the old one: it may be told twice, never
 * not.
 */
static enum code record_accepted(
	struct lazy_store *lazy, const struct verdict *verdicts, size_t n, struct err *e)
{
	const struct receive *r = lazy->receive;
	const char *now = r->config->sha256;
	char *before = NULL;
	int known = 1, changed;
	enum code fault = CODE_NONE;

	if (lazy->store != NULL)
		known = store_policy(lazy->store, r->gitdir, &before, e);
	changed = before != NULL && strcmp(before, now) != 0;
	if (known < 0)
		fault = CODE_STORE;
	else if (receive_record(r, "push.accepted", verdicts, n, changed ? before : NULL, e) != 0)
		fault = CODE_AUDIT;
	else if ((changed || known == 0) && store_set_policy(lazy->store, r->gitdir, now, e) != 0)
		fault = CODE_STORE;
	free(before);
	return fault;
}

/*
 * Git does not run post-receive when the client is gone.  So a runner is started before the references
 * move; it waits for what becomes of the intents.
 */
static int has_chain(const struct verdict *verdicts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (verdicts[i].chain != NULL && verdicts[i].chain[0] != '\0')
			return 1;
	return 0;
}

/* Intents first: a line that says "accepted" is true when it is written. */
static int accept(
	struct lazy_store *lazy, const struct push *push, const struct verdict *verdicts, size_t n)
{
	struct err e = ERR_INIT;
	enum code fault = CODE_STORE;
	int status = 0;

	if (record_intents(lazy, verdicts, n, &e) == 0)
		fault = record_accepted(lazy, verdicts, n, &e);
	if (fault != CODE_NONE)
		status = admit_fault(lazy->receive, push, fault, err_text(&e));
	else if (has_chain(verdicts, n))
		/* If it fails, post-receive or the next push wakes one. */
		(void)launcher_local_wake(lazy->receive->config, lazy->receive->gitdir, NULL, NULL);
	err_clear(&e);
	return status;
}

int admit(const struct receive *r, const struct push *push)
{
	struct verdict *verdicts = mem_zalloc(push->n, sizeof(*verdicts));
	struct lazy_store lazy = {.receive = r};
	struct err e = ERR_INIT;
	struct judge judge;
	int rejected = 0, status;
	size_t n = 0;

	receive_judge(r, push, &judge);
	judge.view.landed = landed;
	judge.view.context = &lazy;
	for (; n < push->n; n++) {
		if (judge_update(&verdicts[n], &judge, n, &e) != 0) {
			status = admit_fault(
				r, push, lazy.failed ? CODE_STORE : CODE_REPOSITORY, err_text(&e));
			goto out;
		}
		rejected |= verdicts[n].n_findings > 0;
	}
	status = rejected ? reject(r, verdicts, n) : accept(&lazy, push, verdicts, n);
out:
	for (size_t i = 0; i < n; i++)
		verdict_clear(&verdicts[i]);
	free(verdicts);
	judge_clear(&judge);
	store_close(lazy.store);
	err_clear(&e);
	return status;
}
