/* http_persist(): which answers are worth another try, and how long to wait for it. */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"

#define FIRST_PAUSE_MS 250

static int is_worth_it(
	const struct http_request *r, enum http_result result, const struct http_answer *a)
{
	if (result == HTTP_NOT_SENT)
		return 1;
	if (result == HTTP_UNCLEAR)
		return r->repeat == HTTP_REPEATABLE;
	if (result != HTTP_ANSWERED)
		return 0;
	if (a->status == 429 || (a->status == 503 && a->retry_after >= 0))
		return 1;
	return r->repeat == HTTP_REPEATABLE &&
	       (a->status == 500 || a->status == 502 || a->status == 503 || a->status == 504);
}

/* From half of D milliseconds to D, so that many who failed together do not come again together. */
static long jitter(long d)
{
	unsigned short random = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = 0x8000; /* a middling pause */
	return d / 2 + d / 2 * random / 0xffff;
}

long http_pause_ms(int try, int64_t retry_after)
{
	if (retry_after >= 0)
		return (long)(retry_after < HTTP_MAX_PAUSE ? retry_after : HTTP_MAX_PAUSE) * 1000 +
		       jitter(FIRST_PAUSE_MS);
	return jitter((long)FIRST_PAUSE_MS << try);
}

void http_sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

static void tell_pause(void (*tell)(const char *line), const struct http_request *r,
	enum http_result result, const struct http_answer *a, const struct err *e, long ms)
{
	char *url = http_shown(r->url), *line;

	if (result == HTTP_ANSWERED)
		line = mem_format(
			"%s %s: status %ld; tried again in %ld ms", r->method, url, a->status, ms);
	else
		line = mem_format("%s; tried again in %ld ms", err_text(e), ms);
	if (tell != NULL)
		tell(line);
	free(line);
	free(url);
}

enum http_result http_persist(struct http *h, const struct http_request *r, struct http_answer *a,
	void (*tell)(const char *line), struct err *e)
{
	enum http_result result;
	struct err own = ERR_INIT;

	for (int try = 0;; try++) {
		long ms;

		err_clear(&own);
		result = http_do(h, r, a, &own);
		if (try + 1 >= HTTP_TRIES || (result != HTTP_ANSWERED && !own.passing) ||
			!is_worth_it(r, result, a))
			break;
		ms = http_pause_ms(try, result == HTTP_ANSWERED ? a->retry_after : -1);
		tell_pause(tell, r, result, a, &own, ms);
		if (result == HTTP_ANSWERED)
			http_answer_clear(a);
		http_sleep_ms(ms);
	}
	if (result != HTTP_ANSWERED) {
		(void)err_set(e, "%s", err_text(&own));
		if (e != NULL)
			e->passing = own.passing;
	}
	err_clear(&own);
	return result;
}
