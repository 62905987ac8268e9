/* Entries of an archive for a layer's tree in memory, contents for the store's objects.
 *
 * Most files come in one piece, as large as they are: these go from the archive's buffer to the digest, and nowhere
 * else when the object is there. Holes must be hashed as zeros, which costs time for nothing in the archive: their sum
 * is limited. */
#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "transfer/untar.h"

#define HOLES_MAX ((int64_t)16 << 30)

/* Would the kernel take it? How much fits on one file is another question, and another file system's. */
static int try_xattr(struct untar_layer *l, const struct tree_entry *e, const struct tree_xattr *x, struct error *err)
{
	/* A default ACL is one that files do not have. */
	const char *name = str_eq(x->name, "system.posix_acl_default") ? "system.posix_acl_access" : x->name;

	if (fsetxattr(l->scratch, name, x->value, x->size, 0) == 0)
		fremovexattr(l->scratch, name);
	else if (errno != ENOSPC && errno != EDQUOT && errno != E2BIG && !tree_xattr_may_fail(name, errno))
		return error_errno(err, "set the extended attribute %s of /%s", x->name, e->path);
	return 0;
}

/* Attributes that cannot be are an error of the image now, not of the container that starts from it. */
static int try_xattrs(struct untar_layer *l, const struct tree_entry *e, struct error *err)
{
	if (e->xattrs_n && !l->scratch) {
		l->scratch = openat(l->objects->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (l->scratch < 0)
			return error_errno(err, "make a scratch file");
	}
	for (size_t i = 0; i < e->xattrs_n; i++)
		if (tree_xattr_is_kept(e->xattrs[i].name) && try_xattr(l, e, &e->xattrs[i], err) < 0)
			return -1;
	return 0;
}

static int put_directory(void *to, const struct tree_entry *e, struct error *err)
{
	struct untar_layer *l = to;

	return try_xattrs(l, e, err) < 0 ? -1 : layer_tree_directory(l->tree, e, err);
}

static int open_file(void *to, const struct tree_entry *e, int64_t size, struct error *err)
{
	struct untar_layer *l = to;

	l->size = size;
	l->whole = false;
	objects_begin(l->objects);
	return layer_tree_check(l->tree, e, err) < 0 ? -1 : try_xattrs(l, e, err);
}

static int add_hole(struct untar_layer *l, int64_t n, struct error *err)
{
	if (n > HOLES_MAX - l->holes)
		return error_set(err, ERROR_INVALID, "the layer has more than %lld GiB of holes in its files",
				 (long long)(HOLES_MAX >> 30));
	l->holes += n;
	return objects_add_hole(l->objects, n, err);
}

static int write_file(void *to, const void *p, size_t n, int64_t offset, struct error *err)
{
	struct untar_layer *l = to;

	if (offset == 0 && (int64_t)n == l->size) {
		l->whole = true;
		return objects_put(l->objects, p, n, l->digest, err);
	}
	if (offset > l->objects->size && add_hole(l, offset - l->objects->size, err) < 0)
		return -1;
	return objects_add(l->objects, p, n, err);
}

static int close_file(void *to, const struct tree_entry *e, int64_t size, struct error *err)
{
	struct untar_layer *l = to;

	if (size > 0 && !l->whole &&
	    ((l->objects->size < size && add_hole(l, size - l->objects->size, err) < 0) ||
	     objects_end(l->objects, l->digest, err) < 0))
		return error_frame(err, "write /%s", e->path);
	if (l->recipe)
		recipe_maker_object(l->recipe, l->digest);
	return layer_tree_file(l->tree, e, size, l->digest, err);
}

static int put_symlink(void *to, const struct tree_entry *e, const char *target, struct error *err)
{
	struct untar_layer *l = to;

	return layer_tree_symlink(l->tree, e, target, err);
}

static int put_hardlink(void *to, const struct tree_entry *e, const char *target, struct error *err)
{
	struct untar_layer *l = to;

	return layer_tree_hardlink(l->tree, e, target, err);
}

static int put_fifo(void *to, const struct tree_entry *e, struct error *err)
{
	struct untar_layer *l = to;

	return layer_tree_fifo(l->tree, e, err);
}

static int put_device(void *to, const struct tree_entry *e, mode_t type, dev_t device, struct error *err)
{
	struct untar_layer *l = to;

	return layer_tree_device(l->tree, e, type, device, err);
}

static int put_mark(void *to, const char *path, enum tree_mark mark, struct error *err)
{
	struct untar_layer *l = to;

	return layer_tree_mark(l->tree, path, mark, err);
}

static int finish(void *to, struct error *err)
{
	struct untar_layer *l = to;

	if (l->scratch > 0)
		close(l->scratch);
	l->scratch = 0;
	return 0;
}

static int room(void *to)
{
	struct untar_layer *l = to;

	return l->objects->dir;
}

const struct untar_target untar_to_layer = {
	.directory = put_directory, .open_file = open_file, .write = write_file, .close_file = close_file,
	.symlink = put_symlink, .hardlink = put_hardlink, .fifo = put_fifo, .device = put_device, .mark = put_mark,
	.finish = finish, .room = room,
};
