/* Audit logs of several files for tests: rotated, torn, looked at file by file. */
#ifndef MODELGATE_TESTS_VOLUMES_H
#define MODELGATE_TESTS_VOLUMES_H

#include "audit/rotate.h"
#include "base/mem.h"
#include "base/str.h"
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

#define FILES 4 /* of the log that is tampered with: three that were rotated, and the last */

static const int lines_of[FILES] = {3, 4, 4, 3};

/* File I, from 0, to free(). */
static inline char *path_of(int i)
{
	return file_path(i == FILES - 1 ? 0 : i + 1);
}

/* The name that is to be in a report. */
static inline const char *name_of(int i)
{
	static const char *const names[FILES] = {
		"audit-000001.jsonl", "audit-000002.jsonl", "audit-000003.jsonl", AUDIT_LOG};

	return names[i];
}

struct files {
	struct str text[FILES];
	struct str head;
};

static inline void make_log(struct files *f)
{
	add_records(1, 3);
	rotate_log();
	add_records(5, 3);
	rotate_log();
	add_records(9, 3);
	rotate_log();
	add_records(13, 2);
	for (int i = 0; i < FILES; i++) {
		char *path = path_of(i);

		read_whole(path, &f->text[i]);
		free(path);
	}
	read_whole(HEAD_PATH, &f->head);
}

static inline void write_file(int i, const char *bytes, size_t len)
{
	char *path = path_of(i);

	write_whole(path, bytes, len);
	free(path);
}

/* All as it was. */
static inline void put_back(const struct files *f)
{
	for (int i = 0; i < FILES; i++) {
		char *path = path_of(i);

		assert_int_equal(files_remove_tree(path, NULL), 0);
		write_whole(path, f->text[i].buf, f->text[i].len);
		free(path);
	}
	write_whole(HEAD_PATH, f->head.buf, f->head.len);
}

static inline void files_clear(struct files *f)
{
	for (int i = 0; i < FILES; i++)
		str_clear(&f->text[i]);
	str_clear(&f->head);
}

/* FILE NULL: the log is valid. */
static inline void expect_place(const char *what, const char *file, int64_t line, const char *words,
	const struct audit_expected *expected)
{
	const struct audit_expected nothing = {.checkpoint = NULL};
	enum audit_verdict verdict;
	struct audit_report r;
	struct err e = ERR_INIT;

	if (audit_verify_expected(".", expected != NULL ? expected : &nothing, &verdict, &r, &e) !=
		0)
		fail_msg("%s: cannot verify: %s", what, err_text(&e));
	if ((verdict == AUDIT_VALID) != (words == NULL) || !str_same(r.file, file) ||
		r.line != line || (words != NULL && strstr(r.fault, words) == NULL))
		fail_msg("%s: expected %s:%" PRId64 " %s, got %s:%" PRId64 " %s", what,
			file != NULL ? file : "", line, words != NULL ? words : "valid",
			r.file != NULL ? r.file : "", r.line, r.fault != NULL ? r.fault : "valid");
	audit_report_clear(&r);
}

/* The begin of line LINE (from 1) of S, or its end. */
static inline size_t line_begin(const struct str *s, int line)
{
	size_t at = 0;

	while (--line > 0)
		at += strcspn(s->buf + at, "\n") + 1;
	return at;
}

#endif
