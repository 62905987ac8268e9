#include "engine/life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "engine/events.h"
#include "engine/label.h"
#include "engine/network_bridge.h"
#include "engine/state.h"
#include "engine/volume_use.h"
#include "store/container.h"
#include "store/volume.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/pidfd.h"

#define CONFIG_MAX ((size_t)16 << 20)

void life_event(struct engine *e, const struct container *c, const char *status)
{
	event_add(e, "container", status, c->id, c->name, c->image_name, &c->labels);
}

void life_release(struct engine *e, const struct container *c, const struct container_state *s)
{
	net_stop(arena_printf(e->arena, "%s/containers/%s", e->run_path, c->id));
	network_bridge_release(e, c, s);
	container_store_unmount(&e->store, c->id);
	volume_use_end(e, c);
	if (s->cgroup) {
		cgroup_kill(s->cgroup);
		cgroup_remove(s->cgroup);
	}
}

static void remove_volumes(struct engine *e, struct store *s, int dir, const char *id)
{
	struct container c = { 0 };
	size_t size;
	char *text = fd_read_file(e->arena, dir, "config.json", CONFIG_MAX, &size);

	if (!text || json_decode(e->arena, &container_shape, &c, text, size, "config.json", NULL) < 0 || !str_eq(c.id, id))
		return;
	for (size_t i = 0; i < c.mounts.n; i++)
		if (c.mounts.v[i].anonymous && c.mounts.v[i].name)
			volume_remove(s, c.mounts.v[i].name, NULL);
}

/* By path: a collector has closed the engine's descriptors. */
int life_bury(void *engine, struct store *s, int dir, const char *id, bool volumes)
{
	struct engine *e = engine;
	_cleanup_fd_ int run = open(e->run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (run < 0 && errno != ENOENT)
		return -1;
	if (run >= 0 && fd_remove_tree(run, arena_printf(e->arena, "containers/%s", id)) < 0)
		return -1;
	if (volumes)
		remove_volumes(e, s, dir, id);
	return 0;
}

/* Of a damaged record nothing is known. */
static bool may_have_volumes(const struct container *c)
{
	for (size_t i = 0; i < c->mounts.n; i++)
		if (c->mounts.v[i].anonymous)
			return true;
	return !c->name;
}

/* Under the lock that whoever starts it takes first, so that nobody does meanwhile. */
int life_remove(struct engine *e, struct container *c, bool volumes, struct error *err)
{
	_cleanup_fd_ int lock = container_store_open(&e->store, c->id, LOCK_EXCLUSIVE, err);
	_cleanup_fd_ int run_dir = lock < 0 ? -1 : container_run_dir(e, c->id, false, NULL);
	struct container_state s;

	if (lock < 0)
		return -1;
	if (state_load_present(e, c, &s, err) < 0)
		return -1;
	if (state_is_live(&s) || (s.status == CONTAINER_CREATED && run_dir >= 0 && lock_is_held(run_dir, "monitor.lock")))
		return error_set(err, ERROR_IN_USE, "container %s was started meanwhile", c->id);
	life_release(e, c, &s);
	label_release(e, c);
	if (container_store_remove(&e->store, c->id, volumes && may_have_volumes(c), err) < 0)
		return -1;
	life_event(e, c, "remove");
	return 0;
}

#define SETTLE_TRIES 2000
#define SETTLE_US 5000

/* Its monitor is ending, or a restart is being prepared: neither lasts. */
static bool is_changing(int run_dir, const struct container_state *s)
{
	return (s->status == CONTAINER_CREATED || s->status == CONTAINER_EXITED) && run_dir >= 0 &&
	       lock_is_held(run_dir, "monitor.lock");
}

int life_settle(struct engine *e, const struct container *c, struct container_state *ret, struct error *err)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);

	for (int i = 0;; i++) {
		if (container_load_state(e, c, ret, err) < 0)
			return -1;
		if (i == SETTLE_TRIES || !is_changing(run_dir, ret))
			return 0;
		usleep(SETTLE_US);
	}
}

void life_end_backoff(struct engine *e, const struct container *c, const struct container_state *s)
{
	_cleanup_fd_ int run_dir = container_run_dir(e, c->id, false, NULL);
	_cleanup_fd_ int monitor = state_open_monitor(s);

	if (run_dir >= 0)
		state_mark(run_dir, "stopped", true);
	if (monitor >= 0 && pidfd_signal(monitor, SIGTERM) == 0)
		pidfd_wait_exit(monitor, 10000);
}

void life_end_stale_monitor(struct engine *e, const struct container *c)
{
	_cleanup_fd_ int process = -1, monitor = -1;
	struct container_state s;

	if (container_load_state(e, c, &s, NULL) < 0)
		return;
	process = state_open_process(&s);
	if (process >= 0 || errno != ESRCH)
		return;
	monitor = state_open_monitor(&s);
	if (monitor >= 0 && pidfd_signal(monitor, SIGKILL) == 0)
		pidfd_wait_exit(monitor, 1000);
}

int life_signal(const struct container *c, const struct container_state *s, int signum, struct error *err)
{
	_cleanup_fd_ int process = state_open_process(s);

	if (process < 0 || pidfd_signal(process, signum) < 0) {
		if (errno == ESRCH)
			return 0;
		return error_errno(err, "send signal %d to container %s", signum, c->name);
	}
	return 0;
}

int life_await_end(const struct container_state *s, int64_t timeout_ms, struct error *err)
{
	_cleanup_fd_ int process = state_open_process(s);
	int number = errno;
	_cleanup_fd_ int monitor = state_open_monitor(s);
	int r = process < 0 ? 1 : pidfd_wait_exit(process, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);

	if (process < 0 && error_passes(number)) {
		errno = number;
		r = -1;
	}
	if (r < 0)
		return error_errno(err, "wait for the container");
	if (r == 1 && monitor >= 0)
		pidfd_wait_exit(monitor, 10000);
	return r;
}
