#include "store/container_rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "store/container_show.h"
#include "store/driver.h"
#include "store/fuse_overlayfs.h"
#include "store/image_ids.h"
#include "store/image_tree.h"
#include "store/layer.h"
#include "store/shifted.h"
#include "store/skeleton.h"
#include "store/tree.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define RECORD_MAX ((size_t)256 << 10)
#define HELPER_END_MS 3000

struct rootfs_record {
	char *driver;
	struct strings layers;		/* chain IDs, bottom first */
	char *shifted;			/* the tree that stands for them, with shifted owners (below the store); NULL */
	char *uid_map, *gid_map;	/* objects: the ids that the image's tree is shown with; NULL: its own */
};
JSON_SHAPE(rootfs_record,
	JSON_FIELD(rootfs_record, driver, "driver", T_STRING, .required = true),
	JSON_FIELD(rootfs_record, layers, "layers", T_STRINGS, .always = true),
	JSON_FIELD(rootfs_record, shifted, "shifted", T_STRING),
	JSON_FIELD(rootfs_record, uid_map, "uidMap", T_STRING),
	JSON_FIELD(rootfs_record, gid_map, "gidMap", T_STRING));

struct named_layers { struct strings layers; };
JSON_SHAPE(named_layers, JSON_FIELD(named_layers, layers, "layers", T_STRINGS));

/* The file `helper`: the fuse-overlayfs process that serves merged/. */
struct helper_record {
	int64_t pid;
	uint64_t start;
	char *boot;
};
JSON_SHAPE(helper_record,
	JSON_FIELD(helper_record, pid, "pid", T_INT, .required = true),
	JSON_FIELD(helper_record, start, "start", T_UINT, .required = true),
	JSON_FIELD(helper_record, boot, "boot", T_STRING, .required = true));

/* --- making */

