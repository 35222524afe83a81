#define _DEFAULT_SOURCE /* gethostname */
#include "audit/copy.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/entry.h"
#include "audit/export.h"
#include "audit/journal.h"
#include "audit/volumes.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/config.h"
#include "data/json.h"
#include "sys/datagram.h"
#include "sys/files.h"

#define PLACE_NAME "copied"
#define PLACE_MAX 4096  /* bytes */
#define SAVE_EVERY 1000 /* records: so many may be sent twice after a crash */
#define PATIENCE CLOCK_SECOND

/* How far the copy has come: behind a line of a file. */
struct place {
	int64_t file;               /* its number */
	int64_t begin;              /* of that line */
	int64_t offset;             /* of the byte behind it; 0: at the begin of the file */
	int64_t seq;                /* of the last record that was sent */
	char hash[SHA256_HEX_SIZE]; /* of that line */
};

struct copy {
	struct volumes volumes;
	int64_t current; /* the number of the file that is being added to */
	struct place place;
	char *path; /* where the place is kept */
	char host[HOST_NAME_MAX + 1];
	const char *socket;
	int fd;      /* -1: not open yet */
	int is_told; /* 1: an alert was sent, and no record since then */
	int is_new;  /* 1: nothing is known to have been sent, which the first message tells */
	int64_t n;
	struct err *e;
};

static void init_place(struct place *p)
{
	memset(p, 0, sizeof(*p));
	p->file = 1;
	memcpy(p->hash, ENTRY_NO_HASH, SHA256_HEX_SIZE);
}

/* 0, or -1: it cannot be read; one that makes no sense is as none: everything is sent again. */
static int load_place(struct copy *c)
{
	struct json *j = NULL;
	struct str text;
	int got;

	init_place(&c->place);
	str_init(&text);
	got = files_read(c->path, PLACE_MAX, &text, c->e);
	if (got == 1 && json_parse(&j, text.buf, text.len, NULL) == 0 &&
		entry_is_hash(json_get_text(j, "hash"))) {
		c->place.file = json_get_number(j, "file", 1);
		c->place.begin = json_get_number(j, "begin", -1);
		c->place.offset = json_get_number(j, "offset", -1);
		c->place.seq = json_get_number(j, "seq", 0);
		memcpy(c->place.hash, json_get_text(j, "hash"), SHA256_HEX_SIZE);
		if (c->place.file < 1 || c->place.begin < 0 ||
			(c->place.offset == 0 ? c->place.begin > 0
					      : c->place.offset <= c->place.begin))
			init_place(&c->place);
	}
	c->is_new = c->place.seq == 0 && c->place.offset == 0;
	json_free(j);
	str_clear(&text);
	return got < 0 ? -1 : 0;
}

static int save_place(const struct copy *c, struct err *e)
{
	struct json *j = json_new_object();
	char *text;
	int status;

	json_put_number(j, "file", c->place.file);
	json_put_number(j, "begin", c->place.begin);
	json_put_number(j, "offset", c->place.offset);
	json_put_number(j, "seq", c->place.seq);
	json_put_text(j, "hash", c->place.hash);
	text = json_text(j, JSON_ONE_LINE);
	status = files_replace(c->path, text, strlen(text), 0600, e);
	free(text);
	json_free(j);
	return status;
}

/* The number of the file that is being added to, which its first line tells. */
static int find_current(struct copy *c)
{
	struct reader reader;
	struct entry entry;
	struct line line;
	int got;

	c->current = 1;
	reader_init(&reader, &c->volumes, c->volumes.n);
	got = reader_next(&reader, &line, c->e);
	if (got == 1 && entry_parse(&entry, line.text, line.len)) {
		if (entry.is_rotated)
			c->current = entry.rotated.number + 1;
		entry_clear(&entry);
	}
	reader_clear(&reader);
	return got < 0 ? -1 : 0;
}

static int64_t number_of(const struct copy *c, size_t file)
{
	return file < c->volumes.n ? c->volumes.numbers[file] : c->current;
}

static int send_one(void *context, const char *message, size_t len)
{
	struct copy *c = context;

	if (c->fd < 0) {
		c->fd = datagram_open(c->socket, c->e);
		/* Where the place cannot be kept, the same would be sent again and again. */
		if (c->fd < 0 || save_place(c, c->e) != 0)
			return -1;
	}
	return datagram_send(c->fd, message, len, c->e);
}

/* 0, or -1. */
static int send_alert(struct copy *c)
{
	char when[CLOCK_TEXT_SIZE], *message;
	int status;

	clock_text(clock_now(), when);
	message =
		mem_format("<%d>1 %s %s modelgate %ld audit.broken [modelgate@32473 seq=\"%" PRId64
			   "\" hash=\"%s\"] Audit log does not go on behind the record that was "
			   "copied last: it was cut or rewritten",
			13 * 8 + 1, when, c->host, (long)getpid(), c->place.seq, c->place.hash);
	status = send_one(c, message, strlen(message));
	free(message);
	c->is_told = status == 0;
	return status;
}

