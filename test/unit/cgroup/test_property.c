#include "cgroup/property.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cgroup/resources.h"

static void values(void **state)
{
	static const struct { const char *name, *text, *printed; } cases[] = {
		{ "Foo", "true", "Foo b 1" }, { "Foo", " false ", "Foo b 0" }, { "Foo", "boolean true", "Foo b 1" },
		{ "Foo", "5", "Foo i 5" }, { "Foo", "-5", "Foo i -5" }, { "Foo", "0x10", "Foo i 16" },
		{ "Foo", "uint64 18446744073709551615", "Foo t 18446744073709551615" },
		{ "Foo", "int64 -9223372036854775808", "Foo x -9223372036854775808" },
		{ "Foo", "byte 255", "Foo y 255" }, { "Foo", "int16 -32768", "Foo n -32768" },
		{ "Foo", "1.5", "Foo d 1.5" }, { "Foo", "1e3", "Foo d 1000" }, { "Foo", "double 2", "Foo d 2" },
		{ "CollectMode", "'inactive-or-failed'", "CollectMode s 'inactive-or-failed'" },
		{ "Foo", "\"a'b\"", "Foo s 'a\\'b'" }, { "Foo", "'a\\n\\'\\u00e9\\\\'", "Foo s 'a\n\\'\303\251\\\\'" },
		{ "Foo", "objectpath '/a'", "Foo o '/a'" },
		{ "Foo", "['a','b']", "Foo as a{s 'a' 'b' }" }, { "Foo", "[ 'a' , 'b', ]", "Foo as a{s 'a' 'b' }" },
		{ "Foo", "@as []", "Foo as a{s }" }, { "Foo", "@at [1, 2]", "Foo at a{t 1 2 }" },
		{ "Foo", "[uint32 1, 2]", "Foo au a{u 1 2 }" },
		{ "Foo", "b'ab'", "Foo ay a{y 97 98 0 }" },
		{ "Foo", "('a', 1, true)", "Foo (sib) r{sib 'a' 1 1 }" }, { "Foo", "('a',)", "Foo (s) r{s 'a' }" },
		{ "DeviceAllow", "[('/dev/null','rw'),('char-pts','r')]",
		  "DeviceAllow a(ss) a{(ss) r{ss '/dev/null' 'rw' } r{ss 'char-pts' 'r' } }" },
		{ "Foo", "@a(st) [('/x', 5)]", "Foo a(st) a{(st) r{st '/x' 5 } }" },
		{ "Foo", "[[1],[2,3]]", "Foo aai a{ai a{i 1 } a{i 2 3 } }" },
		/* seconds */
		{ "TimeoutStopUSec", "uint64 123456789", "TimeoutStopUSec t 123456789" },
		{ "TimeoutStopSec", "5", "TimeoutStopUSec t 5000000" }, { "TimeoutStopSec", "1.5", "TimeoutStopUSec t 1500000" },
		{ "TimeoutStopSec", "uint64 7", "TimeoutStopUSec t 7000000" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		_cleanup_buffer_ struct buffer out = BUFFER(65536);
		struct error err = { 0 };
		struct property p;

		if (property_parse(arena, cases[i].name, cases[i].text, &p, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(property_print(&p, &out), 0);
		assert_string_equal(out.data, cases[i].printed);
	}
}

static void bad_values(void **state)
{
	static const struct { const char *name, *text; } cases[] = {
		{ "Foo", "" }, { "Foo", "tru" }, { "Foo", "truely" }, { "Foo", "'a" }, { "Foo", "'a\\" }, { "Foo", "'\\u12'" },
		{ "Foo", "'\\ud800'" }, { "Foo", "5x" }, { "Foo", "--5" }, { "Foo", "2147483648" }, { "Foo", "byte 256" },
		{ "Foo", "byte -1" }, { "Foo", "uint64 18446744073709551616" }, { "Foo", "uint64 'a'" }, { "Foo", "string 5" },
		{ "Foo", "nan" }, { "Foo", "[]" }, { "Foo", "[1" }, { "Foo", "[1 2]" }, { "Foo", "[1,'a']" }, { "Foo", "(1" },
		{ "Foo", "()" }, { "Foo", "[(1,2),(1,)]" }, { "Foo", "[(1,),(1,2)]" }, { "Foo", "@" }, { "Foo", "@z 5" },
		{ "Foo", "@a" }, { "Foo", "@() 5" }, { "Foo", "@u 'a'" }, { "Foo", "@(u 5" }, { "Foo", "1 2" },
		{ "Foo", "[[[[[[[[[[[1]]]]]]]]]]]" }, { "Foo", "@u @u @u @u @u @u @u @u @u @u 5" },
		{ "FooSec", "-1" }, { "FooSec", "'a'" }, { "FooSec", "uint64 18446744073709551615" }, { "FooSec", "-1.5" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct property p;

		if (property_parse(arena, cases[i].name, cases[i].text, &p, &err) == 0)
			fail_msg("%s was taken", cases[i].text);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
}

static char *print_all(struct arena *arena, const struct properties *list)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);

	for (size_t i = 0; i < list->n; i++) {
		property_print(&list->v[i], &out);
		buffer_adds(&out, "\n");
	}
	return arena_strdup(arena, out.data ? out.data : "");
}

static void annotations(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct properties list = { 0 };
	struct string_map map = { 0 };
	struct error err = { 0 };

	map_set(arena, &map, "other", "[");
	map_set(arena, &map, "org.systemd.property.TimeoutStopSec", "1");
	property_add(arena, &list, "TimeoutStopUSec", 't', 9);
	assert_int_equal(property_annotations(arena, &map, &list, &err), 0);
	assert_string_equal(print_all(arena, &list), "TimeoutStopUSec t 1000000\n");
	assert_true(list.v[0].demanded);
	map_set(arena, &map, "org.systemd.property.A b", "1");
	assert_int_equal(property_annotations(arena, &map, &list, &err), -1);
	assert_string_equal(err.text, ".annotations[\"org.systemd.property.A b\"]: no name of a property (letters, at least 3)");
	map_unset(&map, "org.systemd.property.A b");
	map_set(arena, &map, "org.systemd.property.Abc", "[");
	error_clear(&err);
	assert_int_equal(property_annotations(arena, &map, &list, &err), -1);
	assert_string_equal(err.text, ".annotations[\"org.systemd.property.Abc\"]: no value at \"\"");
}

static void limits(void **state)
{
	static const char resources[] =
		"{\"memory\":{\"limit\":5,\"swap\":-1,\"reservation\":3},\"cpu\":{\"shares\":1024,\"quota\":33333,\"period\":100000,"
		"\"cpus\":\"0,2-3,9\",\"mems\":\"0\"},\"pids\":{\"limit\":7},\"unified\":{\"memory.high\":\"max\",\"pids.max\":\"8\","
		"\"io.weight\":\"5\"}}";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct strings v1 = { 0 };
	struct properties list = { 0 };
	struct oci_resources r;
	struct settings settings;
	struct error err = { 0 };

	assert_int_equal(json_decode(arena, &oci_resources_shape, &r, resources, sizeof(resources) - 1, "t", &err), 0);
	assert_int_equal(resources_settings(arena, &r, &v1, "", &settings, &err), 0);
	property_limits(arena, &settings, &list);
	assert_string_equal(print_all(arena, &list),
			    "AllowedCPUs ay a{y 13 2 }\nAllowedMemoryNodes ay a{y 1 }\nMemorySwapMax t 18446744073709551615\n"
			    "MemoryMax t 5\nMemoryLow t 3\nCPUWeight t 39\nCPUQuotaPerSecUSec t 340000\nCPUQuotaPeriodUSec t 100000\n"
			    "MemoryHigh t 18446744073709551615\nTasksMax t 8\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values), cmocka_unit_test(bad_values), cmocka_unit_test(annotations), cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
