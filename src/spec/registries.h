/* spec/registries - registries.conf with its .d directories, and short-name aliases (containers-registries.conf(5))
 *
 * The text comes in; the files are found and read by the engine. Version 1 of the format is taken from the first file
 * only, and never beside settings of version 2. */
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
	size_t files;				/* how many were added */
	struct strings unqualified_search;
	char *short_name_mode;			/* enforcing permissive disabled; NULL: permissive */
	struct strings credential_helpers;
	ARRAY(struct registry_entry) entries;
	struct string_map aliases;
};

/* Adds one file's settings; later files win. */
int registries_add(struct arena *arena, struct registries *r, const char *text, size_t len, const char *where,
		   struct error *err);

/* The server that speaks for a registry: docker.io is served by registry-1.docker.io. Sources have it applied. */
char *registries_host(struct arena *arena, const char *registry);
/* reference: the tag or digest to ask for. name: "registry/path", as the user knows it. */
struct registry_source { char *host, *path, *reference, *name; bool insecure; };
struct registry_sources { struct registry_source *v; size_t n; };
/* Where to fetch a full name from, in order: mirrors, then the location itself. Blocked: an error. */
int registries_sources(struct arena *arena, const struct registries *r, const struct reference *full,
		       struct registry_sources *ret, struct error *err);
/* The full names that a short name may mean: an alias, or one for each search registry. Empty: an error with
 * Podman's words ("short-name \"x\" did not resolve to an alias and no unqualified-search registries are defined"). */
int registries_candidates(struct arena *arena, const struct registries *r, const struct reference *short_name,
			  struct strings *ret, struct error *err);

/* TOML as these files use it (tables, arrays of tables, strings, arrays, booleans, numbers, comments) as a value. */
struct json *toml_parse(struct arena *arena, const char *text, size_t len, const char *where, struct error *err);

#endif
