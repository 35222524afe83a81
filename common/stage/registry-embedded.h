/* The embedded registry: tables of <state>/store.db. */
#ifndef MODELGATE_STAGE_REGISTRY_EMBEDDED_H
#define MODELGATE_STAGE_REGISTRY_EMBEDDED_H

struct registry_backend;

extern const struct registry_backend registry_embedded;

#endif
