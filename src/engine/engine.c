#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "engine/life.h"
#include "sys/fd.h"
#include "sys/trace.h"

int engine_init(struct engine *e, struct arena *arena, const struct engine_options *options,
		const struct engine_face *face, struct error *err)
{
	*e = (struct engine){ .arena = arena, .run_fd = -1 };
	if (options)
		e->options = *options;
	if (face)
		e->face = *face;
	return userns_identify(arena, &e->identity, err);
}

/* An absolute form of a directory the user named; relative ones are meant from where he stood. */
static char *absolute(struct engine *e, const char *path)
{
	return *path == '/' ? arena_strdup(e->arena, path) : arena_printf(e->arena, "%s/%s", e->identity.cwd, path);
}

char *engine_store_path(struct engine *e)
{
	return e->options.root ? absolute(e, e->options.root) : e->identity.data_dir;
}

char *engine_runtime_path(struct engine *e)
{
	return e->options.runroot ? absolute(e, e->options.runroot) : e->identity.runtime_dir;
}

static int open_run_dir(struct engine *e, struct error *err)
{
	e->run_path = engine_runtime_path(e);
	if (fd_mkdirs(AT_FDCWD, e->run_path, 0700) < 0)
		return error_errno(err, "make the runtime directory %s", e->run_path);
	e->run_fd = open(e->run_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->run_fd < 0)
		return error_errno(err, "open the runtime directory %s", e->run_path);
	if (mkdirat(e->run_fd, "containers", 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make %s/containers", e->run_path);
	return 0;
}

int engine_open(struct engine *e, struct error *err)
{
	if (e->store_is_open)
		return 0;
	_cleanup_trace_ struct trace_span span = trace_begin("join the namespace, open the store");
	if (userns_join(e->arena, &e->identity, err) < 0 || open_run_dir(e, err) < 0)
		return -1;
	if (e->identity.stale_why)
		engine_warn(e, "%s", e->identity.stale_why);
	if (e->identity.made && e->identity.single_id_why)	/* said once; `info` says it always */
		engine_warn(e, "%s", e->identity.single_id_why);
	if (store_open(e->arena, engine_store_path(e), e->options.storage_driver, e->identity.single_id, &e->store, err) < 0)
		return -1;
	e->store.run_fd = e->run_fd;
	e->store.burial = (struct store_burial){ life_bury, e };
	store_collect_leftovers(&e->store);
	e->store_is_open = true;
	return 0;
}

int engine_cgroup(struct engine *e, struct error *err)
{
	if (e->cgroup_is_probed)
		return 0;
	if (cgroup_probe(e->arena, e->options.cgroup_manager, &e->cgroup, err) < 0)
		return -1;
	e->cgroup_is_probed = true;
	return 0;
}

ERROR_PRINTF(4, 0) static void say(void (*out)(void *, const char *), void *context, struct arena *arena, const char *fmt, va_list ap)
{
	if (out)
		out(context, arena_vprintf(arena, fmt, ap));
}

void engine_warn(struct engine *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(e->face.warn, e->face.context, e->arena, fmt, ap);
	va_end(ap);
}

void engine_note(struct engine *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(e->face.note, e->face.context, e->arena, fmt, ap);
	va_end(ap);
}
