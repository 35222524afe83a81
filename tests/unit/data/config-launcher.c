/* [launcher]: what pipelines on GitLab need is there, or the configuration is refused with file and line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "data/config.h"

#define GITLAB "[launcher]\nkind = gitlab\n"
#define ADDRESS "url = https://gitlab.example.com\n"
#define TOKEN "token-file = /etc/modelgate/gitlab-token\n"
#define SOURCE "[identity]\nsource = gitlab\n"

/* Pipelines on GitLab need its address, a token, and to know the project; each of the three. */
static void refuses_half_a_launcher(void **state)
{
	static const struct {
		const char *text, *fault;
		const char *passes; /* the nearest text that is accepted, or NULL */
	} rows[] = {
		{GITLAB TOKEN SOURCE,
			"t.ini:2: [launcher] kind: gitlab needs the server's address; write url = "
			"https://...",
			GITLAB ADDRESS TOKEN SOURCE},
		{GITLAB "url =\n" TOKEN SOURCE,
			"t.ini:2: [launcher] kind: gitlab needs the server's address; write url = "
			"https://...",
			NULL},
		{GITLAB ADDRESS SOURCE,
			"t.ini:2: [launcher] kind: gitlab needs a token; write token-file = the "
			"path of a file of mode 0600 that holds one with the scope api",
			SOURCE GITLAB TOKEN ADDRESS},
		{GITLAB ADDRESS "token-file =\n" SOURCE,
			"t.ini:2: [launcher] kind: gitlab needs a token; write token-file = the "
			"path of a file of mode 0600 that holds one with the scope api",
			NULL},
		{"\n\n" GITLAB ADDRESS TOKEN "[identity]\nsource = os\n",
			"t.ini:4: [launcher] kind: gitlab needs to know which project a push is "
			"for, which GitLab alone says; write source = gitlab in [identity]",
			NULL},
		{GITLAB ADDRESS TOKEN,
			"t.ini:2: [launcher] kind: gitlab needs to know which project a push is "
			"for, which GitLab alone says; write source = gitlab in [identity]",
			"[launcher]\nkind = local\n"},
		{"[launcher]\nkind = Gitlab\n",
			"t.ini:2: [launcher] kind: \"Gitlab\" does not fit; write local or gitlab",
			"[launcher]\nkind = local\n" ADDRESS},
		{"[launcher]\ntoken-file = token\n",
			"t.ini:2: [launcher] token-file: \"token\" does not fit; write an absolute "
			"path without . or .. or a / at its end",
			"[launcher]\n" TOKEN},
		{"[launcher]\nca-file = ../ca.pem\n",
			"t.ini:2: [launcher] ca-file: \"../ca.pem\" does not fit; write an "
			"absolute "
			"path without . or .. or a / at its end",
			"[launcher]\nca-file = /etc/ca.pem\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c = NULL;
		struct err e = ERR_INIT;
		int got = config_parse(&c, rows[i].text, strlen(rows[i].text), "t.ini", &e);

		if (got != -1 || strcmp(err_text(&e), rows[i].fault) != 0)
			fail_msg("%s: %d, \"%s\", not \"%s\"", rows[i].text, got, err_text(&e),
				rows[i].fault);
		assert_null(c);
		err_clear(&e);
		if (rows[i].passes == NULL)
			continue;
		if (config_parse(&c, rows[i].passes, strlen(rows[i].passes), "t.ini", &e) != 0)
			fail_msg("%s: %s", rows[i].passes, err_text(&e));
		config_free(c);
	}
}

/* What is read of it. */
static void reads_a_launcher(void **state)
{
	static const char text[] = GITLAB ADDRESS TOKEN "ca-file = /etc/ca.pem\n" SOURCE;
	struct config *c = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(config_parse(&c, text, strlen(text), "t.ini", &e), 0);
	assert_int_equal(c->launcher, CONFIG_LAUNCHER_GITLAB);
	assert_string_equal(c->launcher_url, "https://gitlab.example.com");
	assert_string_equal(c->launcher_token_file, "/etc/modelgate/gitlab-token");
	assert_string_equal(c->launcher_ca_file, "/etc/ca.pem");
	config_free(c);
	assert_int_equal(config_parse(&c, "", 0, "t.ini", &e), 0);
	assert_int_equal(c->launcher, CONFIG_LAUNCHER_LOCAL);
	assert_string_equal(c->launcher_url, "");
	assert_string_equal(c->launcher_token_file, "");
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_half_a_launcher),
		cmocka_unit_test(reads_a_launcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
