#include "cgroup/control.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"

#define DEPTH_MAX 32
/* v1 counts pages in a long, so its "no limit" is a number just below 2^63. */
#define V1_NO_LIMIT (UINT64_C(1) << 62)

int control_write(int dirfd, const char *file, const char *text)
{
	int number, result, fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	result = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	number = errno;
	close(fd);
	errno = number;
	return result;
}

char *control_read(struct arena *arena, int dirfd, const char *file)
{
	return fd_read_file(arena, dirfd, file, CONTROL_TEXT_MAX, NULL);
}

static int parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (str_starts(text, "max")) {
		*ret = CONTROL_NONE;
		return 0;
	}
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (end == text || errno)
		errno = EINVAL;
	else if (*ret >= V1_NO_LIMIT)
		*ret = CONTROL_NONE;
	return errno ? -1 : 0;
}

int control_read_number(int dirfd, const char *file, uint64_t *ret)
{
	_cleanup_fd_ int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	char text[64];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	return parse_number(text, ret);
}

/* The text after "key " at the start of a line; NULL without such a line. */
static const char *find_key(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (; text && *text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
		if (strncmp(text, key, length) == 0 && text[length] == ' ')
			return text + length + 1;
	return NULL;
}

uint64_t control_key(const char *text, const char *key)
{
	const char *value = find_key(text, key);
	uint64_t number;

	return value && parse_number(value, &number) == 0 ? number : 0;
}

int control_read_key(int dirfd, const char *file, const char *key, uint64_t *ret)
{
	_cleanup_fd_ int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	char text[4096];
	const char *value;
	ssize_t n = fd < 0 ? -1 : fd_read_all(fd, text, sizeof(text) - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	value = find_key(text, key);
	if (!value)
		errno = ENODATA;
	return value ? parse_number(value, ret) : -1;
}

void control_read_words(struct arena *arena, int dirfd, const char *file, struct strings *ret)
{
	char *text = control_read(arena, dirfd, file), *word;

	*ret = (struct strings){ 0 };
	while (text && (word = strsep(&text, " \n")))
		if (*word)
			strings_add(arena, ret, word);
}

int control_open_dir(const char *path)
{
	size_t length = strlen(path);

	if (*path != '/' || strstr(path, "/../") || (length >= 3 && str_eq(path + length - 3, "/.."))) {
		errno = EINVAL;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int walk(int dirfd, int depth, int (*visit)(int dirfd, void *context), void *context)
{
	_cleanup_dir_ DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
	struct dirent *e;
	int result = 0;

	if (!dir || depth > DEPTH_MAX) {
		if (!dir && dirfd >= 0)
			close(dirfd);
		return depth ? 0 : -1;	/* gone meanwhile */
	}
	while (result == 0 && (e = readdir(dir)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			result = walk(openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), depth + 1,
				      visit, context);
	return result ? result : visit(dirfd, context);
}

int control_walk(int dirfd, int (*visit)(int dirfd, void *context), void *context)
{
	return walk(dirfd, 0, visit, context);
}
