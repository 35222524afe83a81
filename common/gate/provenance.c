#include "gate/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "gate/message.h"
#include "gate/names.h"
#include "gate/push.h"
#include "git/repository.h"
#include "git/walk.h"

#define GUESS_MAX_WALKS 32 /* branches that are searched for a commit, for a message only */

struct guess {
	const struct provenance_view *view;
	const struct oid *oid;
	int walks;
	char *exact;
	char *holder;
};

static int guess_branch(void *context, const char *ref, const struct oid *tip)
{
	struct guess *g = context;

	if (oid_equal(tip, g->oid)) {
		g->exact = mem_strdup(ref);
		return 1;
	}
	if (g->holder == NULL && g->walks++ < GUESS_MAX_WALKS &&
		walk_holds(g->view->repository, tip, 1, g->oid, NULL) > 0)
		g->holder = mem_strdup(ref);
	return 0;
}

char *provenance_guess(
	const struct provenance_view *view, const struct oid *oid, const char *message)
{
	struct guess g = {.view = view, .oid = oid};
	char *name = NULL;

	for (size_t i = 0; view->push != NULL && i < view->push->n; i++)
		if (oid_equal(&view->push->v[i].new, oid))
			return mem_strdup(view->push->v[i].ref);
	(void)repository_each(view->repository, NAMES_HEADS, guess_branch, &g, NULL);
	name = g.exact != NULL ? g.exact : g.holder;
	if (g.exact != NULL)
		free(g.holder);
	return name != NULL ? name : message_branch(message);
}
