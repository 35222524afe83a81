#define _GNU_SOURCE /* timegm */
#include "gate/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"

#define FIRST_ZONE_SECONDS (14 * 3600) /* UTC+14, where a day begins first */

static int is_component(const char *part, size_t n)
{
	static const char lock[] = ".lock";
	const size_t lock_len = sizeof(lock) - 1;

	if (n == 0 || part[0] == '.' || (part[n - 1] == '.' && part[n] == '\0'))
		return 0;
	if (n >= lock_len && memcmp(part + n - lock_len, lock, lock_len) == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)part[i];

		if (c <= ' ' || c == 0x7f || strchr("~^:?*[\\", c) != NULL)
			return 0;
		if (i > 0 && ((c == '.' && part[i - 1] == '.') || (c == '{' && part[i - 1] == '@')))
			return 0;
	}
	return 1;
}

int names_is_ref(const char *ref)
{
	if (!str_starts(ref, "refs/"))
		return 0;
	for (;;) {
		size_t n = strcspn(ref, "/");

		if (!is_component(ref, n))
			return 0;
		if (ref[n] == '\0')
			return 1;
		ref += n + 1;
	}
}

const char *names_branch(const char *ref)
{
	return str_starts(ref, NAMES_HEADS) ? ref + strlen(NAMES_HEADS) : NULL;
}

int names_retrain(struct names_retrain *out, const char *branch)
{
	memset(out, 0, sizeof(*out));
	if (!str_starts(branch, NAMES_RETRAIN_PREFIX))
		return 0;
	out->id = branch + strlen(NAMES_RETRAIN_PREFIX);
	out->id_len = strspn(out->id, "0123456789");
	if (out->id_len == 0 || out->id[out->id_len] != '-')
		return 0;
	out->date = out->id + out->id_len + 1;
	return out->date[0] != '\0';
}

int names_is_retrain_like(const char *branch)
{
	struct names_retrain parts;

	return strncasecmp(branch, NAMES_RETRAIN, strlen(NAMES_RETRAIN)) == 0 &&
	       strcmp(branch, NAMES_RETRAIN) != 0 && !names_retrain(&parts, branch);
}

/* Read exactly N digits at *TEXT and step over them: 1, or 0. */
static int read_digits(const char **text, int n, int *out)
{
	*out = 0;
	for (; n > 0; n--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return 0;
		*out = *out * 10 + (**text - '0');
	}
	return 1;
}

/*
 * 1 and *DAY (seconds at its start, UTC) if TEXT is a day in FORMAT, which has %Y, %m, %d and plain
 * characters (data/config.h sees to that).  Each is read with just the digits that it is printed
 * with, so what is read is what would be printed.
 */
static int read_day(const char *text, const char *format, time_t *day)
{
	struct tm tm = {0}, wanted;
	int ok = 1;

	for (; ok && *format != '\0'; format++) {
		if (format[0] != '%') {
			ok = *text++ == *format;
			continue;
		}
		switch (*++format) {
		case 'Y':
			ok = read_digits(&text, 4, &tm.tm_year);
			tm.tm_year -= 1900;
			break;
		case 'm':
			ok = read_digits(&text, 2, &tm.tm_mon);
			tm.tm_mon -= 1;
			break;
		case 'd':
			ok = read_digits(&text, 2, &tm.tm_mday);
			break;
		default:
			ok = 0;
		}
	}
	if (!ok || *text != '\0')
		return 0;
	wanted = tm;
	*day = timegm(&tm); /* turns 31 February into a day of March */
	return tm.tm_year == wanted.tm_year && tm.tm_mon == wanted.tm_mon &&
	       tm.tm_mday == wanted.tm_mday;
}

enum names_date names_date(const char *text, const struct strlist *formats, int64_t now)
{
	enum names_date result = NAMES_DATE_WRONG;
	time_t day;

	for (size_t i = 0; i < formats->n; i++) {
		if (!read_day(text, formats->v[i], &day))
			continue;
		if (day <= (time_t)(now / CLOCK_SECOND) + FIRST_ZONE_SECONDS)
			return NAMES_DATE_OK;
		result = NAMES_DATE_FUTURE;
	}
	return result;
}

char *names_day(const char *format, int64_t now)
{
	time_t seconds = (time_t)(now / CLOCK_SECOND);
	struct tm tm = {0};
	struct str s;

	(void)gmtime_r(&seconds, &tm); /* fails for years that no clock shows */
	str_init(&s);
	for (; *format != '\0'; format++) {
		if (format[0] != '%') {
			str_addc(&s, *format);
			continue;
		}
		switch (*++format) {
		case 'Y':
			str_addf(&s, "%04d", tm.tm_year + 1900);
			break;
		case 'm':
			str_addf(&s, "%02d", tm.tm_mon + 1);
			break;
		default:
			str_addf(&s, "%02d", tm.tm_mday);
		}
	}
	return str_steal(&s);
}

int names_same_day(const char *a, const char *b, const struct strlist *formats)
{
	time_t day_a, day_b;

	if (strcmp(a, b) == 0)
		return 1;
	for (size_t i = 0; i < formats->n; i++) {
		if (!read_day(a, formats->v[i], &day_a))
			continue;
		for (size_t k = 0; k < formats->n; k++)
			if (read_day(b, formats->v[k], &day_b) && day_a == day_b)
				return 1;
	}
	return 0;
}

int names_is_well_formed_retrain(const struct config *c, const char *branch)
{
	struct names_retrain parts;
	time_t day;

	if (!names_retrain(&parts, branch) || parts.id[0] == '0')
		return 0;
	for (size_t i = 0; i < c->date_formats.n; i++)
		if (read_day(parts.date, c->date_formats.v[i], &day))
			return 1;
	return 0;
}

/* 1 if NAME is OTHER but for case, and not OTHER itself. */
static int differs_by_case(const char *name, const char *other)
{
	return strcasecmp(name, other) == 0 && strcmp(name, other) != 0;
}

/* 1 if NAME is below OTHER, in any case. */
static int is_below(const char *name, const char *other)
{
	return strncasecmp(name, other, strlen(other)) == 0 && name[strlen(other)] == '/';
}

static int looks_like(const char *branch, const char *tag, const char *other)
{
	if (branch != NULL)
		return differs_by_case(branch, other) || is_below(branch, other);
	return tag != NULL && strcasecmp(tag, other) == 0;
}

static int is_retrain_in_any_case(const char *name)
{
	char *lower = mem_strdup(name);
	struct names_retrain parts;
	int is;

	for (char *p = lower; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	is = names_retrain(&parts, lower);
	free(lower);
	return is;
}

const char *names_lookalike(const struct config *c, const char *ref)
{
	const char *branch = names_branch(ref);
	const char *tag = str_starts(ref, NAMES_TAGS) ? ref + strlen(NAMES_TAGS) : NULL;

	if (looks_like(branch, tag, NAMES_DEVELOPMENT))
		return NAMES_DEVELOPMENT;
	for (size_t i = 0; i < c->n_branches; i++)
		if (looks_like(branch, tag, c->branches[i].name))
			return c->branches[i].name;
	return tag != NULL && is_retrain_in_any_case(tag) ? tag : NULL;
}
