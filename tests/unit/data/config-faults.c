/* Every fault of a configuration in its exact words, beside the nearest text that passes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "data/config.h"

struct row {
	const char *text, *fault;
	const char *passes; /* the nearest text that is accepted; NULL: none that is not in another
			       row */
};

static void expect_faults(const struct row *rows, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		struct config *c = NULL;
		struct err e = ERR_INIT;

		if (config_parse(&c, rows[n].text, strlen(rows[n].text), "t.ini", &e) == 0)
			fail_msg("accepted: %s", rows[n].text);
		assert_string_equal(err_text(&e), rows[n].fault);
		assert_null(c);
		err_clear(&e);
		if (rows[n].passes == NULL)
			continue;
		if (config_parse(&c, rows[n].passes, strlen(rows[n].passes), "t.ini", &e) != 0)
			fail_msg("%s: %s", rows[n].passes, err_text(&e));
		config_free(c);
	}
}

#define EXPECT_FAULTS(rows) expect_faults(rows, sizeof(rows) / sizeof((rows)[0]))

static void refuses_unknown_names(void **state)
{
	static const struct row rows[] = {
		{"[branch \"prod\"]\nmerge-form = dev\n",
			"t.ini:2: [branch \"prod\"] merge-form: no such key; did you mean "
			"\"merge-from\"?",
			"[branch \"prod\"]\nmerge-from = dev\n"},
		{"[modelgate]\nMode = enforce\n",
			"t.ini:2: [modelgate] Mode: no such key; did you mean \"mode\"?",
			"[modelgate]\nmode = enforce\n"},
		{"[runner]\nengine = auto\n",
			"t.ini:2: [runner] engine: no such key; it belongs in [build]",
			"[build]\nengine = auto\n"},
		{"[project]\nmerge-from = dev\n",
			"t.ini:2: [project] merge-from: no such key; it belongs in [branch "
			"\"NAME\"]",
			NULL},
		{"[runner]\nxyzzy = 1\n",
			"t.ini:2: [runner] xyzzy: no such key; it has wake, parallel, "
			"stage-timeout, retries",
			NULL},
		{"[brnch \"x\"]\n",
			"t.ini:1: [brnch \"x\"]: no such section; did you mean [branch \"NAME\"]?",
			"[branch \"x\"]\n"},
		{"\n[Runner]\nretries = 1\n",
			"t.ini:2: [Runner]: no such section; did you mean [runner]?",
			"\n[runner]\nretries = 1\n"},
		{"[xyzzy]\n",
			"t.ini:1: [xyzzy]: no such section; there are [modelgate], [identity], "
			"[project], [role \"NAME\"], [branch \"NAME\"], [retrain-branch], "
			"[content], "
			"[override], [chain \"NAME\"], [launcher], [runner], [audit], [build], "
			"[registry], [airflow \"NAME\"]",
			NULL},
		{"[project \"x\"]\n",
			"t.ini:1: [project \"x\"]: this section has no name; write [project]",
			"[project]\n"},
		{"[branch]\n", "t.ini:1: [branch]: a name is missing; write [branch \"NAME\"]",
			NULL},
		{"[branch prod]\n",
			"t.ini:1: [branch prod]: a name stands in quotes; write [branch \"prod\"]",
			"[branch \"prod\"]\n"},
		{"[branch 'prod']\n",
			"t.ini:1: not a section; write [section] or [section \"name\"]", NULL},
		{"[branch \"a..b\"]\n",
			"t.ini:1: [branch \"a..b\"]: the name does not fit; write the short name "
			"of a "
			"branch; those that start with retrain are ruled by [retrain-branch]",
			"[branch \"a.b\"]\n"},
		{"[branch \"retrain-1-20260101\"]\n",
			"t.ini:1: [branch \"retrain-1-20260101\"]: the name does not fit; write "
			"the short "
			"name of a branch; those that start with retrain are ruled by "
			"[retrain-branch]",
			"[branch \"trained-1-20260101\"]\n"},
		{"[chain \"a/b\"]\n",
			"t.ini:1: [chain \"a/b\"]: the name does not fit; write letters, digits, _ "
			". and -",
			"[chain \"a-b\"]\n"},
		{"[project]\n[project\n",
			"t.ini:2: a section without its closing bracket; write [section] or "
			"[section "
			"\"name\"]",
			"[project]\n[project]\n"},
	};

	(void)state;
	EXPECT_FAULTS(rows);
}

