#include "gate/finding.h"

#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/push.h"

#define MAX_SUBJECT 60 /* bytes of a commit's subject or a name in a message */
#define MAX_NAME 200

/* REASON and FIX are the verdict's from now on; FIX may be NULL. */
static void add(struct verdict *v, enum code code, char *reason, char *fix)
{
	struct finding *f;

	mem_grow(&v->findings, v->n_findings, &v->findings_cap, sizeof(*v->findings));
	f = &v->findings[v->n_findings++];
	f->code = code;
	f->reason = str_safe(reason, 1000);
	f->fix = fix != NULL ? str_safe(fix, 1000) : NULL;
	free(reason);
	free(fix);
}

/* `8b1d0e2 "quick fix"`; the caller's to free(). */
static char *describe(const struct step *step)
{
	char hex[OID_HEX_SIZE], *subject = str_safe(step->subject, MAX_SUBJECT), *text;

	oid_hex(&step->oid, hex);
	text = mem_format("%.*s \"%s\"", OID_SHORT, hex, subject);
	free(subject);
	return text;
}

char *finding_sources_text(const struct config_branch *branch)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < branch->merge_from.n; i++) {
		const char *name = branch->merge_from.v[i];

		str_addf(&s, "%s%s", i > 0 ? ", " : "",
			strcmp(name, NAMES_RETRAIN_GLOB) == 0 ? NAMES_RETRAIN_FORM : name);
	}
	if (branch->merge_from.n == 0)
		str_add(&s, "no branch");
	return str_steal(&s);
}

/* The source to send people to: the first that is a plain branch; NULL: there is none. */
static const char *first_source(const struct config_branch *branch)
{
	for (size_t i = 0; i < branch->merge_from.n; i++)
		if (strcmp(branch->merge_from.v[i], NAMES_RETRAIN_GLOB) != 0)
			return branch->merge_from.v[i];
	return NULL;
}

#define MAX_WAY 8 /* branches on the way to one; a configuration that goes in circles ends here */

/*
 * The branches that lead to V's, itself last: dev, main, online.  The first is one without rules,
 * which takes pushes.  Borrowed; their number, 1 if nothing leads there.
 */
static size_t find_way(const struct verdict *v, const char *way[MAX_WAY])
{
	const struct config_branch *branch = v->rule.branch;
	size_t n = 1;

	way[MAX_WAY - 1] = branch->name;
	while (branch != NULL && n < MAX_WAY && first_source(branch) != NULL) {
		way[MAX_WAY - 1 - n++] = first_source(branch);
		branch = config_branch(v->rule.config, way[MAX_WAY - n]);
	}
	memmove(way, way + MAX_WAY - n, n * sizeof(*way));
	return n;
}

/*
 * "WHAT dev, then open a merge request dev -> main"; where FROM, the branch that the commits are
 * on, or NULL, is on the way itself, from there on.
 */
static char *way_in(const struct verdict *v, const char *what, const char *from)
{
	const char *way[MAX_WAY];
	size_t n = find_way(v, way), first = 0;
	int is_on_it = 0;
	struct str s;

	if (n == 1)
		return mem_format(
			"ask an admin which branch %s takes its commits from", v->rule.name);
	for (size_t i = 0; from != NULL && i + 1 < n; i++)
		if (strcmp(way[i], from) == 0) {
			first = i;
			is_on_it = 1;
		}
	str_init(&s);
	if (!is_on_it)
		str_addf(&s, "%s %s, then ", what, way[0]);
	str_add(&s, n - first > 2 ? "open merge requests" : "open a merge request");
	for (size_t i = first; i + 1 < n; i++)
		str_addf(&s, "%s %s -> %s",
			i == first  ? ""
			: i + 2 < n ? ","
				    : " and",
			way[i], way[i + 1]);
	return str_steal(&s);
}

void finding_rewrite(struct verdict *v)
{
	char old[OID_HEX_SIZE];

	oid_hex(&v->update->old, old);
	add(v, CODE_REWRITE,
		mem_format("history rewrite: %.*s, the tip of %s, is not an ancestor of what was "
			   "pushed",
			OID_SHORT, old, v->rule.name),
		way_in(v, "do not force; to undo a commit, git revert it on", NULL));
}

void finding_direct(struct verdict *v, const struct step *step)
{
	char *commit = describe(step);

	add(v, CODE_DIRECT, mem_format("commit %s was made on %s itself", commit, v->rule.name),
		way_in(v, "push the commit to", NULL));
	free(commit);
}

void finding_direct_path(struct verdict *v, const struct step *step, const char *path)
{
	char *commit = describe(step);
	char *allowed = strlist_join(&v->rule.branch->direct_may_change, ", ");
	char *safe = str_safe(path, MAX_NAME);

	add(v, CODE_DIRECT,
		mem_format("commit %s was made on %s itself and changes %s; there it may change "
			   "only %s",
			commit, v->rule.name, safe, allowed),
		way_in(v, "push the other changes to", NULL));
	free(safe);
	free(allowed);
	free(commit);
}

void finding_left_line(struct verdict *v, const struct step *step)
{
	char *commit = describe(step);
	const char *own = step->source != NULL ? names_branch(step->source) : NULL;
	const char *source = own != NULL ? own : first_source(v->rule.branch);
	const char *name = v->rule.name;

	add(v, CODE_DIRECT,
		mem_format("the first parents of what was pushed lead to commit %s%s%s, past the "
			   "tip of %s",
			commit, own ? " of " : "", own ? own : "", name),
		mem_format("make the merge on the tip of %s: git fetch origin && git checkout -B "
			   "%s origin/%s && "
			   "git merge --no-ff origin/%s",
			name, name, name, source != NULL ? source : name));
	free(commit);
}

