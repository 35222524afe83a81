#include "git/merge-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/internal.h"

#define MAX_DEPTH 128 /* folders below one another; deeper ones are left to Git */

struct tree {
	git_odb_object *object;
	struct merge_items items;
};

struct reader {
	struct repository *repository;
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

static void tree_clear(struct tree *t)
{
	git_odb_object_free(t->object);
	merge_items_clear(&t->items);
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
	if (repository_check_size(r->repository, &git, e) != 0)
		return -1;
	if (git_odb_read(&t->object, r->odb, &git) < 0)
		return git_err(e, "tree %s cannot be read", hex);
	if (git_odb_object_type(t->object) != GIT_OBJECT_TREE) {
		tree_clear(t);
		return err_set(e, "object %s is no tree", hex);
	}
	if (!merge_items_parse(
		    &t->items, git_odb_object_data(t->object), git_odb_object_size(t->object)))
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
static int compare_items_of(struct reader *r, const struct merge_item *a,
	const struct merge_item *b, const char *prefix, int depth, struct err *e)
{
	const struct merge_item *any = a != NULL ? a : b;
	const struct merge_leaf *old = a != NULL ? &a->leaf : NULL;
	const struct merge_leaf *new = b != NULL ? &b->leaf : NULL;
	const struct oid *below_a =
		old != NULL && old->mode == MERGE_MODE_FOLDER ? &old->oid : NULL;
	const struct oid *below_b = new != NULL &&new->mode == MERGE_MODE_FOLDER ? &new->oid : NULL;
	char *folder;
	int result;

	if (old != NULL && new != NULL && merge_leaf_equal(old, new))
		return 0;
	if (below_a != NULL)
		old = NULL;
	if (below_b != NULL)
		new = NULL;
	if (old != NULL || new != NULL)
		add_change(r, prefix, any->name, old, new);
	if (below_a == NULL && below_b == NULL)
		return 0;
	folder = mem_format("%s%s/", prefix, any->name);
	result = compare_trees(r, below_a, below_b, folder, depth + 1, e);
	free(folder);
	return result;
}

static int compare_lists(struct reader *r, const struct merge_items *a, const struct merge_items *b,
	const char *prefix, int depth, struct err *e)
{
	size_t i = 0, j = 0;
	int result = 0;

	while (result == 0 && !r->out->is_odd && (i < a->n || j < b->n)) {
		const struct merge_item *x = i < a->n ? &a->v[i] : NULL,
					*y = j < b->n ? &b->v[j] : NULL;
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
	if (depth > 0 && ((a != NULL && x.items.n == 0) || (b != NULL && y.items.n == 0)))
		r->out->is_odd = 1;
	result = compare_lists(r, &x.items, &y.items, prefix, depth, e);
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
	struct reader r = {.repository = repository, .out = out};
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
