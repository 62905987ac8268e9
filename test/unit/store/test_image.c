/* Images: names, resolution, sharing of layers, damage */
#include <fcntl.h>
#include <unistd.h>

#include "fixture.h"
#include "store/blob.h"
#include "store/layer.h"
#include "sys/fd.h"

static void names_become_file_names(void **state)
{
	const char *first, *second;

	(void)state;
	assert_string_equal(image_name_encode(arena, "docker.io/library/busybox:1.36"),
			    "docker.io%2Flibrary%2Fbusybox:1.36");
	assert_string_equal(image_name_encode(arena, "../x"), "%2E.%2Fx");
	first = image_name_encode(arena, arena_printf(arena, "h/%0300d:a", 0));
	second = image_name_encode(arena, arena_printf(arena, "h/%0300d:b", 0));
	assert_true(strlen(first) < 220);
	assert_string_not_equal(first, second);
}

static void finds_as_podman_does(void **state)
{
	static const struct { const char *text; char id; const char *name; } table[] = {
		{ "docker.io/library/busybox:latest", 'a', "docker.io/library/busybox:latest" },
		{ "docker.io/busybox", 'a', "docker.io/library/busybox:latest" },
		{ "busybox", 'a', "docker.io/library/busybox:latest" },
		{ "busybox:1", 'b', "quay.io/x/busybox:1" },
		{ "x/busybox:1", 'b', "quay.io/x/busybox:1" },
		{ "tool", 'c', "localhost/tool:latest" },
		{ "localhost/tool", 'c', "localhost/tool:latest" },
		{ "bb", 'b', NULL },
		{ "sha256:cc", 'c', NULL },
		{ "nosuch", 0, NULL },
		{ "busybox:2", 0, NULL },
		{ "other.io/library/busybox", 0, NULL },
		{ "ddd", 0, NULL },
	};

	(void)state;
	fixture_image('a', "1", "docker.io/library/busybox:latest");
	fixture_image('b', "1", "quay.io/x/busybox:1");
	fixture_image('c', "1", "localhost/tool:latest");
	for (size_t i = 0; i < ELEMENTS(table); i++) {
		struct image image;
		char *name = NULL;
		int found;

		error_clear(&err);
		found = image_find(arena, &store, table[i].text, &image, &name, &err);
		if (!table[i].id) {
			assert_int_equal(found, -1);
			assert_int_equal(err.kind, ERROR_NOT_FOUND);
			continue;
		}
		if (found < 0)
			fail_msg("%s: %s", table[i].text, err.text);
		assert_int_equal(image.id[0], table[i].id);
		assert_true(str_eq(name, table[i].name));
	}
}

static void finds_by_digest(void **state)
{
	struct image image = fixture_image('a', "1", "quay.io/x/y:1"), found;

	(void)state;
	assert_ok(image_find(arena, &store, arena_printf(arena, "quay.io/x/y@%s", image.manifest_digest), &found, NULL, &err));
	assert_string_equal(found.id, image.id);
	assert_ok(image_find(arena, &store, arena_printf(arena, "y@%s", image.manifest_digest), &found, NULL, &err));
	assert_fails(ERROR_NOT_FOUND, image_find(arena, &store, arena_printf(arena, "quay.io/x/z@%s", image.manifest_digest),
						 &found, NULL, &err));
}

static void an_ambiguous_prefix_is_refused(void **state)
{
	struct image a = fixture_image('a', "1", NULL), b = a, found;

	(void)state;
	b.id = arena_strdup(arena, a.id);
	b.id[63] = '0';
	assert_ok(image_commit(arena, &store, &b, NULL, NULL, &err));
	assert_fails(ERROR_USAGE, image_find(arena, &store, "aaa", &found, NULL, &err));
	assert_ok(image_find(arena, &store, b.id, &found, NULL, &err));
	assert_string_equal(found.id, b.id);
}

static void a_tag_moves(void **state)
{
	struct image a = fixture_image('a', "1", "localhost/x:1"), b, found;
	struct image second = fixture_image('b', "1", NULL);
	char *old;

	(void)state;
	assert_ok(image_commit(arena, &store, &second, "localhost/x:1", &old, &err));
	assert_string_equal(old, a.id);
	assert_ok(image_read(arena, &store, a.id, &found, &err));
	assert_int_equal(found.names.n, 0);
	assert_ok(image_find(arena, &store, "x:1", &b, NULL, &err));
	assert_string_equal(b.id, second.id);
	assert_ok(image_untag(&store, "localhost/x:1", &err));
	assert_fails(ERROR_NOT_FOUND, image_untag(&store, "localhost/x:1", &err));
}

