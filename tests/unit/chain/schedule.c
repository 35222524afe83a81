/* chain/schedule: order, exclusion, parallel stages. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/str.h"
#include "chain/schedule.h"

#define NOW 1000

struct row {
	/* "ID PROJECT/ENVIRONMENT STATUS", joined by ", "; "later": pending, but not yet */
	const char *rows;
	int64_t parallel;
	int64_t expected; /* pipeline; 0: none */
};

static const struct row rows[] = {
	{"", 2, 0},
	{"1 a/DEV pending", 2, 1},
	{"1 a/DEV pending, 2 a/DEV pending", 2, 1},
	{"1 a/DEV running, 2 a/DEV pending", 2, 0},
	/* other projects and environments run side by side */
	{"1 a/DEV running, 2 a/PROD pending", 2, 2},
	{"1 a/DEV running, 2 b/DEV pending", 2, 2},
	/* as many as may */
	{"1 a/DEV running, 2 b/DEV pending", 1, 0},
	{"1 a/DEV running, 2 b/DEV running, 3 c/DEV pending", 2, 0},
	{"1 a/DEV running, 2 b/DEV running, 3 c/DEV pending", 3, 3},
	/* an older one played while a newer one runs waits for it */
	{"1 a/DEV pending, 2 a/DEV running", 2, 0},
	{"1 a/DEV pending, 2 a/DEV running, 3 b/DEV pending", 2, 3},
	/* one that waits for another try holds its own place and no other */
	{"1 a/DEV later", 2, 0},
	{"1 a/DEV later, 2 a/DEV pending", 2, 0},
	{"1 a/DEV later, 2 a/DEV pending, 3 b/DEV pending", 2, 3},
};

static void parse(struct schedule_row *out, char *text)
{
	char *save = NULL, *id = strtok_r(text, " /", &save);
	long long number;

	assert_int_equal(str_number(id, 1000, &number), 0);
	memset(out, 0, sizeof(*out));
	out->pipeline = number;
	out->project = strtok_r(NULL, " /", &save);
	out->environment = strtok_r(NULL, " /", &save);
	out->status = strcmp(save, "running") == 0 ? STATUS_RUNNING : STATUS_PENDING;
	out->not_before = strcmp(save, "later") == 0 ? NOW + 1 : 0;
}

static void test_next(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strlist parts = {0};
		struct schedule_row v[8];
		const struct schedule_row *next;
		int64_t got;

		strlist_split(&parts, rows[i].rows, ',');
		for (size_t k = 0; k < parts.n; k++)
			parse(&v[k], parts.v[k]);
		next = schedule_next(&(struct schedule){v, parts.n, 8}, rows[i].parallel, NOW);
		got = next != NULL ? next->pipeline : 0;
		if (got != rows[i].expected)
			fail_msg("%s, %lld at once: %lld, not %lld", rows[i].rows,
				(long long)rows[i].parallel, (long long)got,
				(long long)rows[i].expected);
		strlist_clear(&parts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_next)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
