#define _GNU_SOURCE /* setgroups, initgroups */
#include "command.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_NUMBER (1LL << 53) /* what every reader of JSON can hold */

static void say(const char *text)
{
	char *safe = str_safe(text, 4096);

	(void)fprintf(stderr, "modelgate: %s\n", safe); /* there is nowhere else to say it */
	free(safe);
}

int command_fail(int status, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	say(text);
	free(text);
	return status;
}

int command_err(int status, struct err *e)
{
	say(err_text(e));
	err_clear(e);
	return status;
}

int command_number(const char *text, const char *what, long long *out)
{
	if (str_number(text, MAX_NUMBER, out) == 0 && *out > 0)
		return 0;
	return command_fail(-1, "\"%s\" is no %s: a number from 1 on is", text, what);
}

void command_time(int64_t when, char out[COMMAND_TIME_SIZE])
{
	char text[CLOCK_TEXT_SIZE];

	(void)snprintf(out, COMMAND_TIME_SIZE, "-");
	if (when == 0)
		return;
	clock_text(when, text);
	text[10] = ' ';
	memcpy(out, text, COMMAND_TIME_SIZE - 1);
	out[COMMAND_TIME_SIZE - 1] = '\0';
}

void command_actor(struct actor *out)
{
	const char *sudo = getenv("SUDO_UID");
	const struct passwd *pw;
	long long uid = (long long)getuid();

	/* Only root is believed: anybody can set a variable. */
	if (uid == 0 && sudo != NULL && str_number(sudo, (long long)(uid_t)-2, &uid) != 0)
		uid = 0;
	pw = getpwuid((uid_t)uid);
	out->id = mem_format("uid-%lld", uid);
	out->name = mem_strdup(pw != NULL ? pw->pw_name : "");
	out->protocol = mem_strdup("local");
}

char *command_user_name(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL ? mem_strdup(pw->pw_name) : mem_format("%lu", (unsigned long)uid);
}

int command_become_owner(const struct stat *st, const char *path, struct err *e)
{
	const struct passwd *pw;

	if (geteuid() != 0 || st->st_uid == 0)
		return 0;
	pw = getpwuid(st->st_uid);
	if ((pw != NULL ? initgroups(pw->pw_name, st->st_gid) : setgroups(1, &st->st_gid)) != 0 ||
		setgid(st->st_gid) != 0 || setuid(st->st_uid) != 0)
		return err_errno(e, errno, "%s: cannot become its owner, %lu", path,
			(unsigned long)st->st_uid);
	/* Root's settings and logins are not for the tools; the owner's folder is looked up. */
	if (unsetenv("HOME") != 0)
		return err_errno(e, errno, "HOME cannot be unset");
	return 0;
}

static void print_help(const struct verb *v)
{
	printf("usage: modelgate [--repo PATH | --config FILE] %s%s%s\n\n%s.\n", v->name,
		v->arguments[0] != '\0' ? " " : "", v->arguments, v->summary);
	if (v->options != NULL)
		printf("\n%s", v->options);
}

static int usage(const struct verb *v, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int usage(const struct verb *v, const char *format, ...)
{
	va_list ap;
	char *text;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	(void)command_fail(COMMAND_USAGE, "%s: %s; modelgate %s --help shows how it goes", v->name,
		text, v->name);
	free(text);
	return -1;
}

/*
 * Does ARGV[0] give OPTION?  How many words it takes, 0: it is another.  *VALUE is set, to NULL
 * where the value is missing or there is one too many.
 */
static int match(const struct command_option *option, char **argv, const char **value)
{
	size_t n = strlen(option->name);
	int takes_value = option->name[n - 1] == '=';

	n -= takes_value ? 1 : 0;
	if (strncmp(argv[0], option->name, n) != 0)
		return 0;
	if (argv[0][n] == '=') {
		*value = takes_value ? argv[0] + n + 1 : NULL;
		return 1;
	}
	if (argv[0][n] != '\0')
		return 0;
	*value = takes_value ? argv[1] : argv[0];
	return takes_value && argv[1] != NULL ? 2 : 1;
}

/* Words that the option ARGV[0] takes, or -1: told. */
static int take(const struct verb *v, const struct command_option *options, char **argv)
{
	static const struct command_option repository = {"--repo=", NULL},
					   system_file = {"--config=", NULL};
	const char *value;

	for (; options->name != NULL; options++) {
		int words = match(options, argv, options->value);

		if (words > 0 && *options->value == NULL)
			return usage(v, "%s %s", argv[0],
				options->name[strlen(options->name) - 1] == '=' ? "needs a value"
										: "takes no value");
		if (words > 0)
			return words;
	}
	if (match(&repository, argv, &value) > 0 || match(&system_file, argv, &value) > 0)
		return usage(v, "the option %.*s stands before the verb",
			(int)strcspn(argv[0], "="), argv[0]);
	return usage(v, "there is no option %s", argv[0]);
}

/* Say which word of V's arguments is the first that was not given, and how it goes.  -1. */
static int missing(const struct verb *v, size_t given)
{
	const char *end = strstr(v->arguments, " [");
	struct strlist words = {0};
	char *needed = mem_strndup(
		v->arguments, end != NULL ? (size_t)(end - v->arguments) : strlen(v->arguments));

	strlist_split(&words, needed, ' ');
	(void)command_fail(COMMAND_USAGE, "%s: %s is missing: modelgate %s %s", v->name,
		words.v[given], v->name, needed);
	strlist_clear(&words);
	free(needed);
	return -1;
}

int command_asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
	return 0;
}

int command_options(const struct verb *v, int argc, char **argv,
	const struct command_option *options, int min, int max)
{
	int n = 1, i = 1, words;

	if (command_asks_for_help(argc, argv)) {
		print_help(v);
		return -2;
	}
	while (i < argc) {
		if (strcmp(argv[i], "--") == 0) {
			for (i++; i < argc; i++)
				argv[n++] = argv[i];
		} else if (argv[i][0] == '-' && argv[i][1] != '\0') {
			words = take(v, options, argv + i);
			if (words < 0)
				return -1;
			i += words;
		} else {
			argv[n++] = argv[i++];
		}
	}
	argv[n] = NULL;
	if (n - 1 < min)
		return missing(v, (size_t)(n - 1));
	if (n - 1 > max)
		return usage(v, "\"%s\" is one too many", argv[max + 1]);
	return n - 1;
}
