/* What comes of a request, what is sent for it, and when it is sent again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "net/http.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "scratch.h"
#include "scripted.h"
#include "sys/files.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
#define EMPTY(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"
#define ASK(status, seconds)                                                                       \
	"HTTP/1.1 " status "\r\nRetry-After: " seconds "\r\nContent-Length: 0\r\n\r\n"
#define TOKEN "s3cret-token"
#define MAX 8 /* bytes of an answer that are taken */

static const char *const names[] = {"answered", "not sent", "unclear", "ended"};

/* A session with a server that has N answers. */
struct bench {
	struct scripted s;
	struct http *h;
	char *url;
	struct http_request r;
	struct http_answer a;
	struct err e;
};

/* One that hangs is given up after a second; a machine that is busy has time for the others. */
static void bench_open(struct bench *b, const char *const *answers, size_t n)
{
	const struct http_settings settings = {
		.timeout = n == 1 && str_starts(answers[0], SCRIPTED_HANG) ? 1 : 60};

	memset(b, 0, sizeof(*b));
	scripted_init(&b->s, "requests");
	b->url = mem_format("http://user:pass@127.0.0.1:%u/a?token=" TOKEN, b->s.port);
	b->r = (struct http_request){.method = "GET", .url = b->url, .max = MAX};
	scripted_start(&b->s, answers, n);
	assert_int_equal(http_new(&b->h, &settings, NULL), 0);
}

/* How many requests came. */
static size_t bench_close(struct bench *b)
{
	http_free(b->h);
	free(b->url);
	err_clear(&b->e);
	return scripted_end(&b->s);
}

/* What came there, the caller's to free(). */
static char *heard(void)
{
	struct str text;

	str_init(&text);
	assert_int_equal(files_read("requests", 1 << 20, &text, NULL), 1);
	return str_steal(&text);
}

/* ---- what an answer is ---- */

static void test_results(void **state)
{
	static const struct {
		const char *answer; /* NULL: nobody listens */
		enum http_result result;
		long status;
		const char *text; /* the body, or part of what is said */
		int passing;
		int64_t retry_after;
		const char *type;
	} rows[] = {
		{OK, HTTP_ANSWERED, 200, "{}", 0, -1, ""},
		{EMPTY("204 No"), HTTP_ANSWERED, 204, "", 0, -1, ""},
		{"HTTP/1.1 404 No\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\nno",
			HTTP_ANSWERED, 404, "no", 0, -1, "text/html"},
		{EMPTY("500 No"), HTTP_ANSWERED, 500, "", 0, -1, ""},
		/* the maximum, and one more, announced or not */
		{"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678", HTTP_ANSWERED, 200,
			"12345678", 0, -1, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", HTTP_UNCLEAR, 0,
			"longer than 8 bytes", 1, -1, ""},
		{"HTTP/1.1 500 No\r\n\r\n123456789", HTTP_UNCLEAR, 0, "longer than 8 bytes", 1, -1,
			""},
		/* as it never was */
		{NULL, HTTP_NOT_SENT, 0, "Failed to connect", 1, -1, ""},
		{"", HTTP_UNCLEAR, 0, "Empty reply", 1, -1, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", HTTP_UNCLEAR, 0,
			"bytes remaining to read", 1, -1, ""},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", HTTP_UNCLEAR, 0,
			"transfer closed", 1, -1, ""},
		{SCRIPTED_HANG, HTTP_UNCLEAR, 0, "timed out", 1, -1, ""},
		{SCRIPTED_HANG "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", HTTP_UNCLEAR, 0,
			"timed out", 1, -1, ""},
		{"SSH-2.0-x\r\n", HTTP_UNCLEAR, 0, "HTTP/0.9", 1, -1, ""},
		/* when to come again */
		{ASK("503 No", "7"), HTTP_ANSWERED, 503, "", 0, 7, ""},
		{ASK("503 No", "0"), HTTP_ANSWERED, 503, "", 0, 0, ""},
		{ASK("503 No", "Sun, 06 Nov 1994 08:49:37 GMT"), HTTP_ANSWERED, 503, "", 0, 0, ""},
		{ASK("503 No", "soon"), HTTP_ANSWERED, 503, "", 0, -1, ""},
		{ASK("503 No", "-1"), HTTP_ANSWERED, 503, "", 0, -1, ""},
		{ASK("503 No", "99999999999999999999"), HTTP_ANSWERED, 503, "", 0, -1, ""},
		/* nobody is followed without being told so */
		{"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
			HTTP_ANSWERED, 302, "", 0, -1, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		enum http_result result;

		bench_open(&b, &rows[i].answer, rows[i].answer != NULL);
		if (rows[i].answer == NULL)
			scripted_stop(&b.s);
		result = http_do(b.h, &b.r, &b.a, &b.e);
		if (result != rows[i].result || b.a.status != rows[i].status)
			fail_msg("row %zu: %s with status %ld: %s", i, names[result], b.a.status,
				err_text(&b.e));
		if (result == HTTP_ANSWERED) {
			assert_string_equal(b.a.body.buf, rows[i].text);
			assert_string_equal(b.a.type, rows[i].type);
			assert_int_equal(b.a.retry_after, rows[i].retry_after);
			http_answer_clear(&b.a);
		} else {
			if (strstr(err_text(&b.e), rows[i].text) == NULL)
				fail_msg("row %zu says %s", i, err_text(&b.e));
			assert_int_equal(b.e.passing, rows[i].passing);
			assert_null(strstr(err_text(&b.e), TOKEN));
			assert_null(strstr(err_text(&b.e), "pass@"));
		}
		assert_int_equal(bench_close(&b), rows[i].answer != NULL);
	}
}

