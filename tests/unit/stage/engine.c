/* Engines: names of images, registries on this machine, what is chosen where, logins. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/engine.h"

#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

static void test_image_name(void **state)
{
	static const char *const rows[][2] = {{"churn", "churn"}, {"Alliya_Churn", "alliya_churn"},
		{"a-b_c", "a-b_c"}, {"a__-b", "a_b"}, {"_x-", "x"}, {"___", "model"}, {"9", "9"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *name = engine_image_name(rows[i][0]);

		assert_string_equal(name, rows[i][1]);
		free(name);
	}
}

static void test_loopback(void **state)
{
	static const struct {
		const char *registry;
		int is;
	} rows[] = {
		{"localhost", 1},
		{"localhost:5000", 1},
		{"localhost/models", 1},
		{"127.0.0.1", 1},
		{"127.0.0.1:5000/models/a", 1},
		{"127.1.2.3:5000", 1},
		{"[::1]:5000", 1},
		{"[::1]", 1},
		{"", 0},
		{"localhost.example.com", 0},
		{"localhost.example.com:5000/localhost:1", 0},
		{"127.0.0.1.example.com", 0},
		{"127.example.com:5000", 0},
		{"127.0.0.256", 0},
		{"128.0.0.1:5000", 0},
		{"registry.example.com/127.0.0.1", 0},
		{"[::2]:5000", 0},
		{"[2001:db8::1]:5000", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (engine_is_loopback(rows[i].registry) != rows[i].is)
			fail_msg("%s: not %d", rows[i].registry, rows[i].is);
}

/* Without a Dockerfile no engine is asked: what is chosen then hangs on the configuration alone. */
static void test_choice(void **state)
{
	static const struct {
		const char *keys;
		const char *engine; /* NULL: none */
		const char *fault;
	} rows[] = {
		{"", "archive", NULL},
		{"registry = r.example.com\n", NULL,
			"the commit has no Dockerfile, so no image can be made for [build] "
			"registry "
			"= r.example.com"},
		{"registry = r.example.com\nengine = archive\n", "archive", NULL},
		{"engine = podman\n", NULL,
			"engine podman needs a Dockerfile, and the commit has none"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = mem_format("[modelgate]\nstate = %s/state\n[build]\n%s",
			(const char *)*state, rows[i].keys);
		struct engine_order o = {.work = *state, .name = "churn", .tag = "1"};
		struct config *config = NULL;
		const struct engine *engine;
		struct err e = ERR_INIT;

		assert_result(config_parse(&config, text, strlen(text), "test", &e), 0, &e);
		o.config = config;
		engine = engine_choose(&o, &e);
		if ((engine != NULL) != (rows[i].engine != NULL))
			fail_msg("%s: %s, \"%s\"", rows[i].keys,
				engine != NULL ? engine_name(engine) : "none", err_text(&e));
		if (engine != NULL)
			assert_string_equal(engine_name(engine), rows[i].engine);
		else
			assert_says(&e, rows[i].fault);
		assert_int_equal(e.passing, 0);
		config_free(config);
		free(text);
	}
}

/* Whom the login may be shown to is seen to before anything is asked; none is asked for an archive. */
static void test_login(void **state)
{
	static const struct {
		const char *engine;
		mode_t mode; /* 0: there is no such file */
		const char *fault;
	} rows[] = {
		{"auto", 0600, "the commit has no Dockerfile"},
		{"auto", 0400, "the commit has no Dockerfile"},
		{"auto", 0640, "[build] credentials-file: "},
		{"podman", 0604, "chmod 600 "},
		{"docker", 0, "login"},
		{"archive", 0644, NULL},
	};
	char *path = path_join(*state, "login");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = mem_format("[modelgate]\nstate = %s/state\n[build]\nengine = %s\n"
					"registry = r.example.com\ncredentials-file = %s\n",
			(const char *)*state, rows[i].engine, path);
		struct engine_order o = {.work = *state, .name = "churn", .tag = "1"};
		struct config *config = NULL;
		const struct engine *engine;
		struct err e = ERR_INIT;

		(void)unlink(path);
		if (rows[i].mode != 0)
			assert_int_equal(files_replace(path, "{}", 2, rows[i].mode, NULL), 0);
		assert_result(config_parse(&config, text, strlen(text), "test", &e), 0, &e);
		o.config = config;
		engine = engine_choose(&o, &e);
		assert_int_equal(engine != NULL, rows[i].fault == NULL);
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		config_free(config);
		free(text);
	}
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_name),
		cmocka_unit_test(test_loopback),
		scratch_test(test_choice),
		scratch_test(test_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
