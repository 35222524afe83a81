#include "git/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/internal.h"
#include "git/loose.h"
#include "git/merge-internal.h"
#include "git/repository.h"
#include "git/walk-internal.h"

#define MAX_RUNS 100 /* of Git, where it crashes: a few merges that it crashes at can be found */

/* A result that was compared without knowing the whole of the merge. */
struct compared {
	struct oid result;
	enum merges_mode mode;
	enum merges_answer answer;
};

/* Two commits whose merge was asked about. */
struct entry {
	struct merge_pair pair;
	enum {
		ENTRY_NEW,
		ENTRY_WEIGHED, /* TRIVIAL says what the changes of both sides decide */
		ENTRY_PENDING, /* and Git has been, or will be, asked */
		ENTRY_ANSWERED /* the merge's answer is known, whatever it is compared with */
	} state;
	enum merge_trivial trivial;
	struct oid base; /* these three are trees, where there is one merge base */
	struct oid ours;
	struct oid theirs;
	struct compared *compared;
	size_t n_compared;
	size_t cap;
};

struct merges {
	struct repository *repository;
	char *parent; /* of the scratch repository */
	struct merge_scratch scratch;
	struct merge_cache cache;
	struct walk walk;
	enum { WALK_UNUSED, WALK_READY } walk_state;
	struct entry **table; /* open addressing; NULL: free */
	size_t table_size;    /* a power of two */
	size_t n;
	size_t pending;
};

struct merges *merges_new(struct repository *r, const char *scratch)
{
	struct merges *m = mem_zalloc(1, sizeof(*m));

	m->repository = r;
	m->parent = mem_strdup(scratch);
	m->scratch.lock = -1;
	m->table_size = 64;
	m->table = mem_zalloc(m->table_size, sizeof(struct entry *));
	return m;
}

void merges_free(struct merges *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->table_size; i++) {
		if (m->table[i] == NULL)
			continue;
		merge_answer_clear(&m->table[i]->pair.answer);
		free(m->table[i]->compared);
		free(m->table[i]);
	}
	if (m->walk_state == WALK_READY)
		walk_clear(&m->walk);
	merge_cache_clear(&m->cache);
	merge_scratch_clear(&m->scratch);
	free(m->table);
	free(m->parent);
	free(m);
}

size_t merges_pending(const struct merges *m)
{
	return m->pending;
}

/* ---- what was asked ---- */

/* Where the pair is in the table, or would be. */
static struct entry **place(
	const struct merges *m, const struct oid *ours, const struct oid *theirs)
{
	size_t a, b, at;

	memcpy(&a, ours->raw, sizeof(a));
	memcpy(&b, theirs->raw, sizeof(b));
	for (at = (a ^ (b >> 1)) & (m->table_size - 1); m->table[at] != NULL;
		at = (at + 1) & (m->table_size - 1))
		if (oid_equal(&m->table[at]->pair.ours, ours) &&
			oid_equal(&m->table[at]->pair.theirs, theirs))
			break;
	return &m->table[at];
}

static void grow(struct merges *m)
{
	struct entry **old = m->table;
	size_t old_size = m->table_size;

	m->table_size *= 2;
	m->table = mem_zalloc(m->table_size, sizeof(struct entry *));
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != NULL)
			*place(m, &old[i]->pair.ours, &old[i]->pair.theirs) = old[i];
	free(old);
}

static struct entry *entry_of(struct merges *m, const struct merges_case *c)
{
	struct entry **at;

	if (2 * (m->n + 1) > m->table_size)
		grow(m);
	at = place(m, &c->ours, &c->theirs);
	if (*at == NULL) {
		*at = mem_zalloc(1, sizeof(**at));
		(*at)->pair.ours = c->ours;
		(*at)->pair.theirs = c->theirs;
		m->n++;
	}
	return *at;
}

/* 1 and *OUT if this was compared before, and said what is asked now; 0. */
static int recall(enum merges_answer *out, const struct entry *entry, const struct merges_case *c)
{
	for (size_t i = 0; i < entry->n_compared; i++) {
		const struct compared *k = &entry->compared[i];

		if (oid_equal(&k->result, &c->result) &&
			(k->mode == c->mode || k->mode == MERGES_TELL_APART)) {
			*out = k->answer;
			return 1;
		}
	}
	return 0;
}

static void remember(struct entry *entry, const struct merges_case *c, enum merges_answer answer)
{
	struct compared *k;

	mem_grow(&entry->compared, entry->n_compared, &entry->cap, sizeof(*entry->compared));
	k = &entry->compared[entry->n_compared++];
	k->result = c->result;
	k->mode = c->mode;
	k->answer = answer;
}

/* ---- decided here ---- */

static int tree_of(struct oid *out, struct repository *r, const struct oid *commit, struct err *e)
{
	struct commit c;

	if (commit_read(&c, r, commit, e) != 0)
		return -1;
	*out = c.tree;
	commit_clear(&c);
	return 0;
}

/* Find the merge base's and both sides' trees.  1; 0: not one merge base; -1. */
static int find_trees(
	struct entry *entry, struct merges *m, const struct merges_case *c, struct err *e)
{
	struct repository *r = m->repository;
	struct oid base;
	int found;

