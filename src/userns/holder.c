#include "userns/holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/string.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/spawn.h"
#include "userns/maps.h"

/* --- the child */

struct child {
	int go, status;			/* a byte comes when the maps are written; an error goes back */
	int guide;			/* pidfd of a process to follow into its namespaces instead; -1 */
	bool guide_mounts;		/* its mounts too, or a copy of our own */
	char *program;			/* bryo-init, or NULL */
	char *const *argv;
};

/* 0, 1, 2 become /dev/null; nothing of the caller's stays open, or its pipes would never end. */
static int drop_descriptors(int *status)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), high;

	if (null < 0)
		return -1;
	high = fcntl(*status, F_DUPFD_CLOEXEC, 3);
	if (high < 0)
		return -1;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -1;
	if (high != 3 && dup3(high, 3, O_CLOEXEC) < 0)
		return -1;
	*status = 3;
	if (syscall(SYS_close_range, 4U, ~0U, 0) < 0)
		for (int fd = 4; fd < 1024; fd++)
			close(fd);
	return 0;
}

/* SIGTERM ends it, as the end of a login does; the next command makes a new one. */
static void set_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, by_default = { .sa_handler = SIG_DFL };
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2 };
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGTERM, &by_default, NULL);
	for (size_t i = 0; i < ELEMENTS(ignored); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int follow(const struct child *c, struct error *err)
{
	if (setns(c->guide, CLONE_NEWUSER | (c->guide_mounts ? CLONE_NEWNS : 0)) < 0)
		return error_errno(err, "join what is left of the rootless namespace");
	if (!c->guide_mounts && unshare(CLONE_NEWNS) < 0)
		return error_errno(err, "copy the mounts");
	return 0;
}

static int settle(struct child *c, struct error *err)
{
	if (c->guide >= 0 && follow(c, err) < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(err, "take the mounts of the host into the rootless namespace");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "become root of the rootless namespace");
	if (chdir("/") < 0)
		return error_errno(err, "change to /");
	setsid();
	set_signals();
	prctl(PR_SET_NAME, "bryo-hold");
	if (drop_descriptors(&c->status) < 0)
		return error_errno(err, "close the descriptors of the holder");
	return 0;
}

static _Noreturn void child_main(struct child *c)
{
	static char *const no_environment[] = { NULL };
	struct error err = { 0 };
	char byte;

	if (fd_read_all(c->go, &byte, 1) != 1)
		_exit(1);			/* the maker gave up */
	if (settle(c, &err) < 0) {
		error_send(c->status, &err);
		_exit(1);
	}
	if (c->program)
		execve(c->program, c->argv, no_environment);
	prctl(PR_SET_DUMPABLE, 1);		/* or its own user may not join it */
	close(c->status);
	for (;;)
		pause();
}

/* --- the maker */

static int write_maps(struct arena *arena, const struct holder_plan *plan, pid_t pid, struct error *err)
{
	if (!plan->uid_helper)
		return idmap_write(pid, &plan->maps, plan->deny_setgroups, err);
	return maps_write_with_helpers(arena, plan->uid_helper, plan->gid_helper, pid, &plan->maps, err);
}

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000u	/* since 6.8: never given twice */
#endif

struct holder_root holder_own_root(void)
{
	struct statx sx = { 0 };

	if (statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID | STATX_MNT_ID_UNIQUE, &sx) < 0)
		return (struct holder_root){ 0 };
	return (struct holder_root){
		.mount = sx.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE) ? sx.stx_mnt_id : 0,
		.dev = (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor,
		.ino = sx.stx_ino,
	};
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (uint64_t)st.st_ino;
}

static uint64_t namespace_of(pid_t pid, const char *kind)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
	return inode_of(path);
}

/* Fills what the process itself tells. */
static int describe(pid_t pid, struct holder *h, struct error *err)
{
	h->pid = pid;
	h->start_time = pidfd_start_time(pid);
	h->user_ns = namespace_of(pid, "user");
	h->mount_ns = namespace_of(pid, "mnt");
	h->root = holder_own_root();
	if (!h->start_time || pidfd_boot_id(h->boot) < 0)
		return error_set(err, ERROR_FAILED, "the holder of the rootless namespace ended at once");
	return 0;
}

