#include "spec/registries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

static void toml_values(void **state)
{
	static const struct { const char *text, *json; } cases[] = {
		{ "", "{}" },
		{ "# only\n\n", "{}" },
		{ "a = 1 # c\nb=\"x\"\r\nc = true\n", "{\"a\":1,\"b\":\"x\",\"c\":true}" },
		{ "a = [\n  1, # one\n  [ \"x\", 'y' ],\n]", "{\"a\":[1,[\"x\",\"y\"]]}" },
		{ "\"a b\" = 'C:\\d'\n'e' = \"\\t\\u00e4\\U0001F600\\\\\"", "{\"a b\":\"C:\\\\d\",\"e\":\"\\t\xc3\xa4\xf0\x9f\x98\x80\\\\\"}" },
		{ "a.b.c = 1\na.b.d = 2", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}" },
		{ "[a]\nx=1\n[a.b]\ny=2\n[c]", "{\"a\":{\"x\":1,\"b\":{\"y\":2}},\"c\":{}}" },
		{ "[a.b]\ny=2\n[a]\nx=1", "{\"a\":{\"b\":{\"y\":2},\"x\":1}}" },
		{ "[[r]]\nn=1\n[[r.m]]\nl=\"a\"\n[[r.m]]\nl=\"b\"\n[[r]]\nn=2",
		  "{\"r\":[{\"n\":1,\"m\":[{\"l\":\"a\"},{\"l\":\"b\"}]},{\"n\":2}]}" },
		{ "a = { x = 1, y.z = [], w = {} }", "{\"a\":{\"x\":1,\"y\":{\"z\":[]},\"w\":{}}}" },
		{ "a = \"\"\"\nx \"q\" \\\n   y\n\"\"\"\nb = '''z\\'''", "{\"a\":\"x \\\"q\\\" y\\n\",\"b\":\"z\\\\\"}" },
		{ "a = \"\"\"q\"\"\"\"\"", "{\"a\":\"q\\\"\\\"\"}" },
		{ "a = \"\"", "{\"a\":\"\"}" },
		{ "a=-1_000\nb=0xff\nc=0b11\nd=0o17\ne=1.5\nf=1e3\ng=+5", "{\"a\":-1000,\"b\":255,\"c\":3,\"d\":15,\"e\":1.5,\"f\":1000,\"g\":5}" },
		{ "a = 1979-05-27T07:32:00Z\nb = 1979-05-27", "{\"a\":\"1979-05-27T07:32:00Z\",\"b\":\"1979-05-27\"}" },
		{ "mounts = [\"a\", {append=true}]", "{\"mounts\":[\"a\",{\"append\":true}]}" },
		{ "\xef\xbb\xbf" "a=1", "{\"a\":1}" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct json *value = toml_parse(arena, cases[i].text, strlen(cases[i].text), "t", &err);

		if (!value)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(json_print(arena, value, 0), cases[i].json);
	}
}

static void toml_errors(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "a = 1\nb = \n", "t: line 2, column 5: expected a value" },
		{ "a 1", "line 1, column 3: expected \"=\"" },
		{ "= 1", "line 1, column 1: expected a name" },
		{ "a = 1 2", "expected the end of the line" },
		{ "a = [1 2]", "line 1, column 8: expected \",\" or \"]\"" },
		{ "a = [1", "expected \",\" or \"]\"" },
		{ "a = {x=1", "expected \",\" or \"}\"" },
		{ "a = {x=1,\n}", "expected a name" },
		{ "a = \"x", "unterminated string" },
		{ "a = \"x\ny\"", "unterminated string" },
		{ "a = \"\"\"x\"\"", "unterminated string" },
		{ "a = \"\\q\"", "unknown escape" },
		{ "a = \"\\u12\"", "malformed \\u escape" },
		{ "a = \"\\ud800\"", "escape of no character" },
		{ "a = \"\x01\"", "control byte" },
		{ "a = 1\na = 2", "line 2, column 1: this name was given before" },
		{ "a = 1\n[a]", "this table was given before" },
		{ "a = 1\n[a.b]", "this name is no table" },
		{ "[a]\n[a]", "this table was given before" },
		{ "a = []\n[[a]]", "is no list of tables" },
		{ "[a", "expected \"]\"" },
		{ "[[a]", "expected \"]\"" },
		{ "[]", "expected a name" },
		{ "a = 01", "malformed value" },
		{ "a = 1__0", "malformed value" },
		{ "a = _1", "malformed value" },
		{ "a = 1.", "malformed value" },
		{ "a = 1e", "malformed value" },
		{ "a = 99999999999999999999", "malformed value" },
		{ "a = inf", "malformed value" },
		{ "a = yes", "malformed value" },
		{ "a = 0x", "malformed value" },
	};
	char deep[200];

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };

		if (toml_parse(arena, cases[i].text, strlen(cases[i].text), "t", &err) || !strstr(err.text, cases[i].error))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "a=", 2);
	assert_null(toml_parse(arena, deep, sizeof(deep), "t", &(struct error){ 0 }));
}

