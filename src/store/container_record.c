#include "store/container_record.h"

#include <errno.h>
#include <stdio.h>

#include "spec/oci_image.h"
#include "store/driver.h"
#include "sys/fd.h"

#define RECORD_MAX ((size_t)256 << 10)

JSON_SHAPE(container_record,
	JSON_FIELD(container_record, driver, "driver", T_STRING, .required = true),
	JSON_FIELD(container_record, layers, "layers", T_STRINGS, .always = true),
	JSON_FIELD(container_record, shifted, "shifted", T_STRING),
	JSON_FIELD(container_record, uid_map, "uidMap", T_STRING),
	JSON_FIELD(container_record, gid_map, "gidMap", T_STRING));

struct named_layers { struct strings layers; };
JSON_SHAPE(named_layers, JSON_FIELD(named_layers, layers, "layers", T_STRINGS));

int container_record_read(struct arena *arena, const struct store *s, const char *id, struct container_record *ret,
			  struct error *err)
{
	char path[128];
	size_t n;
	char *text;

	snprintf(path, sizeof(path), "containers/%.64s/rootfs.json", id);
	*ret = (struct container_record){ 0 };
	text = fd_read_file(arena, s->root_fd, path, RECORD_MAX, &n);
	if (!text && errno == ENOENT)
		return error_set(err, ERROR_NOT_FOUND, "container %.12s has no root file system of its own", id);
	if (!text)
		return error_errno(err, "read %s/%s", s->path, path);
	if (json_decode(arena, &container_record_shape, ret, text, n, path, err) < 0)
		return -1;
	if (ret->shifted && (!str_starts(ret->shifted, "layers/") || strstr(ret->shifted, "..")))
		return error_set(err, ERROR_INVALID, "%s: malformed path of the shifted tree", path);
	for (size_t i = 0; i < ret->layers.n; i++)
		if (!digest_is_valid(ret->layers.v[i]))
			return error_set(err, ERROR_INVALID, "%s: malformed chain ID", path);
	return 0;
}

int container_record_driver(struct arena *arena, const struct store *s, const char *id, struct container_record *ret,
			    enum store_driver *ret_driver, struct error *err)
{
	return container_record_read(arena, s, id, ret, err) < 0 ? -1 : driver_parse(ret->driver, ret_driver, err);
}

const char *container_record_print(struct arena *arena, const struct container_record *r)
{
	return json_print(arena, json_encode(arena, &container_record_shape, r), 0);
}

bool container_record_has_objects(const struct container_record *r)
{
	return strcmp(r->driver, store_driver_name(DRIVER_OBJECTS)) == 0;
}

int container_record_config_layers(struct arena *arena, const struct store *s, const char *id, struct strings *ret,
				   struct error *err)
{
	struct named_layers c = { 0 };
	size_t n;
	char *text = container_store_read(arena, s, id, &n, err);

	if (!text || json_decode(arena, &named_layers_shape, &c, text, n, "config.json", err) < 0)
		return -1;
	*ret = c.layers;
	return 0;
}

int container_store_layers(struct arena *arena, const struct store *s, const char *id, struct strings *ret,
			   struct error *err)
{
	struct container_record r;
	struct error why = { 0 };

	*ret = (struct strings){ 0 };
	if (container_record_read(arena, s, id, &r, &why) < 0) {
		if (error_is(&why, ERROR_NOT_FOUND) || error_is(&why, ERROR_INVALID))
			return container_record_config_layers(arena, s, id, ret, err);
		return error_set(err, why.kind, "%s", why.text);
	}
	*ret = r.layers;
	return 0;
}
