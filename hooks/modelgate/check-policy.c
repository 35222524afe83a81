#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/identity.h"
#include "gate/names.h"
#include "git/repository.h"
#include "sys/files.h"

#define MIN_SLIP 3 /* letters of a name that another can be meant for */

/* ---- roles ---- */

/* The ids that a pusher can have, by where they come from; NULL: none. */
static const char *id_form(const struct config *c)
{
	switch (c->identity) {
	case CONFIG_IDENTITY_GITLAB:
		return "user-<n>, key-<n>";
	case CONFIG_IDENTITY_OS:
		return "uid-<n>";
	default:
		return NULL;
	}
}

/* 1 if the id MEMBER can be a pusher's; 0: it is of another kind. */
static int can_match(const struct config *c, const char *member)
{
	switch (c->identity) {
	case CONFIG_IDENTITY_GITLAB:
		return !str_starts(member, "uid-");
	case CONFIG_IDENTITY_OS:
		return str_starts(member, "uid-");
	default:
		return 0;
	}
}

static void tell_names(struct check *c, const struct config_role *role, const struct strlist *names)
{
	const char *form = id_form(c->config);
	char *list = strlist_join(names, ", ");

	check_note(c, "roles",
		"role %s: %s: by name; whoever is given a name that became free has the role%s%s",
		role->name, list, form != NULL ? "; an id does not become free: " : "",
		form != NULL ? form : "");
	free(list);
}

static void check_role(struct check *c, const struct config_role *role)
{
	struct strlist names = {0}, never = {0};
	char *list;

	for (size_t i = 0; i < role->members.n; i++) {
		const char *member = role->members.v[i];

		if (!identity_is_id(member))
			strlist_add(&names, member);
		else if (!can_match(c->config, member))
			strlist_add(&never, member);
	}
	if (role->members.n == 0)
		check_note(c, "roles", "role %s has no members: nobody may what it is asked for",
			role->name);
	if (names.n > 0)
		tell_names(c, role, &names);
	if (never.n > 0) {
		list = strlist_join(&never, ", ");
		check_note(c, "roles", "role %s: %s: nobody has such an id, by [identity] source",
			role->name, list);
		free(list);
	}
	strlist_clear(&never);
	strlist_clear(&names);
}

static int has_roles(const struct config *c)
{
	size_t n = c->retrain_roles.n + c->override_role.n;

	for (size_t i = 0; i < c->n_branches; i++)
		n += c->branches[i].roles.n;
	return n > 0;
}

static void check_roles(struct check *c)
{
	for (size_t i = 0; i < c->config->n_roles; i++)
		check_role(c, &c->config->roles[i]);
	if (c->config->identity == CONFIG_IDENTITY_HTTP && has_roles(c->config))
		check_note(c, "roles",
			"[identity] source = http: REMOTE_USER is believed; the web server has to "
			"ask every pusher who it is, or no role is anybody's");
}

/* ---- branches ---- */

struct branches {
	struct strlist known; /* in the repository, or with rules by default */
	struct strlist told;
	size_t n; /* in the repository */
};

/* Is B one slip of the keyboard from A: a letter more, less, another, or two that changed places? */
static int is_slip(const char *a, const char *b)
{
	for (; *a != '\0' && *a == *b; a++, b++)
		;
	if (*a == '\0' || *b == '\0')
		return strlen(a) + strlen(b) == 1;
	return strcmp(a + 1, b) == 0 || strcmp(a, b + 1) == 0 || strcmp(a + 1, b + 1) == 0 ||
	       (a[0] == b[1] && a[1] == b[0] && strcmp(a + 2, b + 2) == 0);
}

static const char *meant(const struct branches *b, const char *name)
{
	for (size_t i = 0; strlen(name) >= MIN_SLIP && i < b->known.n; i++)
		if (strlen(b->known.v[i]) >= MIN_SLIP && is_slip(name, b->known.v[i]))
			return b->known.v[i];
	return NULL;
}

/* NAME stands in KEY ("": in the heading) of the section of BRANCH. */
static void check_branch(
	struct check *c, struct branches *b, const char *branch, const char *key, const char *name)
{
	const char *like, *file;
	char *origin;
	int line;

	file = config_set_in(c->config, "branch", branch, key, &line);
	if (file == NULL || strcmp(name, NAMES_RETRAIN_GLOB) == 0 || strlist_has(&b->known, name) ||
		strlist_has(&b->told, name))
		return;
	strlist_add(&b->told, name);
	like = meant(b, name);
	origin = config_origin(c->config, "branch", branch, key);
	if (like != NULL)
		check_note(c, "branches", "branch %s in %s: there is none so far; is %s meant?",
			name, origin, like);
	else if (b->n > 0) /* of an empty repository that says nothing */
		check_note(c, "branches", "branch %s in %s: there is none so far", name, origin);
	free(origin);
}

static int add_branch(void *context, const char *name, const struct oid *tip)
{
	struct branches *b = context;

	(void)tip;
	strlist_add(&b->known, name + strlen(NAMES_HEADS));
	b->n++;
	return 0;
}

static void check_branches(struct check *c)
{
	static const char *const initial[] = {"dev", "main", "prod", "retrain", "online"};
	struct branches b = {.n = 0};
	struct repository *r = NULL;

	for (size_t i = 0; i < sizeof(initial) / sizeof(initial[0]); i++)
		strlist_add(&b.known, initial[i]);
	/* What cannot be read was told before. */
	if (repository_open(&r, c->repository, REPOSITORY_OBJECTS, NULL) == 0 &&
		repository_each(r, NAMES_HEADS, add_branch, &b, NULL) == 0)
		for (size_t i = 0; i < c->config->n_branches; i++) {
			const struct config_branch *branch = &c->config->branches[i];

			check_branch(c, &b, branch->name, "", branch->name);
			for (size_t k = 0; k < branch->merge_from.n; k++)
				check_branch(
					c, &b, branch->name, "merge-from", branch->merge_from.v[k]);
		}
	repository_free(r);
	strlist_clear(&b.told);
	strlist_clear(&b.known);
}

/* ---- what stages need ---- */

static void check_servers(struct check *c)
{
	/* With GitLab's jobs, these two are for them to reach, from where they run. */
	if (c->config->launcher == CONFIG_LAUNCHER_LOCAL) {
		check_airflows(c);
		check_images(c);
	}
	check_models(c);
	check_launcher(c);
	if (c->config->wake == CONFIG_WAKE_NONE)
		check_note(c, "servers",
			"[runner] wake = none: stages run only where a service runs modelgate run");
}

void check_policy(struct check *c)
{
	check_roles(c);
	if (c->repository != NULL)
		check_branches(c);
	check_servers(c);
}
