/* Object ids of SHA-1 repositories. */
#ifndef MODELGATE_GIT_OID_H
#define MODELGATE_GIT_OID_H

#define OID_RAW_SIZE 20
#define OID_HEX_SIZE 41 /* digits and a NUL */
#define OID_SHORT 7     /* digits shown to people */

struct oid {
	unsigned char raw[OID_RAW_SIZE];
};

/* Parse exactly 40 lower-case hexadecimal digits.  0, or -1. */
int oid_parse(struct oid *out, const char *hex);
void oid_hex(const struct oid *o, char out[OID_HEX_SIZE]);
int oid_is_zero(const struct oid *o); /* 1 or 0: all zeros stands for "no object" */
int oid_equal(const struct oid *a, const struct oid *b); /* 1 or 0 */

#endif
