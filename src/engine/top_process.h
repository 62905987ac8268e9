/* engine/top_process - one process as /proc shows it: hostile in its names, and gone at any moment */
#ifndef BRYO_ENGINE_TOP_PROCESS_H
#define BRYO_ENGINE_TOP_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"

enum { TOP_REAL, TOP_EFFECTIVE };
enum top_caps { TOP_INHERITABLE, TOP_PERMITTED, TOP_EFFECTIVE_CAPS, TOP_BOUNDING, TOP_AMBIENT, TOP_CAPS };

struct top_process {
	pid_t hpid, host_ppid;		/* in the pid namespace of this command */
	pid_t pid, pgid;		/* in its own */
	uint32_t uid[2], gid[2];	/* as this command's user namespace numbers them */
	struct { uint32_t *v; size_t n; } groups;
	char *comm, *args, *label;
	char state;
	int tty, nice, seccomp;
	uint64_t cpu_ticks, start_ticks, vsize, rss_pages;
	uint64_t caps[TOP_CAPS];
};

/* -1 when there is no such process (any more). */
int top_process_read(struct arena *arena, pid_t pid, struct top_process *ret);
/* The two texts alone. -1 when they are not of the form that the kernel writes. */
int top_process_parse_stat(struct arena *arena, const char *text, struct top_process *ret);
int top_process_parse_status(struct arena *arena, const char *text, struct top_process *ret);

#endif
