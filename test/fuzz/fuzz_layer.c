/* A layer, packed or not, into objects and an index: what comes out can be read, and objects/ has objects only. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "scratch.h"
#include "sys/fd.h"
#include "transfer/layer_maker.h"
#include "transfer/untar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_objects(struct objects *o)
{
	_cleanup_dir_ DIR *all = fd_opendir(o->dir, ".");
	struct error err = { 0 };
	struct dirent *d, *e;
	char name[512];

	while (all && (d = readdir(all))) {
		_cleanup_dir_ DIR *dir = d->d_name[0] == '.' ? NULL : fd_opendir(o->dir, d->d_name);

		while (dir && (e = readdir(dir))) {
			snprintf(name, sizeof(name), "%.200s/%.200s", d->d_name, e->d_name);
			if (e->d_name[0] != '.' && (!object_name_is_valid(name) || objects_verify(o, name, &err) != 1))
				abort();
		}
	}
}

static void check_index(int stage)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct layer_entry *e;
	struct error err = { 0 };
	struct layer_index *x;
	size_t size;
	char *file = fd_read_file(arena, stage, "index", (size_t)1 << 26, &size);

	x = file ? layer_index_open(arena, file, size, "index", &err) : NULL;
	while (x && layer_index_next(x, &e, &err) > 0)
		;
	if (!x || err.kind)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tree_options options = { .squash_owner = true };
	struct places places = { -1, -1, -1 };
	struct error err = { 0 };
	struct layer_maker maker;
	struct untar_layer to;
	struct untar u = { .target = &untar_to_layer, .to = &to };
	int result;

	mkdirat(scratch_open(), "objects", 0755);
	places.objects = fd_open_dir(scratch_open(), "objects");
	if (places.objects < 0 || layer_maker_init(&maker, &places, &options, &err) < 0)
		abort();
	to = (struct untar_layer){ .tree = maker.tree, .objects = &maker.objects };
	u.in = inflate_open_memory(data, size, &err);
	result = u.in ? untar(&u, &err) : -1;
	if (result < 0 && !err.kind)
		abort();
	if (result == 0) {
		if (layer_maker_finish(&maker, scratch_open(), &err) < 0)
			abort();
		check_index(scratch_open());
	}
	check_objects(&maker.objects);
	inflate_close(u.in);
	layer_maker_done(&maker);
	close(places.objects);
	fd_remove_tree(scratch_open(), "objects");
	return 0;
}
