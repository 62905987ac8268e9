#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/layer.h"
#include "sys/fd.h"

struct arena *arena;
struct store store;
struct error err;
static char place[64];

int fixture_setup(void **state)
{
	(void)state;
	arena = arena_new();
	error_clear(&err);
	strcpy(place, "/tmp/bryo-store-XXXXXX");
	if (!mkdtemp(place))
		return -1;
	return store_open(arena, arena_printf(arena, "%s/s", place), "vfs", false, &store, &err);
}

int fixture_teardown(void **state)
{
	(void)state;
	store_close(&store);
	arena_free(arena);
	return fd_remove_tree(AT_FDCWD, place);
}

char *fixture_digest(char digit)
{
	char *digest = arena_printf(arena, "sha256:%064d", 0);

	memset(digest + strlen("sha256:"), digit, 64);
	return digest;
}

void fixture_blob(const char *digest, const char *text)
{
	assert_int_equal(fd_write_file(store.blobs_fd, digest + strlen("sha256:"), text, strlen(text), 0600, false), 0);
}

char *fixture_layer(char digit)
{
	struct layer layer = { .chain_id = fixture_digest(digit), .size = 1 };
	char *stage;
	int lock = store_stage(arena, &store, &stage, &err);
	const char name[] = { digit, '\0' };

	assert_true(lock >= 0);
	assert_int_equal(fd_mkdirs(store.tmp_fd, arena_printf(arena, "%s/diff", stage), 0755), 0);
	assert_int_equal(fd_write_file(store.tmp_fd, arena_printf(arena, "%s/diff/%s", stage, name), name, 1, 0644, false), 0);
	assert_ok(layer_commit(arena, &store, stage, &layer, &err));
	store_stage_done(&store, stage, &lock);
	return layer.chain_id;
}

struct image fixture_image(char id, const char *layers, const char *name)
{
	struct image image = {
		.id = fixture_digest(id) + strlen("sha256:"), .config_digest = fixture_digest(id),
		.manifest_media_type = "application/vnd.oci.image.manifest.v1+json",
		.created = "2026-01-02T03:04:05Z", .architecture = "amd64", .os = "linux", .size = 10,
	};
	char *manifest = fixture_digest(id);
	struct strings descriptors = { 0 };

	/* The manifest's digest differs from the configuration's in its last digit. */
	manifest[strlen(manifest) - 1] = id == 'f' ? '0' : 'f';
	image.manifest_digest = manifest;
	for (const char *l = layers; *l; l++) {
		char *blob = fixture_digest(*l);

		blob[strlen(blob) - 1] = *l == '7' ? '8' : '7';
		fixture_blob(blob, "layer");
		strings_add(arena, &image.layers, fixture_layer(*l));
		strings_addf(arena, &descriptors, "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\","
			     "\"size\":5}", blob);
	}
	fixture_blob(image.config_digest, "{}");
	fixture_blob(manifest, arena_printf(arena, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
					    "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":2},"
					    "\"layers\":[%s]}", image.manifest_media_type, image.config_digest,
					    strings_join(arena, &descriptors, ",")));
	assert_ok(image_commit(arena, &store, &image, name, NULL, &err));
	return image;
}

bool fixture_exists(const char *path)
{
	return faccessat(store.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int fixture_count(const char *path)
{
	_cleanup_dir_ DIR *dir = fd_opendir(store.root_fd, path);
	int n = -2;

	while (dir && readdir(dir))
		n++;
	return n;
}
