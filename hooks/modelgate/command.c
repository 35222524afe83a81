#include "command.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void print_help(const struct verb *v)
{
	printf("usage: modelgate [--repo PATH | --config FILE] %s%s%s\n\n%s.\n", v->name,
		v->arguments[0] != '\0' ? " " : "", v->arguments, v->summary);
	if (v->options != NULL)
		printf("\n%s", v->options);
}

static int usage(const struct verb *v, const char *format, const char *what)
{
	char *text = mem_format("%s: ", v->name), *rest;
	/* Both formats of this file take one string. */
	rest = strstr(format, "%s") != NULL ? mem_strdup(what) : mem_strdup("");
	(void)command_fail(0, "%s%s%s", text, format, rest);
	free(rest);
	free(text);
	return -1;
}
