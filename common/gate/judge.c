#include "gate/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/identity.h"
#include "gate/names.h"
#include "gate/push.h"
#include "git/repository.h"
#include "git/tree.h"
#include "git/walk.h"

void verdict_clear(struct verdict *v)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		free(v->findings[i].reason);
		free(v->findings[i].fix);
	}
	free(v->findings);
	free(v->source);
	strlist_clear(&v->merged);
	memset(v, 0, sizeof(*v));
}

void judge_clear(struct judge *j)
{
	repository_free(j->view.repository);
	j->view.repository = NULL;
}

static int need_repository(struct judge *j, struct err *e)
{
	if (j->view.repository != NULL)
		return 0;
	return repository_open(&j->view.repository, j->gitdir,
		j->objects == JUDGE_QUARANTINED_OBJECTS ? REPOSITORY_QUARANTINED_OBJECTS
							: REPOSITORY_OBJECTS,
		e);
}

/* MG201 and MG205: what a reference may not be called when it is created. */
static void judge_name(struct verdict *v, const struct judge *j)
{
	const struct push_update *u = v->update;
	const char *like;

	if (str_starts(u->target, NAMES_OWN)) {
		finding_reserved(v, u->ref);
		return;
	}
	if (!oid_is_zero(&u->old))
		return;
	if (v->rule.kind == POLICY_FREE && v->rule.name != NULL &&
		names_is_retrain_like(v->rule.name))
		finding_retrain_name(v, v->rule.name);
	like = names_lookalike(j->view.config, u->target);
	if (like != NULL)
		finding_lookalike(v, u->target, like);
}

/* MG202, MG203, MG204 of a well-formed retrain branch. */
static void judge_retrain(struct verdict *v, const struct judge *j)
{
	const struct config *c = j->view.config;
	const struct push_update *u = v->update;
	struct names_retrain parts;

	if (oid_is_zero(&u->new)) {
		v->method = "delete";
		return;
	}
	v->method = oid_is_zero(&u->old) ? "create" : "direct";
	if (!oid_is_zero(&u->old)) {
		finding_retrain_moved(v);
		return;
	}
	if (!names_retrain(&parts, v->rule.name))
		return;
	if (parts.id[0] == '0')
		finding_retrain_pipeline(v, parts.id, parts.id_len);
	switch (names_date(parts.date, &c->date_formats, j->now)) {
	case NAMES_DATE_OK:
		break;
	case NAMES_DATE_WRONG:
		finding_retrain_date(v, parts.date, &c->date_formats);
		break;
	case NAMES_DATE_FUTURE:
		finding_retrain_future(v, parts.date);
		break;
	}
}

struct path_search {
	const struct strlist *allowed;
	char *outside;
};

static int find_outside(void *context, const char *path)
{
	struct path_search *search = context;

	if (str_glob_any(search->allowed, path))
		return 0;
	search->outside = mem_strdup(path);
	return 1;
}

/*
 * The first path that the commit of STEP changes against its first parent and that a direct commit
 * on the branch may not: 1 and *PATH, the caller's to free(); 0: there is none; -1.
 */
static int find_direct_path(const struct step *step, const struct config_branch *b,
	struct repository *r, char **path, struct err *e)
{
	struct path_search search = {.allowed = &b->direct_may_change};
	int result;

	*path = NULL;
	if (b->direct_may_change.n == 0)
		return 0;
	result = tree_changes(r, &step->first_parent, &step->oid, find_outside, &search, e);
	*path = search.outside;
	return result;
}

static int judge_step(struct verdict *v, struct judge *j, const struct step *step, struct err *e)
{
	const struct config_branch *b = v->rule.branch;
	int direct = b->direct_push == CONFIG_DIRECT_ALLOW, outside = 0;
	char *path = NULL;

	switch (step->class) {
	case STEP_MERGE:
	case STEP_OLD:
	case STEP_SOURCE:
		return 0;
	case STEP_LEFT:
	case STEP_BEHIND:
	case STEP_ROOT:
		finding_left_line(v, step);
		return 0;
	default:
		break;
	}
	if (direct)
		outside = find_direct_path(step, b, j->view.repository, &path, e);
	if (outside > 0)
		finding_direct_path(v, step, path);
	if (step->class == STEP_DIRECT && !direct)
		finding_direct(v, step);
	if (step->class == STEP_FOREIGN && (!direct || outside > 0)) {
		char *from = provenance_guess(&j->view, &step->merged);

		finding_foreign(v, step, from);
		free(from);
	}
	if (step->class == STEP_OCTOPUS && (!direct || outside > 0))
		finding_octopus(v, step);
	free(path);
	return outside < 0 ? -1 : 0;
}

/* REF is a source, and holds OID.  The first one noted stands for the update. */
static void note_source(struct verdict *v, const char *ref, const struct oid *oid)
{
	char hex[OID_HEX_SIZE], *line;

	oid_hex(oid, hex);
	line = mem_format("%s %s", hex, ref);
	strlist_add(&v->merged, line);
	free(line);
	if (v->source != NULL)
		return;
	v->source = mem_strdup(ref);
	v->source_oid = *oid;
}

/*
 * How the tip came to the branch, and from where: told by the newest commit that is traced to a
 * source.
 */
