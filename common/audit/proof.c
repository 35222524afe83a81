#include "audit/proof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/journal.h"
#include "audit/volumes.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/json.h"

/* The hashes of all lines, and where the record is among them. */
struct leaves {
	unsigned char (*v)[SHA256_SIZE];
	size_t n;
	size_t cap;
	char *record; /* NULL: not met yet */
	int64_t index;
	int is_late; /* 1: the first line tells of files before it */
};

static void take_line(struct leaves *l, const struct line *line, int64_t seq)
{
	struct entry entry;

	mem_grow(&l->v, l->n, &l->cap, sizeof(*l->v));
	merkle_leaf(line->text, line->len, l->v[l->n]);
	if ((l->n == 0 || l->record == NULL) && entry_parse(&entry, line->text, line->len)) {
		l->is_late |= l->n == 0 && entry.is_rotated;
		if (entry.seq == seq) {
			l->record = mem_strndup(line->text, line->len);
			l->index = (int64_t)l->n;
		}
		entry_clear(&entry);
	}
	l->n++;
}

/* A line that no append has ended is not signed: see audit_verify. */
static int is_ended(const struct reader *r, const struct line *line, enum audit_found found)
{
	const struct volumes *v = r->volumes;

	return line->end == LINES_NEWLINE &&
	       (r->file < v->n || found != AUDIT_FOUND_TORN || line->next <= v->journal->head.size);
}

/* The first LINES lines (0: all).  0, or -1 and *E. */
static int read_leaves(struct leaves *l, const struct volumes *v, enum audit_found found,
	int64_t seq, int64_t lines, struct err *e)
{
	struct reader reader;
	struct line line;
	int got = 0;

	reader_init(&reader, v, 0);
	while ((lines == 0 || (int64_t)l->n < lines) &&
		(got = reader_next(&reader, &line, e)) > 0 && is_ended(&reader, &line, found))
		take_line(l, &line, seq);
	reader_clear(&reader);
	if (got < 0)
		return -1;
	if (l->is_late)
		return err_set(
			e, "the oldest files of the log are not here: a proof needs all of it");
	if ((int64_t)l->n < lines)
		return err_set(e,
			"the log has %zu lines, and the checkpoint was made for %" PRId64
			": see modelgate audit verify --checkpoint",
			l->n, lines);
	return 0;
}

int proof_make(struct proof *out, const char *state, int64_t seq, int64_t lines, struct err *e)
{
	struct volumes volumes = {.n = 0};
	struct leaves l = {.n = 0};
	struct journal j;
	enum audit_found found;
	int result = -1;

	memset(out, 0, sizeof(*out));
	if (journal_open(&j, state, JOURNAL_READ, e) == 0 && journal_find_end(&j, &found, e) == 0 &&
		volumes_find(&volumes, state, &j, e) == 0 &&
		read_leaves(&l, &volumes, found, seq, lines, e) == 0)
		result = l.record != NULL;
	if (result == 1) {
		merkle_prove(&out->path, l.v, (int64_t)l.n, l.index);
		out->record = l.record;
		l.record = NULL;
	}
	free(l.record);
	free(l.v);
	volumes_clear(&volumes);
	journal_close(&j);
	return result;
}

void proof_clear(struct proof *p)
{
	free(p->record);
	free(p->checkpoint);
	memset(p, 0, sizeof(*p));
}

char *proof_render(const struct proof *p)
{
	struct json *o = json_new_object(), *path = json_new_array();
	char digits[SHA256_HEX_SIZE], *text;

	json_put_text(o, "record", p->record);
	json_put_number(o, "index", p->path.index);
	json_put_number(o, "lines", p->path.n);
	for (size_t i = 0; i < p->path.length; i++) {
		sha256_digits(p->path.path[i], digits);
		json_append_text(path, digits);
	}
	json_put(o, "path", path);
	json_put_known(o, "checkpoint", p->checkpoint);
	text = json_text(o, JSON_PRETTY);
	json_free(o);
	return text;
}

static int read_members(struct proof *out, const struct json *o)
{
	const char *record = json_get_text(o, "record"),
		   *signed_by = json_get_text(o, "checkpoint");
	int is_signed = json_get(o, "checkpoint") != NULL;
	const struct json *path = json_get(o, "path");

	out->path.index = json_get_number(o, "index", -1);
	out->path.n = json_get_number(o, "lines", -1);
	out->path.length = json_length(path);
	if (record == NULL || is_signed != (signed_by != NULL) || out->path.index < 0 ||
		out->path.n <= out->path.index || out->path.n > ENTRY_MAX_SEQ ||
		!json_is_array(path) || out->path.length > MERKLE_LEVELS)
		return -1;
	for (size_t i = 0; i < out->path.length; i++)
		if (sha256_parse(json_string(json_at(path, i)), out->path.path[i]) != 0)
			return -1;
	out->record = mem_strdup(record);
	if (signed_by != NULL)
		out->checkpoint = mem_strdup(signed_by);
	return 0;
}

int proof_parse(struct proof *out, const char *text, size_t len, struct err *e)
{
	struct json *o = NULL;
	int status = -1;

	memset(out, 0, sizeof(*out));
	if (len <= PROOF_MAX && json_parse(&o, text, len, NULL) == 0)
		status = read_members(out, o);
	json_free(o);
	if (status != 0)
		(void)err_set(e, "no proof as \"modelgate audit prove\" makes it");
	return status;
}

int proof_root(const struct proof *p, unsigned char out[SHA256_SIZE])
{
	unsigned char leaf[SHA256_SIZE];

	merkle_leaf(p->record, strlen(p->record), leaf);
	return merkle_proven_root(&p->path, leaf, out);
}