/* Where the beginning is enough: of what was asked for, and of nothing else. */
static void test_cut(void **state)
{
	static const struct {
		const char *answer;
		enum http_result result;
		const char *text;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678", HTTP_ANSWERED, "12345678"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", HTTP_ANSWERED,
			"12345678"},
		{"HTTP/1.1 200 OK\r\n\r\n1234567890abcdef", HTTP_ANSWERED, "12345678"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234", HTTP_UNCLEAR, "remaining"},
		{"HTTP/1.1 404 No\r\n\r\n123456789", HTTP_UNCLEAR, "longer than 8 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;
		enum http_result result;
		const char *got;

		bench_open(&b, &rows[i].answer, 1);
		b.r.excess = HTTP_EXCESS_CUT;
		result = http_do(b.h, &b.r, &b.a, &b.e);
		got = result == HTTP_ANSWERED ? b.a.body.buf : err_text(&b.e);
		if (result != rows[i].result || strstr(got, rows[i].text) == NULL)
			fail_msg("row %zu: %s, %s", i, names[result], got);
		if (result == HTTP_ANSWERED) {
			assert_int_equal(b.a.body.len, strlen(rows[i].text));
			assert_int_equal(b.a.status, 200);
			http_answer_clear(&b.a);
		}
		assert_int_equal(bench_close(&b), 1);
	}
}

/* A date that is to come is told in the seconds until then. */
static void test_date(void **state)
{
	time_t then = (time_t)(clock_now() / CLOCK_SECOND) + 100;
	char text[64], *answer;
	struct bench b;
	struct tm tm;

	(void)state;
	assert_true(gmtime_r(&then, &tm) != NULL);
	assert_true(strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
	answer =
		mem_format("HTTP/1.1 429 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", text);
	bench_open(&b, (const char *const *)&answer, 1);
	assert_int_equal(http_do(b.h, &b.r, &b.a, &b.e), HTTP_ANSWERED);
	assert_true(b.a.retry_after > 90 && b.a.retry_after <= 100);
	http_answer_clear(&b.a);
	assert_int_equal(bench_close(&b), 1);
	free(answer);
}

static void test_lasting(void **state)
{
	static const char *const urls[] = {
		"ftp://127.0.0.1/a", "file:///etc/passwd", "http://", ""};
	const struct http_settings settings = {.timeout = 1};
	struct http *h = NULL;

	(void)state;
	assert_int_equal(http_new(&h, &settings, NULL), 0);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const struct http_request r = {.method = "GET", .url = urls[i], .max = MAX};
		struct http_answer a;
		struct err e = ERR_INIT;

		if (http_do(h, &r, &a, &e) != HTTP_NOT_SENT || e.passing)
			fail_msg("%s: %s", urls[i], err_text(&e));
		err_clear(&e);
	}
	http_free(h);
}

/* ---- what is sent ---- */

static void test_sent(void **state)
{
	static const struct {
		const char *secret; /* NULL: none */
		const char *method;
		const char *body;
		const char *there[3]; /* what must stand in the request */
		const char *absent;
	} rows[] = {
		{NULL, "GET", NULL, {"GET /a?token=" TOKEN " HTTP/1.1\r\n"}, "Content-Type"},
		{"bob:pa:ss", "GET", NULL, {"Authorization: Basic Ym9iOnBhOnNz\r\n"}, "Bearer"},
		{TOKEN, "GET", NULL, {"Authorization: Bearer " TOKEN "\r\n"}, "Basic"},
		{":x", "GET", NULL, {"Authorization: Basic Ong=\r\n"}, "Bearer"},
		{TOKEN, "POST", "{\"a\":1}",
			{"POST /a", "Content-Type: application/json\r\n", "\r\n\r\n{\"a\":1}"},
			"Expect"},
		{TOKEN, "DELETE", "{}", {"DELETE /a", "Content-Length: 2\r\n"}, "Expect"},
		{TOKEN, "PATCH", "", {"PATCH /a", "Content-Length: 0\r\n"}, "Origin"},
	};
	static const char *const answers[] = {OK};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_credentials c;
		char *user = NULL, *text;
		struct bench b;

		bench_open(&b, answers, 1);
		if (rows[i].secret != NULL) {
			http_credentials_parse(&c, &user, rows[i].secret);
			b.r.credentials = &c;
		}
		/* The address itself would give a login, too. */
		free(b.url);
		b.url = mem_format("http://127.0.0.1:%u/a?token=" TOKEN, b.s.port);
		b.r.url = b.url;
		b.r.method = rows[i].method;
		if (rows[i].body != NULL) {
			b.r.type = "application/json";
			b.r.body = rows[i].body;
			b.r.len = strlen(rows[i].body);
		}
		assert_int_equal(http_do(b.h, &b.r, &b.a, &b.e), HTTP_ANSWERED);
		http_answer_clear(&b.a);
		text = heard();
		for (size_t k = 0; k < 3 && rows[i].there[k] != NULL; k++)
			if (strstr(text, rows[i].there[k]) == NULL)
				fail_msg("row %zu: no \"%s\" in:\n%s", i, rows[i].there[k], text);
		if (strstr(text, rows[i].absent) != NULL)
			fail_msg("row %zu: \"%s\" in:\n%s", i, rows[i].absent, text);
		free(text);
		free(user);
		assert_int_equal(bench_close(&b), 1);
	}
}

