/* How ssh(1) is called, and what is made of what it says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "git/remote.h"
#include "git/transport-ssh-internal.h"

static void calls(void **state)
{
	static const struct {
		const char *url;
		const char *key;
		const char *known;
		const char *end; /* of the arguments, joined with blanks */
	} rows[] = {
		{"ssh://h/a", "", "", "-o ControlPath=none -- h git-upload-pack '/a'"},
		{"git@h:it's", "", "", "-o User=git -- h git-upload-pack 'it'\\''s'"},
		{"ssh://u@h:22/a;b", "", "", "-o User=u -o Port=22 -- h git-upload-pack '/a;b'"},
		{"ssh://h/$(x)", "/k", "/h",
			"-o IdentityFile=\"/k\" -o IdentitiesOnly=yes -o IdentityAgent=none "
			"-o UserKnownHostsFile=\"/h\" -o GlobalKnownHostsFile=none "
			"-- h git-upload-pack '/$(x)'"},
		{"ssh://h/a", "/a b%h", "/c d",
			"-o IdentityFile=\"/a b%%h\" -o IdentitiesOnly=yes -o IdentityAgent=none "
			"-o UserKnownHostsFile=\"/c d\" -o GlobalKnownHostsFile=none "
			"-- h git-upload-pack '/a'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote r = {
			.token_file = "", .key_file = rows[i].key, .known_hosts = rows[i].known};
		struct strlist argv = {0};
		char *all;

		assert_int_equal(remote_parse(&r.address, rows[i].url, NULL), 0);
		transport_ssh_arguments(&argv, &r, "git-upload-pack");
		all = strlist_join(&argv, " ");
		if (!str_ends(all, rows[i].end) || !str_starts(all, "ssh -F none "))
			fail_msg("%s: \"%s\" does not end with \"%s\"", rows[i].url, all,
				rows[i].end);
		assert_non_null(strstr(all, " BatchMode=yes "));
		assert_non_null(strstr(all, " StrictHostKeyChecking=yes "));
		free(all);
		strlist_clear(&argv);
		remote_address_clear(&r.address);
	}
}

static void tells(void **state)
{
	static const struct {
		const char *key;
		const char *said;
		int status;
		const char *fault;
		int passing;
	} rows[] = {
		{"/k", "No ED25519 host key is known for h\r\nHost key verification failed.\r\n",
			255, "ssh-keyscan -p 22 h >>/known", 0},
		{"/k",
			"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key "
			"verification failed.\n",
			255, "is not the one that is known", 0},
		{"/k", "u@h: Permission denied (publickey).\r\n", 255, "key-file /k", 0},
		{"", "u@h: Permission denied (publickey).\r\n", 255, "into key-file", 0},
		{"/k", "Load key \"/k\": error in libcrypto\r\n", 255, "key-file /k", 0},
		{"/k", "ssh: connect to host h port 22: Connection refused\r\n", 255, "refused", 1},
		{"/k", "ssh: Could not resolve hostname h: Name or service not known\r\n", 255,
			"resolve", 1},
		{"/k", "kex_exchange_identification: read: Connection reset by peer\n", 255,
			"reset", 1},
		{"/k", "Timeout, server h not responding.\r\n", 255, "not responding", 1},
		{"/k", "fatal: '/a' does not appear to be a git repository\n", 128,
			"does not appear", 0},
		{"/k", "remote: ERROR: The project you were looking for could not be found.\n", 1,
			"could not be found. (status 1)", 0},
		{"/k", "Killed\n", 137, "Killed", 1},
		{"/k", "", 0, "ended the conversation", 1},
		{"/k", "", -1, "ended the conversation", 1},
		{"/k", "\033[31mred\a\n", 1, "\\x1b[31mred\\x07 (status", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote r = {
			.token_file = "", .key_file = rows[i].key, .known_hosts = "/known"};
		struct err e = ERR_INIT;

		assert_int_equal(remote_parse(&r.address, "ssh://u@h:22/a", NULL), 0);
		assert_int_equal(transport_ssh_tell(&r, rows[i].said, rows[i].status, &e), -1);
		if (strstr(err_text(&e), rows[i].fault) == NULL || e.passing != rows[i].passing)
			fail_msg("row %zu, \"%s\": \"%s\" (passing %d) does not say \"%s\"", i,
				rows[i].said, err_text(&e), e.passing, rows[i].fault);
		err_clear(&e);
		remote_address_clear(&r.address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(calls), cmocka_unit_test(tells)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
