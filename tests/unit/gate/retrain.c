/*
 * The rules of retrain-<pipeline_id>-<date>: each rejection stands beside its nearest acceptance.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/judge.h"
#include "gate/names.h"
#include "gate/past.h"
#include "gate/push.h"
#include "gate/retrain.h"
#include "git/repository.h"
#include "history.h"

/* A pointer without blanks, as tests/lib/history.h has to have its contents. */
#define POINTER(md5)                                                                               \
	"rkl/model.pkl.dvc={\"outs\":[{\"md5\":\"" md5                                             \
	"\",\"size\":1,\"hash\":\"md5\",\"path\":\"model.pkl\"}]}"
#define OLD POINTER("00000000000000000000000000000000")
#define NEW POINTER("d41d8cd98f00b204e9800998ecf8427e")
/* p: the commit of pipeline 12; r: its retraining's result */
#define P "p+" OLD "+retrain.py+dag-retrain.py+score.py "
#define PR P "r:p+" NEW " "

#define NAME "retrain-12-20260102"
#define CREATE NAME ":0..r"
#define OFF "[retrain-branch]\nknown-pipeline = off\n"

struct row {
	const char *title;
	const char *history;
	const char *refs;     /* before the push */
	const char *push;     /* "BRANCH:OLD..NEW ..."; the last one is judged */
	const char *used;     /* branches that landed before */
	const char *expected; /* codes as they are found; "" accepted */
	const char *reason;   /* a part of one of the reasons; NULL */
	const char *config;   /* added to the defaults */
};

