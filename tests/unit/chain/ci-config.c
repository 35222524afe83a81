/* chain/ci-config: the configuration of a stage in a job of GitLab CI, and its secrets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "chain/ci-job.h"

#include "fixture.h"

static const char *look_up(const char *name)
{
	static const struct {
		const char *name, *value;
	} variables[] = {
		{"A", "/builds/x.tmp/A"},
		{"Long_Name2", "/b"},
		{"EMPTY", ""},
		{"SECRET", "glpat-s3cret"},
		{"TWO", "/a\n[role \"x\"]"},
		{"CR", "/a\rb"},
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (strcmp(variables[i].name, name) == 0)
			return variables[i].value;
	return NULL;
}

static void test_expand(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"", ""},
		{"\n", "\n"},
		{"token-file = $A", "token-file = /builds/x.tmp/A"},
		{"token-file=$A\n", "token-file = /builds/x.tmp/A\n"},
		{"  token-file\t=\t${A} \t\r\nx", "  token-file = /builds/x.tmp/A\nx"},
		{"a-file = ${Long_Name2}", "a-file = /b"},
		/* a variable that is not there: none is configured */
		{"token-file = $NONE\n", "token-file = \n"},
		{"token-file = $EMPTY\n", "token-file = \n"},
		/* only where the value is all of it */
		{"token-file = $A/x", "token-file = $A/x"},
		{"token-file = x$A", "token-file = x$A"},
		{"token-file = $A $A", "token-file = $A $A"},
		{"token-file = ${A", "token-file = ${A"},
		{"token-file = $A}", "token-file = $A}"},
		{"token-file = ${}", "token-file = ${}"},
		{"token-file = $", "token-file = $"},
		{"token-file = $$A", "token-file = $$A"},
		{"token-file = ${{A}}", "token-file = ${{A}}"},
		{"token-file = $A-B", "token-file = $A-B"},
		{"token-file = /x", "token-file = /x"},
		{"token-file =", "token-file ="},
		{"token-file = ", "token-file = "},
		/* and the key names a file */
		{"url = $A", "url = $A"},
		{"-file = $A", "-file = $A"},
		{"file = $A", "file = $A"},
		{"token-files = $A", "token-files = $A"},
		{"token_file = $A", "token_file = $A"},
		{"[x = $A]\ntoken-file = $A\n", "[x = $A]\ntoken-file = /builds/x.tmp/A\n"},
		{"= $A", "= $A"},
		{"token-file", "token-file"},
		/* a variable that holds a secret itself, and not a file's path, is told nowhere */
		{"token-file = $SECRET\n", "token-file = $SECRET\n"},
		{"token-file = $TWO\n", "token-file = $TWO\n"},
		{"token-file = $CR\n", "token-file = $CR\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = ci_config_expand(rows[i].text, look_up);

		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("\"%s\": \"%s\", not \"%s\"", rows[i].text, got, rows[i].expected);
		free(got);
	}
}

/* ---- loading it ---- */

static char dev[] = "dev", build[] = "build", page[] = "https://gitlab.example.com/models/shop",
	    server[] = "https://gitlab.example.com";

static int load(
	struct config **c, const char *state, const char *stage, const char *text, struct err *e)
{
	struct ci_job j = {.chain = dev, .stage = build, .url = page, .server = server};
	char *copy = mem_strdup(stage);
	int result;

	j.stage = copy;
	if (text != NULL)
		assert_int_equal(setenv(CI_CONFIG, text, 1), 0);
	else
		assert_int_equal(unsetenv(CI_CONFIG), 0);
	result = ci_config_load(c, &j, state, e);
	free(copy);
	return result;
}

static void write_secret(
	const char *folder, const char *name, const char *text, const char *variable)
{
	char *path = path_join(folder, name);
	struct err e = ERR_INIT;

	assert_result(files_replace(path, text, strlen(text), 0666, &e), 0, &e);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(setenv(variable, path, 1), 0);
	free(path);
}

#define MLFLOW "[registry]\nbackend = mlflow\nurl = https://mlflow.example.com\n"

