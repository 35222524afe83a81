/* common/gate/override: who may break the glass, with which reason, and what it lifts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/finding.h"
#include "gate/judge.h"
#include "gate/override.h"

#define MAX_OPTIONS 4
#define ROLES                                                                                      \
	"[role \"release\"]\nmembers = ivanov\n[role \"none\"]\nmembers = nobody\n"                \
	"[override]\nrole = "
#define RELEASE ROLES "none, release\n"
#define O OVERRIDE_OPTION

static struct config *make_config(const char *text)
{
	struct config *c = NULL;
	struct err e = ERR_INIT;

	if (config_parse(&c, text, strlen(text), "test.ini", &e) != 0)
		fail_msg("%s", err_text(&e));
	return c;
}

/* What git puts into the environment of pre-receive. */
static void give_options(const char *const options[MAX_OPTIONS])
{
	char name[64], value[16];
	int n = 0;

	for (; n < MAX_OPTIONS && options[n] != NULL; n++) {
		(void)snprintf(name, sizeof(name), "GIT_PUSH_OPTION_%d", n);
		assert_int_equal(setenv(name, options[n], 1), 0);
	}
	for (int i = n; i < MAX_OPTIONS; i++) {
		(void)snprintf(name, sizeof(name), "GIT_PUSH_OPTION_%d", i);
		assert_int_equal(unsetenv(name), 0);
	}
	(void)snprintf(value, sizeof(value), "%d", n);
	if (n > 0)
		assert_int_equal(setenv("GIT_PUSH_OPTION_COUNT", value, 1), 0);
	else
		assert_int_equal(unsetenv("GIT_PUSH_OPTION_COUNT"), 0);
}

static const char *state_word(enum override_state state)
{
	return state == OVERRIDE_NOT_ASKED ? "not asked"
	       : state == OVERRIDE_GRANTED ? "granted"
					   : "refused";
}

struct row {
	const char *title;
	const char *options[MAX_OPTIONS];
	const char *config;
	const char *pusher;
	enum override_state state;
	const char *reason;  /* of GRANTED: exactly; of REFUSED: a part of it */
	const char *unknown; /* joined with blanks */
};

