/* common/base/md5: the vectors of RFC 1321, section A.5, whole and in pieces of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/md5.h"

static void hash_in_pieces(const char *text, size_t len, size_t piece, char out[MD5_HEX_SIZE])
{
	struct md5 h;

	md5_init(&h);
	for (size_t at = 0; at < len; at += piece)
		md5_add(&h, text + at, len - at < piece ? len - at : piece);
	md5_hex(&h, out);
}

static void test_vectors(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"abc", "900150983cd24fb0d6963f7d28e17f72"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
			"d174ab98d277d9f5a5611c2c9f419d9f"},
		{"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		 "0",
			"57edf4a22be3c955ac49da2e2107b67a"},
	};
	char out[MD5_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= strlen(cases[i].text) + 1; piece++) {
			hash_in_pieces(cases[i].text, strlen(cases[i].text), piece, out);
			assert_string_equal(out, cases[i].expected);
		}
}

/* Every length around the ends of a block, and a long one, against values from md5sum(1). */
static void test_lengths(void **state)
{
	static const struct {
		size_t len;
		const char *expected; /* of so many letters a */
	} cases[] = {
		{55, "ef1772b6dff9a122358552954ad0df65"},
		{56, "3b0c8ac703f828b04c6c197006d17218"},
		{57, "652b906d60af96844ebd21b674f35e93"},
		{63, "b06521f39153d618550606be297466d5"},
		{64, "014842d480b571495a4a0363793f7367"},
		{65, "c743a45e0d2e6a95cb859adae0248435"},
		{119, "8a7bd0732ed6a28ce75f6dabc90e1613"},
		{120, "5f61c0ccad4cac44c75ff505e1f1e537"},
		{128, "e510683b3f5ffe4093d021808bc6ff70"},
		{1000000, "7707d6ae4e027c70eea2a935c2296f21"},
	};
	static char text[1000000];
	char out[MD5_HEX_SIZE];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hash_in_pieces(text, cases[i].len, cases[i].len, out);
		assert_string_equal(out, cases[i].expected);
		hash_in_pieces(text, cases[i].len, 63, out);
		assert_string_equal(out, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests_name("base/md5", tests, NULL, NULL);
}
