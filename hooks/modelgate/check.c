#include "check.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "command.h"
#include "data/config.h"
#include "data/json.h"
#include "gate/policy.h"
#include "git/repository.h"
#include "sys/files.h"
#include "sys/paths.h"

#define MAX_TEXT 4096 /* bytes of a line */

static const char *const words[] = {
	[CHECK_OK] = "ok", [CHECK_WRONG] = "wrong", [CHECK_NOTE] = "note"};

static void print(enum check_status status, const char *text, const char *mend)
{
	char *safe = str_safe(text, MAX_TEXT);

	printf("%-6s %s\n", words[status], safe);
	free(safe);
	if (mend == NULL)
		return;
	safe = str_safe(mend, MAX_TEXT);
	printf("       %s\n", safe);
	free(safe);
}

void check_tell(struct check *c, enum check_status status, const char *field, char *mend,
	const char *format, ...)
{
	struct json *line;
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	if (c->lines == NULL) {
		print(status, text, mend);
	} else {
		line = json_new_object();
		json_put_text(line, "status", words[status]);
		json_put_text(line, "check", field);
		json_put_text(line, "text", text);
		json_put_text(line, "mend", mend);
		json_append(c->lines, line);
	}
	c->n_wrong += status == CHECK_WRONG;
	free(text);
	free(mend);
}

char *check_installed(const char *name)
{
	char *bin = path_dir(paths_command()), *prefix = path_dir(bin);
	char *path = path_join(prefix, name);

	free(prefix);
	free(bin);
	return path;
}

char *check_install_command(const struct check *c)
{
	char *prefix = check_installed(""), *projects, *what, *command;

	prefix[strlen(prefix) - 1] = '\0'; /* the slash */
	projects = c->config != NULL ? strlist_join(&c->config->projects, ",") : mem_strdup("");
	if (c->repository == NULL && c->hooks != NULL)
		what = mem_format("global %s --projects '%s'", c->hooks,
			projects[0] != '\0' ? projects : "GLOBS");
	else
		what = mem_format("repo %s", c->repository != NULL ? c->repository : "PATH");
	command = mem_format("./install.sh %s%s%s", what,
		strcmp(prefix, "/usr/local") == 0 ? "" : " --prefix ",
		strcmp(prefix, "/usr/local") == 0 ? "" : prefix);
	free(what);
	free(projects);
	free(prefix);
	return command;
}

/* ---- the repository and the configuration ---- */

static void check_repository(struct check *c)
{
	struct repository *r = NULL;
	struct err e = ERR_INIT;

	if (c->repository == NULL && c->hooks != NULL)
		return;
	if (c->repository == NULL) {
		check_note(c, "repository",
			"repository: none is looked at; modelgate --repo PATH check does");
	} else if (repository_open(&r, c->repository, REPOSITORY_OBJECTS, &e) == 0) {
		check_ok(c, "repository", "repository: %s, owner %s", c->repository, c->owner_name);
	} else {
		check_wrong(c, "repository", mem_format("git -C %s fsck", c->repository),
			"repository: MG902: %s", err_text(&e));
	}
	repository_free(r);
	err_clear(&e);
}

/*
 * Hooks that are there to judge, and let every push pass, are wrong.  By GitLab's path of the project they may
 * judge all the same: that path comes with a push, and is not known here.
 */
static void check_scope(struct check *c)
{
	int gitlab = c->config->identity == CONFIG_IDENTITY_GITLAB;
	char *origin, *mend;

	if (c->repository == NULL ||
		policy_scope(c->config, c->repository, NULL, NULL) == POLICY_IN_SCOPE)
		return;
	origin = config_origin(c->config, "modelgate", "", "projects");
	mend = gitlab ? mem_strdup("see that GitLab's path of the project is among them")
		      : mem_format("add %s to projects there", c->repository);
	check_tell(c, !gitlab && check_has_own_hooks(c) ? CHECK_WRONG : CHECK_NOTE, "configuration",
		mend,
		"configuration: projects (%s) leaves this repository out by its path%s: its pushes "
		"are not judged",
		origin, gitlab ? ", unless it has GitLab's path of the project" : "");
	free(origin);
}

/* Hooks that GitLab's server runs for all of its repositories. */
static void check_global(struct check *c)
{
	char *origin;

	if (c->hooks == NULL)
		return;
	if (c->config->identity != CONFIG_IDENTITY_GITLAB) {
		origin = config_origin(c->config, "identity", "", "source");
		check_wrong(c, "configuration",
			mem_strdup("write source = gitlab into its section [identity]"),
			"configuration: [identity] source is not gitlab (%s): no project is known "
			"by "
			"GitLab's path",
			origin);
		free(origin);
	}
	if (c->config->projects.n == 0)
		check_wrong(c, "configuration",
			mem_format("write projects = GLOBS into section [modelgate] of %s",
				paths_system_config()),
			"configuration: it names no projects: every one of the server is judged");
}

