/* Text as people see it: cleaned, aged, as YAML, as a bar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/units.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/ps.h"
#include "cli/yaml.h"

static struct arena *arena;

static void test_clean(void **state)
{
	static const struct { const char *dirty, *clean; } cases[] = {
		{ "plain text", "plain text" },
		{ "grün 日本 🌿", "grün 日本 🌿" },
		{ "\033[31mred\033[0m", "?[31mred?[0m" },
		{ "two\nlines\ttab\r", "two?lines?tab?" },
		{ "del\x7f", "del?" },
		{ "\xc2\x9b" "31m", "??31m" },				/* C1 control sequence introducer */
		{ "\xff\xfe", "??" },
		{ "cut \xe2\x82", "cut ??" },
		{ "\xc0\xaf", "??" },					/* overlong */
		{ "\xed\xa0\x80", "???" },				/* surrogate */
		{ "a\xe2\x80\xae" "b", "a???b" },			/* right-to-left override */
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(output_clean(arena, cases[i].dirty), cases[i].clean);
}

static struct json *parse(const char *text)
{
	struct error err = { 0 };
	struct json *v = json_parse(arena, text, strlen(text), "test", &err);

	if (!v)
		fail_msg("%s", err.text);
	return v;
}

static void test_clean_json(void **state)
{
	const struct json *v = output_clean_json(arena, parse("{\"a\\u001b\":[\"x\\u0007\",1,{\"b\":true}]}"));

	assert_string_equal(json_print(arena, v, 0), "{\"a?\":[\"x?\",1,{\"b\":true}]}");
}

static void test_yaml(void **state)
{
	static const struct { const char *json, *yaml; } cases[] = {
		{ "{\"a\":1,\"b\":\"x\"}", "a: 1\nb: x\n" },
		{ "{\"host\":{\"cpus\":2,\"maps\":[{\"id\":0,\"size\":1},{\"id\":1,\"size\":2}]}}",
		  "host:\n  cpus: 2\n  maps:\n  - id: 0\n    size: 1\n  - id: 1\n    size: 2\n" },
		{ "{\"e\":{},\"l\":[],\"n\":null,\"t\":true,\"s\":\"\"}", "e: {}\nl: []\n\"n\": null\nt: true\ns: \"\"\n" },
		{ "{\"v\":\"1.0\",\"w\":\"true\",\"c\":\"a: b\",\"d\":\"- x\",\"p\":\"/a/b\"}",
		  "v: \"1.0\"\nw: \"true\"\nc: \"a: b\"\nd: \"- x\"\np: /a/b\n" },
		{ "[\"a\",[\"b\",\"c\"]]", "- a\n- - b\n  - c\n" },
		{ "{\"m\":\"two\\nlines\"}", "m: \"two\\nlines\"\n" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buffer_ struct buffer out = BUFFER(4096);

		assert_int_equal(yaml_print(arena, parse(cases[i].json), &out), 0);
		assert_string_equal(out.data, cases[i].yaml);
	}
}

static void test_progress(void **state)
{
	assert_string_equal(progress_line(arena, "0123456789abcdef", "Pull complete", 0, 0, 80), "0123456789ab  Pull complete");
	assert_string_equal(progress_line(arena, "0123456789ab", "Downloading", 5000000, 10000000, 82),
			    "0123456789ab  Downloading       [==========>         ]       5 MB / 10 MB");
	assert_string_equal(progress_line(arena, "0123456789ab", "Downloading", 5, 10, 60), "0123456789ab  Downloading");
	assert_non_null(strstr(progress_line(arena, "a", "Extracting", 20, 10, 100), "[======================================]"));
}

static void test_status(void **state)
{
	int64_t now = units_now(), minute = 60LL * 1000000000;

	assert_string_equal(ps_status_text(arena, "running", now - 2 * minute, 0, 0), "Up 2 minutes");
	assert_string_equal(ps_status_text(arena, "paused", now - 2 * minute, 0, 0), "Up 2 minutes (Paused)");
	assert_string_equal(ps_status_text(arena, "exited", 0, now - 180 * minute, 137), "Exited (137) 3 hours ago");
	assert_string_equal(ps_status_text(arena, "created", 0, 0, 0), "Created");
}

static void test_ports(void **state)
{
	static const struct { const char *json, *text; } cases[] = {
		{ "{\"host_ip\":\"\",\"host_port\":8080,\"container_port\":80,\"protocol\":\"tcp\",\"range\":1}", "0.0.0.0:8080->80/tcp" },
		{ "{\"host_ip\":\"127.0.0.1\",\"host_port\":53,\"container_port\":53,\"protocol\":\"udp\"}", "127.0.0.1:53->53/udp" },
		{ "{\"host_ip\":\"::1\",\"host_port\":8000,\"container_port\":9000,\"range\":3}", "::1:8000-8002->9000-9002/tcp" },
		{ "{\"container_port\":80}", "80/tcp" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_string_equal(ps_port_text(arena, parse(cases[i].json)), cases[i].text);
}

static void test_ps_view(void **state)
{
	struct json *view = ps_view(arena, parse("{\"Id\":\"0123456789abcdef0123\",\"Names\":[\"web\"],\"State\":\"created\",\"Image\":\"i\","
						 "\"Command\":[\"sleep\",\"a very long argument\"],\"Created\":1700000000}"), false);

	assert_string_equal(json_get_string(view, "ID"), "0123456789ab");
	assert_string_equal(json_get_string(view, "Names"), "web");
	assert_string_equal(json_get_string(view, "Command"), "sleep a very long...");
	assert_string_equal(json_get_string(view, "Status"), "Created");
	assert_true(str_ends(json_get_string(view, "Created"), " ago"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean), cmocka_unit_test(test_clean_json), cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_progress), cmocka_unit_test(test_status), cmocka_unit_test(test_ports),
		cmocka_unit_test(test_ps_view),
	};
	int r;

	arena = arena_new();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return r;
}
