/* Collecting what killed commands left: the part of store/store.h that removes */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/container.h"
#include "store/container_name.h"
#include "store/image_tree_budget.h"
#include "store/stage.h"
#include "sys/fd.h"

/* Answers whether a stage was abandoned: then layers or blobs may lie about that nothing names. */
static bool collect_entry(struct store *s, const char *entry)
{
	char name[256], lock_name[280];
	bool stage;
	int lock;

	if (stage_is_live(s, entry))
		return false;
	if (str_starts(entry, "link.")) {
		unlinkat(s->tmp_fd, entry, 0);
		return false;
	}
	snprintf(name, sizeof(name), "%s", entry);
	if (str_ends(name, ".lock"))
		name[strlen(name) - strlen(".lock")] = '\0';
	stage = !str_starts(name, "record.");
	snprintf(lock_name, sizeof(lock_name), "%s%s", name, stage ? ".lock" : "");
	lock = lock_open(s->tmp_fd, lock_name, LOCK_EXCLUSIVE, false);
	if (lock < 0)
		return false;
	/* A container that was never finished may have its name already. */
	if (stage && container_store_is_id(name) && container_name_release_all(s, name) < 0) {
		close(lock);
		return false;
	}
	fd_remove_tree(s->tmp_fd, name);
	unlinkat(s->tmp_fd, lock_name, 0);
	close(lock);
	return stage;
}

static bool collect_tmp(struct store *s)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->tmp_fd, ".");
	struct dirent *entry;
	bool abandoned = false;

	while (dir && (entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && collect_entry(s, entry->d_name))
			abandoned = true;
	return abandoned;
}

void store_bury(struct store *s, const char *entry)
{
	_cleanup_fd_ int trash = fd_open_dir(s->root_fd, "trash"), dir = trash < 0 ? -1 : fd_open_dir(trash, entry);
	int number = errno;
	bool volumes;
	char id[65];

	if (trash < 0)
		return;
	if (container_store_is_removed(entry, id, &volumes)) {
		/* Without its directory nobody would know what else belongs to it. */
		if ((dir < 0 && error_passes(number)) || container_name_release_all(s, id) < 0)
			return;
		if (s->burial.bury && dir >= 0 && s->burial.bury(s->burial.context, s, dir, id, volumes) < 0)
			return;
	}
	fd_remove_tree(trash, entry);
}

static bool collect_trash(struct store *s)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "trash");
	struct dirent *entry;
	bool sweep = false;

	while (dir && (entry = readdir(dir))) {
		if (stage_is_dot(entry->d_name))
			continue;
		if (strcmp(entry->d_name, strrchr(STAGE_SWEEP_OBJECTS, '/') + 1) == 0)
			continue;
		sweep |= strcmp(entry->d_name, "sweep") == 0;
		store_bury(s, entry->d_name);
	}
	return sweep;
}

int store_collect(struct store *s)
{
	_cleanup_arena_ struct arena *arena = NULL;
	_cleanup_fd_ int lock = lock_open(s->root_fd, "collect.lock", LOCK_EXCLUSIVE, false);
	bool abandoned, sweep;

	if (lock < 0)
		return errno == EWOULDBLOCK ? 0 : -1;
	abandoned = collect_tmp(s);
	if (abandoned)
		stage_request_object_sweep(s);
	sweep = collect_trash(s) || abandoned;
	arena = arena_new();
	if (sweep && store_sweep(arena, s, NULL, NULL) < 0)
		return -1;
	/* What was swept goes now; a sweep that was put off meanwhile stays asked for. */
	if (sweep && collect_trash(s))
		stage_request_sweep(s);
	image_tree_trim(arena, s);
	/* Layers that were removed, or never had a name, leave objects that nobody names. */
	return faccessat(s->root_fd, STAGE_SWEEP_OBJECTS, F_OK, AT_SYMLINK_NOFOLLOW) < 0 ? 0 :
	       store_sweep_objects(arena, s, NULL);
}

/* Moves the store's descriptors to 3 and up and closes everything else: the collector outlives its caller and must hold
 * neither his terminal nor a pipe that somebody reads to its end. */
static void detach(struct store *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int root = fcntl(s->root_fd, F_DUPFD_CLOEXEC, 16), tmp = fcntl(s->tmp_fd, F_DUPFD_CLOEXEC, 16),
	    objects = fcntl(s->objects_fd, F_DUPFD_CLOEXEC, 16),
	    run = s->run_fd < 0 ? -1 : fcntl(s->run_fd, F_DUPFD_CLOEXEC, 16);

	setsid();
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	s->root_fd = dup3(root, 3, O_CLOEXEC);
	s->tmp_fd = dup3(tmp, 4, O_CLOEXEC);
	s->blobs_fd = openat(s->root_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->blobs_fd != 5) {
		dup3(s->blobs_fd, 5, O_CLOEXEC);
		s->blobs_fd = 5;
	}
	s->objects_fd = dup3(objects, 6, O_CLOEXEC);
	if (run >= 0)
		s->run_fd = dup3(run, 7, O_CLOEXEC);
	syscall(SYS_close_range, run >= 0 ? 8 : 7, ~0U, 0);
	if (setpriority(PRIO_PROCESS, 0, 10) < 0 || chdir("/") < 0)
		return;
}

void store_collect_in_background(struct store *s)
{
	pid_t pid;

	if (lock_is_held(s->root_fd, "collect.lock"))
		return;
	pid = fork();
	if (pid == 0) {
		/* Once more, so that nobody has to reap the collector. */
		if (fork() == 0) {
			detach(s);
			store_collect(s);
		}
		_exit(0);
	}
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}

void store_collect_leftovers(struct store *s)
{
	if (stage_has_leftovers(s))
		store_collect_in_background(s);
}
