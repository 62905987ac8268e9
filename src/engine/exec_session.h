/* engine/exec_session - who stays with the process of an exec: this command, or a bryo-monitor of its own
 *
 * A session that outlives its command has a directory exec/<session id> in the container's runtime directory, with the
 * monitor's socket, lock and, at the end, the file `exit`. */
#ifndef BRYO_ENGINE_EXEC_SESSION_H
#define BRYO_ENGINE_EXEC_SESSION_H

#include "engine/exec.h"
#include "engine/label.h"
#include "run/run.h"

struct exec_streams { int child[3], ours[3]; };

/* Pipes for a detached process (its stdin is /dev/null); none with a terminal. */
int exec_streams_open(struct exec_streams *s, bool terminal, const struct label_pipes *pipes, struct error *err);
void exec_streams_close(struct exec_streams *s);

/* Joins the user's terminal to the process's; *ret_left: the user pressed the detach keys. */
int exec_session_console(const struct run_process *p, const struct exec_request *r, bool *ret_left, struct error *err);
/* A monitor takes over a process of ours. */
int exec_session_leave(struct engine *e, const struct container *c, const struct run_process *p, struct error *err);
/* Starts the plan as a child of a new monitor; answers when the command was executed. */
int exec_session_detach(struct engine *e, const struct container *c, const struct run_plan *plan,
			const struct exec_streams *streams, char **ret_session, struct error *err);

#endif
