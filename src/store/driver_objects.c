#include "store/driver_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/driver.h"
#include "store/tree_maker.h"
#include "sys/fd.h"
#include "sys/idmap.h"

#define CONTENTS "contents\n"

struct trial {
	struct arena *arena;
	const struct store *s;
	const char *path;
	int fd;
	uint32_t id;			/* of the file's owner in the image */
};

/* --- what is on disk, and the tree in memory */

static int make_contents(struct trial *t, const unsigned char *digest, struct error *err)
{
	char name[OBJECT_NAME_SIZE], *path;
	_cleanup_fd_ int fd = -1;

	object_name(digest, name);
	path = arena_printf(t->arena, "objects/%s", name);
	if (fd_mkdirs(t->fd, "merged", 0755) < 0 || fd_mkdirs(t->fd, arena_printf(t->arena, "objects/%c", name[0]), 0755) < 0)
		return error_errno(err, "make %s/objects", t->path);
	fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);
	return fd < 0 || fd_write_all(fd, CONTENTS, strlen(CONTENTS)) < 0 ? error_errno(err, "make %s/%s", t->path, path) : 0;
}

static int fill(struct trial *t, int root, struct error *err)
{
	struct tree_maker m = { .arena = t->arena, .root = root, .objects = -1, .single_id = t->s->single_id };
	const struct layer_entry top = { .type = LAYER_DIRECTORY, .path = "", .mode = 0755 },
				 directory = { .type = LAYER_DIRECTORY, .path = "dir", .mode = 0755 },
				 file = { .type = LAYER_FILE, .path = "dir/file", .mode = 04711, .uid = t->id, .gid = t->id,
					  .size = strlen(CONTENTS) };

	tree_maker_begin(&m, err);
	return tree_maker_end(&m, tree_maker_add(&m, &top) < 0 || tree_maker_add(&m, &directory) < 0 ||
			      tree_maker_add(&m, &file) < 0);
}

static int make_tree(struct trial *t, struct error *err)
{
	static const char *const options[] = { "mode=700", NULL };
	const char *step = "";
	_cleanup_fd_ int fs = mount_new("tmpfs", "bryo-tree", options, 0, &step), root = -1, place = -1;

	if (fs < 0)
		return error_errno(err, "a file system in memory (%s)", step);
	root = mkdirat(fs, "tree", 0755) < 0 ? -1 : fd_open_dir(fs, "tree");
	if (root < 0)
		return error_errno(err, "a tree in memory");
	if (fill(t, root, err) < 0)
		return error_frame(err, "a tree in memory");
	place = fd_open_dir(t->fd, "merged");
	return mount_attach(fs, place) < 0 ? error_errno(err, "mount a tree in memory") : 0;
}

/* --- using it */

static int look(struct trial *t, int root, uint32_t owner, struct error *err)
{
	char text[sizeof(CONTENTS)] = "";
	_cleanup_fd_ int fd = openat(root, "dir/file", O_RDONLY | O_CLOEXEC);
	struct stat file, directory;

	(void)t;
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return error_errno(err, "read a file whose contents are an object");
	if (strcmp(text, CONTENTS) != 0)
		return error_set(err, ERROR_FAILED, "a file does not have the contents of its object");
	if (fstat(fd, &file) < 0 || fstatat(root, "dir", &directory, 0) < 0)
		return error_errno(err, "look at a file of the tree");
	if (file.st_size != (off_t)strlen(CONTENTS) || (file.st_mode & 07777) != 04711 || file.st_uid != owner)
		return error_set(err, ERROR_FAILED, "a file does not have the attributes of the tree");
	if (file.st_dev != directory.st_dev)
		return error_set(err, ERROR_FAILED, "files and directories seem to be of different file systems");
	return 0;
}

static int change(int root, uint32_t owner, struct error *err)
{
	_cleanup_fd_ int fd = openat(root, "dir/file", O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat before, after;

	if (fd < 0 || write(fd, "more\n", 5) != 5)
		return error_errno(err, "write to a file whose contents are an object");
	if (fstat(fd, &before) < 0 || fchown(fd, 0, 0) < 0 || fstatat(root, "dir/file", &after, 0) < 0)
		return error_errno(err, "give away a file of the tree");
	if (before.st_uid != owner || after.st_uid != 0 || before.st_ino != after.st_ino)
		return error_set(err, ERROR_FAILED, "a file of the tree changes its owner or number when it is written");
	if (unlinkat(root, "dir/file", 0) < 0 || unlinkat(root, "dir", AT_REMOVEDIR) < 0 || mkdirat(root, "dir", 0755) < 0)
		return error_errno(err, "replace a directory of the tree");
	return fstatat(root, "dir/file", &after, 0) == 0 ? error_set(err, ERROR_FAILED, "a removed file comes back") : 0;
}

/* name: of the writable layer. */
static int use(struct trial *t, const char *name, const struct id_maps *maps, uint32_t owner, struct error *err)
{
	struct rootfs r = { .kind = ROOTFS_OVERLAY, .data = arena_printf(t->arena, "%s/objects", t->path) };
	_cleanup_fd_ int tree = mount_clone(t->fd, "merged/tree", false), names = -1, root = -1;
	const char *step = "";

	r.tree = tree;
	r.upper = arena_printf(t->arena, "%s/%s/upper", t->path, name);
	r.work = arena_printf(t->arena, "%s/%s/work", t->path, name);
	if (tree < 0 || fd_mkdirs(AT_FDCWD, r.upper, 0755) < 0 || fd_mkdirs(AT_FDCWD, r.work, 0755) < 0)
		return error_errno(err, "make a writable layer");
	names = maps ? idmap_namespace(maps) : -1;
	if (maps && (names < 0 || mount_set_idmap(tree, names, false) < 0))
		return error_errno(err, "show the tree with other ids");
	root = driver_mount_overlay(&r, &step);
	if (root < 0)
		return error_errno(err, "overlay over a tree and its objects (%s)", step);
	return look(t, root, owner, err) < 0 ? -1 : change(root, owner, err);
}

int driver_try_objects(struct arena *arena, const struct store *s, const char *path, struct error *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);	/* through the mounts of this process */
	static const unsigned char digest[LAYER_DIGEST_SIZE];
	struct id_extent swapped[] = { { 0, 1, 1 }, { 1, 0, 1 } }, same[] = { { 0, 0, 1 } };
	struct trial t = { .arena = arena, .s = s, .path = path, .fd = fd, .id = s->single_id ? 0 : 1 };
	struct id_map map = { s->single_id ? same : swapped, s->single_id ? 1 : 2 };
	struct id_maps maps = { map, map };

	if (fd < 0)
		return error_errno(err, "open %s", path);
	if (make_contents(&t, digest, err) < 0 || make_tree(&t, err) < 0 || use(&t, "plain", NULL, t.id, err) < 0)
		return -1;
	return use(&t, "mapped", &maps, 0, err);
}
