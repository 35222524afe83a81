#include "data/config-parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define SIZE_LARGEST (INT64_C(1) << 50) /* 1024 T: more than git can hold in a blob */

/* The member of BASE that K describes; the table says of what type it is. */
static void *member(const struct config_key *k, void *base)
{
	return (char *)base + k->offset;
}

static const void *const_member(const struct config_key *k, const void *base)
{
	return (const char *)base + k->offset;
}

/* The first element of an array of whichever type, and how many there are. */
static char *elements(const struct config *c, const struct config_section *s, size_t *n)
{
	void *array;

	memcpy(&array, (const char *)c + s->array, sizeof(array));
	memcpy(n, (const char *)c + s->count, sizeof(*n));
	return array;
}

static const char *element_name(const void *element)
{
	char *name;

	memcpy(&name, element, sizeof(name));
	return name;
}

void *config_element(const struct config *c, const struct config_section *s, const char *name)
{
	size_t n;
	char *array = elements(c, s, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(element_name(array + i * s->size), name) == 0)
			return array + i * s->size;
	return NULL;
}

void *config_element_add(struct config *c, const struct config_section *s, const char *name)
{
	size_t n, cap = 0;
	char *array = elements(c, s, &n), *own, *element;

	if (n > 0)
		for (cap = 8; cap < n; cap *= 2) /* what mem_grow made of it */
			;
	mem_grow(&array, n, &cap, s->size);
	element = array + n++ * s->size;
	own = mem_strdup(name);
	memcpy(element, &own, sizeof(own));
	memcpy((char *)c + s->array, &array, sizeof(array));
	memcpy((char *)c + s->count, &n, sizeof(n));
	for (const struct config_key *k = config_keys; k->key != NULL; k++) {
		if (strcmp(k->section, s->section) != 0)
			continue;
		/*
		 * An empty text is a text; words and lists are what they should be when all zero.
		 */
		if (k->initial != NULL)
			(void)config_set(k, element, 1, k->initial, NULL);
		else if (k->type == CONFIG_TEXT)
			(void)config_set(k, element, 1, "", NULL);
	}
	return element;
}

/* Add "enforce or shadow". */
static void add_words(struct str *out, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			str_add(out, words[i + 1] != NULL ? ", " : " or ");
		str_add(out, words[i]);
	}
}

static void add_wanted(struct str *out, const struct config_key *k)
{
	if (k->type == CONFIG_NUMBER)
		str_addf(out, "a number from %" PRId64 " to %" PRId64, k->min, k->max);
	else if (k->type == CONFIG_SIZE)
		str_add(out, "a number of bytes, or one followed by k, M or G");
	else if (k->words != NULL)
		add_words(out, k->words);
	else
		str_add(out, k->wanted);
}

static int refuse(const struct config_key *k, const char *value, struct err *e)
{
	struct str wanted;

	if (value[0] == '"')
		return err_set(e, "%s does not fit; write it without quotes", value);
	str_init(&wanted);
	add_wanted(&wanted, k);
	if (value[0] == '\0')
		(void)err_set(e, "must not be empty; write %s", wanted.buf);
	else
		(void)err_set(e, "\"%s\" does not fit; write %s", value, wanted.buf);
	str_clear(&wanted);
	return -1;
}

/* The index of VALUE in WORDS, -1: it is none of them. */
static int find_word(const char *const *words, const char *value)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return i;
	return -1;
}

/* A text, or one item of a list. */
static int check_item(const struct config_key *k, const char *value, struct err *e)
{
	if (config_holds_secret(value))
		return err_set(e,
			"holds a user or a password (not shown); write the address without, and "
			"what is secret into a file of its own");
	if (value[0] == '"')
		return refuse(k, value, e);
	if (strstr(value, " #") != NULL || value[0] == '#')
		return err_set(
			e, "\"%s\" does not fit; a comment after a value starts with ;", value);
	if (k->words != NULL && find_word(k->words, value) < 0)
		return refuse(k, value, e);
	return k->fits == NULL || k->fits(value) ? 0 : refuse(k, value, e);
}

static int set_text(const struct config_key *k, char **text, const char *value, struct err *e)
{
	if (value[0] == '\0' && k->min > 0)
		return refuse(k, value, e);
	if (value[0] != '\0' && k->type == CONFIG_TEXT && check_item(k, value, e) != 0)
		return -1;
	free(*text);
	*text = mem_strdup(value);
	return 0;
}

