/* transfer/url - addresses that a registry names in its answers
 *
 * By libcurl's parser, so that what is judged here is what is asked afterwards. Only http and https are addresses. */
#ifndef BRYO_TRANSFER_URL_H
#define BRYO_TRANSFER_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

/* "https://host:443": scheme, host and port, in lower case and never without a port. NULL for what is no address. */
char *url_origin(struct arena *arena, const char *url);
/* Is it the same host, whatever the port? */
bool url_same_host(struct arena *arena, const char *a, const char *b);
/* What `location`, absolute or relative, means in an answer to `base`. The way from https back to http is refused. */
char *url_resolve(struct arena *arena, const char *base, const char *location, struct error *err);
/* With one more parameter, whatever is there already; the value is escaped. */
char *url_add_parameter(struct arena *arena, const char *url, const char *name, const char *value);

#endif
