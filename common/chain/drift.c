#include "chain/drift.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/event.h"
#include "chain/store-internal.h"
#include "chain/store.h"
#include "data/config.h"
#include "git/oid.h"
#include "git/repository.h"
#include "sys/files.h"

#define BRANCHES "refs/heads/"
#define RETRAIN_PREFIX "retrain-"

/* Where a reference was left. */
struct position {
	char *repository;
	char *ref;
	char *oid;
	char *project;
	char *gl_repository;
};
struct positions {
	struct position *v;
	size_t n;
	size_t cap;
};

static void positions_clear(struct positions *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].repository);
		free(l->v[i].ref);
		free(l->v[i].oid);
		free(l->v[i].project);
		free(l->v[i].gl_repository);
	}
	free(l->v);
}

/* Where the reference is recorded: 1 and *OID, the caller's to free(); 0: nowhere; -1. */
static int find(char **oid, struct store *s, const char *repository, const char *ref, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int found;

	*oid = NULL;
	if (sqlite_query(s->db, &q, e, "SELECT oid FROM position WHERE repository = ? AND ref = ?",
		    "tt", repository, ref) != 0)
		return -1;
	found = sqlite_next(q, e);
	if (found == 1)
		*oid = mem_strdup(sqlite_text(q, 0));
	sqlite_end(q);
	return found;
}

/*
 * Of several intents that name one landing I may be another than that of the push that landed: 1 if one
 * of them begins where the reference was recorded, at OID; 0; -1.
 */
static int is_explained(struct store *s, const struct intent *i, const char *oid, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE repository = ? AND ref = ? AND old = ? AND new = ?"
		" AND state = 'open' LIMIT 1",
		"tttt", i->repository, i->ref, oid, i->new);
}

int drift_land(char **was, struct store *s, const struct intent *i, struct err *e)
{
	char *oid = NULL;
	int found, explained = 1;

	*was = NULL;
	if (i->method == NULL || i->method[0] == '\0')
		return 0; /* it has no rules: not every move of it is seen */
	found = find(&oid, s, i->repository, i->ref, e);
	if (found == 1 && strcmp(oid, i->old) != 0)
		explained = is_explained(s, i, oid, e);
	if (explained < 0)
		found = -1;
	if (explained == 0) {
		*was = oid;
		oid = NULL;
	}
	free(oid);
	if (found >= 0 &&
		sqlite_run(s->db, e,
			"INSERT INTO position (repository, ref, oid, project, gl_repository)"
			" VALUES (?, ?, ?, ?, ?) ON CONFLICT (repository, ref)"
			" DO UPDATE SET oid = excluded.oid",
			"ttttt", i->repository, i->ref, i->new, i->project, i->gl_repository) != 0)
		found = -1;
	if (found < 0) {
		free(*was);
		*was = NULL;
		return -1;
	}
	return *was != NULL;
}

static int load(struct positions *out, struct store *s, struct err *e)
{
	struct sqlite_stmt *q = NULL;
	int row;

	if (sqlite_query(s->db, &q, e,
		    "SELECT repository, ref, oid, project, gl_repository FROM position"
		    " ORDER BY repository, ref",
		    "") != 0)
		return -1;
	while ((row = sqlite_next(q, e)) == 1) {
		struct position *p;

		mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
		p = &out->v[out->n++];
		p->repository = mem_strdup(sqlite_text(q, 0));
		p->ref = mem_strdup(sqlite_text(q, 1));
		p->oid = mem_strdup(sqlite_text(q, 2));
		p->project = mem_strdup(sqlite_text(q, 3));
		p->gl_repository = mem_strdup(sqlite_text(q, 4));
	}
	sqlite_end(q);
	return row;
}

/* Where the reference is now; zeros: it is not there.  0, or -1. */
static int read_tip(
	char hex[OID_HEX_SIZE], struct repository *r, const struct position *p, struct err *e)
{
	struct oid tip;

	if (repository_tip(r, p->ref, &tip, e) < 0)
		return -1;
	oid_hex(&tip, hex);
	return 0;
}