static void refuses_repetition(void **state)
{
	static const struct row rows[] = {
		{"[project]\nname = a\n[runner]\n[project]\nname = a\n",
			"t.ini:5: [project] name: given twice in this file, first in line 2",
			"[project]\nname = a\n[runner]\n[project]\ndescription = a\n"},
		{"[branch \"a\"]\nroles =\nroles =\n",
			"t.ini:3: [branch \"a\"] roles: given twice in this file, first in line 2",
			"[branch \"a\"]\nroles =\n[branch \"b\"]\nroles =\n"},
		{"[role \"r\"]\nmembers.2 = a\n",
			"t.ini:2: [role \"r\"] members.2: does not follow members in this file",
			"[role \"r\"]\nmembers =\nmembers.2 = a\n"},
		{"[branch \"main\"]\nmerge-from.2 = a\n",
			"t.ini:2: [branch \"main\"] merge-from.2: does not follow merge-from in "
			"this file",
			"[branch \"main\"]\nmerge-from = dev\nmerge-from.2 = a\n"},
		{"[role \"r\"]\nmembers = a\nmembers.3 = b\n",
			"t.ini:3: [role \"r\"] members.3: does not follow members.2 in this file",
			"[role \"r\"]\nmembers = a\nmembers.2 = b\nmembers.3 = b\n"},
		{"[role \"r\"]\nmembers = a\nmembers.2 = b\nmembers.2 = c\n",
			"t.ini:4: [role \"r\"] members.2: given twice in this file; the next is "
			"members.3",
			NULL},
		{"[role \"r\"]\nmembers = a\nmembers.1 = b\n",
			"t.ini:3: [role \"r\"] members.1: a list starts with the key alone and "
			"goes on with "
			"number 2",
			NULL},
		{"[role \"r\"]\nmembers = a\nmembers.02 = b\n",
			"t.ini:3: [role \"r\"] members.02: a list starts with the key alone and "
			"goes on with "
			"number 2",
			NULL},
		{"[project]\nname = a\nname.2 = b\n",
			"t.ini:3: [project] name.2: only a list goes on in numbered keys",
			"[branch \"x\"]\nroles =\nroles.2 =\n"},
		{"[project]\nxyzzy.2 = b\n",
			"t.ini:2: [project] xyzzy.2: no such key; it has name, description, "
			"repository-url, "
			"schedule, retrain-schedule, push-token-variable",
			NULL},
	};

	(void)state;
	EXPECT_FAULTS(rows);
}

static void refuses_words_and_numbers(void **state)
{
	static const struct row rows[] = {
		{"[modelgate]\nmode = Enforce\n",
			"t.ini:2: [modelgate] mode: \"Enforce\" does not fit; write enforce or "
			"shadow",
			"[modelgate]\nmode = enforce\n"},
		{"[modelgate]\nmode =\n",
			"t.ini:2: [modelgate] mode: must not be empty; write enforce or shadow",
			NULL},
		{"[build]\nengine = rkt\n",
			"t.ini:2: [build] engine: \"rkt\" does not fit; write auto, docker, "
			"podman, "
			"buildah or archive",
			"[build]\nengine = buildah\n"},
		{"[branch \"prod\"]\nmerge-methods = merge, rebase\n",
			"t.ini:2: [branch \"prod\"] merge-methods: \"rebase\" does not fit; write "
			"merge, "
			"fast-forward or squash",
			"[branch \"prod\"]\nmerge-methods = squash, merge, fast-forward\n"},
		{"[branch \"prod\"]\nmerge-methods = ,\n",
			"t.ini:2: [branch \"prod\"] merge-methods: must not be empty; write merge, "
			"fast-forward or squash",
			NULL},
		{"[runner]\nparallel = 0\n",
			"t.ini:2: [runner] parallel: \"0\" does not fit; write a number from 1 to "
			"64",
			"[runner]\nparallel = 1\n"},
		{"[runner]\nparallel = 65\n",
			"t.ini:2: [runner] parallel: \"65\" does not fit; write a number from 1 to "
			"64",
			"[runner]\nparallel = 64\n"},
		{"[runner]\nstage-timeout = 604801\n",
			"t.ini:2: [runner] stage-timeout: \"604801\" does not fit; write a number "
			"from 1 "
			"to 604800",
			"[runner]\nstage-timeout = 604800\n"},
		{"[runner]\nretries = 21\n",
			"t.ini:2: [runner] retries: \"21\" does not fit; write a number from 0 to "
			"20",
			"[runner]\nretries = 20\n"},
		{"[runner]\nretries = -1\n",
			"t.ini:2: [runner] retries: \"-1\" does not fit; write a number from 0 to "
			"20",
			NULL},
		{"[runner]\nretries =\n",
			"t.ini:2: [runner] retries: must not be empty; write a number from 0 to 20",
			NULL},
		{"[runner]\nretries = 99999999999999999999\n",
			"t.ini:2: [runner] retries: \"99999999999999999999\" does not fit; write a "
			"number "
			"from 0 to 20",
			NULL},
		{"[content]\nmax-file-size = 5 M\n",
			"t.ini:2: [content] max-file-size: \"5 M\" does not fit; write a number of "
			"bytes, or "
			"one followed by k, M or G",
			"[content]\nmax-file-size = 0M\n"},
		{"[content]\nmax-file-size = 9999999999999G\n",
			"t.ini:2: [content] max-file-size: \"9999999999999G\" does not fit; write "
			"a number "
			"of bytes, or one followed by k, M or G",
			"[content]\nmax-file-size = 0G\n"},
		{"[audit]\nrotate-size = 1T\n",
			"t.ini:2: [audit] rotate-size: \"1T\" does not fit; write a number of "
			"bytes, or one followed by k, M or G",
			"[audit]\nrotate-size = 0\n"},
		{"[audit]\nrotate-age = 36501\n",
			"t.ini:2: [audit] rotate-age: \"36501\" does not fit; write a number from "
			"0 to 36500",
			"[audit]\nrotate-age = 36500\n"},
	};

	(void)state;
	EXPECT_FAULTS(rows);
}

