#include "engine/df.h"

#include "base/units.h"
#include "engine/container.h"
#include "engine/image.h"
#include "engine/image_filter.h"
#include "engine/state.h"
#include "engine/usage.h"
#include "store/layer.h"
#include "store/volume.h"

#define SET(name, value) json_set(a, j, name, value)
#define TEXT(s) json_new_string(a, (s) ? (s) : "")
#define INT(n) json_new_int(a, (int64_t)(n))

struct layer_use { char *chain_id; int64_t size; size_t images; bool active; };

struct facts {
	struct engine *e;
	struct images images;
	struct containers containers;
	struct volumes volumes;
	ARRAY(struct layer_use) layers;
};

/* --- facts */

static struct layer_use *find_layer(struct facts *f, const char *chain_id)
{
	for (size_t i = 0; i < f->layers.n; i++)
		if (strcmp(f->layers.v[i].chain_id, chain_id) == 0)
			return &f->layers.v[i];
	return NULL;
}

static struct layer_use *need_layer(struct facts *f, char *chain_id)
{
	struct layer_use *use = find_layer(f, chain_id);
	struct layer layer;

	if (use)
		return use;
	use = ARRAY_ADD(f->e->arena, &f->layers);
	use->chain_id = chain_id;
	if (layer_read(f->e->arena, &f->e->store, chain_id, &layer, NULL) == 0)
		use->size = layer.size;
	return use;
}

static size_t users_of_image(const struct facts *f, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < f->containers.n; i++)
		n += str_eq(f->containers.v[i].image_id, id);
	return n;
}

static size_t users_of_volume(const struct facts *f, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < f->containers.n; i++)
		for (size_t m = 0; m < f->containers.v[i].mounts.n; m++)
			n += str_eq(f->containers.v[i].mounts.v[m].name, name);
	return n;
}

static int gather(struct engine *e, struct facts *f, struct error *err)
{
	*f = (struct facts){ .e = e };
	if (image_list(e->arena, &e->store, &f->images, err) < 0 || container_load_all(e, &f->containers, err) < 0 ||
	    volume_list(e->arena, &e->store, &f->volumes, err) < 0)
		return -1;
	for (size_t i = 0; i < f->images.n; i++)
		for (size_t l = 0; l < f->images.v[i].layers.n; l++) {
			struct layer_use *use = need_layer(f, f->images.v[i].layers.v[l]);

			use->images++;
			use->active |= users_of_image(f, f->images.v[i].id) > 0;
		}
	return 0;
}

/* A directory of the user's under a volume's name takes no room in the store. */
static int64_t volume_size(const struct volume *v)
{
	return map_get(&v->options, "device") ? 0 : usage_tree(v->mountpoint);
}

/* --- summary */

static void add_row(struct engine *e, struct json *rows, const char *type, size_t total, size_t active, int64_t size,
		    int64_t reclaimable)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);
	double part = size > 0 ? 100.0 * (double)reclaimable / (double)size : 0;

	SET("Type", TEXT(type));
	SET("Total", INT(total));
	SET("Active", INT(active));
	SET("RawSize", INT(size));
	SET("RawReclaimable", INT(reclaimable));
	SET("TotalCount", INT(total));
	SET("Size", TEXT(units_format_size_tight(a, (uint64_t)size)));
	SET("Reclaimable", TEXT(arena_printf(a, "%s (%.0f%%)", units_format_size_tight(a, (uint64_t)reclaimable), part)));
	json_append(a, rows, j);
}

static void sum_images(const struct facts *f, struct json *rows)
{
	int64_t size = 0, reclaimable = 0;
	size_t active = 0;

	for (size_t i = 0; i < f->images.n; i++)
		active += users_of_image(f, f->images.v[i].id) > 0;
	for (size_t i = 0; i < f->layers.n; i++) {
		size += f->layers.v[i].size;
		reclaimable += f->layers.v[i].active ? 0 : f->layers.v[i].size;
	}
	add_row(f->e, rows, "Images", f->images.n, active, size, reclaimable);
}

