#include "git/merge-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/internal.h"

#define MAX_DEPTH 128 /* folders below one another; deeper ones are left to Git */
#define MODE_TREE 040000
#define MIN_ITEM_SIZE 28 /* "40000 a", a NUL and 20 bytes; no mode is longer than that */

/* One entry of a tree object; NAME lies in the object. */
struct item {
	const char *name;
	struct merge_leaf leaf;
};

struct tree {
	git_odb_object *object;
	struct item *v;
	size_t n;
	size_t cap;
};

struct reader {
	git_odb *odb;
	struct merge_changes *out;
	size_t cap;
};

void merge_changes_clear(struct merge_changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].path);
	free(c->v);
	memset(c, 0, sizeof(*c));
}

int merge_leaf_equal(const struct merge_leaf *a, const struct merge_leaf *b)
{
	return a->mode == b->mode && (a->mode == 0 || oid_equal(&a->oid, &b->oid));
}

/* Byte for byte, but a slash before all others: what is in a folder comes right after its name. */
int merge_path_compare(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (*a == '\0' || *b == '\0')
		return *a == '\0' ? -1 : 1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_items(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

/* ---- one tree object (gitformat: "<octal mode> SP <name> NUL <20 bytes>" each) ---- */

/* The mode that the text up to the blank at *AT is, as Git writes it; 0: it is none of those. */
static unsigned parse_mode(const char **at)
{
	static const struct {
		const char *text;
		unsigned mode;
	} modes[] = {{"100644 ", 0100644}, {"100755 ", 0100755}, {"40000 ", MODE_TREE},
		{"120000 ", 0120000}, {"160000 ", 0160000}};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (str_starts(*at, modes[i].text)) {
			*at += strlen(modes[i].text);
			return modes[i].mode;
		}
	return 0;
}

/* The place of the name of A in Git's order is before that of B. */
static int is_in_order(const struct item *a, const struct item *b)
{
	size_t n = strlen(a->name), m = strlen(b->name), common = n < m ? n : m;
	int order = memcmp(a->name, b->name, common);
	unsigned char x, y;

	if (order != 0)
		return order < 0;
	x = n > common ? (unsigned char)a->name[common] : a->leaf.mode == MODE_TREE ? '/' : '\0';
	y = m > common ? (unsigned char)b->name[common] : b->leaf.mode == MODE_TREE ? '/' : '\0';
	return x < y;
}

/* 1: all entries of T are as Git writes them.  0: Git may write such a tree anew, as another. */
static int parse_items(struct tree *t)
{
	const char *at = git_odb_object_data(t->object), *end = at + git_odb_object_size(t->object);

	while (at < end) {
		struct item item = {0};

		if (end - at < MIN_ITEM_SIZE || (item.leaf.mode = parse_mode(&at)) == 0)
			return 0;
		item.name = at;
		at = memchr(at, '\0', (size_t)(end - at));
		if (at == NULL || at == item.name || end - at < 1 + OID_RAW_SIZE ||
			strchr(item.name, '/') != NULL)
			return 0;
		memcpy(item.leaf.oid.raw, at + 1, OID_RAW_SIZE);
		at += 1 + OID_RAW_SIZE;
		if (t->n > 0 && !is_in_order(&t->v[t->n - 1], &item))
			return 0;
		mem_grow(&t->v, t->n, &t->cap, sizeof(*t->v));
		t->v[t->n++] = item;
	}
	return 1;
}

/*
 * Names are compared without the slash that Git's order sees behind those of folders, and so a file
 * and a folder of one name, which Git's order keeps apart, are found: in no tree that Git writes.
 */
static int sort_items(struct tree *t)
{
	if (t->n > 1)
		qsort(t->v, t->n, sizeof(*t->v), compare_items);
	for (size_t i = 1; i < t->n; i++)
		if (strcmp(t->v[i - 1].name, t->v[i].name) == 0)
			return 0;
	return 1;
}

static void tree_clear(struct tree *t)
{
	git_odb_object_free(t->object);
	free(t->v);
}

/* Read the tree ID; NULL: an empty one.  0, the caller calls tree_clear(); or -1. */
static int tree_read(struct tree *t, struct reader *r, const struct oid *id, struct err *e)
{
	char hex[OID_HEX_SIZE];
	git_oid git;

	memset(t, 0, sizeof(*t));
	if (id == NULL)
		return 0;
	oid_hex(id, hex);
	oid_to_git(&git, id);
	if (git_odb_read(&t->object, r->odb, &git) < 0)
		return git_err(e, "tree %s cannot be read", hex);
	if (git_odb_object_type(t->object) != GIT_OBJECT_TREE) {
		tree_clear(t);
		return err_set(e, "object %s is no tree", hex);
	}
	if (!parse_items(t) || !sort_items(t))
		r->out->is_odd = 1;
	return 0;
}

/* ---- two trees ---- */

static int compare_trees(struct reader *r, const struct oid *a, const struct oid *b,
	const char *prefix, int depth, struct err *e);

/* Nothing is known of what could not be taken in; it is Git's to say. */
static void add_change(struct reader *r, const char *prefix, const char *name,
	const struct merge_leaf *old, const struct merge_leaf *new)
{
	static const struct merge_leaf none = {0};
	struct merge_changes *out = r->out;

	if (out->n >= MERGE_MAX_CHANGES) {
		out->is_odd = 1;
		return;
	}
	mem_grow(&out->v, out->n, &r->cap, sizeof(*out->v));
	out->v[out->n].path = mem_format("%s%s", prefix, name);
	out->v[out->n].old = old != NULL ? *old : none;
	out->v[out->n++].new = new != NULL ? *new : none;
}

/* Items of one name, or one of them NULL. */
static int compare_items_of(struct reader *r, const struct item *a, const struct item *b,
	const char *prefix, int depth, struct err *e)
{
	const char *name = a != NULL ? a->name : b->name;
	const struct merge_leaf *old = a != NULL ? &a->leaf : NULL;
	const struct merge_leaf *new = b != NULL ? &b->leaf : NULL;
	const struct oid *below_a = old != NULL && old->mode == MODE_TREE ? &old->oid : NULL;
	const struct oid *below_b = new != NULL &&new->mode == MODE_TREE ? &new->oid : NULL;
	char *folder;
	int result;

	if (old != NULL && new != NULL && merge_leaf_equal(old, new))
		return 0;
	if (below_a != NULL)
		old = NULL;
	if (below_b != NULL)
		new = NULL;
	if (old != NULL || new != NULL)
		add_change(r, prefix, name, old, new);
	if (below_a == NULL && below_b == NULL)
		return 0;
	folder = mem_format("%s%s/", prefix, name);
	result = compare_trees(r, below_a, below_b, folder, depth + 1, e);
	free(folder);
	return result;
}

static int compare_lists(struct reader *r, const struct tree *a, const struct tree *b,
	const char *prefix, int depth, struct err *e)
{
	size_t i = 0, j = 0;
	int result = 0;

	while (result == 0 && !r->out->is_odd && (i < a->n || j < b->n)) {
		const struct item *x = i < a->n ? &a->v[i] : NULL, *y = j < b->n ? &b->v[j] : NULL;
		int order = x == NULL ? 1 : y == NULL ? -1 : strcmp(x->name, y->name);

		i += order <= 0;
		j += order >= 0;
		result = compare_items_of(
			r, order <= 0 ? x : NULL, order >= 0 ? y : NULL, prefix, depth, e);
	}
	return result;
}

/* A NULL stands for no tree; a tree without entries is one that Git does not write. */
static int compare_trees(struct reader *r, const struct oid *a, const struct oid *b,
	const char *prefix, int depth, struct err *e)
{
	struct tree x, y;
	int result;

	if (depth > MAX_DEPTH) {
		r->out->is_odd = 1;
		return 0;
	}
	if (tree_read(&x, r, a, e) != 0)
		return -1;
	if (tree_read(&y, r, b, e) != 0) {
		tree_clear(&x);
		return -1;
	}
	if (depth > 0 && ((a != NULL && x.n == 0) || (b != NULL && y.n == 0)))
		r->out->is_odd = 1;
	result = compare_lists(r, &x, &y, prefix, depth, e);
	tree_clear(&x);
	tree_clear(&y);
	return result;
}

static int compare_changes(const void *a, const void *b)
{
	return merge_path_compare(
		((const struct merge_change *)a)->path, ((const struct merge_change *)b)->path);
}

int merge_changes_read(struct merge_changes *out, struct repository *repository,
	const struct oid *a, const struct oid *b, struct err *e)
{
	struct reader r = {.out = out};
	int result;

	memset(out, 0, sizeof(*out));
	if (git_repository_odb(&r.odb, repository_handle(repository)) < 0)
		return git_err(e, "object database cannot be opened");
	result = oid_equal(a, b) ? 0 : compare_trees(&r, a, b, "", 0, e);
	git_odb_free(r.odb);
	if (result != 0)
		merge_changes_clear(out);
	else if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), compare_changes);
	return result;
}
