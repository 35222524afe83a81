/* Addresses that a commit names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/address.h"

#include "fixture.h"
#include "stage/dvc-config.h"

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
		{"https://../m", "must have no part"},
		{"https://..example.com/m", NULL},
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

#define STEP "has a part \".\" or \"..\" in its path"
#define ODD "has a character that not every program reads alike"
#define NONE "is none of the addresses that models may come from"

struct row {
	const char *globs;
	const char *url;
	const char *fault; /* NULL: admitted */
};

static void assert_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *text =
			mem_format("[core]\nremote = r\n['remote \"r\"']\nurl = %s\n", rows[i].url);
		struct config c = {0};
		struct dvc_remote r;
		struct err e = ERR_INIT;
		int result;

		strlist_split(&c.model_remotes, rows[i].globs, ',');
		assert_result(dvc_config_remote(&r, text, strlen(text), NULL, &e), 0, &e);
		result = address_admit(&r, &c, &e);
		if (result != (rows[i].fault == NULL ? 0 : -1))
			fail_msg("%s by %s: %d (%s)", rows[i].url, rows[i].globs, result,
				err_text(&e));
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		dvc_remote_clear(&r);
		strlist_clear(&c.model_remotes);
		free(text);
	}
}

/* Each is nearly what a glob lets pass. */
static void test_globs(void **state)
{
	static const struct row rows[] = {
		{"", "/anywhere/../at/all", NULL},
		{"*", "https://evil.example.com/m", NULL},
		{"*", "ssh://evil.example.com/m", NULL},
		{"*", "/srv/models", NULL},
		{"*", "/srv/../etc", STEP},
		{"https://dvc.example.com/*", "https://dvc.example.com/team/m", NULL},
		{"https://dvc.example.com/*", "https://dvc.example.com", NONE},
		{"https://dvc.example.com/*", "http://dvc.example.com/m", NONE},
		{"https://dvc.example.com/*", "https://dvc.example.com.evil.org/m", NONE},
		{"https://dvc.example.com/*", "https://evil.org/https://dvc.example.com/m", NONE},
		{"https://dvc.example.com", "https://dvc.example.com/team/m", NULL},
		{"https://dvc.example.com", "https://dvc.example.com.evil.org/m", NONE},
		{"https://*.example.com/*", "https://a.example.com/m", NULL},
		{"https://*.example.com/*", "https://a.b.example.com/m", NULL},
		{"https://*.example.com/*", "https://evil.org/x.example.com/m", NONE},
		{"https://*.example.com", "https://evil.org/x.example.com", NONE},
		{"https://*", "https://any.example.org/m", NULL},
		{"https://*", "s3://bucket/m", NONE},
		{"*://dvc.example.com/*", "https://dvc.example.com/m", NONE},
		{"s3://models/*", "s3://models/team", NULL},
		{"s3://models/team/*", "s3://models/team/a/b", NULL},
		{"s3://models/team/*", "s3://models/other", NONE},
		{"s3://models/team/*", "s3://models/team/../other", STEP},
		{"s3://models-*/m", "s3://models-a/m", NULL},
		{"s3://models-*/m", "s3://models-a/b/m", NONE},
		{"/srv/models/*", "/srv/models/team", NULL},
		{"/srv/models/*", "/srv/models/what?", NULL},
		{"/srv/models/*", "/srv/models/../secret", STEP},
		{"/srv/models/*", "/srv/models/./a", STEP},
		{"/srv/models/*", "/srv/models/a/..", STEP},
		{"/srv/models/*", "file:///srv/models/team", NONE},
		{"file:///srv/models/*", "file:///srv/models/team", NULL},
		{"file:///srv/models/*", "file:///srv/models/../secret", STEP},
		{"/srv/*", "https://evil.org/srv/m", NONE},
		{"*models", "https://evil.org/models", NONE},
		{"*models", "/srv/models", NULL},
		{"../models", "../models", NULL},
		{"../models/*", "../models/../../../srv", STEP},
		{"*", "../../secret", STEP},
		{"s3://a/*, /srv/*", "/srv/m", NULL},
	};

	(void)state;
	assert_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Addresses that only DVC itself reads. */
static void test_globs_elsewhere(void **state)
{
	static const struct row rows[] = {
		{"ssh://storage/models/*", "ssh://storage/models/a", NULL},
		{"ssh://storage/models/*", "ssh://storage/models/../../etc", STEP},
		{"ssh://storage/models/*", "ssh://storage/models/%2e%2E/x", STEP},
		{"ssh://storage/models/*", "ssh://bot@storage/models/a", NULL},
		{"ssh://storage/models/*", "ssh://storage@evil.org/models/a", NONE},
		{"ssh://bot@storage/*", "ssh://bot@storage/models/a", NULL},
		{"ssh://bot@storage/*", "ssh://boris@storage/models/a", NONE},
		{"ssh://storage*/*", "ssh://storage@evil.org/models/a", NONE},
		{"ssh://storage*/*", "ssh://a@storage@evil.org/models/a", ODD},
		{"ssh://*.example.com/*", "ssh://evil.org?.example.com/models", ODD},
		{"ssh://*.example.com/*", "'ssh://evil.org#.example.com/models'", ODD},
		{"ssh://*.example.com/*", "ssh://evil.org\\.example.com/models", ODD},
		{"*", "webdavs://evil.org?.example.com/models", ODD},
		{"*models", "bot@evil.org:models", "write it with its scheme"},
		{"*:*", "bot@evil.org:models", "write it with its scheme"},
		{"*", "bot@evil.org:models", NULL},
	};

	(void)state;
	assert_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms),
		cmocka_unit_test(test_globs), cmocka_unit_test(test_globs_elsewhere)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
