#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/pipeline.h"
#include "chain/remote.h"
#include "chain/status.h"
#include "chain/store.h"
#include "command.h"
#include "data/config.h"
#include "data/json.h"
#include "git/oid.h"
#include "stage/facts.h"
#include "table.h"

#define DEFAULT_LIMIT 20

static const char *who(const struct pipeline *p)
{
	return p->actor.name[0] != '\0' ? p->actor.name : p->actor.id;
}

static struct json *stage_json(const struct pipeline_stage *stage)
{
	struct json *j = json_new_object();

	json_put_text(j, "name", stage->name);
	json_put_text(j, "status", status_text(stage->status));
	json_put_number(j, "attempt", stage->attempt);
	json_put_time(j, "started_at", stage->started_at);
	json_put_time(j, "finished_at", stage->finished_at);
	json_put_known(j, "message", stage->message);
	return j;
}

static struct json *facts_json(const struct facts *facts)
{
	struct json *j = json_new_object();

	for (size_t i = 0; i < facts->n; i++)
		json_put_text(j, facts->v[i].name, facts->v[i].value);
	return j;
}

/* A pipeline as it is shown. */
struct view {
	const struct pipeline *p;
	const struct facts *facts; /* NULL: in a list */
	struct remote remote;      /* zeroed: it runs here */
	struct remote_jobs jobs;   /* on GitLab */
};

static void view_clear(struct view *v)
{
	remote_clear(&v->remote);
	remote_jobs_clear(&v->jobs);
}

/* 0, or -1. */
static int view_init(struct view *v, struct store *s, const struct pipeline *p,
	const struct facts *facts, struct err *e)
{
	memset(v, 0, sizeof(*v));
	v->p = p;
	v->facts = facts;
	if (remote_read(&v->remote, s, p->id, e) < 0)
		return -1;
	return v->remote.pipeline != 0 ? remote_jobs(s, p->id, &v->jobs, e) : 0;
}

/* What the pipeline is on GitLab. */
static struct json *gitlab_json(const struct view *v)
{
	struct json *j = json_new_object(), *jobs = json_new_array();

	if (v->remote.number != 0)
		json_put_number(j, "pipeline_id", v->remote.number);
	json_put_known(j, "sha", v->remote.sha);
	json_put_known(j, "web_url", v->remote.web_url);
	json_put_known(j, "message", v->remote.message);
	for (size_t i = 0; i < v->jobs.n; i++) {
		struct json *job = json_new_object();

		json_put_text(job, "stage", v->jobs.v[i].stage);
		json_put_number(job, "id", v->jobs.v[i].job);
		json_put_text(job, "web_url", v->jobs.v[i].web_url);
		json_append(jobs, job);
	}
	json_put(j, "jobs", jobs);
	return j;
}

static struct json *pipeline_json(const struct view *v)
{
	struct json *j = json_new_object(), *stages = json_new_array();
	const struct pipeline *p = v->p;

	json_put_number(j, "id", p->id);
	json_put_text(j, "project", p->project);
	json_put_text(j, "chain", p->chain);
	json_put_text(j, "ref", p->ref);
	json_put_text(j, "sha", p->sha);
	json_put_text(j, "source", p->source);
	json_put_text(j, "status", status_text(p->status));
	json_put_time(j, "created_at", p->created_at);
	json_put_time(j, "started_at", p->started_at);
	json_put_time(j, "finished_at", p->finished_at);
	json_put_text(j, "user", who(p));
	json_put_text(j, "push_id", p->push_id);
	for (size_t i = 0; i < p->n_stages; i++)
		json_append(stages, stage_json(&p->stages[i]));
	json_put(j, "stages", stages);
	if (v->remote.pipeline != 0)
		json_put(j, "gitlab", gitlab_json(v));
	if (v->facts != NULL)
		json_put(j, "facts", facts_json(v->facts));
	return j;
}

static void print_json(const struct view *v, size_t n)
{
	struct json *j = json_new_object(), *list = json_new_array();
	char *text;

	for (size_t i = 0; i < n; i++)
		json_append(list, pipeline_json(&v[i]));
	json_put(j, "pipelines", list);
	text = json_text(j, JSON_ONE_LINE);
	printf("%s\n", text);
	free(text);
	json_free(j);
}

