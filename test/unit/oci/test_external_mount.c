#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/external_mount.h"
#include "sys/fd.h"

static struct arena *arena;
static char root[64];
static int root_fd;

static int enter(void **state)
{
	(void)state;
	arena = arena_new();
	snprintf(root, sizeof(root), "/tmp/external.XXXXXX");
	assert_non_null(mkdtemp(root));
	root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	arena_free(arena);
	close(root_fd);
	return fd_remove_tree(AT_FDCWD, root);
}

static struct oci_spec spec_with(const char *const (*mounts)[4], size_t n)
{
	struct oci_spec spec = { .linux_ = arena_new_one(arena, struct oci_linux) };

	for (size_t i = 0; i < n; i++) {
		struct oci_mount *m = ARRAY_ADD(arena, &spec.mounts);

		*m = (struct oci_mount){ .destination = (char *)mounts[i][0], .type = (char *)mounts[i][1],
					 .source = (char *)mounts[i][2] };
		if (mounts[i][3])
			strings_add(arena, &m->options, mounts[i][3]);
	}
	strings_add(arena, &spec.linux_->masked_paths, "/proc/keys");
	strings_add(arena, &spec.linux_->masked_paths, "/sys/firmware");
	return spec;
}

static const char *const mounts[][4] = {
	{ "/proc", "proc", "proc", NULL },
	{ "/dev", "tmpfs", "tmpfs", NULL },
	{ "/var/run/data", "bind", "/srv/data", "rbind" },		/* var/run is a link to /run */
	{ "/run/data/scratch", "tmpfs", "tmpfs", NULL },
	{ "/run/data/scratch/file", NULL, "files/one", "bind" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", NULL },
};

static struct external_mounts prepared(const struct oci_spec *spec)
{
	struct external_mounts e;

	mkdirat(root_fd, "run", 0755);
	mkdirat(root_fd, "var", 0755);
	assert_int_equal(symlinkat("../run", root_fd, "var/run"), 0);
	external_mounts_init(&e, arena, spec, root_fd);
	return e;
}

static void finds_the_mounts_of_the_host(void **state)
{
	static const char table_text[] =
		"1 0 8:1 /bundle/rootfs / rw - ext4 /dev/sda1 rw\n"
		"2 1 0:20 / /proc rw - proc proc rw\n"
		"3 2 0:20 /sys /proc/sys ro - proc proc rw\n"
		"4 2 0:5 /null /proc/keys rw - devtmpfs dev rw\n"		/* a mask: the host's */
		"5 1 0:21 / /dev rw - tmpfs tmpfs rw\n"
		"6 5 0:22 / /dev/pts rw - devpts devpts rw\n"
		"7 5 0:22 /0 /dev/console rw - devpts devpts rw\n"
		"8 5 0:21 /null /proc/timer_list rw - tmpfs tmpfs rw\n"		/* a mask: the container's */
		"9 5 0:5 /fuse /dev/fuse rw - devtmpfs dev rw\n"
		"10 1 8:1 /srv/data /run/data rw - ext4 /dev/sda1 rw\n"
		"11 10 0:30 / /run/data/sub\\040dir rw - tmpfs host rw\n"		/* came along */
		"12 10 0:31 / /run/data/scratch rw - tmpfs tmpfs rw\n"
		"13 12 8:1 /bundle/files/one /run/data/scratch/file rw - ext4 /dev/sda1 rw\n"
		"14 1 0:32 / /sys/fs/cgroup rw - tmpfs cgroup rw\n"
		"15 14 0:33 /box /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		"16 14 0:34 /../.. /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n"
		"17 1 8:1 /bundle/rootfs/etc /etc ro - ext4 /dev/sda1 rw\n";
	struct oci_spec spec = spec_with(mounts, ELEMENTS(mounts));
	struct external_mounts e = prepared(&spec);
	struct strings found = { 0 };
	struct mount_table table;
	char *path = arena_printf(arena, "%s/table", root);

	(void)state;
	assert_int_equal(fd_write_file(AT_FDCWD, path, table_text, strlen(table_text), 0600, false), 0);
	assert_int_equal(mount_read_table(arena, path, &table, NULL), 0);
	external_mounts_find(&e, &table, &found);
	assert_string_equal(strings_join(arena, &found, " "),
			    "/proc/keys /dev/fuse /run/data /run/data/sub dir /run/data/scratch/file /sys/fs/cgroup/memory");
}

static void knows_their_sources(void **state)
{
	static const struct { const char *place, *source; } cases[] = {
		{ "/run/data", "/srv/data" },
		{ "/run/data/sub dir", "/srv/data/sub dir" },
		{ "/run/data/scratch/file", "/bundle/files/one" },
		{ "/run/database", "/run/database" },
		{ "/proc/keys", "/dev/null" },
		{ "/dev/fuse", "/dev/fuse" },
		{ "/dev/null", "/dev/null" },
		{ "/sys/fs/cgroup/memory", "/cg/memory/box" },
		{ "/sys/fs/cgroup/memory/x", "/cg/memory/box/x" },
		{ "/sys/fs/cgroup/memoryx", "/sys/fs/cgroup/memoryx" },
	};
	struct cgroup_view view = { .name = (char *)"memory", .path = (char *)"/cg/memory/box" };
	struct cgroup_views views = { &view, 1 };
	struct oci_spec spec = spec_with(mounts, ELEMENTS(mounts));
	struct external_mounts e = prepared(&spec);

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(external_mounts_source(&e, "/bundle", &views, cases[i].place), cases[i].source);
}

static void follows_links_as_far_as_they_go(void **state)
{
	static const struct { const char *destination, *place; } cases[] = {
		{ "/", "/" }, { "/run", "/run" }, { "/run/", "/run" }, { "run", "/run" }, { "/var/run", "/run" },
		{ "/var/run/a/b/", "/run/a/b" }, { "/a", "/a" }, { "//a//b", "/a/b" }, { "/var/../run/x", "/run/x" },
	};
	struct external_mounts e;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		const char *const one[][4] = { { cases[i].destination, "tmpfs", "tmpfs", NULL } };
		struct oci_spec spec = spec_with(one, 1);

		if (i == 0)
			prepared(&spec);
		external_mounts_init(&e, arena, &spec, root_fd);
		assert_string_equal(e.destinations.v[0], cases[i].place);
	}
}

