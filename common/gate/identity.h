/* Who pushes, and which roles that gives. */
#ifndef MODELGATE_GATE_IDENTITY_H
#define MODELGATE_GATE_IDENTITY_H

struct actor;
struct config;
struct strlist;

/*
 * Who pushes, by what C believes: GL_ID, GL_USERNAME and GL_PROTOCOL; REMOTE_USER; or the process's
 * user.  What is not known is "".  Filled in, the caller's to actor_clear().
 */
void identity_find(struct actor *out, const struct config *c);
/*
 * 1 if MEMBER of a role is an id: user-<n>, key-<n> or uid-<n>; 0: a name.  GitLab lets a person take
 * "user-17" for a user name; such a member is an id all the same and never matches a name.
 */
int identity_is_id(const char *member);
/* 1 if ACTOR is a member of one of the ROLES, or there are none in the list; else 0. */
int identity_may(const struct config *c, const struct actor *actor, const struct strlist *roles);

#endif