static const char *short_ref(const char *ref)
{
	return str_starts(ref, "refs/heads/") ? ref + strlen("refs/heads/") : ref;
}

static void add_to_table(struct table *t, const struct pipeline *p)
{
	char created[COMMAND_TIME_SIZE];
	char *sha = mem_strndup(p->sha, OID_SHORT);
	struct str stages;

	command_time(p->created_at, created);
	str_init(&stages);
	for (size_t i = 0; i < p->n_stages; i++)
		str_addf(&stages, "%s%s:%s", i > 0 ? " " : "", p->stages[i].name,
			status_text(p->stages[i].status));
	table_add_number(t, p->id);
	table_add(t, p->project);
	table_add(t, p->chain);
	table_add(t, short_ref(p->ref));
	table_add(t, sha);
	table_add(t, status_text(p->status));
	table_add(t, created);
	table_add(t, who(p));
	table_add(t, stages.buf);
	str_clear(&stages);
	free(sha);
}

static void print_table(const struct pipeline_list *l)
{
	static const char *const titles[] = {"ID", "PROJECT", "CHAIN", "BRANCH", "COMMIT", "STATUS",
		"CREATED (UTC)", "USER", "STAGES", NULL};
	struct table t;

	if (l->n == 0) {
		printf("no pipelines\n");
		return;
	}
	table_init(&t, titles);
	for (size_t i = 0; i < l->n; i++)
		add_to_table(&t, &l->v[i]);
	table_print(&t);
	table_clear(&t);
}