/* What others may read where GitLab's runner has put it, nobody else can read where we have. */
static void test_secrets(void **state)
{
	static const struct {
		const char *variable, *text;
	} secrets[] = {{"T_LAUNCHER", "one\n"}, {"T_REGISTRY", "two"}};
	struct config *c = NULL;
	struct err e = ERR_INIT;
	const char *paths[2];

	for (size_t i = 0; i < 2; i++)
		write_secret(*state, secrets[i].variable, secrets[i].text, secrets[i].variable);
	assert_result(load(&c, *state, "create-model",
			      "[launcher]\ntoken-file = $T_LAUNCHER\n" MLFLOW
			      "token-file = ${T_REGISTRY}\n",
			      &e),
		0, &e);
	paths[0] = c->launcher_token_file;
	paths[1] = c->registry_token_file;
	for (size_t i = 0; i < 2; i++) {
		struct stat st;
		struct str text;
		char *folder = path_join(*state, "secrets");

		str_init(&text);
		assert_true(str_starts(paths[i], folder));
		assert_int_equal(stat(paths[i], &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(files_read(paths[i], 100, &text, &e), 1);
		assert_string_equal(text.buf, secrets[i].text);
		assert_int_equal(stat(folder, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
		str_clear(&text);
		free(folder);
	}
	/* what GitLab itself says of the project and of itself */
	assert_string_equal(c->repository_url, page);
	assert_string_equal(c->launcher_url, server);
	assert_string_equal(c->state, *state);
	assert_string_equal(c->image_credentials_file, "");
	config_free(c);
}

/* The variable may be one of the type File, too: then it is that file's path. */
static void test_file(void **state)
{
	struct config *c = NULL;
	struct err e = ERR_INIT;
	char *path = path_join(*state, "config.ini");

	assert_result(files_replace(path, MLFLOW, strlen(MLFLOW), 0600, &e), 0, &e);
	assert_result(load(&c, *state, "create-model", path, &e), 0, &e);
	assert_string_equal(c->registry_url, "https://mlflow.example.com");
	config_free(c);
	free(path);
}

static void test_faults(void **state)
{
	static const struct {
		const char *stage, *text;
		const char *said; /* NULL: nothing, it is one */
	} rows[] = {
		{"build", NULL, "the variable MODELGATE_CONFIG is not there"},
		{"build", "", "the variable MODELGATE_CONFIG is not there"},
		{"build", "/no/such/file", "MODELGATE_CONFIG: there is no file /no/such/file"},
		{"build", "[launcher]\nurl\n", "MODELGATE_CONFIG:2: "},
		{"build", "[launcher]\nodd = 1\n",
			"MODELGATE_CONFIG:2: [launcher] odd: no such key"},
		/* what would be kept where nothing is kept */
		{"build", "[runner]\n", NULL},
		{"create-model", "[runner]\n", "backend = embedded keeps models on the machine"},
		{"stage-model", "[runner]\n", "backend = embedded keeps models on the machine"},
		{"create-model", MLFLOW, NULL},
		{"deploy", MLFLOW, "[airflow \"airflow-dev\"] has no repository"},
		{"deploy",
			MLFLOW
			"[airflow \"airflow-dev\"]\nrepository = https://git.example.com/d.git\n",
			NULL},
		/* secrets */
		{"build", "[launcher]\ntoken-file = /no/such/token\n",
			"[launcher] token-file: there is no such file; is its variable one of the "
			"type "
			"File?"},
		{"build", "[launcher]\ntoken-file = $T_PLAIN\n",
			"[launcher] token-file: \"$T_PLAIN\" does not fit"},
		{"build", "[launcher]\ntoken-file = $T_BASE64\n",
			"[launcher] token-file: there is no such file"},
		{"build", "[launcher]\ntoken-file = $T_NONE\n", NULL},
	};

	assert_int_equal(setenv("T_PLAIN", "glpat-s3cret", 1), 0);
	assert_int_equal(setenv("T_BASE64", "/s3cret", 1), 0);
	assert_int_equal(unsetenv("T_NONE"), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c = NULL;
		struct err e = ERR_INIT;
		int got = load(&c, *state, rows[i].stage, rows[i].text, &e);

		if (got != (rows[i].said == NULL ? 0 : -1) || (c != NULL) != (got == 0))
			fail_msg("%s, \"%s\": %d: %s", rows[i].stage, rows[i].text, got,
				err_text(&e));
		if (rows[i].said != NULL && strstr(err_text(&e), rows[i].said) == NULL)
			fail_msg("%s, \"%s\": \"%s\" does not say \"%s\"", rows[i].stage,
				rows[i].text, err_text(&e), rows[i].said);
		assert_null(strstr(err_text(&e), "s3cret"));
		config_free(c);
		err_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
		scratch_test(test_secrets),
		scratch_test(test_file),
		scratch_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
