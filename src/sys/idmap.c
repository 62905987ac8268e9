#include "sys/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "sys/fd.h"
#include "sys/ns.h"
#include "sys/pidfd.h"

#define MAP_TEXT_MAX ((size_t)64 << 10)		/* the kernel takes 340 lines of at most 33 bytes */

void idmap_add(struct arena *arena, struct id_map *map, uint32_t inside, uint32_t outside, uint32_t count)
{
	*ARRAY_ADD(arena, map) = (struct id_extent){ inside, outside, count };
}

uint32_t idmap_to_outside(const struct id_map *map, uint32_t inside)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct id_extent *e = &map->v[i];

		if (inside >= e->inside && inside - e->inside < e->count)
			return e->outside + (inside - e->inside);
	}
	return ID_NONE;
}

uint32_t idmap_to_inside(const struct id_map *map, uint32_t outside)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct id_extent *e = &map->v[i];

		if (outside >= e->outside && outside - e->outside < e->count)
			return e->inside + (outside - e->outside);
	}
	return ID_NONE;
}

uint64_t idmap_size(const struct id_map *map)
{
	uint64_t size = 0;

	for (size_t i = 0; i < map->n; i++)
		size += map->v[i].count;
	return size;
}

/* Extents come in any order. */
bool idmap_has(const struct id_map *map, uint64_t first_inside, uint64_t count)
{
	uint64_t at = first_inside, end = first_inside + count;

	for (size_t i = 0; i < map->n && at < end; i++) {
		const struct id_extent *e = &map->v[i];

		if (e->inside <= at && at - e->inside < e->count) {
			at = (uint64_t)e->inside + e->count;
			i = SIZE_MAX;
		}
	}
	return at >= end;
}

bool idmap_equal(const struct id_map *a, const struct id_map *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].inside != b->v[i].inside || a->v[i].outside != b->v[i].outside ||
		    a->v[i].count != b->v[i].count)
			return false;
	return true;
}

/* How many ids from this one on lie in one extent; of an id that is not mapped all that are left. */
static uint32_t room_of(const struct id_map *outer, uint32_t id, uint32_t left)
{
	for (size_t i = 0; i < outer->n; i++) {
		const struct id_extent *e = &outer->v[i];

		if (id >= e->inside && id - e->inside < e->count && e->count - (id - e->inside) < left)
			return e->count - (id - e->inside);
	}
	return left;
}

struct id_map idmap_split(struct arena *arena, const struct id_map *map, const struct id_map *outer)
{
	struct id_map split = { 0 };

	for (size_t i = 0; i < map->n; i++)
		for (struct id_extent e = map->v[i]; e.count;) {
			uint32_t n = room_of(outer, e.outside, e.count);

			idmap_add(arena, &split, e.inside, e.outside, n);
			e = (struct id_extent){ e.inside + n, e.outside + n, e.count - n };
		}
	return split;
}

char *idmap_print(struct arena *arena, const struct id_map *map)
{
	size_t room = map->n * 34 + 1, used = 0;
	char *text = arena_alloc(arena, room);

	for (size_t i = 0; i < map->n; i++)
		used += (size_t)snprintf(text + used, room - used, "%u %u %u\n", map->v[i].inside,
					 map->v[i].outside, map->v[i].count);
	return text;
}

/* FNV-1a. Maps are the user's own: a name must differ for different maps, not withstand forgery. */
static uint64_t hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

char *idmap_name(struct arena *arena, const struct id_maps *maps)
{
	return arena_printf(arena, "u%016llx-g%016llx", (unsigned long long)hash(idmap_print(arena, &maps->uid)),
			    (unsigned long long)hash(idmap_print(arena, &maps->gid)));
}

