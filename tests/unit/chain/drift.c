/* chain/drift: where references were last recorded, and those that are found elsewhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "chain/drift.h"
#include "fixture.h"
#include "history.h"

struct step {
	const char *ref;
	const char *old;
	const char *new; /* NULL: the reference is put at OLD past the hooks, and looked at */
	enum step_kind { STEP_LANDS, STEP_REFUSED, STEP_WITHOUT_RULES, STEP_FOUND } kind;
};

struct row {
	const char *title;
	struct step steps[6];
	int drifts; /* how many are told */
};

static const struct row rows[] = {
	{"the first landing that is seen", {{"main", "a", "b", STEP_LANDS}}, 0},
	{"one after the other", {{"main", "a", "b", STEP_LANDS}, {"main", "b", "c", STEP_LANDS}},
		0},
	{"moved in between", {{"main", "a", "b", STEP_LANDS}, {"main", "c", "d", STEP_LANDS}}, 1},
	{"and once alone",
		{{"main", "a", "b", STEP_LANDS}, {"main", "c", "d", STEP_LANDS},
			{"main", "d", "b", STEP_LANDS}},
		1},
	{"deleted, and made again",
		{{"main", "a", "b", STEP_LANDS}, {"main", "b", "0", STEP_LANDS},
			{"main", "0", "c", STEP_LANDS}},
		0},
	{"deleted past the hooks, and made again",
		{{"main", "a", "b", STEP_LANDS}, {"main", "0", "c", STEP_LANDS}}, 1},
	{"another branch", {{"main", "a", "b", STEP_LANDS}, {"prod", "c", "d", STEP_LANDS}}, 0},
	{"one without rules",
		{{"dev", "a", "b", STEP_WITHOUT_RULES}, {"dev", "c", "d", STEP_WITHOUT_RULES}}, 0},
	/* Its second intent may be recorded for it. */
	{"two intents for one landing",
		{{"main", "a", "b", STEP_LANDS}, {"main", "b", "c", STEP_REFUSED},
			{"main", "a", "c", STEP_LANDS}},
		0},
	{"one of long ago is none of it",
		{{"main", "a", "c", STEP_LANDS}, {"main", "c", "a", STEP_LANDS},
			{"main", "b", "c", STEP_LANDS}},
		1},
	{"found where it was recorded",
		{{"main", "a", "b", STEP_LANDS}, {"main", "b", NULL, STEP_FOUND}}, 0},
	{"found elsewhere", {{"main", "a", "b", STEP_LANDS}, {"main", "d", NULL, STEP_FOUND}}, 1},
	{"found there again, and moved on from there",
		{{"main", "a", "b", STEP_LANDS}, {"main", "c", NULL, STEP_FOUND},
			{"main", "c", NULL, STEP_FOUND}, {"main", "c", "d", STEP_LANDS}},
		1},
	{"and back",
		{{"main", "a", "b", STEP_LANDS}, {"main", "c", NULL, STEP_FOUND},
			{"main", "b", NULL, STEP_FOUND}},
		2},
	{"found where an open intent brings it",
		{{"main", "a", "b", STEP_LANDS}, {"main", "b", "c", STEP_REFUSED},
			{"main", "c", NULL, STEP_FOUND}},
		0},
	{"found gone", {{"main", "a", "b", STEP_LANDS}, {"main", "0", NULL, STEP_FOUND}}, 1},
	{"of a branch that has no rules any more",
		{{"release", "a", "b", STEP_LANDS}, {"release", "c", NULL, STEP_FOUND}}, 0},
};

static char *hex_of(struct history *h, const char *name)
{
	struct oid oid = history_oid(h, name);
	char hex[OID_HEX_SIZE];

	oid_hex(&oid, hex);
	return mem_strdup(hex);
}

static void take_step(
	struct store *s, const struct config *config, struct history *h, const struct step *t)
{
	char *old = hex_of(h, t->old), *new = hex_of(h, t->new != NULL ? t->new : t->old);
	struct intent i = fixture_intent(history_dir(h), t->ref, old, new, "");
	struct landing l = {.intent = &i};
	struct err e = ERR_INIT;

	if (t->kind == STEP_FOUND) {
		char *refs = strcmp(t->old, "0") == 0 ? mem_strdup("other=a")
						      : mem_format("%s=%s", t->ref, t->old);

		history_refs(h, refs);
		assert_result(drift_look(s, "system.ini", &e), 0, &e);
		free(refs);
	} else {
		if (t->kind == STEP_WITHOUT_RULES)
			i.method[0] = '\0';
		fixture_record(s, &i);
	}
	if (t->kind == STEP_LANDS || t->kind == STEP_WITHOUT_RULES)
		assert_result(landing_record(s, config, &l, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	landing_clear(&l);
	intent_clear(&i);
	free(old);
	free(new);
}

static int count_event(void *context, const char *line, const struct json *record)
{
	(void)line;
	*(int *)context += strcmp(json_get_text(record, "event"), "ref.drifted") == 0;
	return 0;
}

static void test_rows(void **state)
{
	char *text = mem_format("[modelgate]\nstate = %s\n", (const char *)*state);
	const struct audit_filter all = {0};
	struct err e = ERR_INIT;

	assert_result(files_replace("system.ini", text, strlen(text), 0600, &e), 0, &e);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct history *h = history_new("a b:a c:b d:c");
		struct config *config = fixture_config("");
		struct store *s = fixture_store(*state);
		int drifts = 0;

		for (size_t k = 0; k < 6 && rows[i].steps[k].ref != NULL; k++)
			take_step(s, config, h, &rows[i].steps[k]);
		assert_result(audit_each(*state, &all, count_event, &drifts, &e), 0, &e);
		if (drifts != rows[i].drifts)
			fail_msg("%s: %d told, not %d", rows[i].title, drifts, rows[i].drifts);
		store_close(s);
		config_free(config);
		history_free(h);
		(void)files_remove_tree("audit", NULL); /* the first step of some records nothing */
		assert_int_equal(files_remove_tree("store.db", NULL), 0);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {scratch_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
