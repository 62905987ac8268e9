/* engine/life - what start, stop and removal share */
#ifndef BRYO_ENGINE_LIFE_H
#define BRYO_ENGINE_LIFE_H

#include "engine/container.h"

/* Adds an event of a container. */
void life_event(struct engine *e, const struct container *c, const char *status);
/* Takes back what outlives the container's processes: network helper, storage mount, cgroup. */
void life_release(struct engine *e, const struct container *c, const struct container_state *s);
/* Removes a container that does not run, with its anonymous volumes when asked. ERROR_IN_USE when it runs again meanwhile,
 * ERROR_NOT_FOUND when somebody else was faster. */
int life_remove(struct engine *e, struct container *c, bool volumes, struct error *err);
/* For struct store_burial: the runtime directory and the volumes of a container that is removed. */
int life_bury(void *engine, struct store *s, int dir, const char *id, bool volumes);
/* The state once it lasts: after an ending monitor and a restart that is being prepared, at most 10 seconds. */
int life_settle(struct engine *e, const struct container *c, struct container_state *ret, struct error *err);
/* Ends the monitor that sleeps before the next start of a container that restarts. */
void life_end_backoff(struct engine *e, const struct container *c, const struct container_state *s);
/* Ends a monitor that has not noticed, in all the time that life_await_end gave it, that the process is gone. How that ended
 * is lost: for a container that is removed. */
void life_end_stale_monitor(struct engine *e, const struct container *c);
/* Sends a signal to the first process; one that is gone already is no error. */
int life_signal(const struct container *c, const struct container_state *s, int signum, struct error *err);
/* Until the process is gone and its monitor has recorded that; timeout_ms < 0: for ever. 1 gone, 0 timeout. */
int life_await_end(const struct container_state *s, int64_t timeout_ms, struct error *err);

#endif