static int sink(void *context, const void *bytes, size_t len, struct err *e)
{
	struct str *s = context;

	str_addn(s, bytes, len);
	return strchr(s->buf, '!') == NULL ? 0 : err_set(e, "enough");
}

/* With a sink redirects are followed, and the size is the sink's affair. */
static void test_sink(void **state)
{
	static const struct {
		const char *answer;
		enum http_result result;
		const char *got;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890", HTTP_ANSWERED,
			"1234567890"},
		{"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", HTTP_ANSWERED, ""},
		{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na!b", HTTP_ENDED, "a!b"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", HTTP_UNCLEAR, "ab"},
		{"HTTP/1.1 302 Go\r\nLocation: ftp://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
			HTTP_UNCLEAR, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *answers[2] = {EMPTY("302 Go\r\nLocation: /b"), rows[i].answer};
		enum http_result result;
		struct bench b;
		struct str s;

		str_init(&s);
		bench_open(&b, answers, 2);
		b.r.sink = sink;
		b.r.context = &s;
		result = http_do(b.h, &b.r, &b.a, &b.e);
		if (result != rows[i].result)
			fail_msg("row %zu: %s: %s", i, names[result], err_text(&b.e));
		assert_string_equal(s.buf, rows[i].got);
		if (result == HTTP_ANSWERED)
			http_answer_clear(&b.a);
		if (result == HTTP_ENDED)
			assert_string_equal(err_text(&b.e), "enough");
		str_clear(&s);
		assert_int_equal(bench_close(&b), 2);
	}
}

/* ---- again ---- */

/*
 * The second request goes out on the connection of the first one, and gets no answer: libcurl takes
 * that for a connection that was too old, and sends it again by itself.
 */
static void test_used_connection(void **state)
{
	static const struct {
		enum http_repeat repeat;
		enum http_result result;
		size_t requests;
	} rows[] = {
		{HTTP_ONCE, HTTP_UNCLEAR, 2},
		{HTTP_REPEATABLE, HTTP_ANSWERED, 3},
	};
	static const char *const answers[] = {SCRIPTED_STAY OK, "", OK};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum http_result result;
		struct bench b;

		bench_open(&b, answers, 3);
		b.r.repeat = HTTP_REPEATABLE;
		assert_int_equal(http_do(b.h, &b.r, &b.a, &b.e), HTTP_ANSWERED);
		http_answer_clear(&b.a);
		b.r.method = "POST";
		b.r.body = "{}";
		b.r.len = 2;
		b.r.repeat = rows[i].repeat;
		result = http_do(b.h, &b.r, &b.a, &b.e);
		if (result != rows[i].result)
			fail_msg("row %zu: %s", i, names[result]);
		if (result == HTTP_ANSWERED)
			http_answer_clear(&b.a);
		assert_int_equal(bench_close(&b), rows[i].requests);
	}
}

static int n_told;

static void tell(const char *line)
{
	n_told++;
	assert_non_null(strstr(line, "tried again in "));
	assert_null(strstr(line, TOKEN));
	assert_null(strstr(line, "pass@"));
}