static const struct row rows[] = {
	{"a retraining's result", PR, "", CREATE, "", "", NULL, ""},
	{"more than one commit", PR "s:r+rkl/metrics ", "", NAME ":0..s", "", "", NULL, ""},
	{"deletion", PR, NAME "=r ", NAME ":r..0", NAME, "", NULL, ""},
	{"deletion asks for no role", PR, NAME "=r ", NAME ":r..0", NAME, "", NULL,
		"[role \"bot\"]\nmembers = other\n[retrain-branch]\nroles = bot\n"},
	{"a move", PR "s:r+rkl/x ", NAME "=r ", NAME ":r..s", NAME, "MG204",
		"created once and never moved", ""},
	{"a move back", PR, NAME "=r ", NAME ":r..p", NAME, "MG204", NULL, ""},
	/* MG401 */
	{"without the role", PR, "", CREATE, "", "MG401", "pusher",
		"[role \"bot\"]\nmembers = other\n[retrain-branch]\nroles = bot\n"},
	{"with the role", PR, "", CREATE, "", "", NULL,
		"[role \"bot\"]\nmembers = other, pusher\n[retrain-branch]\nroles = bot\n"},
	{"with the role by id", PR, "", CREATE, "", "", NULL,
		"[role \"bot\"]\nmembers = uid-77\n[retrain-branch]\nroles = bot\n"},
	/* MG202 */
	{"31 February", PR, "", "retrain-12-20260231:0..r", "", "MG202",
		"20260231 is no date written as %Y%m%d or %Y-%m-%d", ""},
	{"a digit short", PR, "", "retrain-12-2026012:0..r", "", "MG202", NULL, ""},
	{"the other format", PR, "", "retrain-12-2026-01-02:0..r", "", "", NULL, ""},
	{"text after it", PR, "", "retrain-12-20260102x:0..r", "", "MG202", NULL, ""},
	{"today at UTC+14", PR, "", "retrain-12-20260103:0..r", "", "", NULL, ""},
	{"tomorrow there", PR, "", "retrain-12-20260104:0..r", "", "MG202",
		"has not begun anywhere", ""},
	/* MG203 */
	{"leading zeros", PR, "", "retrain-012-20260102:0..r", "", "MG203", "without leading zeros",
		""},
	{"leading zeros, whatever is known", PR, "", "retrain-012-20260102:0..r", "", "MG203", NULL,
		OFF},
	{"zero", PR, "", "retrain-0-20260102:0..r", "", "MG203", NULL, ""},
	{"no pipeline", PR, "", "retrain-14-20260102:0..r", "", "MG203",
		"14 is no pipeline of this repository's retrain chain whose deploy succeeded", ""},
	{"no pipeline, which need not be known", PR, "", "retrain-14-20260102:0..r", "", "", NULL,
		OFF},
	{"a number that is none", PR, "", "retrain-123456789012345678901234567890-20260102:0..r",
		"", "MG203", NULL, ""},
	{"another chain of the branch retrain", PR, "", CREATE, "", "MG203", NULL,
		"[branch \"retrain\"]\nchain = dev\n"},
	{"a branch retrain without a chain", PR, "", CREATE, "", "", NULL,
		"[branch \"retrain\"]\nchain =\n"},
	/* MG204 */
	{"used before", PR, "", CREATE, NAME, "MG204",
		NAME " was there before; a name is used once", ""},
	{"used before in the other format", PR, "", CREATE, "retrain-12-2026-01-02", "MG204",
		"retrain-12-2026-01-02 was there before, which names the same pipeline and the "
		"same day",
		""},
	{"another day was used", PR, "", CREATE, "retrain-12-20260101", "", NULL, ""},
	{"another pipeline was", PR, "", CREATE, "retrain-1-20260102 retrain-120-20260102", "",
		NULL, ""},
	{"used in a format that is no more", PR, "", "retrain-12-20260102:0..r",
		"retrain-12-02.01.2026", "", NULL, ""},
	{"used in a format of today", PR, "", "retrain-12-20260102:0..r", "retrain-12-02.01.2026",
		"MG204", NULL, "[retrain-branch]\ndate-formats = %d.%m.%Y, %Y%m%d\n"},
	{"the same text, which no format reads any more", PR, "", CREATE, NAME, "MG202 MG204", NULL,
		"[retrain-branch]\ndate-formats = %Y.%m.%d\n"},
	{"there in the other format, used or not", PR, "retrain-12-2026-01-02=p ", CREATE, "",
		"MG204", "retrain-12-2026-01-02 is there", ""},
	{"another day is there", PR, "retrain-12-2026-01-01=p ", CREATE, "", "", NULL, ""},
	{"a tag of that name is there", PR, "refs/tags/retrain-12-2026-01-02=p ", CREATE, "", "",
		NULL, ""},
	{"both formats in one push: the later one", PR, "", "retrain-12-2026-01-02:0..r " CREATE,
		"", "MG204", "retrain-12-2026-01-02 comes in the same push", ""},
	{"two days in one push", PR, "", "retrain-12-2026-01-01:0..r " CREATE, "", "", NULL, ""},
	{"the other format deleted in the same push", PR, "retrain-12-2026-01-02=p ",
		"retrain-12-2026-01-02:p..0 " CREATE, "", "MG204", "retrain-12-2026-01-02 is there",
		""},
	{"used is used, whatever is known of pipelines", PR, "", CREATE, NAME, "MG204", NULL, OFF},
	/* MG206 */
	{"the pipeline's commit itself", PR, "", NAME ":0..p", "", "", NULL, ""},
	{"its parent", "o+" OLD " p:o+retrain.py r:o+" NEW " ", "", CREATE, "", "MG206 MG207",
		"does not descend from", ""},
	{"its parent, which is fine if pipelines need not be known",
		"o+" OLD " p:o+retrain.py r:o+" NEW " ", "", CREATE, "", "", NULL, OFF},
	{"merged with another line", P "o+rkl/x r:o,p+" NEW "!retrain.py!dag-retrain.py!score.py ",
		"", CREATE, "", "MG207", "not dag-retrain.py, retrain.py, score.py", ""},
	{"merged with another line, nothing else", P "o:p+rkl/x q:p+rkl/y r:o,q ", "", CREATE, "",
		"", NULL, ""},
	{"the pipeline's commit is not there", PR, "", "retrain-13-20260102:0..r", "", "MG206",
		"is not in this repository", ""},
	/* MG207 */
	{"code beside the model", PR "s:r+score.py=2 ", "", NAME ":0..s", "", "MG207",
		"its commits may change only rkl/*, not score.py", ""},
	{"and undone again: the commit is there", PR "s:r+score.py=2 t:s+score.py=score.py ", "",
		NAME ":0..t", "", "MG207", "not score.py", ""},
	{"taken away", PR "s:r!score.py ", "", NAME ":0..s", "", "MG207", "not score.py", ""},
	{"made executable", PR "s:r+*score.py ", "", NAME ":0..s", "", "MG207", "not score.py", ""},
	{"six of them", PR "s:r+1+2+3+4+5+6 ", "", NAME ":0..s", "", "MG207",
		"not 1, 2, 3, 4, 5 and others", ""},
	{"five of them", PR "s:r+1+2+3+4+5 ", "", NAME ":0..s", "", "MG207", "not 1, 2, 3, 4, 5",
		""},
	{"other globs", PR "s:r+score.py=2 ", "", NAME ":0..s", "", "", NULL,
		"[retrain-branch]\nmay-change = rkl/*, *.py\n"},
	{"rkl is not among them", PR, "", CREATE, "", "MG207", "not rkl/model.pkl.dvc",
		"[retrain-branch]\nmay-change = *.py\n"},
	{"anything", PR "s:r+score.py=2+new ", "", NAME ":0..s", "", "", NULL,
		"[retrain-branch]\nmay-change =\n"},
	/* MG302 */
	{"no model", P "r:p!rkl/model.pkl.dvc ", "", CREATE, "", "MG302",
		"rkl/model.pkl.dvc is missing", ""},
	{"a folder", P "r:p!rkl/model.pkl.dvc+rkl/model.pkl.dvc/x ", "", CREATE, "", "MG302",
		"rkl/model.pkl.dvc is a folder", ""},
	{"below a file", P "r:p!rkl/model.pkl.dvc+rkl ", "", CREATE, "", "MG207 MG302", NULL, ""},
	{"no model where another file is asked for", PR, "", CREATE, "", "MG302",
		"m.dvc is missing", "[retrain-branch]\nmodel-file = m.dvc\n"},
	{"another file",
		P "r:p+rkl/m.dvc={\"outs\":[{\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\","
		  "\"size\":0,\"path\":\"m\"}]}!rkl/model.pkl.dvc ",
		"", CREATE, "", "", NULL, "[retrain-branch]\nmodel-file = rkl/m.dvc\n"},
	/* MG303 */
	{"no pointer", P "r:p+rkl/model.pkl.dvc=text ", "", CREATE, "", "MG303",
		"rkl/model.pkl.dvc is not a valid DVC pointer: line 1: must be a mapping", ""},
	{"a wrong digest", P "r:p+" POINTER("d41d8cd98f00b204e9800998ecf8427") " ", "", CREATE, "",
		"MG303", "line 1: outs[0].md5: must be 32", ""},
	{"an empty file", P "r:p+rkl/model.pkl.dvc= ", "", CREATE, "", "MG303", NULL, ""},
	{"an executable", P "r:p+*" NEW " ", "", CREATE, "", "MG303",
		"mode: must be 100644, not that of an executable", ""},
	{"an executable without sense", P "r:p+*rkl/model.pkl.dvc=text ", "", CREATE, "",
		"MG303 MG303", NULL, ""},
	{"a link", P "o:p+rkl/a r:o+>rkl/model.pkl.dvc=a ", "", CREATE, "", "MG303",
		"mode: must be 100644, not that of a symbolic link", ""},
	/* of several all */
	{"all at once", PR "s+text ", "", "retrain-12-20260231:0..s", "retrain-12-20260231",
		"MG202 MG204 MG206 MG207 MG302 MG401", NULL,
		"[role \"bot\"]\nmembers = other\n[retrain-branch]\nroles = bot\n"},
	{"all that is asked without pipelines", PR "s+text ", "", "retrain-012-20260231:0..s",
		"retrain-012-20260231", "MG202 MG203 MG204 MG302", NULL, OFF},
};