#define IMAGES_WANTED                                                                              \
	"write a host, with a dot or a port or localhost, and a path in lower case, without a "    \
	"scheme, such as registry.example.com/models"
#define REMOTE_WANTED "write an absolute path, https://, ssh:// or USER@HOST:PATH"
#define SECRET_HELD                                                                                \
	"holds a user or a password (not shown); write the address without, and what is secret "   \
	"into a file of its own"
#define PATH_WANTED "write an absolute path without . or .. or a / at its end"
#define TREE_WANTED "write globs over paths from the top of the tree, such as "
#define CRON_WANTED                                                                                \
	"write the five fields of cron, such as 0 5 * * *, or @once, @hourly, @daily, @weekly, "   \
	"@monthly, @quarterly or @yearly"
#define DATE_WANTED "write %Y, %m and %d once each, and what a branch name may hold, but no /"

static const struct row texts[] = {
	{"[modelgate]\nstate = var/lib\n",
		"t.ini:2: [modelgate] state: \"var/lib\" does not fit; " PATH_WANTED
		", such as /var/lib/modelgate",
		"[modelgate]\nstate = /var/lib\n"},
	{"[modelgate]\nstate = /var/../lib\n",
		"t.ini:2: [modelgate] state: \"/var/../lib\" does not fit; " PATH_WANTED
		", such as /var/lib/modelgate",
		"[modelgate]\nstate = /var/..lib\n"},
	{"[modelgate]\nstate =\n",
		"t.ini:2: [modelgate] state: must not be empty; " PATH_WANTED
		", such as /var/lib/modelgate",
		NULL},
	{"[project]\nname = a b\n",
		"t.ini:2: [project] name: \"a b\" does not fit; write at most 100 letters, "
		"digits, _ "
		"and -",
		"[project]\nname = a-b\n"},
	{"[project]\nrepository-url = https://h/a b\n",
		"t.ini:2: [project] repository-url: \"https://h/a b\" does not fit; write "
		"a URL "
		"without blanks, quotes, backslashes and braces",
		"[project]\nrepository-url = https://h/a%20b\n"},
	{"[project]\nrepository-url = --upload-pack=x\n",
		"t.ini:2: [project] repository-url: \"--upload-pack=x\" does not fit; "
		"write a URL "
		"without blanks, quotes, backslashes and braces",
		NULL},
	{"[project]\nschedule = {{ x }}\n",
		"t.ini:2: [project] schedule: \"{{ x }}\" does not fit; " CRON_WANTED,
		"[project]\nschedule = @daily\n"},
	{"[project]\nretrain-schedule = 0 5' * * *\n",
		"t.ini:2: [project] retrain-schedule: \"0 5' * * *\" does not "
		"fit; " CRON_WANTED,
		"[project]\nretrain-schedule = 0 5 * * *\n"},
	{"[project]\nschedule = \xc3\xa9\n",
		"t.ini:2: [project] schedule: \"\xc3\xa9\" does not fit; " CRON_WANTED,
		"[project]\ndescription = \xc3\xa9\n"},
	{"[project]\nschedule = hourly\n",
		"t.ini:2: [project] schedule: \"hourly\" does not fit; " CRON_WANTED,
		"[project]\nschedule = @hourly\n"},
	{"[project]\nschedule = @often\n",
		"t.ini:2: [project] schedule: \"@often\" does not fit; " CRON_WANTED,
		"[project]\nschedule = @quarterly\n"},
	{"[project]\nschedule = None\n",
		"t.ini:2: [project] schedule: \"None\" does not fit; " CRON_WANTED,
		"[project]\nschedule =\n"},
	{"[project]\nschedule = 0 5 * *\n",
		"t.ini:2: [project] schedule: \"0 5 * *\" does not fit; " CRON_WANTED,
		"[project]\nschedule = 0  5,17 */2 JAN-jun mon#1\n"},
	{"[project]\nschedule = 0 0 5 * * *\n",
		"t.ini:2: [project] schedule: \"0 0 5 * * *\" does not fit; " CRON_WANTED,
		"[project]\nschedule = 0 5 L ? 1-5\n"},
	{"[project]\nretrain-schedule = each night at two please\n",
		"t.ini:2: [project] retrain-schedule: \"each night at two please\" does not "
		"fit; " CRON_WANTED,
		"[project]\nretrain-schedule = @once\n"},
	{"[project]\nschedule = \"5 4 * * *\"\n",
		"t.ini:2: [project] schedule: \"5 4 * * *\" does not fit; write it without "
		"quotes",
		"[project]\nschedule = 5 4 * * *\n"},
	{"[modelgate]\nmode = \"enforce\"\n",
		"t.ini:2: [modelgate] mode: \"enforce\" does not fit; write it without quotes",
		NULL},
	{"[project]\npush-token-variable = a b\n",
		"t.ini:2: [project] push-token-variable: \"a b\" does not fit; write the "
		"secret's "
		"name, of letters, digits, _ . and -",
		"[project]\npush-token-variable = a_b\n"},
	{"[role \"r\"]\nmembers = \"a\", b\n",
		"t.ini:2: [role \"r\"] members: \"a\" does not fit; write it without "
		"quotes",
		"[role \"r\"]\nmembers = a, b\n"},
	{"[role \"r\"]\nmembers = a, b # c\n",
		"t.ini:2: [role \"r\"] members: \"b # c\" does not fit; a comment after a "
		"value "
		"starts with ;",
		"[role \"r\"]\nmembers = a, b ; c\n"},
	{"[branch \"x\"]\nmerge-from = main, feature-*\n",
		"t.ini:2: [branch \"x\"] merge-from: \"feature-*\" does not fit; write "
		"names of "
		"branches, or retrain-*; no other glob is known",
		"[branch \"x\"]\nmerge-from = main, feature\n"},
	{"[branch \"x\"]\nmerge-from = refs/heads/main\n",
		"t.ini:2: [branch \"x\"] merge-from: \"refs/heads/main\" does not fit; "
		"write names of "
		"branches, or retrain-*; no other glob is known",
		"[branch \"x\"]\nmerge-from = main\n"},
	{"[branch \"x\"]\ndirect-may-change = /doc/*\n",
		"t.ini:2: [branch \"x\"] direct-may-change: \"/doc/*\" does not "
		"fit; " TREE_WANTED "rkl/*",
		"[branch \"x\"]\ndirect-may-change = doc/*\n"},
	{"[branch \"x\"]\nrequire-files = a, ../b\n",
		"t.ini:2: [branch \"x\"] require-files: \"../b\" does not fit; write paths "
		"from the "
		"top of the tree, without . and ..",
		"[branch \"x\"]\nrequire-files = a, b/c\n"},
	{"[content]\nforbid = doc/\n",
		"t.ini:2: [content] forbid: \"doc/\" does not fit; " TREE_WANTED "*.pkl", NULL},
	{"[retrain-branch]\nmodel-file = /m\n",
		"t.ini:2: [retrain-branch] model-file: \"/m\" does not fit; write a path "
		"from the top "
		"of the tree, such as rkl/model.pkl.dvc",
		"[retrain-branch]\nmodel-file = m\n"},
	{"[retrain-branch]\ndate-formats =\n",
		"t.ini:2: [retrain-branch] date-formats: must not be empty; " DATE_WANTED, NULL},
	{"[retrain-branch]\ndate-formats = %Y%m%d, %Y-%m\n",
		"t.ini:2: [retrain-branch] date-formats: \"%Y-%m\" does not "
		"fit; " DATE_WANTED,
		"[retrain-branch]\ndate-formats = %Y%m%d, %d.%m.%Y\n"},
	{"[retrain-branch]\ndate-formats = %Y-%m-%d-%d\n",
		"t.ini:2: [retrain-branch] date-formats: \"%Y-%m-%d-%d\" does not "
		"fit; " DATE_WANTED,
		NULL},
	{"[retrain-branch]\ndate-formats = %y-%m-%d\n",
		"t.ini:2: [retrain-branch] date-formats: \"%y-%m-%d\" does not "
		"fit; " DATE_WANTED,
		NULL},
	{"[retrain-branch]\ndate-formats = %Y/%m/%d\n",
		"t.ini:2: [retrain-branch] date-formats: \"%Y/%m/%d\" does not "
		"fit; " DATE_WANTED,
		"[retrain-branch]\ndate-formats = %Y_%m_%d\n"},
	{"[retrain-branch]\ndate-formats = %Y:%m:%d\n",
		"t.ini:2: [retrain-branch] date-formats: \"%Y:%m:%d\" does not "
		"fit; " DATE_WANTED,
		NULL},
	{"[retrain-branch]\ndate-formats = %Y%m%d%\n",
		"t.ini:2: [retrain-branch] date-formats: \"%Y%m%d%\" does not "
		"fit; " DATE_WANTED,
		NULL},
	{"[launcher]\nurl = gitlab.example.com\n",
		"t.ini:2: [launcher] url: \"gitlab.example.com\" does not fit; write a URL "
		"that "
		"starts with https:// or http://",
		"[launcher]\nurl = https://gitlab.example.com\n"},
	{"[audit]\nsyslog = dev/log\n",
		"t.ini:2: [audit] syslog: \"dev/log\" does not fit; " PATH_WANTED
		", such as /dev/log",
		"[audit]\nsyslog = /dev/log\n"},
	{"[audit]\npublic-key = ~/audit.pub\n",
		"t.ini:2: [audit] public-key: \"~/audit.pub\" does not fit; " PATH_WANTED,
		"[audit]\npublic-key = /etc/audit.pub\n"},
	{"[registry]\ntoken-file = token\n",
		"t.ini:2: [registry] token-file: \"token\" does not fit; " PATH_WANTED,
		"[registry]\ntoken-file = /etc/token\n"},
	{"[build]\nregistry = https://registry.example.com\n",
		"t.ini:2: [build] registry: \"https://registry.example.com\" does not "
		"fit; " IMAGES_WANTED,
		"[build]\nregistry = registry.example.com\n"},
	{"[build]\nregistry = models\n",
		"t.ini:2: [build] registry: \"models\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = localhost/models\n"},
	{"[build]\nregistry = team/models\n",
		"t.ini:2: [build] registry: \"team/models\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = docker.io/team/models\n"},
	{"[build]\nregistry = Registry.example.com/Models\n",
		"t.ini:2: [build] registry: \"Registry.example.com/Models\" does not "
		"fit; " IMAGES_WANTED,
		"[build]\nregistry = Registry.example.com/models/team-a_b\n"},
	{"[build]\nregistry = registry.example.com/\n",
		"t.ini:2: [build] registry: \"registry.example.com/\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = 127.0.0.1:5000\n"},
	{"[build]\nregistry = registry.example.com:\n",
		"t.ini:2: [build] registry: \"registry.example.com:\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = registry.example.com:5000/models\n"},
	{"[build]\nregistry = registry:50x0/models\n",
		"t.ini:2: [build] registry: \"registry:50x0/models\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = registry:5000/models\n"},
	{"[build]\nregistry = [::1/models\n",
		"t.ini:2: [build] registry: \"[::1/models\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = [::1]:5000/models\n"},
	{"[build]\nregistry = user@registry.example.com\n",
		"t.ini:2: [build] registry: \"user@registry.example.com\" does not "
		"fit; " IMAGES_WANTED,
		"[build]\nregistry = [2001:db8::1]\n"},
	{"[build]\nregistry = -registry.example.com\n",
		"t.ini:2: [build] registry: \"-registry.example.com\" does not fit; " IMAGES_WANTED,
		"[build]\nregistry = registry.example.com/a/b.c\n"},
	{"[build]\nregistry = registry.example.com/.a\n",
		"t.ini:2: [build] registry: \"registry.example.com/.a\" does not "
		"fit; " IMAGES_WANTED,
		"[build]\nregistry = registry.example.com/a\n"},
	{"[build]\nregistry = registry.example.com/a:1\n",
		"t.ini:2: [build] registry: \"registry.example.com/a:1\" does not "
		"fit; " IMAGES_WANTED,
		"[build]\nregistry = registry.example.com/a1\n"},
	{"[build]\ndockerfile = ../Dockerfile\n",
		"t.ini:2: [build] dockerfile: \"../Dockerfile\" does not fit; write a path "
		"from the "
		"top of the tree, such as Dockerfile",
		"[build]\ndockerfile = docker/Dockerfile\n"},
	{"[airflow \"a\"]\nrepository = srv/a.git\n",
		"t.ini:2: [airflow \"a\"] repository: \"srv/a.git\" does not fit; " REMOTE_WANTED,
		"[airflow \"a\"]\nrepository = /srv/a.git\n"},
	{"[airflow \"a\"]\nrepository = git://h/a.git\n",
		"t.ini:2: [airflow \"a\"] repository: \"git://h/a.git\" does not "
		"fit; " REMOTE_WANTED,
		"[airflow \"a\"]\nrepository = file:///srv/a.git\n"},
	{"[airflow \"a\"]\nrepository = https://\n",
		"t.ini:2: [airflow \"a\"] repository: \"https://\" does not fit; " REMOTE_WANTED,
		"[airflow \"a\"]\nrepository = https://h/a.git\n"},
	{"[airflow \"a\"]\nrepository = https://u:pw@h/a.git\n",
		"t.ini:2: [airflow \"a\"] repository: " SECRET_HELD,
		"[airflow \"a\"]\nrepository = https://h/u:pw@a.git\n"},
	{"[airflow \"a\"]\nrepository = https://token@h/a.git\n",
		"t.ini:2: [airflow \"a\"] repository: " SECRET_HELD,
		"[airflow \"a\"]\nrepository = ssh://git@h/a.git\n"},
	{"[airflow \"a\"]\nrepository = ssh://git:pw@h/a.git\n",
		"t.ini:2: [airflow \"a\"] repository: " SECRET_HELD,
		"[airflow \"a\"]\nrepository = git@h:a.git\n"},
	{"[airflow \"a\"]\nrepository = git:pw@h:a.git\n",
		"t.ini:2: [airflow \"a\"] repository: " SECRET_HELD,
		"[airflow \"a\"]\nrepository = h:a@b/c:d.git\n"},
	{"[project]\nrepository-url = https://u:pw@h/a.git\n",
		"t.ini:2: [project] repository-url: " SECRET_HELD,
		"[project]\nrepository-url = https://h/a.git\n"},
	{"[airflow \"a\"]\npath = .\n",
		"t.ini:2: [airflow \"a\"] path: \".\" does not fit; write a folder inside "
		"the "
		"repository, such as dags",
		"[airflow \"a\"]\npath = a/b\n"},
	{"[airflow \"a\"]\nbranch = -x\n",
		"t.ini:2: [airflow \"a\"] branch: \"-x\" does not fit; write the name of a "
		"branch",
		"[airflow \"a\"]\nbranch = x-\n"},
};

