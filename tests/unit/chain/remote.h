/* Pipelines that run on GitLab, for the tests of common/chain. */
#ifndef MODELGATE_TESTS_CHAIN_REMOTE_H
#define MODELGATE_TESTS_CHAIN_REMOTE_H

#include "chain/remote.h"
#include "fixture.h"

/* Pipelines of this configuration run on GitLab. */
#define ON_GITLAB                                                                                  \
	"[identity]\nsource = gitlab\n[launcher]\nkind = gitlab\nurl = http://127.0.0.1:9\n"       \
	"token-file = /token\n"

static inline struct remote must_read(struct store *s, int64_t pipeline)
{
	struct remote r;
	struct err e = ERR_INIT;

	assert_result(remote_read(&r, s, pipeline, &e), 1, &e);
	return r;
}

static inline void must_save(struct store *s, const struct remote *r)
{
	struct err e = ERR_INIT;

	assert_result(remote_save(s, r, &e), 0, &e);
}

static inline void must_wake(struct store *s, int64_t pipeline)
{
	struct err e = ERR_INIT;

	assert_result(remote_wake(s, pipeline, &e), 0, &e);
}

/* GitLab's number of a pipeline. */
static inline void set_number(struct store *s, int64_t pipeline, int64_t number)
{
	struct remote r = must_read(s, pipeline);

	r.number = number;
	must_save(s, &r);
	remote_clear(&r);
}

#endif
