/*
 * common/audit/checkpoint: what is rendered is parsed again, and nothing else is trusted: not one byte may
 * differ, and of the signatures only the one by the key that is known counts (c2sp.org/signed-note).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "base/clock.h"
#include "data/base64.h"
#include "journals.h"

#define ORIGIN "git.example.com/modelgate"
#define DASH "\xe2\x80\x94 "

/* Keys that are the same each time, one for each SEED. */
static struct ed25519_key key_of(unsigned char seed)
{
	unsigned char der[48] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
		0x70, 0x04, 0x22, 0x04, 0x20, seed};
	char *text = base64_encode(der, sizeof(der)), pem[256];
	struct ed25519_key key;

	snprintf(pem, sizeof(pem), "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n",
		text);
	assert_int_equal(ed25519_parse_private(&key, pem, strlen(pem), NULL), 0);
	free(text);
	return key;
}

static struct checkpoint sample(void)
{
	struct checkpoint c = {.lines = 1204, .seq = 1203, .time = INT64_C(1795465309123456)};

	c.origin = mem_strdup(ORIGIN);
	memset(c.root, 0xa5, sizeof(c.root));
	sha256_of("abc", 3, c.head);
	return c;
}

static char *render(const struct ed25519_key *key)
{
	struct checkpoint c = sample();
	char *text = checkpoint_render(&c, key);

	assert_memory_equal(c.key, key->public, sizeof(c.key));
	checkpoint_clear(&c);
	return text;
}

#define NO_CHECKPOINT 9

/* What LEN bytes come to: enum checkpoint_trust, or NO_CHECKPOINT. */
static int trust_in(const char *text, size_t len, const struct ed25519_key *key)
{
	enum checkpoint_trust trust;
	struct checkpoint c;
	struct err e = ERR_INIT;
	int got = checkpoint_parse(&c, &trust, text, len, key != NULL ? key->public : NULL, &e);

	assert_int_equal(got != 0, e.text != NULL);
	assert_int_equal(got != 0, c.origin == NULL);
	checkpoint_clear(&c);
	err_clear(&e);
	return got == 0 ? (int)trust : NO_CHECKPOINT;
}

static void expect_trust(
	const char *what, const char *text, const struct ed25519_key *key, int expected)
{
	int got = trust_in(text, strlen(text), key);

	if (got != expected)
		fail_msg("%s: expected %d, got %d:\n%s", what, expected, got, text);
}

static void test_round_trip(void **state)
{
	struct ed25519_key key = key_of(1), other = key_of(2);
	struct checkpoint c, wanted = sample();
	enum checkpoint_trust trust;
	char *text = render(&key), *again;

	(void)state;
	assert_int_equal(checkpoint_parse(&c, &trust, text, strlen(text), key.public, NULL), 0);
	assert_int_equal(trust, CHECKPOINT_TRUSTED);
	assert_string_equal(c.origin, wanted.origin);
	assert_int_equal(c.lines, wanted.lines);
	assert_memory_equal(c.root, wanted.root, sizeof(c.root));
	assert_string_equal(c.head, wanted.head);
	assert_int_equal(c.seq, wanted.seq);
	assert_int_equal(c.time, wanted.time);
	again = checkpoint_render(&c, &key);
	assert_string_equal(again, text);
	expect_trust("no key", text, NULL, CHECKPOINT_UNKNOWN);
	expect_trust("another key", text, &other, CHECKPOINT_FORGED);
	free(again);
	free(text);
	checkpoint_clear(&c);
	checkpoint_clear(&wanted);
}

/* Signed by somebody, who says that it is the key that is known. */
static void test_other_signer(void **state)
{
	struct ed25519_key key = key_of(1), thief = key_of(2);
	char *text = render(&thief), *right = base64_encode(key.public, sizeof(key.public)), *at;

	(void)state;
	at = strstr(text, "\nkey ") + strlen("\nkey ");
	memcpy(at, right, strlen(right));
	expect_trust("the key of another", text, &key, CHECKPOINT_FORGED);
	expect_trust("no key", text, NULL, CHECKPOINT_FORGED);
	free(right);
	free(text);
}

