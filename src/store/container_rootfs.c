#include "store/container_rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "store/container_record.h"
#include "store/driver.h"
#include "store/image_ids.h"
#include "store/image_tree.h"
#include "store/shifted.h"
#include "store/tree.h"
#include "sys/fd.h"

/* --- making */

static int write_record(struct arena *arena, int dir, const struct container_record *r, struct error *err)
{
	const char *text = container_record_print(arena, r);
	_cleanup_fd_ int fd = openat(dir, "rootfs.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		return error_errno(err, "write rootfs.json");
	return 0;
}

static int open_diff(const struct store *s, const char *chain_id, struct error *err)
{
	char path[192];
	int fd;

	snprintf(path, sizeof(path), "layers/%s/diff", digest_hex(chain_id));
	fd = fd_open_dir(s->root_fd, path);
	return fd < 0 ? error_errno(err, "open %s/%s", s->path, path) : fd;
}

/* The image's own root directory, its owner as the container shows it. */
static int stat_root(struct store *s, const struct container_record *r, const struct id_maps *maps, struct stat *ret,
		     struct error *err)
{
	bool objects = container_record_has_objects(r);
	_cleanup_fd_ int fd = objects ? image_tree_open(s, &r->layers, NULL, err) :
			      r->shifted ? fd_open_dir(s->root_fd, r->shifted) :
			      open_diff(s, r->layers.v[r->layers.n - 1], err);

	if (fd < 0)
		return r->shifted ? error_errno(err, "open %s/%s", s->path, r->shifted) : -1;
	if (fstat(fd, ret) < 0)
		return error_errno(err, "look at the image's root directory");
	if (objects && maps) {
		ret->st_uid = idmap_to_outside(&maps->uid, ret->st_uid);
		ret->st_gid = idmap_to_outside(&maps->gid, ret->st_gid);
	}
	return 0;
}

/* The root directory's own mode and owner come from the upper directory: they are the topmost layer's. */
static int make_upper(struct store *s, int dir, const struct container_record *r, const struct id_maps *maps,
		      struct error *err)
{
	struct stat st;

	if (stat_root(s, r, maps, &st, err) < 0)
		return -1;
	if (mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0700) < 0 ||
	    fchmodat(dir, "upper", st.st_mode & 07777, 0) < 0)
		return error_errno(err, "make the writable layer");
	if ((st.st_uid != geteuid() || st.st_gid != getegid()) && fchownat(dir, "upper", st.st_uid, st.st_gid, 0) < 0)
		return error_errno(err, "give the writable layer its owner");
	return 0;
}

static int make_copy(const struct store *s, int dir, const struct strings *layers, const struct id_maps *maps,
		     struct error *err)
{
	_cleanup_fd_ int rootfs = -1;

	if (mkdirat(dir, "rootfs", 0755) < 0 || (rootfs = fd_open_dir(dir, "rootfs")) < 0)
		return error_errno(err, "make rootfs");
	for (size_t i = layer_hidden(s, layers); i < layers->n; i++) {
		_cleanup_fd_ int diff = open_diff(s, layers->v[i], err);
		struct tree_copy how = { .whiteouts = true, .shift = maps };

		if (diff < 0 || tree_copy(diff, rootfs, &how, err) < 0)
			return error_frame(err, "copy layer %s", layers->v[i]);
	}
	return 0;
}

/* What the driver needs to show other ids: a copy of the image, or with objects just the maps. */
static int prepare_maps(struct arena *arena, struct store *s, enum store_driver driver, const struct id_maps *maps,
			struct container_record *r, struct error *err)
{
	if (driver == DRIVER_VFS)
		return 0;
	if (driver != DRIVER_OBJECTS)
		return shifted_need(arena, s, &r->layers, maps, &r->shifted, err) == 0 ? 0 : image_ids_hint(arena, s, &r->layers, err);
	r->uid_map = idmap_print(arena, &maps->uid);
	r->gid_map = idmap_print(arena, &maps->gid);
	return image_ids_check(arena, s, &r->layers, maps, err) == 0 ? 0 : image_ids_hint(arena, s, &r->layers, err);
}

int container_rootfs_make(struct arena *arena, struct store *s, int dir, const struct strings *layers,
			  const struct id_maps *maps, struct error *err)
{
	/* An image without layers has nothing that an overlay could lie over. */
	enum store_driver driver = layers->n > 0 ? s->driver : DRIVER_VFS;
	struct container_record r = { .driver = (char *)store_driver_name(driver), .layers = *layers };

	if (maps && prepare_maps(arena, s, driver, maps, &r, err) < 0)
		return -1;
	if (write_record(arena, dir, &r, err) < 0)
		return -1;
	return driver == DRIVER_VFS ? make_copy(s, dir, layers, maps, err) : make_upper(s, dir, &r, maps, err);
}

/* --- what was made */

