#include "admit.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/store.h"
#include "data/config.h"
#include "gate/judge.h"
#include "gate/override.h"
#include "gate/push.h"
#include "gate/receive.h"
#include "gate.h"
#include "gate/tell.h"
#include "past.h"
#include "starter.h"

/* One push on its way through. */
struct admission {
	struct gate *gate;
	const struct receive *receive; /* the gate's */
	const struct push *push;
	struct past_teller past;
	struct receive_judged judged;
};

/* If no runner can be started, post-receive or the next push wakes one. */
static void wake(struct gate *g, enum starter_cause cause)
{
	(void)starter_wake(&g->starter, &g->receive, cause, NULL);
}

int admit_fault(struct gate *g, const struct push *push, enum code code, const char *reason)
{
	const struct receive *r = &g->receive;
	enum receive_recorded recorded = RECEIVE_NOT_RECORDED;
	char *text;

	/* Begun as far as the audit log needs it; a log that is held would be waited for again. */
	if (r->key != NULL && code != CODE_AUDIT)
		recorded = receive_record_fault(r, push, code, reason);
	text = tell_fault_text(r, code, reason, recorded);
	tell_pusher(r, text);
	free(text);
	if (recorded == RECEIVE_RECORDED)
		wake(g, STARTER_RECORDED);
	return 1;
}

static void fill_intent(struct intent *i, const struct admission *a, const struct verdict *v)
{
	const struct receive *r = a->receive;
	char hex[OID_HEX_SIZE];

	if (a->judged.outcome == OVERRIDE_SHADOWED && v->n_findings > 0)
		i->standing = INTENT_SHADOWED;
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
	i->method = mem_strdup(v->method != NULL ? v->method : "");
	i->chain = mem_strdup(v->chain != NULL ? v->chain : "");
	actor_copy(&i->actor, &r->actor);
	i->policy = mem_strdup(r->config->sha256);
	i->correlation_id = mem_strdup(r->correlation_id);
}

/*
 * A reference without rules has an intent too if it was let pass with findings: so update knows that it
 * was told and recorded.
 */
static int wants_intent(const struct verdict *v)
{
	return v->rule.kind != POLICY_FREE || v->n_findings > 0;
}

static int record_intents(struct admission *a, struct err *e)
{
	struct intent *intents = mem_zalloc(a->judged.n, sizeof(*intents));
	struct store *store = NULL;
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < a->judged.n; i++)
		if (wants_intent(&a->judged.verdicts[i]))
			fill_intent(&intents[n++], a, &a->judged.verdicts[i]);
	if (n > 0) {
		store = past_store(&a->past, e);
		result = store != NULL ? store_add_intents(store, intents, n, e) : -1;
	}
	for (size_t i = 0; i < n; i++)
		intent_clear(&intents[i]);
	free(intents);
	return result;
}

static int reject(const struct admission *a)
{
	const struct receive *r = a->receive;
	struct err e = ERR_INIT;
	int recorded = receive_record(r, &a->judged, NULL, &e) == 0;
	char *text = tell_rejected_text(
		r, &a->judged, recorded ? RECEIVE_RECORDED : RECEIVE_NOT_RECORDED);

	tell_pusher(r, text);
	free(text);
	if (recorded) {
		wake(a->gate, STARTER_RECORDED);
	} else {
		text = tell_fault_text(r, CODE_AUDIT, err_text(&e), RECEIVE_NOT_RECORDED);
		tell_pusher(r, text);
		free(text);
	}
	err_clear(&e);
	return 1;
}

/*
 * The push.* event, and policy.changed before it where the last push with rules was judged by another
 * policy.  The log is written before the store forgets the old one: it may be told twice, never
 * not.
 */
static enum code record_accepted(const struct admission *a, struct err *e)
{
	const struct receive *r = a->receive;
	const char *now = r->config->sha256;
	struct store *store = a->past.store;
	char *before = NULL;
	int known = 1, changed;
	enum code fault = CODE_NONE;

	if (store != NULL)
		known = store_policy(store, r->gitdir, &before, e);
	changed = before != NULL && strcmp(before, now) != 0;
	if (known < 0)
		fault = CODE_STORE;
	else if (receive_record(r, &a->judged, changed ? before : NULL, e) != 0)
		fault = CODE_AUDIT;
	else if ((changed || known == 0) && store_set_policy(store, r->gitdir, now, e) != 0)
		fault = CODE_STORE;
	free(before);
	return fault;
}

/* What lands may give a runner something to do. */
static enum starter_cause cause_of(const struct receive_judged *judged)
{
	for (size_t i = 0; i < judged->n; i++) {
		const struct verdict *v = &judged->verdicts[i];

		if (v->rule.kind == POLICY_OWN || (v->chain != NULL && v->chain[0] != '\0'))
			return STARTER_WORK;
	}
	return STARTER_RECORDED;
}

/* Intents first: a line that says "accepted" is true when it is written. */
static int accept(struct admission *a)
{
	const struct receive *r = a->receive;
	struct err e = ERR_INIT;
	enum code fault = CODE_STORE;
	int status = 0;
	char *text;

	if (record_intents(a, &e) == 0)
		fault = record_accepted(a, &e);
	if (fault != CODE_NONE) {
		status = admit_fault(a->gate, a->push, fault, err_text(&e));
	} else {
		text = tell_accepted_text(r, &a->judged);
		tell_pusher(r, text);
		free(text);
		/*
		 * Git does not run post-receive when the client is gone.  So a runner is started before
		 * the references move; it waits for what becomes of the intents.
		 */
		wake(a->gate, cause_of(&a->judged));
	}
	err_clear(&e);
	return status;
}

/* What the judged push comes to. */
static int settle(struct admission *a, struct verdict *verdicts, enum admit_by by)
{
	struct override override = {0};
	int status;

	if (by == ADMIT_BY_PRE_RECEIVE)
		override_find(&override, a->receive->config, &a->receive->actor);
	a->judged.override = &override;
	a->judged.outcome = override_decide(&override, a->receive->config, verdicts, a->judged.n);
	status = a->judged.outcome == OVERRIDE_REJECTED ? reject(a) : accept(a);
	a->judged.override = NULL;
	override_clear(&override);
	return status;
}

int admit(struct gate *g, const struct push *push, enum admit_by by)
{
	const struct receive *r = &g->receive;
	struct verdict *verdicts = mem_zalloc(push->n, sizeof(*verdicts));
	struct admission a = {
		.gate = g, .receive = r, .push = push, .judged = {verdicts, push->n, NULL, 0}};
	struct err e = ERR_INIT;
	struct judge judge;
	int status;

	receive_judge(r, push, &judge);
	past_init(&a.past, r->config->state, r->gitdir);
	judge.view.past = &a.past.past;
	if (judge_push(verdicts, &judge, &e) != 0) {
		/* What passes, as no room to merge in, is no fault of the repository. */
		enum code fault = past_failed(&a.past) || e.passing ? CODE_STORE : CODE_REPOSITORY;

		status = admit_fault(g, push, fault, err_text(&e));
	} else {
		status = settle(&a, verdicts, by);
		for (size_t i = 0; i < push->n; i++)
			verdict_clear(&verdicts[i]);
	}
	free(verdicts);
	judge_clear(&judge);
	past_clear(&a.past);
	err_clear(&e);
	return status;
}
