/* The kernel's side: only in test/lab, where the cgroups that root finds are the lab's own (test/e2e/cgroup*.bats run it
 * there), or with BRYO_LAB=1 where that does not matter. What the lab's hierarchies do not have is skipped, and named. */
#include "cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "cgroup/stats.h"
#include "sys/fd.h"
#include "sys/ns.h"

struct world {
	struct arena *arena;
	struct cgroup_host host;
	struct cgroup c;
	struct strings warnings;
	struct error err;
	int go;			/* the child waits until this is closed */
};

static struct world *setup(void)
{
	static struct world w;

	w = (struct world){ .arena = arena_new(), .go = -1 };
	if (!getenv("BRYO_LAB")) {
		print_message("skipped: not in test/lab\n");
		skip();
	}
	assert_int_equal(cgroup_probe(w.arena, "cgroupfs", &w.host, &w.err), 0);
	if (w.host.manager == CGROUP_NONE) {
		assert_non_null(w.host.why);
		print_message("skipped: %s\n", w.host.why);
		skip();
	}
	return &w;
}

static void need(struct world *w, const char *controller)
{
	if (strings_has(&w->host.controllers, controller))
		return;
	print_message("skipped: the controller %s is not here\n", controller);
	skip();
}

static void needs_root(struct world *w)
{
	if (w->host.privileged)
		return;
	print_message("skipped: needs root\n");
	skip();
}

static int try_create(struct world *w, const char *path, const char *resources)
{
	struct oci_spec spec = { .linux_ = arena_new_one(w->arena, struct oci_linux) };
	struct cgroup_request request = { .id = "test", .spec = &spec };

	spec.linux_->cgroups_path = (char *)path;
	spec.linux_->resources = arena_new_one(w->arena, struct oci_resources);
	if (json_decode(w->arena, &oci_resources_shape, spec.linux_->resources, resources, strlen(resources), "t", &w->err) < 0)
		fail_msg("%s", w->err.text);
	return cgroup_create(w->arena, &w->host, &request, &w->c, &w->warnings, &w->err);
}

static void create(struct world *w, const char *resources)
{
	if (try_create(w, NULL, resources) < 0)
		fail_msg("%s", w->err.text);
	assert_true(w->c.places.n > 0);
	assert_true(cgroup_is_empty(&w->c));
}

/* A child in the cgroup that runs work when it is let go. */
static pid_t start(struct world *w, int (*work)(void))
{
	int fd = cgroup_entry(&w->c, NULL, NULL), ends[2], pidfd;
	pid_t pid;
	char byte;

	assert_int_equal(fd_pipe(ends), 0);
	pid = ns_clone(0, fd, &pidfd);
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? work() : 99);
	}
	assert_true(pid > 0);
	close(pidfd);
	close(ends[0]);
	w->go = ends[1];
	if (cgroup_join(&w->c, NULL, pid, fd >= 0, &w->err) < 0)
		fail_msg("%s", w->err.text);
	fd_close(&fd);
	assert_false(cgroup_is_empty(&w->c));
	return pid;
}

static void let_go(struct world *w)
{
	fd_close(&w->go);
}

