#include "engine/show.h"

#include "engine/bare_root.h"
#include "engine/events.h"
#include "engine/layer_form.h"
#include "engine/life.h"
#include "engine/state.h"
#include "store/container_show.h"
#include "store/image_files.h"
#include "sys/fd.h"

/* --- containers */

int show_container(struct engine *e, const struct container *c, char **ret_path, struct error *err)
{
	_cleanup_fd_ int lock = -1, tree = -1;
	struct container_state s;

	if (c->rootfs) {
		*ret_path = c->rootfs;
		return 0;
	}
	/* Nobody starts it in between. */
	lock = container_store_open(&e->store, c->id, LOCK_EXCLUSIVE, err);
	if (lock < 0)
		return -1;
	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s)) {
		tree = bare_root_borrow(&s, err);
		if (tree < 0)
			return -1;
	}
	if (container_show(e->arena, &e->store, c->id, tree, ret_path, err) < 0)
		return error_frame(err, "mount container %s", c->name);
	life_event(e, c, "mount");
	return 0;
}

/* A running container of fuse-overlayfs lives in the very mount. */
static bool is_lived_in(struct engine *e, const struct container *c)
{
	struct container_state s;

	return container_load_state(e, c, &s, NULL) == 0 && state_is_live(&s) && s.storage_pid > 0;
}

int show_container_end(struct engine *e, const struct container *c, struct error *err)
{
	if (c->rootfs || is_lived_in(e, c))
		return 0;
	container_show_end(&e->store, c->id);
	container_store_unmount(&e->store, c->id);
	life_event(e, c, "unmount");
	return 0;
}

struct json *show_container_row(struct engine *e, const struct container *c, const char *path)
{
	struct json *row = json_new_object(e->arena), *names = json_new_list(e->arena);

	json_append(e->arena, names, json_new_string(e->arena, c->name));
	json_set(e->arena, row, "id", json_new_string(e->arena, c->id));
	json_set(e->arena, row, "Names", names);
	json_set(e->arena, row, "mountpoint", json_new_string(e->arena, path));
	return row;
}

int show_containers(struct engine *e, struct json **ret, struct error *err)
{
	struct containers all;
	char *path;

	*ret = json_new_list(e->arena);
	if (container_load_all(e, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++)
		if (container_show_is_shown(e->arena, &e->store, all.v[i].id, &path))
			json_append(e->arena, *ret, show_container_row(e, &all.v[i], path));
	return 0;
}

/* --- images */

static void image_event(struct engine *e, const struct image *image, const char *status)
{
	event_add(e, "image", status, image->id, image->names.n ? image->names.v[0] : image->id, NULL, NULL);
}

int show_image(struct engine *e, const struct image *image, char **ret_path, struct error *err)
{
	_cleanup_fd_ int lock = store_lock(&e->store, LOCK_SHARED, true, err);	/* its layers stay meanwhile */
	struct image still;

	if (lock < 0 || image_read(e->arena, &e->store, image->id, &still, err) < 0 ||
	    layer_form_need(e, &still.layers, err) < 0 ||
	    image_files_mount(e->arena, &e->store, image->id, &still.layers, ret_path, err) < 0)
		return error_frame(err, "mount image %.12s", image->id);
	image_event(e, image, "mount");
	return 0;
}

int show_image_end(struct engine *e, const struct image *image, struct error *err)
{
	int was = image_files_unmount(e->arena, &e->store, image->id, err);

	if (was < 0)
		return error_frame(err, "unmount image %.12s", image->id);
	if (was)
		image_event(e, image, "unmount");
	return 0;
}

struct json *show_image_row(struct engine *e, const struct image *image, const char *path)
{
	struct json *row = json_new_object(e->arena);

	json_set(e->arena, row, "id", json_new_string(e->arena, image->id));
	json_set(e->arena, row, "Names", json_new_strings(e->arena, &image->names));
	json_set(e->arena, row, "Repositories", json_new_strings(e->arena, &image->names));
	json_set(e->arena, row, "mountpoint", json_new_string(e->arena, path));
	return row;
}

int show_images(struct engine *e, struct json **ret, struct error *err)
{
	struct images all;
	char *path;

	*ret = json_new_list(e->arena);
	if (image_list(e->arena, &e->store, &all, err) < 0)
		return -1;
	for (size_t i = 0; i < all.n; i++) {
		path = image_files_mounted(e->arena, &e->store, all.v[i].id);
		if (path)
			json_append(e->arena, *ret, show_image_row(e, &all.v[i], path));
	}
	return 0;
}
