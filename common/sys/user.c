#define _DEFAULT_SOURCE /* fgetpwent */
#include "sys/user.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "sys/spawn.h"

#define PASSWD "/etc/passwd"
#define MAX_LINE 4096 /* bytes that getent may say */
#define SECONDS 20    /* that it may take: a directory server may be away */

enum field { FIELD_NAME, FIELD_HOME };

/* FIELD of the first entry for UID in the passwd(5) lines of IN, which is closed; NULL: there is none. */
static char *find(FILE *in, uid_t uid, enum field field)
{
	const struct passwd *pw = NULL;
	char *value = NULL;

	if (in == NULL)
		return NULL;
	do
		pw = fgetpwent(in);
	while (pw != NULL && pw->pw_uid != uid);
	if (pw != NULL)
		value = mem_strdup(field == FIELD_NAME ? pw->pw_name : pw->pw_dir);
	(void)fclose(in); /* only read */
	return value;
}

/* As find(), from what the directories say that this machine is set up to ask. */
static char *ask(uid_t uid, enum field field)
{
	char *number = mem_format("%lu", (unsigned long)uid), *value = NULL;
	const char *argv[] = {"getent", "passwd", number, NULL};
	struct spawn s = SPAWN_INIT;
	struct str out;
	int status;

	s.argv = argv;
	s.seconds = SECONDS;
	str_init(&out);
	if (spawn_capture(&s, MAX_LINE, &out, &status, NULL) == 0 && status == 0 && out.len > 0)
		value = find(fmemopen(out.buf, out.len, "r"), uid, field);
	str_clear(&out);
	free(number);
	return value;
}

static char *look(uid_t uid, enum field field)
{
	char *value = find(fopen(PASSWD, "re"), uid, field);

	return value != NULL ? value : ask(uid, field);
}

char *user_name(uid_t uid)
{
	return look(uid, FIELD_NAME);
}

char *user_home(uid_t uid)
{
	return look(uid, FIELD_HOME);
}
