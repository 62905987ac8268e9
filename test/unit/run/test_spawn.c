/* Real containers: needs user namespaces and a static /bin/busybox, skips without them. */
#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/fd.h"
#include "sys/pidfd.h"

static char *tree;

struct fixture {
	struct arena *arena;
	struct oci_spec *spec;
	struct rootfs rootfs;
	struct error err;
	struct run_plan *plan;
	char *out;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new();
	f->rootfs = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = tree };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f);
	return 0;
}

/* Runs `sh -c script` in the fixture's container. */
static int sh(struct fixture *f, const char *script)
{
	if (!f->spec)
		f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", script, NULL });
	f->out = "";
	error_clear(&f->err);
	return container_run(f->arena, f->spec, &f->rootfs, &f->out, &f->err);
}

static void assert_text(const struct fixture *f, const char *text)
{
	if (!strstr(f->out, text))
		fail_msg("no \"%s\" in:\n%s(error: %s)", text, f->out, f->err.text);
}

static void test_exit_code(void **state)
{
	struct fixture *f = *state;
	int code = sh(f, "echo hello; exit 7");

	assert_string_equal(f->err.text, "");
	assert_int_equal(code, 7);
	assert_string_equal(f->out, "hello\n");
}

static void test_view(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sh(f, "echo pid $$; hostname; cat /proc/self/mounts; ls -l /dev; grep ^Cap /proc/self/status;"
			       "cat /sys/class/net/lo/operstate; ls /proc/acpi /proc/scsi | grep -v :; cat /proc/kcore;"
			       "touch /proc/sys/x 2>&1; ls /proc/self/fd; pwd; umask; cat /proc/1/cgroup"), 0);
	assert_text(f, "pid 1\nmoss\n");
	assert_text(f, "proc /proc proc rw,nosuid,nodev,noexec");
	assert_text(f, "tmpfs /dev tmpfs rw,nosuid,size=65536k");
	assert_text(f, "sysfs /sys sysfs ro,nosuid,nodev,noexec");
	assert_text(f, "ptmx -> pts/ptmx");
	assert_text(f, "CapEff:\t00000000800405fb");
	assert_text(f, "CapBnd:\t00000000800405fb");
	assert_text(f, "CapInh:\t0000000000000000");
	assert_text(f, "0\n1\n2\n3\n/\n0022\n");	/* 3 is what ls itself opened */
	assert_null(strstr(f->out, tree));
}

static void test_overlay(void **state)
{
	struct fixture *f = *state;
	char *upper = arena_printf(f->arena, "%s.upper", tree), *work = arena_printf(f->arena, "%s.work", tree);
	struct stat st;

	mkdir(upper, 0755);
	mkdir(work, 0755);
	f->rootfs = (struct rootfs){ .kind = ROOTFS_OVERLAY, .upper = upper, .work = work, .volatile_upper = true };
	strings_add(f->arena, &f->rootfs.lower, tree);
	assert_int_equal(sh(f, "echo new > /new; cat /new"), 0);
	assert_string_equal(f->out, "new\n");
	assert_int_equal(stat(arena_printf(f->arena, "%s/new", upper), &st), 0);
	assert_int_equal(stat(arena_printf(f->arena, "%s/new", tree), &st), -1);
	container_remove_tree(upper);
	container_remove_tree(work);
}

static void test_read_only(void **state)
{
	struct fixture *f = *state;

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "touch /x || touch /dev/shm/x", NULL });
	f->spec->root->readonly = true;
	assert_int_equal(sh(f, ""), 0);
	assert_text(f, "Read-only file system");
}

static void test_missing_command(void **state)
{
	struct fixture *f = *state;

	f->spec = container_spec(f->arena, (const char *[]){ "nope", NULL });
	assert_int_equal(sh(f, ""), -1);
	assert_int_equal(f->err.kind, ERROR_NO_COMMAND);
	assert_string_equal(f->err.text, "executable file `nope` not found in $PATH: No such file or directory");
	f->spec = container_spec(f->arena, (const char *[]){ "/nope", NULL });
	assert_int_equal(sh(f, ""), -1);
	assert_string_equal(f->err.text, "executable file `/nope` not found: No such file or directory");
}

