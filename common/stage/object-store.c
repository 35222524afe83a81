#include "stage/object-store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "net/http.h"
#include "stage/arrival.h"
#include "stage/dvc-config.h"
#include "stage/log.h"
#include "stage/s3.h"
#include "sys/files.h"

#define COPY_SIZE 65536
#define MAX_REFUSAL ((size_t)1 << 20) /* bytes of an answer other than the object */
#define MAX_WORD 40                   /* bytes of a word of s3 that is shown */

struct object_store {
	const struct dvc_remote *remote; /* borrowed */
	enum dvc_place place;
	char *root;                          /* a folder, or a URL */
	struct http *http;                   /* NULL: a folder */
	struct http_credentials credentials; /* of http; s3 has its own */
	struct s3 s3;
};

/* ---- opening ---- */

/* Keys of a remote that would have a meaning for DVC and have none here, because a commit names them. */
static void warn_of_keys(const struct dvc_remote *r)
{
	static const char *const keys[] = {"credentialpath", "configpath", "ssl_verify"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (dvc_remote_get(r, keys[i]) != NULL)
			log_line("warning: %s of DVC remote %s is left out: a commit does not say "
				 "which files or certificates of this machine are used",
				keys[i], r->name);
}

static int use_basic(struct object_store *s, struct err *e)
{
	const struct dvc_remote *r = s->remote;
	const char *auth = dvc_remote_get(r, "auth"), *user = dvc_remote_get(r, "user");
	const char *password = dvc_remote_get(r, "password");

	if (auth == NULL) /* then DVC takes neither user nor password */
		return 0;
	if (strcasecmp(auth, "basic") != 0)
		return err_set(e,
			"DVC remote %s: auth = %s is for [build] model-fetch = dvc; here basic is "
			"known",
			r->name, auth);
	if (user == NULL || password == NULL)
		return err_set(e, "DVC remote %s: auth = basic wants user and password", r->name);
	log_line(
		"warning: the password of DVC remote %s stands in %s, where everybody who may read "
		"the repository reads it",
		r->name, DVC_CONFIG_FILE);
	s->credentials = (struct http_credentials){
		.kind = HTTP_AUTH_BASIC, .user = user, .secret = password};
	return 0;
}

static int open_kind(
	struct object_store *s, const char *base, const struct config *c, struct err *e)
{
	const struct http_settings settings = {0};

	s->place = dvc_config_place(s->remote->url, base, &s->root);
	switch (s->place) {
	case DVC_LOCAL:
		return 0;
	case DVC_HTTP:
		s->root = mem_strdup(s->remote->url);
		if (use_basic(s, e) != 0)
			return -1;
		break;
	case DVC_S3:
		if (s3_init(&s->s3, s->remote, c, e) != 0)
			return -1;
		s->root = mem_strdup(s->s3.url);
		s->credentials = s->s3.credentials;
		break;
	case DVC_ELSEWHERE:
		return err_set(e,
			"DVC remote %s is none that is read here (a folder, http, https, s3); "
			"[build] model-fetch = dvc has DVC itself read it",
			s->remote->name);
	}
	warn_of_keys(s->remote);
	return http_new(&s->http, &settings, e);
}

int object_store_open(struct object_store **out, const struct dvc_remote *r, const char *base,
	const struct config *c, struct err *e)
{
	struct object_store *s;

	*out = NULL;
	s = mem_zalloc(1, sizeof(*s));
	s->remote = r;
	if (open_kind(s, base, c, e) != 0) {
		object_store_close(s);
		return -1;
	}
	*out = s;
	return 0;
}

void object_store_close(struct object_store *s)
{
	if (s == NULL)
		return;
	http_free(s->http);
	s3_clear(&s->s3);
	free(s->root);
	free(s);
}

char *object_store_place(const struct object_store *s, const char *object)
{
	return path_join(s->root, object);
}

/* ---- a folder ---- */

static enum object_result copy(int from, const char *path, struct arrival *a, struct err *e)
{
	char *buffer = mem_zalloc(COPY_SIZE, 1);
	enum object_result result = OBJECT_THERE;
	ssize_t n;

	while (result == OBJECT_THERE && (n = read(from, buffer, COPY_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			(void)err_errno(e, errno, "%s cannot be read", path);
		if (n < 0 || arrival_add(a, buffer, (size_t)n, e) != 0)
			result = OBJECT_FAILED;
	}
	free(buffer);
	return result;
}

static enum object_result get_file(const char *path, struct arrival *a, struct err *e)
{
	enum object_result result;
	int from;

	if (!files_exists(path))
		return OBJECT_MISSING;
	from = files_open(path, O_RDONLY, 0, e);
	if (from < 0)
		return OBJECT_FAILED;
	result = copy(from, path, a, e);
	(void)close(from); /* only read from */
	return result;
}

/* ---- http ---- */

/* The text of the element NAME in TEXT, if it is a plain word, the caller's to free(); NULL: not. */
static char *find_word(const char *text, const char *name)
{
	const char *start = strstr(text, name), *end;

	if (start == NULL)
		return NULL;
	start += strlen(name);
	end = start +
	      strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
	if (*end != '<' || end == start || end - start > MAX_WORD)
		return NULL;
	return mem_strndup(start, (size_t)(end - start));
}

/* What to do about the answer A of s3, words that follow its status; the caller's to free(). */
static char *s3_remedy(const struct object_store *s, const struct http_answer *a, const char *code)
{
	char *region = find_word(a->body.buf, "<Region>"), *text;

	if (region != NULL || a->status == 301 || a->status == 307 ||
		str_same(code, "PermanentRedirect"))
		text = mem_format(
			"the bucket is in another region than %s%s%s: set region of the remote "
			"in %s",
			s->s3.region, region != NULL ? ", in " : "", region != NULL ? region : "",
			DVC_CONFIG_FILE);
	else if (s->credentials.kind == HTTP_AUTH_NONE)
		text = mem_strdup("it was asked without credentials: they belong into [build] "
				  "model-credentials-file");
	else if (str_same(code, "AccessDenied"))
		text = mem_strdup(
			"the credentials may not read it, or it is not there: s3 tells only who "
			"may list the bucket which of the two; if it was never pushed: dvc push");
	else
		text = mem_strdup("look at the credentials in [build] model-credentials-file");
	free(region);
	return text;
}

/* *E for an answer that is neither the object nor "there is none". */
static void refuse(
	const struct object_store *s, const char *url, const struct http_answer *a, struct err *e)
{
	char *code = s->place == DVC_S3 ? find_word(a->body.buf, "<Code>") : NULL;
	char *remedy = NULL;

	if (s->place == DVC_S3 && a->status < 500)
		remedy = s3_remedy(s, a, code);
	else if (a->status == 401 || a->status == 403)
		remedy = mem_format(
			"user and password of the remote belong into %s, with auth = basic",
			DVC_CONFIG_FILE);
	(void)err_set(e, "%s answers with status %ld%s%s%s%s", url, a->status,
		code != NULL ? " " : "", code != NULL ? code : "", remedy != NULL ? ": " : "",
		remedy != NULL ? remedy : "");
	if (e != NULL)
		e->passing = a->status == 429 || a->status >= 500 || a->status == 408;
	free(remedy);
	free(code);
}

/* One try.  OBJECT_FAILED with e->passing: *RETRY_AFTER is what the server said, or -1. */
static enum object_result try_once(struct object_store *s, const char *url, struct arrival *a,
	int64_t *retry_after, struct err *e)
{
	const struct http_request r = {.method = "GET",
		.url = url,
		.credentials = &s->credentials,
		.max = MAX_REFUSAL,
		.repeat = HTTP_REPEATABLE,
		.sink = arrival_add,
		.context = a,
		.from = a->size};
	enum object_result result = OBJECT_FAILED;
	struct http_answer answer;

	*retry_after = -1;
	if (http_do(s->http, &r, &answer, e) != HTTP_ANSWERED)
		return OBJECT_FAILED;
	*retry_after = answer.retry_after;
	if (answer.status == (r.from > 0 ? 206 : 200))
		result = OBJECT_THERE;
	else if ((answer.status == 404 || answer.status == 410) &&
		 strstr(answer.body.buf, "<Code>NoSuchBucket<") == NULL)
		result = OBJECT_MISSING;
	else
		refuse(s, url, &answer, e);
	http_answer_clear(&answer);
	return result;
}

static enum object_result get_http(
	struct object_store *s, const char *url, struct arrival *a, struct err *e)
{
	enum object_result result;
	struct err own = ERR_INIT;
	int64_t retry_after;

	for (int try = 0;; try++) {
		int64_t before = a->size;
		long ms;

		err_clear(&own);
		result = try_once(s, url, a, &retry_after, &own);
		/* Whatever came between: who has all bytes has the object, as its md5 will show. */
		if (result == OBJECT_FAILED && own.passing && a->size == a->max)
			result = OBJECT_THERE;
		if (result != OBJECT_FAILED || !own.passing || try + 1 >= HTTP_TRIES)
			break;
		/* A server that cannot go on in the middle begins again. */
		if (before > 0 && a->size == before && arrival_restart(a, &own) != 0)
			break;
		ms = http_pause_ms(try, retry_after);
		log_line("%s; tried again in %ld ms, %s", err_text(&own), ms,
			a->size > 0 ? "from where it was" : "from the beginning");
		http_sleep_ms(ms);
	}
	if (result == OBJECT_FAILED) {
		(void)err_set(e, "%s", err_text(&own));
		if (e != NULL)
			e->passing = own.passing;
	}
	err_clear(&own);
	return result;
}

enum object_result object_store_get(
	struct object_store *s, const char *object, struct arrival *a, struct err *e)
{
	char *place = object_store_place(s, object);
	enum object_result result =
		s->place == DVC_LOCAL ? get_file(place, a, e) : get_http(s, place, a, e);

	free(place);
	return result;
}
