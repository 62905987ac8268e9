/* The storage drivers for real, inside a user namespace that maps the caller's id to 0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "store/container.h"
#include "store/driver.h"
#include "store/layer.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

static bool inside;	/* the namespace could be made */

static void write_text(const char *path, const char *text)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		print_message("write %s: %s\n", path, strerror(errno));
}

static void enter_namespace(void)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
	snprintf(gids, sizeof(gids), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return;
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", uids);
	write_text("/proc/self/gid_map", gids);
	inside = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static int setup(void **state)
{
	return fixture_setup(state);
}

static void need_namespace(void)
{
	if (inside)
		return;
	print_message("SKIP: no user namespace can be made here\n");
	skip();
}

static char *id(void)
{
	return fixture_digest('c') + strlen("sha256:");
}

/* Through the mounted root: what the layers have, a removal, a new file, a layer's directory replaced. */
static void use(int root)
{
	char byte = 0;
	int fd = openat(root, "1", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, '1');
	close(fd);
	assert_int_equal(unlinkat(root, "2", 0), 0);
	assert_int_equal(faccessat(root, "2", F_OK, 0), -1);
	assert_int_equal(fd_write_file(root, "new", "x", 1, 0644, false), 0);
}

static void make_container(void)
{
	struct image image = fixture_image('a', "12", "localhost/a:1");
	int fd = container_store_create(arena, &store, id(), "c", "{}", &image.layers, NULL, false, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	close(fd);
}

static void open_with(const char *driver)
{
	struct store again;

	assert_ok(store_open(arena, store.path, driver, true, &again, &err));
	store_close(&store);
	store = again;
}

static void in_child(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	/* mounts and helpers of the test end with the child */
	if (pid == 0) {
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void mount_and_use(void)
{
	int root = container_store_mount(arena, &store, id(), &err);

	if (root < 0)
		fail_msg("%s", err.text);
	use(root);
}

static void mount_and_look(void)
{
	int root = container_store_mount(arena, &store, id(), &err);

	if (root < 0)
		fail_msg("%s", err.text);
	assert_int_equal(faccessat(root, "2", F_OK, 0), -1);
	assert_int_equal(faccessat(root, "new", F_OK, 0), 0);
}

static void probing_is_done_once(void **state)
{
	struct store again;
	struct stat first, second;

	(void)state;
	need_namespace();
	assert_ok(store_open(arena, store.path, NULL, true, &again, &err));
	print_message("driver %s: %s\n", store_driver_name(again.driver), again.driver_why);
	store_close(&again);
	assert_int_equal(fstatat(store.root_fd, "driver", &first, 0), 0);
	assert_ok(store_open(arena, store.path, NULL, true, &again, &err));
	store_close(&again);
	assert_int_equal(fstatat(store.root_fd, "driver", &second, 0), 0);
	assert_int_equal(first.st_ino, second.st_ino);
	assert_int_equal(fixture_count("tmp"), 0);
	assert_int_equal(fd_write_file(store.root_fd, "driver", "{", 1, 0600, false), 0);
	assert_ok(store_open(arena, store.path, NULL, true, &again, &err));
	store_close(&again);
}

static void overlay_works(void **state)
{
	struct store again;

	(void)state;
	need_namespace();
	if (store_open(arena, store.path, "overlay", true, &again, &err) < 0) {
		print_message("SKIP: %s\n", err.text);
		skip();
	}
	store_close(&store);
	store = again;
	make_container();
	in_child(mount_and_use);
	in_child(mount_and_look);
}

static void vfs_works(void **state)
{
	(void)state;
	need_namespace();
	open_with("vfs");
	make_container();
	in_child(mount_and_use);
	in_child(mount_and_look);
}

static void fuse_overlayfs_works(void **state)
{
	struct store again;
	struct rootfs rootfs;
	int helper, root, pidfd;

	(void)state;
	need_namespace();
	if (store_open(arena, store.path, "fuse-overlayfs", true, &again, &err) < 0) {
		print_message("SKIP: %s\n", err.text);
		skip();
	}
	store_close(&store);
	store = again;
	make_container();
	in_child(mount_and_use);
	in_child(mount_and_look);
	assert_ok(container_store_rootfs(arena, &store, id(), NULL, false, &rootfs, &helper, &err));
	assert_int_equal(rootfs.kind, ROOTFS_DIRECTORY);
	assert_true(helper > 0);
	root = open(rootfs.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(faccessat(root, "new", F_OK, 0), 0);
	close(root);
	pidfd = pidfd_open_pid(helper);
	assert_int_equal(container_store_unmount(&store, id()), 0);
	assert_int_equal(pidfd_wait_exit(pidfd, 2000), 1);
	close(pidfd);
	/* Again, and removed while it is mounted. */
	assert_ok(container_store_rootfs(arena, &store, id(), NULL, false, &rootfs, &helper, &err));
	pidfd = pidfd_open_pid(helper);
	assert_ok(container_store_remove(&store, id(), true, &err));
	assert_int_equal(pidfd_wait_exit(pidfd, 2000), 1);
	close(pidfd);
	assert_int_equal(fixture_count("trash"), 0);
}

static void a_driver_that_cannot_work_says_why(void **state)
{
	struct store again;
	char *old = strdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	if (access("/usr/bin/fuse-overlayfs", X_OK) < 0) {
		assert_fails(ERROR_UNSUPPORTED, store_open(arena, store.path, "fuse-overlayfs", true, &again, &err));
		assert_true(err.hint[0]);
	}
	setenv("PATH", old, 1);
	free(old);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(probing_is_done_once),
		TEST(overlay_works),
		TEST(vfs_works),
		TEST(fuse_overlayfs_works),
		TEST(a_driver_that_cannot_work_says_why),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
