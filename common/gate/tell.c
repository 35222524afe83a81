#include "gate/tell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/override.h"
#include "gate/push.h"
#include "sys/files.h"

/* What GitLab's web page shows of a hook's output (GitLab docs, "Git server hooks"). */
#define WEB_PREFIX "GL-HOOK-ERR: "

/* Where it is the sources that were missed, say what they are. */
static void add_sources(struct str *out, const struct verdict *v, enum code code)
{
	char *sources;

	if (code != CODE_DIRECT && code != CODE_SOURCE && code != CODE_OCTOPUS &&
		code != CODE_CREATE)
		return;
	sources = finding_sources_text(v->rule.branch);
	str_addf(out, "  %s takes merges from: %s", v->rule.name, sources);
	if (v->rule.branch->direct_push == CONFIG_DIRECT_ALLOW) {
		char *paths = strlist_join(&v->rule.branch->direct_may_change, ", ");

		str_addf(out, "; and commits that change %s%s", *paths ? "only " : "anything",
			paths);
		free(paths);
	}
	str_addc(out, '\n');
	free(sources);
}

static void add_last_line(struct str *out, const struct receive *r, enum receive_recorded recorded)
{
	str_add(out, "  nothing was changed");
	if (recorded == RECEIVE_RECORDED)
		str_addf(out, "; audit id %s", r->id);
	str_addc(out, '\n');
}

/* "WORD refs/heads/main 3f2a1c9..8b1d0e2 " */
static void add_update(struct str *out, const char *word, const struct push_update *u)
{
	char old[OID_HEX_SIZE], new[OID_HEX_SIZE], *ref = str_safe(u->ref, PUSH_MAX_REF);

	oid_hex(&u->old, old);
	oid_hex(&u->new, new);
	str_addf(out, "%s %s %.*s..%.*s ", word, ref, OID_SHORT, old, OID_SHORT, new);
	free(ref);
}

/*
 * The finding that is told of V: that of the lowest code.  A refused override has lines of its own.
 */
static const struct finding *told_finding(const struct verdict *v)
{
	const struct finding *f = v->findings;

	while (f->code == CODE_OVERRIDE && f + 1 < v->findings + v->n_findings)
		f++;
	return f;
}

static void add_findings(struct str *out, const char *word, const struct receive_judged *judged)
{
	for (size_t i = 0; i < judged->n; i++) {
		const struct verdict *v = &judged->verdicts[i];
		const struct finding *f;
		char code[CODE_TEXT_SIZE];

		if (v->n_findings == 0)
			continue;
		f = told_finding(v);
		code_text(f->code, code);
		add_update(out, word, v->update);
		str_addf(out, "%s: %s\n", code, f->reason);
		add_sources(out, v, f->code);
		if (f->fix != NULL)
			str_addf(out, "  to fix: %s\n", f->fix);
	}
}

/* The codes of V, each once, with commas; those alone that WHICH names, if it is given. */
static void add_codes(struct strlist *out, const struct verdict *v, int (*which)(enum code))
{
	for (size_t i = 0; i < v->n_findings; i++) {
		char code[CODE_TEXT_SIZE];

		code_text(v->findings[i].code, code);
		if ((which == NULL || which(v->findings[i].code)) && !strlist_has(out, code))
			strlist_add(out, code);
	}
}

static int cannot_lift(enum code code)
{
	return !override_lifts(code);
}

