/* spec/transport - where an image comes from or goes to: "oci-archive:FILE:NAME" and its kin
 *
 * The words are those of containers-transports(5). What begins with none of them is a plain image name; so is
 * everything after docker://. Paths are given as they were written: whoever opens them knows where from. */
#ifndef BRYO_SPEC_TRANSPORT_H
#define BRYO_SPEC_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

enum transport_kind {
	TRANSPORT_NONE,			/* a plain name */
	TRANSPORT_REGISTRY,		/* docker://NAME */
	TRANSPORT_STORAGE,		/* containers-storage:NAME */
	TRANSPORT_DOCKER_ARCHIVE,	/* docker-archive:PATH[:NAME|:@INDEX] */
	TRANSPORT_OCI_ARCHIVE,		/* oci-archive:PATH[:NAME|:@INDEX] */
	TRANSPORT_OCI_DIR,		/* oci:PATH[:NAME|:@INDEX] */
	TRANSPORT_DIR,			/* dir:PATH */
};

struct transport {
	enum transport_kind kind;
	char *path;			/* of those that are files; else NULL */
	char *name;			/* an image's name; NULL: not given */
	int64_t index;			/* place in the archive, from 0; -1: not given */
};

/* Transports of other engines' daemons and unfit parts are refused with the reason. */
int transport_parse(struct arena *arena, const char *text, struct transport *ret, struct error *err);
/* Is it a file or directory? */
bool transport_is_path(const struct transport *t);
const char *transport_word(enum transport_kind kind);

#endif
