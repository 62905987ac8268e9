#include "engine/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"

#define DIRECTORIES 60
#define FILES 40

enum { COUNT_FILES, COUNT_DIRECTORIES, COUNT_LINKS };
static char top[] = "/tmp/bryo-walk.XXXXXX";
static int top_fd;

/* A level of directories, each with files and a link out of it: enough for several processes. */
static int setup(void **state)
{
	char path[128];

	if (!mkdtemp(top))
		return -1;
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int d = 0; d < DIRECTORIES; d++) {
		snprintf(path, sizeof(path), "d%d/in", d);
		if (fd_mkdirs(top_fd, path, 0755) < 0)
			return -1;
		for (int f = 0; f < FILES; f++) {
			snprintf(path, sizeof(path), "d%d/in/f%d", d, f);
			close(openat(top_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		}
		snprintf(path, sizeof(path), "d%d/link", d);
		if (symlinkat("/", top_fd, path) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	close(top_fd);
	return fd_remove_tree(AT_FDCWD, top);
}

static int count(const void *context, const struct walk_entry *entry, struct walk_counts *counts, struct error *err)
{
	counts->n[S_ISDIR(entry->st.stx_mode) ? COUNT_DIRECTORIES : S_ISLNK(entry->st.stx_mode) ? COUNT_LINKS : COUNT_FILES]++;
	return 0;
}

static int fail_at(const void *context, const struct walk_entry *entry, struct walk_counts *counts, struct error *err)
{
	return strcmp(entry->path, context) == 0 ? error_set(err, ERROR_DENIED, "found %s", entry->path) : 0;
}

static void all(void **state)
{
	for (int alone = 0; alone < 2; alone++) {
		struct walk_counts counts;
		struct error err = { 0 };

		assert_int_equal(walk_tree(top_fd, count, NULL, WALK_STAT | (alone ? WALK_ALONE : 0), &counts, &err), 0);
		assert_int_equal(counts.n[COUNT_FILES], DIRECTORIES * FILES);
		assert_int_equal(counts.n[COUNT_DIRECTORIES], 1 + 2 * DIRECTORIES);
		assert_int_equal(counts.n[COUNT_LINKS], DIRECTORIES);
	}
}

static void failures(void **state)
{
	static const char *const paths[] = { "", "d0", "d49/link", "d59/in/f39" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct walk_counts counts;
		struct error err = { 0 };
		char expect[64];

		snprintf(expect, sizeof(expect), "found %s", paths[i]);
		assert_int_equal(walk_tree(top_fd, fail_at, paths[i], WALK_STAT, &counts, &err), -1);
		assert_string_equal(err.text, expect);
	}
}

static void one_file(void **state)
{
	int fd = openat(top_fd, "d1/in/f1", O_PATH | O_CLOEXEC);
	struct walk_counts counts;

	assert_int_equal(walk_tree(fd, count, NULL, WALK_STAT, &counts, NULL), 0);
	assert_int_equal(counts.n[COUNT_FILES], 1);
	close(fd);
}

static void too_deep(void **state)
{
	char name[] = "deep";
	struct walk_counts counts;
	struct error err = { 0 };
	int at = fcntl(top_fd, F_DUPFD_CLOEXEC, 3), top_of_deep;

	for (int i = 0; i < 520; i++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	close(at);
	top_of_deep = openat(top_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(walk_tree(top_of_deep, count, NULL, WALK_STAT | WALK_ALONE, &counts, &err), -1);
	assert_non_null(strstr(err.text, "directories deep"));
	close(top_of_deep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all),
		cmocka_unit_test(failures),
		cmocka_unit_test(one_file),
		cmocka_unit_test(too_deep),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
