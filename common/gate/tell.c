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

#define MAX_PATH 4096 /* bytes */

/* PATH as one word of a shell's command, harmless on a terminal; the caller's to free(). */
static char *shell_word(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+@%:,=";
	char *safe = str_safe(path, MAX_PATH);
	struct str out;

	if (safe[strspn(safe, plain)] == '\0')
		return safe;
	str_init(&out);
	str_addc(&out, '\'');
	for (const char *c = safe; *c != '\0'; c++)
		if (*c == '\'')
			str_add(&out, "'\\''");
		else
			str_addc(&out, *c);
	str_addc(&out, '\'');
	free(safe);
	return str_steal(&out);
}

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

static void add_finding(struct str *out, const struct verdict *v, const struct finding *f)
{
	char code[CODE_TEXT_SIZE];

	code_text(f->code, code);
	str_addf(out, "%s: %s\n", code, f->reason);
	add_sources(out, v, f->code);
	if (f->fix != NULL)
		str_addf(out, "  to fix: %s\n", f->fix);
}

/* Each code of V that a granted override does not lift: with its reason, but for TOLD, told before. */
static void add_unlifted(struct str *out, const struct verdict *v, const struct finding *told)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		const struct finding *f = &v->findings[i];
		char code[CODE_TEXT_SIZE];

		if (override_lifts(f->code) || (i > 0 && f[-1].code == f->code))
			continue;
		str_add(out, "  an override does not lift ");
		if (f == told) {
			code_text(f->code, code);
			str_addf(out, "%s\n", code);
		} else {
			add_finding(out, v, f);
		}
	}
}

static void add_findings(struct str *out, const char *word, const struct receive_judged *judged)
{
	for (size_t i = 0; i < judged->n; i++) {
		const struct verdict *v = &judged->verdicts[i];
		const struct finding *told;

		if (v->n_findings == 0)
			continue;
		told = told_finding(v);
		add_update(out, word, v->update);
		add_finding(out, v, told);
		if (judged->override->state == OVERRIDE_GRANTED)
			add_unlifted(out, v, told);
	}
}

/* What is wrong with the push options. */
static void add_options(struct str *out, const struct override *o)
{
	char code[CODE_TEXT_SIZE];

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
}

char *tell_rejected_text(const struct receive *r, const struct receive_judged *judged,
	enum receive_recorded recorded)
{
	struct str out;

	str_init(&out);
	add_findings(&out, "rejected", judged);
	add_options(&out, judged->override);
	add_last_line(&out, r, recorded);
	return str_steal(&out);
}

/* The codes of V, each once. */
static void add_codes(struct str *out, const struct verdict *v)
{
	for (size_t i = 0; i < v->n_findings; i++) {
		char code[CODE_TEXT_SIZE];

		if (i > 0 && v->findings[i - 1].code == v->findings[i].code)
			continue;
		code_text(v->findings[i].code, code);
		str_addf(out, "%s%s", i > 0 ? ", " : "", code);
	}
}

static void add_overridden(
	struct str *out, const struct receive *r, const struct receive_judged *judged)
{
	for (size_t i = 0; i < judged->n; i++) {
		const struct verdict *v = &judged->verdicts[i];

		if (v->n_findings == 0)
			continue;
		add_update(out, "overridden", v->update);
		add_codes(out, v);
		str_addf(out, ": recorded with your reason; audit id %s\n", r->id);
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
		add_options(&out, judged->override);
	}
	return str_steal(&out);
}

/* "modelgate --repo PATH VERB", as a shell takes it; the caller's to free(). */
static char *command_text(const struct receive *r, const char *verb)
{
	char *path = shell_word(r->gitdir != NULL ? r->gitdir : "PATH");
	char *text = mem_format("modelgate --repo %s %s", path, verb);

	free(path);
	return text;
}

/* What to do next; the caller's to free(). */
static char *fault_fix(const struct receive *r, enum code code, const char *reason)
{
	char *path = shell_word(r->gitdir != NULL ? r->gitdir : "PATH");
	char *check = command_text(r, "check"), *fix;

	switch (code) {
	case CODE_CONFIG:
		fix = mem_format("an admin mends it, and sees whether it is right with: %s", check);
		break;
	case CODE_REPOSITORY:
		/* What is too much at once says so, and is nobody's to look at. */
		if (strstr(reason, "smaller parts") != NULL) {
			fix = mem_strdup("push the oldest of the commits first, then the next");
			break;
		}
		fix = mem_format("an admin looks at the repository: git -C %s fsck", path);
		break;
	case CODE_AUDIT:
		fix = mem_format("an admin gives the user of the hooks a state directory to write, "
				 "and sees whether it is right with: %s",
			check);
		break;
	case CODE_STORE:
		fix = mem_format("push again in a minute; if it stays, an admin sees what is wrong "
				 "with: %s",
			check);
		break;
	default:
		fix = mem_strdup("push again; if it stays, tell an admin");
	}
	free(check);
	free(path);
	return fix;
}

char *tell_fault_text(
	const struct receive *r, enum code code, const char *reason, enum receive_recorded recorded)
{
	char text[CODE_TEXT_SIZE], *safe = str_safe(reason, 2000),
				   *fix = fault_fix(r, code, reason);
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

char *tell_unrecorded_text(const struct receive *r, const char *reason)
{
	char *safe = str_safe(reason, 1000), *run = command_text(r, "run --drain");
	char *text = mem_format("the push has landed; its pipeline could not be started now: %s\n"
				"  the runner will do it; an admin can start one: %s\n",
		safe, run);

	free(run);
	free(safe);
	return text;
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
