#include "ask.h"

#include <stddef.h>

#include "command.h"

static int cancel(struct command *c, int argc, char **argv)
{
	const struct command_option options[] = {{NULL, NULL}};
	int n = command_options(&verb_cancel, argc, argv, options, 1, 1);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	return ask(c, PROGRESS_CANCEL, argv[1], NULL);
}

const struct verb verb_cancel = {
	.name = "cancel",
	.run = cancel,
	.needs_config = 1,
	.arguments = "ID",
	.summary = "Stop a pipeline: end the stage that runs, start no other; it cannot be undone",
};
