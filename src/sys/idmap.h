/* sys/idmap - user and group id maps: the lines of /proc/PID/uid_map and gid_map, and arithmetic over them */
#ifndef BRYO_SYS_IDMAP_H
#define BRYO_SYS_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"

struct id_extent {
	uint32_t inside, outside, count;	/* container_id, host_id, size */
};

struct id_map {
	struct id_extent *v;
	size_t n;
};

struct id_maps {
	struct id_map uid, gid;
};

#define ID_NONE UINT32_MAX
void idmap_add(struct arena *arena, struct id_map *map, uint32_t inside, uint32_t outside, uint32_t count);
uint32_t idmap_to_outside(const struct id_map *map, uint32_t inside);	/* ID_NONE when not mapped */
uint32_t idmap_to_inside(const struct id_map *map, uint32_t outside);
uint64_t idmap_size(const struct id_map *map);				/* how many ids are mapped */
/* Are all of these ids mapped? */
bool idmap_has(const struct id_map *map, uint64_t first_inside, uint64_t count);
bool idmap_equal(const struct id_map *a, const struct id_map *b);
/* The same ids with no extent that lies in two extents of `outer`, which has the outside ids inside: the kernel takes no other. */
struct id_map idmap_split(struct arena *arena, const struct id_map *map, const struct id_map *outer);
/* The map text that the kernel takes: "0 1000 1\n1 100000 65536\n". */
char *idmap_print(struct arena *arena, const struct id_map *map);
/* A file name for the maps, the same for the same ones. */
char *idmap_name(struct arena *arena, const struct id_maps *maps);
int idmap_parse(struct arena *arena, const char *text, struct id_map *ret, struct error *err);
/* Reads /proc/PID/uid_map and gid_map; pid 0 is the caller. */
int idmap_read(struct arena *arena, pid_t pid, struct id_maps *ret, struct error *err);
/* A new user namespace with these maps, for mounts that show other ids; no process is in it. -1 with errno. Needs the
 * privilege to write the maps. */
int idmap_namespace(const struct id_maps *maps);
/* The maps of a user namespace by a descriptor of it, as this process sees them. -1 with errno too: EPERM for one that is
 * not below the caller's. */
int idmap_read_namespace(struct arena *arena, int fd, struct id_maps *ret, struct error *err);
/* Writes both maps of a child in a new user namespace directly; deny_setgroups writes "deny" first. */
int idmap_write(pid_t pid, const struct id_maps *maps, bool deny_setgroups, struct error *err);

#endif
