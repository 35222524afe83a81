/*
 * common/audit/export: rows, events and messages, each one whatever the record holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/export.h"
#include "audit/record.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/json.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define TIME "2026-11-23T20:21:49.123456Z"
#define RECORD(more)                                                                               \
	"{\"seq\":7,\"prev\":\"" ZEROS "\",\"time\":\"" TIME "\",\"event\":\"push.rejected\"" more \
	",\"build\":\"1.0\"}"

/* What each of the formats makes of a line of the log; to str_clear(). */
static void make(struct str *out, const char *line,
	void (*add)(struct str *out, const struct export_record *r))
{
	struct export_record r = {line, NULL};
	struct json *json = NULL;

	if (json_parse(&json, line, strlen(line), NULL) != 0)
		fail_msg("no JSON: %s", line);
	r.json = json;
	str_init(out);
	add(out, &r);
	json_free(json);
}

/* The messages of syslog, each ended by a NUL and LF. */
static int keep_message(void *context, const char *message, size_t len)
{
	struct str *out = context;

	if (len > EXPORT_SYSLOG_MAX || memchr(message, '\0', len) != NULL)
		fail_msg("a message of %zu bytes", len);
	str_addn(out, message, len);
	str_addc(out, '\n');
	return 0;
}

static void add_syslog(struct str *out, const struct export_record *r)
{
	assert_int_equal(export_syslog(r, "host", keep_message, out), 0);
}

static int count(const char *text, char c)
{
	int n = 0;

	for (; *text != '\0'; text++)
		n += *text == c;
	return n;
}

static void expect_text(const char *what, const struct str *got, const char *expected)
{
	if (strcmp(got->buf, expected) != 0)
		fail_msg("%s: expected\n%s\ngot\n%s", what, expected, got->buf);
}

static char *hash_of(const char *line)
{
	char *hash = mem_zalloc(SHA256_HEX_SIZE, 1);

	sha256_of(line, strlen(line), hash);
	return hash;
}

/* ---- CSV ---- */

static void test_csv(void **state)
{
	const char *line = RECORD(
		",\"push_id\":\"01J\",\"actor\":{\"id\":\"user-7\",\"name\":\"ann\",\"protocol\":"
		"\"ssh\"},\"repository\":{\"path\":\"/srv/x.git\",\"project\":\"x\"},\"refs\":["
		"{\"ref\":\"refs/heads/main\",\"old\":\"a\",\"new\":\"b\",\"code\":\"MG101\","
		"\"codes\":[\"MG101\",\"MG102\"],\"reason\":\"no\"},"
		"{\"ref\":\"refs/heads/dev\",\"code\":\"MG103\"}],\"pipeline\":12,"
		"\"reason\":\"all\"");
	char *hash = hash_of(line), *expected;
	struct str got;

	(void)state;
	str_init(&got);
	export_csv_header(&got);
	expect_text("header", &got,
		"seq,time,event,push_id,actor_id,actor_name,protocol,repository,project,"
		"gl_repository,ref,old,new,source,method,codes,reason,pipeline,stage,status,"
		"policy,build,correlation_id,prev,hash\r\n");
	str_clear(&got);
	make(&got, line, export_csv);
	expected = mem_format(
		"7," TIME ",push.rejected,01J,user-7,ann,ssh,/srv/x.git,x,,refs/heads/main,a,b,,,"
		"MG101 MG102,\"no; all\",12,,,,1.0,," ZEROS ",%s\r\n"
		"7," TIME ",push.rejected,01J,user-7,ann,ssh,/srv/x.git,x,,refs/heads/dev,,,,,"
		"MG103,all,12,,,,1.0,," ZEROS ",%s\r\n",
		hash, hash);
	expect_text("two refs", &got, expected);
	str_clear(&got);
	free(expected);
	free(hash);
	line = RECORD("");
	hash = hash_of(line);
	make(&got, line, export_csv);
	expected = mem_format(
		"7," TIME ",push.rejected,,,,,,,,,,,,,,,,,,,1.0,," ZEROS ",%s\r\n", hash);
	expect_text("no ref", &got, expected);
	str_clear(&got);
	free(expected);
	free(hash);
}

