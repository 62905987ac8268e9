#include "spec/oci_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST "\"sha256:" A64 "\""
#define CONFIG "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":" DIGEST ",\"size\":7}"
#define LAYERS "[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":" DIGEST ",\"size\":32}]"
#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE "application/vnd.oci.image.index.v1+json"
#define DOCKER_TYPE "application/vnd.docker.distribution.manifest.v2+json"

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

static void manifests(void **state)
{
	static const struct { const char *text, *content_type, *error; enum manifest_kind kind; } cases[] = {
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":" LAYERS "}" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[]}", "application/json" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":" LAYERS "}", MANIFEST_TYPE "; charset=utf-8" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"config\":" CONFIG ",\"layers\":" LAYERS "}",
		  MANIFEST_TYPE },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", INDEX_TYPE, NULL, MANIFEST_INDEX },
		{ "{\"schemaVersion\":2,\"manifests\":[]}", MANIFEST_TYPE, "does not fit its members" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":" LAYERS "}", INDEX_TYPE, "does not fit its members" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST_TYPE "\",\"config\":" CONFIG ",\"layers\":" LAYERS "}",
		  DOCKER_TYPE, "ambiguous: its mediaType is" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"layers\":" LAYERS "}", NULL, "ambiguous: has both" },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"config\":" CONFIG "}", NULL, "ambiguous: has both" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", NULL, "schema 1" },
		{ "{\"schemaVersion\":2,\"signatures\":[]}", NULL, "schema 1" },
		{ "{}", "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1" },
		{ "{\"config\":" CONFIG ",\"layers\":" LAYERS "}", NULL, ".schemaVersion: expected 2" },
		{ "{\"schemaVersion\":2,\"layers\":" LAYERS "}", NULL, ".config: missing" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG "}", NULL, ".layers: missing" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"text/x\\u001b[31m\",\"config\":" CONFIG ",\"layers\":" LAYERS "}", NULL,
		  "text/x?[31m is no container image" },
		{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":" DIGEST
		  ",\"size\":7},\"layers\":" LAYERS "}", NULL, "artifact of type application/vnd.cncf.helm.config.v1+json" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{\"digest\":\"sha256:../../x\",\"size\":1}]}", NULL,
		  "layer 0: malformed digest sha256:../../x" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{\"digest\":" DIGEST ",\"size\":-1}]}", NULL,
		  "impossible size -1" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{\"digest\":" DIGEST ",\"size\":9223372036854775807}]}",
		  NULL, "impossible size" },
		{ "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{\"digest\":" DIGEST ",\"size\":\"1\"}]}", NULL,
		  "manifest: .layers[0].size: expected number, got string" },
		{ "{\"schemaVersion\":2,\"layers\":[],\"config\":{\"digest\":" DIGEST ",\"size\":99999999}}", NULL,
		  "configuration 0: impossible size" },
		{ "[]", NULL, "expected object, got list" },
		{ "<html>", "text/html", "line 1, column 1" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		enum manifest_kind kind = MANIFEST_IMAGE;
		struct image_manifest manifest;
		struct image_index index;
		int r = image_manifest_decode(arena, cases[i].text, strlen(cases[i].text), cases[i].content_type, &kind,
					      &manifest, &index, &err);

		if (!cases[i].error && r < 0)
			fail_msg("%zu: %s", i, err.text);
		if (cases[i].error && (r == 0 || !strstr(err.text, cases[i].error)))
			fail_msg("%zu: %s: %s", i, cases[i].text, r == 0 ? "accepted" : err.text);
		assert_int_equal(kind, cases[i].kind);
	}
}

static struct image_index index_of(const char *const *platforms)
{
	struct image_index index = { 0 };

	for (; *platforms; platforms++) {
		struct image_descriptor *d = ARRAY_ADD(arena, &index.manifests);
		struct strings parts = strings_split(arena, *platforms, "/");

		d->digest = arena_strdup(arena, *platforms);
		if (!**platforms)
			continue;
		d->platform = arena_new_one(arena, struct image_platform);
		d->platform->os = parts.v[0];
		d->platform->architecture = parts.v[1];
		d->platform->variant = parts.n > 2 ? parts.v[2] : NULL;
	}
	return index;
}

static void platforms(void **state)
{
	static const struct { const char *offers[8], *want, *choice; } cases[] = {
		{ { "linux/amd64", "linux/arm64" }, "linux/arm64", "linux/arm64" },
		{ { "linux/amd64", "linux/arm64/v8" }, "linux/arm64", "linux/arm64/v8" },
		{ { "linux/amd64", "linux/arm64" }, "linux/arm64/v8", "linux/arm64" },
		{ { "linux/arm64/v9", "linux/arm64/v8" }, "linux/arm64", "linux/arm64/v8" },
		{ { "linux/arm/v5", "linux/arm/v6", "linux/arm/v7" }, "linux/arm/v7", "linux/arm/v7" },
		{ { "linux/arm/v5", "linux/arm/v6" }, "linux/arm/v7", "linux/arm/v6" },
		{ { "linux/arm/v5", "linux/arm/v6" }, "linux/arm", "linux/arm/v6" },
		{ { "linux/arm/v7" }, "linux/arm/v6", NULL },
		{ { "linux/amd64/v2", "linux/amd64", "linux/amd64/v3" }, "linux/amd64", "linux/amd64" },
		{ { "linux/amd64", "linux/amd64/v2", "linux/amd64/v3" }, "linux/amd64/v3", "linux/amd64/v3" },
		{ { "linux/amd64", "linux/amd64/v2" }, "linux/amd64/v3", "linux/amd64/v2" },
		{ { "linux/amd64/v3" }, "linux/amd64", NULL },
		{ { "windows/amd64", "linux/amd64" }, "linux/x86_64", "linux/amd64" },
		{ { "unknown/unknown", "linux/arm64" }, "linux/aarch64", "linux/arm64" },
		{ { "unknown/unknown" }, "unknown/unknown", NULL },
		{ { "linux/riscv64" }, "linux/riscv64", "linux/riscv64" },
		{ { "", "linux/amd64" }, "linux/amd64", "linux/amd64" },
		{ { "linux/amd64", "linux/amd64" }, "linux/amd64", "linux/amd64" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct image_index index = index_of(cases[i].offers);
		struct error err = { 0 };
		const struct image_descriptor *d = image_index_choose(arena, &index, cases[i].want, &err);

		if (!str_eq(d ? d->digest : NULL, cases[i].choice))
			fail_msg("%zu: chose %s", i, d ? d->digest : "none");
	}
}

static void platform_errors(void **state)
{
	static const char *const offers[] = { "linux/amd64", "unknown/unknown", "linux/arm/v7", NULL };
	static const char *const bad[] = { "", "linux", "linux/", "/amd64", "linux/arm/", "a/b/c/d" };
	static const char *const one[] = { "", NULL };
	struct image_index index = index_of(offers);
	struct error err = { 0 };

	assert_null(image_index_choose(arena, &index, "linux/s390x", &err));
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_string_equal(err.text, "no image for platform linux/s390x in the index, which has: linux/amd64, linux/arm/v7");
	for (size_t i = 0; i < ELEMENTS(bad); i++) {
		assert_null(image_index_choose(arena, &index, bad[i], &err));
		assert_int_equal(err.kind, ERROR_USAGE);
	}
	index = index_of(one);
	assert_non_null(image_index_choose(arena, &index, NULL, &err));
	assert_true(str_starts(image_host_platform(arena), "linux/"));
}

static void configurations(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=b\",\"=x\",\"nonsense\",\"C=\"],"
		  "\"ExposedPorts\":{\"80/tcp\":{}},\"Cmd\":[\"sh\"],\"Labels\":null},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":["
		  DIGEST "]},\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}],\"container\":\"abc\"}", NULL },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null},\"config\":null}", NULL },
		{ "{\"rootfs\":{\"type\":\"layers+base\",\"diff_ids\":[]}}", "expected \"layers\"" },
		{ "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:x\"]}}", ".rootfs.diff_ids[0]: malformed digest" },
		{ "{\"os\":\"linux\"}", ".rootfs: missing" },
		{ "{\"config\":{\"Env\":[1]},\"rootfs\":{\"type\":\"layers\"}}",
		  "image configuration: .config.Env[0]: expected string, got number" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct error err = { 0 };
		struct image_config config;
		int r = image_config_decode(arena, cases[i].text, strlen(cases[i].text), &config, &err);

		if (!cases[i].error && r < 0)
			fail_msg("%zu: %s", i, err.text);
		if (cases[i].error && (r == 0 || !strstr(err.text, cases[i].error)))
			fail_msg("%zu: %s", i, r == 0 ? "accepted" : err.text);
		if (i == 0) {
			assert_int_equal(config.config.env.n, 2);
			assert_string_equal(config.config.env.v[1], "C=");
			assert_string_equal(config.config.exposed_ports.v[0], "80/tcp");
			assert_true(config.history.v[0].empty_layer);
			assert_string_equal(json_get_string(config.rest, "container"), "abc");
		}
	}
}

static void media_types(void **state)
{
	enum layer_compression compression;

	assert_int_equal(image_layer_compression("application/vnd.docker.image.rootfs.diff.tar.gzip", &compression), 0);
	assert_int_equal(compression, LAYER_GZIP);
	assert_int_equal(image_layer_compression("application/vnd.oci.image.layer.v1.tar", &compression), 0);
	assert_int_equal(compression, LAYER_PLAIN);
	assert_int_equal(image_layer_compression("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", &compression), 0);
	assert_int_equal(compression, LAYER_ZSTD);
	assert_int_equal(image_layer_compression("application/vnd.in-toto+json", &compression), -1);
	assert_int_equal(image_layer_compression(NULL, &compression), -1);
	assert_string_equal(image_media_type_oci(DOCKER_TYPE), MANIFEST_TYPE);
	assert_string_equal(image_media_type_oci(MANIFEST_TYPE), MANIFEST_TYPE);
	assert_string_equal(image_media_type_docker(MANIFEST_TYPE), DOCKER_TYPE);
	assert_string_equal(image_media_type_oci("x"), "x");
	assert_true(image_media_type_is_index("application/vnd.docker.distribution.manifest.list.v2+json"));
	assert_false(image_media_type_is_index(NULL));
}

static void digests(void **state)
{
	assert_true(digest_is_valid("sha256:" A64));
	assert_true(digest_is_valid("sha512:" A64 A64));
	assert_false(digest_is_valid("sha512:" A64));
	assert_false(digest_is_valid("sha256:" A64 "a"));
	assert_false(digest_is_valid("sha256:A" A64));
	assert_false(digest_is_valid("sha256:"));
	assert_false(digest_is_valid(A64));
	assert_false(digest_is_valid("md5:" A64));
	assert_false(digest_is_valid(NULL));
	assert_string_equal(digest_hex("sha256:" A64), A64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests),	   cmocka_unit_test(platforms),	  cmocka_unit_test(platform_errors),
		cmocka_unit_test(configurations), cmocka_unit_test(media_types), cmocka_unit_test(digests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
