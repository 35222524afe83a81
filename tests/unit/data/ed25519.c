/*
 * common/data/ed25519: the vectors of RFC 8032, section 7.1; keys that openssl makes, keys that openssl
 * reads, and what is no key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/err.h"
#include "base/str.h"
#include "data/base64.h"
#include "data/ed25519.h"
#include "sys/spawn.h"

/* Of RFC 8032's "TEST 1": the seed and the public key, as RFC 8410 wraps them. */
#define SEED_1 "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"
#define PUBLIC_1 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define PRIVATE_PEM "-----BEGIN PRIVATE KEY-----\n" SEED_1 "\n-----END PRIVATE KEY-----\n"
#define PUBLIC_PEM "-----BEGIN PUBLIC KEY-----\n" PUBLIC_1 "\n-----END PUBLIC KEY-----\n"

static size_t from_hex(const char *hex, unsigned char *out)
{
	size_t n = 0;

	for (; hex[2 * n] != '\0'; n++) {
		unsigned byte;

		if (sscanf(hex + 2 * n, "%2x", &byte) != 1)
			fail_msg("no digits: %s", hex);
		out[n] = (unsigned char)byte;
	}
	return n;
}

static struct ed25519_key key_of(const char *pem)
{
	struct err e = ERR_INIT;
	struct ed25519_key key;

	if (ed25519_parse_private(&key, pem, strlen(pem), &e) != 0)
		fail_msg("%s: %s", pem, err_text(&e));
	return key;
}

static struct ed25519_key key_of_seed(const char *hex)
{
	unsigned char der[48] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
		0x70, 0x04, 0x22, 0x04, 0x20};
	struct ed25519_key key;
	char *text, pem[256];

	assert_int_equal(from_hex(hex, der + 16), 32);
	text = base64_encode(der, sizeof(der));
	snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
		text);
	key = key_of(pem);
	free(text);
	return key;
}

