/* engine/copy_place - one end of a copy: a path of the host, a path in a container, or a tar stream
 *
 * Every path is resolved by sys/inroot below a root descriptor: the host's "/", the root of a running container's
 * process, or a stopped container's root mounted for this command. Where a stopped container would have a volume or a
 * bind mount, its source takes the place of the directory below. */
#ifndef BRYO_ENGINE_COPY_PLACE_H
#define BRYO_ENGINE_COPY_PLACE_H

#include <sys/stat.h>

#include "engine/container.h"

struct copy_place {
	struct engine *e;
	bool is_stream, is_container;
	struct container container;
	int root, lock;			/* -1 while closed */
	char *path;			/* absolute, without trailing slashes; "/" */
	const char *name;		/* its last component where `path` has lost it (the root of a mount); NULL */
	bool wants_directory;		/* ended with a slash */
	bool contents;			/* ended with "/.", or is "/": what is in it, not itself */
	bool read_only;			/* below a read-only mount */
};

int copy_place_parse(struct engine *e, const char *text, struct copy_place *ret, struct error *err);
int copy_place_open(struct copy_place *p, struct error *err);
void copy_place_close(struct copy_place *p);
/* 1 and what is there (links followed), 0 nothing, -1 an error. */
int copy_place_stat(struct copy_place *p, struct stat *ret, struct error *err);
int copy_place_directory(struct copy_place *p, struct error *err);	/* the place itself, readable */
/* The directory that has the place's last component, links resolved where the place exists. */
int copy_place_parent(struct copy_place *p, const char **ret_name, struct error *err);
int copy_place_missing(const struct copy_place *p, struct error *err);	/* sets ERROR_FAILED in Podman's words */
/* The name that a copy of it gets in a directory. */
const char *copy_place_name(const struct copy_place *p);

#endif
