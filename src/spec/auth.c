#include "spec/auth.h"

#include <ctype.h>

#include "spec/base64.h"

static int check_objects(const struct json *document, const char *name, enum json_kind kind, const char *where,
			 struct error *err)
{
	const struct json *object = json_get(document, name);

	if (!object || object->kind == JSON_NULL)
		return 0;
	if (object->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s: .%s: expected object, got %s", where, name, json_kind_name(object));
	for (size_t i = 0; i < object->object.n; i++)
		if (object->object.v[i].value->kind != kind)
			return error_set(err, ERROR_INVALID, "%s: .%s: expected each member to be of type %s, got %s", where, name,
					 json_kind_name(&(struct json){ .kind = kind }),
					 json_kind_name(object->object.v[i].value));
	return 0;
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isspace((unsigned char)text[i]))
			return false;
	return true;
}

int auth_decode(struct arena *arena, const char *text, size_t len, const char *where, struct auth_file *ret,
		struct error *err)
{
	struct json *document = is_blank(text, len) ? json_new_object(arena) : json_parse(arena, text, len, where, err);

	if (!document)
		return -1;
	if (document->kind != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "%s: expected object, got %s", where, json_kind_name(document));
	if (check_objects(document, "auths", JSON_OBJECT, where, err) < 0 ||
	    check_objects(document, "credHelpers", JSON_STRING, where, err) < 0)
		return -1;
	ret->document = document;
	return 0;
}

int auth_decode_old(struct arena *arena, const char *text, size_t len, const char *where, struct auth_file *ret,
		    struct error *err)
{
	struct json *entries = json_parse(arena, text, len, where, err), *document = json_new_object(arena);

	if (!entries)
		return -1;
	json_set(arena, document, "auths", entries);
	if (check_objects(document, "auths", JSON_OBJECT, where, err) < 0)
		return -1;
	ret->document = document;
	return 0;
}

/* Keys were written by many programs: "https://index.docker.io/v1/", "docker.io", "quay.io/team". Answers the form
 * that repositories have: no scheme, no API version, docker.io by one name. */
static char *normalize(struct arena *arena, const char *key)
{
	const char *https = str_after(key, "https://"), *http = str_after(key, "http://"), *rest;
	char *plain = arena_strdup(arena, https ? https : http ? http : key);
	size_t n = strlen(plain), host;

	if (https || http)
		plain[n = strcspn(plain, "/")] = '\0';
	while (n && plain[n - 1] == '/')
		plain[--n] = '\0';
	if (str_ends(plain, "/v1") || str_ends(plain, "/v2"))
		plain[n -= 3] = '\0';
	host = strcspn(plain, "/");
	rest = plain + host;
	if ((host == strlen("index.docker.io") && str_starts(plain, "index.docker.io")) ||
	    (host == strlen("registry-1.docker.io") && str_starts(plain, "registry-1.docker.io")))
		return arena_printf(arena, "docker.io%s", rest);
	return plain;
}

/* The member whose normalized key is this one; an exact key goes first. */
static const struct json *find(struct arena *arena, const struct json *object, const char *key)
{
	const struct json *exact = json_get(object, key);

	if (exact || !object || object->kind != JSON_OBJECT)
		return exact;
	for (size_t i = 0; i < object->object.n; i++)
		if (strcmp(normalize(arena, object->object.v[i].name), key) == 0)
			return object->object.v[i].value;
	return NULL;
}

/* Cuts the last part off "registry/a/b"; answers false at the registry itself. */
static bool shorten(char *key)
{
	char *slash = strrchr(key, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* Answers 1 with credentials, 0 when the entry is empty (it then only says that a helper knows), -1 malformed. */
static int decode_entry(struct arena *arena, const struct json *entry, const char *key, struct credentials *ret,
			struct error *err)
{
	const char *auth = json_get_string(entry, "auth"), *token = json_get_string(entry, "identitytoken");
	struct credentials c = { 0 };
	char *colon;

	if (!str_is_empty(auth)) {
		c.username = base64_decode(arena, auth, NULL);
		colon = c.username ? strchr(c.username, ':') : NULL;
		if (!colon)
			return error_set(err, ERROR_INVALID, "the stored credentials for %s are malformed: not base64 of NAME:PASSWORD",
					 str_printable(arena, key, 200));
		*colon = '\0';
		c.password = colon + 1;
	} else if (json_get_string(entry, "username") && json_get_string(entry, "password")) {
		c.username = arena_strdup(arena, json_get_string(entry, "username"));
		c.password = arena_strdup(arena, json_get_string(entry, "password"));
	}
	if (!str_is_empty(token)) {
		c.identity_token = arena_strdup(arena, token);
		c.password = NULL;
	}
	if (!c.username && !c.identity_token)
		return 0;
	*ret = c;
	return 1;
}

int auth_find(struct arena *arena, const struct auth_file *file, const char *repository, struct credentials *ret,
	      char **ret_helper, struct error *err)
{
	const struct json *auths = json_get(file->document, "auths"), *helpers = json_get(file->document, "credHelpers");
	const char *store = json_get_string(file->document, "credsStore");
	char *key = normalize(arena, repository);

	*ret = (struct credentials){ 0 };
	*ret_helper = NULL;
	do {
		const struct json *helper = find(arena, helpers, key), *entry = find(arena, auths, key);
		int r;

		if (helper && *helper->string) {
			*ret_helper = arena_strdup(arena, helper->string);
			return 1;
		}
		r = entry ? decode_entry(arena, entry, key, ret, err) : 0;
		if (r != 0)
			return r;
	} while (shorten(key));
	if (str_is_empty(store))
		return 0;
	*ret_helper = arena_strdup(arena, store);
	return 1;
}

bool auth_remove(struct arena *arena, struct auth_file *file, const char *registry)
{
	struct json *auths = (struct json *)json_get(file->document, "auths");
	const char *key = normalize(arena, registry);
	bool removed = false;

	if (!auths || auths->kind != JSON_OBJECT)
		return false;
	for (size_t i = auths->object.n; i-- > 0;)
		if (strcmp(normalize(arena, auths->object.v[i].name), key) == 0)
			removed = json_unset(auths, auths->object.v[i].name);
	return removed;
}

void auth_set(struct arena *arena, struct auth_file *file, const char *registry, const struct credentials *c)
{
	struct json *auths, *entry = json_new_object(arena);
	const char *pair;

	if (!file->document)
		file->document = json_new_object(arena);
	auth_remove(arena, file, registry);
	auths = (struct json *)json_get(file->document, "auths");
	if (!auths || auths->kind != JSON_OBJECT) {
		auths = json_new_object(arena);
		json_set(arena, file->document, "auths", auths);
	}
	pair = arena_printf(arena, "%s:%s", c->username ? c->username : "", c->password ? c->password : "");
	json_set(arena, entry, "auth", json_new_string(arena, base64_encode(arena, pair, strlen(pair))));
	if (c->identity_token)
		json_set(arena, entry, "identitytoken", json_new_string(arena, c->identity_token));
	json_set(arena, auths, normalize(arena, registry), entry);
}

char *auth_print(struct arena *arena, const struct auth_file *file)
{
	return arena_printf(arena, "%s\n", json_print(arena, file->document, 4));
}