static void test_vectors(void **state)
{
	static const struct {
		const char *seed, *public, *message, *signature;
	} rows[] = {
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590"
			"a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e"
			"15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d"
			"16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char message[8] = {0}, public[64], expected[64], got[64];
		struct ed25519_key key = key_of_seed(rows[i].seed);
		size_t len = from_hex(rows[i].message, message);

		from_hex(rows[i].public, public);
		from_hex(rows[i].signature, expected);
		assert_memory_equal(key.public, public, ED25519_PUBLIC_SIZE);
		ed25519_sign(got, message, len, &key);
		assert_memory_equal(got, expected, ED25519_SIGNATURE_SIZE);
		assert_int_equal(ed25519_is_signed(got, message, len, public), 1);
		assert_int_equal(ed25519_is_signed(got, message, len + 1, public), 0);
		for (size_t bit = 0; bit < 8 * sizeof(got); bit += 7) {
			got[bit / 8] ^= (unsigned char)(1 << bit % 8);
			assert_int_equal(ed25519_is_signed(got, message, len, public), 0);
			got[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
		public[0] ^= 1;
		assert_int_equal(ed25519_is_signed(got, message, len, public), 0);
		ed25519_wipe(&key);
		assert_int_equal(key.secret[0] | key.secret[31] | key.public[0], 0);
	}
}

/* A key with which anything is signed, of small order: RFC 8032 leaves it open, and we refuse it. */
static void test_weak_key(void **state)
{
	const unsigned char signature[ED25519_SIGNATURE_SIZE] = {1}, public[32] = {1};

	(void)state;
	assert_int_equal(ed25519_is_signed(signature, "any", 3, public), 0);
}

static void test_round_trip(void **state)
{
	unsigned char public[ED25519_PUBLIC_SIZE];
	struct ed25519_key key, other, again;
	struct err e = ERR_INIT;
	char *text;

	(void)state;
	assert_int_equal(ed25519_make(&key, &e), 0);
	assert_int_equal(ed25519_make(&other, &e), 0);
	assert_memory_not_equal(key.public, other.public, ED25519_PUBLIC_SIZE);
	text = ed25519_private_pem(&key);
	again = key_of(text);
	assert_memory_equal(&again, &key, sizeof(key));
	free(text);
	text = ed25519_public_pem(key.public);
	assert_int_equal(ed25519_parse_public(public, text, strlen(text), &e), 0);
	assert_memory_equal(public, key.public, sizeof(public));
	free(text);
	key = key_of(PRIVATE_PEM);
	text = ed25519_private_pem(&key);
	assert_string_equal(text, PRIVATE_PEM);
	free(text);
	text = ed25519_public_pem(key.public);
	assert_string_equal(text, PUBLIC_PEM);
	free(text);
}

enum { NEITHER, PRIVATE = 1, PUBLIC = 2 };

#define RSA                                                                                        \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n"   \
	"KUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==\n"                                           \
	"-----END PUBLIC KEY-----\n"
/* X25519: a key of the same length and another purpose, 1.3.101.110. */
#define X25519 "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g"

static const struct {
	const char *name, *text;
	int is; /* what it is taken for */
} pems[] = {
	{"private", PRIVATE_PEM, PRIVATE},
	{"public", PUBLIC_PEM, PUBLIC},
	{"both", PRIVATE_PEM PUBLIC_PEM, PRIVATE | PUBLIC},
	{"text in front", "Made for audit\n\n" PUBLIC_PEM, PUBLIC},
	{"text behind", PUBLIC_PEM "\nkeep it\n", PUBLIC},
	{"CRLF", "-----BEGIN PUBLIC KEY-----\r\n" PUBLIC_1 "\r\n-----END PUBLIC KEY-----\r\n",
		PUBLIC},
	{"no newline at the end",
		"-----BEGIN PUBLIC KEY-----\n" PUBLIC_1 "\n-----END PUBLIC KEY-----", PUBLIC},
	{"empty", "", NEITHER},
	{"no PEM", PUBLIC_1 "\n", NEITHER},
	{"two public", PUBLIC_PEM PUBLIC_PEM, NEITHER},
	{"two private", PRIVATE_PEM PRIVATE_PEM, NEITHER},
	{"label within a line", "x" PUBLIC_PEM, NEITHER},
	{"wrong label", "-----BEGIN ED25519 KEY-----\n" PUBLIC_1 "\n-----END ED25519 KEY-----\n",
		NEITHER},
	{"labels that differ",
		"-----BEGIN PUBLIC KEY-----\n" PUBLIC_1 "\n-----END PRIVATE KEY-----\n", NEITHER},
	{"private as public", "-----BEGIN PUBLIC KEY-----\n" SEED_1 "\n-----END PUBLIC KEY-----\n",
		NEITHER},
	{"public as private",
		"-----BEGIN PRIVATE KEY-----\n" PUBLIC_1 "\n-----END PRIVATE KEY-----\n", NEITHER},
	{"X25519", "-----BEGIN PRIVATE KEY-----\n" X25519 "\n-----END PRIVATE KEY-----\n", NEITHER},
	{"RSA", RSA, NEITHER},
	{"encrypted",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\n" SEED_1
		"\n-----END ENCRYPTED PRIVATE KEY-----\n",
		NEITHER},
	{"OpenSSH's",
		"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjE=\n"
		"-----END OPENSSH PRIVATE KEY-----\n",
		NEITHER},
	{"no end", "-----BEGIN PUBLIC KEY-----\n" PUBLIC_1 "\n", NEITHER},
	{"end first", "-----END PUBLIC KEY-----\n-----BEGIN PUBLIC KEY-----\n" PUBLIC_1 "\n",
		NEITHER},
	{"truncated",
		"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIa\n"
		"-----END PUBLIC KEY-----\n",
		NEITHER},
	{"extra bytes",
		"-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURoA\n"
		"-----END PUBLIC KEY-----\n",
		NEITHER},
	{"headers as of old",
		"-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" SEED_1
		"\n-----END PRIVATE KEY-----\n",
		NEITHER},
	{"padding", "-----BEGIN PUBLIC KEY-----\n" PUBLIC_1 "=\n-----END PUBLIC KEY-----\n",
		NEITHER},
};

static void test_pem(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pems) / sizeof(pems[0]); i++) {
		size_t len = strlen(pems[i].text);
		unsigned char public[ED25519_PUBLIC_SIZE];
		struct ed25519_key key;
		struct err e = ERR_INIT;
		int is = NEITHER;

		is |= ed25519_parse_private(&key, pems[i].text, len, &e) == 0 ? PRIVATE : 0;
		assert_int_equal(is == NEITHER, e.text != NULL);
		/* What it was is not told. */
		assert_null(strstr(err_text(&e), "nWGxne"));
		err_clear(&e);
		is |= ed25519_parse_public(public, pems[i].text, len, &e) == 0 ? PUBLIC : 0;
		err_clear(&e);
		if (is != pems[i].is)
			fail_msg("%s: expected %d, got %d", pems[i].name, pems[i].is, is);
	}
}

