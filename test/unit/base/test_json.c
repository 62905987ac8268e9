#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

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

static struct json *parse(const char *text, struct error *err)
{
	error_clear(err);
	return json_parse(arena, text, strlen(text), "t", err);
}

/* Each text, and how it is printed again: the same, unless `print` says otherwise. */
static void parses_and_prints(void **state)
{
	static const struct { const char *text, *print; } cases[] = {
		{ "null", NULL },
		{ " true\n", "true" },
		{ "0", NULL },
		{ "-0", "0" },
		{ "-0.0", "0" },
		{ "-9223372036854775808", NULL },
		{ "9223372036854775807", NULL },
		{ "18446744073709551615", NULL },
		{ "1.5", NULL },
		{ "0.1", NULL },
		{ "1e3", "1000" },
		{ "1e300", "1e+300" },
		{ "1e17", "100000000000000000" },
		{ "3.7e20", "3.7e+20" },
		{ "1.25e-3", "0.00125" },
		{ "-1e-7", "-1e-07" },
		{ "123456789.123", NULL },
		{ "\"\"", NULL },
		{ "\"a\\u00e4\\ud83d\\ude00/\\/\"", "\"a\xc3\xa4\xf0\x9f\x98\x80//\"" },
		{ "\"\\u0001\\t\\\\\\\"\"", NULL },
		{ "\"\xc2\x9b" "1m\xc2\xa0\"", "\"\\u009b1m\xc2\xa0\"" },
		{ "\"\xe2\x80\xaex\xe2\x81\xa9\xe2\x80\xa9\"", "\"\\u202ex\\u2069\xe2\x80\xa9\"" },
		{ "[]", NULL },
		{ "[1,[2,{}],\"x\"]", NULL },
		{ "{\"b\":1,\"a\":{\"c\":[]}}", NULL },
		{ "{\"a\":{\"a\":1},\"b\":{\"a\":2}}", NULL },
		{ "{\"a\":\"x:{\\\"y\\\":\"}", NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err;
		struct json *value = parse(cases[i].text, &err);

		if (!value)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(json_print(arena, value, 0), cases[i].print ? cases[i].print : cases[i].text);
	}
}

static void refuses(void **state)
{
	static const struct { const char *text, *why; } cases[] = {
		{ "", "line 1, column 1: unexpected end of data" },
		{ "[1,2", "line 1, column 5: unexpected end of data" },
		{ "{\n \"a\": 1,\n}", "line 3" },
		{ "{} x", "unexpected character" },
		{ "{}{}", "unexpected character" },
		{ "[1,]", "unexpected character" },
		{ "{'a':1}", "unexpected character" },
		{ "{a:1}", "unexpected character" },
		{ "NaN", "unexpected character" },
		{ "[-Infinity]", "malformed number" },
		{ "01", "leading zero" },
		{ "-01", "leading zero" },
		{ "1.", "malformed number" },
		{ "1.e5", "malformed number" },
		{ "[-]", "malformed number" },
		{ "18446744073709551616", "number out of range" },
		{ "-9223372036854775809", "number out of range" },
		{ "1e999", "number out of range" },
		{ "\"a\nb\"", "control byte" },
		{ "\"\\u0000\"", "NUL character" },
		{ "{\"a\\u0000b\":1}", "NUL character" },
		{ "\"\\x\"", "column 3" },
		{ "\"\xff\"", "line 1, column 2: invalid UTF-8" },
		{ "\"\xed\xa0\x80\"", "invalid UTF-8" },
		{ "\"\xc3", "invalid UTF-8" },
		{ "\"abc", "unterminated string" },
		{ "\"abc\\", "line 1, column 6: unterminated string" },
		{ "tru", "unexpected character" },
		{ "truefalse", "unexpected character" },
		{ "[1 2]", "expected" },
		{ "[1}", "expected" },
		{ "]", "unexpected character" },
		{ "/*c*/1", "unexpected character" },
		{ "{\"a\":1,\"a\":2}", "column 1: a member name appears twice" },
		{ "{\"x\":[{}, {\"a\":1,\"\\u0061\":{}}]}", "column 11: a member name appears twice" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err;

		if (parse(cases[i].text, &err))
			fail_msg("%s was accepted", cases[i].text);
		assert_int_equal(err.kind, ERROR_INVALID);
		if (!strstr(err.text, cases[i].why))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

static void depth_is_limited(void **state)
{
	char text[2 * 65 + 1];
	struct error err;

	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	text[130] = '\0';
	assert_null(parse(text, &err));
	assert_non_null(strstr(err.text, "nested too deeply"));
	text[129] = '\0';
	assert_non_null(parse(text + 1, &err));
}

/* "[{},{},...]" of n objects. */
static struct json *parse_objects(size_t n, struct error *err)
{
	size_t len = 3 * n + 1;
	char *text = arena_alloc(arena, len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(text + 3 * i, i ? ",{}" : "[{}", 3);
	text[len - 1] = ']';
	error_clear(err);
	return json_parse(arena, text, len, "t", err);
}

static void weight_is_limited(void **state)
{
	struct error err;

	assert_non_null(parse_objects(170000, &err));
	assert_null(parse_objects(180000, &err));
	assert_non_null(strstr(err.text, "too many values"));
}

static void nul_bytes_are_refused(void **state)
{
	struct error err;

	assert_null(json_parse(arena, "1\0", 2, "t", &err));
	assert_null(json_parse(arena, "{\"a\0b\":1}", 9, "t", &err));
	assert_non_null(json_parse(arena, "12345", 2, "t", &err));
}

static void prints_indented_as_go(void **state)
{
	struct error err;
	struct json *value = parse("{\"a\":[1,{}],\"b\":[],\"c\":\"<&>\"}", &err);

	assert_string_equal(json_print(arena, value, 4),
			    "{\n    \"a\": [\n        1,\n        {}\n    ],\n    \"b\": [],\n    \"c\": \"<&>\"\n}");
	assert_string_equal(json_print(arena, json_new_string(arena, "a\xff\xed\xa0\x80z\x7f"), 0),
			    "\"a\\ufffd\\ufffd\\ufffd\\ufffdz\\u007f\"");
}

static void members(void **state)
{
	struct json *object = json_new_object(arena);

	json_set(arena, object, "a", json_new_int(arena, 1));
	json_set(arena, object, "b", json_new_string(arena, NULL));
	json_set(arena, object, "a", json_new_bool(arena, true));
	json_set(arena, object, "c", json_new_uint(arena, UINT64_MAX));
	assert_true(json_unset(object, "b"));
	assert_false(json_unset(object, "b"));
	assert_string_equal(json_print(arena, object, 0), "{\"a\":true,\"c\":18446744073709551615}");
	assert_null(json_get(object, "z"));
	assert_null(json_get_string(object, "a"));
	assert_null(json_get(NULL, "a"));
}

/* --- field tables */
struct point { int64_t x, y; };
JSON_SHAPE(point, JSON_FIELD(point, x, "x", T_INT, .required = true), JSON_FIELD(point, y, "y", T_INT, .always = true));

struct named { char *name; struct strings options; };
JSON_SHAPE(named, JSON_FIELD(named, name, "", T_KEY), JSON_FIELD(named, options, "options", T_STRINGS));

struct all {
	char *string;
	bool boolean;
	int64_t integer;
	uint64_t unsigned_;
	double number;
	bool *opt_bool;
	int64_t *opt_int;
	uint64_t *opt_uint;
	struct strings strings;
	ARRAY(int64_t) ints;
	ARRAY(uint64_t) uints;
	struct string_map map;
	struct strings keys;
	struct point *object;
	struct point embed;
	ARRAY(struct point) objects;
	ARRAY(struct named) object_map;
	struct json *any, *rest;
};
JSON_SHAPE(all, JSON_FIELD(all, string, "string", T_STRING), JSON_FIELD(all, boolean, "boolean", T_BOOL),
	   JSON_FIELD(all, integer, "integer", T_INT), JSON_FIELD(all, unsigned_, "unsigned", T_UINT),
	   JSON_FIELD(all, number, "number", T_DOUBLE), JSON_FIELD(all, opt_bool, "optBool", T_OPT_BOOL),
	   JSON_FIELD(all, opt_int, "optInt", T_OPT_INT), JSON_FIELD(all, opt_uint, "optUint", T_OPT_UINT),
	   JSON_FIELD(all, strings, "strings", T_STRINGS), JSON_FIELD(all, ints, "ints", T_INTS),
	   JSON_FIELD(all, uints, "uints", T_UINTS), JSON_FIELD(all, map, "map", T_MAP),
	   JSON_FIELD(all, keys, "keys", T_KEYS), JSON_FIELD(all, object, "object", T_OBJECT, .shape = &point_shape),
	   JSON_FIELD(all, embed, "embed", T_EMBED, .shape = &point_shape),
	   JSON_FIELD(all, objects, "objects", T_OBJECTS, .shape = &point_shape),
	   JSON_FIELD(all, object_map, "objectMap", T_OBJECT_MAP, .shape = &named_shape),
	   JSON_FIELD(all, any, "any", T_ANY), JSON_FIELD(all, rest, "", T_REST));

static void every_type_round_trips(void **state)
{
	static const char text[] =
		"{\"string\":\"s\",\"boolean\":true,\"integer\":-5,\"unsigned\":18446744073709551615,\"number\":2.5,"
		"\"optBool\":false,\"optInt\":0,\"optUint\":7,\"strings\":[\"a\",\"b\",\"c\"],\"ints\":[1,-2],"
		"\"uints\":[3,18446744073709551615],\"map\":{\"k\":\"v\",\"l\":\"\"},\"keys\":{\"80/tcp\":{},\"81/udp\":{}},"
		"\"object\":{\"x\":1,\"y\":2},\"embed\":{\"x\":3,\"y\":0},\"objects\":[{\"x\":4,\"y\":5},{\"x\":6,\"y\":7}],"
		"\"objectMap\":{\"one\":{\"options\":[\"o\"]},\"two\":{}},\"any\":[null,{\"z\":1}],\"more\":{\"k\":[1]}}";
	struct all all;
	struct error err = { 0 };

	if (json_decode(arena, &all_shape, &all, text, strlen(text), "t", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(all.unsigned_, UINT64_MAX);
	assert_false(*all.opt_bool);
	assert_int_equal(all.strings.n, 3);
	assert_null(all.strings.v[3]);
	assert_string_equal(all.keys.v[1], "81/udp");
	assert_string_equal(all.object_map.v[1].name, "two");
	assert_int_equal(all.objects.v[1].y, 7);
	assert_string_equal(json_print(arena, json_encode(arena, &all_shape, &all), 0), text);
}

static void nulls_are_absent(void **state)
{
	static const char text[] = "{\"string\":null,\"strings\":null,\"object\":null,\"optInt\":null,\"map\":{\"a\":null},"
				   "\"embed\":{\"x\":0},\"any\":null,\"objectMap\":{\"a\":null}}";
	struct all all;
	struct error err = { 0 };

	assert_int_equal(json_decode(arena, &all_shape, &all, text, strlen(text), "t", &err), 0);
	assert_null(all.string);
	assert_null(all.opt_int);
	assert_null(all.object);
	assert_null(all.rest);
	assert_null(all.any);
	assert_string_equal(map_get(&all.map, "a"), "");
	assert_string_equal(json_print(arena, json_encode(arena, &all_shape, &all), 0),
			    "{\"map\":{\"a\":\"\"},\"embed\":{\"x\":0,\"y\":0}}");
}

static void errors_have_positions(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "[]", "config.json: expected object, got list" },
		{ "{\"string\":1}", "config.json: .string: expected string, got number" },
		{ "{\"strings\":[\"a\",2]}", "config.json: .strings[1]: expected string, got number" },
		{ "{\"strings\":[null]}", "config.json: .strings[0]: expected string, got null" },
		{ "{\"strings\":\"a\"}", "config.json: .strings: expected list, got string" },
		{ "{\"objects\":[{\"x\":1},{\"x\":true}]}", "config.json: .objects[1].x: expected number, got boolean" },
		{ "{\"objects\":[{\"y\":1}]}", "config.json: .objects[0].x: missing, and required" },
		{ "{\"object\":{\"x\":null}}", "config.json: .object.x: missing, and required" },
		{ "{\"objectMap\":{\"a b\":{\"options\":{}}}}",
		  "config.json: .objectMap[\"a b\"].options: expected list, got object" },
		{ "{\"integer\":1.0}", "config.json: .integer: expected an integer, got a fraction" },
		{ "{\"integer\":18446744073709551615}",
		  "config.json: .integer: number too large for a signed integer of 64 bits" },
		{ "{\"optUint\":-1}", "config.json: .optUint: expected a number of at least 0" },
		{ "{\"map\":{\"k\":1}}", "config.json: .map.k: expected string, got number" },
		{ "{\"boolean\":\"true\"}", "config.json: .boolean: expected boolean, got string" },
		{ "{", "config.json: line 1, column 2: unexpected end of data" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct all all;
		struct error err = { 0 };

		assert_int_equal(json_decode(arena, &all_shape, &all, cases[i].text, strlen(cases[i].text),
					     "config.json", &err), -1);
		assert_string_equal(err.text, cases[i].error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_prints),	 cmocka_unit_test(refuses),
		cmocka_unit_test(depth_is_limited),	 cmocka_unit_test(weight_is_limited), cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(prints_indented_as_go), cmocka_unit_test(members),
		cmocka_unit_test(every_type_round_trips), cmocka_unit_test(nulls_are_absent),
		cmocka_unit_test(errors_have_positions),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
