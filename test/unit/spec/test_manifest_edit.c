/* Manifests and indexes that are written here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/manifest_edit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

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

static const char manifest_text[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" OCI "manifest.v1+json\","
	"\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"sha256:" A64 "\",\"size\":7},"
	"\"layers\":[{\"mediaType\":\"" OCI "layer.v1.tar+gzip\",\"digest\":\"sha256:" B64 "\",\"size\":32,"
	"\"annotations\":{\"a\":\"b\"}}],\"annotations\":{\"c\":\"d\"}}";

static struct image_manifest decode(const char *text)
{
	struct image_manifest m = { 0 };
	struct image_index index;
	enum manifest_kind kind;
	struct error err = { 0 };

	if (image_manifest_decode(arena, text, strlen(text), NULL, &kind, &m, &index, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(kind, MANIFEST_IMAGE);
	return m;
}

static void families(void **state)
{
	static const struct { const char *word; int result; bool docker; } rows[] = {
		{ NULL, 0, true }, { "oci", 0, false }, { "docker", 0, true }, { "v2s2", 0, true }, { "v2s1", -1, true },
		{ "OCI", -1, true }, { "", -1, true },
	};

	(void)state;
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		bool docker = true;

		assert_int_equal(manifest_family(rows[i].word, &docker, NULL), rows[i].result);
		assert_int_equal(docker, rows[i].docker);
	}
}

static void printed_as_it_was(void **state)
{
	struct image_manifest m = decode(manifest_text);

	(void)state;
	assert_string_equal(manifest_print(arena, &m), manifest_text);
}

static void to_docker_and_back(void **state)
{
	struct image_manifest m = decode(manifest_text);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(manifest_convert(arena, &m, true, &err), 0);
	assert_string_equal(manifest_print(arena, &m),
			    "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER "distribution.manifest.v2+json\","
			    "\"config\":{\"mediaType\":\"" DOCKER "container.image.v1+json\",\"digest\":\"sha256:" A64 "\",\"size\":7},"
			    "\"layers\":[{\"mediaType\":\"" DOCKER "image.rootfs.diff.tar.gzip\",\"digest\":\"sha256:" B64
			    "\",\"size\":32}]}");
	m.config.media_type = arena_strdup(arena, "application/octet-stream");
	assert_int_equal(manifest_convert(arena, &m, false, &err), 0);
	assert_string_equal(m.config.media_type, OCI "config.v1+json");
	assert_string_equal(m.layers.v[0].media_type, OCI "layer.v1.tar+gzip");
}

static void no_zstd_for_docker(void **state)
{
	struct image_manifest m = decode(manifest_text);
	struct error err = { 0 };

	(void)state;
	m.layers.v[0].media_type = arena_strdup(arena, OCI "layer.v1.tar+zstd");
	assert_int_equal(manifest_convert(arena, &m, true, &err), -1);
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
	assert_true(err.hint[0]);
}

static void entries(void **state)
{
	struct image_index index = { .schema_version = 2 };
	struct image_descriptor *d;

	(void)state;
	assert_int_equal(index_convert(arena, &index, false, NULL), 0);
	assert_string_equal(index_print(arena, &index),
			    "{\"schemaVersion\":2,\"mediaType\":\"" OCI "index.v1+json\",\"manifests\":[]}");
	d = index_entry(arena, &index, "sha256:" A64);
	d->media_type = arena_strdup(arena, OCI "manifest.v1+json");
	assert_ptr_equal(index_entry(arena, &index, "sha256:" A64), index_find(&index, "sha256:" A64));
	index_entry(arena, &index, "sha256:" B64)->media_type = arena_strdup(arena, DOCKER "distribution.manifest.v2+json");
	assert_int_equal(index.manifests.n, 2);
	assert_int_equal(index_convert(arena, &index, true, NULL), -1);
	assert_true(index_remove(&index, "sha256:" A64));
	assert_false(index_remove(&index, "sha256:" A64));
	assert_string_equal(index.manifests.v[0].digest, "sha256:" B64);
	assert_int_equal(index_convert(arena, &index, true, NULL), 0);
	assert_string_equal(index.media_type, DOCKER "distribution.manifest.list.v2+json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families), cmocka_unit_test(printed_as_it_was), cmocka_unit_test(to_docker_and_back),
		cmocka_unit_test(no_zstd_for_docker), cmocka_unit_test(entries),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
