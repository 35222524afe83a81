/* Addresses that a commit names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/address.h"

#include "fixture.h"

static void test_forms(void **state)
{
	static const struct {
		const char *url;
		const char *fault; /* NULL: it is fine */
	} rows[] = {
		{"https://example.com", NULL},
		{"https://example.com/", NULL},
		{"HTTPS://Example.com:8443/models/a%20b/..c", NULL},
		{"http://[2001:db8::1]:80/m", NULL},
		{"http://127.0.0.1/m@x", NULL},
		{"ftp://example.com/m", "must start with https:// or http://"},
		{"example.com/m", "must start with"},
		{"https:/example.com/m", "must start with"},
		{"https:///m", "names no host"},
		{"https://:80/m", "names no host"},
		{"https://user@example.com/m", "must have no user"},
		{"https://user:secret@example.com/m", "must have no user"},
		{"https://example.com/m?versionId=1", "must have no \"?\""},
		{"https://example.com?x", "must have no \"?\""},
		{"https://example.com/m#x", "must have no \"?\""},
		{"https://example.com/a/../b", "must have no part"},
		{"https://example.com/a/..", "must have no part"},
		{"https://example.com/./a", "must have no part"},
		{"https://example.com/a/%2E%2e/b", "must have no part"},
		{"https://example.com/a/.%2e", "must have no part"},
		{"https://example.com/a b", "must be in ASCII"},
		{"https://example.com\\@evil.example.com/", "must be in ASCII"},
		{"https://example.com/\xc3\xbc", "must be in ASCII"},
		{"https://example.com/\x1b[0m", "must be in ASCII"},
		{"https://example.com/\r\nX: y", "must be in ASCII"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;

		assert_result(address_check(rows[i].url, "the url", &e),
			rows[i].fault == NULL ? 0 : -1, &e);
		if (rows[i].fault == NULL)
			continue;
		if (strstr(err_text(&e), "secret") != NULL || strchr(err_text(&e), '\x1b') != NULL)
			fail_msg("%s", err_text(&e));
		assert_says(&e, rows[i].fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
