#include "ask.h"

#include <stddef.h>

#include "command.h"

static int retry(struct command *c, int argc, char **argv)
{
	const struct command_option options[] = {{NULL, NULL}};
	int n = command_options(&verb_retry, argc, argv, options, 2, 2);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	return ask(c, PROGRESS_RETRY, argv[1], argv[2]);
}

const struct verb verb_retry = {
	.name = "retry",
	.run = retry,
	.needs_config = 1,
	.arguments = "ID STAGE",
	.summary = "Run a failed stage again",
};
