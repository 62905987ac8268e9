/* container_rm, container_rename, and the cleanup that the monitor asks for */
#include "engine/image.h"
#include "engine/life.h"
#include "engine/network_live.h"
#include "engine/state.h"
#include "store/container.h"
#include "sys/fd.h"
#include "sys/lock.h"

#define TRIES 5

/* What runs is ended, by force. */
static int end(struct engine *e, struct container *c, const struct rm_options *o, struct error *err)
{
	struct container_state s;

	if (life_settle(e, c, &s, err) < 0)
		return -1;
	if (!state_is_live(&s) && s.status != CONTAINER_RESTARTING && s.status != CONTAINER_INITIALIZED)
		return 0;
	if (!o->force)
		return error_set(err, ERROR_IN_USE, "cannot remove container %s as it is %s - running or paused containers "
				 "cannot be removed without force: container state improper", c->id,
				 container_status_name(s.status));
	return container_stop(e, c, o->timeout_s >= 0 ? o->timeout_s : -1, err);
}

/* Somebody may start it between its end and the removal. */
static int end_and_remove(struct engine *e, struct container *c, const struct rm_options *o, struct error *err)
{
	for (int tries = 1;; tries++) {
		if (end(e, c, o, err) < 0)
			return -1;
		if (life_remove(e, c, o->volumes || c->request.rm, err) == 0)
			return 0;
		if (!error_is(err, ERROR_IN_USE) || !o->force || tries == TRIES)
			return -1;
		error_clear(err);
		life_end_stale_monitor(e, c);
	}
}

int container_rm(struct engine *e, struct container *c, const struct rm_options *o, struct error *err)
{
	if (end_and_remove(e, c, o, err) == 0)
		return 0;
	/* Its own cleanup, or another command, was faster: by force that is as good. */
	if (!error_is(err, ERROR_NOT_FOUND) || !(o->force || c->request.rm))
		return -1;
	error_clear(err);
	return 0;
}

int container_rename(struct engine *e, struct container *c, const char *new_name, struct error *err)
{
	char *old = c->name;

	if (container_store_rename(&e->store, c->id, old, new_name, err) < 0)
		return -1;
	c->name = arena_strdup(e->arena, new_name);
	if (container_save(e, c, err) < 0)
		return -1;
	network_live_rename(e, c);
	life_event(e, c, "rename");
	return 0;
}

/* --rmi: that another container or name needs the image is no error. */
static void remove_image(struct engine *e, const struct container *c)
{
	struct rmi_options o = { .ignore = true };
	struct strings untagged = { 0 }, deleted = { 0 };
	struct error ignored = { 0 };

	image_rmi(e, c->image_name, &o, &untagged, &deleted, &ignored);
}

/* What a run left. Whoever holds the lock has started the container again, and has done this before. */
static int release_run(struct engine *e, const struct container *c, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	_cleanup_fd_ int lock = run_dir < 0 ? -1 : lock_open(run_dir, "monitor.lock", LOCK_EXCLUSIVE, false);
	struct container_state s;

	if (lock < 0)
		return 0;
	if (container_load_state(e, c, &s, err) < 0)
		return -1;
	life_release(e, c, &s);
	return 0;
}

int container_cleanup(struct engine *e, const char *id, struct error *err)
{
	struct container c;

	if (container_load(e, id, &c, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? (error_clear(err), 0) : -1;
	if (!c.request.rm)
		return release_run(e, &c, err);
	if (life_remove(e, &c, true, err) < 0)
		return error_is(err, ERROR_NOT_FOUND) ? (error_clear(err), 0) : -1;
	if (c.request.rmi && c.image_name)
		remove_image(e, &c);
	return 0;
}
