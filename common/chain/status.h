/* Status words of pipelines and stages: GitLab's, with their meanings. */
#ifndef MODELGATE_CHAIN_STATUS_H
#define MODELGATE_CHAIN_STATUS_H

#include <stddef.h>

enum status {
	STATUS_CREATED, /* waits for the stage before it */
	STATUS_PENDING, /* waits for the runner */
	STATUS_RUNNING,
	STATUS_MANUAL, /* waits for somebody to play it */
	STATUS_SUCCESS,
	STATUS_FAILED,
	STATUS_CANCELED,
	STATUS_SKIPPED, /* a newer pipeline of the same ref overtook it */
	STATUS_COUNT
};

const char *status_text(enum status s);
/* 0 and *OUT, or -1: there is no such word. */
int status_parse(enum status *out, const char *text);
/* All words, for a message: "created, pending, ..."; the caller's to free(). */
char *status_words(void);

/* 1 if nothing more happens by itself: success, failed, canceled, skipped. */
int status_is_final(enum status s);
/* 1 if it has not begun: created, pending, manual. */
int status_is_waiting(enum status s);

#endif