static void check_mode(struct check *c)
{
	char *origin;

	if (c->config->mode != CONFIG_SHADOW)
		return;
	origin = config_origin(c->config, "modelgate", "", "mode");
	check_note(c, "configuration",
		"configuration: mode = shadow (%s): nothing is rejected, it is only told", origin);
	free(origin);
}

/* Reading the files has seen to their owners and modes too.  0, or -1: it is refused, told. */
static int check_configuration(struct check *c, struct config **out, const char *system_file)
{
	const struct config_sources from = {system_file, c->repository};
	struct err e = ERR_INIT;
	char *files;

	if (config_load(out, &from, &e) != 0) {
		check_wrong(c, "configuration", mem_strdup("mend what it names"),
			"configuration: MG901: %s", err_text(&e));
		err_clear(&e);
		return -1;
	}
	c->config = *out;
	files = strlist_join(&c->config->files, ", ");
	check_ok(c, "configuration", "configuration: %s",
		files[0] != '\0' ? files : "none: the defaults hold");
	free(files);
	check_mode(c);
	check_scope(c);
	check_global(c);
	return 0;
}

/* ---- whom the hooks run as ---- */

/*
 * Be the one whom the hooks run as, so that what can be read and written here is what they can: the owner
 * of PATH.  0, or -1 and *E.
 */
static int become(struct check *c, const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_errno(e, errno, "%s", path);
	free(c->owner_name);
	c->owner = st.st_uid;
	c->owner_name = command_user_name(c->owner);
	if (geteuid() != 0 && geteuid() != c->owner)
		return err_set(e, "%s belongs to %s: call this with sudo, or as that user", path,
			c->owner_name);
	return command_become_owner(&st, path, e);
}

/* Without a repository the state directory tells, if it is there. */
static int become_of_state(struct check *c, struct err *e)
{
	struct stat st;

	if (c->repository != NULL || stat(c->config->state, &st) != 0)
		return 0;
	return become(c, c->config->state, e);
}

/* Be the user NAME, whom the hooks run as.  0, or -1 and *E. */
static int become_user(struct check *c, const char *name, struct err *e)
{
	const struct passwd *pw = getpwnam(name);
	struct stat st = {0};

	if (pw == NULL)
		return err_set(e, "there is no user %s on this machine", name);
	if (geteuid() != 0 && geteuid() != pw->pw_uid)
		return err_set(e,
			"what %s can reach is not known to others: call this with sudo, or as %s",
			name, name);
	free(c->owner_name);
	c->owner = st.st_uid = pw->pw_uid;
	c->owner_name = mem_strdup(name);
	st.st_gid = pw->pw_gid;
	return command_become_owner(&st, name, e);
}

static int look(struct check *c, const char *user, const char *system_file, struct err *e)
{
	struct config *config = NULL;
	int result;

	c->owner = geteuid();
	c->owner_name = command_user_name(c->owner);
	if (user != NULL && become_user(c, user, e) != 0)
		return -1;
	if (user == NULL && c->repository != NULL && become(c, c->repository, e) != 0)
		return -1;
	check_repository(c);
	result = 0;
	if (check_configuration(c, &config, system_file) == 0 && user == NULL)
		result = become_of_state(c, e);
	if (result == 0) {
		check_hooks(c);
		check_git(c);
		check_confinement(c);
	}
	if (result == 0 && c->config != NULL) {
		check_state(c);
		check_policy(c);
		check_names(c);
	}
	config_free(config);
	return result;
}

static void print_json(const struct check *c)
{
	struct json *j = json_new_object();
	char *text;

	json_put_number(j, "wrong", (int64_t)c->n_wrong);
	json_put(j, "checks", c->lines);
	text = json_text(j, JSON_ONE_LINE);
	printf("%s\n", text);
	free(text);
	json_free(j);
}

static int check(struct command *command, int argc, char **argv)
{
	const char *as_json = NULL, *hooks = NULL, *user = NULL;
	const struct command_option options[] = {
		{"--json", &as_json}, {"--hooks=", &hooks}, {"--user=", &user}, {NULL, NULL}};
	struct check c = {.repository = command->repository};
	struct err e = ERR_INIT;
	int status, n = command_options(&verb_check, argc, argv, options, 0, 0);
	char *folder = NULL;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (hooks != NULL && (c.hooks = folder = files_real_path(hooks, &e)) == NULL)
		return command_err(COMMAND_CANNOT_TELL, &e);
	c.lines = as_json != NULL ? json_new_array() : NULL;
	if (look(&c, user, command->system_file, &e) != 0) {
		status = command_err(COMMAND_CANNOT_TELL, &e);
		json_free(c.lines);
	} else {
		status = c.n_wrong > 0 ? COMMAND_NO : COMMAND_DONE;
		if (c.lines != NULL)
			print_json(&c);
	}
	free(c.owner_name);
	free(folder);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.run = check,
	.arguments = "[--json] [--hooks DIR] [--user NAME]",
	.summary = "Is everything in place? Each line: ok, or what is wrong and how to mend it",
	.options = "  --json       as JSON\n"
		   "  --hooks DIR  the hooks that a Gitaly server runs for all repositories\n"
		   "  --user NAME  whom the hooks run as (the repository's owner)\n",
};
