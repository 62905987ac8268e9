/* Containers and volumes on disk: names, prefixes, damage, removal */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "store/container.h"
#include "store/layer.h"
#include "store/volume.h"
#include "sys/fd.h"

static char *id_of(char digit)
{
	return fixture_digest(digit) + strlen("sha256:");
}

static int create(char id, const char *name, const struct strings *layers)
{
	int fd = container_store_create(arena, &store, id_of(id), name, "{\"x\":1}", layers, NULL, true, &err);

	if (fd >= 0)
		close(fd);
	return fd;
}

static void is_found_by_name_id_and_prefix(void **state)
{
	(void)state;
	assert_ok(create('a', "one", NULL));
	assert_ok(create('b', "two", NULL));
	assert_string_equal(container_store_find(arena, &store, "one", &err), id_of('a'));
	assert_string_equal(container_store_find(arena, &store, "bbb", &err), id_of('b'));
	assert_string_equal(container_store_find(arena, &store, id_of('b'), &err), id_of('b'));
	assert_null(container_store_find(arena, &store, "nope", &err));
	assert_string_equal(err.text, "no container with ID or name \"nope\" found: no such container");
	assert_null(container_store_find(arena, &store, "", &err));
	assert_null(container_store_find(arena, &store, "../x", &err));
	assert_int_equal(fixture_count("tmp"), 0);
}

static void a_taken_name_says_by_whom(void **state)
{
	(void)state;
	assert_ok(create('a', "web", NULL));
	assert_fails(ERROR_EXISTS, create('b', "web", NULL));
	assert_non_null(strstr(err.text, id_of('a')));
	assert_fails(ERROR_USAGE, create('b', "-x/y", NULL));
	assert_int_equal(fixture_count("tmp"), 0);
	assert_int_equal(fixture_count("containers"), 2);
	assert_fails(ERROR_EXISTS, create('a', "other", NULL));
	assert_false(fixture_exists("containers/names/other"));
}

static void a_killed_create_leaves_the_name_free(void **state)
{
	(void)state;
	assert_int_equal(symlinkat(id_of('e'), store.root_fd, "containers/names/web"), 0);
	assert_ok(create('a', "web", NULL));
	assert_string_equal(container_store_find(arena, &store, "web", &err), id_of('a'));
	assert_int_equal(unlinkat(store.root_fd, "containers/names/web", 0), 0);
	assert_int_equal(symlinkat("garbage", store.root_fd, "containers/names/web"), 0);
	assert_ok(create('b', "web", NULL));
}

static void a_name_being_claimed_is_not_taken_over(void **state)
{
	int stage = store_stage_named(&store, id_of('e'), &err);

	(void)state;
	assert_int_equal(symlinkat(id_of('e'), store.root_fd, "containers/names/web"), 0);
	assert_fails(ERROR_EXISTS, create('a', "web", NULL));
	store_stage_done(&store, id_of('e'), &stage);
	assert_ok(create('a', "web", NULL));
}

static void is_renamed_and_removed(void **state)
{
	(void)state;
	assert_ok(create('a', "one", NULL));
	assert_ok(create('b', "two", NULL));
	assert_fails(ERROR_EXISTS, container_store_rename(&store, id_of('a'), "one", "two", &err));
	assert_ok(container_store_rename(&store, id_of('a'), "one", "three", &err));
	assert_null(container_store_find(arena, &store, "one", &err));
	assert_string_equal(container_store_find(arena, &store, "three", &err), id_of('a'));
	assert_ok(container_store_remove(&store, id_of('a'), false, &err));
	assert_false(fixture_exists("containers/names/three"));
	assert_ok(container_store_remove(&store, id_of('b'), true, &err));
	assert_int_equal(fixture_count("trash"), 0);
	assert_false(fixture_exists("containers/names/two"));
	assert_int_equal(fixture_count("containers"), 1);
	assert_ok(create('a', "three", NULL));
}

struct buried { char id[65]; bool volumes; int times; };

static void bury(void *context, struct store *s, int dir, const char *id, bool volumes)
{
	struct buried *b = context;

	assert_true(s->root_fd >= 0);
	assert_int_equal(faccessat(dir, "config.json", F_OK, 0), 0);
	snprintf(b->id, sizeof(b->id), "%s", id);
	b->volumes = volumes;
	b->times++;
}

