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
	return arena_printf(arena, "%s %s %s %s [%s]%s%s%s%s%s%s%s%s%s%s%s%s", m->type, m->name ? m->name : "-", m->source ? m->source : "-",
			    m->destination, strings_join(arena, &m->options, ","), m->read_only ? " ro" : "",
			    m->chown ? " chown" : "", m->overlay ? " overlay" : "", m->anonymous ? " anonymous" : "",
			    m->relabel ? " " : "", m->relabel ? m->relabel : "", m->subpath ? " part " : "",
			    m->subpath ? m->subpath : "", m->upper ? " upper " : "", m->upper ? m->upper : "",
			    m->work ? " work " : "", m->work ? m->work : "");
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
		{ "/src:/data:ro,ro,rprivate,rprivate", "bind - /src /data [rprivate] ro" },
		{ "/src:/data:ro,rw", "!invalid options \"ro, rw\": only one of rw and ro" },
		{ "/src:/data:exec,noexec", "!only one of exec and noexec" },
		{ "/src:/data:suid,nosuid", "!only one of suid" },
		{ "/src:/data:nodev,dev", "!only one of dev" },
		{ "/src:/data:bind,rbind", "!only one of bind" },
		{ "/src:/data:shared,rslave", "!only one of [r]shared" },
		{ "db:/data:copy,nocopy", "!only one of copy" },
		{ "/src:/data:Z,O", "!only one of z, Z and O" },
		{ "/src:/data:O,ro", "!not with ro" },
		{ "/src:/data:O,noexec", "!not with noexec" },
		{ "/src:/data:O,U,upperdir=/u,workdir=w", "bind - /src /data [] chown overlay upper /u work /here/w" },
		{ "/src:/data:O,upperdir=/u", "!one of them is missing" },
		{ "/src:/data:upperdir=/u,workdir=/w", "!add O" },
		{ "/src:/data:O,upperdir=", "!needs a value" },
		{ "/src:/data:idmap", "bind - /src /data [idmap]" },
		{ "/src:/data:idmap=uids=0-1-10#10-11-10;gids=0-1-10", "bind - /src /data [idmap=uids=0-1-10#10-11-10;gids=0-1-10]" },
		{ "/src:/data:ro=true", "!takes no value" },
		{ "/src:/data:size=1m", "!invalid option type \"size=1m\"" },
		{ "/src:/data:tmpcopyup", "!means nothing to a mount of type bind" },
		{ "db:/data:subpath=x", "!an option of --mount" },
		{ "/a\\:b:/c\\:d", "bind - /a:b /c:d []" },
		{ "dir/sub:/data", "!neither a path nor a volume name" },
		{ "/src:/data:z,U,rshared,noexec", "bind - /src /data [rshared,noexec] chown shared" },
		{ "db:/data:Z", "volume db - /data [] private" },
		{ "/src:/data:z,Z", "!invalid options \"z, Z\"" },
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
		{ "type=bind,src=/a,dst=/b,bind-nonrecursive,noexec=true,suid=false", "bind - /a /b [bind,noexec,nosuid]" },
		{ "type=bind,src=/a,dst=/b,readonly=maybe", "!it must be true or false" },
		{ "type=bind,\"src=/a,b\",dst=/c", "bind - /a,b /c []" },
		{ "type=bind,\"src=/a\"\"b\",dst=/c", "bind - /a\"b /c []" },
		{ "ro,dst=/b,src=/a,type=bind", "bind - /a /b [] ro" },
		{ "type=bind,src=/a,dst=/b,ro,rw", "!only one of rw and ro" },
		{ "type=bind,src=/a,dst=/b,subpath=x", "!means nothing to a mount of type bind" },
		{ "type=volume,src=v,dst=/b,subpath=../x,nocopy", "volume v - /b [nocopy] part ../x" },
		{ "type=volume,src=v,dst=/b,volume-subpath=x", "volume v - /b [] part x" },
		{ "type=volume,src=v,dst=/b,subpath=x,O", "!not with subpath" },
		{ "type=volume,src=a/b,dst=/b", "!is no volume name" },
		{ "type=image,src=alpine:3,dst=/i", "image alpine:3 alpine:3 /i [] ro" },
		{ "type=image,src=alpine:3,dst=/i,rw=true", "image alpine:3 alpine:3 /i []" },
		{ "type=image,src=alpine:3,dst=/i,subpath=/etc", "image alpine:3 alpine:3 /i [] ro part /etc" },
		{ "type=image,src=a,dst=/i,U", "!means nothing to a mount of type image" },
		{ "type=image,dst=/i", "!must set source" },
		{ "type=glob,src=lib/*.so,dst=/l,ro", "glob - /here/lib/*.so /l [] ro" },
		{ "type=tmpfs,dst=/t,notmpcopyup,nr_inodes=10k,uid=5,gid=6,mode=0700,noexec,U",
		  "tmpfs - tmpfs /t [notmpcopyup,nr_inodes=10k,uid=5,gid=6,mode=0700,noexec] chown" },
		{ "type=tmpfs,dst=/t,tmpcopyup,notmpcopyup", "!only one of tmpcopyup" },
		{ "type=tmpfs,dst=/t,size=lots", "!no size such as 64m" },
		{ "type=tmpfs,dst=/t,size=50%", "tmpfs - tmpfs /t [size=50%]" },
		{ "type=tmpfs,dst=/t,mode=9", "!no octal mode" },
		{ "type=tmpfs,dst=/t,uid=root", "!no number" },
		{ "type=tmpfs,src=/a,dst=/t", "!has no source" },
		{ "type=tmpfs,dst=/t,O", "!means nothing to a mount of type tmpfs" },
		{ "type=ramfs,dst=/t,mode=700", "ramfs - ramfs /t [mode=700]" },
		{ "type=devpts,dst=/p,uid=1,gid=2,mode=620,max=9", "devpts - devpts /p [uid=1,gid=2,mode=620,max=9]" },
		{ "type=devpts,dst=/p,size=1m", "!invalid option type" },
		{ "type=bind,dst=/b", "!must set source" },
		{ "type=bind,src=/a", "!must set volume destination" },
		{ "type=nfs,src=/a,dst=/b", "!invalid filesystem type \"nfs\"" },
		{ "type=bind,src=/a,dst=/b,nonsense=1", "!invalid mount option" },
	};

	check(mounts_parse_mount, cases, ELEMENTS(cases));
}

static int parse_tmpfs(struct arena *a, const char *text, const char *cwd, struct mount_list *ret, struct error *err)
{
	return mounts_parse_tmpfs(a, text, ret, err);
}

static void tmpfs(void **state)
{
	static const struct parse_case cases[] = {
		{ "/t", "tmpfs - tmpfs /t []" },
		{ "/t:rw,noexec,nosuid,size=65536k", "tmpfs - tmpfs /t [noexec,nosuid,size=65536k]" },
		{ "/t:ro,U,mode=1770", "tmpfs - tmpfs /t [mode=1770] ro chown" },
		{ "/t:notmpcopyup,nr_inodes=5", "tmpfs - tmpfs /t [notmpcopyup,nr_inodes=5]" },
		{ "/t:bogus", "!invalid option type \"bogus\"" },
		{ "t", "!must be an absolute path" },
	};

	check(parse_tmpfs, cases, ELEMENTS(cases));
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
		cmocka_unit_test(tmpfs),
		cmocka_unit_test(devices),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
