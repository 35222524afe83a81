#define _GNU_SOURCE /* strcasestr */
#include "mlflow-double.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/json.h"
#include "stage/mlflow-view.h"

#define BASE "/api/2.0/mlflow/"

/* What is asked, and what will be answered. */
struct exchange {
	struct mlflow_double *d;
	const char *method;
	const char *path;    /* after BASE, without query */
	struct json *query;  /* members are text */
	struct json *body;   /* NULL: none */
	struct json *answer; /* of status 200 */
	long status;
	const char *code; /* of another status */
};

/* ---- pairs ---- */

const char *double_get(const struct double_pairs *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].key, key) == 0)
			return p->v[i].value;
	return NULL;
}

static void drop(struct double_pairs *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->v[i].key, key) == 0) {
			free(p->v[i].key);
			free(p->v[i].value);
			p->v[i] = p->v[--p->n];
			return;
		}
}

void double_set(struct double_pairs *p, const char *key, const char *value)
{
	char *copy = mem_strdup(value);

	drop(p, key);
	mem_grow(&p->v, p->n, &p->cap, sizeof(*p->v));
	p->v[p->n++] = (struct double_pair){mem_strdup(key), copy};
}

static void clear(struct double_pairs *p)
{
	while (p->n > 0)
		drop(p, p->v[0].key);
	free(p->v);
	p->v = NULL;
	p->cap = 0;
}

static struct json *pairs_json(const struct double_pairs *p, const char *key, const char *value)
{
	struct json *array = json_new_array();

	for (size_t i = 0; i < p->n; i++) {
		struct json *pair = json_new_object();

		json_put_text(pair, key, p->v[i].key);
		json_put_text(pair, value, p->v[i].value);
		json_append(array, pair);
	}
	return array;
}

static void take_tags(struct double_pairs *to, const struct json *tags)
{
	for (size_t i = 0; i < json_length(tags); i++)
		double_set(to, json_get_text(json_at(tags, i), "key"),
			json_get_text(json_at(tags, i), "value"));
}

/* ---- answers ---- */

static void fail(struct exchange *x, long status, const char *code)
{
	x->status = status;
	x->code = code;
}

/* What the real server refuses, or would not have been asked: the test fails. */
static void blame(struct exchange *x, const char *why)
{
	if (x->d->fault == NULL)
		x->d->fault = mem_format("%s %s: %s", x->method, x->path, why);
	fail(x, 400, "INVALID_PARAMETER_VALUE");
}

/* A member of the body that must be text. */
static const char *wanted(struct exchange *x, const char *name)
{
	const char *text = json_get_text(x->body, name);

	if (text == NULL)
		blame(x, name);
	return text;
}

static struct double_version *wanted_version(struct exchange *x)
{
	const char *name = wanted(x, "name"), *version = wanted(x, "version");

	if (name == NULL || version == NULL)
		return NULL;
	if (x->d->model != NULL && strcmp(name, x->d->model) == 0)
		for (size_t i = 0; i < x->d->n; i++)
			if (x->d->versions[i].number == strtoll(version, NULL, 10))
				return &x->d->versions[i];
	fail(x, 404, "RESOURCE_DOES_NOT_EXIST");
	return NULL;
}

static struct json *version_json(const struct mlflow_double *d, const struct double_version *v)
{
	struct json *j = json_new_object();
	char *number = mem_format("%lld", (long long)v->number);

	json_put_text(j, "name", d->model);
	json_put_text(j, "version", number);
	json_put_number(j, "creation_timestamp", 1767225600000 + v->number);
	json_put_number(j, "last_updated_timestamp", 1767225600000 + v->updated);
	if (d->stages == DOUBLE_STAGES)
		json_put_text(j, "current_stage", v->stage);
	json_put_known(j, "description", v->description);
	json_put_text(j, "source", v->source);
	json_put(j, "tags", pairs_json(&v->tags, "key", "value"));
	free(number);
	return j;
}

static struct json *model_json(const struct mlflow_double *d)
{
	struct json *j = json_new_object(), *latest = json_new_array();

	json_put_text(j, "name", d->model);
	json_put_number(j, "last_updated_timestamp", 1767225600000 + (int64_t)d->changes);
	if (d->n > 0)
		json_append(latest, version_json(d, &d->versions[d->n - 1]));
	json_put(j, "latest_versions", latest);
	json_put(j, "tags", pairs_json(&d->tags, "key", "value"));
	json_put(j, "aliases", pairs_json(&d->aliases, "alias", "version"));
	return j;
}

/* ---- calls ---- */

