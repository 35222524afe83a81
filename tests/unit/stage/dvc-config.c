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
		{"[core\nremote = r\n", "line 1: a section without", -1},
		{"[core]\nremote\n", "line 2: neither a section nor", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dvc_remote r;
		struct err e = ERR_INIT;
		char *got;

		assert_result(dvc_config_remote(&r, rows[i].text, strlen(rows[i].text), &e),
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

static void test_place(void **state)
{
	static const struct {
		const char *url;
		const char *path; /* NULL: elsewhere */
	} rows[] = {
		{"/models", "/models"},
		{"file:///models", "/models"},
		{"../models", "/work/.dvc/../models"},
		{"models", "/work/.dvc/models"},
		{"/a:b", "/a:b"},
		{"s3://bucket/key", NULL},
		{"https://example.com/models", NULL},
		{"ssh://host/models", NULL},
		{"user@host:models", NULL},
		{"remote://other/models", NULL},
		{"file://host/models", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *path;
		enum dvc_place place = dvc_config_place(rows[i].url, "/work/.dvc", &path);

		if ((place == DVC_LOCAL) != (rows[i].path != NULL) || !str_same(path, rows[i].path))
			fail_msg("%s: %d \"%s\"", rows[i].url, (int)place, path ? path : "");
		free(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remote), cmocka_unit_test(test_place)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
