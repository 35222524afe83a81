/* common/audit/lines: forward and backward over every shape of file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit/lines.h"
#include "journals.h"

/* Lines of these lengths; the last one without a newline if OPEN. */
static const struct {
	size_t lengths[5];
	size_t n;
	int open;
} cases[] = {
	{{0}, 0, 0},
	{{0}, 1, 0},
	{{1}, 1, 1},
	{{3, 0, 5}, 3, 0},
	{{3, 0, 5}, 3, 1},
	{{65535, 1, 65536}, 3, 0},
	{{65536, 65535, 131071, 131072, 7}, 5, 1},
	{{200000, 0, 0, 199999, 300000}, 5, 0},
};

static void make_file(size_t i, struct str *text)
{
	str_init(text);
	for (size_t k = 0; k < cases[i].n; k++) {
		for (size_t b = 0; b < cases[i].lengths[k]; b++)
			str_addc(text, (char)('a' + (b + k) % 26));
		if (!cases[i].open || k + 1 < cases[i].n)
			str_addc(text, '\n');
	}
	write_whole("file", text->buf, text->len);
}

static void test_forward(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct lines lines;
		struct line line;
		struct str text;
		int64_t at = 0;
		size_t k = 0;
		int fd;

		make_file(i, &text);
		fd = open("file", O_RDONLY | O_CLOEXEC);
		lines_init(&lines, fd, 0, (int64_t)text.len, 1U << 20);
		for (; lines_next(&lines, &line, &e) == 1; k++) {
			int is_open = cases[i].open && k + 1 == cases[i].n;

			assert_true(k < cases[i].n);
			assert_int_equal(line.len, cases[i].lengths[k]);
			assert_int_equal(line.end, is_open ? LINES_LIMIT : LINES_NEWLINE);
			assert_int_equal(line.start, at);
			assert_memory_equal(line.text, text.buf + at, line.len);
			at = line.next;
		}
		assert_int_equal(k, cases[i].n);
		assert_int_equal(at, text.len);
		lines_clear(&lines);
		(void)close(fd);
		str_clear(&text);
	}
}

static void test_too_long(void **state)
{
	static const struct {
		const char *text;
		size_t lengths[4];
		enum lines_end ends[4];
		size_t n;
	} table[] = {
		{"123\n", {3}, {LINES_NEWLINE}, 1},
		{"1234\n", {4, 0}, {LINES_TOO_LONG, LINES_NEWLINE}, 2},
		{"1234", {4}, {LINES_TOO_LONG}, 1},
		{"12345\n67\n", {4, 1, 2}, {LINES_TOO_LONG, LINES_NEWLINE, LINES_NEWLINE}, 3},
		{"\n123", {0, 3}, {LINES_NEWLINE, LINES_LIMIT}, 2},
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct lines lines;
		struct line line;
		size_t k = 0;
		int fd;

		write_whole("file", table[i].text, strlen(table[i].text));
		fd = open("file", O_RDONLY | O_CLOEXEC);
		lines_init(&lines, fd, 0, (int64_t)strlen(table[i].text), 4);
		for (; lines_next(&lines, &line, &e) == 1; k++) {
			assert_true(k < table[i].n);
			assert_int_equal(line.len, table[i].lengths[k]);
			assert_int_equal(line.end, table[i].ends[k]);
		}
		assert_int_equal(k, table[i].n);
		lines_clear(&lines);
		(void)close(fd);
	}
}

static void test_limit(void **state)
{
	struct err e = ERR_INIT;
	struct lines lines;
	struct line line;
	int fd;

	(void)state;
	write_whole("file", "one\ntwo\nthree\n", 14);
	fd = open("file", O_RDONLY | O_CLOEXEC);
	lines_init(&lines, fd, 4, 10, 64);
	assert_int_equal(lines_next(&lines, &line, &e), 1);
	assert_memory_equal(line.text, "two", 3);
	assert_int_equal(lines_next(&lines, &line, &e), 1);
	assert_int_equal(line.len, 2);
	assert_int_equal(line.end, LINES_LIMIT);
	assert_int_equal(lines_next(&lines, &line, &e), 0);
	lines_clear(&lines);
	lines_init(&lines, fd, 0, 20, 64); /* the file is shorter than was said */
	for (int i = 0; i < 3; i++)
		assert_int_equal(lines_next(&lines, &line, &e), 1);
	assert_int_equal(lines_next(&lines, &line, &e), -1);
	assert_non_null(strstr(err_text(&e), "shorter"));
	err_clear(&e);
	lines_clear(&lines);
	lines_init(&lines, -1, 0, 0, 64);
	assert_int_equal(lines_next(&lines, &line, &e), 0);
	(void)close(fd);
}

static void test_backward(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char hash[SHA256_HEX_SIZE], expected[SHA256_HEX_SIZE];
		int64_t end, start;
		struct str text;
		size_t k;
		int fd;

		make_file(i, &text);
		fd = open("file", O_RDONLY | O_CLOEXEC);
		end = (int64_t)text.len - (cases[i].open || text.len == 0 ? 0 : 1);
		for (k = cases[i].n; k > 0; k--, end = start - 1) {
			assert_int_equal(lines_start(fd, end, &start, &e), 0);
			assert_int_equal(end - start, cases[i].lengths[k - 1]);
			assert_int_equal(lines_hash(fd, start, end, hash, &e), 0);
			sha256_of(text.buf + start, (size_t)(end - start), expected);
			assert_string_equal(hash, expected);
		}
		assert_int_equal(lines_start(fd, 0, &start, &e), 0);
		assert_int_equal(start, 0);
		assert_int_equal(lines_hash(fd, 0, (int64_t)text.len + 1, hash, &e), -1);
		err_clear(&e);
		(void)close(fd);
		str_clear(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_forward),
		scratch_test(test_too_long),
		scratch_test(test_limit),
		scratch_test(test_backward),
	};

	return cmocka_run_group_tests_name("audit/lines", tests, NULL, NULL);
}
