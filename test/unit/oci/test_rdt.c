#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oci/rdt.h"
#include "sys/fd.h"

/* --- a directory that behaves as resctrl: a new group has its files, and goes with them */

int __real_mkdirat(int dirfd, const char *path, mode_t mode);
int __wrap_mkdirat(int dirfd, const char *path, mode_t mode);
int __real_rmdir(const char *path);
int __wrap_rmdir(const char *path);
int __real_unlinkat(int dirfd, const char *path, int flags);
int __wrap_unlinkat(int dirfd, const char *path, int flags);

static int room;			/* for how many groups more */

static void make_file(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

int __wrap_mkdirat(int dirfd, const char *path, mode_t mode)
{
	_cleanup_fd_ int fd = -1;

	if (room-- <= 0) {
		errno = ENOSPC;
		return -1;
	}
	if (__real_mkdirat(dirfd, path, mode) < 0)
		return -1;
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(fd, "tasks", "");
	if (!strchr(path, '/')) {
		make_file(fd, "schemata", "");
		__real_mkdirat(fd, "mon_groups", 0755);
	}
	return 0;
}

int __wrap_rmdir(const char *path)
{
	return fd_remove_tree(AT_FDCWD, path);
}

/* fd_remove_tree itself must go on removing files one by one. */
int __wrap_unlinkat(int dirfd, const char *path, int flags)
{
	static bool inside;
	int result;

	if (!(flags & AT_REMOVEDIR) || inside)
		return __real_unlinkat(dirfd, path, flags);
	inside = true;
	result = fd_remove_tree(dirfd, path);
	inside = false;
	return result;
}

static struct arena *arena;
static char root[64];

static int enter(void **state)
{
	_cleanup_fd_ int fd = -1;

	(void)state;
	arena = arena_new();
	room = 100;
	snprintf(root, sizeof(root), "/tmp/rdt.XXXXXX");
	assert_non_null(mkdtemp(root));
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(fd, "tasks", "");
	make_file(fd, "schemata", "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n");
	__real_mkdirat(fd, "mon_groups", 0755);
	__real_mkdirat(fd, "info", 0755);
	__real_mkdirat(fd, "info/MB", 0755);
	make_file(fd, "info/MB/bandwidth_gran", "10\n");
	make_file(fd, "info/last_cmd_status", "ok\n");
	return 0;
}

static int leave(void **state)
{
	(void)state;
	arena_free(arena);
	return fd_remove_tree(AT_FDCWD, root);
}

static const char *content(const char *name)
{
	const char *text = fd_read_file(arena, AT_FDCWD, arena_printf(arena, "%s/%s", root, name), 4096, NULL);

	return text ? text : "(none)";
}

static bool exists(const char *name)
{
	return access(arena_printf(arena, "%s/%s", root, name), F_OK) == 0;
}

static void make_class(const char *name, const char *schemata)
{
	char *path = arena_printf(arena, "%s/%s", root, name);
	_cleanup_fd_ int fd = -1;

	assert_int_equal(mkdir(path, 0755), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_file(fd, "tasks", "");
	make_file(fd, "schemata", schemata);
	assert_int_equal(__real_mkdirat(fd, "mon_groups", 0755), 0);
}

static char *made, *text;

static int join(const struct oci_intel_rdt *r)
{
	struct error err = { 0 };
	int result;

	made = NULL;
	result = rdt_join_at(arena, root, r, "box", 77, &made, &err);
	text = arena_strdup(arena, err.text);
	return result;
}

/* --- what is asked for */

static void checks_its_words(void **state)
{
	static const struct { const char *class, *bandwidth, *line, *error; } cases[] = {
		{ NULL, NULL, NULL, NULL },
		{ "/", "MB:0=10", "L3:0=f", NULL },
		{ "gold", NULL, NULL, NULL },
		{ "a/b", NULL, NULL, ".linux.intelRdt.closID: it is not the name of one directory" },
		{ "..", NULL, NULL, ".linux.intelRdt.closID: it is not the name of one directory" },
		{ ".", NULL, NULL, ".linux.intelRdt.closID: it is not the name of one directory" },
		{ "a\nb", NULL, NULL, ".linux.intelRdt.closID: it is not the name of one directory" },
		{ NULL, "L3:0=1", NULL, ".linux.intelRdt.memBwSchema: it does not begin with \"MB:\"" },
		{ NULL, "MB:0=1\nL3:0=1", NULL, ".linux.intelRdt.memBwSchema: it is more than one line" },
		{ NULL, NULL, "L3:0=1\nL2:0=1", ".linux.intelRdt.schemata[0]: it is not one line" },
		{ NULL, NULL, "", ".linux.intelRdt.schemata[0]: it is not one line" },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct oci_intel_rdt r = { .clos_id = (char *)cases[i].class, .mem_bw_schema = (char *)cases[i].bandwidth };
		struct error err = { 0 };

		if (cases[i].line)
			strings_add(arena, &r.schemata, cases[i].line);
		assert_int_equal(rdt_check(&r, &err), cases[i].error ? -1 : 0);
		assert_string_equal(err.text, cases[i].error ? cases[i].error : "");
	}
}

static void compares_values_not_texts(void **state)
{
	static const char file[] = "    MB:0= 30;1=100\n    L3:0=7f0;1=01f\nL3CODE:0=1\n";
	static const struct { const char *wanted, *missing; uint64_t granularity; } cases[] = {
		{ "L3:0=7f0;1=1f", NULL, 0 },
		{ "L3:1=1F;0=0x7f0", NULL, 0 },
		{ "L3:0=7f0", NULL, 0 },
		{ "L3:0=7f0;", NULL, 0 },
		{ "L3:0=7f0;1=1f\nL3CODE:0=1", NULL, 0 },
		{ "L3:0=7f0;1=f", "L3:0=7f0;1=f", 0 },
		{ "L3:0=7f0;2=1f", "L3:0=7f0;2=1f", 0 },
		{ "L3:0=7f0\nL2:0=1", "L2:0=1", 0 },
		{ "L3:0", "L3:0", 0 },
		{ "L3", "L3", 0 },
		{ "L3:0=7fz", "L3:0=7fz", 0 },
		{ "MB:0=30", NULL, 10 },
		{ "MB:0=25;1=91", NULL, 10 },
		{ "MB:0=25", "MB:0=25", 0 },
		{ "MB:0=20", "MB:0=20", 10 },
		{ "MB:0=18446744073709551615", "MB:0=18446744073709551615", 10 },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		const char *line = NULL;
		bool is = rdt_is_as_wanted(arena, file, cases[i].wanted, cases[i].granularity, &line);

		assert_int_equal(is, !cases[i].missing);
		if (cases[i].missing)
			assert_string_equal(line, cases[i].missing);
	}
}

/* --- groups */

static void makes_a_class_of_its_own(void **state)
{
	struct oci_intel_rdt r = { .l3_cache_schema = (char *)"L3:0=f\nMB:0=10", .mem_bw_schema = (char *)"MB:0=20" };

	(void)state;
	strings_add(arena, &r.schemata, "L2:0=1");
	strings_add(arena, &r.schemata, "L2:1=3");
	if (join(&r) < 0)
		fail_msg("%s", text);
	assert_string_equal(content("box/tasks"), "77");
	assert_string_equal(made, arena_printf(arena, "%s/box", root));
	/* Each value in a write of its own: what stays in a plain file is the last one. */
	assert_string_equal(content("box/schemata"), "L2:0=1\nL2:1=3\n");
	assert_int_equal(rdt_follow_at(arena, root, &r, "box", 78, NULL), 0);
	assert_string_equal(content("box/tasks"), "78");
	rdt_remove(made);
	assert_false(exists("box"));
	rdt_remove(NULL);
}

static void makes_a_named_class_and_leaves_it(void **state)
{
	struct oci_intel_rdt r = { .clos_id = (char *)"gold", .mem_bw_schema = (char *)"MB:0=20" };

	(void)state;
	if (join(&r) < 0)
		fail_msg("%s", text);
	assert_string_equal(content("gold/schemata"), "MB:0=20\n");
	assert_string_equal(content("gold/tasks"), "77");
	assert_null(made);
}

static void uses_a_class_that_is_as_wanted(void **state)
{
	struct oci_intel_rdt r = { .clos_id = (char *)"gold", .mem_bw_schema = (char *)"MB:0=15",
				   .l3_cache_schema = (char *)"L3:0=f" };

	(void)state;
	make_class("gold", "MB:0=20;1=100\nL3:0=00f;1=fff\n");
	if (join(&r) < 0)
		fail_msg("%s", text);
	assert_string_equal(content("gold/schemata"), "MB:0=20;1=100\nL3:0=00f;1=fff\n");
	assert_null(made);
	r.l3_cache_schema = (char *)"L3:0=1";
	assert_int_equal(join(&r), -1);
	assert_string_equal(text, arena_printf(arena, ".linux.intelRdt.l3CacheSchema: the class of service %s/gold exists, and has "
					       "not \"L3:0=1\"", root));
}

static void needs_a_named_class_without_schemata(void **state)
{
	struct oci_intel_rdt r = { .clos_id = (char *)"gold" };

	(void)state;
	assert_int_equal(join(&r), -1);
	assert_string_equal(text, arena_printf(arena, ".linux.intelRdt.closID: there is no class of service %s/gold", root));
	make_class("gold", "x\n");
	assert_int_equal(join(&r), 0);
	assert_string_equal(content("gold/tasks"), "77");
	assert_string_equal(content("gold/schemata"), "x\n");
	assert_null(made);
}

static void knows_the_default_class(void **state)
{
	struct oci_intel_rdt r = { .clos_id = (char *)"/", .l3_cache_schema = (char *)"L3:0=7ff", .enable_monitoring = true };

	(void)state;
	if (join(&r) < 0)
		fail_msg("%s", text);
	assert_string_equal(content("tasks"), "77");
	assert_string_equal(content("mon_groups/box/tasks"), "77");
	assert_string_equal(made, arena_printf(arena, "%s/mon_groups/box", root));
	rdt_remove(made);
	assert_false(exists("mon_groups/box"));
}

static void monitors(void **state)
{
	struct oci_intel_rdt r = { .enable_monitoring = true };

	(void)state;
	if (join(&r) < 0)
		fail_msg("%s", text);
	assert_string_equal(content("box/tasks"), "77");
	assert_string_equal(content("box/mon_groups/box/tasks"), "77");
	assert_string_equal(content("box/schemata"), "");
	assert_int_equal(rdt_follow_at(arena, root, &r, "box", 78, NULL), 0);
	assert_string_equal(content("box/mon_groups/box/tasks"), "78");
	rdt_remove(made);
	assert_false(exists("box"));
}

static void leaves_nothing_when_it_fails(void **state)
{
	struct oci_intel_rdt r = { .clos_id = (char *)"info", .mem_bw_schema = (char *)"MB:0=20" };
	struct error err = { 0 };
	char *status = arena_printf(arena, "%s/info/last_cmd_status", root);

	(void)state;
	assert_int_equal(join(&r), -1);		/* no class: it has no files */
	r.clos_id = NULL;
	room = 0;
	fd_write_file(AT_FDCWD, status, "Out of CLOSIDs\n", 15, 0644, false);
	assert_int_equal(rdt_join_at(arena, root, &r, "box", 77, &made, &err), -1);
	assert_string_equal(err.text, ".linux.intelRdt: No space left on device");
	assert_string_equal(err.hint, "the kernel says: Out of CLOSIDs");
	room = 100;
	assert_int_equal(rdt_join_at(arena, "/nowhere", &r, "box", 77, &made, &err), -1);
	assert_string_equal(err.text, ".linux.intelRdt: /nowhere: No such file or directory");
	/* The monitoring group cannot be made: a class of its own goes too. */
	room = 1;
	r = (struct oci_intel_rdt){ .enable_monitoring = true };
	assert_int_equal(join(&r), -1);
	assert_string_equal(text, ".linux.intelRdt.enableMonitoring: No space left on device");
	assert_false(exists("box"));
}

static void says_that_it_is_not_mounted(void **state)
{
	struct oci_intel_rdt r = { 0 };
	struct error err = { 0 };
	struct oci o = { .arena = arena };

	(void)state;
	if (access("/sys/fs/resctrl/schemata", F_OK) == 0)
		skip();
	assert_int_equal(rdt_join(&o, &r, "box", 77, &made, &err), -1);
	assert_string_equal(err.text, ".linux.intelRdt: the resctrl file system is not mounted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(checks_its_words, enter, leave),
		cmocka_unit_test_setup_teardown(compares_values_not_texts, enter, leave),
		cmocka_unit_test_setup_teardown(makes_a_class_of_its_own, enter, leave),
		cmocka_unit_test_setup_teardown(makes_a_named_class_and_leaves_it, enter, leave),
		cmocka_unit_test_setup_teardown(uses_a_class_that_is_as_wanted, enter, leave),
		cmocka_unit_test_setup_teardown(needs_a_named_class_without_schemata, enter, leave),
		cmocka_unit_test_setup_teardown(knows_the_default_class, enter, leave),
		cmocka_unit_test_setup_teardown(monitors, enter, leave),
		cmocka_unit_test_setup_teardown(leaves_nothing_when_it_fails, enter, leave),
		cmocka_unit_test_setup_teardown(says_that_it_is_not_mounted, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
