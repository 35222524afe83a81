/*
 * What a killed writer leaves in a bare repository: half-written objects under temporary names of
 * libgit2's.  They take room, no more, but nobody collects garbage in a repository of ours.
 */
#ifndef MODELGATE_GIT_LEFTOVERS_H
#define MODELGATE_GIT_LEFTOVERS_H

/*
 * Say that this process writes objects into the Git directory REPOSITORY, until the descriptor that
 * is returned is closed; where no other process says so, first remove what dead ones have left.
 * -1: that cannot be said here, as on some network file systems; then nobody removes anything.
 */
int leftovers_begin(const char *repository);

#endif
