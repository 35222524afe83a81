#include "data/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "sys/files.h"

#define RETRY_NANOSECONDS 5000000

#define MAX_STEPS 50000000 /* of SQLite's machine, for all that a reader asks */
#define STEPS_AT_ONCE 10000

struct sqlite {
	sqlite3 *db;
	char *path;
	int timeout_ms;
	int64_t steps; /* a reader's, so far */
};

struct sqlite_stmt {
	sqlite3_stmt *stmt;
	struct sqlite *db;
};

static int is_busy(int rc)
{
	return (rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED ||
	       (rc & 0xff) == SQLITE_PROTOCOL;
}

/* No room, for the database itself or for the files beside it, which SQLite tells as many faults. */
static int is_full(const struct sqlite *db, int rc)
{
	return (rc & 0xff) == SQLITE_FULL ||
	       (((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CANTOPEN) && db->db != NULL &&
		       err_number_passes(sqlite3_system_errno(db->db)));
}

/* Set *E to what SQLite says about the outcome RC.  Always returns -1. */
static int fault(const struct sqlite *db, int rc, struct err *e)
{
	if ((rc & 0xff) == SQLITE_NOMEM)
		(void)mem_given(NULL);
	if (is_busy(rc))
		(void)err_set(
			e, "%s: locked by others for more than %d ms", db->path, db->timeout_ms);
	else
		(void)err_set(e, "%s: %s", db->path,
			db->db != NULL ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
	if (e != NULL)
		e->passing = is_busy(rc) || is_full(db, rc);
	return -1;
}

static int execute(struct sqlite *db, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fault(db, rc, e);
}

/*
 * Make the file PATH if it is not there.  One that is there is not opened: closing it would drop
 * the locks that another connection of this process holds on it
 * (sqlite.org/howtocorrupt.html, 2.2).
 */
static int make_file(const char *path, struct err *e)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == 0)
		return S_ISREG(st.st_mode) ? 0 : err_set(e, "%s: not a regular file", path);
	if (errno != ENOENT)
		return err_errno(e, errno, "%s", path);
	fd = files_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, e);
	if (fd >= 0)
		(void)close(fd); /* empty */
	else if (!files_exists(path))
		return -1;
	else
		err_clear(e); /* another process was first */
	return 0;
}

/*
 * PATH with its folder made real, the caller's to free(), or NULL.  SQLite is told to follow no
 * symbolic link, and means the folders above the file too.
 */
static char *real_place(const char *path, struct err *e)
{
	char *dir = path_dir(path);
	char *real = files_real_path(dir, e);
	char *place = real != NULL ? path_join(real, path_base(path)) : NULL;

	free(real);
	free(dir);
	return place;
}

/*
 * Switch to write-ahead logging, which the file remembers.  While several connections do so on a
 * new file, SQLite answers "busy" without waiting, since waiting could be for each other: tried
 * again.
 */
static int use_wal(struct sqlite *db, struct err *e)
{
	const struct timespec pause = {0, RETRY_NANOSECONDS};
	int64_t deadline = clock_monotonic() + db->timeout_ms * (CLOCK_SECOND / 1000);
	struct sqlite_stmt *s = NULL;
	int got, status;

	for (;;) {
		if (sqlite_query(db, &s, e, "PRAGMA journal_mode=WAL", "") != 0)
			got = -1;
		else
			got = sqlite_next(s, e);
		status = got == 1 && strcmp(sqlite_text(s, 0), "wal") == 0 ? 0 : -1;
		sqlite_end(s);
		if (status == 0)
			return 0;
		if (got >= 0)
			return err_set(e, "%s: cannot use write-ahead logging here", db->path);
		if (!is_busy(sqlite3_errcode(db->db)) || clock_monotonic() >= deadline)
			return -1;
		err_clear(e);
		(void)nanosleep(&pause, NULL); /* woken early: tried early */
	}
}

static int read_version(struct sqlite *db, const char *component, int64_t *version, struct err *e)
{
	*version = 0;
	return sqlite_one(
		db, version, e, "SELECT version FROM schema WHERE component = ?", "t", component);
}

