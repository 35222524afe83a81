/* What the kernel loads when it executes a program (execve(2), elf(5)). */
#define _GNU_SOURCE /* pread */
#include "sys/sandbox.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/files.h"

#define MAX_INTERPRETER 4096 /* bytes of the path that a program names */

static int read_at(int fd, void *out, size_t len, off_t at)
{
	return pread(fd, out, len, at) == (ssize_t)len ? 0 : -1;
}

/* The program that FD names as its interpreter, the caller's to free(); "": none; NULL: it is no such file. */
static char *interpreter(int fd)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;

	if (read_at(fd, &head, sizeof(head), 0) != 0 ||
		memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_phentsize != sizeof(part))
		return NULL;
	for (size_t i = 0; i < head.e_phnum; i++) {
		char *path;

		if (read_at(fd, &part, sizeof(part), (off_t)(head.e_phoff + i * sizeof(part))) != 0)
			return NULL;
		if (part.p_type != PT_INTERP)
			continue;
		if (part.p_filesz >= MAX_INTERPRETER)
			return NULL;
		path = mem_zalloc(part.p_filesz + 1, 1);
		if (read_at(fd, path, part.p_filesz, (off_t)part.p_offset) == 0)
			return path;
		free(path);
		return NULL;
	}
	return mem_strdup("");
}

/* PREFIX/bin/git has its libraries in PREFIX/lib. */
static void add_libraries(struct sandbox *s, const char *program)
{
	char *bin = path_dir(program), *prefix = path_dir(bin);

	if (strcmp(prefix, ".") != 0 && prefix[0] != '\0') {
		sandbox_add(&s->read, prefix, "lib");
		sandbox_add(&s->read, prefix, "lib64");
		sandbox_add(&s->read, prefix, "libexec");
	}
	free(prefix);
	free(bin);
}

/* PROGRAM starts what nobody knows: as a rule what lies beside it, and what the machine has. */
static void add_unknown(struct sandbox *s, const char *program)
{
	char *dir = path_dir(program);

	s->programs = SANDBOX_EXECUTE_ANY;
	/* A rule holds all below: the folder itself must not be everything, or where tokens are kept. */
	strlist_add(&s->execute, strcmp(dir, "/") == 0 || strcmp(dir, "/etc") == 0 ? program : dir);
	free(dir);
}

void sandbox_add_program(struct sandbox *s, const char *program)
{
	char *real = files_real_path(program, NULL), *loader = NULL;
	int fd = real != NULL ? open(real, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;

	if (fd >= 0) {
		loader = interpreter(fd);
		(void)close(fd); /* only read */
	}
	if (loader == NULL) {
		add_unknown(s, real != NULL ? real : program);
	} else {
		strlist_add(&s->execute, real);
		if (loader[0] == '/')
			strlist_add(&s->execute, loader);
	}
	if (real != NULL)
		add_libraries(s, real);
	free(loader);
	free(real);
}
