/* common/audit/verify: every way to tamper with the lines, and the line that is named for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "audit/entry.h"
#include "journals.h"

#define N 6 /* records in the log that is tampered with */

/* A log in memory: its lines, and what follows the last newline. */
struct text {
	struct strlist lines;
	char rest[4096];
};

static void take_apart(struct text *t, const struct str *log)
{
	const char *at = log->buf, *end;

	memset(t, 0, sizeof(*t));
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		char *line = mem_strndup(at, (size_t)(end - at));

		strlist_add(&t->lines, line);
		free(line);
	}
}

static void put_back(struct text *t)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < t->lines.n; i++)
		str_addf(&s, "%s\n", t->lines.v[i]);
	str_add(&s, t->rest);
	write_whole(LOG_PATH, s.buf, s.len);
	str_clear(&s);
	strlist_clear(&t->lines);
}

/* Lines are counted from 1, as in the log. */
static void take_out(struct text *t, size_t line)
{
	free(t->lines.v[line - 1]);
	t->lines.n--;
	memmove(t->lines.v + line - 1, t->lines.v + line,
		(t->lines.n - line + 1) * sizeof(*t->lines.v));
}

static void put_in(struct text *t, size_t line, const char *text)
{
	char *copy = mem_strdup(text);

	mem_grow(&t->lines.v, t->lines.n, &t->lines.cap, sizeof(*t->lines.v));
	memmove(t->lines.v + line, t->lines.v + line - 1,
		(t->lines.n - line + 1) * sizeof(*t->lines.v));
	t->lines.v[line - 1] = copy;
	t->lines.n++;
}

static void replace(struct text *t, size_t line, const char *from, const char *to)
{
	char *old = t->lines.v[line - 1], *at = strstr(old, from);
	struct str s;

	if (at == NULL)
		fail_msg("no %s in line %zu: %s", from, line, old);
	str_init(&s);
	str_addn(&s, old, (size_t)(at - old));
	str_add(&s, to);
	str_add(&s, at + strlen(from));
	free(old);
	t->lines.v[line - 1] = str_steal(&s);
}

/* Line LINE as if it had always been there: with the hash of the line in front of it. */
static char *forge(struct text *t, size_t line, int64_t seq)
{
	const char *before = line > 1 ? t->lines.v[line - 2] : NULL;
	struct audit_record record = {.event = "push.accepted", .push_id = "forged"};
	char hash[SHA256_HEX_SIZE] = ENTRY_NO_HASH;

	if (before != NULL)
		sha256_of(before, strlen(before), hash);
	return audit_record_line(&record, seq, hash);
}

static void nothing(struct text *t)
{
	(void)t;
}

static void change_first(struct text *t)
{
	replace(t, 1, "push-1", "push-x");
}

static void change_middle(struct text *t)
{
	replace(t, 3, "push-3", "push-x");
}

static void lengthen_middle(struct text *t)
{
	replace(t, 3, "push-3", "push-33333333333333333333333333333333");
}

static void lengthen_one_but_last(struct text *t)
{
	replace(t, N - 1, "push-5", "push-55");
}

static void shorten_middle(struct text *t)
{
	replace(t, 3, "push-3", "");
}

static void change_last(struct text *t)
{
	replace(t, N, "push-6", "push-x");
}

static void lengthen_last(struct text *t)
{
	replace(t, N, "push-6", "push-66");
}

static void shorten_last(struct text *t)
{
	replace(t, N, "push-6", "push");
}

static void break_middle(struct text *t)
{
	replace(t, 3, "{", "(");
}

static void break_last(struct text *t)
{
	replace(t, N, "{", "(");
}

static void bend_prev(struct text *t)
{
	char *digit = strstr(t->lines.v[3], "\"prev\":\"") + strlen("\"prev\":\"");

	*digit = *digit == '0' ? '1' : '0';
}

static void bend_number(struct text *t)
{
	replace(t, 4, "\"seq\":4", "\"seq\":5");
}

