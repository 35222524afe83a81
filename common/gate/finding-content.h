/* The words for files: those that a branch lacks, and those that may not come in. */
#ifndef MODELGATE_GATE_FINDING_CONTENT_H
#define MODELGATE_GATE_FINDING_CONTENT_H

#include <stdint.h>

struct commit;
struct strlist;
struct verdict;

void finding_required_file(struct verdict *v, const char *path);

/* A file that may not come in. */
struct finding_file {
	const char *path;
	const char *forbid;          /* the pattern that it matches; NULL: it is too large */
	uint64_t size;               /* bytes, of one that is too large */
	const struct commit *commit; /* that it is in */
	/* Reference that the commit came from; NULL: it was made on the branch itself. */
	const char *source;
	/* Other such paths that came from there: one message, and one way out, for all. */
	const struct strlist *others;
};
void finding_file(struct verdict *v, const struct finding_file *f);

#endif
