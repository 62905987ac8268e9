#include "run/seccomp_cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "sys/fd.h"

#define CACHE_MAGIC UINT64_C(0x62727962706633)
#define FILE_MAX (8u << 20)
#define PROGRAMS_MAX 64		/* of about ten kilobytes, mostly in memory */
#define PROGRAMS_KEPT 32

/* A file: this head, the instructions, the key. */
struct cache_head {
	uint64_t magic;
	uint64_t libseccomp_mtime, libseccomp_size;
	uint64_t key_size;
	uint32_t flags, n;
	char libseccomp[256];
};

static uint64_t nanoseconds(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

static bool is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int open_private_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || is_private(fd))
		return fd;
	close(fd);
	return -1;
}

/* --- finding */

static bool is_of_library(const struct cache_head *head)
{
	struct stat st;

	return memchr(head->libseccomp, '\0', sizeof(head->libseccomp)) && stat(head->libseccomp, &st) == 0 &&
	       head->libseccomp_mtime == nanoseconds(&st.st_mtim) && head->libseccomp_size == (uint64_t)st.st_size;
}

static bool is_wanted(const struct cache_head *head, size_t size, const struct seccomp_key *key)
{
	size_t code = head->n * sizeof(struct sock_filter);

	return head->magic == CACHE_MAGIC && head->n > 0 && head->n <= BPF_MAXINSNS && head->key_size == key->size &&
	       size == sizeof(*head) + code + key->size &&
	       memcmp((const char *)(head + 1) + code, key->data, key->size) == 0 && is_of_library(head);
}

static char *read_private(struct arena *arena, const char *dir, const char *name, size_t *ret_size)
{
	_cleanup_fd_ int dirfd = open_private_dir(dir), fd = -1;

	if (dirfd >= 0)
		fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && is_private(fd) ? fd_read_regular(arena, fd, FILE_MAX, ret_size) : NULL;
}

bool seccomp_cache_find(struct arena *arena, const char *dir, const struct seccomp_key *key, struct seccomp_code *ret)
{
	size_t size;
	char *data = read_private(arena, dir, key->name, &size);
	const struct cache_head *head = (const struct cache_head *)(const void *)data;

	if (!data || size < sizeof(*head) || !is_wanted(head, size, key))
		return false;
	*ret = (struct seccomp_code){ .v = (struct sock_filter *)(void *)(data + sizeof(*head)), .n = head->n,
				      .flags = head->flags };
	return true;
}

/* --- keeping */

struct entry {
	uint64_t used;
	char name[64];
};

static int by_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->used < y->used ? 1 : x->used > y->used ? -1 : strcmp(x->name, y->name);
}

/* The time of access follows the use by a day at worst. */
static void add_entry(struct arena *arena, int dirfd, const char *name, void *entries)
{
	uint64_t accessed, written;
	struct entry *e;
	struct stat st;

	if (strlen(name) >= sizeof(e->name) || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return;
	accessed = nanoseconds(&st.st_atim);
	written = nanoseconds(&st.st_mtim);
	e = array_add(arena, entries, sizeof(*e));
	memcpy(e->name, name, strlen(name) + 1);
	e->used = accessed > written ? accessed : written;
}

static void remove_unused(int dirfd)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_dir_ DIR *d = fd_opendir(dirfd, ".");
	ARRAY(struct entry) entries = { 0 };
	struct dirent *found;

	while (d && (found = readdir(d)))
		if (found->d_name[0] != '.')
			add_entry(arena, dirfd, found->d_name, &entries);
	if (entries.n <= PROGRAMS_MAX)
		return;
	qsort(entries.v, entries.n, sizeof(*entries.v), by_use);
	for (size_t i = PROGRAMS_KEPT; i < entries.n; i++)
		unlinkat(dirfd, entries.v[i].name, 0);
}

static bool describe_library(const char *file, struct cache_head *head)
{
	struct stat st;

	if (strlen(file) >= sizeof(head->libseccomp) || stat(file, &st) < 0)
		return false;
	memcpy(head->libseccomp, file, strlen(file) + 1);
	head->libseccomp_mtime = nanoseconds(&st.st_mtim);
	head->libseccomp_size = (uint64_t)st.st_size;
	return true;
}

void seccomp_cache_keep(const char *dir, const struct seccomp_key *key, const struct seccomp_code *code)
{
	struct cache_head head = { .magic = CACHE_MAGIC, .flags = code->flags, .n = (uint32_t)code->n,
				   .key_size = key->size };
	_cleanup_buffer_ struct buffer b = BUFFER(FILE_MAX);
	_cleanup_fd_ int dirfd = -1;

	if (!describe_library(code->libseccomp, &head) || fd_mkdirs(AT_FDCWD, dir, 0700) < 0)
		return;
	dirfd = open_private_dir(dir);
	if (dirfd < 0)
		return;
	buffer_add(&b, &head, sizeof(head));
	buffer_add(&b, code->v, code->n * sizeof(*code->v));
	buffer_add(&b, key->data, key->size);
	if (!b.failed && fd_write_file(dirfd, key->name, b.data, b.size, 0600, false) == 0)
		remove_unused(dirfd);
}
