/* The configuration of a committed image */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/commit.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static char *copy(const char *text)
{
	return arena_strdup(arena, text);
}

static void list(struct strings *ret, const char *text)
{
	*ret = strings_split(arena, text, " ");
}

static struct container container(void)
{
	struct container c = { .image_name = copy("localhost/base:1"), .workdir = copy("/w") };

	list(&c.env, "PATH=/bin container=podman A=b");
	list(&c.args, "sh -c x");
	list(&c.request.command, "sh -c x");
	list(&c.image.env, "PATH=/bin");
	list(&c.image.cmd, "old");
	return c;
}

static const char base_text[] =
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"container\":\"gone\",\"extra\":{\"kept\":1},\"config\":{\"Cmd\":[\"old\"]},"
	"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:aa\"]},\"history\":[{\"created_by\":\"first\"}]}";

static struct json *make(const struct container *c, const struct commit_request *r)
{
	struct image_config base = { 0 };
	struct error err = { 0 };
	char *text;

	assert_int_equal(json_decode(arena, &image_config_shape, &base, base_text, strlen(base_text), "base", &err), 0);
	if (commit_config(arena, c, &base, r, "sha256:bb", "2026-01-02T03:04:05Z", &text, &err) < 0)
		fail_msg("%s", err.text);
	return json_parse(arena, text, strlen(text), "result", &err);
}

static const char *print(const struct json *value)
{
	return value ? json_print(arena, value, 0) : "";
}

static void adds_a_layer_and_a_step(void **state)
{
	const struct commit_request r = { .author = copy("me") };
	struct container c = container();
	const struct json *j = make(&c, &r), *config = json_get(j, "config");

	(void)state;
	assert_string_equal(print(json_get(json_get(j, "rootfs"), "diff_ids")), "[\"sha256:aa\",\"sha256:bb\"]");
	assert_string_equal(print(json_get(j, "history")),
			    "[{\"created_by\":\"first\"},{\"created\":\"2026-01-02T03:04:05Z\",\"created_by\":\"sh -c x\","
			    "\"author\":\"me\",\"comment\":\"FROM localhost/base:1\"}]");
	assert_string_equal(print(json_get(config, "Env")), "[\"PATH=/bin\",\"A=b\"]");
	assert_string_equal(print(json_get(config, "Cmd")), "[\"sh\",\"-c\",\"x\"]");
	assert_string_equal(json_get_string(config, "WorkingDir"), "/w");
	assert_string_equal(json_get_string(j, "author"), "me");
	assert_string_equal(print(json_get(j, "extra")), "{\"kept\":1}");
	assert_null(json_get(j, "container"));
}

static void squash_forgets_what_was_below(void **state)
{
	const struct commit_request r = { .squash = true };
	struct container c = container();
	const struct json *j = make(&c, &r);

	(void)state;
	assert_string_equal(print(json_get(json_get(j, "rootfs"), "diff_ids")), "[\"sha256:bb\"]");
	assert_int_equal(json_get(j, "history")->list.n, 1);
}

static void keeps_the_images_command_when_none_was_given(void **state)
{
	const struct commit_request r = { .message = copy("words") };
	struct container c = container();
	const struct json *j;

	(void)state;
	c.request.command = (struct strings){ 0 };
	list(&c.image.env, "PATH=/bin container=mine");
	j = make(&c, &r);
	assert_string_equal(print(json_get(json_get(j, "config"), "Cmd")), "[\"old\"]");
	assert_string_equal(print(json_get(json_get(j, "config"), "Env")), "[\"PATH=/bin\",\"container=podman\",\"A=b\"]");
	assert_string_equal(json_get_string(j, "comment"), "words");
}

static void volumes_by_choice(void **state)
{
	static const struct container_mount mounts[] = {
		{ .type = (char *)"volume", .destination = (char *)"/anonymous", .anonymous = true },
		{ .type = (char *)"volume", .destination = (char *)"/named" },
		{ .type = (char *)"bind", .destination = (char *)"/bound" },
		{ .type = (char *)"tmpfs", .destination = (char *)"/tmpfs" },
	};
	struct commit_request r = { 0 };
	struct container c = container();

	(void)state;
	for (size_t i = 0; i < ELEMENTS(mounts); i++)
		*ARRAY_ADD(arena, &c.mounts) = mounts[i];
	assert_string_equal(print(json_get(json_get(make(&c, &r), "config"), "Volumes")), "{\"/anonymous\":{}}");
	r.include_volumes = true;
	assert_string_equal(print(json_get(json_get(make(&c, &r), "config"), "Volumes")),
			    "{\"/anonymous\":{},\"/named\":{},\"/bound\":{}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adds_a_layer_and_a_step, setup, teardown),
		cmocka_unit_test_setup_teardown(squash_forgets_what_was_below, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_the_images_command_when_none_was_given, setup, teardown),
		cmocka_unit_test_setup_teardown(volumes_by_choice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
