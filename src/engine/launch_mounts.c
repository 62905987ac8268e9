#include "engine/launch_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/layer_form.h"
#include "engine/mounts.h"
#include "engine/own.h"
#include "engine/relabel.h"
#include "engine/show.h"
#include "engine/volume_use.h"
#include "store/image_files.h"
#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/mount.h"
#include "sys/trace.h"

struct owner { uid_t uid; gid_t gid; };		/* ids of the rootless namespace */

static struct owner owner_of(const struct launch *l, const struct passwd_user *user)
{
	return (struct owner){ l->maps.uid.n ? idmap_to_outside(&l->maps.uid, user->uid) : user->uid,
			       l->maps.gid.n ? idmap_to_outside(&l->maps.gid, user->gid) : user->gid };
}

static bool is_of_type(const struct container_mount *m, const char *type)
{
	return strcmp(m->type, type) == 0;
}

/* --- volumes */

static int prepare_volume(struct launch *l, struct container_mount *m, const struct owner *owner, struct error *err)
{
	struct volume_place place = { .root_fd = l->root_mount, .path = m->destination, .uid = owner->uid, .gid = owner->gid,
				      .copy = !m->subpath && !strings_has(&m->options, "nocopy") };
	struct volume v;

	if (volume_use(l->e, m->name, &place, &v, err) < 0)
		return error_frame(err, "volume at %s", m->destination);
	m->source = v.mountpoint;
	return volume_use_options(l->e, &v, &m->options, &m->read_only, err);
}

/* Only where it is, for a plan. */
static int find_volume(struct launch *l, struct container_mount *m, struct error *err)
{
	struct volume v;

	if (volume_read(l->e->arena, &l->e->store, m->name, &v, err) < 0)
		return error_frame(err, "volume at %s", m->destination);
	m->source = v.mountpoint;
	return volume_use_options(l->e, &v, &m->options, &m->read_only, err);
}

/* A part of a volume: containers write there, so its path is resolved inside, once. */
static int open_subpath(struct container_mount *m, int top, struct error *err)
{
	_cleanup_fd_ int part = inroot_open(top, m->subpath, O_PATH, 0);

	if (part < 0) {
		error_errno(err, "subpath %s of %s", m->subpath, m->name);
		return errno == ENOENT ? error_hint(err, "it must be there already: a subpath is not created") : -1;
	}
	m->fd = mount_clone(part, "", true);
	if (m->fd >= 0)
		return 0;
	m->fd = 0;
	error_errno(err, "mount subpath %s of %s", m->subpath, m->name);
	return is_of_type(m, "image") ? error_hint(err, "a part of an image can be mounted since Linux 6.15") : -1;
}

