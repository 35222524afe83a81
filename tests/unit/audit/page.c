/* common/audit/page: what is escaped how, how time is cut, and pages of odd logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit/page-parts.h"
#include "base/clock.h"
#include "data/json.h"
#include "journals.h"

#define ENTRY_HASH "0123456789012345678901234567890123456789012345678901234567890123"
#define ESCAPED(code) "\xe2\x9f\xa8" code "\xe2\x9f\xa9"

/* What WRITE makes of TEXT; the caller's to free(). */
static char *written(void (*write)(FILE *, const char *), const char *text)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&buf, &len);

	assert_non_null(out);
	write(out, text);
	assert_int_equal(fclose(out), 0);
	return buf;
}

static void expect_text(const char *what, const char *expected, char *got)
{
	if (strcmp(expected, got) != 0)
		fail_msg("%s: expected %s, got %s", what, expected, got);
	free(got);
}

static void test_escapes(void **state)
{
	static const struct {
		const char *text, *html, *json;
	} cases[] = {
		{"", "", "\"\""},
		{"main", "main", "\"main\""},
		{"</script>", "&lt;/script&gt;", "\"\\u003c/script\\u003e\""},
		{"<!--", "&lt;!--", "\"\\u003c!--\""},
		{"a&b", "a&amp;b", "\"a\\u0026b\""},
		{"\"'\\", "&quot;&#39;\\", "\"\\\"'\\\\\""},
		{"\n\t", "\n\t", "\"\\u000a\\u0009\""},
		{"\x7f", "\x7f", "\"\\u007f\""},
		{"a\xe2\x80\xa8z", "a\xe2\x80\xa8z", "\"a\\u2028z\""},
		{"\xe2\x80\xa9", "\xe2\x80\xa9", "\"\\u2029\""},
		{"\xe2\x80\xa6 \xe2", "\xe2\x80\xa6 \xe2", "\"\xe2\x80\xa6 \xe2\""},
		{"\xd0\xb6\xf0\x9f\x90\x99", "\xd0\xb6\xf0\x9f\x90\x99",
			"\"\xd0\xb6\xf0\x9f\x90\x99\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_text(cases[i].text, cases[i].html, written(page_text_html, cases[i].text));
		expect_text(cases[i].text, cases[i].json, written(page_text_json, cases[i].text));
	}
}

static void test_visible(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"refs/heads/main", "refs/heads/main"},
		{"\xe2\x80\xaetxt.exe", ESCAPED("U+202E") "txt.exe"},
		{"a\xe2\x81\xa6z\xe2\x81\xa9", "a" ESCAPED("U+2066") "z" ESCAPED("U+2069")},
		{"\xe2\x80\xa8\xe2\x80\xa9", ESCAPED("U+2028") ESCAPED("U+2029")},
		{"\xe2\x80\x8b\xef\xbb\xbf", ESCAPED("U+200B") ESCAPED("U+FEFF")},
		{"\a\n\x1b[31m\x7f", ESCAPED("U+0007") ESCAPED("U+000A")
					     ESCAPED("U+001B") "[31m" ESCAPED("U+007F")},
		{"\xff\xc0\xaf", ESCAPED("0xFF") ESCAPED("0xC0") ESCAPED("0xAF")},
		{"\xed\xa0\x80", ESCAPED("0xED") ESCAPED("0xA0") ESCAPED("0x80")}, /* a surrogate */
		{"\xf3\xa0\x81\x81", ESCAPED("U+E0041")},
		{"\xd0\xb6 \xe2\x80\xa6", "\xd0\xb6 \xe2\x80\xa6"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str got;

		str_init(&got);
		page_text_visible(&got, cases[i].text);
		expect_text(cases[i].text, cases[i].expected, str_steal(&got));
	}
}

