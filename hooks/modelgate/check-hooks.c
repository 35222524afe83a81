#define _GNU_SOURCE /* memmem */
#include "check.h"

#include <dirent.h>
#include <fnmatch.h>
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
#include "sys/files.h"
#include "sys/paths.h"
#include "sys/spawn.h"

#define RECORD "modelgate-installed" /* what install.sh has put here, see its repository.sh */
#define RECORD_LAYOUT "layout="      /* a line of it */
#define MAX_RECORD (1U << 20)        /* bytes */
#define MAX_HOOK (64U << 20)         /* bytes of a hook that is read */
#define MAX_ANSWER 4096              /* bytes that git says */
#define GIT_MERGE_TREE_MAJOR 2       /* git 2.39 has merge-tree --stdin */
#define GIT_MERGE_TREE_MINOR 39

static const char *const hooks[] = {"pre-receive", "update", "post-receive"};
#define N_HOOKS (sizeof(hooks) / sizeof(hooks[0]))

/*
 * Where hooks lie: <repo>/hooks/HOOK, <repo>/custom_hooks/HOOK.d/50-modelgate, or HOOK.d/50-modelgate of the
 * folder that Gitaly runs for all repositories.
 */
enum layout { LAYOUT_GIT, LAYOUT_GITLAB, LAYOUT_GLOBAL };

/* ---- the layout ---- */

static int is_recorded(const struct check *c)
{
	char *path = path_join(c->repository, RECORD);
	int yes = files_exists(path);

	free(path);
	return yes;
}

/* Does PATH lie where GitLab's server keeps repositories?  As install.sh has it. */
static int is_gitlab_path(const char *path)
{
	static const char *const places[] = {"*/@hashed/*/*.git", "*/@cluster/*/*.git",
		"*/@pools/*/*.git", "*/git-data/repositories/*"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (fnmatch(places[i], path, 0) == 0)
			return 1;
	return 0;
}

/* As install.sh: what it recorded, else what the place looks like. */
static enum layout find_layout(const struct check *c)
{
	char *record = path_join(c->repository, RECORD);
	char *folder = path_join(c->repository, "custom_hooks");
	enum layout layout;
	struct str text;
	const char *line;

	str_init(&text);
	(void)files_read(record, MAX_RECORD, &text, NULL); /* not readable: not recorded */
	line = strstr(text.buf, RECORD_LAYOUT);
	if (line != NULL)
		layout = str_starts(line + strlen(RECORD_LAYOUT), "gitlab\n") ? LAYOUT_GITLAB
									      : LAYOUT_GIT;
	else
		layout = files_exists(folder) || is_gitlab_path(c->repository) ? LAYOUT_GITLAB
									       : LAYOUT_GIT;
	str_clear(&text);
	free(folder);
	free(record);
	return layout;
}

/* ---- one hook ---- */

enum owner { OURS, CALLS_OURS, FOREIGN };

/* Whose hook is it that TEXT is? */
static enum owner find_owner(const struct str *text, const char *hook)
{
	char *called = mem_format("libexec/modelgate/%s", hook);
	enum owner owner = FOREIGN;

	if (memmem(text->buf, text->len, PATHS_MARKER, strlen(PATHS_MARKER)) != NULL)
		owner = OURS;
	else if (memmem(text->buf, text->len, called, strlen(called)) != NULL)
		owner = CALLS_OURS;
	free(called);
	return owner;
}

/* The hook TEXT, which is ours, against the program that is installed. */
static void check_version(
	struct check *c, const char *hook, const char *file, const struct str *text)
{
	char *name = mem_format("libexec/modelgate/%s", hook), *program = check_installed(name);
	struct str installed;

	str_init(&installed);
	if (files_read(program, MAX_HOOK, &installed, NULL) <= 0)
		check_wrong(
			c, "hooks", check_install_command(c), "%s: %s is missing", hook, program);
	else if (installed.len != text->len || memcmp(installed.buf, text->buf, text->len) != 0)
		check_wrong(c, "hooks", check_install_command(c),
			"%s: %s is another version than %s", hook, file, program);
	else
		check_ok(c, "hooks", "%s: %s", hook, file);
	str_clear(&installed);
	free(program);
	free(name);
}

static void check_foreign(struct check *c, const char *hook, const char *file)
{
	char *install = check_install_command(c);

	check_wrong(c, "hooks", mem_format("move it away, then %s", install),
		"%s: %s is not modelgate's", hook, file);
	free(install);
}

/* FILE is there, and is run. */
static void check_content(struct check *c, const char *hook, const char *file)
{
	struct err e = ERR_INIT;
	enum owner owner = FOREIGN;
	struct str text;
	struct stat st;

	str_init(&text);
	/* A link is somebody else's, wherever it points. */
	if (lstat(file, &st) == 0 && S_ISREG(st.st_mode) &&
		files_read(file, MAX_HOOK, &text, &e) > 0)
		owner = find_owner(&text, hook);
	if (owner == OURS)
		check_version(c, hook, file, &text);
	else if (owner == CALLS_OURS)
		check_ok(c, "hooks", "%s: %s calls modelgate's", hook, file);
	else if (e.text != NULL)
		check_wrong(c, "hooks", NULL, "%s: %s", hook, err_text(&e));
	else
		check_foreign(c, hook, file);
	str_clear(&text);
	err_clear(&e);
}

/*
 * Whoever can write PATH, a hook or the folder of one, decides what may land.  0, or -1: it is somebody
 * else's, or open to others; told.
 */
static int check_safe(struct check *c, const char *hook, const char *path)
{
	struct stat st;
	char *other;

	if (stat(path, &st) != 0)
		return 0; /* told elsewhere */
	if (st.st_uid != 0 && st.st_uid != c->owner) {
		other = command_user_name(st.st_uid);
		check_wrong(c, "hooks", mem_format("chown %s %s", c->owner_name, path),
			"%s: %s belongs to %s, who can put anything in its place", hook, path,
			other);
		free(other);
		return -1;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		check_wrong(c, "hooks", mem_format("chmod go-w %s", path),
			"%s: %s can be written by group or others", hook, path);
		return -1;
	}
	return 0;
}

static void check_hook(struct check *c, const char *hook, const char *file)
{
	char *folder = path_dir(file);
	int safe = check_safe(c, hook, folder) == 0 && check_safe(c, hook, file) == 0;
	struct stat st;

	free(folder);
	if (!safe)
		return;
	if (stat(file, &st) != 0)
		check_wrong(c, "hooks", check_install_command(c), "%s: %s is missing", hook, file);
	else if (access(file, X_OK) != 0)
		check_wrong(c, "hooks", mem_format("chmod 755 %s", file),
			"%s: %s is not executable for %s, so it is not run", hook, file,
			c->owner_name);
	else
		check_content(c, hook, file);
}

/* ---- GitLab's way ---- */

/* PATH comes before ours, as Gitaly goes: how to have ours before it depends on where ours lies. */
static void tell_earlier(struct check *c, enum layout layout, const char *hook, const char *path)
{
	char *install, *mend;
	struct stat st;

	/* As Gitaly picks them: an executable file. */
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		return;
	install = check_install_command(c);
	if (layout == LAYOUT_GLOBAL && c->repository != NULL)
		mend = mem_format(
			"if modelgate's is to be the first: %s, and %s.d/60-NAME for that one",
			install, hook);
	else
		mend = mem_format(
			"if modelgate's is to be the first, call that one %s.d/60-NAME", hook);
	check_tell(c, CHECK_NOTE, "hooks", mend,
		"%s: %s is run before modelgate's, which is not run where that one fails", hook,
		path);
	free(install);
}

/* What Gitaly runs of FOLDER before ours, which is called END there; NULL: all of it. */
static void check_earlier_in(
	struct check *c, enum layout layout, const char *hook, const char *folder, const char *end)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, NULL, alphasort);
	char *path;

	for (int i = 0; i < n; i++) {
		path = path_join(folder, names[i]->d_name);
		if ((end == NULL || strcmp(names[i]->d_name, end) < 0) && !str_ends(path, "~"))
			tell_earlier(c, layout, hook, path);
		free(path);
		free(names[i]);
	}
	free(names);
}

