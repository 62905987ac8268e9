#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

#define ROOT "0:0 DAC_OVERRIDE FOWNER CHOWN"

struct access_case { const char *map, *process, *op, *path, *expect; };

static void check(const struct access_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct access_case *c = &cases[i];
		struct access_facts f = world_facts(arena, c->map, c->process, c->op, c->path);
		struct verdict v;

		access_decide(arena, &f, &v);
		if (strcmp(world_verdict(arena, &v), c->expect) != 0)
			fail_msg("%s as %s (%s): %s:\n  %s, and not %s", c->op, c->process, c->map, c->path, world_verdict(arena, &v),
				 c->expect);
	}
}

static void owners_and_modes(void **state)
{
	static const struct access_case cases[] = {
		{ "default", ROOT, "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "allowed" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "uid-shift EACCES at /d/f" },
		{ "default", "1000:1000", "read", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "allowed" },
		{ "default", "1000:1000", "create", "/d 1000:1000 d0755;/d/f", "uid-shift EACCES at /d" },
		{ "default", "1000:1000", "create", "/d 100999:100999 d0755;/d/f", "allowed" },
		{ "keep", "1000:1000", "create", "/d 1000:1000 d0755;/d/f", "allowed" },
		{ "keep", "999:999", "create", "/d 1000:1000 d0755;/d/f", "uid-shift EACCES at /d" },
		{ "default", "1000:0", "create", "/d 1000:1000 d0775;/d/f", "allowed" },
		/* the owner's class decides alone */
		{ "default", "0:0", "create", "/d 1000:1000 d0077;/d/f", "cap-dropped EACCES at /d" },
		{ "keep", "1000:1000", "create", "/d 1000:1000 d0077;/d/f", "mode-bits EACCES at /d" },
		{ "default", "1:1+1000", "create", "/d 5:1000 d0707;/d/f", "unmapped-owner EACCES at /d" },
		/* below the mount each directory is searched */
		{ "default", "1000:1000", "read", "/d 1000:1000 d0700;/d/e 1000:1000 d0755;/d/e/f 1000:1000 f0600",
		  "uid-shift EACCES at /d, uid-shift EACCES at /d/e/f" },
		/* an image's own files */
		{ "default", "1000:1000", "write", "/etc 0:0 d0755 own;/etc/passwd 0:0 f0644", "mode-bits EACCES at /etc/passwd" },
		{ "keep", "1000:1000", "write", "/home 0:0 d0755 own;/home/f 1000:1000 f0644", "allowed" },
	};

	check(cases, ELEMENTS(cases));
}

static void capabilities(void **state)
{
	static const struct access_case cases[] = {
		{ "default", ROOT, "write", "/d 100999:100999 d0700;/d/f 100005:100005 f0000", "allowed" },
		{ "default", "0:0", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0444", "cap-dropped EACCES at /d/f" },
		{ "default", "0:0 DAC_READ_SEARCH", "read", "/d 1000:1000 d0000;/d/f 1000:1000 f0000", "allowed" },
		{ "default", "0:0 DAC_READ_SEARCH", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0000", "cap-dropped EACCES at /d/f" },
		{ "default", "1000:1000 DAC_OVERRIDE", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "allowed" },
		/* both ids have to be mapped */
		{ "default", ROOT, "write", "/d 1000:1000 d0755;/d/f 100999:5 f0600", "cap-inert EACCES at /d/f" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 100999:5 f0600", "allowed" },
		{ "default", ROOT, "write", "/d 1000:1000 d0755;/d/f 0:1000 f0644", "unmapped-owner EACCES at /d/f" },
		{ "nomap", ROOT, "read", "/d 1000:1000 d0700;/d/f 1000:1000 f0644", "unmapped-owner EACCES at /d" },
		/* no x at all: nobody */
		{ "default", ROOT, "exec", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "no-exec-bit EACCES at /d/f" },
		{ "default", ROOT, "exec", "/d 1000:1000 d0755;/d/f 100999:100999 f0700", "allowed" },
	};

	check(cases, ELEMENTS(cases));
}

static void lists(void **state)
{
	static const struct access_case cases[] = {
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0664 acl=u:100999:rw,G::r,m::rw", "allowed" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0644 acl=u:100999:rw,G::r,m::r",
		  "acl-mask EACCES at /d/f" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0666 acl=u:100999:r,G::rw,m::rw",
		  "acl-entry EACCES at /d/f" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0664 acl=u:1000:rw,G::r,m::rw",
		  "acl-wrong-id EACCES at /d/f" },
		{ "default", "1000:1000", "read", "/d 1000:1000 d0755;/d/f 1000:1000 f0660 acl=g:100999:r,G::r,m::rw", "allowed" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0662 acl=g:100999:r,G::r,m::rw",
		  "acl-entry EACCES at /d/f" },
		/* with an empty mask the kernel looks at the bits for others */
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0602 acl=u:100999:r,G::,m::", "allowed" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 5:2001 f0660", "group-dropped EACCES at /d/f" },
		{ "default", "1000:1000+2001", "write", "/d 1000:1000 d0755;/d/f 5:2001 f0660", "allowed" },
		{ "default", ROOT, "write", "/d 1000:1000 d0755;/d/f 5:2002 f0660", "unmapped-owner EACCES at /d/f" },
		{ "default", "0:0", "write", "/d 5:5 d0755;/d/f 5:5 f0660 acl=g:2001:rw,G::rw,m::rw", "group-dropped EACCES at /d/f" },
	};

	check(cases, ELEMENTS(cases));
}

static void removing(void **state)
{
	static const struct access_case cases[] = {
		{ "default", ROOT, "unlink", "/d 1000:1000 d0755;/d/f 5:5 f0600", "allowed" },
		{ "default", "1000:1000", "unlink", "/d 0:0 d1777;/d/f 100999:5 f0600", "allowed" },
		{ "default", "1000:1000", "unlink", "/d 0:0 d1777;/d/f 1000:1000 f0666", "sticky EPERM at /d/f" },
		{ "default", ROOT, "unlink", "/d 0:0 d1777;/d/f 100999:100999 f0600", "allowed" },
		{ "default", ROOT, "unlink", "/d 0:0 d1777;/d/f 100999:5 f0600", "sticky EPERM at /d/f" },
		{ "default", ROOT, "unlink", "/d 1000:1000 d0755;/d/f 1000:1000 f0600 i", "immutable EPERM at /d/f" },
		{ "default", ROOT, "unlink", "/d 1000:1000 d0755;/d/f 1000:1000 f0600 a", "append-only EPERM at /d/f" },
		{ "default", ROOT, "unlink", "/d 1000:1000 d0755;/d/f 1000:1000 f0600 covered", "busy-mount EBUSY at /d/f" },
		{ "default", ROOT, "unlink", "/d 1000:1000 d0755;/d/f 1000:1000 d0700", "is-directory EISDIR at /d/f" },
		{ "default", ROOT, "rmdir", "/d 1000:1000 d0755;/d/f 1000:1000 f0700", "not-a-directory ENOTDIR at /d/f" },
		{ "default", ROOT, "unlink", "/d 1000:1000 d0755;/d/f", "missing ENOENT at /d/f" },
		/* read-only comes first, and all else is told as well */
		{ "default", "1000:1000", "unlink", "/d 1000:1000 d0755 ro;/d/f 1000:1000 f0644",
		  "mount-ro EROFS at /d, uid-shift EACCES at /d" },
	};

	check(cases, ELEMENTS(cases));
}

static void mounts(void **state)
{
	static const struct access_case cases[] = {
		{ "default", ROOT, "write", "/d 1000:1000 d0755 ro;/d/f 1000:1000 f0644", "mount-ro EROFS at /d/f" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755 locked;/d/f 1000:1000 f0644",
		  "uid-shift EACCES at /d/f, host-mount-ro EROFS at /d/f" },
		{ "default", ROOT, "create", "/d 0:0 d0755 root;/d/f", "root-ro EROFS at /d" },
		{ "default", ROOT, "write", "/d 1000:1000 d0755 ro;/d/s 1000:1000 p0644", "allowed" },
		{ "default", ROOT, "exec", "/d 1000:1000 d0755 noexec;/d/f 1000:1000 f0755", "mount-noexec EACCES at /d/f" },
		{ "default", ROOT, "exec", "/d 1000:1000 d0755 lockednoexec;/d/f 1000:1000 f0755",
		  "host-mount-noexec EACCES at /d/f" },
		{ "default", ROOT, "read", "/d 1000:1000 d0755 nodev;/d/f 1000:1000 c0666", "nodev EACCES at /d/f" },
		{ "default", ROOT, "connect", "/d 1000:1000 d0755 ro;/d/s 1000:1000 s0600", "allowed" },
		{ "default", "1000:1000", "connect", "/d 1000:1000 d0755;/d/s 1000:1000 s0755", "uid-shift EACCES at /d/s" },
		{ "default", ROOT, "connect", "/d 1000:1000 d0755;/d/s 1000:1000 f0755", "not-a-socket ECONNREFUSED at /d/s" },
		{ "default", "1000:1000", "read", "/d 1000:1000 d0755 fuse;/d/f 1000:1000 f0644",
		  "fuse-private EACCES at /d, fuse-private EACCES at /d/f" },
		{ "default", ROOT, "read", "/d 1000:1000 d0755 fuse;/d/f 5:5 f0600", "unknown" },
		{ "default", "1000:1000", "read", "/d 1000:1000 d0755 nfs;/d/f 1000:1000 f0600",
		  "network-owner EACCES at /d/f, unknown" },
	};

	check(cases, ELEMENTS(cases));
}

static void attributes(void **state)
{
	static const struct access_case cases[] = {
		{ "default", ROOT, "chmod", "/d 1000:1000 d0755;/d/f 100999:100999 f0644", "allowed" },
		/* here the owner alone has to be mapped */
		{ "default", ROOT, "chmod", "/d 1000:1000 d0755;/d/f 100999:5 f0644", "allowed" },
		{ "default", ROOT, "chmod", "/d 1000:1000 d0755;/d/f 5:1000 f0666", "unmapped-owner EPERM at /d/f" },
		{ "default", "1000:1000", "chmod", "/d 1000:1000 d0755;/d/f 1000:1000 f0666", "not-owner EPERM at /d/f" },
		{ "default", "0:0", "utimes", "/d 1000:1000 d0755;/d/f 100999:100999 f0666", "cap-dropped EPERM at /d/f" },
		{ "default", "1000:1000", "touch", "/d 1000:1000 d0755;/d/f 1000:1000 f0666", "allowed" },
		{ "default", "1000:1000", "touch", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "uid-shift EACCES at /d/f" },
		{ "default", ROOT, "chmod", "/d 1000:1000 d0755;/d/f 1000:1000 f0644 i", "immutable EPERM at /d/f" },
	};

	check(cases, ELEMENTS(cases));
}

static char *decide_chown(const char *process, const char *path, uint32_t uid, uint32_t gid)
{
	struct access_facts f = world_facts(arena, "default", process, "chown", path);
	struct verdict v;

	f.new_uid = uid;
	f.new_gid = gid;
	access_decide(arena, &f, &v);
	return world_verdict(arena, &v);
}

static void owners_change(void **state)
{
	const char *own = "/d 1000:1000 d0755;/d/f 1000:1000 f0644";

	assert_string_equal(decide_chown(ROOT, own, 1000, 1000), "allowed");
	assert_string_equal(decide_chown(ROOT, own, 70000, ID_NONE), "chown-unmapped EINVAL at /d/f");
	assert_string_equal(decide_chown("0:0", own, 1000, ID_NONE), "cap-dropped EPERM at /d/f");
	assert_string_equal(decide_chown("0:0", own, 0, 0), "allowed");
	assert_string_equal(decide_chown("0:0+100004", own, ID_NONE, 5), "allowed");
	assert_string_equal(decide_chown("1000:1000", own, ID_NONE, 5), "chown-denied EPERM at /d/f");
	assert_string_equal(decide_chown(ROOT, "/d 1000:1000 d0755;/d/f 5:5 f0644", 0, 0), "unmapped-owner EPERM at /d/f");
	assert_string_equal(decide_chown(ROOT, "/d 1000:1000 d0755;/d/f 1000:5 f0644", 5, 0), "cap-inert EPERM at /d/f");
}

static void host_side(void **state)
{
	static const struct access_case cases[] = {
		{ "host", "1000:1000", "unlink", "/d 100999:100999 d0755;/d/f 100999:100999 f0644", "subuid-owned EACCES at /d" },
		{ "host", "1000:1000", "unlink", "/d 1000:1000 d0755;/d/f 100999:100999 f0600", "allowed" },
		{ "host", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 100999:100999 f0644", "subuid-owned EACCES at /d/f" },
		{ "host", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 5:5 f0644", "other-owner EACCES at /d/f" },
		{ "host", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0444", "mode-bits EACCES at /d/f" },
		{ "host", "1000:1000+2001", "write", "/d 1000:1000 d0755;/d/f 5:2001 f0664", "allowed" },
		{ "host", "1000:1000", "chmod", "/d 1000:1000 d0755;/d/f 100999:100999 f0644", "subuid-owned EPERM at /d/f" },
	};

	check(cases, ELEMENTS(cases));
}

static char *decide_two(const char *op, const char *process, const char *from, const char *to, bool one_mount)
{
	struct access_facts f = world_facts(arena, "default", process, op, from);
	struct verdict v;

	f.to = world_path(arena, to);
	if (one_mount)
		for (size_t i = 0; i < f.to.searched.n; i++)
			f.to.searched.v[i].mount = f.path.searched.v[0].mount;
	access_decide(arena, &f, &v);
	return world_verdict(arena, &v);
}

static void two_paths(void **state)
{
	const char *file = "/d 1000:1000 d0755;/d/f 1000:1000 f0644", *foreign = "/d 1000:1000 d0755;/d/f 5:5 f0644";

	assert_string_equal(decide_two("rename", ROOT, file, "/d 1000:1000 d0755;/d/g", true), "allowed");
	assert_string_equal(decide_two("rename", ROOT, file, "/e 1000:1000 d0755;/e/g", false), "cross-mount EXDEV at /e/g");
	assert_string_equal(decide_two("rename", ROOT, file, "/d 1000:1000 d0755;/d/g 1000:1000 f0644 covered", true),
			    "busy-mount EBUSY at /d/g");
	assert_string_equal(decide_two("rename", ROOT, file, "/d 1000:1000 d0755;/d/g 1000:1000 d0755", true),
			    "is-directory EISDIR at /d/g");
	assert_string_equal(decide_two("rename", "5:5", "/d 0:0 d1777;/d/f 1000:1000 d0755", "/d 0:0 d1777;/d/g", true),
			    "sticky EPERM at /d/f");
	assert_string_equal(decide_two("link", ROOT, file, "/d 1000:1000 d0755;/d/g", true), "allowed");
	assert_string_equal(decide_two("link", ROOT, foreign, "/d 1000:1000 d0755;/d/g", true), "protected-hardlink EPERM at /d/f");
	assert_string_equal(decide_two("link", ROOT, file, "/d 1000:1000 d0755;/d/g 1000:1000 f0644", true), "exists EEXIST at /d/g");
}

static void devices_are_never_made(void **state)
{
	struct access_facts f = world_facts(arena, "default", ROOT " MKNOD", "mknod", "/d 1000:1000 d0755;/d/n");
	struct verdict v;

	f.new_mode = S_IFCHR;
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "mknod-device EPERM at /d/n");
	f.new_mode = S_IFIFO;
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "allowed");
}

static void protected_names(void **state)
{
	struct access_facts f = world_facts(arena, "default", "1000:1000", "read", "/t 0:0 d1777;/t/f 5:5 f0644");
	struct access_path link = world_path(arena, "/t 0:0 d1777;/t/l 7:7 l0777");
	struct verdict v;

	f.path.link = &link.target;
	f.path.link_parent = &link.searched.v[0];
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "protected-symlink EACCES at /t/l");
	f = world_facts(arena, "default", "1000:1000", "create", "/t 0:0 d1777;/t/f 5:5 f0666");
	f.protected_regular = 1;
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "protected-regular EACCES at /t/f");
	f.protected_regular = 0;
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "allowed");
}

