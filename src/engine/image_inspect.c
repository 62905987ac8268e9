/* Images as JSON with Podman's field names: `images`, `history`, `inspect` */
#include "engine/image.h"

#include "base/units.h"
#include "engine/image_family.h"
#include "engine/image_filter.h"
#include "engine/list.h"
#include "spec/reference.h"
#include "store/layer.h"

#define SET(name, value) json_set(a, j, name, value)
#define TEXT(s) json_new_string(a, (s) ? (s) : "")
#define INT(n) json_new_int(a, (int64_t)(n))
#define BOOL(b) json_new_bool(a, (b))

/* "repository@digest" as it was pulled, and every repository it has a name in now. */
static struct strings repo_digests(struct arena *a, const struct image *image)
{
	struct strings list = { 0 };

	strings_add_all(a, &list, &image->digests);
	for (size_t i = 0; image->manifest_digest && i < image->names.n; i++) {
		struct reference r;
		char *text;

		if (reference_parse(a, image->names.v[i], &r, NULL) < 0)
			continue;
		text = arena_printf(a, "%s@%s", reference_repository(a, &r), image->manifest_digest);
		if (!strings_has(&list, text))
			strings_add(a, &list, text);
	}
	return list;
}

/* --- images */

static struct strings meant_names(struct arena *a, const struct image *image, const char *reference)
{
	struct strings names = { 0 };

	for (size_t i = 0; i < image->names.n; i++)
		if (!reference || image_name_matches(a, reference, image->names.v[i]))
			strings_add(a, &names, image->names.v[i]);
	return names;
}

static struct json *image_row(struct engine *e, const struct images *all, const struct image *image, const char *reference,
			      size_t containers)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);
	struct strings digests = repo_digests(a, image), names = meant_names(a, image, reference);
	const struct image *parent;
	struct image_config config = { 0 };
	int64_t created = image_created_ns(image);

	/* An unreadable configuration costs the listing its labels, no more. */
	if (image_read_config(e, image, &config, NULL) < 0)
		config = (struct image_config){ 0 };
	parent = image_family_parent(e, all, image, &config);
	SET("Id", TEXT(image->id));
	SET("ParentId", TEXT(parent ? parent->id : NULL));
	SET("RepoTags", image->names.n ? json_new_strings(a, &image->names) : json_new_string(a, NULL));
	SET("RepoDigests", json_new_strings(a, &digests));
	SET("Size", INT(image->size));
	SET("SharedSize", INT(0));
	SET("VirtualSize", INT(image->size));
	SET("Labels", json_new_map(a, &config.config.labels));
	SET("Containers", INT(containers));
	SET("Arch", TEXT(image->architecture));
	if (image->manifest_digest)
		SET("Digest", TEXT(image->manifest_digest));
	SET("History", json_new_strings(a, &image->names));
	SET("Names", json_new_strings(a, &names));
	SET("Os", TEXT(image->os));
	if (image->names.n == 0)
		SET("Dangling", BOOL(true));
	if (image->list)
		SET("IsManifestList", BOOL(true));
	SET("Created", INT(created / 1000000000));
	SET("CreatedAt", TEXT(units_format_time(a, created)));
	return j;
}

static size_t count_users(const struct containers *all, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += str_eq(all->v[i].image_id, id);
	return n;
}

/* What only others stand on is shown when it is asked for. */
static bool is_shown(const struct images *all, const struct image *image)
{
	return image->names.n > 0 || !image_family_has_children(all, image);
}

int image_rows(struct engine *e, const struct image_filter *f, struct json **ret, struct error *err)
{
	struct json *rows = json_new_list(e->arena);
	struct containers containers;
	struct image_match match;
	struct images images;

	if (image_match_init(&match, e, &f->filters, f->reference, err) < 0 ||
	    container_load_all(e, &containers, err) < 0)
		return -1;
	images = match.all;
	for (size_t i = 0; i < images.broken.n; i++)
		engine_warn(e, "the record of image %.12s is damaged; mend it with `bryo system check --repair`, or remove it with `bryo rmi "
			    "--force %.12s`", images.broken.v[i], images.broken.v[i]);
	for (size_t i = 0; i < images.n; i++) {
		int matches = image_match(&match, &images.v[i], err);

		if (matches < 0)
			return -1;
		if (matches && (f->all || f->filters.n || is_shown(&images, &images.v[i])))
			json_append(e->arena, rows, image_row(e, &images, &images.v[i], f->reference,
							      count_users(&containers, images.v[i].id)));
	}
	*ret = rows;
	return 0;
}

/* A list stands for its image for this machine. */
static int find_image(struct engine *e, const char *name, struct image *ret, struct error *err)
{
	struct image found;

	if (image_find(e->arena, &e->store, name, &found, NULL, err) < 0)
		return -1;
	*ret = found;
	return found.list ? list_choose(e, &found, NULL, ret, err) : 0;
}

/* --- history */

static int64_t layer_size(struct engine *e, const char *chain_id)
{
	struct layer layer;

	return layer_read(e->arena, &e->store, chain_id, &layer, NULL) < 0 ? 0 : layer.size;
}

static struct json *history_row(struct engine *e, const struct image_history *h, const char *id, int64_t size,
				const struct strings *tags)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);

	SET("id", TEXT(id));
	SET("created", TEXT(h->created));
	SET("createdBy", TEXT(h->created_by));
	SET("size", INT(size));
	SET("comment", TEXT(h->comment));
	if (tags)
		SET("tags", json_new_strings(a, tags));
	return j;
}

