#include "data/config-parts.h"

#include <string.h>
#include <strings.h>

#include "base/path.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define LETTERS_DIGITS LETTERS DIGITS
#define CRON_NUMBERS "0123456789*,-/"
#define SECRET_NAME_SIZE 100

static int is_made_of(const char *text, const char *characters)
{
	return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

/* git-check-ref-format(1), --branch; a value holds no control character. */
int config_fits_branch(const char *name)
{
	if (!path_is_inside(name) || name[0] == '-' || strcmp(name, "HEAD") == 0)
		return 0;
	/* A slip, although git takes it: the branch would be refs/heads/refs/heads/... */
	if (str_starts(name, "refs/"))
		return 0;
	if (strpbrk(name, " ~^:?*[\\") != NULL || strstr(name, "..") != NULL ||
		strstr(name, "@{") != NULL || strcmp(name, "@") == 0)
		return 0;
	if (name[0] == '.' || strstr(name, "/.") != NULL || strstr(name, ".lock/") != NULL)
		return 0;
	return !str_ends(name, ".lock") && !str_ends(name, ".");
}

/* Names that start with retrain are kept for what [retrain-branch] describes. */
int config_fits_ruled(const char *name)
{
	return config_fits_branch(name) &&
	       (strncasecmp(name, "retrain", 7) != 0 || strcmp(name, "retrain") == 0);
}

int config_fits_source(const char *name)
{
	return strcmp(name, "retrain-*") == 0 || config_fits_branch(name);
}

int config_fits_name(const char *name)
{
	return is_made_of(name, LETTERS_DIGITS "_.-") && name[0] != '.' && name[0] != '-';
}

int config_fits_project(const char *name)
{
	return is_made_of(name, LETTERS_DIGITS "_-") && strlen(name) <= CONFIG_PROJECT_NAME_MAX;
}

int config_fits_date(const char *format)
{
	static const char parts[] = "Ymd";
	int seen[3] = {0};

	for (const char *p = format; *p != '\0'; p++) {
		const char *part;

		if (*p == '/' || (*p != '%' && strchr(" ~^:?*[\\", *p) != NULL))
			return 0;
		if (*p != '%')
			continue;
		part = *++p != '\0' ? strchr(parts, *p) : NULL;
		if (part == NULL || seen[part - parts]++ > 0)
			return 0;
	}
	/*
	 * A whole name is retrain-1-<date>: what remains to be asked is how it may end, and of
	 * "..".
	 */
	return seen[0] && seen[1] && seen[2] && !str_ends(format, ".") &&
	       !str_ends(format, ".lock") && strstr(format, "..") == NULL &&
	       strstr(format, "@{") == NULL;
}

int config_fits_absolute(const char *path)
{
	return path[0] == '/' && path_is_inside(path + 1);
}

int config_fits_file(const char *path)
{
	return path_is_inside(path);
}

/* Paths in a tree start with neither, and never end in a slash: such a glob would match nothing. */
int config_fits_pattern(const char *glob)
{
	return glob[0] != '/' && !str_starts(glob, "./") && !str_ends(glob, "/");
}

/* Safe in a template: no quotes, backslashes and braces. */
static int is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || strchr("\"'`\\{}", *text) != NULL)
			return 0;
	return 1;
}

/*
 * What Airflow takes for a schedule: one of its presets, or cron's five fields.  Names stand in the
 * last two alone, so that a sentence of five words is no schedule.
 */
int config_fits_schedule(const char *text)
{
	static const char *const presets[] = {
		"@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly", NULL};
	static const char *const fields[] = {CRON_NUMBERS, CRON_NUMBERS, CRON_NUMBERS "?LW",
		CRON_NUMBERS "?" LETTERS, CRON_NUMBERS "?#" LETTERS};
	size_t n = 0;

	for (size_t i = 0; presets[i] != NULL; i++)
		if (strcmp(text, presets[i]) == 0)
			return 1;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		size_t len = n < sizeof(fields) / sizeof(fields[0]) ? strspn(text, fields[n]) : 0;

		if (len == 0 || (text[len] != ' ' && text[len] != '\0'))
			return 0;
		text += len;
		n++;
	}
	return n == sizeof(fields) / sizeof(fields[0]);
}

