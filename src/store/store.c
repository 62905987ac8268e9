#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/driver.h"
#include "store/skeleton.h"
#include "sys/fd.h"

static const char *const directories[] = {
	"blobs/sha256", "objects", "layers", "images/names", "containers/names", "volumes", "networks", "trash", "tmp",
};

static int make_directories(struct store *s, struct error *err)
{
	if (skeleton_make(s, err) < 0)
		return -1;
	for (size_t i = 0; i < ELEMENTS(directories); i++)
		if (fd_mkdirs(s->root_fd, directories[i], 0700) < 0)
			return error_errno(err, "make %s/%s", s->path, directories[i]);
	return 0;
}

static int open_below(struct store *s, const char *name, struct error *err)
{
	int fd = openat(s->root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, "open %s/%s", s->path, name) : fd;
}

static int open_root(struct store *s, struct error *err)
{
	s->root_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 && errno == ENOENT) {
		if (fd_mkdirs(AT_FDCWD, s->path, 0700) < 0)
			return error_errno(err, "make the store %s", s->path);
		s->root_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return s->root_fd < 0 ? error_errno(err, "open the store %s", s->path) : 0;
}

/* The first stores had none. */
static int open_objects(struct store *s, struct error *err)
{
	s->objects_fd = openat(s->root_fd, "objects", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->objects_fd >= 0)
		return 0;
	if (errno != ENOENT || (mkdirat(s->root_fd, "objects", 0700) < 0 && errno != EEXIST))
		return error_errno(err, "open %s/objects", s->path);
	s->objects_fd = open_below(s, "objects", err);
	return s->objects_fd < 0 ? -1 : 0;
}

/* tmp is made last: where it is, the others are. */
static int open_directories(struct store *s, struct error *err)
{
	if (open_root(s, err) < 0)
		return -1;
	s->tmp_fd = openat(s->root_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->tmp_fd < 0) {
		if (make_directories(s, err) < 0)
			return -1;
		s->tmp_fd = open_below(s, "tmp", err);
	}
	if (s->tmp_fd < 0)
		return -1;
	s->blobs_fd = open_below(s, "blobs/sha256", err);
	return s->blobs_fd < 0 ? -1 : open_objects(s, err);
}

int store_open(struct arena *arena, const char *path, const char *driver, bool single_id, struct store *ret,
	       struct error *err)
{
	struct store s = {
		.path = arena_strdup(arena, path), .root_fd = -1, .blobs_fd = -1, .tmp_fd = -1, .objects_fd = -1,
		.run_fd = -1, .single_id = single_id,
	};

	if (open_directories(&s, err) < 0 || driver_choose(arena, &s, driver, err) < 0) {
		store_close(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	fd_close(&s->objects_fd);
	fd_close(&s->tmp_fd);
	fd_close(&s->blobs_fd);
	fd_close(&s->root_fd);
}

int store_lock(const struct store *s, enum lock_mode mode, bool wait, struct error *err)
{
	int fd = lock_open(s->root_fd, "lock", mode, wait);

	if (fd < 0 && errno == EWOULDBLOCK)
		return error_set(err, ERROR_IN_USE, "the store %s is in use by another command", s->path);
	return fd < 0 ? error_errno(err, "lock the store %s", s->path) : fd;
}
