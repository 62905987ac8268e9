#include "explain/fix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sys/caps.h"
#include "world.h"

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

/* Who a changed request makes of the process: as the engine decides it, over the world's maps. */
static int process_of(void *context, const struct create_request *r, struct access_process *ret, struct error *err)
{
	const struct access_facts *f = context;
	const char *uid = r->userns ? str_after(r->userns, "keep-id:uid=") : NULL;
	char *end = NULL;

	*ret = f->process;
	if (r->user) {
		ret->uid = (uint32_t)strtoul(r->user, &end, 10);
		ret->gid = (uint32_t)strtoul(end + 1, NULL, 10);
	}
	if (uid) {		/* the world keeps 1000 */
		ret->maps = world_facts(arena, "keep", "0:0", "read", "/x").process.maps;
		assert_int_equal(strtoul(uid, NULL, 10), 1000);
	}
	ret->host_uid = idmap_to_outside(&ret->maps.uid, ret->uid);
	ret->host_gid = idmap_to_outside(&ret->maps.gid, ret->gid);
	if (r->group_add.n)
		ret->host_groups = f->user_groups;
	ret->capabilities = ret->uid == 0 && !r->cap_drop.n ? CAPS_BIT(caps_number("DAC_OVERRIDE")) | CAPS_BIT(caps_number("FOWNER")) |
			    CAPS_BIT(caps_number("CHOWN")) : 0;
	for (size_t i = 0; i < r->cap_add.n; i++)
		ret->capabilities |= CAPS_BIT(caps_number(r->cap_add.v[i]));
	return 0;
}

static struct verdict propose(struct access_facts *f, const char *line)
{
	static struct create_request request;
	struct fix_source source = { .home = "/home/ana", .process = process_of, .context = f };
	struct verdict v;

	request = (struct create_request){ 0 };
	source.line.words = strings_split(arena, line, " ");
	source.line.image_at = source.line.words.n - 1;
	if (!f->on_host)
		source.request = &request;
	access_decide(arena, f, &v);
	fix_propose(arena, f, &source, &v);
	return v;
}

static char *ids_of(const struct verdict *v)
{
	struct strings ids = { 0 };

	for (size_t i = 0; i < v->fixes.n; i++)
		strings_addf(arena, &ids, "%s%s", v->fixes.v[i].id, v->fixes.v[i].admin ? "!" : "");
	return ids.n ? strings_join(arena, &ids, " ") : "none";
}

/* The one mount that all nodes of the world are on. */
static void mount_at(struct access_facts *f, char *path)
{
	struct access_mount *m = arena_memdup(arena, f->path.target.mount, sizeof(*m));

	m->container = m->host = path;
	f->path.target.mount = m;
	for (size_t i = 0; i < f->path.searched.n; i++)
		f->path.searched.v[i].mount = m;
}

struct fix_case { const char *map, *process, *op, *path, *line, *expect; };

