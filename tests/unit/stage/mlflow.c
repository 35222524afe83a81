/* What an MLflow server's answers mean. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/mlflow.h"

#include "data/json.h"
#include "fixture.h"

#define TOKEN "s3cret-token"
#define CODE(code, message) "{\"error_code\":\"" code "\",\"message\":\"" message "\"}"
#define JSON "application/json"

static const char *const names[] = {
	"done", "missing", "exists", "refused", "no endpoint", "unclear", "failed"};

static const struct {
	long status;
	const char *type;
	const char *text;
	enum mlflow_outcome outcome;
	int passing;
	const char *said; /* after "MLflow, GET x: ", or part of it after "*" */
} rows[] = {
	{200, JSON, "{}", MLFLOW_DONE, 0, NULL},
	{200, JSON, " {\"a\":[1]}\n", MLFLOW_DONE, 0, NULL},
	{200, "", "{}", MLFLOW_DONE, 0, NULL},
	{400, JSON, CODE("RESOURCE_ALREADY_EXISTS", "Registered Model (name=m) already exists."),
		MLFLOW_EXISTS, 0,
		"status 400: RESOURCE_ALREADY_EXISTS: Registered Model (name=m) already exists."},
	{404, JSON, CODE("RESOURCE_DOES_NOT_EXIST", "m not found"), MLFLOW_MISSING, 0,
		"status 404: RESOURCE_DOES_NOT_EXIST: m not found"},
	{404, JSON, CODE("ENDPOINT_NOT_FOUND", "x"), MLFLOW_NO_ENDPOINT, 0, "*ENDPOINT_NOT_FOUND"},
	{400, JSON, CODE("INVALID_PARAMETER_VALUE", "bad source"), MLFLOW_REFUSED, 0,
		"status 400: INVALID_PARAMETER_VALUE: bad source"},
	{400, JSON, CODE("BAD_REQUEST", "x"), MLFLOW_FAILED, 0, "status 400: BAD_REQUEST: x"},
	{400, JSON, "{\"error_code\":\"BAD_REQUEST\"}", MLFLOW_FAILED, 0,
		"status 400: BAD_REQUEST: "},
	/* words that are not MLflow's */
	{400, "text/plain", "what?\n", MLFLOW_FAILED, 0, "status 400: what? "},
	{404, "text/html", "<html>nginx</html>", MLFLOW_FAILED, 0, "status 404: no reason given"},
	{404, "text/plain", "RESOURCE_DOES_NOT_EXIST", MLFLOW_FAILED, 0, "*status 404"},
	{404, JSON, "{\"error_code\":404}", MLFLOW_FAILED, 0, "*status 404"},
	{404, JSON, "{}", MLFLOW_FAILED, 0, "*status 404"},
	{302, "text/html", "", MLFLOW_FAILED, 0, "status 302: no reason given"},
	{418, "", "", MLFLOW_FAILED, 0, "status 418: no reason given"},
	/* who may */
	{401, "text/plain", "You are not authenticated.", MLFLOW_FAILED, 0,
		"*refused the token or password in /token, [registry] token-file (status 401: You "
		"are not authenticated.)"},
	{401, "text/html", "You are not", MLFLOW_FAILED, 0, "*401: You are not)"},
	{403, "text/plain", "Permission denied", MLFLOW_FAILED, 0, "*Permission denied"},
	{403, "text/plain", "Invalid Host header - possible DNS rebinding attack detected",
		MLFLOW_FAILED, 0,
		"MLflow does not answer to that name (status 403: Invalid Host header - possible "
		"DNS rebinding attack detected); start it with --allowed-hosts"},
	{403, JSON, CODE("RESOURCE_DOES_NOT_EXIST", "x"), MLFLOW_FAILED, 0, "*refused the token"},
	{401, JSON, CODE("RESOURCE_ALREADY_EXISTS", "x"), MLFLOW_FAILED, 0, "*refused the token"},
	{401, "text/plain", "no such token: " TOKEN, MLFLOW_FAILED, 0,
		"*(status 401: in words that hold the token or password)"},
	{400, JSON, CODE("X", "\\u00733cret-token"), MLFLOW_FAILED, 0, "*in words that hold"},
	/* later, perhaps */
	{429, "text/plain", "Too many", MLFLOW_FAILED, 1, "status 429: Too many"},
	{408, "text/plain", "", MLFLOW_UNCLEAR, 1, "*status 408"},
	{500, JSON, CODE("INTERNAL_ERROR", "x"), MLFLOW_UNCLEAR, 1,
		"status 500: INTERNAL_ERROR: x"},
	{500, JSON, CODE("RESOURCE_ALREADY_EXISTS", "x"), MLFLOW_UNCLEAR, 1, "*status 500"},
	{502, "text/html", "<html>", MLFLOW_UNCLEAR, 1, "status 502: no reason given"},
	{503, "text/plain", "Service Unavailable", MLFLOW_UNCLEAR, 1,
		"status 503: Service Unavailable"},
	{504, "", "", MLFLOW_UNCLEAR, 1, "status 504: no reason given"},
	/* a yes that is not MLflow's */
	{200, "text/html", "<html>log in</html>", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{200, JSON, "", MLFLOW_UNCLEAR, 1,
		"the answer is no JSON object; is [registry] url MLflow's?"},
	{200, JSON, "{\"a\":", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{200, JSON, "{} {}", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{200, JSON, "[]", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{200, JSON, "\"x\"", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{200, JSON, "null", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{200, JSON, "\xff\xfe{}", MLFLOW_UNCLEAR, 1, "*no JSON object"},
	{201, JSON, "{}", MLFLOW_UNCLEAR, 1, "status 201: {}"},
	{204, "", "", MLFLOW_UNCLEAR, 1, "status 204: no reason given"},
	/* nothing that a terminal would obey */
	{400, "text/plain", "a\x1b[2J\tb\r\nc\xff", MLFLOW_FAILED, 0,
		"status 400: a\\x1b[2J b  c\\xff"},
	{400, JSON, CODE("X\\u001b", "\\u202e"), MLFLOW_FAILED, 0,
		"status 400: X\\x1b: \\xe2\\x80\\xae"},
};

static struct mlflow_answer given(long status, const char *type, const char *text)
{
	return (struct mlflow_answer){
		status, type, text, strlen(text), "MLflow, GET x", "/token", TOKEN};
}

static void test_sort(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mlflow_answer a = given(rows[i].status, rows[i].type, rows[i].text);
		struct json *answer = NULL;
		struct err e = ERR_INIT;
		enum mlflow_outcome outcome = mlflow_sort(&a, &answer, &e);
		const char *said = rows[i].said, *rest = err_text(&e) + strlen("MLflow, GET x: ");

		if (outcome != rows[i].outcome || e.passing != rows[i].passing)
			fail_msg("row %zu: %s, passing %d: %s", i, names[outcome], e.passing,
				err_text(&e));
		assert_true((answer != NULL) == (outcome == MLFLOW_DONE));
		assert_true((e.text != NULL) == (outcome != MLFLOW_DONE));
		if (said != NULL &&
			(*said == '*' ? strstr(rest, said + 1) == NULL : strcmp(rest, said) != 0))
			fail_msg("row %zu says %s", i, err_text(&e));
		assert_null(strstr(err_text(&e), TOKEN));
		json_free(answer);
		err_clear(&e);
		/* nobody wants to know more */
		assert_int_equal(mlflow_sort(&a, NULL, NULL), rows[i].outcome);
	}
}

/* Without [registry] token-file that is what is missing. */
static void test_no_token(void **state)
{
	struct mlflow_answer a = given(401, "text/plain", "who?");
	struct err e = ERR_INIT;

	(void)state;
	a.secret_file = "";
	a.secret = NULL;
	assert_int_equal(mlflow_sort(&a, NULL, &e), MLFLOW_FAILED);
	assert_says(&e, "refused to answer without [registry] token-file (status 401: who?)");
}

/* A long page is cut; one with a NUL ends there. */
static void test_long(void **state)
{
	char text[5000];
	struct mlflow_answer a = given(400, "text/plain", "");
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 'a', sizeof(text));
	a.text = text;
	a.len = sizeof(text);
	assert_int_equal(mlflow_sort(&a, NULL, &e), MLFLOW_FAILED);
	assert_in_range(strlen(err_text(&e)), 300, 350);
	text[3] = '\0';
	assert_int_equal(mlflow_sort(&a, NULL, &e), MLFLOW_FAILED);
	assert_string_equal(err_text(&e), "MLflow, GET x: status 400: aaa");
	err_clear(&e);
}

static void test_open(void **state)
{
	static const struct {
		const char *keys;
		const char *said; /* NULL: it opens */
	} faults[] = {
		{"", NULL},
		{"token-file = %s/token\n", NULL},
		{"token-file = %s/open\n", "chmod 600"},
		{"token-file = %s/none\n", "none"},
	};
	struct fixture f;

	(void)state;
	assert_int_equal(files_replace("token", TOKEN "\n", sizeof(TOKEN), 0600, NULL), 0);
	assert_int_equal(files_replace("open", TOKEN "\n", sizeof(TOKEN), 0644, NULL), 0);
	assert_int_equal(chmod("open", 0644), 0);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct str keys;
		struct mlflow *m = NULL;
		struct err e = ERR_INIT;
		const char *at = strstr(faults[i].keys, "%s");

		str_init(&keys);
		str_add(&keys, "[registry]\nbackend = mlflow\nurl = http://127.0.0.1:1//\n");
		if (at != NULL)
			str_addf(&keys, "%.*s%s%s", (int)(at - faults[i].keys), faults[i].keys,
				(const char *)*state, at + 2);
		fixture_init(&f, state, keys.buf);
		assert_result(mlflow_open(&m, f.config, &e), faults[i].said != NULL ? -1 : 0, &e);
		if (faults[i].said != NULL) {
			assert_null(m);
			assert_null(strstr(err_text(&e), TOKEN));
			assert_says(&e, faults[i].said);
		}
		mlflow_close(m);
		fixture_clear(&f);
		str_clear(&keys);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sort),
		cmocka_unit_test(test_no_token),
		cmocka_unit_test(test_long),
		scratch_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
