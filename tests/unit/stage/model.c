/* The model: what a remote answers, file and folder, and what becomes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/model.h"

#include <unistd.h>

#include "fixture.h"
#include "scripted.h"

#define MODEL "the model"
#define MODEL_MD5 "6b90ceb000b1cab95daa3c5d8bd5f97b"
#define OBJECT "/m/files/md5/6b/90ceb000b1cab95daa3c5d8bd5f97b"
#define POINTER "outs:\n- md5: " MODEL_MD5 "\n  size: 9\n  hash: md5\n  path: model.pkl\n"
#define ANSWER(status, length, body)                                                               \
	"HTTP/1.1 " status "\r\nContent-Length: " length "\r\n\r\n" body
#define WHOLE ANSWER("200 OK", "9", MODEL)
#define CUT ANSWER("200 OK", "9", "the m")
#define BUSY ANSWER("503 Busy", "4", "busy")

/* KEYS: of the remote, beside its url. */
static void set_remote(struct fixture *f, const char *url, const char *keys)
{
	char *text = mem_format("[core]\nremote = r\n['remote \"r\"']\nurl = %s\n%s", url, keys);

	fixture_commit(f, "main", ".dvc/config", text);
	free(text);
}

static void assert_model(const struct fixture *f, const char *path, const char *expected)
{
	char *full = mem_format("%s/context/%s", f->work, path);
	struct str text;

	str_init(&text);
	if (files_read(full, 1 << 20, &text, NULL) != (expected != NULL) ||
		!str_same(text.buf, expected))
		fail_msg("%s holds \"%s\", not \"%s\"", full, text.buf, expected ? expected : "");
	str_clear(&text);
	free(full);
}

static void assert_asked(const char *log, const char *part, int is_there)
{
	struct str text;

	str_init(&text);
	(void)files_read(log, 1 << 20, &text, NULL); /* nobody may have asked */
	if ((strstr(text.buf, part) != NULL) != is_there)
		fail_msg("\"%s\" is%s among what was asked:\n%s", part, is_there ? " not" : "",
			text.buf);
	str_clear(&text);
}

struct exchange {
	const char *answers[5];
	size_t requests;
	const char *fault; /* part of what is said; NULL: the model is there */
	int passing;
	const char *asked; /* part of the requests; NULL */
	const char *keys;  /* of the remote; NULL */
};

static void run_exchange(struct fixture *f, const struct exchange *x, size_t row)
{
	struct scripted s;
	struct err e = ERR_INIT;
	size_t n = 0, requests;
	char *url;
	int result;

	while (n < 5 && x->answers[n] != NULL)
		n++;
	scripted_init(&s, "requests");
	url = mem_format("http://127.0.0.1:%u/m/", s.port);
	set_remote(f, url, x->keys != NULL ? x->keys : "");
	scripted_start(&s, x->answers, n);
	result = fixture_run(f, stage_build, &e);
	requests = scripted_end(&s);
	if (requests != x->requests || (result == 0) != (x->fault == NULL) ||
		e.passing != x->passing)
		fail_msg("row %zu: %d, %zu requests, passing %d: %s", row, result, requests,
			e.passing, err_text(&e));
	if (x->asked != NULL)
		assert_asked("requests", x->asked, 1);
	assert_model(f, "rkl/model.pkl", x->fault == NULL ? MODEL : NULL);
	if (x->fault != NULL)
		assert_says(&e, x->fault);
	free(url);
}

