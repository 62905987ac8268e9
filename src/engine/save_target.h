/* engine/save_target - where an archive goes: a file that has its name only when it is whole, a pipe, or a directory
 *
 * Ordinary files are written unnamed beside their place and renamed over it, so that a full disk or a killed command
 * leaves what was there before. Pipes, devices and /dev/stdout are written directly, terminals are refused. Open it
 * before the namespace is joined: the caller's own rights and his directory count. */
#ifndef BRYO_ENGINE_SAVE_TARGET_H
#define BRYO_ENGINE_SAVE_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"

struct save_target {
	int fd;				/* to write to */
	int parent;			/* directory of the name; -1: fd has its place already */
	char *name, *temporary;
	bool named;			/* the file is there as `temporary` */
	bool made;			/* the directory was not there before */
};

/* path NULL: standard output. */
int save_target_file(struct arena *arena, const char *path, struct save_target *ret, struct error *err);
int save_target_directory(struct arena *arena, const char *path, struct save_target *ret, struct error *err);
/* Gives a whole file its name. */
int save_target_commit(struct save_target *t, struct error *err);
/* What was not committed goes. */
void save_target_done(struct save_target *t);

#endif
