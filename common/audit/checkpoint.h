/*
 * A checkpoint: what the log is at one moment, signed.  Kept where those who can write the log cannot
 * write, it finds a log that was cut or rewritten, its head too.
 *
 * A signed note (c2sp.org/signed-note) that is a checkpoint of a transparency log
 * (c2sp.org/tlog-checkpoint), with four lines of our own:
 *
 *   git.example.com/modelgate            the log: which machine made it
 *   1204                                 lines, of all its files
 *   CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2     root of the Merkle tree over them (audit/merkle.h), base64
 *   head 9f86d081884c7d65...             SHA-256 of the last of them
 *   seq 1203                             of the last record among them
 *   time 2026-11-23T20:21:49.123456Z
 *   key 11qYAYKxCrfVS/7TyWQHOg7hcvPap... the public key, base64
 *
 *   — git.example.com/modelgate YXNk...  signature of all above the empty line, base64: the first four
 *                                        bytes tell the key, as signed-note has it
 */
#ifndef MODELGATE_AUDIT_CHECKPOINT_H
#define MODELGATE_AUDIT_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "data/ed25519.h"

struct audit_report;
struct err;

#define CHECKPOINT_MAX 131072     /* bytes of one, with all those signatures */
#define CHECKPOINT_MAX_ORIGIN 256 /* bytes */
#define CHECKPOINT_MAX_SIGNATURES 16

struct checkpoint {
	char *origin;
	int64_t lines;
	unsigned char root[SHA256_SIZE];
	char head[SHA256_HEX_SIZE];
	int64_t seq; /* 0: there is no record */
	int64_t time;
	unsigned char key[ED25519_PUBLIC_SIZE]; /* which signed it, or so it says */
};

/* What REPORT of a valid log comes to, by ORIGIN (see checkpoint_origin), now. */
void checkpoint_init(struct checkpoint *out, const struct audit_report *report, const char *origin);
void checkpoint_clear(struct checkpoint *c);
/* "<host name>/modelgate"; the caller's to free(). */
char *checkpoint_origin(void);
/* 1: TEXT can be one: printable ASCII without blanks and "+", and not too long. */
int checkpoint_is_origin(const char *text);

/* C signed with KEY, as text; the caller's to free().  C's key becomes KEY's public one. */
char *checkpoint_render(struct checkpoint *c, const struct ed25519_key *key);

enum checkpoint_trust {
	CHECKPOINT_TRUSTED, /* signed with the key that was given */
	CHECKPOINT_UNKNOWN, /* no key was given: signed with the one that it holds itself */
	CHECKPOINT_FORGED   /* not signed by either */
};

/*
 * Parse LEN bytes and check the signature with the key PUBLIC; NULL: none is known.  Signatures by other keys,
 * which the names and ids before them tell, are passed over.  0 and *OUT, which the
 * caller clears whatever *TRUST is; or -1 and *E: it is no checkpoint.
 */
int checkpoint_parse(struct checkpoint *out, enum checkpoint_trust *trust, const char *text,
	size_t len, const unsigned char *public, struct err *e);

#endif