/* A URL or a path that may stand on a command line, too. */
int config_fits_address(const char *text)
{
	return text[0] != '-' && is_plain(text) && strchr(text, ' ') == NULL;
}

/* 1 if HOST is the name or address of a host, or with a port, that engines do not take for a path. */
static int is_host(const char *host, size_t len)
{
	size_t name = *host == '[' ? strcspn(host, "]/") + 1 : strspn(host, LETTERS_DIGITS ".-");

	if (name > len || strchr("-.", *host) != NULL)
		return 0;
	if (*host == '[' && strspn(host + 1, DIGITS LETTERS ":") != name - 2)
		return 0;
	if (name == len)
		return *host == '[' || memchr(host, '.', len) != NULL ||
		       (len == strlen("localhost") && str_starts(host, "localhost"));
	return host[name] == ':' && len > name + 1 &&
	       strspn(host + name + 1, DIGITS) == len - name - 1;
}

/*
 * What an engine takes for a host and not for the first part of a path, and parts as the name of an
 * image has them (OCI distribution, "Pulling manifests").
 */
int config_fits_images(const char *registry)
{
	size_t len = strcspn(registry, "/");

	if (*registry != '\0' && !is_host(registry, len))
		return 0;
	for (registry += len; *registry == '/'; registry += len) {
		registry++;
		len = strspn(registry, LOWER DIGITS "._-");
		if (len == 0 || strchr("._-", registry[0]) != NULL ||
			strchr("._-", registry[len - 1]) != NULL)
			return 0;
	}
	return *registry == '\0';
}

int config_fits_url(const char *url)
{
	size_t scheme = str_starts(url, "https://") ? 8 : str_starts(url, "http://") ? 7 : 0;

	return scheme > 0 && url[scheme] != '\0' && url[scheme] != '/' && config_fits_address(url);
}

/* USER:PASSWORD@HOST:PATH, which scp does not know: that would be the host USER. */
static int is_scp_with_password(const char *url)
{
	const char *at = strchr(url, '@');
	size_t before;

	if (at == NULL)
		return 0;
	before = (size_t)(at - url);
	return memchr(url, ':', before) != NULL && memchr(url, '/', before) == NULL &&
	       at[strcspn(at, ":/")] == ':';
}

int config_holds_secret(const char *url)
{
	const char *authority = strstr(url, "://"), *at;

	if (authority == NULL)
		return is_scp_with_password(url);
	authority += strlen("://");
	at = memchr(authority, '@', strcspn(authority, "/?#"));
	if (at == NULL)
		return 0;
	/* A user alone is a token over HTTP, and over SSH a user. */
	return str_starts(url, "http") || memchr(authority, ':', (size_t)(at - authority)) != NULL;
}

int config_is_remote(const char *repository)
{
	size_t colon = strcspn(repository, ":/");

	return strstr(repository, "://") != NULL || repository[colon] == ':';
}

int config_fits_remote(const char *repository)
{
	static const char *const schemes[] = {"https://", "http://", "ssh://", "file:///", NULL};

	if (!config_is_remote(repository))
		return config_fits_absolute(repository);
	if (repository[0] == ':' || !config_fits_address(repository))
		return 0;
	for (size_t i = 0; schemes[i] != NULL; i++)
		if (str_starts(repository, schemes[i]))
			return repository[strlen(schemes[i])] != '\0';
	return strstr(repository, "://") == NULL;
}

int config_fits_secret(const char *name)
{
	return is_made_of(name, LETTERS_DIGITS "_.-") && name[0] != '-' &&
	       strlen(name) <= SECRET_NAME_SIZE;
}
