/* common/data/sqlite: schemas, transactions and time-outs, alone and with twenty others. */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/scratch.h"
#include "base/clock.h"
#include "base/err.h"
#include "data/sqlite.h"
#include "sys/sandbox.h"

static const char *const one_step[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)", NULL};
static const char *const two_steps[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)",
	"ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'm'; CREATE INDEX i ON t(more)", NULL};
static const char *const index_steps[] = {
	"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)", "CREATE INDEX i ON t(name)", NULL};
static const char *const bad_steps[] = {"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)",
	"CREATE TABLE u(id INTEGER PRIMARY KEY); CREATE nonsense", NULL};
static const char *const parent_child[] = {
	"CREATE TABLE p(id INTEGER PRIMARY KEY);"
	"CREATE TABLE c(p INTEGER NOT NULL REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)",
	NULL};

static const struct sqlite_schema first = {"test", one_step, 0};
static const struct sqlite_schema second = {"test", two_steps, 0};
static const struct sqlite_schema indexed = {"test", index_steps, 0};
static const struct sqlite_schema bad = {"test", bad_steps, 0};
static const struct sqlite_schema other = {"other", parent_child, 0};
static const struct sqlite_schema additive = {"test", two_steps, 1};

static struct sqlite *must_open(const struct sqlite_schema *schema, int timeout_ms)
{
	struct err e = ERR_INIT;
	struct sqlite *db = NULL;

	if (sqlite_open(&db, "db", schema, timeout_ms, &e) != 0)
		fail_msg("%s", err_text(&e));
	return db;
}

static void must(int status, struct err *e)
{
	if (status != 0)
		fail_msg("%d: %s", status, err_text(e));
}

static int64_t number(struct sqlite *db, const char *sql)
{
	struct err e = ERR_INIT;
	int64_t value = 0;

	if (sqlite_one(db, &value, &e, sql, "") != 1)
		fail_msg("%s: %s", sql, err_text(&e));
	return value;
}

static void assert_refused(int result, struct err *e, const char *why, int passing)
{
	if (result != -1 || strstr(err_text(e), why) == NULL || e->passing != passing)
		fail_msg("%d, \"%s\", passing %d instead of -1, \"... %s ...\", %d", result,
			err_text(e), e->passing, why, passing);
	err_clear(e);
}