/* 1: whoever wrote the newer tables says that a program which knows KNOWN steps can go on; 0; -1. */
static int suffices(
	struct sqlite *db, const struct sqlite_schema *schema, int64_t known, struct err *e)
{
	int64_t needs = 0;
	int found = sqlite_one(db, &needs, e, "SELECT needs FROM schema_needs WHERE component = ?",
		"t", schema->component);

	/* Written before there was such a table. */
	if (found < 0 && sqlite3_errcode(db->db) == SQLITE_ERROR) {
		err_clear(e);
		return 0;
	}
	return found == 1 ? needs <= known : found;
}

/* Tables of VERSION, more than KNOWN: 0 go on, or -1. */
static int newer(struct sqlite *db, const struct sqlite_schema *schema, int64_t version,
	int64_t known, struct err *e)
{
	int goes = suffices(db, schema, known, e);

	if (goes != 0)
		return goes > 0 ? 0 : -1;
	return err_set(e,
		"%s: written by a newer modelgate (%s has version %lld, this program knows %lld)",
		db->path, schema->component, (long long)version, (long long)known);
}

static int migrate(
	struct sqlite *db, const struct sqlite_schema *schema, int64_t known, struct err *e)
{
	int64_t version;

	if (sqlite_begin(db, e) != 0)
		return -1;
	if (execute(db,
		    "CREATE TABLE IF NOT EXISTS schema("
		    "component TEXT PRIMARY KEY, version INTEGER NOT NULL);"
		    "CREATE TABLE IF NOT EXISTS schema_needs("
		    "component TEXT PRIMARY KEY, needs INTEGER NOT NULL)",
		    e) != 0 ||
		read_version(db, schema->component, &version, e) < 0)
		goto fail;
	if (version > known) {
		if (newer(db, schema, version, known, e) != 0)
			goto fail;
		sqlite_rollback(db);
		return 0;
	}
	for (; version < known; version++)
		if (execute(db, schema->steps[version], e) != 0)
			goto fail;
	if (sqlite_run(db, e, "INSERT OR REPLACE INTO schema VALUES(?, ?)", "ti", schema->component,
		    known) != 0 ||
		sqlite_run(db, e, "INSERT OR REPLACE INTO schema_needs VALUES(?, ?)", "ti",
			schema->component, schema->needs != 0 ? schema->needs : known) != 0)
		goto fail;
	return sqlite_commit(db, e);
fail:
	sqlite_rollback(db);
	return err_wrap(e, "cannot bring the tables of %s up to date", schema->component);
}

int sqlite_add_schema(struct sqlite *db, const struct sqlite_schema *schema, struct err *e)
{
	int64_t known = 0, version;
	int found;

	while (schema->steps[known] != NULL)
		known++;
	found = read_version(db, schema->component, &version, e);
	/* In a new file there is no table of versions yet: that, and no other fault, is "error". */
	if (found < 0 && sqlite3_errcode(db->db) != SQLITE_ERROR)
		return -1;
	err_clear(e);
	if (found == 1 && version > known)
		return newer(db, schema, version, known, e);
	return found == 1 && version == known ? 0 : migrate(db, schema, known, e);
}

int sqlite_open(struct sqlite **out, const char *path, const struct sqlite_schema *schema,
	int timeout_ms, struct err *e)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE |
			  SQLITE_OPEN_PRIVATECACHE;
	struct sqlite *db = NULL;
	char *place = real_place(path, e);
	int rc, status = -1;

	*out = NULL;
	if (place == NULL || make_file(place, e) != 0)
		goto out;
	db = mem_zalloc(1, sizeof(*db));
	db->path = mem_strdup(path);
	db->timeout_ms = timeout_ms;
	rc = sqlite3_open_v2(place, &db->db, flags, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db->db, timeout_ms);
	if (rc != SQLITE_OK) {
		(void)fault(db, rc, e);
		goto out;
	}
	/* A hook can make no file where SQLite would have temporary ones: to sort, for an index of many rows. */
	if (execute(db, "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY",
		    e) != 0 ||
		use_wal(db, e) != 0 || sqlite_add_schema(db, schema, e) != 0)
		goto out;
	*out = db;
	db = NULL;
	status = 0;
out:
	sqlite_close(db);
	free(place);
	return status;
}

