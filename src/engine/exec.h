/* engine/exec - further processes in running containers */
#ifndef BRYO_ENGINE_EXEC_H
#define BRYO_ENGINE_EXEC_H

#include "engine/container.h"

struct exec_request {
	struct strings command, env, env_file;
	char *user, *workdir, *detach_keys, *preserve_fds;
	bool detach, interactive, tty, privileged;
};
/* In the foreground the caller's terminal and streams are used and the exit code is the command's; detached, a monitor
 * keeps the session and its id is answered. */
int exec_run(struct engine *e, struct container *c, const struct exec_request *r, int *ret_exit_code,
	     char **ret_session, struct error *err);

#endif
