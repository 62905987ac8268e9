/* delete: what `create` made is taken away, then the poststop hooks run */
#include <errno.h>
#include <signal.h>

#include "oci/bundle.h"
#include "oci/hooks.h"
#include "oci/limits.h"
#include "oci/rdt.h"
#include "oci/record.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/trace.h"

#define END_MS 10000

static int end(const struct opened *c, struct error *err)
{
	if (c->process < 0)
		return 0;
	if (pidfd_signal(c->process, SIGKILL) < 0 && errno != ESRCH)
		return error_errno(err, "kill it");
	/* A frozen process dies when it is thawed; cgroup.kill needs no thawing. */
	if (c->status == RECORD_PAUSED && cgroup_kill(&c->record.cgroup) < 0)
		return error_errno(err, "kill its processes");
	if (pidfd_wait_exit(c->process, END_MS) != 1)
		return error_set(err, ERROR_FAILED, "its process does not end");
	return 0;
}

/* Everything but the directory; what cannot be removed is told, and does not keep the container from being deleted. */
static void take_away(struct oci *o, const struct record *r)
{
	cgroup_kill(&r->cgroup);
	if (cgroup_remove(&r->cgroup) < 0)
		oci_warn(o, "cgroup %s: %s", r->cgroup.path ? r->cgroup.path : "", strerror(errno));
	rdt_remove(r->rdt_group);
}

static void run_poststop(struct oci *o, const struct opened *c, const struct oci_spec *spec)
{
	struct hook_list poststop = HOOKS(spec, poststop, "poststop");
	struct error err = { 0 };
	struct hook_output output;

	if (!poststop.n)
		return;
	if (hooks_open_output(&c->record.annotations, &output, &err) < 0)
		oci_warn(o, "%s", err.text);
	hooks_run_all(o, &poststop, record_state(o->arena, &c->record, RECORD_STOPPED), &output);
	hooks_close_output(&output);
}

static int delete(struct oci *o, struct opened *c, bool force, struct error *err)
{
	struct oci_spec spec = { 0 };
	struct error no_config = { 0 };

	/* One that was created and never started goes as it is, as with other runtimes. */
	if (!force && c->status != RECORD_STOPPED && c->status != RECORD_CREATED) {
		error_set(err, ERROR_STATE, "it is %s: only a stopped one can be deleted", record_status_names[c->status]);
		return error_hint(err, "kill it first, or use --force");
	}
	if (end(c, err) < 0)
		return -1;
	if (c->record.needs_config && bundle_load_used(o, c->dir_fd, &spec, &no_config) < 0)
		oci_warn(o, "no hooks are run: %s", no_config.text);
	take_away(o, &c->record);
	if (record_remove(o, c->record.id, c->dir_fd, err) < 0)
		return -1;
	run_poststop(o, c, &spec);
	return 0;
}

/* What a killed `create` left, or what cannot be read any more: there is a directory, and little is known. */
static int delete_ruins(struct oci *o, const char *id, struct error *err)
{
	_cleanup_fd_ int dir_fd = record_open(o, id, true, err);
	struct error no_config = { 0 };
	struct oci_spec spec = { 0 };

	if (dir_fd < 0)
		return -1;
	if (bundle_load_used(o, dir_fd, &spec, &no_config) == 0)
		limits_remove_remains(o, id, &spec);
	return record_remove(o, id, dir_fd, err);
}

int oci_delete(struct oci *o, const char *id, bool force, struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;
	struct error failure = { 0 };
	_cleanup_trace_ struct trace_span span = trace_begin("delete the container");

	if (record_find(o, id, true, &c, &failure) == 0)
		return delete(o, &c, force, err) < 0 ? error_frame(err, "delete container `%s`", id) : 0;
	if (force && error_is(&failure, ERROR_NOT_FOUND))
		return 0;
	if (force && c.dir_fd >= 0) {
		record_close(&c);
		return delete_ruins(o, id, err);
	}
	if (err)
		*err = failure;
	return -1;
}
