/* The launcher `local`: a runner on this machine. */
#ifndef MODELGATE_CHAIN_LAUNCHER_LOCAL_H
#define MODELGATE_CHAIN_LAUNCHER_LOCAL_H

struct config;
struct err;

/*
 * Where CONFIG says wake = spawn, start a detached runner that drains the store and ends; it ends
 * at once if another is at work.  REPOSITORY: the Git directory whose configuration names the
 * state. SYSTEM_FILE: the system file in force, NULL: the usual one.  0, or -1: it could not be
 * started.
 */
int launcher_local_wake(const struct config *config, const char *repository,
	const char *system_file, struct err *e);

#endif
