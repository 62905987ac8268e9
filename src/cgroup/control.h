/* cgroup/control - the control files of a cgroup: numbers, flat keyed files, lists of pids, and walking what is below
 *
 * Formats as in the kernel's cgroup-v2.rst, "Interface Files". Everything is relative to the descriptor of a cgroup
 * directory; answers of -1 leave errno. */
#ifndef BRYO_CGROUP_CONTROL_H
#define BRYO_CGROUP_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/string.h"

#define CONTROL_TEXT_MAX (1u << 20)
#define CONTROL_NONE UINT64_MAX		/* "max", and v1's nearly infinite numbers */

/* One write, as the kernel wants it. */
int control_write(int dirfd, const char *file, const char *text);
char *control_read(struct arena *arena, int dirfd, const char *file);
/* A single number; "max" is CONTROL_NONE. */
int control_read_number(int dirfd, const char *file, uint64_t *ret);
/* The number after "key " in a flat keyed file. -1 with errno ENODATA when no line has the key. */
int control_read_key(int dirfd, const char *file, const char *key, uint64_t *ret);
/* The same in a text that was read: the number after the key, or 0. */
uint64_t control_key(const char *text, const char *key);
/* The words of a file such as cgroup.controllers; none when it cannot be read. */
void control_read_words(struct arena *arena, int dirfd, const char *file, struct strings *ret);

/* Opens the directory of a cgroup by its absolute path, which has no "..". */
int control_open_dir(const char *path);
/* Calls visit for each cgroup below dirfd, deepest first, and at last for dirfd itself (name NULL). Consumes dirfd.
 * Stops at, and answers, the first answer that is not 0. A depth of 32 is never left by a walk. */
int control_walk(int dirfd, int (*visit)(int dirfd, void *context), void *context);

#endif
