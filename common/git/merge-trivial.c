#include <string.h>

#include "git/merge-internal.h"

/* Two or three lists of changes gone through side by side, path by path. */
struct cursor {
	const struct merge_changes *lists[3];
	size_t at[3];
	size_t n;
};

/*
 * The next path, and in FOUND the change of each list that has it, else NULL; NULL: there is none.
 */
static const char *next(struct cursor *c, const struct merge_change *found[3])
{
	const struct merge_change *first = NULL;

	for (size_t i = 0; i < c->n; i++) {
		found[i] = c->at[i] < c->lists[i]->n ? &c->lists[i]->v[c->at[i]] : NULL;
		if (found[i] != NULL &&
			(first == NULL || merge_path_compare(found[i]->path, first->path) < 0))
			first = found[i];
	}
	if (first == NULL)
		return NULL;
	for (size_t i = 0; i < c->n; i++) {
		if (found[i] != NULL && strcmp(found[i]->path, first->path) != 0)
			found[i] = NULL;
		c->at[i] += found[i] != NULL;
	}
	return first->path;
}

/* 1 if INNER lies below OUTER, which is then a file here and a folder there. */
static int is_below(const char *inner, const char *outer)
{
	return str_starts(inner, outer) && inner[strlen(outer)] == '/';
}

/* What both sides did, as far as it matters to how they fit. */
struct sum {
	int adds[2];
	int deletes[2];
	int both_delete; /* the same path */
	int both_differ; /* both changed one path, each in its way */
	int clashes;     /* something is a file here and a folder there */
};

static void sum_up(
	struct sum *s, const struct merge_changes *ours, const struct merge_changes *theirs)
{
	struct cursor c = {.lists = {ours, theirs}, .n = 2};
	const struct merge_change *found[3];
	const char *path, *before = NULL;

	memset(s, 0, sizeof(*s));
	while ((path = next(&c, found)) != NULL) {
		for (size_t i = 0; i < 2; i++) {
			s->adds[i] |= found[i] != NULL && found[i]->old.mode == 0;
			s->deletes[i] |= found[i] != NULL && found[i]->new.mode == 0;
		}
		if (found[0] != NULL && found[1] != NULL) {
			int same = merge_leaf_equal(&found[0]->new, &found[1]->new);

			s->both_delete |= same && found[0]->new.mode == 0;
			s->both_differ |= !same;
		}
		s->clashes |= before != NULL && is_below(path, before);
		before = path;
	}
}

/*
 * Git takes a file that one side added for one that it deleted, if they resemble each other, and
 * then carries over what the other side did to the deleted one, or put into its folder.  So a side
 * can rename if it both adds and deletes; that matters if the other side adds (a folder may have
 * been renamed) or deletes the same; or changes what is deleted, which is a path that both changed.
 */
static int renames_matter(const struct sum *s)
{
	for (size_t i = 0; i < 2; i++)
		if (s->adds[i] && s->deletes[i] && (s->adds[1 - i] || s->both_delete))
			return 1;
	return 0;
}

static int can_rename(const struct sum *s)
{
	return (s->adds[0] && s->deletes[0]) || (s->adds[1] && s->deletes[1]);
}

enum merge_trivial merge_trivial(
	const struct merge_changes *ours, const struct merge_changes *theirs)
{
	struct sum s;

	if (ours->is_odd || theirs->is_odd)
		return MERGE_TRIVIAL_NOT;
	sum_up(&s, ours, theirs);
	if (s.clashes)
		return MERGE_TRIVIAL_NOT;
	if (s.both_differ)
		return can_rename(&s) ? MERGE_TRIVIAL_NOT : MERGE_TRIVIAL_PART;
	return renames_matter(&s) ? MERGE_TRIVIAL_NOT : MERGE_TRIVIAL_WHOLE;
}

int merge_each_difference(
	const struct merge_sides *s, int (*each)(void *context, const char *path), void *context)
{
	struct cursor c = {.lists = {s->ours, s->theirs, s->result}, .n = 3};
	const struct merge_change *found[3];
	const char *path;
	int result = 0;

	while (result == 0 && (path = next(&c, found)) != NULL) {
		const struct merge_change *expected = found[0] != NULL ? found[0] : found[1];

		if (found[0] != NULL && found[1] != NULL &&
			!merge_leaf_equal(&found[0]->new, &found[1]->new))
			continue; /* not known */
		if (expected == NULL || found[2] == NULL ||
			!merge_leaf_equal(&expected->new, &found[2]->new))
			result = each(context, path);
	}
	return result;
}
