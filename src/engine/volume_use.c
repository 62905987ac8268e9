#include "engine/volume_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/state.h"
#include "engine/volume_options.h"
#include "store/tree.h"
#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/lock.h"
#include "sys/mount.h"

/* --- the image's files */

static bool is_empty(int fd)
{
	_cleanup_dir_ DIR *dir = fd_opendir(fd, ".");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return false;
	return dir != NULL;
}

/* The copy is made beside the data and takes its place whole, so that a killed command leaves an empty volume. */
static int copy_up(int dir, int source, struct error *err)
{
	const struct tree_copy how = { 0 };
	_cleanup_fd_ int target = -1;

	if (fd_remove_tree(dir, "_new") < 0 || mkdirat(dir, "_new", 0755) < 0)
		return error_errno(err, "make the volume's data");
	target = fd_open_dir(dir, "_new");
	if (target < 0)
		return error_errno(err, "open the volume's data");
	if (tree_copy(source, target, &how, err) < 0)
		return -1;
	return renameat(dir, "_new", dir, "_data") < 0 ? error_errno(err, "put the volume's data in place") : 0;
}

/* Without a copy the volume still gets owner and mode of what it covers. */
static int take_attributes(int data, int source, struct error *err)
{
	struct stat st;

	if (fstat(source, &st) < 0 || fchown(data, st.st_uid, st.st_gid) < 0 || fchmod(data, st.st_mode & 07777) < 0)
		return error_errno(err, "set the volume's owner");
	return 0;
}

/* Where the image has nothing, the volume is the container user's. */
static int give_to_user(int data, const struct volume_place *place, const struct volume_options *o, struct error *err)
{
	if (o->has_uid || o->has_gid)
		return 0;
	/* A user outside the id map cannot be given anything; he is refused elsewhere, with a better text. */
	if (fchown(data, place->uid, place->gid) < 0 && errno != EINVAL)
		return error_errno(err, "set the volume's owner");
	return 0;
}

