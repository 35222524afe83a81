#include "stage/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void facts_clear(struct facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].value);
	}
	free(f->v);
	memset(f, 0, sizeof(*f));
}

static struct fact *find(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return &f->v[i];
	return NULL;
}

void facts_set(struct facts *f, const char *name, const char *value)
{
	struct fact *fact = find(f, name);
	char *copy = mem_strdup(value);

	if (fact == NULL) {
		mem_grow(&f->v, f->n, &f->cap, sizeof(*f->v));
		fact = &f->v[f->n++];
		fact->name = mem_strdup(name);
		fact->value = NULL;
	}
	free(fact->value);
	fact->value = copy;
}

const char *facts_get(const struct facts *f, const char *name)
{
	const struct fact *fact = find(f, name);

	return fact != NULL ? fact->value : NULL;
}
