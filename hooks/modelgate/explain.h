/* What `modelgate explain` has found out, and the two ways to tell it. */
#ifndef MODELGATE_EXPLAIN_H
#define MODELGATE_EXPLAIN_H

struct actor;
struct config;
struct verdict;

/* All borrowed. */
struct explanation {
	const struct config *config;
	const char *gitdir;
	const struct actor *actor;
	const struct verdict *verdict;
};

/* 1 if the update would land: nothing was found against it, or mode = shadow; 0. */
int explain_lands(const struct explanation *x);

/* For people, and as one line of JSON; on standard output. */
void explain_print(const struct explanation *x);
void explain_print_json(const struct explanation *x);

#endif
