#include "git/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/repository.h"

/*
 * Commits are painted from both ends, newest first: the ancestors of OID with BELOW, those of the
 * tips with ABOVE.  Every commit on a way from a tip down to OID is a proper descendant of OID and
 * so never gets BELOW; hence when no commit waits that has ABOVE alone, OID cannot be reached any
 * more, and the answer is no, whatever the dates.  Where OID descends from the tips' line, as when
 * a merge is asked for among its own parents' histories, that is after a handful of commits.
 */
enum { BELOW = 1, ABOVE = 2, QUEUED = 4 };

struct node {
	struct oid oid;
	int64_t time;
	struct oid *parents;
	size_t n_parents;
	unsigned flags;
};

struct walk {
	git_odb *odb;
	struct node **table; /* open addressing; NULL: free */
	size_t table_size;   /* a power of two */
	size_t n;
	struct node **heap; /* newest first */
	size_t heap_n;
	size_t heap_cap;
	size_t above; /* waiting nodes with ABOVE and not BELOW */
};

static void put(struct walk *w, struct node *node)
{
	size_t at;

	memcpy(&at, node->oid.raw, sizeof(at));
	for (at &= w->table_size - 1; w->table[at] != NULL; at = (at + 1) & (w->table_size - 1))
		;
	w->table[at] = node;
}

static struct node *get(const struct walk *w, const struct oid *oid)
{
	size_t at;

	memcpy(&at, oid->raw, sizeof(at));
	for (at &= w->table_size - 1; w->table[at] != NULL; at = (at + 1) & (w->table_size - 1))
		if (oid_equal(&w->table[at]->oid, oid))
			return w->table[at];
	return NULL;
}

static void grow_table(struct walk *w)
{
	struct node **old = w->table;
	size_t old_size = w->table_size;

	w->table_size = old_size ? old_size * 2 : 1024;
	w->table = mem_zalloc(w->table_size, sizeof(struct node *));
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != NULL)
			put(w, old[i]);
	free(old);
}

static void sift_up(struct walk *w, struct node *node)
{
	size_t at = w->heap_n++;

	for (; at > 0 && w->heap[(at - 1) / 2]->time < node->time; at = (at - 1) / 2)
		w->heap[at] = w->heap[(at - 1) / 2];
	w->heap[at] = node;
}

static struct node *pop(struct walk *w)
{
	struct node *top = w->heap[0], *last = w->heap[--w->heap_n];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= w->heap_n)
			break;
		if (child + 1 < w->heap_n && w->heap[child + 1]->time > w->heap[child]->time)
			child++;
		if (w->heap[child]->time <= last->time)
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = last;
	top->flags &= ~(unsigned)QUEUED;
	if ((top->flags & (ABOVE | BELOW)) == ABOVE)
		w->above--;
	return top;
}

/* The line of a commit object that starts with NAME, after it; NULL: TEXT starts otherwise. */
static const char *field(const char *text, const char *name)
{
	return str_starts(text, name) ? text + strlen(name) : NULL;
}

/*
 * The committer's time in the lines after the parents; 0 where git was given something else, which
 * it takes unless receive.fsckObjects is on.  It only chooses what is read first.
 */
static int64_t parse_time(const char *text)
{
	const char *value, *end;

	if (field(text, "author ") == NULL || (end = strchr(text, '\n')) == NULL ||
		(value = field(end + 1, "committer ")) == NULL ||
		(end = strchr(value, '\n')) == NULL)
		return 0;
	while (end > value && *end != '>')
		end--;
	return *end == '>' ? strtoll(end + 1, NULL, 10) : 0;
}

/*
 * Parse the head of a commit object (git's Documentation/gitformat, "tree, parent, author,
 * committer").
 */
