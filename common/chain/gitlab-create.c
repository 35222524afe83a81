#include "chain/gitlab-create.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "chain/gitlab.h"
#include "chain/pipeline.h"
#include "chain/remote.h"
#include "chain/store.h"
#include "data/config.h"
#include "net/http.h"
#include "stage/owner.h"
#include "stage/retraining.h"
#include "stage/stage.h"

#define BRANCHES "refs/heads/"
#define RUNNER_LABEL "runner:"
#define MAX_TAG 100          /* bytes */
#define MAX_DESCRIPTION 3000 /* bytes, before they are escaped */
#define MAX_RETRAINED 9000   /* bytes; GitLab takes 10,000 characters for a variable */
/* How long GitLab can be at work on a request whose asker has gone: its own limit is 60 s. */
#define SETTLES (70 * CLOCK_SECOND)
/* How far GitLab's clock may be behind ours where pipelines are looked for by time. */
#define CLOCKS_DIFFER (3600 * CLOCK_SECOND)
/* "Reference not found": for so many tries it may be a branch that was just made. */
#define MAX_NO_REF 8

int creation_pause(int64_t tries, int64_t retry_after, int64_t max)
{
	int64_t pause = 1;

	while (tries-- > 0 && pause < max)
		pause *= 2;
	if (pause > max)
		pause = max;
	if (retry_after > pause)
		pause = retry_after < REMOTE_MAX_WAIT / CLOCK_SECOND / 2
				? retry_after
				: REMOTE_MAX_WAIT / CLOCK_SECOND / 2;
	return (int)pause;
}

char *creation_escape(const char *text)
{
	struct str s;

	str_init(&s);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '$' || c == '%')
			str_addf(&s, "%%%02X", c);
		else
			str_addc(&s, *text);
	}
	return str_steal(&s);
}

