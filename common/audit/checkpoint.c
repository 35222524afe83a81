#define _DEFAULT_SOURCE /* gethostname */
#include "audit/checkpoint.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/entry.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"

#define DASH "\xe2\x80\x94 " /* begins a signature: an em dash and a blank */
#define KEY_ID_SIZE 4
#define SIGNATURE_MAX 8192 /* bytes of one: those by keys of other kinds have up to 5000 */
#define ALGORITHM 1        /* Ed25519, in signed-note */

void checkpoint_init(struct checkpoint *out, const struct audit_report *report, const char *origin)
{
	memset(out, 0, sizeof(*out));
	out->origin = mem_strdup(origin);
	out->lines = report->tree.n;
	merkle_root(&report->tree, out->root);
	memcpy(out->head, report->tree_head, SHA256_HEX_SIZE);
	out->seq = report->seq;
	out->time = clock_now();
}

void checkpoint_clear(struct checkpoint *c)
{
	free(c->origin);
	memset(c, 0, sizeof(*c));
}

char *checkpoint_origin(void)
{
	char host[HOST_NAME_MAX + 1];

	if (gethostname(host, sizeof(host)) != 0)
		host[0] = '\0';
	host[sizeof(host) - 1] = '\0';
	for (char *c = host; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~' || *c == '+')
			*c = '-';
	return mem_format("%s/modelgate", host[0] != '\0' ? host : "localhost");
}

int checkpoint_is_origin(const char *text)
{
	if (*text == '\0' || strlen(text) > CHECKPOINT_MAX_ORIGIN)
		return 0;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~' || *text == '+')
			return 0;
	return 1;
}

/* signed-note: the first bytes of SHA-256 of the name, a newline, the algorithm, and the key. */
static void key_id(
	const char *name, size_t len, const unsigned char *public, unsigned char out[KEY_ID_SIZE])
{
	const unsigned char between[] = {'\n', ALGORITHM};
	unsigned char hash[SHA256_SIZE];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, name, len);
	sha256_add(&h, between, sizeof(between));
	sha256_add(&h, public, ED25519_PUBLIC_SIZE);
	sha256_end(&h, hash);
	memcpy(out, hash, KEY_ID_SIZE);
}

static void add_base64(struct str *s, const char *before, const void *bytes, size_t len)
{
	char *text = base64_encode(bytes, len);

	str_addf(s, "%s%s\n", before, text);
	free(text);
}

char *checkpoint_render(struct checkpoint *c, const struct ed25519_key *key)
{
	unsigned char signature[KEY_ID_SIZE + ED25519_SIGNATURE_SIZE];
	char when[CLOCK_TEXT_SIZE];
	struct str s;

	memcpy(c->key, key->public, ED25519_PUBLIC_SIZE);
	clock_text(c->time, when);
	str_init(&s);
	str_addf(&s, "%s\n%" PRId64 "\n", c->origin, c->lines);
	add_base64(&s, "", c->root, SHA256_SIZE);
	str_addf(&s, "head %s\nseq %" PRId64 "\ntime %s\n", c->head, c->seq, when);
	add_base64(&s, "key ", c->key, ED25519_PUBLIC_SIZE);
	key_id(c->origin, strlen(c->origin), c->key, signature);
	ed25519_sign(signature + KEY_ID_SIZE, s.buf, s.len, key);
	str_addf(&s, "\n" DASH "%s", c->origin);
	add_base64(&s, " ", signature, sizeof(signature));
	return str_steal(&s);
}

/* What is left to read. */
struct rest {
	const char *at;
	const char *end;
};

/* The next line in *LINE, *LEN bytes, which begins with PREFIX, behind it.  1; 0: there is none such. */
static int take_line(struct rest *r, const char *prefix, const char **line, size_t *len)
{
	const char *newline = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	size_t skip = strlen(prefix);

	if (newline == NULL || (size_t)(newline - r->at) < skip || memcmp(r->at, prefix, skip) != 0)
		return 0;
	*line = r->at + skip;
	*len = (size_t)(newline - *line);
	r->at = newline + 1;
	return 1;
}

/* The same as text, at most MAX bytes, the caller's to free(); NULL. */
static char *take_text(struct rest *r, const char *prefix, size_t max)
{
	const char *line;
	size_t len;

	if (!take_line(r, prefix, &line, &len) || len == 0 || len > max ||
		memchr(line, '\0', len) != NULL)
		return NULL;
	return mem_strndup(line, len);
}

static int take_number(struct rest *r, const char *prefix, int64_t *out)
{
	char *text = take_text(r, prefix, 20);
	long long value = 0;
	/* One text for a number: no zeros in front. */
	int good = text != NULL && (text[0] != '0' || text[1] == '\0') &&
		   str_number(text, ENTRY_MAX_SEQ, &value) == 0;

	free(text);
	*out = value;
	return good;
}

static int take_bytes(struct rest *r, const char *prefix, unsigned char *out, size_t size)
{
	const char *line;
	size_t len;

	return take_line(r, prefix, &line, &len) &&
	       base64_decode(out, size, line, len, NULL) == (long)size;
}