/* The rename is the removal; whoever comes next does what a killed command did not come to. */
static void a_killed_removal_is_finished_by_the_next_collection(void **state)
{
	struct buried b = { .times = 0 };
	char *entry = arena_printf(arena, "trash/%s.v0011", id_of('a'));

	(void)state;
	store.burial = (struct store_burial){ bury, &b };
	assert_ok(create('a', "one", NULL));
	assert_int_equal(renameat(store.root_fd, arena_printf(arena, "containers/%s", id_of('a')), store.root_fd, entry), 0);
	assert_ok(store_collect(&store));
	assert_int_equal(b.times, 1);
	assert_true(b.volumes);
	assert_string_equal(b.id, id_of('a'));
	assert_false(fixture_exists("containers/names/one"));
	assert_int_equal(fixture_count("trash"), 0);
	assert_ok(create('b', "two", NULL));
	assert_ok(container_store_remove(&store, id_of('b'), false, &err));
	assert_int_equal(b.times, 2);
	assert_false(b.volumes);
	store.burial = (struct store_burial){ NULL, NULL };
}

/* Its name is claimed before it has its place. */
static void a_killed_creation_gives_the_name_back(void **state)
{
	int lock = store_stage_named(&store, id_of('e'), &err);

	(void)state;
	assert_true(lock >= 0);
	assert_int_equal(symlinkat(id_of('e'), store.root_fd, "containers/names/web"), 0);
	close(lock);
	assert_ok(store_collect(&store));
	assert_false(fixture_exists("containers/names/web"));
	assert_int_equal(fixture_count("tmp"), 0);
}

/* Its other record names them too. */
static void layers_of_a_container_without_rootfs_json_are_kept(void **state)
{
	struct image image = fixture_image('f', "a", "localhost/f:latest");
	struct strings layers = image.layers;
	char *config = arena_printf(arena, "{\"layers\":[\"%s\"]}", layers.v[0]);
	int fd = container_store_create(arena, &store, id_of('b'), "b", config, &layers, NULL, false, &err);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(unlinkat(store.root_fd, arena_printf(arena, "containers/%s/rootfs.json", id_of('b')), 0), 0);
	assert_ok(image_remove(arena, &store, &image, NULL, &err));
	assert_true(layer_exists(&store, layers.v[0]));
	assert_ok(container_store_remove(&store, id_of('b'), false, &err));
	assert_ok(store_sweep(arena, &store, NULL, &err));
	assert_false(layer_exists(&store, layers.v[0]));
}

static void the_lock_is_held_by_the_descriptor(void **state)
{
	int first = container_store_create(arena, &store, id_of('a'), "one", "{}", NULL, NULL, false, &err), second;

	(void)state;
	assert_true(first >= 0);
	second = container_store_open(&store, id_of('a'), -1, &err);
	assert_int_equal(flock(second, LOCK_EX | LOCK_NB), -1);
	close(first);
	assert_int_equal(flock(second, LOCK_EX | LOCK_NB), 0);
	close(second);
	assert_fails(ERROR_NOT_FOUND, container_store_open(&store, id_of('b'), LOCK_SHARED, &err));
}

static void damage_stays_with_its_container(void **state)
{
	struct strings ids;
	size_t n;

	(void)state;
	assert_ok(create('a', "one", NULL));
	assert_ok(create('b', "two", NULL));
	assert_int_equal(truncate(arena_printf(arena, "%s/containers/%s/config.json", store.path, id_of('a')), 0), 0);
	assert_null(container_store_read(arena, &store, id_of('a'), &n, &err));
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_string_equal(container_store_read(arena, &store, id_of('b'), &n, &err), "{\"x\":1}");
	assert_ok(container_store_list(arena, &store, &ids, &err));
	assert_int_equal(ids.n, 2);
	assert_ok(container_store_remove(&store, id_of('a'), true, &err));
	assert_false(fixture_exists("containers/names/one"));
}

static void its_layers_outlive_the_image(void **state)
{
	struct image image = fixture_image('a', "12", "localhost/a:1");
	struct strings layers;
	struct rootfs rootfs;
	int helper;

	(void)state;
	assert_ok(create('c', "c", &image.layers));
	assert_ok(image_remove(arena, &store, &image, NULL, &err));
	assert_true(layer_exists(&store, fixture_digest('1')));
	assert_ok(container_store_layers(arena, &store, id_of('c'), &layers, &err));
	assert_int_equal(layers.n, 2);
	assert_ok(container_store_rootfs(arena, &store, id_of('c'), NULL, true, &rootfs, &helper, &err));
	assert_int_equal(rootfs.kind, ROOTFS_DIRECTORY);
	assert_int_equal(access(arena_printf(arena, "%s/1", rootfs.path), F_OK), 0);
	assert_int_equal(access(arena_printf(arena, "%s/2", rootfs.path), F_OK), 0);
	assert_ok(container_store_remove(&store, id_of('c'), true, &err));
	assert_ok(store_sweep(arena, &store, NULL, &err));
	assert_int_equal(fixture_count("layers"), 0);
	assert_fails(ERROR_NOT_FOUND, create('d', "d", &image.layers));
	assert_false(fixture_exists("containers/names/d"));
	assert_int_equal(fixture_count("tmp"), 0);
}