static void test_not_executable(void **state)
{
	struct fixture *f = *state;

	f->spec = container_spec(f->arena, (const char *[]){ "/etc", NULL });
	assert_int_equal(sh(f, ""), -1);
	assert_int_equal(f->err.kind, ERROR_NOT_EXECUTABLE);
	assert_string_equal(f->err.text, "the path `/etc` is not a regular file: Permission denied");
	f->spec = container_spec(f->arena, (const char *[]){ "/proc/self/exe", NULL });
	assert_int_equal(sh(f, ""), -1);
	assert_int_equal(f->err.kind, ERROR_NOT_EXECUTABLE);
}

static void test_missing_source(void **state)
{
	struct fixture *f = *state;
	struct oci_mount *m;

	f->spec = container_spec(f->arena, (const char *[]){ "true", NULL });
	m = ARRAY_ADD(f->arena, &f->spec->mounts);
	*m = (struct oci_mount){ .destination = "/data", .type = "bind", .source = "/nonexistent" };
	assert_int_equal(sh(f, ""), -1);
	assert_non_null(strstr(f->err.text, "container setup, step "));
	assert_non_null(strstr(f->err.text, ": mount /nonexistent at /data: No such file or directory"));
	assert_non_null(strstr(f->err.hint, "does not exist"));
}

static void test_bind(void **state)
{
	struct fixture *f = *state;
	struct oci_mount *m;

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "cat /a/b/passwd; grep /a/b /proc/mounts; touch /a/b/passwd",
							     NULL });
	m = ARRAY_ADD(f->arena, &f->spec->mounts);
	*m = (struct oci_mount){ .destination = "/a/b/passwd", .type = "bind", .source = "/etc/passwd" };
	strings_add(f->arena, &m->options, "ro");
	strings_add(f->arena, &m->options, "nosuid");
	assert_int_equal(sh(f, ""), 1);
	assert_text(f, "root:");
	assert_text(f, " ro,nosuid");
	assert_text(f, "Read-only file system");
}

static void test_tmpcopyup(void **state)
{
	struct fixture *f = *state;
	struct oci_mount *m;

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "readlink /bin/sh; stat -f -c %T /bin", NULL });
	m = ARRAY_ADD(f->arena, &f->spec->mounts);
	*m = (struct oci_mount){ .destination = "/bin", .type = "tmpfs", .source = "tmpfs" };
	strings_add(f->arena, &m->options, "tmpcopyup");
	assert_int_equal(sh(f, ""), 0);
	assert_string_equal(f->out, "busybox\ntmpfs\n");
}

static void test_symlinked_dev(void **state)
{
	struct fixture *f = *state;
	char *outside = arena_printf(f->arena, "%s.outside", tree), *dev = arena_printf(f->arena, "%s/dev", tree);
	struct stat st;

	mkdir(outside, 0755);
	rmdir(dev);
	container_remove_tree(dev);
	assert_int_equal(symlink(outside, dev), 0);
	assert_int_equal(sh(f, "true"), 0);
	assert_int_equal(stat(arena_printf(f->arena, "%s/null", outside), &st), -1);
	unlink(dev);
	rmdir(outside);
}

/* The second container finds the first one's program in the cache. */
static void test_seccomp(void **state)
{
	struct fixture *f = *state;
	char *cache = arena_printf(f->arena, "%s.cache", tree);

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "grep -e NoNewPrivs -e Seccomp: /proc/self/status;"
							     "touch /etc/x && cat /etc/x; hostname x", NULL });
	for (int i = 0; i < 2; i++) {
		struct run_request request = { .spec = f->spec, .rootfs = &f->rootfs, .root_mount = -1, .cgroup_fd = -1,
					       .stdio = { -1, -1, -1 }, .cache_dir = cache, .seccomp_default = true };

		f->spec->process->terminal = true;
		f->spec->process->no_new_privileges = i == 1;
		f->plan = run_plan_new(f->arena, &request, &f->err);
		if (!f->plan)
			fail_msg("%s", f->err.text);
		assert_int_equal(container_run_plan(f->arena, f->plan, -1, &f->out, &f->err), 1);
		assert_text(f, i ? "NoNewPrivs:\t1\r\nSeccomp:\t2\r\n" : "NoNewPrivs:\t0\r\nSeccomp:\t2\r\n");
		assert_text(f, "Operation not permitted");
	}
	container_remove_tree(cache);
}

