#include "cgroup/hierarchy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup/leaf.h"

/* "controllers=mount own; ..." */
static char *find(struct arena *arena, const char *mountinfo, const char *membership)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	char path[] = "/tmp/bryo-mountinfo.XXXXXX";
	int fd = mkstemp(path);
	struct error err = { 0 };
	struct cgroup_hierarchies list;
	struct mount_table table;

	assert_true(fd >= 0 && write(fd, mountinfo, strlen(mountinfo)) == (ssize_t)strlen(mountinfo));
	close(fd);
	assert_int_equal(mount_read_table(arena, path, &table, &err), 0);
	unlink(path);
	hierarchy_find(arena, &table, membership, &list);
	for (size_t i = 0; i < list.n; i++)
		buffer_printf(&out, "%s=%s %s;", list.v[i].controllers, list.v[i].mount, list.v[i].own ? list.v[i].own : "-");
	return arena_strdup(arena, out.data ? out.data : "");
}

static void layouts(void **state)
{
	static const struct { const char *mountinfo, *membership, *expected; } cases[] = {
		{ "1 0 0:1 / / rw - ext4 /dev/x rw\n", "0::/\n", "" },
		{ "2 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n", "0::/a/b\n", "=/sys/fs/cgroup /a/b;" },
		/* a part of the hierarchy, as containers see it without a cgroup namespace */
		{ "2 1 0:2 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/docker/x/y\n", "=/sys/fs/cgroup /y;" },
		{ "2 1 0:2 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/docker/x\n", "=/sys/fs/cgroup /;" },
		{ "2 1 0:2 /docker/x /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/docker/xy\n", "=/sys/fs/cgroup -;" },
		{ "2 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "0::/../b\n", "=/sys/fs/cgroup -;" },
		/* hybrid: the unified one first, with and without a v1 hierarchy for systemd */
		{ "3 2 0:3 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
		  "4 2 0:4 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		  "5 2 0:5 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,release_agent=/x,name=systemd\n",
		  "2:cpu,cpuacct:/c\n1:name=systemd:/s\n0::/u\n",
		  "=/sys/fs/cgroup/unified /u;name=systemd=/sys/fs/cgroup/systemd /s;cpu,cpuacct=/sys/fs/cgroup/cpu,cpuacct /c;" },
		/* mounted elsewhere, and twice */
		{ "3 2 0:3 / /mnt/memory rw - cgroup cgroup rw,memory\n", "2:memory:/\n", "" },
		{ "3 2 0:3 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		  "4 2 0:3 / /sys/fs/cgroup/memory2 rw - cgroup cgroup rw,memory\n",
		  "2:memory:/\n", "memory=/sys/fs/cgroup/memory2 /;" },
		{ "3 2 0:3 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n", "", "pids=/sys/fs/cgroup/pids -;" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();

		assert_string_equal(find(arena, cases[i].mountinfo, cases[i].membership), cases[i].expected);
	}
}

static void membership(void **state)
{
	static const char text[] = "12:cpu,cpuacct:/a:b\n11:cpuset:/c\n1:name=systemd:/s\n0::/u";
	_cleanup_arena_ struct arena *arena = arena_new();

	assert_string_equal(hierarchy_membership(arena, text, ""), "/u");
	assert_string_equal(hierarchy_membership(arena, text, "cpu,cpuacct"), "/a:b");
	assert_string_equal(hierarchy_membership(arena, text, "name=systemd"), "/s");
	assert_null(hierarchy_membership(arena, text, "cpu"));
	assert_null(hierarchy_membership(arena, "garbage\n::", "memory"));
	assert_null(hierarchy_membership(arena, NULL, ""));
}

static void controllers(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct cgroup_hierarchy v[] = { { .controllers = "" }, { .controllers = "cpu,cpuacct" }, { .controllers = "name=x" } };
	struct strings v1;

	assert_true(hierarchy_has("cpu,cpuacct", "cpu"));
	assert_true(hierarchy_has("cpu,cpuacct", "cpuacct"));
	assert_false(hierarchy_has("cpuset", "cpu"));
	assert_false(hierarchy_has("", "cpu"));
	assert_false(hierarchy_has("cpu", ""));
	hierarchy_v1_controllers(arena, &(struct cgroup_hierarchies){ v, ELEMENTS(v) }, &v1);
	assert_string_equal(strings_join(arena, &v1, " "), "cpu cpuacct");
}

static void leaves(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	assert_string_equal(leaf_parent(arena, "/a/" LEAF_NAME), "/a");
	assert_string_equal(leaf_parent(arena, "/" LEAF_NAME), "/");
	assert_string_equal(leaf_parent(arena, "/a/b"), "/a/b");
	assert_string_equal(leaf_parent(arena, "/"), "/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts), cmocka_unit_test(membership), cmocka_unit_test(controllers), cmocka_unit_test(leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