static void test_persist(void **state)
{
	static const struct {
		const char *first;
		enum http_repeat repeat;
		size_t requests;
		long status; /* 0: none */
	} rows[] = {
		{OK, HTTP_REPEATABLE, 1, 200},
		{EMPTY("400 No"), HTTP_REPEATABLE, 1, 400},
		{EMPTY("404 No"), HTTP_REPEATABLE, 1, 404},
		{EMPTY("501 No"), HTTP_REPEATABLE, 1, 501},
		{EMPTY("429 No"), HTTP_ONCE, 2, 200},
		{ASK("503 No", "0"), HTTP_ONCE, 2, 200},
		{EMPTY("503 No"), HTTP_ONCE, 1, 503},
		{EMPTY("503 No"), HTTP_REPEATABLE, 2, 200},
		{EMPTY("500 No"), HTTP_ONCE, 1, 500},
		{ASK("500 No", "0"), HTTP_ONCE, 1, 500},
		{EMPTY("500 No"), HTTP_REPEATABLE, 2, 200},
		{EMPTY("502 No"), HTTP_ONCE, 1, 502},
		{EMPTY("502 No"), HTTP_REPEATABLE, 2, 200},
		{EMPTY("504 No"), HTTP_ONCE, 1, 504},
		{EMPTY("504 No"), HTTP_REPEATABLE, 2, 200},
		{"", HTTP_ONCE, 1, 0},
		{"", HTTP_REPEATABLE, 2, 200},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", HTTP_ONCE, 1, 0},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}", HTTP_REPEATABLE, 2, 200},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *answers[2] = {rows[i].first, OK};
		struct bench b;
		enum http_result result;

		n_told = 0;
		bench_open(&b, answers, 2);
		b.r.repeat = rows[i].repeat;
		result = http_persist(b.h, &b.r, &b.a, tell, &b.e);
		if ((result == HTTP_ANSWERED) != (rows[i].status != 0) ||
			b.a.status != rows[i].status)
			fail_msg("row %zu: %s with status %ld", i, names[result], b.a.status);
		if (result == HTTP_ANSWERED)
			http_answer_clear(&b.a);
		else
			assert_int_equal(b.e.passing, 1);
		assert_int_equal(n_told, rows[i].requests - 1);
		assert_int_equal(bench_close(&b), rows[i].requests);
	}
}

/* Nobody listens: tried so often and no more, even what may be sent once alone. */
static void test_tries(void **state)
{
	struct bench b;

	(void)state;
	n_told = 0;
	bench_open(&b, NULL, 0);
	scripted_stop(&b.s);
	assert_int_equal(http_persist(b.h, &b.r, &b.a, tell, &b.e), HTTP_NOT_SENT);
	assert_int_equal(n_told, HTTP_TRIES - 1);
	assert_int_equal(b.e.passing, 1);
	assert_int_equal(bench_close(&b), 0);
}

static void test_pauses(void **state)
{
	static const struct {
		int try;
		int64_t retry_after;
		long min, max; /* ms */
	} rows[] = {
		{0, -1, 125, 250},
		{1, -1, 250, 500},
		{2, -1, 500, 1000},
		{0, 0, 125, 250},
		{2, 0, 125, 250},
		{0, 5, 5125, 5250},
		{0, HTTP_MAX_PAUSE, 30125, 30250},
		{0, INT32_MAX, 30125, 30250},
		{0, INT64_MAX, 30125, 30250},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int k = 0; k < 100; k++) {
			long ms = http_pause_ms(rows[i].try, rows[i].retry_after);

			if (ms < rows[i].min || ms > rows[i].max)
				fail_msg("row %zu: %ld ms", i, ms);
		}
}

/* ---- text ---- */

static void test_text(void **state)
{
	static const struct {
		char *(*make)(const char *text);
		const char *text;
		const char *expected;
	} rows[] = {
		{http_shown, "https://h/a", "https://h/a"},
		{http_shown, "https://u:p@h:8/a?token=x#y", "https://h:8/a"},
		{http_shown, "https://u:p@ss@h/a@b", "https://h/a@b"},
		{http_shown, "https://u:p@ss@h", "https://h"},
		{http_shown, "https://h/a@b", "https://h/a@b"},
		{http_shown, "https://h?u@x", "https://h"},
		{http_shown, "h/a?x", "h/a"},
		{http_escape, "aZ09-._~", "aZ09-._~"},
		{http_escape, "a b/c='\xc3\xa9'&", "a%20b%2Fc%3D%27%C3%A9%27%26"},
		{http_escape, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = rows[i].make(rows[i].text);

		assert_string_equal(got, rows[i].expected);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_results),
		scratch_test(test_cut),
		scratch_test(test_date),
		cmocka_unit_test(test_lasting),
		scratch_test(test_sent),
		scratch_test(test_sink),
		scratch_test(test_used_connection),
		scratch_test(test_persist),
		scratch_test(test_tries),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
