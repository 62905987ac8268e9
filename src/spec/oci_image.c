#include "spec/oci_image.h"

#include "spec/media_type.h"

#define F JSON_FIELD

/* More than any registry or file system of today holds; larger numbers are attacks on arithmetic. */
#define BLOB_SIZE_MAX ((int64_t)1 << 42)
#define LAYERS_MAX 1024
#define INDEX_ENTRIES_MAX 4096
#define KEYS_MAX 4096		/* exposed ports, volumes */
#define WORDS_MAX 32768		/* of a command or the environment: the kernel takes no more than 2 MiB of them */

JSON_SHAPE(image_platform,
	F(image_platform, architecture, "architecture", T_STRING),
	F(image_platform, os, "os", T_STRING),
	F(image_platform, os_version, "os.version", T_STRING),
	F(image_platform, os_features, "os.features", T_STRINGS),
	F(image_platform, variant, "variant", T_STRING),
	F(image_platform, features, "features", T_STRINGS));

JSON_SHAPE(image_descriptor,
	F(image_descriptor, media_type, "mediaType", T_STRING),
	F(image_descriptor, digest, "digest", T_STRING, .required = true),
	F(image_descriptor, size, "size", T_INT, .required = true, .always = true),
	F(image_descriptor, urls, "urls", T_STRINGS),
	F(image_descriptor, annotations, "annotations", T_MAP),
	F(image_descriptor, platform, "platform", T_OBJECT, .shape = &image_platform_shape),
	F(image_descriptor, artifact_type, "artifactType", T_STRING));

JSON_SHAPE(image_manifest,
	F(image_manifest, schema_version, "schemaVersion", T_INT, .required = true),
	F(image_manifest, media_type, "mediaType", T_STRING),
	F(image_manifest, config, "config", T_EMBED, .shape = &image_descriptor_shape, .required = true),
	F(image_manifest, layers, "layers", T_OBJECTS, .shape = &image_descriptor_shape, .required = true, .always = true),
	F(image_manifest, annotations, "annotations", T_MAP));

JSON_SHAPE(image_index,
	F(image_index, schema_version, "schemaVersion", T_INT, .required = true),
	F(image_index, media_type, "mediaType", T_STRING),
	F(image_index, manifests, "manifests", T_OBJECTS, .shape = &image_descriptor_shape, .required = true, .always = true),
	F(image_index, annotations, "annotations", T_MAP));

JSON_SHAPE(image_healthcheck,
	F(image_healthcheck, test, "Test", T_STRINGS),
	F(image_healthcheck, interval, "Interval", T_INT),
	F(image_healthcheck, timeout, "Timeout", T_INT),
	F(image_healthcheck, start_period, "StartPeriod", T_INT),
	F(image_healthcheck, start_interval, "StartInterval", T_INT),
	F(image_healthcheck, retries, "Retries", T_INT));

JSON_SHAPE(image_container_config,
	F(image_container_config, user, "User", T_STRING),
	F(image_container_config, exposed_ports, "ExposedPorts", T_KEYS),
	F(image_container_config, env, "Env", T_STRINGS),
	F(image_container_config, entrypoint, "Entrypoint", T_STRINGS),
	F(image_container_config, cmd, "Cmd", T_STRINGS),
	F(image_container_config, volumes, "Volumes", T_KEYS),
	F(image_container_config, working_dir, "WorkingDir", T_STRING),
	F(image_container_config, labels, "Labels", T_MAP),
	F(image_container_config, stop_signal, "StopSignal", T_STRING),
	F(image_container_config, healthcheck, "Healthcheck", T_OBJECT, .shape = &image_healthcheck_shape),
	F(image_container_config, shell, "Shell", T_STRINGS),
	F(image_container_config, on_build, "OnBuild", T_STRINGS),
	F(image_container_config, args_escaped, "ArgsEscaped", T_BOOL));

JSON_SHAPE(image_history,
	F(image_history, created, "created", T_STRING),
	F(image_history, created_by, "created_by", T_STRING),
	F(image_history, author, "author", T_STRING),
	F(image_history, comment, "comment", T_STRING),
	F(image_history, empty_layer, "empty_layer", T_BOOL));

JSON_SHAPE(image_rootfs,
	F(image_rootfs, type, "type", T_STRING, .required = true),
	F(image_rootfs, diff_ids, "diff_ids", T_STRINGS, .always = true));

