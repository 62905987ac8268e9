#include "cgroup/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* "name|options|path|links;" */
static char *views(struct arena *arena, const struct cgroup_host *host, const struct cgroup *c)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	struct cgroup_views list;

	cgroup_views(arena, host, c, &list);
	for (size_t i = 0; i < list.n; i++)
		buffer_printf(&out, "%s|%s|%s|%s;", list.v[i].name, list.v[i].options ? list.v[i].options : "-", list.v[i].path,
			      strings_join(arena, &list.v[i].links, ","));
	return arena_strdup(arena, out.data);
}

static void unified(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct cgroup_hierarchy h = { .controllers = "", .mount = "/sys/fs/cgroup", .own = "/me" };
	struct cgroup_host host = { .unified = true, .hierarchies = { &h, 1 } };
	struct cgroup_place place = { "", "/sys/fs/cgroup/me/c" };
	struct cgroup c = { .places = { &place, 1 } }, none = { 0 };

	assert_string_equal(views(arena, &host, &c), "|-|/sys/fs/cgroup/me/c|;");
	assert_string_equal(views(arena, &host, NULL), "|-|/sys/fs/cgroup|;");
	assert_string_equal(views(arena, &host, &none), "|-|/sys/fs/cgroup/me|;");
}

static void hybrid(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct cgroup_hierarchy h[] = {
		{ .controllers = "", .mount = "/sys/fs/cgroup/unified", .own = "/" },
		{ .controllers = "cpu,cpuacct", .mount = "/sys/fs/cgroup/cpu,cpuacct", .own = "/" },
		{ .controllers = "memory", .mount = "/sys/fs/cgroup/memory", .own = "/x" },
		{ .controllers = "name=systemd", .mount = "/sys/fs/cgroup/systemd", .own = "/" },
	};
	struct cgroup_host host = { .v1 = true, .hierarchies = { h, ELEMENTS(h) } };
	struct cgroup_place place = { "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct/c" };
	struct cgroup c = { .places = { &place, 1 } };

	assert_string_equal(views(arena, &host, &c),
			    "unified|-|/sys/fs/cgroup/unified|;"
			    "cpu,cpuacct|cpu,cpuacct|/sys/fs/cgroup/cpu,cpuacct/c|cpu,cpuacct;"
			    "memory|memory|/sys/fs/cgroup/memory/x|;"
			    "systemd|none,name=systemd|/sys/fs/cgroup/systemd|;");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(unified), cmocka_unit_test(hybrid) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
