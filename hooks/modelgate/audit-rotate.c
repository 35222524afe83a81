#include <stdio.h>

#include "audit.h"
#include "audit/rotate.h"
#include "base/err.h"
#include "data/config.h"

static int rotate(struct command *c, int argc, char **argv)
{
	const struct command_option options[] = {{NULL, NULL}};
	char name[AUDIT_FILE_NAME_SIZE];
	struct err e = ERR_INIT;
	int64_t number;
	int n = command_options(&audit_verb_rotate, argc, argv, options, 0, 0), got;

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	if (command_prepare(c, COMMAND_WRITES, &e) != 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	got = rotate_now(c->config->state, &number, &e);
	if (got < 0)
		return command_err(COMMAND_CANNOT_TELL, &e);
	if (got == 0)
		return command_fail(COMMAND_NO,
			"nothing was rotated: the log is empty, or its end is not in order, which "
			"modelgate audit verify tells");
	audit_file_name(number, name);
	printf("modelgate: the log goes on in a new file; what was recorded so far is in %s\n",
		name);
	return COMMAND_DONE;
}

const struct verb audit_verb_rotate = {
	.name = "audit rotate",
	.run = rotate,
	.arguments = "",
	.summary = "Begin a new file now, whatever [audit] says of size and age",
};
