/* Trees of images in memory, and containers on them, inside a user namespace that maps the caller's id to 0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "spec/layer_index.h"
#include "store/container.h"
#include "store/image_tree.h"
#include "store/layer.h"
#include "sys/fd.h"

#define LIMIT ((size_t)64 << 20)

static bool inside;	/* the namespace could be made, and the driver works */

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
	struct store again;

	if (fixture_setup(state) < 0)
		return -1;
	if (!inside)
		return 0;
	if (store_open(arena, store.path, "objects", true, &again, &err) < 0) {
		print_message("%s\n", err.text);
		inside = false;
		return 0;
	}
	store_close(&store);
	store = again;
	if (fd_mkdirs(store.root_fd, "run", 0700) < 0)
		return -1;
	store.run_fd = fd_open_dir(store.root_fd, "run");
	return store.run_fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	for (char digit = '1'; digit <= '8'; digit++)
		image_tree_drop(&store, fixture_digest(digit));
	fd_close(&store.run_fd);
	return fixture_teardown(state);
}

static void need_driver(void)
{
	if (inside)
		return;
	print_message("SKIP: the object store does not work here\n");
	skip();
}

/* --- layers: entries, and contents whose digest is their first byte over and over */

static struct layer_index_writer writer;

static void begin(void)
{
	layer_index_begin(&writer, LIMIT);
}

static void add(struct layer_entry e)
{
	if (e.type == LAYER_DIRECTORY && !e.mode)
		e.mode = 0755;
	if (e.type == LAYER_FILE && !e.mode)
		e.mode = 0644;
	e.mtime.tv_sec = 1000000000;
	assert_ok(layer_index_add(&writer, &e, &err));
}

static void add_file(const char *path, const char *contents)
{
	struct layer_entry e = { .type = LAYER_FILE, .path = path, .size = (int64_t)strlen(contents) };
	char name[OBJECT_NAME_SIZE], directory[] = "c";

	memset(e.digest, *contents, sizeof(e.digest));
	object_name(e.digest, name);
	directory[0] = name[0];
	assert_int_equal(fd_mkdirs(store.objects_fd, directory, 0755), 0);
	assert_int_equal(fd_write_file(store.objects_fd, name, contents, strlen(contents), 0444, false), 0);
	add(e);
}

static void commit(char digit)
{
	struct layer layer = { .chain_id = fixture_digest(digit), .size = 1 };
	char *stage;
	int lock = store_stage(arena, &store, &stage, &err);

	assert_true(lock >= 0);
	assert_ok(layer_index_end(&writer, &err));
	assert_int_equal(fd_write_file(store.tmp_fd, arena_printf(arena, "%s/index", stage), writer.out.data, writer.out.size,
				       0600, false), 0);
	layer_index_writer_done(&writer);
	assert_ok(layer_commit(arena, &store, stage, &layer, &err));
	store_stage_done(&store, stage, &lock);
}

static struct strings layers(const char *digits)
{
	struct strings list = { 0 };

	for (; *digits; digits++)
		strings_add(arena, &list, fixture_digest(*digits));
	return list;
}

static void three_layers(void)
{
	static const struct layer_xattr note = { "user.note", "kept", 4 };

	begin();
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "", .mode = 0750 });
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "dir", .mode = 02770, .xattrs = &note, .xattrs_n = 1 });
	add((struct layer_entry){ .type = LAYER_FILE, .path = "dir/empty", .mode = 04755 });
	add_file("dir/hidden", "hidden\n");
	add_file("dir/seen", "seen\n");
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "opaque" });
	add_file("opaque/below", "below\n");
	add((struct layer_entry){ .type = LAYER_FIFO, .path = "pipe", .mode = 0600 });
	commit('1');
	begin();
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "dir", .implied = true });
	add((struct layer_entry){ .type = LAYER_WHITEOUT, .path = "dir/hidden" });
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "opaque", .opaque = true });
	add_file("opaque/above", "above\n");
	commit('2');
	begin();
	add((struct layer_entry){ .type = LAYER_SYMLINK, .path = "etc", .target = "/nowhere" });
	add((struct layer_entry){ .type = LAYER_FILE, .path = "first", .mode = 0600, .linked = true });
	add((struct layer_entry){ .type = LAYER_HARDLINK, .path = "second", .target = "first" });
	commit('3');
}

