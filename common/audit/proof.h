/*
 * A proof that one record is in the log, for somebody who sees nothing else of it: the record, the hashes
 * that lead from it to the root of the Merkle tree (audit/merkle.h), and the checkpoint that signs this root.
 *
 *   {"record":"<the line>","index":N,"lines":N,"path":["<64 digits>",...],"checkpoint":"<text>"}
 */
#ifndef MODELGATE_AUDIT_PROOF_H
#define MODELGATE_AUDIT_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "audit/merkle.h"

struct err;

#define PROOF_MAX (80U << 20) /* bytes of one: a line, and what is around it */

struct proof {
	char *record; /* the line, without its newline */
	struct merkle_proof path;
	char *checkpoint; /* as text; NULL: it comes without */
};

/*
 * The proof for record SEQ of the log of STATE, among its first LINES lines; 0: all that appends
 * have ended.  1 and *OUT, which the caller clears; 0: there is no such record among them; -1 and *E, also
 * where files are missing.  The log is not verified.
 */
int proof_make(struct proof *out, const char *state, int64_t seq, int64_t lines, struct err *e);
/* P as text without a final newline; the caller's to free(). */
char *proof_render(const struct proof *p);
/* Parse LEN bytes.  0 and *OUT, which the caller clears; or -1 and *E. */
int proof_parse(struct proof *out, const char *text, size_t len, struct err *e);
void proof_clear(struct proof *p);

/* The root of the tree that P shows its record to be in.  0, or -1: it shows nothing. */
int proof_root(const struct proof *p, unsigned char out[SHA256_SIZE]);

#endif
