#include "spec/signature.h"

#include "spec/oci_image.h"

static const char *const types[] = {
	[SIGNATURE_SIMPLE] = "atomic container signature",
	[SIGNATURE_COSIGN] = "cosign container image signature",
};

static int invalid(struct error *err, const char *what)
{
	return error_set(err, ERROR_INVALID, "the signed text is no signature of an image: %s", what);
}

/* An object with exactly these members. */
static int check_members(struct arena *arena, const struct json *object, const char *name, const char *const *members,
			 struct error *err)
{
	size_t n = 0;

	if (!object || object->kind != JSON_OBJECT)
		return invalid(err, arena_printf(arena, "%s is no object", name));
	for (; members[n]; n++)
		if (!json_get(object, members[n]))
			return invalid(err, arena_printf(arena, "%s lacks %s", name, members[n]));
	return object->object.n == n ? 0 : invalid(err, arena_printf(arena, "%s has an unknown member", name));
}

static int check_optional(const struct json *optional, enum signature_kind kind, struct error *err)
{
	const struct json *creator = json_get(optional, "creator"), *timestamp = json_get(optional, "timestamp");

	if (optional->kind != JSON_OBJECT && !(optional->kind == JSON_NULL && kind == SIGNATURE_COSIGN))
		return invalid(err, "optional is no object");
	if (creator && creator->kind != JSON_STRING)
		return invalid(err, "its creator is no string");
	if (timestamp && timestamp->kind != JSON_INT)
		return invalid(err, "its timestamp is no integer");
	return 0;
}

int signature_decode(struct arena *arena, const char *text, size_t len, enum signature_kind kind,
		     struct signature_claim *ret, struct error *err)
{
	static const char *const in_critical[] = { "type", "image", "identity", NULL };
	const struct json *document = json_parse(arena, text, len, "signature", err);
	const struct json *critical = json_get(document, "critical"), *image = json_get(critical, "image");
	const struct json *identity = json_get(critical, "identity");
	const char *digest = json_get_string(image, "docker-manifest-digest");
	const char *reference = json_get_string(identity, "docker-reference");

	if (!document ||
	    check_members(arena, document, "it", (const char *[]){ "critical", "optional", NULL }, err) < 0 ||
	    check_members(arena, critical, "critical", in_critical, err) < 0 ||
	    check_members(arena, image, "image", (const char *[]){ "docker-manifest-digest", NULL }, err) < 0 ||
	    check_members(arena, identity, "identity", (const char *[]){ "docker-reference", NULL }, err) < 0 ||
	    check_optional(json_get(document, "optional"), kind, err) < 0)
		return -1;
	if (!str_eq(json_get_string(critical, "type"), types[kind]))
		return invalid(err, "it is of another type");
	if (!digest || !digest_is_valid(digest))
		return invalid(err, "it names no digest");
	if (str_is_empty(reference))
		return invalid(err, "it names no image");
	ret->digest = arena_strdup(arena, digest);
	ret->reference = arena_strdup(arena, reference);
	return 0;
}

char *signature_encode(struct arena *arena, enum signature_kind kind, const struct signature_claim *claim, int64_t now)
{
	struct json *document = json_new_object(arena), *critical = json_new_object(arena),
		    *image = json_new_object(arena);
	struct json *identity = json_new_object(arena), *optional = json_new_object(arena);

	json_set(arena, image, "docker-manifest-digest", json_new_string(arena, claim->digest));
	json_set(arena, identity, "docker-reference", json_new_string(arena, claim->reference));
	json_set(arena, critical, "identity", identity);
	json_set(arena, critical, "image", image);
	json_set(arena, critical, "type", json_new_string(arena, types[kind]));
	json_set(arena, optional, "creator", json_new_string(arena, "bryo " BRYO_VERSION));
	if (now)
		json_set(arena, optional, "timestamp", json_new_int(arena, now));
	json_set(arena, document, "critical", critical);
	json_set(arena, document, "optional", optional);
	return json_print(arena, document, 0);
}
