/* Where s3 is asked, and the profiles of the AWS tools. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/s3.h"

#include "fixture.h"
#include "stage/dvc-config.h"

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		const char *endpoint;
		const char *region;
		const char *expected; /* the URL, or with RESULT -1 part of what is said */
		int result;
	} rows[] = {
		{"s3://models/a/b", NULL, "eu-west-1",
			"https://models.s3.eu-west-1.amazonaws.com/a/b", 0},
		{"s3://models", NULL, "us-east-1", "https://models.s3.us-east-1.amazonaws.com", 0},
		{"s3://models//", NULL, "us-east-1", "https://models.s3.us-east-1.amazonaws.com",
			0},
		{"s3://models/a/", NULL, "cn-north-1",
			"https://models.s3.cn-north-1.amazonaws.com.cn/a", 0},
		{"s3://my.models/a", NULL, "eu-west-1",
			"https://s3.eu-west-1.amazonaws.com/my.models/a", 0},
		{"s3://Models_1/a", NULL, "eu-west-1",
			"https://s3.eu-west-1.amazonaws.com/Models_1/a", 0},
		{"s3://models/a", "https://minio.example.com:9000/", "eu-west-1",
			"https://minio.example.com:9000/models/a", 0},
		{"s3://models/a", "http://127.0.0.1:9000/s3//", "eu-west-1",
			"http://127.0.0.1:9000/s3/models/a", 0},
		{"s3://models/a b+c@d/(e)~f/\xc3\xbc?#%", NULL, "eu-west-1",
			"https://models.s3.eu-west-1.amazonaws.com/a%20b%2Bc%40d/%28e%29~f/"
			"%C3%BC%3F%23%25",
			0},
		{"s3://models/a//b", NULL, "eu-west-1",
			"https://models.s3.eu-west-1.amazonaws.com/a//b", 0},
		{"s3://models/..a/b..", NULL, "eu-west-1",
			"https://models.s3.eu-west-1.amazonaws.com/..a/b..", 0},
		{"s3://models/a/../b", NULL, "eu-west-1", "must have no part", -1},
		{"s3://models/.", NULL, "eu-west-1", "must have no part", -1},
		{"s3://", NULL, "eu-west-1", "\"\" is no name of a bucket", -1},
		{"s3:///a", NULL, "eu-west-1", "is no name of a bucket", -1},
		{"s3://user@models/a", NULL, "eu-west-1", "is no name of a bucket", -1},
		{"s3://models:80/a", NULL, "eu-west-1", "is no name of a bucket", -1},
		{"s3://../a", "http://127.0.0.1", "eu-west-1", "is no name of a bucket", -1},
		{"s3://-models/a", NULL, "eu-west-1", "is no name of a bucket", -1},
		{"s3://models?x/a", NULL, "eu-west-1", "is no name of a bucket", -1},
		{"s3://123456789012345678901234567890123456789012345678901234567890123/a", NULL,
			"r",
			"https://123456789012345678901234567890123456789012345678901234567890123"
			".s3.r.amazonaws.com/a",
			0},
		{"s3://1234567890123456789012345678901234567890123456789012345678901234/a", NULL,
			"r", "is no name of a bucket", -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		char *got = s3_url(rows[i].url, rows[i].endpoint, rows[i].region, &e);

		if ((got == NULL) != (rows[i].result != 0) ||
			(got != NULL && strcmp(got, rows[i].expected) != 0))
			fail_msg("%s gives %s: %s", rows[i].url, got ? got : "nothing",
				err_text(&e));
		if (got == NULL)
			assert_says(&e, rows[i].expected);
		free(got);
	}
}

/* ---- profiles ---- */

#define KEYS(id) "aws_access_key_id = " id "\naws_secret_access_key = s\n"

/* What P holds, the caller's to free(). */
static char *show(const struct aws_profile *p)
{
	return mem_format("%s %s %s %s %s", p->id ? p->id : "-", p->secret ? p->secret : "-",
		p->session ? p->session : "-", p->region ? p->region : "-",
		p->endpoint ? p->endpoint : "-");
}

