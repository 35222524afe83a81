/* Files over one another, and which files are not believed.  Each test has a folder of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config-parts.h"
#include "sys/files.h"

#define STRANGER 12345 /* a user id that is neither root's nor the repository's owner's */

struct site {
	char *top;
	char *system; /* a system file's path */
	char *repository;
	char *hooks; /* the repository's custom_hooks/modelgate.ini */
	char *plain; /* the repository's modelgate.ini */
};

static void make_folder(const char *path)
{
	struct err e = ERR_INIT;

	if (files_make_folder(path, 0755, &e) != 0)
		fail_msg("%s", err_text(&e));
}

static void put(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	if (files_replace(path, text, strlen(text), 0644, &e) != 0)
		fail_msg("%s", err_text(&e));
}

static int open_site(void **state)
{
	struct site *s = mem_zalloc(1, sizeof(*s));
	char *folder;

	s->top = mem_strdup("/tmp/modelgate-config-XXXXXX");
	if (mkdtemp(s->top) == NULL)
		return -1;
	s->system = path_join(s->top, "etc/modelgate.ini");
	s->repository = path_join(s->top, "r.git");
	s->hooks = path_join(s->repository, "custom_hooks/modelgate.ini");
	s->plain = path_join(s->repository, "modelgate.ini");
	folder = path_join(s->top, "etc");
	make_folder(folder);
	free(folder);
	folder = path_join(s->repository, "custom_hooks");
	make_folder(folder);
	free(folder);
	put(s->system, "");
	*state = s;
	return 0;
}

static int close_site(void **state)
{
	struct site *s = *state;
	struct err e = ERR_INIT;
	int result = files_remove_tree(s->top, &e);

	free(s->top);
	free(s->system);
	free(s->repository);
	free(s->hooks);
	free(s->plain);
	free(s);
	return result;
}

static struct config *load(const struct site *s, const char *repository)
{
	struct config_sources from = {.system_file = s->system, .repository = repository};
	struct config *c = NULL;
	struct err e = ERR_INIT;

	if (config_load(&c, &from, &e) != 0)
		fail_msg("%s", err_text(&e));
	return c;
}

/* WANTED, with each @ standing for the site's folder, is the fault. */
static void expect_fault(const struct site *s, const char *repository, const char *wanted)
{
	struct config_sources from = {.system_file = s->system, .repository = repository};
	struct config *c = NULL;
	struct err e = ERR_INIT;
	struct str text;

	str_init(&text);
	for (; *wanted != '\0'; wanted++)
		if (*wanted == '@')
			str_add(&text, s->top);
		else
			str_addc(&text, *wanted);
	if (config_load(&c, &from, &e) == 0)
		fail_msg("accepted, instead of: %s", text.buf);
	assert_string_equal(err_text(&e), text.buf);
	assert_null(c);
	str_clear(&text);
	err_clear(&e);
}

static void puts_later_over_earlier(void **state)
{
	const struct site *s = *state;
	struct config *c;
	char *members, *files, *wanted;

	put(s->system, "[runner]\nparallel = 8\nretries = 1\n[branch \"prod\"]\nroles = r\n"
		       "[role \"r\"]\nmembers = a, b\nmembers.2 = c\n[branch \"x\"]\n");
	put(s->plain, "[runner]\nparallel = 4\n[role \"r\"]\nmembers = d\n[branch \"x\"]\n"
		      "merge-from = main\n");
	c = load(s, s->repository);
	assert_int_equal(c->parallel, 4);
	assert_int_equal(c->retries, 1);
	assert_int_equal(c->stage_timeout, 3600);
	assert_int_equal(config_branch(c, "prod")->merge_from.n, 2);
	assert_string_equal(config_branch(c, "prod")->roles.v[0], "r");
	assert_string_equal(config_branch(c, "x")->merge_from.v[0], "main");
	members = strlist_join(&config_role(c, "r")->members, ",");
	assert_string_equal(members, "d"); /* the whole list, with what it went on in */
	files = strlist_join(&c->files, " ");
	wanted = mem_format("%s %s", s->system, s->plain);
	assert_string_equal(files, wanted);
	free(wanted);
	free(files);
	free(members);
	config_free(c);
	c = load(s, NULL);
	assert_int_equal(c->parallel, 8);
	assert_int_equal(config_role(c, "r")->members.n, 3);
	config_free(c);
}

static void names_the_file_of_a_fault(void **state)
{
	const struct site *s = *state;

	put(s->system, "\n[branch \"prod\"]\nroles = r\n");
	put(s->plain, "[chain \"prod\"]\nstages =\n");
	expect_fault(s, NULL,
		"@/etc/modelgate.ini:3: [branch \"prod\"] roles: there is no role \"r\"; write a "
		"section [role \"r\"] with its members");
	expect_fault(s, s->repository,
		"@/r.git/modelgate.ini:2: [chain \"prod\"] stages: must not be empty; write build, "
		"create-model, deploy or stage-model");
	/* A continuation belongs to the list in its own file. */
	put(s->system, "[role \"r\"]\nmembers = a\n");
	put(s->plain, "[role \"r\"]\nmembers.2 = b\n");
	expect_fault(s, s->repository,
		"@/r.git/modelgate.ini:2: [role \"r\"] members.2: does not follow members in this "
		"file");
}

