#include "spec/policy.h"

#define F JSON_FIELD

struct requirement_text {
	char *type, *key_type, *key_path, *key_data;
	struct strings key_paths, key_datas;
	struct json *identity;
};

JSON_SHAPE(requirement_text,
	F(requirement_text, type, "type", T_STRING, .required = true),
	F(requirement_text, key_type, "keyType", T_STRING),
	F(requirement_text, key_path, "keyPath", T_STRING),
	F(requirement_text, key_paths, "keyPaths", T_STRINGS),
	F(requirement_text, key_data, "keyData", T_STRING),
	F(requirement_text, key_datas, "keyDatas", T_STRINGS),
	F(requirement_text, identity, "signedIdentity", T_ANY));

/* The members that a type may have, and those that are known from elsewhere and not honoured. */
static const char *const nothing[] = { NULL };
static const char *const plain_members[] = { "type", NULL };
static const char *const gpg_members[] = { "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity", NULL };
static const char *const sigstore_members[] = { "type", "keyPath", "keyPaths", "keyData", "keyDatas", "signedIdentity",
						NULL };
static const char *const sigstore_unsupported[] = { "fulcio", "pki", "rekorPublicKeyPath", "rekorPublicKeyPaths",
						    "rekorPublicKeyData", "rekorPublicKeyDatas", NULL };

static const struct kind { const char *name, *const *members, *const *unsupported; } kinds[] = {
	[POLICY_ACCEPT]		= { "insecureAcceptAnything", plain_members, nothing },
	[POLICY_REJECT]		= { "reject", plain_members, nothing },
	[POLICY_SIGNED_BY]	= { "signedBy", gpg_members, nothing },
	[POLICY_SIGSTORE]	= { "sigstoreSigned", sigstore_members, sigstore_unsupported },
};

const char *policy_type_name(enum policy_type type)
{
	return kinds[type].name;
}

static int type_of(const char *name)
{
	for (size_t i = 0; i < ELEMENTS(kinds); i++)
		if (str_eq(kinds[i].name, name))
			return (int)i;
	return -1;
}

static const char *among(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return *names;
	return NULL;
}

static int check_members(const struct kind *kind, const struct json *value, const char *where,
			 struct policy_requirement *ret, struct error *err)
{
	for (size_t i = 0; i < value->object.n; i++) {
		const char *name = value->object.v[i].name, *unsupported = among(kind->unsupported, name);

		if (unsupported)
			ret->unsupported = unsupported;
		else if (!among(kind->members, name))
			return error_set(err, ERROR_INVALID, "%s: %s has no member \"%.200s\"", where, kind->name,
					 name);
	}
	return 0;
}

/* Exactly one of the ways to give keys. */
static int take_keys(struct arena *arena, const struct requirement_text *text, const char *where,
		     struct policy_requirement *ret, struct error *err)
{
	int ways = !!text->key_path + !!text->key_paths.n + !!text->key_data + !!text->key_datas.n;

	if (ways != 1 && !(ways == 0 && ret->unsupported))
		return error_set(err, ERROR_INVALID, "%s: %s needs exactly one of keyPath, keyPaths and keyData", where,
				 kinds[ret->type].name);
	ret->key_paths = text->key_paths;
	ret->key_data = text->key_datas;
	if (text->key_path)
		strings_add(arena, &ret->key_paths, text->key_path);
	if (text->key_data)
		strings_add(arena, &ret->key_data, text->key_data);
	for (size_t i = 0; i < ret->key_paths.n; i++)
		if (*ret->key_paths.v[i] != '/')
			return error_set(err, ERROR_INVALID, "%s: the key's path \"%.200s\" is not absolute", where,
					 ret->key_paths.v[i]);
	return 0;
}

static int decode_requirement(struct arena *arena, const struct json *value, const char *where,
			      struct policy_requirement *ret, struct error *err)
{
	struct requirement_text text;
	int type;

	if (json_decode_value(arena, &requirement_text_shape, &text, value, where, err) < 0)
		return -1;
	type = type_of(text.type);
	if (type < 0)
		return error_set(err, ERROR_INVALID, "%s: unknown type of requirement \"%.200s\"", where, text.type);
	ret->type = (enum policy_type)type;
	if (check_members(&kinds[type], value, where, ret, err) < 0)
		return -1;
	if (ret->type != POLICY_SIGNED_BY && ret->type != POLICY_SIGSTORE)
		return 0;
	if (ret->type == POLICY_SIGNED_BY && !str_eq(text.key_type, "GPGKeys"))
		return error_set(err, ERROR_INVALID, "%s: keyType of signedBy must be \"GPGKeys\"", where);
	if (take_keys(arena, &text, where, ret, err) < 0)
		return -1;
	return signed_identity_decode(arena, text.identity, arena_printf(arena, "%s.signedIdentity", where),
				      &ret->identity, err);
}

