#include "gate/identity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/record.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/config.h"
#include "sys/user.h"

static char *environment(const char *name)
{
	const char *value = getenv(name);

	return mem_strdup(value ? value : "");
}

static void find_process_user(struct actor *out)
{
	char *name = user_name(getuid());

	out->id = mem_format("uid-%lu", (unsigned long)getuid());
	out->name = name != NULL ? name : mem_strdup("");
	/* For the reader of the audit log alone: nothing is decided by it. */
	out->protocol = mem_strdup(getenv("SSH_CONNECTION") != NULL ? "ssh" : "local");
}

void identity_find(struct actor *out, const struct config *c)
{
	memset(out, 0, sizeof(*out));
	switch (c->identity) {
	case CONFIG_IDENTITY_GITLAB:
		out->id = environment("GL_ID");
		out->name = environment("GL_USERNAME");
		out->protocol = environment("GL_PROTOCOL");
		break;
	case CONFIG_IDENTITY_HTTP:
		out->id = mem_strdup("");
		out->name = environment("REMOTE_USER");
		out->protocol = mem_strdup("http");
		break;
	default:
		find_process_user(out);
	}
}

int identity_is_id(const char *member)
{
	static const char *const forms[] = {"user-", "key-", "uid-"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const char *digits = member + strlen(forms[i]);

		if (str_starts(member, forms[i]) && *digits != '\0' &&
			digits[strspn(digits, "0123456789")] == '\0')
			return 1;
	}
	return 0;
}

static int is_member(const struct config_role *role, const struct actor *actor)
{
	for (size_t i = 0; i < role->members.n; i++) {
		const char *member = role->members.v[i];

		if (strcmp(member, identity_is_id(member) ? actor->id : actor->name) == 0)
			return 1;
	}
	return 0;
}

int identity_may(const struct config *c, const struct actor *actor, const struct strlist *roles)
{
	if (roles->n == 0)
		return 1;
	for (size_t i = 0; i < roles->n; i++) {
		const struct config_role *role = config_role(c, roles->v[i]);

		if (role != NULL && is_member(role, actor))
			return 1;
	}
	return 0;
}