static void finds_the_repository_file(void **state)
{
	const struct site *s = *state;
	struct config *c;

	put(s->hooks, "[project]\nname = in-hooks\n");
	c = load(s, s->repository);
	assert_string_equal(c->project_name, "in-hooks");
	config_free(c);
	put(s->plain, "[project]\nname = in-repository\n");
	expect_fault(s, s->repository,
		"@/r.git/custom_hooks/modelgate.ini and @/r.git/modelgate.ini are both there; keep "
		"one");
	assert_int_equal(unlink(s->hooks), 0);
	c = load(s, s->repository);
	assert_string_equal(c->project_name, "in-repository");
	config_free(c);
	assert_int_equal(unlink(s->plain), 0);
	c = load(s, s->repository);
	assert_string_equal(c->project_name, "");
	config_free(c);
}

static void wants_what_was_given(void **state)
{
	const struct site *s = *state;

	expect_fault(s, "/nonexistent/r.git", "/nonexistent/r.git: No such file or directory");
	assert_int_equal(unlink(s->system), 0);
	expect_fault(s, NULL, "@/etc/modelgate.ini: No such file or directory");
	make_folder(s->system);
	expect_fault(s, NULL, "@/etc/modelgate.ini: not a regular file");
}

static void keeps_the_system_keys(void **state)
{
	static const struct {
		const char *text, *fault; /* fault NULL: accepted */
	} rows[] = {
		{"[modelgate]\nprojects = *\n", "@/r.git/modelgate.ini:2: [modelgate] projects: "
						"stands in the system's file "
						"alone"},
		{"[modelgate]\nallow-repository-config = yes\n",
			"@/r.git/modelgate.ini:2: [modelgate] allow-repository-config: stands in "
			"the "
			"system's file alone"},
		{"[audit]\npublic-key = /srv/k.pub\n",
			"@/r.git/modelgate.ini:2: [audit] public-key: stands in the system's file "
			"alone"},
		{"[audit]\nsyslog = /dev/log\n", NULL},
		{"[modelgate]\nstate = /srv/state\n", NULL},
	};
	const struct site *s = *state;

	put(s->system, "[modelgate]\nprojects = ml/*\nallow-repository-config = yes\n");
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		put(s->plain, rows[n].text);
		if (rows[n].fault != NULL)
			expect_fault(s, s->repository, rows[n].fault);
		else
			config_free(load(s, s->repository));
	}
}

#define LEFT                                                                                       \
	"the system's file (allow-repository-config = no) leaves only [project] to a "             \
	"repository's "                                                                            \
	"file"

static void leaves_the_project_alone(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"[project]\nname = churn\n", NULL},
		{"; nothing\n", NULL},
		{"[branch \"prod\"]\ndirect-push = allow\n",
			"@/r.git/modelgate.ini:1: [branch \"prod\"]: " LEFT},
		{"[project]\nname = churn\n[role \"r\"]\n",
			"@/r.git/modelgate.ini:3: [role \"r\"]: " LEFT},
		{"[modelgate]\n", "@/r.git/modelgate.ini:1: [modelgate]: " LEFT},
		{"[modelgate]\nallow-repository-config = yes\n",
			"@/r.git/modelgate.ini:1: [modelgate]: " LEFT},
	};
	const struct site *s = *state;

	put(s->system, "[modelgate]\nallow-repository-config = no\n");
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		put(s->plain, rows[n].text);
		if (rows[n].fault != NULL)
			expect_fault(s, s->repository, rows[n].fault);
		else
			config_free(load(s, s->repository));
	}
}

#define CAN_BE_WRITTEN "can be written by group or others (mode "

static void refuses_what_others_can_write(void **state)
{
	static const struct {
		const char *changed; /* below the site's folder */
		mode_t mode;
		const char *fault; /* NULL: accepted */
	} rows[] = {
		{"etc/modelgate.ini", 0664,
			"@/etc/modelgate.ini: the file " CAN_BE_WRITTEN "0664): chmod go-w"},
		{"etc/modelgate.ini", 0606,
			"@/etc/modelgate.ini: the file " CAN_BE_WRITTEN "0606): chmod go-w"},
		{"etc/modelgate.ini", 0644, NULL},
		{"etc/modelgate.ini", 0400, NULL},
		{"etc", 0775, "@/etc: the folder " CAN_BE_WRITTEN "0775): chmod go-w"},
		{"etc", 01777, "@/etc: the folder " CAN_BE_WRITTEN "1777): chmod go-w"},
		{"etc", 0755, NULL},
		{"r.git/custom_hooks/modelgate.ini", 0646,
			"@/r.git/custom_hooks/modelgate.ini: the file " CAN_BE_WRITTEN
			"0646): chmod go-w"},
		{"r.git/custom_hooks/modelgate.ini", 0640, NULL},
		{"r.git/custom_hooks", 0770,
			"@/r.git/custom_hooks: the folder " CAN_BE_WRITTEN "0770): chmod go-w"},
		{"r.git/custom_hooks", 0750, NULL},
		/* A shared repository is no fault as long as the file does not lie in it. */
		{"r.git", 02775, NULL},
	};
	const struct site *s = *state;

	put(s->hooks, "[project]\nname = churn\n");
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		char *path = path_join(s->top, rows[n].changed);

		assert_int_equal(chmod(path, rows[n].mode), 0);
		if (rows[n].fault != NULL)
			expect_fault(s, s->repository, rows[n].fault);
		else
			config_free(load(s, s->repository));
		free(path);
	}
	assert_int_equal(rename(s->hooks, s->plain), 0);
	expect_fault(s, s->repository, "@/r.git: the folder " CAN_BE_WRITTEN "2775): chmod go-w");
}

