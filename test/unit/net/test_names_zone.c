/* What aardvark-dns is told */
#include "net/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

/* All but "dead". */
static bool lives(void *context, const char *id)
{
	return strcmp(id, "dead") != 0;
}

static char *zone(const char *text, const char *head, const char *id, const char *line)
{
	return names_zone(arena, text, head, id, line, lives, NULL);
}

static void zones(void **state)
{
	assert_string_equal(zone("", "10.1.0.1", "a", "a 10.1.0.2  web"), "10.1.0.1\na 10.1.0.2  web\n");
	assert_string_equal(zone("10.1.0.1\na 10.1.0.2  web\n", "10.1.0.1", "b", "b 10.1.0.3  db"),
			    "10.1.0.1\na 10.1.0.2  web\nb 10.1.0.3  db\n");
	/* Who comes again has the new line only. */
	assert_string_equal(zone("10.1.0.1\na 10.1.0.2  web\nb 10.1.0.3  db\n", "10.1.0.1", "a", "a 10.1.0.9  web"),
			    "10.1.0.1\nb 10.1.0.3  db\na 10.1.0.9  web\n");
	/* The dead go with the next change, and the first line stays where none is given. */
	assert_string_equal(zone("10.1.0.1 192.0.2.1\ndead 10.1.0.2  web\nb 10.1.0.3  db\n", NULL, NULL, NULL),
			    "10.1.0.1 192.0.2.1\nb 10.1.0.3  db\n");
	assert_null(zone("10.1.0.1\na 10.1.0.2  web\n", NULL, "a", NULL));
	assert_null(zone("", NULL, "a", NULL));
	/* A name that begins like another's. */
	assert_string_equal(zone("10.1.0.1\nab 10.1.0.2  web\n", NULL, "a", NULL), "10.1.0.1\nab 10.1.0.2  web\n");
}

static void lines(void **state)
{
	struct bridge_address addresses[] = { { .ip = arena_strdup(arena, "10.1.0.2") }, { .ip = arena_strdup(arena, "fd00::2") },
					      { .ip = arena_strdup(arena, "10.2.0.2") } };
	struct bridge_endpoint endpoint = { .addresses = { addresses, 1 } };
	struct strings names = strings_split(arena, "web,www", ","), servers = strings_split(arena, "192.0.2.1,192.0.2.2", ",");
	struct names_entry e = { .id = "a", .endpoint = &endpoint, .names = &names };

	assert_string_equal(names_line(arena, &e), "a 10.1.0.2  web,www");
	endpoint.addresses.n = 3;
	e.servers = &servers;
	assert_string_equal(names_line(arena, &e), "a 10.1.0.2,10.2.0.2 fd00::2 web,www 192.0.2.1,192.0.2.2");
}

static const char *head(const char *text)
{
	struct error err = { 0 };
	struct network n;

	if (network_decode(arena, text, strlen(text), "record", &n, &err) < 0)
		fail_msg("%s", err.text);
	return names_are_served(&n) ? names_head(arena, &n) : NULL;
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RECORD(name, members) "{\"name\":\"" name "\",\"id\":\"" ID "\",\"driver\":\"bridge\",\"dns_enabled\":true," members "}"
#define SUBNETS "\"subnets\":[{\"subnet\":\"10.1.0.0/24\",\"gateway\":\"10.1.0.1\"},{\"subnet\":\"fd00::/64\",\"gateway\":\"fd00::1\"}]"

static void heads(void **state)
{
	assert_string_equal(head(RECORD("web", SUBNETS)), "10.1.0.1,fd00::1 169.254.1.1");
	assert_string_equal(head(RECORD("web", SUBNETS ",\"network_dns_servers\":[\"192.0.2.1\",\"192.0.2.2\"]")),
			    "10.1.0.1,fd00::1 192.0.2.1,192.0.2.2");
	/* Out of an internal network there is no way, not even by questions. */
	assert_string_equal(head(RECORD("web", SUBNETS ",\"internal\":true,\"network_dns_servers\":[\"192.0.2.1\"]")),
			    "10.1.0.1,fd00::1 127.0.0.1");
	assert_null(head(RECORD("web", "\"subnets\":[{\"subnet\":\"10.1.0.0/24\"}]")));
	assert_null(head(RECORD("aardvark.pid", SUBNETS)));	/* a file of its own */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(zones), cmocka_unit_test(lines), cmocka_unit_test(heads) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
