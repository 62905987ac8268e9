#include "sys/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"

#define LINKS_MAX 40		/* as the kernel's own limit */
#define RETRIES 128		/* openat2 answers EAGAIN when the tree is renamed under it */

int inroot_open(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode & 07777 : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	for (int i = 0; i < RETRIES; i++) {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return fd;
}

/* --- the walker
 *
 * Resolves one component at a time and can create what is missing, also behind a dangling link. `done` is a path
 * without links, as far as that was true when it was looked at; it is never given to the kernel but through
 * inroot_open, so a tree that changes meanwhile can mislead the walker, not let it out. No memory is allocated: the
 * walker runs between clone and exec too. */

enum create { CREATE_NOTHING, CREATE_DIRECTORIES, CREATE_FILE };

struct walk {
	int root;
	enum create create;
	mode_t mode;
	int links;
	char done[PATH_MAX];	/* "" is the root itself; otherwise "a/b" */
	char rest[PATH_MAX];	/* what is still to be resolved */
};

static int fail(int number)
{
	errno = number;
	return -1;
}

/* Cuts the next component from the front of rest. False at the end. */
static bool next_component(struct walk *w, char name[NAME_MAX + 1], bool *ret_too_long)
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");

	*ret_too_long = n > NAME_MAX;
	if (n == 0 || n > NAME_MAX)
		return false;
	memcpy(name, w->rest + skip, n);
	name[n] = '\0';
	memmove(w->rest, w->rest + skip + n, strlen(w->rest + skip + n) + 1);
	return true;
}

static bool is_last(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] == '\0';
}

static const char *done_or_root(const struct walk *w)
{
	return w->done[0] ? w->done : "/";
}

static int append(struct walk *w, const char *name)
{
	size_t used = strlen(w->done), n = strlen(name);

	if (used + n + 2 > sizeof(w->done))
		return fail(ENAMETOOLONG);
	if (used)
		w->done[used++] = '/';
	memcpy(w->done + used, name, n + 1);
	return 0;
}

static void drop_last(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	*(slash ? slash : w->done) = '\0';
}

/* A link's target takes the place of its name: in front of the rest. */
static int follow(struct walk *w, int link)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target));
	size_t rest = strlen(w->rest);

	if (n < 0)
		return -1;
	if (n == 0)
		return fail(ENOENT);
	if ((size_t)n + rest + 1 > sizeof(w->rest))
		return fail(ENAMETOOLONG);
	if (++w->links > LINKS_MAX)
		return fail(ELOOP);
	if (target[0] == '/')
		w->done[0] = '\0';
	memmove(w->rest + n, w->rest, rest + 1);	/* which is empty or begins with '/' */
	memcpy(w->rest, target, (size_t)n);
	return 0;
}

static int make(struct walk *w, const char *name, bool file)
{
	_cleanup_fd_ int parent = inroot_open(w->root, done_or_root(w), O_PATH | O_DIRECTORY, 0);
	int fd;

	if (parent < 0)
		return -1;
	if (!file)
		return mkdirat(parent, name, w->mode) < 0 && errno != EEXIST ? -1 : 0;
	fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return errno == EEXIST ? 0 : -1;
	close(fd);
	return 0;
}

/* One component that is neither "." nor "..": creates, follows or enters it. */
static int step(struct walk *w, const char *name)
{
	_cleanup_fd_ int fd = -1;
	size_t before = strlen(w->done);
	struct stat st;

	if (append(w, name) < 0)
		return -1;
	fd = inroot_open(w->root, w->done, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0 && errno == ENOENT && w->create != CREATE_NOTHING) {
		w->done[before] = '\0';
		if (make(w, name, w->create == CREATE_FILE && is_last(w)) < 0 || append(w, name) < 0)
			return -1;
		fd = inroot_open(w->root, w->done, O_PATH | O_NOFOLLOW, 0);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		w->done[before] = '\0';
		return follow(w, fd);
	}
	if (!S_ISDIR(st.st_mode) && w->rest[0] != '\0')
		return fail(ENOTDIR);
	return 0;
}

