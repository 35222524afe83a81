#include "git/walk-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/internal.h"
#include "git/repository.h"

static void put(struct walk *w, struct walk_node *node)
{
	size_t at;

	memcpy(&at, node->oid.raw, sizeof(at));
	for (at &= w->table_size - 1; w->table[at] != NULL; at = (at + 1) & (w->table_size - 1))
		;
	w->table[at] = node;
}

static struct walk_node *get(const struct walk *w, const struct oid *oid)
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
	struct walk_node **old = w->table;
	size_t old_size = w->table_size;

	w->table_size = old_size ? old_size * 2 : 1024;
	w->table = mem_zalloc(w->table_size, sizeof(struct walk_node *));
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != NULL)
			put(w, old[i]);
	free(old);
}

static int is_before(const struct walk_node *a, const struct walk_node *b)
{
	return a->time != b->time ? a->time > b->time : a->turn < b->turn;
}

static int is_waited_for(const struct walk *w, const struct walk_node *node)
{
	return (node->flags & w->mask) == w->value;
}

static void sift_up(struct walk *w, struct walk_node *node)
{
	size_t at = w->heap_n++;

	for (; at > 0 && is_before(node, w->heap[(at - 1) / 2]); at = (at - 1) / 2)
		w->heap[at] = w->heap[(at - 1) / 2];
	w->heap[at] = node;
}

struct walk_node *walk_pop(struct walk *w)
{
	struct walk_node *top = w->heap[0], *last = w->heap[--w->heap_n];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= w->heap_n)
			break;
		if (child + 1 < w->heap_n && is_before(w->heap[child + 1], w->heap[child]))
			child++;
		if (!is_before(w->heap[child], last))
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = last;
	top->flags &= ~WALK_QUEUED;
	w->waiting -= is_waited_for(w, top);
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

int walk_parse(struct walk_node *node, const char *text)
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

struct walk_node *walk_load(struct walk *w, const struct oid *oid, struct err *e)
{
	struct walk_node *node = get(w, oid);
	git_odb_object *object = NULL;
	char hex[OID_HEX_SIZE], *text;
	git_oid id;
	int broken;

	if (node != NULL)
		return node;
	oid_to_git(&id, oid);
	oid_hex(oid, hex);
	if (repository_check_size(w->repository, &id, e) != 0)
		return NULL;
	if (git_odb_read(&object, w->odb, &id) < 0) {
		(void)git_err(e, "commit %s cannot be read%s", hex, repository_cut(w->repository));
		return NULL;
	}
	node = mem_zalloc(1, sizeof(*node));
	node->oid = *oid;
	text = mem_strndup(git_odb_object_data(object), git_odb_object_size(object));
	broken = git_odb_object_type(object) != GIT_OBJECT_COMMIT || walk_parse(node, text) != 0;
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

int walk_paint(struct walk *w, const struct oid *oid, unsigned flags, struct err *e)
{
	struct walk_node *node = walk_load(w, oid, e);

	if (node == NULL)
		return -1;
	if ((node->flags & flags) == flags)
		return 0;
	if (node->flags & WALK_QUEUED)
		w->waiting -= is_waited_for(w, node);
	if ((node->flags & ~WALK_KEPT) == 0) {
		mem_grow(&w->touched, w->n_touched, &w->touched_cap, sizeof(struct walk_node *));
		w->touched[w->n_touched++] = node;
	}
	node->flags |= flags;
	w->waiting += is_waited_for(w, node);
	if (node->flags & WALK_QUEUED)
		return 0;
	node->flags |= WALK_QUEUED;
	node->turn = w->turns++;
	mem_grow(&w->heap, w->heap_n, &w->heap_cap, sizeof(struct walk_node *));
	sift_up(w, node);
	return 0;
}

int walk_paint_parents(struct walk *w, const struct walk_node *node, unsigned flags, struct err *e)
{
	for (size_t i = 0; i < node->n_parents; i++)
		if (walk_paint(w, &node->parents[i], flags, e) != 0)
			return -1;
	return 0;
}

int walk_init(struct walk *w, struct repository *r, unsigned mask, unsigned value, struct err *e)
{
	memset(w, 0, sizeof(*w));
	w->repository = r;
	if (git_repository_odb(&w->odb, repository_handle(r)) < 0)
		return git_err(e, "object database cannot be opened");
	grow_table(w);
	w->mask = mask;
	w->value = value;
	return 0;
}

void walk_restart(struct walk *w, unsigned mask, unsigned value)
{
	for (size_t i = 0; i < w->n_touched; i++)
		w->touched[i]->flags &= WALK_KEPT;
	w->n_touched = 0;
	w->heap_n = 0;
	w->waiting = 0;
	w->mask = mask;
	w->value = value;
}

void walk_clear(struct walk *w)
{
	for (size_t i = 0; i < w->table_size; i++) {
		if (w->table[i] == NULL)
			continue;
		free(w->table[i]->parents);
		free(w->table[i]);
	}
	free(w->table);
	free(w->heap);
	free(w->touched);
	git_odb_free(w->odb);
}
