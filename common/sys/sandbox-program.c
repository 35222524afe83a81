/* What is loaded when a program is executed (execve(2), elf(5), ld.so(8)). */
#define _GNU_SOURCE /* pread */
#include "sys/sandbox.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "sys/files.h"

#define LD_CONF "/etc/ld.so.conf"
#define LD_CONF_DIR LD_CONF ".d"
#define MAX_LD_CONF 65536    /* bytes of one such file */
#define MAX_INTERPRETER 4096 /* bytes of the path that a program names */

/*
 * Of the machine: what libraries read when a program starts, and what the kernel says of itself.  Not /etc:
 * tokens are kept there.
 */
static const char *const of_the_machine[] = {"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32",
	"/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/localtime",
	"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/usr/share/zoneinfo",
	/* libgit2, where it is linked dynamically, does not start without */
	"/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/usr/share/ca-certificates", "/dev/urandom",
	"/dev/random", "/dev/zero", "/sys/devices/system/cpu",
	"/sys/kernel/mm/transparent_hugepage", "/proc/sys/vm/overcommit_memory"};

void sandbox_add_machine(struct sandbox *s)
{
	for (size_t i = 0; i < sizeof(of_the_machine) / sizeof(of_the_machine[0]); i++)
		strlist_add(&s->read, of_the_machine[i]);
	strlist_add(&s->write, "/dev/null");
}

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

/* Where a program may have libraries beside the usual folders: those of package managers that have their own. */
static const char *const of_libraries[] = {"/opt", "/nix/store", "/gnu/store", "/usr/local/lib64",
	"/usr/local/opt", "/usr/local/Cellar", "/home/linuxbrew/.linuxbrew"};

/* The folders that a file for ldconfig(8) names, one a line; what else it says is not for us. */
static void add_named(struct sandbox *s, const char *path)
{
	struct strlist lines = {0};
	struct str text;

	str_init(&text);
	if (files_read(path, MAX_LD_CONF, &text, NULL) == 1)
		strlist_split(&lines, text.buf, '\n');
	for (size_t i = 0; i < lines.n; i++) {
		char *line = lines.v[i] + strspn(lines.v[i], " \t");

		line[strcspn(line, " \t\r,:#=")] = '\0';
		if (line[0] == '/' && line[1] != '\0')
			strlist_add(&s->read, line);
	}
	strlist_clear(&lines);
	str_clear(&text);
}

/* What ldconfig(8) is told on this machine. */
static void add_configured(struct sandbox *s)
{
	DIR *dir = opendir(LD_CONF_DIR);
	struct dirent *entry;

	add_named(s, LD_CONF);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char *path;

		if (!str_ends(entry->d_name, ".conf"))
			continue;
		path = path_join(LD_CONF_DIR, entry->d_name);
		add_named(s, path);
		free(path);
	}
	if (dir != NULL)
		(void)closedir(dir); /* only read */
}

/* PREFIX/bin/git has its libraries in PREFIX/lib. */
static void add_libraries(struct sandbox *s, const char *program)
{
	char *bin = path_dir(program), *prefix = path_dir(bin);

	for (size_t i = 0; i < sizeof(of_libraries) / sizeof(of_libraries[0]); i++)
		strlist_add(&s->read, of_libraries[i]);
	add_configured(s);
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