static void test_each_byte(void **state)
{
	struct ed25519_key key = key_of(1);
	char *text = render(&key);
	size_t len = strlen(text);

	(void)state;
	for (size_t at = 0; at < len; at++) {
		const char was = text[at];
		const char changes[] = {(char)(was ^ 1), (char)(was ^ 32), (char)(was ^ 128), '\n',
			'\r', '\0', ' ', '=', '0', 'A'};

		for (size_t i = 0; i < sizeof(changes); i++) {
			int got;

			text[at] = changes[i];
			got = trust_in(text, len, &key);
			if (changes[i] != was && got != NO_CHECKPOINT && got != CHECKPOINT_FORGED)
				fail_msg("byte %zu, %02x for %02x: %d", at,
					(unsigned char)changes[i], (unsigned char)was, got);
			got = trust_in(text, len, NULL);
			if (changes[i] != was && got != NO_CHECKPOINT && got != CHECKPOINT_FORGED)
				fail_msg("byte %zu, %02x for %02x, without a key: %d", at,
					(unsigned char)changes[i], (unsigned char)was, got);
		}
		text[at] = was;
	}
	free(text);
}

/* Cut anywhere, one byte left out or put in anywhere: no checkpoint, or not signed. */
static void test_lost_and_added(void **state)
{
	struct ed25519_key key = key_of(1);
	char *text = render(&key), *other;
	size_t len = strlen(text);

	(void)state;
	other = mem_zalloc(len + 2, 1);
	for (size_t at = 0; at < len; at++) {
		static const char put_in[] = "\n\r 0=A";

		if (trust_in(text, at, &key) != NO_CHECKPOINT)
			fail_msg("cut to %zu", at);
		memcpy(other, text, at);
		memcpy(other + at, text + at + 1, len - at - 1);
		if (trust_in(other, len - 1, &key) == CHECKPOINT_TRUSTED)
			fail_msg("without byte %zu", at);
		memcpy(other + at + 1, text + at, len - at);
		for (size_t i = 0; i < strlen(put_in); i++) {
			other[at] = put_in[i];
			if (trust_in(other, len + 1, &key) == CHECKPOINT_TRUSTED)
				fail_msg("%02x in front of byte %zu", put_in[i], at);
		}
	}
	free(other);
	other = mem_format("%s\n", text);
	expect_trust("an empty line behind", other, &key, NO_CHECKPOINT);
	free(other);
	free(text);
}

/* C signed as it stands, whatever it is: BODY ends before the empty line. */
static char *sign_body(const char *body, const char *name, const struct ed25519_key *key)
{
	unsigned char bytes[4 + ED25519_SIGNATURE_SIZE], hash[SHA256_SIZE];
	struct sha256 h;
	char *base64, *text;

	sha256_init(&h);
	sha256_add(&h, name, strlen(name));
	sha256_add(&h, "\n\x01", 2);
	sha256_add(&h, key->public, ED25519_PUBLIC_SIZE);
	sha256_end(&h, hash);
	memcpy(bytes, hash, 4);
	ed25519_sign(bytes + 4, body, strlen(body), key);
	base64 = base64_encode(bytes, sizeof(bytes));
	text = mem_format(DASH "%s %s\n", name, base64);
	free(base64);
	return text;
}