static void test_hash(void **state)
{
	char got[PAGE_TEXT_HASH_SIZE];

	(void)state;
	page_text_hash("", got);
	assert_string_equal(got, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	page_text_hash("abc", got);
	assert_string_equal(got, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

static void write_number(FILE *out, const char *text)
{
	long long n;

	assert_int_equal(str_number(text, INT64_MAX, &n), 0);
	page_text_number(out, n);
}

static void test_numbers(void **state)
{
	static const char *const cases[][2] = {{"0", "0"}, {"999", "999"}, {"1000", "1,000"},
		{"100000", "100,000"}, {"1234567", "1,234,567"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_text(cases[i][0], cases[i][1], written(write_number, cases[i][0]));
}

static int64_t time_of(const char *text)
{
	int64_t when;

	assert_int_equal(clock_parse(text, &when), 0);
	return when;
}

static void test_scale(void **state)
{
	static const struct {
		const char *first, *last;
		enum page_unit unit;
		int step, n;
		const char *start, *end; /* of the whole scale */
	} cases[] = {
		/* One record, and a few that are near: bars before them, in which there was nothing. */
		{"2026-11-23T20:21:49Z", "2026-11-23T20:21:49Z", PAGE_HOUR, 1, 12,
			"2026-11-23T09:00:00", "2026-11-23T21:00:00"},
		{"2026-11-23T20:21:49Z", "2026-11-24T20:00:00Z", PAGE_HOUR, 1, 25,
			"2026-11-23T20:00:00", "2026-11-24T21:00:00"},
		{"2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z", PAGE_HOUR, 1, 73,
			"2026-11-20T00:00:00", "2026-11-23T01:00:00"},
		{"2026-11-20T00:00:00Z", "2026-11-23T00:00:01Z", PAGE_DAY, 1, 12,
			"2026-11-12T00:00:00", "2026-11-24T00:00:00"},
		{"2026-02-20T10:00:00Z", "2026-04-20T09:00:00Z", PAGE_DAY, 1, 60,
			"2026-02-20T00:00:00", "2026-04-21T00:00:00"},
		/* Weeks begin on Mondays. */
		{"2025-12-03T10:00:00Z", "2026-11-23T09:00:00Z", PAGE_WEEK, 1, 52,
			"2025-12-01T00:00:00", "2026-11-30T00:00:00"},
		/* Ten years, of which one is a leap year that 400 divides. */
		{"1995-03-31T10:00:00Z", "2005-03-01T09:00:00Z", PAGE_MONTH, 1, 121,
			"1995-03-01T00:00:00", "2005-04-01T00:00:00"},
		{"1996-11-23T10:00:00Z", "2026-11-23T09:00:00Z", PAGE_YEAR, 1, 31,
			"1996-01-01T00:00:00", "2027-01-01T00:00:00"},
		/* Clocks that nobody had set. */
		{"1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", PAGE_HOUR, 1, 12,
			"1970-01-01T00:00:00", "1970-01-01T12:00:00"},
		{"1970-01-01T00:00:00Z", "2026-11-23T09:00:00Z", PAGE_YEAR, 1, 57,
			"1970-01-01T00:00:00", "2027-01-01T00:00:00"},
		{"2026-11-23T09:00:00Z", "9998-11-23T09:00:00Z", PAGE_YEAR, 100, 80,
			"2000-01-01T00:00:00", "1970-01-01T00:00:00"}, /* beyond what can be told */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char start[CLOCK_TEXT_SIZE], end[CLOCK_TEXT_SIZE];
		struct page_scale s;

		page_scale_fit(&s, time_of(cases[i].first), time_of(cases[i].last));
		clock_text(s.start[0], start);
		clock_text(s.start[s.n], end);
		if (s.unit != cases[i].unit || s.step != cases[i].step || s.n != cases[i].n ||
			strncmp(start, cases[i].start, 19) != 0 ||
			strncmp(end, cases[i].end, 19) != 0)
			fail_msg("%s to %s: got unit %d, step %d, %d buckets, %s to %s",
				cases[i].first, cases[i].last, (int)s.unit, s.step, s.n, start,
				end);
		assert_int_equal(page_scale_find(&s, s.start[0]), 0);
		assert_int_equal(page_scale_find(&s, s.start[0] - 1), 0);
		assert_int_equal(page_scale_find(&s, s.start[3] - 1), 2);
		assert_int_equal(page_scale_find(&s, s.start[3]), 3);
		assert_int_equal(page_scale_find(&s, s.start[s.n]), s.n - 1);
		assert_true(page_scale_find(&s, time_of(cases[i].last)) == s.n - 1 ||
			    s.n == PAGE_MIN_BUCKETS);
	}
}

static void test_strings(void **state)
{
	struct page_strings t;
	char text[32];

	(void)state;
	page_strings_init(&t);
	assert_int_equal(page_strings_put(&t, ""), 0);
	assert_int_equal(page_strings_put(&t, NULL), 0);
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 1; i <= 5000; i++) {
			(void)snprintf(text, sizeof(text), "string %u", (unsigned)i);
			assert_int_equal(page_strings_put(&t, text), i);
			assert_string_equal(t.v[i], text);
		}
	assert_int_equal(t.n, 5001);
	page_strings_clear(&t);
}

/* --- whole pages --- */

static int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)) != NULL; text += strlen(part))
		n++;
	return n;
}