/* --- questions */

static int open_tree_of(const char *digits)
{
	struct strings list = layers(digits);
	int fd = image_tree_open(&store, &list, NULL, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	return fd;
}

static struct stat stat_in(int root, const char *path)
{
	struct stat st = { 0 };

	if (fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

static void assert_absent(int root, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(errno, ENOENT);
}

static void a_tree_is_what_the_image_shows(void **state)
{
	char text[64] = "";
	int root, fd;

	(void)state;
	need_driver();
	three_layers();
	root = open_tree_of("123");
	assert_int_equal(stat_in(root, ".").st_mode, S_IFDIR | 0750);
	assert_int_equal(stat_in(root, "dir").st_mode, S_IFDIR | 02770);
	assert_int_equal(stat_in(root, "dir").st_mtime, 1000000000);
	assert_int_equal(stat_in(root, "dir/empty").st_mode, S_IFREG | 04755);
	assert_int_equal(stat_in(root, "dir/seen").st_size, 5);
	assert_int_equal(stat_in(root, "dir/seen").st_mtime, 1000000000);
	assert_absent(root, "dir/hidden");
	assert_absent(root, "opaque/below");
	assert_int_equal(stat_in(root, "opaque/above").st_size, 6);
	assert_true(S_ISFIFO(stat_in(root, "pipe").st_mode));
	assert_int_equal(stat_in(root, "first").st_ino, stat_in(root, "second").st_ino);
	fd = openat(root, "dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fgetxattr(fd, "user.note", text, sizeof(text)), 4);
	assert_string_equal(text, "kept");
	close(fd);
	/* Mount points of its own: not through the image's link. */
	assert_true(S_ISLNK(stat_in(root, "etc").st_mode));
	assert_true(S_ISDIR(stat_in(root, "proc").st_mode));
	assert_true(S_ISREG(stat_in(root, "run/.containerenv").st_mode));
	close(root);
}

static void a_container_reads_and_writes(void)
{
	struct strings list = layers("123");
	char *id = fixture_digest('c') + strlen("sha256:");
	int root, fd = container_store_create(arena, &store, id, "c", "{}", &list, NULL, false, &err);
	struct stat before, after;
	char text[16] = "";

	if (fd < 0)
		fail_msg("%s", err.text);
	close(fd);
	root = container_store_mount(arena, &store, id, &err);
	if (root < 0)
		fail_msg("%s", err.text);
	assert_int_equal(stat_in(root, ".").st_mode, S_IFDIR | 0750);
	fd = openat(root, "dir/seen", O_RDWR | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "seen\n");
	close(fd);
	before = stat_in(root, "dir/seen");
	fd = openat(root, "dir/seen", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "more\n", 5), 5);
	close(fd);
	after = stat_in(root, "dir/seen");
	assert_int_equal(after.st_size, 10);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_dev, before.st_dev);
	assert_int_equal(stat_in(root, "dir").st_dev, before.st_dev);
	close(root);
}

static void in_child(void (*test)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void containers_stand_on_trees(void **state)
{
	(void)state;
	need_driver();
	three_layers();
	in_child(a_container_reads_and_writes);
}

/* Two who need it at once wait for one maker; the mount is there once. */
static void one_tree_for_all(void **state)
{
	struct mount_table table;
	size_t found = 0;
	pid_t pids[4];

	(void)state;
	need_driver();
	three_layers();
	for (size_t i = 0; i < ELEMENTS(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct strings list = layers("123");

			_exit(image_tree_open(&store, &list, NULL, &err) < 0);
		}
	}
	for (size_t i = 0; i < ELEMENTS(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_ok(mount_read_table(arena, "/proc/self/mountinfo", &table, &err));
	for (size_t i = 0; i < table.n; i++)
		found += strstr(table.v[i].point, "/run/trees/") && strstr(table.v[i].point, store.path);
	assert_int_equal(found, 1);
}

/* What stands on a dropped tree keeps it. */
static void a_dropped_tree_is_made_again(void **state)
{
	int root, again;

	(void)state;
	need_driver();
	three_layers();
	root = open_tree_of("123");
	image_tree_drop(&store, fixture_digest('3'));
	assert_int_equal(stat_in(root, "dir/seen").st_size, 5);
	again = open_tree_of("123");
	assert_int_equal(stat_in(again, "dir/seen").st_size, 5);
	assert_int_not_equal(stat_in(again, ".").st_dev, stat_in(root, ".").st_dev);
	close(again);
	close(root);
}

static struct statx mount_of(int fd)
{
	struct statx sx = { 0 };

	assert_int_equal(statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx), 0);
	return sx;
}

/* An id-mapped mount is made once, and goes with its tree; one that a killed maker left unmounted is made. */
static void a_view_is_kept(void **state)
{
	char *views = arena_printf(arena, "trees/%s/views", fixture_digest('3') + strlen("sha256:")), *place;
	struct id_extent one = { 0, 0, 1 };
	struct id_maps maps = { { &one, 1 }, { &one, 1 } };
	struct strings list;
	int first, second;

	(void)state;
	need_driver();
	three_layers();
	list = layers("123");
	first = image_tree_open(&store, &list, &maps, &err);
	assert_true(first >= 0);
	second = image_tree_open(&store, &list, &maps, &err);
	assert_true(second >= 0);
	assert_true(mount_of(first).stx_attributes & STATX_ATTR_MOUNT_ROOT);
	assert_int_equal(mount_of(first).stx_mnt_id, mount_of(second).stx_mnt_id);
	assert_int_equal(stat_in(first, "dir/seen").st_size, 5);
	close(second);

	image_tree_drop(&store, fixture_digest('3'));
	assert_int_equal(faccessat(store.run_fd, views, F_OK, 0), -1);
	close(open_tree_of("123"));
	place = arena_printf(arena, "%s/%s/tree", views, idmap_name(arena, &maps));
	assert_int_equal(fd_mkdirs(store.run_fd, place, 0700), 0);
	second = image_tree_open(&store, &list, &maps, &err);
	assert_true(second >= 0);
	assert_true(mount_of(second).stx_attributes & STATX_ATTR_MOUNT_ROOT);
	assert_int_not_equal(mount_of(first).stx_mnt_id, mount_of(second).stx_mnt_id);
	close(first);
	close(second);
}

static void big_layer(char digit, int files)
{
	char path[64];

	begin();
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "" });
	for (int i = 0; i < files; i++) {
		struct layer_entry e = { .type = LAYER_FILE, .path = path, .size = 100 + i, .uid = 0 };

		snprintf(path, sizeof(path), "d%04d", i / 16);
		if (i % 16 == 0)
			add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = path });
		snprintf(path, sizeof(path), "d%04d/file-%02d.x", i / 16, i % 16);
		memcpy(e.digest, &i, sizeof(i));
		add(e);
	}
	commit(digit);
}