static void test_http(void **state)
{
	static const struct exchange rows[] = {
		{{WHOLE}, 1, NULL, 0, "GET " OBJECT " HTTP/1.1\r\n", NULL},
		{{BUSY, WHOLE}, 2, NULL, 0, NULL, NULL},
		{{"", WHOLE}, 2, NULL, 0, NULL, NULL},
		{{CUT, "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n"
		       "Content-Range: bytes 5-8/9\r\n\r\nodel"},
			2, NULL, 0, "Range: bytes=5-\r\n", NULL},
		/* a server that cannot go on, or has something else there */
		{{CUT, WHOLE, WHOLE}, 3, NULL, 0, NULL, NULL},
		{{CUT, "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n"
		       "Content-Range: bytes 5-8/9\r\n\r\nODEL"},
			2, "has md5 ", 0, NULL, NULL},
		{{"HTTP/1.1 200 OK\r\n\r\n" MODEL}, 1, NULL, 0, NULL, NULL},
		{{"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n", WHOLE}, 2,
			NULL, 0, "GET /there HTTP/1.1\r\n", NULL},
		{{BUSY, BUSY, BUSY, BUSY, WHOLE}, 4, "answers with status 503", 1, NULL, NULL},
		{{CUT, "", "", ""}, 4, "the model of rkl/model.pkl.dvc", 1, NULL, NULL},
		{{ANSWER("404 Not Found", "4", "none")}, 1,
			"the model of rkl/model.pkl.dvc is not in DVC remote r: there is no "
			"http://",
			0, NULL, NULL},
		{{ANSWER("404 Not Found", "4", "none")}, 1, "dvc push", 0, NULL, NULL},
		{{ANSWER("403 Forbidden", "2", "no")}, 1,
			"answers with status 403: user and password of the remote belong into "
			".dvc/config",
			0, NULL, NULL},
		{{ANSWER("400 Bad Request", "2", "no")}, 1, "answers with status 400", 0, NULL,
			NULL},
		{{ANSWER("200 OK", "10", MODEL "!")}, 1,
			"in DVC remote r: it has more than the 9 bytes that it may have", 0, NULL,
			NULL},
		{{ANSWER("200 OK", "8", "the mode")}, 1, "and 8 bytes, but rkl/model.pkl.dvc says",
			0, NULL, NULL},
		{{ANSWER("200 OK", "9", "the modem")}, 1,
			"and 9 bytes, but rkl/model.pkl.dvc says md5 " MODEL_MD5, 0, NULL, NULL},
		{{ANSWER("200 OK", "0", "")}, 1, "and 0 bytes, but", 0, NULL, NULL},
		/* who asks; "user:word" in base 64 */
		{{WHOLE}, 1, NULL, 0, "Authorization: Basic dXNlcjp3b3Jk\r\n",
			"auth = basic\nuser = user\npassword = word\n"},
		{{WHOLE}, 0, "auth = basic wants user and password", 0, NULL,
			"auth = basic\nuser = user\n"},
		{{WHOLE}, 0, "auth = digest is for [build] model-fetch = dvc", 0, NULL,
			"auth = digest\nuser = user\npassword = word\n"},
		{{WHOLE}, 0, "has version_aware = true", 0, NULL, "version_aware = true\n"},
		{{WHOLE}, 0, "has worktree = true", 0, NULL, "worktree = true\n"},
		{{WHOLE}, 1, NULL, 0, NULL, "version_aware = false\nssl_verify = false\n"},
	};
	struct fixture f;

	fixture_init(&f, state, "");
	fixture_commit(&f, "main", "rkl/model.pkl.dvc", POINTER);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_exchange(&f, &rows[i], i);
	fixture_clear(&f);
}

/* Where whoever may push cannot send us. */
static void test_places(void **state)
{
	static const struct {
		const char *url;
		const char *keys;
		const char *allowed; /* model-remotes; NULL: the url itself */
		const char *fault;
		int passing;
	} rows[] = {
		{"http://169.254.169.254/m", "", "", "the address is one of this link alone", 0},
		{"http://[fe80::1]/m", "", "", "the address is one of this link alone", 0},
		{"http://[::ffff:169.254.169.254]/m", "", "",
			"the address is one of this link alone", 0},
		{"http://[fd00:ec2::254]/m", "", "", "the address is one of this link alone", 0},
		{"http://127.0.0.1:1/m?x=", "", "", "must have no \"?\"", 0},
		{"http://u:secret@127.0.0.1:1/m", "", "",
			"url http://127.0.0.1:1/m: it must have no user", 0},
		{"s3://b/m", "endpointurl = http://169.254.169.254\n", "",
			"the address is one of this link alone", 0},
		{"s3://b/m", "endpointurl = ftp://127.0.0.1\n", "",
			"endpointurl ftp://127.0.0.1: it must start with", 0},
		{"http://127.0.0.1:1/m", "", "", "127.0.0.1", 1},
		{"http://127.0.0.1:1/m", "", "s3://*, http://127.0.0.1:1/*", "127.0.0.1", 1},
		{"http://127.0.0.1:1/m", "", "s3://*", "none of the addresses that models may come",
			0},
		{"/no/such/folder", "", "s3://*", "none of the addresses that models may come", 0},
		{"/no/such/folder", "", "/no/*", "there is no /no/such/folder/files", 0},
		{"s3://b/m", "endpointurl = http://127.0.0.1:1\n", "s3://*",
			"http://127.0.0.1:1 is none of the addresses", 0},
		{"s3://b/m", "endpointurl = http://127.0.0.1:1\n", "s3://b/*, http://127.0.0.1:1",
			"127.0.0.1", 1},
	};

	(void)setenv("HOME", *state, 1); /* no credentials there */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *more = mem_format("model-remotes = %s\n", rows[i].allowed);
		struct fixture f;
		struct err e = ERR_INIT;

		assert_int_equal(files_remove_tree("churn.git", NULL), 0);
		fixture_init(&f, state, more);
		fixture_commit(&f, "main", "rkl/model.pkl.dvc", POINTER);
		set_remote(&f, rows[i].url, rows[i].keys);
		assert_result(fixture_run(&f, stage_build, &e), -1, &e);
		if (e.passing != rows[i].passing || strstr(err_text(&e), "secret") != NULL)
			fail_msg("row %zu: passing %d: %s", i, e.passing, err_text(&e));
		assert_says(&e, rows[i].fault);
		fixture_clear(&f);
		free(more);
	}
}

