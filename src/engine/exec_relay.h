/* engine/exec_relay - the caller's streams for a process of a container, when it may not have them itself
 *
 * A process that has a descriptor of the caller's terminal reads what is typed later and writes what it likes, long after
 * its exec ended; through /proc/self/fd it opens a file again with rights that the descriptor never had. So only pipes,
 * sockets and /dev/null are passed on; of all else the process gets a pipe, and this command copies. */
#ifndef BRYO_ENGINE_EXEC_RELAY_H
#define BRYO_ENGINE_EXEC_RELAY_H

#include "engine/label.h"

struct exec_relay {
	int child[3];		/* for the process */
	int ours[3];		/* the other ends; -1 where the caller's own is passed on */
	int caller[3];
};

/* caller: descriptors that stay the caller's. Where pipes need a label none of them is passed on but /dev/null: the
 * caller's pipes carry his own. */
int exec_relay_open(struct exec_relay *r, const int caller[3], const struct label_pipes *pipes, struct error *err);
/* Copies and passes signals on until the process ended. */
int exec_relay_run(struct exec_relay *r, int pidfd, struct error *err);
void exec_relay_close(struct exec_relay *r);

#endif
