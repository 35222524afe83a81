#include "gate/finding-content.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/push.h"
#include "git/repository.h"

#define MAX_SUBJECT 60        /* bytes of a commit's subject in a message */
#define MAX_OTHER 80          /* bytes of another path */
#define MAX_COMMAND_NAME 150  /* bytes of a name in a command, */
#define MAX_COMMAND_NAMES 300 /* of all that are taken out, */
#define MAX_COMMAND 1000      /* and of the whole, which finding_add() would cut */
#define COMMAND_DIGITS 12     /* of a commit in a command: seven can mean two */

void finding_required_file(struct verdict *v, const char *path)
{
	char *name = str_safe(path, FINDING_MAX_NAME);

	finding_add(v, CODE_REQUIRED_FILE, (struct finding_key){"branch", "require-files"},
		mem_format("%s is missing, and %s must hold it", name, v->rule.name),
		finding_way_in(v, "add it on", NULL));
	free(name);
}

/* ---- a file that may not come in: what is wrong with it ---- */

/* "12.3 MB", with units of 1024 as the configuration has them; the caller's to free(). */
static char *size_text(uint64_t size)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	uint64_t unit = 1, tenths;
	size_t i = 0;

	for (; size / unit >= 1024 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
		unit *= 1024;
	tenths = size % unit * 10 / unit;
	if (tenths == 0)
		return mem_format("%llu %s", (unsigned long long)(size / unit), units[i]);
	return mem_format("%llu.%llu %s", (unsigned long long)(size / unit),
		(unsigned long long)tenths, units[i]);
}

/* "has 12.3 MB; at most 10 MB may come in"; the caller's to free(). */
static char *too_large(uint64_t size, uint64_t limit)
{
	char *is = size_text(size), *may = size_text(limit), *text;

	if (strcmp(is, may) == 0) { /* only its last digits tell them apart */
		free(is);
		free(may);
		is = mem_format("%llu bytes", (unsigned long long)size);
		may = mem_format("%llu", (unsigned long long)limit);
	}
	text = mem_format("has %s; at most %s may come in", is, may);
	free(may);
	free(is);
	return text;
}

/* Add "; nor may a, b and 3 more files". */
static void add_others(struct str *out, const struct strlist *others)
{
	size_t named = others->n < FINDING_MAX_PATHS ? others->n : FINDING_MAX_PATHS;

	for (size_t i = 0; i < named; i++) {
		char *path = str_safe(others->v[i], MAX_OTHER);

		str_addf(out, "%s%s", i == 0 ? "; nor may " : ", ", path);
		free(path);
	}
	if (others->n > named)
		str_addf(out, " and %zu more file%s", others->n - named,
			others->n - named == 1 ? "" : "s");
}

static char *reason(const struct verdict *v, const struct finding_file *f)
{
	char hex[OID_HEX_SIZE], *first = commit_subject(f->commit);
	char *subject = str_safe(first, MAX_SUBJECT), *path = str_safe(f->path, FINDING_MAX_NAME);
	char *what = f->forbid != NULL
			     ? mem_format("matches %s, which may not come in", f->forbid)
			     : too_large(f->size, (uint64_t)v->rule.config->max_file_size);
	struct str text;

	oid_hex(&f->commit->oid, hex);
	str_init(&text);
	str_addf(&text, "%s in commit %.*s \"%s\" %s", path, OID_SHORT, hex, subject, what);
	add_others(&text, f->others);
	free(what);
	free(path);
	free(subject);
	free(first);
	return str_steal(&text);
}

/* ---- and what to do ---- */

/*
 * NAME as one word for a shell that stands between single quotes, and as a path for git, which knows
 * globs and ":" of its own; the caller's to free().  NULL: it cannot be written so.
 */
static char *word(const char *name)
{
	size_t len = strlen(name);
	unsigned long c;
	size_t n;

	if (len == 0 || len > MAX_COMMAND_NAME || strchr("-:~", name[0]) != NULL ||
		strpbrk(name, "'\"\\$`!*?[]") != NULL)
		return NULL;
	for (size_t i = 0; i < len; i += n) {
		n = str_utf8(name + i, len - i, &c);
		if (n == 0 || !str_is_visible(c))
			return NULL;
	}
	return strpbrk(name, " \t#&();<>|{}^=") != NULL ? mem_format("\"%s\"", name)
							: mem_strdup(name);
}

