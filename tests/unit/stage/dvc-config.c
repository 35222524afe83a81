/* .dvc/config: where the models are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/dvc-config.h"
#include "fixture.h"

static void test_remote(void **state)
{
	static const struct {
		const char *text;
		const char *expected; /* "name url", or part of what is said */
		int result;
	} rows[] = {
		{"[core]\n    remote = r\n['remote \"r\"']\n    url = /models\n", "r /models", 0},
		{"['remote \"r\"']\nurl=/models\n[core]\nremote=r", "r /models", 0},
		{"[core]\r\nremote = r\r\n[remote \"r\"]\r\nurl = ../x\r\n", "r ../x", 0},
		{"[CORE]\nRemote = R\n[\"remote 'r'\"]\nURL = \"/a b\"\n", "r /a b", 0},
		{"# c\n; c\n\n[core]\n analytics = false\n remote = b\n"
		 "['remote \"a\"']\n url = /a\n['remote \"b\"']\n url = s3://b/k\n jobs = 4\n",
			"b s3://b/k", 0},
		{"[core]\nremote = r\n[other]\nurl = /no\n['remote \"r\"']\nurl = /yes\n", "r /yes",
			0},
		{"[core]\nremote = r\n['remote \"r\"']\nurl = /a\n['remote \"r\"']\nurl = /b\n",
			"r /b", 0},
		{"", ".dvc/config: no default remote", -1},
		{"['remote \"r\"']\nurl = /models\n", "no default remote", -1},
		{"[core]\nremote = r\n", "remote \"r\" has no url", -1},
		{"[core]\nremote = r\n['remote \"r\"']\nurl =\n", "remote \"r\" has no url", -1},
		{"[core]\nremote = r\n['remote \"q\"']\nurl = /q\n", "remote \"r\" has no url", -1},
		{"[core]\nremote = r\n['remote \"r\"']\nurl = s3://b/k # ours\n", "r s3://b/k", 0},
		{"[core]\nremote = r # ours\n['remote \"r\"']\nurl = \"/a#b\" # c\n", "r /a#b", 0},
		{"[core]\nremote = r\n['remote \"r\"']\nurl = remote://base/sub/x\n"
		 "['remote \"base\"']\nurl = s3://b/k/\n",
			"r s3://b/k/sub/x", 0},
		{"[core]\nremote = r\n['remote \"r\"']\nurl = remote://a\n"
		 "['remote \"a\"']\nurl = remote://B/y\n['remote \"b\"']\nurl = /z\n",
			"r /z/y", 0},
		{"[core]\nremote = r\n['remote \"r\"']\nurl = remote://none/x\n",
			"remote \"none\" has no url", -1},
		{"[core]\nremote = r\n['remote \"r\"']\nurl = remote://r/x\n",
			"stands on more than 8 others, or on itself", -1},
		{"[core\nremote = r\n", "line 1: a section without", -1},
		{"[core]\nremote\n", "line 2: neither a section nor", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dvc_remote r;
		struct err e = ERR_INIT;
		char *got;

		assert_result(dvc_config_remote(&r, rows[i].text, strlen(rows[i].text), NULL, &e),
			rows[i].result, &e);
		if (rows[i].result != 0) {
			assert_says(&e, rows[i].expected);
			continue;
		}
		got = mem_format("%s %s", r.name, r.url);
		assert_string_equal(got, rows[i].expected);
		free(got);
		dvc_remote_clear(&r);
	}
}

/* Keys of the nearer remote count; the pointer may name another remote than the default one. */
static void test_settings(void **state)
{
	static const char text[] =
		"[core]\nremote = other\n"
		"['remote \"r\"']\n  url = remote://base/x\n  Region = eu-west-1\n"
		"  profile =\n"
		"['remote \"base\"']\n  url = s3://b\n  region = us-west-2\n"
		"  profile = p\n  account_name = \"team a\"\n  version_aware = True\n  worktree = "
		"no\n"
		"  region = us-west-1\n"
		"['remote \"other\"']\n  url = /o\n";
	static const char *const rows[][2] = {{"region", "eu-west-1"}, {"profile", NULL},
		{"account_name", "team a"}, {"url", NULL}, {"user", NULL}};
	struct dvc_remote r;
	struct err e = ERR_INIT;

	(void)state;
	assert_result(dvc_config_remote(&r, text, strlen(text), "R", &e), 0, &e);
	assert_string_equal(r.url, "s3://b/x");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = dvc_remote_get(&r, rows[i][0]);

		if ((got == NULL) != (rows[i][1] == NULL) || !str_same(got, rows[i][1]))
			fail_msg("%s is \"%s\"", rows[i][0], got ? got : "");
	}
	assert_int_equal(dvc_remote_is(&r, "version_aware"), 1);
	assert_int_equal(dvc_remote_is(&r, "worktree"), 0);
	dvc_remote_clear(&r);
	assert_result(dvc_config_remote(&r, text, strlen(text), "none", &e), -1, &e);
	assert_says(&e, "remote \"none\" has no url");
}

/* More than anybody needs is refused: it would cost time in each build. */
static void test_limits(void **state)
{
	static const struct {
		const char *before; /* of each part its number stands between these two */
		const char *behind;
		size_t n;
		int result;
	} rows[] = {{"k", " = v\n", 64, 0}, {"k", " = v\n", 65, -1},
		{"['remote \"q", "\"']\nurl = /x\n", 63, 0},
		{"['remote \"q", "\"']\nurl = /x\n", 64, -1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dvc_remote r;
		struct err e = ERR_INIT;
		struct str s;

		str_init(&s);
		str_add(&s, "[core]\nremote = r\n['remote \"r\"']\nurl = /x\n");
		for (size_t k = 0; k < rows[i].n; k++)
			str_addf(&s, "%s%zu%s", rows[i].before, k, rows[i].behind);
		assert_result(dvc_config_remote(&r, s.buf, s.len, NULL, &e), rows[i].result, &e);
		if (rows[i].result != 0)
			assert_says(&e, "more than 64");
		dvc_remote_clear(&r);
		str_clear(&s);
	}
}

static void test_place(void **state)
{
	static const struct {
		const char *url;
		const char *path; /* of DVC_LOCAL alone */
		enum dvc_place place;
	} rows[] = {
		{"/models", "/models", DVC_LOCAL},
		{"file:///models", "/models", DVC_LOCAL},
		{"../models", "/work/.dvc/../models", DVC_LOCAL},
		{"models", "/work/.dvc/models", DVC_LOCAL},
		{"/a:b", "/a:b", DVC_LOCAL},
		{"s3://bucket/key", NULL, DVC_S3},
		{"S3://bucket/key", NULL, DVC_S3},
		{"https://example.com/models", NULL, DVC_HTTP},
		{"http://example.com/models", NULL, DVC_HTTP},
		{"httpx://example.com/models", NULL, DVC_ELSEWHERE},
		{"gs://bucket/key", NULL, DVC_ELSEWHERE},
		{"ssh://host/models", NULL, DVC_ELSEWHERE},
		{"user@host:models", NULL, DVC_ELSEWHERE},
		{"remote://other/models", NULL, DVC_ELSEWHERE},
		{"file://host/models", NULL, DVC_ELSEWHERE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *path;
		enum dvc_place place = dvc_config_place(rows[i].url, "/work/.dvc", &path);

		if (place != rows[i].place || !str_same(path, rows[i].path))
			fail_msg("%s: %d \"%s\"", rows[i].url, (int)place, path ? path : "");
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remote),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
