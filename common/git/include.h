/* Files that a repository's configuration includes (git-config(1), INCLUDES): libgit2 opens no repository without them. */
#ifndef MODELGATE_GIT_INCLUDE_H
#define MODELGATE_GIT_INCLUDE_H

struct strlist;

/*
 * Add to OUT the paths of files that the configuration of GITDIR includes, and those include, on whichever
 * condition.  A relative path counts from the file that names it: each folder that it may count from is tried.
 * What cannot be read, and what comes after a hundred, is left to who opens the repository.
 */
void include_paths(struct strlist *out, const char *gitdir);

#endif