/* The order is: the repository's single file, its folder by name, the folder for all by name. */
static void check_earlier(struct check *c, enum layout layout, const char *hook)
{
	char *single, *folder;

	if (c->repository != NULL) {
		single = mem_format("%s/custom_hooks/%s", c->repository, hook);
		folder = mem_format("%s.d", single);
		tell_earlier(c, layout, hook, single);
		check_earlier_in(c, layout, hook, folder,
			layout == LAYOUT_GLOBAL ? NULL : PATHS_GITLAB_HOOK);
		free(folder);
		free(single);
	}
	if (layout == LAYOUT_GLOBAL) {
		folder = mem_format("%s/%s.d", c->hooks, hook);
		check_earlier_in(c, layout, hook, folder, PATHS_GITLAB_HOOK);
		free(folder);
	}
}

static void check_link(struct check *c, const char *folder)
{
	const char *above = c->repository != NULL ? c->repository : c->hooks;
	char *path = path_join(above, folder), *install;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		install = check_install_command(c);
		check_wrong(c, "hooks",
			mem_format("make it a folder of this repository's own, then %s", install),
			"%s is a symbolic link, so that other repositories may share it", path);
		free(install);
	}
	free(path);
}

/* ---- Git ---- */

/* What git says, without its newline; the caller's to free().  NULL: it fails, or is not there. */
static char *ask_git(const char *const *argv)
{
	struct spawn s = SPAWN_INIT;
	struct str out;
	int status;

	s.argv = argv;
	str_init(&out);
	if (spawn_capture(&s, MAX_ANSWER, &out, &status, NULL) != 0 || status != 0) {
		str_clear(&out);
		return NULL;
	}
	while (out.len > 0 && out.buf[out.len - 1] == '\n')
		out.buf[--out.len] = '\0';
	return str_steal(&out);
}

