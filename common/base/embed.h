/* Files of the source tree that are compiled in, byte by byte. */
#ifndef MODELGATE_BASE_EMBED_H
#define MODELGATE_BASE_EMBED_H

/*
 * NAME becomes the content of FILE, a path from the top of the source tree, and a NUL byte.  C11
 * has no way to say this; the assemblers of gcc and clang do.  The Makefile has to be told that the
 * object depends on FILE.
 */
#define EMBED(name, file)                                                                          \
	__asm__(".pushsection .rodata\n"                                                           \
		".globl " #name "\n"                                                               \
		".hidden " #name "\n" #name ":\n"                                                  \
		".incbin \"" file "\"\n"                                                           \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char name[] __attribute__((visibility("hidden")))

#endif
