#include "stage/rollback.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "stage/registry.h"

static const struct registry_version *find_current(const struct registry_versions *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].stage, REGISTRY_PRODUCTION) == 0)
			return &l->v[i];
	return NULL;
}

/* Was A in Production before B was?  At one time only where a clock is coarse: then by number. */
static int is_before(const struct registry_version *a, const struct registry_version *b)
{
	if (a->production_since != b->production_since)
		return a->production_since < b->production_since;
	return a->version < b->version;
}

static const struct registry_version *find_previous(
	const struct registry_versions *l, const struct registry_version *current)
{
	const struct registry_version *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct registry_version *v = &l->v[i];

		if (v == current || v->production_since == 0 || v->rolled_back != 0 ||
			!is_before(v, current))
			continue;
		if (best == NULL || is_before(best, v))
			best = v;
	}
	return best;
}

static const struct registry_version *find_number(const struct registry_versions *l, int64_t number)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].version == number)
			return &l->v[i];
	return NULL;
}

/* Refuse with WHY, and name the versions that --to takes. */
static int refuse(const struct registry_versions *l, struct err *e, const char *why)
{
	struct str text;
	size_t n = 0;

	str_init(&text);
	str_add(&text, why);
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].production_since != 0 &&
			strcmp(l->v[i].stage, REGISTRY_PRODUCTION) != 0)
			str_addf(&text, "%s%lld", n++ > 0 ? ", " : "; --to takes ",
				(long long)l->v[i].version);
	if (n == 0)
		str_add(&text, "; no other version was ever there");
	(void)err_set(e, "%s", text.buf);
	str_clear(&text);
	return 0;
}

int rollback_choose(const struct registry_versions *l, int64_t to, int64_t *current,
	int64_t *version, struct err *e)
{
	const struct registry_version *now = find_current(l), *back = NULL;

	*current = now != NULL ? now->version : 0;
	*version = 0;
	if (to == 0 && now == NULL)
		return refuse(l, e, "no version is in Production");
	back = to != 0 ? find_number(l, to) : find_previous(l, now);
	if (to == 0 && back == NULL)
		return refuse(l, e, "no version was in Production before the one that is there");
	if (back == NULL)
		return refuse(l, e, "there is no such version");
	if (back == now)
		return refuse(l, e, "that version is in Production");
	if (back->production_since == 0)
		return refuse(l, e, "that version was never in Production");
	*version = back->version;
	return 1;
}