	if (m->walk_state == WALK_UNUSED && walk_init(&m->walk, r, 0, 0, e) != 0)
		return -1;
	m->walk_state = WALK_READY;
	found = walk_base(
		&base, &m->walk, oid_is_zero(&c->basis) ? &c->ours : &c->basis, &c->theirs, e);
	if (found <= 0)
		return found;
	if (tree_of(&entry->base, r, &base, e) != 0 ||
		tree_of(&entry->ours, r, &entry->pair.ours, e) != 0 ||
		tree_of(&entry->theirs, r, &entry->pair.theirs, e) != 0)
		return -1;
	return 1;
}

/* The changes from the merge base.  0, or -1. */
static int read_sides(
	struct merge_sides *s, const struct entry *entry, struct merges *m, struct err *e)
{
	s->ours = merge_cache_get(&m->cache, m->repository, &entry->base, &entry->ours, e);
	s->theirs = s->ours == NULL ? NULL
				    : merge_cache_get(&m->cache, m->repository, &entry->base,
					      &entry->theirs, e);
	return s->theirs == NULL ? -1 : 0;
}

/* Find out what can be said of the merge without Git.  0, or -1. */
static int weigh(struct entry *entry, struct merges *m, const struct merges_case *c, struct err *e)
{
	struct merge_sides s;
	int found = find_trees(entry, m, c, e);

	if (found < 0)
		return -1;
	if (found > 0) {
		if (read_sides(&s, entry, m, e) != 0)
			return -1;
		entry->trivial = merge_trivial(s.ours, s.theirs);
	}
	entry->state = ENTRY_WEIGHED;
	return 0;
}

static int stop(void *context, const char *path)
{
	(void)context;
	(void)path;
	return 1;
}

/* Where the changes of both sides decide it: 1 and *OUT.  0: they don't.  -1. */
static int compare_changes(enum merges_answer *out, struct entry *entry, struct merges *m,
	const struct merges_case *c, struct err *e)
{
	struct merge_sides s;
	struct oid tree;

	if (entry->trivial == MERGE_TRIVIAL_NOT ||
		(entry->trivial == MERGE_TRIVIAL_PART && c->mode != MERGES_ONLY_WHETHER))
		return 0;
	if (tree_of(&tree, m->repository, &c->result, e) != 0 || read_sides(&s, entry, m, e) != 0)
		return -1;
	s.result = merge_cache_get(&m->cache, m->repository, &entry->base, &tree, e);
	if (s.result == NULL)
		return -1;
	if (s.result->is_odd)
		return 0;
	*out = merge_each_difference(&s, stop, NULL) ? MERGES_DIFFERS : MERGES_AUTOMATIC;
	if (*out == MERGES_AUTOMATIC && entry->trivial == MERGE_TRIVIAL_PART)
		return 0;
	remember(entry, c, *out);
	return 1;
}

/* ---- decided by Git ---- */

/* Compare RESULT with what is known of the merge as a whole.  0, or -1. */
static int compare_answer(enum merges_answer *out, const struct merges *m,
	const struct entry *entry, const struct oid *result, struct err *e)
{
	const struct merge_answer *answer = &entry->pair.answer;
	struct oid tree;

	if (answer->outcome != MERGE_CLEAN) {
		*out = answer->outcome == MERGE_CONFLICTS ? MERGES_CONFLICTS : MERGES_UNCERTAIN;
		return 0;
	}
	if (tree_of(&tree, m->repository, result, e) != 0)
		return -1;
	*out = oid_equal(&tree, &answer->tree) ? MERGES_AUTOMATIC : MERGES_DIFFERS;
	return 0;
}

int merges_ask(
	enum merges_answer *out, struct merges *m, const struct merges_case *c, struct err *e)
{
	struct entry *entry = entry_of(m, c);
	int known;

	*out = MERGES_PENDING;
	if (recall(out, entry, c))
		return 0;
	if (entry->state == ENTRY_ANSWERED)
		return compare_answer(out, m, entry, &c->result, e);
	if (entry->state == ENTRY_NEW && weigh(entry, m, c, e) != 0)
		return -1;
	known = compare_changes(out, entry, m, c, e);
	if (known != 0)
		return known < 0 ? -1 : 0;
	*out = MERGES_PENDING;
	if (entry->state == ENTRY_PENDING)
		return 0;
	if (m->pending >= MERGES_MAX_PENDING)
		return err_set(e, "more than %d merges would have to be made", MERGES_MAX_PENDING);
	entry->state = ENTRY_PENDING;
	m->pending++;
	return 0;
}

