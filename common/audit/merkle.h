/*
 * A Merkle tree over the lines of a log (RFC 6962, section 2.1, with SHA-256): its root stands for all
 * of them, and a short proof shows to somebody who has nothing but the root that one line is among them.
 */
#ifndef MODELGATE_AUDIT_MERKLE_H
#define MODELGATE_AUDIT_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

#define MERKLE_LEVELS 62 /* of trees that may be: 2^62 leaves are more than any log has */

/* A tree that leaves are added to.  What was added before is held by a hash for each bit of N. */
struct merkle {
	int64_t n; /* leaves */
	/* Of the full tree of 2^i leaves, where bit i of N is set: larger ones stand to the left. */
	unsigned char peaks[MERKLE_LEVELS][SHA256_SIZE];
};

/* The hash of a leaf that is these bytes. */
void merkle_leaf(const void *bytes, size_t len, unsigned char out[SHA256_SIZE]);

void merkle_init(struct merkle *m);
void merkle_add(struct merkle *m, const unsigned char leaf[SHA256_SIZE]);
/* The root; of no leaves, the hash of nothing. */
void merkle_root(const struct merkle *m, unsigned char out[SHA256_SIZE]);
/* 1 if both are trees of the same leaves. */
int merkle_equal(const struct merkle *a, const struct merkle *b);

/* What shows that a leaf is in a tree: the hashes beside the way from it to the root, leaf first. */
struct merkle_proof {
	int64_t index; /* of the leaf, from 0 */
	int64_t n;     /* leaves of the tree */
	size_t length; /* of PATH */
	unsigned char path[MERKLE_LEVELS][SHA256_SIZE];
};

/* The proof for leaf INDEX of the N leaves, whose hashes LEAVES holds; 0 <= INDEX < N. */
void merkle_prove(
	struct merkle_proof *out, unsigned char (*leaves)[SHA256_SIZE], int64_t n, int64_t index);
/*
 * The root of the tree in which P shows LEAF to be (RFC 9162, section 2.1.3.2).  0, or -1: P has not
 * the form of a proof for its index and number of leaves.
 */
int merkle_proven_root(const struct merkle_proof *p, const unsigned char leaf[SHA256_SIZE],
	unsigned char out[SHA256_SIZE]);

#endif