static const char conf[] =
	"unqualified-search-registries = [\"docker.io\", \"quay.io\"]\n"
	"short-name-mode = \"permissive\"\n"
	"[[registry]]\nprefix = \"docker.io\"\nlocation = \"docker.io\"\n"
	"[[registry.mirror]]\nlocation = \"127.0.0.1:5000/hub\"\ninsecure = true\n"
	"[[registry.mirror]]\nlocation = \"digests.io\"\npull-from-mirror = \"digest-only\"\n"
	"[[registry.mirror]]\nlocation = \"tags.io\"\npull-from-mirror = \"tag-only\"\n"
	"[[registry]]\nlocation = \"127.0.0.1:5000\"\ninsecure = true\n"
	"[[registry]]\nprefix = \"quay.io/team\"\nlocation = \"mirror.io/x/\"\n"
	"[[registry]]\nprefix = \"bad.io\"\nblocked = true\n"
	"[[registry]]\nprefix = \"*.wild.io\"\nlocation = \"one.io\"\n"
	"[[registry]]\nprefix = \"*.same.io\"\ninsecure = true\n"
	"[[registry]]\nprefix = \"*.b.same.io\"\nlocation = \"deep.io/b\"\n"
	"[[registry]]\nprefix = \"quay.io/team/app:old\"\nlocation = \"archive.io/team/app:2019\"\n"
	"[[registry]]\nprefix = \"only.io\"\nmirror-by-digest-only = true\n"
	"[[registry.mirror]]\nlocation = \"digests.io/only\"\n"
	"[aliases]\n\"fedora\" = \"registry.fedoraproject.org/fedora\"\n\"gone\" = \"a.io/gone\"\n";

static struct registries registries_of(const char *more)
{
	struct registries r = { 0 };
	struct error err = { 0 };

	if (registries_add(arena, &r, conf, strlen(conf), "registries.conf", &err) < 0 ||
	    registries_add(arena, &r, more, strlen(more), "more.conf", &err) < 0)
		fail_msg("%s", err.text);
	return r;
}

static struct reference reference_of(const char *text)
{
	struct reference r;

	assert_int_equal(reference_parse(arena, text, &r, &(struct error){ 0 }), 0);
	return r;
}

