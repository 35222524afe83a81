#include "chain/pulse.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "sys/notify.h"

#define MAX_STATUS 1000 /* bytes; a fault's text may be longer */

void pulse_init(struct pulse *p, void (*tell)(void *context, const char *line), void *context)
{
	memset(p, 0, sizeof(*p));
	p->tell = tell;
	p->context = context;
	p->interval = notify_watchdog() / 2; /* as sd_watchdog_enabled(3) advises */
}

void pulse_clear(struct pulse *p)
{
	free(p->status);
	p->status = NULL;
}

void pulse_say(struct pulse *p, const char *format, ...)
{
	va_list ap;
	char *line;

	if (p->tell == NULL)
		return;
	va_start(ap, format);
	line = mem_vformat(format, ap);
	va_end(ap);
	p->tell(p->context, line);
	free(line);
}

void pulse_notify(struct pulse *p, const char *what)
{
	struct err e = ERR_INIT;

	if (notify_send(what, &e) < 0 && !p->is_not_heard) {
		p->is_not_heard = 1;
		pulse_say(p, "the service manager cannot be told: %s", err_text(&e));
	}
	err_clear(&e);
}

void pulse_status(struct pulse *p, const char *format, ...)
{
	va_list ap;
	char *text, *safe, *line;

	va_start(ap, format);
	text = mem_vformat(format, ap);
	va_end(ap);
	if (!str_same(text, p->status)) {
		safe = str_safe(text, MAX_STATUS); /* a line of its own would say something else */
		line = mem_format(NOTIFY_STATUS "%s", safe);
		pulse_notify(p, line);
		free(line);
		free(safe);
		free(p->status);
		p->status = mem_strdup(text);
	}
	free(text);
}

void pulse_beat(struct pulse *p)
{
	int64_t now = clock_monotonic();

	if (p->interval == 0 || now < p->beat_at)
		return;
	pulse_notify(p, NOTIFY_WATCHDOG);
	p->beat_at = now + p->interval;
}
