#include "gate/push.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gate/names.h"
#include "git/repository.h"

#define SHA1_DIGITS 40
#define SHA256_DIGITS 64

void push_clear(struct push *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].ref);
		free(p->v[i].target);
	}
	free(p->v);
	memset(p, 0, sizeof(*p));
}

static enum push_format malformed(struct err *e, const char *why)
{
	(void)err_set(e, "%s", why);
	return PUSH_MALFORMED;
}

static enum push_format parse_oid(struct oid *out, const char *hex, size_t len, struct err *e)
{
	char digits[OID_HEX_SIZE];

	if (len == SHA256_DIGITS && strspn(hex, "0123456789abcdef") >= SHA256_DIGITS)
		return PUSH_SHA256;
	if (len != SHA1_DIGITS)
		return malformed(e, "an object id does not have 40 digits");
	memcpy(digits, hex, SHA1_DIGITS);
	digits[SHA1_DIGITS] = '\0';
	if (oid_parse(out, digits) != 0)
		return malformed(
			e, "an object id has something else than lower-case hexadecimal digits");
	return PUSH_OK;
}

/* OLD, NEW and REF are not terminated. */
static enum push_format add(struct push *out, const char *old, size_t old_len, const char *new,
	size_t new_len, const char *ref, size_t ref_len, struct err *e)
{
	struct push_update u = {0};
	enum push_format format;

	format = parse_oid(&u.old, old, old_len, e);
	if (format == PUSH_OK)
		format = parse_oid(&u.new, new, new_len, e);
	if (format != PUSH_OK)
		return format;
	if (ref_len > PUSH_MAX_REF)
		return malformed(e, "a reference name is longer than 4096 bytes");
	u.ref = mem_strndup(ref, ref_len);
	if (!names_is_ref(u.ref)) {
		free(u.ref);
		return malformed(e, "a reference name is none that git would accept");
	}
	if (oid_equal(&u.old, &u.new)) {
		free(u.ref);
		return malformed(e, "a reference is neither created, moved nor deleted");
	}
	mem_grow(&out->v, out->n, &out->cap, sizeof(*out->v));
	out->v[out->n++] = u;
	return PUSH_OK;
}

enum push_format push_add(
	struct push *out, const char *ref, const char *old, const char *new, struct err *e)
{
	return add(out, old, strlen(old), new, strlen(new), ref, strlen(ref), e);
}

enum push_format push_parse(struct push *out, const char *text, size_t len, struct err *e)
{
	const char *end = text + len;

	memset(out, 0, sizeof(*out));
	if (len == 0)
		return malformed(e, "git named no reference");
	if (memchr(text, '\0', len) != NULL)
		return malformed(e, "a NUL byte stands in it");
	if (end[-1] != '\n')
		return malformed(e, "its last line has no end");
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		const char *new = memchr(text, ' ', (size_t)(eol - text));
		const char *ref =
			new == NULL ? NULL : memchr(new + 1, ' ', (size_t)(eol - new - 1));
		enum push_format format;

		if (ref == NULL)
			return malformed(e, "a line is not \"old new ref\"");
		format = add(out, text, (size_t)(new - text), new + 1, (size_t)(ref - new - 1),
			ref + 1, (size_t)(eol - ref - 1), e);
		if (format != PUSH_OK)
			return format;
		text = eol + 1;
	}
	return PUSH_OK;
}

int push_resolve(struct push *p, const char *gitdir, struct err *e)
{
	if (repository_is_reftable(gitdir))
		return err_set(
			e, "%s keeps its references as reftable, which cannot be judged", gitdir);
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].target);
		p->v[i].target = NULL;
		if (repository_resolve(gitdir, p->v[i].ref, &p->v[i].target, e) != 0)
			return -1;
	}
	return 0;
}