static void drop_first(struct text *t)
{
	take_out(t, 1);
}

static void drop_middle(struct text *t)
{
	take_out(t, 3);
}

static void drop_two(struct text *t)
{
	take_out(t, 3);
	take_out(t, 3);
}

static void drop_last(struct text *t)
{
	take_out(t, N);
}

static void drop_all(struct text *t)
{
	while (t->lines.n > 0)
		take_out(t, 1);
}

static void repeat_middle(struct text *t)
{
	put_in(t, 4, t->lines.v[2]);
}

static void repeat_last(struct text *t)
{
	put_in(t, N + 1, t->lines.v[N - 1]);
}

static void swap(struct text *t)
{
	char *third = t->lines.v[2];

	t->lines.v[2] = t->lines.v[3];
	t->lines.v[3] = third;
}

static void move_to_end(struct text *t)
{
	put_in(t, N + 1, t->lines.v[2]);
	take_out(t, 3);
}

static void insert_forged(struct text *t)
{
	char *line = forge(t, 4, 4);

	put_in(t, 4, line);
	free(line);
}

static void insert_forged_before_last(struct text *t)
{
	char *line = forge(t, N, N);

	put_in(t, N, line);
	free(line);
}

static void insert_forged_first(struct text *t)
{
	char *line = forge(t, 1, 1);

	put_in(t, 1, line);
	free(line);
}

static void insert_unfit(struct text *t)
{
	char *line = forge(t, 2, 4);

	put_in(t, 4, line);
	free(line);
}

static void insert_text(struct text *t)
{
	put_in(t, 4, "anything");
}

static void insert_empty(struct text *t)
{
	put_in(t, 4, "");
}

static void append_forged(struct text *t)
{
	char *line = forge(t, N + 1, N + 1);

	put_in(t, N + 1, line);
	free(line);
}

static void append_two_forged(struct text *t)
{
	append_forged(t);
	put_in(t, N + 2, t->lines.v[0]);
}

static void append_text(struct text *t)
{
	put_in(t, N + 1, "anything");
}

static void append_open_text(struct text *t)
{
	snprintf(t->rest, sizeof(t->rest), "anything");
}

static void append_empty(struct text *t)
{
	put_in(t, N + 1, "");
}

static void append_forged_recovered(struct text *t)
{
	struct audit_recovered r = {.found = AUDIT_FOUND_TORN, .head_seq = N, .torn_size = 4};
	struct audit_record record = {.event = ENTRY_RECOVERED, .recovered = &r};
	char hash[SHA256_HEX_SIZE], *line;

	sha256_of("torn", 4, hash);
	memcpy(r.torn_hash, hash, sizeof(hash));
	memcpy(r.head_hash, hash, sizeof(hash));
	put_in(t, N + 1, "torn");
	line = audit_record_line(&record, N + 1, hash);
	put_in(t, N + 2, line);
	free(line);
}

static void rewrite_middle(struct text *t)
{
	char *line = forge(t, 3, 3);

	take_out(t, 3);
	put_in(t, 3, line);
	free(line);
}

/* Every line from the third on, each fitting the one before. */
static void rewrite_rest(struct text *t)
{
	for (size_t i = 3; i <= N; i++) {
		char *line = forge(t, i, (int64_t)i);

		take_out(t, i);
		put_in(t, i, line);
		free(line);
	}
}

static void cut_newline(struct text *t)
{
	snprintf(t->rest, sizeof(t->rest), "%s", t->lines.v[N - 1]);
	take_out(t, N);
}

static void cut_middle_of_last(struct text *t)
{
	cut_newline(t);
	t->rest[strlen(t->rest) / 2] = '\0';
}

static void cut_one_byte_left(struct text *t)
{
	take_out(t, N);
	take_out(t, N - 1);
	snprintf(t->rest, sizeof(t->rest), "{");
}

/*
 * LINE 0 and no WORDS: valid.  LATER: the line named after one more record was added; 0: the same.
 */