static int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void finish(struct world *w)
{
	assert_int_equal(cgroup_kill(&w->c), 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	assert_int_equal(cgroup_remove(&w->c), 0);
	assert_int_equal(access(w->c.places.v[0].path, F_OK), -1);
	assert_int_equal(cgroup_remove(&w->c), 0);
	assert_int_equal(cgroup_kill(&w->c), 0);
	assert_true(cgroup_is_empty(&w->c));
	arena_free(w->arena);
}

static int sleep_on(void)
{
	pause();
	return 0;
}

/* --- */
static void managers(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct cgroup_host h;
	struct error err = { 0 };

	assert_int_equal(cgroup_probe(arena, "nonsense", &h, &err), -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_int_equal(cgroup_probe(arena, "disabled", &h, &err), 0);
	assert_int_equal(h.manager, CGROUP_NONE);
	assert_non_null(h.why);
}

static void one_that_is_none(void **state)
{
	struct cgroup none = { 0 };
	struct error err = { 0 };
	size_t n = 1;
	int *pids;

	assert_true(cgroup_is_empty(&none));
	assert_false(cgroup_needs_join(&none, -1));
	assert_false(cgroup_can_freeze(&none));
	assert_false(cgroup_is_frozen(&none));
	assert_int_equal(cgroup_kill(&none), 0);
	assert_int_equal(cgroup_remove(&none), 0);
	assert_int_equal(cgroup_join(&none, NULL, 1, false, &err), 0);
	assert_int_equal(cgroup_pids(NULL, &none, &pids, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(cgroup_freeze(&none, true, &err), -1);
	assert_int_equal(err.kind, ERROR_UNSUPPORTED);
	assert_int_equal(cgroup_open(&none, NULL, &err), -1);
	assert_int_equal(errno, ENOENT);
}

/* What a state file says is not believed when it leads elsewhere. */
static void paths_outside(void **state)
{
	struct cgroup_place place = { .controllers = "", .path = "/sys/fs/cgroup/../../../tmp/x" };
	struct cgroup c = { .places = { &place, 1 } };
	struct error err = { 0 };

	assert_int_equal(cgroup_kill(&c), -1);
	assert_int_equal(cgroup_remove(&c), -1);
	assert_int_equal(cgroup_open(&c, NULL, &err), -1);
	place.path = "tmp";
	assert_int_equal(cgroup_remove(&c), -1);
}

static void life(void **state)
{
	struct world *w = setup();
	pid_t pid;
	int *pids;
	size_t n;

	create(w, "{}");
	pid = start(w, sleep_on);
	let_go(w);
	assert_int_equal(cgroup_pids(w->arena, &w->c, &pids, &n, &w->err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(pids[0], pid);
	assert_true(cgroup_can_freeze(&w->c));
	assert_false(cgroup_is_frozen(&w->c));
	assert_int_equal(cgroup_freeze(&w->c, true, &w->err), 0);
	assert_true(cgroup_is_frozen(&w->c));
	/* A signal leaves it frozen; with v1 it also waits, v2 lets a deadly one through as it does SIGKILL. */
	assert_int_equal(cgroup_signal(&w->c, SIGTERM, &w->err), 0);
	assert_true(cgroup_is_frozen(&w->c));
	assert_int_equal(cgroup_freeze(&w->c, false, &w->err), 0);
	assert_int_equal(WTERMSIG(reap(pid)), SIGTERM);
	assert_false(cgroup_oom_killed(&w->c));

	pid = start(w, sleep_on);
	assert_int_equal(cgroup_freeze(&w->c, true, &w->err), 0);
	assert_int_equal(cgroup_signal(&w->c, SIGKILL, &w->err), 0);
	assert_int_equal(WTERMSIG(reap(pid)), SIGKILL);
	let_go(w);
	finish(w);
}

/* Forks on and on: only who is stopped does not escape. */
static int fork_on(void)
{
	for (int i = 0; i < 100000; i++) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (pid < 0)
			return 98;
	}
	return pause();
}

static void nobody_escapes(void **state)
{
	struct world *w = setup();
	pid_t pid;

	create(w, "{}");
	pid = start(w, fork_on);
	let_go(w);
	reap(pid);
	assert_int_equal(cgroup_signal(&w->c, SIGTERM, &w->err), 0);
	for (int i = 0; i < 500 && !cgroup_is_empty(&w->c); i++)
		usleep(2000);
	assert_true(cgroup_is_empty(&w->c));

	pid = start(w, fork_on);
	let_go(w);
	reap(pid);
	assert_int_equal(cgroup_kill(&w->c), 0);
	for (int i = 0; i < 500 && !cgroup_is_empty(&w->c); i++)
		usleep(2000);
	finish(w);
}

static void below(void **state)
{
	struct world *w = setup();
	int fd, *pids;
	pid_t pid;
	size_t n;

	create(w, "{}");
	for (size_t i = 0; i < w->c.places.n; i++) {
		char *path = arena_printf(w->arena, "%s/sub", w->c.places.v[i].path);

		assert_int_equal(mkdir(path, 0755), 0);
		if (access(arena_printf(w->arena, "%s/cpuset.cpus", path), F_OK) == 0) {
			fd = open(arena_printf(w->arena, "%s/cpuset.mems", path), O_WRONLY);
			assert_true(write(fd, "0", 1) == 1);
			close(fd);
			fd = open(arena_printf(w->arena, "%s/cpuset.cpus", path), O_WRONLY);
			assert_true(write(fd, "0", 1) == 1);
			close(fd);
		}
	}
	pid = start(w, sleep_on);
	assert_int_equal(cgroup_join(&w->c, "../x", pid, false, &w->err), -1);
	if (cgroup_join(&w->c, "sub", pid, false, &w->err) < 0 && !error_is(&w->err, ERROR_INVALID))
		fail_msg("%s", w->err.text);
	error_clear(&w->err);
	assert_int_equal(cgroup_join(&w->c, "/sub", pid, false, &w->err), 0);
	assert_int_equal(cgroup_pids(w->arena, &w->c, &pids, &n, &w->err), 0);
	assert_int_equal(n, 1);
	assert_false(cgroup_is_empty(&w->c));
	assert_int_equal(cgroup_signal(&w->c, SIGTERM, &w->err), 0);
	reap(pid);
	let_go(w);
	finish(w);	/* with sub in it */
}

static void a_place_in_use_is_refused(void **state)
{
	struct world *w = setup();
	struct cgroup mine;
	pid_t pid;

	create(w, "{}");
	mine = w->c;
	pid = start(w, sleep_on);
	assert_int_equal(try_create(w, NULL, "{}"), -1);
	assert_int_equal(w->err.kind, ERROR_IN_USE);
	assert_non_null(strstr(w->err.text, "there are processes in the cgroup /"));
	w->c = mine;
	assert_false(cgroup_is_empty(&w->c));
	kill(pid, SIGKILL);
	reap(pid);
	error_clear(&w->err);
	create(w, "{}");
	assert_int_equal(cgroup_freeze(&w->c, true, &w->err), 0);
	assert_int_equal(try_create(w, NULL, "{}"), -1);
	assert_non_null(strstr(w->err.text, " is frozen"));
	w->c = mine;
	assert_int_equal(cgroup_freeze(&w->c, false, &w->err), 0);
	let_go(w);
	finish(w);
}

static void the_state_file_is_enough(void **state)
{
	struct world *w = setup();
	struct cgroup read;
	char *text;
	pid_t pid;

	create(w, "{}");
	text = json_print(w->arena, json_encode(w->arena, &cgroup_shape, &w->c), 0);
	if (json_decode(w->arena, &cgroup_shape, &read, text, strlen(text), "state", &w->err) < 0)
		fail_msg("%s", w->err.text);
	pid = start(w, sleep_on);
	assert_false(cgroup_is_empty(&read));
	assert_int_equal(cgroup_kill(&read), 0);
	reap(pid);
	let_go(w);
	finish(w);
}

static void limits_without_a_controller(void **state)
{
	struct world *w = setup();

	if (strings_has(&w->host.controllers, "rdma")) {
		print_message("skipped: there is an rdma controller\n");
		skip();
	}
	if (w->host.privileged) {
		assert_int_equal(try_create(w, NULL, "{\"rdma\":{\"mlx\":{\"hcaHandles\":1}}}"), -1);
		assert_int_equal(w->err.kind, ERROR_UNSUPPORTED);
		assert_string_equal(w->err.text, ".linux.resources.rdma.mlx: there is no cgroup controller rdma here");
		create(w, "{}");	/* nothing is left of it */
	} else {
		create(w, "{\"rdma\":{\"mlx\":{\"hcaHandles\":1}}}");
		assert_int_equal(w->warnings.n, 1);
		assert_string_equal(w->warnings.v[0], "resource limits are ignored (rdma): the cgroup controllers are not delegated "
				    "to this user");
	}
	finish(w);
}

/* --- limits that bite */
static int eat_memory(void)
{
	for (int i = 0; i < 64; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p == MAP_FAILED)
			return 1;
	}
	return 0;
}

static uint64_t limit_of(struct world *w)
{
	struct stats s;

	if (stats_read(w->arena, &w->c, &s, &w->err) < 0)
		fail_msg("%s", w->err.text);
	return s.memory.usage.limit;
}

static void update(struct world *w, const char *resources)
{
	struct oci_resources r;

	assert_int_equal(json_decode(w->arena, &oci_resources_shape, &r, resources, strlen(resources), "t", &w->err), 0);
	if (cgroup_update(w->arena, &w->c, &r, "", &w->err) < 0)
		fail_msg("%s", w->err.text);
}

static void memory(void **state)
{
	struct world *w = setup();
	struct pollfd p = { .events = POLLIN };
	pid_t pid;

	need(w, "memory");
	create(w, "{\"memory\":{\"limit\":16777216,\"swap\":16777216}}");
	assert_int_equal(limit_of(w), 16777216);
	p.fd = cgroup_watch(&w->c, &w->err);
	if (p.fd < 0)
		fail_msg("%s", w->err.text);
	pid = start(w, eat_memory);
	assert_int_equal(poll(&p, 1, 0), 0);
	let_go(w);
	assert_int_equal(WTERMSIG(reap(pid)), SIGKILL);
	assert_int_equal(poll(&p, 1, 5000), 1);
	close(p.fd);
	assert_true(cgroup_oom_killed(&w->c));
	assert_true(cgroup_oom_count(&w->c) > 0);
	finish(w);
}

static void memory_goes_up_and_down(void **state)
{
	struct world *w = setup();
	struct oci_resources r;
	static const char bad[] = "{\"memory\":{\"limit\":33554432,\"swap\":16777216}}";

	need(w, "memory");
	create(w, "{\"memory\":{\"limit\":16777216,\"swap\":16777216}}");
	update(w, "{\"memory\":{\"limit\":67108864,\"swap\":134217728}}");
	assert_int_equal(limit_of(w), 67108864);
	update(w, "{\"memory\":{\"limit\":8388608,\"swap\":8388608}}");
	assert_int_equal(limit_of(w), 8388608);
	update(w, "{\"memory\":{\"limit\":-1}}");
	assert_true(limit_of(w) == UINT64_MAX);
	assert_int_equal(json_decode(w->arena, &oci_resources_shape, &r, bad, strlen(bad), "t", &w->err), 0);
	assert_int_equal(cgroup_update(w->arena, &w->c, &r, "", &w->err), -1);
	assert_string_equal(w->err.text, ".memory.swap: memory and swap together are less than memory.limit");
	finish(w);
}

static int fork_ten(void)
{
	int n = 0;

	for (; n < 10; n++) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0)
			return pause();
	}
	return n;
}

static void pids_max(void **state)
{
	struct world *w = setup();
	struct stats s;
	pid_t pid;

	need(w, "pids");
	create(w, "{\"pids\":{\"limit\":4}}");
	pid = start(w, fork_ten);
	let_go(w);
	assert_int_equal(WEXITSTATUS(reap(pid)), 3);
	assert_int_equal(stats_read(w->arena, &w->c, &s, &w->err), 0);
	assert_int_equal(s.pids.current, 3);
	assert_int_equal(s.pids.limit, 4);
	assert_true(s.has & STATS_PIDS);
	finish(w);
}

static int burn(void)
{
	volatile uint64_t n = 0;

	for (alarm(1); n + 1 > 0;)
		n++;
	return 0;
}

static void processor_time(void **state)
{
	struct world *w = setup();
	struct stats s;
	pid_t pid;

	need(w, "cpu");
	create(w, "{\"cpu\":{\"quota\":10000,\"period\":50000,\"shares\":512,\"burst\":5000}}");
	update(w, "{\"cpu\":{\"quota\":2000,\"period\":10000,\"burst\":0}}");	/* the new quota is below the old burst */
	pid = start(w, burn);
	let_go(w);
	assert_int_equal(WTERMSIG(reap(pid)), SIGALRM);
	assert_int_equal(stats_read(w->arena, &w->c, &s, &w->err), 0);
	assert_true(s.cpu.throttling.throttled_periods > 0);
	assert_true(s.cpu.usage.total > 10000000);
	assert_in_range(s.cpu.usage.total, 10000000, 700000000);	/* a fifth of a second, more or less */
	finish(w);
}

static int on_processor_0(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1 && CPU_ISSET(0, &set) ? 0 : 1;
}

static void processors(void **state)
{
	struct world *w = setup();
	pid_t pid;

	need(w, "cpuset");
	create(w, "{\"cpu\":{\"cpus\":\"0\",\"mems\":\"0\"}}");
	pid = start(w, on_processor_0);
	let_go(w);
	assert_int_equal(WEXITSTATUS(reap(pid)), 0);
	finish(w);
	w = setup();
	assert_int_equal(try_create(w, NULL, "{\"cpu\":{\"cpus\":\"4000\"}}"), -1);
	assert_non_null(strstr(w->err.text, ".linux.resources.cpu.cpus: write 4000 to cpuset.cpus: "));
	create(w, "{}");
	finish(w);
}

/* --- devices */
static int open_device(unsigned major, unsigned minor, int flags)
{
	char name[] = "/dev/bryo-device.XXXXXX";	/* the lab's /tmp is nodev */
	int fd, result;

	if (!mkdtemp(name) || chdir(name) < 0)
		return 90;
	if (mknod("d", S_IFCHR | 0666, makedev(major, minor)) < 0)
		return 91;
	fd = open("d", flags | O_CLOEXEC);
	result = fd < 0 ? errno : 0;
	unlink("d");
	rmdir(name);
	return result;
}

static int open_null(void) { return open_device(1, 3, O_RDWR); }
static int read_kmsg(void) { return open_device(1, 11, O_RDONLY | O_NONBLOCK); }
static int write_kmsg(void) { return open_device(1, 11, O_WRONLY); }
static int both_kmsg(void) { return open_device(1, 11, O_RDWR); }

static int result_of(struct world *w, int (*work)(void))
{
	pid_t pid = start(w, work);

	let_go(w);
	return WEXITSTATUS(reap(pid));
}

static void devices(void **state)
{
	struct world *w = setup();

	needs_root(w);
	if (w->host.v1)
		need(w, "devices");
	create(w, "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
	assert_int_equal(result_of(w, open_null), 0);
	assert_int_equal(result_of(w, read_kmsg), EPERM);
	update(w, "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":11,"
	       "\"access\":\"r\"}]}");
	assert_int_equal(result_of(w, read_kmsg), 0);
	assert_int_equal(result_of(w, write_kmsg), EPERM);
	assert_int_equal(result_of(w, both_kmsg), EPERM);
	update(w, "{\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":1,\"access\":\"rw\"},"
	       "{\"allow\":false,\"type\":\"c\",\"major\":1,\"minor\":11,\"access\":\"w\"}]}");
	assert_int_equal(result_of(w, open_null), 0);
	assert_int_equal(result_of(w, both_kmsg), w->host.v1 ? 0 : EPERM);	/* v1 has no rule inside another */
	update(w, "{\"devices\":[{\"allow\":true,\"type\":\"a\",\"access\":\"rwm\"}]}");
	assert_int_equal(result_of(w, both_kmsg), 0);
	finish(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(managers),
		cmocka_unit_test(one_that_is_none),
		cmocka_unit_test(paths_outside),
		cmocka_unit_test(life),
		cmocka_unit_test(nobody_escapes),
		cmocka_unit_test(below),
		cmocka_unit_test(a_place_in_use_is_refused),
		cmocka_unit_test(the_state_file_is_enough),
		cmocka_unit_test(limits_without_a_controller),
		cmocka_unit_test(memory),
		cmocka_unit_test(memory_goes_up_and_down),
		cmocka_unit_test(pids_max),
		cmocka_unit_test(processor_time),
		cmocka_unit_test(processors),
		cmocka_unit_test(devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
