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
#include "data/config.h"
#include "sys/files.h"
#include "sys/paths.h"
#include "sys/spawn.h"

#define RECORD "modelgate-installed" /* what install.sh has put here, see its repository.sh */
#define RECORD_LAYOUT "layout="      /* a line of it */
#define MAX_RECORD (1U << 20)        /* bytes */
#define MAX_HOOK (64U << 20)         /* bytes of a hook that is read */
#define MAX_ANSWER 4096              /* bytes that git says */
#define GITLAB_NAME "50-modelgate"   /* of ours in <hook>.d */
#define GIT_MERGE_TREE_MAJOR 2       /* git 2.39 has merge-tree --stdin */
#define GIT_MERGE_TREE_MINOR 39

static const char *const hooks[] = {"pre-receive", "update", "post-receive"};
#define N_HOOKS (sizeof(hooks) / sizeof(hooks[0]))

/* Where hooks lie: <repo>/hooks/HOOK, or <repo>/custom_hooks/HOOK.d/50-modelgate. */
enum layout { LAYOUT_GIT, LAYOUT_GITLAB };

/* ---- the layout ---- */

static int is_recorded(const struct check *c)
{
	char *path = path_join(c->repository, RECORD);
	int yes = files_exists(path);

	free(path);
	return yes;
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
		layout = files_exists(folder) ||
					 fnmatch("*/@hashed/*/*.git", c->repository, 0) == 0 ||
					 fnmatch("*/git-data/repositories/*", c->repository, 0) == 0
				 ? LAYOUT_GITLAB
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

static void check_hook(struct check *c, const char *hook, const char *file)
{
	struct stat st;

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

static void tell_earlier(struct check *c, const char *hook, const char *path)
{
	struct stat st;

	/* As Gitaly picks them: an executable file. */
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || access(path, X_OK) != 0)
		return;
	check_note(c, "hooks",
		"%s: %s is run before modelgate's, which is not run where that one fails", hook,
		path);
}

/* What Gitaly runs before ours: the single file, then by name what lies beside ours. */
static void check_earlier(struct check *c, const char *hook)
{
	char *single = mem_format("%s/custom_hooks/%s", c->repository, hook);
	char *folder = mem_format("%s.d", single), *path;
	struct dirent **names = NULL;
	int n = scandir(folder, &names, NULL, alphasort);

	tell_earlier(c, hook, single);
	for (int i = 0; i < n; i++) {
		path = path_join(folder, names[i]->d_name);
		if (strcmp(names[i]->d_name, GITLAB_NAME) < 0 && !str_ends(path, "~"))
			tell_earlier(c, hook, path);
		free(path);
		free(names[i]);
	}
	free(names);
	free(folder);
	free(single);
}

static void check_link(struct check *c, const char *folder)
{
	char *path = path_join(c->repository, folder), *install;
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

void check_hooks(struct check *c)
{
	enum layout layout;
	char *file;

	if (c->repository == NULL)
		return;
	layout = find_layout(c);
	check_link(c, layout == LAYOUT_GIT ? "hooks" : "custom_hooks");
	for (size_t i = 0; i < N_HOOKS; i++) {
		file = layout == LAYOUT_GIT ? mem_format("hooks/%s", hooks[i])
					    : mem_format("custom_hooks/%s.d", hooks[i]);
		if (layout == LAYOUT_GITLAB)
			check_link(c, file);
		free(file);
		file = layout == LAYOUT_GIT ? mem_format("%s/hooks/%s", c->repository, hooks[i])
					    : mem_format("%s/custom_hooks/%s.d/" GITLAB_NAME,
						      c->repository, hooks[i]);
		check_hook(c, hooks[i], file);
		free(file);
		if (layout == LAYOUT_GITLAB)
			check_earlier(c, hooks[i]);
	}
	if (layout == LAYOUT_GIT) {
		check_hooks_path(c);
		check_push_options(c);
	}
}
