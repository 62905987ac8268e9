#include "engine/preview.h"

#include <fcntl.h>
#include <unistd.h>

#include "engine/launch.h"
#include "engine/life.h"
#include "engine/mounts.h"
#include "engine/state.h"
#include "engine/volume.h"
#include "sys/fd.h"

/* What would be seen elsewhere, or be in the way of another container. */
static struct create_request without_traces(struct engine *e, const struct create_request *r)
{
	struct create_request plain = *r;

	plain.name = plain.cidfile = plain.pidfile = NULL;
	plain.restart = NULL;
	plain.replace = plain.publish_all = plain.detach = plain.tty = false;
	plain.rm = true;
	plain.publish = (struct strings){ 0 };
	if (!plain.rootfs)
		plain.pull = "never";
	if (!plain.command.n)
		strings_add(e->arena, &plain.command, "true");
	return plain;
}

/* The named volumes of a request that are not there: create makes them. */
static struct strings new_volumes(struct engine *e, const struct create_request *r)
{
	struct mount_list list = { 0 };
	struct strings names = { 0 };
	struct volume v;

	for (size_t i = 0; i < r->volumes.n; i++)
		mounts_parse_volume(e->arena, r->volumes.v[i], e->identity.cwd, &list, NULL);
	for (size_t i = 0; i < r->mounts.n; i++)
		mounts_parse_mount(e->arena, r->mounts.v[i], e->identity.cwd, &list, NULL);
	for (size_t i = 0; i < list.n; i++) {
		struct error missing = { 0 };

		if (list.v[i].name && strcmp(list.v[i].type, "volume") == 0 &&
		    volume_read(e->arena, &e->store, list.v[i].name, &v, &missing) < 0 && missing.kind == ERROR_NOT_FOUND)
			strings_add(e->arena, &names, list.v[i].name);
	}
	return names;
}

static int show(struct engine *e, struct container *c, int (*look)(void *context, const struct preview *p, struct error *err),
		void *context, struct error *err)
{
	struct launch_options lo = { .fresh = true, .dry = true };
	struct launch l;
	int r = launch_prepare(&l, e, c, &lo, err);

	if (r == 0) {
		struct preview p = { .c = c, .spec = l.spec, .maps = &l.maps, .root = l.root_mount };

		r = look(context, &p, err);
	}
	launch_done(&l, true);
	return r;
}

struct hushed { struct engine_face face; int events_fd; };

/* Nobody is told: not the log, not who watches. */
static struct hushed hush(struct engine *e)
{
	const struct hushed before = { e->face, e->events_fd };

	e->face.warn = e->face.note = NULL;
	e->events_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return before;
}

static void speak(struct engine *e, const struct hushed *before)
{
	if (e->events_fd > 0)
		close(e->events_fd);
	e->events_fd = before->events_fd;
	e->face = before->face;
}

int container_preview_again(struct engine *e, struct container *c,
			    int (*look)(void *context, const struct preview *p, struct error *err), void *context,
			    struct error *err)
{
	const struct hushed before = hush(e);
	int result = show(e, c, look, context, err);

	speak(e, &before);
	return result;
}

int container_preview(struct engine *e, const struct create_request *r,
		      int (*look)(void *context, const struct preview *p, struct error *err), void *context, struct error *err)
{
	struct create_request plain = without_traces(e, r);
	struct strings made = new_volumes(e, &plain);
	const struct hushed before = hush(e);
	struct container c;
	int result = container_create(e, &plain, &c, err);

	if (result == 0) {
		result = show(e, &c, look, context, err);
		life_remove(e, &c, true, &(struct error){ 0 });
	}
	volume_unmake(e, &made);
	speak(e, &before);
	return result;
}

static int wait_and_work(struct engine *e, struct container *c, int (*work)(void *context, pid_t pid, struct error *err),
			 void *context, struct error *err)
{
	struct container_state state;

	if (container_init(e, c, err) < 0 || container_load_state(e, c, &state, err) < 0)
		return -1;
	return work(context, (pid_t)state.pid, err);
}

int container_rehearse(struct engine *e, const struct create_request *r,
		       int (*work)(void *context, pid_t pid, struct error *err), void *context, struct error *err)
{
	struct rm_options gone = { .force = true, .volumes = true, .ignore = true };
	struct create_request plain = without_traces(e, r);
	struct strings made = new_volumes(e, &plain);
	const struct hushed before = hush(e);
	struct container c;
	int result = container_create(e, &plain, &c, err);

	if (result == 0) {
		result = wait_and_work(e, &c, work, context, err);
		container_rm(e, &c, &gone, &(struct error){ 0 });
	}
	volume_unmake(e, &made);
	speak(e, &before);
	return result;
}