static void sources(void **state)
{
	static const char digest[] = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static const struct { const char *name; bool digest; const char *sources; } cases[] = {
		{ "docker.io/library/busybox:1", false, "127.0.0.1:5000 hub/library/busybox 1 insecure, tags.io library/busybox 1, "
		  "registry-1.docker.io library/busybox 1" },
		{ "docker.io/library/busybox:1", true, "127.0.0.1:5000 hub/library/busybox sha256 insecure, "
		  "digests.io library/busybox sha256, registry-1.docker.io library/busybox sha256" },
		{ "127.0.0.1:5000/a", false, "127.0.0.1:5000 a latest insecure" },
		{ "quay.io/team/app", false, "mirror.io x/app latest" },
		{ "quay.io/teams/app", false, "quay.io teams/app latest" },
		{ "quay.io/team/app:old", false, "archive.io team/app 2019" },
		{ "quay.io/team/app:older", false, "mirror.io x/app older" },
		{ "only.io/a", false, "only.io a latest" },
		{ "only.io/a", true, "digests.io only/a sha256, only.io a sha256" },
		{ "a.b.wild.io/x/y", false, "one.io x/y latest" },
		{ "a.wild.io:5000/x/y", false, "one.io:5000 x/y latest" },
		{ "wild.io/x/y", false, "wild.io x/y latest" },
		{ "awild.io/x/y", false, "awild.io x/y latest" },
		{ "a.same.io/x", false, "a.same.io x latest insecure" },
		{ "a.b.same.io/x", false, "deep.io b/x latest" },
		{ "other.io/x", false, "other.io x latest" },
	};
	const struct registries r = registries_of("");

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct reference name = reference_of(arena_printf(arena, "%s%s", cases[i].name, cases[i].digest ? digest : ""));
		struct registry_sources found = { 0 };
		struct strings text = { 0 };
		struct error err = { 0 };

		if (registries_sources(arena, &r, &name, &found, &err) < 0)
			fail_msg("%s", err.text);
		for (size_t j = 0; j < found.n; j++)
			strings_addf(arena, &text, "%s %s %.*s%s", found.v[j].host, found.v[j].path,
				     (int)strcspn(found.v[j].reference, ":"), found.v[j].reference,
				     found.v[j].insecure ? " insecure" : "");
		assert_string_equal(strings_join(arena, &text, ", "), cases[i].sources);
	}
}

static void blocked(void **state)
{
	const struct registries r = registries_of("");
	struct reference name = reference_of("bad.io/x");
	struct registry_sources found;
	struct error err = { 0 };

	assert_int_equal(registries_sources(arena, &r, &name, &found, &err), -1);
	assert_string_equal(err.text, "registry bad.io is blocked in registries.conf");
}

static void candidates(void **state)
{
	static const struct { const char *name, *names; } cases[] = {
		{ "busybox", "docker.io/library/busybox:latest, quay.io/busybox:latest" },
		{ "team/app:v1", "docker.io/team/app:v1, quay.io/team/app:v1" },
		{ "fedora", "registry.fedoraproject.org/fedora:latest" },
		{ "fedora:40", "registry.fedoraproject.org/fedora:40" },
		{ "gone", "docker.io/library/gone:latest, quay.io/gone:latest" },
	};
	const struct registries r = registries_of("[aliases]\ngone = \"\"\n");
	const struct registries none = { 0 };
	struct reference name = reference_of("x");
	struct strings found;
	struct error err = { 0 };

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct reference short_name = reference_of(cases[i].name);

		assert_int_equal(registries_candidates(arena, &r, &short_name, &found, &err), 0);
		assert_string_equal(strings_join(arena, &found, ", "), cases[i].names);
	}
	assert_int_equal(registries_candidates(arena, &none, &name, &found, &err), -1);
	assert_true(str_starts(err.text, "short-name \"x\" did not resolve to an alias and no unqualified-search registries"));
}

static void later_files_win(void **state)
{
	const struct registries r = registries_of("unqualified-search-registries = []\n[[registry]]\nprefix=\"bad.io\"\n");
	struct reference name = reference_of("bad.io/x");
	struct registry_sources found;
	struct error err = { 0 };

	assert_int_equal(r.unqualified_search.n, 0);
	assert_string_equal(r.short_name_mode, "permissive");
	assert_int_equal(registries_sources(arena, &r, &name, &found, &err), 0);
}

static void version_1(void **state)
{
	static const char text[] = "[registries.search]\nregistries = ['one.io', 'two.io']\n[registries.insecure]\n"
				   "registries = ['three.io']\n[registries.block]\nregistries = ['bad.io']\n";
	struct reference insecure = reference_of("three.io/x"), bad = reference_of("bad.io/x");
	struct registry_sources found;
	struct registries r = { 0 };
	struct error err = { 0 };

	assert_int_equal(registries_add(arena, &r, text, strlen(text), "c", &err), 0);
	assert_string_equal(strings_join(arena, &r.unqualified_search, " "), "one.io two.io");
	assert_int_equal(registries_sources(arena, &r, &insecure, &found, &err), 0);
	assert_true(found.n == 1 && found.v[0].insecure);
	assert_int_equal(registries_sources(arena, &r, &bad, &found, &err), -1);
	error_clear(&err);
	assert_int_equal(registries_add(arena, &r, text, strlen(text), "d", &err), -1);
	assert_non_null(strstr(err.text, "d: version 1 of the format"));
	assert_non_null(strstr(err.hint, "unqualified-search-registries"));
}

