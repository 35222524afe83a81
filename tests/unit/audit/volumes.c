/*
 * common/audit/verify over the files of a log that was rotated: each byte and each line, and which file and
 * line is named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "volumes.h"

static void test_valid(void **state)
{
	struct audit_report r;
	struct files f;

	(void)state;
	make_log(&f);
	r = expect_verdict("rotated", 0, NULL);
	assert_int_equal(r.records, 14);
	assert_int_equal(r.tree.n, 14);
	assert_int_equal(r.seq, 14);
	assert_int_equal(r.lines_before, 0);
	assert_string_equal(r.head, r.tree_head);
	audit_report_clear(&r);
	files_clear(&f);
}

static void test_each_byte(void **state)
{
	struct files f;

	(void)state;
	make_log(&f);
	for (int i = 0; i < FILES; i++) {
		struct str *s = &f.text[i];
		int64_t line = 1;

		for (size_t at = 0; at < s->len; at++) {
			char was = s->buf[at];
			char *what = mem_format("byte %zu of %s", at, name_of(i));

			/* All of the first line, which tells of other files; the others thinner. */
			if ((line == 1 && at % 2 == 0) || at % 29 == 0 || was == '\n') {
				s->buf[at] = (char)(was ^ 1);
				write_file(i, s->buf, s->len);
				expect_place(what, name_of(i), line, "", NULL);
				s->buf[at] = was;
			}
			line += was == '\n';
			free(what);
		}
		write_file(i, s->buf, s->len);
	}
	expect_place("as it was", NULL, 0, NULL, NULL);
	files_clear(&f);
}

enum change { LOSE, DOUBLE, SWAP, PUT_IN };

/* File I with line LINE lost, there twice, behind the next, or behind a text. */
static void change_line(const struct files *f, int i, int line, enum change change)
{
	const struct str *s = &f->text[i];
	size_t at = line_begin(s, line), next = line_begin(s, line + 1);
	size_t then = line < lines_of[i] ? line_begin(s, line + 2) : next;
	struct str out;

	str_init(&out);
	str_addn(&out, s->buf, at);
	if (change == SWAP)
		str_addn(&out, s->buf + next, then - next);
	if (change == PUT_IN)
		str_add(&out, "anything\n");
	if (change != LOSE)
		str_addn(&out, s->buf + at, next - at);
	if (change == DOUBLE)
		str_addn(&out, s->buf + at, next - at);
	if (change != SWAP)
		then = next;
	str_addn(&out, s->buf + then, s->len - then);
	write_file(i, out.buf, out.len);
	str_clear(&out);
}

static void test_each_line(void **state)
{
	static const char *const words[] = {"lose", "double", "swap", "put in front of"};
	struct files f;

	(void)state;
	make_log(&f);
	for (int i = 0; i < FILES; i++)
		for (int line = 1; line <= lines_of[i]; line++)
			for (enum change c = LOSE; c <= PUT_IN; c++) {
				char *what =
					mem_format("%s line %d of %s", words[c], line, name_of(i));

				if (c == SWAP && line == lines_of[i]) {
					free(what);
					continue;
				}
				change_line(&f, i, line, c);
				expect_place(
					what, name_of(i), c == DOUBLE ? line + 1 : line, "", NULL);
				put_back(&f);
				free(what);
			}
	files_clear(&f);
}

/* Lines at the border of two files, moved from one to the other: the chain is whole, the files are not. */
static void test_moved_over_border(void **state)
{
	struct files f;
	struct str a, b;
	size_t cut;

	(void)state;
	make_log(&f);
	str_init(&a);
	str_init(&b);
	cut = line_begin(&f.text[1], 4);
	str_addn(&a, f.text[1].buf, cut);
	str_add(&b, f.text[1].buf + cut);
	str_add(&b, f.text[2].buf);
	write_file(1, a.buf, a.len);
	write_file(2, b.buf, b.len);
	expect_place("last line moved on", name_of(2), 1, "does not tell of the file", NULL);
	put_back(&f);
	str_reset(&a);
	str_add(&a, f.text[1].buf);
	cut = line_begin(&f.text[2], 2);
	str_addn(&a, f.text[2].buf, cut);
	write_file(1, a.buf, a.len);
	write_file(2, f.text[2].buf + cut, f.text[2].len - cut);
	expect_place("first line moved back", name_of(1), 5, "is not the first", NULL);
	put_back(&f);
	/* The two files as one. */
	str_reset(&a);
	str_add(&a, f.text[0].buf);
	str_add(&a, f.text[1].buf);
	write_file(1, a.buf, a.len);
	assert_int_equal(unlink("audit/audit-000001.jsonl"), 0);
	expect_place("joined", name_of(1), 1, "does not have this name", NULL);
	put_back(&f);
	str_clear(&a);
	str_clear(&b);
	files_clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_valid),
		scratch_test(test_each_byte),
		scratch_test(test_each_line),
		scratch_test(test_moved_over_border),
	};

	return cmocka_run_group_tests_name("audit/volumes", tests, NULL, NULL);
}