/* What became of an override that was asked for and did not help. */
static void add_override(struct str *out, const struct receive_judged *judged)
{
	const struct override *o = judged->override;
	struct strlist codes = {0};
	char *text, code[CODE_TEXT_SIZE];

	for (size_t i = 0; o->state == OVERRIDE_GRANTED && i < judged->n; i++)
		add_codes(&codes, &judged->verdicts[i], cannot_lift);
	if (codes.n > 0) {
		text = strlist_join(&codes, ", ");
		str_addf(out, "  the override does not help: %s cannot be overridden\n", text);
		free(text);
	}
	if (o->state == OVERRIDE_REFUSED) {
		code_text(CODE_OVERRIDE, code);
		str_addf(out, "  override refused, %s: %s\n", code, o->reason);
		str_addf(out, "  to fix: %s\n", o->fix);
	}
	for (size_t i = 0; i < o->unknown.n; i++)
		str_addf(out,
			"  push option %s is not known; did you mean " OVERRIDE_OPTION
			"=\"reason\"?\n",
			o->unknown.v[i]);
	strlist_clear(&codes);
}

char *tell_rejected_text(const struct receive *r, const struct receive_judged *judged,
	enum receive_recorded recorded)
{
	struct str out;

	str_init(&out);
	add_findings(&out, "rejected", judged);
	add_override(&out, judged);
	add_last_line(&out, r, recorded);
	return str_steal(&out);
}

static void add_overridden(
	struct str *out, const struct receive *r, const struct receive_judged *judged)
{
	for (size_t i = 0; i < judged->n; i++) {
		const struct verdict *v = &judged->verdicts[i];
		struct strlist codes = {0};
		char *text;

		add_codes(&codes, v, NULL);
		if (codes.n == 0)
			continue;
		text = strlist_join(&codes, ", ");
		add_update(out, "overridden", v->update);
		str_addf(out, "%s: recorded with your reason; audit id %s\n", text, r->id);
		free(text);
		strlist_clear(&codes);
	}
}

char *tell_accepted_text(const struct receive *r, const struct receive_judged *judged)
{
	struct str out;

	str_init(&out);
	if (r->reader == RECEIVE_WEB_PAGE)
		return str_steal(&out);
	if (judged->outcome == OVERRIDE_OVERRIDDEN)
		add_overridden(&out, r, judged);
	if (judged->outcome == OVERRIDE_SHADOWED) {
		add_findings(&out, "warning: would be rejected", judged);
		add_override(&out, judged);
	}
	return str_steal(&out);
}

/* What to do next; the caller's to free(). */
static char *fault_fix(const struct receive *r, enum code code)
{
	const char *gitdir = r->gitdir != NULL ? r->gitdir : "PATH";

	switch (code) {
	case CODE_CONFIG:
		return mem_format("an admin mends it, and sees whether it is right with: modelgate "
				  "--repo %s check",
			gitdir);
	case CODE_REPOSITORY:
		return mem_format("an admin looks at the repository: git -C %s fsck", gitdir);
	case CODE_AUDIT:
		return mem_strdup(
			"an admin gives the user of the hooks a state directory to write; "
			"./install.sh check shows what is wrong");
	case CODE_STORE:
		return mem_strdup("push again in a minute; if it stays, an admin looks at the "
				  "state directory");
	default:
		return mem_strdup("push again; if it stays, tell an admin");
	}
}

char *tell_fault_text(
	const struct receive *r, enum code code, const char *reason, enum receive_recorded recorded)
{
	char text[CODE_TEXT_SIZE], *safe = str_safe(reason, 2000), *fix = fault_fix(r, code);
	struct str out;

	code_text(code, text);
	str_init(&out);
	str_addf(&out, "rejected %s: %s\n", text, safe);
	str_addf(&out, "  to fix: %s\n", fix);
	add_last_line(&out, r, recorded);
	free(fix);
	free(safe);
	return str_steal(&out);
}

void tell_pusher(const struct receive *r, const char *text)
{
	const char *prefix = r->reader == RECEIVE_WEB_PAGE ? WEB_PREFIX : "";
	struct str out;

	str_init(&out);
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		str_addf(&out, "%smodelgate: %.*s\n", prefix, (int)n, text);
		text += n + (text[n] == '\n');
	}
	if (out.len > 0)
		(void)files_write_all(STDERR_FILENO, out.buf, out.len); /* nobody left to tell */
	str_clear(&out);
}