static void refuses_texts(void **state)
{
	(void)state;
	EXPECT_FAULTS(texts);
}

static const struct row disagreements[] = {
	{"[branch \"prod\"]\nroles = release\n",
		"t.ini:2: [branch \"prod\"] roles: there is no role \"release\"; write a "
		"section [role "
		"\"release\"] with its members",
		"[branch \"prod\"]\nroles = release\n[role \"release\"]\n"},
	{"[chain \"prod\"]\nroles = release\n",
		"t.ini:2: [chain \"prod\"] roles: there is no role \"release\"; write a "
		"section [role "
		"\"release\"] with its members",
		"[role \"release\"]\nmembers = a\n[chain \"prod\"]\nroles = release\n"},
	{"[override]\nrole = release\n",
		"t.ini:2: [override] role: there is no role \"release\"; write a section "
		"[role "
		"\"release\"] with its members",
		NULL},
	{"[retrain-branch]\nroles = bot\n",
		"t.ini:2: [retrain-branch] roles: there is no role \"bot\"; write a "
		"section [role "
		"\"bot\"] with its members",
		NULL},
	{"[branch \"x\"]\nchain = x\n",
		"t.ini:2: [branch \"x\"] chain: there is no chain \"x\"; write a section "
		"[chain "
		"\"x\"], or nothing for no chain",
		"[branch \"x\"]\nchain = x\n[chain \"x\"]\n"},
	{"[branch \"x\"]\nmerge-from = dev, x\n",
		"t.ini:2: [branch \"x\"] merge-from: x cannot be its own source: every "
		"push to it "
		"would pass",
		"[branch \"x\"]\nmerge-from = dev, y\n"},
	{"[branch \"Prod\"]\n",
		"t.ini:1: [branch \"Prod\"]: differs from the branch prod by case alone",
		"[branch \"prod\"]\n"},
	{"[branch \"DEV\"]\n",
		"t.ini:1: [branch \"DEV\"]: differs from the branch dev by case alone",
		"[branch \"dev\"]\n"},
	{"[branch \"prod/x\"]\n",
		"t.ini:1: [branch \"prod/x\"]: lies below the branch prod, so that git "
		"could hold one "
		"of them only",
		"[branch \"prod-x\"]\n"},
	{"[chain \"x\"]\nstages = deploy\n",
		"t.ini:1: [chain \"x\"] airflow: must not be empty, for the stage deploy "
		"writes there; "
		"write the name of an [airflow]",
		"[chain \"x\"]\nstages = deploy\nairflow = airflow-dev\n"},
	{"[chain \"prod\"]\nairflow = x\n",
		"t.ini:2: [chain \"prod\"] airflow: there is no airflow \"x\"; write a "
		"section "
		"[airflow \"x\"]",
		"[chain \"prod\"]\nairflow = x\n[airflow \"x\"]\n"},
	{"[chain \"x\"]\nstages = stage-model\nmodel-stage =\n",
		"t.ini:3: [chain \"x\"] model-stage: must not be empty, for the stage "
		"stage-model "
		"sets it; write Staging or Production",
		"[chain \"x\"]\nstages = stage-model\nmodel-stage = Archived\n"},
	{"[chain \"x\"]\nmodel-stage = staging\n",
		"t.ini:2: [chain \"x\"] model-stage: \"staging\" does not fit; write None, "
		"Staging, "
		"Production or Archived",
		"[chain \"x\"]\nmodel-stage = Staging\n"},
	{"[chain \"x\"]\nstages =\n",
		"t.ini:2: [chain \"x\"] stages: must not be empty; write build, "
		"create-model, deploy "
		"or stage-model",
		"[chain \"x\"]\nstages = create-model\n"},
	{"[chain \"x\"]\nstages = build, test\n",
		"t.ini:2: [chain \"x\"] stages: \"test\" does not fit; write build, "
		"create-model, "
		"deploy or stage-model",
		NULL},
	{"[chain \"x\"]\nstages = create-model, build\n",
		"t.ini:2: [chain \"x\"] stages: \"build\" is out of order; write each "
		"stage once, in "
		"the order build, create-model, deploy, stage-model",
		"[chain \"x\"]\nstages = build, create-model\n"},
	{"[chain \"x\"]\nstages = build, build\n",
		"t.ini:2: [chain \"x\"] stages: \"build\" is out of order; write each "
		"stage once, in "
		"the order build, create-model, deploy, stage-model",
		NULL},
	{"[registry]\nbackend = mlflow\n",
		"t.ini:2: [registry] backend: mlflow needs the server's address; write url = "
		"https://...",
		"[registry]\nbackend = mlflow\nurl = https://mlflow.example.com\n"},
};

static void refuses_what_does_not_agree(void **state)
{
	(void)state;
	EXPECT_FAULTS(disagreements);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_unknown_names),
		cmocka_unit_test(refuses_repetition),
		cmocka_unit_test(refuses_words_and_numbers),
		cmocka_unit_test(refuses_texts),
		cmocka_unit_test(refuses_what_does_not_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