/* Whatever is lost at the end of a file: no key, and never another one. */
static void test_cut(void **state)
{
	const size_t all = strlen(PRIVATE_PEM) - 1; /* the last newline may be missing */
	struct ed25519_key key, right = key_of(PRIVATE_PEM);

	(void)state;
	for (size_t len = 0; len <= strlen(PRIVATE_PEM); len++) {
		int got = ed25519_parse_private(&key, PRIVATE_PEM, len, NULL);

		if (got != (len >= all ? 0 : -1))
			fail_msg("%zu bytes: got %d", len, got);
		if (got == 0)
			assert_memory_equal(&key, &right, sizeof(key));
	}
}

static void test_too_long(void **state)
{
	char text[ED25519_MAX_PEM + 2];
	unsigned char public[ED25519_PUBLIC_SIZE];

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, PUBLIC_PEM, strlen(PUBLIC_PEM));
	assert_int_equal(ed25519_parse_public(public, text, ED25519_MAX_PEM, NULL), 0);
	assert_int_equal(ed25519_parse_public(public, text, ED25519_MAX_PEM + 1, NULL), -1);
	/* A NUL ends it. */
	text[40] = '\0';
	assert_int_equal(ed25519_parse_public(public, text, ED25519_MAX_PEM, NULL), -1);
}

/* Run openssl with these words in the folder DIR, which must succeed; what it printed, to str_clear(). */
static void run(const char *dir, const char *words, struct str *out)
{
	struct spawn s = SPAWN_INIT;
	struct strlist list = {0};
	struct err e = ERR_INIT;
	const char *argv[16] = {"openssl"};
	int status = -1;

	strlist_split(&list, words, ' ');
	assert_true(list.n < 15);
	for (size_t i = 0; i < list.n; i++)
		argv[i + 1] = list.v[i];
	s.argv = argv;
	s.dir = dir;
	str_init(out);
	if (spawn_capture(&s, 65536, out, &status, &e) != 0 || status != 0)
		fail_msg("openssl %s: %d %s %s", words, status, err_text(&e), out->buf);
	strlist_clear(&list);
}

static void test_from_openssl(void **state)
{
	unsigned char public[ED25519_PUBLIC_SIZE];
	struct ed25519_key key;
	struct str text;

	run(*state, "genpkey -algorithm ed25519 -out key", &text);
	str_clear(&text);
	run(*state, "pkey -in key", &text);
	key = key_of(text.buf);
	str_clear(&text);
	run(*state, "pkey -in key -pubout", &text);
	assert_int_equal(ed25519_parse_public(public, text.buf, text.len, NULL), 0);
	assert_memory_equal(public, key.public, sizeof(public));
	str_clear(&text);
	run(*state, "genpkey -algorithm ed25519 -aes256 -pass pass:x", &text);
	assert_int_equal(ed25519_parse_private(&key, text.buf, text.len, NULL), -1);
	str_clear(&text);
}

static void to_file(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || files_write_all(fd, bytes, len) != 0 || close(fd) != 0)
		fail_msg("cannot write %s", path);
}

static void test_to_openssl(void **state)
{
	unsigned char signature[ED25519_SIGNATURE_SIZE];
	struct ed25519_key key;
	struct str text;
	char *pem;

	assert_int_equal(ed25519_make(&key, NULL), 0);
	pem = ed25519_private_pem(&key);
	to_file("key", pem, strlen(pem));
	free(pem);
	pem = ed25519_public_pem(key.public);
	to_file("key.pub", pem, strlen(pem));
	run(*state, "pkey -in key -pubout", &text);
	assert_string_equal(text.buf, pem);
	str_clear(&text);
	free(pem);
	ed25519_sign(signature, "message", 7, &key);
	to_file("message", "message", 7);
	to_file("signature", signature, sizeof(signature));
	run(*state, "pkeyutl -verify -pubin -inkey key.pub -rawin -in message -sigfile signature",
		&text);
	assert_non_null(strstr(text.buf, "Success"));
	str_clear(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_weak_key),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_too_long),
		scratch_test(test_from_openssl),
		scratch_test(test_to_openssl),
	};

	return cmocka_run_group_tests_name("data/ed25519", tests, NULL, NULL);
}