static void check_push_options(struct check *c)
{
	const char *argv[] = {"git", "--git-dir", c->repository, "config", "--type=bool", "--get",
		"receive.advertisePushOptions", NULL};
	int asked = c->config != NULL && c->config->override_role.n > 0;
	char *value = ask_git(argv);

	if (str_same(value, "true"))
		check_ok(c, "push-options", "receive.advertisePushOptions");
	else if (asked || is_recorded(c)) /* install.sh turns it on */
		check_wrong(c, "push-options",
			mem_format("git -C %s config receive.advertisePushOptions true",
				c->repository),
			"receive.advertisePushOptions is off: nobody can give a reason for an "
			"override");
	free(value);
}

static void check_hooks_path(struct check *c)
{
	const char *argv[] = {
		"git", "--git-dir", c->repository, "config", "--get", "core.hooksPath", NULL};
	char *value = ask_git(argv);

	if (value != NULL)
		check_wrong(c, "hooks",
			mem_format("git -C %s config --unset core.hooksPath", c->repository),
			"core.hooksPath is %s: git does not run %s/hooks", value, c->repository);
	free(value);
}

void check_git(struct check *c)
{
	const char *argv[] = {"git", "--version", NULL};
	char *version = ask_git(argv);
	int major = 0, minor = 0;

	if (version != NULL && sscanf(version, "git version %d.%d", &major, &minor) == 2 &&
		(major > GIT_MERGE_TREE_MAJOR ||
			(major == GIT_MERGE_TREE_MAJOR && minor >= GIT_MERGE_TREE_MINOR)))
		check_ok(c, "git", "%s", version);
	else
		check_note(c, "git",
			"%s in %s: before git 2.39 there is no merge-tree --stdin, so libgit2 "
			"merges "
			"instead; a merge in which it sees a conflict cannot be compared and is "
			"rejected (MG105)",
			version != NULL ? version : "no git", SPAWN_PATH);
	free(version);
}

/* The folder of HOOK, below the repository or the folder for all; the caller's to free(). */
static char *folder_of(enum layout layout, const char *hook)
{
	switch (layout) {
	case LAYOUT_GIT:
		return mem_strdup("hooks");
	case LAYOUT_GITLAB:
		return mem_format("custom_hooks/%s.d", hook);
	default:
		return mem_format("%s.d", hook);
	}
}

/* Of a repository's own and one for all, the repository's judges, if it has one. */
static enum layout find_place(const struct check *c, enum layout layout, const char *hook)
{
	char *own;
	int is_own;

	if (c->hooks == NULL)
		return layout;
	if (c->repository == NULL)
		return LAYOUT_GLOBAL;
	own = mem_format("%s/custom_hooks/%s.d/" PATHS_GITLAB_HOOK, c->repository, hook);
	is_own = access(own, X_OK) == 0;
	free(own);
	return is_own ? LAYOUT_GITLAB : LAYOUT_GLOBAL;
}

static void check_one(struct check *c, enum layout layout, const char *hook)
{
	char *folder = folder_of(layout, hook);
	char *file = mem_format("%s/%s/%s", layout == LAYOUT_GLOBAL ? c->hooks : c->repository,
		folder, layout == LAYOUT_GIT ? hook : PATHS_GITLAB_HOOK);

	if (layout == LAYOUT_GITLAB || c->repository == NULL)
		check_link(c, folder);
	check_hook(c, hook, file);
	if (layout != LAYOUT_GIT)
		check_earlier(c, layout, hook);
	free(file);
	free(folder);
}

int check_has_own_hooks(const struct check *c)
{
	enum layout layout = find_layout(c);
	int yes = is_recorded(c);

	for (size_t i = 0; i < N_HOOKS && !yes; i++) {
		char *folder = folder_of(layout, hooks[i]);
		char *file = mem_format("%s/%s/%s", c->repository, folder,
			layout == LAYOUT_GIT ? hooks[i] : PATHS_GITLAB_HOOK);
		struct str text;

		str_init(&text);
		yes = files_read(file, MAX_HOOK, &text, NULL) > 0 &&
		      find_owner(&text, hooks[i]) != FOREIGN;
		str_clear(&text);
		free(file);
		free(folder);
	}
	return yes;
}

void check_hooks(struct check *c)
{
	enum layout layout;

	if (c->repository == NULL && c->hooks == NULL)
		return;
	layout = c->repository != NULL ? find_layout(c) : LAYOUT_GLOBAL;
	if (c->hooks == NULL)
		check_link(c, layout == LAYOUT_GIT ? "hooks" : "custom_hooks");
	for (size_t i = 0; i < N_HOOKS; i++)
		check_one(c, find_place(c, layout, hooks[i]), hooks[i]);
	if (c->hooks == NULL && layout == LAYOUT_GIT) {
		check_hooks_path(c);
		check_push_options(c);
	}
}
