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
#include "stage/engine-internal.h"

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

static void make_config(struct config **out, const char *dir, const char *keys)
{
	char *text = mem_format("[modelgate]\nstate = %s/state\n[build]\n%s", dir, keys);
	struct err e = ERR_INIT;

	assert_result(config_parse(out, text, strlen(text), "test", &e), 0, &e);
	free(text);
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
		struct engine_order o = {.work = *state, .name = "churn", .tag = "1"};
		struct config *config = NULL;
		const struct engine *engine;
		struct err e = ERR_INIT;

		make_config(&config, *state, rows[i].keys);
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
		char *keys =
			mem_format("engine = %s\nregistry = r.example.com\ncredentials-file = %s\n",
				rows[i].engine, path);
		struct engine_order o = {.work = *state, .name = "churn", .tag = "1"};
		struct config *config = NULL;
		const struct engine *engine;
		struct err e = ERR_INIT;

		(void)unlink(path);
		if (rows[i].mode != 0)
			assert_int_equal(files_replace(path, "{}", 2, rows[i].mode, NULL), 0);
		make_config(&config, *state, keys);
		o.config = config;
		engine = engine_choose(&o, &e);
		assert_int_equal(engine != NULL, rows[i].fault == NULL);
		if (rows[i].fault != NULL)
			assert_says(&e, rows[i].fault);
		config_free(config);
		free(keys);
	}
	free(path);
}

/* ---- an engine of the test's own: it writes down what it is called with ---- */

/* What each argument becomes, for each configuration. */
static void test_fill(void **state)
{
	static const char *const asked[] = {"/bin/sh", "-c",
		"printf x; for a; do printf ' %s' \"$a\"; done", "sh", "plain", "@reference",
		"@time", "@auth", "@tls", "@labels", "@context", "@nothing", NULL};
	static const struct {
		const char *keys;
		const char *said;
	} rows[] = {
		{"", "x plain churn:1 7 --label a=b c --label d=e /c @nothing"},
		{"registry = r.example.com/m\n",
			"x plain r.example.com/m/churn:1 7 --label a=b c --label d=e /c @nothing"},
		{"registry = localhost:5000\n",
			"x plain localhost:5000/churn:1 7 --tls-verify=false "
			"--label a=b c --label d=e /c @nothing"},
		{"registry = r.example.com\ncredentials-file = /l\n",
			"x plain r.example.com/churn:1 7 --authfile /l --label a=b c --label d=e "
			"/c "
			"@nothing"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct engine engine = {.name = "test"};
		struct config *config = NULL;
		struct engine_order o = {.work = *state,
			.name = "churn",
			.tag = "1",
			.time = 7,
			.context = "/c",
			.dockerfile = "/c/Dockerfile"};
		struct engine_fill f;
		struct err e = ERR_INIT;
		struct str said;

		make_config(&config, *state, rows[i].keys);
		o.config = config;
		strlist_add(&o.labels, "a=b c");
		strlist_add(&o.labels, "d=e");
		str_init(&said);
		engine_fill_init(&f, &o);
		f.engine = &engine;
		assert_result(engine_ask(&f, asked, 60, &said, &e), 0, &e);
		assert_string_equal(said.buf, rows[i].said);
		engine_fill_clear(&f);
		str_clear(&said);
		strlist_clear(&o.labels);
		config_free(config);
	}
}

/* Docker sees the login through a folder, which is there as long as it works; others do not need it. */
static void test_docker_login(void **state)
{
	static const char *const env[] = {"@config", "@epoch", NULL};
	static const char *const asked[] = {"/bin/sh", "-c",
		"echo \"$SOURCE_DATE_EPOCH\"; cat \"$DOCKER_CONFIG/config.json\"; "
		"stat -c %a \"$DOCKER_CONFIG\"",
		NULL};
	const struct engine engine = {.name = "test", .env = env};
	char *login = path_join(*state, "login");
	char *folder = path_join(*state, "docker"), *left = path_join(folder, "config.json");
	char *keys = mem_format("credentials-file = %s\n", login);
	struct engine_order o = {.work = *state, .name = "churn", .tag = "1", .time = 7};
	struct config *config = NULL;
	struct engine_fill f;
	struct err e = ERR_INIT;
	struct str said;

	make_config(&config, *state, keys);
	assert_int_equal(files_replace(login, "{login}\n", 8, 0600, NULL), 0);
	o.config = config;
	str_init(&said);
	/* what a killed build has left is in nobody's way */
	assert_int_equal(files_make_folder(left, 0755, NULL), 0);
	engine_fill_init(&f, &o);
	f.engine = &engine;
	assert_result(engine_fill_login(&f, &e), 0, &e);
	assert_result(engine_ask(&f, asked, 60, &said, &e), 0, &e);
	assert_string_equal(said.buf, "7\n{login}\n700\n");
	engine_fill_clear(&f);
	assert_int_equal(files_exists(login), 1);
	assert_int_equal(files_exists(folder), 0);
	str_clear(&said);
	config_free(config);
	free(keys);
	free(left);
	free(folder);
	free(login);
}

/* The list of earlier images, and what is removed after a build of churn:3. */
static void test_earlier(void **state)
{
	static const struct {
		const char *list; /* NULL: there is none */
		const char *removed;
	} rows[] = {
		{NULL, ""},
		{"\nchurn:1\n", "churn:1\n"},
		{"\nchurn:1\n\nchurn:1\n\nchurn:2\n", "churn:1\nchurn:2\n"},
		/* this one's own, of an attempt before */
		{"\nchurn:3\n\nchurn:2\n", "churn:2\n"},
		/* torn by a kill: the next line begins anew */
		{"\nchurn:1\n\nchur", "churn:1\nchur\n"},
	};
	static const char *const rm[] = {
		"/bin/sh", "-c", "echo \"$1\" >>removed", "sh", "@image", NULL};
	const struct engine engine = {.name = "test", .remove = rm};
	char *list = path_join(*state, "artifacts/images"), *removed = path_join(*state, "removed");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct engine_order o = {
			.work = *state, .name = "churn", .tag = "3", .earlier = list};
		struct config *config = NULL;
		struct engine_fill f;
		struct err e = ERR_INIT;
		struct str text;

		(void)unlink(removed);
		(void)unlink(list);
		if (rows[i].list != NULL)
			assert_int_equal(
				files_replace(list, rows[i].list, strlen(rows[i].list), 0644, NULL),
				0);
		make_config(&config, *state, "");
		o.config = config;
		engine_fill_init(&f, &o);
		f.engine = &engine;
		assert_result(engine_earlier_note(&f, &e), 0, &e);
		engine_earlier_remove(&f);
		str_init(&text);
		assert_int_equal(files_read(removed, 1000, &text, NULL), *rows[i].removed != '\0');
		assert_string_equal(text.buf, rows[i].removed);
		str_reset(&text);
		assert_int_equal(files_read(list, 1000, &text, NULL), 1);
		assert_string_equal(text.buf, "\nchurn:3\n");
		str_clear(&text);
		engine_fill_clear(&f);
		config_free(config);
	}
	free(removed);
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_name),
		cmocka_unit_test(test_loopback),
		scratch_test(test_choice),
		scratch_test(test_login),
		scratch_test(test_fill),
		scratch_test(test_docker_login),
		scratch_test(test_earlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
