/* sys/spawn - helper programs: found, started, awaited, their words collected
 *
 * Helpers get a clean descriptor table (0, 1, 2 and what is named), default signal handling and the given
 * environment. Nothing here runs a shell. */
#ifndef BRYO_SYS_SPAWN_H
#define BRYO_SYS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

struct spawn {
	const char *program;		/* absolute path, or a name looked up in PATH and /usr/sbin, /sbin */
	char *const *argv;		/* argv[0] included */
	char *const *env;		/* NULL: the caller's */
	const int *stdio;		/* three descriptors for 0, 1, 2; -1 is /dev/null; NULL leaves the caller's */
	const int *pass;		/* descriptors kept open under their own numbers */
	size_t pass_n;
	const char *input;		/* text for stdin (spawn_run only) */
	unsigned cpu_seconds;		/* of the processor, then it is killed; 0: no limit */
};

/* Finds a helper: the absolute path or NULL. Looks beside the bryo program, in PATH, then in the sbin directories. */
char *spawn_find(struct arena *arena, const char *program);
/* Beside the running program (bryo-monitor, bryo-transfer, ...) or in BRYO_LIBEXECDIR. Honours $BRYO_LIBEXEC. */
char *spawn_own_program(struct arena *arena, const char *name, struct error *err);
/* Starts it and answers the pidfd; the pid in *ret_pid when not NULL. A failed exec is an error here, not exit 127. */
int spawn_start(const struct spawn *s, pid_t *ret_pid, struct error *err);
/* A file in memory, close-on-exec, to be read from its beginning: a helper's stdin. -1 with errno. */
int spawn_input(const char *text);
/* Starts, feeds stdin, collects at most 64 KiB of stdout and stderr each (NUL-terminated, in the arena; pointers may
 * be NULL), reaps. Answers the exit code (128+n for a signal), or -1. */
int spawn_run(struct arena *arena, const struct spawn *s, char **ret_out, char **ret_err_text, struct error *err);

#endif
