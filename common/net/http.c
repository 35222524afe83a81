#include "net/http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "base/err.h"
#include "base/mem.h"

#define MAX_REDIRECTS 5
#define MAX_HEADER 8192 /* bytes of a line that is looked at */

struct http {
	CURL *curl;
	char *ca_file; /* NULL: the system's */
	long timeout;
	char fault[CURL_ERROR_SIZE];
};

int http_new(struct http **out, const struct http_settings *settings, struct err *e)
{
	const char *ca_file = settings->ca_file;
	struct http *h;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return err_set(e, "libcurl cannot be started");
	h = mem_zalloc(1, sizeof(*h));
	h->curl = curl_easy_init();
	if (h->curl == NULL) {
		free(h);
		curl_global_cleanup();
		return err_set(e, "libcurl cannot be used");
	}
	h->ca_file = ca_file != NULL && *ca_file != '\0' ? mem_strdup(ca_file) : NULL;
	h->timeout = settings->timeout > 0 ? settings->timeout : HTTP_TIMEOUT;
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	curl_global_cleanup();
	free(h->ca_file);
	free(h);
}

void http_credentials_parse(struct http_credentials *out, char **user, const char *text)
{
	const char *colon = strchr(text, ':');

	memset(out, 0, sizeof(*out));
	*user = colon != NULL ? mem_strndup(text, (size_t)(colon - text)) : NULL;
	out->kind = colon != NULL ? HTTP_AUTH_BASIC : HTTP_AUTH_BEARER;
	out->user = *user;
	out->secret = colon != NULL ? colon + 1 : text;
}

void http_answer_clear(struct http_answer *a)
{
	str_clear(&a->body);
	free(a->type);
	memset(a, 0, sizeof(*a));
}

char *http_shown(const char *url)
{
	const char *scheme = strstr(url, "://"), *host;

	if (scheme == NULL)
		return mem_strndup(url, strcspn(url, "?#"));
	host = scheme + 3;
	for (const char *at = host; *at != '\0' && strchr("/?#", *at) == NULL; at++)
		if (*at == '@') /* the last one: a password may hold others */
			host = at + 1;
	return mem_format("%.*s%.*s", (int)(scheme + 3 - url), url, (int)strcspn(host, "?#"), host);
}

char *http_escape(const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	struct str s;

	str_init(&s);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((isalnum(c) && c < 0x80) || strchr("-._~", c) != NULL) {
			str_addc(&s, (char)c);
		} else {
			str_addc(&s, '%');
			str_addc(&s, digits[c >> 4]);
			str_addc(&s, digits[c & 15]);
		}
	}
	return str_steal(&s);
}

/* ---- what arrives ---- */

/* One request on its way. */
struct flight {
	struct http *h;
	const struct http_request *r;
	struct http_answer *a;
	struct err *e;
	enum { FLIES, TOO_LONG, CUT, SINK_ENDED, FORBIDDEN } state;
};

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
	struct flight *f = context;
	long status = 0;

	n *= size;
	(void)curl_easy_getinfo(f->h->curl, CURLINFO_RESPONSE_CODE, &status); /* known by now */
	if (f->r->sink != NULL && status == (f->r->from > 0 ? 206 : 200)) {
		if (f->r->sink(f->r->context, bytes, n, f->e) == 0)
			return n;
		f->state = SINK_ENDED;
		return 0;
	}
	if (n > f->r->max - f->a->body.len) {
		f->state = f->r->excess == HTTP_EXCESS_CUT && status == 200 ? CUT : TOO_LONG;
		if (f->state == CUT)
			str_addn(&f->a->body, bytes, f->r->max - f->a->body.len);
		return 0;
	}
	str_addn(&f->a->body, bytes, n);
	return n;
}

/* The value of the header NAME, if LINE is one, the caller's to free(); else NULL. */
static char *header_value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	for (line += n + 1, len -= n + 1; len > 0 && isspace((unsigned char)*line); len--)
		line++;
	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	return mem_strndup(line, len);
}

/* Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3). */
static int64_t parse_retry_after(const char *value)
{
	long long seconds;
	time_t when;

	if (str_number(value, INT32_MAX, &seconds) == 0)
		return seconds;
	when = curl_getdate(value, NULL);
	if (when == -1)
		return -1;
	return when > time(NULL) ? when - time(NULL) : 0;
}

