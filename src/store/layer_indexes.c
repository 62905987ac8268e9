#include "store/layer_indexes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/oci_image.h"
#include "sys/fd.h"

static int map_file(const struct store *s, const char *path, struct layer_mapping *ret, struct error *err)
{
	_cleanup_fd_ int fd = openat(s->root_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "open %s/%s", s->path, path);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return error_set(err, ERROR_INVALID, "%s/%s is damaged: it is empty", s->path, path);
	ret->p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (ret->p == MAP_FAILED)
		return error_errno(err, "map %s/%s", s->path, path);
	ret->n = (size_t)st.st_size;
	return 0;
}

static int open_one(struct arena *arena, const struct store *s, const char *chain_id, struct layer_indexes *x,
		    struct error *err)
{
	struct layer_mapping *m = &x->mappings[x->n];
	char path[192];

	snprintf(path, sizeof(path), "layers/%s/index", digest_hex(chain_id));
	if (map_file(s, path, m, err) < 0)
		return -1;
	x->v[x->n] = layer_index_open(arena, m->p, m->n, arena_printf(arena, "%s/%s", s->path, path), err);
	x->n++;
	return x->v[x->n - 1] ? 0 : -1;
}

int layer_indexes_open(struct arena *arena, const struct store *s, const struct strings *layers, struct layer_indexes *ret,
		     struct error *err)
{
	*ret = (struct layer_indexes){ .v = arena_new_array(arena, struct layer_index *, layers->n),
				     .mappings = arena_new_array(arena, struct layer_mapping, layers->n) };
	for (size_t i = 0; i < layers->n; i++)
		if (open_one(arena, s, layers->v[i], ret, err) < 0) {
			layer_indexes_close(ret);
			return -1;
		}
	return 0;
}

void layer_indexes_close(struct layer_indexes *x)
{
	for (size_t i = 0; i < x->n; i++)
		munmap(x->mappings[i].p, x->mappings[i].n);
	x->n = 0;
}

int layer_recipe_open(struct arena *arena, const struct store *s, const char *chain_id, struct layer_recipe *ret,
		      struct error *err)
{
	char path[192];

	snprintf(path, sizeof(path), "layers/%s/recipe", digest_hex(chain_id));
	if (faccessat(s->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "layer %s has no recipe", chain_id);
	if (map_file(s, path, &ret->mapping, err) < 0)
		return -1;
	ret->v = recipe_open(arena, ret->mapping.p, ret->mapping.n, arena_printf(arena, "%s/%s", s->path, path), err);
	if (ret->v)
		return 0;
	layer_recipe_close(ret);
	return -1;
}

void layer_recipe_close(struct layer_recipe *x)
{
	munmap(x->mapping.p, x->mapping.n);
}