static void test_settings(void **state)
{
	struct sqlite *db = must_open(&first, 100);
	struct sqlite_stmt *s = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(number(db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(number(db, "PRAGMA synchronous"), 2);
	assert_int_equal(number(db, "PRAGMA busy_timeout"), 100);
	must(sqlite_query(db, &s, &e, "PRAGMA journal_mode", ""), &e);
	assert_int_equal(sqlite_next(s, &e), 1);
	assert_string_equal(sqlite_text(s, 0), "wal");
	sqlite_end(s);
	assert_int_equal(stat("db", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sqlite_close(db);
	sqlite_close(NULL);
	sqlite_end(NULL);
}

/* Where nothing but the state can be written, an index is made of more than SQLite sorts in one go. */
static void test_confined(void **state)
{
	struct sqlite *db = must_open(&first, 100);
	struct err e = ERR_INIT;
	int status;
	pid_t pid;

	(void)state;
	must(sqlite_run(db, &e,
		     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
		     "INSERT INTO t SELECT i, hex(randomblob(200)) FROM n",
		     ""),
		&e);
	sqlite_close(db);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox s = SANDBOX_INIT;

		sandbox_add_machine(&s);
		strlist_add(&s.write, ".");
		if (sandbox_enter(&s, &e) != 0 || sqlite_open(&db, "db", &indexed, 100, &e) != 0) {
			print_error("%s\n", err_text(&e));
			_exit(1);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_rows(void **state)
{
	struct sqlite *db = must_open(&first, 100);
	const char *sql = "INSERT INTO t VALUES(?, ?)";
	struct sqlite_stmt *s = NULL;
	struct err e = ERR_INIT;
	int64_t n;

	(void)state;
	must(sqlite_run(db, &e, sql, "it", INT64_MAX, "it's"), &e);
	assert_int_equal(sqlite_last_id(db), INT64_MAX);
	must(sqlite_run(db, &e, sql, "it", INT64_C(-5), (const char *)NULL), &e);
	must(sqlite_run(db, &e, sql, "it", INT64_C(0), ""), &e);
	must(sqlite_query(db, &s, &e, "SELECT id, name, name IS NULL FROM t ORDER BY id", ""), &e);
	assert_int_equal(sqlite_next(s, &e), 1);
	assert_int_equal(sqlite_number(s, 0), -5);
	assert_string_equal(sqlite_text(s, 1), "");
	assert_int_equal(sqlite_number(s, 2), 1);
	assert_int_equal(sqlite_next(s, &e), 1);
	assert_string_equal(sqlite_text(s, 0), "0");
	assert_int_equal(sqlite_number(s, 2), 0);
	assert_int_equal(sqlite_next(s, &e), 1);
	assert_int_equal(sqlite_number(s, 0), INT64_MAX);
	assert_string_equal(sqlite_text(s, 1), "it's");
	assert_int_equal(sqlite_next(s, &e), 0);
	sqlite_end(s);
	must(sqlite_run(db, &e, "UPDATE t SET name = ? WHERE id < ?", "ti", "x", INT64_C(1)), &e);
	assert_int_equal(sqlite_changes(db), 2);
	assert_int_equal(sqlite_one(db, &n, &e, "SELECT id FROM t WHERE name = ?", "t", "y"), 0);
	assert_refused(sqlite_run(db, &e, sql, "it", INT64_C(0), "twice"), &e, "UNIQUE", 0);
	assert_refused(sqlite_run(db, &e, sql, "i", INT64_C(0)), &e, "2 arguments", 0);
	assert_refused(sqlite_run(db, &e, "SELECT 1", ""), &e, "gave rows", 0);
	assert_refused(
		sqlite_run(db, &e, "DELETE FROM t; DELETE FROM t", ""), &e, "not one statement", 0);
	assert_refused(sqlite_run(db, &e, "", ""), &e, "not one statement", 0);
	assert_refused(sqlite_run(db, &e, "SELEKT", ""), &e, "syntax error", 0);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 3);
	sqlite_close(db);
}

static void test_transactions(void **state)
{
	const char *sql = "INSERT INTO c VALUES(?)";
	struct sqlite *db = must_open(&other, 100);
	struct err e = ERR_INIT;

	(void)state;
	must(sqlite_begin(db, &e), &e);
	must(sqlite_run(db, &e, "INSERT INTO p VALUES(1)", ""), &e);
	must(sqlite_run(db, &e, sql, "i", INT64_C(1)), &e);
	must(sqlite_commit(db, &e), &e);
	assert_int_equal(number(db, "SELECT count(*) FROM c"), 1);
	must(sqlite_begin(db, &e), &e);
	must(sqlite_run(db, &e, sql, "i", INT64_C(1)), &e);
	sqlite_rollback(db);
	sqlite_rollback(db);
	assert_int_equal(number(db, "SELECT count(*) FROM c"), 1);
	/* A failed commit has rolled back: the next transaction can start. */
	must(sqlite_begin(db, &e), &e);
	must(sqlite_run(db, &e, sql, "i", INT64_C(99)), &e);
	assert_refused(sqlite_commit(db, &e), &e, "FOREIGN KEY", 0);
	must(sqlite_begin(db, &e), &e);
	must(sqlite_run(db, &e, sql, "i", INT64_C(1)), &e);
	sqlite_close(db);
	db = must_open(&other, 100);
	assert_int_equal(number(db, "SELECT count(*) FROM c"), 1);
	sqlite_close(db);
}

#define INSERT_MUCH "INSERT INTO t(name) VALUES(hex(randomblob(100000)))"

/* No room is a fault that passes, and leaves everything as it was. */
static void test_full(void **state)
{
	struct sqlite *db = must_open(&first, 100);
	struct err e = ERR_INIT;

	(void)state;
	must(sqlite_run(db, &e, "INSERT INTO t(name) VALUES('a')", ""), &e);
	(void)number(db, "PRAGMA max_page_count=8");
	must(sqlite_begin(db, &e), &e);
	assert_refused(sqlite_run(db, &e, INSERT_MUCH, ""), &e, "full", 1);
	sqlite_rollback(db);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
	(void)number(db, "PRAGMA max_page_count=1000");
	must(sqlite_run(db, &e, INSERT_MUCH, ""), &e);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 2);
	sqlite_close(db);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* What is flushed has its room, and is nobody else's to see before the commit. */
static void test_flush(void **state)
{
	struct sqlite *db = must_open(&first, 100), *reader = must_open(&first, 100);
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2; i++) {
		int64_t before = size_of("db-wal");

		must(sqlite_begin(db, &e), &e);
		must(sqlite_run(db, &e, INSERT_MUCH, ""), &e);
		assert_true(size_of("db-wal") < before + 100000);
		must(sqlite_flush(db, &e), &e);
		assert_true(i == 1 || size_of("db-wal") > before + 100000);
		assert_int_equal(number(reader, "SELECT count(*) FROM t"), 0);
		if (i == 0)
			sqlite_rollback(db);
		else
			must(sqlite_commit(db, &e), &e);
		assert_int_equal(number(reader, "SELECT count(*) FROM t"), i);
	}
	sqlite_close(reader);
	sqlite_close(db);
}

static void test_migration(void **state)
{
	struct sqlite *db = must_open(&first, 100);
	struct err e = ERR_INIT;

	(void)state;
	must(sqlite_run(db, &e, "INSERT INTO t VALUES(1, 'a')", ""), &e);
	sqlite_close(db);
	/* A step that fails takes the whole migration back. */
	assert_refused(sqlite_open(&db, "db", &bad, 100, &e), &e, "syntax error", 0);
	assert_null(db);
	db = must_open(&first, 100);
	assert_int_equal(number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'u'"), 0);
	sqlite_close(db);
	db = must_open(&second, 100);
	assert_int_equal(number(db, "SELECT count(*) FROM t WHERE more = 'm'"), 1);
	assert_int_equal(number(db, "SELECT version FROM schema WHERE component = 'test'"), 2);
	sqlite_close(db);
	assert_refused(sqlite_open(&db, "db", &first, 100, &e), &e,
		"written by a newer modelgate (test has version 2, this program knows 1)", 0);
	/* Nor does a program of before go on if the newer one has never said that it can. */
	db = must_open(&other, 100);
	must(sqlite_run(db, &e, "DELETE FROM schema_needs", ""), &e);
	sqlite_close(db);
	assert_refused(
		sqlite_open(&db, "db", &first, 100, &e), &e, "written by a newer modelgate", 0);
	/* Components do not mind each other. */
	db = must_open(&other, 100);
	assert_int_equal(number(db, "SELECT count(*) FROM schema"), 2);
	sqlite_close(db);
}

/* Where a newer program says that its steps only add, one of before goes on, and changes no version. */
static void test_additive(void **state)
{
	struct sqlite *db = must_open(&additive, 100);

	(void)state;
	sqlite_close(db);
	db = must_open(&first, 100);
	assert_int_equal(number(db, "SELECT version FROM schema WHERE component = 'test'"), 2);
	assert_int_equal(number(db, "SELECT needs FROM schema_needs WHERE component = 'test'"), 1);
	sqlite_close(db);
}

/* A normal open writes nothing: it works while another connection is in the middle of writing. */
static void test_open_while_written(void **state)
{
	struct sqlite *db = must_open(&first, 100), *reader;
	struct err e = ERR_INIT;
	int64_t start;

	(void)state;
	must(sqlite_begin(db, &e), &e);
	reader = must_open(&first, 0);
	assert_int_equal(number(reader, "SELECT count(*) FROM t"), 0);
	start = clock_monotonic();
	assert_refused(sqlite_begin(reader, &e), &e, "locked by others", 1);
	assert_true(clock_monotonic() - start < CLOCK_SECOND);
	sqlite_close(reader);
	reader = must_open(&first, 200);
	start = clock_monotonic();
	assert_refused(sqlite_run(reader, &e, "DELETE FROM t", ""), &e, "locked by others", 1);
	assert_true(clock_monotonic() - start >= CLOCK_SECOND / 10);
	/* The new tables must wait, and say that another try may help. */
	sqlite_close(reader);
	assert_refused(sqlite_open(&reader, "db", &second, 50, &e), &e, "locked by others", 1);
	must(sqlite_commit(db, &e), &e);
	sqlite_close(db);
}

static void test_refused_files(void **state)
{
	struct err e = ERR_INIT;
	struct sqlite *db = NULL;
	static const char text[] = "this is a text and no database, whatever its name may say; "
				   "it has to be longer than the header of one, a hundred bytes";

	(void)state;
	must(files_replace("db", text, sizeof(text), 0600, &e), &e);
	assert_refused(sqlite_open(&db, "db", &first, 100, &e), &e, "not a database", 0);
	assert_refused(sqlite_open(&db, "none/db", &first, 100, &e), &e, "No such file", 0);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_refused(sqlite_open(&db, "folder", &first, 100, &e), &e, "not a regular", 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_refused(sqlite_open(&db, "fifo", &first, 100, &e), &e, "not a regular", 0);
	assert_int_equal(symlink("db", "link"), 0);
	assert_refused(sqlite_open(&db, "link", &first, 100, &e), &e, "not a regular", 0);
	/* A state directory behind a symbolic link is an admin's choice. */
	assert_int_equal(symlink("folder", "elsewhere"), 0);
	must(sqlite_open(&db, "elsewhere/db", &first, 100, &e), &e);
	sqlite_close(db);
	assert_true(files_exists("folder/db"));
}

/* Until the parent closes the other end. */
static void wait_for(int gate)
{
	char c;

	while (read(gate, &c, 1) > 0)
		continue;
}

/*
 * A second connection's opening must not drop the locks that the first one of this process holds: a
 * process that came and went would take itself for the last one and remove the log under our feet.
 */
static void test_locks_survive(void **state)
{
	struct sqlite *db = NULL;
	int gate[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	/*
	 * Before the first connection is there: SQLite's notes of its locks must not be inherited.
	 */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(gate[1]);
		wait_for(gate[0]);
		status = sqlite_open(&db, "db", &first, 1000, NULL);
		sqlite_close(db);
		_exit(status != 0);
	}
	db = must_open(&first, 1000);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), 0);
	sqlite_close(must_open(&first, 1000));
	close(gate[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(files_exists("db-wal"));
	close(gate[0]);
	sqlite_close(db);
	assert_false(files_exists("db-wal"));
}

#define CROWD 20
#define ROWS 5

/* One of the crowd: waits until all are there, opens the new database, writes, and ends. */
static void join_crowd(int gate)
{
	struct err e = ERR_INIT;
	struct sqlite *db = NULL;

	wait_for(gate);
	for (int i = 0; i < ROWS; i++) {
		if (sqlite_open(&db, "db", &second, 20000, &e) != 0 || sqlite_begin(db, &e) != 0 ||
			sqlite_run(db, &e, "INSERT INTO t(name) VALUES(?)", "t", "x") != 0 ||
			sqlite_commit(db, &e) != 0) {
			fprintf(stderr, "one of the crowd: %s\n", err_text(&e));
			_exit(1);
		}
		sqlite_close(db);
	}
	_exit(0);
}

static void test_crowd(void **state)
{
	struct sqlite *db;
	int gate[2], status, failed = 0;
	pid_t children[CROWD];

	(void)state;
	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < CROWD; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			close(gate[1]);
			join_crowd(gate[0]);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	}
	assert_int_equal(failed, 0);
	db = must_open(&second, 100);
	assert_int_equal(number(db, "SELECT count(*) FROM t"), CROWD * ROWS);
	assert_int_equal(number(db, "SELECT version FROM schema"), 2);
	sqlite_close(db);
}

static void expect_unread(const char *path, const char *sql, const char *words)
{
	struct err e = ERR_INIT;
	int64_t n;

	if (sqlite_read_one(&n, path, sql, 100, &e) != -1 || strstr(err_text(&e), words) == NULL)
		fail_msg("%s: expected %s, got %s", sql, words, err_text(&e));
	err_clear(&e);
}

/* A file of somebody else's is read, and no more. */
static void test_read_only(void **state)
{
	static const char *const steps[] = {"CREATE TABLE t(n INTEGER);"
					    "INSERT INTO t VALUES(7);"
					    "CREATE VIEW endless AS WITH RECURSIVE r(i) AS"
					    " (SELECT 1 UNION ALL SELECT i + 1 FROM r)"
					    " SELECT count(*) AS n FROM r",
		NULL};
	const struct sqlite_schema schema = {"some", steps, 0};
	struct sqlite *db = NULL;
	struct err e = ERR_INIT;
	int64_t n = 0;

	(void)state;
	assert_int_equal(sqlite_open(&db, "what?#%41.db", &schema, 100, &e), 0);
	assert_int_equal(sqlite_read_one(&n, "what?#%41.db", "SELECT n FROM t", 100, &e), 1);
	assert_int_equal(n, 7);
	sqlite_close(db);
	assert_int_equal(sqlite_read_one(&n, "what?#%41.db", "SELECT n FROM t", 100, &e), 1);
	assert_int_equal(n, 7);
	assert_int_equal(
		sqlite_read_one(&n, "what?#%41.db", "SELECT n FROM t WHERE n > 7", 100, &e), 0);
	assert_int_equal(access("what?#%41.db-wal", F_OK), -1);
	assert_int_equal(access("what?#%41.db-shm", F_OK), -1);
	expect_unread("what?#%41.db", "DELETE FROM t", "readonly database");
	expect_unread("what?#%41.db", "SELECT n FROM endless", "interrupted");
	expect_unread("none.db", "SELECT 1", "No such file");
	assert_int_equal(access("none.db", F_OK), -1);
	assert_int_equal(symlink("what?#%41.db", "link.db"), 0);
	expect_unread("link.db", "SELECT 1", "not a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(test_settings),
		scratch_test(test_confined),
		scratch_test(test_rows),
		scratch_test(test_transactions),
		scratch_test(test_full),
		scratch_test(test_flush),
		scratch_test(test_migration),
		scratch_test(test_additive),
		scratch_test(test_open_while_written),
		scratch_test(test_refused_files),
		scratch_test(test_locks_survive),
		scratch_test(test_read_only),
		scratch_test(test_crowd),
	};

	return cmocka_run_group_tests_name("data/sqlite", tests, NULL, NULL);
}
