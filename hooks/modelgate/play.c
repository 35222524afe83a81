#include "ask.h"

#include <stddef.h>

#include "command.h"

static int play(struct command *c, int argc, char **argv)
{
	const struct command_option options[] = {{NULL, NULL}};
	int n = command_options(&verb_play, argc, argv, options, 2, 2);

	if (n < 0)
		return n == -2 ? COMMAND_DONE : COMMAND_USAGE;
	return ask(c, PROGRESS_PLAY, argv[1], argv[2]);
}

const struct verb verb_play = {
	.name = "play",
	.run = play,
	.needs_config = 1,
	.arguments = "ID STAGE",
	.summary = "Start a stage that waits for a hand",
};
