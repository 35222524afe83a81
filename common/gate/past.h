/*
 * What a gate has to know of earlier pushes and pipelines.  The gate does not know where that is kept:
 * who asks the judge hands it over (hooks/past.h).
 */
#ifndef MODELGATE_GATE_PAST_H
#define MODELGATE_GATE_PAST_H

struct err;
struct oid;

/* What is known of the stage that a push asks for by reference.  Both are the caller's to free(). */
struct past_order {
	char *chain; /* whose roles decide, of the stage's pipeline; NULL: there is no such pipeline */
	char *refused; /* why it cannot be played now, in words for a person; NULL: it can */
};

/* Each returns -1 and sets *E if it could not be told. */
struct past {
	/*
	 * 1 if the reference REF came to TIP under these rules, else 0; what mode = shadow let pass
	 * against them did not.
	 */
	int (*landed)(void *context, const char *ref, const struct oid *tip, struct err *e);
	/*
	 * Call EACH with the name of every reference that starts with PREFIX and was created under these
	 * rules at any time, also if it was deleted since, until EACH returns other than 0, which is
	 * returned; else 0.
	 */
	int (*used)(void *context, const char *prefix, int (*each)(void *arg, const char *ref),
		void *arg, struct err *e);
	/*
	 * 1 and *COMMIT if ID (decimal digits) is a pipeline of this repository with the chain CHAIN whose
	 * deploy stage succeeded, made for that commit; else 0.
	 */
	int (*deployed)(void *context, const char *id, const char *chain, struct oid *commit,
		struct err *e);
	/* 1 and *OUT if the reference REF, one of our own, asks for a stage; 0: it has no such form. */
	int (*order)(void *context, const char *ref, struct past_order *out, struct err *e);
	void *context;
};

#endif
