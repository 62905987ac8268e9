#include "spec/registries.h"

#define F JSON_FIELD

JSON_SHAPE(registry_endpoint,
	F(registry_endpoint, location, "location", T_STRING, .required = true),
	F(registry_endpoint, insecure, "insecure", T_BOOL),
	F(registry_endpoint, pull_from_mirror, "pull-from-mirror", T_STRING),
	F(registry_endpoint, digest_only, "mirror-by-digest-only", T_BOOL));

struct registry_table {
	char *prefix, *location;
	bool insecure, blocked, digest_only;
	ARRAY(struct registry_endpoint) mirrors;
};

JSON_SHAPE(registry_table,
	F(registry_table, prefix, "prefix", T_STRING),
	F(registry_table, location, "location", T_STRING),
	F(registry_table, insecure, "insecure", T_BOOL),
	F(registry_table, blocked, "blocked", T_BOOL),
	F(registry_table, digest_only, "mirror-by-digest-only", T_BOOL),
	F(registry_table, mirrors, "mirror", T_OBJECTS, .shape = &registry_endpoint_shape));

struct registry_names { struct strings registries; };

JSON_SHAPE(registry_names,
	F(registry_names, registries, "registries", T_STRINGS));

struct version_1 { struct registry_names search, insecure, block; };

JSON_SHAPE(version_1,
	F(version_1, search, "search", T_EMBED, .shape = &registry_names_shape),
	F(version_1, insecure, "insecure", T_EMBED, .shape = &registry_names_shape),
	F(version_1, block, "block", T_EMBED, .shape = &registry_names_shape));

struct registries_file {
	struct strings unqualified_search, credential_helpers;
	char *short_name_mode;
	ARRAY(struct registry_table) tables;
	struct string_map aliases;
	struct version_1 *version_1;	/* [registries.search] and its like */
};

JSON_SHAPE(registries_file,
	F(registries_file, unqualified_search, "unqualified-search-registries", T_STRINGS),
	F(registries_file, credential_helpers, "credential-helpers", T_STRINGS),
	F(registries_file, short_name_mode, "short-name-mode", T_STRING),
	F(registries_file, tables, "registry", T_OBJECTS, .shape = &registry_table_shape),
	F(registries_file, aliases, "aliases", T_MAP),
	F(registries_file, version_1, "registries", T_OBJECT, .shape = &version_1_shape));

static int invalid(struct error *err, const char *where, const char *what, const char *value)
{
	return error_set(err, ERROR_INVALID, "%s: %s \"%.256s\"", where, what, value);
}

/* A location is "host[:port][/path]": no scheme, no slash at the end. */
static int check_location(struct arena *arena, char **location, const char *where, struct error *err)
{
	size_t n;

	if (!*location)
		return 0;
	if (strstr(*location, "://"))
		return invalid(err, where, "a location has no scheme:", *location);
	n = strlen(*location);
	while (n && (*location)[n - 1] == '/')
		n--;
	*location = arena_strndup(arena, *location, n);
	return 0;
}

static int check_mode(const char *mode, const char *const *modes, const char *where, const char *what, struct error *err)
{
	for (; mode && *modes; modes++)
		if (strcmp(mode, *modes) == 0)
			return 0;
	return mode ? invalid(err, where, what, mode) : 0;
}

/* A wildcard stands for whole labels in front of a host, and for nothing else. */
static int check_prefix(struct arena *arena, char **prefix, const char *where, struct error *err)
{
	const char *domain;

	if (check_location(arena, prefix, where, err) < 0)
		return -1;
	if (!*prefix || !strchr(*prefix, '*'))
		return 0;
	domain = str_after(*prefix, "*.");
	if (!domain || !*domain || strpbrk(domain, "*/:@"))
		return invalid(err, where, "a wildcard is *.HOST, without port and path, and not", *prefix);
	return 0;
}

static int check_mirrors(struct arena *arena, struct registry_entry *entry, bool digest_only, const char *where,
			 struct error *err)
{
	static const char *const modes[] = { "", "all", "digest-only", "tag-only", NULL };