static bool is_mounted(char digit)
{
	return fixture_exists(arena_printf(arena, "run/trees/%s/tree", fixture_digest(digit) + strlen("sha256:")));
}

/* More than the budget: the longest unused ones go, never the newest. */
static void idle_trees_have_a_budget(void **state)
{
	struct timespec begin_time, end;
	const char digits[] = "4567";

	(void)state;
	need_driver();
	for (const char *d = digits; *d; d++) {
		const char one[] = { *d, '\0' };

		big_layer(*d, 37000);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin_time);
		close(open_tree_of(one));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		print_message("a tree of 40,000 names: %ld ms of the processor\n", (end.tv_sec - begin_time.tv_sec) * 1000 +
			      (end.tv_nsec - begin_time.tv_nsec) / 1000000);
		if (*d == '5')		/* used again: 5 is older than 4 now */
			close(open_tree_of("4"));
	}
	for (int i = 0; i < 1000 && is_mounted('5'); i++)	/* by a process in the background, or by this one */
		assert_true(store_collect(&store) == 0 && usleep(10000) == 0);
	assert_false(is_mounted('5'));
	assert_true(is_mounted('7'));
}

static void a_damaged_index_is_an_error(void **state)
{
	struct strings list = layers("123");
	char *path = arena_printf(arena, "layers/%s/index", fixture_digest('2') + strlen("sha256:"));
	_cleanup_fd_ int fd = -1;

	(void)state;
	need_driver();
	three_layers();
	fd = openat(store.root_fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "?", 1, 60), 1);
	assert_fails(ERROR_INVALID, image_tree_open(&store, &list, NULL, &err));
	assert_non_null(strstr(err.text, path));
	assert_false(is_mounted('3'));
}