static void sum_containers(const struct facts *f, struct json *rows)
{
	int64_t size = 0, reclaimable = 0;
	size_t active = 0;

	for (size_t i = 0; i < f->containers.n; i++) {
		struct container_state s;
		int64_t own, whole;

		usage_size(f->e, &f->containers.v[i], &own, &whole);
		state_load_present(f->e, &f->containers.v[i], &s, NULL);
		active += state_is_live(&s);
		size += own;
		reclaimable += state_is_live(&s) ? 0 : own;
	}
	add_row(f->e, rows, "Containers", f->containers.n, active, size, reclaimable);
}

static void sum_volumes(const struct facts *f, struct json *rows)
{
	int64_t size = 0, reclaimable = 0;
	size_t active = 0;

	for (size_t i = 0; i < f->volumes.n; i++) {
		bool used = users_of_volume(f, f->volumes.v[i].name) > 0;
		int64_t own = volume_size(&f->volumes.v[i]);

		active += used;
		size += own;
		reclaimable += used ? 0 : own;
	}
	add_row(f->e, rows, "Local Volumes", f->volumes.n, active, size, reclaimable);
}

int df_summary(struct engine *e, struct json **ret, struct error *err)
{
	struct facts f;

	*ret = json_new_list(e->arena);
	if (gather(e, &f, err) < 0)
		return -1;
	sum_images(&f, *ret);
	sum_containers(&f, *ret);
	sum_volumes(&f, *ret);
	return 0;
}

/* --- details */

static void add_image(struct facts *f, const struct image *image, struct json *rows)
{
	struct arena *a = f->e->arena;
	struct json *j = json_new_object(a);
	const char *name = image->names.n ? image->names.v[0] : "<none>:<none>", *colon = strrchr(name, ':');
	int64_t shared = 0;

	for (size_t i = 0; i < image->layers.n; i++) {
		const struct layer_use *use = find_layer(f, image->layers.v[i]);

		shared += use->images > 1 ? use->size : 0;
	}
	SET("Repository", TEXT(arena_strndup(a, name, (size_t)(colon - name))));
	SET("Tag", TEXT(colon + 1));
	SET("ImageID", TEXT(image->id));
	SET("Created", INT(image_created_ns(image)));
	SET("Size", INT(image->size));
	SET("SharedSize", INT(shared));
	SET("UniqueSize", INT(image->size - shared));
	SET("Containers", INT(users_of_image(f, image->id)));
	json_append(a, rows, j);
}

static void add_container(struct facts *f, const struct container *c, struct json *rows)
{
	struct arena *a = f->e->arena;
	struct json *j = json_new_object(a);
	struct container_state s;
	int64_t own, whole;
	size_t volumes = 0;

	for (size_t i = 0; i < c->mounts.n; i++)
		volumes += strcmp(c->mounts.v[i].type, "volume") == 0;
	usage_size(f->e, c, &own, &whole);
	state_load_present(f->e, c, &s, NULL);
	SET("ContainerID", TEXT(c->id));
	SET("Image", TEXT(c->image_id));
	SET("Command", json_new_strings(a, &c->args));
	SET("LocalVolumes", INT(volumes));
	SET("Size", INT(own));
	SET("Created", INT(c->created_ns));
	SET("Status", TEXT(container_status_name(s.status)));
	SET("Names", TEXT(c->name));
	json_append(a, rows, j);
}

static void add_volume(struct facts *f, const struct volume *v, struct json *rows)
{
	struct arena *a = f->e->arena;
	struct json *j = json_new_object(a);

	SET("VolumeName", TEXT(v->name));
	SET("Links", INT(users_of_volume(f, v->name)));
	SET("Size", INT(volume_size(v)));
	json_append(a, rows, j);
}

int df_details(struct engine *e, struct df_details *ret, struct error *err)
{
	struct facts f;

	*ret = (struct df_details){ json_new_list(e->arena), json_new_list(e->arena), json_new_list(e->arena) };
	if (gather(e, &f, err) < 0)
		return -1;
	for (size_t i = 0; i < f.images.n; i++)
		add_image(&f, &f.images.v[i], ret->images);
	for (size_t i = 0; i < f.containers.n; i++)
		add_container(&f, &f.containers.v[i], ret->containers);
	for (size_t i = 0; i < f.volumes.n; i++)
		add_volume(&f, &f.volumes.v[i], ret->volumes);
	return 0;
}
