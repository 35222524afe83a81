#include "gate/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/content.h"
#include "gate/finding.h"
#include "gate/identity.h"
#include "gate/names.h"
#include "gate/play.h"
#include "gate/push.h"
#include "gate/retrain.h"
#include "gate/sources.h"
#include "git/merge.h"
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
	trail_clear(&v->trail);
	memset(v, 0, sizeof(*v));
}

void judge_clear(struct judge *j)
{
	merges_free(j->merges);
	j->merges = NULL;
	repository_free(j->view.repository);
	j->view.repository = NULL;
}

static int need_repository(struct judge *j, struct err *e)
{
	char *scratch;

	if (j->view.repository != NULL)
		return 0;
	if (repository_open(&j->view.repository, j->gitdir,
		    j->objects == JUDGE_QUARANTINED_OBJECTS ? REPOSITORY_QUARANTINED_OBJECTS
							    : REPOSITORY_OBJECTS,
		    e) != 0)
		return -1;
	scratch = path_join(j->view.config->state, CONFIG_STATE_WORK);
	j->merges = merges_new(j->view.repository, scratch);
	free(scratch);
	return 0;
}

/* MG201 and MG205: what a reference may not be called when it is created. */
static void judge_name(struct verdict *v, const struct judge *j)
{
	const struct push_update *u = v->update;
	const char *like;

	if (!oid_is_zero(&u->old))
		return;
	if (v->rule.kind == POLICY_FREE && v->rule.name != NULL &&
		names_is_retrain_like(v->rule.name))
		finding_retrain_name(v, v->rule.name);
	like = names_lookalike(j->view.config, u->target);
	if (like != NULL)
		finding_lookalike(v, u->target, like);
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

/* What the code of a merge method is called in the configuration; 0: STEP is none. */
static unsigned step_method(const struct step *step)
{
	switch (step->class) {
	case STEP_MERGE:
		return CONFIG_METHOD_MERGE;
	case STEP_SQUASH:
		return CONFIG_METHOD_SQUASH;
	case STEP_SOURCE:
		return CONFIG_METHOD_FAST_FORWARD;
	default:
		return 0;
	}
}

/* MG105: name the paths in which the merge of STEP is not the automatic one. */
static int find_content(
	struct verdict *v, const struct judge *j, const struct step *step, struct err *e)
{
	struct merges_case c = {
		.ours = step->first_parent, .theirs = step->merged, .result = step->oid};
	struct strlist paths = {0};
	size_t total = 0;
	int result = merges_paths(&paths, FINDING_MAX_PATHS, &total, j->merges, &c, e);

	if (result == 0)
		finding_content(v, step, &paths, total);
	strlist_clear(&paths);
	return result;
}

/* The classes that are told by the commit alone; where direct commits are taken, so is what they change. */
static void find_class(
	struct verdict *v, const struct judge *j, const struct step *step, const char *outside)
{
	const struct config_branch *b = v->rule.branch;
	char *from = NULL;

	if (outside != NULL && step->content == MERGES_PENDING)
		finding_direct_path(v, step, outside);
	else if (step->class == STEP_DIRECT && b->direct_push == CONFIG_DIRECT_DENY)
		finding_direct(v, step);
	if (step->class == STEP_OCTOPUS)
		finding_octopus(v, step);
	if (step->class != STEP_FOREIGN)
		return;
	/* Where it comes from is searched for: not for those that are not told any more. */
	if (finding_count(v, CODE_SOURCE) < FINDING_MAX_OF_A_CODE)
		from = provenance_guess(&j->view, &step->merged, step->subject);
	finding_foreign(v, step, from);
	free(from);
}

/*
 * A commit that is no merge or squash as it should be.  Where it changes only what direct commits may,
 * it is one of those.  0, or -1.
 */
static int judge_other(struct verdict *v, const struct judge *j, struct step *step, struct err *e)
{
	const struct config_branch *b = v->rule.branch;
	int refused = 1, result = 0;
	char *outside = NULL;

	if (b->direct_push == CONFIG_DIRECT_ALLOW) {
		refused = find_direct_path(step, b, j->view.repository, &outside, e);
		if (refused < 0)
			return -1;
	}
	if (refused)
		find_class(v, j, step, outside);
	if (refused && step->content != MERGES_PENDING)
		result = find_content(v, j, step, e);
	if (!refused)
		step->class = STEP_DIRECT;
	free(outside);
	return result;
}

static int is_end(const struct step *step)
{
	return step->class >= STEP_OLD;
}

static int has_wrong_content(const struct step *step)
{
	return step->content != MERGES_PENDING && step->content != MERGES_AUTOMATIC;
}

static int judge_step(struct verdict *v, const struct judge *j, struct step *step, struct err *e)
{
	unsigned method;

	if (is_end(step) && step->class != STEP_OLD && step->class != STEP_SOURCE)
		finding_left_line(v, step);
	if (!is_end(step) && (step_method(step) == 0 || has_wrong_content(step)) &&
		judge_other(v, j, step, e) != 0)
		return -1;
	method = step_method(step);
	if (method != 0 && !(v->rule.branch->merge_methods & method))
		finding_method(v, step);
	return 0;
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
static void name_method(struct verdict *v)
{
	const struct step *newest = &v->trail.v[0];

	v->method = newest->class == STEP_MERGE    ? "merge"
		    : newest->class == STEP_SQUASH ? "squash"
		    : newest->class == STEP_SOURCE ? "fast-forward"
						   : "direct";
	for (size_t i = 0; i < v->trail.n; i++)
		if (step_method(&v->trail.v[i]) != 0)
			note_source(v, v->trail.v[i].source, &v->trail.v[i].held);
}

/* From the old tip to the new one, commit by commit.  0, or -1. */
static int judge_line(
	struct verdict *v, struct judge *j, const struct sources *sources, struct err *e)
{
	const struct config_branch *b = v->rule.branch;
	struct trail_range range = {j->view.repository, j->merges, sources, v->update->old,
		v->update->new, b->direct_push == CONFIG_DIRECT_DENY ? FINDING_MAX_OF_A_CODE : 0,
		b->content == CONFIG_CONTENT_ANY ? TRAIL_CONTENT_ANY : TRAIL_CONTENT_AUTOMATIC};
	size_t n;

	if (trail_walk(&v->trail, &range, e) != 0)
		return -1;
	/* The end first: a line that leads elsewhere explains the commits on it. */
	n = v->trail.n;
	for (size_t i = 0; i < n; i++)
		if (judge_step(v, j, &v->trail.v[i > 0 ? i - 1 : n - 1], e) != 0)
			return -1;
	name_method(v);
	return 0;
}

static int judge_move(
	struct verdict *v, struct judge *j, const struct sources *sources, struct err *e)
{
	const struct push_update *u = v->update;
	int held = walk_holds(j->view.repository, &u->new, 1, &u->old, e);

	if (held < 0)
		return -1;
	v->chain = v->rule.branch->chain;
	if (held == 0) {
		v->method = "direct";
		finding_rewrite(v);
	} else if (judge_line(v, j, sources, e) != 0) {
		return -1;
	}
	return content_judge_required(v, j, e);
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
	return v->chain != NULL && v->chain[0] != '\0' ? content_judge_required(v, j, e) : 0;
}

/*
 * Git refuses an update whose old value is not the reference's, but after this; an intent of it would
 * be one of a move that cannot be.  1: it is refused here; 0; -1.
 */
static int check_old(struct verdict *v, struct judge *j, struct err *e)
{
	struct oid now;

	if (need_repository(j, e) != 0)
		return -1;
	if (j->references == JUDGE_AS_GIVEN)
		return 0;
	if (repository_tip(j->view.repository, v->update->target, &now, e) < 0)
		return -1;
	if (oid_equal(&now, &v->update->old))
		return 0;
	finding_stale(v, &now);
	return 1;
}

static int judge_branch(struct verdict *v, struct judge *j, struct err *e)
{
	const struct push_update *u = v->update;
	const struct config_branch *b = v->rule.branch;
	struct sources sources = {0};
	int result;

	if (!identity_may(j->view.config, j->actor, &b->roles))
		finding_role(v, j->actor, &b->roles, (struct finding_key){"branch", "roles"});
	if (oid_is_zero(&u->new)) {
		v->method = "delete";
		finding_deletion(v);
		return 0;
	}
	if (sources_find(&sources, &j->view, b, e) != 0)
		return -1;
	if (oid_is_zero(&u->old))
		result = judge_creation(v, j, &sources, e);
	else
		result = judge_move(v, j, &sources, e);
	sources_clear(&sources);
	return result != 0 ? -1 : content_judge_blobs(v, j, e);
}

static int judge_retrain(struct verdict *v, struct judge *j, struct err *e)
{
	if (retrain_judge(v, j, e) != 0)
		return -1;
	return oid_is_zero(&v->update->new) ? 0 : content_judge_blobs(v, j, e);
}

/* A reference with rules.  0, or -1. */
static int judge_ruled(struct verdict *v, struct judge *j, struct err *e)
{
	int stale;

	if (v->rule.kind == POLICY_OWN)
		return play_judge(v, j, e);
	stale = check_old(v, j, e);
	if (stale != 0)
		return stale < 0 ? -1 : 0;
	return v->rule.kind == POLICY_RETRAIN ? judge_retrain(v, j, e) : judge_branch(v, j, e);
}

static int judge_one(struct verdict *out, struct judge *j, size_t index, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->update = &j->view.push->v[index];
	policy_rule(&out->rule, j->view.config, out->update->target);
	judge_name(out, j);
	if (out->rule.kind != POLICY_FREE && judge_ruled(out, j, e) != 0) {
		err_wrap(e, "%s", out->update->ref);
		verdict_clear(out);
		return -1;
	}
	return 0;
}

static void clear_all(struct verdict *verdicts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		verdict_clear(&verdicts[i]);
}

int judge_push(struct verdict *verdicts, struct judge *j, struct err *e)
{
	size_t n = j->view.push->n;

	j->view.gitdir = j->gitdir;
	/*
	 * The merges that only Git can answer are gathered from all updates and answered together; then
	 * everything is judged again, and nothing is left to ask.
	 */
	for (;;) {
		for (size_t i = 0; i < n; i++)
			if (judge_one(&verdicts[i], j, i, e) != 0) {
				clear_all(verdicts, i);
				return -1;
			}
		if (j->merges == NULL || merges_pending(j->merges) == 0)
			return 0;
		clear_all(verdicts, n);
		if (merges_run(j->merges, e) != 0)
			return -1;
	}
}
