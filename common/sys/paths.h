/* Where this program was installed: fixed when built (PREFIX and SYSCONFDIR of the Makefile). */
#ifndef MODELGATE_SYS_PATHS_H
#define MODELGATE_SYS_PATHS_H

#include <stddef.h>

#define PATHS_GITLAB_HOOK "50-modelgate"        /* in <hook>.d, where GitLab's server looks */
#define PATHS_REPOSITORY_CONFIG "modelgate.ini" /* below <repo> or <repo>/custom_hooks */

/*
 * Stands in front of the version in each of our programs: so a hook of ours is known without running it,
 * by install.sh and by `modelgate check`.
 */
#define PATHS_MARKER "modelgate-hook "
/* Stands in front of the system file's path, which ends with a NUL, right before PATHS_MARKER. */
#define PATHS_CONFIG_MARKER "modelgate-config "

const char *paths_command(void);       /* <prefix>/bin/modelgate */
const char *paths_system_config(void); /* <sysconfdir>/modelgate/modelgate.ini */
const char *paths_version(void);       /* "0.1.0" or what git describe said */

/*
 * What stands in each of our programs that goes by the same system file, *LEN bytes with a NUL among them:
 * PATHS_CONFIG_MARKER, paths_system_config(), PATHS_MARKER.
 */
const char *paths_mark(size_t *len);

/*
 * "PATH=" and the folders that tools are looked up in: those that the build puts in front
 * (TOOLS_PATH of the Makefile; usually none), and SPAWN_PATH.
 */
const char *paths_tools(void);

#endif
