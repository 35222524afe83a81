/* Processes as proc(5) shows them, and names for them that no other process ever gets. */
#ifndef MODELGATE_SYS_PROCESS_H
#define MODELGATE_SYS_PROCESS_H

#include <sys/types.h>

struct process {
	char name[16]; /* at most 15 bytes, as the kernel cuts it */
	char state;    /* R, S, Z ... */
	pid_t pid;
	pid_t parent;
	unsigned long long started; /* clock ticks since boot */
};

/* 1, or 0 if PID is not to be seen. */
int process_read(struct process *out, pid_t pid);

/* "process <pid> <started> <namespace>"; the caller's to free(). */
char *process_name(const struct process *p);

enum process_life {
	PROCESS_LIVES,
	PROCESS_GONE,
	PROCESS_UNKNOWN /* NAME is none of ours, or that process is not to be seen from here */
};
/* What has become of the process that process_name() called NAME. */
enum process_life process_look(const char *name);

#endif
