/*
 * The first line is a value, what follows it a project's template.  Whatever is taken: each @NAME@ is
 * replaced and nothing else is touched, and a value never gets out of the quotes that it was put into.
 *
 * About: common/stage/template.c common/data/yaml.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/yaml.h"
#include "stage/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* 0 and *OUT, the caller's to free(); or -1, and there is a fault in words. */
static int fill(char **out, const char *template, const struct template_value *values)
{
	struct err e = ERR_INIT;
	struct str s;
	int result;

	str_init(&s);
	result = template_fill(&s, template, values, &e);
	must((result == 0) == (e.text == NULL));
	must(result != 0 || strlen(s.buf) == s.len);
	err_clear(&e);
	*out = str_steal(&s);
	return result;
}

/* The value stands between quotes in a manifest as in config/serving.yaml.template: it is read as it is. */
static void check_manifest(const struct template_value *values, const char *value)
{
	static const char manifest[] = "kind: Serving\nspec:\n  image: \"@A@\"\n  last: \"x\"\n";
	struct yaml *tree = NULL;
	char *text;

	if (fill(&text, manifest, values) == 0 && strlen(value) < 10000) {
		must(yaml_parse(&tree, text, strlen(text), NULL) == 0);
		must(yaml_length(tree) == 2 && yaml_length(yaml_get(tree, "spec")) == 2);
		must(str_same(yaml_text(yaml_get(yaml_get(tree, "spec"), "image")), value));
		must(str_same(yaml_text(yaml_get(yaml_get(tree, "spec"), "last")), "x"));
	}
	yaml_tree_free(tree);
	free(text);
}

/* The same in Python: no quote, no escape, no end of line, nothing of Jinja's or of an f-string. */
static void check_python(const struct template_value *values, const char *value)
{
	char *text;

	if (fill(&text, "x = \"@A@\"\n", values) == 0) {
		must(strlen(text) == strlen("x = \"\"\n") + strlen(value));
		must(strpbrk(value, "\"'\\`\n\r{}") == NULL);
	}
	free(text);
}

/* Values that are placeholders themselves show whether anything but those changes. */
static void check_text(const char *template)
{
	static const struct template_value same[] = {{"A", "@A@", TEMPLATE_NOT_EMPTY},
		{"DAG_ID", "@DAG_ID@", TEMPLATE_NOT_EMPTY},
		{"MODEL_VERSION", "@MODEL_VERSION@", TEMPLATE_MAY_BE_EMPTY}, {0}};
	char *text;

	if (fill(&text, template, same) == 0)
		must(strcmp(text, template) == 0);
	else
		must(strncmp(text, template, strlen(text)) == 0 && strchr(template, '@') != NULL);
	free(text);
}

static void check_filled(const char *template, const struct template_value *values)
{
	struct yaml *tree = NULL;
	char *text;

	/* That both end, whatever there is. */
	if (fill(&text, template, values) == 0)
		(void)yaml_parse(&tree, text, strlen(text), NULL);
	yaml_tree_free(tree);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *value = mem_strndup((const char *)bytes, len), *template = strchr(value, '\n');
	struct template_value values[] = {
		{"A", value, TEMPLATE_MAY_BE_EMPTY}, {"DAG_ID", value, TEMPLATE_NOT_EMPTY}, {0}};

	if (template != NULL) {
		*template ++ = '\0';
		check_text(template);
		check_filled(template, values);
	}
	check_manifest(values, value);
	check_python(values, value);
	free(value);
	return 0;
}
