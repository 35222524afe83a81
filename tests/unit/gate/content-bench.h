/* A judge by hand, of one update of a small history, without the rest of the judgement. */
#ifndef MODELGATE_TESTS_CONTENT_BENCH_H
#define MODELGATE_TESTS_CONTENT_BENCH_H

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/judge.h"
#include "gate/past.h"
#include "gate/push.h"
#include "git/repository.h"
#include "history.h"

#define FORBID "[content]\nforbid = *.pkl, .env, secrets/*\n"
#define SMALL "[content]\nmax-file-size = 5\n"

struct row {
	const char *title;
	const char *history;
	const char *refs;     /* before the push */
	const char *update;   /* "BRANCH:OLD..NEW" */
	const char *merged;   /* "COMMIT=BRANCH ...": what the judge traced */
	const char *expected; /* "PATH@COMMIT ..." of the findings */
	const char *config;
};

struct bench {
	struct history *history;
	struct config *config;
	struct push push;
	struct judge judge;
	struct verdict verdict;
	struct past past;
};

static int is_deployed(
	void *context, const char *id, const char *chain, struct oid *commit, struct err *e)
{
	(void)chain;
	(void)e;
	if (strcmp(id, "7") != 0)
		return 0;
	*commit = history_oid(context, "p");
	return 1;
}

static int is_landed(void *context, const char *ref, const struct oid *tip, struct err *e)
{
	(void)context;
	(void)ref;
	(void)tip;
	(void)e;
	return 0;
}

static int each_used(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
	void *arg, struct err *e)
{
	(void)context;
	(void)prefix;
	(void)each;
	(void)arg;
	(void)e;
	return 0;
}

static void note_merged(struct bench *b, const char *text)
{
	struct strlist words = {0};

	strlist_split(&words, text, ' ');
	for (size_t i = 0; i < words.n; i++) {
		char *branch = strchr(words.v[i], '='), hex[OID_HEX_SIZE], *line;
		struct oid oid;

		*branch++ = '\0';
		oid = history_oid(b->history, words.v[i]);
		oid_hex(&oid, hex);
		line = mem_format("%s refs/heads/%s", hex, branch);
		strlist_add(&b->verdict.merged, line);
		free(line);
	}
	strlist_clear(&words);
}

static void fill_push(struct bench *b, const char *update)
{
	char *text = mem_strdup(update), *old = strchr(text, ':'), *new = strstr(old, "..");
	char old_hex[OID_HEX_SIZE], new_hex[OID_HEX_SIZE], *ref;
	struct oid oid;

	*old++ = '\0';
	*new = '\0';
	oid = history_oid(b->history, old);
	oid_hex(&oid, old_hex);
	oid = history_oid(b->history, new + 2);
	oid_hex(&oid, new_hex);
	ref = mem_format("refs/heads/%s", text);
	assert_int_equal(push_add(&b->push, ref, old_hex, new_hex, NULL), PUSH_OK);
	assert_int_equal(push_resolve(&b->push, history_dir(b->history), NULL), 0);
	free(ref);
	free(text);
}

static void open_bench(struct bench *b, const struct row *row)
{
	struct err e = ERR_INIT;

	memset(b, 0, sizeof(*b));
	if (config_parse(&b->config, row->config, strlen(row->config), "test.ini", &e) != 0)
		fail_msg("%s: %s", row->title, err_text(&e));
	b->history = history_new(row->history);
	history_refs(b->history, row->refs);
	fill_push(b, row->update);
	b->judge.view.config = b->config;
	b->judge.view.push = &b->push;
	b->past = (struct past){is_landed, each_used, is_deployed, NULL, b->history};
	b->judge.view.past = &b->past;
	b->judge.gitdir = history_dir(b->history);
	if (repository_open(&b->judge.view.repository, b->judge.gitdir, REPOSITORY_OBJECTS, &e) !=
		0)
		fail_msg("%s: %s", row->title, err_text(&e));
	b->verdict.update = &b->push.v[0];
	policy_rule(&b->verdict.rule, b->config, b->verdict.update->target);
	note_merged(b, row->merged);
}

static void close_bench(struct bench *b)
{
	verdict_clear(&b->verdict);
	judge_clear(&b->judge);
	push_clear(&b->push);
	config_free(b->config);
	history_free(b->history);
}

#endif