static const struct {
	const char *name;
	void (*tamper)(struct text *t);
	int64_t line;
	const char *words;
	int64_t later;
} tampers[] = {
	{"nothing", nothing, 0, NULL, 0},
	{"change first", change_first, 1, "was changed", 0},
	{"change middle", change_middle, 3, "was changed", 0},
	{"lengthen middle", lengthen_middle, 3, "was changed", 0},
	{"lengthen last but one", lengthen_one_but_last, N - 1, "was changed", 0},
	{"shorten middle", shorten_middle, 3, "was changed", 0},
	{"change last", change_last, N, "was changed", 0},
	{"lengthen last", lengthen_last, N, "was changed", 0},
	{"shorten last", shorten_last, N, "was changed", 0},
	{"break middle", break_middle, 3, "is no record", 0},
	{"break last", break_last, N, "is no record", 0},
	{"bend prev", bend_prev, 4, "was changed", 0},
	{"bend number", bend_number, 4, "has the number 5 where 4 belongs", 0},
	{"drop first", drop_first, 1, "holds record 2 where 1 belongs", 0},
	{"drop middle", drop_middle, 3, "holds record 4 where 3 belongs", 0},
	{"drop two", drop_two, 3, "holds record 5 where 3 belongs", 0},
	{"drop last", drop_last, N, "1 records are missing", 0},
	{"drop all", drop_all, 1, "6 records are missing", 0},
	{"repeat middle", repeat_middle, 4, "holds record 3 again", 0},
	{"repeat last", repeat_last, N + 1, "holds record 6 again", 0},
	{"swap", swap, 3, "holds record 4 where 3 belongs", 0},
	{"move to end", move_to_end, 3, "holds record 4 where 3 belongs", 0},
	{"insert forged", insert_forged, 4, "was put in", 0},
	{"insert forged before last", insert_forged_before_last, N, "was ", 0},
	{"insert forged first", insert_forged_first, 1, "was put in", 0},
	{"insert unfit", insert_unfit, 4, "was changed, or put in", 0},
	{"insert text", insert_text, 4, "is no record", 0},
	{"insert empty line", insert_empty, 4, "is no record", 0},
	{"append forged", append_forged, N + 1, "added", 0},
	{"append two", append_two_forged, N + 1, "added", N + 2},
	{"append text", append_text, N + 1, "added", 0},
	{"append open text", append_open_text, N + 1, "added", 0},
	{"append empty line", append_empty, N + 1, "added", 0},
	{"append forged recovered", append_forged_recovered, N + 1, "added", 0},
	{"rewrite middle", rewrite_middle, 3, "was changed", 0},
	{"rewrite rest", rewrite_rest, N, "was changed", 0},
	{"cut newline", cut_newline, N, "is cut short", 0},
	{"cut in last", cut_middle_of_last, N, "is cut short", 0},
	{"cut to one byte", cut_one_byte_left, N - 1, "is cut short: 2 records", 0},
};

static void test_tampering(void **state)
{
	struct str log, head;

	(void)state;
	add_records(1, N);
	read_whole(LOG_PATH, &log);
	read_whole(HEAD_PATH, &head);
	for (size_t i = 0; i < sizeof(tampers) / sizeof(tampers[0]); i++) {
		struct text t;
		char *later = mem_format("%s, and more after it", tampers[i].name);

		write_whole(HEAD_PATH, head.buf, head.len);
		take_apart(&t, &log);
		tampers[i].tamper(&t);
		put_back(&t);
		expect_fault(tampers[i].name, tampers[i].line, tampers[i].words);
		/* What is added afterwards does not hide it. */
		add_records(N + 1, 2);
		expect_fault(later, tampers[i].later > 0 ? tampers[i].later : tampers[i].line,
			tampers[i].words != NULL ? "" : NULL);
		free(later);
	}
	str_clear(&log);
	str_clear(&head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_tampering),
	};

	return cmocka_run_group_tests_name("audit/tampering", tests, NULL, NULL);
}