static int digit(char c)
{
	const char *digits = "0123456789ABCDEF", *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

char *creation_unescape(const char *text)
{
	struct str s;

	str_init(&s);
	for (; *text != '\0'; text++) {
		int high = *text == '%' ? digit(text[1]) : -1;
		int low = high >= 0 ? digit(text[2]) : -1;

		if (low < 0 || high * 16 + low == 0) {
			str_addc(&s, *text);
			continue;
		}
		str_addc(&s, (char)(high * 16 + low));
		text += 2;
	}
	return str_steal(&s);
}

static const char *branch_of(const struct pipeline *p)
{
	return str_starts(p->ref, BRANCHES) ? p->ref + strlen(BRANCHES) : p->ref;
}

/* To be tried again after a fault of GitLab's. */
static enum creation_result later(const struct creation *c, struct err *e)
{
	struct err fault = ERR_INIT;
	enum creation_result result = CREATION_LATER;

	if (!str_same(c->r->message, err_text(e)))
		c->r->tries = 0;
	free(c->r->message);
	c->r->message = mem_strdup(err_text(e));
	c->r->next_at = clock_now() + CLOCK_SECOND * creation_pause(c->r->tries, gitlab_pause(c->g),
							     CREATION_MAX_PAUSE);
	c->r->tries++;
	if (remote_save(c->s, c->r, &fault) != 0) {
		(void)err_set(e, "%s", err_text(&fault));
		result = CREATION_FAULT;
	}
	err_clear(&fault);
	return result;
}

/* What a request other than the one that makes a pipeline came to. */
static enum creation_result sort(const struct creation *c, enum gitlab_result result, struct err *e)
{
	if (result == GITLAB_DONE)
		return CREATION_DONE;
	if (result == GITLAB_REFUSED || result == GITLAB_MISSING)
		return CREATION_FAILED;
	return later(c, e);
}

/* ---- what was made already ---- */

/* Is it ours?  1, 0; -1 and *RESULT. */
static int is_ours(const struct creation *c, const struct gitlab_pipeline *found,
	enum creation_result *result, struct err *e)
{
	char *number = mem_format("%lld", (long long)c->p->id);
	/* All of them: whoever may give variables could make one that only looks like ours. */
	const struct gitlab_variable marks[] = {{CREATION_PIPELINE, number},
		{CREATION_PUSH, c->p->push_id}, {CREATION_SHA, c->p->sha}};
	enum gitlab_result asked = GITLAB_DONE;
	int64_t pipeline = 0;
	int known = remote_find(&pipeline, c->s, found->id, e), is = 0;

	if (known == 0)
		asked = gitlab_match_variables(
			c->g, found->id, marks, sizeof(marks) / sizeof(marks[0]), &is, e);
	free(number);
	if (known < 0)
		*result = CREATION_FAULT;
	/* Gone meanwhile: so it is not to be minded. */
	else if (asked != GITLAB_DONE && asked != GITLAB_MISSING)
		*result = sort(c, asked, e);
	else
		return is;
	return -1;
}

static enum creation_result adopt(
	const struct creation *c, const struct gitlab_pipeline *made, struct err *e)
{
	struct remote *r = c->r;

	r->number = made->id;
	r->maker = made->user_id;
	free(r->sha);
	r->sha = mem_strdup(made->sha);
	free(r->web_url);
	r->web_url = mem_strdup(made->web_url);
	free(r->message);
	r->message = mem_strdup("");
	r->fit = REMOTE_UNSEEN;
	if (r->doubt == REMOTE_UNANSWERED)
		r->doubt = REMOTE_CERTAIN;
	r->next_at = 0;
	r->tries = 0;
	return remote_save(c->s, r, e) == 0 ? CREATION_DONE : CREATION_FAULT;
}

/* End one that is not wanted.  One that has ended, or is gone, is no fault. */
static enum creation_result end(const struct creation *c, int64_t number, struct err *e)
{
	enum gitlab_result asked = gitlab_cancel(c->g, number, e);

	if (asked == GITLAB_MISSING || (asked == GITLAB_REFUSED && gitlab_is_state(c->g))) {
		err_clear(e);
		return CREATION_DONE;
	}
	return sort(c, asked, e);
}

/*
 * Look at the pipelines of QUERY, oldest last.  The oldest of ours is adopted if none is so far, and any
 * other canceled.
 */
static enum creation_result look_among(const struct creation *c, const char *query, struct err *e)
{
	struct gitlab_pipelines found;
	enum creation_result result = sort(c, gitlab_list_pipelines(c->g, query, &found, e), e);

	for (size_t i = found.n; i-- > 0 && result == CREATION_DONE;) {
		int is = found.v[i].id != c->r->number && found.v[i].id != c->r->refused
				 ? is_ours(c, &found.v[i], &result, e)
				 : 0;

		if (is != 1)
			continue;
		if (c->r->number == 0)
			result = adopt(c, &found.v[i], e);
		else
			result = end(c, found.v[i].id, e);
	}
	gitlab_pipelines_clear(&found);
	return result;
}

/* First those of our commit; then those of the branch, which may have moved on by then. */
static enum creation_result look(const struct creation *c, struct err *e)
{
	char *ref = http_escape(branch_of(c->p)), after[CLOCK_TEXT_SIZE], *time, *query;
	int had = c->r->number != 0;
	enum creation_result result;

	query = mem_format("sha=%s&ref=%s&source=api", c->p->sha, ref);
	result = look_among(c, query, e);
	free(query);
	if (result == CREATION_DONE && (had || c->r->number == 0)) {
		clock_text(c->r->asked_at - CLOCKS_DIFFER, after);
		time = http_escape(after);
		query = mem_format("ref=%s&source=api&updated_after=%s", ref, time);
		result = look_among(c, query, e);
		free(query);
		free(time);
	}
	free(ref);
	return result;
}

/* 1: somebody may be at work on a request of ours still.  A time to come is from before the clock was set back. */
static int is_at_work(const struct remote *r)
{
	int64_t now = clock_now();

	return r->doubt != REMOTE_CERTAIN && r->asked_at <= now && now < r->asked_at + SETTLES;
}

/* CREATION_DONE with or without a number: what became of the last request is known. */
static enum creation_result settle(const struct creation *c, struct err *e)
{
	enum creation_result result = look(c, e);

	if (result != CREATION_DONE || c->r->number != 0)
		return result;
	if (is_at_work(c->r)) {
		(void)err_set(e, "it is looked for what became of a request to create a pipeline");
		c->r->tries = c->r->tries > 2 ? 2 : c->r->tries; /* every few seconds */
		return later(c, e);
	}
	return CREATION_DONE;
}

enum creation_result creation_end_doubles(const struct creation *c, struct err *e)
{
	enum creation_result result;

	if (c->r->doubt != REMOTE_DOUBTFUL || is_at_work(c->r))
		return CREATION_DONE;
	result = look(c, e);
	if (result == CREATION_DONE) {
		c->r->doubt = REMOTE_CERTAIN;
		if (remote_save(c->s, c->r, e) != 0)
			result = CREATION_FAULT;
	}
	return result;
}

/* ---- what the jobs are told ---- */

/* The tag that a label of the merge request names; the caller's to free(). */
static char *find_tag(const struct gitlab_merge_request *m)
{
	for (size_t i = 0; i < m->labels.n; i++) {
		const char *label = m->labels.v[i], *tag = label + strlen(RUNNER_LABEL);

		if (str_starts(label, RUNNER_LABEL) && *tag != '\0' && strlen(tag) <= MAX_TAG)
			return mem_strdup(tag);
	}
	return mem_strdup(CREATION_DEFAULT_TAG);
}

/* The merge request that brought our commit: that of a merge's second parent, or of the commit itself. */
static enum creation_result find_merge_request(
	const struct creation *c, struct gitlab_merge_request *out, struct err *e)
{
	struct strlist parents;
	enum gitlab_result result = gitlab_read_parents(c->g, c->p->sha, &parents, e);
	const char *sha = c->p->sha;

	memset(out, 0, sizeof(*out));
	if (result == GITLAB_DONE) {
		if (parents.n > 1)
			sha = parents.v[1];
		result = gitlab_find_merge_request(c->g, sha, branch_of(c->p), out, e);
	}
	strlist_clear(&parents);
	/* A project without merge requests, or a commit that GitLab does not show: there is none then. */
	if (result == GITLAB_MISSING) {
		err_clear(e);
		return CREATION_DONE;
	}
	return sort(c, result, e);
}

/* The newest that fit. */
static char *retrained_text(const struct retrainings *l)
{
	size_t first = l->n, len = 0;
	struct str s;

	while (first > 0) {
		const struct retraining *t = &l->v[first - 1];

		/* With two blanks and an end of line, which is escaped; "-" for nothing. */
		len += strlen(t->commit) + strlen(t->result) + strlen(t->before) + 6;
		if (len > MAX_RETRAINED)
			break;
		first--;
	}
	str_init(&s);
	for (size_t i = first; i < l->n; i++)
		str_addf(&s, "%s %s %s\n", l->v[i].commit, l->v[i].result,
			*l->v[i].before != '\0' ? l->v[i].before : "-");
	return str_steal(&s);
}

static void add(struct gitlab_variables *v, const char *key, const char *value)
{
	char *escaped = creation_escape(value);

	gitlab_variables_add(v, key, escaped);
	free(escaped);
}

static void add_number(struct gitlab_variables *v, const char *key, int64_t value)
{
	char *text = mem_format("%lld", (long long)value);

	gitlab_variables_add(v, key, text);
	free(text);
}

/*
 * Who may play the stages of our pipeline, as the server's configuration has it: the members of the chain's
 * roles, and the token's own user, which presses the buttons for those who play here.  GITLAB_DONE and *OUT,
 * the caller's to free(); "": anybody.
 */
static enum gitlab_result find_players(const struct creation *c, char **out, struct err *e)
{
	const struct config_chain *chain = config_chain(c->config, c->p->chain);
	enum gitlab_result result = GITLAB_DONE;
	int64_t own = 0;
	struct str s;

	*out = NULL;
	str_init(&s);
	if (chain != NULL && chain->start == CONFIG_START_MANUAL && chain->roles.n > 0) {
		result = gitlab_read_user(c->g, &own, e);
		str_addf(&s, "user-%lld", (long long)own);
		for (size_t i = 0; i < chain->roles.n; i++) {
			const struct config_role *role = config_role(c->config, chain->roles.v[i]);

			for (size_t k = 0; role != NULL && k < role->members.n; k++)
				str_addf(&s, ",%s", role->members.v[k]);
		}
	}
	if (result == GITLAB_DONE)
		*out = str_steal(&s);
	else
		str_clear(&s);
	return result;
}

/* *OUT: the variables, for gitlab_create(). */
static enum creation_result make_variables(
	const struct creation *c, struct gitlab_variables **out, struct err *e)
{
	struct gitlab_merge_request m = {0};
	struct retrainings retrained = {0};
	enum creation_result result = find_merge_request(c, &m, e);
	const struct pipeline *p = c->p;
	char *text, *cut, *tag, *players = NULL;

	if (result == CREATION_DONE)
		result = sort(c, find_players(c, &players, e), e);
	if (result == CREATION_DONE && store_retrainings(c->s, p->repository, &retrained, e) != 0)
		result = CREATION_FAULT;
	if (result == CREATION_DONE) {
		*out = gitlab_variables_new();
		add(*out, CREATION_CHAIN, p->chain);
		add(*out, CREATION_PLAYERS, players);
		add_number(*out, CREATION_PIPELINE, p->id);
		add(*out, CREATION_PUSH, p->push_id);
		add(*out, CREATION_PROJECT, p->project);
		add(*out, CREATION_SHA, p->sha);
		add(*out, CREATION_SOURCE, p->source);
		add(*out, CREATION_OWNER, pipeline_owner(p));
		add(*out, CREATION_USER, p->actor.name);
		add_number(*out, CREATION_CREATED, p->created_at);
		text = m.iid == 0 ? mem_strdup("")
				  : mem_format("%s%s%s (!%lld)", m.title,
					    *m.description != '\0' ? "\n\n" : "", m.description,
					    (long long)m.iid);
		cut = mem_strndup(text, strnlen(text, MAX_DESCRIPTION));
		tag = find_tag(&m);
		add(*out, CREATION_DESCRIPTION, cut);
		add(*out, CREATION_TAG, tag);
		free(tag);
		free(cut);
		free(text);
		text = retrained_text(&retrained);
		add(*out, CREATION_RETRAINED, text);
		free(text);
	}
	free(players);
	retrainings_clear(&retrained);
	gitlab_merge_request_clear(&m);
	return result;
}

/* ---- the request ---- */

static int claim(const struct creation *c, struct err *e)
{
	const struct stage_job job = {.config = c->config,
		.project = c->p->project,
		.chain = c->p->chain,
		.owner = pipeline_owner(c->p),
		.repository = c->p->repository};

	return owner_claim_all(&job, e);
}

/* Nothing was made, and GitLab has said so: nothing has to be looked for. */
static enum creation_result not_made(
	const struct creation *c, enum gitlab_result result, struct err *e)
{
	c->r->asked_at = 0;
	if (result == GITLAB_LATER ||
		(result == GITLAB_NO_REF &&
			(c->r->tries < MAX_NO_REF || !str_same(c->r->message, err_text(e)))))
		return later(c, e);
	if (result == GITLAB_NO_REF)
		(void)err_wrap(e, "the branch %s is not there any more", branch_of(c->p));
	return CREATION_FAILED;
}

static enum creation_result send(
	const struct creation *c, struct gitlab_variables *v, struct err *e)
{
	struct gitlab_pipeline made = {0};
	enum gitlab_result asked;
	enum creation_result result;
	enum remote_doubt before = c->r->doubt == REMOTE_CERTAIN ? REMOTE_CERTAIN : REMOTE_DOUBTFUL;

	/* If we end here, the next one has to find out whether it was made. */
	c->r->asked_at = clock_now();
	c->r->doubt = before == REMOTE_CERTAIN ? REMOTE_UNANSWERED : REMOTE_DOUBTFUL;
	if (remote_save(c->s, c->r, e) != 0) {
		gitlab_variables_free(v);
		return CREATION_FAULT;
	}
	asked = gitlab_create(c->g, branch_of(c->p), v, &made, e);
	/* Who has answered is not at work on it any more. */
	if (asked != GITLAB_UNCLEAR || !gitlab_is_at_work(c->g))
		c->r->doubt = before;
	if (asked == GITLAB_DONE)
		result = adopt(c, &made, e);
	else if (asked == GITLAB_UNCLEAR)
		result = later(c, e);
	else
		result = not_made(c, asked, e);
	gitlab_pipeline_clear(&made);
	return result;
}

/* Ours has ended meanwhile, and there is none on GitLab: that is that. */
static enum creation_result forget(const struct creation *c, struct err *e)
{
	c->r->asked_at = 0;
	c->r->doubt = REMOTE_CERTAIN;
	(void)err_set(e, "it has ended before it was made on GitLab");
	return remote_save(c->s, c->r, e) == 0 ? CREATION_LATER : CREATION_FAULT;
}

enum creation_result creation_try(const struct creation *c, struct err *e)
{
	struct gitlab_variables *v = NULL;
	enum creation_result result = CREATION_DONE;

	if (c->r->asked_at != 0) {
		result = settle(c, e);
		if (result != CREATION_DONE || c->r->number != 0)
			return result;
	}
	if (status_is_final(c->p->status))
		return forget(c, e);
	if (claim(c, e) != 0)
		return e->passing ? later(c, e) : CREATION_FAILED;
	result = make_variables(c, &v, e);
	return result == CREATION_DONE ? send(c, v, e) : result;
}
