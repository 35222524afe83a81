/* What is made of a server's answers over HTTP: a function stands in for common/net. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "git/remote.h"

#define TYPE "application/x-git-receive-pack-advertisement"
#define OID "1234567890123456789012345678901234567890"
#define SERVICE "001f# service=git-receive-pack\n0000"

struct answer {
	long status;
	const char *type;
	const char *body; /* "|": a NUL.  NULL: there is no answer, for a passing reason */
	int result;       /* of remote_tip */
	const char *said; /* or the tip */
	int passing;
};

static int answer(
	void *context, const struct remote_request *r, struct remote_answer *a, struct err *e)
{
	const struct answer *row = context;

	assert_string_equal(r->url, "https://h/a.git/info/refs?service=git-receive-pack");
	assert_null(r->type);
	if (row->body == NULL) {
		(void)err_set(e, "no route");
		e->passing = 1;
		return -1;
	}
	a->status = row->status;
	a->type = mem_strdup(row->type);
	for (const char *p = row->body; *p != '\0'; p++)
		str_addc(&a->body, *p == '|' ? '\0' : *p);
	return 0;
}

/* With a token file. */
static const struct answer rows[] = {
	{200, TYPE,
		SERVICE "0057" OID " refs/heads/main"
			"\n0000",
		-1, "cannot be reached", 0},
	{200, TYPE, SERVICE "004c" OID " refs/heads/main| report-status\n0000", 1, OID, 0},
	{200, TYPE, SERVICE "004d" OID " refs/heads/main2| report-status\n0000", 0, "", 0},
	{200, TYPE, SERVICE "0000", 0, "", 0},
	{200, TYPE, "", -1, "cannot be reached", 0},
	{200, TYPE, "zzzz", -1, "cannot be reached", 0},
	{200, TYPE, SERVICE "003d" OID, -1, "cannot be reached", 0},
	{200, TYPE, SERVICE "0034ERR access denied or repository not exported\n", -1,
		"cannot be reached", 0},
	{200, "text/html", "<html>", -1, "no Git repository over HTTP", 0},
	{301, "text/html", "", -1, "sends us elsewhere (status 301)", 0},
	{401, "text/html", "", -1, "the token in token-file /t is wrong", 0},
	{403, "text/html", "", -1, "may not write to this repository", 0},
	{404, "text/html", "", -1, "no such repository", 0},
	{418, "text/html", "", -1, "status 418", 0},
	{429, "text/html", "", -1, "status 429", 1},
	{500, "text/html", "", -1, "status 500", 1},
	{503, "text/html", "", -1, "status 503", 1},
	{0, "", NULL, -1, "https://h/a.git: cannot be reached: no route", 1},
};

static void answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote r = {.http = answer,
			.context = (void *)&rows[i],
			.token_file = "/t",
			.key_file = "",
			.known_hosts = ""};
		struct err e = ERR_INIT;
		struct oid tip;
		char hex[OID_HEX_SIZE] = "";
		int result;

		assert_int_equal(remote_parse(&r.address, "https://h/a.git", NULL), 0);
		result = remote_tip(&r, "main", &tip, &e);
		if (result == 1)
			oid_hex(&tip, hex);
		if (result != rows[i].result || e.passing != rows[i].passing ||
			strstr(result < 0 ? err_text(&e) : hex, rows[i].said) == NULL)
			fail_msg("row %zu: %d, \"%s\" (passing %d), not %d, \"%s\"", i, result,
				result < 0 ? err_text(&e) : hex, e.passing, rows[i].result,
				rows[i].said);
		err_clear(&e);
		remote_address_clear(&r.address);
	}
}

static void asks_for_a_token(void **state)
{
	static const struct answer denied = {401, "text/html", "", -1, NULL, 0};
	struct remote r = {.http = answer,
		.context = (void *)&denied,
		.token_file = "",
		.key_file = "",
		.known_hosts = ""};
	struct err e = ERR_INIT;
	struct oid tip;

	(void)state;
	assert_int_equal(remote_parse(&r.address, "https://h/a.git/", NULL), 0);
	assert_int_equal(remote_tip(&r, "main", &tip, &e), -1);
	assert_non_null(
		strstr(err_text(&e), "write the path of a file with a token into token-file"));
	err_clear(&e);
	remote_address_clear(&r.address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers), cmocka_unit_test(asks_for_a_token)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