/* The same layer as a tree on disk, for the other drivers. */
static void an_index_becomes_a_directory(void **state)
{
	char *hex = fixture_digest('1') + strlen("sha256:");
	_cleanup_fd_ int diff = -1;
	struct strings list;
	struct stat st;
	char text[16] = "";

	(void)state;
	need_driver();
	three_layers();
	assert_false(layer_has(&store, fixture_digest('1'), LAYER_DIFF));
	list = layers("1");
	assert_ok(layer_make_diff(arena, &store, &list, &err));
	list = layers("12");
	assert_ok(layer_make_diff(arena, &store, &list, &err));
	assert_true(layer_has(&store, fixture_digest('1'), LAYER_DIFF));
	assert_true(layer_has(&store, fixture_digest('1'), LAYER_INDEX));
	diff = fd_open_dir(store.root_fd, arena_printf(arena, "layers/%s/diff", hex));
	st = stat_in(diff, "dir/seen");
	assert_int_equal(st.st_size, 5);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(stat_in(diff, ".").st_mode, S_IFDIR | 0750);
	fd_close(&diff);
	diff = fd_open_dir(store.root_fd, arena_printf(arena, "layers/%s/diff", fixture_digest('2') + strlen("sha256:")));
	assert_true(S_ISCHR(stat_in(diff, "dir/hidden").st_mode));
	assert_int_equal(stat_in(diff, "dir").st_mode, S_IFDIR | 02770);	/* implied: as the layer below has it */
	_cleanup_fd_ int opaque = fd_open_dir(diff, "opaque");
	assert_int_equal(fgetxattr(opaque, "user.overlay.opaque", text, sizeof(text)), 1);
	assert_int_equal(fixture_count("tmp"), 0);
}

/* Hundreds of directories deep: few descriptors are open at once, and every one gets its attributes. */
static void deep_trees(void **state)
{
	char path[2048] = "";
	size_t n = 0;
	int root;

	(void)state;
	need_driver();
	begin();
	add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = "" });
	for (int i = 0; i < 400; i++) {
		n += (size_t)snprintf(path + n, sizeof(path) - n, "%sd", i ? "/" : "");
		add((struct layer_entry){ .type = LAYER_DIRECTORY, .path = path, .mode = 0711 });
	}
	snprintf(path + n, sizeof(path) - n, "/f");
	add((struct layer_entry){ .type = LAYER_FILE, .path = path });
	add((struct layer_entry){ .type = LAYER_FILE, .path = "z" });
	commit('8');
	root = open_tree_of("8");
	assert_int_equal(stat_in(root, path).st_mode, S_IFREG | 0644);
	for (; n > 2; path[n -= 2] = '\0')
		assert_int_equal(stat_in(root, (path[n] = '\0', path)).st_mtime, 1000000000);
	assert_int_equal(stat_in(root, "z").st_mode, S_IFREG | 0644);
	close(root);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_tree_is_what_the_image_shows),
		TEST(containers_stand_on_trees),
		TEST(one_tree_for_all),
		TEST(a_dropped_tree_is_made_again),
		TEST(a_view_is_kept),
		TEST(idle_trees_have_a_budget),
		TEST(a_damaged_index_is_an_error),
		TEST(an_index_becomes_a_directory),
		TEST(deep_trees),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