static void test_user(void **state)
{
	struct fixture *f = *state;

	/* One id is mapped here, so the other user is id 0 of a nested user namespace that maps it elsewhere. */
	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "id -u; id -g; grep -e CapEff -e CapBnd /proc/self/status",
							     NULL });
	ARRAY_ADD(f->arena, &f->spec->linux_->namespaces)->type = "user";
	*ARRAY_ADD(f->arena, &f->spec->linux_->uid_mappings) = (struct oci_id_mapping){ 1000, 0, 1 };
	*ARRAY_ADD(f->arena, &f->spec->linux_->gid_mappings) = (struct oci_id_mapping){ 1000, 0, 1 };
	f->spec->process->user.uid = f->spec->process->user.gid = 1000;
	f->spec->process->capabilities->effective = f->spec->process->capabilities->permitted = (struct strings){ 0 };
	if (sh(f, "") != 0)
		fail_msg("%s", f->err.text);
	assert_text(f, "1000\n1000\nCapEff:\t0000000000000000\nCapBnd:\t00000000800405fb\n");
}

/* A user namespace of its own, and a network namespace that belongs to ours. */
static void test_user_and_network_by_path(void **state)
{
	struct fixture *f = *state;

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "readlink /proc/self/ns/net; cat /proc/self/uid_map", NULL });
	container_drop_namespace(f->spec, "network");
	*ARRAY_ADD(f->arena, &f->spec->linux_->namespaces) =
		(struct oci_namespace){ .type = "network", .path = arena_printf(f->arena, "/proc/%d/ns/net", getpid()) };
	ARRAY_ADD(f->arena, &f->spec->linux_->namespaces)->type = "user";
	*ARRAY_ADD(f->arena, &f->spec->linux_->uid_mappings) = (struct oci_id_mapping){ 0, 0, 1 };
	*ARRAY_ADD(f->arena, &f->spec->linux_->gid_mappings) = (struct oci_id_mapping){ 0, 0, 1 };
	if (sh(f, "") != 0)
		fail_msg("%s", f->err.text);
	char own[64] = "";
	assert_true(readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0);
	assert_text(f, own);
}

/* As with --pid container:X and a pod's user namespace: another container's namespaces, all by path. */
static void test_namespaces_by_path(void **state)
{
	struct fixture *f = *state;
	struct oci_spec *first = container_spec(f->arena, (const char *[]){ "sleep", "60", NULL });
	static const char *const types[] = { "user", "pid", "network", "ipc", "uts" };
	static const char *const files[] = { "user", "pid", "net", "ipc", "uts" };
	struct run_process p;
	struct run_plan *plan;

	ARRAY_ADD(f->arena, &first->linux_->namespaces)->type = "user";
	*ARRAY_ADD(f->arena, &first->linux_->uid_mappings) = (struct oci_id_mapping){ 0, 0, 1 };
	*ARRAY_ADD(f->arena, &first->linux_->gid_mappings) = (struct oci_id_mapping){ 0, 0, 1 };
	plan = run_plan_new(f->arena, &(struct run_request){ .spec = first, .rootfs = &f->rootfs, .root_mount = -1, .cgroup_fd = -1,
							     .stdio = { -1, -1, 2 } }, &f->err);
	assert_non_null(plan);
	if (run_spawn(plan, &p, &f->err) < 0 || run_release(&p, &f->err) < 0)
		fail_msg("%s", f->err.text);
	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "hostname; cat /proc/1/comm; [ $$ -gt 1 ] && echo joined", NULL });
	f->spec->hostname = NULL;
	for (size_t i = 0; i < ELEMENTS(types); i++) {
		container_drop_namespace(f->spec, types[i]);
		*ARRAY_ADD(f->arena, &f->spec->linux_->namespaces) =
			(struct oci_namespace){ .type = (char *)types[i],
						.path = arena_printf(f->arena, "/proc/%d/ns/%s", p.pid, files[i]) };
	}
	if (sh(f, "") != 0)
		fail_msg("%s\n%s", f->err.text, f->out);
	assert_string_equal(f->out, "moss\nsleep\njoined\n");
	run_abandon(&p);
}

