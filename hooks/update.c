/*
 * modelgate's update hook (githooks(5)): lets a reference pass that pre-receive let pass in this
 * push, and judges it alone where pre-receive did not run.
 */
#include <signal.h>

#include "admit.h"
#include "base/err.h"
#include "chain/store.h"
#include "data/config.h"
#include "gate.h"
#include "gate/judge.h"
#include "gate/push.h"
#include "gate/receive.h"
#include "past.h"

/* 1: an intent of this push names the update; 0: none does; -1. */
static int was_judged(const struct receive *r, const struct push_update *u, struct err *e)
{
	char old[OID_HEX_SIZE], new[OID_HEX_SIZE];
	struct store *store = NULL;
	int found;

	if (store_open(&store, r->config->state, e) != 0)
		return -1;
	oid_hex(&u->old, old);
	oid_hex(&u->new, new);
	found = store_find_intent(store, r->key, r->gitdir, u->target, old, new, NULL, e);
	store_close(store);
	return found;
}

/*
 * A reference without rules that has no findings leaves no intent; what there is to judge is its name,
 * and that is quick.  1: it passes; 0: something is found; -1.
 */
static int passes_free(const struct receive *r, const struct push *push, struct err *e)
{
	struct verdict verdict;
	struct judge judge;
	struct past_teller past;
	int passes = -1;

	receive_judge(r, push, &judge);
	past_init(&past, r->config->state, r->gitdir);
	judge.view.past = &past.past;
	if (judge_push(&verdict, &judge, e) == 0) {
		passes = verdict.n_findings == 0;
		verdict_clear(&verdict);
	}
	judge_clear(&judge);
	past_clear(&past);
	return passes;
}

static int judge_update_of(struct gate *g, const struct push *push)
{
	const struct receive *r = &g->receive;
	struct policy_rule rule;
	struct err e = ERR_INIT;
	int passes = 0, judged = 0, status = 0;

	policy_rule(&rule, r->config, push->v[0].target);
	if (rule.kind == POLICY_FREE)
		passes = passes_free(r, push, &e);
	if (passes == 0)
		judged = was_judged(r, &push->v[0], &e);
	if (passes < 0)
		status = admit_fault(g, push, CODE_REPOSITORY, err_text(&e));
	else if (judged < 0)
		status = admit_fault(g, push, CODE_STORE, err_text(&e));
	else if (passes == 0 && judged == 0) /* tells and records what it finds */
		status = admit(g, push, ADMIT_BY_UPDATE);
	err_clear(&e);
	return status;
}

static int judge_arguments(struct gate *g, char **argv)
{
	struct push push = {0};
	struct err e = ERR_INIT;
	int status;

	switch (push_add(&push, argv[1], argv[2], argv[3], &e)) {
	case PUSH_MALFORMED:
		err_wrap(&e, "what git gave the hook is malformed");
		status = admit_fault(g, NULL, CODE_INPUT, err_text(&e));
		break;
	case PUSH_SHA256:
		status = admit_fault(g, NULL, CODE_REPOSITORY,
			"this is a SHA-256 repository, which cannot be judged");
		break;
	default:
		status = push_resolve(&push, g->receive.gitdir, &e) == 0
				 ? judge_update_of(g, &push)
				 : admit_fault(g, &push, CODE_REPOSITORY, err_text(&e));
	}
	push_clear(&push);
	err_clear(&e);
	return status;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct gate g;
	int status = 1;

	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail for these signals */
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is a failed write */
	switch (gate_begin(&g, "update", GATE_JUDGES, &e)) {
	case RECEIVE_OUT_OF_SCOPE:
		status = 0;
		break;
	case RECEIVE_BAD_CONFIG:
		status = admit_fault(&g, NULL, CODE_CONFIG, err_text(&e));
		break;
	case RECEIVE_BAD_REPOSITORY:
		status = admit_fault(&g, NULL, CODE_REPOSITORY, err_text(&e));
		break;
	case RECEIVE_READY:
		status = argc == 4 ? judge_arguments(&g, argv)
				   : admit_fault(&g, NULL, CODE_INPUT,
					     "git gives an update hook a reference and two object "
					     "ids");
		break;
	}
	gate_end(&g);
	err_clear(&e);
	return status;
}