static size_t take_header(char *line, size_t size, size_t n, void *context)
{
	struct flight *f = context;
	size_t len = size * n < MAX_HEADER ? size * n : MAX_HEADER;
	char *value = header_value(line, len, "Retry-After");

	if (value != NULL)
		f->a->retry_after = parse_retry_after(value);
	free(value);
	value = header_value(line, len, "Content-Type");
	if (value != NULL) {
		value[strcspn(value, "; \t")] = '\0';
		for (char *p = value; *p != '\0'; p++)
			*p = (char)tolower((unsigned char)*p);
		free(f->a->type);
		f->a->type = value;
	}
	return size * n;
}

/* ---- what is sent ---- */

#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (curl_easy_setopt(curl, option, value) != CURLE_OK)                             \
			return err_set(e, "libcurl does not know " #option);                       \
	} while (0)

/*
 * 1: A is an address of this link alone (RFC 3927, RFC 4291, section 2.5.6), also written as IPv6, or the
 * one that Amazon's machines have beside it (fd00:ec2::254).
 */
static int is_link_local(const struct sockaddr *a)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const unsigned char amazon[16] = {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54};
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (a->sa_family == AF_INET) {
		memcpy(&four, a, sizeof(four));
		return ntohl(four.sin_addr.s_addr) >> 16 == 0xa9fe;
	}
	if (a->sa_family != AF_INET6)
		return 0;
	memcpy(&six, a, sizeof(six));
	if (memcmp(six.sin6_addr.s6_addr, mapped, sizeof(mapped)) == 0)
		return six.sin6_addr.s6_addr[12] == 0xa9 && six.sin6_addr.s6_addr[13] == 0xfe;
	return IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) ||
	       memcmp(six.sin6_addr.s6_addr, amazon, sizeof(amazon)) == 0;
}

/* Asked with the address itself: whatever a name server said before may have changed. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct flight *f = context;

	(void)purpose; /* there is one alone */
	if (is_link_local(&a->addr)) {
		f->state = FORBIDDEN;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int set_limits(CURL *curl, struct flight *f, struct err *e)
{
	const struct http_credentials *c = f->r->credentials;
	int streams = f->r->sink != NULL, follows = streams;

	if (c != NULL && c->kind == HTTP_AUTH_AWS)
		follows = 0;
	SET(CURLOPT_ERRORBUFFER, f->h->fault);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR,
		strncasecmp(f->r->url, "https:", 6) == 0 ? "https" : "http,https");
	SET(CURLOPT_FOLLOWLOCATION, (long)follows);
	SET(CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	SET(CURLOPT_CONNECTTIMEOUT,
		f->h->timeout < HTTP_CONNECT_TIMEOUT ? f->h->timeout : (long)HTTP_CONNECT_TIMEOUT);
	SET(CURLOPT_TIMEOUT, streams ? 0L : f->h->timeout);
	SET(CURLOPT_LOW_SPEED_LIMIT, streams ? 1L : 0L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)HTTP_STALL_TIMEOUT);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (streams) {
		SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
		SET(CURLOPT_OPENSOCKETDATA, f);
		SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)f->r->from);
	}
	if (f->h->ca_file != NULL)
		SET(CURLOPT_CAINFO, f->h->ca_file);
	SET(CURLOPT_USERAGENT, "modelgate");
	return 0;
}

static int set_content(CURL *curl, struct flight *f, struct err *e)
{
	const struct http_request *r = f->r;

	SET(CURLOPT_URL, r->url);
	SET(CURLOPT_CUSTOMREQUEST, r->method);
	if (r->body != NULL) {
		SET(CURLOPT_POSTFIELDS, r->body);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
	}
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, f);
	/* On a connection that it has used before, libcurl itself sends again what got no answer. */
	SET(CURLOPT_FRESH_CONNECT, r->repeat == HTTP_ONCE ? 1L : 0L);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, f);
	return 0;
}

