/*
 * Where a repository is that others keep: a folder of this machine, or a server that is spoken with
 * over HTTP (gitprotocol-http(5)) or SSH, and what proves there who we are.
 */
#ifndef MODELGATE_GIT_REMOTE_H
#define MODELGATE_GIT_REMOTE_H

#include <stddef.h>

#include "base/str.h"
#include "git/oid.h"

struct err;

enum remote_kind { REMOTE_PATH, REMOTE_HTTP, REMOTE_SSH };

struct remote_address {
	enum remote_kind kind;
	char *url;  /* as it was given; without a slash at its end over HTTP */
	char *path; /* PATH: absolute; SSH: as the server's shell is given it */
	char *user; /* SSH; "": that of the runner */
	char *host; /* SSH */
	char *port; /* SSH; "": the usual one */
};

/*
 * Parse an absolute path, file://, http:// or https://, ssh:// or scp's [USER@]HOST:PATH (git-clone(1),
 * "Git URLs").  0; the caller calls remote_address_clear().  -1: *E says what is wrong, never with a
 * password: one inside the address is refused.
 */
int remote_parse(struct remote_address *out, const char *text, struct err *e);
void remote_address_clear(struct remote_address *a);

/* A request of Git's over HTTP: GET, or POST where there is a body. */
struct remote_request {
	const char *url;
	const char *type; /* of the body; NULL: there is none */
	const void *body;
	size_t len;
	size_t max; /* bytes of the answer */
	int out;    /* descriptor that the body of an answer 200 goes to; -1: into the answer */
};

struct remote_answer {
	long status;
	char *type; /* media type in lower case; the caller's to free() */
	struct str body;
};

struct remote {
	struct remote_address address;
	/*
	 * HTTP: carries out a request with the credentials, certificates and time limits that it knows, for
	 * this room does not know common/net.  0 and *A, initialised by the caller, whatever the status;
	 * -1 and *E, with e->passing.
	 */
	int (*http)(void *context, const struct remote_request *r, struct remote_answer *a,
		struct err *e);
	void *context;
	const char *token_file;  /* HTTP: of the credentials, for messages; "": none */
	const char *key_file;    /* SSH: of the private key; "": those of the runner's home */
	const char *known_hosts; /* SSH: of servers' keys; "": that of the runner's home */
	const char *cache;       /* folder for what is kept of repositories on servers */
};

/*
 * Ask the server of R, of kind HTTP or SSH, as one who is going to push, for the tip of BRANCH: 1 and
 * *TIP, 0 there is none such, -1 and *E: who may only read is told so.
 */
int remote_tip(const struct remote *r, const char *branch, struct oid *tip, struct err *e);

#endif