/* Texts of a cell, as they stand in JSON, and the cell. */
static void test_csv_cells(void **state)
{
	static const struct {
		const char *text, *cell;
	} rows[] = {
		{"plain", "plain"},
		{"a b", "a b"},
		{"a,b", "\"a,b\""},
		{"a;b", "\"a;b\""},
		{"a\\\"b", "\"a\"\"b\""},
		{"\\\"", "\"\"\"\""},
		{"=1+1", "\"'=1+1\""},
		{"+1", "\"'+1\""},
		{"-1", "\"'-1\""},
		{"@SUM(A1)", "\"'@SUM(A1)\""},
		{"=HYPERLINK(\\\"http://x\\\",\\\"y\\\")",
			"\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""},
		{" =1", " =1"},
		/* Cut at its semicolons, it is several cells. */
		{"a;=1+1", "\"a;'=1+1\""},
		{"a; =1;b", "\"a;' =1;b\""},
		{"=1;+2; -3;@a", "\"'=1;'+2;' -3;'@a\""},
		{"a;\\\"=1", "\"a;'\"\"=1\""},
		{"a;\\uff1d1", "\"a;'\xef\xbc\x9d"
			       "1\""},
		{"a;b=1;", "\"a;b=1;\""},
		{"a=1", "a=1"},
		/* What a terminal or a reader would take for something else is written out. */
		{"a\\nb", "a\\x0ab"},
		{"a\\r\\nb,c", "\"a\\x0d\\x0ab,c\""},
		{"\\t=1", "\\x09=1"},
		{"\\n=1", "\\x0a=1"},
		{"a\\u001b[2Jb", "a\\x1b[2Jb"},
		{"a\\u202eb", "a\\xe2\\x80\\xaeb"},
		{"\\u00e9", "\xc3\xa9"},
		{"\\uff1d1", "\"'\xef\xbc\x9d"
			     "1\""}, /* a full-width = */
		{"a\\u0000b", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = mem_format(
			RECORD(",\"actor\":{\"name\":\"%s\"},\"stage\":\"build\""), rows[i].text);
		char *expected = mem_format(
			"7," TIME ",push.rejected,,,%s,,,,,,,,,,,,,build,,,1.0,,", rows[i].cell);
		struct str got;

		make(&got, line, export_csv);
		if (!str_starts(got.buf, expected) || count(got.buf, '\n') != 1)
			fail_msg("%s: expected\n%s\ngot\n%s", rows[i].text, expected, got.buf);
		str_clear(&got);
		free(expected);
		free(line);
	}
}

/* ---- CEF ---- */

static void test_cef(void **state)
{
	const char *line = RECORD(
		",\"push_id\":\"01J\",\"actor\":{\"id\":\"user-7\",\"name\":\"ann\",\"protocol\":"
		"\"ssh\"},\"repository\":{\"path\":\"/srv/x.git\",\"project\":\"x\"},\"refs\":["
		"{\"ref\":\"refs/heads/main\",\"old\":\"a\",\"new\":\"b\",\"codes\":[\"MG101\","
		"\"MG102\"],\"reason\":\"no\"},{\"ref\":\"refs/heads/dev\"}],\"pipeline\":12");
	char *hash = hash_of(line), *expected;
	struct str got;

	(void)state;
	make(&got, line, export_cef);
	expected = mem_format(
		"CEF:0|modelgate|modelgate|1.0|push.rejected|Push rejected|5|rt=1795465309123 "
		"externalId=7 act=push.rejected suser=ann suid=user-7 app=ssh filePath=/srv/x.git "
		"destinationServiceName=x fname=refs/heads/main oldFileHash=a fileHash=b reason=no "
		"cn1Label=pipeline cn1=12 cs1Label=codes cs1=MG101 MG102 cs2Label=pushId cs2=01J "
		"cs6Label=recordHash cs6=%s\n"
		"CEF:0|modelgate|modelgate|1.0|push.rejected|Push rejected|5|rt=1795465309123 "
		"externalId=7 act=push.rejected suser=ann suid=user-7 app=ssh filePath=/srv/x.git "
		"destinationServiceName=x fname=refs/heads/dev cn1Label=pipeline cn1=12 "
		"cs2Label=pushId cs2=01J cs6Label=recordHash cs6=%s\n",
		hash, hash);
	expect_text("CEF", &got, expected);
	str_clear(&got);
	free(expected);
	free(hash);
}

static void test_cef_escapes(void **state)
{
	static const struct {
		const char *text, *extension;
	} rows[] = {
		{"a=b", "a\\=b"},
		{"a\\\\b", "a\\\\b"},
		{"a\\\\", "a\\\\"},
		{"a|b", "a|b"},
		{"a\\nb", "a\\\\x0ab"},
		{"a\\r\\nCEF:0|x", "a\\\\x0d\\\\x0aCEF:0|x"},
		{"a act=push.accepted", "a act\\=push.accepted"},
		{"a\\u202eb", "a\\\\xe2\\\\x80\\\\xaeb"},
		{"\\u00e9", "\xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = mem_format(
			RECORD(",\"actor\":{\"name\":\"%s\",\"id\":\"i\"}"), rows[i].text);
		char *expected = mem_format(" suser=%s suid=i ", rows[i].extension);
		struct str got;

		make(&got, line, export_cef);
		if (strstr(got.buf, expected) == NULL || count(got.buf, '\n') != 1)
			fail_msg("%s: expected %s, got %s", rows[i].text, expected, got.buf);
		str_clear(&got);
		free(expected);
		free(line);
	}
}

/* The header: what stands in a record cannot put a field into it. */
static void test_cef_header(void **state)
{
	struct str got;

	(void)state;
	make(&got,
		"{\"seq\":1,\"time\":\"" TIME "\",\"event\":\"a|b\\\\c\\n=d\",\"build\":\"1|2\"}",
		export_cef);
	if (!str_starts(got.buf, "CEF:0|modelgate|modelgate|1\\|2|a\\|b\\\\c\\\\x0a=d|Event|5|rt="))
		fail_msg("got %s", got.buf);
	assert_int_equal(count(got.buf, '\n'), 1);
	str_clear(&got);
}

/* ---- what an event is worth ---- */

static void test_weights(void **state)
{
	(void)state;
	for (const char *const *event = audit_events(); *event != NULL; event++) {
		char *line =
			mem_format("{\"seq\":1,\"time\":\"" TIME "\",\"event\":\"%s\"}", *event);
		struct str got;

		make(&got, line, export_cef);
		if (strstr(got.buf, "|Event|") != NULL)
			fail_msg("%s has no title of its own: %s", *event, got.buf);
		str_clear(&got);
		free(line);
	}
}

/* ---- syslog ---- */

/*
 * Take TEXT, a message with LF behind, apart as RFC 5424 has it, section 6; fail where it does not fit.  The
 * number of parameters.
 */
static int take_apart(const char *text)
{
	int pri, at = 0, n = 0;
	char when[33], host[256], app[49], pid[129], id[33];
	const char *c;

	if (sscanf(text, "<%3d>1 %32s %255s %48s %128s %32s [modelgate@32473%n", &pri, when, host,
		    app, pid, id, &at) != 6 ||
		at == 0)
		fail_msg("no header: %s", text);
	assert_int_equal(pri / 8, 13);
	assert_string_equal(app, "modelgate");
	if (strlen(when) != strlen(TIME) || when[10] != 'T')
		fail_msg("no time: %s", when);
	for (c = id; *c != '\0'; c++)
		if (*c < 33 || *c > 126)
			fail_msg("no MSGID: %s", id);
	for (c = text + at; *c == ' '; n++) {
		size_t name = strcspn(c + 1, "=\" ]");

		if (name == 0 || name > 32 || strncmp(c + 1 + name, "=\"", 2) != 0)
			fail_msg("no parameter: %s", c);
		for (c += name + 3; *c != '"'; c++) {
			if (*c == ']' || *c == '\n' || *c == '\0')
				fail_msg("not escaped: %s in %s", c, text);
			c += *c == '\\';
		}
		c++;
	}
	if (*c != ']' || c[1] != ' ')
		fail_msg("the structured data does not end: %s in %s", c, text);
	for (size_t len; *c != '\n'; c += len) {
		unsigned long character;

		len = str_utf8(c, strlen(c), &character);
		if (len == 0 || character < ' ')
			fail_msg("no text: %s", c);
	}
	if (c[1] != '\0')
		fail_msg("more than one message: %s", text);
	return n;
}

static void test_syslog(void **state)
{
	const char *line = RECORD(
		",\"push_id\":\"01J\",\"actor\":{\"id\":\"user-7\",\"name\":\"ann\"},\"refs\":["
		"{\"ref\":\"refs/heads/main\",\"codes\":[\"MG101\",\"MG102\"],\"reason\":\"no\"}],"
		"\"pipeline\":12");
	char *hash = hash_of(line), *expected;
	struct str got;

	(void)state;
	make(&got, line, add_syslog);
	expected = mem_format(
		"<109>1 " TIME " host modelgate %ld push.rejected [modelgate@32473 seq=\"7\" "
		"hash=\"%s\" push_id=\"01J\" actor_id=\"user-7\" actor_name=\"ann\" "
		"ref=\"refs/heads/main\" codes=\"MG101 MG102\" pipeline=\"12\"] Push rejected: "
		"no\n",
		(long)getpid(), hash);
	expect_text("syslog", &got, expected);
	assert_int_equal(take_apart(got.buf), 8);
	str_clear(&got);
	free(expected);
	free(hash);
}

static void test_syslog_texts(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{"a\\\"b", "a\\\"b"},
		{"a]b", "a\\]b"},
		{"a\\\\b", "a\\\\b"},
		{"a\\\\", "a\\\\"},
		{"\\\"] Push accepted", "\\\"\\] Push accepted"},
		{"a\\nb", "a\\\\x0ab"},
		{"a\\n<13>1 - - -", "a\\\\x0a<13>1 - - -"},
		{"a\\u202eb", "a\\\\xe2\\\\x80\\\\xaeb"},
		{"\\u00e9", "\xc3\xa9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *line = mem_format(RECORD(",\"actor\":{\"name\":\"%s\"},\"reason\":\"%s\""),
			rows[i].text, rows[i].text);
		char *expected = mem_format(" actor_name=\"%s\"]", rows[i].value);
		struct str got;

		make(&got, line, add_syslog);
		if (strstr(got.buf, expected) == NULL)
			fail_msg("%s: expected %s, got %s", rows[i].text, expected, got.buf);
		assert_int_equal(take_apart(got.buf), 3);
		str_clear(&got);
		free(expected);
		free(line);
	}
}

