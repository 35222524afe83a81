/*
 * SQLite as this project uses it: WAL, foreign keys, synchronous=FULL, a busy time-out, tables that
 * belong to a component with a version of its own, and statements with named outcomes.
 */
#ifndef MODELGATE_DATA_SQLITE_H
#define MODELGATE_DATA_SQLITE_H

#include <stdint.h>

struct err;
struct sqlite;
struct sqlite_stmt;

/*
 * The tables of one component: STEPS[i] is the SQL that brings version i to version i + 1; the
 * array ends with NULL.  Steps that have been released are never changed, only added to.
 */
struct sqlite_schema {
	const char *component;
	const char *const *steps;
	/*
	 * A program that knows at least so many steps can go on with these tables, for what came later
	 * was only added: so a program that runs while a newer one is installed beside it does.  0: one
	 * must know them all.
	 */
	int64_t needs;
};

/*
 * Open the database file PATH, made with mode 0600 if it is not there, and bring the tables of
 * SCHEMA up to date in one transaction.  Waits at most TIMEOUT_MS for other writers, here and
 * later. 0, or -1: not a database, corrupt, locked for longer, or of a newer schema that this
 * program cannot go on with.
 */
int sqlite_open(struct sqlite **out, const char *path, const struct sqlite_schema *schema,
	int timeout_ms, struct err *e);
/* Bring the tables of one more component of the same file up to date.  0, or -1 as above. */
int sqlite_add_schema(struct sqlite *db, const struct sqlite_schema *schema, struct err *e);
/*
 * The first column of the first row that SQL gives, of the file PATH, as a number: 1 and *OUT; 0: no
 * row; -1: it could not be told.  Of a file that another account wrote, which is not believed: nothing
 * is made or changed, neither the file nor what lies beside it, its schema calls no functions of ours,
 * and it takes a bounded time.
 */
int sqlite_read_one(int64_t *out, const char *path, const char *sql, int timeout_ms, struct err *e);
void sqlite_close(struct sqlite *db); /* rolls an open transaction back; NULL is fine */

/* BEGIN IMMEDIATE, COMMIT.  0, or -1.  A failed commit has rolled back. */
int sqlite_begin(struct sqlite *db, struct err *e);
int sqlite_commit(struct sqlite *db, struct err *e);
/*
 * Write what the open transaction has changed so far, without committing it: what lacks room is told
 * before anybody acts on it.  0, or -1.
 */
int sqlite_flush(struct sqlite *db, struct err *e);
void sqlite_rollback(struct sqlite *db); /* nothing happens outside a transaction */

/*
 * Run one statement that gives no rows.  FORMAT has one letter an argument, bound in order:
 * t const char * (NULL: SQL NULL), i int64_t.  0, or -1.
 */
int sqlite_run(struct sqlite *db, struct err *e, const char *sql, const char *format, ...);
/* Rows changed by the last sqlite_run; row id of its insert. */
int64_t sqlite_changes(struct sqlite *db);
int64_t sqlite_last_id(struct sqlite *db);

/* Start a query, arguments as above.  0 and *OUT, or -1. */
int sqlite_query(struct sqlite *db, struct sqlite_stmt **out, struct err *e, const char *sql,
	const char *format, ...);
/* 1: a row is there; 0: no more; -1. */
int sqlite_next(struct sqlite_stmt *s, struct err *e);
/* Column I (from 0) of the row: text borrowed until the next sqlite_next, "" for SQL NULL. */
const char *sqlite_text(struct sqlite_stmt *s, int i);
int64_t sqlite_number(struct sqlite_stmt *s, int i);
void sqlite_end(struct sqlite_stmt *s); /* NULL is fine */

/* The first column of the first row of a query, as a number: 1 and *OUT; 0 no row; -1. */
int sqlite_one(
	struct sqlite *db, int64_t *out, struct err *e, const char *sql, const char *format, ...);

#endif
