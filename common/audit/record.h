/*
 * What is recorded: one struct audit_record becomes one line of <state>/audit/audit.jsonl
 * (contract, section 8).  Members that are NULL, empty or zero are left out of the line.
 */
#ifndef MODELGATE_AUDIT_RECORD_H
#define MODELGATE_AUDIT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "audit/merkle.h"
#include "base/sha256.h"

/* Who did it. */
struct actor {
	char *id;       /* user-<n> or key-<n> (GitLab), uid-<n> (operating system), "" (HTTP) */
	char *name;     /* may be "" */
	char *protocol; /* http, ssh, web, local */
};

void actor_clear(struct actor *a);
void actor_copy(struct actor *to, const struct actor *from);

struct audit_repository {
	const char *path;          /* Git directory, absolute */
	const char *project;       /* the project's name */
	const char *gl_repository; /* GL_REPOSITORY, or NULL */
};

/* One reference of a push. */
struct audit_ref {
	const char *ref;
	const char *old; /* hexadecimal, as git gave it */
	const char *new;
	const char *source;       /* the reference that NEW was traced to */
	const char *method;       /* merge, fast-forward, squash, direct, create, delete, play */
	const char *const *codes; /* "MG102", lowest first: code is the first, codes all of them */
	size_t n_codes;
	const char *reason;
};

/*
 * How an append found the log: it ends where the head says, or else it begins with an
 * audit.recovered that says how it did end.  Only the first two happen without somebody else's
 * hand.
 */
enum audit_found {
	AUDIT_FOUND_WHOLE,
	AUDIT_FOUND_TORN,    /* an append was broken off: by a crash, or a signal */
	AUDIT_FOUND_SHORTER, /* the log ends before the head: lines are lost */
	AUDIT_FOUND_LONGER,  /* the log goes on behind the head: lines were put there */
	AUDIT_FOUND_NO_HEAD  /* the head is missing or damaged */
};

/* The words that EVENT of a record may be, ended by NULL. */
const char *const *audit_events(void);

/* The word that stands for F in log and head; "" for AUDIT_FOUND_WHOLE. */
const char *audit_found_word(enum audit_found f);
/* 0 and *OUT, or -1: no such word. */
int audit_found_parse(enum audit_found *out, const char *word);

/* Of an audit.recovered: what there was, so that audit_verify can still tell after it. */
struct audit_recovered {
	enum audit_found found;
	int64_t head_size; /* of the head that was found: bytes; 0: none */
	int64_t head_seq;
	char head_hash[SHA256_HEX_SIZE];
	char record_hash[SHA256_HEX_SIZE]; /* of the last whole record; zeros: there is none */
	/* What follows the last whole record, without its last newline; 0 and "": nothing does. */
	int64_t torn_size;
	char torn_hash[SHA256_HEX_SIZE];
};

/* Of an audit.rotated, the first record of a file that is not the log's first: the file before it. */
struct audit_rotated {
	int64_t number; /* of that file: audit_file_name() gives its name */
	int64_t size;   /* its bytes */
	/* Of all lines up to its end; so the log can be checked from here on if older files are gone. */
	struct merkle tree;
};

#define AUDIT_FILE_NAME_SIZE 32
/* The name that the log's NUMBERth file (from 1) has once another one is begun: "audit-000001.jsonl". */
void audit_file_name(int64_t number, char out[AUDIT_FILE_NAME_SIZE]);
/* The number that NAME stands for; 0: it is no such name. */
int64_t audit_file_number(const char *name);

struct audit_record {
	const char *event; /* one of the words of contract, section 8 */
	int64_t time;      /* 0: now */
	const char *push_id;
	struct actor actor;
	struct audit_repository repository;
	const struct audit_ref *refs;
	size_t n_refs;
	int64_t pipeline;
	const char *stage;
	const char *status;
	const char *reason;                      /* of the event as a whole, not of one ref */
	const struct audit_recovered *recovered; /* of audit.recovered; else NULL */
	const struct audit_rotated *rotated;     /* of audit.rotated; else NULL */
	const char *policy;                      /* struct config's sha256 */
	const char *correlation_id;
};

/*
 * RECORD as one line without its newline, with SEQ and PREV in front; the caller's to free().
 */
char *audit_record_line(
	const struct audit_record *record, int64_t seq, const char prev[SHA256_HEX_SIZE]);

#endif
