#include "engine/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

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

/* "type name source destination options [ro] [chown] [overlay]", or the error's beginning after '!'. */
static char *describe(const struct container_mount *m)
{
	return arena_printf(arena, "%s %s %s %s [%s]%s%s%s%s%s%s", m->type, m->name ? m->name : "-", m->source ? m->source : "-",
			    m->destination, strings_join(arena, &m->options, ","), m->read_only ? " ro" : "",
			    m->chown ? " chown" : "", m->overlay ? " overlay" : "", m->anonymous ? " anonymous" : "",
			    m->relabel ? " " : "", m->relabel ? m->relabel : "");
}

typedef int (*parser)(struct arena *arena, const char *text, const char *cwd, struct mount_list *ret, struct error *err);
struct parse_case { const char *text, *expect; };

static void check(parser parse, const struct parse_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct mount_list list = { 0 };
		struct error err = { 0 };
		int r = parse(arena, cases[i].text, "/here", &list, &err);

		if (*cases[i].expect == '!') {
			assert_int_equal(r, -1);
			if (!strstr(err.text, cases[i].expect + 1))
				fail_msg("%s: %s", cases[i].text, err.text);
			assert_int_equal(list.n, 0);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(describe(&list.v[0]), cases[i].expect);
	}
}

static void volumes(void **state)
{
	static const struct parse_case cases[] = {
		{ "/data", "volume - - /data [] anonymous" },
		{ "/src:/data", "bind - /src /data []" },
		{ "./src:/data//x/./y/", "bind - /here/./src /data/x/y []" },
		{ "db:/data", "volume db - /data []" },
		{ "/src:/data:ro", "bind - /src /data [] ro" },
		{ "/src:/data:ro,rw", "bind - /src /data []" },
		{ "/src:/data:z,U,rshared,noexec", "bind - /src /data [rshared,noexec] chown shared" },
		{ "db:/data:Z", "volume db - /data [] private" },
		{ "/src:/data:z,Z", "bind - /src /data [] private" },
		{ "/src:/data:O", "bind - /src /data [] overlay" },
		{ "db:/data:nocopy", "volume db - /data [nocopy]" },
		{ "/src:/data:bogus", "!invalid option type \"bogus\"" },
		{ "/src:data", "!must be an absolute path" },
		{ "/src:/", "!the root itself" },
		{ "a b:/data", "!neither a path nor a volume name" },
		{ "a:b:c:d", "!SOURCE:" },
		{ "", "!SOURCE:" },
		{ ":/x", "!SOURCE:" },
		{ "/x:", "!SOURCE:" },
	};

	check(mounts_parse_volume, cases, ELEMENTS(cases));
}

static void long_form(void **state)
{
	static const struct parse_case cases[] = {
		{ "type=bind,src=/a,dst=/b", "bind - /a /b []" },
		{ "type=bind,source=a,target=/b,readonly", "bind - /here/a /b [] ro" },
		{ "type=bind,src=/a,dst=/b,ro=false,bind-propagation=rslave", "bind - /a /b [rslave]" },
		{ "type=volume,src=v,dst=/b,U=true", "volume v - /b [] chown" },
		{ "type=volume,dst=/b", "volume - - /b [] anonymous" },
		{ "src=v,dst=/b", "volume v - /b []" },
		{ "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700", "tmpfs - tmpfs /t [size=1m,mode=700]" },
		{ "type=bind,src=/a,dst=/b,relabel=private", "bind - /a /b [] private" },
		{ "type=bind,src=/a,dst=/b,z", "bind - /a /b [] shared" },
		{ "type=bind,src=/a,dst=/b,relabel=no", "!shared or private" },
		{ "type=bind,src=/a,dst=/b,relabel", "!shared or private" },
		{ "type=bind,dst=/b", "!must set source" },
		{ "type=bind,src=/a", "!must set volume destination" },
		{ "type=nfs,src=/a,dst=/b", "!invalid filesystem type \"nfs\"" },
		{ "type=bind,src=/a,dst=/b,nonsense=1", "!invalid mount option" },
	};

	check(mounts_parse_mount, cases, ELEMENTS(cases));
}

static void devices(void **state)
{
	static const struct { const char *text, *host, *container, *access; } cases[] = {
		{ "/dev/fuse", "/dev/fuse", "/dev/fuse", "rwm" },
		{ "/dev/fuse:/dev/x", "/dev/fuse", "/dev/x", "rwm" },
		{ "/dev/fuse:/dev/x:r", "/dev/fuse", "/dev/x", "r" },
		{ "/dev/fuse:rw", "/dev/fuse", "/dev/fuse", "rw" },
		{ "fuse", NULL }, { "/dev/fuse:/dev/x:q", NULL }, { "a:b:c:d", NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct device_list list = { 0 };
		struct error err = { 0 };

		if (!cases[i].host) {
			assert_int_equal(mounts_parse_device(arena, cases[i].text, &list, &err), -1);
			continue;
		}
		assert_int_equal(mounts_parse_device(arena, cases[i].text, &list, &err), 0);
		assert_string_equal(list.v[0].host, cases[i].host);
		assert_string_equal(list.v[0].container, cases[i].container);
		assert_string_equal(list.v[0].access, cases[i].access);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(volumes),
		cmocka_unit_test(long_form),
		cmocka_unit_test(devices),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
