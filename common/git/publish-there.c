/*
 * publish_file() into a repository on a server: of each, a bare one is kept here that holds what the
 * branch holds.  The commit is made on the tip that the server names, and pushed; whoever pushed in
 * between makes the server refuse, and it is done again on the new tip.
 */
#include "git/publish-internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/reference.h"
#include "git/remote.h"
#include "git/repository.h"
#include "git/conversation-internal.h"
#include "sys/files.h"
#include "sys/lock.h"

#define LOCK_TIMEOUT_MS 120000 /* for all deployers of this state directory that come first */
#define MAX_UNCLEAR 3          /* pushes of which the end was not heard, in one deploy */
#define MAX_PACKS 100          /* each fetch leaves one: then it is fetched anew as one */
#define SLOWER 3               /* attempts ahead in length of the pauses: servers take their time */
#define CACHE_NAME 32          /* digits of the address's SHA-256 */
#define PUSH_REF REFERENCE_OWN "push"

struct cache {
	struct attempt *a;
	char *path; /* of the repository that is kept */
	int lock;
	struct repository *repository; /* NULL: not open */
	git_remote *remote;            /* the server, as one who pushes; NULL: not connected */
	struct conversation talk;      /* with it */
	git_oid pushed;                /* the last commit that was sent */
	int has_pushed;
	int unclear; /* pushes of which the end was not heard */
};

/* ---- what is kept here ---- */

static int is_pack(const char *name)
{
	return str_starts(name, "pack-") && str_ends(name, ".pack");
}

/* 1 if there are so many packs that it is better made anew, or half a pack of one who was killed. */
static int is_worn(const char *path)
{
	char *folder = path_join(path, "objects/pack");
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int n = 0, half = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		n += is_pack(entry->d_name);
		half |= str_starts(entry->d_name, "pack_git2_");
	}
	if (dir != NULL)
		(void)closedir(dir); /* only read */
	free(folder);
	return half || n > MAX_PACKS;
}

static void cache_close(struct cache *k)
{
	repository_free(k->repository);
	k->repository = NULL;
	k->a->git = NULL;
}

/* What is kept is a copy: where it cannot be opened, an empty one takes its place. */
static int cache_open(struct cache *k, struct err *e)
{
	struct err unusable = ERR_INIT;
	int result = 0;

	if (is_worn(k->path) || !files_exists(k->path) ||
		repository_open(&k->repository, k->path, REPOSITORY_OBJECTS, &unusable) != 0)
		result = files_remove_tree(k->path, e) != 0 ||
			 publish_init_bare(k->path, k->a->p->branch, k->a->name, e) != 0 ||
			 repository_open(&k->repository, k->path, REPOSITORY_OBJECTS, e) != 0;
	err_clear(&unusable);
	if (result != 0)
		return -1;
	k->a->git = repository_handle(k->repository);
	return attempt_store(k->a, e);
}

/* One repository an address; nobody else works in it while the lock is held. */
static int cache_take(struct cache *k, struct err *e)
{
	const struct remote *r = k->a->p->remote;
	char hash[SHA256_HEX_SIZE], *lock;
	int taken = -1;

	sha256_of(r->address.url, strlen(r->address.url), hash);
	k->path = mem_format("%s/%.*s.git", r->cache, CACHE_NAME, hash);
	lock = mem_format("%s.lock", k->path);
	if (files_make_folder(r->cache, 0700, e) == 0)
		taken = lock_take(&k->lock, lock, LOCK_WAIT, LOCK_TIMEOUT_MS, e);
	if (taken == 0) {
		(void)err_set(e, "others have been publishing to %s for %d seconds", r->address.url,
			LOCK_TIMEOUT_MS / 1000);
		if (e != NULL)
			e->passing = 1;
	}
	free(lock);
	return taken == 1 ? 0 : -1;
}

/* Keep NEW under NAME: what is kept is what the next fetch need not bring. */
static int keep(struct cache *k, const char *name, const git_oid *new, struct err *e)
{
	git_reference *ref = NULL;

	if (git_reference_create(&ref, k->a->git, name, new, 1, "modelgate") < 0) {
		k->a->is_unreadable = 1;
		return git_err(e, "%s cannot be kept in %s", name, k->path);
	}
	git_reference_free(ref);
	return 0;
}

static int has_commit(const struct cache *k, const git_oid *id)
{
	git_commit *commit = NULL;
	int has = git_commit_lookup(&commit, k->a->git, id) == 0;

	git_commit_free(commit);
	return has;
}