	for (size_t i = 0; i < entry->mirrors.n; i++) {
		struct registry_endpoint *mirror = &entry->mirrors.v[i];

		if (check_location(arena, &mirror->location, where, err) < 0 ||
		    check_mode(mirror->pull_from_mirror, modes, where, "unknown pull-from-mirror", err) < 0)
			return -1;
		if (digest_only && !str_is_empty(mirror->pull_from_mirror))
			return invalid(err, where, "mirror-by-digest-only and pull-from-mirror exclude each other: mirror",
				       mirror->location);
		mirror->digest_only = mirror->digest_only || digest_only || str_eq(mirror->pull_from_mirror, "digest-only");
	}
	return 0;
}

static struct registry_entry *slot_for(struct arena *arena, struct registries *r, const char *prefix)
{
	for (size_t i = 0; i < r->entries.n; i++)
		if (strcmp(r->entries.v[i].prefix, prefix) == 0)
			return &r->entries.v[i];
	return ARRAY_ADD(arena, &r->entries);
}

static int add_entry(struct arena *arena, struct registries *r, const struct registry_table *table, const char *where,
		     struct error *err)
{
	struct registry_entry entry = { table->prefix, table->location, table->insecure, table->blocked, { 0 } };

	memcpy(&entry.mirrors, &table->mirrors, sizeof(entry.mirrors));
	if (check_location(arena, &entry.location, where, err) < 0 || check_prefix(arena, &entry.prefix, where, err) < 0 ||
	    check_mirrors(arena, &entry, table->digest_only, where, err) < 0)
		return -1;
	if (str_is_empty(entry.prefix))
		entry.prefix = entry.location;
	if (str_is_empty(entry.prefix))
		return error_set(err, ERROR_INVALID, "%s: a [[registry]] has neither prefix nor location", where);
	if (str_is_empty(entry.location) && !str_starts(entry.prefix, "*."))
		entry.location = entry.prefix;
	*slot_for(arena, r, entry.prefix) = entry;
	return 0;
}

/* "name" = "registry/path": a short name, and a full one without tag and digest. */
static int check_alias(struct arena *arena, const struct pair *alias, const char *where, struct error *err)
{
	struct reference name, value;

	if (reference_parse(arena, alias->key, &name, err) < 0)
		return error_frame(err, "%s: alias", where);
	if (name.registry || name.tag || name.digest)
		return invalid(err, where, "an alias is a short name, without registry, tag and digest, and not", alias->key);
	if (!*alias->value)
		return 0;
	if (reference_parse(arena, alias->value, &value, err) < 0)
		return error_frame(err, "%s: alias %s", where, alias->key);
	if (!value.registry || value.tag || value.digest)
		return invalid(err, where, "an alias stands for a full name without tag and digest, and not", alias->value);
	return 0;
}

static int add_aliases(struct arena *arena, struct registries *r, const struct string_map *aliases, const char *where,
		       struct error *err)
{
	for (size_t i = 0; i < aliases->n; i++) {
		if (check_alias(arena, &aliases->v[i], where, err) < 0)
			return -1;
		if (*aliases->v[i].value)
			map_set(arena, &r->aliases, aliases->v[i].key, aliases->v[i].value);
		else
			map_unset(&r->aliases, aliases->v[i].key);
	}
	return 0;
}

static int add_version_1(struct arena *arena, struct registries *r, const struct registries_file *file,
			 const char *where, struct error *err)
{
	const struct version_1 *v = file->version_1;

	if (r->files || file->tables.n || file->unqualified_search.n) {
		error_set(err, ERROR_INVALID, "%s: version 1 of the format ([registries.search] ...) cannot be mixed with version 2",
			  where);
		return error_hint(err, "write: unqualified-search-registries = [\"docker.io\"], and a [[registry]] with a location and "
				  "insecure = true or blocked = true for each of the others");
	}
	r->unqualified_search = v->search.registries;
	for (size_t i = 0; i < v->insecure.registries.n; i++)
		if (add_entry(arena, r, &(struct registry_table){ .location = v->insecure.registries.v[i], .insecure = true },
			      where, err) < 0)
			return -1;
	for (size_t i = 0; i < v->block.registries.n; i++)
		if (add_entry(arena, r, &(struct registry_table){ .location = v->block.registries.v[i], .blocked = true },
			      where, err) < 0)
			return -1;
	return 0;
}

