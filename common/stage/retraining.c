#include "stage/retraining.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void retrainings_clear(struct retrainings *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].commit);
		free(l->v[i].result);
		free(l->v[i].before);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}

void retrainings_add(
	struct retrainings *l, const char *commit, const char *result, const char *before)
{
	mem_grow(&l->v, l->n, &l->cap, sizeof(*l->v));
	l->v[l->n++] =
		(struct retraining){mem_strdup(commit), mem_strdup(result), mem_strdup(before)};
}