static void shared_layers_stay_until_the_last_image_goes(void **state)
{
	struct image a = fixture_image('a', "12", "localhost/a:1"), b = fixture_image('b', "13", "localhost/b:1");
	struct strings removed = { 0 };

	(void)state;
	assert_ok(image_remove(arena, &store, &a, &removed, &err));
	assert_int_equal(removed.n, 1);
	assert_string_equal(removed.v[0], fixture_digest('2'));
	assert_true(layer_exists(&store, fixture_digest('1')));
	assert_false(layer_exists(&store, fixture_digest('2')));
	assert_false(blob_exists(&store, a.config_digest));
	assert_false(blob_exists(&store, a.manifest_digest));
	assert_true(blob_exists(&store, b.manifest_digest));
	assert_int_equal(fixture_count("blobs/sha256"), 4);
	assert_ok(image_remove(arena, &store, &b, &removed, &err));
	assert_int_equal(fixture_count("blobs/sha256"), 0);
	assert_int_equal(fixture_count("layers"), 0);
	assert_int_equal(fixture_count("images/names"), 0);
}

static void an_incomplete_image_is_not_recorded(void **state)
{
	struct image image = fixture_image('a', "1", NULL);

	(void)state;
	strings_add(arena, &image.layers, fixture_digest('9'));
	assert_fails(ERROR_STATE, image_commit(arena, &store, &image, "localhost/x:1", NULL, &err));
	assert_null(image_name_lookup(arena, &store, "localhost/x:1"));
}

static void a_running_pull_puts_the_sweep_off(void **state)
{
	struct image a = fixture_image('a', "1", NULL);
	int pull = store_lock(&store, LOCK_SHARED, true, &err);

	(void)state;
	fixture_layer('5');
	assert_ok(image_remove(arena, &store, &a, NULL, &err));
	assert_true(layer_exists(&store, fixture_digest('5')));
	assert_true(fixture_exists("trash/sweep"));
	close(pull);
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("layers"), 0);
	assert_int_equal(fixture_count("trash"), 0);
}

static void a_killed_pull_leaves_no_layers(void **state)
{
	char *stage;
	int lock = store_stage(arena, &store, &stage, &err);

	(void)state;
	fixture_image('a', "1", "localhost/a:1");
	fixture_layer('5');
	fixture_blob(fixture_digest('6'), "orphan");
	close(lock);
	assert_ok(store_collect(&store));
	assert_int_equal(fixture_count("layers"), 1);
	assert_int_equal(fixture_count("blobs/sha256"), 3);
}

static void a_damaged_record_disturbs_nobody(void **state)
{
	static const char *const texts[] = { "", "{", "{\"id\":\"x\",\"configDigest\":\"y\"}", "[]", "\0\0\0\0" };
	struct image good = fixture_image('a', "1", "localhost/good:1");
	struct image bad = fixture_image('b', "2", "localhost/bad:1"), found;
	const char *path = arena_printf(arena, "images/%s.json", bad.id);

	(void)state;
	for (size_t i = 0; i < ELEMENTS(texts); i++) {
		struct images images;

		assert_int_equal(fd_write_file(store.root_fd, path, texts[i], i == 4 ? 4 : strlen(texts[i]), 0600, false), 0);
		assert_ok(image_list(arena, &store, &images, &err));
		assert_int_equal(images.n, 1);
		assert_int_equal(images.broken.n, 1);
		assert_string_equal(images.broken.v[0], bad.id);
		assert_ok(image_find(arena, &store, "good:1", &found, NULL, &err));
		assert_fails(ERROR_INVALID, image_find(arena, &store, "bad:1", &found, NULL, &err));
		assert_true(err.hint[0]);
	}
	/* While it is there nobody knows what it needs, so nothing is swept. */
	assert_ok(image_remove(arena, &store, &good, NULL, &err));
	assert_true(layer_exists(&store, fixture_digest('1')));
	assert_ok(image_remove_broken(arena, &store, bad.id, NULL, &err));
	assert_int_equal(fixture_count("layers"), 0);
	assert_int_equal(fixture_count("blobs/sha256"), 0);
}

