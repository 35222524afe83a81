/*
 * An order: a stage that is played by pushing a reference, refs/modelgate/play/<pipeline>/<stage>
 * (contract, section 6).  Its name says what is asked for; what it points to does not matter.  None
 * stays: whoever carries the order out, post-receive or the runner that reconciles, removes it.
 */
#ifndef MODELGATE_CHAIN_ORDER_H
#define MODELGATE_CHAIN_ORDER_H

#include <stdint.h>

struct err;
struct intent;
struct repository;
struct store;

struct order {
	int64_t pipeline;
	const char *stage; /* a pointer into the reference's name */
};

/* Take the reference's name REF apart: 1 and *OUT; 0: it is no order. */
int order_parse(struct order *out, const char *ref);

/*
 * Could O be carried out now, in REPOSITORY?  1; 0 and *E: no, and why; -1.  *CHAIN: the chain of its
 * pipeline, whose roles decide, the caller's to free(); NULL: the repository has no such pipeline.
 */
int order_look(char **chain, struct store *s, const char *repository, const struct order *o,
	struct err *e);

/*
 * Carry out the order whose push recorded I, once: however often it is called, and whatever ended an
 * earlier call.  Its stage is queued, or where that cannot be any more, the order is closed; both are in
 * the audit log.  1: queued, by this call or an earlier one; 0 and *E: refused; -1: nothing was changed.
 */
int order_carry_out(struct store *s, const struct intent *i, struct err *e);
/* Remove the reference of an order that was carried out.  0, or -1: it is tried again. */
int order_clear_away(struct store *s, struct repository *r, const struct intent *i, struct err *e);

#endif