/* What is signed with the right key, and is no checkpoint for all that. */
static void test_strict(void **state)
{
#define ROOT "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=\n"
#define HEAD "head ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
#define TIME "time 2026-11-23T20:21:49.123456Z\n"
	static const struct {
		const char *name, *body; /* without the line with the key */
		int expected;
	} rows[] = {
		{"right", ORIGIN "\n1204\n" ROOT HEAD "seq 1203\n" TIME, CHECKPOINT_TRUSTED},
		{"zero", ORIGIN "\n0\n" ROOT HEAD "seq 0\n" TIME, CHECKPOINT_TRUSTED},
		{"leading zero", ORIGIN "\n01204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"two zeros", ORIGIN "\n00\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"sign", ORIGIN "\n+1204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"negative", ORIGIN "\n-1\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"blank", ORIGIN "\n 1204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"too many", ORIGIN "\n9007199254740993\n" ROOT HEAD "seq 1203\n" TIME,
			NO_CHECKPOINT},
		{"as many as can be",
			ORIGIN "\n9007199254740992\n" ROOT HEAD "seq 9007199254740992\n" TIME,
			CHECKPOINT_TRUSTED},
		{"more than fits", ORIGIN "\n99999999999999999999\n" ROOT HEAD "seq 1\n" TIME,
			NO_CHECKPOINT},
		{"no origin", "\n1204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"blank in the origin", "a b\n1204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"plus in the origin", "a+b\n1204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"CR", ORIGIN "\r\n1204\n" ROOT HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"short root", ORIGIN "\n1204\npaWl\n" HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"capital digits",
			ORIGIN "\n1204\n" ROOT "head "
			       "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD\n"
			       "seq 1203\n" TIME,
			NO_CHECKPOINT},
		{"short head", ORIGIN "\n1204\n" ROOT "head ba78\nseq 1203\n" TIME, NO_CHECKPOINT},
		{"other order", ORIGIN "\n1204\n" ROOT "seq 1203\n" HEAD TIME, NO_CHECKPOINT},
		{"two heads", ORIGIN "\n1204\n" ROOT HEAD HEAD "seq 1203\n" TIME, NO_CHECKPOINT},
		{"a date alone", ORIGIN "\n1204\n" ROOT HEAD "seq 1203\ntime 2026-11-23\n",
			NO_CHECKPOINT},
		{"another time's text",
			ORIGIN "\n1204\n" ROOT HEAD "seq 1203\ntime 2026-11-23T20:21:49Z\n",
			NO_CHECKPOINT},
		{"a line more", ORIGIN "\n1204\n" ROOT HEAD "seq 1203\n" TIME "more\n",
			NO_CHECKPOINT},
		{"an empty line more", ORIGIN "\n1204\n" ROOT HEAD "seq 1203\n" TIME "\n",
			NO_CHECKPOINT},
	};
	struct ed25519_key key = key_of(1);
	char *base64 = base64_encode(key.public, sizeof(key.public));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *body = mem_format("%skey %s\n", rows[i].body, base64);
		char *signature = sign_body(body, ORIGIN, &key);
		char *text = mem_format("%s\n%s", body, signature);

		expect_trust(rows[i].name, text, &key, rows[i].expected);
		free(text);
		free(signature);
		free(body);
	}
	free(base64);
}

/* Lines that are to be added in front of, or behind ours. */
static void test_signatures(void **state)
{
	static const struct {
		const char *line;
		int expected;
	} rows[] = {
		{DASH "witness.example/w AAAAAGZvbw==\n", CHECKPOINT_TRUSTED},
		{DASH "w\xc3\xa9 AAAAAGZvbw==\n", CHECKPOINT_TRUSTED},
		/* Another key of ours, such as the one before it. */
		{DASH ORIGIN " AAAAAGZvbw==\n", CHECKPOINT_TRUSTED},
		{DASH "witness.example/w AAAA\n", NO_CHECKPOINT}, /* nothing but a key's id */
		{DASH "witness.example/w no base64\n", NO_CHECKPOINT},
		{DASH "witness.example/w\n", NO_CHECKPOINT},
		{DASH "witness.example/w \n", NO_CHECKPOINT},
		{DASH " AAAAAGZvbw==\n", NO_CHECKPOINT},
		{DASH "a+b AAAAAGZvbw==\n", NO_CHECKPOINT},
		{DASH "a\tb AAAAAGZvbw==\n", NO_CHECKPOINT},
		{DASH "a\xff AAAAAGZvbw==\n", NO_CHECKPOINT},
		{DASH "witness.example/w AAAAAGZvbw==\r\n", NO_CHECKPOINT},
		{"- witness.example/w AAAAAGZvbw==\n", NO_CHECKPOINT},
		{"\n", NO_CHECKPOINT},
		{"anything\n", NO_CHECKPOINT},
	};
	struct ed25519_key key = key_of(1);
	char *text = render(&key);
	size_t body = (size_t)(strstr(text, "\n\n") - text) + 2;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *behind = mem_format("%s%s", text, rows[i].line);
		char *before = mem_format("%.*s%s%s", (int)body, text, rows[i].line, text + body);

		expect_trust("behind", behind, &key, rows[i].expected);
		/* An empty line in front of the signatures ends nothing. */
		expect_trust("in front", before, &key, rows[i].expected);
		free(before);
		free(behind);
	}
	text[body] = '\0';
	expect_trust("no signature", text, &key, NO_CHECKPOINT);
	free(text);
}

