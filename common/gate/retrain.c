#include "gate/retrain.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "data/pointer.h"
#include "gate/finding-retrain.h"
#include "gate/identity.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/past.h"
#include "gate/push.h"
#include "git/repository.h"
#include "git/tree.h"
#include "git/walk.h"

/* MG202, and of MG203 what the name alone says. */
static void judge_name(struct verdict *v, const struct judge *j, const struct names_retrain *parts)
{
	const struct strlist *formats = &j->view.config->date_formats;
	char *today = names_day(formats->v[0], j->now);

	if (parts->id[0] == '0')
		finding_retrain_zeros(v, parts);
	switch (names_date(parts->date, formats, j->now)) {
	case NAMES_DATE_OK:
		break;
	case NAMES_DATE_WRONG:
		finding_retrain_date(v, parts, today);
		break;
	case NAMES_DATE_FUTURE:
		finding_retrain_future(v, parts, today);
		break;
	}
	free(today);
}

/* ---- MG204: one name per pipeline and day ---- */

/* The search for a branch of the same pipeline and day. */
struct search {
	const struct verdict *v;
	const struct strlist *formats;
	const char *date;
	enum judge_references references;
	char *found; /* its name, owned */
};

/* 1 if the branch REF, which has the same pipeline, is what is searched for. */
static int is_used(struct search *search, const char *ref)
{
	struct names_retrain parts;
	const char *name = names_branch(ref), *own = search->v->rule.name;

	if (name == NULL || !names_retrain(&parts, name))
		return 0;
	if (search->references == JUDGE_AS_GIVEN && strcmp(name, own) == 0)
		return 0;
	if (!names_same_day(parts.date, search->date, search->formats))
		return 0;
	search->found = mem_strdup(name);
	return 1;
}

static int look_at_used(void *arg, const char *ref)
{
	return is_used(arg, ref);
}

static int look_at_present(void *context, const char *ref, const struct oid *tip)
{
	(void)tip;
	return is_used(context, ref);
}

/* The updates of the push before V's own: of two that exclude each other the later is refused. */
static int find_in_push(struct search *search, const struct push *push, const char *prefix)
{
	const struct push_update *own = search->v->update;

	for (size_t i = 0; push != NULL && i < push->n && &push->v[i] != own; i++) {
		const struct push_update *u = &push->v[i];

		if (!oid_is_zero(&u->new) && str_starts(u->target, prefix) &&
			strcmp(u->target, own->target) != 0 && is_used(search, u->target))
			return 1;
	}
	return 0;
}

static int judge_once(
	struct verdict *v, struct judge *j, const struct names_retrain *parts, struct err *e)
{
	struct search search = {v, &j->view.config->date_formats, parts->date, j->references, NULL};
	const struct past *past = j->view.past;
	enum finding_retrain_use use = FINDING_RETRAIN_IN_PUSH;
	char *prefix =
		mem_format(NAMES_HEADS NAMES_RETRAIN_PREFIX "%.*s-", (int)parts->id_len, parts->id);
	int found = find_in_push(&search, j->view.push, prefix);

	if (found == 0) {
		use = FINDING_RETRAIN_IS_THERE;
		found = repository_each(j->view.repository, prefix, look_at_present, &search, e);
	}
	if (found == 0) {
		use = FINDING_RETRAIN_WAS_THERE;
		found = past->used(past->context, prefix, look_at_used, &search, e);
	}
	if (found > 0)
		finding_retrain_used(v, search.found, use);
	free(search.found);
	free(prefix);
	return found < 0 ? -1 : 0;
}

/* ---- MG203, MG206, MG207: the pipeline, and what its commit became ---- */

/* The pipelines of the branch `retrain` are those that a retraining comes from. */
static const char *retraining_chain(const struct config *c)
{
	const struct config_branch *branch = config_branch(c, NAMES_RETRAIN);

	return branch != NULL && branch->chain[0] != '\0' ? branch->chain : NAMES_RETRAIN;
}

/* The commit of the pipeline that PARTS name: 1 and *OUT, 0: there is no such pipeline, -1. */
static int find_base(
	struct oid *out, const struct judge *j, const struct names_retrain *parts, struct err *e)
{
	const struct past *past = j->view.past;
	char *id;
	int found;

	if (parts->id[0] == '0')
		return 0;
	id = mem_strndup(parts->id, parts->id_len);
	found = past->deployed(past->context, id, retraining_chain(j->view.config), out, e);
	free(id);
	return found;
}

int retrain_base(struct oid *out, const struct verdict *v, struct judge *j, struct err *e)
{
	struct names_retrain parts;
	int found;

	memset(out, 0, sizeof(*out));
	if (j->view.config->known_pipeline == CONFIG_KNOWN_OFF || v->rule.name == NULL ||
		!names_retrain(&parts, v->rule.name))
		return 0;
	found = find_base(out, j, &parts, e);
	return found == 1 ? repository_has(j->view.repository, out) : found;
}

struct paths {
	const struct strlist *allowed;
	struct strlist outside;
};

static int collect_outside(void *context, const char *path)
{
	struct paths *paths = context;

	if (!str_glob_any(paths->allowed, path) && !strlist_has(&paths->outside, path))
		strlist_add(&paths->outside, path);
	return paths->outside.n > FINDING_RETRAIN_MAX_PATHS;
}