/* ---- connections ---- */

static void disconnect(struct cache *k)
{
	git_remote_free(k->remote);
	k->remote = NULL;
}

/* Connect as one who pushes: the tip that is read here is what the push is compared with. */
static int connect(struct cache *k, struct err *e)
{
	disconnect(k);
	conversation_reset(&k->talk);
	return conversation_connect(&k->remote, k->a->git, GIT_DIRECTION_PUSH, &k->talk, e);
}

/* ---- fetching ---- */

/* What the branch holds, and no other reference or tag. */
static int download(struct cache *k, git_remote *remote, struct conversation *talk, struct err *e)
{
	char *spec = mem_format("+%s:%s", k->a->ref, k->a->ref);
	const git_strarray specs = {.strings = &spec, .count = 1};
	git_fetch_options options;
	int result = -1;

	if (git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION) < 0) {
		(void)git_err(e, "libgit2 is of another version than it was built with");
		goto out;
	}
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.proxy_opts.type = GIT_PROXY_NONE;
	if (conversation_callbacks(&options.callbacks, talk, e) != 0)
		goto out;
	if (git_remote_download(remote, &specs, &options) == 0) {
		result = 0;
	} else {
		k->a->is_unreadable = talk->fault.text == NULL;
		(void)conversation_err(talk, e, "the branch cannot be fetched");
	}
out:
	free(spec);
	return result;
}

/*
 * Bring what the branch holds by now.  0, or -1.  Whether TIP is there afterwards is another question: the
 * branch may have been moved elsewhere.
 */
static int fetch(struct cache *k, struct err *e)
{
	git_remote *remote = NULL;
	struct conversation talk;
	int result = -1;

	conversation_init(&talk, k->a->p->remote, k->path);
	if (conversation_connect(&remote, k->a->git, GIT_DIRECTION_FETCH, &talk, e) == 0)
		result = download(k, remote, &talk, e);
	git_remote_free(remote);
	conversation_clear(&talk);
	return result;
}

/* ---- pushing ---- */

/* Words by which servers say that the branch has moved, or is being moved. */
static int is_race(const char *why)
{
	static const char *const words[] = {"non-fast-forward", "fetch first",
		"incorrect old value", "failed to update ref", "cannot lock ref", "failed to lock",
		"reference already exists", NULL};

	for (const char *const *word = words; *word != NULL; word++)
		if (strstr(why, *word) != NULL)
			return 1;
	return 0;
}

/* The server has not taken it, in its own words. */
static enum outcome tell_refused(const struct cache *k, struct err *e)
{
	char *why = conversation_words(k->talk.refused);
	char *words = conversation_words(k->talk.words.buf);

	(void)err_set(e, "%s does not take the commit on %s: %s%s%s", k->a->name, k->a->p->branch,
		why, *words ? ": " : "", words);
	free(words);
	free(why);
	return FAILED;
}

/* Whether it landed is seen by the next look at the branch. */
static enum outcome look_again(struct cache *k)
{
	return ++k->unclear < MAX_UNCLEAR ? RACED : FAILED;
}

/* It was not taken, or nobody knows whether it was. */
static enum outcome tell_push_fault(struct cache *k, int error, struct err *e)
{
	(void)conversation_err(&k->talk, e, "the commit cannot be pushed");
	if (error == GIT_ENONFASTFORWARD)
		return RACED;
	if (k->talk.fault.text == NULL)
		k->a->is_unreadable = 1;
	return k->talk.fault.passing ? look_again(k) : FAILED;
}

static enum outcome read_verdict(struct cache *k, struct err *e)
{
	if (k->talk.is_taken)
		return COMMITTED;
	if (k->talk.refused != NULL)
		return is_race(k->talk.refused) ? RACED : tell_refused(k, e);
	(void)err_set(e, "%s does not say whether it has taken the commit", k->a->name);
	return look_again(k);
}

static enum outcome push(struct cache *k, const git_oid *new, struct err *e)
{
	char *spec = mem_format("%s:%s", PUSH_REF, k->a->ref);
	const git_strarray specs = {.strings = &spec, .count = 1};
	enum outcome result = FAILED;
	git_push_options options;
	int error;

