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

	static const char *const codes[] = {
		[DIFF_ANY] = "no-such-object", [DIFF_CONTAINER] = "no-such-container", [DIFF_IMAGE] = "no-such-image",
	};

	error_set(err, ERROR_NOT_FOUND, "%s not found: %s", name, words[kind]);
	return error_code(err, codes[kind]);
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

/* --- mount points of the engine are no changes */

/* c: NULL, or the container whose mounts count, too. */
static bool is_mount_point(const struct container *c, const char *path)
{
	static const char *const always[] = {
		"/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/run",
		"/run/.containerenv", "/run/secrets", "/sys",
	};

	for (size_t i = 0; i < ELEMENTS(always); i++)
		if (strcmp(always[i], path) == 0)
			return true;
	for (size_t i = 0; c && i < c->mounts.n; i++)
		if (strcmp(c->mounts.v[i].destination, path) == 0)
			return true;
	return false;
}

static void drop_mount_points(const struct container *c, struct changes *changes)
{
	size_t n = 0;

	for (size_t i = 0; i < changes->n; i++)
		if (!is_mount_point(c, changes->v[i].path))
			changes->v[n++] = changes->v[i];
	changes->n = n;
}

/* --- two objects */

static int open_object(struct engine *e, const struct object *o, struct image_files *ret, struct error *err)
{
	if (!o->is_container)
		return image_files_open(e->arena, &e->store, &o->image.layers, ret, err);
	*ret = (struct image_files){ .root = bare_root_open(e, &o->container, err), .lock = -1 };
	return ret->root < 0 ? -1 : 0;
}

static int diff_trees(struct engine *e, const struct object *object, const struct object *other, struct changes *ret,
		      struct error *err)
{
	const struct changes_how how = { 0 };
	struct image_files newer, older;
	int result = -1;

	if (open_object(e, object, &newer, err) < 0)
		return -1;
	if (open_object(e, other, &older, err) == 0) {
		result = changes_between(e->arena, older.root, newer.root, &how, ret, err);
		image_files_close(&e->store, &older);
	}
	image_files_close(&e->store, &newer);
	if (result == 0)
		drop_mount_points(object->is_container ? &object->container : NULL, ret);
	return result;
}

static int diff_two(struct engine *e, const struct object *object, const struct object *other, struct changes *ret,
		    struct error *err)
{
	if (object->is_container || other->is_container)
		return diff_trees(e, object, other, ret, err);
	return image_files_changes_between(e->arena, &e->store, &other->image.layers, &object->image.layers, ret, err);
}

/* --- one object */

static int diff_container(struct engine *e, const struct container *c, struct changes *ret, struct error *err)
{
	struct transfer_request ignored = { 0 };
	struct id_maps maps;

	if (c->rootfs)
		return error_set(err, ERROR_UNSUPPORTED, "container %s has no image to be compared with", c->name);
	if (layer_form_need(e, &c->layers, err) < 0 || bare_root_maps(e, c, &maps, &ignored, err) < 0 ||
	    container_store_changes(e->arena, &e->store, c->id, &maps, ret, NULL, err) < 0)
		return -1;
	drop_mount_points(c, ret);
	return 0;
}

int diff_objects(struct engine *e, enum diff_kind kind, const char *name, const char *other, struct changes *ret,
		 struct error *err)
{
	_cleanup_fd_ int lock = store_lock(&e->store, LOCK_SHARED, true, err);	/* images stay meanwhile */
	struct object a, b;

	if (lock < 0 || find(e, kind, name, &a, err) < 0)
		return -1;
	if (other)
		return find(e, kind, other, &b, err) < 0 ? -1 : diff_two(e, &a, &b, ret, err);
	return a.is_container ? diff_container(e, &a.container, ret, err) :
				image_files_changes(e->arena, &e->store, &a.image.layers, ret, err);
}