static void create_model(struct exchange *x)
{
	const char *name = wanted(x, "name");

	if (name == NULL)
		return;
	if (x->d->model != NULL) {
		fail(x, 400, "RESOURCE_ALREADY_EXISTS");
		return;
	}
	x->d->model = mem_strdup(name);
	take_tags(&x->d->tags, json_get(x->body, "tags"));
	json_put(x->answer, "registered_model", model_json(x->d));
}

static void get_model(struct exchange *x)
{
	if (x->d->model == NULL || !str_same(json_get_text(x->query, "name"), x->d->model))
		fail(x, 404, "RESOURCE_DOES_NOT_EXIST");
	else
		json_put(x->answer, "registered_model", model_json(x->d));
}

static void create_version(struct exchange *x)
{
	const char *name = wanted(x, "name"), *source = wanted(x, "source");
	struct mlflow_double *d = x->d;
	struct double_version *v;

	if (name == NULL || source == NULL)
		return;
	if (d->model == NULL || strcmp(name, d->model) != 0) {
		fail(x, 404, "RESOURCE_DOES_NOT_EXIST");
		return;
	}
	if (strstr(source, "://") == NULL || strstr(source, "..") != NULL ||
		str_starts(source, "file:") ||
		(d->sources == DOUBLE_NO_HTTP && str_starts(source, "http"))) {
		fail(x, 400, "INVALID_PARAMETER_VALUE");
		return;
	}
	mem_grow(&d->versions, d->n, &d->cap, sizeof(*d->versions));
	v = &d->versions[d->n++];
	memset(v, 0, sizeof(*v));
	v->number = ++d->last;
	v->updated = (int64_t)d->changes;
	v->source = mem_strdup(source);
	v->description = mem_strdup(json_get_text(x->body, "description"));
	v->stage = mem_strdup(REGISTRY_NONE);
	take_tags(&v->tags, json_get(x->body, "tags"));
	json_put(x->answer, "model_version", version_json(d, v));
}

static void clear_version(struct double_version *v)
{
	free(v->source);
	free(v->description);
	free(v->stage);
	clear(&v->tags);
}

static void delete_version(struct exchange *x)
{
	struct double_version *v = wanted_version(x);
	size_t at;

	if (v == NULL)
		return;
	at = (size_t)(v - x->d->versions);
	clear_version(v);
	memmove(v, v + 1, (--x->d->n - at) * sizeof(*v));
}

static void set_tag(struct exchange *x)
{
	struct double_version *v = wanted_version(x);
	const char *key = wanted(x, "key"), *value = wanted(x, "value");

	if (v != NULL && key != NULL && value != NULL) {
		double_set(&v->tags, key, value);
		v->updated = (int64_t)x->d->changes;
	}
}

static void delete_tag(struct exchange *x)
{
	struct double_version *v = wanted_version(x);
	const char *key = wanted(x, "key");

	if (v != NULL && key != NULL)
		drop(&v->tags, key);
}

static void transition(struct exchange *x)
{
	struct double_version *v = wanted_version(x);
	const char *stage = wanted(x, "stage");
	char *archive =
		json_get(x->body, "archive_existing_versions") != NULL
			? json_text(json_get(x->body, "archive_existing_versions"), JSON_ONE_LINE)
			: NULL;

	if (archive == NULL) {
		blame(x, "archive_existing_versions");
	} else if (v != NULL && stage != NULL) {
		int holds_one = strcmp(stage, REGISTRY_STAGING) == 0 ||
				strcmp(stage, REGISTRY_PRODUCTION) == 0;

		if (strcmp(archive, "true") == 0 && !holds_one)
			fail(x, 500, "INTERNAL_ERROR");
		for (size_t i = 0; strcmp(archive, "true") == 0 && i < x->d->n; i++)
			if (strcmp(x->d->versions[i].stage, stage) == 0) {
				free(x->d->versions[i].stage);
				x->d->versions[i].stage = mem_strdup(REGISTRY_ARCHIVED);
			}
		free(v->stage);
		v->stage = mem_strdup(stage);
		v->updated = (int64_t)x->d->changes;
	}
	free(archive);
}

static void set_alias(struct exchange *x)
{
	const char *alias = wanted(x, "alias");

	if (wanted_version(x) != NULL && alias != NULL)
		double_set(&x->d->aliases, alias, json_get_text(x->body, "version"));
}

static void delete_alias(struct exchange *x)
{
	const char *alias = wanted(x, "alias");

	if (x->d->model == NULL || !str_same(wanted(x, "name"), x->d->model))
		fail(x, 404, "RESOURCE_DOES_NOT_EXIST");
	else if (alias != NULL)
		drop(&x->d->aliases, alias);
}

