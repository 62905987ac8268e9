/* What a reset takes and what it leaves */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "store/destroy.h"
#include "sys/lock.h"

static void takes_what_is_the_stores(void **state)
{
	static const char *const locks[] = { "lock", "names.lock", "networks.lock", "collect.lock" };
	struct strings left;

	(void)state;
	fixture_image('1', "ab", "localhost/x:latest");
	assert_int_equal(destroy_look(store.path, &err), 1);
	assert_int_equal(mkdirat(store.root_fd, "mine", 0700), 0);
	for (size_t i = 0; i < ELEMENTS(locks); i++)
		assert_int_equal(close(lock_open(store.root_fd, locks[i], LOCK_EXCLUSIVE, true)), 0);
	assert_ok(destroy_store(arena, &store, &left, &err));
	assert_int_equal(left.n, 1);
	assert_string_equal(left.v[0], "mine");
	assert_fails(ERROR_STATE, destroy_look(store.path, &err));
}

static void knows_a_store(void **state)
{
	const char *path = arena_printf(arena, "%s/volumes", store.path);

	(void)state;
	assert_fails(ERROR_STATE, destroy_look(path, &err));
	assert_int_equal(destroy_look(arena_printf(arena, "%s/nothing", store.path), &err), 0);
	assert_int_equal(unlinkat(store.root_fd, "volumes", AT_REMOVEDIR), 0);
	assert_fails(ERROR_STATE, destroy_look(store.path, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_what_is_the_stores, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(knows_a_store, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
