/* Whose the place is that a file is published to, and whether a file can be there. */
#include "git/publish-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"

#define MAX_SHOWN 100 /* bytes of a name in a message */

/* ---- what stands there ---- */

static const char *kind_of(const git_tree_entry *entry)
{
	switch (git_tree_entry_filemode(entry)) {
	case GIT_FILEMODE_LINK:
		return "a symbolic link";
	case GIT_FILEMODE_COMMIT:
		return "a submodule";
	case GIT_FILEMODE_TREE:
		return "a folder";
	default:
		return "a file";
	}
}

/* PATH, a folder above the file or (IS_FILE) the file itself, must be that where it is there at all. */
static int check_part(
	struct attempt *a, const git_tree *tree, const char *path, int is_file, struct err *e)
{
	git_tree_entry *entry = NULL;
	int error = git_tree_entry_bypath(&entry, tree, path), fits;

	if (error == GIT_ENOTFOUND)
		return 0;
	if (error < 0)
		return attempt_unreadable(a, path, e);
	fits = is_file ? git_tree_entry_type(entry) == GIT_OBJECT_BLOB &&
				 git_tree_entry_filemode(entry) != GIT_FILEMODE_LINK
		       : git_tree_entry_type(entry) == GIT_OBJECT_TREE;
	if (!fits)
		(void)err_set(e,
			"%s is %s in %s, branch %s, so that %s cannot be put there; remove it, or "
			"write another path or project name",
			path, kind_of(entry), a->name, a->p->branch, a->p->path);
	git_tree_entry_free(entry);
	return fits ? 0 : -1;
}

static int check_kinds(struct attempt *a, const git_tree *tree, struct err *e)
{
	for (const char *slash = strchr(a->p->path, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		char *folder = mem_strndup(a->p->path, (size_t)(slash - a->p->path));
		int result = check_part(a, tree, folder, 0, e);

		free(folder);
		if (result != 0)
			return -1;
	}
	return check_part(a, tree, a->p->path, 1, e);
}

/* ---- whose it is ---- */

/* The file's id in COMMIT: 1, 0 there is none, -1. */
static int id_in(struct attempt *a, const git_commit *commit, git_oid *out, struct err *e)
{
	git_tree *tree = NULL;
	git_tree_entry *entry = NULL;
	int error, result = -1;

	if (git_commit_tree(&tree, commit) < 0)
		return attempt_unreadable(a, "history", e);
	error = git_tree_entry_bypath(&entry, tree, a->p->path);
	if (error == 0)
		git_oid_cpy(out, git_tree_entry_id(entry));
	if (error == 0 || error == GIT_ENOTFOUND)
		result = error == 0;
	else
		(void)attempt_unreadable(a, a->p->path, e);
	git_tree_entry_free(entry);
	git_tree_free(tree);
	return result;
}

/* The owner that the last such line of MESSAGE names, the caller's to free(); NULL: it has none. */
static char *owner_in(const char *message)
{
	const char *found = NULL;

	for (const char *line = message; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (str_starts(line, PUBLISH_OWNER))
			found = line + strlen(PUBLISH_OWNER);
	}
	return found != NULL ? mem_strndup(found, strcspn(found, "\n")) : NULL;
}

/* Where the file came from, as git log has it: through a parent that has the same, whichever. */
enum step { STEP_FAULT = -1, STEP_SAME, STEP_CHANGED, STEP_MADE };

/*
 * Go from *AT to a parent.  SAME: it has the same file.  CHANGED: *AT changed it, *NEXT is its first
 * parent that has one.  MADE: *AT brought it, no parent has one.
 */
static enum step go_back(struct attempt *a, const git_commit *at, const git_oid *id,
	git_commit **next, git_oid *next_id, struct err *e)
{
	*next = NULL;
	for (unsigned i = 0; i < git_commit_parentcount(at); i++) {
		git_commit *parent = NULL;
		git_oid other;
		int has;

		if (git_commit_parent(&parent, at, i) < 0) {
			(void)attempt_unreadable(a, "history", e);
			return STEP_FAULT;
		}
		has = id_in(a, parent, &other, e);
		if (has == 1 && (git_oid_equal(&other, id) || *next == NULL)) {
			git_commit_free(*next);
			*next = parent;
			*next_id = other;
			if (git_oid_equal(&other, id))
				return STEP_SAME;
			continue;
		}
		git_commit_free(parent);
		if (has < 0)
			return STEP_FAULT;
	}
	return *next != NULL ? STEP_CHANGED : STEP_MADE;
}

static int refuse_foreign(
	const struct attempt *a, const git_commit *at, const char *owner, struct err *e)
{
	char *safe = str_safe(owner, MAX_SHOWN);

	(void)err_set(e,
		"%s in %s, branch %s, belongs to %s (commit %.7s); this is %s: give one of the two "
		"projects another name",
		a->p->path, a->name, a->p->branch, safe, git_oid_tostr_s(git_commit_id(at)),
		a->p->owner);
	free(safe);
	return -1;
}

static int refuse_handmade(const struct attempt *a, const git_commit *at, struct err *e)
{
	const git_signature *author = git_commit_author(at);
	char *safe = str_safe(author != NULL ? author->name : "", MAX_SHOWN);

	(void)err_set(e,
		"%s is in %s, branch %s, already and was not deployed by modelgate (commit %.7s by "
		"%s): have it removed there if the project is to take its place, or give the "
		"project "
		"another name",
		a->p->path, a->name, a->p->branch, git_oid_tostr_s(git_commit_id(at)), safe);
	free(safe);
	return -1;
}

/* Ends the search: 0 the file is ours, -1 it is not; 1: AT does not say. */
static int judge(const struct attempt *a, const git_commit *at, enum step step, struct err *e)
{
	char *owner = step != STEP_SAME ? owner_in(git_commit_message(at)) : NULL;
	int result = 1;

	if (owner != NULL)
		result = strcmp(owner, a->p->owner) == 0 ? 0 : refuse_foreign(a, at, owner, e);
	else if (step == STEP_MADE)
		result = refuse_handmade(a, at, e);
	free(owner);
	return result;
}

static int check_owner(struct attempt *a, const git_commit *tip, struct err *e)
{
	git_commit *at = NULL;
	git_oid id;
	int result = id_in(a, tip, &id, e);

	if (result != 1)
		return result;
	if (git_commit_dup(&at, (git_commit *)tip) < 0)
		return attempt_unreadable(a, "history", e);
	for (int n = 0; n < PUBLISH_MAX_HISTORY && result == 1; n++) {
		git_commit *next = NULL;
		git_oid next_id = {{0}};
		enum step step = go_back(a, at, &id, &next, &next_id, e);

		if (step != STEP_SAME && git_oid_is_zero(&a->changed))
			git_oid_cpy(&a->changed, git_commit_id(at));
		result = step == STEP_FAULT ? -1 : judge(a, at, step, e);
		git_commit_free(at);
		at = next;
		id = next_id;
	}
	git_commit_free(at);
	if (result == 1)
		return err_set(e, "whose %s in %s is cannot be told from its last %d commits",
			a->p->path, a->name, PUBLISH_MAX_HISTORY);
	return result;
}

int publish_check_place(
	struct attempt *a, const git_commit *tip, const git_tree *tree, struct err *e)
{
	memset(&a->changed, 0, sizeof(a->changed));
	if (check_kinds(a, tree, e) != 0)
		return -1;
	return a->p->owner != NULL ? check_owner(a, tip, e) : 0;
}
