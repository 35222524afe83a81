/* What stands between the command line and a verb: the configuration, and by which user's rights it acts. */
#define _GNU_SOURCE /* faccessat with AT_EACCESS by the rights in force */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "command.h"
#include "data/config.h"

/* Whoever can write to the state directory can have the verbs do what he likes. */
static int check_mode(const char *state, struct err *e)
{
	struct stat st;

	if (stat(state, &st) != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	return err_set(e, "%s can be written by group or others (mode %04o): chmod go-w %s", state,
		(unsigned)(st.st_mode & 07777), state);
}

/* The configuration of REPOSITORY is its owner's, who must not choose whom root becomes. */
static int check_same_owner(
	const char *state, const struct stat *st, const char *repository, struct err *e)
{
	char *state_owner, *repository_owner;
	struct stat git;

	if (stat(repository, &git) != 0)
		return err_errno(e, errno, "%s: its owner is not known", repository);
	if (git.st_uid == st->st_uid)
		return 0;
	state_owner = command_user_name(st->st_uid);
	repository_owner = command_user_name(git.st_uid);
	(void)err_set(e,
		"%s belongs to %s, but %s to %s: root acts for a repository only if both have the "
		"same owner",
		state, state_owner, repository, repository_owner);
	free(repository_owner);
	free(state_owner);
	return -1;
}

/*
 * As root, become the owner of the state directory: what a verb writes there is then what the hooks
 * can write too, and whatever it reads it reads with no more rights than they have.  One that reads the
 * log alone stays root, to whom another account's checkpoint or page belongs.  REPOSITORY: whose
 * configuration named the state, and must not have root tell what its owner may not read; NULL: the
 * system's did.
 */
static int act_as_root(
	const char *state, enum command_use use, const char *repository, struct err *e)
{
	struct stat st;

	if (geteuid() != 0 || stat(state, &st) != 0)
		return 0;
	if (repository != NULL && check_same_owner(state, &st, repository, e) != 0)
		return -1;
	return use == COMMAND_READS ? 0 : command_become_owner(&st, state, e);
}

/* Whoever is neither owner of the state nor root is told so, not which file it came to light by. */
static int check_owner(
	const char *state, enum command_use use, const struct actor *actor, struct err *e)
{
	char *folder =
		use == COMMAND_READS ? path_join(state, CONFIG_STATE_AUDIT) : mem_strdup(state);
	int rights = use == COMMAND_READS ? R_OK | X_OK : R_OK | W_OK | X_OK;
	struct stat st;
	char *owner;
	int status = 0;

	/* By the rights in force: a service may read all, and be neither of the two. */
	if (geteuid() != 0 && stat(state, &st) == 0 && st.st_uid != geteuid() &&
		faccessat(AT_FDCWD, folder, rights, AT_EACCESS) != 0 && errno == EACCES) {
		owner = command_user_name(st.st_uid);
		status = err_set(e,
			"%s belongs to %s: call this with sudo; you are still recorded as %s",
			state, owner, actor->name[0] != '\0' ? actor->name : actor->id);
		free(owner);
	}
	free(folder);
	return status;
}

static int load(struct command *c, struct err *e)
{
	const struct config_sources from = {c->system_file, c->repository};

	if (config_load(&c->config, &from, e) != 0)
		return err_wrap(e, "MG901");
	return 0;
}

int command_prepare(struct command *c, enum command_use use, struct err *e)
{
	if (load(c, e) != 0 || check_owner(c->config->state, use, &c->actor, e) != 0 ||
		check_mode(c->config->state, e) != 0)
		return -1;
	return act_as_root(c->config->state, use, c->repository, e);
}