static void a_root_as_a_source_has_one_slash(void **state)
{
	static const char *const whole[][4] = { { "/host", "bind", "/", "rbind" } };
	struct cgroup_views none = { 0 };
	struct oci_spec spec = spec_with(whole, 1);
	struct external_mounts e = prepared(&spec);

	(void)state;
	assert_string_equal(external_mounts_source(&e, "/bundle", &none, "/host/boot"), "/boot");
}

static void makes_mount_points(void **state)
{
	const char *const wanted[][4] = {
		{ "/new/proc", "proc", "proc", NULL },
		{ "/data", "bind", arena_printf(arena, "%s/outer", root), "rbind" },
		{ "/data/in/file", "bind", arena_printf(arena, "%s/file", root), "bind" },
		{ "/scratch", "tmpfs", "tmpfs", NULL },
		{ "/scratch/inner", "bind", "/srv", "rbind" },
		{ "/link/escapes", "bind", "/srv", "rbind" },
	};
	struct oci_spec spec = spec_with(wanted, ELEMENTS(wanted));
	struct external_mounts e;
	struct error err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(mkdirat(root_fd, "outer", 0755), 0);
	assert_int_equal(mkdirat(root_fd, "fs", 0755), 0);
	assert_int_equal(symlinkat("/../..", root_fd, "fs/link"), 0);
	close(openat(root_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	{
		_cleanup_fd_ int fs = openat(root_fd, "fs", O_PATH | O_DIRECTORY | O_CLOEXEC);

		external_mounts_init(&e, arena, &spec, fs);
		if (external_mounts_prepare(&e, fs, "/bundle", &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(fstatat(root_fd, "fs/new/proc", &st, 0), 0);
	assert_int_equal(fstatat(root_fd, "outer/in/file", &st, 0), 0);		/* in the source of the mount around it */
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(fstatat(root_fd, "fs/data/in", &st, 0), -1);
	assert_int_equal(fstatat(root_fd, "fs/scratch", &st, 0), 0);
	assert_int_equal(fstatat(root_fd, "fs/scratch/inner", &st, 0), -1);	/* criu restores what was there */
	assert_int_equal(fstatat(root_fd, "fs/escapes", &st, 0), 0);		/* below the root, wherever a link leads */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_the_mounts_of_the_host, enter, leave),
		cmocka_unit_test_setup_teardown(knows_their_sources, enter, leave),
		cmocka_unit_test_setup_teardown(follows_links_as_far_as_they_go, enter, leave),
		cmocka_unit_test_setup_teardown(a_root_as_a_source_has_one_slash, enter, leave),
		cmocka_unit_test_setup_teardown(makes_mount_points, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