int container_rootfs_writable(struct arena *arena, const struct store *s, const char *id, enum store_driver *ret_driver,
			      struct strings *ret_layers, struct error *err)
{
	struct container_record r;
	char path[128];
	int fd;

	if (container_record_driver(arena, s, id, &r, ret_driver, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	*ret_layers = r.layers;
	snprintf(path, sizeof(path), "containers/%.64s/%s", id, *ret_driver == DRIVER_VFS ? "rootfs" : "upper");
	fd = fd_open_dir(s->root_fd, path);
	return fd < 0 ? error_errno(err, "open %s/%s", s->path, path) : fd;
}

/* Of a damaged record config.json says the layers, and no form of them is given up. */
int container_rootfs_needs(struct arena *arena, const struct store *s, const char *id, struct strings *ret_layers,
			   enum layer_form *ret_form, struct error *err)
{
	struct container_record r;
	struct error why = { 0 };

	*ret_form = LAYER_DIFF;
	if (container_record_read(arena, s, id, &r, &why) < 0) {
		if (error_is(&why, ERROR_NOT_FOUND) || error_is(&why, ERROR_INVALID))
			return container_record_config_layers(arena, s, id, ret_layers, err);
		return error_set(err, why.kind, "%s", why.text);
	}
	*ret_layers = r.layers;
	if (container_record_has_objects(&r))
		*ret_form = LAYER_INDEX;
	return 0;
}

/* --- what is damaged */

static bool has(const struct store *s, const char *id, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "containers/%.64s/%s", id, name);
	return fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

char *container_rootfs_problem(struct arena *arena, const struct store *s, const char *id, const struct strings *layers)
{
	struct container_record r;
	enum store_driver driver;
	struct error why = { 0 };

	if (container_record_driver(arena, s, id, &r, &driver, &why) < 0)
		return error_is(&why, ERROR_NOT_FOUND) ? "its record rootfs.json is missing" :
		       arena_printf(arena, "its record rootfs.json is damaged: %s", why.text);
	if (r.layers.n != layers->n)
		return "its records config.json and rootfs.json name different layers";
	for (size_t i = 0; i < layers->n; i++)
		if (strcmp(r.layers.v[i], layers->v[i]) != 0)
			return "its records config.json and rootfs.json name different layers";
	if (driver == DRIVER_VFS)
		return has(s, id, "rootfs") ? NULL : "its root file system is missing";
	if (r.shifted && faccessat(s->root_fd, r.shifted, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return "its image's copy with shifted owners is missing";
	return has(s, id, "upper") && has(s, id, "work") ? NULL : "its writable layer is missing";
}

/* The container's own directories tell the kind of its driver; which overlay it was does not matter. */
static enum store_driver guess_record(const struct store *s, const char *id, const struct strings *layers,
				      struct container_record *ret)
{
	enum store_driver driver = has(s, id, "rootfs") || layers->n == 0 ? DRIVER_VFS :
				   s->driver == DRIVER_VFS ? DRIVER_OVERLAY : s->driver;

	*ret = (struct container_record){ .driver = (char *)store_driver_name(driver), .layers = *layers };
	return driver;
}

int container_rootfs_mend(struct arena *arena, struct store *s, const char *id, const struct strings *layers,
			  const struct id_maps *maps, struct error *err)
{
	_cleanup_fd_ int dir = container_store_open(s, id, LOCK_EXCLUSIVE, err);
	enum store_driver driver;
	struct error why = { 0 };
	struct container_record r;
	const char *text;
	char path[128];

	if (dir < 0)
		return -1;
	if (container_record_driver(arena, s, id, &r, &driver, &why) < 0) {
		if (error_is_unread(why.sys))
			return error_set(err, ERROR_FAILED, "%s", why.text);
		driver = guess_record(s, id, layers, &r);
	}
	r.layers = *layers;
	if (maps && !maps->uid.n)
		maps = NULL;
	if (maps && prepare_maps(arena, s, driver, maps, &r, err) < 0)
		return -1;
	text = container_record_print(arena, &r);
	snprintf(path, sizeof(path), "containers/%.64s/rootfs.json", id);
	if (store_write(s, path, text, strlen(text), true, err) < 0)
		return -1;
	if (driver == DRIVER_VFS || (has(s, id, "upper") && has(s, id, "work")))
		return 0;
	fd_remove_tree(dir, "work");
	return has(s, id, "upper") ? (mkdirat(dir, "work", 0700) < 0 ? error_errno(err, "make the work directory") : 0) :
	       make_upper(s, dir, &r, maps, err);
}

/* Since the epoch, a little early: clocks are set. */
static time_t boot_time(void)
{
	struct timespec up;

	return clock_gettime(CLOCK_BOOTTIME, &up) < 0 ? 0 : time(NULL) - up.tv_sec - 2;
}

bool container_rootfs_is_unsynced(const struct store *s, const char *id)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "containers/%.64s/work/work/incompat/volatile", id);
	return fstatat(s->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mtim.tv_sec < boot_time();
}