static void labels(void **state)
{
	struct access_facts f = world_facts(arena, "default", ROOT, "read",
					    "/d 1000:1000 d0755 label=u:object_r:user_home_t:s0;/d/f 1000:1000 f0644");
	struct verdict v;

	f.selinux_enforcing = true;
	f.process.selinux_label = "u:r:container_t:s0:c1,c2";
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "selinux-label EACCES at /d, unknown");
	f.path.searched.v[0].label = "u:object_r:container_file_t:s0";
	access_decide(arena, &f, &v);
	assert_string_equal(world_verdict(arena, &v), "allowed");
}

static void the_process_is_described(void **state)
{
	struct access_facts f = world_facts(arena, "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0644");
	struct verdict v;

	access_decide(arena, &f, &v);
	assert_int_equal(v.kind, VERDICT_DENIED);
	assert_int_equal(v.subject.host_uid, 100999);
	assert_int_equal(v.subject.dropped_groups.n, 1);
	assert_int_equal(v.blocks.v[0].uid, 0);
	assert_int_equal(v.blocks.v[0].host_uid, 1000);
	assert_int_equal(v.blocks.v[0].class, CLASS_OTHER);
	assert_int_equal(v.blocks.v[0].has, 4);
	assert_int_equal(v.blocks.v[0].wants, 2);
	assert_string_equal(v.access, "write");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_and_modes),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(lists),
		cmocka_unit_test(removing),
		cmocka_unit_test(mounts),
		cmocka_unit_test(attributes),
		cmocka_unit_test(owners_change),
		cmocka_unit_test(host_side),
		cmocka_unit_test(two_paths),
		cmocka_unit_test(devices_are_never_made),
		cmocka_unit_test(protected_names),
		cmocka_unit_test(labels),
		cmocka_unit_test(the_process_is_described),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