static int tell(struct store *s, const struct position *p, const char *tip, struct err *e)
{
	const struct audit_ref ref = {
		.ref = p->ref, .old = p->oid, .new = tip, .reason = DRIFT_REASON};
	struct events events = {0};
	struct audit_record *r = events_add(&events, EVENT_REF_DRIFTED);
	int result;

	r->repository.path = p->repository;
	r->repository.project = p->project;
	r->repository.gl_repository = p->gl_repository;
	r->refs = &ref;
	r->n_refs = 1;
	result =
		sqlite_run(s->db, e, "UPDATE position SET oid = ? WHERE repository = ? AND ref = ?",
			"ttt", tip, p->repository, p->ref);
	if (result == 0)
		result = events_commit(&events, s, e);
	events_clear(&events);
	return result;
}

/* 1: a push that was let pass brought the reference to TIP, and is not recorded as landed yet; 0; -1. */
static int is_on_its_way(struct store *s, const struct position *p, const char *tip, struct err *e)
{
	int64_t one;

	return sqlite_one(s->db, &one, e,
		"SELECT 1 FROM intent WHERE repository = ? AND ref = ? AND new = ?"
		" AND state = 'open' LIMIT 1",
		"ttt", p->repository, p->ref, tip);
}

/*
 * P seemed to be elsewhere.  Within a transaction no push is let pass and none recorded as landed: what
 * brought the reference to where it is then either stands in the store, or was no push of ours.
 */
static int look_again(
	struct store *s, struct repository *r, const struct position *p, struct err *e)
{
	char tip[OID_HEX_SIZE], *oid = NULL;
	int result = -1, known;

	if (sqlite_begin(s->db, e) != 0)
		return -1;
	known = find(&oid, s, p->repository, p->ref, e);
	if (known == 1 && strcmp(oid, p->oid) != 0)
		known = 0; /* it has landed meanwhile */
	if (known == 1 && read_tip(tip, r, p, e) != 0)
		known = -1;
	if (known == 1 && strcmp(tip, p->oid) == 0)
		known = 0;
	if (known == 1 && (result = is_on_its_way(s, p, tip, e)) != 0)
		known = result < 0 ? -1 : 0;
	result = known == 1 ? tell(s, p, tip, e) : known;
	sqlite_rollback(s->db); /* nothing to do after a commit */
	free(oid);
	return result;
}

/* The configuration may have taken its rules from a branch: then nobody records its moves. */
static int has_rules(const struct config *c, const char *ref)
{
	const char *name = ref + strlen(BRANCHES);

	return str_starts(ref, BRANCHES) &&
	       (config_branch(c, name) != NULL || str_starts(name, RETRAIN_PREFIX));
}

static int look_at(struct store *s, struct repository *r, const char *system_file,
	const struct position *p, struct err *e)
{
	const struct config_sources from = {system_file, p->repository};
	struct config *config = NULL;
	char tip[OID_HEX_SIZE];
	int result;

	if (read_tip(tip, r, p, e) != 0)
		return -1;
	if (strcmp(tip, p->oid) == 0)
		return 0;
	if (config_load(&config, &from, e) != 0)
		return -1;
	if (has_rules(config, p->ref))
		result = look_again(s, r, p, e);
	else
		result = sqlite_run(s->db, e,
			"DELETE FROM position WHERE repository = ? AND ref = ?", "tt",
			p->repository, p->ref);
	config_free(config);
	return result;
}

/*
 * The N positions from P on are of one repository, which stays open in *OPEN until the next one is: what
 * libgit2 does when it is first started takes far longer than a look.
 */
static int look_at_repository(struct store *s, const char *system_file, const struct position *p,
	size_t n, struct repository **open, struct err *e)
{
	struct repository *r = NULL;
	int result = 0;

	if (!files_exists(p->repository))
		return 0;
	if (repository_open(&r, p->repository, REPOSITORY_OBJECTS, e) != 0)
		return -1;
	repository_free(*open);
	*open = r;
	for (size_t i = 0; result == 0 && i < n; i++)
		result = look_at(s, r, system_file, &p[i], e);
	return result;
}

int drift_look(struct store *s, const char *system_file, struct err *e)
{
	struct positions all = {0};
	struct repository *open = NULL;
	struct err one = ERR_INIT;
	int result = load(&all, s, e);

	for (size_t i = 0, n; result >= 0 && i < all.n; i += n) {
		const struct position *p = &all.v[i];

		for (n = 1; i + n < all.n && str_same(p->repository, p[n].repository);)
			n++;
		if (look_at_repository(s, system_file, p, n, &open, &one) != 0) {
			(void)err_set(e, "%s: %s", p->repository, err_text(&one));
			err_clear(&one);
			result = 1;
		}
	}
	repository_free(open);
	positions_clear(&all);
	return result == 0 ? 0 : -1;
}
