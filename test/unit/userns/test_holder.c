#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sys/fd.h"
#include "sys/pidfd.h"
#include "base/string.h"
#include "userns/holder.h"

static struct holder example(struct arena *a)
{
	struct holder h = { .pid = getpid(), .start_time = pidfd_start_time(getpid()), .user_ns = 4026532000,
			    .root = { 12, 3, 2 }, .stamp = arena_strdup(a, "1:2;3:4;") };

	pidfd_boot_id(h.boot);
	idmap_add(a, &h.maps.uid, 0, 1000, 1);
	idmap_add(a, &h.maps.uid, 1, 100000, 65536);
	idmap_add(a, &h.maps.gid, 0, 100, 1);
	return h;
}

static void record_comes_back_whole(void **state)
{
	struct arena *a = arena_new();
	struct holder h = example(a), back = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(holder_parse(a, holder_print(a, &h), &back, &err), 0);
	assert_int_equal(back.pid, h.pid);
	assert_true(back.start_time == h.start_time && back.user_ns == h.user_ns);
	assert_memory_equal(&back.root, &h.root, sizeof(h.root));
	assert_string_equal(back.stamp, h.stamp);
	assert_null(back.single_why);
	assert_true(idmap_equal(&back.maps.uid, &h.maps.uid) && idmap_equal(&back.maps.gid, &h.maps.gid));
	h.single_why = arena_strdup(a, "no ranges;\ncure: x");
	assert_int_equal(holder_parse(a, holder_print(a, &h), &back, &err), 0);
	assert_string_equal(back.single_why, "no ranges; cure: x");
	arena_free(a);
}

static void damaged_records_are_none(void **state)
{
	static const char *const cases[] = {
		"", "pid 1\n", "garbage", "pid -1\nstart 1\nboot x\n", "pid 99999999999\n", "\n\n\n", "pid 1\nuid-map 0 0 x\n",
	};
	struct arena *a = arena_new();
	struct holder h = example(a), back = { 0 };
	char *text = holder_print(a, &h);

	(void)state;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };

		assert_int_equal(holder_parse(a, cases[i], &back, &err), -1);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
	for (size_t n = 0; n < strlen(text); n++)	/* cut anywhere: refused, or the same but for its last number */
		holder_parse(a, arena_strndup(a, text, n), &back, NULL);
	arena_free(a);
}

static void a_process_is_known_by_its_birth(void **state)
{
	char place[] = "/tmp/bryo-holder-XXXXXX";
	struct arena *a = arena_new();
	struct holder h = example(a), back = { 0 };
	struct error err = { 0 };
	int dir, fd;

	(void)state;
	assert_non_null(mkdtemp(place));
	dir = fd_open_dir(AT_FDCWD, place);
	assert_int_equal(holder_load(a, dir, "holder", &back), -1);
	assert_int_equal(holder_save(a, dir, "holder", &h, &err), 0);
	assert_int_equal(holder_load(a, dir, "holder", &back), 0);
	fd = holder_open(&back, true);
	assert_true(fd >= 0);
	close(fd);
	back.start_time++;
	assert_int_equal(holder_open(&back, true), -1);
	assert_int_equal(errno, ESRCH);
	back.start_time--;
	back.boot[0] = back.boot[0] == '0' ? '1' : '0';
	assert_int_equal(holder_open(&back, true), -1);
	close(dir);
	fd_remove_tree(AT_FDCWD, place);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_comes_back_whole),
		cmocka_unit_test(damaged_records_are_none),
		cmocka_unit_test(a_process_is_known_by_its_birth),
	};

	return cmocka_run_group_tests_name("userns/holder", tests, NULL, NULL);
}
