/* kill, pause and resume: what is done to a container's processes */
#include <errno.h>
#include <signal.h>

#include "oci/members.h"
#include "oci/record.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

/* containerd looks for these words: a signal that comes too late is no failure to it. */
static int not_running(struct error *err)
{
	return error_set(err, ERROR_STATE, "container not running");
}

static int signal_first(const struct opened *c, int signal, struct error *err)
{
	if (c->process < 0)
		return not_running(err);
	if (pidfd_signal(c->process, signal) < 0)
		return errno == ESRCH ? not_running(err) : error_errno(err, "signal %d", signal);
	return 0;
}

static int signal_all(struct oci *o, const struct opened *c, int signal, struct error *err)
{
	struct members m;

	if (c->record.cgroup.places.n)
		return cgroup_signal(&c->record.cgroup, signal, err);
	if (members_find(o, c, &m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.n; i++)
		if (kill((pid_t)m.v[i], signal) < 0 && errno != ESRCH)
			return error_errno(err, "signal process %d", m.v[i]);
	return 0;
}

int oci_kill(struct oci *o, const char *id, int signal, bool all, struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;
	int result;

	if (record_find(o, id, false, &c, err) < 0)
		return -1;
	if (all)
		result = signal_all(o, &c, signal, err);
	else if (c.status == RECORD_STOPPED)
		result = not_running(err);
	else
		result = signal_first(&c, signal, err);
	return result < 0 ? error_frame(err, "kill container `%s`", id) : 0;
}

/* Without a cgroup that can be frozen: each process by itself. */
static int stop_each(struct oci *o, const struct opened *c, bool pause, struct error *err)
{
	struct members m;

	if (members_find(o, c, &m, err) < 0)
		return -1;
	for (size_t i = 0; i < m.n; i++)
		if (kill((pid_t)m.v[i], pause ? SIGSTOP : SIGCONT) < 0 && errno != ESRCH)
			return error_errno(err, "signal process %d", m.v[i]);
	return 0;
}

static int pause_it(struct oci *o, const struct opened *c, bool pause, struct error *err)
{
	const struct cgroup *group = &c->record.cgroup;

	if (pause && c->status != RECORD_RUNNING && c->status != RECORD_CREATED)
		return error_set(err, ERROR_STATE, "it is %s: only a running one can be paused", record_status_names[c->status]);
	if (!pause && cgroup_can_freeze(group) && c->status != RECORD_PAUSED)
		return error_set(err, ERROR_STATE, "it is %s, not paused", record_status_names[c->status]);
	if (cgroup_can_freeze(group))
		return cgroup_freeze(group, pause, err);
	return stop_each(o, c, pause, err);
}

int oci_pause(struct oci *o, const char *id, bool pause, struct error *err)
{
	_cleanup_opened_ struct opened c = RECORD_NONE;

	if (record_find(o, id, true, &c, err) < 0)
		return -1;
	return pause_it(o, &c, pause, err) < 0 ? error_frame(err, "%s container `%s`", pause ? "pause" : "resume", id) : 0;
}
