/* common/base/sha256: the examples of FIPS 180-2, appendix B, whole and in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/sha256.h"

static void hash_in_pieces(const char *text, size_t len, size_t piece, char out[SHA256_HEX_SIZE])
{
	struct sha256 h;

	sha256_init(&h);
	for (size_t at = 0; at < len; at += piece)
		sha256_add(&h, text + at, len - at < piece ? len - at : piece);
	sha256_hex(&h, out);
}

static void test_vectors(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char out[SHA256_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sha256_of(cases[i].text, strlen(cases[i].text), out);
		assert_string_equal(out, cases[i].expected);
		for (size_t piece = 1; piece <= strlen(cases[i].text) + 1; piece++) {
			hash_in_pieces(cases[i].text, strlen(cases[i].text), piece, out);
			assert_string_equal(out, cases[i].expected);
		}
	}
}

/* Every length around the ends of a block, against values from sha256sum(1); the last is FIPS's. */
static void test_lengths(void **state)
{
	static const struct {
		size_t len;
		const char *expected; /* of so many letters a */
	} cases[] = {
		{55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
		{56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
		{57, "f13b2d724659eb3bf47f2dd6af1accc87b81f09f59f2b75e5c0bed6589dfe8c6"},
		{63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
		{64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
		{65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
		{119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
		{120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
		{128, "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e"},
		{1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
	};
	static char text[1000000];
	char out[SHA256_HEX_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sha256_of(text, cases[i].len, out);
		assert_string_equal(out, cases[i].expected);
		hash_in_pieces(text, cases[i].len, 63, out);
		assert_string_equal(out, cases[i].expected);
	}
}

static void test_digits(void **state)
{
	static const struct {
		const char *text;
		int expected;
	} rows[] = {
		{"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 0},
		{"0000000000000000000000000000000000000000000000000000000000000000", 0},
		{"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 0},
		{"", -1},
		{NULL, -1},
		{"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a", -1},
		{"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", -1},
		{"Ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", -1},
		{"ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", -1},
		{" a7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", -1},
		{"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a\n", -1},
		{"0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015", -1},
	};
	unsigned char hash[SHA256_SIZE];
	char digits[SHA256_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = sha256_parse(rows[i].text, hash);

		if (got != rows[i].expected)
			fail_msg("%s: expected %d, got %d",
				rows[i].text != NULL ? rows[i].text : "NULL", rows[i].expected,
				got);
		if (got != 0)
			continue;
		sha256_digits(hash, digits);
		assert_string_equal(digits, rows[i].text);
	}
}

/* The bytes are those that the digits are of. */
static void test_end(void **state)
{
	unsigned char hash[SHA256_SIZE], same[SHA256_SIZE];
	char digits[SHA256_HEX_SIZE];
	struct sha256 h;

	(void)state;
	sha256_init(&h);
	sha256_add(&h, "abc", 3);
	sha256_end(&h, hash);
	sha256_of("abc", 3, digits);
	assert_int_equal(sha256_parse(digits, same), 0);
	assert_memory_equal(hash, same, sizeof(hash));
	assert_int_equal(hash[0], 0xba);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_digits),
		cmocka_unit_test(test_end),
	};

	return cmocka_run_group_tests_name("base/sha256", tests, NULL, NULL);
}
