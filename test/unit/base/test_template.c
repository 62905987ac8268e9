#include "base/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena *arena;
static struct json *root;

static const char document[] =
	"{\"Id\":\"abcdef0123456789\",\"Name\":\"web\",\"Count\":3,\"Big\":18446744073709551615,\"Ratio\":1.5,\"Up\":true,"
	"\"Nothing\":null,\"State\":{\"Status\":\"running\",\"Pid\":42,\"health\":{\"Status\":\"healthy\"}},"
	"\"Names\":[\"a\",\"b\",\"c\"],\"Empty\":[],\"Labels\":{\"z\":\"26\",\"a.b\":\"1\"},\"container_id\":\"c1\","
	"\"Ports\":{\"80/tcp\":[{\"HostPort\":\"8080\"}],\"53/udp\":null},\"Mounts\":[{\"Source\":\"/a\",\"RW\":true},"
	"{\"Source\":\"/b\",\"RW\":false}],\"Uml\":\"\xc3\xa4\xc3\xb6\"}";

static int setup(void **state)
{
	arena = arena_new();
	root = json_parse(arena, document, strlen(document), "document", NULL);
	return root ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static int run(const char *text, struct buffer *out, struct error *err)
{
	struct template *t = template_parse(arena, text, err);

	return t ? template_run(arena, t, root, out, err) : -1;
}

static const struct { const char *text, *result; } good[] = {
	{ "", "" },
	{ "plain } text", "plain } text" },
	{ "{{.Name}}", "web" },
	{ "a{{ .Name }}b{{.Id}}", "awebbabcdef0123456789" },
	{ "{{.ID}} {{.name}} {{.ContainerID}} {{.State.Health.Status}}", "abcdef0123456789 web c1 healthy" },
	{ "{{.Count}} {{.Big}} {{.Ratio}} {{.Up}} {{.Nothing}}", "3 18446744073709551615 1.5 true <nil>" },
	{ "{{.Names}}", "[a b c]" },
	{ "{{.Labels}}", "map[a.b:1 z:26]" },
	{ "{{.Labels.nope}}|{{.Nothing.x}}", "<no value>|<no value>" },
	{ "{{json .Names}} {{json .Name}} {{.Labels | json}}", "[\"a\",\"b\",\"c\"] \"web\" {\"z\":\"26\",\"a.b\":\"1\"}" },
	{ "{{join .Names \",\"}} {{.Names | join \"-\"}}", "a,b,c a-b-c" },
	{ "{{upper .Name}}{{lower \"ABC\"}}{{title \"hello big world\"}}", "WEBabcHello Big World" },
	{ "{{index .Labels \"a.b\"}}{{index .Names 1}}{{index .Labels \"q\"}}", "1b" },
	{ "{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080" },
	{ "{{index .Ports \"80/tcp\" 0}}", "map[HostPort:8080]" },
	{ "{{len .Names}} {{len .Name}} {{len .Labels}} {{len .Nothing}}", "3 3 2 0" },
	{ "{{if .Up}}yes{{else}}no{{end}}", "yes" },
	{ "{{if .Empty}}yes{{else}}no{{end}}", "no" },
	{ "{{if eq .Count 1}}1{{else if eq .Count 3}}3{{else}}?{{end}}", "3" },
	{ "{{if not .Nothing}}n{{end}}", "n" },
	{ "{{if and .Up (gt .Count 2) (lt .Count 4)}}in{{end}}", "in" },
	{ "{{and 1 0 .Nope.Deeper}} {{or 0 \"\" \"x\"}} {{or \"first\" .Nope}}", "0 x first" },
	{ "{{eq .Name \"a\" \"web\"}} {{ne 1 2}} {{le 2 2}} {{ge \"b\" \"a\"}} {{eq nil .Nothing}}", "true true true true true" },
	{ "{{with .State}}{{.Status}} {{$.Name}}{{end}}", "running web" },
	{ "{{with .Nothing}}x{{else}}none{{end}}", "none" },
	{ "{{with .Nothing}}x{{else with .Name}}{{.}}{{end}}", "web" },
	{ "{{range .Names}}<{{.}}>{{end}}", "<a><b><c>" },
	{ "{{range .Empty}}x{{else}}empty{{end}}", "empty" },
	{ "{{range $i, $n := .Names}}{{$i}}={{$n}};{{end}}", "0=a;1=b;2=c;" },
	{ "{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "a.b=1 z=26 " },
	{ "{{range $p, $c := .Ports}}{{$p}}{{range $c}}->{{.HostPort}}{{end}} {{end}}", "53/udp 80/tcp->8080 " },
	{ "{{range .Names}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}", "ac" },
	{ "{{range .Names}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}", "a" },
	{ "{{range 3}}{{.}}{{end}}", "012" },
	{ "{{range .Mounts}}{{.Source}}:{{.RW}} {{end}}", "/a:true /b:false " },
	{ "{{$x := .Name}}{{$x}}{{$x = \"new\"}}{{$x}}", "webnew" },
	{ "{{$x := 1}}{{range .Names}}{{$x = .}}{{end}}{{$x}}", "c" },
	{ "{{$s := .State}}{{$s.Status}}", "running" },
	{ "a  {{- .Name -}}  b", "awebb" },
	{ "a {{/* a comment */}} b{{- /* c */ -}} d", "a  bd" },
	{ "{{\"quo\\\"ted\\n\"}}{{`raw\\n`}}", "quo\"ted\nraw\\n" },
	{ "{{.Name}}\\t{{.Id}}\\n", "web\tabcdef0123456789\n" },
	{ "{{printf \"%s-%d-%v-%q\" .Name .Count .Names .Name}}", "web-3-[a b c]-\"web\"" },
	{ "{{printf \"%5d|%-5d|%05d|%x|%+d\" .Count .Count -3 255 7}}", "    3|3    |-0003|ff|+7" },
	{ "{{printf \"%-6s|%6s|%.2s|%4s\" .Name .Name .Name .Uml}}", "web   |   web|we|  \xc3\xa4\xc3\xb6" },
	{ "{{printf \"%.2f %t %v %T %%\" .Ratio .Up .Nothing .Name}}", "1.50 true <nil> string %" },
	{ "{{printf \"%d %s\" .Name}}{{printf \"x\" 1}}", "%!d(string=web) %!s(MISSING)x%!(EXTRA int64=1)" },
	{ "{{.Id | printf \"%.12s\"}}", "abcdef012345" },
	{ "{{slice .Id 0 4}}{{truncate .Id 6}}{{slice .Names 1}}", "abcdabcdef[b c]" },
	{ "{{pad .Name 1 2}}|{{pad \"\" 1 2}}|", " web  ||" },
	{ "{{split \"a,b\" \",\"}}{{index (split .Name \"e\") 1}}", "[a b]b" },
	{ "{{println .Name .Count}}{{print 1 2 \"x\" 3}}", "web 3\n1 2x3" },
	{ "{{len(.Names)}}", "3" },
	{ "{{true}}{{nil | json}}{{-5}}{{1.5e3}}", "truenull-51500" },
};

static void renders(void **state)
{
	for (size_t i = 0; i < ELEMENTS(good); i++) {
		_cleanup_buffer_ struct buffer out = BUFFER(4096);
		struct error err = { 0 };

		if (run(good[i].text, &out, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.text);
		if (strcmp(out.data ? out.data : "", good[i].result) != 0)
			fail_msg("%s: %s", good[i].text, out.data);
	}
}

static void refuses(void **state)
{
	static const struct { const char *text, *error; } bad[] = {
		{ "{{.Foo}}", "template: 1:3: at <.Foo>: can't evaluate field Foo" },
		{ "x\n {{.State.Foo}}", "template: 2:4: at <.State.Foo>: can't evaluate field Foo" },
		{ "{{.Name.Foo}}", "can't evaluate field Foo in type string" },
		{ "{{.Name", "template: 1:8: unclosed action" },
		{ "{{", "unclosed action" },
		{ "{{- ", "unclosed action" },
		{ "{{}}", "missing value for a command" },
		{ "{{.Name |}}", "missing value for a command" },
		{ "{{if .Up}}x", "missing {{end}}" },
		{ "{{if .Up}}x{{else}}y{{else}}z{{end}}", "unexpected {{else}}" },
		{ "{{end}}", "unexpected {{end}}" },
		{ "{{else}}", "unexpected {{else}}" },
		{ "{{nosuch .Name}}", "template: 1:3: function \"nosuch\" not defined" },
		{ "{{\"abc}}", "unterminated quoted string" },
		{ "{{\"\\q\"}}", "unknown escape" },
		{ "{{(len .Names}}", "unclosed left parenthesis" },
		{ "{{len .Names)}}", "unexpected right parenthesis" },
		{ "{{.Name .Id}}", "can't give argument to non-function" },
		{ "{{.Name | .Id}}", "can't give argument to non-function" },
		{ "{{len}}", "wrong number of arguments for len: want 1, got 0" },
		{ "{{len 1}}", "len of a value without a length" },
		{ "{{index .Names 9}}", "index out of range" },
		{ "{{index .Nothing 0}}", "index of nil" },
		{ "{{slice .Id 9 2}}", "invalid slice index" },
		{ "{{eq .Name 1}}", "incompatible types for comparison" },
		{ "{{lt .Names .Names}}", "incompatible types for comparison" },
		{ "{{range .Name}}{{end}}", "range can't iterate over string" },
		{ "{{$x}}", "undefined variable \"$x\"" },
		{ "{{$x = 1}}", "undefined variable \"$x\"" },
		{ "{{break}}", "belong in {{range}}" },
		{ "{{define \"x\"}}{{end}}", "not supported" },
		{ "{{/* x }}", "unclosed comment" },
		{ "{{..}}", "expected a field name" },
		{ "{{.Name.}}", "expected a field name" },
		{ "{{1x}}", "bad number" },
		{ "{{.Name%}}", "unexpected character" },
		{ "{{range 2000000000}}x{{end}}", "the result is too long" },
		{ "{{range 2000000000}}{{end}}", "too many steps" },
		{ "{{$x := \"xxxxxxxx\"}}{{range 60}}{{$x = print $x $x}}{{end}}", "result too large" },
	};

	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		_cleanup_buffer_ struct buffer out = BUFFER(4096);
		struct error err = { 0 };

		if (run(bad[i].text, &out, &err) == 0 || !strstr(err.text, bad[i].error))
			fail_msg("%s: %s", bad[i].text, err.text);
	}
}

static void depth_is_limited(void **state)
{
	_cleanup_buffer_ struct buffer text = BUFFER(1 << 20), out = BUFFER(4096);
	struct error err = { 0 };

	buffer_adds(&text, "{{");
	for (int i = 0; i < 10000; i++)
		buffer_adds(&text, "(");
	assert_int_equal(run(text.data, &out, &err), -1);
	assert_non_null(strstr(err.text, "nested too deeply"));
	text.size = 0;
	for (int i = 0; i < 10000; i++)
		buffer_adds(&text, "{{if .Up}}");
	assert_int_equal(run(text.data, &out, &err), -1);
	assert_non_null(strstr(err.text, "nested too deeply"));
}

static void rows(void **state)
{
	static const char list[] = "[{\"Id\":\"0123456789ab\",\"Names\":\"web\",\"CreatedAt\":\"now\",\"Ports\":[1,2]},"
				   "{\"Id\":\"b\",\"Names\":\"a-long-name\",\"CreatedAt\":\"then\",\"Ports\":[]}]";
	static const struct { const char *format; bool header; const char *result; } cases[] = {
		{ "table {{.ID}}\t{{.Names}}\t{{.CreatedAt}}", true,
		  "CONTAINER ID  NAMES        CREATED AT\n0123456789ab  web          now\nb             a-long-name  then\n" },
		{ "table {{.ID}}\\t{{.Names}}", false, "0123456789ab  web\nb             a-long-name\n" },
		{ "table {{upper .Names}}\t{{range .Ports}}{{.}} {{end}}\t{{len .Ports}}", true,
		  "NAMES        PORTS       PORTS\nWEB          1 2         2\nA-LONG-NAME              0\n" },
		{ "{{.ID}}", true, "0123456789ab\nb\n" },
		{ "{{.ID}}\\n", true, "0123456789ab\nb\n" },
		{ "{{range .}}{{.ID}};{{end}}", true, "0123456789ab;b;" },
	};
	struct string_map headers = { 0 };
	struct json *value = json_parse(arena, list, strlen(list), "list", NULL);

	map_set(arena, &headers, "ID", "CONTAINER ID");
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		_cleanup_buffer_ struct buffer out = BUFFER(4096);
		struct error err = { 0 };

		if (template_rows(arena, cases[i].format, value, &headers, cases[i].header, &out, &err) < 0)
			fail_msg("%s: %s", cases[i].format, err.text);
		assert_string_equal(out.data, cases[i].result);
	}
}

static void rows_as_json(void **state)
{
	_cleanup_buffer_ struct buffer out = BUFFER(4096), none = BUFFER(4096);
	struct json *list = json_new_list(arena);
	struct error err = { 0 };

	assert_int_equal(template_rows(arena, "table {{.A}}\t{{.BcD}}", list, NULL, true, &none, &err), 0);
	assert_string_equal(none.data, "A           BC D\n");
	json_append(arena, list, json_new_int(arena, 1));
	assert_int_equal(template_rows(arena, "json", list, NULL, true, &out, &err), 0);
	assert_string_equal(out.data, "[\n    1\n]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renders), cmocka_unit_test(refuses),	   cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(rows),	   cmocka_unit_test(rows_as_json),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
