#include "spec/transfer.h"

#define F JSON_FIELD

JSON_SHAPE(transfer_source,
	F(transfer_source, host, "host", T_STRING, .required = true),
	F(transfer_source, path, "path", T_STRING),
	F(transfer_source, insecure, "insecure", T_BOOL),
	F(transfer_source, username, "username", T_STRING),
	F(transfer_source, password, "password", T_STRING),
	F(transfer_source, identity_token, "identityToken", T_STRING),
	F(transfer_source, certs_dir, "certsDir", T_STRING));

JSON_SHAPE(transfer_layer,
	F(transfer_layer, digest, "digest", T_STRING, .required = true),
	F(transfer_layer, media_type, "mediaType", T_STRING),
	F(transfer_layer, size, "size", T_INT),
	F(transfer_layer, diff_id, "diffId", T_STRING),
	F(transfer_layer, toc_position, "tocPosition", T_STRING),
	F(transfer_layer, toc_digest, "tocDigest", T_STRING),
	F(transfer_layer, split_position, "splitPosition", T_STRING),
	F(transfer_layer, stage, "stage", T_STRING),
	F(transfer_layer, chain_id, "chainId", T_STRING),
	F(transfer_layer, recipe, "recipe", T_BOOL));

JSON_SHAPE(transfer_mount,
	F(transfer_mount, digest, "digest", T_STRING, .required = true),
	F(transfer_mount, repository, "repository", T_STRING, .required = true));

JSON_SHAPE(transfer_request,
	F(transfer_request, op, "op", T_STRING, .required = true),
	F(transfer_request, source, "source", T_OBJECT, .shape = &transfer_source_shape),
	F(transfer_request, reference, "reference", T_STRING),
	F(transfer_request, place, "place", T_OPT_INT),
	F(transfer_request, platform, "platform", T_STRING),
	F(transfer_request, layers, "layers", T_OBJECTS, .shape = &transfer_layer_shape),
	F(transfer_request, uid_ranges, "uidRanges", T_INTS),
	F(transfer_request, gid_ranges, "gidRanges", T_INTS),
	F(transfer_request, user, "user", T_STRING),
	F(transfer_request, free_id, "freeId", T_INT),
	F(transfer_request, squash_owner, "squashOwner", T_BOOL),
	F(transfer_request, objects, "objects", T_BOOL),
	F(transfer_request, names, "names", T_STRINGS),
	F(transfer_request, root, "root", T_STRING),
	F(transfer_request, rename_to, "renameTo", T_STRING),
	F(transfer_request, contents_only, "contentsOnly", T_BOOL),
	F(transfer_request, overwrite, "overwrite", T_BOOL),
	F(transfer_request, limit, "limit", T_INT),
	F(transfer_request, uid_map, "uidMap", T_INTS),
	F(transfer_request, gid_map, "gidMap", T_INTS),
	F(transfer_request, retries, "retries", T_INT),
	F(transfer_request, retry_delay_ms, "retryDelayMs", T_INT),
	F(transfer_request, manifest, "manifest", T_STRING),
	F(transfer_request, document, "document", T_STRING),
	F(transfer_request, media_type, "mediaType", T_STRING),
	F(transfer_request, format, "format", T_STRING),
	F(transfer_request, compression, "compression", T_STRING),
	F(transfer_request, recompress, "recompress", T_BOOL),
	F(transfer_request, remake, "remake", T_BOOL),
	F(transfer_request, level, "level", T_OPT_INT),
	F(transfer_request, mounts, "mounts", T_OBJECTS, .shape = &transfer_mount_shape),
	F(transfer_request, digests, "digests", T_STRINGS),
	F(transfer_request, changes, "changes", T_MAP),
	F(transfer_request, message, "message", T_STRING),
	F(transfer_request, images, "images", T_OBJECTS, .shape = &transfer_image_shape),
	F(transfer_request, keys, "keys", T_STRINGS));

JSON_SHAPE(transfer_image,
	F(transfer_image, id, "id", T_STRING, .required = true),
	F(transfer_image, manifest_digest, "manifestDigest", T_STRING),
	F(transfer_image, manifest_media_type, "manifestMediaType", T_STRING),
	F(transfer_image, config_digest, "configDigest", T_STRING),
	F(transfer_image, index_digest, "indexDigest", T_STRING),
	F(transfer_image, names, "names", T_STRINGS),
	F(transfer_image, layers, "layers", T_OBJECTS, .shape = &image_descriptor_shape),
	F(transfer_image, diff_ids, "diffIds", T_STRINGS),
	F(transfer_image, chain_ids, "chainIds", T_STRINGS));

JSON_SHAPE(transfer_unpacked,
	F(transfer_unpacked, diff_id, "diffId", T_STRING),
	F(transfer_unpacked, size, "size", T_INT),
	F(transfer_unpacked, max_uid, "maxUid", T_INT),
	F(transfer_unpacked, max_gid, "maxGid", T_INT),
	F(transfer_unpacked, recipe, "recipe", T_BOOL));

JSON_SHAPE(transfer_signature,
	F(transfer_signature, blob, "blob", T_STRING),
	F(transfer_signature, payload, "payload", T_STRING),
	F(transfer_signature, keys, "keys", T_INTS));
JSON_SHAPE(transfer_damage,
	F(transfer_damage, name, "name", T_STRING, .required = true),
	F(transfer_damage, text, "text", T_STRING),
	F(transfer_damage, unread, "unread", T_BOOL));

JSON_SHAPE(transfer_repository,
	F(transfer_repository, name, "name", T_STRING, .required = true),
	F(transfer_repository, description, "description", T_STRING),
	F(transfer_repository, stars, "stars", T_INT),
	F(transfer_repository, official, "official", T_BOOL),
	F(transfer_repository, automated, "automated", T_BOOL));

JSON_SHAPE(transfer_event,
	F(transfer_event, event, "event", T_STRING, .required = true),
	F(transfer_event, id, "id", T_STRING),
	F(transfer_event, status, "status", T_STRING),
	F(transfer_event, current, "current", T_INT),
	F(transfer_event, total, "total", T_INT),
	F(transfer_event, images, "images", T_OBJECTS, .shape = &transfer_image_shape),
	F(transfer_event, unpacked, "unpacked", T_OBJECTS, .shape = &transfer_unpacked_shape),
	F(transfer_event, signatures, "signatures", T_OBJECTS, .shape = &transfer_signature_shape),
	F(transfer_event, value, "value", T_ANY),
	F(transfer_event, tags, "tags", T_STRINGS),
	F(transfer_event, found, "found", T_OBJECTS, .shape = &transfer_repository_shape),
	F(transfer_event, manifests, "manifests", T_OBJECTS, .shape = &image_descriptor_shape),
	F(transfer_event, missing, "missing", T_OBJECTS, .shape = &image_descriptor_shape),
	F(transfer_event, document, "document", T_STRING),
	F(transfer_event, damaged, "damaged", T_OBJECTS, .shape = &transfer_damage_shape),
	F(transfer_event, checked, "checked", T_INT),
	F(transfer_event, kind, "kind", T_INT),
	F(transfer_event, errno_, "errno", T_INT),
	F(transfer_event, text, "text", T_STRING),
	F(transfer_event, hint, "hint", T_STRING), F(transfer_event, code, "code", T_STRING));

bool transfer_may_pass(const struct error *err)
{
	return error_is(err, ERROR_NETWORK) || error_is(err, ERROR_UNAUTHORIZED) || error_is(err, ERROR_INTERRUPTED);
}