static int add_version_2(struct arena *arena, struct registries *r, const struct registries_file *file,
			 const struct json *document, const char *where, struct error *err)
{
	for (size_t i = 0; i < file->tables.n; i++)
		if (add_entry(arena, r, &file->tables.v[i], where, err) < 0)
			return -1;
	if (json_get(document, "unqualified-search-registries"))
		r->unqualified_search = file->unqualified_search;
	if (json_get(document, "credential-helpers"))
		r->credential_helpers = file->credential_helpers;
	if (!str_is_empty(file->short_name_mode))
		r->short_name_mode = file->short_name_mode;
	return add_aliases(arena, r, &file->aliases, where, err);
}

int registries_add(struct arena *arena, struct registries *r, const char *text, size_t len, const char *where,
		   struct error *err)
{
	static const char *const modes[] = { "", "enforcing", "permissive", "disabled", NULL };
	const struct json *document = toml_parse(arena, text, len, where, err);
	struct registries_file file;

	if (!document || json_decode_value(arena, &registries_file_shape, &file, document, where, err) < 0 ||
	    check_mode(file.short_name_mode, modes, where, "unknown short-name-mode", err) < 0)
		return -1;
	if (file.version_1 && add_version_1(arena, r, &file, where, err) < 0)
		return -1;
	if (!file.version_1 && add_version_2(arena, r, &file, document, where, err) < 0)
		return -1;
	r->files++;
	return 0;
}

/* How many bytes of "registry/path:tag" the prefix covers: it must end where a part ends. 0: it does not match. */
static size_t prefix_length(const char *prefix, const char *name)
{
	size_t n = strlen(prefix), host = strcspn(name, ":/");

	if (str_starts(prefix, "*."))		/* any host below the domain */
		return host > n - 1 && strncmp(name + host - (n - 1), prefix + 1, n - 1) == 0 ? host : 0;
	if (strncmp(prefix, name, n) != 0 || (name[n] && !strchr("/:@", name[n])))
		return 0;
	return n;
}

static const struct registry_entry *entry_of(const struct registries *r, const char *name)
{
	const struct registry_entry *best = NULL;

	for (size_t i = 0; i < r->entries.n; i++) {
		const struct registry_entry *e = &r->entries.v[i];

		if (prefix_length(e->prefix, name) && (!best || strlen(e->prefix) > strlen(best->prefix)))
			best = e;
	}
	return best;
}

/* Docker Hub's name is not that of its server. */
char *registries_host(struct arena *arena, const char *registry)
{
	return arena_strdup(arena, strcmp(registry, "docker.io") == 0 ? "registry-1.docker.io" : registry);
}

/* The place that a name becomes when the part which the prefix covers is replaced. */
static int add_source(struct arena *arena, struct registry_sources *sources, const char *location, const char *rest,
		      bool insecure, struct error *err)
{
	const char *text = arena_printf(arena, "%s%s", location, rest);
	struct registry_source *source;
	struct reference r;

	if (reference_parse(arena, text, &r, NULL) < 0 || !r.registry)
		return error_set(err, ERROR_INVALID, "registries.conf: the location \"%s\" leaves no repository to fetch",
				 str_printable(arena, text, 256));
	if (!r.tag && !r.digest)
		return error_set(err, ERROR_INVALID, "registries.conf: the location \"%s\" leaves neither tag nor digest",
				 str_printable(arena, text, 256));
	source = ARRAY_ADD(arena, sources);
	source->host = registries_host(arena, r.registry);
	source->path = r.path;
	source->reference = r.digest ? r.digest : r.tag;
	source->name = reference_repository(arena, &r);
	source->insecure = insecure;
	return 0;
}

