/*
 * What a runner says of itself while it works: lines for whoever started it, and to the service manager
 * (sys/notify.h) that it is ready, what it does, and that it is alive.
 */
#ifndef MODELGATE_CHAIN_PULSE_H
#define MODELGATE_CHAIN_PULSE_H

#include <stdint.h>

struct pulse {
	void (*tell)(void *context, const char *line); /* may be NULL */
	void *context;
	char *status;     /* the last one that was sent */
	int64_t interval; /* between two signs of life, microseconds; 0: nobody waits for any */
	int64_t beat_at;  /* by clock_monotonic() */
	int is_not_heard; /* the service manager's socket is no good, which has been told */
};

/* TELL is called with a line without newline each. */
void pulse_init(struct pulse *p, void (*tell)(void *context, const char *line), void *context);
void pulse_clear(struct pulse *p);

/* A line to whoever started the runner. */
void pulse_say(struct pulse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the runner is doing, to the service manager, if it is something else than before. */
void pulse_status(struct pulse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* NOTIFY_READY or NOTIFY_STOPPING. */
void pulse_notify(struct pulse *p, const char *what);
/* A sign of life, when it is time for one: to be called far more often than the interval. */
void pulse_beat(struct pulse *p);

#endif
