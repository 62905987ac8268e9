/* Names, marks and owners: the pure part of transfer/tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "transfer/tree.h"

static void test_clean(void **state)
{
	static const char *const rows[][2] = {
		{ "a", "a" }, { "./a", "a" }, { "/a//b/", "a/b" }, { ".", "" }, { "/", "" }, { "./", "" }, { "..", "" },
		{ "../../etc/passwd", "etc/passwd" }, { "a/../b", "b" }, { "a/../../b", "b" }, { "a/b/..", "a" },
		{ "a/./b", "a/b" }, { "...", "..." }, { "a/..b", "a/..b" }, { ".a", ".a" }, { "a\nb", "a\nb" },
		{ "\xff\xfe", "\xff\xfe" },
	};
	struct tree_name room = { 0 };
	struct error err = { 0 };
	char *big;

	for (size_t i = 0; i < ELEMENTS(rows); i++)
		assert_string_equal(tree_clean(&room, rows[i][0], &err), rows[i][1]);
	big = malloc(70001);
	memset(big, 'x', 70000);
	big[70000] = '\0';
	assert_null(tree_clean(&room, big, &err));
	assert_int_equal(err.kind, ERROR_INVALID);
	for (size_t i = 1; i < 60000; i += 2)
		big[i] = '/';
	big[2000] = '\0';		/* 1000 parts */
	assert_non_null(tree_clean(&room, big, &err));
	big[2000] = 'x';
	big[2001] = '\0';
	assert_null(tree_clean(&room, big, &err));
	free(big);
	free(room.data);
}

static void test_marks(void **state)
{
	static const struct { const char *path; enum tree_mark mark; } rows[] = {
		{ "a/b", MARK_NONE }, { ".wh.a", MARK_WHITEOUT }, { "d/.wh.a", MARK_WHITEOUT }, { "d/.wh..a", MARK_WHITEOUT },
		{ ".wh..wh..opq", MARK_OPAQUE }, { "d/.wh..wh..opq", MARK_OPAQUE }, { "d/.wh..wh.plnk", MARK_IGNORED },
		{ ".wh..wh.plnk/1.2", MARK_IGNORED }, { ".wh.", MARK_INVALID }, { "d/.wh..", MARK_INVALID },
		{ "d/.wh...", MARK_INVALID }, { "d/.wh....", MARK_WHITEOUT }, { ".wh", MARK_NONE },
		{ ".wh.d/a", MARK_INVALID }, { "a/.wh.d/b/c", MARK_INVALID }, { "a/.wh..wh.x/b", MARK_IGNORED },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++)
		assert_int_equal(tree_mark_of(rows[i].path), rows[i].mark);
}

static void test_xattrs(void **state)
{
	static const struct { const char *name; bool kept; } rows[] = {
		{ "user.mime_type", true }, { "user.overlay.opaque", false }, { "user.overlay.redirect", false },
		{ "user.fuseoverlayfs.origin", false }, { "user.bryo.sha256", false }, { "trusted.overlay.opaque", false }, { "trusted.x", false },
		{ "security.selinux", false }, { "security.capability", true }, { "system.posix_acl_access", true },
		{ "system.nfs4_acl", false }, { "other", false },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++)
		assert_int_equal(tree_xattr_is_kept(rows[i].name), rows[i].kept);
}

static void test_owners(void **state)
{
	static const int64_t ranges[] = { 0, 1000, 2000, 10 };
	static const struct { int64_t uid, gid; bool squash; int kind; } rows[] = {
		{ 0, 0, false, 0 }, { 999, 2009, false, 0 }, { 1000, 0, false, ERROR_DENIED }, { 0, 2010, false, ERROR_DENIED },
		{ 70000, 70000, true, 0 }, { -1, 0, true, ERROR_INVALID }, { 0, 4294967295, true, ERROR_INVALID },
		{ 4294967296, 0, false, ERROR_INVALID },
	};

	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct tree_options o = { .squash_owner = rows[i].squash, .uids = { ranges, 4 }, .gids = { ranges, 4 },
					  .user = "ana", .free_id = 300000 };
		struct tree_entry e = { .path = "x/y", .uid = rows[i].uid, .gid = rows[i].gid };
		struct error err = { 0 };

		assert_int_equal(tree_check_owner(&o, &e, &err), rows[i].kind ? -1 : 0);
		assert_int_equal(err.kind, rows[i].kind);
		if (rows[i].kind == ERROR_DENIED) {
			assert_non_null(strstr(err.text, "/x/y"));
			assert_non_null(strstr(err.text, "0..999, 2000..2009"));
			assert_non_null(strstr(err.hint, rows[i].gid < 2010 ? "needs ids up to 1000" : "needs ids up to 2010, 1 more than there are"));
			if (rows[i].gid == 2010)
				assert_non_null(strstr(err.hint, "usermod --add-subuids 300000-365535 --add-subgids 300000-365535 ana"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean), cmocka_unit_test(test_marks), cmocka_unit_test(test_xattrs),
		cmocka_unit_test(test_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
