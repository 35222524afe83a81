#include "gate/content.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/finding-content.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/push.h"
#include "gate/retrain.h"
#include "git/repository.h"
#include "git/tree.h"
#include "git/walk.h"

int content_judge_required(struct verdict *v, struct judge *j, struct err *e)
{
	const struct config_branch *b = v->rule.branch;

	for (size_t i = 0; b != NULL && i < b->require_files.n; i++) {
		const char *path = b->require_files.v[i];
		int found = tree_has_file(j->view.repository, &v->update->new, path, e);

		if (found < 0)
			return -1;
		if (found == 0)
			finding_required_file(v, path);
	}
	return 0;
}

/* ---- the files that may not come in ---- */

/* A path to be told of. */
struct hit {
	char *path;
	const char *forbid; /* the pattern, borrowed from the configuration; NULL: too large */
	uint64_t size;
	struct oid commit;
	const char *source; /* that it came from, borrowed from the verdict; NULL: none */
};

struct search {
	const struct config *config;
	struct tree_search trees;
	struct oid commit; /* looked at now */
	struct hit *hits;
	size_t n;
	size_t cap;
	struct err *e;
};

/*
 * The pattern that forbids PATH; NULL: none.  One without a slash is held against the file's name too, so
 * that .env is found in any folder.
 */
static const char *forbidding(const struct strlist *patterns, const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < patterns->n; i++) {
		const char *pattern = patterns->v[i];

		if (str_glob(pattern, path) || (slash != NULL && strchr(pattern, '/') == NULL &&
						       str_glob(pattern, slash + 1)))
			return pattern;
	}
	return NULL;
}

/* One finding a path: commits come newest first, and the last one is where it came in. */
static void note(struct search *s, const char *path, const char *forbid, uint64_t size)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->hits[i].path, path) != 0)
		i++;
	if (i == FINDING_MAX_OF_A_CODE)
		return;
	if (i == s->n) {
		mem_grow(&s->hits, s->n, &s->cap, sizeof(*s->hits));
		s->hits[s->n++].path = mem_strdup(path);
	}
	s->hits[i].forbid = forbid;
	s->hits[i].size = size;
	s->hits[i].commit = s->commit;
}

static int look_at_file(void *context, const char *path, const struct oid *blob)
{
	struct search *s = context;
	const char *forbid = forbidding(&s->config->forbid, path);
	uint64_t size = 0, limit = (uint64_t)s->config->max_file_size;

	if (forbid == NULL && limit > 0 &&
		tree_blob_size(s->trees.repository, blob, &size, s->e) != 0)
		return err_wrap(s->e, "%.*s", FINDING_MAX_NAME, path);
	if (forbid != NULL || (limit > 0 && size > limit))
		note(s, path, forbid, size);
	return 0;
}

static int look_at_commit(void *context, const struct oid *oid)
{
	struct search *s = context;

	s->commit = *oid;
	return tree_search(&s->trees, oid, TREE_AGAINST_PARENTS, s->e);
}

/* ---- what is new to the reference ---- */

struct held {
	struct oid *v;
	size_t n;
	size_t cap;
	const char *target; /* reference that is judged: it is taken not to be there */
};

static void add_held(struct held *held, const struct oid *tip)
{
	mem_grow(&held->v, held->n, &held->cap, sizeof(*held->v));
	held->v[held->n++] = *tip;
}

static int add_retrain(void *context, const char *ref, const struct oid *tip)
{
	struct held *held = context;
	struct names_retrain parts;

	if (names_retrain(&parts, names_branch(ref)) && strcmp(ref, held->target) != 0)
		add_held(held, tip);
	return 0;
}

/* The branches with rules that the repository has, but for the one that is judged. */
static int find_branches(struct held *held, const struct judge *j, struct err *e)
{
	const struct config *c = j->view.config;

	for (size_t i = 0; i < c->n_branches; i++) {
		char *ref = mem_format("%s%s", NAMES_HEADS, c->branches[i].name);
		struct oid tip;
		int found = repository_tip(j->view.repository, ref, &tip, e);

		if (found > 0 && strcmp(ref, held->target) != 0)
			add_held(held, &tip);
		free(ref);
		if (found < 0)
			return -1;
	}
	return repository_each(
		j->view.repository, NAMES_HEADS NAMES_RETRAIN_PREFIX, add_retrain, held, e);
}