static void an_overlay_is_described_topmost_first(void **state)
{
	struct image image = fixture_image('a', "12", "localhost/a:1");
	struct rootfs rootfs;
	int helper;

	(void)state;
	store.driver = DRIVER_OVERLAY;
	assert_ok(create('c', "c", &image.layers));
	store.driver = DRIVER_VFS;	/* the container keeps the driver it was made with */
	assert_int_equal(fd_mkdirs(store.root_fd, arena_printf(arena, "containers/%s/work/work/incompat/volatile", id_of('c')),
				   0700), 0);
	assert_ok(container_store_rootfs(arena, &store, id_of('c'), NULL, true, &rootfs, &helper, &err));
	assert_int_equal(rootfs.kind, ROOTFS_OVERLAY);
	assert_int_equal(rootfs.lower.n, 3);	/* below the layers: the skeleton */
	assert_string_equal(rootfs.lower.v[2], arena_printf(arena, "%s/skeleton", store.path));
	assert_string_equal(rootfs.lower.v[0], layer_diff_path(arena, &store, fixture_digest('2')));
	assert_true(rootfs.volatile_upper);
	assert_false(fixture_exists(arena_printf(arena, "containers/%s/work/work/incompat", id_of('c'))));
}

static void volumes_live(void **state)
{
	struct volume v = { .name = "data", .driver = "local", .needs_copy_up = true }, back;
	struct volumes volumes;

	(void)state;
	map_set(arena, &v.labels, "k", "v");
	assert_ok(volume_create(arena, &store, &v, &err));
	assert_fails(ERROR_EXISTS, volume_create(arena, &store, &v, &err));
	assert_ok(volume_read(arena, &store, "data", &back, &err));
	assert_string_equal(map_get(&back.labels, "k"), "v");
	assert_string_equal(back.mountpoint, arena_printf(arena, "%s/volumes/data/_data", store.path));
	back.needs_copy_up = false;
	assert_ok(volume_write(arena, &store, &back, &err));
	assert_ok(volume_read(arena, &store, "data", &back, &err));
	assert_false(back.needs_copy_up);
	v.name = "../x";
	assert_fails(ERROR_USAGE, volume_create(arena, &store, &v, &err));
	assert_fails(ERROR_NOT_FOUND, volume_read(arena, &store, "../x", &back, &err));
	assert_fails(ERROR_NOT_FOUND, volume_read(arena, &store, "nope", &back, &err));
	assert_string_equal(err.text, "no volume with name \"nope\" found: no such volume");
	assert_int_equal(fd_mkdirs(store.root_fd, "volumes/broken/_data", 0700), 0);
	assert_ok(volume_list(arena, &store, &volumes, &err));
	assert_int_equal(volumes.n, 1);
	assert_int_equal(volumes.broken.n, 1);
	assert_ok(volume_remove(&store, "broken", &err));
	assert_ok(volume_remove(&store, "data", &err));
	assert_fails(ERROR_NOT_FOUND, volume_remove(&store, "data", &err));
	assert_int_equal(fixture_count("volumes"), 0);
	assert_int_equal(fixture_count("tmp"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(is_found_by_name_id_and_prefix),
		TEST(a_taken_name_says_by_whom),
		TEST(a_killed_create_leaves_the_name_free),
		TEST(a_name_being_claimed_is_not_taken_over),
		TEST(is_renamed_and_removed),
		TEST(a_killed_removal_is_finished_by_the_next_collection),
		TEST(layers_of_a_container_without_rootfs_json_are_kept),
		TEST(a_killed_creation_gives_the_name_back),
		TEST(the_lock_is_held_by_the_descriptor),
		TEST(damage_stays_with_its_container),
		TEST(its_layers_outlive_the_image),
		TEST(an_overlay_is_described_topmost_first),
		TEST(volumes_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
