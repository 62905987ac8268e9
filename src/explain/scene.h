/* explain/scene - the files that a process sees, put together without mounting anything
 *
 * A scene is a list of places, each a directory or file of this host that stands somewhere in the process's tree: the root
 * file system, then the mounts in the order in which they are made. Paths are walked over it as the kernel walks them,
 * component by component, links resolved below the scene's root. What each inode is, is asked inside of the rootless
 * namespace and outside as the user. */
#ifndef BRYO_EXPLAIN_SCENE_H
#define BRYO_EXPLAIN_SCENE_H

#include "explain/outside.h"
#include "sys/mount.h"

struct scene_place {
	char *at;			/* in the scene, without links; "" is its root */
	char *host;			/* the path on the host; NULL: none */
	int root;			/* O_PATH; -1: `made` stands there, with nothing below it */
	uint64_t mount_id;
	struct access_node made;
	bool chown;			/* :U, or the first use of a volume: all in it will be the process's */
	bool settings;			/* of the kernel: /proc/sys */
	struct access_mount *mount;
};

struct scene_mount {
	const struct scene_place *place;
	uint64_t id;
	struct access_mount *mount;
};

struct scene {
	struct arena *arena;
	const struct outside *outside;
	const struct id_maps *rootless;	/* what stat shows in here to what it is on the host */
	struct id_maps own;		/* of the container, over the rootless namespace; empty: none */
	bool on_host;			/* paths are those of the host, and there are no others */
	uint32_t chown_uid, chown_gid;	/* whom places with `chown` will belong to, on the host */
	bool net_admin;			/* over its own network */
	ARRAY(struct scene_place) places;
	ARRAY(struct scene_mount) mounts;	/* of the host, met below a place */
	struct mount_table table;	/* read when something of it is needed */
	bool table_is_read;
};

/* Adds a place at a path of the scene, whose links are followed over what is there already. fd is taken over; mount may be
 * filled further with what the host's own mount says. */
struct scene_place *scene_add(struct scene *s, const char *at, int fd, const char *host, struct access_mount *mount);
/* Something that is made at the start and has no file on the host. */
struct scene_place *scene_add_made(struct scene *s, const char *at, mode_t mode, struct access_mount *mount);
void scene_done(struct scene *s);

void scene_walk(struct scene *s, const char *path, bool follow, struct access_path *ret);

/* Parts of the walk. The place that shows at a path, and what of the path lies below it ("" or "/x"). */
const struct scene_place *scene_place_of(const struct scene *s, const char *path, const char **ret_rest);
/* What would show there without that place and the later ones. */
const struct scene_place *scene_place_under(const struct scene *s, const struct scene_place *top, const char *path,
					    const char **ret_rest);
const char *scene_below(const char *path, const char *at);	/* "" is itself; NULL: it is not below */
/* The inode at `rest` below a place, whose path in the scene is `path`. -1 with errno. *ret_fd (O_PATH) is the caller's. */
int scene_look(struct scene *s, const struct scene_place *p, const char *rest, const char *path, struct access_node *n,
	       int *ret_fd);

#endif