/* What V's reference is taken to hold before the update. */
static int find_held(struct held *held, const struct verdict *v, struct judge *j, struct err *e)
{
	struct oid base;
	int known = 0;

	if (!oid_is_zero(&v->update->old)) {
		add_held(held, &v->update->old);
		return 0;
	}
	if (v->rule.kind == POLICY_RETRAIN)
		known = retrain_base(&base, v, j, e);
	if (known < 0)
		return -1;
	if (known > 0)
		add_held(held, &base);
	return known > 0 ? 0 : find_branches(held, j, e);
}

static int look(struct search *s, const struct verdict *v, struct judge *j, struct err *e)
{
	const struct push_update *u = v->update;
	struct held held = {.target = u->target};
	struct walk_range range = {.tips = &u->new, .n_tips = 1};
	int result = -1;

	if (find_held(&held, v, j, e) != 0)
		goto out;
	range.held = held.v;
	range.n_held = held.n;
	s->commit = u->new;
	/* What is in a branch's first tree is brought to it, also where another branch holds it. */
	if (oid_is_zero(&u->old) && v->rule.kind == POLICY_BRANCH &&
		tree_search(&s->trees, &u->new, TREE_AGAINST_NOTHING, e) != 0)
		goto out;
	result = walk_new(j->view.repository, &range, look_at_commit, s, e);
out:
	free(held.v);
	return result;
}

/* ---- telling ---- */

#define MAX_SOURCES 8 /* merged commits in which the one of a message is searched */

/* The reference of a source that COMMIT came from, borrowed from V; NULL: it was made on the branch. */
static const char *find_source(const struct verdict *v, struct judge *j, const struct oid *commit)
{
	for (size_t i = 0; i < v->merged.n && i < MAX_SOURCES; i++) {
		char *hex = mem_strndup(v->merged.v[i], OID_HEX_SIZE - 1);
		struct oid tip;
		int holds = oid_parse(&tip, hex) == 0 &&
			    walk_holds(j->view.repository, &tip, 1, commit, NULL) > 0;

		free(hex);
		if (holds)
			return v->merged.v[i] + OID_HEX_SIZE; /* after a blank */
	}
	return v->merged.n > MAX_SOURCES ? v->source : NULL;
}

/* The paths of the hits after the first one that came from where it came. */
static void find_others(struct strlist *out, const struct search *s)
{
	for (size_t i = 1; i < s->n; i++)
		if (str_same(s->hits[i].source, s->hits[0].source))
			strlist_add(out, s->hits[i].path);
}

static int tell(struct verdict *v, struct judge *j, const struct hit *hit,
	const struct strlist *others, struct err *e)
{
	struct finding_file f = {.path = hit->path, .forbid = hit->forbid, .size = hit->size};
	struct commit commit;

	if (commit_read(&commit, j->view.repository, &hit->commit, e) != 0)
		return -1;
	f.commit = &commit;
	f.source = hit->source;
	f.others = others;
	finding_file(v, &f);
	commit_clear(&commit);
	return 0;
}

/* The first finding is the one that the pusher is told: it speaks for the others too. */
static int tell_all(struct verdict *v, struct judge *j, struct search *s, struct err *e)
{
	struct strlist others = {0}, none = {0};
	int result = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct hit *hit = &s->hits[i];
		int again = i > 0 && oid_equal(&hit->commit, &hit[-1].commit);

		hit->source = again ? hit[-1].source : find_source(v, j, &hit->commit);
	}
	find_others(&others, s);
	for (size_t i = 0; result == 0 && i < s->n; i++)
		result = tell(v, j, &s->hits[i], i == 0 ? &others : &none, e);
	strlist_clear(&others);
	return result;
}

int content_judge_blobs(struct verdict *v, struct judge *j, struct err *e)
{
	struct search s = {.config = j->view.config, .e = e};
	int result;

	if ((s.config->forbid.n == 0 && s.config->max_file_size == 0) ||
		oid_is_zero(&v->update->new))
		return 0;
	s.trees.repository = j->view.repository;
	s.trees.each = look_at_file;
	s.trees.context = &s;
	result = look(&s, v, j, e);
	if (result == 0)
		result = tell_all(v, j, &s, e);
	for (size_t i = 0; i < s.n; i++)
		free(s.hits[i].path);
	free(s.hits);
	return result;
}