static int walk(struct walk *w, int root, const char *path, enum create create, mode_t mode)
{
	char name[NAME_MAX + 1];
	bool too_long;

	if (!*path)
		return fail(ENOENT);
	if (strlen(path) >= sizeof(w->rest))
		return fail(ENAMETOOLONG);
	w->root = root;
	w->create = create;
	w->mode = mode;
	w->links = 0;
	w->done[0] = '\0';
	memcpy(w->rest, path, strlen(path) + 1);
	while (next_component(w, name, &too_long)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
			drop_last(w);
		else if (step(w, name) < 0)
			return -1;
	}
	return too_long ? fail(ENAMETOOLONG) : 0;
}

/* --- what the others use */

int inroot_mkdirs(int root, const char *path, mode_t mode)
{
	int fd = inroot_open(root, path, O_PATH | O_DIRECTORY, 0);
	struct walk w;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (walk(&w, root, path, CREATE_DIRECTORIES, mode) < 0)
		return -1;
	return inroot_open(root, done_or_root(&w), O_PATH | O_DIRECTORY, 0);
}

int inroot_mountpoint(int root, const char *path, bool want_dir)
{
	int fd = inroot_open(root, path, O_PATH, 0);
	struct stat st;
	struct walk w;

	if (fd < 0 && errno == ENOENT) {
		if (walk(&w, root, path, want_dir ? CREATE_DIRECTORIES : CREATE_FILE, 0755) < 0)
			return -1;
		fd = inroot_open(root, done_or_root(&w), O_PATH | O_NOFOLLOW, 0);
	}
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) != want_dir || S_ISLNK(st.st_mode)) {
		close(fd);
		return fail(want_dir ? ENOTDIR : S_ISLNK(st.st_mode) ? ELOOP : EISDIR);
	}
	return fd;
}

int inroot_parent(struct arena *arena, int root, const char *path, bool create, const char **ret_name)
{
	size_t n = strlen(path);
	const char *name;
	char *parent;
	int fd;

	while (n > 1 && path[n - 1] == '/')
		n--;
	parent = arena_strndup(arena, path, n);
	name = strrchr(parent, '/');
	name = name ? name + 1 : parent;
	if (!*parent)
		return fail(ENOENT);
	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {	/* a directory that has no name here */
		name = ".";
	} else {
		char *copy = arena_strdup(arena, name);

		parent[name - parent] = '\0';
		name = copy;
	}
	if (!*parent)
		parent = (char *)"/";
	fd = create ? inroot_mkdirs(root, parent, 0755) : -1;
	if (create && fd < 0)
		return -1;
	fd_close(&fd);
	fd = inroot_open(root, parent, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 && errno == EACCES)		/* may be entered, not listed */
		fd = inroot_open(root, parent, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

int inroot_stat(int root, const char *path, struct stat *ret, bool follow_last)
{
	_cleanup_fd_ int fd = inroot_open(root, path, O_PATH | (follow_last ? 0 : O_NOFOLLOW), 0);

	return fd < 0 ? -1 : fstat(fd, ret);
}

char *inroot_read_file(struct arena *arena, int root, const char *path, size_t limit, size_t *ret_size)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	char *text;

	if (inroot_stat(root, path, &st, true) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode)) {		/* asked before opening: opening a device or FIFO has effects */
		errno = EINVAL;
		return NULL;
	}
	fd = inroot_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return NULL;
	text = fd_read_regular(arena, fd, limit, ret_size);
	if (!text && errno == EISDIR)
		errno = EINVAL;
	return text;
}

char *inroot_real_path(struct arena *arena, int root, const char *path)
{
	struct walk w;

	if (walk(&w, root, path, CREATE_NOTHING, 0) < 0)
		return NULL;
	return arena_printf(arena, "/%s", w.done);
}
