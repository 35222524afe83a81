#define _GNU_SOURCE /* timegm, strptime */
#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void clock_text(int64_t when, char out[CLOCK_TEXT_SIZE])
{
	time_t seconds = (time_t)(when / CLOCK_SECOND);
	struct tm tm;

	/* Years beyond 9999 do not fit and are not times that this program was given. */
	if (when < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099) {
		(void)snprintf(out, CLOCK_TEXT_SIZE, "1970-01-01T00:00:00.000000Z");
		return;
	}
	(void)strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(out + 19, CLOCK_TEXT_SIZE - 19, ".%06uZ", (unsigned)(when % CLOCK_SECOND));
}

int clock_parse(const char *text, int64_t *out)
{
	struct tm tm = {0};
	const char *rest;
	int64_t fraction = 0, unit = CLOCK_SECOND / 10;
	time_t seconds;

	*out = 0;
	rest = strptime(text, "%Y-%m-%d", &tm);
	if (rest == NULL)
		return -1;
	if (*rest != '\0') {
		rest = strptime(rest, "T%H:%M:%S", &tm);
		if (rest == NULL)
			return -1;
		if (*rest == '.')
			for (rest++; isdigit((unsigned char)*rest); rest++, unit /= 10)
				fraction += (*rest - '0') * unit;
		if (strcmp(rest, "Z") != 0)
			return -1;
	}
	seconds = timegm(&tm);
	if (seconds < 0)
		return -1;
	*out = (int64_t)seconds * CLOCK_SECOND + fraction;
	return 0;
}

int clock_new_id(int64_t when, char out[CLOCK_ID_SIZE])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned char
		random[16]; /* one byte a digit; 256 is a multiple of 32, so each is as likely */
	uint64_t ms = (uint64_t)(when / 1000);

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -1;
	for (int i = 9; i >= 0; i--, ms >>= 5)
		out[i] = digits[ms & 31];
	for (int i = 0; i < 16; i++)
		out[10 + i] = digits[random[i] & 31];
	out[26] = '\0';
	return 0;
}
