/* Addresses of repositories: which are spoken, and as what. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "git/remote.h"

static void takes(void **state)
{
	static const struct {
		const char *text;
		enum remote_kind kind;
		const char *url;
		const char *user;
		const char *host;
		const char *port;
		const char *path;
	} rows[] = {
		{"/srv/a.git", REMOTE_PATH, "/srv/a.git", NULL, NULL, NULL, "/srv/a.git"},
		{"file:///srv/a.git", REMOTE_PATH, "file:///srv/a.git", NULL, NULL, NULL,
			"/srv/a.git"},
		{"file:///srv/a%20b", REMOTE_PATH, "file:///srv/a%20b", NULL, NULL, NULL,
			"/srv/a b"},
		{"https://h/a.git", REMOTE_HTTP, "https://h/a.git", NULL, NULL, NULL, NULL},
		{"https://h:8443/a/@b.git//", REMOTE_HTTP, "https://h:8443/a/@b.git", NULL, NULL,
			NULL, NULL},
		{"http://[::1]:80/a", REMOTE_HTTP, "http://[::1]:80/a", NULL, NULL, NULL, NULL},
		{"ssh://h/a.git", REMOTE_SSH, "ssh://h/a.git", "", "h", "", "/a.git"},
		{"ssh://git@h:2222/a/b.git", REMOTE_SSH, "ssh://git@h:2222/a/b.git", "git", "h",
			"2222", "/a/b.git"},
		{"ssh://git@[::1]:22/a", REMOTE_SSH, "ssh://git@[::1]:22/a", "git", "::1", "22",
			"/a"},
		{"ssh://git@[::1]/a", REMOTE_SSH, "ssh://git@[::1]/a", "git", "::1", "", "/a"},
		{"ssh://h/~git/a", REMOTE_SSH, "ssh://h/~git/a", "", "h", "", "~git/a"},
		{"ssh://h/a%27b", REMOTE_SSH, "ssh://h/a%27b", "", "h", "", "/a'b"},
		{"git@h:a/b.git", REMOTE_SSH, "git@h:a/b.git", "git", "h", "", "a/b.git"},
		{"h:/a", REMOTE_SSH, "h:/a", "", "h", "", "/a"},
		{"git@[::1]:a", REMOTE_SSH, "git@[::1]:a", "git", "::1", "", "a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote_address a;
		struct err e = ERR_INIT;

		if (remote_parse(&a, rows[i].text, &e) != 0)
			fail_msg("%s: %s", rows[i].text, err_text(&e));
		if (a.kind != rows[i].kind || !str_same(a.url, rows[i].url) ||
			!str_same(a.user, rows[i].user) || !str_same(a.host, rows[i].host) ||
			!str_same(a.port, rows[i].port) || !str_same(a.path, rows[i].path))
			fail_msg("%s: kind %d, url %s, user %s, host %s, port %s, path %s",
				rows[i].text, a.kind, a.url, a.user ? a.user : "-",
				a.host ? a.host : "-", a.port ? a.port : "-",
				a.path ? a.path : "-");
		remote_address_clear(&a);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		const char *fault;
	} rows[] = {
		{"git://h/a", "git:// is not spoken here"},
		{"ftp://h/a", "ftp:// is not spoken here"},
		{"file://h/a", "wants an absolute path"},
		{"file:///a%00b", "wants an absolute path"},
		{"file:///a%2", "wants an absolute path"},
		{"https://u:secret@h/a", "into token-file"},
		{"https://secret@h/a", "into token-file"},
		{"https:///a", "is no address"},
		{"https://h", "is no address"},
		{"https://h/a?secret=x", "is no address"},
		{"ssh://git:secret@h/a", "into key-file"},
		{"ssh://h", "has no path"},
		{"ssh://h/", "has no path"},
		{"ssh://h/%zz", "has no path"},
		{"ssh:///a", "is no address"},
		{"ssh://-oProxyCommand=x/a", "is no address"},
		{"ssh://-l@h/a", "is no address"},
		{"ssh://@h/a", "is no address"},
		{"-oProxyCommand=x:a", "is no address"},
		{"h:", "has no path"},
		{"h:-a", "has no path"},
		{"relative/path", "has no path"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote_address a;
		struct err e = ERR_INIT;

		if (remote_parse(&a, rows[i].text, &e) == 0)
			fail_msg("%s is taken", rows[i].text);
		if (strstr(err_text(&e), rows[i].fault) == NULL ||
			(strstr(rows[i].fault, "-file") != NULL &&
				strstr(err_text(&e), "secret") != NULL))
			fail_msg("%s: \"%s\" does not say \"%s\", or says too much", rows[i].text,
				err_text(&e), rows[i].fault);
		err_clear(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(takes), cmocka_unit_test(refuses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
