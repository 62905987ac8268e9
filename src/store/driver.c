#include "store/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "store/driver_objects.h"
#include "store/fuse_overlayfs.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define RECORD_MAX ((size_t)16 << 10)

static const char *const names[] = {
	[DRIVER_OBJECTS] = "objects", [DRIVER_OVERLAY] = "overlay", [DRIVER_FUSE_OVERLAYFS] = "fuse-overlayfs",
	[DRIVER_VFS] = "vfs",
};

/* The file `driver`. */
struct driver_record {
	char *kernel, *driver, *why, *program;
	int64_t trials;			/* TRIALS of who wrote it: a program that knows more drivers tries again */
};
#define TRIALS 2

JSON_SHAPE(driver_record,
	JSON_FIELD(driver_record, kernel, "kernel", T_STRING, .required = true),
	JSON_FIELD(driver_record, driver, "driver", T_STRING, .required = true),
	JSON_FIELD(driver_record, why, "why", T_STRING),
	JSON_FIELD(driver_record, program, "fuseOverlayfs", T_STRING),
	JSON_FIELD(driver_record, trials, "trials", T_INT));

const char *store_driver_name(enum store_driver driver)
{
	return names[driver];
}

int driver_parse(const char *name, enum store_driver *ret, struct error *err)
{
	for (size_t i = 0; i < ELEMENTS(names); i++)
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum store_driver)i;
			return 0;
		}
	error_set(err, ERROR_USAGE, "unknown storage driver \"%s\"", name);
	return error_hint(err, "the drivers are objects, overlay, fuse-overlayfs and vfs");
}

/* --- the trial: a small overlay of two layers, through which a file and a directory are removed and made again */

struct trial {
	struct arena *arena;
	const struct store *store;
	enum store_driver driver;
	const char *program;		/* fuse-overlayfs; NULL: the kernel's */
	const char *path;		/* absolute path of the stage */
	int fd;				/* the stage */
	struct rootfs rootfs;
};

static int make_file(int dirfd, const char *name, struct error *err)
{
	_cleanup_fd_ int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 || fd_write_all(fd, "x", 1) < 0 ? error_errno(err, "make %s", name) : 0;
}

static int make_trial_tree(struct trial *t, struct error *err)
{
	static const char *const made[] = { "l1/dir", "l2", "upper", "work", "merged" };

	for (size_t i = 0; i < ELEMENTS(made); i++)
		if (fd_mkdirs(t->fd, made[i], 0755) < 0)
			return error_errno(err, "make %s/%s", t->path, made[i]);
	if (make_file(t->fd, "l1/file", err) < 0 || make_file(t->fd, "l1/dir/inner", err) < 0 ||
	    make_file(t->fd, "l2/other", err) < 0)
		return -1;
	strings_addf(t->arena, &t->rootfs.lower, "%s/l2", t->path);
	strings_addf(t->arena, &t->rootfs.lower, "%s/l1", t->path);
	t->rootfs.kind = ROOTFS_OVERLAY;
	t->rootfs.upper = arena_printf(t->arena, "%s/upper", t->path);
	t->rootfs.work = arena_printf(t->arena, "%s/work", t->path);
	return 0;
}

static int use_mount(int root, struct error *err)
{
	struct stat st;

	if (unlinkat(root, "file", 0) < 0)
		return error_errno(err, "remove a file of a layer (whiteout)");
	if (unlinkat(root, "dir/inner", 0) < 0 || unlinkat(root, "dir", AT_REMOVEDIR) < 0)
		return error_errno(err, "remove a directory of a layer (whiteout)");
	if (mkdirat(root, "dir", 0755) < 0)
		return error_errno(err, "make a directory again (opaque attribute)");
	if (fstatat(root, "dir/inner", &st, 0) == 0 || fstatat(root, "file", &st, 0) == 0)
		return error_set(err, ERROR_FAILED, "removed files of a layer come back");
	if (fstatat(root, "other", &st, 0) < 0)
		return error_errno(err, "a file of a layer is missing");
	return 0;
}

int driver_mount_overlay(const struct rootfs *rootfs, const char **ret_step)
{
	int fd = mount_overlay(rootfs, ret_step);

	if (fd >= 0 || errno != EINVAL || strcmp(*ret_step, "lowerdir+") != 0)
		return fd;
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	return mount_overlay_by_string(rootfs, ret_step);
}

static int try_overlay(struct trial *t, struct error *err)
{
	const char *step = "mount";
	_cleanup_fd_ int root = driver_mount_overlay(&t->rootfs, &step);

	if (root < 0)
		return error_errno(err, "%s", step);
	return use_mount(root, err);
}

static int try_fuse(struct trial *t, struct error *err)
{
	char *target = arena_printf(t->arena, "%s/merged", t->path);
	_cleanup_fd_ int root = -1;
	pid_t pid;
	int result;

	if (fuse_overlayfs_mount(t->arena, t->program, &t->rootfs, target, true, &pid, err) < 0)
		return -1;
	root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = root < 0 ? error_errno(err, "open %s", target) : use_mount(root, err);
	fd_close(&root);
	umount2(target, MNT_DETACH);
	kill(pid, SIGTERM);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

static int try_in_namespace(struct trial *t, struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "a mount namespace for the trial");
	switch (t->driver) {
	case DRIVER_OBJECTS:		return driver_try_objects(t->arena, t->store, t->path, err);
	case DRIVER_FUSE_OVERLAYFS:	return try_fuse(t, err);
	default:			return try_overlay(t, err);
	}
}