/* ---- the past, as a row tells it ---- */

struct told {
	const struct history *history;
	struct strlist used;
};

static int landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context;
	(void)ref;
	(void)tip;
	return err_set(e, "nobody asks for sources");
}

static int used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	struct told *told = context;
	int result = 0;

	(void)e;
	for (size_t i = 0; result == 0 && i < told->used.n; i++) {
		char *ref = mem_format(NAMES_HEADS "%s", told->used.v[i]);

		if (str_starts(ref, prefix))
			result = each(arg, ref);
		free(ref);
	}
	return result;
}

/* Pipeline 12 was made for commit p; 13 for one that the repository does not have. */
static int deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	struct told *told = context;

	(void)e;
	if (strcmp(chain, "retrain") != 0)
		return 0;
	if (strcmp(id, "13") == 0) {
		memset(commit, 0x13, sizeof(*commit));
		return 1;
	}
	if (strcmp(id, "12") != 0)
		return 0;
	*commit = history_oid(told->history, "p");
	return 1;
}

static int cannot_used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context;
	(void)prefix;
	(void)each;
	(void)arg;
	return err_set(e, "the names cannot be told");
}

static int cannot_deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)context;
	(void)id;
	(void)chain;
	(void)commit;
	return err_set(e, "the pipelines cannot be told");
}