static void expect_count(const char *page, const char *part, int n)
{
	if (count(page, part) != n)
		fail_msg("expected %d of \"%s\", got %d", n, part, count(page, part));
}

/* The page of the log in the current folder; the caller's to free(). */
static char *make_page(const struct page_verdict *v)
{
	const struct audit_filter all = {.since = 0};
	const struct page_request r = {
		.state = ".", .filter = &all, .verdict = v, .now = time_of("2026-11-23")};
	struct err e = ERR_INIT;
	char *buf = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&buf, &len);

	assert_non_null(out);
	if (page_write(out, &r, &e) != 0)
		fail_msg("%s", err_text(&e));
	assert_int_equal(fclose(out), 0);
	assert_int_equal(strlen(buf), len);
	assert_true(str_ends(buf, "</html>\n"));
	expect_count(buf, "<script", 2);
	expect_count(buf, "</script", 2);
	expect_count(buf, "<style", 1);
	expect_count(buf, "</style", 1);
	expect_count(buf, " style=", 0);
	return buf;
}

/* The data in PAGE, as its script reads it; the caller's to json_free(). */
static struct json *read_data(const char *page)
{
	const char *from = strstr(page, "id=\"data\">"), *to;
	struct err e = ERR_INIT;
	struct json *j;

	assert_non_null(from);
	from += strlen("id=\"data\">");
	to = strstr(from, "</script>");
	assert_non_null(to);
	if (json_parse(&j, from, (size_t)(to - from), &e) != 0)
		fail_msg("%s", err_text(&e));
	return j;
}

static void test_empty(void **state)
{
	const struct page_verdict v = {.finding = PAGE_NOTHING};
	struct json *data;
	char *page;

	(void)state;
	add_records(1, 1); /* which came after it was looked at */
	page = make_page(&v);
	data = read_data(page);
	assert_non_null(strstr(page, "Nothing has been recorded yet"));
	assert_non_null(strstr(page, "There is nothing to draw."));
	assert_int_equal(json_length(json_get(data, "seq")), 0);
	assert_string_equal(json_get_text(data, "hash"), "");
	json_free(data);
	free(page);
}

static void test_verdicts(void **state)
{
	struct strlist notes = {0};
	const struct page_verdict valid = {.finding = PAGE_VALID,
					  .head = ENTRY_HASH,
					  .records = 2,
					  .last_seq = 2,
					  .notes = &notes},
				  invalid = {.finding = PAGE_INVALID,
					  .fault = "line 2: <was> changed"};
	struct json *data;
	char *page;

	(void)state;
	add_records(1, 3);
	strlist_add(&notes, "checked against the checkpoint of <x>");
	page = make_page(&valid);
	assert_non_null(strstr(page, "The audit log is valid"));
	assert_non_null(strstr(page, "checked against the checkpoint of &lt;x&gt;"));
	assert_non_null(strstr(page, ENTRY_HASH));
	data = read_data(page);
	assert_int_equal(json_length(json_get(data, "seq")), 2); /* the third came later */
	json_free(data);
	free(page);
	page = make_page(&invalid);
	assert_non_null(strstr(page, "<strong>not valid</strong>"));
	assert_non_null(strstr(page, "line 2: &lt;was&gt; changed."));
	data = read_data(page);
	assert_int_equal(json_length(json_get(data, "seq")), 3);
	json_free(data);
	free(page);
	strlist_clear(&notes);
}

static void test_hostile(void **state)
{
	static const char *const texts[] = {"</script><script>alert(1)</script>", "<!--<script>",
		"\"'><img src=x onerror=alert(1)>", "a\xe2\x80\xa8\xe2\x80\xae\x1b\xff",
		"</style></title>", "@script@ @data@ @style@"};
	const struct page_verdict v = {.finding = PAGE_VALID, .head = ENTRY_HASH, .last_seq = 6};
	struct json *data;
	struct err e = ERR_INIT;
	char *page;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *const codes[] = {texts[i], texts[i]};
		const struct audit_ref ref = {
			texts[i], texts[i], texts[i], texts[i], texts[i], codes, 2, texts[i]};
		char *text = mem_strdup(texts[i]);
		const struct audit_record record = {.event = texts[i],
			.push_id = texts[i],
			.actor = {text, text, text},
			.repository = {texts[i], texts[i], texts[i]},
			.refs = &ref,
			.n_refs = 1,
			.stage = texts[i],
			.status = texts[i],
			.reason = texts[i],
			.policy = texts[i],
			.correlation_id = texts[i]};

		assert_int_equal(audit_append(".", &record, 1, &e), 0);
		free(text);
	}
	page = make_page(&v);
	expect_count(page, "<img", 0);
	expect_count(page, "<!--", 0);
	expect_count(page, "\x1b", 0);
	expect_count(page, "\xe2\x80\xae", 0);
	assert_non_null(strstr(page, "@script@ @data@ @style@"));
	data = read_data(page);
	assert_int_equal(json_length(json_get(data, "seq")), 6);
	json_free(data);
	free(page);
}

