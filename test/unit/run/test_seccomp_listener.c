/* Real containers whose filters notify a receiver: needs user namespaces and a static /bin/busybox, skips without them. */
#include "container.h"
#include "receiver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/base64.h"
#include "sys/fd.h"
#include "sys/pidfd.h"

#define HANG 60		/* seconds; nothing here takes one */

static char *tree;
static char sockets[] = "/tmp/bryo-receiver-XXXXXX";

struct fixture {
	struct arena *arena;
	struct oci_spec *spec;
	struct rootfs rootfs;
	struct receiver receiver;
	struct run_process process;
	const char *profile, *cache;
	struct error err;
	char *out;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	alarm(HANG);
	f->arena = arena_new();
	f->rootfs = (struct rootfs){ .kind = ROOTFS_DIRECTORY, .path = tree };
	f->receiver.told = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	receiver_stop(&f->receiver);
	arena_free(f->arena);
	free(f);
	/* Nothing is left: no child of ours, so none of its own either. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return 0;
}

static void use_section(struct fixture *f, const char *script, const char *json)
{
	struct oci_seccomp *rules = arena_new_one(f->arena, struct oci_seccomp);

	f->spec = container_spec(f->arena, (const char *[]){ "sh", "-c", script, NULL });
	if (json && json_decode(f->arena, &oci_seccomp_shape, rules, json, strlen(json), "section", &f->err) < 0)
		fail_msg("%s", f->err.text);
	if (json)
		f->spec->linux_->seccomp = rules;
}

static struct run_plan *make_plan(struct fixture *f, int output)
{
	struct run_request request = { .spec = f->spec, .id = "moss1", .bundle = "/bundles/moss", .rootfs = &f->rootfs,
				       .root_mount = -1, .cgroup_fd = -1, .stdio = { -1, output, output },
				       .seccomp_profile = f->profile, .cache_dir = f->cache };

	return run_plan_new(f->arena, &request, &f->err);
}

/* Up to where the command would start; answers the reading end of its output, -1 with f->err. */
static int spawn(struct fixture *f)
{
	int ends[2];
	struct run_plan *plan;

	assert_int_equal(fd_pipe(ends), 0);
	plan = make_plan(f, ends[1]);
	if (plan && run_spawn(plan, &f->process, &f->err) == 0) {
		close(ends[1]);
		return ends[0];
	}
	close(ends[0]);
	close(ends[1]);
	return -1;
}

static int finish(struct fixture *f, int output)
{
	struct buffer out = BUFFER(65536);
	int code;

	if (run_release(&f->process, &f->err) < 0) {
		close(output);
		return -1;
	}
	fd_read_buffer(output, &out);
	close(output);
	f->out = arena_strndup(f->arena, out.data ? out.data : "", out.size);
	buffer_done(&out);
	code = pidfd_reap(f->process.pidfd);
	close(f->process.pidfd);
	return code;
}

static int run(struct fixture *f)
{
	int output = spawn(f);

	return output < 0 ? -1 : finish(f, output);
}

#define NOTIFY "\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\",\"getppid\"],\"action\":\"SCMP_ACT_NOTIFY\"}]"
#define NO_RULES "\"syscalls\":[]"

/* A section that names the receiver. */
static void use_rules(struct fixture *f, const char *script, const char *action, const char *more)
{
	use_section(f, script, arena_printf(f->arena, "{\"defaultAction\":\"%s\",\"listenerPath\":\"%s\","
					    "\"listenerMetadata\":\"a \\\"word\\\"\",%s}", action, f->receiver.path, more));
}

static void use_receiver(struct fixture *f, enum receiver_manner manner, const char *script, const char *action,
			 const char *more)
{
	receiver_start(&f->receiver, sockets, manner, false);
	use_rules(f, script, action, more);
}

/* --- what the receiver gets */

static void assert_member(const struct json *object, const char *name, const char *value)
{
	assert_non_null(json_get_string(object, name));
	assert_string_equal(json_get_string(object, name), value);
}

static void assert_state(struct fixture *f, const char *status, pid_t pid, pid_t first)
{
	char *text = receiver_message(&f->receiver, f->arena);
	const struct json *message = json_parse(f->arena, text, strlen(text), "message", &f->err), *state, *fds;

	if (!message)
		fail_msg("%s: %s", f->err.text, text);
	assert_member(message, "ociVersion", "1.2.0");
	assert_member(message, "metadata", "a \"word\"");
	fds = json_get(message, "fds");
	assert_int_equal(fds->list.n, 1);
	assert_string_equal(fds->list.v[0]->string, "seccompFd");
	assert_int_equal(json_get(message, "pid")->integer, pid);
	state = json_get(message, "state");
	assert_member(state, "ociVersion", "1.2.0");
	assert_member(state, "id", "moss1");
	assert_member(state, "status", status);
	assert_member(state, "bundle", "/bundles/moss");
	assert_int_equal(json_get(state, "pid")->integer, first);
	assert_member(json_get(state, "annotations"), "org.moss", "green");
}

static void test_answers(void **state)
{
	struct fixture *f = *state;

	use_receiver(f, RECEIVER_ANSWERS, "mkdir /x; echo $PPID; echo /proc/[0-9]*; ls /proc/self/fd",
		     "SCMP_ACT_ALLOW", "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]," NOTIFY);
	map_set(f->arena, &f->spec->annotations, "org.moss", "green");
	if (run(f) != 0)
		fail_msg("%s", f->err.text);
	/* No second process, no further descriptor (3 is ls's own). */
	assert_string_equal(f->out, "mkdir: can't create directory '/x': Invalid cross-device link\n4242\n/proc/1\n0\n1\n2\n3\n");
	assert_state(f, "creating", f->process.pid, f->process.pid);
}

static void test_far_path(void **state)
{
	struct fixture *f = *state;

	receiver_start(&f->receiver, sockets, RECEIVER_ANSWERS, true);
	use_rules(f, "echo $PPID", "SCMP_ACT_ALLOW", NOTIFY);
	if (run(f) != 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->out, "4242\n");
}

static void test_other_names(void **state)
{
	struct fixture *f = *state;

	receiver_start(&f->receiver, sockets, RECEIVER_ANSWERS, false);
	use_section(f, "echo $PPID", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"," NOTIFY "}");
	map_set(f->arena, &f->spec->annotations, "run.oci.seccomp.receiver", f->receiver.path);
	setenv("RUN_OCI_SECCOMP_RECEIVER", "/none", 1);
	assert_int_equal(run(f), 0);
	assert_string_equal(f->out, "4242\n");
	map_unset(&f->spec->annotations, "run.oci.seccomp.receiver");
	setenv("RUN_OCI_SECCOMP_RECEIVER", f->receiver.path, 1);
	assert_int_equal(run(f), 0);
	assert_string_equal(f->out, "4242\n");
	unsetenv("RUN_OCI_SECCOMP_RECEIVER");
}

/* A profile that names its receiver is read each time, one that notifies nobody is found. */
static void test_profile_file(void **state)
{
	struct fixture *f = *state;
	const char *text;

	receiver_start(&f->receiver, sockets, RECEIVER_ANSWERS, false);
	f->profile = arena_printf(f->arena, "%s/profile.json", sockets);
	f->cache = arena_printf(f->arena, "%s/cache", sockets);
	text = arena_printf(f->arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"%s\",%s}", f->receiver.path, NOTIFY);
	assert_int_equal(fd_write_file(AT_FDCWD, f->profile, text, strlen(text), 0600, false), 0);
	for (int i = 0; i < 2; i++) {
		use_section(f, "echo $PPID", NULL);
		if (run(f) != 0)
			fail_msg("%s", f->err.text);
		assert_string_equal(f->out, "4242\n");
	}
	text = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";
	assert_int_equal(fd_write_file(AT_FDCWD, f->profile, text, strlen(text), 0600, false), 0);
	for (int i = 0; i < 2; i++) {
		use_section(f, "mkdir /x || echo $PPID", NULL);
		assert_int_equal(run(f), 0);
		assert_string_equal(f->out, "mkdir: can't create directory '/x': Operation not permitted\n0\n");
	}
	assert_int_equal(fd_write_file(AT_FDCWD, f->profile, "{\"defaultAction\":\"X\"}", 21, 0600, false), 0);
	assert_int_equal(run(f), -1);
	assert_string_equal(f->err.text, arena_printf(f->arena, "%s: .defaultAction: unknown action \"X\"", f->profile));
}

static void test_exec(void **state)
{
	struct fixture *f = *state;
	struct oci_process process;
	struct run_process first;
	int output, ends[2];

	use_receiver(f, RECEIVER_ANSWERS, "sleep 100", "SCMP_ACT_ALLOW", NOTIFY);
	map_set(f->arena, &f->spec->annotations, "org.moss", "green");
	output = spawn(f);
	if (output < 0 || run_release(&f->process, &f->err) < 0)
		fail_msg("%s", f->err.text);
	first = f->process;
	assert_state(f, "creating", first.pid, first.pid);
	process = *f->spec->process;
	process.args = strings_split(f->arena, "sh;-c;echo $PPID", ";");
	assert_int_equal(fd_pipe(ends), 0);
	struct run_exec_request exec = { .target = first.pid, .target_pidfd = first.pidfd, .spec = f->spec, .id = "moss1",
					 .bundle = "/bundles/moss", .process = &process, .stdio = { -1, ends[1], ends[1] },
					 .cgroup_fd = -1 };
	struct run_plan *plan = run_exec_plan_new(f->arena, &exec, &f->err);

	if (!plan || run_spawn(plan, &f->process, &f->err) < 0)
		fail_msg("%s", f->err.text);
	close(ends[1]);
	assert_int_equal(finish(f, ends[0]), 0);
	assert_string_equal(f->out, "4242\n");
	assert_state(f, "running", f->process.pid, first.pid);
	run_abandon(&first);
	close(output);
}

/* --- filters that bind everything */

/* Every call waits for an answer: exec itself, and all that a hand-over by the process would need. */
static void test_everything_notifies(void **state)
{
	struct fixture *f = *state;

	use_receiver(f, RECEIVER_ANSWERS, "echo hello", "SCMP_ACT_NOTIFY", NO_RULES);
	if (run(f) != 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->out, "hello\n");
}

/* Neither to wait nor to look again, to close or to send is allowed. */
static void test_everything_kills(void **state)
{
	struct fixture *f = *state;

	use_receiver(f, RECEIVER_ANSWERS, "echo $PPID",
		     "SCMP_ACT_ALLOW", "\"syscalls\":[{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_NOTIFY\"},"
			     "{\"names\":[\"wait4\",\"waitid\",\"sched_yield\",\"futex\",\"sendmsg\",\"sendto\",\"kill\",\"nanosleep\","
			     "\"clock_nanosleep\",\"capset\",\"poll\",\"munmap\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"},"
			     "{\"names\":[\"close\"],\"action\":\"SCMP_ACT_ERRNO\"}]");
	if (run(f) != 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->out, "4242\n");
}

