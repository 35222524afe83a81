/*
 * The audit log: <state>/audit/audit.jsonl, append only, and the files that it was rotated into
 * (audit/rotate.h).  Each line holds the SHA-256 of the line before it.  <state>/audit/head says, in one line of JSON that is rewritten in place, how many
 * bytes and records the log has, the hash of its last line, and the hash of the line that is being
 * added: so a process killed between the two files is told from a log that was cut or added to.
 */
#ifndef MODELGATE_AUDIT_CHAIN_H
#define MODELGATE_AUDIT_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "audit/merkle.h"

struct audit_record;
struct checkpoint;
struct err;
struct json;

#define AUDIT_LOG "audit.jsonl"
#define AUDIT_HEAD "head"
#define AUDIT_LOCK "lock"
#define AUDIT_MAX_LINE (64U << 20)            /* bytes of one line, its newline included */
#define AUDIT_MAX_APPEND (2 * AUDIT_MAX_LINE) /* bytes of one append, an audit.recovered included */
#define AUDIT_LOCK_MS 10000                   /* how long the lock is waited for */

/*
 * Append the N RECORDS in order, as one write, under a lock: on disk when 0 is returned.
 * STATE is the state directory, which must exist; the audit folder is made with mode 0700.
 * -1 and *E: nothing was added (a partial write is taken back).
 *
 * The head is written and flushed with what is about to be added, the log is written and flushed,
 * the head is written anew.  So a process killed anywhere, and a machine that loses its power,
 * leave one of three states: the log ends at the head; it ends where the head says that it was
 * about to (taken over without a word); or between the two, torn.  Then the torn line is closed and
 * kept, and an audit.recovered goes in front of RECORDS.  Any other state is somebody's doing: the
 * records are added behind an audit.recovered that tells it, and audit_verify names the line ever
 * after.
 */
int audit_append(const char *state, const struct audit_record *records, size_t n, struct err *e);

enum audit_verdict { AUDIT_VALID, AUDIT_INVALID };

struct audit_report {
	int64_t records; /* whole records read */
	int64_t line;    /* first line that is wrong, from 1 in its file; 0: no line is to blame */
	char *file;      /* the name of that file; NULL: no line is to blame */
	char *fault;     /* what is wrong; NULL: nothing */
	char *head;      /* hash of the last line, hexadecimal */
	int64_t recovered;  /* torn lines that the log itself accounts for */
	int64_t broken_off; /* bytes at the end, of an append that the next one will account for */
	int64_t lines_before; /* lines in older files that are missing, as may_begin_late allows */
	/* What a checkpoint is made of: all lines but those of such an append. */
	struct merkle tree;
	char tree_head[SHA256_HEX_SIZE]; /* hash of the last of them */
	int64_t seq;                     /* of the last record among them */
};

/* What a log has to be beside in order. */
struct audit_expected {
	/* The lines that it counts are those that it was made for (audit/checkpoint.h); or NULL. */
	const struct checkpoint *checkpoint;
	/* 1: the oldest files may be missing, as the first that is there tells of what was in them. */
	int may_begin_late;
};

/*
 * Check every line and the head.  0 and *VERDICT, *REPORT (the caller calls audit_report_clear), or
 * -1 and *E: it could not be read.  The lock is held only while the head is read, so that no append
 * is seen half done and none waits for long; what is added afterwards is not looked at.
 *
 * The line named is the one that was touched, as far as that can be told: where a line's `prev`
 * does not fit the line before it, the one of the two that the next line (or the head) confirms is
 * right, and the other was changed.  A missing line is named by the place where it stood; a moved
 * or repeated one by the first place that holds a wrong record; an inserted one by itself; what is
 * lost at the end by the line after the last.  A line that is no record is right only if the next
 * record is an audit.recovered that gives its length and hash.  Who rewrites a run of lines, each
 * fitting the one before, shows at the run's last line.
 */
int audit_verify(
	const char *state, enum audit_verdict *verdict, struct audit_report *report, struct err *e);
/*
 * The same, and that it is as EXPECTED.  A log that was rewritten as a whole, its head too, has no wrong
 * line; one that was cut names the line after its last.  -1 also where files are missing that the
 * checkpoint is about.
 */
int audit_verify_expected(const char *state, const struct audit_expected *expected,
	enum audit_verdict *verdict, struct audit_report *report, struct err *e);
void audit_report_clear(struct audit_report *r);

struct audit_filter {
	const char *user;    /* actor's name or id */
	const char *project; /* glob over names of projects or paths of repositories */
	const char *ref;     /* glob over full reference names or the short ones of branches */
	const char *event;   /* glob over event names */
	int64_t since;       /* microseconds; 0: no limit */
	int64_t until;       /* exclusive; 0: no limit */
};

/*
 * Call EACH with every line of all files that FILTER lets through, oldest first, until it returns other than 0,
 * which is returned.  Lines that are no records are passed over, but for one that is too long: -1 and *E.
 */
int audit_each(const char *state, const struct audit_filter *filter,
	int (*each)(void *context, const char *line, const struct json *record), void *context,
	struct err *e);

/*
 * The same, and -1 unless the first lines are those that VERIFIED is about: who verified by name may find another log
 * under it.  EACH was called by then.
 */
int audit_each_verified(const char *state, const struct audit_filter *filter,
	const struct audit_report *verified,
	int (*each)(void *context, const char *line, const struct json *record), void *context,
	struct err *e);

#endif
