#include "spec/image_form.h"

#include "spec/oci_image.h"

static const struct { const char *manifest, *config; } types[] = {
	[IMAGE_FORM_OCI] = { "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json" },
	[IMAGE_FORM_DOCKER] = { "application/vnd.docker.distribution.manifest.v2+json",
				"application/vnd.docker.container.image.v1+json" },
};

const char *image_form_manifest_type(enum image_form form)
{
	return types[form].manifest;
}

const char *image_form_config_type(enum image_form form)
{
	return types[form].config;
}

const char *image_form_layer_type(const char *media_type, enum image_form form)
{
	return form == IMAGE_FORM_OCI ? image_media_type_oci(media_type) : image_media_type_docker(media_type);
}

bool image_form_is(const char *manifest_type, enum image_form form)
{
	return str_eq(manifest_type, types[form].manifest);
}

static void retell(struct arena *arena, struct json *descriptor, const char *type, enum image_form form)
{
	json_set(arena, descriptor, "mediaType", json_new_string(arena, type));
	if (form == IMAGE_FORM_DOCKER)
		json_unset(descriptor, "annotations");
}

struct json *image_form_convert(struct arena *arena, const char *text, size_t size, enum image_form form,
				struct json *layers, struct error *err)
{
	struct json *m = json_parse(arena, text, size, "manifest", err);

	if (!m)
		return NULL;
	json_set(arena, m, "mediaType", json_new_string(arena, types[form].manifest));
	retell(arena, (struct json *)(uintptr_t)json_get(m, "config"), types[form].config, form);
	if (layers)
		json_set(arena, m, "layers", layers);
	layers = (struct json *)(uintptr_t)json_get(m, "layers");
	for (size_t i = 0; layers && i < layers->list.n; i++)
		retell(arena, layers->list.v[i],
		       image_form_layer_type(json_get_string(layers->list.v[i], "mediaType"), form), form);
	if (form == IMAGE_FORM_DOCKER) {
		json_unset(m, "annotations");
		json_unset(m, "artifactType");
		json_unset(m, "subject");
	}
	return m;
}
