/*
 * Whatever stands for an address in .dvc/config, and may be anybody's who may push: it is refused in words, or
 * leads to a server of those that are allowed, by a URL that every program reads alike.
 *
 * About: common/stage/address.c common/stage/s3.c
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "net/http.h"
#include "stage/address.h"
#include "stage/dvc-config.h"
#include "stage/s3.h"

#define CONFIG "[build]\nmodel-remotes = https://models.example.com/*, s3://models/*\n"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

/* The result is 0, or there are words that a terminal does not obey. */
static void check_words(int result, struct err *e)
{
	must((result == 0) == (e->text == NULL));
	for (const char *p = err_text(e); *p != '\0'; p++)
		must((unsigned char)*p >= ' ' && *p != 0x7f);
	err_clear(e);
}

static void check_url(const char *url)
{
	must(strpbrk(url, " \t\r\n\\\"<>?#") == NULL && strstr(url, "/../") == NULL);
	must(strstr(url, "/./") == NULL && !str_ends(url, "/.."));
	for (; *url != '\0'; url++)
		must((unsigned char)*url > ' ' && (unsigned char)*url < 0x7f);
}

static void check_form(const char *url)
{
	struct err e = ERR_INIT;
	int result = address_check(url, "url", &e);
	char *shown = http_shown(url);

	must(strlen(shown) <= strlen(url));
	check_words(result, &e);
	if (result == 0) {
		check_url(url);
		must(strcmp(shown, url) == 0);
		must(memchr(url, '@', strcspn(strstr(url, "//") + 2, "/")) == NULL);
	}
	free(shown);
}

static void check_bucket(const char *url)
{
	struct err e = ERR_INIT;
	char *own, *amazons;

	if (strncasecmp(url, "s3://", 5) != 0)
		return;
	own = s3_url(url, "https://s3.example.com/", "eu-1", &e);
	check_words(own == NULL ? -1 : 0, &e);
	amazons = s3_url(url, NULL, "eu-1", &e);
	check_words(amazons == NULL ? -1 : 0, &e);
	must((own == NULL) == (amazons == NULL));
	if (own != NULL) {
		check_url(own);
		check_url(amazons);
		must(str_starts(own, "https://s3.example.com/") && str_starts(amazons, "https://"));
		must(strstr(amazons, ".eu-1.amazonaws.com") != NULL);
	}
	free(amazons);
	free(own);
}

static void check_admission(const struct config *c, const char *url)
{
	char name[] = "r";
	struct dvc_remote r = {.name = name, .url = mem_strdup(url)};
	struct err e = ERR_INIT;
	char *path = NULL;
	enum dvc_place place = dvc_config_place(url, "/b/.dvc", &path);
	int result = address_admit(&r, c, &e);

	must((place == DVC_LOCAL) == (path != NULL) && (path == NULL || *path == '/'));
	check_words(result, &e);
	if (result == 0)
		must(str_starts(url, "https://models.example.com/") || str_starts(url, "s3://"));
	if (result == 0 && str_starts(url, "s3://"))
		must(str_starts(strchr(strchr(url, '@') != NULL ? url : "s3://@", '@') + 1,
			     "models/") ||
			str_starts(url, "s3://models/"));
	free(path);
	free(r.url);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct config *config; /* the same for every input */
	char *url = mem_strndup((const char *)bytes, len);

	if (config == NULL)
		must(config_parse(&config, CONFIG, strlen(CONFIG), "fuzz", NULL) == 0);
	check_form(url);
	check_bucket(url);
	check_admission(config, url);
	free(url);
	return 0;
}
