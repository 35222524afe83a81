#define _GNU_SOURCE /* timegm */
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

/* 1 if TEXT starts with SHAPE, in which 0 stands for any digit. */
static int has_shape(const char *text, const char *shape)
{
	for (; *shape != '\0'; text++, shape++)
		if (*shape == '0' ? !isdigit((unsigned char)*text) : *text != *shape)
			return 0;
	return 1;
}

static int two_digits(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

/* The fraction after the point at *TEXT, which moves behind it; cut to microseconds. */
static int64_t read_fraction(const char **text)
{
	int64_t fraction = 0, unit = CLOCK_SECOND / 10;

	for (++*text; isdigit((unsigned char)**text); ++*text, unit /= 10)
		fraction += (**text - '0') * unit;
	return fraction;
}

int clock_parse(const char *text, int64_t *out)
{
	int64_t fraction = 0;
	struct tm tm = {0};
	int day, second = 0;
	time_t start;

	*out = 0;
	if (!has_shape(text, "0000-00-00"))
		return -1;
	tm.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900;
	tm.tm_mon = two_digits(text + 5) - 1;
	tm.tm_mday = day = two_digits(text + 8);
	text += strlen("0000-00-00");
	if (*text != '\0') {
		if (!has_shape(text, "T00:00:00"))
			return -1;
		tm.tm_hour = two_digits(text + 1);
		tm.tm_min = two_digits(text + 4);
		second = two_digits(text + 7); /* 60 in a leap second */
		text += strlen("T00:00:00");
		if (has_shape(text, ".0"))
			fraction = read_fraction(&text);
		if (strcmp(text, "Z") != 0)
			return -1;
	}
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_hour > 23 || tm.tm_min > 59 || second > 60)
		return -1;
	start = timegm(&tm);
	/* 31 February has become a day of March. */
	if (start < 0 || tm.tm_mday != day)
		return -1;
	*out = (int64_t)(start + second) * CLOCK_SECOND + fraction;
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
