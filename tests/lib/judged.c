#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/past.h"
#include "history.h"
#include "judged.h"
#include "sys/files.h"

static int landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context;
	(void)tip;
	(void)e;
	return strcmp(ref, "refs/heads/retrain-12-20260101") == 0;
}

static int used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context;
	(void)e;
	return str_starts("refs/heads/retrain-15-20260101", prefix)
		       ? each(arg, "refs/heads/retrain-15-20260101")
		       : 0;
}

/* Pipelines 12 to 15 were made for the history's commit "a", the others there are not. */
static int deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)e;
	assert_string_equal(chain, "retrain");
	*commit = history_oid(context, "a");
	return strcmp(id, "12") >= 0 && strcmp(id, "15") <= 0 && strlen(id) == 2;
}

/*
 * Pipeline 12 is one of the chain `prod` whose build can be played, pipeline 13 one of a chain that is not
 * configured; of others nothing is known.
 */
static int order(void *context, const char *ref, struct past_order *out, struct err *e)
{
	(void)context;
	(void)e;
	memset(out, 0, sizeof(*out));
	if (!str_starts(ref, "refs/modelgate/play/"))
		return 0;
	ref += strlen("refs/modelgate/play/");
	if (str_starts(ref, "12/"))
		out->chain = mem_strdup("prod");
	else if (str_starts(ref, "13/"))
		out->chain = mem_strdup("gone");
	if (out->chain == NULL || !str_ends(ref, "/build"))
		out->refused = mem_strdup("it cannot be played");
	return 1;
}

/* The configuration TEXT, with a state folder beside the repository. */
static struct config *make_config(const struct history *h, const char *text, const char *title)
{
	char *state = path_join(history_dir(h), "state"), *work = path_join(state, "work");
	char *all = mem_format("[modelgate]\nstate = %s\n%s", state, text);
	struct config *config = NULL;
	struct err e = ERR_INIT;

	assert_int_equal(files_make_folder(work, 0700, &e), 0);
	if (config_parse(&config, all, strlen(all), "test.ini", &e) != 0)
		fail_msg("%s: %s", title, err_text(&e));
	free(all);
	free(work);
	free(state);
	return config;
}

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
		new += 2;
		oid = history_oid(h, old);
		oid_hex(&oid, old_hex);
		oid = history_oid(h, new);
		oid_hex(&oid, new_hex);
		ref = str_starts(words.v[i], "refs/") ? mem_strdup(words.v[i])
						      : mem_format("refs/heads/%s", words.v[i]);
		assert_int_equal(push_add(push, ref, old_hex, new_hex, NULL), PUSH_OK);
		free(ref);
	}
	strlist_clear(&words);
	assert_int_equal(push_resolve(push, history_dir(h), NULL), 0);
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

/* Judge the push and return the first verdict, the caller's to verdict_clear(). */ /* Judge the push, and keep the first verdict. */
static void judge_all(struct judged *j, const char *title)
{
	struct past past = {landed, used, deployed, order, j->history};
	size_t n = j->push.n;
	struct verdict *verdicts = mem_zalloc(n, sizeof(*verdicts));
	struct err e = ERR_INIT;

	j->judge.view.past = &past;
	if (judge_push(verdicts, &j->judge, &e) != 0)
		fail_msg("%s: %s", title, err_text(&e));
	j->judge.view.past = NULL;
	j->verdict = verdicts[0];
	for (size_t i = 1; i < n; i++)
		verdict_clear(&verdicts[i]);
	free(verdicts);
}

void judged_make(struct judged *j, const struct judged_row *row)
{
	memset(j, 0, sizeof(*j));
	j->history = history_new(row->history);
	j->config = make_config(j->history, row->config, row->title);
	j->actor.id = mem_strdup("uid-77");
	j->actor.name = mem_strdup("pusher");
	j->actor.protocol = mem_strdup("local");
	history_refs(j->history, row->refs);
	fill_push(&j->push, j->history, row->push);
	j->judge.view.config = j->config;
	j->judge.view.push = &j->push;
	j->judge.actor = &j->actor;
	j->judge.gitdir = history_dir(j->history);
	assert_int_equal(clock_parse("2026-01-02T10:00:00Z", &j->judge.now), 0);
	judge_all(j, row->title);
}

void judged_clear(struct judged *j)
{
	verdict_clear(&j->verdict);
	judge_clear(&j->judge);
	push_clear(&j->push);
	actor_clear(&j->actor);
	config_free(j->config);
	history_free(j->history);
}

/* 1 if the verdict is as ROW says; else both are printed. */
static int check(const struct judged_row *row)
{
	struct judged j;
	const struct verdict *v = &j.verdict;
	char *codes;
	int ok;

	judged_make(&j, row);
	codes = codes_of(v);
	ok = strcmp(codes, row->expected) == 0 &&
	     (row->method == NULL || str_same(row->method, v->method)) &&
	     (row->source == NULL || str_same(row->source, v->source));
	if (!ok)
		print_error("%s: expected [%s] %s %s, got [%s] %s %s: %s\n", row->title,
			row->expected, row->method ? row->method : "-",
			row->source ? row->source : "-", codes, v->method ? v->method : "-",
			v->source ? v->source : "-",
			v->n_findings > 0 ? v->findings[0].reason : "");
	free(codes);
	judged_clear(&j);
	return ok;
}

int judged_check(const struct judged_row *rows, size_t n)
{
	int wrong = 0;

	for (size_t i = 0; i < n; i++)
		wrong += !check(&rows[i]);
	return wrong;
}
