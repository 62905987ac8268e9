#include "spec/passwd.h"

#include "base/string.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

static const char passwd[] =
	"# comment\n"
	"broken\n"
	"nouid:x::100::/:/bin/sh\n"
	"minus:x:-1:100::/:/bin/sh\n"
	"huge:x:4294967296:0::/:/bin/sh\n"
	"last:x:4294967295:0::/:/bin/sh\n"
	"root:x:0:0:root:/root:/bin/ash\n"
	"web:x:33:34:Web,,,:/srv/www:/sbin/nologin\n"
	"web:x:0:0::/evil:/bin/sh\n"
	"rel:x:50:50::not/absolute:/bin/sh\n"
	"short:x:51:52\n"
	"1000:x:77:77::/home/digits:/bin/sh\n"
	"nonl:x:60:60::/home/n:/bin/sh";

static const char group[] =
	"root:x:0:root\n"
	"bin:x:1:root,bin,daemon\n"
	"bad:x:zz:root\n"
	"wheel:x:10:root\n"
	"wheel2:x:10:root\n"
	"www:x:34:web\n"
	"extra:x:7:webx,web\n"
	"docker:x:999:\n";

static void resolves(void **state)
{
	static const struct { const char *spec; unsigned uid, gid; const char *name, *home; size_t groups; unsigned first; } cases[] = {
		{ "", 0, 0, "root", "/root", 2, 1 },
		{ "root", 0, 0, "root", "/root", 2, 1 },
		{ "0", 0, 0, "root", "/root", 2, 1 },
		{ "000", 0, 0, "root", "/root", 2, 1 },
		{ "web", 33, 34, "web", "/srv/www", 1, 7 },
		{ "33", 33, 34, "web", "/srv/www", 1, 7 },
		{ "web:", 33, 34, "web", "/srv/www", 1, 7 },
		{ "web:docker", 33, 999, "web", "/srv/www", 0, 0 },
		{ "web:5", 33, 5, "web", "/srv/www", 0, 0 },
		{ "12345", 12345, 0, NULL, "/", 0, 0 },
		{ "12345:678", 12345, 678, NULL, "/", 0, 0 },
		{ "4294967294", 4294967294u, 0, NULL, "/", 0, 0 },
		{ ":wheel", 0, 10, "root", "/root", 0, 0 },
		{ "1000", 1000, 0, NULL, "/", 0, 0 },
		{ "rel", 50, 50, "rel", "/", 0, 0 },
		{ "short", 51, 52, "short", "/", 0, 0 },
		{ "nonl", 60, 60, "nonl", "/home/n", 0, 0 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct passwd_user user;

		if (passwd_resolve(arena, cases[i].spec, passwd, group, &user, &err) < 0)
			fail_msg("%s: %s", cases[i].spec, err.text);
		if (user.uid != cases[i].uid || user.gid != cases[i].gid || !str_eq(user.name, cases[i].name) ||
		    !str_eq(user.home, cases[i].home) || user.groups.n != cases[i].groups ||
		    (user.groups.n && user.groups.v[0] != cases[i].first))
			fail_msg("%s: %u:%u %s %s, %zu groups", cases[i].spec, user.uid, user.gid, user.name, user.home,
				 user.groups.n);
	}
}

static void refuses(void **state)
{
	static const struct { const char *spec, *why; } cases[] = {
		{ "nobody", "unable to find user nobody: no matching entries in passwd file" },
		{ "web:nogroup", "unable to find group nogroup: no matching entries in group file" },
		{ "-1", "unable to find user -1" },
		{ "+0", "unable to find user +0" },
		{ " 0", "unable to find user  0" },
		{ "0x0", "unable to find user 0x0" },
		{ "4294967295", "out of range" },
		{ "4294967296", "out of range" },
		{ "18446744073709551616", "out of range" },
		{ "0:4294967296", "out of range" },
		{ "minus", "unable to find user" },
		{ "huge", "unable to find user" },
		{ "nouid", "unable to find user" },
		{ "broken", "unable to find user" },
		{ "0:1:2", "unable to find group 1:2" },
		{ "a\x1b[2J", "unable to find user a?[2J" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct passwd_user user;

		if (passwd_resolve(arena, cases[i].spec, passwd, group, &user, &err) == 0 || !strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].spec, err.text);
	}
}

static void without_files(void **state)
{
	struct error err = { 0 };
	struct passwd_user user;

	assert_int_equal(passwd_resolve(arena, "", NULL, NULL, &user, &err), 0);
	assert_int_equal(user.uid, 0);
	assert_null(user.name);
	assert_int_equal(passwd_resolve(arena, "7:8", NULL, NULL, &user, &err), 0);
	assert_int_equal(user.gid, 8);
	assert_int_equal(passwd_resolve(arena, "root", NULL, NULL, &user, &err), -1);
}

static void lines(void **state)
{
	uint32_t gid;
	struct error err = { 0 };

	assert_true(str_starts(passwd_line_of(passwd, 33), "web:x:33"));
	assert_null(passwd_line_of(passwd, 12345));
	assert_null(passwd_line_of(NULL, 0));
	assert_true(str_starts(passwd_line_of(group, 999), "docker:"));
	assert_int_equal(passwd_group("wheel", group, &gid, &err), 0);
	assert_int_equal(gid, 10);
	assert_int_equal(passwd_group("12", NULL, &gid, &err), 0);
	assert_int_equal(gid, 12);
	assert_int_equal(passwd_group("", group, &gid, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves),
		cmocka_unit_test(refuses),
		cmocka_unit_test(without_files),
		cmocka_unit_test(lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