/* As a URI that has SQLite make nothing beside the file; the caller's to free(). */
static char *reading_uri(const char *place, int is_alone)
{
	struct str uri;

	str_init(&uri);
	str_add(&uri, "file:");
	for (const char *p = place; *p != '\0'; p++)
		if (*p == '%' || *p == '?' || *p == '#')
			str_addf(&uri, "%%%02X", (unsigned)*p);
		else
			str_addc(&uri, *p);
	str_add(&uri, is_alone ? "?immutable=1" : "?readonly_shm=1");
	return str_steal(&uri);
}

static int count_steps(void *context)
{
	struct sqlite *db = context;

	db->steps += STEPS_AT_ONCE;
	return db->steps > MAX_STEPS;
}

/* Whoever wrote the file is not believed: nothing in it makes us do more than read.  0, or SQLite's code. */
static int distrust(struct sqlite *db)
{
	int rc = sqlite3_busy_timeout(db->db, db->timeout_ms);

	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_progress_handler(db->db, STEPS_AT_ONCE, count_steps, db);
	return rc;
}

/* 1: no log of writes lies beside the file PLACE, which thus holds all. */
static int is_alone(const char *place)
{
	char *wal = mem_format("%s-wal", place);
	struct stat st;
	int alone = lstat(wal, &st) != 0 && errno == ENOENT;

	free(wal);
	return alone;
}

/* As access(2), but by the rights in force: a service that may read all has them, and its real user not. */
static int may_access(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}

/* Have SQLite look for the files beside a database by CALL; NULL: by access(2), as it does. */
static void set_access(int (*call)(const char *, int))
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (vfs != NULL && vfs->iVersion >= 3)
		(void)vfs->xSetSystemCall(
			vfs, "access", (sqlite3_syscall_ptr)call); /* else it tells less */
}

static int open_reading(struct sqlite *db, const char *place, int alone, struct err *e)
{
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW |
			  SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE;
	char *uri = reading_uri(place, alone);
	int rc = sqlite3_open_v2(uri, &db->db, flags, NULL);

	free(uri);
	if (rc == SQLITE_OK)
		rc = distrust(db);
	return rc == SQLITE_OK ? 0 : fault(db, rc, e);
}

static int is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int sqlite_read_one(int64_t *out, const char *path, const char *sql, int timeout_ms, struct err *e)
{
	struct sqlite db = {.path = mem_strdup(path), .timeout_ms = timeout_ms};
	char *place = real_place(path, e);
	struct stat before, after;
	int alone, got = -1;

	*out = 0;
	if (place == NULL)
		goto out;
	set_access(may_access);
	alone = is_alone(place);
	if (lstat(place, &before) != 0)
		(void)err_errno(e, errno, "%s", path);
	else if (!S_ISREG(before.st_mode))
		(void)err_set(e, "%s: not a regular file", path);
	else if (open_reading(&db, place, alone, e) == 0)
		got = sqlite_one(&db, out, e, sql, "");
	/* Somebody has begun to write since: what was read may be of two times. */
	if (got >= 0 && alone &&
		(!is_alone(place) || lstat(place, &after) != 0 || !is_same_file(&before, &after))) {
		got = err_set(e, "%s: written to while it was read", path);
		if (e != NULL)
			e->passing = 1;
	}
out:
	(void)sqlite3_close_v2(db.db); /* cannot fail */
	set_access(NULL);
	free(place);
	free(db.path);
	return got;
}

void sqlite_close(struct sqlite *db)
{
	if (db == NULL)
		return;
	if (db->db != NULL)
		sqlite_rollback(db);
	/* v2: a query that was not ended yet keeps the connection until it is. */
	(void)sqlite3_close_v2(db->db); /* cannot fail */
	free(db->path);
	free(db);
}

int sqlite_begin(struct sqlite *db, struct err *e)
{
	return execute(db, "BEGIN IMMEDIATE", e);
}

int sqlite_commit(struct sqlite *db, struct err *e)
{
	if (execute(db, "COMMIT", e) == 0)
		return 0;
	sqlite_rollback(db);
	return -1;
}

int sqlite_flush(struct sqlite *db, struct err *e)
{
	int rc = sqlite3_db_cacheflush(db->db);

	return rc == SQLITE_OK ? 0 : fault(db, rc, e);
}

