/* spec/reference - image names: [registry[:port]/]path[:tag][@digest], short names, container names */
#ifndef BRYO_SPEC_REFERENCE_H
#define BRYO_SPEC_REFERENCE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/string.h"

struct reference {
	char *registry;		/* "docker.io", "127.0.0.1:5000", "localhost"; NULL for a short name */
	char *path;		/* "library/busybox" */
	char *tag;		/* NULL when absent */
	char *digest;		/* "sha256:..." or NULL */
};

/* Grammar of distribution/reference; docker.io/busybox becomes docker.io/library/busybox; upper case, empty parts,
 * control bytes and over-long names are refused with the reason. "docker://" in front is accepted. */
int reference_parse(struct arena *arena, const char *text, struct reference *ret, struct error *err);
/* "registry/path:tag@digest", with ":latest" where neither tag nor digest is given. */
char *reference_print(struct arena *arena, const struct reference *r);
/* Without tag and digest: "registry/path". */
char *reference_repository(struct arena *arena, const struct reference *r);
/* The scopes that settings may name a full image name by, the most specific first: itself with its tag or digest, its
 * repository, the namespaces above, the registry, and "*.DOMAIN" for each domain above the registry. */
struct strings reference_scopes(struct arena *arena, const struct reference *r);
/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, the rule for container, volume and network names. */
bool reference_is_object_name(const char *name);

#endif