static int decode_scope(struct arena *arena, const char *name, const struct json *value, const char *where,
			struct policy_scope *ret, struct error *err)
{
	ret->name = arena_strdup(arena, name);
	if (value->kind != JSON_LIST)
		return error_set(err, ERROR_INVALID, "%s: expected list, got %s", where, json_kind_name(value));
	if (value->list.n == 0) {
		error_set(err, ERROR_INVALID, "%s: the list of requirements is empty", where);
		return error_hint(err, "to accept every image, write [{\"type\": \"insecureAcceptAnything\"}]");
	}
	for (size_t i = 0; i < value->list.n; i++)
		if (decode_requirement(arena, value->list.v[i], arena_printf(arena, "%s[%zu]", where, i),
				       ARRAY_ADD(arena, &ret->requirements), err) < 0)
			return -1;
	return 0;
}

static int decode_transport(struct arena *arena, const struct json_member *member, const char *where,
			    struct policy_transport *ret, struct error *err)
{
	const struct json *scopes = member->value;
	const char *here = arena_printf(arena, "%s.transports.%s", where, str_printable(arena, member->name, 100));

	ret->name = arena_strdup(arena, member->name);
	if (scopes->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s: expected object, got %s", here, json_kind_name(scopes));
	for (size_t i = 0; i < scopes->object.n; i++) {
		const struct json_member *scope = &scopes->object.v[i];
		const char *inside = arena_printf(arena, "%s[\"%s\"]", here, str_printable(arena, scope->name, 256));

		if (decode_scope(arena, scope->name, scope->value, inside, ARRAY_ADD(arena, &ret->scopes), err) < 0)
			return -1;
	}
	return 0;
}

static int decode_transports(struct arena *arena, const struct json *transports, const char *where,
			     struct policy *ret, struct error *err)
{
	if (transports->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s: .transports: expected object, got %s", where,
				 json_kind_name(transports));
	for (size_t i = 0; i < transports->object.n; i++)
		if (decode_transport(arena, &transports->object.v[i], arena_printf(arena, "%s: ", where),
				     ARRAY_ADD(arena, &ret->transports), err) < 0)
			return -1;
	return 0;
}

int policy_decode(struct arena *arena, const char *text, size_t len, const char *where, struct policy *ret,
		  struct error *err)
{
	const struct json *document = json_parse(arena, text, len, where, err), *transports;
	const struct json *fallback = json_get(document, "default");

	*ret = (struct policy){ 0 };
	if (!document)
		return -1;
	if (document->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s: expected object, got %s", where, json_kind_name(document));
	for (size_t i = 0; i < document->object.n; i++)
		if (!str_eq(document->object.v[i].name, "default") && !str_eq(document->object.v[i].name, "transports"))
			return error_set(err, ERROR_INVALID, "%s: unknown member \"%.200s\"", where,
					 document->object.v[i].name);
	if (!fallback)
		return error_set(err, ERROR_INVALID, "%s: .default: missing", where);
	if (decode_scope(arena, "", fallback, arena_printf(arena, "%s: .default", where), &ret->fallback, err) < 0)
		return -1;
	transports = json_get(document, "transports");
	return transports ? decode_transports(arena, transports, where, ret, err) : 0;
}

static const struct policy_scope *scope_named(const struct policy_transport *t, const char *name)
{
	for (size_t i = 0; i < t->scopes.n; i++)
		if (strcmp(t->scopes.v[i].name, name) == 0)
			return &t->scopes.v[i];
	return NULL;
}

const struct policy_scope *policy_find(const struct policy *policy, const char *transport,
				       const struct strings *scopes)
{
	const struct policy_scope *found = NULL;

	for (size_t i = 0; i < policy->transports.n && !found; i++) {
		const struct policy_transport *t = &policy->transports.v[i];

		if (strcmp(t->name, transport) != 0)
			continue;
		for (size_t j = 0; j < scopes->n && !found; j++)
			found = *scopes->v[j] ? scope_named(t, scopes->v[j]) : NULL;
		if (!found)
			found = scope_named(t, "");
	}
	return found ? found : &policy->fallback;
}
