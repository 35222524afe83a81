#include "git/publish.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "git/internal.h"
#include "git/publish-internal.h"
#include "git/remote.h"
#include "git/repository.h"
#include "git/tree.h"
#include "sys/files.h"

#define FIRST_PAUSE_MS 10
#define MAX_PAUSE_MS 1000

static int start(struct err *e)
{
	if (git_start(e) != 0)
		return -1;
	if (git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1) < 0) {
		(void)git_err(e, "libgit2 keeps its objects unflushed");
		(void)git_libgit2_shutdown(); /* says how often it is still started */
		return -1;
	}
	return 0;
}

int publish_init_bare(const char *path, const char *branch, const char *description, struct err *e)
{
	git_repository_init_options options;
	git_repository *made = NULL;

	if (git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION) < 0)
		return git_err(e, "libgit2 is of another version than it was built with");
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR |
			GIT_REPOSITORY_INIT_NO_REINIT;
	options.initial_head = branch;
	options.description = description;
	if (git_repository_init_ext(&made, path, &options) < 0)
		return git_err(e, "%s cannot be made", path);
	git_repository_free(made);
	return 0;
}

int attempt_unreadable(struct attempt *a, const char *what, struct err *e)
{
	a->is_unreadable = 1;
	return git_err(e, "%s of %s cannot be read", what, a->name);
}

/* ---- one commit ---- */

int attempt_store(struct attempt *a, struct err *e)
{
	if (git_blob_create_from_buffer(&a->blob, a->git, a->p->content, a->p->len) < 0)
		return git_err(e, "%s cannot be stored for %s", a->p->path, a->name);
	return 0;
}

static int make_tree(struct attempt *a, git_tree *base, git_oid *out, struct err *e)
{
	git_tree_update update = {.action = GIT_TREE_UPDATE_UPSERT,
		.id = a->blob,
		.filemode = GIT_FILEMODE_BLOB,
		.path = a->p->path};

	if (git_tree_create_updated(out, a->git, base, 1, &update) == 0)
		return 0;
	a->is_unreadable = 1; /* the place is one for a file, so that a tree of it is missing */
	return git_err(e, "%s cannot be put into %s", a->p->path, a->name);
}

static int make_commit(const struct attempt *a, git_commit *tip, const git_oid *tree_id,
	git_oid *out, struct err *e)
{
	const git_commit *parents[] = {tip};
	git_signature *who = NULL;
	git_tree *tree = NULL;
	int result = 0;

	if (git_signature_new(&who, a->p->author_name, a->p->author_email, a->p->time, 0) < 0 ||
		git_tree_lookup(&tree, a->git, tree_id) < 0 ||
		git_commit_create(out, a->git, NULL, who, who, NULL, a->p->message, tree,
			tip != NULL ? 1 : 0, parents) < 0)
		result = git_err(e, "commit for %s cannot be made", a->name);
	git_tree_free(tree);
	git_signature_free(who);
	return result;
}

enum outcome attempt_commit(struct attempt *a, const git_oid *tip_id, git_oid *new, struct err *e)
{
	git_commit *tip = NULL;
	git_tree *base = NULL;
	git_oid tree;
	enum outcome result = FAILED;

	if (tip_id != NULL &&
		(git_commit_lookup(&tip, a->git, tip_id) < 0 || git_commit_tree(&base, tip) < 0)) {
		(void)attempt_unreadable(a, a->ref, e);
		goto out;
	}
	if (tip != NULL && publish_check_place(a, tip, base, e) != 0)
		goto out;
	if (make_tree(a, base, &tree, e) != 0)
		goto out;
	if (base != NULL && git_oid_equal(&tree, git_tree_id(base)))
		result = UNCHANGED;
	else if (make_commit(a, tip, &tree, new, e) == 0)
		result = COMMITTED;
out:
	git_tree_free(base);
	git_commit_free(tip);
	return result;
}

const git_oid *attempt_holder(const struct attempt *a, const git_oid *tip)
{
	return git_oid_is_zero(&a->changed) ? tip : &a->changed;
}

/* From half of it to all, so that those who lost to one another do not come again together. */
void attempt_pause(int attempts)
{
	long ms = attempts < 7 ? FIRST_PAUSE_MS << attempts : MAX_PAUSE_MS;
	unsigned short random = 0;
	struct timespec t;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = 0x8000; /* a middling pause */
	ms = ms / 2 + ms / 2 * random / 0xffff;
	t = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	(void)nanosleep(&t, NULL); /* a signal only makes it shorter */
}

enum outcome attempt_give_up(const struct attempt *a, struct err *e)
{
	(void)err_set(e, "%s of %s was moved or locked by others %d times in a row", a->ref,
		a->name, PUBLISH_ATTEMPTS);
	if (e != NULL)
		e->passing = 1;
	return FAILED;
}

int publish_file(const struct publish *p, struct oid *commit, struct err *e)
{
	struct attempt a = {.p = p};
	int result;

	memset(commit, 0, sizeof(*commit));
	if (!path_is_inside(p->path))
		return err_set(e, "\"%s\" is no path in a repository", p->path);
	if (start(e) != 0)
		return -1;
	a.name = p->remote != NULL ? p->remote->address.url : p->repository;
	a.ref = mem_format("refs/heads/%s", p->branch);
	result = p->remote != NULL ? publish_there(&a, commit, e) : publish_here(&a, commit, e);
	free(a.ref);
	(void)git_libgit2_shutdown(); /* says how often it is still started */
	return result;
}

int publish_read(const char *repository, const char *branch, const char *path, size_t max,
	struct str *out, struct err *e)
{
	struct repository *r = NULL;
	struct oid tip;
	char *ref = NULL;
	int result;

	if (!files_exists(repository))
		return 0;
	if (repository_open(&r, repository, REPOSITORY_OBJECTS, e) != 0)
		return -1;
	ref = mem_format("refs/heads/%s", branch);
	result = repository_tip(r, ref, &tip, e);
	if (result == 1)
		result = tree_file(r, &tip, path, max, out, e);
	free(ref);
	repository_free(r);
	return result;
}
