/* verdicts in words: the golden texts of test/golden/explain, and the picture of the id map */
#include "cli/explain_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/string.h"
#include "sys/fd.h"
#include <fcntl.h>

static struct arena *arena;
static const struct explain_style plain = { .user = "ana" }, drawn = { .utf8 = true, .user = "ana" };

static struct id_map map_of(const char *text)
{
	struct id_map map = { 0 };
	struct error err = { 0 };

	assert_int_equal(idmap_parse(arena, text, &map, &err), 0);
	return map;
}

static struct verdict_subject subject_of(uint32_t uid, uint32_t host_uid, const char *map)
{
	struct verdict_subject s = { .uid = uid, .gid = uid, .host_uid = host_uid, .host_gid = host_uid, .user_uid = 1000,
				     .user_gid = 1000 };

	s.maps.uid = s.maps.gid = map_of(map);
	s.rootless.uid = s.rootless.gid = map_of("0 1000 1\n1 100000 65536\n");
	return s;
}

static void add_block(struct verdict *v, struct verdict_block b)
{
	*ARRAY_ADD(arena, &v->blocks) = b;
	v->kind = VERDICT_DENIED;
	v->reason = v->blocks.v[0].reason;
	v->sys = v->blocks.v[0].sys;
}

/* UPDATE=1 writes the file anew. */
static void check(const char *name, const struct verdict *v, const struct explain_style *style)
{
	const char *path = arena_printf(arena, "%s/%s.txt", getenv("GOLDEN"), name);
	char *text = explain_text(arena, v, style);

	if (getenv("UPDATE")) {
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0);
		close(fd);
	}
	assert_string_equal(text, fd_read_file(arena, AT_FDCWD, path, 65536, NULL));
}

static struct verdict shifted(void)
{
	struct verdict v = { .access = (char *)"write", .path = (char *)"/data", .host_path = (char *)"/home/ana/data" };

	v.subject = subject_of(1000, 100999, "0 1000 1\n1 100000 65536\n");
	add_block(&v, (struct verdict_block){ .reason = REASON_UID_SHIFT, .sys = EACCES, .certain = true, .container = (char *)"/data",
		.host = (char *)"/home/ana/data", .mode = S_IFDIR | 0755, .host_uid = 1000, .host_gid = 1000, .class = CLASS_OTHER,
		.has = 5, .wants = 2 });
	*ARRAY_ADD(arena, &v.fixes) = (struct verdict_fix){ .id = (char *)"keep-id",
		.run = (char *)"bryo run --userns=keep-id:uid=1000,gid=1000 img", .effect = (char *)"files stay yours" };
	*ARRAY_ADD(arena, &v.fixes) = (struct verdict_fix){ .id = (char *)"group", .run = (char *)"bryo run --user 1000:0 img",
		.host = (char *)"chmod g+rwxs /home/ana/data" };
	strings_add(arena, &v.not_fixes, ":Z");
	return v;
}

static void a_shifted_user(void **state)
{
	struct verdict v = shifted();

	(void)state;
	check("uid-shift", &v, &drawn);
	check("uid-shift-ascii", &v, &plain);
}

static void several_things_in_the_way(void **state)
{
	struct verdict v = shifted();

	(void)state;
	v.fixes.n = v.not_fixes.n = 0;
	add_block(&v, (struct verdict_block){ .reason = REASON_HOST_MOUNT_RO, .sys = EROFS, .certain = true, .container = (char *)"/data",
		.host = (char *)"/home/ana/data", .detail = (char *)"/home is mounted read-only" });
	add_block(&v, (struct verdict_block){ .reason = REASON_SELINUX_LABEL, .sys = EACCES, .container = (char *)"/data\033[2J" });
	check("several", &v, &plain);
}

static void an_id_that_is_the_users_own(void **state)
{
	struct verdict v = shifted();

	(void)state;
	v.subject = subject_of(1000, 1000, "0 100000 1000\n1000 1000 1\n1001 101000 64536\n");
	v.blocks.v[0].reason = v.reason = REASON_UNMAPPED_OWNER;
	v.blocks.v[0].host_uid = v.blocks.v[0].host_gid = 0;
	v.blocks.v[0].uid = v.blocks.v[0].gid = 65534;
	v.fixes.n = 1;
	v.fixes.v[0] = (struct verdict_fix){ .id = (char *)"admin", .admin = (char *)"setfacl -m u:1000:rwX /srv" };
	check("keep-id-unmapped", &v, &drawn);
}

static void the_user_himself(void **state)
{
	struct verdict v = { .access = (char *)"unlink", .path = (char *)"/home/ana/q/x" };

	(void)state;
	v.subject = subject_of(1000, 1000, "");
	v.subject.on_host = true;
	add_block(&v, (struct verdict_block){ .reason = REASON_SUBUID_OWNED, .sys = EACCES, .certain = true, .is_parent = true,
		.host = (char *)"/home/ana/q", .mode = S_IFDIR | S_ISVTX | 0755, .host_uid = 100032, .host_gid = 100032,
		.class = CLASS_OTHER, .has = 5, .wants = 3 });
	*ARRAY_ADD(arena, &v.fixes) = (struct verdict_fix){ .id = (char *)"unshare-rm", .host = (char *)"bryo unshare rm /home/ana/q/x" };
	check("host", &v, &drawn);
}

static void what_is_allowed_and_what_cannot_be_told(void **state)
{
	struct verdict v = { .access = (char *)"read", .path = (char *)"/data" };

	(void)state;
	v.subject = subject_of(0, 1000, "0 1000 1\n1 100000 65536\n");
	check("allowed", &v, &plain);
	v.kind = VERDICT_UNKNOWN;
	v.reason = REASON_CANNOT_TELL;
	strings_add(arena, &v.notes, "the server has the last word");
	check("unknown", &v, &plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shifted_user),
		cmocka_unit_test(several_things_in_the_way),
		cmocka_unit_test(an_id_that_is_the_users_own),
		cmocka_unit_test(the_user_himself),
		cmocka_unit_test(what_is_allowed_and_what_cannot_be_told),
	};

	arena = arena_new();
	return cmocka_run_group_tests_name("cli/explain_text", tests, NULL, NULL);
}
