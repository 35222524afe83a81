/* Audit logs of several files for tests: rotated, torn, looked at file by file. */
#ifndef MODELGATE_TESTS_VOLUMES_H
#define MODELGATE_TESTS_VOLUMES_H

#include "audit/rotate.h"
#include "base/mem.h"
#include "journals.h"

/* Begin a new file, which must succeed; the number of the one before. */
static inline int64_t rotate_log(void)
{
	struct err e = ERR_INIT;
	int64_t number = 0;
	int got = rotate_now(".", &number, &e);

	if (got != 1)
		fail_msg("rotate: %d, %s", got, err_text(&e));
	return number;
}

/* Add BYTES to the log as an append that was killed before its end has left them. */
static inline void break_off(const char *bytes)
{
	struct str head, log;
	struct head h;

	read_whole(HEAD_PATH, &head);
	assert_int_equal(head_parse(&h, head.buf, head.len), 0);
	read_whole(LOG_PATH, &log);
	h.pending_size = (int64_t)log.len + 100000;
	h.pending_seq = h.seq + 2;
	memset(h.pending_hash, '0', SHA256_HEX_SIZE - 1);
	h.pending_hash[SHA256_HEX_SIZE - 1] = '\0';
	str_add(&log, bytes);
	write_head(&h);
	write_whole(LOG_PATH, log.buf, log.len);
	str_clear(&log);
	str_clear(&head);
}

static inline void tear_log(void)
{
	break_off("{\"seq\":7,\"prev\":\"01");
}

/* The path of file NUMBER; 0: of the one that is being added to.  To free(). */
static inline char *file_path(int64_t number)
{
	char name[AUDIT_FILE_NAME_SIZE];

	audit_file_name(number, name);
	return number == 0 ? mem_strdup(LOG_PATH) : mem_format("audit/%s", name);
}

#endif
