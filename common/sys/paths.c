#include "sys/paths.h"

#include "paths-built.h" /* made by the Makefile */
#include "sys/spawn.h"

/* One piece of each program, found in the file of another by a single search. */
#define MARK PATHS_CONFIG_MARKER PATHS_BUILT_SYSTEM_CONFIG "\0" PATHS_MARKER
static const char marked[] = MARK PATHS_BUILT_VERSION;

const char *paths_command(void)
{
	return PATHS_BUILT_COMMAND;
}

const char *paths_system_config(void)
{
	return marked + sizeof(PATHS_CONFIG_MARKER) - 1;
}

const char *paths_version(void)
{
	return marked + sizeof(MARK) - 1;
}

const char *paths_mark(size_t *len)
{
	*len = sizeof(MARK) - 1;
	return marked;
}

const char *paths_tools(void)
{
	return "PATH=" PATHS_BUILT_TOOLS SPAWN_PATH;
}
