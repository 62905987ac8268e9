#include "engine/trust_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "engine/signatures.h"
#include "spec/pgp.h"
#include "sys/fd.h"

#define FILE_MAX ((size_t)4 << 20)
#define WITHOUT_FILE "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}"

/* --- showing */

struct rows {
	struct engine *e;
	struct lookaside places;
	const char *registry;
	struct json *list;
};

/* "Alice <alice@example.org>" is known by her address. */
static char *short_id(struct arena *arena, const char *user_id)
{
	const char *address = strchr(user_id, '<'), *end = address ? strchr(address, '>') : NULL;

	return end ? arena_strndup(arena, address + 1, (size_t)(end - address - 1)) : arena_strdup(arena, user_id);
}

/* Keys that cannot be read are not shown; a pull says what is wrong with them. */
static char *key_owners(struct engine *e, const struct policy_requirement *r)
{
	struct strings owners = { 0 };

	if (r->type == POLICY_SIGSTORE)
		return arena_strdup(e->arena, "N/A");
	for (size_t i = 0; i < r->key_paths.n; i++) {
		size_t size, n;
		char *text = fd_read_file(e->arena, AT_FDCWD, r->key_paths.v[i], FILE_MAX, &size);
		char *keyring = text ? pgp_keyring(e->arena, text, size, &n, NULL) : NULL;
		struct strings ids = keyring ? pgp_user_ids(e->arena, keyring, n) : (struct strings){ 0 };

		for (size_t j = 0; j < ids.n; j++)
			strings_add(e->arena, &owners, short_id(e->arena, ids.v[j]));
	}
	return owners.n ? strings_join(e->arena, &owners, ", ") : NULL;
}

/* The scope itself and those above it, as far as its text alone tells. */
static const char *place_of(struct rows *rows, const char *scope)
{
	struct strings scopes = { 0 };
	char *name = arena_strdup(rows->e->arena, scope), *slash;

	for (; *name; *slash = '\0') {
		strings_add(rows->e->arena, &scopes, name);
		slash = strrchr(name, '/');
		if (!slash)
			break;
	}
	return lookaside_url(&rows->places, &scopes);
}

static void set_text(struct arena *arena, struct json *row, const char *name, const char *value)
{
	if (!str_is_empty(value))
		json_set(arena, row, name, json_new_string(arena, value));
}

static void add_rows(struct rows *rows, const char *transport, const struct policy_scope *scope, const char *shown,
		     const char *repository, const char *place)
{
	static const char *const types[] = { "accept", "reject", "signed", "sigstoreSigned" };
	struct arena *arena = rows->e->arena;

	for (size_t i = 0; i < scope->requirements.n; i++) {
		const struct policy_requirement *r = &scope->requirements.v[i];
		bool is_signed = r->type == POLICY_SIGNED_BY || r->type == POLICY_SIGSTORE;
		struct json *row = json_new_object(arena);

		json_set(arena, row, "transport", json_new_string(arena, transport));
		set_text(arena, row, "name", shown);
		set_text(arena, row, "repo_name", repository);
		set_text(arena, row, "sigstore", place);
		json_set(arena, row, "type", json_new_string(arena, types[r->type]));
		set_text(arena, row, "gpg_id", is_signed ? key_owners(rows->e, r) : NULL);
		json_append(arena, rows->list, row);
	}
}

static bool is_wanted(const struct rows *rows, const char *scope)
{
	const char *rest = rows->registry ? str_after(scope, rows->registry) : "";

	return rest && (!*rest || strchr("/:@", *rest));
}

static int by_scope(const void *a, const void *b)
{
	return strcmp(((const struct policy_scope *)a)->name, ((const struct policy_scope *)b)->name);
}

static int by_transport(const void *a, const void *b)
{
	return strcmp(((const struct policy_transport *)a)->name, ((const struct policy_transport *)b)->name);
}

static void add_transport(struct rows *rows, struct policy_transport *t)
{
	bool docker = strcmp(t->name, "docker") == 0;

	if (t->scopes.n)
		qsort(t->scopes.v, t->scopes.n, sizeof(*t->scopes.v), by_scope);
	for (size_t i = 0; i < t->scopes.n; i++) {
		const char *name = t->scopes.v[i].name;

		if (is_wanted(rows, name))
			add_rows(rows, docker ? "repository" : t->name, &t->scopes.v[i], name, name,
				 docker ? place_of(rows, name) : NULL);
	}
}

static int read_places(struct engine *e, struct lookaside *ret, struct error *err)
{
	struct transfer t;
	int result;

	if (engine_open(e, err) < 0 || transfer_open(e, &t, err) < 0)
		return -1;
	result = signatures_config(e, &t, ret, err);
	transfer_close(&t);
	return result;
}

int trust_rows(struct engine *e, const char *registry, struct json **ret, struct error *err)
{
	struct rows rows = { .e = e, .registry = registry, .list = json_new_list(e->arena) };
	struct policy policy;
	const char *file;

	if (read_places(e, &rows.places, err) < 0 || trust_policy(e, &policy, &file, err) < 0 ||
	    (!file && policy_decode(e->arena, WITHOUT_FILE, strlen(WITHOUT_FILE), "default", &policy, err) < 0))
		return -1;
	if (!registry)
		add_rows(&rows, "all", &policy.fallback, "* (default)", "default", place_of(&rows, ""));
	if (policy.transports.n)
		qsort(policy.transports.v, policy.transports.n, sizeof(*policy.transports.v), by_transport);
	for (size_t i = 0; i < policy.transports.n; i++)
		add_transport(&rows, &policy.transports.v[i]);
	*ret = rows.list;
	return 0;
}

