#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/config.h"
#include "git/oid.h"
#include "git/remote.h"
#include "stage/airflow.h"
#include "sys/files.h"

/* Is there a chain that writes to A? */
static int is_used(const struct config *c, const struct config_airflow *a)
{
	for (size_t i = 0; i < c->n_chains; i++)
		if (strcmp(c->chains[i].airflow, a->name) == 0)
			return 1;
	return 0;
}

/* A repository on this machine: deploy makes it, or writes to it. */
static void check_here(struct check *c, const char *name, const char *repository)
{
	char *head = path_join(repository, "HEAD"), *objects = path_join(repository, "objects");
	char *folder = path_dir(repository);

	if (files_exists(head) && access(objects, W_OK | X_OK) == 0)
		check_ok(c, "servers", "airflow %s: %s", name, repository);
	else if (files_exists(head))
		check_wrong(c, "servers", mem_format("chown -R %s %s", c->owner_name, repository),
			"airflow %s: %s cannot write to %s", name, c->owner_name, repository);
	else if (files_exists(repository))
		check_wrong(c, "servers", mem_strdup("give the path of a bare repository"),
			"airflow %s: %s is no bare Git repository", name, repository);
	else if (access(folder, W_OK | X_OK) == 0)
		check_ok(c, "servers", "airflow %s: the first deploy makes %s", name, repository);
	else
		check_wrong(c, "servers",
			mem_format("git init --bare %s, as %s", repository, c->owner_name),
			"airflow %s: %s is missing, and %s cannot make it", name, repository,
			c->owner_name);
	free(folder);
	free(objects);
	free(head);
}

/* One on a server: reached, let in to push, and the branch is there. */
static void check_there(
	struct check *c, const struct config_airflow *section, const struct remote *remote)
{
	struct err e = ERR_INIT;
	struct oid tip;

	switch (remote_tip(remote, section->branch, &tip, &e)) {
	case 1:
		check_ok(c, "servers", "airflow %s: %s, branch %s", section->name,
			remote->address.url, section->branch);
		break;
	case 0:
		check_note(c, "servers",
			"airflow %s: %s has no branch %s: the first deploy makes it", section->name,
			remote->address.url, section->branch);
		break;
	default:
		check_wrong(c, "servers", NULL, "airflow %s: %s", section->name, err_text(&e));
	}
	err_clear(&e);
}

static void check_airflow(struct check *c, const struct config_airflow *section)
{
	struct err e = ERR_INIT;
	struct airflow a;

	if (airflow_open(&a, c->config, section, &e) != 0) {
		check_wrong(c, "servers", NULL, "%s", err_text(&e));
		err_clear(&e);
		return;
	}
	if (airflow_remote(&a) != NULL)
		check_there(c, section, airflow_remote(&a));
	else
		check_here(c, section->name, a.repository);
	airflow_close(&a);
}

void check_airflows(struct check *c)
{
	for (size_t i = 0; i < c->config->n_airflows; i++) {
		const struct config_airflow *section = &c->config->airflows[i];

		/* The default lies in the state directory, which is looked at as a whole. */
		if (*section->repository != '\0' && is_used(c->config, section))
			check_airflow(c, section);
	}
}
