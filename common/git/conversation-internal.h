/*
 * What carries Git's smart protocol to a server, below libgit2: one conversation a connection.
 * libgit2's own carriers have no time limits, and its SSH knows neither known_hosts nor the signatures
 * that today's servers ask of RSA keys.
 */
#ifndef MODELGATE_GIT_CONVERSATION_INTERNAL_H
#define MODELGATE_GIT_CONVERSATION_INTERNAL_H

#include <git2.h>
#include <git2/sys/transport.h>

#include "base/err.h"
#include "base/str.h"

struct remote;

#define CONVERSATION_STALL 60             /* seconds without a byte from the server */
#define CONVERSATION_MAX_REFS (64U << 20) /* bytes of its list of references */
#define CONVERSATION_MAX_PACK (1U << 30)  /* bytes of all that a repository sends */
#define CONVERSATION_MAX_WORDS 2000       /* bytes of what its hooks say that are kept */

struct conversation {
	const struct remote *remote;
	const char *spool; /* folder for a temporary file; NULL: nothing is fetched */
	struct err fault;  /* what went wrong below libgit2, which hides it */
	struct str words;  /* what the server said to people */
	char *refused;     /* why it did not take the reference; NULL: it did, or did not say */
	int is_taken;      /* it said so */
};
void conversation_init(struct conversation *c, const struct remote *r, const char *spool);
void conversation_clear(struct conversation *c);
/* Forget faults and words, for another connection. */
void conversation_reset(struct conversation *c);
/* What a server said to people in TEXT, on one line, harmless; the caller's to free(). */
char *conversation_words(const char *text);

/*
 * Set *E from what C knows, else from libgit2: FORMAT says what was being done.  Returns -1.
 */
int conversation_err(const struct conversation *c, struct err *e, const char *what);

/* For connections that carry C: everything switched off that could go anywhere else. */
int conversation_callbacks(git_remote_callbacks *out, struct conversation *c, struct err *e);
/*
 * Connect to C's server, for the repository GIT, which may be NULL where nothing is fetched or pushed.  0
 * and *OUT, the caller's to git_remote_free(); or -1 and *E.
 */
int conversation_connect(git_remote **out, git_repository *git, git_direction direction,
	struct conversation *c, struct err *e);

/* What the reference REF of the connected REMOTE points to: 1 and *TIP, 0 it has none such, -1. */
int conversation_tip(
	git_remote *remote, const char *ref, struct conversation *c, git_oid *tip, struct err *e);

/* The carriers: git_smart_subtransport_cb, whose parameter is a struct conversation. */
int transport_http(git_smart_subtransport **out, git_transport *owner, void *conversation);
int transport_ssh(git_smart_subtransport **out, git_transport *owner, void *conversation);

/* The service of Git's that ACTION asks for. */
const char *conversation_service(git_smart_service_t action);

#endif
