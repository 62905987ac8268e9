#include "store/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "spec/object_name.h"
#include "store/layer.h"
#include "store/layer_indexes.h"
#include "store/stage.h"
#include "sys/fd.h"

#define NS_PER_S ((int64_t)1000000000)

/* Names that are needed: an open hash table of whole names. */
struct names {
	char (*v)[OBJECT_NAME_SIZE];
	size_t n, room;			/* room: a power of two */
};

/* Names are digests: any of their bytes are as good as a hash. */
static size_t place_of(const struct names *names, const char *name)
{
	uint64_t hash;

	memcpy(&hash, name + 2, sizeof(hash));
	hash *= 0x9e3779b97f4a7c15;
	return (size_t)(hash >> 20) & (names->room - 1);
}

static char *find(const struct names *names, const char *name)
{
	size_t at = place_of(names, name);

	while (*names->v[at] && memcmp(names->v[at], name, OBJECT_NAME_SIZE) != 0)
		at = (at + 1) & (names->room - 1);
	return names->v[at];
}

static int grow(struct names *names)
{
	struct names more = { .room = names->room ? names->room * 2 : 4096 };

	more.v = calloc(more.room, sizeof(*more.v));
	if (!more.v)
		return -1;
	for (size_t i = 0; i < names->room; i++)
		if (*names->v[i])
			memcpy(find(&more, names->v[i]), names->v[i], OBJECT_NAME_SIZE);
	more.n = names->n;
	free(names->v);
	*names = more;
	return 0;
}

static int add(struct names *names, const char *name)
{
	char *place;

	if (2 * names->n >= names->room && grow(names) < 0)
		return -1;
	place = find(names, name);
	names->n += !*place;
	memcpy(place, name, OBJECT_NAME_SIZE);
	return 0;
}

/* --- marking */

static int mark_object(const unsigned char *digest, struct names *names)
{
	char name[OBJECT_NAME_SIZE];

	object_name(digest, name);
	return add(names, name);
}

/* Contents that are in the tar and not in the layer: another entry took their place. */
static int mark_recipe(struct arena *arena, const struct store *s, const char *chain_id, struct names *names,
		       struct error *err)
{
	struct layer_recipe x;
	struct error why = { 0 };
	int result = 0;

	if (layer_recipe_open(arena, s, chain_id, &x, &why) < 0) {
		if (error_is(&why, ERROR_NOT_FOUND) || error_is(&why, ERROR_INVALID))
			return 0;
		return error_set(err, why.kind, "%s", why.text);
	}
	for (uint64_t i = 0; result == 0 && i < recipe_objects(x.v); i++)
		result = mark_object(recipe_object(x.v, i), names);
	layer_recipe_close(&x);
	return result < 0 ? error_errno(err, "remember the objects of layer %s", chain_id) : 0;
}

static int mark_layer(struct arena *arena, const struct store *s, char *chain_id, struct names *names,
		      struct error *err)
{
	const struct strings one = { .v = (char *[]){ chain_id, NULL }, .n = 1 };
	const struct layer_entry *e;
	struct layer_indexes x;
	int more;

	if (layer_indexes_open(arena, s, &one, &x, err) < 0)
		return -1;
	while ((more = layer_index_next(x.v[0], &e, err)) > 0) {
		if (e->type != LAYER_FILE || !e->size)
			continue;
		if (mark_object(e->digest, names) < 0) {
			more = error_errno(err, "remember the objects of layer %s", chain_id);
			break;
		}
	}
	layer_indexes_close(&x);
	return more < 0 ? -1 : mark_recipe(arena, s, chain_id, names, err);
}

static int mark(struct arena *arena, const struct store *s, struct names *names, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->root_fd, "layers");
	struct dirent *entry;

	if (!dir)
		return error_errno(err, "open %s/layers", s->path);
	while ((entry = fd_next_entry(dir))) {
		/* Whatever else the layer lacks: its record may be lost, and containers stand on it. */
		if (faccessat(dirfd(dir), arena_printf(arena, "%s/index", entry->d_name), F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno != ENOENT && errno != ENOTDIR)
				return error_errno(err, "look at layer %.12s", entry->d_name);
			continue;
		}
		if (mark_layer(arena, s, layer_chain_id(arena, entry->d_name), names, err) < 0)
			return -1;
	}
	if (errno)
		return error_errno(err, "list %s/layers", s->path);
	return names->room ? 0 : grow(names) < 0 ? error_errno(err, "remember the objects") : 0;
}

/* --- sweeping */

/* What happens to an object that nobody names. -1 with errno ends the sweep. */
typedef int visit(int dir, const char *name, void *context);

static int remove_one(int dir, const char *name, void *context)
{
	return fd_remove_tree(dir, name);	/* a directory, should one have come there */
}

static int sweep_directory(const struct store *s, const char *name, const struct names *names, visit *unneeded, void *context,
			   struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->objects_fd, name);
	struct dirent *entry;
	char full[OBJECT_NAME_SIZE];

	while (dir && (entry = readdir(dir))) {
		if (stage_is_dot(entry->d_name))
			continue;
		/* Anything else than an object is not ours to keep or to remove. */
		if (strlen(entry->d_name) != OBJECT_NAME_SIZE - 3)
			continue;
		full[0] = *name;
		full[1] = '/';
		memcpy(full + 2, entry->d_name, OBJECT_NAME_SIZE - 2);
		if (!*find(names, full) && unneeded(dirfd(dir), entry->d_name, context) < 0)
			return error_errno(err, "remove %s/objects/%s", s->path, full);
	}
	return 0;
}

static int sweep(const struct store *s, const struct names *names, visit *unneeded, void *context, struct error *err)
{
	_cleanup_dir_ DIR *dir = fd_opendir(s->objects_fd, ".");
	struct dirent *entry;

	if (!dir)
		return error_errno(err, "open %s/objects", s->path);
	while ((entry = readdir(dir)))
		if (!stage_is_dot(entry->d_name) && !entry->d_name[1] &&
		    sweep_directory(s, entry->d_name, names, unneeded, context, err) < 0)
			return -1;
	return 0;
}

static int mark_and_sweep(struct arena *arena, const struct store *s, visit *unneeded, void *context, struct error *err)
{
	struct names names = { 0 };
	int result = mark(arena, s, &names, err) < 0 ? -1 : sweep(s, &names, unneeded, context, err);

	free(names.v);
	return result;
}

int object_sweep(struct arena *arena, const struct store *s, struct error *err)
{
	return mark_and_sweep(arena, s, remove_one, NULL, err);
}

/* --- counting */

struct count { int64_t born_before_ns; struct store_waste *waste; };

static int count_one(int dir, const char *name, void *context)
{
	const struct count *c = context;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec > c->born_before_ns)
		return 0;
	c->waste->n++;
	c->waste->bytes += (uint64_t)st.st_size;
	return 0;
}

int object_unneeded(struct arena *arena, const struct store *s, int64_t max_age_ns, struct store_waste *ret,
		    struct error *err)
{
	struct count c = { .born_before_ns = units_now() - max_age_ns, .waste = ret };

	*ret = (struct store_waste){ 0 };
	return mark_and_sweep(arena, s, count_one, &c, err);
}
