#include "oci/restore_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

static void close_all(struct restore_root *r)
{
	fd_close(&r->ns);
	fd_close(&r->root);
	fd_close(&r->here);
}

/* A namespace has its own idea of root and working directory, so these are found again by descriptor. */
int restore_root_leave(struct restore_root *r, struct error *err)
{
	int result = 0;

	if (r->ns >= 0 && (setns(r->ns, CLONE_NEWNS) < 0 || fchdir(r->root) < 0 || chroot(".") < 0 || fchdir(r->here) < 0))
		result = error_errno(err, "leave the mount namespace of the restore");
	close_all(r);
	return result;
}

int restore_root_enter(struct restore_root *r, const char *rootfs, struct error *err)
{
	*r = (struct restore_root){ .ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
				    .root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
				    .here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	if (r->ns < 0 || r->root < 0 || r->here < 0 || unshare(CLONE_NEWNS) < 0) {
		error_errno(err, "make a mount namespace for the restore");
		close_all(r);
		return -1;
	}
	/* What the host mounts goes on to arrive there, and nothing from there arrives on the host. */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) == 0 && mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) == 0)
		return 0;
	error_errno(err, "bind %s", rootfs);
	restore_root_leave(r, NULL);
	return -1;
}

/* --- the images */

void restore_access_open(struct restore_access *a, int images_fd, unsigned root_gid)
{
	struct stat st;

	*a = (struct restore_access){ .fd = -1 };
	if (fstat(images_fd, &st) < 0 || (st.st_mode & S_IXOTH) || (st.st_gid == root_gid && (st.st_mode & S_IXGRP)))
		return;
	*a = (struct restore_access){ .fd = images_fd, .gid = st.st_gid, .mode = st.st_mode & 07777 };
	/* Without the right to change it criu may fail, and says so. */
	if (fchown(images_fd, (uid_t)-1, root_gid) < 0 || fchmod(images_fd, a->mode | S_IXGRP) < 0)
		return;
}

void restore_access_close(struct restore_access *a)
{
	if (a->fd >= 0 && fchown(a->fd, (uid_t)-1, a->gid) == 0 && fchmod(a->fd, a->mode) == 0)
		a->fd = -1;
}
