/* What commits are traced in: one snapshot of a repository, changed by one push. */
#ifndef MODELGATE_GATE_PROVENANCE_H
#define MODELGATE_GATE_PROVENANCE_H

struct config;
struct err;
struct oid;
struct past;
struct push;
struct repository;

/* What is looked at: one snapshot of the references, changed by one push. */
struct provenance_view {
	const struct config *config;
	struct repository *repository;
	const char *gitdir;      /* of the repository, absolute */
	const struct push *push; /* resolved; NULL: the references as they are */
	const struct past *past;
};

/*
 * The branch where OID comes from, for a message: one that the push or the repository has and that
 * points to it, or one of the first few that hold it, or what the message of the commit that merges it
 * says, of which nobody has seen whether it is true.  The caller's to free(); NULL: not known.
 */
char *provenance_guess(
	const struct provenance_view *view, const struct oid *oid, const char *message);

#endif
