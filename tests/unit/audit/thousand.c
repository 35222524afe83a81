/*
 * common/audit/verify with a checkpoint: a thousand logs tampered with at random, always the same thousand.
 * Each is found, and the line named where there is one; each was valid before.  And what is found
 * without the checkpoint is what README says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/checkpoint.h"
#include "audit/rotate.h"
#include "journals.h"

#define LOGS 1000
#define MAX_FILES 3
#define MAX_LINES 64 /* of all files */

/* A log in memory: every line with its newline, which file it is in, and the head. */
struct log {
	size_t files;
	size_t n;
	char *lines[MAX_LINES + 2];
	size_t file[MAX_LINES + 2];
	struct str head;
};

/* Where a fault is to be found.  LINE 0: no line is to blame. */
struct where {
	size_t file;
	int64_t line;
};

/* xorshift64: the same numbers on every machine. */
static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t below(uint64_t *seed, size_t n)
{
	return (size_t)(next(seed) % n);
}

static void file_path(const struct log *log, size_t file, char out[64])
{
	char name[AUDIT_FILE_NAME_SIZE] = AUDIT_LOG;

	if (file + 1 < log->files)
		audit_file_name((int64_t)file + 1, name);
	snprintf(out, 64, "audit/%s", name);
}

static void free_log(struct log *log)
{
	for (size_t i = 0; i < log->n; i++)
		free(log->lines[i]);
	str_clear(&log->head);
	memset(log, 0, sizeof(*log));
}

static void remove_all(void)
{
	assert_int_equal(files_remove_tree("audit", NULL), 0);
}

/* Make a log on disk: records FIRST and on, a rotation where PLAN has a bit set; N lines in all. */
static void make(int first, size_t n, uint64_t plan)
{
	int64_t number;

	remove_all();
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (plan >> i & 1) != 0)
			assert_int_equal(rotate_now(".", &number, NULL), 1);
		else
			add_records(first + (int)i, 1);
	}
}

static void load(struct log *log)
{
	memset(log, 0, sizeof(*log));
	log->files = 1;
	for (char path[64]; log->files < MAX_FILES + 1; log->files++) {
		char name[AUDIT_FILE_NAME_SIZE];

		audit_file_name((int64_t)log->files, name);
		snprintf(path, sizeof(path), "audit/%s", name);
		if (!files_exists(path))
			break;
	}
	for (size_t f = 0; f < log->files; f++) {
		char path[64], *at, *end;
		struct str text;

		file_path(log, f, path);
		read_whole(path, &text);
		for (at = text.buf; (end = strchr(at, '\n')) != NULL; at = end + 1) {
			assert_true(log->n < MAX_LINES);
			log->file[log->n] = f;
			log->lines[log->n++] = mem_strndup(at, (size_t)(end - at) + 1);
		}
		str_clear(&text);
	}
	read_whole(HEAD_PATH, &log->head);
}

static void store(const struct log *log)
{
	remove_all();
	assert_int_equal(mkdir("audit", 0700), 0);
	for (size_t f = 0; f < log->files; f++) {
		char path[64];
		struct str text;

		str_init(&text);
		for (size_t i = 0; i < log->n; i++)
			if (log->file[i] == f)
				str_add(&text, log->lines[i]);
		file_path(log, f, path);
		write_whole(path, text.buf, text.len);
		str_clear(&text);
	}
	write_whole(HEAD_PATH, log->head.buf, log->head.len);
}

/* Line I, from 0, as it is named. */
static struct where where_is(const struct log *log, size_t i)
{
	struct where w = {log->file[i], 1};

	while (i > 0 && log->file[i - 1] == w.file) {
		w.line++;
		i--;
	}
	return w;
}

static void drop(struct log *log, size_t i)
{
	free(log->lines[i]);
	log->n--;
	memmove(&log->lines[i], &log->lines[i + 1], (log->n - i) * sizeof(log->lines[0]));
	memmove(&log->file[i], &log->file[i + 1], (log->n - i) * sizeof(log->file[0]));
}

static void insert(struct log *log, size_t i, const char *line, size_t file)
{
	memmove(&log->lines[i + 1], &log->lines[i], (log->n - i) * sizeof(log->lines[0]));
	memmove(&log->file[i + 1], &log->file[i], (log->n - i) * sizeof(log->file[0]));
	log->lines[i] = mem_strdup(line);
	log->file[i] = file;
	log->n++;
}

