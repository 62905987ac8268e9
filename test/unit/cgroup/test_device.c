#include "cgroup/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"

static int read_rules(struct arena *arena, const char *text, struct device_rules *ret, struct error *err)
{
	char *quoted = arena_printf(arena, "{'devices':[%s]}", text);
	struct oci_resources r;

	for (char *c = quoted; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (json_decode(arena, &oci_resources_shape, &r, quoted, strlen(quoted), "t", err) < 0)
		fail_msg("%s", err->text);
	return device_rules(arena, &r, "", ret, err);
}

/* Without the eleven of every container. */
static char *print_rules(struct arena *arena, const struct device_rules *rules)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);

	for (size_t i = 0; i + 11 < rules->n; i++) {
		const struct device_rule *r = &rules->v[i];

		buffer_printf(&out, "%c%c %lld:%lld %u;", r->allow ? '+' : '-', r->type, (long long)r->major,
			      (long long)r->minor, r->access);
	}
	return arena_strdup(arena, out.data ? out.data : "");
}

static void rules(void **state)
{
	static const struct { const char *json, *rules; } cases[] = {
		{ "{'allow':false,'access':'rwm'}", "-a -1:-1 7;" },
		{ "{'allow':false}", "-a -1:-1 7;" },
		{ "{'allow':false,'type':'c'}", "" },		/* no letters: of nothing */
		{ "{'allow':true,'type':'c','major':10,'minor':229,'access':'rw'}", "+c 10:229 6;" },
		{ "{'allow':true,'type':'b','major':-1,'access':'m'}", "+b -1:-1 1;" },
		/* what comes before a rule for everything says nothing */
		{ "{'allow':true,'type':'c','major':1,'access':'r'},{'allow':false,'type':'a','access':'mwr'},"
		  "{'allow':true,'type':'b','major':8,'access':'r'}", "-a -1:-1 7;+b 8:-1 2;" },
		{ "{'allow':true,'type':'c','major':1,'access':'r'},{'allow':false,'type':'a','access':'w'}",
		  "+c 1:-1 2;-a -1:-1 4;" },
	};
	static const struct { const char *json, *error; } bad[] = {
		{ "{'allow':true,'type':'u'}", ".devices[0].type: expected a, b or c" },
		{ "{'allow':true},{'allow':true,'access':'x'}", ".devices[1].access: expected letters out of r, w and m" },
		{ "{'allow':true,'major':-2}", ".devices[0].major: no device has such a number" },
		{ "{'allow':true,'minor':4294967296}", ".devices[0].minor: no device has such a number" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct device_rules list;

		if (read_rules(arena, cases[i].json, &list, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(print_rules(arena, &list), cases[i].rules);
	}
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct error err = { 0 };
		struct device_rules list;

		assert_int_equal(read_rules(arena, bad[i].json, &list, &err), -1);
		assert_string_equal(err.text, bad[i].error);
	}
}

static void no_rules_are_no_restriction(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct oci_resources r = { 0 };
	struct error err = { 0 };
	struct device_rules list;

	assert_int_equal(device_rules(arena, &r, "", &list, &err), 0);
	assert_int_equal(list.n, 0);
	assert_int_equal(device_rules(arena, NULL, "", &list, &err), 0);
	assert_int_equal(list.n, 0);
}

static void lines_of_v1(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	struct error err = { 0 };
	struct settings list = { 0 };
	struct device_rules r;

	assert_int_equal(read_rules(arena, "{'allow':true,'type':'c','major':10,'minor':229,'access':'rw'},"
				    "{'allow':false,'major':8,'access':'m'}", &r, &err), 0);
	device_settings_v1(arena, &r, "", &list);
	for (size_t i = 0; i < list.n; i++)
		buffer_printf(&out, "%s %s\n", list.v[i].file, list.v[i].value);
	assert_string_equal(out.data, "devices.deny a\ndevices.allow c 10:229 rw\ndevices.deny b 8:* m\ndevices.deny c 8:* m\n"
			    "devices.allow c *:* m\ndevices.allow b *:* m\ndevices.allow c 1:3 rwm\ndevices.allow c 1:5 rwm\n"
			    "devices.allow c 1:7 rwm\ndevices.allow c 1:8 rwm\ndevices.allow c 1:9 rwm\ndevices.allow c 5:0 rwm\n"
			    "devices.allow c 5:1 rwm\ndevices.allow c 5:2 rwm\ndevices.allow c 136:* rwm\n");
	list = (struct settings){ 0 };
	assert_int_equal(read_rules(arena, "{'allow':true,'access':'rwm'}", &r, &err), 0);
	device_settings_v1(arena, &r, "", &list);
	assert_string_equal(list.v[0].file, "devices.allow");
	assert_string_equal(list.v[0].value, "a");
}

static char *print_program(struct arena *arena, const struct device_rules *r)
{
	_cleanup_buffer_ struct buffer out = BUFFER(65536);
	struct device_program program;

	device_program(arena, r, &program);
	assert_int_equal(device_program_print(&program, &out), 0);
	return arena_strdup(arena, out.data);
}

static void programs(void **state)
{
	struct device_rule some[] = {
		{ false, 'a', DEVICE_ANY, DEVICE_ANY, DEVICE_ALL },
		{ true, 'c', 10, 229, DEVICE_READ | DEVICE_WRITE },
		{ false, 'b', 8, DEVICE_ANY, DEVICE_MKNOD },
		{ true, 'c', 4294967295, 0, DEVICE_ALL },
	};
	static const char begin[] =
		"0: r2 = context[0]\n1: r3 = r2\n2: r2 &= 0xffff\n3: r3 >>= 16\n4: r4 = context[4]\n5: r5 = context[8]\n";
	_cleanup_arena_ struct arena *arena = arena_new();
	struct device_rules list = { some, ELEMENTS(some) }, none = { 0 };

	assert_string_equal(print_program(arena, &list), arena_printf(arena, "%s%s", begin,
		"6: if r2 != 2 goto 11\n7: if r4 != 4294967295 goto 11\n8: if r5 != 0 goto 11\n9: r0 = 1\n10: exit\n"
		"11: if r2 != 1 goto 17\n12: if r4 != 8 goto 17\n13: if r3 & 0x1 goto 15\n14: goto 17\n15: r0 = 0\n16: exit\n"
		"17: if r2 != 2 goto 24\n18: if r4 != 10 goto 24\n19: if r5 != 229 goto 24\n20: r3 &= 0x1\n21: if r3 != 0 goto 24\n"
		"22: r0 = 1\n23: exit\n"
		"24: r0 = 0\n25: exit\n"));
	list.n = 1;
	assert_string_equal(print_program(arena, &list), arena_printf(arena, "%s%s", begin, "6: r0 = 0\n7: exit\n"));
	some[0].allow = true;
	assert_string_equal(print_program(arena, &list), arena_printf(arena, "%s%s", begin, "6: r0 = 1\n7: exit\n"));
	assert_string_equal(print_program(arena, &none), arena_printf(arena, "%s%s", begin, "6: r0 = 0\n7: exit\n"));
}

static void the_program_of_every_container(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct error err = { 0 };
	struct device_rules r;

	assert_int_equal(read_rules(arena, "{'allow':false,'access':'rwm'}", &r, &err), 0);
	assert_string_equal(print_program(arena, &r),
		"0: r2 = context[0]\n1: r3 = r2\n2: r2 &= 0xffff\n3: r3 >>= 16\n4: r4 = context[4]\n5: r5 = context[8]\n"
		"6: if r2 != 2 goto 10\n7: if r4 != 136 goto 10\n8: r0 = 1\n9: exit\n"
		"10: if r2 != 2 goto 15\n11: if r4 != 5 goto 15\n12: if r5 != 2 goto 15\n13: r0 = 1\n14: exit\n"
		"15: if r2 != 2 goto 20\n16: if r4 != 5 goto 20\n17: if r5 != 1 goto 20\n18: r0 = 1\n19: exit\n"
		"20: if r2 != 2 goto 25\n21: if r4 != 5 goto 25\n22: if r5 != 0 goto 25\n23: r0 = 1\n24: exit\n"
		"25: if r2 != 2 goto 30\n26: if r4 != 1 goto 30\n27: if r5 != 9 goto 30\n28: r0 = 1\n29: exit\n"
		"30: if r2 != 2 goto 35\n31: if r4 != 1 goto 35\n32: if r5 != 8 goto 35\n33: r0 = 1\n34: exit\n"
		"35: if r2 != 2 goto 40\n36: if r4 != 1 goto 40\n37: if r5 != 7 goto 40\n38: r0 = 1\n39: exit\n"
		"40: if r2 != 2 goto 45\n41: if r4 != 1 goto 45\n42: if r5 != 5 goto 45\n43: r0 = 1\n44: exit\n"
		"45: if r2 != 2 goto 50\n46: if r4 != 1 goto 50\n47: if r5 != 3 goto 50\n48: r0 = 1\n49: exit\n"
		"50: if r2 != 1 goto 55\n51: r3 &= 0x6\n52: if r3 != 0 goto 55\n53: r0 = 1\n54: exit\n"
		"55: if r2 != 2 goto 60\n56: r3 &= 0x6\n57: if r3 != 0 goto 60\n58: r0 = 1\n59: exit\n"
		"60: r0 = 0\n61: exit\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules), cmocka_unit_test(no_rules_are_no_restriction), cmocka_unit_test(lines_of_v1),
		cmocka_unit_test(programs), cmocka_unit_test(the_program_of_every_container),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