/* In a child with a mount namespace of its own, which takes all mounts along when it ends. */
static int try_in_child(struct trial *t, struct error *err)
{
	struct error why = { 0 };
	int ends[2], got;
	pid_t pid;

	if (fd_pipe(ends) < 0)
		return error_errno(err, "pipe");
	pid = fork();
	if (pid == 0) {
		if (try_in_namespace(t, &why) < 0)
			error_send(ends[1], &why);
		_exit(0);
	}
	close(ends[1]);
	got = pid < 0 ? error_errno(err, "fork") : error_receive(ends[0], err);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return got == 0 ? 0 : -1;
}

static int with_trial(struct arena *arena, struct store *s, enum store_driver driver, struct error *err)
{
	struct trial t = { .arena = arena, .store = s, .driver = driver, .program = s->fuse_overlayfs, .fd = -1 };
	char *stage;
	int lock = store_stage(arena, s, &stage, err), result;

	if (lock < 0)
		return -1;
	t.path = arena_printf(arena, "%s/tmp/%s", s->path, stage);
	t.fd = fd_open_dir(s->tmp_fd, stage);
	result = t.fd < 0 ? error_errno(err, "open %s", t.path) :
		 driver == DRIVER_OBJECTS ? 0 : make_trial_tree(&t, err);
	if (result == 0)
		result = try_in_child(&t, err);
	fd_close(&t.fd);
	store_stage_done(s, stage, &lock);
	return result;
}

static int need_fuse_device(struct error *err)
{
	_cleanup_fd_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	return fd < 0 ? error_errno(err, "open /dev/fuse") : 0;
}

/* --- choosing */

static int check(struct arena *arena, struct store *s, enum store_driver driver, struct error *err)
{
	switch (driver) {
	case DRIVER_OBJECTS:
		if (with_trial(arena, s, driver, err) < 0)
			return error_frame(err, "the object store does not work on %s", s->path);
		s->driver_why = arena_strdup(arena, "overlay over trees in memory and objects works here");
		return 0;
	case DRIVER_OVERLAY:
		if (with_trial(arena, s, driver, err) < 0)
			return error_frame(err, "native overlay does not work on %s", s->path);
		s->driver_why = arena_strdup(arena, "native overlay with userxattr works here");
		return 0;
	case DRIVER_FUSE_OVERLAYFS:
		s->fuse_overlayfs = fuse_overlayfs_find(arena, err);
		if (!s->fuse_overlayfs)
			return -1;
		if (need_fuse_device(err) < 0 || with_trial(arena, s, driver, err) < 0)
			return error_frame(err, "fuse-overlayfs does not work on %s", s->path);
		s->driver_why = arena_printf(arena, "%s works here", s->fuse_overlayfs);
		return 0;
	case DRIVER_VFS:
		s->driver_why = arena_strdup(arena, "plain copies work everywhere");
		return 0;
	}
	return error_set(err, ERROR_FAILED, "no such driver");
}

/* The reasons why the better drivers were passed over stay visible in driver_why. */
static int probe(struct arena *arena, struct store *s, struct error *err)
{
	const char *passed = "";

	for (enum store_driver driver = DRIVER_OBJECTS; driver <= DRIVER_VFS; driver++) {
		struct error why = { 0 };

		if (check(arena, s, driver, &why) == 0) {
			s->driver = driver;
			if (*passed)
				s->driver_why = arena_printf(arena, "%s (%s)", s->driver_why, passed);
			return 0;
		}
		/* The answer is kept for long. */
		if (error_passes(why.sys) || error_is(&why, ERROR_NO_SPACE)) {
			*err = why;
			return -1;
		}
		passed = arena_printf(arena, "%s%s%s", passed, *passed ? "; " : "", why.text);
	}
	return error_set(err, ERROR_FAILED, "no storage driver works: %s", passed);
}

static bool read_record(struct arena *arena, struct store *s, const char *kernel)
{
	struct driver_record r = { 0 };
	size_t n;
	char *text = fd_read_file(arena, s->root_fd, "driver", RECORD_MAX, &n);

	if (!text || json_decode(arena, &driver_record_shape, &r, text, n, "driver", NULL) < 0)
		return false;
	if (strcmp(r.kernel, kernel) != 0 || r.trials != TRIALS || driver_parse(r.driver, &s->driver, NULL) < 0)
		return false;
	if (s->driver == DRIVER_FUSE_OVERLAYFS && (!r.program || access(r.program, X_OK) < 0))
		return false;
	s->driver_why = r.why;
	s->fuse_overlayfs = r.program;
	return true;
}

/* Best effort: without the record the next command tries again. */
static void write_record(struct arena *arena, struct store *s, const char *kernel)
{
	struct driver_record r = {
		.kernel = (char *)kernel, .driver = (char *)names[s->driver], .why = s->driver_why,
		.program = s->fuse_overlayfs, .trials = TRIALS,
	};
	const char *text = json_print(arena, json_encode(arena, &driver_record_shape, &r), 0);

	store_write(s, "driver", text, strlen(text), false, NULL);
}

static int force(struct arena *arena, struct store *s, const char *wanted, bool known, struct error *err)
{
	enum store_driver driver;

	if (driver_parse(wanted, &driver, err) < 0)
		return -1;
	if (!known || s->driver != driver) {
		s->driver = driver;
		if (check(arena, s, driver, err) < 0)
			return -1;
	}
	s->driver_why = arena_printf(arena, "asked for by --storage-driver; %s", s->driver_why ? s->driver_why : "");
	return 0;
}

int driver_choose(struct arena *arena, struct store *s, const char *wanted, struct error *err)
{
	struct utsname host;
	bool known;

	if (uname(&host) < 0)
		return error_errno(err, "uname");
	known = read_record(arena, s, host.release);
	if (!str_is_empty(wanted))
		return force(arena, s, wanted, known, err);
	if (known)
		return 0;
	if (probe(arena, s, err) < 0)
		return -1;
	write_record(arena, s, host.release);
	return 0;
}
