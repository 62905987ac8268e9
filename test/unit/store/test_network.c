/* Records of networks: found by name and id, whole or refused */
#include <fcntl.h>
#include <unistd.h>

#include "fixture.h"
#include "store/network.h"
#include "sys/fd.h"

static struct network network(const char *name, char id, const char *subnet)
{
	struct network n = { .name = arena_strdup(arena, name), .driver = arena_strdup(arena, "bridge") };

	n.id = arena_calloc(arena, 65, 1);
	memset(n.id, id, 64);
	ARRAY_ADD(arena, &n.subnets)->subnet = arena_strdup(arena, subnet);
	return n;
}

static void put(const char *file, const char *text)
{
	assert_int_equal(fd_mkdirs(store.root_fd, "networks", 0700), 0);
	assert_int_equal(fd_write_file(store.root_fd, file, text, strlen(text), 0600, false), 0);
}

static void the_default_is_always_there(void **state)
{
	struct network n;
	struct networks all;

	assert_ok(network_read(arena, &store, "bridge", &n, &err));
	assert_string_equal(n.subnets.v[0].subnet, "10.88.0.0/16");
	assert_int_equal(n.subnets.v[0].prefix.length, 16);
	assert_ok(network_read(arena, &store, "podman", &n, &err));
	assert_string_equal(n.name, "bridge");
	assert_ok(network_list(arena, &store, &all, &err));
	assert_int_equal(all.n, 1);
	/* Changed, it is what was written. */
	map_set(arena, &n.options, "mtu", "1400");
	assert_ok(network_write(arena, &store, &n, &err));
	assert_ok(network_read(arena, &store, "podman", &n, &err));
	assert_int_equal(network_mtu(&n), 1400);
	assert_ok(network_list(arena, &store, &all, &err));
	assert_int_equal(all.n, 1);
}

static void found_by_name_and_id(void **state)
{
	struct network web = network("web", 'a', "10.1.0.0/24"), abba = network("abba", 'b', "10.2.0.0/24"), n;
	struct networks all;

	assert_ok(network_write(arena, &store, &web, &err));
	assert_ok(network_write(arena, &store, &abba, &err));
	assert_ok(network_list(arena, &store, &all, &err));
	assert_int_equal(all.n, 3);
	assert_string_equal(all.v[0].name, "abba");
	assert_ok(network_find(arena, &store, "abba", &n, &err));	/* a name first, though it is hexadecimal too */
	assert_string_equal(n.name, "abba");
	assert_ok(network_find(arena, &store, "aaaa", &n, &err));
	assert_string_equal(n.name, "web");
	assert_ok(network_find(arena, &store, web.id, &n, &err));
	assert_string_equal(n.name, "web");
	assert_fails(ERROR_NOT_FOUND, network_find(arena, &store, "aab", &n, &err));
	assert_fails(ERROR_NOT_FOUND, network_find(arena, &store, "we", &n, &err));
	assert_fails(ERROR_NOT_FOUND, network_find(arena, &store, "", &n, &err));
	assert_fails(ERROR_NOT_FOUND, network_find(arena, &store, "../web", &n, &err));
	abba.id[0] = 'a';
	assert_ok(network_write(arena, &store, &abba, &err));
	assert_fails(ERROR_USAGE, network_find(arena, &store, "a", &n, &err));	/* which one? */
	assert_ok(network_discard(&store, "web", &err));
	assert_fails(ERROR_NOT_FOUND, network_read(arena, &store, "web", &n, &err));
}

static void damaged_records_are_named(void **state)
{
	struct network n;
	struct networks all;

	put("networks/cut.json", "{\"name\":");
	put("networks/other.json", "{\"name\":\"third\",\"id\":\"" "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	    "\",\"driver\":\"bridge\"}");
	put("networks/README", "no record");
	put("networks/-x.json", "{}");
	assert_int_equal(symlinkat("/dev/zero", store.root_fd, "networks/zero.json"), 0);
	assert_ok(network_list(arena, &store, &all, &err));
	assert_int_equal(all.n, 1);
	assert_int_equal(all.broken.n, 3);
	assert_fails(ERROR_INVALID, network_read(arena, &store, "cut", &n, &err));
	assert_non_null(strstr(err.text, "the record of network cut is damaged"));
	assert_fails(ERROR_INVALID, network_read(arena, &store, "other", &n, &err));
	assert_non_null(strstr(err.text, "it has another name"));
	assert_ok(network_discard(&store, "cut", &err));
	assert_fails(ERROR_NOT_FOUND, network_read(arena, &store, "cut", &n, &err));
}

static void what_does_not_fit_is_not_written(void **state)
{
	struct network n = network("web", 'a', "10.1.0.0/99");

	assert_fails(ERROR_INVALID, network_write(arena, &store, &n, &err));
	assert_false(fixture_exists("networks/web.json"));
	n = network("../web", 'a', "10.1.0.0/24");
	assert_fails(ERROR_INVALID, network_write(arena, &store, &n, &err));
	assert_false(fixture_exists("web.json"));
	assert_fails(ERROR_NOT_FOUND, network_discard(&store, "../tmp", &err));
	assert_true(fixture_exists("tmp"));
}

/* Stores of older versions have no such directory. */
static void an_old_store(void **state)
{
	struct network n = network("web", 'a', "10.1.0.0/24");
	struct networks all;

	assert_int_equal(unlinkat(store.root_fd, "networks", AT_REMOVEDIR), 0);
	assert_ok(network_list(arena, &store, &all, &err));
	assert_int_equal(all.n, 1);
	assert_ok(network_write(arena, &store, &n, &err));
	assert_ok(network_read(arena, &store, "web", &n, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_default_is_always_there, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(found_by_name_and_id, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(damaged_records_are_named, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_not_written, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(an_old_store, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