static void name_method(struct verdict *v, const struct trail *trail)
{
	const struct step *newest = &trail->v[0];

	v->method = newest->class == STEP_MERGE    ? "merge"
		    : newest->class == STEP_SOURCE ? "fast-forward"
						   : "direct";
	for (size_t i = 0; i < trail->n; i++) {
		const struct step *step = &trail->v[i];

		if (step->class != STEP_MERGE && step->class != STEP_SOURCE)
			continue;
		note_source(
			v, step->source, step->class == STEP_MERGE ? &step->merged : &step->oid);
	}
}

static int judge_required_files(struct verdict *v, struct judge *j, struct err *e)
{
	const struct strlist *files = &v->rule.branch->require_files;

	for (size_t i = 0; i < files->n; i++) {
		int found = tree_has_file(j->view.repository, &v->update->new, files->v[i], e);

		if (found < 0)
			return -1;
		if (found == 0)
			finding_required_file(v, files->v[i]);
	}
	return 0;
}

static int judge_move(
	struct verdict *v, struct judge *j, const struct sources *sources, struct err *e)
{
	const struct push_update *u = v->update;
	struct repository *r = j->view.repository;
	struct trail trail = {0};
	int held = walk_holds(r, &u->new, 1, &u->old, e), result = -1;

	if (held < 0)
		return -1;
	if (held == 0) {
		v->method = "direct";
		finding_rewrite(v);
		return 0;
	}
	if (trail_walk(&trail, r, sources, &u->old, &u->new, e) != 0)
		return -1;
	name_method(v, &trail);
	/* The end first: a line that leads elsewhere explains the commits on it. */
	for (size_t i = 0; i < trail.n; i++)
		if (judge_step(v, j, &trail.v[i > 0 ? i - 1 : trail.n - 1], e) != 0)
			goto out;
	v->chain = v->rule.branch->chain;
	result = judge_required_files(v, j, e);
out:
	trail_clear(&trail);
	return result;
}

static int judge_creation(
	struct verdict *v, struct judge *j, const struct sources *sources, struct err *e)
{
	const struct push_update *u = v->update;
	const struct source *source = NULL;
	struct commit commit;
	int held;

	v->method = "create";
	if (v->rule.branch->launch_on_create == CONFIG_YES)
		v->chain = v->rule.branch->chain;
	/* Also where nothing else is asked: a branch that is no commit cannot be judged later. */
	if (commit_read(&commit, j->view.repository, &u->new, e) != 0)
		return -1;
	commit_clear(&commit);
	if (sources->exist == SOURCES_SOME) {
		held = sources_hold(sources, j->view.repository, &u->new, &source, e);
		if (held < 0)
			return -1;
		if (held == 0)
			finding_creation(v);
		else
			note_source(v, source->ref, &u->new);
	}
	return v->chain != NULL && v->chain[0] != '\0' ? judge_required_files(v, j, e) : 0;
}

/*
 * Git refuses an update whose old value is not the reference's, but after this; an intent of it would
 * be one of a move that cannot be.  1: it is refused here; 0; -1.
 */
static int check_old(struct verdict *v, struct judge *j, struct err *e)
{
	struct oid now;

	if (need_repository(j, e) != 0 ||
		repository_tip(j->view.repository, v->update->target, &now, e) < 0)
		return -1;
	if (oid_equal(&now, &v->update->old))
		return 0;
	finding_stale(v, &now);
	return 1;
}

static int judge_branch(struct verdict *v, struct judge *j, struct err *e)
{
	const struct push_update *u = v->update;
	struct sources sources = {0};
	int stale, result;

	if (!identity_may(j->view.config, j->actor, &v->rule.branch->roles))
		finding_role(v, j->actor);
	if (oid_is_zero(&u->new)) {
		v->method = "delete";
		finding_deletion(v);
		return 0;
	}
	stale = check_old(v, j, e);
	if (stale != 0)
		return stale < 0 ? -1 : 0;
	if (sources_find(&sources, &j->view, v->rule.branch, e) != 0)
		return -1;
	if (oid_is_zero(&u->old))
		result = judge_creation(v, j, &sources, e);
	else
		result = judge_move(v, j, &sources, e);
	sources_clear(&sources);
	return result;
}

/* Lowest code first; findings of one code stay as they were found. */
static void sort_findings(struct verdict *v)
{
	for (size_t i = 1; i < v->n_findings; i++) {
		struct finding f = v->findings[i];
		size_t at = i;

		for (; at > 0 && v->findings[at - 1].code > f.code; at--)
			v->findings[at] = v->findings[at - 1];
		v->findings[at] = f;
	}
}

int judge_update(struct verdict *out, struct judge *j, size_t index, struct err *e)
{
	int result = 0;

	memset(out, 0, sizeof(*out));
	out->update = &j->view.push->v[index];
	policy_rule(&out->rule, j->view.config, out->update->target);
	judge_name(out, j);
	if (out->rule.kind == POLICY_RETRAIN)
		judge_retrain(out, j);
	if (out->rule.kind == POLICY_BRANCH)
		result = judge_branch(out, j, e);
	if (out->rule.kind == POLICY_RETRAIN && check_old(out, j, e) < 0)
		result = -1;
	if (result != 0) {
		err_wrap(e, "%s", out->update->ref);
		verdict_clear(out);
		return -1;
	}
	sort_findings(out);
	return 0;
}
