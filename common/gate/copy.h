/*
 * GitLab's server runs a repository's own hooks and then those of its global folder.  Where modelgate's are in
 * both, built for the same system file, the repository's own judge, and the global ones pass: a push is judged
 * once, and told once.
 */
#ifndef MODELGATE_GATE_COPY_H
#define MODELGATE_GATE_COPY_H

/*
 * This program is HOOK ("pre-receive") of a global folder: 1 if the repository GITDIR has a HOOK of ours of
 * its own that goes by the same system file, and has run before us and let the push pass; else 0.  In doubt 0: rather twice than never.
 */
int copy_judges(const char *gitdir, const char *hook);
/*
 * The same for a program that was started as EXECUTED and is the file PROGRAM, as /proc/self/exe has it;
 * both may be NULL.
 */
int copy_judges_for(
	const char *executed, const char *program, const char *gitdir, const char *hook);

#endif
