#include "store/image_tree_view.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/stage.h"
#include "sys/fd.h"

#define VIEWS "views"		/* views/<name of the maps>/tree, where it is mounted; the directory tells its last use */
#define VIEWS_MAX 8
#define FRESH_S 2		/* whoever opened a view mounts it soon */

/* --- those that are too many */

struct view { char *name; struct timespec used; };
struct views { struct view *v; size_t n; };

static int compare(const void *a, const void *b)
{
	const struct view *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return x->used.tv_nsec < y->used.tv_nsec ? -1 : x->used.tv_nsec > y->used.tv_nsec;
}

static struct views list(struct arena *arena, int root)
{
	_cleanup_dir_ DIR *dir = fd_opendir(root, VIEWS);
	struct views views = { 0 };
	struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			*ARRAY_ADD(arena, &views) = (struct view){ arena_strdup(arena, entry->d_name), st.st_mtim };
	if (views.n > 1)
		qsort(views.v, views.n, sizeof(*views.v), compare);
	return views;
}

static void drop(int root, const char *name)
{
	char path[128], full[192];

	snprintf(path, sizeof(path), VIEWS "/%s/tree", name);
	snprintf(full, sizeof(full), "/proc/self/fd/%d/%s", root, path);
	umount2(full, MNT_DETACH | UMOUNT_NOFOLLOW);
	unlinkat(root, path, AT_REMOVEDIR);
	snprintf(path, sizeof(path), VIEWS "/%s", name);
	unlinkat(root, path, AT_REMOVEDIR);
}

/* Makes room for one more. */
static void trim(struct arena *arena, int root)
{
	struct views views = list(arena, root);
	time_t fresh = time(NULL) - FRESH_S;

	for (size_t i = 0; i < views.n && views.n - i >= VIEWS_MAX && views.v[i].used.tv_sec < fresh; i++)
		drop(root, views.v[i].name);
}

/* --- one */

/* A killed maker may have left the directory without the mount. */
static bool is_mounted(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, 0, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int open_made(int dir, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), VIEWS "/%s/tree", name);
	fd = openat(dir, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !is_mounted(fd)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

static int make(int root, const char *name, const struct id_maps *maps)
{
	_cleanup_fd_ int mount = mount_clone(root, "tree", false);
	_cleanup_fd_ int names = mount < 0 ? -1 : idmap_namespace(maps), place = -1;
	char path[128];

	if (names < 0 || mount_set_idmap(mount, names, false) < 0)
		return -1;
	snprintf(path, sizeof(path), VIEWS "/%s/tree", name);
	if (fd_mkdirs(root, path, 0700) < 0)
		return -1;
	place = fd_open_dir(root, path);
	return place < 0 || mount_attach(mount, place) < 0 ? -1 : open_made(root, name);
}

int image_tree_view_open(const struct store *s, const char *place, const struct id_maps *maps)
{
	_cleanup_arena_ struct arena *scratch = arena_new();
	const char *name = idmap_name(scratch, maps);
	_cleanup_fd_ int root = fd_open_dir(s->run_fd, place);
	char path[128];
	int fd;

	if (root < 0)
		return -1;
	snprintf(path, sizeof(path), VIEWS "/%s", name);
	utimensat(root, path, NULL, 0);		/* first: who makes room leaves it alone then */
	fd = open_made(root, name);
	if (fd < 0) {
		while (flock(root, LOCK_EX) < 0 && errno == EINTR)
			;
		fd = open_made(root, name);
		if (fd < 0) {
			trim(scratch, root);
			fd = make(root, name, maps);
		}
	}
	return fd;
}