static void test_profiles(void **state)
{
	static const struct {
		const char *text;
		const char *section;
		int result;
		const char *expected;
	} rows[] = {
		{"[default]\n" KEYS("A"), "default", 1, "A s - - -"},
		{"[default]\r\naws_access_key_id=A\r\naws_secret_access_key = x/+=#;\r\n",
			"default", 1, "A x/+=#; - - -"},
		{"# c\n[a]\n" KEYS("A") "[b]\n" KEYS("B") "region = r\nendpoint_url = https://e\n",
			"b", 1, "B s - r https://e"},
		{"[a]\n" KEYS("A") "aws_session_token = t==\n", "a", 1, "A s t== - -"},
		{"[ a ]\nAWS_Access_Key_ID = A\n", "a", 1, "A - - - -"},
		/* the settings of one service are indented */
		{"[a]\nregion = r\ns3 =\n  region = other\n  endpoint_url = https://e\n", "a", 1,
			"- - - r -"},
		{"[profile a]\nregion = r\n", "profile a", 1, "- - - r -"},
		{"[a]\n" KEYS("A"), "A", 0, "- - - - -"},
		{"[a]\n[b]\n" KEYS("B"), "a", 0, "- - - - -"},
		{"", "default", 0, "- - - - -"},
		{"[a]\nsecret without equals\n", "a", -1, "line 2: neither a section nor"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = mem_strdup(rows[i].text), *got;
		struct aws_profile p = {0};
		struct err e = ERR_INIT;

		assert_result(aws_profile_parse(&p, text, strlen(text), rows[i].section, &e),
			rows[i].result, &e);
		got = show(&p);
		if (rows[i].result >= 0)
			assert_string_equal(got, rows[i].expected);
		else if (strstr(err_text(&e), "secret") != NULL)
			fail_msg("a secret is told: %s", err_text(&e));
		else
			assert_says(&e, rows[i].expected);
		free(got);
		free(text);
		aws_profile_clear(&p);
	}
}

static void put(const char *path, const char *text, mode_t mode)
{
	assert_int_equal(files_replace(path, text, strlen(text), mode, NULL), 0);
}

/* Amazon's session tokens are longer than the lines that other readers of such files take. */
static void test_long_token(void **state)
{
	struct aws_profile p;
	struct err e = ERR_INIT;
	struct str s;

	(void)state;
	str_init(&s);
	str_add(&s, "[default]\n" KEYS("A") "aws_session_token = ");
	for (int i = 0; i < 3000; i++)
		str_addc(&s, 'x');
	str_add(&s, "END\n");
	put("credentials", s.buf, 0600);
	str_clear(&s);
	assert_result(aws_profile_load(&p, "credentials", NULL, &e), 1, &e);
	assert_int_equal(strlen(p.session), 3003);
	assert_string_equal(p.session + 3000, "END");
	aws_profile_clear(&p);
}

static void test_files(void **state)
{
	struct aws_profile p;
	struct err e = ERR_INIT;
	char *got;

	(void)setenv("HOME", *state, 1);
	assert_result(aws_profile_load(&p, "", NULL, &e), 0, &e);
	assert_result(aws_profile_load(&p, "", "a", &e), -1, &e);
	assert_says(&e, "there is no profile \"a\" in ");
	assert_result(aws_profile_load(&p, "none", NULL, &e), -1, &e);
	assert_says(&e, "none");
	put("open", "[default]\n" KEYS("A"), 0640);
	assert_result(aws_profile_load(&p, "open", NULL, &e), -1, &e);
	assert_says(&e, "chmod 600 open");

	assert_int_equal(mkdir(".aws", 0700), 0);
	put(".aws/credentials", "[default]\n" KEYS("A") "[a]\n" KEYS("B"), 0600);
	put(".aws/config",
		"[default]\nregion = r\n[profile a]\nendpoint_url = https://e\n"
		"aws_secret_access_key = not this one\n[profile b]\nregion = q\n",
		0644);
	assert_result(aws_profile_load(&p, "", NULL, &e), 1, &e);
	got = show(&p);
	assert_string_equal(got, "A s - r -");
	free(got);
	aws_profile_clear(&p);
	assert_result(aws_profile_load(&p, "", "a", &e), 1, &e);
	got = show(&p);
	assert_string_equal(got, "B s - - https://e");
	free(got);
	aws_profile_clear(&p);
	/* only what is no secret comes from there */
	assert_result(aws_profile_load(&p, "", "b", &e), 1, &e);
	got = show(&p);
	assert_string_equal(got, "- - - q -");
	free(got);
	aws_profile_clear(&p);
	put(".aws/credentials", "[default]\n" KEYS("A"), 0644);
	assert_result(aws_profile_load(&p, "", NULL, &e), -1, &e);
	assert_says(&e, "chmod 600");
}

/* For which server the credentials of a profile are, and where a commit may have them sent. */
static void test_servers(void **state)
{
	static const struct {
		const char *own;   /* endpoint_url of the profile; "": none */
		const char *asked; /* endpointurl of the remote; "": none */
		const char *url;   /* NULL: refused */
	} rows[] = {
		{"", "", "https://b.s3.eu-west-1.amazonaws.com/m"},
		{"", "https://s3.eu-west-1.amazonaws.com",
			"https://s3.eu-west-1.amazonaws.com/b/m"},
		{"", "https://s3.amazonaws.com/", "https://s3.amazonaws.com/b/m"},
		{"", "https://s3.dualstack.eu-west-1.amazonaws.com",
			"https://s3.dualstack.eu-west-1.amazonaws.com/b/m"},
		{"", "https://s3.cn-north-1.amazonaws.com.cn",
			"https://s3.cn-north-1.amazonaws.com.cn/b/m"},
		{"", "http://s3.eu-west-1.amazonaws.com", NULL},
		{"", "https://x.execute-api.eu-west-1.amazonaws.com", NULL},
		{"", "https://s3.eu-west-1.amazonaws.com.evil.example.com", NULL},
		{"", "https://s3.evil.example.com/.amazonaws.com", NULL},
		{"", "https://s3.evil.example.com:443#.amazonaws.com", NULL},
		{"", "https://s3.evil.example.com@x.amazonaws.com", NULL},
		{"", "https://evil.example.com", NULL},
		{"https://minio.example.com", "", "https://minio.example.com/b/m"},
		{"https://minio.example.com", "https://MINIO.example.com/",
			"https://MINIO.example.com/b/m"},
		{"https://minio.example.com", "https://minio.example.com:444", NULL},
		{"https://minio.example.com", "http://minio.example.com", NULL},
		{"https://minio.example.com", "https://s3.eu-west-1.amazonaws.com", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *config = mem_format("[core]\nremote = r\n['remote \"r\"']\nurl = s3://b/m\n"
					  "region = eu-west-1\nendpointurl = \"%s\"\n",
			rows[i].asked);
		char *credentials =
			mem_format("[default]\n" KEYS("A") "endpoint_url = %s\n", rows[i].own);
		char *file = path_join(*state, "credentials");
		struct config c = {.model_credentials_file = file};
		struct dvc_remote r;
		struct s3 s = {0};
		struct err e = ERR_INIT;
		int result;

		put(file, credentials, 0600);
		assert_result(dvc_config_remote(&r, config, strlen(config), NULL, &e), 0, &e);
		result = s3_init(&s, &r, &c, &e);
		if ((result == 0) != (rows[i].url != NULL) || !str_same(s.url, rows[i].url))
			fail_msg("%s for %s: %s: %s", rows[i].asked, rows[i].own,
				s.url ? s.url : "refused", err_text(&e));
		if (result != 0 && strstr(err_text(&e), "alone") == NULL)
			fail_msg("%s is refused otherwise: %s", rows[i].asked, err_text(&e));
		err_clear(&e);
		/* what a program is given the file for, it may ask too */
		assert_result(s3_check(&r, &c, &e), result, &e);
		err_clear(&e);
		s3_clear(&s);
		dvc_remote_clear(&r);
		free(file);
		free(credentials);
		free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_profiles),
		scratch_test(test_long_token),
		scratch_test(test_files),
		scratch_test(test_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