static void test_exec_forbidden(void **state)
{
	static const char *const actions[] = { "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(actions); i++) {
		use_section(f, "echo hello", arena_printf(f->arena, "{\"defaultAction\":\"%s\"}", actions[i]));
		assert_int_equal(run(f), -1);
		assert_non_null(strstr(f->err.text, "the seccomp filter forbids execve, which starts the command"));
	}
}

/* --- receivers that fail */

static void test_no_receiver(void **state)
{
	static const struct { const char *section, *complaint; } cases[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
		  ".linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs a receiver, and none is named" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"here\"}",
		  ".linux.seccomp.listenerPath: the receiver's socket \"here\" is not an absolute path" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/none\"}",
		  ".linux.seccomp.listenerPath: connect to the receiver /none: No such file or directory" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\",\"listenerPath\":\"/etc/passwd\"}",
		  ".linux.seccomp.listenerPath: connect to the receiver /etc/passwd: nobody listens" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		use_section(f, "echo hello", cases[i].section);
		assert_int_equal(run(f), -1);
		assert_string_equal(f->err.text, cases[i].complaint);
		assert_string_not_equal(f->err.hint, i == 1 ? "x" : "");
	}
	use_section(f, "echo hello", "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}");
	map_set(f->arena, &f->spec->annotations, "run.oci.seccomp.receiver", "/none");
	assert_int_equal(run(f), -1);
	assert_string_equal(f->err.text, ".annotations[\"run.oci.seccomp.receiver\"]: connect to the receiver /none: "
			    "No such file or directory");
}

