#include "gate/override.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "audit/record.h"
#include "base/mem.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/identity.h"
#include "gate/judge.h"

#define MAX_UNKNOWN 5       /* options that are named */
#define MAX_UNKNOWN_SIZE 60 /* bytes of each */

#define HOW "git push -o " OVERRIDE_OPTION "=\"why it must land now\""

void override_clear(struct override *o)
{
	free(o->reason);
	free(o->fix);
	strlist_clear(&o->unknown);
	memset(o, 0, sizeof(*o));
}

/* REASON and FIX are O's from now on. */
static void refuse(struct override *o, char *reason, char *fix)
{
	o->state = OVERRIDE_REFUSED;
	o->reason = reason;
	o->fix = fix;
}

/* 1 if the character C shows nothing: the blanks of Unicode (category Zs). */
static int is_blank(unsigned long c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

/* What is wrong with TEXT as a reason; NULL: nothing. */
static const char *find_fault(const char *text)
{
	size_t len = strlen(text), characters = 0, n;
	int is_empty = 1;
	unsigned long c;

	for (; len > 0; text += n, len -= n) {
		n = str_utf8(text, len, &c);
		if (n == 0)
			return "its reason is not UTF-8 text";
		if (!str_is_visible(c))
			return "its reason has a character that cannot be printed";
		is_empty &= is_blank(c);
		characters++;
	}
	if (is_empty)
		return "it gives no reason";
	return characters > OVERRIDE_MAX_REASON ? "its reason is longer than 500 characters" : NULL;
}

/* REASON: of the one option; NULL: it has no value.  ASKED: how many there are. */
static void decide(struct override *o, const struct config *c, const struct actor *actor,
	const char *reason, size_t asked)
{
	const char *fault = reason != NULL ? find_fault(reason) : "it gives no reason";
	char *roles = strlist_join(&c->override_role, ", ");
	char *name = str_safe(actor->name[0] ? actor->name : actor->id, FINDING_MAX_NAME);

	/* No list of roles means anybody elsewhere, but nobody here. */
	if (c->override_role.n == 0)
		refuse(o, mem_strdup("overrides are off in this repository"),
			mem_strdup("mend what is told above, or ask an admin for a role in section "
				   "[override] of modelgate.ini"));
	else if (!identity_may(c, actor, &c->override_role))
		refuse(o,
			mem_format("%s may not override: that takes the role %s",
				name[0] ? name : "who is not known", roles),
			mem_format(
				"push without it, or ask a member of the role %s to push", roles));
	else if (asked > 1)
		refuse(o, mem_strdup("it is asked for more than once"),
			mem_strdup("ask once for the whole push: " HOW));
	else if (fault != NULL)
		refuse(o, mem_strdup(fault),
			mem_format("give one of 1 to %d printable characters: " HOW,
				OVERRIDE_MAX_REASON));
	else {
		o->state = OVERRIDE_GRANTED;
		o->reason = mem_strdup(reason);
	}
	free(name);
	free(roles);
}

static void note_unknown(struct override *o, const char *option)
{
	char *name = mem_strndup(option, strcspn(option, "=")), *safe;

	safe = str_safe(name, MAX_UNKNOWN_SIZE);
	if (o->unknown.n < MAX_UNKNOWN && !strlist_has(&o->unknown, safe))
		strlist_add(&o->unknown, safe);
	free(safe);
	free(name);
}

/* The Nth push option; NULL: there is none. */
static const char *push_option(size_t n)
{
	char *name = mem_format("GIT_PUSH_OPTION_%zu", n);
	const char *value = getenv(name);

	free(name);
	return value;
}

void override_find(struct override *out, const struct config *c, const struct actor *actor)
{
	const char *count = getenv("GIT_PUSH_OPTION_COUNT"), *option, *reason = NULL;
	size_t asked = 0, name = strlen(OVERRIDE_OPTION);
	long long n = 0;

	memset(out, 0, sizeof(*out));
	/* Git gives a number; anything else is not git's, and nothing is lifted by it. */
	if (count == NULL || str_number(count, 1000000, &n) != 0)
		return;
	for (size_t i = 0; i < (size_t)n && (option = push_option(i)) != NULL; i++) {
		if (str_starts(option, OVERRIDE_OPTION) &&
			(option[name] == '=' || option[name] == '\0')) {
			asked++;
			reason = option[name] == '=' ? option + name + 1 : NULL;
		} else if (strncasecmp(option, OVERRIDE_OPTIONS, strlen(OVERRIDE_OPTIONS)) == 0) {
			note_unknown(out, option);
		}
	}
	if (asked > 0)
		decide(out, c, actor, reason, asked);
}

int override_lifts(enum code code)
{
	return (code >= CODE_REWRITE && code <= CODE_CREATE) ||
	       (code >= CODE_REQUIRED_FILE && code <= CODE_FORBIDDEN_FILE);
}

static int granted_lifts(const struct verdict *v, enum code code)
{
	(void)v;
	return override_lifts(code);
}

/*
 * MG9xx: it could not be told, or git will refuse it anyway.  A stage is played for those who may, in
 * whatever mode: so does the command.
 */
static int shadow_lifts(const struct verdict *v, enum code code)
{
	return code < CODE_CONFIG && v->rule.kind != POLICY_OWN;
}

/* 1 if every finding of the verdicts is lifted; so it is where there are none. */
static int all_lifted(const struct verdict *verdicts, size_t n,
	int (*lifts)(const struct verdict *v, enum code code))
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < verdicts[i].n_findings; k++)
			if (!lifts(&verdicts[i], verdicts[i].findings[k].code))
				return 0;
	return 1;
}

static int has_findings(const struct verdict *verdicts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (verdicts[i].n_findings > 0)
			return 1;
	return 0;
}

static void add_refusal(const struct override *o, struct verdict *v)
{
	if (v->n_findings > 0)
		finding_add(v, CODE_OVERRIDE, (struct finding_key){"override", "role"},
			mem_format("override refused: %s", o->reason), mem_strdup(o->fix));
}

enum override_outcome override_decide(
	const struct override *o, const struct config *c, struct verdict *verdicts, size_t n)
{
	if (!has_findings(verdicts, n))
		return OVERRIDE_ACCEPTED;
	if (o->state == OVERRIDE_GRANTED && all_lifted(verdicts, n, granted_lifts))
		return OVERRIDE_OVERRIDDEN;
	for (size_t i = 0; o->state == OVERRIDE_REFUSED && i < n; i++)
		add_refusal(o, &verdicts[i]);
	if (c->mode == CONFIG_SHADOW && all_lifted(verdicts, n, shadow_lifts))
		return OVERRIDE_SHADOWED;
	return OVERRIDE_REJECTED;
}