void finding_foreign(struct verdict *v, const struct step *step, const char *from)
{
	char merged[OID_HEX_SIZE], *commit = describe(step), *name = NULL;

	oid_hex(&step->merged, merged);
	if (from != NULL)
		name = str_safe(names_branch(from) ? names_branch(from) : from, MAX_NAME);
	add(v, CODE_SOURCE,
		mem_format("commit %s merges %.*s%s%s, which no allowed source of %s holds", commit,
			OID_SHORT, merged, name ? " of " : "", name ? name : "", v->rule.name),
		way_in(v, name != NULL ? "merge it into" : "push the commits to", name));
	free(name);
	free(commit);
}

void finding_octopus(struct verdict *v, const struct step *step)
{
	char *commit = describe(step);

	add(v, CODE_OCTOPUS, mem_format("merge %s has more than two parents", commit),
		mem_strdup("merge the branches one after the other"));
	free(commit);
}

void finding_deletion(struct verdict *v)
{
	add(v, CODE_DELETE,
		mem_format("%s is a branch with rules and cannot be deleted", v->rule.name),
		mem_strdup("leave it; if the project ends, an admin archives the repository"));
}

void finding_creation(struct verdict *v)
{
	char new[OID_HEX_SIZE], *sources = finding_sources_text(v->rule.branch);
	const char *source = first_source(v->rule.branch);

	oid_hex(&v->update->new, new);
	add(v, CODE_CREATE,
		mem_format("%s cannot start at commit %.*s, which none of its sources (%s) holds",
			v->rule.name, OID_SHORT, new, sources),
		source == NULL ? NULL
			       : mem_format("start it at a commit of %s: git push origin "
					    "origin/%s:refs/heads/%s",
					 source, source, v->rule.name));
	free(sources);
}

void finding_retrain_name(struct verdict *v, const char *branch)
{
	char *name = str_safe(branch, MAX_NAME);

	add(v, CODE_RETRAIN_NAME, mem_format("%s is neither retrain nor " NAMES_RETRAIN_FORM, name),
		mem_strdup("let the retraining job push its branch, as in retrain-42-20261231, or "
			   "choose a "
			   "name that does not start with retrain"));
	free(name);
}

void finding_retrain_date(struct verdict *v, const char *date, const struct strlist *formats)
{
	char *text = str_safe(date, MAX_NAME), *form = strlist_join(formats, " or ");

	add(v, CODE_RETRAIN_DATE, mem_format("%s is no date written as %s", text, form),
		mem_strdup("name the branch " NAMES_RETRAIN_FORM
			   " with the day on which the DAG ran"));
	free(form);
	free(text);
}

void finding_retrain_future(struct verdict *v, const char *date)
{
	char *text = str_safe(date, MAX_NAME);

	add(v, CODE_RETRAIN_DATE, mem_format("%s is a day that has not begun anywhere", text),
		mem_strdup("name the branch after the day on which the DAG ran"));
	free(text);
}

void finding_retrain_pipeline(struct verdict *v, const char *id, size_t len)
{
	char *copy = mem_strndup(id, len), *text = str_safe(copy, MAX_NAME);

	add(v, CODE_RETRAIN_PIPELINE,
		mem_format("%s is no pipeline id: it is written without leading zeros", text),
		mem_strdup(
			"use the number of the retrain pipeline as `modelgate status` shows it"));
	free(text);
	free(copy);
}

void finding_retrain_moved(struct verdict *v)
{
	add(v, CODE_RETRAIN_MOVED,
		mem_format("%s is the result of one retraining: it is created once and never moved",
			v->rule.name),
		mem_strdup("retrain again; the new model gets a branch of its own"));
}

void finding_lookalike(struct verdict *v, const char *ref, const char *like)
{
	char *name = str_safe(ref, MAX_NAME), *other = str_safe(like, MAX_NAME);

	add(v, CODE_LOOKALIKE, mem_format("%s could be mistaken for the branch %s", name, other),
		mem_strdup("choose another name"));
	free(other);
	free(name);
}

void finding_required_file(struct verdict *v, const char *path)
{
	char *name = str_safe(path, MAX_NAME);

	add(v, CODE_REQUIRED_FILE,
		mem_format("%s is missing, and %s must hold it", name, v->rule.name),
		way_in(v, "add it on", NULL));
	free(name);
}

void finding_role(struct verdict *v, const struct actor *actor)
{
	char *roles = strlist_join(&v->rule.branch->roles, ", ");
	char *name = str_safe(actor->name[0] ? actor->name : actor->id, MAX_NAME);

	add(v, CODE_ROLE,
		mem_format("%s may not move %s: that takes the role %s",
			name[0] ? name : "who is not known", v->rule.name, roles),
		mem_format("ask a member of the role %s to merge", roles));
	free(name);
	free(roles);
}

void finding_reserved(struct verdict *v, const char *ref)
{
	char *name = str_safe(ref, MAX_NAME);

	add(v, CODE_INPUT,
		mem_format("%s: references below " NAMES_OWN " are kept for modelgate", name),
		mem_strdup("play a stage with: modelgate play ID STAGE"));
	free(name);
}

void finding_stale(struct verdict *v, const struct oid *now)
{
	char hex[OID_HEX_SIZE];

	oid_hex(now, hex);
	add(v, CODE_INPUT,
		oid_is_zero(now) ? mem_format("%s is not there any more", v->rule.name)
				 : mem_format("%s is at %.*s now, not where the push says it was",
					   v->rule.name, OID_SHORT, hex),
		mem_strdup("git fetch origin, then try again"));
}
