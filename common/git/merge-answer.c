#include "git/merge-internal.h"

#include <string.h>

#include "base/err.h"

void merge_answer_clear(struct merge_answer *a)
{
	strlist_clear(&a->paths);
	memset(a, 0, sizeof(*a));
}

/* The text at *AT up to its NUL, and *AT behind that; NULL: no NUL before END. */
static const char *field(const char **at, const char *end)
{
	const char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));

	if (nul == NULL)
		return NULL;
	*at = nul + 1;
	return text;
}

int merge_answer_parse(struct merge_answer *out, const char **at, const char *end, struct err *e)
{
	const char *status = field(at, end), *tree, *path = NULL;

	memset(out, 0, sizeof(*out));
	if (status == NULL)
		return err_set(e, "git merge-tree ended before its answer did");
	if (strcmp(status, "0") != 0 && strcmp(status, "1") != 0)
		return err_set(e, "git merge-tree said %.20s where 0 or 1 was expected", status);
	out->outcome = *status == '1' ? MERGE_CLEAN : MERGE_CONFLICTS;
	tree = field(at, end);
	if (tree == NULL || oid_parse(&out->tree, tree) != 0)
		return err_set(e, "git merge-tree named no tree");
	while ((path = field(at, end)) != NULL && *path != '\0') {
		if (out->n_paths++ < MERGE_MAX_PATHS)
			strlist_add(&out->paths, path);
	}
	if (path != NULL && (out->outcome == MERGE_CONFLICTS || out->n_paths == 0))
		return 0;
	merge_answer_clear(out);
	return err_set(e, "git merge-tree %s",
		path == NULL ? "ended before its answer did" : "named conflicts of a clean merge");
}