void sqlite_rollback(struct sqlite *db)
{
	if (!sqlite3_get_autocommit(db->db))
		(void)sqlite3_exec(
			db->db, "ROLLBACK", NULL, NULL, NULL); /* the caller gives up anyway */
}

static int bind_arguments(
	struct sqlite *db, sqlite3_stmt *stmt, const char *format, va_list ap, struct err *e)
{
	int n = sqlite3_bind_parameter_count(stmt), rc = SQLITE_OK;

	if ((size_t)n != strlen(format))
		return err_set(e, "%s: %d arguments for \"%s\", but \"%s\"", db->path, n,
			sqlite3_sql(stmt), format);
	for (int i = 1; i <= n && rc == SQLITE_OK; i++)
		if (format[i - 1] == 'i')
			rc = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
		else
			rc = sqlite3_bind_text(
				stmt, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
	return rc == SQLITE_OK ? 0 : fault(db, rc, e);
}

static int prepare(struct sqlite *db, struct sqlite_stmt **out, const char *sql, const char *format,
	va_list ap, struct err *e)
{
	struct sqlite_stmt *s = mem_zalloc(1, sizeof(*s));
	const char *rest = NULL;
	int rc;

	s->db = db;
	rc = sqlite3_prepare_v2(db->db, sql, -1, &s->stmt, &rest);
	if (rc != SQLITE_OK)
		(void)fault(db, rc, e);
	else if (s->stmt == NULL || *rest != '\0')
		(void)err_set(e, "%s: not one statement: \"%s\"", db->path, sql);
	else if (bind_arguments(db, s->stmt, format, ap, e) == 0)
		*out = s;
	if (*out == NULL)
		sqlite_end(s);
	return *out != NULL ? 0 : -1;
}

int sqlite_query(struct sqlite *db, struct sqlite_stmt **out, struct err *e, const char *sql,
	const char *format, ...)
{
	va_list ap;
	int status;

	*out = NULL;
	va_start(ap, format);
	status = prepare(db, out, sql, format, ap, e);
	va_end(ap);
	return status;
}

int sqlite_run(struct sqlite *db, struct err *e, const char *sql, const char *format, ...)
{
	struct sqlite_stmt *s = NULL;
	va_list ap;
	int status;

	va_start(ap, format);
	status = prepare(db, &s, sql, format, ap, e);
	va_end(ap);
	if (status == 0)
		status = sqlite_next(s, e);
	if (status == 1)
		status = err_set(e, "%s: gave rows: \"%s\"", db->path, sql);
	sqlite_end(s);
	return status;
}

int64_t sqlite_changes(struct sqlite *db)
{
	return sqlite3_changes64(db->db);
}

int64_t sqlite_last_id(struct sqlite *db)
{
	return sqlite3_last_insert_rowid(db->db);
}

int sqlite_next(struct sqlite_stmt *s, struct err *e)
{
	int rc = sqlite3_step(s->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : fault(s->db, rc, e);
}

const char *sqlite_text(struct sqlite_stmt *s, int i)
{
	if (sqlite3_column_type(s->stmt, i) == SQLITE_NULL)
		return "";
	return mem_given((void *)sqlite3_column_text(s->stmt, i));
}

int64_t sqlite_number(struct sqlite_stmt *s, int i)
{
	return sqlite3_column_int64(s->stmt, i);
}

void sqlite_end(struct sqlite_stmt *s)
{
	if (s == NULL)
		return;
	(void)sqlite3_finalize(s->stmt); /* repeats what sqlite_next said */
	free(s);
}

static int first_number(struct sqlite_stmt *s, int64_t *out, struct err *e)
{
	int got = sqlite_next(s, e);

	if (got == 1)
		*out = sqlite_number(s, 0);
	return got;
}

int sqlite_one(
	struct sqlite *db, int64_t *out, struct err *e, const char *sql, const char *format, ...)
{
	struct sqlite_stmt *s = NULL;
	va_list ap;
	int got;

	*out = 0;
	va_start(ap, format);
	got = prepare(db, &s, sql, format, ap, e);
	va_end(ap);
	if (got == 0)
		got = first_number(s, out, e);
	sqlite_end(s);
	return got;
}
