#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "audit/journal.h"
#include "audit/lines.h"
#include "base/err.h"
#include "base/mem.h"
#include "check.h"
#include "data/config.h"
#include "sys/datagram.h"

/* 1 if the last line of the log is the one that the head names; 0; -1. */
static int is_last_line(const struct journal *j, struct err *e)
{
	char hash[SHA256_HEX_SIZE];
	int64_t start;

	if (j->size == 0)
		return 1;
	if (lines_start(j->log, j->size - 1, &start, e) != 0 ||
		lines_hash(j->log, start, j->size - 1, hash, e) != 0)
		return -1;
	return strcmp(hash, j->head.hash) == 0;
}

static char *mend_audit(const struct check *c)
{
	return mem_format(
		"modelgate%s%s audit verify names the line; keep a copy before anything is "
		"done",
		c->repository != NULL ? " --repo " : "",
		c->repository != NULL ? c->repository : "");
}

static void tell_audit(
	struct check *c, const struct journal *j, enum audit_found found, int is_last)
{
	switch (found) {
	case AUDIT_FOUND_WHOLE:
		if (is_last)
			check_ok(c, "audit",
				"audit log: %" PRId64 " records, its end is as the head says",
				j->head.seq);
		else
			check_wrong(c, "audit", mend_audit(c),
				"audit log: its last line is not the one that was written");
		break;
	case AUDIT_FOUND_TORN:
		check_note(c, "audit",
			"audit log: the last append was broken off; the next one accounts for it");
		break;
	case AUDIT_FOUND_SHORTER:
		check_wrong(c, "audit", mend_audit(c), "audit log: lines at its end are lost");
		break;
	case AUDIT_FOUND_LONGER:
		check_wrong(c, "audit", mend_audit(c), "audit log: lines were put behind its end");
		break;
	case AUDIT_FOUND_NO_HEAD:
		check_wrong(c, "audit", mend_audit(c), "audit log: its head is missing or damaged");
		break;
	}
}

/* Only the end: what came before is for audit verify, which reads it all. */
static void check_log(struct check *c)
{
	struct journal journal;
	enum audit_found found;
	struct err e = ERR_INIT;
	int is_last = 1, result = journal_open(&journal, c->config->state, JOURNAL_READ, &e);

	if (result == 0)
		result = journal_find_end(&journal, &found, &e);
	if (result == 0 && found == AUDIT_FOUND_WHOLE) {
		is_last = is_last_line(&journal, &e);
		result = is_last < 0 ? -1 : 0;
	}
	if (result != 0)
		check_wrong(c, "audit", NULL, "audit log: MG903: %s", err_text(&e));
	else
		tell_audit(c, &journal, found, is_last);
	journal_close(&journal);
	err_clear(&e);
}

/* The socket of the system log, where there is to be a copy. */
static void check_copy(struct check *c)
{
	const char *socket = c->config->audit_syslog;
	struct err e = ERR_INIT;
	int fd;

	if (socket[0] == '\0')
		return;
	fd = datagram_open(socket, &e);
	if (fd >= 0) {
		check_ok(c, "audit", "audit log: copied to %s", socket);
		(void)close(fd); /* nothing was sent */
	} else {
		check_wrong(c, "audit",
			mem_strdup("start a system log that makes this socket, or change [audit] "
				   "syslog"),
			"audit log: not copied: %s", err_text(&e));
	}
	err_clear(&e);
}

/* The key that checkpoints are checked with. */
static void check_key(struct check *c)
{
	unsigned char key[ED25519_PUBLIC_SIZE];
	const char *path = c->config->audit_public_key;
	struct err e = ERR_INIT;

	if (path[0] == '\0')
		return;
	if (audit_public_key_read(key, path, &e) == 0)
		check_ok(c, "audit", "audit log: checkpoints are checked with %s", path);
	else
		check_wrong(c, "audit",
			mem_strdup("name the .pub file that modelgate audit keygen made"),
			"audit log: [audit] public-key: %s", err_text(&e));
	err_clear(&e);
}

void check_audit(struct check *c)
{
	check_log(c);
	check_copy(c);
	check_key(c);
}
