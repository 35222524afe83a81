#include "audit/head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/entry.h"
#include "base/err.h"
#include "base/mem.h"
#include "data/json.h"

void head_init(struct head *h)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->hash, ENTRY_NO_HASH, SHA256_HEX_SIZE);
	memcpy(h->pending_hash, ENTRY_NO_HASH, SHA256_HEX_SIZE);
}

static int get_hash(char out[SHA256_HEX_SIZE], const struct json *j, const char *name)
{
	const char *text = json_get_text(j, name);

	if (!entry_is_hash(text))
		return -1;
	memcpy(out, text, SHA256_HEX_SIZE);
	return 0;
}

static int get_members(struct head *h, const struct json *j)
{
	const char *word = json_get_text(j, "recovering");

	h->size = json_get_number(j, "size", -1);
	h->seq = json_get_number(j, "seq", -1);
	h->pending_size = json_get_number(j, "pending_size", -1);
	h->pending_seq = json_get_number(j, "pending_seq", -1);
	if (h->size < 0 || h->pending_size < 0 || h->seq < 0 || h->seq > ENTRY_MAX_SEQ ||
		h->pending_seq < 0 || h->pending_seq > ENTRY_MAX_SEQ)
		return -1;
	if (get_hash(h->hash, j, "hash") != 0 || get_hash(h->pending_hash, j, "pending_hash") != 0)
		return -1;
	return word == NULL ? -1 : audit_found_parse(&h->recovering, word);
}

int head_parse(struct head *h, const char *text, size_t len)
{
	struct json *j = NULL;
	int status = -1;

	head_init(h);
	if (len == HEAD_SIZE && text[len - 1] == '\n' && json_parse(&j, text, len, NULL) == 0)
		status = get_members(h, j);
	if (status != 0)
		head_init(h);
	json_free(j);
	return status;
}

void head_render(const struct head *h, char out[HEAD_SIZE + 1])
{
	struct json *j = json_new_object();
	char *text;
	size_t len;

	json_put_number(j, "size", h->size);
	json_put_number(j, "seq", h->seq);
	json_put_text(j, "hash", h->hash);
	json_put_number(j, "pending_size", h->pending_size);
	json_put_number(j, "pending_seq", h->pending_seq);
	json_put_text(j, "pending_hash", h->pending_hash);
	json_put_text(j, "recovering", audit_found_word(h->recovering));
	text = json_text(j, JSON_ONE_LINE);
	len = strlen(text); /* 318 at most: names, two hashes, four numbers of 19 digits, a word */
	memset(out, ' ', HEAD_SIZE);
	memcpy(out, text, len);
	out[HEAD_SIZE - 1] = '\n';
	out[HEAD_SIZE] = '\0';
	free(text);
	json_free(j);
}

int head_read(int fd, struct head *h, enum head_state *state, struct err *e)
{
	char text[HEAD_SIZE + 1]; /* one more, to see that there is none */
	ssize_t n = 0;

	head_init(h);
	if (fd >= 0)
		do
			n = pread(fd, text, sizeof(text), 0);
		while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, errno, "cannot read the head of the audit log");
	if (n == 0)
		*state = HEAD_ABSENT;
	else
		*state = head_parse(h, text, (size_t)n) == 0 ? HEAD_THERE : HEAD_DAMAGED;
	return 0;
}

int head_write(int fd, const struct head *h, struct err *e)
{
	char text[HEAD_SIZE + 1];
	ssize_t n;

	head_render(h, text);
	do
		n = pwrite(fd, text, HEAD_SIZE, 0);
	while (n < 0 && errno == EINTR);
	if (n == HEAD_SIZE)
		return 0;
	return err_errno(e, n < 0 ? errno : ENOSPC, "cannot write the head of the audit log");
}
