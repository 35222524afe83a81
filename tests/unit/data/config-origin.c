/* Where a value comes from, and how it reads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "sys/files.h"

static const char text[] = "[branch \"prod\"]\n"
			   "merge-from = main\n"
			   "merge-methods = merge, squash\n"
			   "[identity]\n"
			   "; a comment\n"
			   "source = http\n"
			   "[branch \"release\"]\n"
			   "merge-from = main\n"
			   "[role \"release\"]\n"
			   "members = ivanov\n"
			   "members.2 = petrova\n"
			   "[branch \"online\"]\n"
			   "roles = release\n";

static const struct {
	const char *section, *name, *key, *origin, *value;
} rows[] = {
	{"branch", "prod", "merge-from", "x.ini:2", "main"},
	{"branch", "prod", "chain", "built-in default", "prod"},
	{"branch", "prod", "content", "built-in default", "automatic"}, /* no file has this key */
	{"branch", "main", "merge-from", "built-in default", "dev, retrain-*"},
	{"branch", "release", "merge-from", "x.ini:8", "main"},
	{"branch", "release", "merge-methods", "built-in default", "merge, fast-forward, squash"},
	{"branch", "online", "roles", "x.ini:13", "release"},
	{"branch", "absent", "merge-from", "built-in default", NULL},
	{"identity", NULL, "source", "x.ini:6", "http"},
	{"content", "", "max-file-size", "built-in default", "0"},
	{"role", "release", "members", "x.ini:10", "ivanov, petrova"},
	{"modelgate", "", "mode", "built-in default", "enforce"},
	{"modelgate", "", "colour", "built-in default", NULL},
	{"colours", "", "red", "built-in default", NULL},
};

static void test_rows(void **state)
{
	struct err e = ERR_INIT;
	struct config *c;

	(void)state;
	if (config_parse(&c, text, strlen(text), "x.ini", &e) != 0)
		fail_msg("%s", err_text(&e));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *origin = config_origin(c, rows[i].section, rows[i].name, rows[i].key);
		char *value = config_value(c, rows[i].section, rows[i].name, rows[i].key);

		if (strcmp(origin, rows[i].origin) != 0)
			fail_msg("row %zu: origin %s, not %s", i, origin, rows[i].origin);
		if ((value == NULL) != (rows[i].value == NULL) || !str_same(value, rows[i].value))
			fail_msg("row %zu: value %s, not %s", i, value ? value : "NULL",
				rows[i].value ? rows[i].value : "NULL");
		free(origin);
		free(value);
	}
	config_free(c);
}

static void put(const char *path, const char *content)
{
	struct err e = ERR_INIT;

	if (files_replace(path, content, strlen(content), 0644, &e) != 0)
		fail_msg("%s", err_text(&e));
}

static void expect(const struct config *c, const char *key, const char *file, int line)
{
	int got;
	const char *in = config_set_in(c, "project", "", key, &got);

	if (!str_same(in, file) || got != line)
		fail_msg("%s: %s:%d, not %s:%d", key, in ? in : "NULL", got, file ? file : "NULL",
			line);
}

/* Of two files the later tells, and what it leaves out the earlier. */
static void test_files(void **state)
{
	char top[] = "/tmp/modelgate-origin-XXXXXX";
	struct err e = ERR_INIT;
	struct config *c;
	char *system, *own;

	(void)state;
	if (mkdtemp(top) == NULL)
		fail_msg("no folder");
	system = path_join(top, "system.ini");
	own = path_join(top, "modelgate.ini");
	put(system, "[project]\nname = all\ndescription = theirs\n");
	put(own, "; own\n[project]\nname = one\n");
	if (config_load(&c, &(const struct config_sources){system, top}, &e) != 0)
		fail_msg("%s", err_text(&e));
	expect(c, "name", own, 3);
	expect(c, "description", system, 3);
	expect(c, "schedule", NULL, 0);
	config_free(c);
	if (files_remove_tree(top, &e) != 0)
		fail_msg("%s", err_text(&e));
	free(system);
	free(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests_name("config-origin", tests, NULL, NULL);
}
