/*
 * Any bytes are an answer of GitLab's that means something, or a fault in words without the token.
 *
 * About: common/chain/gitlab-answer.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "chain/gitlab.h"
#include "data/json.h"

#define SECRET "s3cret-token"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* *E has words where RESULT is a fault, and is free of what a terminal would obey. */
static void check(int result, struct err *e)
{
	if ((result == 0) != (e->text == NULL))
		abort();
	for (const char *p = err_text(e); *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
	err_clear(e);
}

static void look_at_pipeline(const struct json *j)
{
	struct gitlab_pipeline p;
	struct err e = ERR_INIT;
	int result = gitlab_parse_pipeline(&p, j, &e);

	check(result, &e);
	if (result == 0 && (p.id <= 0 || (strlen(p.sha) != 40 && strlen(p.sha) != 64) ||
				   p.ref == NULL || p.source == NULL || p.web_url == NULL))
		abort();
	if (result != 0 && (p.id != 0 || p.sha != NULL))
		abort();
	gitlab_pipeline_clear(&p);
}

static void look_at_job(const struct json *j)
{
	struct gitlab_jobs l = {mem_zalloc(1, sizeof(*l.v)), 1, 1};
	const struct gitlab_job *job = l.v;
	struct err e = ERR_INIT;
	int result = gitlab_parse_job(l.v, j, &e);

	check(result, &e);
	if (result == 0 && (job->id <= 0 || *job->name == '\0' || job->user_id < 0 ||
				   (int)job->status >= STATUS_COUNT || job->username == NULL ||
				   gitlab_jobs_find(&l, job->name) != job))
		abort();
	if (result != 0 && job->name != NULL)
		abort();
	gitlab_jobs_clear(&l);
}

static void look_at_merge_requests(const struct json *j)
{
	struct gitlab_merge_request m;
	struct err e = ERR_INIT;
	int result = gitlab_parse_merge_requests(&m, j, "main", &e);

	check(result, &e);
	if (m.iid < 0 || (m.iid > 0) != (m.title != NULL) || (m.iid > 0) != (m.description != NULL))
		abort();
	if (result != 0 && m.iid != 0)
		abort();
	gitlab_merge_request_clear(&m);
}

static void look_at_refusal(const char *text, size_t len)
{
	static const long statuses[] = {204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 502};

	for (size_t i = 0; i < 2 * sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct gitlab_refusal r = {.method = i % 2 ? "POST" : "GET",
			.what = "doing",
			.key = "/token",
			.right = "a role",
			.secret = SECRET,
			.status = statuses[i / 2],
			.text = text,
			.len = len};
		struct err e = ERR_INIT;
		int is_state = -1;
		enum gitlab_result result = gitlab_sort(&r, &is_state, &e);

		if (result == GITLAB_DONE || (result == GITLAB_UNCLEAR && i % 2 == 0) ||
			(is_state != 0 && result != GITLAB_REFUSED) ||
			e.passing != (result != GITLAB_REFUSED && result != GITLAB_MISSING) ||
			strstr(err_text(&e), SECRET) != NULL || strlen(err_text(&e)) > 1500)
			abort();
		check(-1, &e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = mem_strndup((const char *)bytes, len);
	struct json *j = NULL;

	look_at_refusal(text, len);
	if (json_parse(&j, text, len, NULL) == 0) {
		look_at_merge_requests(j);
		look_at_pipeline(j);
		look_at_job(j);
		for (size_t i = 0; i < json_length(j); i++) {
			look_at_pipeline(json_at(j, i));
			look_at_job(json_at(j, i));
		}
	}
	json_free(j);
	free(text);
	return 0;
}
