/*
 * make-log STATE COUNT [YEARS | hostile]: an audit log of COUNT records, valid and the same each
 * time, as some people and projects fill it: pushes accepted, rejected and overridden, with their
 * pipelines and stages, spread over YEARS (1).  "hostile": ten records first whose texts try to be
 * more than text.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/record.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define BATCH 500
#define START INT64_C(1764547200000000) /* 2025-12-01 */
#define YEAR (INT64_C(365) * 86400 * CLOCK_SECOND)
#define POLICY "4f0c0d6ee8a1b7e3f5b3ab1dd0c4b1cf9d5e9d4b7f4f5c1c6a0e1b2d3c4f5a6b"
#define ID_SIZE 41 /* of a commit or a push, and its NUL */

struct batch {
	struct audit_record records[BATCH];
	struct audit_ref refs[BATCH];
	char ids[BATCH][3][ID_SIZE];
	size_t n;
	int64_t made, count, pipeline;
	int64_t time, step;
	uint64_t random;
	const char *state;
};

static const char *const people[] = {
	"ivanov", "petrova", "sidorov", "kuznetsova", "smirnov", "volkova", "orlov", "bot-retrain"};
static const char *const projects[] = {
	"alliya_churn", "scoring", "fraud-online", "recommendations", "ltv"};
static const char *const hostile[] = {
	"</script><script>alert('page')</script>",
	"<!--<script>",
	"<img src=x onerror=\"alert('page')\">",
	"\"' onmouseover=alert(1) x='\"",
	"&lt;b&gt; &amp; \\u003cb\\u003e ${alert(1)} {{7*7}}",
	"line\u2028two\u2029three \\ \" end",
	"refs/\u202e\u2066txt.exe\u2069 \u200b\ufeff",
	"bell \a escape \033[31m tab \t newline \n del \177 end",
	"not UTF-8: \xff \xc0\xaf \xed\xa0\x80 end",
	"]]> javascript:alert(1) </style></title></textarea>",
};
#define N(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t next(struct batch *b, uint64_t limit) /* xorshift64 */
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return b->random % limit;
}

static void flush(struct batch *b)
{
	struct err e = ERR_INIT;

	if (b->n > 0 && audit_append(b->state, b->records, b->n, &e) != 0) {
		(void)fprintf(stderr, "make-log: %s\n", err_text(&e));
		exit(1);
	}
	b->n = 0;
}

/* Another record of PERSON and PROJECT, or NULL: it is enough. */
static struct audit_record *add(
	struct batch *b, const char *event, const char *person, const char *project)
{
	struct audit_record *r;

	if (b->made == b->count)
		return NULL;
	if (b->n == BATCH)
		flush(b);
	r = &b->records[b->n++];
	memset(r, 0, sizeof(*r));
	b->made++;
	b->time += b->step / 2 + (int64_t)next(b, (uint64_t)b->step);
	r->time = b->time;
	r->event = event;
	r->actor.id = (char *)"user-7";
	r->actor.name = (char *)person;
	r->actor.protocol = (char *)"ssh";
	r->repository.path = "/srv/git/repositories/models.git";
	r->repository.project = project;
	r->policy = POLICY;
	return r;
}

static void make_ids(struct batch *b)
{
	char(*ids)[ID_SIZE] = b->ids[b->n - 1];

	for (int i = 0; i < 3; i++)
		for (int at = 0; at < ID_SIZE - 1; at += 8)
			(void)snprintf(
				ids[i] + at, 9, "%08llx", (unsigned long long)next(b, 1ULL << 32));
	/* A ULID: upper-case hexadecimal digits are among those of its base 32. */
	for (int at = 0; at < 26; at++)
		ids[2][at] = (char)toupper((unsigned char)ids[2][at]);
	ids[2][0] = '0';
	ids[2][26] = '\0';
}

