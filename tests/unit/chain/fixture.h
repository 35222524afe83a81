/* A store, a configuration and intents for the tests of common/chain. */
#ifndef MODELGATE_TESTS_CHAIN_FIXTURE_H
#define MODELGATE_TESTS_CHAIN_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "chain/landing.h"
#include "chain/pipeline.h"
#include "chain/store.h"
#include "data/config.h"
#include "data/json.h"
#include "scratch.h"
#include "sys/files.h"

#define ZERO "0000000000000000000000000000000000000000"

/* The call gave RESULT with *E: anything but EXPECTED fails the test with what it said. */
#define assert_result(result, expected, e)                                                         \
	do {                                                                                       \
		int got_ = (result);                                                               \
		if (got_ != (expected))                                                            \
			fail_msg("%s gave %d: %s", #result, got_, err_text(e));                    \
	} while (0)

static inline struct config *fixture_config(const char *text)
{
	struct config *c = NULL;
	struct err e = ERR_INIT;

	assert_result(config_parse(&c, text, strlen(text), "test", &e), 0, &e);
	return c;
}

static inline struct store *fixture_store(const char *state)
{
	struct store *s = NULL;
	struct err e = ERR_INIT;

	assert_result(store_open(&s, state, &e), 0, &e);
	return s;
}

/*
 * An intent for REF in REPOSITORY, whose project is called as its folder; ids of one digit stand
 * for 40 of them.
 */
static inline struct intent fixture_intent(const char *repository, const char *ref, const char *old,
	const char *new, const char *chain)
{
	struct intent i = {.push_id = mem_strdup("01JDC6"),
		.push_key = mem_strdup("key"),
		.repository = mem_strdup(repository),
		.project = mem_strdup(path_base(repository)),
		.gl_repository = mem_strdup(""),
		.ref = mem_format("refs/heads/%s", ref),
		.source = mem_strdup(""),
		.source_oid = mem_strdup(""),
		.method = mem_strdup("merge"),
		.chain = mem_strdup(chain),
		.actor = {mem_strdup("uid-1"), mem_strdup("ivanov"), mem_strdup("local")},
		.policy = mem_strdup("p"),
		.correlation_id = mem_strdup("")};
	char **const oids[] = {&i.old, &i.new};
	const char *const given[] = {old, new};

	for (int k = 0; k < 2; k++) {
		*oids[k] = mem_strdup(strlen(given[k]) == 1 ? ZERO : given[k]);
		if (strlen(given[k]) == 1)
			memset(*oids[k], given[k][0], 40);
	}
	return i;
}

/* Record I, and read it back as post-receive does. */
static inline void fixture_record(struct store *s, struct intent *i)
{
	struct intent found;
	struct err e = ERR_INIT;

	assert_result(store_add_intents(s, i, 1, &e), 0, &e);
	assert_result(store_find_intent(
			      s, i->push_key, i->repository, i->ref, i->old, i->new, &found, &e),
		1, &e);
	intent_clear(i);
	*i = found;
}

/* A pipeline of CHAIN for a push to REF that lands; its id. */
static inline int64_t fixture_land(struct store *s, const struct config *c, const char *repository,
	const char *ref, const char *old, const char *new, const char *chain)
{
	struct intent i = fixture_intent(repository, ref, old, new, chain);
	struct landing l = {.intent = &i};
	struct err e = ERR_INIT;
	int64_t id;

	fixture_record(s, &i);
	assert_result(landing_record(s, c, &l, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	id = l.pipeline;
	landing_clear(&l);
	intent_clear(&i);
	return id;
}

/* "running: success running created" */
static inline char *fixture_statuses(struct store *s, int64_t id)
{
	struct pipeline p;
	struct str text;
	struct err e = ERR_INIT;

	assert_result(pipeline_read(&p, s, id, &e), 1, &e);
	str_init(&text);
	str_addf(&text, "%s:", status_text(p.status));
	for (size_t i = 0; i < p.n_stages; i++)
		str_addf(&text, " %s", status_text(p.stages[i].status));
	pipeline_clear(&p);
	return str_steal(&text);
}

#define assert_statuses(s, id, expected)                                                           \
	do {                                                                                       \
		char *got_ = fixture_statuses(s, id);                                              \
		assert_string_equal(got_, expected);                                               \
		free(got_);                                                                        \
	} while (0)

static inline int fixture_add_event(void *context, const char *line, const struct json *record)
{
	struct str *text = context;

	(void)line;
	str_addf(text, "%s%s", text->len > 0 ? " " : "", json_get_text(record, "event"));
	return 0;
}

/* The events of the audit log so far, in order. */
static inline void assert_events(const char *state, const char *expected)
{
	const struct audit_filter all = {0};
	struct str text;
	struct err e = ERR_INIT;

	str_init(&text);
	assert_result(audit_each(state, &all, fixture_add_event, &text, &e), 0, &e);
	assert_string_equal(text.buf, expected);
	str_clear(&text);
}

#endif
