/*
 * What went wrong, in words for a person.
 * One struct err travels down as the last argument and comes back set where the fault was seen;
 * each caller on the way up may put its own words in front.
 */
#ifndef MODELGATE_BASE_ERR_H
#define MODELGATE_BASE_ERR_H

struct err {
	char *text; /* owned; NULL: nothing went wrong */
	/*
	 * A fault that may be gone on the next try (a lock, a busy server, a full disk): a stage is
	 * tried again.
	 */
	int passing;
};

#define ERR_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}

/* Set *E to the formatted text, replacing what it held.  E may be NULL.  Always returns -1. */
int err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * As err_set, followed by ": " and the text of the C library's error NUMBER; it is a passing fault if
 * err_number_passes() says so.
 */
int err_errno(struct err *e, int number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* 1: what NUMBER stands for ends without anybody changing what was asked: no room, no memory. */
int err_number_passes(int number);

/* Put the formatted text and ": " in front of what *E holds.  Always returns -1. */
int err_wrap(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text, never NULL. */
const char *err_text(const struct err *e);

/* Forget what *E holds; it can be used again. */
void err_clear(struct err *e);

#endif
