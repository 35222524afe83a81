#include "chain/order.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/lifecycle.h"
#include "chain/pipeline.h"
#include "chain/progress.h"
#include "chain/store-internal.h"
#include "chain/store.h"
#include "git/oid.h"
#include "git/reference.h"

#define PLAY REFERENCE_OWN "play/"
#define MAX_DIGITS 18 /* of a pipeline's number: fewer than INT64_MAX has */

int order_parse(struct order *out, const char *ref)
{
	const char *id = ref + strlen(PLAY);
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!str_starts(ref, PLAY))
		return 0;
	n = strspn(id, "0123456789");
	/* One name for each stage: without leading zeros. */
	if (n == 0 || n > MAX_DIGITS || id[0] == '0' || id[n] != '/')
		return 0;
	if (id[n + 1] == '\0' || strchr(id + n + 1, '/') != NULL)
		return 0;
	out->stage = id + n + 1;
	out->pipeline = strtoll(id, NULL, 10);
	return 1;
}

static int could_play(struct store *s, struct pipeline *p, const struct order *o, struct err *e)
{
	struct pipeline_stage *stage = pipeline_find_stage(p, o->stage, e);
	int64_t newer = 0;

	if (stage == NULL)
		return 0;
	if (pipeline_newer_started(s, p, &newer, e) < 0)
		return -1;
	return lifecycle_play(p, stage, newer, e);
}

int order_look(
	char **chain, struct store *s, const char *repository, const struct order *o, struct err *e)
{
	struct pipeline p = {0};
	int found = pipeline_read(&p, s, o->pipeline, e);

	*chain = NULL;
	if (found < 0)
		return -1;
	/* Other repositories' pipelines are none of the pusher's business. */
	if (found == 0 || !str_same(p.repository, repository)) {
		(void)err_set(e, "this repository has no pipeline %lld", (long long)o->pipeline);
		found = 0;
	} else {
		*chain = mem_strdup(p.chain);
		found = could_play(s, &p, o, e);
	}
	pipeline_clear(&p);
	return found;
}

int order_carry_out(struct store *s, const struct intent *i, struct err *e)
{
	struct order o;

	if (!order_parse(&o, i->ref))
		return err_set(e, "%s is no order", i->ref);
	return progress_order(s, o.pipeline, o.stage, i, e);
}

int order_clear_away(struct store *s, struct repository *r, const struct intent *i, struct err *e)
{
	struct oid at;

	if (oid_parse(&at, i->new) != 0)
		return err_set(e, "the store names a commit that is none");
	if (reference_remove(r, i->ref, &at, e) < 0)
		return -1;
	return sqlite_run(s->db, e,
		"UPDATE intent SET state = 'landed' WHERE repository = ? AND ref = ? AND new = ?"
		" AND state = 'open' AND pipeline IS NOT NULL",
		"ttt", i->repository, i->ref, i->new);
}
