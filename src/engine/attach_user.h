/* engine/attach_user - the user's side of an attached container: terminal mode, window size, signals
 *
 * While it is open the signals that matter arrive through a descriptor. The terminal's mode is restored by
 * attach_user_close and before every stop of the process. */
#ifndef BRYO_ENGINE_ATTACH_USER_H
#define BRYO_ENGINE_ATTACH_USER_H

#include <signal.h>

#include "engine/attach.h"
#include "sys/tty.h"

struct attach_user {
	const struct attach_options *o;
	int tty;			/* the user's terminal in raw mode; -1 */
	int sized;			/* a terminal whose size the container follows; -1 */
	int signals;			/* signalfd; -1: none is taken */
	struct termios old_mode;
	sigset_t old_mask;
	int deadly;			/* the signal that ends this, 0 none yet */
};

int attach_user_open(struct attach_user *u, const struct attach_options *o, struct error *err);
/* Takes what has arrived. True when the window's size may have changed. A deadly signal is left in u->deadly. */
bool attach_user_signals(struct attach_user *u);
/* Restores terminal and signals. */
void attach_user_close(struct attach_user *u);
/* Ends this process by the signal, as if nobody had caught it; comes back only when it is ignored. */
void attach_user_die(int signum);

#endif
