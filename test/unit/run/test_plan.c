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

/* Requests that are refused before anything happens. */
static void test_refused(void **state)
{
	struct rootfs empty = { .kind = ROOTFS_OVERLAY };
	struct error err;

	for (int i = 0; i < 12; i++) {
		struct oci_spec *spec = container_spec(*state, (const char *[]){ "true", NULL });
		struct run_request request = { .spec = spec, .rootfs = &directory, .root_mount = -1, .cgroup_fd = -1 };

		error_clear(&err);
		switch (i) {
		case 0: spec->process = NULL; break;
		case 1: spec->linux_ = NULL; break;
		case 2: spec->process->args.n = 0; break;
		case 3: spec->process->cwd = "relative"; break;
		case 4: spec->process->user.uid = UINT32_MAX; break;
		case 5: strings_add(*state, &spec->process->env, "*"); break;
		case 6: container_drop_namespace(spec, "mount"); break;
		case 7: ARRAY_ADD(*state, &spec->linux_->namespaces)->type = "moon"; break;
		case 8: ARRAY_ADD(*state, &spec->linux_->namespaces)->type = "user"; break;
		case 9: request.rootfs = &empty; break;
		case 10: map_set(*state, &spec->linux_->sysctl, "../../etc/passwd", "x"); break;
		case 11: strings_add(*state, &spec->process->capabilities->bounding, "CAP_MOON"); break;
		}
		if (run_plan_new(*state, &request, &err) || err.kind == ERROR_NONE)
			fail_msg("case %d is accepted", i);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(test_user_namespace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mount_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_propagation, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