static int take_hash(struct rest *r, const char *prefix, char out[SHA256_HEX_SIZE])
{
	char *text = take_text(r, prefix, SHA256_HEX_SIZE);
	int good = entry_is_hash(text);

	if (good)
		memcpy(out, text, SHA256_HEX_SIZE);
	free(text);
	return good;
}

static int take_time(struct rest *r, const char *prefix, int64_t *out)
{
	char *text = take_text(r, prefix, CLOCK_TEXT_SIZE);
	char again[CLOCK_TEXT_SIZE];
	int good = text != NULL && clock_parse(text, out) == 0;

	if (good) {
		clock_text(*out, again);
		good = strcmp(again, text) == 0;
	}
	free(text);
	return good;
}

static int take_body(struct checkpoint *out, struct rest *r)
{
	const char *line;
	size_t len;

	out->origin = take_text(r, "", CHECKPOINT_MAX_ORIGIN);
	return out->origin != NULL && checkpoint_is_origin(out->origin) &&
	       take_number(r, "", &out->lines) && take_bytes(r, "", out->root, SHA256_SIZE) &&
	       take_hash(r, "head ", out->head) && take_number(r, "seq ", &out->seq) &&
	       take_time(r, "time ", &out->time) &&
	       take_bytes(r, "key ", out->key, ED25519_PUBLIC_SIZE) &&
	       take_line(r, "", &line, &len) && len == 0;
}

/* The name of a key (signed-note): UTF-8 without blanks and plus signs. */
static int is_key_name(const char *name, size_t len)
{
	unsigned long c;
	size_t n;

	if (len == 0 || memchr(name, '+', len) != NULL)
		return 0;
	for (; len > 0; name += n, len -= n) {
		n = str_utf8(name, len, &c);
		if (n == 0 || c == ' ' || !str_is_visible(c))
			return 0;
	}
	return 1;
}

enum signature { SIGNATURE_NONE, SIGNATURE_OTHER, SIGNATURE_WRONG, SIGNATURE_RIGHT };

/* What is signed, and with which key it has to be. */
struct signed_text {
	const char *text;
	size_t len;
	const char *origin;
	const unsigned char *public;
};

/* One signature line behind its dash.  By name and id it is told whose it is; all others are passed over. */
static enum signature judge_signature(const char *line, size_t len, const struct signed_text *t)
{
	unsigned char bytes[SIGNATURE_MAX], id[KEY_ID_SIZE];
	const char *blank = memchr(line, ' ', len);
	size_t name_len = blank == NULL ? 0 : (size_t)(blank - line);
	long n;

	if (!is_key_name(line, name_len))
		return SIGNATURE_NONE;
	n = base64_decode(bytes, sizeof(bytes), blank + 1, len - name_len - 1, NULL);
	if (n <= KEY_ID_SIZE)
		return SIGNATURE_NONE;
	if (name_len != strlen(t->origin) || memcmp(line, t->origin, name_len) != 0)
		return SIGNATURE_OTHER;
	key_id(line, name_len, t->public, id);
	if (memcmp(bytes, id, KEY_ID_SIZE) != 0)
		return SIGNATURE_OTHER;
	return n == KEY_ID_SIZE + ED25519_SIGNATURE_SIZE &&
			       ed25519_is_signed(bytes + KEY_ID_SIZE, t->text, t->len, t->public)
		       ? SIGNATURE_RIGHT
		       : SIGNATURE_WRONG;
}

/* The signatures at R.  1: T is signed; 0: it is not, or one by its key is wrong; -1: these are none. */
static int judge_signatures(struct rest *r, const struct signed_text *t)
{
	int is_signed = 0, is_wrong = 0, n = 0;
	const char *line;
	size_t len;

	for (; r->at < r->end; n++) {
		enum signature got = take_line(r, DASH, &line, &len) ? judge_signature(line, len, t)
								     : SIGNATURE_NONE;

		if (got == SIGNATURE_NONE || n == CHECKPOINT_MAX_SIGNATURES)
			return -1;
		is_signed |= got == SIGNATURE_RIGHT;
		is_wrong |= got == SIGNATURE_WRONG;
	}
	return n > 0 ? is_signed && !is_wrong : -1;
}

int checkpoint_parse(struct checkpoint *out, enum checkpoint_trust *trust, const char *text,
	size_t len, const unsigned char *public, struct err *e)
{
	struct rest r = {text, text + len};
	struct signed_text t = {.text = text};
	int is_signed = -1;

	memset(out, 0, sizeof(*out));
	*trust = CHECKPOINT_FORGED;
	/* What is signed ends before the empty line. */
	if (len <= CHECKPOINT_MAX && take_body(out, &r)) {
		t.len = (size_t)(r.at - text) - 1;
		t.origin = out->origin;
		t.public = public != NULL ? public : out->key;
		is_signed = judge_signatures(&r, &t);
	}
	if (is_signed < 0) {
		checkpoint_clear(out);
		return err_set(e, "no checkpoint as \"modelgate audit checkpoint\" makes it");
	}
	if (is_signed)
		*trust = public != NULL ? CHECKPOINT_TRUSTED : CHECKPOINT_UNKNOWN;
	return 0;
}