/* The head that fits the lines. */
static void fit_head(struct log *log)
{
	const char *last = log->lines[log->n - 1];
	char text[HEAD_SIZE + 1];
	struct head h;

	head_init(&h);
	for (size_t i = 0; i < log->n; i++)
		if (log->file[i] == log->files - 1)
			h.size += (int64_t)strlen(log->lines[i]);
	h.seq = (int64_t)log->n;
	sha256_of(last, strlen(last) - 1, h.hash);
	head_render(&h, text);
	str_reset(&log->head);
	str_add(&log->head, text);
}

/* ---- what is done to a log; SIZE is how it was made, PLAN where it was rotated ---- */

struct victim {
	struct log log;
	uint64_t *seed;
	size_t size;
	uint64_t plan;
};

/* 1: that was done, and *W tells where; 0: this log does not lend itself to it. */
typedef int tamper(struct victim *v, struct where *w);

static int change_byte(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->log.n);
	char *line = v->log.lines[i];
	size_t at = below(v->seed, strlen(line));
	char was = line[at];

	while (line[at] == was || line[at] == '\0')
		line[at] = (char)next(v->seed);
	*w = where_is(&v->log, i);
	return 1;
}

static int change_line(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->log.n);
	char *at = strstr(v->log.lines[i], "\"time\":\"20");

	assert_non_null(at);
	at[strlen("\"time\":\"2")] = (char)('1' + below(v->seed, 9));
	*w = where_is(&v->log, i);
	return 1;
}

static int swap_lines(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->log.n), j = below(v->seed, v->log.n);
	char *line;

	if (i == j)
		return 0;
	line = v->log.lines[i];
	v->log.lines[i] = v->log.lines[j];
	v->log.lines[j] = line;
	*w = where_is(&v->log, i < j ? i : j);
	return 1;
}

/* The last lines of the file that is being added to, or a part of one. */
static int cut(struct victim *v, struct where *w)
{
	size_t first = v->log.n;
	size_t i;

	while (first > 0 && v->log.file[first - 1] == v->log.files - 1)
		first--;
	i = first + below(v->seed, v->log.n - first);
	*w = where_is(&v->log, i);
	while (v->log.n > i + 1)
		drop(&v->log, v->log.n - 1);
	if (below(v->seed, 2) == 0)
		drop(&v->log, i);
	else
		v->log.lines[i][below(v->seed, strlen(v->log.lines[i]) - 1) + 1] = '\0';
	return 1;
}

static int drop_line(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->log.n);

	*w = where_is(&v->log, i);
	drop(&v->log, i);
	return 1;
}

static int repeat_line(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->log.n), j = i + 1 + below(v->seed, v->log.n - i);
	size_t file = v->log.file[j - 1];

	insert(&v->log, j, v->log.lines[i], file);
	*w = where_is(&v->log, j);
	return 1;
}

/* From a line on, those of another log of the same shape. */
static int splice(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->log.n);
	struct log other;

	make(1000, v->size, v->plan);
	load(&other);
	assert_int_equal(other.n, v->log.n);
	for (size_t k = i; k < v->log.n; k++) {
		char *line = v->log.lines[k];

		v->log.lines[k] = other.lines[k];
		other.lines[k] = line;
	}
	/* With its head or without: what is on disk is one log's or the other's. */
	if (below(v->seed, 2) == 0) {
		str_reset(&v->log.head);
		str_addn(&v->log.head, other.head.buf, other.head.len);
	}
	*w = where_is(&v->log, i);
	free_log(&other);
	/* All of another log, with its head, is a log rewritten. */
	return i > 0;
}

/* The log and its head as they were some records ago. */
static int replay(struct victim *v, struct where *w)
{
	struct log old;
	size_t n = v->size - 1 - below(v->seed, v->size - 1);

	make(1, n, v->plan);
	load(&old);
	for (size_t i = 0; i < old.n; i++) {
		free(old.lines[i]);
		old.lines[i] = mem_strdup(v->log.lines[i]);
	}
	free_log(&v->log);
	v->log = old;
	fit_head(&v->log);
	*w = where_is(&v->log, v->log.n - 1);
	w->line++;
	return 1;
}

/*
 * From some line on, rewritten by somebody who knows how: each line fits the one before, and the head
 * the last.
 */
