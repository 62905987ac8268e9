#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gateway/table.h"

#define PLACES 256u

struct thing {
	struct entry entry;
	unsigned number;
};

static struct thing things[PLACES];
static uint32_t buckets[PLACES];
static struct table table;

static struct tuple tuple_of(unsigned n)
{
	struct tuple t = { .from_port = (uint16_t)n, .protocol = IPPROTO_TCP };

	return t;
}

static int empty(void **state)
{
	(void)state;
	memset(things, 0, sizeof(things));
	table_init(&table, things, sizeof(things[0]), buckets, PLACES, 200);
	return 0;
}

static struct thing *add(unsigned n)
{
	struct tuple t = tuple_of(n);
	struct thing *thing = table_add(&table, &t);

	if (thing)
		thing->number = n;
	return thing;
}

static struct thing *find(unsigned n)
{
	struct tuple t = tuple_of(n);

	return table_find(&table, &t);
}

static void what_was_added_is_found_until_it_is_removed(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 200; n++)
		assert_non_null(add(n));
	assert_null(add(1000));
	for (unsigned n = 0; n < 200; n++)
		assert_int_equal(find(n)->number, n);
	for (unsigned n = 0; n < 200; n += 2)
		table_remove(&table, find(n));
	for (unsigned n = 0; n < 200; n++)
		assert_true(!find(n) == (n % 2 == 0));
	assert_int_equal(table.used, 100);
	for (unsigned n = 1000; n < 1100; n++)
		assert_non_null(add(n));
	assert_null(add(2000));
	for (unsigned n = 1000; n < 1100; n++)
		assert_int_equal(find(n)->number, n);
}

static void a_place_that_is_used_again_has_another_generation(void **state)
{
	struct thing *thing = add(1);
	uint16_t generation = thing->entry.generation;

	(void)state;
	table_remove(&table, thing);
	assert_false(thing->entry.used);
	assert_ptr_equal(add(2), thing);
	assert_int_not_equal(thing->entry.generation, generation);
	assert_ptr_equal(table_at(&table, table_index(&table, thing)), thing);
	assert_null(table_at(&table, TABLE_NONE));
}

static void assert_order(const unsigned *expected, size_t n)
{
	struct thing *thing = table_oldest(&table);

	for (size_t i = 0; i < n; i++, thing = table_newer(&table, thing))
		assert_int_equal(thing->number, expected[i]);
	assert_null(thing);
}

static void the_order_is_that_of_the_last_touch(void **state)
{
	(void)state;
	assert_null(table_oldest(&table));
	for (unsigned n = 1; n <= 4; n++)
		add(n);
	table_touch(&table, find(2));
	table_touch(&table, find(2));
	assert_order((unsigned[]){ 1, 3, 4, 2 }, 4);
	table_touch(&table, find(1));
	table_remove(&table, find(4));
	assert_order((unsigned[]){ 3, 2, 1 }, 3);
	table_remove(&table, find(1));
	table_remove(&table, find(3));
	assert_order((unsigned[]){ 2 }, 1);
	table_remove(&table, find(2));
	assert_null(table_oldest(&table));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_added_is_found_until_it_is_removed, empty),
		cmocka_unit_test_setup(a_place_that_is_used_again_has_another_generation, empty),
		cmocka_unit_test_setup(the_order_is_that_of_the_last_touch, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