static int set_list(const struct config_key *k, struct strlist *list, long part, const char *value,
	struct err *e)
{
	size_t old;

	if (part == 1)
		strlist_clear(list);
	old = list->n;
	strlist_split(list, value, ',');
	if (list->n == 0 && k->min > 0)
		return refuse(k, "", e);
	for (size_t i = old; i < list->n; i++)
		if (check_item(k, list->v[i], e) != 0)
			return -1;
	return 0;
}

static int set_words(const struct config_key *k, unsigned *set, const char *value, struct err *e)
{
	struct strlist words = {0};
	int result = 0;

	*set = 0;
	strlist_split(&words, value, ',');
	for (size_t i = 0; i < words.n && result == 0; i++) {
		int bit = find_word(k->words, words.v[i]);

		if (bit < 0)
			result = refuse(k, words.v[i], e);
		else
			*set |= 1U << bit;
	}
	if (words.n == 0)
		result = refuse(k, "", e);
	strlist_clear(&words);
	return result;
}

static int set_number(const struct config_key *k, int64_t *number, const char *value, struct err *e)
{
	long long n;

	if (str_number(value, k->max, &n) != 0 || n < k->min)
		return refuse(k, value, e);
	*number = n;
	return 0;
}

static int set_size(const struct config_key *k, int64_t *size, const char *value, struct err *e)
{
	static const char units[] = "kMG";
	size_t len = strspn(value, "0123456789");
	const char *unit = value[len] != '\0' ? strchr(units, value[len]) : NULL;
	int shift = unit != NULL ? 10 * (int)(unit - units + 1) : 0;
	char *digits = mem_strndup(value, len);
	long long n;
	int result = str_number(digits, SIZE_LARGEST >> shift, &n);

	free(digits);
	if (result != 0 || value[len + (unit != NULL)] != '\0')
		return refuse(k, value, e);
	*size = (int64_t)n << shift;
	return 0;
}

int config_set(const struct config_key *k, void *base, long part, const char *value, struct err *e)
{
	void *m = member(k, base);
	int word;

	switch (k->type) {
	case CONFIG_TEXT:
	case CONFIG_PROSE:
		return set_text(k, m, value, e);
	case CONFIG_LIST:
		return set_list(k, m, part, value, e);
	case CONFIG_SET:
		return set_words(k, m, value, e);
	case CONFIG_NUMBER:
		return set_number(k, m, value, e);
	case CONFIG_SIZE:
		return set_size(k, m, value, e);
	case CONFIG_WORD:
		break;
	}
	word = find_word(k->words, value);
	if (word < 0)
		return refuse(k, value, e);
	*(int *)m = word;
	return 0;
}

void config_render(struct str *out, const struct config_key *k, const void *base)
{
	const void *m = const_member(k, base);
	const char *comma = "";
	char *joined;

	switch (k->type) {
	case CONFIG_TEXT:
	case CONFIG_PROSE:
		str_add(out, *(char *const *)m);
		break;
	case CONFIG_LIST:
		joined = strlist_join(m, ", ");
		str_add(out, joined);
		free(joined);
		break;
	case CONFIG_SET:
		for (size_t i = 0; k->words[i] != NULL; i++)
			if (*(const unsigned *)m & 1U << i) {
				str_addf(out, "%s%s", comma, k->words[i]);
				comma = ", ";
			}
		break;
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
		str_addf(out, "%" PRId64, *(const int64_t *)m);
		break;
	case CONFIG_WORD:
		str_add(out, k->words[*(const int *)m]);
		break;
	}
}

int config_each(struct config *c, config_visit *visit, void *arg)
{
	const struct config_key *first, *end, *k;
	int result = 0;

	/* A section's keys stand together in the table. */
	for (first = config_keys; first->key != NULL && result == 0; first = end) {
		const struct config_section *s = config_section_find(first->section);
		size_t n = 1;
		char *array = s->size > 0 ? elements(c, s, &n) : NULL;

		for (end = first; end->key != NULL && strcmp(end->section, s->section) == 0;)
			end++;
		for (size_t i = 0; i < n && result == 0; i++) {
			void *base = array != NULL ? (void *)(array + i * s->size) : c;
			const char *name = array != NULL ? element_name(base) : "";

			for (k = first; k < end && result == 0; k++)
				result = visit(k, name, base, arg);
		}
	}
	return result;
}
