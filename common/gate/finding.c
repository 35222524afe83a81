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

/* The keys that decide about a branch with rules. */
#define BY(key) ((struct finding_key){"branch", key})
#define BY_RULE ((struct finding_key){NULL, NULL})

size_t finding_count(const struct verdict *v, enum code code)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n_findings; i++)
		n += v->findings[i].code == code;
	return n;
}

void finding_add(struct verdict *v, enum code code, struct finding_key by, char *reason, char *fix)
{
	struct finding f = {.code = code, .section = by.section, .key = by.key};
	size_t at;

	if (finding_count(v, code) < FINDING_MAX_OF_A_CODE) {
		f.reason = str_safe(reason, 1000);
		f.fix = fix != NULL ? str_safe(fix, 1000) : NULL;
		mem_grow(&v->findings, v->n_findings, &v->findings_cap, sizeof(*v->findings));
		for (at = v->n_findings++; at > 0 && v->findings[at - 1].code > code; at--)
			v->findings[at] = v->findings[at - 1];
		v->findings[at] = f;
	}
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

/* Where commits for V's branch are made. */
static const char *first_on_way(const struct verdict *v)
{
	const char *way[MAX_WAY];

	(void)find_way(v, way); /* never none: the branch itself at least */
	return way[0];
}

char *finding_way_in(const struct verdict *v, const char *what, const char *from)
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
	finding_add(v, CODE_REWRITE, BY_RULE,
		mem_format("history rewrite: %.*s, the tip of %s, is not an ancestor of what was "
			   "pushed",
			OID_SHORT, old, v->rule.name),
		finding_way_in(v, "do not force; to undo a commit, git revert it on", NULL));
}

void finding_direct(struct verdict *v, const struct step *step)
{
	char *commit = describe(step);

	finding_add(v, CODE_DIRECT, BY("direct-push"),
		mem_format("commit %s was made on %s itself", commit, v->rule.name),
		finding_way_in(v, "push the commit to", NULL));
	free(commit);
}

void finding_direct_path(struct verdict *v, const struct step *step, const char *path)
{
	char *commit = describe(step);
	char *allowed = strlist_join(&v->rule.branch->direct_may_change, ", ");
	char *safe = str_safe(path, FINDING_MAX_NAME);

	finding_add(v, CODE_DIRECT, BY("direct-may-change"),
		mem_format("commit %s was made on %s itself and changes %s; there it may change "
			   "only %s",
			commit, v->rule.name, safe, allowed),
		finding_way_in(v, "push the other changes to", NULL));
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

	finding_add(v, CODE_DIRECT, BY_RULE,
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
		name = str_safe(names_branch(from) ? names_branch(from) : from, FINDING_MAX_NAME);
	finding_add(v, CODE_SOURCE, BY("merge-from"),
		mem_format("commit %s merges %.*s%s%s, which no allowed source of %s holds", commit,
			OID_SHORT, merged, name ? " of " : "", name ? name : "", v->rule.name),
		finding_way_in(v, name != NULL ? "merge it into" : "push the commits to", name));
	free(name);
	free(commit);
}

/* "a.py, b.py and 3 more"; the caller's to free(). */
static char *paths_text(const struct strlist *paths, size_t total)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < paths->n; i++) {
		char *path = str_safe(paths->v[i], FINDING_MAX_NAME);

		str_addf(&s, "%s%s", i > 0 ? ", " : "", path);
		free(path);
	}
	if (total > paths->n)
		str_addf(&s, " and %zu more", total - paths->n);
	return str_steal(&s);
}

/*
 * The way out of a conflict: the target is merged where commits may be made, and from there they come
 * again.
 */
static char *conflict_fix(const struct verdict *v)
{
	const char *way[MAX_WAY], *name = v->rule.name;
	char *again, *fix;

	if (find_way(v, way) == 1)
		return finding_way_in(v, "", NULL);
	again = finding_way_in(v, "", way[0]);
	fix = mem_format(
		"merge %s into %s and resolve it there: git fetch origin && git checkout -B %s "
		"origin/%s && git merge origin/%s, then git push origin %s, then %s",
		name, way[0], way[0], way[0], name, way[0], again);
	free(again);
	return fix;
}

void finding_content(
	struct verdict *v, const struct step *step, const struct strlist *paths, size_t total)
{
	char merged[OID_HEX_SIZE], *commit = describe(step), *list = paths_text(paths, total);
	const char *name = v->rule.name;

	oid_hex(&step->merged, merged);
	switch (step->content) {
	case MERGES_CONFLICTS:
		finding_add(v, CODE_CONTENT, BY("content"),
			mem_format("merge %s resolves by hand what conflicts, in %s", commit, list),
			conflict_fix(v));
		break;
	case MERGES_UNCERTAIN:
		finding_add(v, CODE_CONTENT, BY("content"),
			mem_format("merge %s cannot be compared with git's automatic merge on this "
				   "server, whose git has no merge-tree; there may be a conflict "
				   "in %s",
				commit, list),
			conflict_fix(v));
		break;
	default:
		finding_add(v, CODE_CONTENT, BY("content"),
			mem_format(
				"merge %s is not what git's automatic merge of its parents gives: "
				"it differs in %s",
				commit, list),
			mem_format("make the merge again and change nothing in it: git fetch "
				   "origin && "
				   "git checkout -B %s origin/%s && git merge --no-ff %.*s; other "
				   "changes go to %s first",
				name, name, OID_SHORT, merged, first_on_way(v)));
	}
	free(list);
	free(commit);
}

