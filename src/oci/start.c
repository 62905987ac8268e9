/* start: a container that was created executes its command */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "oci/bundle.h"
#include "oci/hooks.h"
#include "oci/notify.h"
#include "oci/record.h"
#include "run/run.h"
#include "sys/fd.h"

static int reach(int dir_fd, struct error *err)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/start", dir_fd);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_errno(err, "reach the process that waits to be started");
	return fd_take(&fd);
}

/* An error of the start leaves a stopped container, to be deleted. */
static int go(const struct opened *c, struct error *err)
{
	_cleanup_fd_ int connection = reach(c->dir_fd, err);

	if (connection < 0 || run_go(connection, err) < 0)
		return -1;
	unlinkat(c->dir_fd, "start", 0);
	unlinkat(c->dir_fd, "created", 0);
	return 0;
}

/* With the lock given back: a service may take long to get ready, and be stopped meanwhile. */
static void await_readiness(struct oci *o, const struct opened *c, int listener)
{
	struct error err = { 0 };

	if (listener < 0 || c->process < 0)
		return;
	record_unlock(c->dir_fd);
	if (notify_wait(listener, c->process, (pid_t)c->record.pid, &err) < 0)
		oci_warn(o, "%s", err.text);
}

static int start(struct oci *o, struct opened *c, struct error *err)
{
	_cleanup_fd_ int listener = -1;
	struct hook_output output;
	struct hook_list poststart;
	struct oci_spec spec = { 0 };

	if (c->status != RECORD_CREATED)
		return error_set(err, ERROR_STATE, "it is %s: only a created one can be started", record_status_names[c->status]);
	if (c->record.needs_config && bundle_load_used(o, c->dir_fd, &spec, err) < 0)
		return -1;
	if (c->record.needs_config && !spec.process)
		return error_set(err, ERROR_INVALID, "config.json: .process: missing, and required to start");
	if (hooks_open_output(&c->record.annotations, &output, err) < 0)
		return -1;
	if (notify_listen(c->dir_fd, &listener, err) == 0 && go(c, err) == 0) {
		poststart = HOOKS(&spec, poststart, "poststart");
		hooks_run_all(o, &poststart, record_state(o->arena, &c->record, RECORD_RUNNING), &output);
		hooks_close_output(&output);
		await_readiness(o, c, listener);
		return 0;
	}
	hooks_close_output(&output);
	return -1;
}

int oci_start(struct oci *o, const char *id, struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;

	if (record_find(o, id, true, &c, err) < 0)
		return -1;
	return start(o, &c, err) < 0 ? error_frame(err, "start container `%s`", id) : 0;
}
