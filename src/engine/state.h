/* engine/state - what changes while a container lives: the runtime directory's files, and what they mean together
 *
 *   state         who runs (struct container_state), written before the first process may exec
 *   monitor.lock  held by bryo-monitor while it lives: the source of truth for "running"
 *   stopped       the user asked for the end: no restart
 *   paused        frozen
 *   initialized   everything stands, the first process waits before exec
 *   exit          in containers/<id> (here when the disk is full): how it ended
 */
#ifndef BRYO_ENGINE_STATE_H
#define BRYO_ENGINE_STATE_H

#include "engine/container.h"

int container_save(struct engine *e, const struct container *c, struct error *err);
int state_write(struct engine *e, int run_dir, const struct container_state *state, struct error *err);
/* Forgets how an earlier run ended, before a new one starts. */
int state_reset(struct engine *e, const char *id, int run_dir, struct error *err);
/* container_load_state of a container that was read just now: one that went since counts as created. -1 (err) when it cannot
 * be told; ret is what is known, for lists. */
int state_load_present(struct engine *e, const struct container *c, struct container_state *ret, struct error *err);
int state_mark(int run_dir, const char *file, bool set);
/* The container's first process, only if it is still the one that was started; -1 with ESRCH when it is gone. */
int state_open_process(const struct container_state *state);
int state_open_monitor(const struct container_state *state);
/* Errors in Podman's words when it is not running. */
int state_need_running(const struct container *c, const struct container_state *s, const char *doing, struct error *err);
bool state_is_live(const struct container_state *s);	/* running, paused or stopping */

#endif