/* NULL: it is enough. */
static struct audit_record *add_push(struct batch *b, const char *event, const char *person,
	const char *project, const char *ref, const char *const *codes, size_t n_codes,
	const char *reason)
{
	struct audit_record *r = add(b, event, person, project);
	struct audit_ref *f;

	if (r == NULL)
		return NULL;
	make_ids(b);
	f = &b->refs[b->n - 1];
	*f = (struct audit_ref){.ref = ref,
		.old = b->ids[b->n - 1][0],
		.new = b->ids[b->n - 1][1],
		.source = n_codes == 0 ? "refs/heads/dev" : NULL,
		.method = n_codes == 0 ? "merge" : NULL,
		.codes = codes,
		.n_codes = n_codes,
		.reason = reason};
	r->push_id = b->ids[b->n - 1][2];
	r->refs = f;
	r->n_refs = 1;
	return r;
}

static void add_stage(struct batch *b, const char *event, const char *person, const char *project,
	const char *stage, const char *status)
{
	struct audit_record *r = add(b, event, person, project);

	if (r == NULL)
		return;
	r->pipeline = b->pipeline;
	r->stage = stage;
	r->status = status;
}

static void add_chain(struct batch *b, const char *person, const char *project)
{
	static const char *const stages[] = {"build", "create-model", "deploy", "stage-model"};
	struct audit_record *created;

	b->pipeline++;
	created =
		add_push(b, "pipeline.created", person, project, "refs/heads/main", NULL, 0, NULL);
	if (created != NULL)
		created->pipeline = b->pipeline;
	for (size_t i = 0; i < N(stages); i++) {
		add_stage(b, "stage.started", person, project, stages[i], "running");
		add_stage(b, "stage.finished", person, project, stages[i],
			next(b, 20) == 0 ? "failed" : "success");
	}
	add_stage(b, "pipeline.finished", person, project, NULL, "success");
}

static void add_story(struct batch *b)
{
	static const char *const direct[] = {"MG102"}, *const many[] = {"MG103", "MG105"},
				 *const role[] = {"MG401"};
	const char *person = people[next(b, N(people))], *project = projects[next(b, N(projects))];

	switch (next(b, 9)) {
	case 0:
		add_push(b, "push.rejected", person, project, "refs/heads/main", direct, 1,
			"commit 8b1d0e2 \"quick fix\" was made on main itself");
		break;
	case 1:
		add_push(b, "push.rejected", person, project, "refs/heads/prod", many, 2,
			"merge content differs from the automatic merge: score.py, dag.py");
		break;
	case 2:
		if (next(b, 3) == 0)
			add_push(b, "push.rejected", person, project, "refs/heads/prod", role, 1,
				"you lack the role release");
		else if (next(b, 2) == 0)
			add_push(b, "push.overridden", "smirnov", project, "refs/heads/prod",
				direct, 1,
				"the model was wrong in production, agreed with security");
		break;
	case 3:
	case 4:
		add_push(b, "push.accepted", person, project, "refs/heads/dev", NULL, 0, NULL);
		break;
	default:
		add_push(b, "push.accepted", person, project, "refs/heads/main", NULL, 0, NULL);
		add_push(b, "ref.updated", person, project, "refs/heads/main", NULL, 0, NULL);
		add_chain(b, person, project);
	}
}

static void add_hostile(struct batch *b)
{
	static const char *codes[N(hostile)][1];

	for (size_t i = 0; i < N(hostile); i++) {
		codes[i][0] = hostile[i];
		add_push(b, "push.rejected", hostile[i], hostile[i], hostile[i], codes[i], 1,
			hostile[i]);
	}
}

int main(int argc, char **argv)
{
	struct batch *b = mem_zalloc(1, sizeof(*b));
	long long count = 0, years = 1;
	int is_hostile = argc > 3 && strcmp(argv[3], "hostile") == 0;

	if (argc < 3 || str_number(argv[2], 100000000, &count) != 0 || count == 0 ||
		(argc > 3 && !is_hostile && str_number(argv[3], 100, &years) != 0)) {
		(void)fputs("usage: make-log STATE COUNT [YEARS | hostile]\n", stderr);
		return 2;
	}
	b->state = argv[1];
	b->count = count;
	b->time = START;
	b->step = YEAR * years / count;
	b->random = 20261123;
	if (is_hostile)
		add_hostile(b);
	while (b->made < b->count)
		add_story(b);
	flush(b);
	free(b);
	return 0;
}