/* The versions in the order that is asked for; else those come first that were changed last. */
static void order(const struct exchange *x, size_t *order_of)
{
	const struct mlflow_double *d = x->d;
	const char *by = json_get_text(x->query, "order_by");

	for (size_t i = 0; i < d->n; i++) {
		size_t k = i;

		for (; !str_same(by, "version_number ASC") && k > 0 &&
			d->versions[order_of[k - 1]].updated < d->versions[i].updated;
			k--)
			order_of[k] = order_of[k - 1];
		order_of[k] = i;
	}
}

/* The page of ALL that the token names, "next" and a number. */
static void put_page(struct exchange *x, const char *member, struct json *all[], size_t n)
{
	const char *token = json_get_text(x->query, "page_token"),
		   *max = json_get_text(x->query, "max_results");
	size_t from = token != NULL ? strtoul(token + strlen("next "), NULL, 10) : 0;
	size_t page = x->d->page > 0 ? x->d->page : max != NULL ? strtoul(max, NULL, 10) : 0;
	struct json *array = json_new_array();
	char *next = mem_format("next %zu", from + page);

	if (page == 0)
		blame(x, "max_results");
	for (size_t i = 0; i < n; i++)
		if ((i >= from && i < from + page) || x->d->is_endless)
			json_append(array, all[i]);
		else
			json_free(all[i]);
	if (json_length(array) > 0)
		json_put(x->answer, member, array);
	else
		json_free(array);
	if (from + page < n || x->d->is_endless)
		json_put_text(x->answer, "next_page_token", next);
	free(next);
}

static void search_versions(struct exchange *x)
{
	const struct mlflow_double *d = x->d;
	char *filter = mem_format("name='%s'", d->model != NULL ? d->model : "");
	struct json **all = mem_zalloc(d->n + 1, sizeof(struct json *));
	size_t *order_of = mem_zalloc(d->n + 1, sizeof(size_t)), n = d->n;

	if (!str_same(json_get_text(x->query, "filter"), filter))
		n = 0;
	order(x, order_of);
	for (size_t i = 0; i < n; i++)
		all[i] = version_json(d, &d->versions[order_of[i]]);
	put_page(x, "model_versions", all, n);
	free(order_of);
	free(all);
	free(filter);
}

static void search_models(struct exchange *x)
{
	struct json *all[1] = {x->d->model != NULL ? model_json(x->d) : NULL};

	put_page(x, "registered_models", all, x->d->model != NULL);
}

static const struct {
	const char *method;
	const char *path;
	void (*carry_out)(struct exchange *x);
} endpoints[] = {
	{"GET", "registered-models/get", get_model},
	{"GET", "registered-models/search", search_models},
	{"GET", "model-versions/search", search_versions},
	{"POST", "registered-models/create", create_model},
	{"POST", "model-versions/create", create_version},
	{"DELETE", "model-versions/delete", delete_version},
	{"POST", "model-versions/set-tag", set_tag},
	{"DELETE", "model-versions/delete-tag", delete_tag},
	{"POST", "model-versions/transition-stage", transition},
	{"POST", "registered-models/alias", set_alias},
	{"DELETE", "registered-models/alias", delete_alias},
};

/* 1: the answer goes out; 0: it is lost. */
static int carry_out(struct exchange *x)
{
	struct mlflow_double *d = x->d;
	int changes = strcmp(x->method, "GET") != 0;

	d->calls++;
	d->changes += (size_t)changes;
	if (d->refused_from > 0 && d->changes >= d->refused_from) {
		fail(x, 400, "TOO_LATE");
		return 1;
	}
	fail(x, 404, "ENDPOINT_NOT_FOUND");
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
		if (strcmp(endpoints[i].method, x->method) == 0 &&
			strcmp(endpoints[i].path, x->path) == 0 &&
			(endpoints[i].carry_out != transition || d->stages == DOUBLE_STAGES)) {
			fail(x, 200, NULL);
			endpoints[i].carry_out(x);
		}
	return !changes || d->lost == 0 || d->changes != d->lost;
}

/* ---- HTTP ---- */

/* TEXT without the %XX of RFC 3986; the caller's to free(). */
static char *unescape(const char *text, size_t len)
{
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < len; i++) {
		char digits[3] = {0};

		if (text[i] != '%' || i + 2 >= len) {
			str_addc(&s, text[i]);
			continue;
		}
		memcpy(digits, text + i + 1, 2);
		str_addc(&s, (char)strtol(digits, NULL, 16));
		i += 2;
	}
	return str_steal(&s);
}

static struct json *parse_query(const char *text)
{
	struct json *query = json_new_object();

	while (*text != '\0') {
		size_t len = strcspn(text, "&"), name = strcspn(text, "=&");
		char *key = mem_strndup(text, name),
		     *value = unescape(text + name + 1, len > name ? len - name - 1 : 0);

		json_put_text(query, key, value);
		free(value);
		free(key);
		text += len + (text[len] == '&');
	}
	return query;
}