/* ---- s3 ---- */

#define ID "AKIAEXAMPLE"
#define SIGNED "Credential=" ID "/"
#define PROFILE(name, more)                                                                        \
	"[" name "]\naws_access_key_id = " ID "\naws_secret_access_key = hidden\n" more
#define XML(code, more) "<Error><Code>" code "</Code>" more "</Error>"

struct s3_row {
	const char *credentials; /* ENDPOINT in it becomes the server's; NULL: no file is named */
	const char *keys;        /* of the remote, beside its endpoint */
	const char *answer;
	size_t requests;
	const char *fault;
	const char *asked;
	const char *not_asked;
};

/* TEXT with what the server is called in place of the word ENDPOINT; the caller's to free(). */
static char *with_endpoint(const char *text, unsigned port)
{
	const char *at = strstr(text, "ENDPOINT");

	return at == NULL ? mem_strdup(text)
			  : mem_format("%.*shttp://127.0.0.1:%u%s", (int)(at - text), text, port,
				    at + strlen("ENDPOINT"));
}

static void run_s3(void **state, const struct s3_row *row, size_t number)
{
	struct scripted s;
	struct fixture f;
	struct err e = ERR_INIT;
	char *more = mem_format("model-credentials-file = %s/credentials\n", (char *)*state);
	char *keys, *credentials;
	size_t requests;
	int result;

	scripted_init(&s, "requests");
	assert_int_equal(files_remove_tree("churn.git", NULL), 0);
	fixture_init(&f, state, row->credentials != NULL ? more : "");
	credentials = with_endpoint(row->credentials != NULL ? row->credentials : "", s.port);
	assert_int_equal(
		files_replace("credentials", credentials, strlen(credentials), 0600, NULL), 0);
	keys = mem_format("endpointurl = http://127.0.0.1:%u/\n%s", s.port, row->keys);
	fixture_commit(&f, "main", "rkl/model.pkl.dvc", POINTER);
	set_remote(&f, "s3://bucket/a b/", keys);
	scripted_start(&s, &row->answer, 1);
	result = fixture_run(&f, stage_build, &e);
	requests = scripted_end(&s);
	if (requests != row->requests || (result == 0) != (row->fault == NULL) || e.passing)
		fail_msg("row %zu: %d, %zu requests: %s", number, result, requests, err_text(&e));
	if (strstr(err_text(&e), "hidden") != NULL)
		fail_msg("row %zu tells a secret: %s", number, err_text(&e));
	if (requests > 0)
		assert_asked("requests",
			"GET /bucket/a%20b/files/md5/6b/90ceb000b1cab95daa3c5d8bd5f97b HTTP/1.1",
			1);
	if (row->asked != NULL)
		assert_asked("requests", row->asked, 1);
	if (row->not_asked != NULL)
		assert_asked("requests", row->not_asked, 0);
	if (row->fault != NULL)
		assert_says(&e, row->fault);
	fixture_clear(&f);
	free(keys);
	free(credentials);
	free(more);
}

