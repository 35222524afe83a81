#include "gate/play.h"

#include <stdlib.h>

#include "audit/record.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/identity.h"
#include "gate/judge.h"
#include "gate/past.h"
#include "gate/push.h"
#include "git/reference.h"

#define FORM REFERENCE_OWN "play/<pipeline>/<stage>"
#define BY_RULE ((struct finding_key){NULL, NULL})

static void find_reserved(struct verdict *v)
{
	char *name = str_safe(v->update->ref, FINDING_MAX_NAME);

	finding_add(v, CODE_INPUT, BY_RULE,
		mem_format("%s: references below " REFERENCE_OWN " are kept for modelgate", name),
		mem_strdup("to play a stage: git push origin HEAD:" FORM));
	free(name);
}

static void find_given(struct verdict *v)
{
	char *name = str_safe(v->update->ref, FINDING_MAX_NAME);

	finding_add(v, CODE_INPUT, BY_RULE,
		mem_format("%s was given before, and is neither changed nor taken back", name),
		mem_strdup("wait for the runner: it plays the stage and removes the reference"));
	free(name);
}

static void find_refused(struct verdict *v, const char *why)
{
	finding_add(v, CODE_INPUT, BY_RULE, mem_strdup(why),
		mem_strdup("push what can be played now: git push origin HEAD:" FORM
			   "; a pipeline's number is told by the push that made it"));
}

static void find_role(struct verdict *v, const struct actor *actor, const char *chain,
	const struct config_chain *configured)
{
	char *name, *roles;

	if (configured == NULL) {
		finding_add(v, CODE_ROLE, BY_RULE,
			mem_format("chain %s is not configured any more: who may play it is not "
				   "known",
				chain),
			mem_strdup("ask an admin for the chain"));
		return;
	}
	name = str_safe(actor->name[0] ? actor->name : actor->id, FINDING_MAX_NAME);
	roles = strlist_join(&configured->roles, ", ");
	finding_add(v, CODE_ROLE, BY_RULE,
		mem_format("%s may not play stages of chain %s: that takes the role %s",
			name[0] ? name : "who is not known", chain, roles),
		mem_format("ask a member of the role %s", roles));
	free(roles);
	free(name);
}

static void judge_order(struct verdict *v, const struct judge *j, const struct past_order *o)
{
	const struct config_chain *chain;

	v->method = "play";
	if (o->chain != NULL) {
		chain = config_chain(j->view.config, o->chain);
		if (chain == NULL || !identity_may(j->view.config, j->actor, &chain->roles))
			find_role(v, j->actor, o->chain, chain);
	}
	if (o->refused != NULL)
		find_refused(v, o->refused);
}

int play_judge(struct verdict *v, const struct judge *j, struct err *e)
{
	const struct push_update *u = v->update;
	const struct past *past = j->view.past;
	struct past_order order = {0};
	int found = past->order(past->context, u->target, &order, e);

	if (found == 0)
		find_reserved(v);
	else if (found == 1 && !oid_is_zero(&u->old))
		find_given(v);
	else if (found == 1)
		judge_order(v, j, &order);
	free(order.chain);
	free(order.refused);
	return found < 0 ? -1 : 0;
}
