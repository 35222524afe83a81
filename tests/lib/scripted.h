/*
 * A server on 127.0.0.1 that answers one request after another with the bytes it was given, and keeps what
 * it was asked.
 */
#ifndef MODELGATE_TESTS_SCRIPTED_H
#define MODELGATE_TESTS_SCRIPTED_H

#include <stddef.h>
#include <sys/types.h>

struct str;

struct scripted {
	int fd; /* listens */
	unsigned port;
	pid_t pid; /* 0: not started */
	char *log;
};

/*
 * In front of an answer: its connection stays for the next request, unless that comes on a new one; or
 * nothing more happens until whoever asked hangs up.  Other connections are closed after the answer.
 */
#define SCRIPTED_STAY "+"
#define SCRIPTED_HANG "~"

/* Take a port, so that answers can name it; the requests will be added to the file LOG. */
void scripted_init(struct scripted *s, const char *log);
/* Answer N requests with ANSWERS, each whole; more are refused. */
void scripted_start(struct scripted *s, const char *const *answers, size_t n);
/* From now on nobody listens at its port. */
void scripted_stop(struct scripted *s);
/* End it, and forget it.  The number of requests that came. */
size_t scripted_end(struct scripted *s);

#endif
