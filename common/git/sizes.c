#include "git/sizes-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void sizes_clear(struct sizes *s)
{
	free(s->v);
	s->v = NULL;
}

int sizes_read(struct size *out, struct sizes *s, git_odb *odb, const git_oid *id)
{
	struct size *place;
	unsigned at;
	int error;

	if (s->v == NULL) {
		s->v = mem_zalloc(SIZES_N, sizeof(*s->v));
		for (at = 0; at < SIZES_N; at++)
			s->v[at].type = GIT_OBJECT_INVALID;
	}
	memcpy(&at, id->id, sizeof(at));
	place = &s->v[at % SIZES_N];
	if (place->type != GIT_OBJECT_INVALID && git_oid_equal(&place->id, id)) {
		*out = *place;
		return 0;
	}
	memset(out, 0, sizeof(*out));
	git_oid_cpy(&out->id, id);
	error = git_odb_read_header(&out->size, &out->type, odb, id);
	if (error == 0)
		*place = *out;
	return error;
}
