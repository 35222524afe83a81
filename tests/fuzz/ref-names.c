/*
 * Any bytes are a reference's name or none, under any date format: a line with the format, or nothing
 * for the built-in ones, and the name.
 *
 * About: common/gate/names.c
 */
#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "gate/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* What git-check-ref-format(1) forbids, said another way than names.c does. */
static void check_ref(const char *ref)
{
	static const char *const forbidden[] = {
		"..", "@{", "//", "/.", ".lock/", " ", "~", "^", ":", "?", "*", "[", "\\", "\x7f"};

	must(str_starts(ref, "refs/") && !str_ends(ref, "/") && !str_ends(ref, ".") &&
		!str_ends(ref, ".lock"));
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		must(strstr(ref, forbidden[i]) == NULL);
	for (; *ref != '\0'; ref++)
		must((unsigned char)*ref > ' ');
}

static void check_date(const char *date, const struct strlist *formats)
{
	enum names_date now = names_date(date, formats, 1767225600 * INT64_C(1000000));
	enum names_date last = names_date(date, formats, INT64_MAX);
	enum names_date first = names_date(date, formats, INT64_MIN / 2);

	must((now == NAMES_DATE_WRONG) == (last == NAMES_DATE_WRONG));
	must((now == NAMES_DATE_WRONG) == (first == NAMES_DATE_WRONG));
	must(last != NAMES_DATE_FUTURE && first != NAMES_DATE_OK);
	must(names_same_day(date, date, formats));
}

static void check_branch(const struct config *c, const char *branch, const struct strlist *formats)
{
	struct names_retrain parts;
	int is_retrain = names_retrain(&parts, branch), is_well_formed;

	must(!(is_retrain && names_is_retrain_like(branch)));
	must(!names_is_retrain_like(branch) || strncasecmp(branch, "retrain", 7) == 0);
	is_well_formed = names_is_well_formed_retrain(c, branch);
	if (!is_retrain) {
		must(!is_well_formed);
		return;
	}
	must(parts.id == branch + strlen("retrain-") && parts.id_len > 0);
	must(parts.id[parts.id_len] == '-' && parts.date == parts.id + parts.id_len + 1);
	for (size_t i = 0; i < parts.id_len; i++)
		must(isdigit((unsigned char)parts.id[i]));
	must(parts.date[0] != '\0');
	must(is_well_formed == (parts.id[0] != '0' && names_date(parts.date, &c->date_formats,
							      INT64_MAX) == NAMES_DATE_OK));
	check_date(parts.date, &c->date_formats);
	check_date(parts.date, formats);
}

static void check_name(const struct config *c, const char *ref, const struct strlist *formats)
{
	const char *branch = names_branch(ref), *like = names_lookalike(c, ref);

	if (names_is_ref(ref))
		check_ref(ref);
	must((branch != NULL) == (strncmp(ref, "refs/heads/", 11) == 0));
	must(like == NULL || str_starts(ref, "refs/heads/") || str_starts(ref, "refs/tags/"));
	if (branch == NULL)
		return;
	must(like == NULL || strcmp(like, branch) != 0);
	must(config_branch(c, branch) == NULL || like == NULL || strchr(branch, '/') != NULL);
	check_branch(c, branch, formats);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct config *config; /* the same defaults for every input */
	char *format = mem_strndup((const char *)bytes, len), *ref = strchr(format, '\n');
	struct strlist formats = {0};

	if (config == NULL && config_parse(&config, "", 0, "fuzz", NULL) != 0)
		abort();
	if (ref != NULL)
		*ref++ = '\0';
	if (ref != NULL && format[0] != '\0')
		strlist_add(&formats, format);
	check_name(config, ref != NULL ? ref : format,
		formats.n > 0 ? &formats : &config->date_formats);
	strlist_clear(&formats);
	free(format);
	return 0;
}
