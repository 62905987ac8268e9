/* engine/mount_words - the options of one mount: "ro", "U", "noexec", "size=64m", "upperdir=..."
 *
 * A table says of each what it does, which other options it excludes and for which kinds of mounts it means something.
 * Pure. */
#ifndef BRYO_ENGINE_MOUNT_WORDS_H
#define BRYO_ENGINE_MOUNT_WORDS_H

#include "engine/container.h"

enum { ON_BIND = 1, ON_VOLUME = 2, ON_TMPFS = 4, ON_IMAGE = 8, ON_DEVPTS = 16 };	/* kinds of mounts */

/* Options of which a mount can have one only. */
enum mount_group {
	MOUNT_GROUP_NONE, MOUNT_GROUP_ACCESS, MOUNT_GROUP_LABEL, MOUNT_GROUP_COPY, MOUNT_GROUP_EXEC, MOUNT_GROUP_SUID,
	MOUNT_GROUP_DEV, MOUNT_GROUP_BIND, MOUNT_GROUP_PROPAGATION, MOUNT_GROUP_COPY_UP, MOUNT_GROUPS
};

struct mount_words {		/* a mount while its text is read */
	struct arena *arena;
	const char *cwd;		/* what relative paths start from */
	struct container_mount m;
	unsigned on;			/* ON_* of the mount */
	const char *given[MOUNT_GROUPS];	/* the option that was given of each group */
};

unsigned mount_words_kind(const char *type);		/* ON_*; 0 for an unknown type */
/* A path of the host as the user writes it: absolute, relative, or in his home. */
char *mount_words_path(struct arena *arena, const char *s, const char *cwd);
bool mount_words_has(const char *name);
/* One option, or a list with commas. */
int mount_words_apply(struct mount_words *p, const char *option, struct error *err);
int mount_words_apply_all(struct mount_words *p, const char *text, struct error *err);
/* Once all is said: what does not go together. */
int mount_words_check(const struct mount_words *p, struct error *err);

#endif
