/* What run_plan_new decides, compared with test/golden/plan-*. With BRYO_GOLDEN=write the files are written anew. */
#include "container.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "run/mount_options.h"
#include "run/plan.h"

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void compare(const char *name, const struct buffer *got)
{
	char path[4096], wanted[65536];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/plan-%s.txt", GOLDEN_DIR, name);
	if (getenv("BRYO_GOLDEN")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fwrite(got->data, 1, got->size, f);
		fclose(f);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("there is no %s", path);
	n = fread(wanted, 1, sizeof(wanted) - 1, f);
	fclose(f);
	wanted[n] = '\0';
	assert_string_equal(got->data, wanted);
}

static void check(struct arena *arena, const char *name, const struct run_request *request)
{
	struct error err = { 0 };
	struct run_plan *plan = run_plan_new(arena, request, &err);
	struct buffer out = BUFFER(1 << 20);

	if (!plan)
		fail_msg("%s", err.text);
	assert_int_equal(run_plan_print(plan, &out), 0);
	compare(name, &out);
	buffer_done(&out);
}

static const struct rootfs directory = { .kind = ROOTFS_DIRECTORY, .path = "/tree" };

static void test_plain(void **state)
{
	struct oci_spec *spec = container_spec(*state, (const char *[]){ "sh", "-c", "true", NULL });
	struct rootfs overlay = { .kind = ROOTFS_OVERLAY, .upper = "/u", .work = "/w", .volatile_upper = true };

	strings_add(*state, &overlay.lower, "/layer2");
	strings_add(*state, &overlay.lower, "/layer1");
	check(*state, "plain", &(struct run_request){ .spec = spec, .rootfs = &overlay, .root_mount = -1, .cgroup_fd = 7 });
}

static void test_everything(void **state)
{
	struct oci_spec *spec = container_spec(*state, (const char *[]){ "/bin/app", NULL });
	struct oci_process *p = spec->process;
	struct oci_mount *m = ARRAY_ADD(*state, &spec->mounts);
	int64_t score = -300;

	*m = (struct oci_mount){ .destination = "/data", .type = "bind", .source = "/srv/data" };
	m->options = strings_split(*state, "rbind,ro,nosuid,rslave,noatime", ",");
	m = ARRAY_ADD(*state, &spec->mounts);
	*m = (struct oci_mount){ .destination = "/tmp", .type = "tmpfs", .source = "tmpfs" };
	m->options = strings_split(*state, "rw,nosuid,nodev,tmpcopyup,size=1m", ",");
	*ARRAY_ADD(*state, &spec->linux_->devices) = (struct oci_device){ .type = "c", .path = "/dev/fuse" };
	*ARRAY_ADD(*state, &spec->linux_->devices) = (struct oci_device){ .type = "p", .path = "/dev/pipe" };
	map_set(*state, &spec->linux_->sysctl, "net.ipv4.ping_group_range", "0 0");
	map_set(*state, &spec->linux_->sysctl, "net/ipv4/conf/eth0.1/forwarding", "1");
	spec->domainname = "example";
	spec->root->readonly = true;
	spec->linux_->rootfs_propagation = "rslave";
	p->terminal = true;
	p->console_size = &(struct oci_box){ .height = 24, .width = 80 };
	p->user.uid = 33;
	p->user.gid = 34;
	*ARRAY_ADD(*state, &p->user.additional_gids) = 35;
	*ARRAY_ADD(*state, &p->rlimits) = (struct oci_rlimit){ .type = "RLIMIT_NOFILE", .soft = 1024, .hard = 4096 };
	p->oom_score_adj = &score;
	p->no_new_privileges = true;
	check(*state, "everything", &(struct run_request){ .spec = spec, .rootfs = &directory, .root_mount = -1,
							   .cgroup_fd = -1 });
}

static void test_user_namespace(void **state)
{
	struct oci_spec *spec = container_spec(*state, (const char *[]){ "true", NULL });

	container_drop_namespace(spec, "network");
	ARRAY_ADD(*state, &spec->linux_->namespaces)->type = "user";
	*ARRAY_ADD(*state, &spec->linux_->namespaces) = (struct oci_namespace){ .type = "network", .path = "/run/netns/x" };
	*ARRAY_ADD(*state, &spec->linux_->uid_mappings) = (struct oci_id_mapping){ 0, 1, 1000 };
	*ARRAY_ADD(*state, &spec->linux_->uid_mappings) = (struct oci_id_mapping){ 1000, 0, 1 };
	*ARRAY_ADD(*state, &spec->linux_->gid_mappings) = (struct oci_id_mapping){ 0, 1, 1000 };
	check(*state, "userns", &(struct run_request){ .spec = spec, .rootfs = &directory, .root_mount = -1, .cgroup_fd = -1 });
}

static void test_exec(void **state)
{
	struct oci_spec *spec = container_spec(*state, (const char *[]){ "true", NULL });
	struct oci_process process = { .cwd = "/", .terminal = true };
	struct run_exec_request request = { .target = 1, .target_pidfd = 9, .spec = spec, .process = &process, .cgroup_fd = -1 };
	struct error err = { 0 };
	struct buffer out = BUFFER(65536);
	struct run_plan *plan;

	strings_add(*state, &process.args, "sh");
	plan = run_exec_plan_new(*state, &request, &err);
	assert_non_null(plan);
	assert_int_equal(run_plan_print(plan, &out), 0);
	compare("exec", &out);
	buffer_done(&out);
}

/* Requests that are refused before anything happens: a change to a good specification, and the position of the complaint. */
static void no_process(struct arena *a, struct oci_spec *s) { s->process = NULL; }
static void no_linux(struct arena *a, struct oci_spec *s) { s->linux_ = NULL; }
static void no_args(struct arena *a, struct oci_spec *s) { s->process->args.n = 0; }
static void relative_cwd(struct arena *a, struct oci_spec *s) { s->process->cwd = "relative"; }
static void far_uid(struct arena *a, struct oci_spec *s) { s->process->user.uid = UINT32_MAX; }
static void far_gid(struct arena *a, struct oci_spec *s) { s->process->user.gid = UINT64_MAX; }
static void star_env(struct arena *a, struct oci_spec *s) { strings_add(a, &s->process->env, "*"); }
static void no_mount_ns(struct arena *a, struct oci_spec *s) { container_drop_namespace(s, "mount"); }
static void no_uts_ns(struct arena *a, struct oci_spec *s) { container_drop_namespace(s, "uts"); }
static void moon_ns(struct arena *a, struct oci_spec *s) { ARRAY_ADD(a, &s->linux_->namespaces)->type = "moon"; }
static void two_ns(struct arena *a, struct oci_spec *s) { ARRAY_ADD(a, &s->linux_->namespaces)->type = "pid"; }
static void unmapped_ns(struct arena *a, struct oci_spec *s) { ARRAY_ADD(a, &s->linux_->namespaces)->type = "user"; }
static void relative_ns(struct arena *a, struct oci_spec *s) { s->linux_->namespaces.v[0].path = "ns"; }
static void sysctl_up(struct arena *a, struct oci_spec *s) { map_set(a, &s->linux_->sysctl, "../../etc/passwd", "x"); }
static void sysctl_of_host(struct arena *a, struct oci_spec *s) { map_set(a, &s->linux_->sysctl, "vm.swappiness", "1"); }
static void sysctl_name(struct arena *a, struct oci_spec *s) { map_set(a, &s->linux_->sysctl, "kernel/hostname", "x"); }
static void sysctl_no_ns(struct arena *a, struct oci_spec *s)
{
	container_drop_namespace(s, "ipc");
	map_set(a, &s->linux_->sysctl, "kernel.shmmax", "1");
}
static void relative_mask(struct arena *a, struct oci_spec *s) { strings_add(a, &s->linux_->masked_paths, "proc"); }
static void odd_propagation(struct arena *a, struct oci_spec *s) { s->linux_->rootfs_propagation = "often"; }
static void odd_oom(struct arena *a, struct oci_spec *s) { s->process->oom_score_adj = arena_memdup(a, &(int64_t){ 1001 }, 8); }
static void limits_twice(struct arena *a, struct oci_spec *s)
{
	for (int i = 0; i < 2; i++)
		ARRAY_ADD(a, &s->process->rlimits)->type = "RLIMIT_CPU";
}
static void odd_limit(struct arena *a, struct oci_spec *s) { ARRAY_ADD(a, &s->process->rlimits)->type = "RLIMIT_MOON"; }
static void soft_limit(struct arena *a, struct oci_spec *s)
{
	*ARRAY_ADD(a, &s->process->rlimits) = (struct oci_rlimit){ "RLIMIT_CPU", 1, 2 };
}
static void bind_nothing(struct arena *a, struct oci_spec *s)
{
	*ARRAY_ADD(a, &s->mounts) = (struct oci_mount){ .destination = "/x", .type = "bind" };
}
static void mount_nothing(struct arena *a, struct oci_spec *s) { ARRAY_ADD(a, &s->mounts)->destination = "/x"; }
static void half_idmap(struct arena *a, struct oci_spec *s)
{
	struct oci_mount *m = ARRAY_ADD(a, &s->mounts);

	*m = (struct oci_mount){ .destination = "/x", .type = "bind", .source = "/y" };
	ARRAY_ADD(a, &m->uid_mappings)->size = 1;
}
static void odd_device(struct arena *a, struct oci_spec *s)
{
	*ARRAY_ADD(a, &s->linux_->devices) = (struct oci_device){ .type = "x", .path = "/dev/x" };
}
static void relative_device(struct arena *a, struct oci_spec *s)
{
	*ARRAY_ADD(a, &s->linux_->devices) = (struct oci_device){ .type = "c", .path = "x" };
}
static void relative_hook(struct arena *a, struct oci_spec *s)
{
	s->hooks = arena_new_one(a, struct oci_hooks);
	ARRAY_ADD(a, &s->hooks->create_container)->path = "hook";
}
static void hook_in_no_time(struct arena *a, struct oci_spec *s)
{
	s->hooks = arena_new_one(a, struct oci_hooks);
	*ARRAY_ADD(a, &s->hooks->start_container) = (struct oci_hook){ .path = "/hook", .timeout = arena_new_one(a, int64_t) };
}
static void odd_clock(struct arena *a, struct oci_spec *s)
{
	ARRAY_ADD(a, &s->linux_->namespaces)->type = "time";
	ARRAY_ADD(a, &s->linux_->time_offsets)->clock = "sundial";
}
static void no_time_ns(struct arena *a, struct oci_spec *s) { ARRAY_ADD(a, &s->linux_->time_offsets)->clock = "monotonic"; }
static void odd_domain(struct arena *a, struct oci_spec *s)
{
	s->linux_->personality = arena_new_one(a, struct oci_personality);
	s->linux_->personality->domain = "SOLARIS";
}
static void odd_policy(struct arena *a, struct oci_spec *s)
{
	s->process->scheduler = arena_new_one(a, struct oci_scheduler);
	s->process->scheduler->policy = "SCHED_MOON";
}
static void odd_io_class(struct arena *a, struct oci_spec *s)
{
	s->process->io_priority = arena_new_one(a, struct oci_io_priority);
	*s->process->io_priority = (struct oci_io_priority){ "IOPRIO_CLASS_BE", 8 };
}
static void odd_nodes(struct arena *a, struct oci_spec *s)
{
	s->linux_->memory_policy = arena_new_one(a, struct oci_memory_policy);
	*s->linux_->memory_policy = (struct oci_memory_policy){ .mode = "MPOL_BIND", .nodes = "3-1" };
}
static void odd_affinity(struct arena *a, struct oci_spec *s)
{
	s->process->exec_cpu_affinity = arena_new_one(a, struct oci_cpu_affinity);
	s->process->exec_cpu_affinity->final = "0,,1";
}

static void test_refused(void **state)
{
	static const struct { void (*change)(struct arena *, struct oci_spec *); const char *position; } cases[] = {
		{ no_process, ".process:" }, { no_linux, ".linux:" }, { no_args, ".process.args:" },
		{ relative_cwd, ".process.cwd:" }, { far_uid, ".process.user.uid:" }, { far_gid, ".process.user.gid:" },
		{ star_env, ".process.env[1]:" }, { no_mount_ns, ".linux.namespaces:" }, { no_uts_ns, ".hostname:" },
		{ moon_ns, ".linux.namespaces[6].type:" }, { two_ns, ".linux.namespaces[6].type:" },
		{ unmapped_ns, ".linux.uidMappings:" }, { relative_ns, ".linux.namespaces[0].path:" },
		{ sysctl_of_host, ".linux.sysctl[\"vm.swappiness\"]:" }, { sysctl_name, ".linux.sysctl[\"kernel/hostname\"]:" },
		{ sysctl_no_ns, ".linux.sysctl[\"kernel.shmmax\"]: there is no ipc namespace" },
		{ sysctl_up, ".linux.sysctl[\"../../etc/passwd\"]:" }, { relative_mask, ".linux.maskedPaths[11]:" },
		{ odd_propagation, ".linux.rootfsPropagation:" }, { odd_oom, ".process.oomScoreAdj:" },
		{ limits_twice, ".process.rlimits[1].type:" }, { odd_limit, ".process.rlimits[0].type:" },
		{ soft_limit, ".process.rlimits[0].soft:" }, { bind_nothing, ".mounts[7].source:" },
		{ mount_nothing, ".mounts[7].type:" }, { half_idmap, ".mounts[7].gidMappings:" },
		{ odd_device, ".linux.devices[0].type:" }, { relative_device, ".linux.devices[0].path:" },
		{ relative_hook, ".hooks.createContainer[0].path:" }, { hook_in_no_time, ".hooks.startContainer[0].timeout:" },
		{ odd_clock, ".linux.timeOffsets:" }, { no_time_ns, ".linux.timeOffsets:" },
		{ odd_domain, ".linux.personality.domain:" }, { odd_policy, ".process.scheduler.policy:" },
		{ odd_io_class, ".process.ioPriority.priority:" }, { odd_nodes, ".linux.memoryPolicy.nodes:" },
		{ odd_affinity, ".process.execCPUAffinity.final:" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct oci_spec *spec = container_spec(*state, (const char *[]){ "true", NULL });
		struct run_request request = { .spec = spec, .rootfs = &directory, .root_mount = -1, .cgroup_fd = -1 };
		struct error err = { 0 };

		cases[i].change(*state, spec);
		if (run_plan_new(*state, &request, &err))
			fail_msg("%s is accepted", cases[i].position);
		if (!str_starts(err.text, cases[i].position))
			fail_msg("%s is expected, said is: %s", cases[i].position, err.text);
	}
}

/* What cannot be given is a warning. */
static void test_unknown_capability(void **state)
{
	struct oci_spec *spec = container_spec(*state, (const char *[]){ "true", NULL });
	struct strings warnings = { 0 };
	struct run_request request = { .spec = spec, .rootfs = &directory, .root_mount = -1, .cgroup_fd = -1,
				       .warnings = &warnings };
	struct error err = { 0 };

	strings_add(*state, &spec->process->capabilities->bounding, "CAP_MOON");
	assert_non_null(run_plan_new(*state, &request, &err));
	assert_int_equal(warnings.n, 1);
	assert_string_equal(warnings.v[0], ".process.capabilities.bounding[11]: unknown capability \"CAP_MOON\"");
}

static void test_mount_options(void **state)
{
	static const struct { const char *words, *print; } cases[] = {
		{ "", "" },
		{ "ro,rw", " rw" },
		{ "rw,ro", " ro" },
		{ "nosuid,nodev,noexec", " nosuid,nodev,noexec" },
		{ "rbind,rprivate", " rprivate" },
		{ "slave,mode=755,size=1k", " slave,mode=755,size=1k" },
		{ "rro,rnosuid", " rro,rnosuid" },
		{ "noatime,relatime", "" },
		{ "strictatime", " strictatime" },
		{ "defaults,z,Z,U,async", "" },
		{ "rbind,ridmap,copy-symlink", " copy-symlink,ridmap" },
		{ "sync,lazytime,size=1", " sync,lazytime,size=1" },
		{ "rrelatime,rnostrictatime", "" },
		{ "tmpcopyup,newinstance", " tmpcopyup,newinstance" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct strings words = strings_split(*state, cases[i].words, ",");
		struct mount_options o;
		struct buffer out = BUFFER(4096);

		mount_options_parse(*state, &words, &o);
		assert_int_equal(mount_options_print(&o, &out), 0);
		assert_string_equal(out.data ? out.data : "", cases[i].print);
		buffer_done(&out);
	}
}

static void test_propagation(void **state)
{
	bool tree = false;

	assert_int_equal(mount_options_propagation("rshared", &tree), MS_SHARED);
	assert_true(tree);
	assert_int_equal(mount_options_propagation("private", &tree), MS_PRIVATE);
	assert_false(tree);
	assert_int_equal(mount_options_propagation("ro", &tree), 0);
}

static void every_operation_has_a_name(void **state)
{
	(void)state;
	for (int kind = 0; kind < OP_KINDS; kind++)
		assert_non_null(op_name((enum op_kind)kind));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_has_a_name),
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_namespace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_capability, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mount_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_propagation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