/* Every path as a word, as many as there is room for; NULL: the first cannot be written so. */
static char *words(const struct finding_file *f)
{
	char *first = word(f->path);
	struct str s;

	if (first == NULL)
		return NULL;
	str_init(&s);
	str_add(&s, first);
	for (size_t i = 0; i < f->others->n; i++) {
		char *other = word(f->others->v[i]);

		if (other != NULL && s.len + strlen(other) < MAX_COMMAND_NAMES)
			str_addf(&s, " %s", other);
		free(other);
	}
	free(first);
	return str_steal(&s);
}

/*
 * Add the commands that make a branch anew without the files: what V's branch does not hold of SOURCE,
 * which others may have pushed to and where it is forced, or of itself, where it has not landed.
 */
static void add_commands(
	struct str *out, const struct verdict *v, const char *source, const char *paths)
{
	char *own = word(v->rule.name), *name = source != NULL ? word(source) : mem_strdup(own);

	if (own != NULL && name != NULL) {
		str_addf(out, "take it out of the history: git switch %s && ", name);
		if (source != NULL)
			str_addf(out, "git pull --ff-only origin %s && ", name);
		str_addf(out,
			"git filter-branch -f --index-filter 'git rm -q --cached --ignore-unmatch "
			"-- %s' ",
			paths);
		if (oid_is_zero(&v->update->old))
			str_add(out, "HEAD");
		else
			str_addf(out, "origin/%s..HEAD", own);
		str_addf(out, " && git push %sorigin %s", source != NULL ? "--force " : "", name);
	}
	free(name);
	free(own);
}

static char *without_files(
	const struct verdict *v, const struct finding_file *f, const char *source)
{
	char hex[OID_HEX_SIZE], *path = word(f->path), *paths = words(f);
	struct str s;

	oid_hex(&f->commit->oid, hex);
	hex[COMMAND_DIGITS] = '\0';
	str_init(&s);
	if (paths != NULL)
		add_commands(&s, v, source, paths);
	if (s.len > 0)
		str_addf(&s,
			"; to keep it with DVC: git checkout %s -- %s && git rm -q --cached -- %s "
			"&& dvc add %s",
			hex, path, path, path);
	if (s.len == 0 || s.len > MAX_COMMAND) {
		str_reset(&s);
		str_addf(&s,
			"take the file out of commit %s and every later one with git "
			"filter-branch, and push the branch again",
			hex);
	}
	free(paths);
	free(path);
	return str_steal(&s);
}

/* The commit came from a branch that is never rewritten. */
static char *held_already(const struct verdict *v, const struct finding_file *f, const char *branch)
{
	const struct config *c = v->rule.config;
	char *name = str_safe(branch, FINDING_MAX_NAME), *roles = NULL, *text;

	if (c->override_role.n > 0) {
		roles = strlist_join(&c->override_role, ", ");
		text = mem_format("%s holds it already and is not rewritten: ask a member of the "
				  "role %s for git push -o modelgate.override=\"reason\"",
			name, roles);
	} else {
		text = mem_format("%s holds it already and is not rewritten: ask an admin for "
				  "another %s in [content]",
			name, f->forbid != NULL ? "forbid" : "max-file-size");
	}
	free(roles);
	free(name);
	return text;
}

static char *fix(const struct verdict *v, const struct finding_file *f)
{
	struct policy_rule rule;

	if (v->rule.kind == POLICY_RETRAIN)
		return mem_strdup("let the retraining job keep it out of its commit (a model goes "
				  "to DVC: dvc add), and retrain");
	if (f->source == NULL)
		return without_files(v, f, NULL);
	policy_rule(&rule, v->rule.config, f->source);
	if (rule.kind == POLICY_FREE && rule.name != NULL)
		return without_files(v, f, rule.name);
	return held_already(v, f, rule.name != NULL ? rule.name : f->source);
}

void finding_file(struct verdict *v, const struct finding_file *f)
{
	const struct finding_key by = {"content", f->forbid != NULL ? "forbid" : "max-file-size"};

	finding_add(v, CODE_FORBIDDEN_FILE, by, reason(v, f), fix(v, f));
}
