#include "chain/source.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "chain/store-internal.h"
#include "chain/store.h"
#include "git/repository.h"
#include "git/walk.h"

/* 1 if TIP holds the commit HEX; one that cannot be read is held by nobody that can be. */
static int holds(struct repository *r, const struct oid *tip, const char *hex, struct err *e)
{
	struct oid oid;

	if (oid_parse(&oid, hex) != 0 || oid_is_zero(&oid))
		return 0;
	if (oid_equal(tip, &oid))
		return 1;
	return walk_holds(r, tip, 1, &oid, e);
}

/*
 * 1 if the reference REF has landed at the commit and was deleted since.  An open intent is not enough:
 * it may be the source's own update of this very push, refused after pre-receive.
 */
static int had_landed(
	struct store *s, const char *repository, const char *ref, const char *oid, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE repository = ? AND ref = ? AND new = ?"
		" AND state = 'landed' LIMIT 1",
		"ttt", repository, ref, oid);
}

/* Does the source REF still hold the commit OID, or did it land there?  1, 0, -1. */
static int look_at(struct store *s, struct repository *r, const char *repository, const char *ref,
	const char *oid, struct err *e)
{
	struct oid tip;
	int found = repository_tip(r, ref, &tip, e);

	if (found == 1)
		found = holds(r, &tip, oid, e);
	if (found == 0)
		found = had_landed(s, repository, ref, oid, e);
	return found;
}

/* Everything that was merged, line by line: 1 if a source holds each, 0, -1. */
static int look_at_all(struct store *s, struct repository *r, const struct intent *i, struct err *e)
{
	struct strlist lines = {0};
	int found = 1;

	strlist_split(&lines, i->merged, '\n');
	for (size_t k = 0; found == 1 && k < lines.n; k++) {
		char *ref = strchr(lines.v[k], ' ');

		if (ref == NULL) {
			found = err_set(e, "the store names a source that is none");
		} else {
			*ref++ = '\0';
			found = look_at(s, r, i->repository, ref, lines.v[k], e);
		}
	}
	strlist_clear(&lines);
	return found;
}

int source_look(enum landing_source *out, struct store *s, struct repository *r,
	const struct intent *i, struct err *e)
{
	int found = 1;

	*out = LANDING_SOURCED;
	if (i->merged != NULL && i->merged[0] != '\0')
		found = look_at_all(s, r, i, e);
	else if (i->source[0] != '\0')
		found = look_at(s, r, i->repository, i->source, i->source_oid, e);
	if (found < 0)
		return err_wrap(e, "%s", i->repository);
	*out = found ? LANDING_SOURCED : LANDING_UNSOURCED;
	return 0;
}
