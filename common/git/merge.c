#include "git/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/internal.h"
#include "git/loose.h"
#include "git/merge-internal.h"
#include "git/repository.h"
#include "git/walk.h"

/* One pair of commits that was asked about; where Git had to be asked, ANSWER is for any result. */
struct entry {
	struct merge_pair pair;
	enum { ENTRY_UNASKED, ENTRY_PENDING, ENTRY_ANSWERED } state;
	struct known *known; /* decided without Git, for one result each */
	size_t n_known;
	size_t known_cap;
};

struct known {
	struct oid result;
	enum merges_mode mode;
	enum merges_answer answer;
};

struct merges {
	struct repository *repository;
	char *parent; /* of the scratch repository */
	struct merge_scratch scratch;
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
		free(m->table[i]->known);
		free(m->table[i]);
	}
	merge_scratch_clear(&m->scratch);
	free(m->table);
	free(m->parent);
	free(m);
}

size_t merges_pending(const struct merges *m)
{
	return m->pending;
}

/* Where the pair is in the table, or would be. */
static struct entry **place(const struct merges *m, const struct oid *ours, const struct oid *theirs)
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

static int tree_of(struct oid *out, struct repository *r, const struct oid *commit, struct err *e)
{
	struct commit c;

	if (commit_read(&c, r, commit, e) != 0)
		return -1;
	*out = c.tree;
	commit_clear(&c);
	return 0;
}

/* Compare RESULT with what is known of the whole merge. */
static int compare(enum merges_answer *out, const struct merges *m, const struct entry *entry,
	const struct oid *result, struct err *e)
{
	struct oid tree;

	if (entry->pair.answer.outcome != MERGE_CLEAN) {
		*out = entry->pair.answer.outcome == MERGE_CONFLICTS ? MERGES_CONFLICTS
								     : MERGES_UNCERTAIN;
		return 0;
	}
	if (tree_of(&tree, m->repository, result, e) != 0)
		return -1;
	*out = oid_equal(&tree, &entry->pair.answer.tree) ? MERGES_AUTOMATIC : MERGES_DIFFERS;
	return 0;
}

/* Where one side is as the merge base is, the other side is the answer.  1 known, 0, -1. */
static int decide(struct entry *entry, const struct merges *m, struct err *e)
{
	const struct merge_pair *pair = &entry->pair;
	struct oid base, trees[3];
	int found = walk_merge_base(&base, m->repository, &pair->ours, &pair->theirs, e);

	if (found <= 0)
		return found;
	if (tree_of(&trees[0], m->repository, &base, e) != 0 ||
		tree_of(&trees[1], m->repository, &pair->ours, e) != 0 ||
		tree_of(&trees[2], m->repository, &pair->theirs, e) != 0)
		return -1;
	if (oid_equal(&trees[0], &trees[1]))
		entry->pair.answer.tree = trees[2];
	else if (oid_equal(&trees[0], &trees[2]))
		entry->pair.answer.tree = trees[1];
	else
		return 0;
	entry->pair.answer.outcome = MERGE_CLEAN;
	entry->state = ENTRY_ANSWERED;
	return 1;
}

int merges_ask(
	enum merges_answer *out, struct merges *m, const struct merges_case *c, struct err *e)
{
	struct entry *entry = entry_of(m, c);

	*out = MERGES_PENDING;
	if (entry->state == ENTRY_UNASKED && decide(entry, m, e) < 0)
		return -1;
	if (entry->state == ENTRY_ANSWERED)
		return compare(out, m, entry, &c->result, e);
	if (entry->state == ENTRY_PENDING)
		return 0;
	if (m->pending >= MERGES_MAX_PENDING)
		return err_set(e, "more than %d merges would have to be made", MERGES_MAX_PENDING);
	entry->state = ENTRY_PENDING;
	m->pending++;
	return 0;
}

/* Make the scratch repository, and let what Git writes there be read.  0, or -1. */
static int make_scratch(struct merges *m, struct err *e)
{
	struct strlist dirs = {0};
	git_odb *odb = NULL;
	char *objects;
	int result = -1;

	if (m->scratch.dir != NULL)
		return 0;
	if (merge_scratch_make(&m->scratch, m->parent, e) != 0)
		return -1;
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

int merges_run(struct merges *m, struct err *e)
{
	struct merge_pair **pairs;
	size_t n = 0;
	int result;

	if (m->pending == 0)
		return 0;
	if (make_scratch(m, e) != 0)
		return -1;
	pairs = mem_zalloc(m->pending, sizeof(struct merge_pair *));
	for (size_t i = 0; i < m->table_size; i++)
		if (m->table[i] != NULL && m->table[i]->state == ENTRY_PENDING)
			pairs[n++] = &m->table[i]->pair;
	result = merge_git_run(pairs, n, m->repository, &m->scratch, e);
	for (size_t i = 0; result > 0 && i < m->table_size; i++)
		if (m->table[i] != NULL && m->table[i]->state == ENTRY_PENDING)
			m->table[i]->state = ENTRY_ANSWERED;
	if (result > 0)
		m->pending = 0;
	free(pairs);
	return result > 0 ? 0 : result == 0 ? err_set(e, "there is no git merge-tree here") : -1;
}

int merges_paths(struct strlist *out, size_t max, size_t *total, struct merges *m,
	const struct merges_case *c, struct err *e)
{
	const struct entry *entry = entry_of(m, c);

	*total = entry->pair.answer.n_paths;
	for (size_t i = 0; i < entry->pair.answer.paths.n && i < max; i++)
		strlist_add(out, entry->pair.answer.paths.v[i]);
	(void)e;
	return 0;
}
