/* The staging protocol: what is alive stays, what was abandoned goes */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "store/stage.h"
#include "sys/fd.h"

static void open_makes_everything_once(void **state)
{
	static const char *const made[] = { "blobs/sha256", "layers", "images/names", "containers/names", "volumes", "tmp",
					    "trash" };
	struct store again;

	(void)state;
	for (size_t i = 0; i < ELEMENTS(made); i++)
		assert_true(fixture_exists(made[i]));
	assert_int_equal(store.driver, DRIVER_VFS);
	assert_ok(store_open(arena, store.path, "vfs", false, &again, &err));
	store_close(&again);
	assert_fails(ERROR_USAGE, store_open(arena, store.path, "btrfs", false, &again, &err));
}

static void a_locked_stage_survives_collection(void **state)
{
	char *stage;
	int lock = store_stage(arena, &store, &stage, &err);

	(void)state;
	assert_true(lock >= 0);
	assert_false(stage_has_leftovers(&store));
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("tmp"), 2);
	store_stage_done(&store, stage, &lock);
	assert_int_equal(lock, -1);
	assert_int_equal(fixture_count("tmp"), 0);
}

static void an_abandoned_stage_is_collected(void **state)
{
	char *stage;
	int lock = store_stage(arena, &store, &stage, &err);

	(void)state;
	assert_int_equal(fd_mkdirs(store.tmp_fd, arena_printf(arena, "%s/diff/deep", stage), 0700), 0);
	close(lock);
	assert_true(stage_has_leftovers(&store));
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("tmp"), 0);
	assert_false(stage_has_leftovers(&store));
}

/* Each is what a kill at one point of a command leaves. */
static void every_kind_of_leftover_is_collected(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(store.tmp_fd, "dir-without-lock", 0700), 0);
	assert_int_equal(fd_write_file(store.tmp_fd, "lock-without-dir.lock", "", 0, 0600, false), 0);
	assert_int_equal(fd_write_file(store.tmp_fd, "record.1234", "{", 1, 0600, false), 0);
	assert_int_equal(symlinkat("x", store.tmp_fd, "link.1234"), 0);
	assert_int_equal(mkdirat(store.root_fd, "trash/removed", 0700), 0);
	assert_true(stage_has_leftovers(&store));
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("tmp"), 0);
	assert_int_equal(fixture_count("trash"), 0);
}

static void a_fresh_download_is_left_alone(void **state)
{
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

	(void)state;
	assert_int_equal(fd_write_file(store.tmp_fd, "partial", "x", 1, 0600, false), 0);
	assert_false(stage_has_leftovers(&store));
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("tmp"), 1);
	assert_int_equal(utimensat(store.tmp_fd, "partial", old, 0), 0);
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("tmp"), 0);
}

static void records_and_links_are_replaced_whole(void **state)
{
	char text[16];

	(void)state;
	assert_ok(store_write(&store, "volumes/x", "one", 3, true, &err));
	assert_ok(store_write(&store, "volumes/x", "two", 3, false, &err));
	assert_string_equal(fd_read_file(arena, store.root_fd, "volumes/x", 10, NULL), "two");
	assert_ok(store_link(&store, "one", "volumes/l", &err));
	assert_ok(store_link(&store, "three", "volumes/l", &err));
	assert_int_equal(readlinkat(store.root_fd, "volumes/l", text, sizeof(text)), 5);
	assert_memory_equal(text, "three", 5);
	assert_int_equal(fixture_count("tmp"), 0);
	assert_fails(ERROR_FAILED, store_write(&store, "nowhere/x", "x", 1, false, &err));
	assert_int_equal(fixture_count("tmp"), 0);
}

static void discarding_frees_the_name_at_once(void **state)
{
	(void)state;
	assert_int_equal(fd_mkdirs(store.root_fd, "volumes/a/b/c", 0700), 0);
	assert_ok(store_discard(&store, "volumes/a", false, &err));
	assert_false(fixture_exists("volumes/a"));
	assert_int_equal(fixture_count("trash"), 1);
	assert_ok(store_discard(&store, "volumes/a", false, &err));
	assert_int_equal(fd_mkdirs(store.root_fd, "volumes/a", 0700), 0);
	assert_ok(store_discard(&store, "volumes/a", true, &err));
	assert_int_equal(fixture_count("trash"), 1);
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("trash"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(open_makes_everything_once),
		TEST(a_locked_stage_survives_collection),
		TEST(an_abandoned_stage_is_collected),
		TEST(every_kind_of_leftover_is_collected),
		TEST(a_fresh_download_is_left_alone),
		TEST(records_and_links_are_replaced_whole),
		TEST(discarding_frees_the_name_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
