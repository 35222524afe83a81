/*
 * modelgate's post-receive hook (githooks(5)): turns the intents of what has landed into pipelines
 * and wakes the runner.  It never fails the push; what it cannot do now, the runner does later.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/landing.h"
#include "chain/order.h"
#include "chain/source.h"
#include "chain/store.h"
#include "data/config.h"
#include "gate.h"
#include "gate/policy.h"
#include "gate/push.h"
#include "gate/receive.h"
#include "gate/tell.h"
#include "git/repository.h"

struct landed {
	struct intent *intents; /* found in the store, as many as landings */
	struct landing *landings;
	size_t n;
};

static void landed_clear(struct landed *l)
{
	for (size_t i = 0; i < l->n; i++) {
		intent_clear(&l->intents[i]);
		landing_clear(&l->landings[i]);
	}
	free(l->intents);
	free(l->landings);
}

/* In shadow mode a reference without rules has an intent if its name was found fault with. */
static int may_have_intent(const struct receive *r, const struct policy_rule *rule)
{
	return rule->kind != POLICY_FREE || r->config->mode == CONFIG_SHADOW;
}

/* The intent of the update U of this push: 1 and *OUT, 0, or -1. */
static int find_intent(struct intent *out, struct store *store, const struct receive *r,
	const struct push_update *u, struct err *e)
{
	char old[OID_HEX_SIZE], new[OID_HEX_SIZE];
	int found;

	oid_hex(&u->old, old);
	oid_hex(&u->new, new);
	found = store_find_intent(store, r->key, r->gitdir, u->target, old, new, out, e);
	if (found == 0) /* started by another process than pre-receive was */
		found = store_find_intent(store, NULL, r->gitdir, u->target, old, new, out, e);
	return found;
}

/* Find the intents of the branches that PUSH says have landed.  0, or -1. */
static int find_landed(struct landed *out, struct store *store, struct repository *repository,
	const struct receive *r, const struct push *push, struct err *e)
{
	out->intents = mem_zalloc(push->n, sizeof(*out->intents));
	out->landings = mem_zalloc(push->n, sizeof(*out->landings));
	for (size_t i = 0; i < push->n; i++) {
		const struct push_update *u = &push->v[i];
		struct intent *intent = &out->intents[out->n];
		struct policy_rule rule;
		int found;

		policy_rule(&rule, r->config, u->target);
		if (!may_have_intent(r, &rule) || rule.kind == POLICY_OWN)
			continue;
		found = find_intent(intent, store, r, u, e);
		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		out->landings[out->n].intent = intent;
		/*
		 * The source's own update may have been refused after pre-receive: look once more.
		 */
		if (source_look(&out->landings[out->n++].source, store, repository, intent, e) != 0)
			return -1;
	}
	return 0;
}

static void tell_pipelines(const struct receive *r, const struct landed *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct landing *landing = &l->landings[i];
		const char *branch = landing->intent->ref;
		char *stages, *text, *name;

		if (landing->pipeline == 0)
			continue;
		if (str_starts(branch, "refs/heads/"))
			branch += strlen("refs/heads/");
		stages = strlist_join(&landing->stages, " -> ");
		name = str_safe(branch, PUSH_MAX_REF);
		text = mem_format("pipeline %lld created: chain %s on %s %.*s: %s\n",
			(long long)landing->pipeline, landing->chain, name, OID_SHORT,
			landing->intent->new, stages);
		tell_pusher(r, text);
		free(text);
		free(name);
		free(stages);
	}
}

/* Queue the stage that I asks for, and tell.  0, or -1. */
static int play(const struct receive *r, struct store *store, struct repository *repository,
	const struct intent *i, struct err *e)
{
	struct err why = ERR_INIT;
	struct order order = {0};
	int done = order_carry_out(store, i, &why);
	char *text = NULL, *safe;

	(void)order_parse(&order, i->ref); /* it was carried out */
	if (done == 1)
		text = mem_format("pipeline %lld: stage %s is queued", (long long)order.pipeline,
			order.stage);
	else if (done == 0)
		text = mem_format("pipeline %lld was not played: %s", (long long)order.pipeline,
			err_text(&why));
	if (text != NULL && (done == 0 || r->reader != RECEIVE_WEB_PAGE)) {
		safe = str_safe(text, 4096);
		tell_pusher(r, safe);
		free(safe);
	}
	free(text);
	if (done < 0)
		(void)err_set(e, "%s", err_text(&why));
	err_clear(&why);
	/* Should it stay now, the runner removes it. */
	if (done >= 0)
		(void)order_clear_away(store, repository, i, NULL);
	return done < 0 ? -1 : 0;
}