static void test_terminal(void **state)
{
	struct fixture *f = *state;
	struct run_plan *plan;

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", "tty; stty size; echo >/dev/tty; ls -l /dev/console", NULL });
	f->spec->process->terminal = true;
	f->spec->process->console_size = arena_new_one(f->arena, struct oci_box);
	*f->spec->process->console_size = (struct oci_box){ .height = 31, .width = 97 };
	struct run_request request = { .spec = f->spec, .rootfs = &f->rootfs, .root_mount = -1, .cgroup_fd = -1,
				       .stdio = { -1, -1, -1 } };
	plan = run_plan_new(f->arena, &request, &f->err);
	assert_non_null(plan);
	if (container_run_plan(f->arena, plan, -1, &f->out, &f->err) != 0)
		fail_msg("%s", f->err.text);
	assert_text(f, "/dev/pts/0\r\n31 97\r\n");
	assert_text(f, "crw");
}

static void test_exec(void **state)
{
	struct fixture *f = *state;
	struct run_plan *plan;
	struct run_process p;
	struct oci_process process = { .cwd = "/home", .capabilities = NULL };
	int ends[2];

	f->spec = container_spec(f->arena, (const char *[]){ "sleep", "60", NULL });
	struct run_request request = { .spec = f->spec, .rootfs = &f->rootfs, .root_mount = -1, .cgroup_fd = -1,
				       .stdio = { -1, -1, 2 } };
	plan = run_plan_new(f->arena, &request, &f->err);
	assert_non_null(plan);
	assert_int_equal(run_spawn(plan, &p, &f->err), 0);
	assert_int_equal(run_release(&p, &f->err), 0);
	strings_add(f->arena, &process.args, "sh");
	strings_add(f->arena, &process.args, "-c");
	strings_add(f->arena, &process.args, "hostname; pwd; cat /proc/1/comm; echo $X; grep CapEff /proc/self/status");
	strings_add(f->arena, &process.env, "X=y");
	assert_int_equal(fd_pipe(ends), 0);
	struct run_exec_request exec = { .target = p.pid, .target_pidfd = p.pidfd, .spec = f->spec, .process = &process,
					 .stdio = { -1, ends[1], ends[1] }, .cgroup_fd = -1 };
	plan = run_exec_plan_new(f->arena, &exec, &f->err);
	assert_non_null(plan);
	struct run_process e;
	if (run_spawn(plan, &e, &f->err) < 0 || run_release(&e, &f->err) < 0)
		fail_msg("%s", f->err.text);
	close(ends[1]);
	struct buffer out = BUFFER(65536);
	fd_read_buffer(ends[0], &out);
	f->out = arena_strndup(f->arena, out.data, out.size);
	buffer_done(&out);
	close(ends[0]);
	assert_int_equal(pidfd_reap(e.pidfd), 0);
	assert_string_equal(f->out, "moss\n/home\nsleep\ny\nCapEff:\t0000000000000000\n");
	run_abandon(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_exit_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_view, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overlay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_command, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_executable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_source, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tmpcopyup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_symlinked_dev, setup, teardown),
		cmocka_unit_test_setup_teardown(test_seccomp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_and_network_by_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_namespaces_by_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
	};
	const char *why = "there is no static /bin/busybox";
	int failed;

	tree = container_make_tree();
	if (!tree || !container_enter_namespace(&why)) {
		fprintf(stderr, "skipped: %s\n", why);
		if (tree)
			container_remove_tree(tree);
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	container_remove_tree(tree);
	free(tree);
	return failed;
}