static void send_answer(int connection, const struct exchange *x)
{
	struct json *fault = json_new_object();
	char *body, *text;

	json_put_text(fault, "error_code", x->code);
	json_put_text(fault, "message", "as the test says");
	body = json_text(x->status == 200 ? x->answer : fault, JSON_ONE_LINE);
	text = mem_format("HTTP/1.1 %ld X\r\nContent-Type: application/json\r\n"
			  "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		x->status, strlen(body), body);
	if (send(connection, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		fprintf(stderr, "an answer has nobody who hears it\n");
	free(text);
	free(body);
	json_free(fault);
}

/* HEAD: the request line and headers; BODY: the rest. */
static void serve(struct mlflow_double *d, int connection, char *head, const char *body)
{
	struct exchange x = {.d = d, .answer = json_new_object()};
	char *target, *query, *rest;

	x.method = strtok_r(head, " ", &rest);
	target = strtok_r(NULL, " ", &rest);
	if (target == NULL || !str_starts(target, BASE))
		abort(); /* no test asks for anything else */
	query = strchr(target, '?');
	x.query = parse_query(query != NULL ? query + 1 : "");
	if (query != NULL)
		*query = '\0';
	x.path = target + strlen(BASE);
	if (strcmp(x.method, "GET") != 0 &&
		(json_parse(&x.body, body, strlen(body), NULL) != 0 ||
			strcasestr(rest, "Content-Type: application/json") == NULL))
		blame(&x, "no JSON");
	else if (strcasestr(rest, "Origin:") != NULL)
		blame(&x, "Origin");
	else if (carry_out(&x))
		send_answer(connection, &x);
	json_free(x.answer);
	json_free(x.query);
	json_free(x.body);
}

static void *run(void *context)
{
	struct mlflow_double *d = context;
	int connection;

	while ((connection = accept(d->fd, NULL, NULL)) >= 0) {
		char buf[16384], *end = NULL, *length;
		size_t used = 0, whole = sizeof(buf);
		ssize_t n = 1;

		while (n > 0 && used < whole && used < sizeof(buf) - 1) {
			n = read(connection, buf + used, sizeof(buf) - 1 - used);
			used += n > 0 ? (size_t)n : 0;
			buf[used] = '\0';
			end = strstr(buf, "\r\n\r\n");
			length = strcasestr(buf, "Content-Length:");
			if (end != NULL)
				whole = (size_t)(end + 4 - buf) +
					(length != NULL ? strtoul(length + 15, NULL, 10) : 0);
		}
		if (end != NULL) {
			*end = '\0';
			serve(d, connection, buf, end + 4);
		}
		(void)close(connection); /* nothing depends on it here */
	}
	return NULL;
}

/* ---- for the test ---- */

void mlflow_double_start(struct mlflow_double *d)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	memset(d, 0, sizeof(*d));
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->fd < 0 || bind(d->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
		listen(d->fd, 16) != 0 || getsockname(d->fd, (struct sockaddr *)&a, &len) != 0 ||
		pthread_create(&d->thread, NULL, run, d) != 0) {
		perror("no port");
		abort();
	}
	d->port = ntohs(a.sin_port);
}

void mlflow_double_end(struct mlflow_double *d)
{
	(void)shutdown(d->fd, SHUT_RDWR); /* wakes accept() */
	(void)pthread_join(d->thread, NULL);
	(void)close(d->fd); /* nothing is asked there any more */
	for (size_t i = 0; i < d->n; i++)
		clear_version(&d->versions[i]);
	free(d->versions);
	clear(&d->tags);
	clear(&d->aliases);
	free(d->model);
	free(d->fault);
}

char *mlflow_double_show(const struct mlflow_double *d)
{
	static const char *const aliases[] = {MLFLOW_ALIAS_PRODUCTION, MLFLOW_ALIAS_STAGING};
	static const struct {
		const char *tag;
		char letter;
	} tags[] = {{MLFLOW_TAG_STAGED, 's'}, {MLFLOW_TAG_PRODUCTION, 'p'},
		{MLFLOW_TAG_ROLLED_BACK, 'r'}};
	struct str s;

	str_init(&s);
	for (size_t i = 0; i < 2; i++)
		if (double_get(&d->aliases, aliases[i]) != NULL)
			str_addf(&s, "%s=%s ", aliases[i], double_get(&d->aliases, aliases[i]));
	for (size_t i = d->n; i > 0; i--) {
		const struct double_version *v = &d->versions[i - 1];

		str_addf(&s, "%s%lld:%s+", i < d->n ? " " : "", (long long)v->number, v->stage);
		for (size_t k = 0; k < 3; k++)
			if (double_get(&v->tags, tags[k].tag) != NULL)
				str_addc(&s, tags[k].letter);
	}
	return str_steal(&s);
}
