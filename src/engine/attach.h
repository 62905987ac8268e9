/* engine/attach - the user's terminal or pipes joined to a container's streams */
#ifndef BRYO_ENGINE_ATTACH_H
#define BRYO_ENGINE_ATTACH_H

#include "engine/container.h"

struct attach_options {
	int in, out, err_;		/* the user's descriptors; -1: not joined */
	bool terminal;			/* the container has one: raw mode, resize */
	const char *detach_keys;	/* "ctrl-p,ctrl-q"; "" none; NULL the default */
	int signal_pidfd;		/* signals received are passed to this process; -1: none */
	int reader_pidfd;		/* ended when nobody reads its output any more, as in any pipeline; -1: none */
};
enum attach_end { ATTACH_ENDED, ATTACH_DETACHED, ATTACH_LOST };
/* Runs until the container's exit frame, the detach keys, or the socket's end. */
int attach_session(int socket, const struct attach_options *o, enum attach_end *ret_end, int *ret_exit_code,
		   struct error *err);
/* `bryo attach`. */
int container_attach(struct engine *e, struct container *c, const struct attach_options *o, bool stdin_too,
		     int *ret_exit_code, bool *ret_detached, struct error *err);
/* Between a pty master of ours and the user's terminal, for foreground exec -t; ends with the process. */
int attach_console(int console, int pidfd, const struct attach_options *o, enum attach_end *ret_end, struct error *err);

#endif