/* ---- one judgement ---- */

struct scene {
	struct told told;
	struct history *history;
	struct config *config;
	struct actor actor;
	struct past past;
	struct push push;
	struct judge judge;
	struct verdict verdict; /* of the last update */
};

static void fill_push(struct push *push, const struct history *h, const char *text)
{
	struct strlist words = {0};

	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n; i++) {
		char *old = strrchr(words.v[i], ':'), *new = strstr(old, ".."), *ref;
		char old_hex[OID_HEX_SIZE], new_hex[OID_HEX_SIZE];
		struct oid oid;

		*old++ = '\0';
		*new = '\0';
		oid = history_oid(h, old);
		oid_hex(&oid, old_hex);
		oid = history_oid(h, new + 2);
		oid_hex(&oid, new_hex);
		ref = mem_format(NAMES_HEADS "%s", words.v[i]);
		assert_int_equal(push_add(push, ref, old_hex, new_hex, NULL), PUSH_OK);
		free(ref);
	}
	strlist_clear(&words);
	assert_int_equal(push_resolve(push, history_dir(h), NULL), 0);
}

static void scene_set(struct scene *s, const struct row *row)
{
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	s->history = history_new(row->history);
	s->told.history = s->history;
	strlist_split(&s->told.used, row->used, ' ');
	if (config_parse(&s->config, row->config, strlen(row->config), "test.ini", &e) != 0)
		fail_msg("%s: %s", row->title, err_text(&e));
	history_refs(s->history, row->refs);
	fill_push(&s->push, s->history, row->push);
	s->actor = (struct actor){(char *)"uid-77", (char *)"pusher", (char *)"local"};
	s->past = (struct past){landed, used, deployed, NULL, &s->told};
	s->judge.view.config = s->config;
	s->judge.view.push = &s->push;
	s->judge.view.past = &s->past;
	s->judge.gitdir = history_dir(s->history);
	s->judge.actor = &s->actor;
	assert_int_equal(clock_parse("2026-01-02T10:00:00Z", &s->judge.now), 0);
	assert_int_equal(
		repository_open(&s->judge.view.repository, s->judge.gitdir, REPOSITORY_OBJECTS, &e),
		0);
	s->verdict.update = &s->push.v[s->push.n - 1];
	policy_rule(&s->verdict.rule, s->config, s->verdict.update->target);
	assert_int_equal(s->verdict.rule.kind, POLICY_RETRAIN);
}