/* Make the scratch repository, and let what is written there be read.  0, or -1. */
static int make_scratch(struct merges *m, struct err *e)
{
	struct strlist dirs = {0};
	git_odb *odb = NULL;
	char *objects;
	int result = -1;

	if (m->scratch.dir != NULL)
		return 0;
	if (merge_scratch_make(&m->scratch, m->parent, e) != 0) {
		/* Whatever is in its place can be mended, and is no fault of the repository. */
		if (e != NULL)
			e->passing = 1;
		return -1;
	}
	objects = mem_format("%s/objects", m->scratch.dir);
	strlist_add(&dirs, objects);
	if (git_repository_odb(&odb, repository_handle(m->repository)) < 0)
		(void)git_err(e, "object database cannot be opened");
	else
		result = loose_add(odb, &dirs, e);
	git_odb_free(odb);
	strlist_clear(&dirs);
	free(objects);
	return result;
}

/* Pairs that are pending: all N of them, the caller's to free(). */
static struct merge_pair **list_pending(const struct merges *m)
{
	struct merge_pair **pairs = mem_zalloc(m->pending, sizeof(struct merge_pair *));
	size_t n = 0;

	for (size_t i = 0; i < m->table_size; i++)
		if (m->table[i] != NULL && m->table[i]->state == ENTRY_PENDING)
			pairs[n++] = &m->table[i]->pair;
	return pairs;
}

/*
 * Answer PAIRS.  Where Git crashes, the pair that it crashes at is found by halving and put to
 * libgit2, so that no commit of a source can stop the judgement of another.  0, or -1.
 */
static int run_pairs(
	struct merges *m, struct merge_pair *const *pairs, size_t n, int *runs, struct err *e)
{
	if (++*runs > MAX_RUNS)
		return err_set(e, "git merge-tree crashes at several of the merges");
	switch (merge_git_run(pairs, n, m->repository, &m->scratch, e)) {
	case MERGE_GIT_DONE:
		return 0;
	case MERGE_GIT_NONE:
		return merge_libgit_run(pairs, n, m->repository, &m->scratch, e);
	case MERGE_GIT_CRASHED:
		if (n == 1)
			return merge_libgit_run(pairs, n, m->repository, &m->scratch, e);
		if (run_pairs(m, pairs, n / 2, runs, e) != 0)
			return -1;
		return run_pairs(m, pairs + n / 2, n - n / 2, runs, e);
	case MERGE_GIT_FAILED:
		break;
	}
	return -1;
}

int merges_run(struct merges *m, struct err *e)
{
	struct merge_pair **pairs;
	int result, runs = 0;

	if (m->pending == 0)
		return 0;
	if (make_scratch(m, e) != 0)
		return -1;
	pairs = list_pending(m);
	result = run_pairs(m, pairs, m->pending, &runs, e);
	free(pairs);
	if (result != 0)
		return -1;
	for (size_t i = 0; i < m->table_size; i++)
		if (m->table[i] != NULL && m->table[i]->state == ENTRY_PENDING)
			m->table[i]->state = ENTRY_ANSWERED;
	m->pending = 0;
	return 0;
}

/* ---- what differs ---- */

struct collector {
	struct strlist *out;
	size_t max;
	size_t total;
};

static int collect(void *context, const char *path)
{
	struct collector *c = context;

	if (c->total++ < c->max)
		strlist_add(c->out, path);
	return 0;
}

/* All paths that differ between the tree of the commit RESULT and the tree EXPECTED. */
static int collect_changes(struct collector *out, struct merges *m, const struct oid *expected,
	const struct oid *result, struct err *e)
{
	const struct merge_changes *changes;
	struct oid tree;

	if (tree_of(&tree, m->repository, result, e) != 0)
		return -1;
	changes = merge_cache_get(&m->cache, m->repository, expected, &tree, e);
	for (size_t i = 0; changes != NULL && i < changes->n; i++)
		(void)collect(out, changes->v[i].path); /* never stops */
	return changes == NULL ? -1 : 0;
}

/* As that, where only the changes of both sides are known. */
static int collect_differences(struct collector *out, struct merges *m, const struct entry *entry,
	const struct oid *result, struct err *e)
{
	struct merge_sides s;
	struct oid tree;

	if (entry->state == ENTRY_NEW || entry->trivial == MERGE_TRIVIAL_NOT)
		return err_set(e, "a merge was not asked for");
	if (tree_of(&tree, m->repository, result, e) != 0 || read_sides(&s, entry, m, e) != 0)
		return -1;
	s.result = merge_cache_get(&m->cache, m->repository, &entry->base, &tree, e);
	if (s.result == NULL)
		return -1;
	(void)merge_each_difference(&s, collect, out); /* collect never stops it */
	return 0;
}

int merges_paths(struct strlist *out, size_t max, size_t *total, struct merges *m,
	const struct merges_case *c, struct err *e)
{
	const struct entry *entry = entry_of(m, c);
	const struct merge_answer *answer = &entry->pair.answer;
	struct collector collector = {.out = out, .max = max};
	int result = 0;

	if (entry->state != ENTRY_ANSWERED) {
		result = collect_differences(&collector, m, entry, &c->result, e);
	} else if (answer->outcome == MERGE_CLEAN) {
		result = collect_changes(&collector, m, &answer->tree, &c->result, e);
	} else {
		for (size_t i = 0; i < answer->paths.n; i++)
			(void)collect(&collector, answer->paths.v[i]); /* never stops */
		collector.total = answer->n_paths;
	}
	*total = collector.total;
	return result;
}