static int play_all(const struct receive *r, struct store *store, struct repository *repository,
	const struct push *push, struct err *e)
{
	int result = 0;

	for (size_t k = 0; result == 0 && k < push->n; k++) {
		struct policy_rule rule;
		struct intent intent;

		policy_rule(&rule, r->config, push->v[k].target);
		if (rule.kind != POLICY_OWN)
			continue;
		result = find_intent(&intent, store, r, &push->v[k], e);
		if (result == 1)
			result = play(r, store, repository, &intent, e);
		intent_clear(&intent);
	}
	return result;
}

static int record(const struct receive *r, const struct push *push, struct err *e)
{
	struct store *store = NULL;
	struct repository *repository = NULL;
	struct landed landed = {0};
	int result = -1;

	if (repository_open(&repository, r->gitdir, REPOSITORY_OBJECTS, e) != 0)
		goto out;
	if (store_open(&store, r->config->state, e) != 0)
		goto out;
	if (find_landed(&landed, store, repository, r, push, e) != 0)
		goto out;
	if (landed.n > 0 && landing_record(store, r->config, landed.landings, landed.n,
				    LANDING_BY_POST_RECEIVE, e) != 0)
		goto out;
	/* GitLab's web page shows nothing of a push that went well. */
	if (r->reader != RECEIVE_WEB_PAGE)
		tell_pipelines(r, &landed);
	result = play_all(r, store, repository, push, e);
out:
	landed_clear(&landed);
	store_close(store);
	repository_free(repository);
	return result;
}

static int may_have_intents(const struct receive *r, const struct push *push)
{
	struct policy_rule rule;

	for (size_t i = 0; i < push->n; i++) {
		policy_rule(&rule, r->config, push->v[i].target);
		if (may_have_intent(r, &rule))
			return 1;
	}
	return 0;
}

static void tell_failure(const struct receive *r, const struct err *e)
{
	char *text = tell_unrecorded_text(r, err_text(e));

	tell_pusher(r, text);
	free(text);
}

static int land(struct gate *g, const struct str *input, struct err *e)
{
	const struct receive *r = &g->receive;
	struct err ignored = ERR_INIT;
	struct push push;
	int result = 0;

	/* What is malformed has been refused before; were it not, nothing of it is known. */
	if (push_parse(&push, input->buf, input->len, e) != PUSH_OK ||
		push_resolve(&push, r->gitdir, e) != 0) {
		result = -1;
	} else if (may_have_intents(r, &push)) {
		result = record(r, &push, e);
		/* Above all if it could not be recorded: then the runner is to find what has landed. */
		if (starter_wake(&g->starter, r, STARTER_WORK, result == 0 ? e : &ignored) != 0)
			result = -1;
	}
	err_clear(&ignored);
	push_clear(&push);
	return result;
}

/* Whatever ends the process, also the lack of memory, it does not fail the push. */
static void end_well(void)
{
	_exit(0);
}

static void end_by_signal(int number)
{
	(void)number;
	_exit(0);
}

/*
 * Also where a server that is shut down, or whose client is gone, sends a signal: what was not done then
 * the runner finds.  What is started from here has these signals at their defaults.
 */
static void expect_signals(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM, SIGXCPU};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], end_by_signal); /* cannot fail for these signals */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is a failed write */
}

int main(void)
{
	struct err e = ERR_INIT;
	struct gate g;
	struct str input;
	enum receive_start start;

	expect_signals();
	(void)atexit(end_well); /* without it, the push would fail where memory ends */
	str_init(&input);
	start = gate_begin(&g, "post-receive", GATE_FOLLOWS, &e);
	if (start == RECEIVE_READY && receive_input(&input, &e) == 0)
		(void)land(&g, &input, &e); /* what failed stands in e */
	if (start != RECEIVE_OUT_OF_SCOPE && e.text != NULL)
		tell_failure(&g.receive, &e);
	str_clear(&input);
	gate_end(&g);
	err_clear(&e);
	return 0;
}