/* What the page does not know is shown as it stands. */
static void test_unknown_members(void **state)
{
	static const char line[] =
		"{\"seq\":1,\"prev\":\"" ENTRY_HASH "\",\"time\":\"2026-11-23T00:00:00.000000Z\","
		"\"event\":\"push.new\",\"pipeline\":\"seven\",\"later\":{\"a\":[1]},"
		"\"refs\":[{\"ref\":\"r\",\"size\":3},7]}";
	struct page_data d;
	struct json *record;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(json_parse(&record, line, strlen(line), &e), 0);
	page_data_init(&d);
	page_data_add(&d, line, record);
	assert_string_equal(d.strings.v[d.rows[0].extra],
		"refs: {\"ref\":\"r\",\"size\":3}, refs: 7, "
		"pipeline: \"seven\", later: {\"a\":[1]}");
	assert_string_equal(d.strings.v[d.rows[0].prev], ENTRY_HASH);
	page_data_clear(&d);
	json_free(record);
}

/* Of more than anybody reads, some, and how many there are. */
static void test_many_unknown_members(void **state)
{
	struct page_data d;
	struct json *record;
	struct err e = ERR_INIT;
	struct str line;
	const char *extra;

	(void)state;
	str_init(&line);
	str_add(&line, "{\"seq\":1,\"prev\":\"" ENTRY_HASH "\",\"event\":\"push.new\"");
	for (int i = 0; i < 1500; i++)
		str_addf(&line, ",\"m%d\":%d", i, i);
	str_add(&line, ",\"time\":\"2026-11-23T00:00:00.000000Z\"}");
	assert_int_equal(json_parse(&record, line.buf, line.len, &e), 0);
	page_data_init(&d);
	page_data_add(&d, line.buf, record);
	extra = d.strings.v[d.rows[0].extra];
	if (!str_starts(extra, "m0: 0, m1: 1, ") || !str_ends(extra, ", m999: 999 and 500 more"))
		fail_msg("got %s", extra);
	page_data_clear(&d);
	json_free(record);
	str_clear(&line);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *event, *stage, *status;
		enum page_kind kind;
	} cases[] = {
		{"push.accepted", NULL, NULL, PAGE_ACCEPTED},
		{"push.rejected", NULL, NULL, PAGE_REJECTED},
		{"push.overridden", NULL, NULL, PAGE_OVERRIDDEN},
		{"push.shadowed", NULL, NULL, PAGE_SHADOWED},
		{"ref.updated", NULL, NULL, PAGE_OTHER},
		{"stage.finished", "deploy", "success", PAGE_DEPLOYED},
		{"stage.finished", "stage-model", "success", PAGE_DEPLOYED},
		{"stage.finished", "deploy", "failed", PAGE_OTHER},
		{"stage.finished", "build", "success", PAGE_OTHER},
		{"stage.started", "deploy", "success", PAGE_OTHER},
		{"model.rolledback", NULL, NULL, PAGE_DEPLOYED},
		{"model.rolledback", NULL, "failed", PAGE_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct audit_record r = {.event = cases[i].event,
			.stage = cases[i].stage,
			.status = cases[i].status};
		char *line = audit_record_line(&r, 1, ENTRY_HASH);
		struct json *record;
		struct page_data d;
		struct err e = ERR_INIT;

		assert_int_equal(json_parse(&record, line, strlen(line), &e), 0);
		page_data_init(&d);
		page_data_add(&d, line, record);
		if (d.rows[0].kind != cases[i].kind || d.counts[cases[i].kind] != 1)
			fail_msg("%s %s %s: expected %d, got %d", cases[i].event,
				cases[i].stage ? cases[i].stage : "-",
				cases[i].status ? cases[i].status : "-", (int)cases[i].kind,
				d.rows[0].kind);
		page_data_clear(&d);
		json_free(record);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_visible),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_unknown_members),
		cmocka_unit_test(test_many_unknown_members),
		scratch_test(test_empty),
		scratch_test(test_verdicts),
		scratch_test(test_hostile),
	};

	return cmocka_run_group_tests_name("audit/page", tests, NULL, NULL);
}