static void lost_tag(void **state)
{
	static const char text[] = "[[registry]]\nprefix=\"a.io/x:1\"\nlocation=\"b.io/x\"\n[[registry]]\nprefix=\"c.io\"\nlocation=\"c\"\n";
	struct reference tagged = reference_of("a.io/x:1"), bare = reference_of("c.io/x");
	struct registry_sources found;
	struct registries r = { 0 };
	struct error err = { 0 };

	assert_int_equal(registries_add(arena, &r, text, strlen(text), "c", &err), 0);
	assert_int_equal(registries_sources(arena, &r, &tagged, &found, &err), -1);
	assert_non_null(strstr(err.text, "\"b.io/x\" leaves neither tag nor digest"));
	error_clear(&err);
	assert_int_equal(registries_sources(arena, &r, &bare, &found, &err), -1);
	assert_non_null(strstr(err.text, "leaves no repository"));
}

static void bad_files(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "[registries.search]\nregistries=[]\n[[registry]]\nprefix=\"a.io\"", "version 1 of the format" },
		{ "[registries.search]\nregistries=\"a.io\"", "c: .registries.search.registries: expected list, got string" },
		{ "[[registry]]\nprefix=\"*.x.io/a\"", "a wildcard is *.HOST, without port and path, and not \"*.x.io/a\"" },
		{ "[[registry]]\nprefix=\"*.x.io:5000\"", "a wildcard is *.HOST" },
		{ "[[registry]]\nprefix=\"x.*.io\"", "a wildcard is *.HOST" },
		{ "[[registry]]\nprefix=\"*.\"", "a wildcard is *.HOST" },
		{ "[[registry]]\nprefix=\"x.io\"\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation=\"y.io\"\n"
		  "pull-from-mirror=\"all\"", "exclude each other: mirror \"y.io\"" },
		{ "[[registry]]\nprefix=\"x.io\"\n[[registry.mirror]]\nlocation=\"y.io\"\npull-from-mirror=\"some\"",
		  "unknown pull-from-mirror \"some\"" },
		{ "[aliases]\n\"a:1\" = \"x.io/a\"", "an alias is a short name, without registry, tag and digest, and not \"a:1\"" },
		{ "[aliases]\n\"y.io/a\" = \"x.io/a\"", "an alias is a short name" },
		{ "[aliases]\na = \"x.io/a:1\"", "an alias stands for a full name without tag and digest, and not \"x.io/a:1\"" },
		{ "[aliases]\na = \"b\"", "an alias stands for a full name" },
		{ "[aliases]\na = \"x.io/A\"", "c: alias a: invalid reference format" },
		{ "short-name-mode = \"x\"", "unknown short-name-mode \"x\"" },
		{ "[[registry]]\nlocation=\"https://x.io\"", "has no scheme" },
		{ "[[registry]]\ninsecure=true", "neither prefix nor location" },
		{ "[[registry]]\nprefix=\"x.io\"\n[[registry.mirror]]\ninsecure=true", "c: .registry[0].mirror[0].location: missing" },
		{ "[[registry]]\nprefix=\"x.io\"\ninsecure=\"yes\"", "c: .registry[0].insecure: expected boolean, got string" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct registries r = { 0 };
		struct error err = { 0 };

		if (registries_add(arena, &r, cases[i].text, strlen(cases[i].text), "c", &err) == 0 ||
		    !strstr(err.text, cases[i].error))
			fail_msg("%s: %s", cases[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(toml_values), cmocka_unit_test(toml_errors), cmocka_unit_test(sources),
		cmocka_unit_test(blocked),     cmocka_unit_test(candidates),  cmocka_unit_test(later_files_win),
		cmocka_unit_test(bad_files),   cmocka_unit_test(version_1),   cmocka_unit_test(lost_tag),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
