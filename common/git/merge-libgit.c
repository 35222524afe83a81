#include "git/merge-internal.h"

#include <string.h>

#include "base/err.h"
#include "git/internal.h"
#include "git/loose.h"
#include "git/repository.h"

/*
 * The scratch repository with R's objects to read.  libgit2 writes the files that it merges into
 * the repository it is given, which must not be R; and of this one it finds no configuration.
 */
static int open_scratch(git_repository **out, struct repository *r,
	const struct merge_scratch *scratch, struct err *e)
{
	const struct strlist *dirs = repository_object_dirs(r);
	git_odb *odb = NULL;
	int result = -1;

	*out = NULL;
	if (git_repository_open_bare(out, scratch->dir) < 0 || git_repository_odb(&odb, *out) < 0)
		return git_err(e, "%s cannot be opened", scratch->dir);
	for (size_t i = 0; i < dirs->n; i++)
		if (git_odb_add_disk_alternate(odb, dirs->v[i]) < 0) {
			(void)git_err(e, "objects in %s cannot be read", dirs->v[i]);
			goto out;
		}
	result = loose_add(odb, dirs, e);
out:
	git_odb_free(odb);
	return result;
}

static void note_conflict(struct merge_answer *a, const char *path)
{
	/* The three stages of a path come one after the other. */
	if (a->paths.n > 0 && strcmp(a->paths.v[a->paths.n - 1], path) == 0)
		return;
	if (a->n_paths++ < MERGE_MAX_PATHS)
		strlist_add(&a->paths, path);
}

static int read_conflicts(struct merge_answer *a, git_index *index, struct err *e)
{
	git_index_conflict_iterator *it = NULL;
	const git_index_entry *base, *ours, *theirs;
	int error;

	a->outcome = MERGE_UNCERTAIN;
	if (git_index_conflict_iterator_new(&it, index) < 0)
		return git_err(e, "the conflicts of a merge cannot be listed");
	while ((error = git_index_conflict_next(&base, &ours, &theirs, it)) == 0)
		note_conflict(a, ours != NULL     ? ours->path
				 : theirs != NULL ? theirs->path
						  : base->path);
	git_index_conflict_iterator_free(it);
	return error == GIT_ITEROVER ? 0 : git_err(e, "the conflicts of a merge cannot be listed");
}

static int write_result(
	struct merge_answer *a, git_repository *scratch, git_index *index, struct err *e)
{
	git_oid tree;

	if (git_index_write_tree_to(&tree, index, scratch) < 0)
		return git_err(e, "the tree of a merge cannot be written");
	a->outcome = MERGE_CLEAN;
	oid_from_git(&a->tree, &tree);
	return 0;
}

static int merge(struct merge_pair *pair, git_repository *scratch, struct err *e)
{
	git_merge_options options;
	const struct oid *oids[2] = {&pair->ours, &pair->theirs};
	git_commit *commits[2] = {NULL, NULL};
	git_index *index = NULL;
	int result = -1, error = git_merge_options_init(&options, GIT_MERGE_OPTIONS_VERSION);

	options.flags = GIT_MERGE_FIND_RENAMES;
	for (size_t i = 0; error == 0 && i < 2; i++) {
		git_oid id;

		oid_to_git(&id, oids[i]);
		error = git_commit_lookup(&commits[i], scratch, &id);
	}
	if (error == 0)
		error = git_merge_commits(&index, scratch, commits[0], commits[1], &options);
	if (error < 0)
		(void)git_err(e, "a merge cannot be made");
	else if (git_index_has_conflicts(index))
		result = read_conflicts(&pair->answer, index, e);
	else
		result = write_result(&pair->answer, scratch, index, e);
	git_index_free(index);
	git_commit_free(commits[0]);
	git_commit_free(commits[1]);
	return result;
}

int merge_libgit_run(struct merge_pair *const *pairs, size_t n, struct repository *r,
	const struct merge_scratch *s, struct err *e)
{
	git_repository *scratch = NULL;
	int result = open_scratch(&scratch, r, s, e);

	for (size_t i = 0; result == 0 && i < n; i++)
		result = merge(pairs[i], scratch, e);
	git_repository_free(scratch);
	return result;
}
