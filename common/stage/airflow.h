/*
 * The repository of an [airflow "..."] section: on this machine, or on a server, with what proves there
 * who we are.
 */
#ifndef MODELGATE_STAGE_AIRFLOW_H
#define MODELGATE_STAGE_AIRFLOW_H

#include "git/remote.h"

struct config;
struct config_airflow;
struct err;
struct http;

struct airflow {
	char *repository;     /* path on this machine, or address for messages */
	struct remote remote; /* in use where its address is no path */
	char *cache;
	struct http *http; /* NULL: not spoken */
	char *user;        /* of the token file, for HTTP; NULL: there is none */
	char *password;
};

/*
 * 0; the caller calls airflow_close(), and does not copy *OUT.  -1: the address is none, or a file that the section names cannot
 * be used, with the remedy in *E.  No server is asked yet.
 */
int airflow_open(struct airflow *out, const struct config *config,
	const struct config_airflow *section, struct err *e);
void airflow_close(struct airflow *a);
/* The server's repository; NULL: it is one of this machine. */
const struct remote *airflow_remote(const struct airflow *a);

#endif