static void refuses_links_and_pipes(void **state)
{
	const struct site *s = *state;
	char *other = path_join(s->top, "other.ini");

	put(other, "[project]\nname = churn\n");
	assert_int_equal(symlink(other, s->plain), 0);
	expect_fault(s, s->repository,
		"@/r.git/modelgate.ini: a symbolic link; put the file itself here");
	assert_int_equal(unlink(s->plain), 0);
	assert_int_equal(symlink("nowhere", s->plain), 0);
	expect_fault(s, s->repository,
		"@/r.git/modelgate.ini: a symbolic link; put the file itself here");
	assert_int_equal(unlink(s->plain), 0);
	assert_int_equal(mkfifo(s->plain, 0600), 0);
	expect_fault(s, s->repository, "@/r.git/modelgate.ini: not a regular file");
	assert_int_equal(unlink(s->plain), 0);
	assert_int_equal(link(other, s->plain), 0); /* it is what it is, by whichever name */
	config_free(load(s, s->repository));
	free(other);
}

static void give(const char *path, uid_t owner)
{
	assert_int_equal(chown(path, owner, (gid_t)-1), 0);
}

static void refuses_a_stranger(void **state)
{
	const struct site *s = *state;

	if (geteuid() != 0)
		skip(); /* only root can give files away */
	put(s->plain, "[project]\nname = churn\n");
	give(s->plain, STRANGER);
	expect_fault(s, s->repository,
		"@/r.git/modelgate.ini: the file belongs to user 12345; it must belong to root or "
		"to "
		"user 0: chown it");
	give(s->repository, STRANGER); /* now the owner of both */
	config_free(load(s, s->repository));
	give(s->system, STRANGER);
	config_free(load(s, s->repository));
	expect_fault(s, NULL,
		"@/etc/modelgate.ini: the file belongs to user 12345; it must belong to root or to "
		"user 0: chown it");
	give(s->plain, STRANGER + 1);
	expect_fault(s, s->repository,
		"@/r.git/modelgate.ini: the file belongs to user 12346; it must belong to root or "
		"to "
		"user 12345: chown it");
	give(s->plain, 0);
	give(s->system, 0);
	config_free(load(s, s->repository));
}

static void refuses_a_strangers_folder(void **state)
{
	const struct site *s = *state;
	char *folder;

	if (geteuid() != 0)
		skip();
	folder = path_dir(s->hooks);
	put(s->hooks, "[project]\nname = churn\n");
	give(folder, STRANGER);
	expect_fault(s, s->repository,
		"@/r.git/custom_hooks: the folder belongs to user 12345; it must belong to root or "
		"to user 0: chown it");
	give(s->repository, STRANGER);
	config_free(load(s, s->repository));
	free(folder);
}

static void refuses_too_large_a_file(void **state)
{
	const struct site *s = *state;
	char *text = mem_zalloc(CONFIG_FILE_SIZE + 2, 1);
	struct config_sources from = {.system_file = s->system};
	struct config *c = NULL;
	struct err e = ERR_INIT;

	memset(text, '\n', CONFIG_FILE_SIZE);
	put(s->system, text);
	config_free(load(s, NULL));
	text[CONFIG_FILE_SIZE] = '\n';
	put(s->system, text);
	assert_int_equal(config_load(&c, &from, &e), -1);
	if (!str_starts(err_text(&e), s->system) || strstr(err_text(&e), "262144") == NULL)
		fail_msg("%s", err_text(&e));
	err_clear(&e);
	free(text);
}

#define IN_SITE(test) cmocka_unit_test_setup_teardown(test, open_site, close_site)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SITE(puts_later_over_earlier),
		IN_SITE(names_the_file_of_a_fault),
		IN_SITE(finds_the_repository_file),
		IN_SITE(wants_what_was_given),
		IN_SITE(keeps_the_system_keys),
		IN_SITE(leaves_the_project_alone),
		IN_SITE(refuses_what_others_can_write),
		IN_SITE(refuses_links_and_pipes),
		IN_SITE(refuses_a_stranger),
		IN_SITE(refuses_a_strangers_folder),
		IN_SITE(refuses_too_large_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