/* source: the directory in the image, -1 when there is none. */
static int fill_directory(const struct volume *v, int dir, int source, const struct volume_place *place,
			  const struct volume_options *o, struct error *err)
{
	_cleanup_fd_ int data = open(v->mountpoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (data < 0) {
		error_errno(err, "open %s", v->mountpoint);
		return o->device ? error_hint(err, "the volume is that directory of yours: make it again, or remove the volume") : -1;
	}
	if (o->device || !is_empty(data))		/* a directory of the user's, or used before: as it is */
		return 0;
	if (source < 0)
		return v->needs_chown ? give_to_user(data, place, o, err) : 0;
	if (place->copy && v->needs_copy_up)
		return copy_up(dir, source, err);
	return v->needs_chown && !o->has_uid && !o->has_gid ? take_attributes(data, source, err) : 0;
}

static int open_in_image(const struct volume_place *place, int *ret, struct error *err)
{
	*ret = place->root_fd < 0 ? -1 : inroot_open(place->root_fd, place->path, O_RDONLY | O_DIRECTORY, 0);
	if (*ret < 0 && place->root_fd >= 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return error_errno(err, "open %s in the image", place->path);
	return 0;
}

static int first_use(struct engine *e, struct volume *v, int dir, const struct volume_place *place,
		     const struct volume_options *o, struct error *err)
{
	_cleanup_fd_ int source = -1;

	if (open_in_image(place, &source, err) < 0)
		return -1;
	if (fill_directory(v, dir, source, place, o, err) < 0)
		return error_frame(err, "copy the image's %s into volume %s", place->path, v->name);
	if (!v->anonymous && syncfs(dir) < 0)	/* before the record says that all is there */
		return error_errno(err, "write volume %s to disk", v->name);
	v->needs_copy_up = v->needs_chown = false;
	return volume_write(e->arena, &e->store, v, err);
}

/* --- tmpfs */

bool volume_use_is_mounted(const struct volume *v)
{
	return v->mountpoint && mount_is_point(v->mountpoint);
}

static int fill_tmpfs(int fs, const struct volume *v, const struct volume_place *place, const struct volume_options *o,
		      struct error *err)
{
	const struct tree_copy how = { .keep_top = o->has_uid || o->has_gid };
	_cleanup_fd_ int source = -1;

	if (open_in_image(place, &source, err) < 0)
		return -1;
	if (source < 0)
		return place->root_fd < 0 ? 0 : give_to_user(fs, place, o, err);
	return place->copy && !o->no_copy ? tree_copy(source, fs, &how, err) : 0;
}

static bool has_mode(const struct volume_options *o)
{
	for (size_t i = 0; i < o->data.n; i++)
		if (str_starts(o->data.v[i], "mode="))
			return true;
	return false;
}

/* Filled before anybody sees it. */
static int mount_tmpfs(struct engine *e, const struct volume *v, const struct volume_place *place, struct volume_options *o,
		       struct error *err)
{
	_cleanup_fd_ int target = open(v->mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC), fs = -1, top = -1;
	const char *step = NULL;

	if (!has_mode(o))
		strings_add(e->arena, &o->data, "mode=755");
	fs = mount_new("tmpfs", v->name, (const char *const *)o->data.v, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &step);
	if (fs < 0)
		return error_errno(err, "mount volume %s (tmpfs %s%s%s)", v->name, strings_join(e->arena, &o->data, ","),
				   step ? ": " : "", step ? step : "");
	top = openat(fs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || target < 0)
		return error_errno(err, "open volume %s", v->name);
	if (fill_tmpfs(top, v, place, o, err) < 0)
		return -1;
	return mount_attach(fs, target) < 0 ? error_errno(err, "mount volume %s", v->name) : 0;
}

int volume_use(struct engine *e, const char *name, const struct volume_place *place, struct volume *ret, struct error *err)
{
	_cleanup_fd_ int dir = -1;
	struct volume_options o;

	if (volume_read(e->arena, &e->store, name, ret, err) < 0 || volume_options_parse(e->arena, &ret->options, &o, err) < 0)
		return -1;
	if (!o.tmpfs && !ret->needs_copy_up && !ret->needs_chown)
		return 0;
	/* Another one may have been faster; and whoever ends, and unmounts, sees under this lock that we are starting. */
	dir = volume_lock(&e->store, name, err);
	if (dir < 0 || volume_read(e->arena, &e->store, name, ret, err) < 0)
		return -1;
	if (o.tmpfs)
		return volume_use_is_mounted(ret) ? 0 : mount_tmpfs(e, ret, place, &o, err);
	if (place->root_fd < 0 || (!ret->needs_copy_up && !ret->needs_chown))
		return 0;
	return first_use(e, ret, dir, place, &o, err);
}

int volume_use_options(struct engine *e, const struct volume *v, struct strings *options, bool *read_only,
		       struct error *err)
{
	struct strings all = { 0 };
	struct volume_options o;

	if (volume_options_parse(e->arena, &v->options, &o, err) < 0)
		return -1;
	*read_only |= o.read_only;
	strings_add_all(e->arena, &all, &o.flags);
	strings_add_all(e->arena, &all, options);
	*options = all;
	return 0;
}

/* --- the end */

bool volume_use_has(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].type, "volume") == 0 && str_eq(c->mounts.v[i].name, name))
			return true;
	return false;
}

/* It runs, or somebody is about to start it. */
static bool is_live(struct engine *e, const struct container *c)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	struct container_state s;

	return container_load_state(e, c, &s, NULL) < 0 || state_is_live(&s) || s.status == CONTAINER_INITIALIZED ||
	       (run_dir >= 0 && lock_is_held(run_dir, "monitor.lock"));
}

/* A container that lives, but for one. */
static bool has_live_user(struct engine *e, const char *name, const char *but)
{
	struct containers all;

	if (container_load_all(e, &all, NULL) < 0)
		return true;
	for (size_t i = 0; i < all.n; i++)
		if (!str_eq(all.v[i].id, but) && volume_use_has(&all.v[i], name) && is_live(e, &all.v[i]))
			return true;
	return false;
}

static int unmount(struct engine *e, const struct volume *v, const char *but, struct error *err)
{
	_cleanup_fd_ int dir = volume_lock(&e->store, v->name, err);

	if (dir < 0)
		return -1;
	if (has_live_user(e, v->name, but))
		return error_set(err, ERROR_IN_USE, "volume %s is mounted, and a container that uses it is running", v->name);
	if (umount2(v->mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		return error_errno(err, "unmount volume %s", v->name);
	return 0;
}

void volume_use_end(struct engine *e, const struct container *c)
{
	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct container_mount *m = &c->mounts.v[i];
		struct volume v;

		if (strcmp(m->type, "volume") == 0 && m->source && mount_is_point(m->source) &&
		    volume_read(e->arena, &e->store, m->name, &v, NULL) == 0 && str_eq(map_get(&v.options, "type"), "tmpfs"))
			unmount(e, &v, c->id, NULL);
	}
}

int volume_use_unmount(struct engine *e, const struct volume *v, struct error *err)
{
	if (!str_eq(map_get(&v->options, "type"), "tmpfs") || !volume_use_is_mounted(v))
		return 0;
	return unmount(e, v, NULL, err);
}