int image_history(struct engine *e, const char *name, struct json **ret, struct error *err)
{
	struct json *rows = json_new_list(e->arena);
	struct image_config config;
	struct image image;
	size_t layer;

	if (find_image(e, name, &image, err) < 0 || image_read_config(e, &image, &config, err) < 0)
		return -1;
	layer = image.layers.n;
	for (size_t i = config.history.n; i > 0; i--) {
		const struct image_history *h = &config.history.v[i - 1];
		bool top = i == config.history.n;
		int64_t size = 0;

		if (!h->empty_layer && layer > 0)
			size = layer_size(e, image.layers.v[--layer]);
		json_append(e->arena, rows, history_row(e, h, top ? image.id : "<missing>", size, top ? &image.names : NULL));
	}
	/* A configuration may tell less than there are layers. */
	for (; layer > 0; layer--) {
		bool top = layer == image.layers.n && config.history.n == 0;

		json_append(e->arena, rows, history_row(e, &(struct image_history){ 0 }, top ? image.id : "<missing>",
							layer_size(e, image.layers.v[layer - 1]), top ? &image.names : NULL));
	}
	*ret = rows;
	return 0;
}

/* --- inspect */

/* Where the layers are, topmost first: lists of what is in them, or trees as overlay takes them. */
static void add_places(struct engine *e, const struct image *image, struct json *data)
{
	bool objects = e->store.driver == DRIVER_OBJECTS;
	struct arena *a = e->arena;
	struct strings lower = { 0 };

	if (objects) {
		json_set(a, data, "ObjectsDir", TEXT(arena_printf(a, "%s/objects", e->store.path)));
		for (size_t i = image->layers.n; i > 0; i--)
			strings_add(a, &lower, layer_index_path(a, &e->store, image->layers.v[i - 1]));
		json_set(a, data, "Indexes", TEXT(strings_join(a, &lower, ":")));
		return;
	}
	for (size_t i = image->layers.n; i > 1; i--)
		strings_add(a, &lower, layer_diff_path(a, &e->store, image->layers.v[i - 2]));
	if (lower.n > 0)
		json_set(a, data, "LowerDir", TEXT(strings_join(a, &lower, ":")));
	if (image->layers.n > 0)
		json_set(a, data, "UpperDir", TEXT(layer_diff_path(a, &e->store, image->layers.v[image->layers.n - 1])));
}

static struct json *graph_driver(struct engine *e, const struct image *image)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a), *data = json_new_object(a);

	add_places(e, image, data);
	SET("Name", TEXT(store_driver_name(e->store.driver)));
	SET("Data", data);
	return j;
}

static struct json *root_fs(struct arena *a, const struct image_config *config)
{
	struct json *j = json_new_object(a);

	SET("Type", TEXT(config->rootfs.type ? config->rootfs.type : "layers"));
	SET("Layers", json_new_strings(a, &config->rootfs.diff_ids));
	return j;
}

static struct json *history_list(struct arena *a, const struct image_config *config)
{
	struct json *list = json_new_list(a);

	for (size_t i = 0; i < config->history.n; i++) {
		const struct image_history *h = &config->history.v[i];
		struct json *j = json_new_object(a);

		if (h->created)
			SET("created", TEXT(h->created));
		if (h->created_by)
			SET("created_by", TEXT(h->created_by));
		if (h->author)
			SET("author", TEXT(h->author));
		if (h->comment)
			SET("comment", TEXT(h->comment));
		if (h->empty_layer)
			SET("empty_layer", BOOL(true));
		json_append(a, list, j);
	}
	return list;
}

static const char *last_comment(const struct image_config *config)
{
	return config->history.n > 0 ? config->history.v[config->history.n - 1].comment : NULL;
}

int image_inspect(struct engine *e, const char *name, struct json **ret, struct error *err)
{
	struct arena *a = e->arena;
	struct json *j = json_new_object(a);
	const struct image *parent;
	struct image_config config;
	struct strings digests;
	struct image image;
	struct images all;

	if (find_image(e, name, &image, err) < 0 || image_read_config(e, &image, &config, err) < 0 ||
	    image_list(a, &e->store, &all, err) < 0)
		return -1;
	parent = image_family_parent(e, &all, &image, &config);
	digests = repo_digests(a, &image);
	SET("Id", TEXT(image.id));
	SET("Digest", TEXT(image.manifest_digest));
	SET("RepoTags", json_new_strings(a, &image.names));
	SET("RepoDigests", json_new_strings(a, &digests));
	SET("Parent", TEXT(parent ? parent->id : NULL));
	SET("Comment", TEXT(last_comment(&config)));
	SET("Created", TEXT(config.created ? config.created : image.created));
	SET("Config", json_encode(a, &image_container_config_shape, &config.config));
	SET("Version", TEXT(""));
	SET("Author", TEXT(config.author));
	SET("Architecture", TEXT(config.architecture));
	if (config.variant)
		SET("Variant", TEXT(config.variant));
	SET("Os", TEXT(config.os));
	SET("Size", INT(image.size));
	SET("VirtualSize", INT(image.size));
	SET("GraphDriver", graph_driver(e, &image));
	SET("RootFS", root_fs(a, &config));
	SET("Labels", json_new_map(a, &config.config.labels));
	SET("Annotations", json_new_object(a));
	SET("ManifestType", TEXT(image.manifest_media_type));
	SET("User", TEXT(config.config.user));
	SET("History", history_list(a, &config));
	SET("NamesHistory", json_new_strings(a, &image.names));
	*ret = j;
	return 0;
}