int trust_text(struct engine *e, char **ret, struct error *err)
{
	const char *file = trust_file(e);
	size_t size;

	*ret = file ? fd_read_file(e->arena, AT_FDCWD, file, FILE_MAX, &size) :
		      arena_strdup(e->arena, WITHOUT_FILE "\n");
	return *ret ? 0 : error_errno(err, "read the policy %s", file);
}

/* --- changing */

static const struct { const char *word, *type, *key_type; bool keys; } kinds[] = {
	{ "accept",		"insecureAcceptAnything",	NULL,		false },
	{ "reject",		"reject",			NULL,		false },
	{ "signedBy",		"signedBy",			"GPGKeys",	true },
	{ "sigstoreSigned",	"sigstoreSigned",		NULL,		true },
};

static int kind_of(const struct trust_set_request *r, size_t *ret, struct error *err)
{
	const char *word = str_is_empty(r->type) ? "signedBy" : r->type;

	for (*ret = 0; *ret < ELEMENTS(kinds); ++*ret)
		if (strcmp(kinds[*ret].word, word) == 0)
			break;
	if (*ret == ELEMENTS(kinds))
		return error_set(err, ERROR_USAGE, "unknown type \"%s\": accept, reject, signedBy or sigstoreSigned",
				 word);
	if (kinds[*ret].keys && r->keys.n == 0) {
		error_set(err, ERROR_USAGE, "the type %s needs a public key", word);
		return error_hint(err, "name its file with --pubkeysfile");
	}
	if (!kinds[*ret].keys && r->keys.n)
		return error_set(err, ERROR_USAGE, "the type %s takes no public key", word);
	return 0;
}

/* A key that cannot be used would lock the user out of the registry. */
static int check_key(struct engine *e, const char *path, bool gpg, struct error *err)
{
	size_t size, n;
	char *text = fd_read_file(e->arena, AT_FDCWD, path, FILE_MAX, &size);

	if (!text)
		return error_errno(err, "read the key %s", path);
	if (gpg && !pgp_keyring(e->arena, text, size, &n, err))
		return error_frame(err, "%s", path);
	if (!gpg && !strstr(text, "-----BEGIN PUBLIC KEY-----"))
		return error_set(err, ERROR_INVALID, "%s: it is no public key in PEM", path);
	return 0;
}

static struct json *new_requirement(struct engine *e, size_t kind, const char *path)
{
	struct json *requirement = json_new_object(e->arena);

	json_set(e->arena, requirement, "type", json_new_string(e->arena, kinds[kind].type));
	set_text(e->arena, requirement, "keyType", kinds[kind].key_type);
	set_text(e->arena, requirement, "keyPath", path);
	return requirement;
}

static int new_requirements(struct engine *e, const struct trust_set_request *r, struct json **ret, struct error *err)
{
	size_t kind;

	if (kind_of(r, &kind, err) < 0)
		return -1;
	*ret = json_new_list(e->arena);
	if (!kinds[kind].keys)
		json_append(e->arena, *ret, new_requirement(e, kind, NULL));
	for (size_t i = 0; i < r->keys.n; i++) {
		const char *path = *r->keys.v[i] == '/' ? r->keys.v[i] :
				   arena_printf(e->arena, "%s/%s", e->identity.cwd, r->keys.v[i]);

		if (check_key(e, path, kinds[kind].key_type != NULL, err) < 0)
			return -1;
		json_append(e->arena, *ret, new_requirement(e, kind, path));
	}
	return 0;
}

/* The member of the object that is an object itself, made when it is not there. */
static struct json *member(struct arena *arena, struct json *object, const char *name)
{
	const struct json *found = json_get(object, name);
	struct json *made;

	if (found && found->kind == JSON_OBJECT)
		return (struct json *)(uintptr_t)found;
	made = json_new_object(arena);
	json_set(arena, object, name, made);
	return made;
}

static int write_policy(struct engine *e, const char *path, const struct json *document, struct error *err)
{
	char *text = arena_printf(e->arena, "%s\n", json_print(e->arena, document, 4));
	char *folder = arena_strndup(e->arena, path, (size_t)(strrchr(path, '/') - path));
	struct policy policy;

	if (policy_decode(e->arena, text, strlen(text), path, &policy, err) < 0)
		return -1;
	if (fd_mkdirs(AT_FDCWD, folder, 0755) < 0)
		return error_errno(err, "make %s", folder);
	if (fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, true) < 0)
		return error_errno(err, "write %s", path);
	return 0;
}

int trust_set(struct engine *e, const struct trust_set_request *r, struct error *err)
{
	struct json *document, *requirements;
	struct policy before;
	const char *file;
	char *text;

	if (new_requirements(e, r, &requirements, err) < 0 || trust_policy(e, &before, &file, err) < 0 ||
	    trust_text(e, &text, err) < 0)
		return -1;
	document = json_parse(e->arena, text, strlen(text), file ? file : "policy", err);
	if (!document)
		return -1;
	if (strcmp(r->scope, "default") == 0)
		json_set(e->arena, document, "default", requirements);
	else
		json_set(e->arena, member(e->arena, member(e->arena, document, "transports"), "docker"), r->scope,
			 requirements);
	return write_policy(e, trust_own_file(e), document, err);
}
