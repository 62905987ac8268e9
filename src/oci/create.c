/* create and run: a new container from a bundle */
#include "oci/creation.h"

#include <unistd.h>

#include "oci/foreground.h"
#include "oci/notify.h"
#include "sys/fd.h"

/* Hooks and relative sources start from the bundle, as with other runtimes. */
static int enter_bundle(const struct creation *c, struct error *err)
{
	return chdir(c->bundle.path) < 0 ? error_errno(err, "change to the bundle %s", c->bundle.path) : 0;
}

int oci_create(struct oci *o, const struct oci_create_request *request, struct error *err)
{
	struct creation c;
	int result = creation_begin(&c, o, request, true, err);

	if (result == 0)
		result = enter_bundle(&c, err);
	if (result == 0)
		result = creation_go(&c, err);
	fd_close(&c.process.pidfd);
	creation_end(&c, result < 0);
	return result;
}

static void after_start(struct creation *c)
{
	struct hook_list poststart = HOOKS(&c->bundle.spec, poststart, "poststart");

	hooks_run_all(c->o, &poststart, record_state(c->o->arena, &c->record, RECORD_RUNNING), &c->hook_output);
}

static int start_and_wait(struct creation *c, struct foreground *f, int *ret_exit_code, struct error *err)
{
	int result = creation_go(c, err);

	if (result == 0)
		after_start(c);
	f->notify = fd_take(&c->notify);
	creation_end(c, result < 0);
	if (result == 0)
		result = foreground_wait(f, &c->process, ret_exit_code, err);
	fd_close(&c->process.pidfd);
	if (result == 0 && !c->request->keep)
		result = oci_delete(c->o, c->record.id, true, err);
	return result;
}

static int run_foreground(struct creation *c, int *ret_exit_code, struct error *err)
{
	struct foreground f;
	int result;

	if (foreground_begin(&f, err) < 0) {
		creation_end(c, true);
		return -1;
	}
	result = start_and_wait(c, &f, ret_exit_code, err);
	foreground_end(&f);
	return result;
}

static int run_detached(struct creation *c, struct error *err)
{
	int result = creation_go(c, err), notify = fd_take(&c->notify);

	if (result == 0)
		after_start(c);
	creation_end(c, result < 0);
	if (result == 0 && notify >= 0)
		result = notify_wait(notify, c->process.pidfd, c->process.pid, err);
	fd_close(&notify);
	fd_close(&c->process.pidfd);
	return result;
}

int oci_run(struct oci *o, const struct oci_create_request *request, int *ret_exit_code, struct error *err)
{
	struct creation c;

	*ret_exit_code = 0;
	if (creation_begin(&c, o, request, false, err) < 0 || enter_bundle(&c, err) < 0) {
		creation_end(&c, true);
		return -1;
	}
	if (c.has_no_process) {
		creation_end(&c, true);
		return error_set(err, ERROR_INVALID, "%s: .process: missing, and required to run", c.bundle.name);
	}
	return request->detach ? run_detached(&c, err) : run_foreground(&c, ret_exit_code, err);
}
