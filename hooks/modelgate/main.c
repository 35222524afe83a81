#include <errno.h>
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
#include "git/repository.h"
#include "sys/files.h"
#include "sys/paths.h"
#include "sys/sandbox.h"

static const struct verb *const verbs[] = {&verb_status, &verb_play, &verb_retry, &verb_cancel,
	&verb_logs, &verb_models, &verb_rollback, &verb_new, &verb_run, &verb_stage, &verb_explain,
	&verb_check, &verb_audit};
#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

#define MAX_WORD 15 /* letters of a word that may be a verb with slips */
#define MAX_SLIPS 2

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

/*
 * How many letters must be put in, left out or changed to make B of A, both short; or more than
 * MAX.
 */
static size_t distance(const char *a, const char *b)
{
	size_t row[MAX_WORD + 1], n = strlen(b), before, left;

	if (strlen(a) > MAX_WORD || n > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		before = row[0]++;
		for (size_t j = 1; j <= n; j++) {
			left = row[j] < row[j - 1] ? row[j] : row[j - 1];
			left = left + 1 < before + (*a != b[j - 1]) ? left + 1
								    : before + (*a != b[j - 1]);
			before = row[j];
			row[j] = left;
		}
	}
	return row[n];
}

/* The verb that WORD was most likely meant to be, or NULL. */
static const char *near(const char *word)
{
	const char *best = NULL;
	size_t least = MAX_SLIPS + 1, d;

	for (size_t i = 0; i < N_VERBS; i++) {
		d = distance(word, verbs[i]->name);
		if (d < least && d < strlen(verbs[i]->name) - 1) {
			least = d;
			best = verbs[i]->name;
		}
	}
	return best;
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

/* The repository around the working directory, for a verb that cannot do without.  0, or -1. */
static int need_repository(struct command *c, char **repository, struct err *e)
{
	if (c->repository != NULL)
		return 0;
	*repository = repository_discover(".", e);
	c->repository = *repository;
	return c->repository != NULL ? 0 : err_wrap(e, "--repo PATH is not given");
}

static int run(const struct verb *v, struct command *c, int argc, char **argv)
{
	struct err e = ERR_INIT;
	char *found = NULL;
	int status;

	if (command_asks_for_help(argc, argv))
		return v->run(c, argc, argv);
	if ((v->needs_repository && need_repository(c, &found, &e) != 0) ||
		(v->needs_config && command_prepare(c, COMMAND_WRITES, &e) != 0))
		status = command_err(COMMAND_CANNOT_TELL, &e);
	else
		status = v->run(c, argc, argv);
	free(found);
	return status;
}

static int find_and_run(int argc, char **argv, struct command *c)
{
	const char *meant;

	if (argc == 0)
		return usage("a verb is missing", "");
	if (strcmp(argv[0], "help") == 0) {
		print_help();
		return COMMAND_DONE;
	}
	for (size_t i = 0; i < N_VERBS; i++)
		if (strcmp(verbs[i]->name, argv[0]) == 0)
			return run(verbs[i], c, argc, argv);
	meant = near(argv[0]);
	if (meant == NULL)
		return usage("there is no verb ", argv[0]);
	return command_fail(COMMAND_USAGE,
		"there is no verb %s; did you mean %s? modelgate --help lists what there is",
		argv[0], meant);
}

int main(int argc, char **argv)
{
	struct command c = {0};
	char *repository = NULL, *file = NULL;
	int at = 1, status;

	/* As for any filter, whoever has called this: a reader that has seen enough ends it. */
	(void)signal(SIGPIPE, SIG_DFL); /* cannot fail for this signal */
	/* It holds tokens and keys.  What it starts is seen as ever, but leaves no core file either. */
	(void)sandbox_hide(NULL);
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