/* The maps, the start signal, and what the child says; the child is told by the closed pipe when it is not needed. */
static int bring_up(struct arena *arena, const struct holder_plan *plan, pid_t pid, int go, int status,
		    bool *ret_map_failed, struct error *err)
{
	struct error told = { 0 };

	if (plan && write_maps(arena, plan, pid, err) < 0) {
		*ret_map_failed = true;
		return -1;
	}
	if (fd_write_all(go, "g", 1) < 0)
		return error_errno(err, "start the holder of the rootless namespace");
	if (error_receive(status, &told) != 0) {
		if (err)
			*err = told;
		return -1;
	}
	return 0;
}

static pid_t clone_child(uint64_t flags, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* With a plan: in new namespaces. Without: child->guide leads into old ones. */
static int start(struct arena *arena, const struct identity *id, const struct holder_plan *plan, struct child child,
		 struct holder *h, bool *ret_map_failed, struct error *err)
{
	/* ps then says whose it is */
	char *const argv[] = { arena_printf(arena, "bryo-hold:%s", id->runtime_dir), (char *)"--hold", NULL };
	_cleanup_fd_ int pidfd = -1, go = -1, status = -1;
	int go_pipe[2], status_pipe[2], result;
	pid_t pid;

	if (fd_pipe(go_pipe) < 0)
		return error_errno(err, "make a pipe");
	go = go_pipe[1];
	if (fd_pipe(status_pipe) < 0) {
		close(go_pipe[0]);
		return error_errno(err, "make a pipe");
	}
	status = status_pipe[0];
	child.go = go_pipe[0];
	child.status = status_pipe[1];
	child.program = spawn_own_program(arena, "bryo-init", NULL);
	child.argv = argv;
	pid = clone_child(plan ? CLONE_NEWUSER | CLONE_NEWNS : 0, &pidfd);
	if (pid == 0) {
		close(go);
		child_main(&child);
	}
	result = pid < 0 ? error_errno(err, "make a user namespace") : 0;
	close(go_pipe[0]);
	close(status_pipe[1]);
	if (pid < 0)
		return -1;
	result = bring_up(arena, plan, pid, go, status, ret_map_failed, err);
	if (result == 0)
		result = describe(pid, h, err);
	if (result < 0) {
		pidfd_signal(pidfd, SIGKILL);
		pidfd_reap(pidfd);
	}
	return result;
}

int holder_start(struct arena *arena, const struct identity *id, const struct holder_plan *plan, struct holder *ret,
		 bool *ret_map_failed, struct error *err)
{
	struct holder h = { .maps = plan->maps, .single_why = plan->single_why, .stamp = arena_strdup(arena, "") };

	*ret_map_failed = false;
	if (start(arena, id, plan, (struct child){ .guide = -1 }, &h, ret_map_failed, err) < 0)
		return -1;
	*ret = h;
	return 0;
}

/* --- a new holder for old namespaces */

/* A process that lives in the holder's namespaces; best one that has its mounts too. */
static int find_guide(const struct holder *h, bool *ret_mounts)
{
	_cleanup_dir_ DIR *dir = fd_opendir(AT_FDCWD, "/proc");
	struct dirent *entry;
	int guide = -1;
	unsigned pid;

	*ret_mounts = false;
	while (dir && !*ret_mounts && (entry = readdir(dir))) {
		int pidfd;

		if (str_to_u32(entry->d_name, &pid) < 0 || namespace_of((pid_t)pid, "user") != h->user_ns)
			continue;
		pidfd = pidfd_open_pid((pid_t)pid);
		if (pidfd < 0 || namespace_of((pid_t)pid, "user") != h->user_ns) {
			fd_close(&pidfd);
			continue;
		}
		*ret_mounts = namespace_of((pid_t)pid, "mnt") == h->mount_ns;
		if (guide < 0 || *ret_mounts) {
			fd_close(&guide);
			guide = fd_take(&pidfd);
		}
		fd_close(&pidfd);
	}
	return guide;
}

int holder_revive(struct arena *arena, const struct identity *id, struct holder *h)
{
	struct child child = { .guide = -1 };
	struct holder revived = *h;
	char boot[37];
	bool ignored;
	int result;

	if (!h->user_ns || pidfd_boot_id(boot) < 0 || strcmp(boot, h->boot) != 0)
		return -1;
	child.guide = find_guide(h, &child.guide_mounts);
	if (child.guide < 0)
		return -1;
	result = start(arena, id, NULL, child, &revived, &ignored, NULL);
	close(child.guide);
	if (result == 0)
		*h = revived;
	return result;
}
