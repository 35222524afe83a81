#include "chain/source.h"

#include "base/err.h"
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
 * 1 if the source has landed at the commit and was deleted since.  An open intent is not enough: it
 * may be the source's own update of this very push, refused after pre-receive.
 */
static int had_landed(struct store *s, const struct intent *i, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE repository = ? AND ref = ? AND new = ?"
		" AND state = 'landed' LIMIT 1",
		"ttt", i->repository, i->source, i->source_oid);
}

int source_look(enum landing_source *out, struct store *s, struct repository *r,
	const struct intent *i, struct err *e)
{
	struct oid tip;
	int found;

	*out = LANDING_SOURCED;
	if (i->source[0] == '\0')
		return 0;
	found = repository_tip(r, i->source, &tip, e);
	if (found == 1)
		found = holds(r, &tip, i->source_oid, e);
	if (found == 0)
		found = had_landed(s, i, e);
	if (found < 0)
		return err_wrap(e, "%s", i->repository);
	*out = found ? LANDING_SOURCED : LANDING_UNSOURCED;
	return 0;
}
