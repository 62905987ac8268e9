/* engine/volume_options - `volume create -o type= -o device= -o o=`: what a volume is made of
 *
 * An ordinary user can mount two things: a directory of his own (type none or bind), and a file system in memory
 * (tmpfs). Everything else is refused when the volume is made, not when a container needs it. Pure. */
#ifndef BRYO_ENGINE_VOLUME_OPTIONS_H
#define BRYO_ENGINE_VOLUME_OPTIONS_H

#include <stdint.h>

#include "base/error.h"
#include "base/string.h"

struct volume_options {
	bool tmpfs;
	const char *device;		/* the user's directory; NULL for a tmpfs and for one of the store's own */
	struct strings data;		/* for the tmpfs itself: "size=64m", "uid=1000" */
	struct strings flags;		/* for the mount in containers: "noexec"; without rw and ro */
	bool read_only, no_copy;
	bool has_uid, has_gid;
	uint32_t uid, gid;
};

int volume_options_parse(struct arena *arena, const struct string_map *options, struct volume_options *ret,
			 struct error *err);

#endif
