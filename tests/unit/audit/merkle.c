/*
 * common/audit/merkle: the tree that the tests of Certificate Transparency grow leaf by leaf, and every
 * proof of every small tree, right and wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "audit/merkle.h"

#define LARGEST 70 /* leaves: over two full trees of 32 and one of 64 */

static void expect_root(const struct merkle *m, const char *expected)
{
	unsigned char root[SHA256_SIZE];
	char digits[SHA256_HEX_SIZE];

	merkle_root(m, root);
	sha256_digits(root, digits);
	if (strcmp(digits, expected) != 0)
		fail_msg("root of %" PRId64 " leaves: expected %s, got %s", m->n, expected, digits);
}

static void test_known_tree(void **state)
{
	static const struct {
		const char *leaf;
		size_t len;
		const char *root; /* once it is added */
	} rows[] = {
		{"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"\0", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
		{"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
		{"\x40\x41\x42\x43", 4,
			"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
		{"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
			"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
			"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	};
	unsigned char leaf[SHA256_SIZE];
	struct merkle m;

	(void)state;
	merkle_init(&m);
	expect_root(&m, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		merkle_leaf(rows[i].leaf, rows[i].len, leaf);
		merkle_add(&m, leaf);
		assert_int_equal(m.n, i + 1);
		expect_root(&m, rows[i].root);
	}
}

static void make_leaves(unsigned char (*out)[SHA256_SIZE], int n)
{
	for (int i = 0; i < n; i++)
		merkle_leaf(&i, sizeof(i), out[i]);
}

static void root_of(unsigned char (*leaves)[SHA256_SIZE], int n, unsigned char out[SHA256_SIZE])
{
	struct merkle m;

	merkle_init(&m);
	for (int i = 0; i < n; i++)
		merkle_add(&m, leaves[i]);
	merkle_root(&m, out);
}

/* 1: P shows LEAF to be in the tree of ROOT. */
static int proves(const struct merkle_proof *p, const unsigned char leaf[SHA256_SIZE],
	const unsigned char root[SHA256_SIZE])
{
	unsigned char got[SHA256_SIZE];

	return merkle_proven_root(p, leaf, got) == 0 && memcmp(got, root, SHA256_SIZE) == 0;
}

static void test_every_proof(void **state)
{
	unsigned char leaves[LARGEST][SHA256_SIZE], root[SHA256_SIZE];
	struct merkle_proof p;

	(void)state;
	make_leaves(leaves, LARGEST);
	for (int n = 1; n <= LARGEST; n++) {
		root_of(leaves, n, root);
		for (int i = 0; i < n; i++) {
			merkle_prove(&p, leaves, n, i);
			if (p.index != i || p.n != n || !proves(&p, leaves[i], root))
				fail_msg("leaf %d of %d is not proved", i, n);
			if (proves(&p, leaves[(i + 1) % LARGEST], root))
				fail_msg("the proof of leaf %d of %d proves the next", i, n);
		}
	}
}

/* 1: a proof for INDEX leads the same way in trees of A and of B leaves. */
static int is_same_way(int64_t index, int64_t a, int64_t b)
{
	unsigned char leaves[2 * LARGEST][SHA256_SIZE], leaf[SHA256_SIZE] = {1};
	unsigned char one[SHA256_SIZE], other[SHA256_SIZE];
	struct merkle_proof p;

	memset(leaves, 0, sizeof(leaves));
	merkle_prove(&p, leaves, a, index);
	if (merkle_proven_root(&p, leaf, one) != 0)
		fail_msg("leaf %" PRId64 " of %" PRId64, index, a);
	p.n = b;
	return merkle_proven_root(&p, leaf, other) == 0 && memcmp(one, other, SHA256_SIZE) == 0;
}

/*
 * Another index never does.  Another number of leaves does only where the way is the same in both trees:
 * that number is for the checkpoint to tell.
 */
static void test_wrong_place(void **state)
{
	unsigned char leaves[2 * LARGEST][SHA256_SIZE], root[SHA256_SIZE];
	static const int sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 21};

	(void)state;
	make_leaves(leaves, LARGEST);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		int n = sizes[k];

		root_of(leaves, n, root);
		for (int i = 0; i < n; i++) {
			struct merkle_proof right, p;

			merkle_prove(&right, leaves, n, i);
			p = right;
			for (p.index = -1; p.index <= n; p.index++)
				if (p.index != i && proves(&p, leaves[i], root))
					fail_msg("%d of %d as %" PRId64, i, n, p.index);
			p = right;
			for (p.n = -1; p.n < 3 * n + 3; p.n++)
				if (p.n != n && proves(&p, leaves[i], root) &&
					!is_same_way(i, n, p.n))
					fail_msg("%d of %d as of %" PRId64, i, n, p.n);
		}
	}
}

static void test_wrong_hashes(void **state)
{
	unsigned char leaves[LARGEST][SHA256_SIZE], root[SHA256_SIZE];
	static const int sizes[] = {1, 2, 3, 6, 8, 11};

	(void)state;
	make_leaves(leaves, LARGEST);
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		int n = sizes[k];

		root_of(leaves, n, root);
		for (int i = 0; i < n; i++) {
			struct merkle_proof right, p;

			merkle_prove(&right, leaves, n, i);
			for (size_t at = 0; at < right.length; at++)
				for (int bit = 0; bit < 8 * SHA256_SIZE; bit += 3) {
					p = right;
					p.path[at][bit / 8] ^= (unsigned char)(1 << bit % 8);
					if (proves(&p, leaves[i], root))
						fail_msg("%d of %d, bit %d of hash %zu", i, n, bit,
							at);
				}
			p = right;
			p.length++;
			if (proves(&p, leaves[i], root))
				fail_msg("%d of %d, with a hash of zeros behind", i, n);
			p = right;
			if (p.length > 0 && (p.length--, proves(&p, leaves[i], root)))
				fail_msg("%d of %d, without the last hash", i, n);
			p = right;
			memmove(p.path, p.path + 1, sizeof(p.path) - SHA256_SIZE);
			if (p.length > 0 && (p.length--, proves(&p, leaves[i], root)))
				fail_msg("%d of %d, without the first hash", i, n);
			p.length = MERKLE_LEVELS + 1;
			if (proves(&p, leaves[i], root))
				fail_msg("%d of %d, with more hashes than there can be", i, n);
		}
	}
}

/* What an inner node hashes, given as the bytes of a leaf, is another hash. */
static void test_node_is_no_leaf(void **state)
{
	unsigned char leaves[2][SHA256_SIZE], root[SHA256_SIZE], leaf[SHA256_SIZE];

	(void)state;
	make_leaves(leaves, 2);
	root_of(leaves, 2, root);
	merkle_leaf(leaves, sizeof(leaves), leaf);
	assert_memory_not_equal(leaf, root, SHA256_SIZE);
}

static void test_equal(void **state)
{
	unsigned char leaves[LARGEST][SHA256_SIZE];
	struct merkle a, b;

	(void)state;
	make_leaves(leaves, LARGEST);
	merkle_init(&a);
	merkle_init(&b);
	assert_true(merkle_equal(&a, &b));
	for (int i = 0; i < 13; i++) {
		merkle_add(&a, leaves[i]);
		assert_false(merkle_equal(&a, &b));
		merkle_add(&b, leaves[i]);
		/* What levels held before they were joined is of no account. */
		memset(b.peaks[5], i, SHA256_SIZE);
		assert_true(merkle_equal(&a, &b));
	}
	for (int level = 0; level < 4; level++) {
		b.peaks[level][7] ^= 1;
		assert_int_equal(merkle_equal(&a, &b), level == 1); /* 13 is 1101 */
		b.peaks[level][7] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_tree),
		cmocka_unit_test(test_every_proof),
		cmocka_unit_test(test_wrong_place),
		cmocka_unit_test(test_wrong_hashes),
		cmocka_unit_test(test_node_is_no_leaf),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests_name("audit/merkle", tests, NULL, NULL);
}