static int parse_commit(struct node *node, const char *text)
{
	size_t cap = 0;
	const char *value, *end;
	char hex[OID_HEX_SIZE] = "";

	if (field(text, "tree ") == NULL || (end = strchr(text, '\n')) == NULL)
		return -1;
	for (text = end + 1; (value = field(text, "parent ")) != NULL; text = end + 1) {
		end = strchr(value, '\n');
		if (end == NULL || end - value != OID_HEX_SIZE - 1)
			return -1;
		memcpy(hex, value, OID_HEX_SIZE - 1);
		mem_grow(&node->parents, node->n_parents, &cap, sizeof(struct oid));
		if (oid_parse(&node->parents[node->n_parents++], hex) != 0)
			return -1;
	}
	node->time = parse_time(text);
	return 0;
}

static struct node *load(struct walk *w, const struct oid *oid, struct err *e)
{
	struct node *node = get(w, oid);
	git_odb_object *object = NULL;
	char hex[OID_HEX_SIZE], *text;
	git_oid id;
	int broken;

	if (node != NULL)
		return node;
	oid_to_git(&id, oid);
	oid_hex(oid, hex);
	if (git_odb_read(&object, w->odb, &id) < 0) {
		(void)git_err(e, "commit %s cannot be read", hex);
		return NULL;
	}
	node = mem_zalloc(1, sizeof(*node));
	node->oid = *oid;
	text = mem_strndup(git_odb_object_data(object), git_odb_object_size(object));
	broken = git_odb_object_type(object) != GIT_OBJECT_COMMIT || parse_commit(node, text) != 0;
	free(text);
	git_odb_object_free(object);
	if (broken) {
		free(node->parents);
		free(node);
		(void)err_set(e, "object %s is no whole commit", hex);
		return NULL;
	}
	if (2 * (w->n + 1) > w->table_size)
		grow_table(w);
	put(w, node);
	w->n++;
	return node;
}

static int paint(struct walk *w, const struct oid *oid, unsigned flags, struct err *e)
{
	struct node *node = load(w, oid, e);
	int was_above, is_above;

	if (node == NULL)
		return -1;
	if ((node->flags & flags) == flags)
		return 0;
	was_above = (node->flags & QUEUED) && (node->flags & (ABOVE | BELOW)) == ABOVE;
	node->flags |= flags;
	is_above = (node->flags & (ABOVE | BELOW)) == ABOVE;
	if (!(node->flags & QUEUED)) {
		node->flags |= QUEUED;
		mem_grow(&w->heap, w->heap_n, &w->heap_cap, sizeof(struct node *));
		sift_up(w, node);
	}
	if (is_above && !was_above)
		w->above++;
	if (was_above && !is_above)
		w->above--;
	return 0;
}

static void clear(struct walk *w)
{
	for (size_t i = 0; i < w->table_size; i++) {
		if (w->table[i] == NULL)
			continue;
		free(w->table[i]->parents);
		free(w->table[i]);
	}
	free(w->table);
	free(w->heap);
	git_odb_free(w->odb);
}

int walk_holds(struct repository *r, const struct oid *tips, size_t n, const struct oid *oid,
	struct err *e)
{
	struct walk w = {0};
	const struct node *goal;
	int result = -1;

	for (size_t i = 0; i < n; i++)
		if (oid_equal(&tips[i], oid))
			return 1;
	if (n == 0)
		return 0;
	if (git_repository_odb(&w.odb, repository_handle(r)) < 0)
		return git_err(e, "object database cannot be opened");
	grow_table(&w);
	for (size_t i = 0; i < n; i++)
		if (paint(&w, &tips[i], ABOVE, e) != 0)
			goto out;
	if (paint(&w, oid, BELOW, e) != 0)
		goto out;
	goal = get(&w, oid);
	while (w.above > 0 && !(goal->flags & ABOVE)) {
		const struct node *node = pop(&w);

		for (size_t i = 0; i < node->n_parents; i++)
			if (paint(&w, &node->parents[i], node->flags & (ABOVE | BELOW), e) != 0)
				goto out;
	}
	result = goal->flags & ABOVE ? 1 : 0;
out:
	clear(&w);
	return result;
}