/* The next decimal below 2^32 of *at, blanks before it skipped. False at anything else. */
static bool next_number(const char **at, uint32_t *ret)
{
	uint64_t n = 0;

	*at += strspn(*at, " \t");
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		n = n * 10 + (uint64_t)(**at - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

static bool fits(uint32_t first, uint32_t count)
{
	return (uint64_t)first + count <= (uint64_t)UINT32_MAX + 1;
}

static bool parse_line(const char **at, struct id_extent *ret)
{
	if (!next_number(at, &ret->inside) || !next_number(at, &ret->outside) || !next_number(at, &ret->count))
		return false;
	*at += strspn(*at, " \t");
	if (**at != '\n' && **at != '\0')
		return false;
	return ret->count > 0 && fits(ret->inside, ret->count) && fits(ret->outside, ret->count);
}

int idmap_parse(struct arena *arena, const char *text, struct id_map *ret, struct error *err)
{
	struct id_map map = { 0 };
	struct id_extent e;
	unsigned line = 1;

	for (const char *at = text; *at; line++) {
		if (*at != '\n') {
			if (!parse_line(&at, &e))
				return error_set(err, ERROR_INVALID,
						 "id map, line %u: expected three numbers: inside, outside, count", line);
			idmap_add(arena, &map, e.inside, e.outside, e.count);
		}
		if (*at == '\n')
			at++;
	}
	*ret = map;
	return 0;
}

static int read_map(struct arena *arena, pid_t pid, const char *which, struct id_map *ret, struct error *err)
{
	char path[64];
	char *text;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", which);
	text = fd_read_file(arena, AT_FDCWD, path, MAP_TEXT_MAX, NULL);
	if (!text)
		return error_errno(err, "read %s", path);
	if (idmap_parse(arena, text, ret, err) < 0)
		return error_frame(err, "%s", path);
	return 0;
}

int idmap_read(struct arena *arena, pid_t pid, struct id_maps *ret, struct error *err)
{
	struct id_maps maps = { 0 };

	if (read_map(arena, pid, "uid_map", &maps.uid, err) < 0 || read_map(arena, pid, "gid_map", &maps.gid, err) < 0)
		return -1;
	*ret = maps;
	return 0;
}

/* A map must arrive in one write. */
static int write_proc(pid_t pid, const char *which, const char *text, struct error *err)
{
	char path[64];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open %s", path);
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)strlen(text))
		return error_errno(err, "write %s to %s", which, path);
	return 0;
}

int idmap_write(pid_t pid, const struct id_maps *maps, bool deny_setgroups, struct error *err)
{
	_cleanup_arena_ struct arena *scratch = arena_new();

	if (deny_setgroups && write_proc(pid, "setgroups", "deny", err) < 0)
		return -1;
	if (write_proc(pid, "gid_map", idmap_print(scratch, &maps->gid), err) < 0)
		return -1;
	return write_proc(pid, "uid_map", idmap_print(scratch, &maps->uid), err);
}

static int open_namespace_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int idmap_namespace(const struct id_maps *maps)
{
	int pidfd = -1, fd = -1, number;
	pid_t pid = ns_clone(CLONE_NEWUSER, -1, &pidfd);

	if (pid < 0)
		return -1;
	if (pid == 0) {		/* it is there to be looked at, until it is killed */
		for (;;)
			pause();
	}
	if (idmap_write(pid, maps, false, NULL) == 0)
		fd = open_namespace_of(pid);
	number = errno;
	pidfd_signal(pidfd, SIGKILL);
	pidfd_reap(pidfd);
	close(pidfd);
	errno = number;
	return fd;
}

/* In a child: joins, tells the errno, and is there to be looked at until it is killed. */
static _Noreturn void be_in_namespace(int fd, int told)
{
	int number = setns(fd, CLONE_NEWUSER) < 0 ? errno : 0;

	if (write(told, &number, sizeof(number)) != sizeof(number))
		_exit(1);
	for (;;)
		pause();
}

int idmap_read_namespace(struct arena *arena, int fd, struct id_maps *ret, struct error *err)
{
	int ends[2], pidfd = -1, number = EIO, result = -1;
	pid_t pid;

	if (fd_pipe(ends) < 0)
		return error_errno(err, "make a pipe");
	pid = ns_clone(0, -1, &pidfd);
	if (pid == 0)
		be_in_namespace(fd, ends[1]);
	close(ends[1]);
	if (pid < 0)
		number = errno;
	else if (fd_read_all(ends[0], &number, sizeof(number)) == sizeof(number) && number == 0)
		result = idmap_read(arena, pid, ret, err);
	close(ends[0]);
	if (pid > 0) {
		pidfd_signal(pidfd, SIGKILL);
		pidfd_reap(pidfd);
		close(pidfd);
	}
	if (number == 0)
		return result;
	errno = number;
	error_errno(err, "join the user namespace");
	errno = number;
	return -1;
}
