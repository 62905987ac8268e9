/* OCI image layout: blobs first, index.json last, so that what it names is there. A directory that is a layout already
 * gets the images added; those that had their names lose them. */
#include "transfer/bundle.h"
#include "transfer/load.h"
#include "transfer/save.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define IMAGE_NAME "io.containerd.image.name"	/* what Docker and containerd look for */

static struct json *platform(struct arena *arena, const struct image_config *c)
{
	struct json *p = json_new_object(arena);

	json_set(arena, p, "architecture", json_new_string(arena, c->architecture ? c->architecture : ""));
	json_set(arena, p, "os", json_new_string(arena, c->os ? c->os : ""));
	if (!str_is_empty(c->variant))
		json_set(arena, p, "variant", json_new_string(arena, c->variant));
	return p;
}

static void add_entry(struct arena *arena, struct json *manifests, const struct save_image *image,
		      const struct image_descriptor *manifest, const char *name)
{
	struct json *d = load_descriptor(arena, "application/vnd.oci.image.manifest.v1+json", manifest->digest, manifest->size);
	struct json *annotations = json_new_object(arena);

	if (name) {
		json_set(arena, annotations, IMAGE_NAME, json_new_string(arena, name));
		json_set(arena, annotations, REF_NAME, json_new_string(arena, name));
		json_set(arena, d, "annotations", annotations);
	}
	json_set(arena, d, "platform", platform(arena, &image->c));
	json_append(arena, manifests, d);
}

static int save_one(struct save *s, struct save_image *image, struct json *manifests, struct error *err)
{
	struct arena *arena = s->work->arena;
	const struct strings *names = &image->asked->names;
	const struct image_descriptor *manifest;

	for (size_t i = 0; i < image->m.layers.n; i++)
		if (save_blob(s, save_blob_name(arena, image->m.layers.v[i].digest), &image->m.layers.v[i], err) < 0)
			return -1;
	if (bundle_writer_add(&s->out, save_blob_name(arena, image->m.config.digest), image->config, image->config_size,
			      err) < 0)
		return -1;
	manifest = save_manifest(s, image, false, NULL, err);
	if (!manifest)
		return -1;
	for (size_t i = 0; i < names->n; i++)
		add_entry(arena, manifests, image, manifest, names->v[i]);
	if (!names->n)
		add_entry(arena, manifests, image, manifest, NULL);
	return 0;
}

/* --- a layout that is there */

static const char *ref_name(const struct json *entry)
{
	const char *name = json_get_string(json_get(entry, "annotations"), REF_NAME);

	return name ? name : "";
}

/* An entry of the same name, or of the same manifest without a name. */
static bool is_replaced(const struct json *entry, const struct json *by)
{
	for (size_t i = 0; i < by->list.n; i++)
		if (strcmp(ref_name(entry), ref_name(by->list.v[i])) == 0 &&
		    (*ref_name(entry) || str_eq(json_get_string(entry, "digest"), json_get_string(by->list.v[i], "digest"))))
			return true;
	return false;
}

static int keep_others(struct save *s, struct json *manifests, struct error *err)
{
	struct arena *arena = s->work->arena;
	struct bundle *b = s->out.dir >= 0 ? bundle_open(s->work, s->out.dir, err) : NULL;
	struct json *mine = json_new_list(arena), *index;
	const struct json *there;
	size_t size;
	char *text;

	if (!b || !bundle_has(b, "index.json"))
		return s->out.dir >= 0 && !b ? -1 : 0;
	text = bundle_read(b, "index.json", IMAGE_MANIFEST_MAX, &size, err);
	index = text ? json_parse(arena, text, size, "index.json", err) : NULL;
	if (!index)
		return error_frame(err, "the layout that is there");
	there = json_get(index, "manifests");
	*mine = *manifests;
	*manifests = *json_new_list(arena);
	for (size_t i = 0; there && there->kind == JSON_LIST && i < there->list.n; i++)
		if (!is_replaced(there->list.v[i], mine))
			json_append(arena, manifests, there->list.v[i]);
	for (size_t i = 0; i < mine->list.n; i++)
		json_append(arena, manifests, mine->list.v[i]);
	return 0;
}

int save_oci(struct save *s, struct error *err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	struct arena *arena = s->work->arena;
	struct json *index = json_new_object(arena), *manifests = json_new_list(arena);

	if (save_repack(s, false, err) < 0)
		return -1;
	for (size_t i = 0; i < s->images.n; i++)
		if (save_one(s, &s->images.v[i], manifests, err) < 0)
			return -1;
	if (keep_others(s, manifests, err) < 0 || bundle_writer_add(&s->out, "oci-layout", layout, strlen(layout), err) < 0)
		return -1;
	json_set(arena, index, "schemaVersion", json_new_int(arena, 2));
	json_set(arena, index, "mediaType", json_new_string(arena, "application/vnd.oci.image.index.v1+json"));
	json_set(arena, index, "manifests", manifests);
	return save_json(s, "index.json", index, err);
}