static int open_volume_part(struct container_mount *m, struct error *err)
{
	_cleanup_fd_ int top = open(m->source, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return top < 0 ? error_errno(err, "open %s", m->source) : open_subpath(m, top, err);
}

/* --- overlays */

/* The merged directory looks like the one below. An owner outside the id map stays the container's root. */
static int make_layer(const char *path, const struct stat *below, struct error *err)
{
	if (fd_mkdirs(AT_FDCWD, path, 0755) < 0)
		return error_errno(err, "make %s", path);
	if (chown(path, below->st_uid, below->st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return error_errno(err, "give %s its owner", path);
	return chmod(path, below->st_mode & 07777) < 0 ? error_errno(err, "give %s its mode", path) : 0;
}

/* In the container's directory, so that what is written lives and dies with its run. */
static int make_layers(struct launch *l, size_t i, int lower, struct rootfs *overlay, struct error *err)
{
	const struct container_mount *m = &l->c->mounts.v[i];
	char *base = arena_printf(l->e->arena, "%s/containers/%s/overlay-%zu", l->e->store.path, l->c->id, i);
	struct stat st;

	overlay->upper = m->upper;
	overlay->work = m->work;
	if (m->upper)
		return 0;
	if (fstat(lower, &st) < 0 || fd_remove_tree(AT_FDCWD, base) < 0)
		return error_errno(err, "prepare %s", base);
	overlay->upper = arena_printf(l->e->arena, "%s/upper", base);
	overlay->work = arena_printf(l->e->arena, "%s/work", base);
	overlay->volatile_upper = true;
	if (fd_mkdirs(AT_FDCWD, overlay->work, 0700) < 0)
		return error_errno(err, "make %s", overlay->work);
	return make_layer(overlay->upper, &st, err);
}

static int mount_layers(const struct rootfs *overlay, const char **ret_step)
{
	int fd = mount_overlay(overlay, ret_step);

	if (fd >= 0 || errno != EINVAL || strcmp(*ret_step, "lowerdir+") != 0)
		return fd;
	/* As for the root file system: mount(2) shows for a moment. */
	return unshare(CLONE_NEWNS) < 0 ? -1 : mount_overlay_by_string(overlay, ret_step);
}

/* What is written goes elsewhere: over a directory of the user's, a volume, or (tree) a mounted image. */
static int open_overlay(struct launch *l, size_t i, int tree, struct error *err)
{
	struct container_mount *m = &l->c->mounts.v[i];
	_cleanup_fd_ int lower = open(tree > 0 ? "/" : m->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct rootfs overlay = { .kind = ROOTFS_OVERLAY, .tree = tree, .label = l->c->mount_label };
	const char *step = "";

	if (lower < 0)
		return errno == ENOTDIR ? error_set(err, ERROR_USAGE, "option O of %s: %s is a file, and an overlay needs a directory",
						    m->destination, m->source) : error_errno(err, "open %s", m->source);
	if (tree <= 0)
		strings_add(l->e->arena, &overlay.lower, m->source);
	if (make_layers(l, i, tree > 0 ? tree : lower, &overlay, err) < 0)
		return error_frame(err, "the overlay at %s", m->destination);
	m->fd = mount_layers(&overlay, &step);
	if (m->fd >= 0)
		return 0;
	m->fd = 0;
	error_errno(err, "mount the overlay at %s (%s)", m->destination, step);
	return m->upper ? error_hint(err, "upperdir and workdir must be two directories of one file system, and not in use elsewhere") : -1;
}

/* --- images */

/* A mount where the driver's layers can be mounted, else where `image mount` shows them. */
static int open_files(struct launch *l, const struct image *image, struct error *err)
{
	struct image_files files;
	char *path;
	int fd;

	if (image_files_open(l->e->arena, &l->e->store, &image->layers, &files, NULL) == 0) {
		if (!files.stage)
			return files.root;
		image_files_close(&l->e->store, &files);
	}
	if (show_image(l->e, image, &path, err) < 0)
		return -1;
	fd = mount_clone(AT_FDCWD, path, false);
	return fd < 0 ? error_errno(err, "mount %s", path) : fd;
}

static int open_image(struct launch *l, size_t i, struct error *err)
{
	struct container_mount *m = &l->c->mounts.v[i];
	_cleanup_fd_ int lock = store_lock(&l->e->store, LOCK_SHARED, true, err);
	_cleanup_fd_ int files = -1;
	struct image image;

	if (lock < 0 || image_read(l->e->arena, &l->e->store, m->source, &image, err) < 0 ||
	    layer_form_need(l->e, &image.layers, err) < 0)
		return -1;
	files = open_files(l, &image, err);
	if (files < 0)
		return -1;
	if (m->subpath)
		return open_subpath(m, files, err);
	if (!m->read_only)
		return open_overlay(l, i, files, err);
	m->fd = fd_take(&files);
	return 0;
}

static int open_mount(struct launch *l, size_t i, struct error *err)
{
	struct container_mount *m = &l->c->mounts.v[i];

	if (is_of_type(m, "image"))
		return open_image(l, i, err) < 0 ? error_frame(err, "mount image %s at %s", m->name, m->destination) : 0;
	if (m->subpath)
		return open_volume_part(m, err);
	return m->overlay ? open_overlay(l, i, 0, err) : 0;
}

/* --- labels, owners */

/* z and Z as asked. A named volume is for containers in any case, and for all of them when nobody says otherwise. */
static int label_mount(struct launch *l, const struct container_mount *m, struct error *err)
{
	bool named = is_of_type(m, "volume") && !relabel_has_type(l->e, m->source, l->c->mount_label);
	const char *label = l->c->mount_label;
	char path[32];

	if ((!m->relabel && !named) || m->overlay || !m->source || *m->source != '/')
		return 0;
	if (!str_eq(m->relabel, "private"))
		label = label_shared(l->e->arena, label);
	return relabel_volume(l->e, m->subpath ? fd_path(m->fd, path) : m->source, label, err);
}

static int give(struct launch *l, const struct container_mount *m, const struct owner *owner, struct error *err)
{
	_cleanup_fd_ int source = -1;

	if (!m->chown || !m->source || *m->source != '/')
		return 0;
	if (!m->fd) {
		source = open(m->source, O_PATH | O_CLOEXEC);
		if (source < 0)
			return error_errno(err, "open %s", m->source);
	}
	return own_tree(l->e, m->fd ? m->fd : source, m->source, owner->uid, owner->gid, err);
}

int launch_mounts_prepare(struct launch *l, const struct passwd_user *user, bool dry, struct error *err)
{
	const struct owner owner = owner_of(l, user);
	_cleanup_trace_ struct trace_span span = trace_begin("prepare the mounts");

	if (mounts_make_anonymous(l->e, l->c, err) < 0)		/* its creation was killed before it came to that */
		return -1;
	for (size_t i = 0; i < l->c->mounts.n; i++) {
		struct container_mount *m = &l->c->mounts.v[i];

		if (is_of_type(m, "volume") && (dry ? find_volume(l, m, err) : prepare_volume(l, m, &owner, err)) < 0)
			return -1;
		if (!dry && (open_mount(l, i, err) < 0 || (l->c->mount_label && label_mount(l, m, err) < 0) || give(l, m, &owner, err) < 0))
			return -1;
	}
	return 0;
}

void launch_mounts_close(struct launch *l)
{
	for (size_t i = 0; l->c && i < l->c->mounts.n; i++) {
		if (l->c->mounts.v[i].fd > 0)
			close(l->c->mounts.v[i].fd);
		l->c->mounts.v[i].fd = 0;
	}
}