/* Events, times and hosts that we do not write, and a hand in the log could. */
static void test_syslog_header(void **state)
{
	static const char *const rows[] = {
		"{\"seq\":1,\"time\":\"" TIME "\",\"event\":\"a b] c\"}",
		"{\"seq\":1,\"time\":\"" TIME "\",\"event\":\"\\u00e9\"}",
		"{\"seq\":1,\"time\":\"" TIME "\",\"event\":\"a\\nb\"}",
		"{\"seq\":1,\"time\":\"" TIME "\",\"event\":\"aaaaaaaaaabbbbbbbbbbccccccccccddd\"}",
		"{\"seq\":1,\"time\":\"2026-11-23\",\"event\":\"a\"}",
		"{\"seq\":1,\"time\":\"2026-11-23T20:21:49Z\",\"event\":\"a\"}",
	};
	struct str got;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make(&got, rows[i], add_syslog);
		(void)take_apart(got.buf);
		str_clear(&got);
	}
}

/* As long as it may be: every value, each character in need of an escape, or of several bytes. */
static void test_syslog_long(void **state)
{
	static const char *const fills[] = {
		"a", "\\\"", "]", "\\\\", "\\u00e9", "\\u20ac", "\\u202e", "\\ud83d\\ude00"};
	struct str got;

	(void)state;
	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++)
		for (int offset = 0; offset < 4; offset++) {
			struct str v;
			char *line;

			str_init(&v);
			str_addf(&v, "%.*s", offset, "xxxx");
			for (int n = 0; n < 510; n++)
				str_add(&v, fills[i]);
			line = mem_format(
				RECORD(",\"push_id\":\"%s\",\"actor\":{\"id\":\"%s\",\"name\":\"%"
				       "s\","
				       "\"protocol\":\"%s\"},\"repository\":{\"path\":\"%s\","
				       "\"project\":\"%s\"},\"refs\":[{\"ref\":\"%s\",\"old\":\"%"
				       "s\","
				       "\"new\":\"%s\",\"source\":\"%s\",\"method\":\"%s\","
				       "\"code\":\"%s\",\"reason\":\"%s\"}],\"pipeline\":"
				       "9007199254740992,\"stage\":\"%s\",\"status\":\"%s\""),
				v.buf, v.buf, v.buf, v.buf, v.buf, v.buf, v.buf, v.buf, v.buf,
				v.buf, v.buf, v.buf, v.buf, v.buf, v.buf);
			make(&got, line, add_syslog);
			assert_int_equal(take_apart(got.buf), 17);
			assert_true(got.len - 1 <= EXPORT_SYSLOG_MAX);
			assert_string_equal(got.buf + got.len - 4, "...\n");
			str_clear(&got);
			str_clear(&v);
			free(line);
		}
}

static int stop_at_second(void *context, const char *message, size_t len)
{
	int *n = context;

	(void)message;
	(void)len;
	return ++*n == 2 ? 5 : 0;
}

static void test_syslog_stops(void **state)
{
	const char *line = RECORD(",\"refs\":[{},{},{}]");
	struct json *json = NULL;
	struct export_record r = {line, NULL};
	int n = 0;

	(void)state;
	assert_int_equal(json_parse(&json, line, strlen(line), NULL), 0);
	r.json = json;
	assert_int_equal(export_syslog(&r, "host", stop_at_second, &n), 5);
	assert_int_equal(n, 2);
	json_free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_csv_cells),
		cmocka_unit_test(test_cef),
		cmocka_unit_test(test_cef_escapes),
		cmocka_unit_test(test_cef_header),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_syslog),
		cmocka_unit_test(test_syslog_texts),
		cmocka_unit_test(test_syslog_header),
		cmocka_unit_test(test_syslog_long),
		cmocka_unit_test(test_syslog_stops),
	};

	return cmocka_run_group_tests_name("audit/export", tests, NULL, NULL);
}