JSON_SHAPE(image_config,
	F(image_config, created, "created", T_STRING),
	F(image_config, author, "author", T_STRING),
	F(image_config, architecture, "architecture", T_STRING, .always = true),
	F(image_config, variant, "variant", T_STRING),
	F(image_config, os, "os", T_STRING, .always = true),
	F(image_config, os_version, "os.version", T_STRING),
	F(image_config, config, "config", T_EMBED, .shape = &image_container_config_shape, .always = true),
	F(image_config, rootfs, "rootfs", T_EMBED, .shape = &image_rootfs_shape, .required = true),
	F(image_config, history, "history", T_OBJECTS, .shape = &image_history_shape),
	F(image_config, rest, "", T_REST));

bool digest_is_valid(const char *digest)
{
	const char *hex;
	size_t n;

	if (!digest)
		return false;
	if ((hex = str_after(digest, "sha256:")))
		n = 64;
	else if ((hex = str_after(digest, "sha512:")))
		n = 128;
	else
		return false;
	return strspn(hex, "0123456789abcdef") == n && hex[n] == '\0';
}

const char *digest_hex(const char *digest)
{
	return strchr(digest, ':') + 1;
}

static int check_descriptor(struct arena *arena, const struct image_descriptor *d, const char *what, size_t index,
			    int64_t size_max, struct error *err)
{
	if (!digest_is_valid(d->digest))
		return error_set(err, ERROR_INVALID, "manifest: %s %zu: malformed digest %s", what, index,
				 str_printable(arena, d->digest, 160));
	if (d->size < 0 || d->size > size_max)
		return error_set(err, ERROR_INVALID, "manifest: %s %zu: impossible size %lld", what, index,
				 (long long)d->size);
	return 0;
}

/* What the transport's Content-Type says, without parameters; NULL when it says nothing about manifests ("text/plain",
 * "application/json" and the like come from simple file servers). */
static const char *transport_type(struct arena *arena, const char *content_type)
{
	const char *type;

	if (!content_type)
		return NULL;
	type = arena_strndup(arena, content_type, strcspn(content_type, "; \t"));
	return media_type_is_manifest(type) ? type : NULL;
}

static int unsupported(struct error *err, const char *what)
{
	return error_set(err, ERROR_UNSUPPORTED, "%s", what);
}

static int check_schema(const struct json *body, const char *type, struct error *err)
{
	const struct json *version = json_get(body, "schemaVersion");

	if ((type && media_type_is_schema1(type)) || json_get(body, "fsLayers") || json_get(body, "signatures") ||
	    (version && version->kind == JSON_INT && version->integer == 1)) {
		unsupported(err, "manifest: schema 1, the format of before 2016, is not supported");
		return error_hint(err, "push the image again with a current tool, for example: skopeo copy --format oci SRC DST");
	}
	if (!version || version->kind != JSON_INT || version->integer != 2)
		return error_set(err, ERROR_INVALID, "manifest: .schemaVersion: expected 2");
	return 0;
}

/* Decides what the body is, or refuses to. The same bytes must not be a manifest for one reader and an index for
 * another (CVE-2021-41190), so all three witnesses - transport, mediaType, members - have to agree. */
static int manifest_kind(struct arena *arena, const struct json *body, const char *content_type,
			 enum manifest_kind *ret, struct error *err)
{
	const char *transport = transport_type(arena, content_type);
	const char *type = json_get_string(body, "mediaType");
	bool index = json_get(body, "manifests") != NULL;

	if (body->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "manifest: expected object, got %s", json_kind_name(body));
	if (check_schema(body, type ? type : transport, err) < 0)
		return -1;
	if (index && (json_get(body, "layers") || json_get(body, "config")))
		return error_set(err, ERROR_INVALID, "manifest: ambiguous: has both `manifests` and `layers` or `config`");
	if (type && transport && strcmp(type, transport) != 0)
		return error_set(err, ERROR_INVALID, "manifest: ambiguous: its mediaType is %s, but it was sent as %s",
				 str_printable(arena, type, 100), str_printable(arena, transport, 100));
	if (type && !media_type_is_manifest(type))
		return unsupported(err, arena_printf(arena, "manifest: %s is no container image",
						     str_printable(arena, type, 100)));
	if ((type || transport) && image_media_type_is_index(type ? type : transport) != index)
		return error_set(err, ERROR_INVALID, "manifest: its type %s does not fit its members", type ? type : transport);
	*ret = index ? MANIFEST_INDEX : MANIFEST_IMAGE;
	return 0;
}

static int decode_index(struct arena *arena, const struct json *body, struct image_index *ret, struct error *err)
{
	if (json_decode_value(arena, &image_index_shape, ret, body, "index", err) < 0)
		return -1;
	if (ret->manifests.n > INDEX_ENTRIES_MAX)
		return error_set(err, ERROR_INVALID, "index: has %zu entries, at most %d are accepted", ret->manifests.n,
				 INDEX_ENTRIES_MAX);
	for (size_t i = 0; i < ret->manifests.n; i++)
		if (check_descriptor(arena, &ret->manifests.v[i], "entry", i, BLOB_SIZE_MAX, err) < 0)
			return -1;
	return 0;
}

