#include "git/scaffold.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/internal.h"
#include "sys/files.h"

#define DEFAULT_NAME "modelgate"
#define DEFAULT_EMAIL "modelgate@localhost"

/* ---- who commits ---- */

static int add_settings(git_config *config, const char *dir, const char *name,
	git_config_level_t level, struct err *e)
{
	char *path = path_join(dir, name);
	int result = 0;

	if (files_exists(path) && git_config_add_file_ondisk(config, path, level, NULL, 0) < 0)
		result = git_err(e, "%s cannot be read", path);
	free(path);
	return result;
}

/* The user's own configuration: git_start() has switched its search off, so it is named here. */
static int read_settings(git_config **out, struct err *e)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");

	*out = NULL;
	if (git_config_new(out) < 0)
		return git_err(e, "configuration cannot be made");
	if (xdg != NULL && *xdg == '/' &&
		add_settings(*out, xdg, "git/config", GIT_CONFIG_LEVEL_XDG, e) != 0)
		return -1;
	if (home == NULL || *home != '/')
		return 0;
	if ((xdg == NULL || *xdg != '/') &&
		add_settings(*out, home, ".config/git/config", GIT_CONFIG_LEVEL_XDG, e) != 0)
		return -1;
	return add_settings(*out, home, ".gitconfig", GIT_CONFIG_LEVEL_GLOBAL, e);
}

/* VARIABLE of the environment, else KEY of CONFIG, else FALLBACK; the caller's to free(). */
static char *setting(
	git_config *config, const char *variable, const char *key, const char *fallback)
{
	const char *value = getenv(variable);
	git_buf found = {0};
	char *copy;

	if (value == NULL || *value == '\0')
		value = git_config_get_string_buf(&found, config, key) == 0 ? found.ptr : NULL;
	copy = mem_strdup(value != NULL && *value != '\0' ? value : fallback);
	git_buf_dispose(&found);
	return copy;
}

static int read_author(git_signature **out, struct err *e)
{
	git_config *config = NULL;
	char *name = NULL, *email = NULL;
	int result = -1;

	*out = NULL;
	if (read_settings(&config, e) != 0)
		goto out;
	name = setting(config, "GIT_AUTHOR_NAME", "user.name", DEFAULT_NAME);
	email = setting(config, "GIT_AUTHOR_EMAIL", "user.email", DEFAULT_EMAIL);
	if (git_signature_new(out, name, email, clock_now() / CLOCK_SECOND, 0) < 0)
		(void)git_err(e, "\"%s <%s>\" cannot be an author", name, email);
	else
		result = 0;
out:
	free(email);
	free(name);
	git_config_free(config);
	return result;
}

/* ---- what is committed ---- */

static int make_repository(git_repository **out, const struct scaffold *s, struct err *e)
{
	git_repository_init_options options;

	if (git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION) < 0)
		return git_err(e, "libgit2 is of another version than it was built with");
	options.flags = GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKDIR;
	options.initial_head = s->branches[0];
	if (git_repository_init_ext(out, s->dir, &options) < 0)
		return git_err(e, "repository in %s cannot be made", s->dir);
	return 0;
}

static int add_files(git_repository *git, git_tree **tree, struct err *e)
{
	git_index *index = NULL;
	git_oid id;
	int result = 0;

	if (git_repository_index(&index, git) < 0 ||
		git_index_add_all(index, NULL, GIT_INDEX_ADD_DEFAULT, NULL, NULL) < 0 ||
		git_index_write(index) < 0 || git_index_write_tree(&id, index) < 0 ||
		git_tree_lookup(tree, git, &id) < 0)
		result = git_err(e, "files cannot be added");
	git_index_free(index);
	return result;
}

static int make_branches(
	git_repository *git, const char *const *names, const git_oid *at, struct err *e)
{
	for (; *names != NULL; names++) {
		char *ref = mem_format("refs/heads/%s", *names);
		git_reference *made = NULL;
		int failed = git_reference_create(&made, git, ref, at, 0, "modelgate new");

		git_reference_free(made);
		free(ref);
		if (failed < 0)
			return git_err(e, "branch %s cannot be made", *names);
	}
	return 0;
}

int scaffold_commit(const struct scaffold *s, struct oid *commit, struct err *e)
{
	git_repository *git = NULL;
	git_signature *who = NULL;
	git_tree *tree = NULL;
	git_oid id;
	int result = -1;

	memset(commit, 0, sizeof(*commit));
	if (git_start(e) != 0)
		return -1;
	if (read_author(&who, e) != 0 || make_repository(&git, s, e) != 0 ||
		add_files(git, &tree, e) != 0)
		goto out;
	if (git_commit_create(&id, git, NULL, who, who, NULL, s->message, tree, 0, NULL) < 0) {
		(void)git_err(e, "first commit cannot be made");
		goto out;
	}
	result = make_branches(git, s->branches, &id, e);
	oid_from_git(commit, &id);
out:
	git_tree_free(tree);
	git_signature_free(who);
	git_repository_free(git);
	(void)git_libgit2_shutdown(); /* says how often it is still started */
	return result;
}
