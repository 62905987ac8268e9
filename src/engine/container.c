#include "engine/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/network_bridge.h"
#include "engine/state.h"
#include "store/container.h"
#include "sys/fd.h"

JSON_SHAPE(container_mount,
	JSON_FIELD(container_mount, type, "type", T_STRING),
	JSON_FIELD(container_mount, name, "name", T_STRING),
	JSON_FIELD(container_mount, source, "source", T_STRING),
	JSON_FIELD(container_mount, destination, "destination", T_STRING, .required = true),
	JSON_FIELD(container_mount, options, "options", T_STRINGS),
	JSON_FIELD(container_mount, read_only, "readOnly", T_BOOL),
	JSON_FIELD(container_mount, anonymous, "anonymous", T_BOOL),
	JSON_FIELD(container_mount, chown, "chown", T_BOOL),
	JSON_FIELD(container_mount, overlay, "overlay", T_BOOL),
	JSON_FIELD(container_mount, relabel, "relabel", T_STRING));

JSON_SHAPE(container,
	JSON_FIELD(container, id, "id", T_STRING, .required = true),
	JSON_FIELD(container, name, "name", T_STRING, .required = true),
	JSON_FIELD(container, created_ns, "created", T_INT),
	JSON_FIELD(container, image_name, "imageName", T_STRING),
	JSON_FIELD(container, image_id, "imageId", T_STRING),
	JSON_FIELD(container, image_digest, "imageDigest", T_STRING),
	JSON_FIELD(container, rootfs, "rootfs", T_STRING),
	JSON_FIELD(container, layers, "layers", T_STRINGS),
	JSON_FIELD(container, request, "request", T_EMBED, .shape = &create_request_shape),
	JSON_FIELD(container, image, "image", T_EMBED, .shape = &image_container_config_shape),
	JSON_FIELD(container, args, "args", T_STRINGS),
	JSON_FIELD(container, env, "env", T_STRINGS),
	JSON_FIELD(container, workdir, "workdir", T_STRING),
	JSON_FIELD(container, hostname, "hostname", T_STRING),
	JSON_FIELD(container, stop_signal, "stopSignal", T_STRING),
	JSON_FIELD(container, labels, "labels", T_MAP),
	JSON_FIELD(container, annotations, "annotations", T_MAP),
	JSON_FIELD(container, mounts, "mounts", T_OBJECTS, .shape = &container_mount_shape),
	JSON_FIELD(container, log_driver, "logDriver", T_STRING),
	JSON_FIELD(container, stop_timeout_s, "stopTimeout", T_INT, .always = true),
	JSON_FIELD(container, log_options, "logOptions", T_MAP),
	JSON_FIELD(container, uid_map, "uidMap", T_STRING),
	JSON_FIELD(container, gid_map, "gidMap", T_STRING),
	JSON_FIELD(container, process_label, "processLabel", T_STRING),
	JSON_FIELD(container, mount_label, "mountLabel", T_STRING));

/* What everybody relies on is there. */
static int check_record(const struct container *c, const char *id, struct error *err)
{
	if (!str_eq(c->id, id))
		return error_set(err, ERROR_INVALID, "config.json: it is another container's");
	if (str_is_empty(c->name) || !c->stop_signal || !c->log_driver)
		return error_set(err, ERROR_INVALID, "config.json: name, stop signal or log driver is missing");
	for (size_t i = 0; i < c->mounts.n; i++)
		if (!c->mounts.v[i].type || !c->mounts.v[i].destination)
			return error_set(err, ERROR_INVALID, "config.json: .mounts[%zu]: type or destination is missing", i);
	return 0;
}

static int load(struct engine *e, const char *id, struct container *ret, struct error *err)
{
	size_t size;
	char *text = container_store_read(e->arena, &e->store, id, &size, err);

	if (!text)
		return -1;
	*ret = (struct container){ 0 };
	if (json_decode(e->arena, &container_shape, ret, text, size, "config.json", err) < 0 ||
	    check_record(ret, id, err) < 0) {
		error_frame(err, "container %.12s is damaged", id);
		return error_hint(err, "remove it: bryo rm -f %.12s", id);
	}
	return 0;
}

int container_load(struct engine *e, const char *name_or_id, struct container *ret, struct error *err)
{
	char *id = container_store_find(e->arena, &e->store, name_or_id, err);

	return id ? load(e, id, ret, err) : -1;
}

int container_load_damaged(struct engine *e, const char *name_or_id, struct container *ret, struct error *err)
{
	char *id = container_store_find(e->arena, &e->store, name_or_id, err);

	if (!id)
		return -1;
	*ret = (struct container){ .id = id, .stop_signal = "SIGKILL" };
	return 0;
}

int container_list_damaged(struct engine *e, struct strings *ret_ids, struct error *err)
{
	struct strings ids = { 0 };

	*ret_ids = (struct strings){ 0 };
	if (container_store_list(e->arena, &e->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct container c;
		struct error why = { 0 };

		if (container_load(e, ids.v[i], &c, &why) < 0 && !error_is(&why, ERROR_NOT_FOUND))
			strings_add(e->arena, ret_ids, ids.v[i]);
	}
	return 0;
}

int container_load_all(struct engine *e, struct containers *ret, struct error *err)
{
	struct strings ids = { 0 };

	*ret = (struct containers){ 0 };
	network_bridge_sweep(e, true);
	if (container_store_list(e->arena, &e->store, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		struct container c;
		struct error bad = { 0 };

		if (load(e, ids.v[i], &c, &bad) == 0)
			*ARRAY_ADD(e->arena, ret) = c;
		else if (bad.kind != ERROR_NOT_FOUND)	/* not found: removed meanwhile */
			engine_warn(e, "%s", bad.text);
	}
	return 0;
}

int container_save(struct engine *e, const struct container *c, struct error *err)
{
	return container_store_write(&e->store, c->id,
				     json_print(e->arena, json_encode(e->arena, &container_shape, c), 0), !c->request.rm, err);
}
