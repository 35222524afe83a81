#define _GNU_SOURCE /* setgroups, initgroups */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "command.h"
#include "data/config.h"
#include "sys/files.h"
#include "sys/paths.h"

static const struct verb *const verbs[] = {&verb_status, &verb_play, &verb_retry, &verb_cancel,
	&verb_logs, &verb_models, &verb_new, &verb_run, &verb_audit};
#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	printf("usage: modelgate [--repo PATH | --config FILE] VERB ...\n\n");
	for (size_t i = 0; i < N_VERBS; i++)
		printf("  %-8s  %s\n", verbs[i]->name, verbs[i]->summary);
	printf("\n"
	       "  --repo PATH    the repository whose configuration counts\n"
	       "  --config FILE  another file in place of %s\n"
	       "  --version      print the version\n\n"
	       "modelgate VERB --help tells more of one; so does modelgate(1).\n",
		paths_system_config());
}

static int usage(const char *what, const char *word)
{
	return command_fail(
		COMMAND_USAGE, "%s%s; modelgate --help lists what there is", what, word);
}

/*
 * The Git directory of PATH: itself if it is bare, else its .git.  The caller's to free(), or NULL.
 */
static char *find_git_directory(const char *path, struct err *e)
{
	char *real = files_real_path(path, e), *inner = NULL, *head;

	if (real == NULL)
		return NULL;
	inner = path_join(real, ".git");
	head = path_join(inner, "HEAD");
	if (!files_exists(head)) {
		free(head);
		free(inner);
		inner = real;
		real = NULL;
		head = path_join(inner, "HEAD");
	}
	if (!files_exists(head)) {
		(void)err_set(e, "%s: not a Git repository", path);
		free(inner);
		inner = NULL;
	}
	free(head);
	free(real);
	return inner;
}

/*
 * Read the options before the verb; *AT is where it stands.  The exit status, or -1: go on.  What
 * is found is owned by REPOSITORY and FILE.
 */
static int read_options(int argc, char **argv, int *at, char **repository, char **file)
{
	struct err e = ERR_INIT;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		int is_repository = strncmp(argv[i], "--repo", 6) == 0;
		size_t n = is_repository ? 6 : 8;
		char **found = is_repository ? repository : file, *value;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			print_help();
			return COMMAND_DONE;
		}
		if (strcmp(argv[i], "--version") == 0) {
			printf("modelgate %s\n", paths_version());
			return COMMAND_DONE;
		}
		if ((!is_repository && strncmp(argv[i], "--config", 8) != 0) ||
			(argv[i][n] != '\0' && argv[i][n] != '='))
			return usage("there is no option ", argv[i]);
		value = argv[i][n] == '=' ? argv[i] + n + 1 : argv[i + 1];
		i += argv[i][n] == '\0';
		if (value == NULL)
			return usage(argv[i - 1], " needs a path");
		free(*found);
		*found = is_repository ? find_git_directory(value, &e) : files_real_path(value, &e);
		if (*found == NULL)
			return command_err(COMMAND_CANNOT_TELL, &e);
	}
	*at = i;
	return -1;
}

/*
 * As root, become the owner of the state directory: what a verb writes there is then what the hooks
 * can write too, and whatever it reads it reads with no more rights than they have.
 */
static int become_owner(const char *state, struct err *e)
{
	const struct passwd *pw;
	struct stat st;

	if (geteuid() != 0 || stat(state, &st) != 0 || st.st_uid == 0)
		return 0;
	pw = getpwuid(st.st_uid);
	if ((pw != NULL ? initgroups(pw->pw_name, st.st_gid) : setgroups(1, &st.st_gid)) != 0 ||
		setgid(st.st_gid) != 0 || setuid(st.st_uid) != 0)
		return err_errno(e, errno, "%s: cannot become its owner, %lu", state,
			(unsigned long)st.st_uid);
	return 0;
}

static int run(const struct verb *v, struct command *c, int argc, char **argv)
{
	const struct config_sources from = {c->system_file, c->repository};
	struct err e = ERR_INIT;

	/* --help needs no configuration. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0)
			return v->run(c, argc, argv);
	if (v->needs_config && (config_load(&c->config, &from, &e) != 0 ||
				       become_owner(c->config->state, &e) != 0))
		return command_err(COMMAND_CANNOT_TELL, &e);
	return v->run(c, argc, argv);
}

static int find_and_run(int argc, char **argv, struct command *c)
{
	for (size_t i = 0; argc > 0 && i < N_VERBS; i++)
		if (strcmp(verbs[i]->name, argv[0]) == 0)
			return run(verbs[i], c, argc, argv);
	return argc > 0 ? usage("there is no verb ", argv[0]) : usage("a verb is missing", "");
}

int main(int argc, char **argv)
{
	struct command c = {0};
	char *repository = NULL, *file = NULL;
	int at = 1, status;

	/* A reader that went away is told by the exit status. */
	(void)signal(SIGPIPE, SIG_IGN);
	command_actor(&c.actor);
	status = read_options(argc, argv, &at, &repository, &file);
	c.repository = repository;
	c.system_file = file;
	if (status < 0)
		status = find_and_run(argc - at, argv + at, &c);
	if ((fflush(stdout) != 0 || ferror(stdout)) && status != COMMAND_USAGE)
		status = command_fail(COMMAND_CANNOT_TELL, "standard output cannot be written");
	config_free(c.config);
	actor_clear(&c.actor);
	free(repository);
	free(file);
	return status;
}