static void scene_clear(struct scene *s)
{
	verdict_clear(&s->verdict);
	judge_clear(&s->judge);
	push_clear(&s->push);
	config_free(s->config);
	strlist_clear(&s->told.used);
	history_free(s->history);
}

static char *codes_of(const struct verdict *v)
{
	struct str s;
	char code[CODE_TEXT_SIZE];

	str_init(&s);
	for (size_t i = 0; i < v->n_findings; i++) {
		code_text(v->findings[i].code, code);
		str_addf(&s, "%s%s", i > 0 ? " " : "", code);
	}
	return str_steal(&s);
}

static int has_reason(const struct verdict *v, const char *part)
{
	for (size_t i = 0; i < v->n_findings; i++)
		if (strstr(v->findings[i].reason, part) != NULL)
			return 1;
	return 0;
}

/* 1 if the verdict is as ROW says; else both are printed. */
static int check(const struct row *row)
{
	struct err e = ERR_INIT;
	struct scene s;
	const struct verdict *v = &s.verdict;
	char *codes;
	int ok;

	scene_set(&s, row);
	if (retrain_judge(&s.verdict, &s.judge, &e) != 0)
		fail_msg("%s: %s", row->title, err_text(&e));
	codes = codes_of(v);
	ok = strcmp(codes, row->expected) == 0 &&
	     (row->reason == NULL || has_reason(v, row->reason));
	if (!ok) {
		print_error("%s: expected [%s] %s, got [%s]\n", row->title, row->expected,
			row->reason ? row->reason : "", codes);
		for (size_t i = 0; i < v->n_findings; i++)
			print_error("    %s\n", v->findings[i].reason);
	}
	free(codes);
	scene_clear(&s);
	return ok;
}

static void test_rows(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		wrong += !check(&rows[i]);
	assert_int_equal(wrong, 0);
}