static int set_credentials(
	CURL *curl, const struct http_credentials *c, struct curl_slist **headers, struct err *e)
{
	char *text;

	if (c == NULL || c->kind == HTTP_AUTH_NONE)
		return 0;
	if (c->kind == HTTP_AUTH_BEARER) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		SET(CURLOPT_XOAUTH2_BEARER, c->secret);
		return 0;
	}
	SET(CURLOPT_USERNAME, c->user);
	SET(CURLOPT_PASSWORD, c->secret);
	if (c->kind == HTTP_AUTH_BASIC) {
		SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		return 0;
	}
	text = mem_format("aws:amz:%s:s3", c->region);
	if (curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, text) != CURLE_OK) {
		free(text);
		return err_set(e, "libcurl cannot sign for s3");
	}
	free(text);
	/* The body of what is asked for is empty: its SHA-256, which s3 wants among the headers. */
	*headers = mem_given(curl_slist_append(*headers,
		"x-amz-content-sha256: "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	if (c->session != NULL) {
		text = mem_format("x-amz-security-token: %s", c->session);
		*headers = mem_given(curl_slist_append(*headers, text));
		free(text);
	}
	return 0;
}

static int set_headers(
	CURL *curl, const struct http_request *r, struct curl_slist **headers, struct err *e)
{
	char *type;

	/*
	 * Not asked "may I go on?" first: what is sent is short.  Not said where nothing is sent: libcurl
	 * 7.88 puts each header named here under an AWS signature, also one that it then leaves out.
	 */
	if (r->body != NULL)
		*headers = mem_given(curl_slist_append(*headers, "Expect:"));
	if (r->type != NULL) {
		type = mem_format("Content-Type: %s", r->type);
		*headers = mem_given(curl_slist_append(*headers, type));
		free(type);
	}
	SET(CURLOPT_HTTPHEADER, *headers);
	return 0;
}

#undef SET

/* ---- one request ---- */

/* A fault of this kind comes before the request has left, where nothing has. */
static int is_before_sending(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return 1;
	default:
		return 0;
	}
}

/* A server whose certificate is wrong, or an address that is none, does not become right. */
static int is_lasting(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_TOO_MANY_REDIRECTS:
		return 1;
	default:
		return 0;
	}
}

static enum http_result tell_fault(const struct flight *f, CURLcode code, struct err *e)
{
	char *url = http_shown(f->r->url), *why;
	curl_off_t connected = 0;
	long sent = 0, status = 0;
	enum http_result result = HTTP_UNCLEAR;

	if (f->state == SINK_ENDED) {
		free(url);
		return HTTP_ENDED;
	}
	if (f->state == TOO_LONG) {
		(void)err_set(e, "%s %s: the answer is longer than %zu bytes", f->r->method, url,
			f->r->max);
		e->passing = 1; /* a proxy's page in place of the answer, perhaps */
		free(url);
		return HTTP_UNCLEAR;
	}
	if (f->state == FORBIDDEN) {
		(void)err_set(e,
			"%s %s: the address is one of this link alone (169.254.0.0/16, fe80::/10), "
			"where nothing is fetched from",
			f->r->method, url);
		free(url);
		return HTTP_NOT_SENT;
	}
	/* A time-out while the connection was being made is one before sending, too. */
	(void)curl_easy_getinfo(f->h->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
	(void)curl_easy_getinfo(f->h->curl, CURLINFO_REQUEST_SIZE, &sent);
	(void)curl_easy_getinfo(f->h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (sent == 0 &&
		(is_before_sending(code) || (code == CURLE_OPERATION_TIMEDOUT && connected == 0)))
		result = HTTP_NOT_SENT;
	why = str_safe(f->h->fault[0] != '\0' ? f->h->fault : curl_easy_strerror(code), 300);
	(void)err_set(e, "%s %s: %s", f->r->method, url, why);
	/* That is also what libcurl calls an answer that is not HTTP's: no status, after it has asked. */
	e->passing = !is_lasting(code) ||
		     (code == CURLE_UNSUPPORTED_PROTOCOL && sent > 0 && status == 0);
	free(why);
	free(url);
	return result;
}

enum http_result http_do(
	struct http *h, const struct http_request *r, struct http_answer *a, struct err *e)
{
	struct err own = ERR_INIT;
	struct flight f = {.h = h, .r = r, .a = a, .e = e != NULL ? e : &own};
	struct curl_slist *headers = NULL;
	enum http_result result = HTTP_NOT_SENT;
	curl_off_t length = -1;
	CURLcode code;

	memset(a, 0, sizeof(*a));
	str_init(&a->body);
	a->type = mem_strdup("");
	a->retry_after = -1;
	a->length = -1;
	h->fault[0] = '\0';
	curl_easy_reset(h->curl); /* keeps the connections */
	if (set_limits(h->curl, &f, f.e) != 0 || set_content(h->curl, &f, f.e) != 0 ||
		set_credentials(h->curl, r->credentials, &headers, f.e) != 0 ||
		set_headers(h->curl, r, &headers, f.e) != 0)
		goto out;
	code = curl_easy_perform(h->curl);
	if (code == CURLE_OK || f.state == CUT) {
		(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &a->status);
		(void)curl_easy_getinfo(
			h->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length); /* -1 if not told */
		a->length = length;
		result = HTTP_ANSWERED;
	} else {
		result = tell_fault(&f, code, f.e);
	}
out:
	curl_slist_free_all(headers);
	if (result != HTTP_ANSWERED)
		http_answer_clear(a);
	err_clear(&own);
	return result;
}
