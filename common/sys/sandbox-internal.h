/* What the parts of common/sys/sandbox*.c share. */
#ifndef MODELGATE_SYS_SANDBOX_INTERNAL_H
#define MODELGATE_SYS_SANDBOX_INTERNAL_H

struct err;
struct sandbox;

/*
 * Built with sanitizers: their shadow takes terabytes of address space; LeakSanitizer, at the end, stops this
 * process by ptrace(2) and reads its /proc; reports go to files.  What forbids these, and no more, is left
 * out then.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* The version that the kernel has; 0: none. */
int sandbox_files_support(void);
/* Paths.  0; -1: *E.  no_new_privs must be set. */
int sandbox_files_enter(const struct sandbox *s, struct err *e);

/* 1, or 0. */
int sandbox_calls_support(void);
/* Calls.  0; -1: *E.  no_new_privs must be set. */
int sandbox_calls_enter(struct err *e);

#endif
