#include "cgroup/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int choose(struct arena *arena, enum cgroup_manager manager, bool privileged, bool unified, const char *path,
		  const char *subgroup, struct place *ret, struct error *err)
{
	struct cgroup_host host = { .manager = manager, .privileged = privileged, .unified = unified };
	struct oci_linux l = { .cgroups_path = (char *)path };
	struct oci_spec spec = { .linux_ = &l };

	if (subgroup)
		map_set(arena, &spec.annotations, "run.oci.systemd.subgroup", subgroup);
	return place_choose(arena, &host, "c1", &spec, ret, err);
}

static void paths(void **state)
{
	static const struct { bool root; const char *path, *expected; } cases[] = {
		{ true, NULL, "/bryo-c1" }, { false, NULL, "bryo-c1" }, { false, "", "bryo-c1" },
		{ true, "/a/b", "/a/b" }, { false, "/a/b", "/a/b" }, { true, "a/b", "/a/b" }, { false, "a/b", "a/b" },
		{ true, "//a/./b//", "/a/b" }, { false, "system.slice:docker:x", "system.slice:docker:x" },
	};
	static const struct { const char *path, *error; } bad[] = {
		{ "/", ".linux.cgroupsPath: the root of the hierarchy cannot be a container's cgroup" },
		{ ".", ".linux.cgroupsPath: the root of the hierarchy cannot be a container's cgroup" },
		{ "/a/../b", ".linux.cgroupsPath: \"..\" is not possible in the path of a cgroup" },
		{ "..", ".linux.cgroupsPath: \"..\" is not possible in the path of a cgroup" },
		{ "a\nb", ".linux.cgroupsPath: it has a control character" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct place p;

		assert_int_equal(choose(arena, CGROUP_CGROUPFS, cases[i].root, true, cases[i].path, NULL, &p, &err), 0);
		assert_string_equal(p.path, cases[i].expected);
		assert_string_equal(p.subgroup, "");
		assert_int_equal(p.demanded, cases[i].path && *cases[i].path);
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct place p;

		assert_int_equal(choose(arena, CGROUP_CGROUPFS, true, true, bad[i].path, NULL, &p, &err), -1);
		assert_string_equal(err.text, bad[i].error);
	}
}

static void scopes(void **state)
{
	static const struct { bool root; const char *path, *slice, *scope; } cases[] = {
		{ true, NULL, "system.slice", "bryo-c1.scope" }, { false, NULL, "user.slice", "bryo-c1.scope" },
		{ true, "machine.slice:libpod:abc", "machine.slice", "libpod-abc.scope" },
		{ false, ":runc:x", "user.slice", "runc-x.scope" }, { true, "-:a:b", "-.slice", "a-b.scope" },
		{ true, "user-1000.slice::b", "user-1000.slice", "b.scope" },
		{ true, "a-b-c.slice:p:n", "a-b-c.slice", "p-n.scope" },
		{ true, ":p:a+b@c", "system.slice", "p-a\\x2bb\\x40c.scope" },
	};
	static const struct { const char *path, *error; } bad[] = {
		{ "/a/b", ".linux.cgroupsPath: expected slice:prefix:name for the systemd cgroup manager, got \"/a/b\"" },
		{ "a:b", ".linux.cgroupsPath: expected slice:prefix:name for the systemd cgroup manager, got \"a:b\"" },
		{ "a:b:c:d", ".linux.cgroupsPath: expected slice:prefix:name for the systemd cgroup manager, got \"a:b:c:d\"" },
		{ "a.slice:b:", ".linux.cgroupsPath: expected slice:prefix:name for the systemd cgroup manager, got \"a.slice:b:\"" },
		{ "a:b:c", ".linux.cgroupsPath: \"a\" is no name of a slice" },
		{ "a/b.slice:b:c", ".linux.cgroupsPath: \"a/b.slice\" is no name of a slice" },
		{ "a--b.slice:b:c", ".linux.cgroupsPath: \"a--b.slice\" is no name of a slice" },
		{ "-a.slice:b:c", ".linux.cgroupsPath: \"-a.slice\" is no name of a slice" },
		{ "a-.slice:b:c", ".linux.cgroupsPath: \"a-.slice\" is no name of a slice" },
		{ ".slice:b:c", ".linux.cgroupsPath: \".slice\" is no name of a slice" },
		{ ":p:pod.slice", ".linux.cgroupsPath: a slice has no processes of its own, so no container" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct place p;

		assert_int_equal(choose(arena, CGROUP_SYSTEMD, cases[i].root, true, cases[i].path, NULL, &p, &err), 0);
		assert_string_equal(p.slice, cases[i].slice);
		assert_string_equal(p.scope, cases[i].scope);
		assert_string_equal(p.subgroup, "container");
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct place p;

		assert_int_equal(choose(arena, CGROUP_SYSTEMD, true, true, bad[i].path, NULL, &p, &err), -1);
		assert_string_equal(err.text, bad[i].error);
	}
}

static void long_names_are_refused(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *name = arena_printf(arena, "/%0300d", 0), *unit = arena_printf(arena, ":p:%0300d", 0);
	struct error err = { 0 };
	struct place p;

	assert_int_equal(choose(arena, CGROUP_CGROUPFS, true, true, name, NULL, &p, &err), -1);
	assert_string_equal(err.text, ".linux.cgroupsPath: a name in it is longer than 255 bytes");
	assert_int_equal(choose(arena, CGROUP_SYSTEMD, true, true, unit, NULL, &p, &err), -1);
	assert_string_equal(err.text, ".linux.cgroupsPath: the name is too long for a systemd unit");
}

static void annotations(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct cgroup_host host = { .manager = CGROUP_SYSTEMD, .unified = true };
	struct oci_spec spec = { 0 };
	struct error err = { 0 };
	struct place p;

	assert_int_equal(choose(arena, CGROUP_SYSTEMD, true, true, NULL, "", &p, &err), 0);
	assert_string_equal(p.subgroup, "");
	assert_int_equal(choose(arena, CGROUP_SYSTEMD, true, true, NULL, "/a//b", &p, &err), 0);
	assert_string_equal(p.subgroup, "a/b");
	assert_int_equal(choose(arena, CGROUP_SYSTEMD, true, false, NULL, NULL, &p, &err), 0);
	assert_string_equal(p.subgroup, "");
	assert_int_equal(choose(arena, CGROUP_SYSTEMD, true, true, NULL, "../x", &p, &err), -1);
	assert_string_equal(err.text, ".annotations[\"run.oci.systemd.subgroup\"]: \"..\" is not possible in the path of a cgroup");

	map_set(arena, &spec.annotations, "run.oci.delegate-cgroup", "init");
	assert_int_equal(place_choose(arena, &host, "c1", &spec, &p, &err), 0);
	assert_string_equal(p.leaf, "init");
	host.unified = false;
	assert_int_equal(place_choose(arena, &host, "c1", &spec, &p, &err), 0);
	assert_null(p.leaf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths), cmocka_unit_test(scopes), cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(annotations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