static void print_line(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void print_line(const char *name, const char *format, ...)
{
	struct str safe;
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	str_init(&safe);
	str_add_safe(&safe, text);
	printf("  %-8s  %s\n", name, safe.buf);
	str_clear(&safe);
	free(text);
}

static void print_stages(const struct pipeline *p)
{
	static const char *const titles[] = {
		"STAGE", "STATUS", "ATTEMPT", "STARTED (UTC)", "FINISHED (UTC)", "MESSAGE", NULL};
	char started[COMMAND_TIME_SIZE], finished[COMMAND_TIME_SIZE];
	struct table t;

	table_init(&t, titles);
	for (size_t i = 0; i < p->n_stages; i++) {
		command_time(p->stages[i].started_at, started);
		command_time(p->stages[i].finished_at, finished);
		table_add(&t, p->stages[i].name);
		table_add(&t, status_text(p->stages[i].status));
		table_add_number(&t, p->stages[i].attempt);
		table_add(&t, started);
		table_add(&t, finished);
		table_add(&t, p->stages[i].message);
	}
	table_print(&t);
	table_clear(&t);
}

static void print_facts(const struct facts *facts)
{
	static const char *const titles[] = {"FACT", "VALUE", NULL};
	struct table t;

	if (facts->n == 0)
		return;
	printf("\n");
	table_init(&t, titles);
	for (size_t i = 0; i < facts->n; i++) {
		table_add(&t, facts->v[i].name);
		table_add(&t, facts->v[i].value);
	}
	table_print(&t);
	table_clear(&t);
}

/* What to read next about a stage that failed. */
static void print_next(const struct pipeline *p)
{
	for (size_t i = 0; i < p->n_stages; i++)
		if (p->stages[i].status == STATUS_FAILED)
			printf("\nmodelgate logs %lld %s\n", (long long)p->id, p->stages[i].name);
}

static void print_gitlab(const struct view *v)
{
	if (v->remote.pipeline == 0)
		return;
	if (v->remote.number == 0)
		print_line("GitLab", "not created there so far");
	else
		print_line("GitLab", "pipeline %lld, %s", (long long)v->remote.number,
			v->remote.web_url);
	if (v->remote.message[0] != '\0')
		print_line("", "%s", v->remote.message);
}

static void print_pipeline(const struct view *v)
{
	const struct pipeline *p = v->p;
	char created[COMMAND_TIME_SIZE];

	command_time(p->created_at, created);
	printf("pipeline %lld: %s\n", (long long)p->id, status_text(p->status));
	print_line("project", "%s", p->project);
	print_line("chain", "%s (%s)", p->chain, p->environment);
	print_line("branch", "%s at %s", short_ref(p->ref), p->sha);
	if (p->source[0] != '\0')
		print_line("from", "%s", short_ref(p->source));
	print_line("by", "%s, %s UTC, push %s", who(p), created, p->push_id);
	print_gitlab(v);
	printf("\n");
	print_stages(p);
	print_facts(v->facts);
	print_next(p);
}

static int show_one(struct store *s, int64_t id, int as_json, struct err *e)
{
	struct pipeline p;
	struct facts facts = {0};
	struct view v = {0};
	int status, found = pipeline_read(&p, s, id, e);

	if (found == 0)
		return command_fail(COMMAND_NO, "there is no pipeline %lld", (long long)id);
	if (found < 0)
		return command_err(COMMAND_CANNOT_TELL, e);
	status = COMMAND_DONE;
	if (pipeline_facts(s, id, NULL, &facts, e) != 0 || view_init(&v, s, &p, &facts, e) != 0)
		status = command_err(COMMAND_CANNOT_TELL, e);
	else if (as_json)
		print_json(&v, 1);
	else
		print_pipeline(&v);
	view_clear(&v);
	facts_clear(&facts);
	pipeline_clear(&p);
	return status;
}

/* 0, or -1. */
static int print_list_json(struct store *s, const struct pipeline_list *list, struct err *e)
{
	struct view *views = mem_zalloc(list->n + 1, sizeof(*views));
	int result = 0;

	for (size_t i = 0; result == 0 && i < list->n; i++)
		result = view_init(&views[i], s, &list->v[i], NULL, e);
	if (result == 0)
		print_json(views, list->n);
	for (size_t i = 0; i < list->n; i++)
		view_clear(&views[i]);
	free(views);
	return result;
}

static int show_list(
	struct store *s, const struct pipeline_filter *filter, int as_json, struct err *e)
{
	struct pipeline_list list;
	int status = COMMAND_DONE;

	if (pipeline_list(&list, s, filter, e) != 0)
		status = command_err(COMMAND_CANNOT_TELL, e);
	else if (!as_json)
		print_table(&list);
	else if (print_list_json(s, &list, e) != 0)
		status = command_err(COMMAND_CANNOT_TELL, e);
	pipeline_list_clear(&list);
	return status;
}

static int check_status_word(const char *word)
{
	enum status parsed;
	char *words;

	if (word == NULL || status_parse(&parsed, word) == 0)
		return 0;
	words = status_words();
	(void)command_fail(COMMAND_USAGE, "\"%s\" is no status; these are: %s", word, words);
	free(words);
	return -1;
}

static int status(struct command *c, int argc, char **argv)
{
	struct pipeline_filter filter = {.limit = DEFAULT_LIMIT};
	const char *limit = NULL, *as_json = NULL;
	const struct command_option options[] = {{"--project=", &filter.project},
		{"--status=", &filter.status}, {"--limit=", &limit}, {"--json", &as_json},
		{NULL, NULL}};
	struct store *s = NULL;
	struct err e = ERR_INIT;
	long long id = 0, number = 0;
	int result, n = command_options(&verb_status, argc, argv, options, 0, 1);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if ((n == 1 && command_number(argv[1], "pipeline number", &id) != 0) ||
		(limit != NULL && command_number(limit, "limit", &number) != 0) ||
		check_status_word(filter.status) != 0)
		return COMMAND_USAGE;
	if (limit != NULL)
		filter.limit = number;
	if (store_open(&s, c->config->state, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	result = n == 1 ? show_one(s, id, as_json != NULL, &e)
			: show_list(s, &filter, as_json != NULL, &e);
	store_close(s);
	return result;
}

const struct verb verb_status = {
	.name = "status",
	.run = status,
	.needs_config = 1,
	.arguments = "[ID] [--project P] [--status S] [--limit N] [--json]",
	.summary = "Show pipelines, newest first; with ID, one with its stages and what they found "
		   "out",
	.options = "  --project P  only of this project\n"
		   "  --status S   only with this status\n"
		   "  --limit N    at most so many, 20 if not given\n"
		   "  --json       as JSON\n",
};