/* Which key decided, and what to do next: never without words. */
static void test_words(void **state)
{
	static const struct {
		const struct row row;
		const char *key;
	} cases[] = {
		{{"date", PR, "", "retrain-12-x:0..r", "", "", NULL, ""}, "date-formats"},
		{{"pipeline", PR, "", "retrain-14-20260102:0..r", "", "", NULL, ""},
			"known-pipeline"},
		{{"origin", PR, "", "retrain-13-20260102:0..r", "", "", NULL, ""},
			"known-pipeline"},
		{{"paths", PR "s:r+x ", "", NAME ":0..s", "", "", NULL, ""}, "may-change"},
		{{"model", P "r:p!rkl/model.pkl.dvc ", "", CREATE, "", "", NULL, ""}, "model-file"},
		{{"roles", PR, "", CREATE, "", "", NULL,
			 "[role \"bot\"]\nmembers = other\n[retrain-branch]\nroles = bot\n"},
			"roles"},
		{{"used", PR, "", CREATE, NAME, "", NULL, ""}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene s;
		const struct finding *f;

		scene_set(&s, &cases[i].row);
		assert_int_equal(retrain_judge(&s.verdict, &s.judge, NULL), 0);
		assert_int_equal(s.verdict.n_findings, 1);
		f = &s.verdict.findings[0];
		if (!str_same(f->key, cases[i].key) ||
			!str_same(f->section, cases[i].key != NULL ? "retrain-branch" : NULL))
			fail_msg("%s: decided by [%s] %s", cases[i].row.title,
				f->section ? f->section : "", f->key ? f->key : "");
		assert_true(f->reason[0] != '\0' && f->fix != NULL && f->fix[0] != '\0');
		scene_clear(&s);
	}
}

static void test_methods(void **state)
{
	static const struct {
		const char *refs, *push, *method;
	} cases[] = {
		{"", CREATE, "create"},
		{NAME "=r ", NAME ":r..0", "delete"},
		{NAME "=p ", NAME ":p..r", "direct"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct row row = {
			"method", PR, cases[i].refs, cases[i].push, "", "", NULL, ""};
		struct scene s;

		scene_set(&s, &row);
		assert_int_equal(retrain_judge(&s.verdict, &s.judge, NULL), 0);
		assert_string_equal(s.verdict.method, cases[i].method);
		assert_null(s.verdict.chain);
		scene_clear(&s);
	}
}

/* What the past cannot tell is not judged, and not passed. */
static void test_cannot_tell(void **state)
{
	const struct row row = {"cannot tell", PR, "", CREATE, "", "", NULL, ""};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct err e = ERR_INIT;
		struct scene s;

		scene_set(&s, &row);
		if (i == 0)
			s.past.used = cannot_used;
		else
			s.past.deployed = cannot_deployed;
		assert_int_equal(retrain_judge(&s.verdict, &s.judge, &e), -1);
		assert_non_null(strstr(err_text(&e), "cannot be told"));
		err_clear(&e);
		scene_clear(&s);
	}
}

/* Of two names for one pipeline and day the one that stands first in the push is fine. */
static void test_first_in_push(void **state)
{
	const struct row row = {
		"first", PR, "", CREATE " retrain-12-2026-01-02:0..r", "", "", NULL, ""};
	struct scene s;

	(void)state;
	scene_set(&s, &row);
	s.verdict.update = &s.push.v[0];
	policy_rule(&s.verdict.rule, s.config, s.verdict.update->target);
	assert_int_equal(retrain_judge(&s.verdict, &s.judge, NULL), 0);
	assert_int_equal(s.verdict.n_findings, 0);
	scene_clear(&s);
}

/* As explain asks: of a branch that is there, as if it were to be created now. */
static void test_as_given(void **state)
{
	static const struct {
		const char *refs, *used, *expected;
	} cases[] = {
		{NAME "=r ", NAME, ""},
		{"", NAME, ""},
		{NAME "=r ", NAME " retrain-12-2026-01-02", "MG204"},
		{NAME "=r retrain-12-2026-01-02=r ", NAME, "MG204"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct row row = {"as given", PR, cases[i].refs, CREATE, cases[i].used,
			cases[i].expected, NULL, ""};
		struct scene s;
		char *codes;

		scene_set(&s, &row);
		s.judge.references = JUDGE_AS_GIVEN;
		assert_int_equal(retrain_judge(&s.verdict, &s.judge, NULL), 0);
		codes = codes_of(&s.verdict);
		assert_string_equal(codes, cases[i].expected);
		free(codes);
		scene_clear(&s);
	}
}

static void test_base(void **state)
{
	static const struct {
		const char *push, *config;
		int found;
	} cases[] = {
		{CREATE, "", 1},
		{CREATE, OFF, 0},
		{"retrain-13-20260102:0..r", "", 0},
		{"retrain-14-20260102:0..r", "", 0},
		{"retrain-012-20260102:0..r", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct row row = {
			"base", PR, "", cases[i].push, "", "", NULL, cases[i].config};
		struct scene s;
		struct oid base, p;
		int found;

		scene_set(&s, &row);
		p = history_oid(s.history, "p");
		found = retrain_base(&base, &s.verdict, &s.judge, NULL);
		if (found != cases[i].found)
			fail_msg("%s %s: expected %d, got %d", cases[i].push, cases[i].config,
				cases[i].found, found);
		if (found == 1)
			assert_true(oid_equal(&base, &p));
		scene_clear(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_cannot_tell),
		cmocka_unit_test(test_first_in_push),
		cmocka_unit_test(test_as_given),
		cmocka_unit_test(test_base),
	};

	return cmocka_run_group_tests_name("gate/retrain", tests, NULL, NULL);
}
