/*
 * The launcher `gitlab`: pipelines of ours run on GitLab's runners.  The runner starts this in a process of
 * its own (chain/follower.h), which makes the pipelines, follows them to their ends, and carries out
 * there what was asked for here.
 */
#ifndef MODELGATE_CHAIN_LAUNCHER_GITLAB_H
#define MODELGATE_CHAIN_LAUNCHER_GITLAB_H

struct err;

/*
 * Look after every pipeline on GitLab of the state directory STATE that is to be looked at by now, once.
 * SYSTEM_FILE: as for config_load.  Killed at any instruction, the next call goes on.  0; also if another
 * process is at it.  What stands in the way of one pipeline is in the store, and in the way of none other.
 * -1 and *E: the store or the audit log failed.
 */
int launcher_gitlab_follow(const char *state, const char *system_file, struct err *e);

#endif
