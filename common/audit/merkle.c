#include "audit/merkle.h"

#include <string.h>

/* So that no leaf passes for an inner node. */
static const unsigned char leaf_mark = 0, node_mark = 1;

void merkle_leaf(const void *bytes, size_t len, unsigned char out[SHA256_SIZE])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, &leaf_mark, 1);
	sha256_add(&h, bytes, len);
	sha256_end(&h, out);
}

/* OUT may be one of the two. */
static void join(const unsigned char left[SHA256_SIZE], const unsigned char right[SHA256_SIZE],
	unsigned char out[SHA256_SIZE])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, &node_mark, 1);
	sha256_add(&h, left, SHA256_SIZE);
	sha256_add(&h, right, SHA256_SIZE);
	sha256_end(&h, out);
}

void merkle_init(struct merkle *m)
{
	memset(m, 0, sizeof(*m));
}

void merkle_add(struct merkle *m, const unsigned char leaf[SHA256_SIZE])
{
	unsigned char hash[SHA256_SIZE];
	int level = 0;

	memcpy(hash, leaf, SHA256_SIZE);
	for (; (m->n >> level & 1) != 0; level++)
		join(m->peaks[level], hash, hash);
	memcpy(m->peaks[level], hash, SHA256_SIZE);
	m->n++;
}

void merkle_root(const struct merkle *m, unsigned char out[SHA256_SIZE])
{
	int is_first = 1;
	struct sha256 h;

	for (int level = 0; level < MERKLE_LEVELS; level++) {
		if ((m->n >> level & 1) == 0)
			continue;
		if (is_first)
			memcpy(out, m->peaks[level], SHA256_SIZE);
		else
			join(m->peaks[level], out, out);
		is_first = 0;
	}
	if (is_first) {
		sha256_init(&h);
		sha256_end(&h, out);
	}
}

int merkle_equal(const struct merkle *a, const struct merkle *b)
{
	if (a->n != b->n)
		return 0;
	for (int level = 0; level < MERKLE_LEVELS; level++)
		if ((a->n >> level & 1) != 0 &&
			memcmp(a->peaks[level], b->peaks[level], SHA256_SIZE) != 0)
			return 0;
	return 1;
}

static void root_of(unsigned char (*leaves)[SHA256_SIZE], int64_t n, unsigned char out[SHA256_SIZE])
{
	struct merkle m;

	merkle_init(&m);
	for (int64_t i = 0; i < n; i++)
		merkle_add(&m, leaves[i]);
	merkle_root(&m, out);
}

/* The largest power of two that is less than N, which is 2 or more. */
static int64_t split(int64_t n)
{
	int64_t k = 1;

	while (k < n - k)
		k *= 2;
	return k;
}

void merkle_prove(
	struct merkle_proof *out, unsigned char (*leaves)[SHA256_SIZE], int64_t n, int64_t index)
{
	unsigned char way[MERKLE_LEVELS][SHA256_SIZE]; /* root first */
	size_t length = 0;

	memset(out, 0, sizeof(*out));
	out->n = n;
	out->index = index;
	while (n > 1) {
		int64_t k = split(n);

		if (index < k) {
			root_of(leaves + k, n - k, way[length++]);
			n = k;
		} else {
			root_of(leaves, k, way[length++]);
			leaves += k;
			index -= k;
			n -= k;
		}
	}
	out->length = length;
	for (size_t i = 0; i < length; i++)
		memcpy(out->path[i], way[length - 1 - i], SHA256_SIZE);
}

int merkle_proven_root(const struct merkle_proof *p, const unsigned char leaf[SHA256_SIZE],
	unsigned char out[SHA256_SIZE])
{
	int64_t at = p->index, last = p->n - 1;

	if (p->index < 0 || p->index >= p->n || p->length > MERKLE_LEVELS)
		return -1;
	memcpy(out, leaf, SHA256_SIZE);
	for (size_t i = 0; i < p->length; i++) {
		if (last == 0)
			return -1;
		if ((at & 1) != 0 || at == last) {
			join(p->path[i], out, out);
			while ((at & 1) == 0 && at != 0) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			join(out, p->path[i], out);
		}
		at >>= 1;
		last >>= 1;
	}
	return last == 0 ? 0 : -1;
}
