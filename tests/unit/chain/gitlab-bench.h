/* A pipeline that is to run on GitLab, and a server with what GitLab answers, for the tests of common/chain. */
#ifndef MODELGATE_TESTS_CHAIN_GITLAB_BENCH_H
#define MODELGATE_TESTS_CHAIN_GITLAB_BENCH_H

#include "base/clock.h"
#include "chain/gitlab.h"
#include "fixture.h"
#include "remote.h"
#include "scripted.h"

#define SHA "2222222222222222222222222222222222222222"
#define OTHER_SHA "3333333333333333333333333333333333333333"
#define PUSH "01JDC6"

/* Answers. */
#define ANSWER(status, head, body)                                                                 \
	"HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n" head      \
	"\r\n" body
#define OK(body) ANSWER("200 OK", "", body)
#define MADE(body) ANSWER("201 Created", "", body)
#define PIPELINE(id, sha)                                                                          \
	"{\"id\":" id ",\"sha\":\"" sha "\",\"status\":\"created\",\"ref\":\"main\","              \
	"\"web_url\":\"http://h/-/pipelines/" id "\"}"
#define VARIABLES(number, push)                                                                    \
	OK("[{\"key\":\"X\",\"value\":\"1\"},{\"key\":\"MODELGATE_PIPELINE\",\"value\":\"" number  \
	   "\"},{\"key\":\"MODELGATE_PUSH\",\"value\":\"" push                                     \
	   "\"},{\"key\":\"MODELGATE_SHA\",\"value\":\"" SHA "\"}]")
#define OURS VARIABLES("1", PUSH)
#define PARENTS OK("{\"id\":\"" SHA "\",\"parent_ids\":[]}")
#define NONE OK("[]")

struct bench {
	struct scripted server;
	struct store *s;
	struct config *c;
	char *system_file;
	char *log;
	const char *state;
};

/* Nothing is landed so far.  The server answers with ANSWERS, up to NULL. */
static inline void bench_open(struct bench *b, const char *state, const char *const *answers)
{
	struct err e = ERR_INIT;
	char *token = path_join(state, "token"), *run = path_join(state, CONFIG_STATE_RUN), *text;
	size_t n = 0;

	memset(b, 0, sizeof(*b));
	while (answers[n] != NULL)
		n++;
	b->state = state;
	b->log = path_join(state, "requests");
	scripted_init(&b->server, b->log);
	scripted_start(&b->server, answers, n);
	assert_result(files_make_folder(run, 0700, &e), 0, &e);
	assert_result(files_replace(token, "glpat-s3cret\n", 13, 0600, &e), 0, &e);
	text = mem_format("[modelgate]\nstate = %s\n[identity]\nsource = gitlab\n[launcher]\n"
			  "kind = gitlab\nurl = http://127.0.0.1:%u\ntoken-file = %s\n",
		state, b->server.port, token);
	b->system_file = path_join(state, "system.ini");
	assert_result(files_replace(b->system_file, text, strlen(text), 0600, &e), 0, &e);
	b->c = fixture_config(text);
	b->s = fixture_store(state);
	free(text);
	free(token);
	free(run);
}

/* Pipeline 1 of the chain CHAIN on main, of GitLab's project 5. */
static inline int64_t bench_land(struct bench *b, const char *chain)
{
	char *repository = path_join(b->state, "shop.git");
	struct intent i = fixture_intent(repository, "main", "1", "2", chain);
	struct landing l = {.intent = &i};
	struct err e = ERR_INIT;
	int64_t id;

	assert_result(files_make_folder(repository, 0700, &e), 0, &e);
	free(i.gl_repository);
	i.gl_repository = mem_strdup("project-5");
	fixture_record(b->s, &i);
	assert_result(landing_record(b->s, b->c, &l, 1, LANDING_BY_POST_RECEIVE, &e), 0, &e);
	id = l.pipeline;
	landing_clear(&l);
	intent_clear(&i);
	free(repository);
	return id;
}

/* What a request asks for, in a word or two. */
static inline void bench_add_request(struct str *out, const char *line)
{
	static const struct {
		const char *part, *word;
	} words[] = {
		{"/pipeline HTTP", "create"},
		{"/cancel HTTP", "cancel"},
		{"/variables?", "variables"},
		{"/pipelines?sha=", "of-commit"},
		{"/pipelines?ref=", "of-branch"},
		{"/merge_requests HTTP", "merge-requests"},
		{"/merge_base?", "merge-base"},
		{"/repository/commits/", "commit"},
		{"/jobs?", "jobs"},
		{"/trace HTTP", "trace"},
		{"/artifacts/", "report"},
		{"/play HTTP", "play"},
		{"/retry HTTP", "retry"},
	};
	const char *id = strstr(line, "/pipelines/");
	size_t i = 0;

	while (i < sizeof(words) / sizeof(words[0]) && strstr(line, words[i].part) == NULL)
		i++;
	str_addf(out, "%s%s", out->len > 0 ? " " : "",
		i < sizeof(words) / sizeof(words[0]) ? words[i].word : line);
	if (id != NULL && strstr(line, "/jobs?") == NULL)
		str_addf(out, ":%.*s", (int)strspn(id + 11, "0123456789"), id + 11);
}

/* The requests so far; the caller's to free(). */
static inline char *bench_requests(const struct bench *b)
{
	struct str text, out;
	struct strlist lines = {0};

	str_init(&text);
	str_init(&out);
	(void)files_read(b->log, 1 << 22, &text, NULL); /* none so far: no file */
	strlist_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.n; i++)
		if (strstr(lines.v[i], " HTTP/1.1") != NULL)
			bench_add_request(&out, lines.v[i]);
	strlist_clear(&lines);
	str_clear(&text);
	return str_steal(&out);
}

#define assert_requests(b, expected, what)                                                         \
	do {                                                                                       \
		char *asked_ = bench_requests(b);                                                  \
		if (strcmp(asked_, expected) != 0)                                                 \
			fail_msg("%s: asked \"%s\", not \"%s\"", what, asked_, expected);          \
		free(asked_);                                                                      \
	} while (0)

static inline void bench_close(struct bench *b)
{
	(void)scripted_end(&b->server);
	store_close(b->s);
	config_free(b->c);
	free(b->system_file);
	free(b->log);
}

#endif
