/* common/data/pointer: what DVC writes is taken, and every way to be wrong names its field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "data/pointer.h"

#define MD5 "d41d8cd98f00b204e9800998ecf8427e"
#define OUT "outs:\n- md5: " MD5 "\n  size: 12\n  hash: md5\n  path: model.pkl\n"

static void test_valid(void **state)
{
	static const struct {
		const char *text, *md5;
		enum pointer_layout layout;
		enum pointer_object object;
		int64_t size;
		const char *path;
	} cases[] = {
		{OUT, MD5, POINTER_FILES_MD5, POINTER_FILE, 12, "model.pkl"},
		{"outs:\n- md5: " MD5 "\n  size: 0\n  path: model.pkl\n", MD5, POINTER_LEGACY,
			POINTER_FILE, 0, "model.pkl"},
		{"outs:\n- md5: " MD5 ".dir\n  size: 9223372036854775807\n  nfiles: 2\n"
		 "  hash: md5\n  path: models/a\n",
			MD5, POINTER_FILES_MD5, POINTER_FOLDER, INT64_MAX, "models/a"},
		{"outs: [{md5: '01234567890123456789012345678901', size: 1, path: 'a b'}]",
			"01234567890123456789012345678901", POINTER_LEGACY, POINTER_FILE, 1, "a b"},
		{"outs: [{md5: 01234567890123456789012345678901, size: 1, path: ..a}]",
			"01234567890123456789012345678901", POINTER_LEGACY, POINTER_FILE, 1, "..a"},
		{"md5: 012\nfrozen: true\nlocked: False\nwdir: .\nalways_changed: false\n"
		 "desc: what it is\nmeta: {a: [b]}\ndeps:\n- path: x\n" OUT,
			MD5, POINTER_FILES_MD5, POINTER_FILE, 12, "model.pkl"},
		{"wdir: ~\nmd5:\n" OUT, MD5, POINTER_FILES_MD5, POINTER_FILE, 12, "model.pkl"},
		{"# a\tcomment\n---\n" OUT "#\t\n...\n", MD5, POINTER_FILES_MD5, POINTER_FILE, 12,
			"model.pkl"},
		{"outs: [{md5: '12345678901234567890123456789e12', size: 1, path: '1.5'}]",
			"12345678901234567890123456789e12", POINTER_LEGACY, POINTER_FILE, 1, "1.5"},
		{"wdir: data/raw\n" OUT, MD5, POINTER_FILES_MD5, POINTER_FILE, 12,
			"data/raw/model.pkl"},
		{OUT "  cache: true\n  push: false\n  persist: false\n  isexec: true\n"
		     "  remote: r\n  desc: d\n  type: model\n  labels: [a, b]\n  meta: m\n"
		     "  version_id: v\n  etag: e12\n  checksum: 123\n  cloud: {r: {etag: e12}}\n"
		     "  fs_config: {}\n  files: [{relpath: a, md5: abc}]\n",
			MD5, POINTER_FILES_MD5, POINTER_FILE, 12, "model.pkl"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		struct pointer p;

		if (pointer_parse(&p, cases[i].text, strlen(cases[i].text), &e) != 0)
			fail_msg("%s%s", cases[i].text, err_text(&e));
		assert_string_equal(p.md5, cases[i].md5);
		assert_int_equal(p.layout, cases[i].layout);
		assert_int_equal(p.object, cases[i].object);
		assert_int_equal(p.size, cases[i].size);
		assert_string_equal(p.path, cases[i].path);
		pointer_clear(&p);
		assert_null(p.path);
	}
}

/* What need not stand there. */
static void test_optional(void **state)
{
	static const struct {
		const char *more;
		int64_t nfiles;
		const char *remote;
	} rows[] = {{"", -1, NULL}, {"  nfiles: 0\n", 0, NULL}, {"  nfiles: 7\n", 7, NULL},
		{"  remote: store\n", -1, "store"}, {"  remote: 'a b'\n  nfiles: 1\n", 1, "a b"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = mem_format("%s%s", OUT, rows[i].more);
		struct pointer p;

		assert_int_equal(pointer_parse(&p, text, strlen(text), NULL), 0);
		assert_int_equal(p.nfiles, rows[i].nfiles);
		if ((p.remote == NULL) != (rows[i].remote == NULL) ||
			(p.remote != NULL && strcmp(p.remote, rows[i].remote) != 0))
			fail_msg("%s gives the remote %s", text, p.remote ? p.remote : "(none)");
		pointer_clear(&p);
		assert_null(p.remote);
		free(text);
	}
}

#define WITH(md5, size, hash, path)                                                                \
	"outs:\n- md5: " md5 "\n  size: " size "\n  hash: " hash "\n  path: " path "\n"
#define BAD_MD5(md5) WITH(md5, "12", "md5", "model.pkl")
#define BAD_SIZE(size) WITH(MD5, size, "md5", "model.pkl")
#define BAD_HASH(hash) WITH(MD5, "12", hash, "model.pkl")
#define BAD_PATH(path) WITH(MD5, "12", "md5", path)

static const struct {
	const char *text, *why;
} invalid[] = {
	{"", "no document"},
	{"version https://git-lfs.github.com/spec/v1\n", "line 1: must be a mapping"},
	{"- a\n", "line 1: must be a mapping"},
	{"wdir: .\n", "outs: missing"},
	{"outs:\n", "line 1: outs: must be a list"},
	{"outs: []\n", "line 1: outs: must have exactly one entry, not 0"},
	{OUT "- md5: " MD5 "\n  path: b\n", "outs: must have exactly one entry, not 2"},
	{"outs:\n- model.pkl\n", "line 2: outs[0]: must be a mapping"},
	{OUT "stages: {}\n", "line 6: stages: not a key of a DVC pointer"},
	{"cmd: python train.py\n" OUT, "line 1: cmd: not a key"},
	{OUT "  metric: true\n", "line 6: outs[0].metric: not a key"},
	{"\"a\\e[31m\": 1\n" OUT, "line 1: a\\x1b[31m: not a key"},
	{"frozen: 'true'\n" OUT, "line 1: frozen: must be true or false"},
	{"frozen: []\n" OUT, "line 1: frozen: must be true or false"},
	{"desc: {}\n" OUT, "line 1: desc: must be a text"},
	{"desc: 1\n" OUT, "line 1: desc: must be in quotes"},
	{"desc:\n" OUT, "line 1: desc: must be a text"},
	{"md5: 12\n" OUT, "line 1: md5: must be a checksum"},
	{"md5: 1.5\n" OUT, "line 1: md5: must be a checksum"},
	{"md5: []\n" OUT, "line 1: md5: must be a checksum"},
	{"always_changed: 1\n" OUT, "line 1: always_changed: must be true or false"},
	{"locked: yes\n" OUT, "line 1: locked: must be true or false"},
	{"deps: x\n" OUT, "line 1: deps: must be a list of mappings"},
	{"deps: [x]\n" OUT, "line 1: deps: must be a list of mappings"},
	{"outs: {}\n", "line 1: outs: must be a list"},
	{OUT "  cloud: x\n", "line 6: outs[0].cloud: must be a mapping of one mapping"},
	{OUT "  cloud: {a: 1}\n", "outs[0].cloud: must be a mapping of one mapping"},
	{OUT "  cloud: {a: {}, b: {}}\n", "outs[0].cloud: must be a mapping of one mapping"},
	{OUT "  files: {}\n", "line 6: outs[0].files: must be a list of mappings"},
	{OUT "  files: [a]\n", "line 6: outs[0].files: must be a list of mappings"},
	{OUT "  fs_config: []\n", "line 6: outs[0].fs_config: must be a mapping"},
	{OUT "  labels: a\n", "line 6: outs[0].labels: must be a list of texts"},
	{OUT "  labels: [a, 1]\n", "line 6: outs[0].labels: must be a list of texts"},
	{OUT "  labels: [[a]]\n", "line 6: outs[0].labels: must be a list of texts"},
	{OUT "  etag: ab\n", "line 6: outs[0].etag: must be a checksum"},
	{OUT "  checksum: {}\n", "line 6: outs[0].checksum: must be a checksum"},
	{OUT "  cache: 'true'\n", "line 6: outs[0].cache: must be true or false"},
	{OUT "  push: no\n", "line 6: outs[0].push: must be true or false"},
	{OUT "  persist:\n", "line 6: outs[0].persist: must be true or false"},
	{OUT "  isexec: 1\n", "line 6: outs[0].isexec: must be true or false"},
	{OUT "  version_id: 7\n", "line 6: outs[0].version_id: must be in quotes"},
	{OUT "  remote: 2026-01-01\n", "line 6: outs[0].remote: must be in quotes"},
	{OUT "  type: true\n", "line 6: outs[0].type: must be in quotes"},
	{OUT "  desc: []\n", "line 6: outs[0].desc: must be a text"},
	{OUT "  nfiles: -2\n", "line 6: outs[0].nfiles: must be a whole number"},
	{OUT "  nfiles: many\n", "line 6: outs[0].nfiles: must be a whole number"},
	{OUT "  path: again\n", "line 6: outs[0].path: a key that is there twice"},
	{OUT OUT, "line 6: outs: a key that is there twice"},
	{BAD_MD5("&a " MD5), "line 2: outs[0].md5: an anchor (&), which is not allowed"},
	{BAD_PATH("*a"), "line 5: outs[0].path: an alias (*), which is not allowed"},
	{BAD_SIZE("!!int '12'"), "line 3: outs[0].size: a tag (!), which is not allowed"},
	{"outs: &a\n- md5: " MD5 "\n", "line 1: outs: an anchor"},
	{OUT "  <<: {cache: true}\n", "line 6: outs[0].<<: not a key"},
	{OUT "---\n" OUT, "line 6: a second document"},
	{"%YAML 1.2\n---\n" OUT, "a directive (%), which is not allowed"},
	{OUT "  meta: [[[[[[]]]]]]\n", "line 6: outs[0].meta[0][0][0][0][0]: nested deeper than 8"},
	{"outs:\n\t- md5: " MD5 "\n", "line 2: a tab, which is not allowed"},
	{BAD_SIZE("\t12"), "line 3: a tab, which is not allowed"},
	{BAD_SIZE("12\t"), "line 3: a tab, which is not allowed"},
	{BAD_SIZE("12\t# a tab"), "line 3: a tab, which is not allowed"},
	{BAD_PATH("a#\tb"), "line 5: a tab, which is not allowed"},
	{BAD_PATH("\xe9"), "incomplete UTF-8"},
	{BAD_PATH("\xc0\xaf"), "invalid length of a UTF-8 sequence"},
	{BAD_PATH("\xed\xa0\x80"), "invalid Unicode character"},
	{BAD_PATH("a\x1b[2Jb"), "control characters are not allowed"},
	{"<<<<<<< HEAD\n" OUT "=======\n" OUT ">>>>>>> b\n", "line 2"},
	{"outs:\n- size: 12\n  path: a\n", "line 2: outs[0].md5: missing"},
	{"outs:\n- md5: " MD5 "\n  path: a\n", "line 2: outs[0].size: missing"},
	{"outs:\n- md5: " MD5 "\n  size: 1\n", "line 2: outs[0].path: missing"},
	{BAD_MD5("d41d8cd98f00b204e9800998ecf8427"), "line 2: outs[0].md5: must be 32"},
	{BAD_MD5(MD5 "0"), "outs[0].md5: must be 32"},
	{BAD_MD5("D41D8CD98F00B204E9800998ECF8427E"), "outs[0].md5: must be 32"},
	{BAD_MD5("g41d8cd98f00b204e9800998ecf8427e"), "outs[0].md5: must be 32"},
	{BAD_MD5(MD5 ".DIR"), "outs[0].md5: must be 32"},
	{BAD_MD5(MD5 ".dir.dir"), "outs[0].md5: must be 32"},
	{BAD_MD5("\"" MD5 "\\n\""), "outs[0].md5: must be 32"},
	{BAD_MD5(""), "outs[0].md5: must be 32"},
	{BAD_MD5("[]"), "outs[0].md5: must be 32"},
	{BAD_MD5("~"), "outs[0].md5: must be 32"},
	{BAD_MD5("12345678901234567890123456789e12"), "outs[0].md5: must be in quotes"},
	{BAD_SIZE("-1"), "line 3: outs[0].size: must be a whole number"},
	{BAD_SIZE("+1"), "outs[0].size: must be a whole number"},
	{BAD_SIZE("'12'"), "outs[0].size: must be a whole number"},
	{BAD_SIZE("012"), "outs[0].size: must be a whole number"},
	{BAD_SIZE("0x12"), "outs[0].size: must be a whole number"},
	{BAD_SIZE("1.5"), "outs[0].size: must be a whole number"},
	{BAD_SIZE("9223372036854775808"), "outs[0].size: must be a whole number"},
	{BAD_SIZE(""), "outs[0].size: must be a whole number"},
	{BAD_HASH("sha256"), "line 4: outs[0].hash: must be md5"},
	{BAD_HASH("MD5"), "outs[0].hash: must be md5"},
	{BAD_HASH(""), "outs[0].hash: must be a text"},
	{BAD_HASH("5"), "outs[0].hash: must be in quotes"},
	{BAD_PATH("/etc/passwd"), "line 5: outs[0].path: must be relative"},
	{BAD_PATH("../model.pkl"), "outs[0].path: must be relative"},
	{BAD_PATH("a/../../b"), "outs[0].path: must be relative"},
	{BAD_PATH("a//b"), "outs[0].path: must be relative"},
	{BAD_PATH("s3://bucket/model.pkl"), "outs[0].path: must be relative"},
	{BAD_PATH("."), "outs[0].path: must be relative"},
	{BAD_PATH("''"), "outs[0].path: must be relative"},
	{BAD_PATH("a/"), "outs[0].path: must be relative"},
	{BAD_PATH(""), "outs[0].path: must be a text"},
	{BAD_PATH("~"), "outs[0].path: must be a text"},
	{BAD_PATH("1.5"), "outs[0].path: must be in quotes"},
	{BAD_PATH("\"a\\nb\""), "outs[0].path: holds a control character"},
	{"wdir: ..\n" OUT, "line 1: wdir: must be relative"},
	{"wdir: /srv\n" OUT, "line 1: wdir: must be relative"},
};

static void test_invalid(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		struct err e = ERR_INIT;
		struct pointer p;

		if (pointer_parse(&p, invalid[i].text, strlen(invalid[i].text), &e) != -1 ||
			strstr(err_text(&e), invalid[i].why) == NULL)
			fail_msg("%s\"%s\" instead of \"... %s ...\"", invalid[i].text,
				err_text(&e), invalid[i].why);
		assert_null(p.path);
		err_clear(&e);
	}
}

static void test_size(void **state)
{
	size_t len = strlen(OUT);
	char *text = mem_zalloc(POINTER_MAX_BYTES + 1, 1);
	struct pointer p;
	struct err e = ERR_INIT;

	(void)state;
	memset(text, '\n', POINTER_MAX_BYTES + 1);
	memcpy(text, OUT, len);
	if (pointer_parse(&p, text, POINTER_MAX_BYTES, &e) != 0)
		fail_msg("%s", err_text(&e));
	pointer_clear(&p);
	assert_int_equal(pointer_parse(&p, text, POINTER_MAX_BYTES + 1, &e), -1);
	assert_string_equal(err_text(&e), "65537 bytes, more than 65536");
	err_clear(&e);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_optional),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests_name("data/pointer", tests, NULL, NULL);
}
