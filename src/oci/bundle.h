/* oci/bundle - a bundle's configuration, read and completed
 *
 * An unprivileged caller whose configuration asks for no user namespace gets one, with his own id as root and his
 * subordinate ids from 1 on. Errors begin with the file's name: "config.json: .process.cwd: ...". */
#ifndef BRYO_OCI_BUNDLE_H
#define BRYO_OCI_BUNDLE_H

#include "oci/oci.h"
#include "spec/oci_runtime.h"

struct bundle {
	char *path;			/* absolute */
	const char *name;		/* of the configuration, for errors */
	char *text;			/* as read, and its size: kept for exec */
	size_t size;
	struct oci_spec spec;
	char *rootfs;			/* absolute */
	bool changed;			/* the specification is no longer what the text says */
};

int bundle_load(struct oci *o, const char *path, const char *config, struct bundle *ret, struct error *err);
/* The configuration that a container was made with, from its state directory. */
int bundle_load_used(struct oci *o, int dir_fd, struct oci_spec *ret, struct error *err);
/* Puts the file's name in front of an error about the specification. */
int bundle_error(const struct bundle *b, struct error *err);
/* The text that bundle_load_used reads. */
int bundle_save(struct oci *o, const struct bundle *b, int dir_fd, struct error *err);

#endif