/* "merge, squash"; the caller's to free(). */
static char *methods_text(unsigned methods)
{
	static const struct {
		unsigned method;
		const char *word;
	} words[] = {{CONFIG_METHOD_MERGE, "merge"}, {CONFIG_METHOD_FAST_FORWARD, "fast-forward"},
		{CONFIG_METHOD_SQUASH, "squash"}};
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (methods & words[i].method)
			str_addf(&s, "%s%s", s.len > 0 ? ", " : "", words[i].word);
	return str_steal(&s);
}

void finding_method(struct verdict *v, const struct step *step)
{
	const struct config_branch *b = v->rule.branch;
	const char *source = names_branch(step->source), *name = v->rule.name, *how;
	char *commit = describe(step), *taken = methods_text(b->merge_methods);

	how = step->class == STEP_SOURCE   ? "is a fast-forward to"
	      : step->class == STEP_SQUASH ? "is a squash of"
					   : "is a merge of";
	finding_add(v, CODE_METHOD, BY("merge-methods"),
		mem_format(
			"commit %s %s %s, and %s takes only: %s", commit, how, source, name, taken),
		b->merge_methods & CONFIG_METHOD_MERGE
			? mem_format("make a merge commit: git fetch origin && git checkout -B %s "
				     "origin/%s && git merge --no-ff origin/%s",
				  name, name, source)
		: b->merge_methods & CONFIG_METHOD_FAST_FORWARD
			? mem_format(
				  "bring %s up to date with %s, then fast-forward: git push origin "
				  "origin/%s:refs/heads/%s",
				  source, name, source, name)
			: mem_format(
				  "squash: git fetch origin && git checkout -B %s origin/%s && git "
				  "merge --squash origin/%s && git commit",
				  name, name, source));
	free(taken);
	free(commit);
}

void finding_octopus(struct verdict *v, const struct step *step)
{
	char *commit = describe(step);

	finding_add(v, CODE_OCTOPUS, BY_RULE,
		mem_format("merge %s has more than two parents", commit),
		mem_strdup("merge the branches one after the other"));
	free(commit);
}

void finding_deletion(struct verdict *v)
{
	finding_add(v, CODE_DELETE, BY_RULE,
		mem_format("%s is a branch with rules and cannot be deleted", v->rule.name),
		mem_strdup("leave it; if the project ends, an admin archives the repository"));
}

void finding_creation(struct verdict *v)
{
	char new[OID_HEX_SIZE], *sources = finding_sources_text(v->rule.branch);
	const char *source = first_source(v->rule.branch);

	oid_hex(&v->update->new, new);
	finding_add(v, CODE_CREATE, BY("merge-from"),
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
	char *name = str_safe(branch, FINDING_MAX_NAME);

	finding_add(v, CODE_RETRAIN_NAME, BY_RULE,
		mem_format("%s is neither retrain nor " NAMES_RETRAIN_FORM, name),
		mem_strdup("let the retraining job push its branch, as in retrain-42-20261231, or "
			   "choose a "
			   "name that does not start with retrain"));
	free(name);
}

void finding_lookalike(struct verdict *v, const char *ref, const char *like)
{
	char *name = str_safe(ref, FINDING_MAX_NAME), *other = str_safe(like, FINDING_MAX_NAME);

	finding_add(v, CODE_LOOKALIKE, BY_RULE,
		mem_format("%s could be mistaken for the branch %s", name, other),
		mem_strdup("choose another name"));
	free(other);
	free(name);
}

void finding_role(struct verdict *v, const struct actor *actor, const struct strlist *roles,
	struct finding_key by)
{
	char *list = strlist_join(roles, ", ");
	char *name = str_safe(actor->name[0] ? actor->name : actor->id, FINDING_MAX_NAME);

	finding_add(v, CODE_ROLE, by,
		mem_format("%s may not move %s: that takes the role %s",
			name[0] ? name : "who is not known", v->rule.name, list),
		mem_format("ask a member of the role %s", list));
	free(name);
	free(list);
}

void finding_stale(struct verdict *v, const struct oid *now)
{
	char hex[OID_HEX_SIZE];

	oid_hex(now, hex);
	finding_add(v, CODE_INPUT, BY_RULE,
		oid_is_zero(now) ? mem_format("%s is not there any more", v->rule.name)
				 : mem_format("%s is at %.*s now, not where the push says it was",
					   v->rule.name, OID_SHORT, hex),
		mem_strdup("git fetch origin, then try again"));
}
