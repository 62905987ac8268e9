/* replay - runs a fuzz target over files, as an ordinary test
 *
 * usage: fuzz_NAME DIRECTORY-OR-FILE...
 * Each file goes to the target as it is, then ROUNDS times with a few bytes changed, cut out or doubled, always the
 * same ones. For hours of fuzzing link the target with clang's -fsanitize=fuzzer instead of this file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROUNDS 300
#define SIZE_MAX_INPUT ((size_t)1 << 20)

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A copy of its exact size, so that the address sanitizer sees a read behind the end. */
static void give(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		exit(2);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void change(const uint8_t *seed, size_t size)
{
	uint8_t *data = malloc(size * 2 + 1);
	size_t n = size, at, length;

	if (!data)
		exit(2);
	memcpy(data, seed, size);
	for (uint64_t changes = 1 + next_random() % 4; changes > 0 && n > 0; changes--) {
		at = next_random() % n;
		length = 1 + next_random() % (n - at);
		switch (next_random() % 4) {
		case 0:
			data[at] = (uint8_t)next_random();
			break;
		case 1:
			data[at] ^= (uint8_t)(1u << next_random() % 8);
			break;
		case 2:		/* cut out */
			memmove(data + at, data + at + length, n - at - length);
			n -= length;
			break;
		default:	/* doubled */
			if (n + length > size * 2)
				break;
			memmove(data + at + length, data + at, n - at);
			n += length;
		}
	}
	give(data, n);
	free(data);
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(SIZE_MAX_INPUT);
	size_t n;

	if (!f || !data) {
		perror(path);
		return 1;
	}
	n = fread(data, 1, SIZE_MAX_INPUT, f);
	fclose(f);
	give(data, n);
	for (int i = 0; i < ROUNDS; i++)
		change(data, n);
	free(data);
	return 0;
}

static int run_directory(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), failed = 0;
	char file[4096];

	if (n < 0) {
		perror(path);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
			failed |= run_file(file);
		}
		free(entries[i]);
	}
	free(entries);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;
	struct stat st;

	give((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		failed |= stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? run_directory(argv[i]) : run_file(argv[i]);
	return failed;
}