static int write_record(struct arena *arena, int dir, const struct rootfs_record *r, struct error *err)
{
	const char *text = json_print(arena, json_encode(arena, &rootfs_record_shape, r), 0);
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
static int stat_root(struct store *s, const struct rootfs_record *r, const struct id_maps *maps, struct stat *ret,
		     struct error *err)
{
	bool objects = strcmp(r->driver, store_driver_name(DRIVER_OBJECTS)) == 0;
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
static int make_upper(struct store *s, int dir, const struct rootfs_record *r, const struct id_maps *maps,
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
			struct rootfs_record *r, struct error *err)
{
	if (driver == DRIVER_VFS)
		return 0;
	if (driver != DRIVER_OBJECTS)
		return shifted_need(arena, s, &r->layers, maps, &r->shifted, err);
	r->uid_map = idmap_print(arena, &maps->uid);
	r->gid_map = idmap_print(arena, &maps->gid);
	return image_ids_check(arena, s, &r->layers, maps, err);
}

int container_rootfs_make(struct arena *arena, struct store *s, int dir, const struct strings *layers,
			  const struct id_maps *maps, struct error *err)
{
	/* An image without layers has nothing that an overlay could lie over. */
	enum store_driver driver = layers->n > 0 ? s->driver : DRIVER_VFS;
	struct rootfs_record r = { .driver = (char *)store_driver_name(driver), .layers = *layers };

	if (maps && prepare_maps(arena, s, driver, maps, &r, err) < 0)
		return -1;
	if (write_record(arena, dir, &r, err) < 0)
		return -1;
	return driver == DRIVER_VFS ? make_copy(s, dir, layers, maps, err) : make_upper(s, dir, &r, maps, err);
}

/* --- describing */

static int read_record(struct arena *arena, const struct store *s, const char *id, struct rootfs_record *ret,
		       struct error *err)
{
	char path[128];
	size_t n;
	char *text;

	snprintf(path, sizeof(path), "containers/%.64s/rootfs.json", id);
	*ret = (struct rootfs_record){ 0 };
	text = fd_read_file(arena, s->root_fd, path, RECORD_MAX, &n);
	if (!text && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "container %.12s has no root file system of its own", id);
	if (!text)
		return error_errno(err, "read %s/%s", s->path, path);
	if (json_decode(arena, &rootfs_record_shape, ret, text, n, path, err) < 0)
		return -1;
	if (ret->shifted && (!str_starts(ret->shifted, "layers/") || strstr(ret->shifted, "..")))
		return error_set(err, ERROR_INVALID, "%s: malformed path of the shifted tree", path);
	for (size_t i = 0; i < ret->layers.n; i++)
		if (!digest_is_valid(ret->layers.v[i]))
			return error_set(err, ERROR_INVALID, "%s: malformed chain ID", path);
	return 0;
}

/* config.json names them as well, for one whose other record is lost. */
static int layers_of_config(struct arena *arena, const struct store *s, const char *id, struct strings *ret,
			    struct error *err)
{
	struct named_layers c = { 0 };
	size_t n;
	char *text = container_store_read(arena, s, id, &n, err);

	if (!text || json_decode(arena, &named_layers_shape, &c, text, n, "config.json", err) < 0)
		return -1;
	*ret = c.layers;
	return 0;
}

int container_store_layers(struct arena *arena, const struct store *s, const char *id, struct strings *ret,
			   struct error *err)
{
	struct rootfs_record r;
	struct error why = { 0 };

	*ret = (struct strings){ 0 };
	if (read_record(arena, s, id, &r, &why) < 0) {
		if (error_is(&why, ERROR_NOT_FOUND) || error_is(&why, ERROR_INVALID))
			return layers_of_config(arena, s, id, ret, err);
		return error_set(err, why.kind, "%s", why.text);
	}
	*ret = r.layers;
	return 0;
}

int container_rootfs_writable(struct arena *arena, const struct store *s, const char *id, enum store_driver *ret_driver,
			      struct strings *ret_layers, struct error *err)
{
	struct rootfs_record r;
	char path[128];
	int fd;

	if (read_record(arena, s, id, &r, err) < 0 || driver_parse(r.driver, ret_driver, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	*ret_layers = r.layers;
	snprintf(path, sizeof(path), "containers/%.64s/%s", id, *ret_driver == DRIVER_VFS ? "rootfs" : "upper");
	fd = fd_open_dir(s->root_fd, path);
	return fd < 0 ? error_errno(err, "open %s/%s", s->path, path) : fd;
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
	struct rootfs_record r;
	enum store_driver driver;
	struct error why = { 0 };

	if (read_record(arena, s, id, &r, &why) < 0 || driver_parse(r.driver, &driver, &why) < 0)
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
				      struct rootfs_record *ret)
{
	enum store_driver driver = has(s, id, "rootfs") || layers->n == 0 ? DRIVER_VFS :
				   s->driver == DRIVER_VFS ? DRIVER_OVERLAY : s->driver;

	*ret = (struct rootfs_record){ .driver = (char *)store_driver_name(driver), .layers = *layers };
	return driver;
}

int container_rootfs_mend(struct arena *arena, struct store *s, const char *id, const struct strings *layers,
			  const struct id_maps *maps, struct error *err)
{
	_cleanup_fd_ int dir = container_store_open(s, id, LOCK_EXCLUSIVE, err);
	enum store_driver driver;
	struct rootfs_record r;
	const char *text;
	char path[128];

	if (dir < 0)
		return -1;
	if (read_record(arena, s, id, &r, NULL) < 0 || driver_parse(r.driver, &driver, NULL) < 0)
		driver = guess_record(s, id, layers, &r);
	r.layers = *layers;
	if (maps && !maps->uid.n)
		maps = NULL;
	if (maps && prepare_maps(arena, s, driver, maps, &r, err) < 0)
		return -1;
	text = json_print(arena, json_encode(arena, &rootfs_record_shape, &r), 0);
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

/* Of a damaged record config.json says the layers, and no form of them is given up. */
int container_rootfs_needs(struct arena *arena, const struct store *s, const char *id, struct strings *ret_layers,
			   enum layer_form *ret_form, struct error *err)
{
	struct rootfs_record r;
	struct error why = { 0 };

	*ret_form = LAYER_DIFF;
	if (read_record(arena, s, id, &r, &why) < 0) {
		if (error_is(&why, ERROR_NOT_FOUND) || error_is(&why, ERROR_INVALID))
			return layers_of_config(arena, s, id, ret_layers, err);
		return error_set(err, why.kind, "%s", why.text);
	}
	*ret_layers = r.layers;
	if (strcmp(r.driver, store_driver_name(DRIVER_OBJECTS)) == 0)
		*ret_form = LAYER_INDEX;
	return 0;
}

/* A volatile overlay leaves a mark that refuses the next mount of the same upper directory. Nobody mounts it now, so
 * the mark only says that the container was not unmounted in order. */
static void forget_volatile(const struct store *s, const char *id)
{
	char path[128];

	snprintf(path, sizeof(path), "containers/%.64s/work/work/incompat", id);
	if (faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		fd_remove_tree(s->root_fd, path);
}

static int describe_objects(struct arena *arena, struct store *s, const struct rootfs_record *r,
			    struct rootfs *ret, struct error *err)
{
	struct id_maps maps = { 0 };

	if (r->uid_map && (idmap_parse(arena, r->uid_map, &maps.uid, err) < 0 ||
			   idmap_parse(arena, r->gid_map ? r->gid_map : "", &maps.gid, err) < 0))
		return -1;
	ret->tree = image_tree_open(s, &r->layers, &maps, err);
	ret->data = arena_printf(arena, "%s/objects", s->path);
	return ret->tree < 0 ? -1 : 0;
}

static void describe_layers(struct arena *arena, const struct store *s, const struct rootfs_record *r,
			    struct rootfs *ret)
{
	const struct strings *layers = &r->layers;
	char *skeleton;

	if (r->shifted)
		strings_addf(arena, &ret->lower, "%s/%s", s->path, r->shifted);
	for (size_t i = r->shifted ? 0 : layers->n, end = i ? layer_hidden(s, layers) : 0; i > end; i--) {
		char *path = layer_diff_path(arena, s, layers->v[i - 1]);

		strings_add(arena, &ret->lower, path);
	}
	skeleton = r->shifted ? NULL : skeleton_path(arena, s);	/* its owners are the default map's */
	if (skeleton)
		strings_add(arena, &ret->lower, skeleton);
}

static int describe_overlay(struct arena *arena, struct store *s, const char *id, const struct rootfs_record *r,
			    bool volatile_upper, struct rootfs *ret, struct error *err)
{
	*ret = (struct rootfs){ .kind = ROOTFS_OVERLAY, .volatile_upper = volatile_upper };
	if (strcmp(r->driver, store_driver_name(DRIVER_OBJECTS)) != 0)
		describe_layers(arena, s, r, ret);
	else if (describe_objects(arena, s, r, ret, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	ret->upper = arena_printf(arena, "%s/containers/%s/upper", s->path, id);
	ret->work = arena_printf(arena, "%s/containers/%s/work", s->path, id);
	return 0;
}

/* --- fuse-overlayfs */

static int read_helper(struct arena *arena, const struct store *s, const char *id, struct helper_record *ret)
{
	char path[128], boot[37];
	size_t n;
	char *text;

	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	*ret = (struct helper_record){ 0 };
	text = fd_read_file(arena, s->root_fd, path, 4096, &n);
	if (!text || json_decode(arena, &helper_record_shape, ret, text, n, path, NULL) < 0)
		return -1;
	if (pidfd_boot_id(boot) < 0 || strcmp(boot, ret->boot) != 0)
		return -1;
	return pidfd_open_same((pid_t)ret->pid, ret->start);
}

static int write_helper(struct arena *arena, struct store *s, const char *id, pid_t pid, struct error *err)
{
	char path[128], boot[37];
	struct helper_record r = { .pid = pid, .start = pidfd_start_time(pid), .boot = boot };
	const char *text;

	if (pidfd_boot_id(boot) < 0)
		return error_errno(err, "read the boot id");
	text = json_print(arena, json_encode(arena, &helper_record_shape, &r), 0);
	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	return store_write(s, path, text, strlen(text), false, err);
}

int container_store_unmount(struct store *s, const char *id)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct helper_record r;
	char path[4200];
	int pidfd;

	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	if (faccessat(s->root_fd, path, F_OK, 0) < 0)
		return 0;
	arena = arena_new();
	pidfd = read_helper(arena, s, id, &r);
	snprintf(path, sizeof(path), "%s/containers/%.64s/merged", s->path, id);
	/* An orderly unmount makes the helper write everything and end by itself. */
	if (umount2(path, UMOUNT_NOFOLLOW) < 0)
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (pidfd >= 0) {
		if (pidfd_wait_exit(pidfd, 100) == 0) {
			pidfd_signal(pidfd, SIGTERM);
			if (pidfd_wait_exit(pidfd, HELPER_END_MS) == 0)
				pidfd_signal(pidfd, SIGKILL);
		}
		close(pidfd);
	}
	snprintf(path, sizeof(path), "containers/%.64s/helper", id);
	unlinkat(s->root_fd, path, 0);
	return 0;
}

static int mount_fuse(struct arena *arena, struct store *s, const char *id, struct rootfs *rootfs, int *ret_helper,
		      struct error *err)
{
	char *merged = arena_printf(arena, "%s/containers/%s/merged", s->path, id);
	pid_t pid;

	/* The container may be older than the store's present choice of driver. */
	if (!s->fuse_overlayfs)
		s->fuse_overlayfs = fuse_overlayfs_find(arena, err);
	if (!s->fuse_overlayfs)
		return -1;
	container_store_unmount(s, id);
	umount2(merged, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (mkdir(merged, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", merged);
	if (fuse_overlayfs_mount(arena, s->fuse_overlayfs, rootfs, merged, false, &pid, err) < 0)
		return -1;
	if (write_helper(arena, s, id, pid, err) < 0) {
		umount2(merged, MNT_DETACH);
		kill(pid, SIGTERM);
		return -1;
	}
	*rootfs = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = merged };
	*ret_helper = pid;
	return 0;
}

int container_store_rootfs(struct arena *arena, struct store *s, const char *id, const struct strings *layers,
			   bool volatile_upper, struct rootfs *ret, int *ret_helper, struct error *err)
{
	struct rootfs_record r;
	enum store_driver driver;
	char *shown;

	*ret_helper = 0;
	if (read_record(arena, s, id, &r, err) < 0 || driver_parse(r.driver, &driver, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	if (layers)
		r.layers = *layers;
	if (driver == DRIVER_VFS) {
		*ret = (struct rootfs){ .kind = ROOTFS_DIRECTORY };
		ret->path = arena_printf(arena, "%s/containers/%s/rootfs", s->path, id);
		return 0;
	}
	/* Two mounts of one upper directory would clash. */
	if (driver != DRIVER_FUSE_OVERLAYFS && container_show_is_shown(arena, s, id, &shown)) {
		*ret = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = shown };
		return 0;
	}
	if (describe_overlay(arena, s, id, &r, volatile_upper, ret, err) < 0)
		return -1;
	if (driver == DRIVER_FUSE_OVERLAYFS)
		return mount_fuse(arena, s, id, ret, ret_helper, err);
	forget_volatile(s, id);
	return 0;
}

/* A private mount, seen by this process alone and gone with it. */
static int mount_fuse_here(struct arena *arena, struct store *s, const char *id, const struct rootfs *rootfs,
			   struct error *err)
{
	char *merged = arena_printf(arena, "%s/containers/%s/merged", s->path, id);
	pid_t pid;

	if (!s->fuse_overlayfs)
		s->fuse_overlayfs = fuse_overlayfs_find(arena, err);
	if (!s->fuse_overlayfs)
		return -1;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "make a mount namespace");
	if (mkdir(merged, 0755) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", merged);
	return fuse_overlayfs_mount(arena, s->fuse_overlayfs, rootfs, merged, true, &pid, err);
}

static int mount_overlay_here(const struct store *s, const char *id, struct rootfs *rootfs, struct error *err)
{
	const char *step = "";
	int fd;

	forget_volatile(s, id);
	fd = driver_mount_overlay(rootfs, &step);
	if (fd < 0)
		error_errno(err, "mount the root file system of container %.12s (overlay, %s)", id, step);
	if (rootfs->tree > 0)
		fd_close(&rootfs->tree);
	return fd;
}

int container_store_mount(struct arena *arena, struct store *s, const char *id, struct error *err)
{
	const char *path = arena_printf(arena, "%s/containers/%s/rootfs", s->path, id);
	struct rootfs_record r;
	struct rootfs rootfs;
	enum store_driver driver;
	char *shown;
	int fd;

	if (read_record(arena, s, id, &r, err) < 0 || driver_parse(r.driver, &driver, err) < 0)
		return error_frame(err, "the root file system of container %.12s", id);
	if ((driver == DRIVER_OBJECTS || driver == DRIVER_OVERLAY) && container_show_is_shown(arena, s, id, &shown)) {
		fd = open(shown, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? error_errno(err, "open %s", shown) : fd;
	}
	if (driver != DRIVER_VFS && describe_overlay(arena, s, id, &r, false, &rootfs, err) < 0)
		return -1;
	if (driver == DRIVER_OBJECTS || driver == DRIVER_OVERLAY)
		return mount_overlay_here(s, id, &rootfs, err);
	if (driver == DRIVER_FUSE_OVERLAYFS) {
		container_store_unmount(s, id);
		if (mount_fuse_here(arena, s, id, &rootfs, err) < 0)
			return -1;
		path = arena_printf(arena, "%s/containers/%s/merged", s->path, id);
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "open %s", path) : fd;
}
