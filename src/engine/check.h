/* engine/check - `system check`: is everything whole that the store names, and what can be mended?
 *
 * Blobs and objects are read and compared with their digests, indexes of layers with their checksums, recipes with the diff
 * IDs of the tars that they make, trees of layers with what their blobs unpack to; records are decoded, and what they point to
 * is looked for. What can be made anew from what the store has is mended on demand; a layer whose blob was not kept is
 * fetched for that from where its image came. What cannot be mended is named together with the command that brings it back.
 * Containers and images go only by force. */
#ifndef BRYO_ENGINE_CHECK_H
#define BRYO_ENGINE_CHECK_H

#include "engine/engine.h"

struct check_options {
	bool quick;			/* records only: no contents are read */
	bool repair, force;		/* force: what cannot be mended is removed, with the containers that need it */
	int64_t max_age_ns;		/* what nothing names is left alone while it is younger */
};

struct check_finding {
	const char *kind;		/* "blob" "object" "layer" "image" "name" "container" "volume" "label" "leftover" */
	char *id, *name;		/* name: what users call it; NULL */
	char *problem;			/* "its record is damaged: ..." */
	char *cure;			/* what would help, or what was done */
	bool repaired;
};

struct check_report {
	ARRAY(struct check_finding) findings;
	size_t blobs, objects, layers, images, containers, volumes;	/* how many were looked at */
	size_t unrepaired;
};

int system_check(struct engine *e, const struct check_options *o, struct check_report *ret, struct error *err);

#endif