static void the_right_ones_in_the_right_order(void **state)
{
	static const struct fix_case cases[] = {
		{ "default", "1000:1000", "create", "/d 1000:1000 d0755;/d/f", "-v /d:/d img",
		  "keep-id drop-user acl group-write chown-volume unshare-chown" },
		{ "default", "0:0 DAC_OVERRIDE", "create", "/d 0:0 d0755;/d/f", "-v /d:/d img", "admin-acl! admin-chown!" },
		{ "default", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 5:2001 f0660", "-v /d:/d img", "keep-groups" },
		{ "default", "0:0 DAC_OVERRIDE", "write", "/d 1000:1000 d0755 ro;/d/f 1000:1000 f0644", "-v /d:/d:ro img",
		  "writable-mount" },
		{ "default", "0:0 DAC_OVERRIDE", "write", "/d 1000:1000 d0755 locked;/d/f 1000:1000 f0644", "-v /d:/d img",
		  "admin-remount!" },
		{ "default", "0:0 DAC_OVERRIDE", "unlink", "/d 1000:1000 d0755;/d/f 1000:1000 f0644 i", "-v /d:/d img",
		  "admin-chattr!" },
		{ "default", "0:0 DAC_OVERRIDE", "exec", "/d 1000:1000 d0755;/d/f 1000:1000 f0644", "-v /d:/d img", "mode" },
		/* several faults at once: as few as are needed */
		{ "default", "1000:1000", "create", "/d 1000:1000 d0755 ro;/d/f", "-v /d:/d:ro img",
		  "writable-mount+keep-id writable-mount+drop-user writable-mount+acl writable-mount+group-write "
		  "writable-mount+chown-volume writable-mount+unshare-chown" },
		/* what nobody can help with */
		{ "default", "0:0 DAC_OVERRIDE", "unlink", "/d 1000:1000 d0755;/d/f 1000:1000 f0644 covered", "-v /d:/d img", "none" },
		{ "default", "0:0 DAC_OVERRIDE", "read", "/d 1000:1000 d0755;/d/f", "-v /d:/d img", "none" },
		/* the user himself */
		{ "host", "1000:1000", "unlink", "/d 100999:100999 d0755;/d/f 100999:100999 f0644", "img",
		  "unshare-rm unshare-acl unshare-chown-back" },
		{ "host", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 100999:100999 f0644", "img", "unshare-acl unshare-chown-back" },
		{ "host", "1000:1000", "write", "/d 1000:1000 d0755;/d/f 1000:1000 f0444", "img", "mode" },
		{ "host", "1000:1000", "write", "/d 0:0 d0755;/d/f 0:0 f0644", "img", "admin-acl! admin-chown!" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		const struct fix_case *c = &cases[i];
		struct access_facts f = world_facts(arena, c->map, c->process, c->op, c->path);
		struct verdict v;

		mount_at(&f, "/d");
		v = propose(&f, c->line);
		if (strcmp(ids_of(&v), c->expect) != 0)
			fail_msg("%s as %s: %s:\n  %s\nand not\n  %s", c->op, c->process, c->path, ids_of(&v), c->expect);
	}
}

static void lines_can_be_pasted(void **state)
{
	struct access_facts f = world_facts(arena, "default", "1000:1000", "create", "/d 1000:1000 d0755;/d/f");
	struct verdict v = propose(&f, "--user 1000:1000 img");

	assert_string_equal(v.fixes.v[0].run, "bryo run --user 1000:1000 --userns=keep-id:uid=1000,gid=1000 img");
	assert_string_equal(v.fixes.v[1].run, "bryo run --user=0:0 img");
	assert_string_equal(v.fixes.v[1].run_drop.v[0], "--user 1000:1000");
	assert_string_equal(v.fixes.v[2].host, "setfacl -R -m u:100999:rwX -m d:u:100999:rwX,d:u:1000:rwX /d");
	assert_null(v.fixes.v[2].run);
	assert_true(v.not_fixes.n > 0);
}

/* Not the whole home for one file in it, nor anything for everybody. */
static void nothing_harmful(void **state)
{
	static const char *const paths[] = { "/home/ana 1000:1000 d0755;/home/ana/f", "/ 1000:1000 d0700;/f 1000:1000 f0600" };

	for (size_t i = 0; i < ELEMENTS(paths); i++) {
		struct access_facts f = world_facts(arena, "default", "1000:1000", i ? "read" : "create", paths[i]);
		struct verdict v = propose(&f, "-v ~:/home/ana img");

		assert_true(v.fixes.n > 0);
		for (size_t k = 0; k < v.fixes.n; k++) {
			const char *host = v.fixes.v[k].host ? v.fixes.v[k].host : "", *run = v.fixes.v[k].run ? v.fixes.v[k].run : "";

			if (strstr(host, "-R") || strstr(host, "777") || strstr(host, "o+") || strstr(host, "a+") || strstr(host, "sudo") ||
			    strstr(run, ":U") || strstr(run, "privileged") || strstr(run, "disable"))
				fail_msg("%s: %s %s", paths[i], host, run);
		}
	}
}

static void the_systems_files_stay_its_own(void **state)
{
	static const char *const paths[] = { "/etc 0:0 d0755;/etc/passwd 0:0 f0644", "/ 0:0 d0755;/tmp 0:0 d0755;/tmp/f" };

	for (size_t i = 0; i < ELEMENTS(paths); i++) {
		struct access_facts f = world_facts(arena, "host", "1000:1000", "create", paths[i]);
		struct verdict v = propose(&f, "img");

		assert_string_equal(ids_of(&v), "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_ones_in_the_right_order),
		cmocka_unit_test(lines_can_be_pasted),
		cmocka_unit_test(nothing_harmful),
		cmocka_unit_test(the_systems_files_stay_its_own),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
