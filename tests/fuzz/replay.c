/*
 * Stands in for libFuzzer's main: gives every file named on the command line to the target once, so
 * that a corpus is a test wherever there is a C compiler.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE (16 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static int replay(const char *path, uint8_t *buf)
{
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t len;
	int failed;

	if (f == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	len = fread(buf, 1, INPUT_SIZE, f);
	failed = ferror(f) || len == INPUT_SIZE;
	(void)fclose(f); /* only read */
	/* A buffer of just this size, so that a sanitizer sees the first byte read beyond it. */
	exact = failed ? NULL : malloc(len > 0 ? len : 1);
	if (exact == NULL) {
		fprintf(stderr, "%s: cannot be read, or is too large\n", path);
		return -1;
	}
	memcpy(exact, buf, len);
	(void)LLVMFuzzerTestOneInput(exact, len); /* always 0; a fault ends the process */
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t *buf = malloc(INPUT_SIZE);
	int result = EXIT_SUCCESS;

	if (buf == NULL || argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		free(buf);
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++)
		if (replay(argv[i], buf) != 0)
			result = EXIT_FAILURE;
	free(buf);
	if (result == EXIT_SUCCESS)
		printf("%d inputs replayed\n", argc - 1);
	return result;
}
