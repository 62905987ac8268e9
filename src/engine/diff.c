#include "engine/diff.h"

#include "engine/bare_root.h"
#include "engine/layer_form.h"
#include "store/container_changes.h"
#include "store/image.h"
#include "store/image_files.h"
#include "sys/fd.h"

struct object {
	bool is_container;
	struct container container;
	struct image image;
};

static int not_found(enum diff_kind kind, const char *name, struct error *err)
{
	static const char *const words[] = {
		[DIFF_ANY] = "layer not known", [DIFF_CONTAINER] = "container not found", [DIFF_IMAGE] = "image not known",
	};

	return error_set(err, ERROR_NOT_FOUND, "%s not found: %s", name, words[kind]);
}

static int find(struct engine *e, enum diff_kind kind, const char *name, struct object *ret, struct error *err)
{
	*ret = (struct object){ 0 };
	if (kind != DIFF_IMAGE) {
		ret->is_container = container_load(e, name, &ret->container, err) == 0;
		if (ret->is_container || !error_is(err, ERROR_NOT_FOUND))
			return ret->is_container ? 0 : -1;
	}
	error_clear(err);
	if (kind == DIFF_CONTAINER)
		return not_found(kind, name, err);
	if (image_find(e->arena, &e->store, name, &ret->image, NULL, err) == 0)
		return layer_form_need(e, &ret->image.layers, err);
	return error_is(err, ERROR_NOT_FOUND) ? (error_clear(err), not_found(kind, name, err)) : -1;
}

/* --- trees */

static int open_object(struct engine *e, const struct object *o, struct image_files *ret, struct error *err)
{
	if (!o->is_container)
		return image_files_open(e->arena, &e->store, &o->image.layers, ret, err);
	*ret = (struct image_files){ .root = bare_root_open(e, &o->container, err), .lock = -1 };
	return ret->root < 0 ? -1 : 0;
}

static int compare(struct engine *e, const struct image_files *older, const struct image_files *newer,
		   struct changes *ret, struct error *err)
{
	const struct changes_how how = { .contents = true };

	return changes_between(e->arena, older->root, newer->root, &how, ret, err);
}

static int diff_two(struct engine *e, const struct object *object, const struct object *other, struct changes *ret,
		    struct error *err)
{
	struct image_files newer, older;
	int result = -1;

	if (open_object(e, object, &newer, err) < 0)
		return -1;
	if (open_object(e, other, &older, err) == 0) {
		result = compare(e, &older, &newer, ret, err);
		image_files_close(&e->store, &older);
	}
	image_files_close(&e->store, &newer);
	return result;
}

/* --- a container */

static bool is_own_mount_point(const struct container *c, const char *path)
{
	static const char *const always[] = {
		"/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/run",
		"/run/.containerenv", "/run/secrets", "/sys",
	};

	for (size_t i = 0; i < ELEMENTS(always); i++)
		if (strcmp(always[i], path) == 0)
			return true;
	for (size_t i = 0; i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].destination, path) == 0)
			return true;
	return false;
}

static int diff_container(struct engine *e, const struct container *c, struct changes *ret, struct error *err)
{
	struct transfer_request ignored = { 0 };
	struct changes all = { 0 };
	struct id_maps maps;

	*ret = (struct changes){ 0 };
	if (c->rootfs)
		return error_set(err, ERROR_UNSUPPORTED, "container %s has no image to be compared with", c->name);
	if (layer_form_need(e, &c->layers, err) < 0 || bare_root_maps(e, c, &maps, &ignored, err) < 0 ||
	    container_store_changes(e->arena, &e->store, c->id, &maps, &all, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (!is_own_mount_point(c, all.v[i].path))
			*ARRAY_ADD(e->arena, ret) = all.v[i];
	return 0;
}

int diff_objects(struct engine *e, enum diff_kind kind, const char *name, const char *other, struct changes *ret,
		 struct error *err)
{
	struct object a, b;

	if (find(e, kind, name, &a, err) < 0)
		return -1;
	if (other)
		return find(e, kind, other, &b, err) < 0 ? -1 : diff_two(e, &a, &b, ret, err);
	return a.is_container ? diff_container(e, &a.container, ret, err) :
				image_files_changes(e->arena, &e->store, &a.image.layers, ret, err);
}
