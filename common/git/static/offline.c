/*
 * For a program that is linked statically: what libgit2.a, and SQLite, would bring into it for the
 * network, for secrets and for loadable code.  These definitions are met first, so that the linker takes
 * none of the members that have them: neither mbedTLS, libssh2 nor Kerberos is linked, starting
 * libgit2 does not parse the machine's certificates (7 ms of a push, each time), and nothing is loaded at
 * run time.  A gate needs none of it: whatever asks for it all the same fails, and says so.
 *
 * The names are libgit2's own of version 1.5, see its src/libgit2/libgit2.c and src/util/hash.c; with
 * another version the linker names what is missing or there twice, and STATIC=0 links dynamically.
 */
#define _DEFAULT_SOURCE /* fgetpwent_r */
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>

#include <git2/errors.h>
#include <git2/sys/transport.h>

/* ---- what no header declares that is installed ---- */

extern bool git_http__expect_continue;
int git_mbedtls_stream_global_init(void);
int git_mbedtls__set_cert_location(const char *file, const char *path);
int git_transport_ssh_global_init(void);
int git_hash_sha256_global_init(void);
int git_hash_sha256_ctx_init(void *context);
void git_hash_sha256_ctx_cleanup(void *context);
int git_hash_sha256_init(void *context);
int git_hash_sha256_update(void *context, const void *data, size_t len);
int git_hash_sha256_final(unsigned char *out, void *context);
void *__wrap_dlopen(const char *file, int mode);

static int refuse(int class, const char *what)
{
	git_error_set_str(class, what);
	return -1;
}

/* ---- the network ---- */

bool git_http__expect_continue = false;

int git_mbedtls_stream_global_init(void)
{
	return 0;
}

int git_mbedtls__set_cert_location(const char *file, const char *path)
{
	(void)file;
	(void)path;
	return refuse(GIT_ERROR_SSL, "this program has no TLS");
}

int git_transport_ssh_global_init(void)
{
	return 0;
}

static int refuse_transport(git_smart_subtransport **out)
{
	*out = NULL;
	return refuse(GIT_ERROR_NET, "this program has no network");
}

int git_smart_subtransport_http(git_smart_subtransport **out, git_transport *owner, void *param)
{
	(void)owner;
	(void)param;
	return refuse_transport(out);
}

int git_smart_subtransport_git(git_smart_subtransport **out, git_transport *owner, void *param)
{
	(void)owner;
	(void)param;
	return refuse_transport(out);
}

int git_smart_subtransport_ssh(git_smart_subtransport **out, git_transport *owner, void *param)
{
	(void)owner;
	(void)param;
	return refuse_transport(out);
}

/* ---- SHA-256, for repositories that libgit2 1.5 cannot read anyway ---- */

static int refuse_sha256(void)
{
	return refuse(GIT_ERROR_SHA, "this program has no SHA-256 of libgit2's");
}

int git_hash_sha256_global_init(void)
{
	return 0;
}

int git_hash_sha256_ctx_init(void *context)
{
	(void)context;
	return refuse_sha256();
}

void git_hash_sha256_ctx_cleanup(void *context)
{
	(void)context;
}

int git_hash_sha256_init(void *context)
{
	(void)context;
	return refuse_sha256();
}

int git_hash_sha256_update(void *context, const void *data, size_t len)
{
	(void)context;
	(void)data;
	(void)len;
	return refuse_sha256();
}

int git_hash_sha256_final(unsigned char *out, void *context)
{
	(void)out;
	(void)context;
	return refuse_sha256();
}

/* ---- loadable code: SQLite's extensions; the linker is told of it by --wrap=dlopen ---- */

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

/* ---- users: libgit2 looks for a home directory where the user was changed ---- */

int getpwuid_r(uid_t uid, struct passwd *pw, char *buffer, size_t size, struct passwd **out)
{
	FILE *in = fopen("/etc/passwd", "re");
	int fault;

	*out = NULL;
	if (in == NULL)
		return errno == ENOENT ? 0 : errno;
	do
		fault = fgetpwent_r(in, pw, buffer, size, out);
	while (fault == 0 && pw->pw_uid != uid);
	(void)fclose(in); /* only read */
	return fault == ENOENT ? 0 : fault;
}
