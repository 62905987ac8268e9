/* transfer/document - something small from a registry or web server, whole and in memory
 *
 * Manifests, configurations, signatures. What is cut or busy is tried again, as often as the registry's retries say. */
#ifndef BRYO_TRANSFER_DOCUMENT_H
#define BRYO_TRANSFER_DOCUMENT_H

#include "transfer/registry.h"

struct document { char *data; size_t size; char *content_type, *content_encoding; };

/* path: below the registry's host. accept: a header's line, or NULL. More than limit bytes are an error. what: in
 * messages, "manifest latest of quay.io/app". A status of 404 is ERROR_NOT_FOUND. */
int document_get(struct work *w, struct registry *r, const char *path, const char *accept, size_t limit,
		 const char *what, struct document *ret, struct error *err);

#endif