struct brought {
	struct repository *repository;
	const struct oid *base;
	struct paths paths;
	struct err *e;
};

static int look_at_commit(void *context, const struct oid *oid)
{
	struct brought *b = context;

	return tree_changes(b->repository, b->base, oid, collect_outside, &b->paths, b->e);
}

/*
 * Each commit that the branch brings, not the last one alone: as a source it holds them all, and any of
 * them can be merged.
 */
static int judge_paths(struct verdict *v, struct judge *j, const struct oid *base, struct err *e)
{
	struct brought b = {
		j->view.repository, base, {.allowed = &j->view.config->retrain_may_change}, e};
	struct walk_range range = {&v->update->new, 1, base, 1};
	int result;

	if (b.paths.allowed->n == 0)
		return 0;
	/* The branch itself first: it need not descend from BASE. */
	result = look_at_commit(&b, &v->update->new);
	if (result == 0)
		result = walk_new(j->view.repository, &range, look_at_commit, &b, e);
	if (result >= 0 && b.paths.outside.n > 0)
		finding_retrain_paths(v, base, &b.paths.outside);
	strlist_clear(&b.paths.outside);
	return result < 0 ? -1 : 0;
}

static int judge_pipeline(
	struct verdict *v, struct judge *j, const struct names_retrain *parts, struct err *e)
{
	struct oid base;
	int found, held;

	/* Of an id with leading zeros its own finding says enough. */
	if (j->view.config->known_pipeline == CONFIG_KNOWN_OFF || parts->id[0] == '0')
		return 0;
	found = find_base(&base, j, parts, e);
	if (found < 0)
		return -1;
	if (found == 0) {
		finding_retrain_unknown(v, parts);
		return 0;
	}
	if (!repository_has(j->view.repository, &base)) {
		finding_retrain_origin(v, &base, FINDING_RETRAIN_NOT_THERE);
		return 0;
	}
	held = walk_holds(j->view.repository, &v->update->new, 1, &base, e);
	if (held < 0)
		return -1;
	if (held == 0)
		finding_retrain_origin(v, &base, FINDING_RETRAIN_NOT_HELD);
	return judge_paths(v, j, &base, e);
}

/* ---- MG302, MG303: the model ---- */

static int judge_pointer(struct verdict *v, struct judge *j, struct err *e)
{
	struct str text;
	struct pointer pointer;
	struct err fault = ERR_INIT;
	int found;

	str_init(&text);
	found = tree_file(j->view.repository, &v->update->new, j->view.config->model_file,
		POINTER_MAX_BYTES, &text, e);
	if (found == 1) {
		if (pointer_parse(&pointer, text.buf, text.len, &fault) != 0)
			finding_retrain_model(v, err_text(&fault));
		pointer_clear(&pointer);
	}
	err_clear(&fault);
	str_clear(&text);
	return found < 0 ? -1 : 0;
}

static int judge_model(struct verdict *v, struct judge *j, struct err *e)
{
	struct tree_entry entry;
	char *fault;

	if (tree_look(&entry, j->view.repository, &v->update->new, j->view.config->model_file, e) !=
		0)
		return -1;
	switch (entry.kind) {
	case TREE_NOTHING:
		finding_retrain_no_model(v);
		return 0;
	case TREE_FOLDER:
		finding_retrain_folder(v);
		return 0;
	case TREE_EXECUTABLE:
		finding_retrain_model(v, "mode: must be 100644, not that of an executable");
		break;
	case TREE_LINK:
		finding_retrain_model(v, "mode: must be 100644, not that of a symbolic link");
		return 0;
	case TREE_SUBMODULE:
		finding_retrain_model(v, "mode: must be 100644, not that of a submodule");
		return 0;
	case TREE_FILE:
		break;
	}
	if (entry.size <= POINTER_MAX_BYTES)
		return judge_pointer(v, j, e);
	fault = mem_format("size: %zu bytes, more than %zu", entry.size, POINTER_MAX_BYTES);
	finding_retrain_model(v, fault);
	free(fault);
	return 0;
}

static int judge_creation(struct verdict *v, struct judge *j, struct err *e)
{
	const struct strlist *roles = &j->view.config->retrain_roles;
	struct names_retrain parts;

	if (!names_retrain(&parts, v->rule.name))
		return err_set(e, "%s is no retrain branch", v->rule.name);
	if (!identity_may(j->view.config, j->actor, roles))
		finding_retrain_role(v, j->actor, roles);
	judge_name(v, j, &parts);
	if (judge_once(v, j, &parts, e) != 0 || judge_pipeline(v, j, &parts, e) != 0)
		return -1;
	return judge_model(v, j, e);
}

int retrain_judge(struct verdict *v, struct judge *j, struct err *e)
{
	const struct push_update *u = v->update;

	if (oid_is_zero(&u->new)) {
		v->method = "delete";
		return 0;
	}
	v->method = oid_is_zero(&u->old) ? "create" : "direct";
	if (oid_is_zero(&u->old))
		return judge_creation(v, j, e);
	finding_retrain_moved(v);
	return 0;
}