/* One by our key that is wrong is not made good by another that is right. */
static void test_one_is_wrong(void **state)
{
	struct ed25519_key key = key_of(1);
	char *text = render(&key), *wrong = sign_body("something else\n", ORIGIN, &key);
	char *both = mem_format("%s%s", text, wrong);
	size_t body = (size_t)(strstr(text, "\n\n") - text) + 2;
	char *twice = mem_format("%s%s", text, text + body);

	(void)state;
	expect_trust("a wrong one too", both, &key, CHECKPOINT_FORGED);
	expect_trust("the right one twice", twice, &key, CHECKPOINT_TRUSTED);
	free(twice);
	free(both);
	free(wrong);
	free(text);
}

static void test_limits(void **state)
{
	struct ed25519_key key = key_of(1);
	char *text = render(&key), *filler;
	struct str s;

	(void)state;
	/* 16 signatures of 5 kB, as those are that quantum computers do not forge. */
	str_init(&s);
	str_add(&s, text);
	filler = mem_zalloc(4 * 1700 + 1, 1);
	memset(filler, 'A', 4 * 1700);
	for (int i = 1; i < CHECKPOINT_MAX_SIGNATURES; i++)
		str_addf(&s, DASH "w%d %s\n", i, filler);
	expect_trust("16 signatures", s.buf, &key, CHECKPOINT_TRUSTED);
	str_add(&s, DASH "w AAAAAGZvbw==\n");
	expect_trust("17 signatures", s.buf, &key, NO_CHECKPOINT);
	str_reset(&s);
	str_addf(&s, "%s" DASH "w ", text);
	while (s.len < CHECKPOINT_MAX)
		str_add(&s, "AAAA");
	str_addc(&s, '\n');
	expect_trust("too long", s.buf, &key, NO_CHECKPOINT);
	str_clear(&s);
	free(filler);
	free(text);
}

static void test_origin(void **state)
{
	char longest[CHECKPOINT_MAX_ORIGIN + 2], *own = checkpoint_origin();
	static const struct {
		const char *text;
		int is;
	} rows[] = {{ORIGIN, 1}, {"a", 1}, {"", 0}, {"a b", 0}, {"a+b", 0}, {"a\n", 0},
		{"a\x7f", 0}, {"\xc3\xa9", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (checkpoint_is_origin(rows[i].text) != rows[i].is)
			fail_msg("\"%s\": expected %d", rows[i].text, rows[i].is);
	memset(longest, 'a', sizeof(longest));
	longest[CHECKPOINT_MAX_ORIGIN + 1] = '\0';
	assert_false(checkpoint_is_origin(longest));
	longest[CHECKPOINT_MAX_ORIGIN] = '\0';
	assert_true(checkpoint_is_origin(longest));
	assert_true(checkpoint_is_origin(own));
	assert_non_null(strstr(own, "/modelgate"));
	free(own);
}

/* Of a log: what it counts and names is the log's. */
static void test_of_log(void **state)
{
	struct audit_report r;
	unsigned char root[SHA256_SIZE];
	struct checkpoint c;
	struct merkle m;
	struct str log;
	int64_t before = clock_now();

	(void)state;
	merkle_init(&m);
	r = expect_verdict("empty", 0, NULL);
	checkpoint_init(&c, &r, ORIGIN);
	merkle_root(&m, root);
	assert_int_equal(c.lines, 0);
	assert_int_equal(c.seq, 0);
	assert_string_equal(c.head, ENTRY_NO_HASH);
	assert_memory_equal(c.root, root, sizeof(root));
	assert_true(c.time >= before);
	checkpoint_clear(&c);
	audit_report_clear(&r);
	add_records(1, 3);
	read_whole(LOG_PATH, &log);
	for (const char *line = log.buf; *line != '\0'; line += strcspn(line, "\n") + 1) {
		unsigned char leaf[SHA256_SIZE];

		merkle_leaf(line, strcspn(line, "\n"), leaf);
		merkle_add(&m, leaf);
	}
	r = expect_verdict("three", 0, NULL);
	checkpoint_init(&c, &r, ORIGIN);
	merkle_root(&m, root);
	assert_int_equal(c.lines, 3);
	assert_int_equal(c.seq, 3);
	assert_string_equal(c.head, r.head);
	assert_memory_equal(c.root, root, sizeof(root));
	checkpoint_clear(&c);
	audit_report_clear(&r);
	str_clear(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_other_signer),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_lost_and_added),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_one_is_wrong),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_origin),
		scratch_test(test_of_log),
	};

	return cmocka_run_group_tests_name("audit/checkpoint", tests, NULL, NULL);
}
