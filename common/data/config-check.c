#include "data/config-parts.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

/* Each role that a list names must have its section, or nobody would be let in by it. */
static int check_roles(const struct config_draft *d, const struct strlist *roles,
	const struct config_spot *spot, struct err *e)
{
	for (size_t i = 0; i < roles->n; i++)
		if (config_role(d->c, roles->v[i]) == NULL)
			return config_fault(d, spot, e,
				"there is no role \"%s\"; write a section [role \"%s\"] with its "
				"members",
				roles->v[i], roles->v[i]);
	return 0;
}

/* Names that people would not tell apart (MG205 refuses such a branch when it is pushed). */
static int check_case(
	const struct config_draft *d, const char *name, const char *other, struct err *e)
{
	if (strcmp(name, other) == 0 || strcasecmp(name, other) != 0)
		return 0;
	return config_fault(d, CONFIG_SPOT("branch", name, ""), e,
		"differs from the branch %s by case alone", other);
}

static int check_below(
	const struct config_draft *d, const char *name, const char *other, struct err *e)
{
	size_t n = strlen(other);

	if (strncasecmp(name, other, n) != 0 || name[n] != '/')
		return 0;
	return config_fault(d, CONFIG_SPOT("branch", name, ""), e,
		"lies below the branch %s, so that git could hold one of them only", other);
}

static int check_likeness(const struct config_draft *d, size_t index, struct err *e)
{
	const struct config_branch *branches = d->c->branches;
	const char *name = branches[index].name;

	if (check_case(d, name, "dev", e) != 0 || check_below(d, name, "dev", e) != 0)
		return -1;
	for (size_t i = 0; i < d->c->n_branches; i++) {
		/* Of two names the later is told. */
		if (i < index && check_case(d, name, branches[i].name, e) != 0)
			return -1;
		if (check_below(d, name, branches[i].name, e) != 0)
			return -1;
	}
	return 0;
}

static int check_branch(const struct config_draft *d, const struct config_branch *b, struct err *e)
{
	const struct config *c = d->c;

	if (strlist_has(&b->merge_from, b->name))
		return config_fault(d, CONFIG_SPOT("branch", b->name, "merge-from"), e,
			"%s cannot be its own source: every push to it would pass", b->name);
	if (b->chain[0] != '\0' && config_chain(c, b->chain) == NULL)
		return config_fault(d, CONFIG_SPOT("branch", b->name, "chain"), e,
			"there is no chain \"%s\"; write a section [chain \"%s\"], or nothing for "
			"no chain",
			b->chain, b->chain);
	return check_roles(d, &b->roles, CONFIG_SPOT("branch", b->name, "roles"), e);
}

/* Every stage once, each after those whose results it uses. */
static int check_stages(
	const struct config_draft *d, const struct config_chain *chain, struct err *e)
{
	const struct config_key *k = config_key_find("chain", "stages");
	size_t next = 0;

	for (size_t i = 0; i < chain->stages.n; i++) {
		size_t at = 0;

		while (strcmp(k->words[at], chain->stages.v[i]) != 0)
			at++; /* it is one of them: config_set has seen to it */
		if (at < next)
			return config_fault(d, CONFIG_SPOT("chain", chain->name, "stages"), e,
				"\"%s\" is out of order; write each stage once, in the order "
				"build, "
				"create-model, deploy, stage-model",
				chain->stages.v[i]);
		next = at + 1;
	}
	return 0;
}

static int check_chain(
	const struct config_draft *d, const struct config_chain *chain, struct err *e)
{
	if (check_stages(d, chain, e) != 0)
		return -1;
	if (chain->airflow[0] != '\0' && config_airflow(d->c, chain->airflow) == NULL)
		return config_fault(d, CONFIG_SPOT("chain", chain->name, "airflow"), e,
			"there is no airflow \"%s\"; write a section [airflow \"%s\"]",
			chain->airflow, chain->airflow);
	if (chain->airflow[0] == '\0' && strlist_has(&chain->stages, "deploy"))
		return config_fault(d, CONFIG_SPOT("chain", chain->name, "airflow"), e,
			"must not be empty, for the stage deploy writes there; write the name of "
			"an "
			"[airflow]");
	if (chain->model_stage[0] == '\0' && strlist_has(&chain->stages, "stage-model"))
		return config_fault(d, CONFIG_SPOT("chain", chain->name, "model-stage"), e,
			"must not be empty, for the stage stage-model sets it; write Staging or "
			"Production");
	return check_roles(d, &chain->roles, CONFIG_SPOT("chain", chain->name, "roles"), e);
}

/* The runner could not launch anything, and would find that out after the push. */
static int check_launcher(const struct config_draft *d, struct err *e)
{
	const struct config *c = d->c;

	if (c->launcher != CONFIG_LAUNCHER_GITLAB)
		return 0;
	if (c->launcher_url[0] == '\0')
		return config_fault(d, CONFIG_SPOT("launcher", "", "kind"), e,
			"gitlab needs the server's address; write url = https://...");
	if (c->launcher_token_file[0] == '\0')
		return config_fault(d, CONFIG_SPOT("launcher", "", "kind"), e,
			"gitlab needs a token; write token-file = the path of a file of mode 0600 "
			"that holds one with the scope api");
	if (c->identity != CONFIG_IDENTITY_GITLAB)
		return config_fault(d, CONFIG_SPOT("launcher", "", "kind"), e,
			"gitlab needs to know which project a push is for, which GitLab alone "
			"says; write source = gitlab in [identity]");
	return 0;
}

int config_check(const struct config_draft *d, struct err *e)
{
	const struct config *c = d->c;

	for (size_t i = 0; i < c->n_branches; i++)
		if (check_likeness(d, i, e) != 0 || check_branch(d, &c->branches[i], e) != 0)
			return -1;
	for (size_t i = 0; i < c->n_chains; i++)
		if (check_chain(d, &c->chains[i], e) != 0)
			return -1;
	if (c->registry == CONFIG_REGISTRY_MLFLOW && c->registry_url[0] == '\0')
		return config_fault(d, CONFIG_SPOT("registry", "", "backend"), e,
			"mlflow needs the server's address; write url = https://...");
	if (check_launcher(d, e) != 0)
		return -1;
	if (check_roles(d, &c->retrain_roles, CONFIG_SPOT("retrain-branch", "", "roles"), e) != 0)
		return -1;
	return check_roles(d, &c->override_role, CONFIG_SPOT("override", "", "role"), e);
}