static int decode_image(struct arena *arena, const struct json *body, struct image_manifest *ret, struct error *err)
{
	if (json_decode_value(arena, &image_manifest_shape, ret, body, "manifest", err) < 0)
		return -1;
	if (ret->config.media_type && !media_type_is_config(ret->config.media_type))
		return unsupported(err, arena_printf(arena, "manifest: an artifact of type %s, no container image",
						     str_printable(arena, ret->config.media_type, 100)));
	if (ret->layers.n > LAYERS_MAX)
		return error_set(err, ERROR_INVALID, "manifest: has %zu layers, at most %d are accepted", ret->layers.n,
				 LAYERS_MAX);
	if (check_descriptor(arena, &ret->config, "configuration", 0, IMAGE_CONFIG_MAX, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->layers.n; i++)
		if (check_descriptor(arena, &ret->layers.v[i], "layer", i, BLOB_SIZE_MAX, err) < 0)
			return -1;
	return 0;
}

int image_manifest_decode(struct arena *arena, const char *text, size_t len, const char *content_type,
			  enum manifest_kind *ret_kind, struct image_manifest *ret_manifest,
			  struct image_index *ret_index, struct error *err)
{
	enum manifest_kind kind = MANIFEST_IMAGE;
	const struct json *body;

	if (len > IMAGE_MANIFEST_MAX)
		return error_set(err, ERROR_INVALID, "manifest: %zu bytes, at most %zu are accepted", len, IMAGE_MANIFEST_MAX);
	body = json_parse(arena, text, len, "manifest", err);
	if (!body || manifest_kind(arena, body, content_type, &kind, err) < 0)
		return -1;
	if ((kind == MANIFEST_INDEX ? decode_index(arena, body, ret_index, err) :
				      decode_image(arena, body, ret_manifest, err)) < 0)
		return -1;
	*ret_kind = kind;
	return 0;
}

/* Other entries cannot be handed to execve as environment in a meaningful way. */
static struct strings only_variables(struct arena *arena, const struct strings *env)
{
	struct strings kept = { 0 };

	for (size_t i = 0; i < env->n; i++) {
		const char *equals = strchr(env->v[i], '=');

		if (equals && equals != env->v[i])
			strings_add(arena, &kept, env->v[i]);
	}
	return kept;
}

static int check_words(const struct image_container_config *c, const char *where, struct error *err)
{
	const struct { const char *name; const struct strings *list; } lists[] = {
		{ "Env", &c->env }, { "Entrypoint", &c->entrypoint }, { "Cmd", &c->cmd }, { "Shell", &c->shell },
		{ "OnBuild", &c->on_build },
	};

	for (size_t i = 0; i < ELEMENTS(lists); i++)
		if (lists[i].list->n > WORDS_MAX)
			return error_set(err, ERROR_INVALID, "%s: .config.%s: has %zu entries, at most %d are accepted", where,
					 lists[i].name, lists[i].list->n, WORDS_MAX);
	if (c->exposed_ports.n > KEYS_MAX || c->volumes.n > KEYS_MAX)
		return error_set(err, ERROR_INVALID, "%s: more than %d ports or volumes", where, KEYS_MAX);
	return 0;
}

int image_config_decode(struct arena *arena, const char *text, size_t len, struct image_config *ret,
			struct error *err)
{
	static const char where[] = "image configuration";
	struct image_config config;

	if (len > IMAGE_CONFIG_MAX)
		return error_set(err, ERROR_INVALID, "%s: %zu bytes, at most %zu are accepted", where, len, IMAGE_CONFIG_MAX);
	if (json_decode(arena, &image_config_shape, &config, text, len, where, err) < 0)
		return -1;
	if (strcmp(config.rootfs.type, "layers") != 0)
		return error_set(err, ERROR_INVALID, "%s: .rootfs.type: expected \"layers\"", where);
	if (config.rootfs.diff_ids.n > LAYERS_MAX)
		return error_set(err, ERROR_INVALID, "%s: .rootfs.diff_ids: more than %d layers", where, LAYERS_MAX);
	for (size_t i = 0; i < config.rootfs.diff_ids.n; i++)
		if (!digest_is_valid(config.rootfs.diff_ids.v[i]))
			return error_set(err, ERROR_INVALID, "%s: .rootfs.diff_ids[%zu]: malformed digest", where, i);
	if (check_words(&config.config, where, err) < 0)
		return -1;
	config.config.env = only_variables(arena, &config.config.env);
	*ret = config;
	return 0;
}
