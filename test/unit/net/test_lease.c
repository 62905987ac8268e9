#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/lease.h"
#include "sys/fd.h"

static struct arena *arena;
static char place[] = "/tmp/bryo-lease.XXXXXX";
static int run_fd;

static int enter(void **state)
{
	(void)state;
	arena = arena_new();
	memcpy(strrchr(place, '.'), ".XXXXXX", 8);
	run_fd = mkdtemp(place) ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	return run_fd < 0 ? -1 : 0;
}

static int leave(void **state)
{
	(void)state;
	close(run_fd);
	fd_remove_tree(AT_FDCWD, place);
	arena_free(arena);
	return 0;
}

static struct network_subnet subnet(const char *prefix, const char *gateway, const char *first, const char *last)
{
	struct network_subnet s = { .subnet = (char *)prefix };

	assert_true(ip_parse_prefix(prefix, &s.prefix));
	if (gateway)
		assert_true(ip_parse(gateway, &s.gateway_ip));
	s.lease = (struct ip_range){ ip_first(&s.prefix), ip_last(&s.prefix) };
	if (first)
		assert_true(ip_parse(first, &s.lease.first) && ip_parse(last, &s.lease.last));
	return s;
}

/* The address that a container gets, or the error's text. */
static char *take(const struct network_subnet *s, const char *wanted, const char *id)
{
	struct ip_address a, w;
	struct error err = { 0 };

	if (wanted)
		assert_true(ip_parse(wanted, &w));
	return arena_strdup(arena, lease_take(run_fd, "net1", s, wanted ? &w : NULL, id, &a, &err) == 0 ? ip_text(arena, &a) : err.text);
}

static void gives_the_next_one(void **state)
{
	struct network_subnet s = subnet("10.1.0.0/29", "10.1.0.1", NULL, NULL);

	(void)state;
	assert_string_equal(take(&s, NULL, "a"), "10.1.0.2");
	assert_string_equal(take(&s, NULL, "b"), "10.1.0.3");
	lease_give_back(run_fd, "net1", "10.1.0.2", "b");	/* not its own */
	lease_give_back(run_fd, "net1", "10.1.0.3", "b");
	/* Not at once again; when the end is reached, the search begins anew. */
	assert_string_equal(take(&s, NULL, "c"), "10.1.0.4");
	assert_string_equal(take(&s, NULL, "d"), "10.1.0.5");
	assert_string_equal(take(&s, NULL, "e"), "10.1.0.6");
	assert_string_equal(take(&s, NULL, "f"), "10.1.0.3");
	assert_string_equal(take(&s, NULL, "g"), "IPAM error: failed to find free IP in range: 10.1.0.0 - 10.1.0.7");
}

static void keeps_to_the_range(void **state)
{
	struct network_subnet s = subnet("10.1.0.0/24", "10.1.0.101", "10.1.0.100", "10.1.0.102");

	(void)state;
	assert_string_equal(take(&s, NULL, "a"), "10.1.0.100");
	assert_string_equal(take(&s, NULL, "b"), "10.1.0.102");
	assert_string_equal(take(&s, NULL, "c"), "IPAM error: failed to find free IP in range: 10.1.0.100 - 10.1.0.102");
	/* The user may choose outside of it. */
	assert_string_equal(take(&s, "10.1.0.7", "c"), "10.1.0.7");
}

static void knows_other_families_and_small_networks(void **state)
{
	struct network_subnet six = subnet("fd00::/64", "fd00::1", NULL, NULL), none = subnet("10.1.0.0/30", NULL, NULL, NULL),
			      pair = subnet("10.1.1.0/31", "10.1.1.0", NULL, NULL), one = subnet("fd01::5/128", NULL, NULL, NULL);

	(void)state;
	assert_string_equal(take(&six, NULL, "a"), "fd00::2");
	assert_string_equal(take(&six, "fd00::ffff:ffff:ffff:ffff", "b"), "fd00::ffff:ffff:ffff:ffff");
	assert_string_equal(take(&none, NULL, "a"), "10.1.0.1");
	assert_string_equal(take(&pair, NULL, "a"), "10.1.1.1");
	assert_string_equal(take(&one, NULL, "a"), "fd01::5");
}

static void refuses_what_is_taken_or_special(void **state)
{
	struct network_subnet s = subnet("10.1.0.0/24", "10.1.0.1", NULL, NULL);

	(void)state;
	assert_string_equal(take(&s, "10.1.0.9", "a"), "10.1.0.9");
	assert_string_equal(take(&s, "10.1.0.9", "a"), "10.1.0.9");
	assert_string_equal(take(&s, "10.1.0.9", "b"), "IPAM error: requested ip address 10.1.0.9 is already allocated to container ID a");
	assert_non_null(strstr(take(&s, "10.1.0.1", "b"), "cannot be given"));
	assert_non_null(strstr(take(&s, "10.1.0.0", "b"), "cannot be given"));
	assert_non_null(strstr(take(&s, "10.1.0.255", "b"), "cannot be given"));
}

static bool lives(void *context, const char *id)
{
	return strings_has(context, id);
}

static void collects_those_of_the_dead(void **state)
{
	struct network_subnet s = subnet("10.1.0.0/24", "10.1.0.1", NULL, NULL), six = subnet("fd00::/64", "fd00::1", NULL, NULL);
	struct strings living = { 0 };
	struct lease_search search = { .lives = lives, .context = &living };
	struct lease_census c;

	(void)state;
	strings_add(arena, &living, "a");
	strings_add(arena, &living, "c");
	take(&s, NULL, "a");
	take(&six, NULL, "a");
	take(&s, NULL, "b");
	take(&s, NULL, "c");
	c = lease_count(run_fd, &search);
	assert_true(c.living == 3 && c.dead == 1);
	search.enough = 1;
	assert_int_equal(lease_count(run_fd, &search).living, 1);
	search = (struct lease_search){ .id = "c", .lives = lives, .context = &living };
	c = lease_collect(run_fd, &search);
	assert_true(c.living == 2 && c.dead == 2);
	search.id = "a";
	c = lease_collect(run_fd, &search);
	assert_true(c.living == 0 && c.dead == 2);
	assert_int_equal(faccessat(run_fd, "networks/net1", F_OK, 0), -1);
}

static bool is_alive(void *context, const char *id)
{
	(void)context;
	(void)id;
	return true;
}

#define TAKERS 20

static void any_number_at_once(void **state)
{
	struct network_subnet s = subnet("10.1.0.0/24", "10.1.0.1", NULL, NULL);

	(void)state;
	for (int i = 0; i < TAKERS; i++)
		if (fork() == 0)
			_exit(strncmp(take(&s, NULL, arena_printf(arena, "id%d", i)), "10.1.0.", 7) != 0);
	for (int i = 0; i < TAKERS; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(lease_count(run_fd, &(struct lease_search){ .lives = is_alive }).living, TAKERS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_the_next_one), TEST(keeps_to_the_range), TEST(knows_other_families_and_small_networks),
		TEST(refuses_what_is_taken_or_special), TEST(collects_those_of_the_dead), TEST(any_number_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
