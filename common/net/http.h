/*
 * HTTP (RFC 9110) by libcurl: the one place where time-outs, sizes, TLS, proxies and redirects are set.
 * A session keeps its connections, so that the requests of one stage share one.
 */
#ifndef MODELGATE_NET_HTTP_H
#define MODELGATE_NET_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;
struct http;

#define HTTP_CONNECT_TIMEOUT 10 /* seconds until a connection stands */
#define HTTP_TIMEOUT 60         /* seconds for a whole request without a sink */
#define HTTP_STALL_TIMEOUT 60   /* seconds without a byte, for one with a sink */

struct http_settings {
	const char
		*ca_file; /* PEM, of the authorities to trust instead of the system's; NULL, "" */
	long timeout;     /* seconds, instead of HTTP_TIMEOUT; 0 */
};

/* 0 and *OUT, the caller's to http_free(); or -1: libcurl cannot be used. */
int http_new(struct http **out, const struct http_settings *settings, struct err *e);
void http_free(struct http *h); /* NULL is fine */

/* What is sent to prove who asks.  Strings are borrowed. */
enum http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_BEARER, HTTP_AUTH_AWS };
struct http_credentials {
	enum http_auth kind;
	const char *user;   /* BASIC; AWS: the access key's id */
	const char *secret; /* BASIC: the password, BEARER: the token, AWS: the secret access key */
	const char *session; /* AWS: the session token; NULL: none */
	const char *region;  /* AWS, signature version 4 of the service s3 */
};
/*
 * From the one line of a secret's file: a text that holds a colon is USER:PASSWORD, another a bearer
 * token.  OUT's secret points into TEXT, and *USER is a copy, the caller's to free(); NULL: none.
 */
void http_credentials_parse(struct http_credentials *out, char **user, const char *text);

/* What becomes of an answer that is longer than is taken. */
enum http_excess {
	HTTP_EXCESS_FAULT,
	HTTP_EXCESS_CUT /* of status 200: the beginning is the answer */
};

/* May a request be sent again of which it is not known whether the server has carried it out? */
enum http_repeat { HTTP_ONCE, HTTP_REPEATABLE };

struct http_request {
	const char *method;                         /* GET, POST, PATCH, DELETE */
	const char *url;                            /* http:// or https:// */
	const struct http_credentials *credentials; /* NULL: none */
	const char *type;                           /* of BODY, as application/json */
	const void *body;                           /* NULL: none */
	size_t len;
	size_t max; /* bytes of an answer that are taken */
	enum http_excess excess;
	enum http_repeat repeat;
	/*
	 * Given: the body of an answer 200 goes there piece by piece, however long, and not into the
	 * answer; redirects are followed, at most 5, never from https to http, and none with
	 * HTTP_AUTH_AWS, whose signature and session token are for one host.  No address of this link
	 * (169.254.0.0/16, fe80::/10) is asked, whatever name leads there: where a cloud's machines get
	 * their credentials is nobody's file server.  What it returns other than 0 ends the request, with
	 * *E as it has set it.
	 */
	int (*sink)(void *context, const void *bytes, size_t len, struct err *e);
	void *context;
	/*
	 * With a sink: bytes that it has already.  Only what follows them is asked for, and comes with an
	 * answer 206.  From a server that cannot do that nothing comes: HTTP_UNCLEAR.
	 */
	int64_t from;
};

struct http_answer {
	long status;
	struct str body;     /* without a sink, or of another status than 200 and 206 */
	char *type;          /* media type in lower case, without parameters; "": none was told */
	int64_t retry_after; /* seconds; -1: none was told */
	int64_t length;      /* that the server announced; -1: none */
};
void http_answer_clear(struct http_answer *a);

/*
 * HTTP_ANSWERED: *A is whole, whatever its status; the caller calls http_answer_clear().  Otherwise *E,
 * which never holds credentials, and e->passing where another try may help: HTTP_NOT_SENT, the server
 * has certainly not seen the request; HTTP_UNCLEAR, it may have carried it out.  HTTP_ENDED: the sink
 * said so.
 */
enum http_result { HTTP_ANSWERED, HTTP_NOT_SENT, HTTP_UNCLEAR, HTTP_ENDED };
enum http_result http_do(
	struct http *h, const struct http_request *r, struct http_answer *a, struct err *e);

/*
 * The same, tried up to HTTP_TRIES times with exponential backoff and jitter: after NOT_SENT, 429 and
 * 503 with Retry-After (which is waited for, up to HTTP_MAX_PAUSE) always; after UNCLEAR, 500, 502, 503
 * and 504 only where the request is HTTP_REPEATABLE.  What came of the last try.  Each pause is told to
 * TELL, a line without newline, which may be NULL.  Not for a request with a sink.
 */
#define HTTP_TRIES 4
#define HTTP_MAX_PAUSE 30 /* seconds */
enum http_result http_persist(struct http *h, const struct http_request *r, struct http_answer *a,
	void (*tell)(const char *line), struct err *e);

/*
 * How long http_persist() waits after the failed try number TRY (from 0), in milliseconds, where the
 * server has asked for RETRY_AFTER seconds (-1: it has not); and the waiting.  For whoever tries a request
 * with a sink again.
 */
long http_pause_ms(int try, int64_t retry_after);
void http_sleep_ms(long ms);

/* TEXT as it may stand in a part of a path or a query (RFC 3986, unreserved); the caller's to free(). */
char *http_escape(const char *text);
/* URL without user, password and query, for messages; the caller's to free(). */
char *http_shown(const char *url);

#endif
