#include "engine/copy_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "engine/copy.h"
#include "engine/state.h"
#include "store/container.h"
#include "store/volume.h"
#include "sys/fd.h"
#include "sys/inroot.h"
#include "sys/pidfd.h"

#define LOCK_TRIES 500
#define LOCK_PAUSE_NS 10000000

/* --- roots */

/* The root that a running process sees, its mounts included. The pidfd proves that the number in /proc still means the
 * container's process after the directory was opened. */
static int root_of_process(const struct container_state *s, struct error *err)
{
	_cleanup_fd_ int pidfd = state_open_process(s);
	char path[64];
	int fd;

	if (pidfd < 0)
		return error_set(err, ERROR_STATE, "the container has just ended");
	snprintf(path, sizeof(path), "/proc/%lld/root", (long long)s->pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open the root of the container's process");
	if (pidfd_wait_exit(pidfd, 0) == 0)
		return fd;
	close(fd);
	return error_set(err, ERROR_STATE, "the container has just ended");
}

/* The lock keeps the container from being started over the same writable layer. */
static int root_of_stopped(struct engine *e, const struct container *c, struct error *err)
{
	if (c->rootfs) {
		int fd = open(c->rootfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		return fd < 0 ? error_errno(err, "open %s", c->rootfs) : fd;
	}
	return container_store_mount(e->arena, &e->store, c->id, err);
}

/* Whoever starts the container holds its lock until it ended; then it is running, and its process has the root. */
static int open_root(struct engine *e, const struct container *c, int *ret_root, int *ret_lock, struct error *err)
{
	static const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

	for (int tries = 0; tries < LOCK_TRIES; tries++) {
		struct container_state s;
		int lock;

		if (container_load_state(e, c, &s, err) < 0)
			return -1;
		if (state_is_live(&s)) {
			*ret_root = root_of_process(&s, err);
			return *ret_root < 0 ? -1 : 0;
		}
		lock = container_store_open(&e->store, c->id, -1, err);
		if (lock < 0)
			return -1;
		if (flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
			*ret_root = root_of_stopped(e, c, err);
			*ret_lock = lock;
			return *ret_root < 0 ? -1 : 0;
		}
		close(lock);
		nanosleep(&pause, NULL);
	}
	return error_set(err, ERROR_IN_USE, "container %s is being used by another command", c->name);
}

int container_root(struct engine *e, const struct container *c, int *ret_root, struct error *err)
{
	int lock = -1;	/* stays open: it is released when this process ends */

	return open_root(e, c, ret_root, &lock, err);
}

/* --- mounts of a stopped container */

static const struct container_mount *covering_mount(const struct container *c, const char *path)
{
	const struct container_mount *best = NULL;

	for (size_t i = 0; i < c->mounts.n; i++) {
		const struct container_mount *m = &c->mounts.v[i];
		size_t n = strlen(m->destination);

		if (strcmp(m->type, "volume") != 0 && strcmp(m->type, "bind") != 0)
			continue;
		if (strncmp(path, m->destination, n) != 0 || (path[n] && path[n] != '/'))
			continue;
		if (!best || n > strlen(best->destination))
			best = m;
	}
	return best;
}

/* Consumes fd, and answers the directory in it. */
static int enter_part(int fd, const char *subpath)
{
	int part = inroot_open(fd, subpath, O_RDONLY | O_DIRECTORY, 0), number = errno;

	close(fd);
	errno = number;
	return part;
}

/* Enters the source of the mount that covers the path. A bind-mounted single file is left to the layer below. */
static int enter_mount(struct copy_place *p, struct error *err)
{
	char *real = inroot_real_path(p->e->arena, p->root, p->path);
	const char *path = real ? real : p->path;
	const struct container_mount *m = covering_mount(&p->container, path);
	const char *source = m ? m->source : NULL;
	struct volume v;
	int fd;

	if (!m)
		return 0;
	if (strcmp(m->type, "volume") == 0) {
		if (volume_read(p->e->arena, &p->e->store, m->name, &v, err) < 0)
			return -1;
		source = v.mountpoint;
	}
	fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && m->subpath)
		fd = enter_part(fd, m->subpath);
	if (fd < 0)
		return errno == ENOTDIR ? 0 : error_errno(err, "open %s, which is mounted at %s", source, m->destination);
	close(p->root);
	p->root = fd;
	p->read_only = m->read_only || m->overlay;	/* what is written to an overlay vanishes: it must not reach what is below */
	p->name = strrchr(p->path, '/') + 1;
	p->path = arena_strdup(p->e->arena, path[strlen(m->destination)] ? path + strlen(m->destination) : "/");
	return 0;
}

/* --- parsing */

/* Cuts "/." and slashes from the end and remembers them. */
static void normalize(struct copy_place *p)
{
	size_t n = strlen(p->path);

	if (n >= 2 && strcmp(p->path + n - 2, "/.") == 0) {
		p->contents = p->wants_directory = true;
		n -= 1;
	}
	while (n > 1 && p->path[n - 1] == '/') {
		p->wants_directory = true;
		n--;
	}
	p->path[n] = '\0';
	if (n == 1)
		p->contents = true;
}

/* Docker's rule: a path that begins with '/' or '.' is the host's, else a colon ends the container's name. */
static const char *colon_of_container(const char *text)
{
	const char *colon = strchr(text, ':');

	return *text != '/' && *text != '.' && colon && colon != text ? colon : NULL;
}

int copy_place_parse(struct engine *e, const char *text, struct copy_place *ret, struct error *err)
{
	const char *colon = colon_of_container(text), *path = colon ? colon + 1 : text;
	struct arena *a = e->arena;

	*ret = (struct copy_place){ .e = e, .root = -1, .lock = -1 };
	if (strcmp(text, "-") == 0) {
		ret->is_stream = true;
		return 0;
	}
	if (!*text)
		return error_set(err, ERROR_USAGE, "a path is empty");
	if (colon) {
		ret->is_container = true;
		if (container_load(e, arena_strndup(a, text, (size_t)(colon - text)), &ret->container, err) < 0)
			return -1;
		/* A relative path starts at the container's root, as in Docker. */
		ret->path = arena_printf(a, "/%s", path + strspn(path, "/"));
	} else {
		ret->path = *path == '/' ? arena_strdup(a, path) : arena_printf(a, "%s/%s", e->identity.cwd, path);
	}
	normalize(ret);
	return 0;
}

int copy_place_open(struct copy_place *p, struct error *err)
{
	struct container_state s;

	if (p->is_stream)
		return 0;
	if (!p->is_container) {
		p->root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return p->root < 0 ? error_errno(err, "open /") : 0;
	}
	if (open_root(p->e, &p->container, &p->root, &p->lock, err) < 0 ||
	    container_load_state(p->e, &p->container, &s, err) < 0)
		return error_frame(err, "container %s", p->container.name);
	return state_is_live(&s) ? 0 : enter_mount(p, err);
}

void copy_place_close(struct copy_place *p)
{
	fd_close(&p->root);
	fd_close(&p->lock);
}

/* --- asking */

int copy_place_missing(const struct copy_place *p, struct error *err)
{
	if (!p->is_container)
		return error_set(err, ERROR_FAILED, "\"%s\" could not be found on the host: no such file or directory", p->path);
	return error_set(err, ERROR_FAILED, "\"%s\" could not be found on container %s: no such file or directory", p->path,
			 p->container.name);
}

int copy_place_stat(struct copy_place *p, struct stat *ret, struct error *err)
{
	if (inroot_stat(p->root, p->path, ret, true) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, "%s", p->path);
}

int copy_place_directory(struct copy_place *p, struct error *err)
{
	int fd = inroot_open(p->root, p->path, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? error_errno(err, "open %s", p->path) : fd;
}

int copy_place_parent(struct copy_place *p, const char **ret_name, struct error *err)
{
	char *real = inroot_real_path(p->e->arena, p->root, p->path);
	int path_fd = inroot_parent(p->e->arena, p->root, real ? real : p->path, false, ret_name), fd;

	if (path_fd < 0)
		return errno == ENOENT ? copy_place_missing(p, err) : error_errno(err, "%s", p->path);
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		error_errno(err, "open the directory of %s", p->path);
	close(path_fd);
	return fd;
}

const char *copy_place_name(const struct copy_place *p)
{
	const char *slash = strrchr(p->path, '/');
	char *real;

	if (p->name)
		return p->name;
	if (slash && strcmp(slash, "/..") != 0)
		return slash + 1;
	real = inroot_real_path(p->e->arena, p->root, p->path);
	slash = real ? strrchr(real, '/') : NULL;
	return slash ? slash + 1 : "";
}