static void test_s3(void **state)
{
	static const struct s3_row rows[] = {
		/* whose credentials */
		{NULL, "", WHOLE, 1, NULL, NULL, "Authorization"},
		{PROFILE("default", "endpoint_url = ENDPOINT\n"), "", WHOLE, 1, NULL, SIGNED,
			"x-amz-security-token"},
		/* and no header that is not sent */
		{PROFILE("default", "endpoint_url = ENDPOINT\n"), "", WHOLE, 1, NULL,
			"SignedHeaders=host;x-amz-content-sha256;x-amz-date, ", NULL},
		{PROFILE("default", "endpoint_url = ENDPOINT\nregion = eu-west-1\n"), "", WHOLE, 1,
			NULL, "/eu-west-1/s3/aws4_request", "hidden"},
		{PROFILE("default", "endpoint_url = ENDPOINT\nregion = eu-west-1\n"),
			"region = us-west-2\n", WHOLE, 1, NULL, "/us-west-2/s3/aws4_request", NULL},
		{PROFILE("default", "endpoint_url = ENDPOINT\naws_session_token = a=token\n"), "",
			WHOLE, 1, NULL, "x-amz-security-token: a=token\r\n", NULL},
		{PROFILE("team", "endpoint_url = ENDPOINT\n"), "profile = team\n", WHOLE, 1, NULL,
			SIGNED, NULL},
		{PROFILE("team", "endpoint_url = ENDPOINT\n"), "profile = other\n", WHOLE, 0,
			"has no profile \"other\"", NULL, NULL},
		{PROFILE("team", "endpoint_url = ENDPOINT\n"), "", WHOLE, 0,
			"has no profile \"default\"", NULL, NULL},
		{PROFILE("default", ""), "", WHOLE, 0, "are for Amazon's s3 alone", NULL, NULL},
		{PROFILE("default", "endpoint_url = https://minio.example.com\n"), "", WHOLE, 0,
			"are for https://minio.example.com alone", NULL, NULL},
		{PROFILE("default", ""), "allow_anonymous_login = true\n", WHOLE, 1, NULL, NULL,
			"Authorization"},
		{PROFILE("default", ""), "access_key_id = theirs\nsecret_access_key = x\n", WHOLE,
			1, NULL, "Credential=theirs/", ID},
		{"[default]\nrole_arn = arn:aws:iam::1:role/r\nendpoint_url = ENDPOINT\n", "",
			WHOLE, 0, "has no aws_access_key_id", NULL, NULL},
		{NULL, "profile = team\n", WHOLE, 0, "there is no profile \"team\"", NULL, NULL},
		{NULL, "credentialpath = /etc/passwd\n", WHOLE, 1, NULL, NULL, "Authorization"},
		{NULL, "region = evil.example.com/\n", WHOLE, 0,
			"\"evil.example.com/\" is no region", NULL, NULL},
		{NULL, "sse_customer_key = x\n", WHOLE, 0, "model-fetch = dvc alone", NULL, NULL},
		/* what it answers */
		{PROFILE("default", "endpoint_url = ENDPOINT\n"), "",
			"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/x\r\n"
			"Content-Length: 0\r\n\r\n",
			1,
			"answers with status 307: the bucket is in another region than us-east-1:",
			NULL, NULL},
		{PROFILE("default", "endpoint_url = ENDPOINT\n"), "",
			"HTTP/1.1 400 Bad Request\r\n\r\n" XML(
				"AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
			1,
			"400 AuthorizationHeaderMalformed: the bucket is in another region than "
			"us-east-1, in eu-west-3: set region",
			NULL, NULL},
		{PROFILE("default", "endpoint_url = ENDPOINT\n"), "",
			"HTTP/1.1 403 Forbidden\r\n\r\n" XML("SignatureDoesNotMatch", ""), 1,
			"403 SignatureDoesNotMatch: look at the credentials", NULL, NULL},
		{PROFILE("default", "endpoint_url = ENDPOINT\n"), "",
			"HTTP/1.1 403 Forbidden\r\n\r\n" XML("AccessDenied", ""), 1,
			"may not read it, or it is not there", NULL, NULL},
		{NULL, "", "HTTP/1.1 403 Forbidden\r\n\r\n" XML("AccessDenied", ""), 1,
			"asked without credentials", NULL, NULL},
		{NULL, "", "HTTP/1.1 404 Not Found\r\n\r\n" XML("NoSuchKey", ""), 1,
			"is not in DVC remote r", NULL, NULL},
		{NULL, "", "HTTP/1.1 404 Not Found\r\n\r\n" XML("NoSuchBucket", ""), 1,
			"404 NoSuchBucket", NULL, NULL},
		{NULL, "", "HTTP/1.1 403 Forbidden\r\n\r\n" XML("\x1b[31m", ""), 1,
			"answers with status 403: ", NULL, NULL},
	};

	(void)setenv("HOME", *state, 1); /* no credentials there */
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_s3(state, &rows[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_http),
		scratch_test(test_places),
		scratch_test(test_s3),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