static void a_second_layer_commit_is_no_error(void **state)
{
	struct layer layer;

	(void)state;
	fixture_layer('1');
	fixture_layer('1');
	assert_int_equal(fixture_count("layers"), 1);
	assert_int_equal(fixture_count("tmp"), 0);
	assert_ok(layer_read(arena, &store, fixture_digest('1'), &layer, &err));
	assert_int_equal(layer.size, 1);
	assert_fails(ERROR_NOT_FOUND, layer_read(arena, &store, fixture_digest('2'), &layer, &err));
}

static void a_damaged_layer_makes_way(void **state)
{
	(void)state;
	assert_int_equal(fd_mkdirs(store.root_fd, arena_printf(arena, "layers/%s/diff", fixture_digest('1') + 7), 0700), 0);
	assert_false(layer_exists(&store, fixture_digest('1')));
	fixture_layer('1');
	assert_true(layer_exists(&store, fixture_digest('1')));
}

static void digests_that_are_none_name_nothing(void **state)
{
	static const char *const wrong[] = { "", "sha256:", "sha256:../../x", "md5:0", "../x", NULL };

	(void)state;
	for (size_t i = 0; wrong[i]; i++) {
		assert_false(blob_exists(&store, wrong[i]));
		assert_false(layer_exists(&store, wrong[i]));
		assert_fails(ERROR_INVALID, blob_open(&store, wrong[i], &err));
	}
	assert_fails(ERROR_NOT_FOUND, blob_open(&store, fixture_digest('1'), &err));
}

/* An index of the given digests, as the store keeps it: without a look at what digests mean. */
static void make_index(const char *digest, const char *const *entries)
{
	char *text = arena_strdup(arena, "");

	for (; *entries; entries++)
		text = arena_printf(arena, "%s%s{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\","
				    "\"size\":2}", text, *text ? "," : "", *entries);
	fixture_blob(digest, arena_printf(arena, "{\"schemaVersion\":2,\"manifests\":[%s]}", text));
}

static void a_list_keeps_what_it_names(void **state)
{
	struct image one = fixture_image('a', "1", "quay.io/x/one:1"), found;
	char *digest = fixture_digest('e');
	struct image list = { .list = true, .id = fixture_digest('d') + strlen("sha256:"), .manifest_digest = digest };
	struct strings blobs = { 0 };

	(void)state;
	map_set(arena, &list.sources, digest, "quay.io/x");
	assert_fails(ERROR_STATE, image_commit(arena, &store, &list, "quay.io/x/list:1", NULL, &err));
	make_index(digest, (const char *const[]){ one.manifest_digest, fixture_digest('9'), NULL });
	assert_ok(image_commit(arena, &store, &list, "quay.io/x/list:1", NULL, &err));
	assert_ok(image_find(arena, &store, "quay.io/x/list:1", &found, NULL, &err));
	assert_true(found.list);
	assert_string_equal(map_get(&found.sources, digest), "quay.io/x");
	assert_ok(image_blobs(arena, &store, &found, &blobs, &err));
	assert_true(strings_has(&blobs, digest));
	assert_true(strings_has(&blobs, one.manifest_digest));
	assert_true(strings_has(&blobs, one.config_digest));
	assert_false(strings_has(&blobs, fixture_digest('9')));		/* is not here */
	assert_ok(image_remove(arena, &store, &one, NULL, &err));
	assert_true(blob_exists(&store, one.config_digest));
	assert_ok(image_remove(arena, &store, &list, NULL, &err));
	assert_false(blob_exists(&store, one.config_digest));
	assert_false(blob_exists(&store, digest));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(names_become_file_names),
		TEST(finds_as_podman_does),
		TEST(finds_by_digest),
		TEST(an_ambiguous_prefix_is_refused),
		TEST(a_tag_moves),
		TEST(shared_layers_stay_until_the_last_image_goes),
		TEST(an_incomplete_image_is_not_recorded),
		TEST(a_running_pull_puts_the_sweep_off),
		TEST(a_killed_pull_leaves_no_layers),
		TEST(a_damaged_record_disturbs_nobody),
		TEST(a_second_layer_commit_is_no_error),
		TEST(a_damaged_layer_makes_way),
		TEST(digests_that_are_none_name_nothing),
		TEST(a_list_keeps_what_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