static int rewrite(struct victim *v, struct where *w)
{
	size_t i = below(v->seed, v->size);
	uint64_t plan = v->plan & ~(UINT64_MAX << i);

	/* A few records may be added or be missing at the end, too. */
	make(1, i, plan);
	for (size_t k = i; k < v->size + below(v->seed, 3); k++)
		add_records(2000 + (int)k, 1);
	free_log(&v->log);
	load(&v->log);
	*w = (struct where){0, 0};
	return 1;
}

static const struct {
	const char *name;
	tamper *tamper;
	int is_found_without; /* 1: the head, or the chain, is enough; 0: it is not; -1: at times */
} kinds[] = {
	{"a byte", change_byte, 1},
	{"a line", change_line, 1},
	{"swap", swap_lines, 1},
	{"cut", cut, 1},
	{"a line lost", drop_line, 1},
	{"a line repeated", repeat_line, 1},
	{"splice", splice, 1},
	{"replay with the head", replay, 0},
	{"rewritten with the head", rewrite, 0},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void sign(struct checkpoint *out)
{
	const struct audit_expected nothing = {.checkpoint = NULL};
	enum audit_verdict verdict;
	struct audit_report r;

	assert_int_equal(audit_verify_expected(".", &nothing, &verdict, &r, NULL), 0);
	if (verdict != AUDIT_VALID)
		fail_msg("not valid to begin with: %s", r.fault);
	checkpoint_init(out, &r, "test");
	audit_report_clear(&r);
}

/* Verify with checkpoint K (NULL: without): its verdict, and in *R where. */
static enum audit_verdict judge(const struct checkpoint *k, struct audit_report *r)
{
	const struct audit_expected expected = {.checkpoint = k};
	enum audit_verdict verdict;
	struct err e = ERR_INIT;

	if (audit_verify_expected(".", &expected, &verdict, r, &e) != 0)
		fail_msg("cannot verify: %s", err_text(&e));
	return verdict;
}

static void expect_found(int number, const char *kind, const struct victim *v,
	const struct where *w, const struct checkpoint *k)
{
	char path[64];
	struct audit_report r;

	if (judge(k, &r) != AUDIT_INVALID)
		fail_msg("log %d, %s: not found", number, kind);
	file_path(&v->log, w->file, path);
	if (r.line != w->line || (w->line > 0 && strcmp(r.file, path + strlen("audit/")) != 0))
		fail_msg("log %d, %s: expected line %" PRId64 " of %s, got line %" PRId64
			 " of %s: %s",
			number, kind, w->line, path, r.line, r.file != NULL ? r.file : "none",
			r.fault);
	audit_report_clear(&r);
}

static void expect_without(int number, size_t kind)
{
	struct audit_report r;
	enum audit_verdict verdict = judge(NULL, &r);

	if ((verdict == AUDIT_INVALID) != kinds[kind].is_found_without)
		fail_msg("log %d, %s: without the checkpoint: %s", number, kinds[kind].name,
			r.fault != NULL ? r.fault : "valid");
	audit_report_clear(&r);
}

/* A log, its checkpoint, and one thing done to it. */
static void try_one(int number, uint64_t *seed, size_t *done)
{
	struct victim v = {.seed = seed, .size = 3 + below(seed, 12)};
	size_t kind = (size_t)number % N_KINDS;
	struct checkpoint k;
	struct where w;
	struct audit_report r;

	/* Up to two rotations. */
	if (below(seed, 2) == 0)
		v.plan = (UINT64_C(1) << (1 + below(seed, v.size))) |
			 (UINT64_C(1) << (1 + below(seed, v.size)));
	make(1, v.size, v.plan);
	sign(&k);
	if (judge(&k, &r) != AUDIT_VALID)
		fail_msg("log %d, untouched: %s", number, r.fault);
	audit_report_clear(&r);
	load(&v.log);
	if (kinds[kind].tamper(&v, &w)) {
		store(&v.log);
		expect_found(number, kinds[kind].name, &v, &w, &k);
		expect_without(number, kind);
		(*done)++;
	}
	free_log(&v.log);
	checkpoint_clear(&k);
}

static void test_thousand(void **state)
{
	uint64_t seed = UINT64_C(20261123);
	size_t done = 0;

	(void)state;
	for (int i = 0; done < LOGS; i++)
		try_one(i, &seed, &done);
	assert_int_equal(done, LOGS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_thousand),
	};

	/* Nobody will want these logs after a power failure. */
	if (access("/dev/shm", W_OK | X_OK) == 0)
		assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
	return cmocka_run_group_tests_name("audit/thousand", tests, NULL, NULL);
}
