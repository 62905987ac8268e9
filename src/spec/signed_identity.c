#include "spec/signed_identity.h"

#define F JSON_FIELD

struct identity_text {
	char *type, *reference, *repository, *prefix, *signed_prefix;
	struct json *unknown;
};

JSON_SHAPE(identity_text,
	F(identity_text, type, "type", T_STRING, .required = true),
	F(identity_text, reference, "dockerReference", T_STRING),
	F(identity_text, repository, "dockerRepository", T_STRING),
	F(identity_text, prefix, "prefix", T_STRING),
	F(identity_text, signed_prefix, "signedPrefix", T_STRING),
	F(identity_text, unknown, "", T_REST));

/* The members that each type must have; it has no others. */
static const struct kind {
	const char *name;
	enum signed_identity_match match;
	bool reference, repository, prefixes;
} kinds[] = {
	{ "matchExact",			IDENTITY_EXACT,				false,	false,	false },
	{ "matchRepoDigestOrExact",	IDENTITY_REPO_DIGEST_OR_EXACT,		false,	false,	false },
	{ "matchRepository",		IDENTITY_REPOSITORY,			false,	false,	false },
	{ "exactReference",		IDENTITY_EXACT_REFERENCE,		true,	false,	false },
	{ "exactRepository",		IDENTITY_EXACT_REPOSITORY,		false,	true,	false },
	{ "remapIdentity",		IDENTITY_REMAP,				false,	false,	true },
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static int check_members(const struct kind *kind, const struct identity_text *text, const char *where,
			 struct error *err)
{
	const char *unknown = text->unknown && text->unknown->object.n ? text->unknown->object.v[0].name : NULL;

	if (!unknown && ((text->reference && !kind->reference) || (text->repository && !kind->repository) ||
			 ((text->prefix || text->signed_prefix) && !kind->prefixes)))
		unknown = "of another type";
	if (unknown)
		return error_set(err, ERROR_INVALID, "%s: %s has an unknown member: %.200s", where, kind->name,
				 unknown);
	if ((kind->reference && !text->reference) || (kind->repository && !text->repository) ||
	    (kind->prefixes && (!text->prefix || !text->signed_prefix)))
		return error_set(err, ERROR_INVALID, "%s: %s lacks a member", where, kind->name);
	return 0;
}

/* A full name of the form that the type needs: with tag or digest, or without both. */
static int take_reference(struct arena *arena, const char *text, bool repository, const char *where,
			  struct reference *ret, struct error *err)
{
	if (reference_parse(arena, text, ret, err) < 0)
		return error_frame(err, "%s", where);
	if (!ret->registry || repository == (ret->tag || ret->digest))
		return error_set(err, ERROR_INVALID, "%s: \"%.200s\" is not a full name %s tag or digest", where, text,
				 repository ? "without" : "with");
	return 0;
}

/* host[:port][/path], without tag and digest. */
static int check_prefix(struct arena *arena, const char *prefix, const char *where, struct error *err)
{
	const char *probe = strchr(prefix, '/') ? prefix : arena_printf(arena, "%s/x", prefix);
	struct reference r;

	if (reference_parse(arena, probe, &r, NULL) < 0 || !r.registry || r.tag || r.digest)
		return error_set(err, ERROR_INVALID, "%s: \"%.200s\" is no registry, namespace or repository", where,
				 prefix);
	return 0;
}

int signed_identity_decode(struct arena *arena, const struct json *value, const char *where,
			   struct signed_identity *ret, struct error *err)
{
	struct identity_text text;
	const struct kind *kind;

	*ret = (struct signed_identity){ .match = IDENTITY_REPO_DIGEST_OR_EXACT };
	if (!value)
		return 0;
	if (json_decode_value(arena, &identity_text_shape, &text, value, where, err) < 0)
		return -1;
	kind = kind_of(text.type);
	if (!kind)
		return error_set(err, ERROR_INVALID, "%s: unknown type of signedIdentity \"%.200s\"", where, text.type);
	if (check_members(kind, &text, where, err) < 0)
		return -1;
	ret->match = kind->match;
	ret->prefix = text.prefix;
	ret->signed_prefix = text.signed_prefix;
	if (kind->reference || kind->repository)
		return take_reference(arena, kind->reference ? text.reference : text.repository, kind->repository,
				      where, &ret->reference, err);
	if (kind->prefixes && (check_prefix(arena, text.prefix, where, err) < 0 ||
			       check_prefix(arena, text.signed_prefix, where, err) < 0))
		return -1;
	return 0;
}

/* --- comparing */

static bool same_repository(const struct reference *a, const struct reference *b)
{
	return str_eq(a->registry, b->registry) && str_eq(a->path, b->path);
}

/* A digest in the image's name is what is fetched; a tag beside it says nothing. */
static bool is_exact(const struct reference *claimed, const struct reference *image)
{
	const char *tag = image->digest ? NULL : image->tag ? image->tag : "latest";

	return same_repository(claimed, image) && str_eq(claimed->digest, image->digest) && str_eq(claimed->tag, tag) &&
	       (claimed->tag || claimed->digest);
}

static bool is_repo_digest_or_exact(const struct reference *claimed, const struct reference *image)
{
	if (image->digest)
		return same_repository(claimed, image) && (claimed->tag || claimed->digest);
	return is_exact(claimed, image);
}

/* The image's name with the prefix replaced; where it has another one, the name stays. */
static int remap(struct arena *arena, const struct signed_identity *identity, const struct reference *image,
		 struct reference *ret, struct error *err)
{
	const char *name = reference_repository(arena, image), *rest = str_after(name, identity->prefix);

	*ret = *image;
	if (!rest || (*rest && *rest != '/'))
		return 0;
	if (reference_parse(arena, arena_printf(arena, "%s%s", identity->signed_prefix, rest), ret, err) < 0)
		return error_frame(err, "remapIdentity");
	ret->tag = image->tag;
	ret->digest = image->digest;
	return 0;
}

static int fits(struct arena *arena, const struct signed_identity *identity, const struct reference *image,
		const struct reference *claimed, struct error *err)
{
	struct reference other;

	switch (identity->match) {
	case IDENTITY_EXACT_REFERENCE:
		return is_exact(claimed, &identity->reference);
	case IDENTITY_EXACT_REPOSITORY:
		return same_repository(claimed, &identity->reference);
	case IDENTITY_EXACT:
		return image && is_exact(claimed, image);
	case IDENTITY_REPOSITORY:
		return image && same_repository(claimed, image);
	case IDENTITY_REPO_DIGEST_OR_EXACT:
		return image && is_repo_digest_or_exact(claimed, image);
	case IDENTITY_REMAP:
		if (image && remap(arena, identity, image, &other, err) < 0)
			return -1;
		return image && is_repo_digest_or_exact(claimed, &other);
	}
	return 0;
}

int signed_identity_check(struct arena *arena, const struct signed_identity *identity, const struct reference *image,
			  const char *claimed, struct error *err)
{
	const char *shown = str_printable(arena, claimed, 300);
	struct reference r;
	int fit;

	if (reference_parse(arena, claimed, &r, NULL) < 0)
		return error_set(err, ERROR_DENIED, "the signature is for \"%s\", which is no image name", shown);
	if (!r.registry) {		/* "busybox:1" is Docker's short form */
		if (reference_parse(arena, arena_printf(arena, "docker.io/%s", claimed), &r, NULL) < 0)
			return error_set(err, ERROR_DENIED, "the signature is for \"%s\", which is no image name",
					 shown);
	}
	fit = fits(arena, identity, image, &r, err);
	if (fit > 0)
		return 0;
	return fit < 0 ? -1 : error_set(err, ERROR_DENIED, "the signature is for another image: %s", shown);
}
