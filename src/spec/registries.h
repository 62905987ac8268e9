/* spec/registries - registries.conf (version 2) with its .d directories, and short-name aliases
 *
 * The text comes in; the files are found and read by the engine. */
#ifndef BRYO_SPEC_REGISTRIES_H
#define BRYO_SPEC_REGISTRIES_H

#include "base/json.h"
#include "spec/reference.h"

struct registry_endpoint { char *location; bool insecure; char *pull_from_mirror; bool digest_only; };

struct registry_entry {
	char *prefix, *location;
	bool insecure, blocked;
	ARRAY(struct registry_endpoint) mirrors;
};

struct registries {
	struct strings unqualified_search;
	char *short_name_mode;			/* enforcing permissive disabled */
	struct strings credential_helpers;
	ARRAY(struct registry_entry) entries;
	struct string_map aliases;
};

/* Adds one file's settings; later files win. */
int registries_add(struct arena *arena, struct registries *r, const char *text, size_t len, const char *where,
		   struct error *err);

/* Where to fetch a full name from, in order: mirrors, then the location itself. Blocked: an error. */
/* The server that speaks for a registry: docker.io is served by registry-1.docker.io. Sources have it applied. */
char *registries_host(struct arena *arena, const char *registry);
struct registry_source { char *host, *path; bool insecure; };
struct registry_sources { struct registry_source *v; size_t n; };
int registries_sources(struct arena *arena, const struct registries *r, const struct reference *full,
		       struct registry_sources *ret, struct error *err);
/* The full names that a short name may mean: an alias, or one for each search registry. Empty: an error with
 * Podman's words ("short-name \"x\" did not resolve to an alias and no unqualified-search registries are defined"). */
int registries_candidates(struct arena *arena, const struct registries *r, const struct reference *short_name,
			  struct strings *ret, struct error *err);

/* TOML as these files use it (tables, arrays of tables, strings, arrays, booleans, numbers, comments) as a value. */
struct json *toml_parse(struct arena *arena, const char *text, size_t len, const char *where, struct error *err);

#endif