/* Whoever takes the place away has all sent anew: the receiver is told where that begins.  0, or -1. */
static int send_begin(struct copy *c, int64_t seq)
{
	char when[CLOCK_TEXT_SIZE], *message;
	int status;

	clock_text(clock_now(), when);
	message =
		mem_format("<%d>1 %s %s modelgate %ld audit.copy-begins [modelgate@32473 "
			   "seq=\"%" PRId64 "\"] Copy of the audit log begins with record %" PRId64,
			13 * 8 + 5, when, c->host, (long)getpid(), seq, seq);
	status = send_one(c, message, strlen(message));
	free(message);
	c->is_new = status != 0;
	return status;
}

/* Send what LINE holds, and move on behind it.  0, or -1. */
static int copy_line(struct copy *c, size_t file, const struct line *line)
{
	struct entry entry;
	struct export_record record;
	char *text;
	int status = 0, is_record = entry_parse(&entry, line->text, line->len);

	if (is_record && c->is_new)
		status = send_begin(c, entry.seq);
	else if (is_record && !c->is_told && strcmp(entry.prev, c->place.hash) != 0)
		status = send_alert(c);
	if (is_record && status == 0) {
		text = mem_strndup(line->text, line->len);
		record = (struct export_record){text, entry.json};
		status = export_syslog(&record, c->host, send_one, c);
		free(text);
		c->place.seq = entry.seq;
		c->n++;
	}
	if (is_record)
		entry_clear(&entry);
	if (status != 0)
		return -1;
	c->is_told = 0;
	c->place.file = number_of(c, file);
	c->place.begin = line->start;
	c->place.offset = line->next;
	sha256_of(line->text, line->len, c->place.hash);
	return c->n % SAVE_EVERY == SAVE_EVERY - 1 && is_record ? save_place(c, c->e) : 0;
}

/* Begin R behind the line that was copied last.  1; 0: it is not there any more; -1. */
static int find_line(struct copy *c, struct reader *r, size_t file)
{
	char hash[SHA256_HEX_SIZE];
	struct line line;
	int got;

	reader_init(r, &c->volumes, file);
	if (c->is_new)
		return 1; /* older files may have been taken away */
	if (number_of(c, file) != c->place.file)
		return 0;
	if (c->place.offset == 0)
		return 1;
	reader_seek(r, c->place.begin);
	got = reader_next(r, &line, c->e);
	if (got <= 0)
		return got;
	sha256_of(line.text, line.len, hash);
	return r->file == file && line.next == c->place.offset && strcmp(hash, c->place.hash) == 0;
}

/*
 * Begin R where the log goes on behind the place that the copy has come to; else tell that, and begin with the
 * file in which that was, or the first that is there of those after it.  0, or -1.
 */
static int find_start(struct copy *c, struct reader *r)
{
	size_t file = 0;
	int got;

	while (file < c->volumes.n && number_of(c, file) < c->place.file)
		file++;
	got = find_line(c, r, file);
	if (got != 0)
		return got < 0 ? -1 : 0;
	if (send_alert(c) != 0)
		return -1;
	init_place(&c->place);
	c->place.file = number_of(c, file);
	reader_clear(r);
	reader_init(r, &c->volumes, file);
	return 0;
}

/* 1: LINE is one that is still being written; a rotated file has none such, or was cut. */
static int is_open(const struct copy *c, const struct reader *r, const struct line *line)
{
	return r->file == c->volumes.n && line->end == LINES_LIMIT;
}

/* 0; 1: the time is over, and there may be more; -1. */
static int copy_all(struct copy *c)
{
	const int64_t until = clock_monotonic() + PATIENCE;
	const struct place before = c->place;
	struct err told = ERR_INIT;
	struct reader reader;
	struct line line;
	int got = find_start(c, &reader), status = 0;

	while (status == 0 && got >= 0 && (got = reader_next(&reader, &line, c->e)) > 0 &&
		!is_open(c, &reader, &line)) {
		got = copy_line(c, reader.file, &line);
		status = clock_monotonic() >= until;
	}
	reader_clear(&reader);
	if (got < 0)
		status = -1;
	if ((c->place.file != before.file || c->place.offset != before.offset) &&
		save_place(c, status >= 0 ? c->e : &told) != 0)
		status = -1;
	err_clear(&told);
	return status;
}

int copy_to_syslog(const char *state, const char *socket, int64_t *n, struct err *e)
{
	char *folder = path_join(state, CONFIG_STATE_AUDIT);
	struct copy c = {.path = path_join(folder, PLACE_NAME), .socket = socket, .fd = -1, .e = e};
	struct journal j;
	int status = -1;

	if (gethostname(c.host, sizeof(c.host)) != 0 || c.host[0] == '\0')
		memcpy(c.host, "-", 2);
	c.host[sizeof(c.host) - 1] = '\0';
	if (journal_open(&j, state, JOURNAL_READ, e) == 0 &&
		volumes_find(&c.volumes, state, &j, e) == 0 && load_place(&c) == 0 &&
		find_current(&c) == 0)
		status = copy_all(&c);
	*n = c.n;
	if (c.fd >= 0)
		(void)close(c.fd); /* what was sent is sent */
	volumes_clear(&c.volumes);
	journal_close(&j);
	free(c.path);
	free(folder);
	return status;
}
