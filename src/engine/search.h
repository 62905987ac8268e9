/* engine/search - repositories and tags at registries */
#ifndef BRYO_ENGINE_SEARCH_H
#define BRYO_ENGINE_SEARCH_H

#include "engine/engine.h"
#include "base/json.h"

struct search_request {
	char *term;			/* "[registry/]word", with list_tags a repository */
	char *authfile, *creds, *cert_dir, *tls_verify;
	struct strings filters;		/* stars=N is-official[=BOOL] is-automated[=BOOL] */
	int64_t limit;			/* 0: 25; of tags: all */
	bool list_tags;
};

/* One row a repository: Index Name Description Stars Official Automated Tag; with list_tags one a repository: Name
 * Tags. Without a registry in the term all search registries are asked; those that fail are warned of when others
 * answer. */
int search_registries(struct engine *e, const struct search_request *r, struct json **ret, struct error *err);

#endif