/* The specification: without a call that notifies, the receiver is not looked at. */
static void test_needless_receiver(void **state)
{
	struct fixture *f = *state;

	use_section(f, "echo hello", "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/none\","
		    "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]}");
	assert_int_equal(run(f), 0);
	assert_string_equal(f->out, "hello\n");
}

/* Dead before it is told anything, under filters that let the process say so and that do not. */
static void test_receiver_leaves(void **state)
{
	static const struct { const char *action, *more; } sections[] = {
		{ "SCMP_ACT_ALLOW", NOTIFY }, { "SCMP_ACT_NOTIFY", NO_RULES },
		{ "SCMP_ACT_NOTIFY", "\"syscalls\":[{\"names\":[\"execve\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		  "{\"names\":[\"exit_group\",\"close\",\"sendmsg\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}]" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(sections); i++) {
		int output;

		use_receiver(f, RECEIVER_LEAVES, "echo hello", sections[i].action, sections[i].more);
		output = spawn(f);
		assert_true(output >= 0);
		receiver_wait(&f->receiver);
		assert_int_equal(finish(f, output), -1);
		if (!strstr(f->err.text, "hand the seccomp listener to its receiver: Broken pipe"))
			fail_msg("%s", f->err.text);
		receiver_stop(&f->receiver);
	}
}

/* With the only listener: what he should have answered fails, exec first of all. */
static void test_receiver_takes_and_ends(void **state)
{
	struct fixture *f = *state;

	use_receiver(f, RECEIVER_TAKES, "mkdir /x; echo end", "SCMP_ACT_ALLOW", NOTIFY);
	assert_int_equal(run(f), 0);
	assert_string_equal(f->out, "mkdir: can't create directory '/x': Function not implemented\nend\n");
	receiver_stop(&f->receiver);
#ifndef __SANITIZE_ADDRESS__	/* whose runtime never ends where it cannot get memory */
	use_receiver(f, RECEIVER_TAKES, "echo hello", "SCMP_ACT_NOTIFY", NO_RULES);
	assert_int_not_equal(run(f), 0);
	assert_string_not_equal(f->out, "hello\n");
#endif
}

/* Killed while its helper has more to say than a deaf receiver's queue takes: nothing of it is left. */
static void test_process_dies(void **state)
{
	struct fixture *f = *state;
	char *long_text = arena_alloc(f->arena, 4u << 20);
	int output;

	memset(long_text, 'x', (4u << 20) - 1);
	use_receiver(f, RECEIVER_SLEEPS, "echo hello", "SCMP_ACT_ALLOW", NOTIFY);
	container_drop_namespace(f->spec, "pid");
	map_set(f->arena, &f->spec->annotations, "org.long", long_text);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	output = spawn(f);
	if (output < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(send(f->process.release, "", 1, 0), 1);
	assert_int_equal(poll(&(struct pollfd){ .fd = output, .events = POLLIN }, 1, 200), 0);
	run_abandon(&f->process);
	receiver_stop(&f->receiver);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	close(output);
}

/* --- programs brought along */

static void use_program(struct fixture *f, const char *script, const struct sock_filter *v, size_t n)
{
	use_section(f, script, NULL);
	map_set(f->arena, &f->spec->annotations, "run.oci.seccomp_bpf_data",
		base64_encode(f->arena, (const char *)v, n * sizeof(*v)));
}

static void test_program(void **state)
{
	const struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct fixture *f = *state;

	receiver_start(&f->receiver, sockets, RECEIVER_ANSWERS, false);
	use_program(f, "echo $PPID", program, ELEMENTS(program));
	assert_int_equal(run(f), -1);
	assert_string_equal(f->err.text, ".linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs a receiver, and none is named");
	map_set(f->arena, &f->spec->annotations, "run.oci.seccomp.receiver", f->receiver.path);
	if (run(f) != 0)
		fail_msg("%s", f->err.text);
	assert_string_equal(f->out, "4242\n");
}

static void test_wrong_programs(void **state)
{
	static const struct { const char *data, *complaint; } cases[] = {
		{ "?", "no base64" }, { "", "a program of 0 instructions: the kernel takes 1 to 4096" },
		{ "AAAA", "3 bytes are no whole instructions of 8" },
		{ "AAAAAAAAAAA=", "instruction 0 of 1 is the last and no return" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		char *complaint = arena_printf(f->arena, ".annotations[\"run.oci.seccomp_bpf_data\"]: %s", cases[i].complaint);

		use_section(f, "echo hello", NULL);
		map_set(f->arena, &f->spec->annotations, "run.oci.seccomp_bpf_data", cases[i].data);
		assert_int_equal(run(f), -1);
		assert_string_equal(f->err.text, complaint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_far_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_profile_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything_notifies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything_kills, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec_forbidden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_receiver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_needless_receiver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receiver_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_receiver_takes_and_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_process_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_program, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_programs, setup, teardown),
		/* The last: a process of a user namespace cannot go back to the pid namespace of the host. */
		cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
	};
	const char *why = "there is no static /bin/busybox";
	int failed;

	tree = container_make_tree();
	if (!tree || !mkdtemp(sockets) || !container_enter_namespace(&why)) {
		fprintf(stderr, "skipped: %s\n", why);
		if (tree)
			container_remove_tree(tree);
		return 77;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	container_remove_tree(tree);
	container_remove_tree(sockets);
	free(tree);
	return failed;
}