	if (git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION) < 0) {
		(void)git_err(e, "libgit2 is of another version than it was built with");
		goto out;
	}
	options.proxy_opts.type = GIT_PROXY_NONE;
	if (conversation_callbacks(&options.callbacks, &k->talk, e) != 0 ||
		keep(k, PUSH_REF, new, e) != 0)
		goto out;
	k->pushed = *new;
	k->has_pushed = 1;
	error = git_remote_upload(k->remote, &specs, &options);
	result = error < 0 ? tell_push_fault(k, error, e) : read_verdict(k, e);
out:
	free(spec);
	return result;
}

/* ---- attempts ---- */

/* Did an earlier push land, of which that was not heard? */
static int has_landed(const struct cache *k, const git_oid *tip)
{
	return k->has_pushed && (git_oid_equal(tip, &k->pushed) ||
					git_graph_descendant_of(k->a->git, tip, &k->pushed) == 1);
}

/* On top of the server's TIP, which is here; NULL: the branch is not there yet. */
static enum outcome attempt_on(
	struct cache *k, const git_oid *tip, struct oid *commit, struct err *e)
{
	enum outcome result;
	git_oid new;

	if (tip != NULL && has_landed(k, tip)) {
		oid_from_git(commit, &k->pushed);
		return COMMITTED;
	}
	result = attempt_commit(k->a, tip, &new, e);
	if (result == UNCHANGED)
		oid_from_git(commit, attempt_holder(k->a, tip));
	if (result != COMMITTED)
		return result;
	oid_from_git(commit, &new);
	return push(k, &new, e);
}

/* Have TIP here.  COMMITTED: it is; RACED: the branch was moved elsewhere meanwhile; FAILED. */
static enum outcome have(struct cache *k, const git_oid *tip, struct err *e)
{
	git_odb *odb = NULL;
	int is_there;

	if (!has_commit(k, tip)) {
		if (fetch(k, e) != 0)
			return FAILED;
		if (!has_commit(k, tip)) {
			is_there = git_repository_odb(&odb, k->a->git) == 0 &&
				   git_odb_exists(odb, tip);
			git_odb_free(odb);
			if (!is_there)
				return RACED;
			return (enum outcome)attempt_unreadable(k->a, "the tip", e);
		}
	}
	return keep(k, k->a->ref, tip, e) == 0 ? COMMITTED : FAILED;
}

static enum outcome attempt_once(struct cache *k, struct oid *commit, struct err *e)
{
	enum outcome result = FAILED;
	git_oid tip;
	int found = -1;

	if (connect(k, e) == 0)
		found = conversation_tip(k->remote, k->a->ref, &k->talk, &tip, e);
	if (found == 0)
		result = attempt_on(k, NULL, commit, e);
	if (found == 1) {
		result = have(k, &tip, e);
		if (result == COMMITTED)
			result = attempt_on(k, &tip, commit, e);
	}
	disconnect(k);
	return result;
}

static enum outcome attempt_often(struct cache *k, struct oid *commit, struct err *e)
{
	for (int i = 0; i < PUBLISH_ATTEMPTS; i++) {
		enum outcome result;

		err_clear(e);
		result = attempt_once(k, commit, e);
		if (result != RACED)
			return result;
		attempt_pause(i + SLOWER);
	}
	(void)attempt_give_up(k->a, e);
	if (k->talk.refused != NULL) {
		char *why = conversation_words(k->talk.refused);

		(void)err_wrap(e, "the server says: %s", why);
		free(why);
	}
	return FAILED;
}

/* With what is kept; where that is damaged, once more with nothing. */
static enum outcome attempt_twice(struct cache *k, struct oid *commit, struct err *e)
{
	enum outcome result = FAILED;

	if (cache_open(k, e) == 0)
		result = attempt_often(k, commit, e);
	if (result != FAILED || !k->a->is_unreadable)
		return result;
	cache_close(k);
	err_clear(e);
	if (files_remove_tree(k->path, e) == 0 && cache_open(k, e) == 0)
		result = attempt_often(k, commit, e);
	return result;
}

int publish_there(struct attempt *a, struct oid *commit, struct err *e)
{
	struct cache k = {.a = a, .lock = -1};
	int result = -1;

	if (cache_take(&k, e) == 0) {
		conversation_init(&k.talk, a->p->remote, k.path);
		result = attempt_twice(&k, commit, e);
		conversation_clear(&k.talk);
	}
	cache_close(&k);
	lock_drop(k.lock);
	free(k.path);
	return result;
}