static bool mirror_serves(const struct registry_endpoint *mirror, const struct reference *r)
{
	if (mirror->digest_only)
		return r->digest != NULL;
	return !str_eq(mirror->pull_from_mirror, "tag-only") || !r->digest;
}

static int add_mirrors(struct arena *arena, struct registry_sources *sources, const struct registry_entry *entry,
		       const struct reference *full, const char *rest, struct error *err)
{
	for (size_t i = 0; i < entry->mirrors.n; i++) {
		const struct registry_endpoint *mirror = &entry->mirrors.v[i];

		if (mirror_serves(mirror, full) && add_source(arena, sources, mirror->location, rest, mirror->insecure, err) < 0)
			return -1;
	}
	return 0;
}

int registries_sources(struct arena *arena, const struct registries *r, const struct reference *full,
		       struct registry_sources *ret, struct error *err)
{
	/* With tag and digest, the digest is what is fetched. */
	const struct reference asked = { full->registry, full->path, full->digest ? NULL : full->tag, full->digest };
	const char *name = reference_print(arena, &asked), *rest;
	const struct registry_entry *entry = entry_of(r, name);
	struct registry_sources sources = { 0 };

	*ret = sources;
	if (!entry)
		return add_source(arena, ret, "", name, false, err);
	if (entry->blocked)
		return error_set(err, ERROR_DENIED, "registry %s is blocked in registries.conf",
				 str_printable(arena, entry->prefix, 256));
	rest = name + prefix_length(entry->prefix, name);
	if (add_mirrors(arena, &sources, entry, full, rest, err) < 0)
		return -1;
	if (str_is_empty(entry->location))	/* a wildcard that moves nothing */
		rest = name;
	if (add_source(arena, &sources, entry->location ? entry->location : "", rest, entry->insecure, err) < 0)
		return -1;
	*ret = sources;
	return 0;
}

static int add_candidate(struct arena *arena, const char *repository, const struct reference *short_name,
			 struct strings *list, struct error *err)
{
	struct reference full;

	if (reference_parse(arena, repository, &full, err) < 0)
		return -1;
	if (!full.registry)
		return error_set(err, ERROR_INVALID, "registries.conf: \"%s\" names no registry",
				 str_printable(arena, repository, 256));
	if (short_name->tag || short_name->digest)
		full.tag = full.digest = NULL;
	if (short_name->tag)
		full.tag = short_name->tag;
	if (short_name->digest)
		full.digest = short_name->digest;
	strings_add(arena, list, reference_print(arena, &full));
	return 0;
}

int registries_candidates(struct arena *arena, const struct registries *r, const struct reference *short_name,
			  struct strings *ret, struct error *err)
{
	const char *alias = map_get(&r->aliases, short_name->path);
	struct strings list = { 0 };

	if (alias && add_candidate(arena, alias, short_name, &list, err) < 0)
		return error_frame(err, "short name alias %s", short_name->path);
	for (size_t i = 0; !alias && i < r->unqualified_search.n; i++) {
		const char *name = arena_printf(arena, "%s/%s", r->unqualified_search.v[i], short_name->path);

		if (add_candidate(arena, name, short_name, &list, err) < 0)
			return error_frame(err, "search registry %s", str_printable(arena, r->unqualified_search.v[i], 256));
	}
	if (list.n == 0) {
		error_set(err, ERROR_NOT_FOUND, "short-name \"%s\" did not resolve to an alias and no unqualified-search "
			  "registries are defined in \"/etc/containers/registries.conf\"", short_name->path);
		error_code(err, "short-name");
		return error_hint(err, "give the full name, for example: docker.io/%s%s", strchr(short_name->path, '/') ? "" :
				  "library/", short_name->path);
	}
	*ret = list;
	return 0;
}
