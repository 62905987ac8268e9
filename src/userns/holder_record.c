#include "userns/holder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define RECORD_MAX ((size_t)64 << 10)

/* A map in one line: its newlines become commas. */
static char *map_line(struct arena *arena, const struct id_map *map)
{
	char *text = idmap_print(arena, map);

	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = c[1] ? ',' : '\0';
	return text;
}

static char *one_line(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	return copy;
}

char *holder_print(struct arena *arena, const struct holder *h)
{
	return arena_printf(arena,
			    "pid %d\nstart %" PRIu64 "\nboot %s\nuser-ns %" PRIu64 "\nmount-ns %" PRIu64 "\nroot-mount %" PRIu64
			    "\nroot-dev %" PRIu64 "\nroot-ino %" PRIu64 "\nstamp %s\nuid-map %s\ngid-map %s\n%s%s%s",
			    (int)h->pid, h->start_time, h->boot, h->user_ns, h->mount_ns, h->root.mount, h->root.dev, h->root.ino,
			    h->stamp ? h->stamp : "", map_line(arena, &h->maps.uid), map_line(arena, &h->maps.gid),
			    h->single_why ? "single " : "", h->single_why ? one_line(arena, h->single_why) : "",
			    h->single_why ? "\n" : "");
}

static int parse_map(struct arena *arena, char *value, struct id_map *ret, struct error *err)
{
	for (char *c = value; *c; c++)
		if (*c == ',')
			*c = '\n';
	return idmap_parse(arena, value, ret, err);
}

static int parse_number(const char *value, uint64_t *ret)
{
	unsigned long long n;

	if (str_to_u64(value, &n) < 0)
		return -1;
	*ret = n;
	return 0;
}

static int parse_field(struct arena *arena, const char *key, char *value, struct holder *h, struct error *err)
{
	struct { const char *key; uint64_t *number; } numbers[] = {
		{ "start", &h->start_time }, { "user-ns", &h->user_ns }, { "mount-ns", &h->mount_ns },
		{ "root-mount", &h->root.mount },
		{ "root-dev", &h->root.dev }, { "root-ino", &h->root.ino },
	};
	unsigned pid;

	for (size_t i = 0; i < ELEMENTS(numbers); i++)
		if (str_eq(key, numbers[i].key))
			return parse_number(value, numbers[i].number);
	if (str_eq(key, "pid")) {
		if (str_to_u32(value, &pid) < 0 || pid == 0 || pid > INT32_MAX)
			return -1;
		h->pid = (pid_t)pid;
	} else if (str_eq(key, "boot")) {
		if (strlen(value) != sizeof(h->boot) - 1)
			return -1;
		memcpy(h->boot, value, sizeof(h->boot));
	} else if (str_eq(key, "stamp")) {
		h->stamp = arena_strdup(arena, value);
	} else if (str_eq(key, "single")) {
		h->single_why = arena_strdup(arena, value);
	} else if (str_eq(key, "uid-map")) {
		return parse_map(arena, value, &h->maps.uid, err);
	} else if (str_eq(key, "gid-map")) {
		return parse_map(arena, value, &h->maps.gid, err);
	}
	return 0;	/* keys of other versions */
}

int holder_parse(struct arena *arena, const char *text, struct holder *ret, struct error *err)
{
	char *rest = arena_strdup(arena, text), *line;
	struct holder h = { 0 };

	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, ' ');

		if (!value)
			continue;
		*value++ = '\0';
		if (parse_field(arena, line, value, &h, err) < 0)
			return error_set(err, ERROR_INVALID, "record of the namespace's holder: bad value of %s", line);
	}
	if (!h.pid || !h.start_time || !h.boot[0] || !h.stamp || !h.maps.uid.n || !h.maps.gid.n)
		return error_set(err, ERROR_INVALID, "record of the namespace's holder: incomplete");
	*ret = h;
	return 0;
}

int holder_load(struct arena *arena, int run_fd, const char *name, struct holder *ret)
{
	char *text = fd_read_file(arena, run_fd, name, RECORD_MAX, NULL);

	if (!text)
		return -1;
	errno = EINVAL;
	return holder_parse(arena, text, ret, NULL);
}

int holder_save(struct arena *arena, int run_fd, const char *name, const struct holder *h, struct error *err)
{
	char *text = holder_print(arena, h);

	if (fd_write_file(run_fd, name, text, strlen(text), 0600, false) < 0)
		return error_errno(err, "keep the record of the rootless namespace");
	return 0;
}

int holder_open(const struct holder *h, bool check_boot)
{
	char boot[37];

	if (check_boot && pidfd_boot_id(boot) < 0)
		return -1;
	if (check_boot && strcmp(boot, h->boot) != 0) {
		errno = ESRCH;
		return -1;
	}
	return pidfd_open_same(h->pid, h->start_time);
}