static const struct row rows[] = {
	{"no option", {NULL}, RELEASE, "ivanov", OVERRIDE_NOT_ASKED, NULL, ""},
	{"a member, with a reason", {O "=prod is down"}, RELEASE, "ivanov", OVERRIDE_GRANTED,
		"prod is down", ""},
	{"among other options", {"ci.skip", O "=x", "merge_request.create"}, RELEASE, "ivanov",
		OVERRIDE_GRANTED, "x", ""},
	{"a reason with = and blanks at its ends", {O "= a=b "}, RELEASE, "ivanov",
		OVERRIDE_GRANTED, " a=b ", ""},
	/* who */
	{"no role is configured", {O "=x"}, "", "ivanov", OVERRIDE_REFUSED, "overrides are off",
		""},
	{"an empty list of roles", {O "=x"}, ROLES "\n", "ivanov", OVERRIDE_REFUSED,
		"overrides are off", ""},
	{"no member", {O "=x"}, RELEASE, "petrov", OVERRIDE_REFUSED,
		"petrov may not override: that takes the role none, release", ""},
	{"member of another role", {O "=x"}, ROLES "none\n", "ivanov", OVERRIDE_REFUSED,
		"ivanov may not override", ""},
	{"nobody knows who", {O "=x"}, RELEASE, "", OVERRIDE_REFUSED,
		"who is not known may not override", ""},
	{"no member, and no reason", {O}, RELEASE, "petrov", OVERRIDE_REFUSED, "petrov may not",
		""},
	/* the reason */
	{"no value", {O}, RELEASE, "ivanov", OVERRIDE_REFUSED, "no reason", ""},
	{"an empty value", {O "="}, RELEASE, "ivanov", OVERRIDE_REFUSED, "no reason", ""},
	{"blanks alone", {O "=  "}, RELEASE, "ivanov", OVERRIDE_REFUSED, "no reason", ""},
	{"blanks of Unicode alone", {O "=\xc2\xa0\xe2\x80\x83\xe3\x80\x80"}, RELEASE, "ivanov",
		OVERRIDE_REFUSED, "no reason", ""},
	{"an empty value beside a reason", {O "=x", O "="}, RELEASE, "ivanov", OVERRIDE_REFUSED,
		"more than once", ""},
	{"twice the same", {O "=x", O "=x"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "more than once",
		""},
	{"a tab", {O "=a\tb"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "cannot be printed", ""},
	{"an escape", {O "=\x1b[2J"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "cannot be printed", ""},
	{"DEL", {O "=a\x7f"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "cannot be printed", ""},
	{"a C1 control", {O "=\xc2\x9b"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "cannot be printed",
		""},
	{"text turned around",
		{O "=\xe2\x80\xae"
		   "x"},
		RELEASE, "ivanov", OVERRIDE_REFUSED, "cannot be printed", ""},
	{"nothing that shows", {O "=\xe2\x80\x8b"}, RELEASE, "ivanov", OVERRIDE_REFUSED,
		"cannot be printed", ""},
	{"no UTF-8", {O "=a\xff"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "not UTF-8", ""},
	{"cut in a character", {O "=a\xd0"}, RELEASE, "ivanov", OVERRIDE_REFUSED, "not UTF-8", ""},
	{"another language", {O "=\xd0\xbd\xd0\xb0\xd0\xb4\xd0\xbe"}, RELEASE, "ivanov",
		OVERRIDE_GRANTED, "\xd0\xbd\xd0\xb0\xd0\xb4\xd0\xbe", ""},
	/* what is not the option */
	{"a slip", {"modelgate.overide=x"}, RELEASE, "ivanov", OVERRIDE_NOT_ASKED, NULL,
		"modelgate.overide"},
	{"capitals", {"ModelGate.Override=x"}, RELEASE, "ivanov", OVERRIDE_NOT_ASKED, NULL,
		"ModelGate.Override"},
	{"more behind it", {O "s=x"}, RELEASE, "ivanov", OVERRIDE_NOT_ASKED, NULL, O "s"},
	{"a slip beside it, twice", {"modelgate.x", O "=x", "modelgate.x=1"}, RELEASE, "ivanov",
		OVERRIDE_GRANTED, "x", "modelgate.x"},
	{"a slip with an escape", {"modelgate.\x1b[2J=x"}, RELEASE, "ivanov", OVERRIDE_NOT_ASKED,
		NULL, "modelgate.\\x1b[2J"},
	{"somebody else's", {"override=x", "x" O "=x"}, RELEASE, "ivanov", OVERRIDE_NOT_ASKED, NULL,
		""},
};

static void check(const struct row *row)
{
	struct actor actor = {(char *)"", (char *)row->pusher, (char *)"local"};
	struct config *c = make_config(row->config);
	struct override o;
	char *unknown;

	give_options(row->options);
	override_find(&o, c, &actor);
	unknown = strlist_join(&o.unknown, " ");
	if (o.state != row->state || strcmp(unknown, row->unknown) != 0 ||
		(o.state == OVERRIDE_GRANTED && strcmp(o.reason, row->reason) != 0) ||
		(o.state == OVERRIDE_REFUSED && strstr(o.reason, row->reason) == NULL))
		fail_msg("%s: expected %s, \"%s\", \"%s\"; got %s, \"%s\", \"%s\"", row->title,
			state_word(row->state), row->reason ? row->reason : "", row->unknown,
			state_word(o.state), o.reason ? o.reason : "", unknown);
	if ((o.fix != NULL) != (o.state == OVERRIDE_REFUSED))
		fail_msg("%s: fix is %s", row->title, o.fix ? o.fix : "missing");
	free(unknown);
	override_clear(&o);
	config_free(c);
}

static void finds_what_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

/* N characters of SIZE bytes. */
static char *long_option(const char *character, int n)
{
	struct str s;

	str_init(&s);
	str_add(&s, O "=");
	for (int i = 0; i < n; i++)
		str_add(&s, character);
	return str_steal(&s);
}

static void counts_characters(void **state)
{
	static const struct {
		const char *character;
		int n;
		enum override_state state;
	} cases[] = {
		{"a", OVERRIDE_MAX_REASON, OVERRIDE_GRANTED},
		{"a", OVERRIDE_MAX_REASON + 1, OVERRIDE_REFUSED},
		{"\xe2\x82\xac", OVERRIDE_MAX_REASON, OVERRIDE_GRANTED},
		{"\xe2\x82\xac", OVERRIDE_MAX_REASON + 1, OVERRIDE_REFUSED},
		{"\xf0\x9f\x98\x80", OVERRIDE_MAX_REASON, OVERRIDE_GRANTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *option = long_option(cases[i].character, cases[i].n);
		struct row row = {.title = "length",
			.options = {option},
			.config = RELEASE,
			.pusher = "ivanov",
			.state = cases[i].state,
			.unknown = ""};

		row.reason = cases[i].state == OVERRIDE_GRANTED ? option + strlen(O "=") : "longer";
		check(&row);
		free(option);
	}
}

static void believes_no_broken_count(void **state)
{
	static const char *const counts[] = {"", "-1", "x", "1x", "99999999999999999999", "0"};
	static const char *const options[MAX_OPTIONS] = {O "=x"};
	struct actor actor = {(char *)"", (char *)"ivanov", (char *)"local"};
	struct config *c = make_config(RELEASE);
	struct override o;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		give_options(options);
		assert_int_equal(setenv("GIT_PUSH_OPTION_COUNT", counts[i], 1), 0);
		override_find(&o, c, &actor);
		if (o.state != OVERRIDE_NOT_ASKED)
			fail_msg("count \"%s\": %s", counts[i], state_word(o.state));
		override_clear(&o);
	}
	/* More than there are. */
	assert_int_equal(setenv("GIT_PUSH_OPTION_COUNT", "1000", 1), 0);
	override_find(&o, c, &actor);
	assert_int_equal(o.state, OVERRIDE_GRANTED);
	override_clear(&o);
	config_free(c);
}

#define SHADOW "[modelgate]\nmode = shadow\n"
#define NOT_ASKED                                                                                  \
	{                                                                                          \
		.state = OVERRIDE_NOT_ASKED                                                        \
	}
#define GRANTED                                                                                    \
	{                                                                                          \
		.state = OVERRIDE_GRANTED, .reason = (char *)"x"                                   \
	}
#define REFUSED                                                                                    \
	{                                                                                          \
		.state = OVERRIDE_REFUSED, .reason = (char *)"x", .fix = (char *)"y"               \
	}

static const struct {
	int codes[2][4]; /* of the two references of the push */
	struct override override;
	const char *config;
	enum override_outcome outcome;
	const char *after; /* codes then, "/" between the references */
} decisions[] = {
	{{{0}}, NOT_ASKED, "", OVERRIDE_ACCEPTED, "/"},
	{{{0}}, REFUSED, "", OVERRIDE_ACCEPTED, "/"},
	{{{0}}, GRANTED, "", OVERRIDE_ACCEPTED, "/"},
	{{{0}}, NOT_ASKED, SHADOW, OVERRIDE_ACCEPTED, "/"},
	{{{102}}, NOT_ASKED, "", OVERRIDE_REJECTED, " MG102/"},
	{{{102}}, GRANTED, "", OVERRIDE_OVERRIDDEN, " MG102/"},
	{{{102}, {304}}, GRANTED, "", OVERRIDE_OVERRIDDEN, " MG102/ MG304"},
	{{{102}, {201}}, GRANTED, "", OVERRIDE_REJECTED, " MG102/ MG201"},
	{{{0}, {207}}, GRANTED, "", OVERRIDE_REJECTED, "/ MG207"},
	{{{401}}, GRANTED, "", OVERRIDE_REJECTED, " MG401/"},
	{{{102}, {904}}, GRANTED, "", OVERRIDE_REJECTED, " MG102/ MG904"},
	{{{102}}, REFUSED, "", OVERRIDE_REJECTED, " MG102 MG402/"},
	{{{102, 904}}, REFUSED, "", OVERRIDE_REJECTED, " MG102 MG402 MG904/"},
	{{{102, 401}, {0}}, REFUSED, "", OVERRIDE_REJECTED, " MG102 MG401 MG402/"},
	{{{102}, {103}}, REFUSED, "", OVERRIDE_REJECTED, " MG102 MG402/ MG103 MG402"},
	{{{102}}, NOT_ASKED, SHADOW, OVERRIDE_SHADOWED, " MG102/"},
	{{{102}, {201, 401}}, NOT_ASKED, SHADOW, OVERRIDE_SHADOWED, " MG102/ MG201 MG401"},
	{{{102}, {904}}, NOT_ASKED, SHADOW, OVERRIDE_REJECTED, " MG102/ MG904"},
	{{{102}}, GRANTED, SHADOW, OVERRIDE_OVERRIDDEN, " MG102/"},
	{{{102}, {201}}, GRANTED, SHADOW, OVERRIDE_SHADOWED, " MG102/ MG201"},
	{{{102}}, REFUSED, SHADOW, OVERRIDE_SHADOWED, " MG102 MG402/"},
};

static void decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		struct verdict verdicts[2] = {{0}};
		struct config *c = make_config(decisions[i].config);
		enum override_outcome outcome;
		struct str after;

		for (int ref = 0; ref < 2; ref++)
			for (int k = 0; decisions[i].codes[ref][k] != 0; k++)
				finding_add(&verdicts[ref], (enum code)decisions[i].codes[ref][k],
					(struct finding_key){NULL, NULL}, mem_strdup("r"), NULL);
		outcome = override_decide(&decisions[i].override, c, verdicts, 2);
		str_init(&after);
		for (int ref = 0; ref < 2; ref++) {
			for (size_t k = 0; k < verdicts[ref].n_findings; k++)
				str_addf(&after, " MG%d", (int)verdicts[ref].findings[k].code);
			if (ref == 0)
				str_addc(&after, '/');
			verdict_clear(&verdicts[ref]);
		}
		if (outcome != decisions[i].outcome || strcmp(after.buf, decisions[i].after) != 0)
			fail_msg("row %zu: expected %d,%s; got %d,%s", i, (int)decisions[i].outcome,
				decisions[i].after, (int)outcome, after.buf);
		str_clear(&after);
		config_free(c);
	}
}

static void lifts_what_the_contract_says(void **state)
{
	static const int all[] = {101, 102, 103, 104, 105, 106, 107, 108, 201, 202, 203, 204, 205,
		206, 207, 301, 302, 303, 304, 401, 402, 901, 902, 903, 904, 905};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		int expected = all[i] / 100 == 1 || all[i] / 100 == 3;

		if (override_lifts((enum code)all[i]) != expected)
			fail_msg("MG%d: expected %d", all[i], expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_asked_for),
		cmocka_unit_test(counts_characters),
		cmocka_unit_test(believes_no_broken_count),
		cmocka_unit_test(decides),
		cmocka_unit_test(lifts_what_the_contract_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
