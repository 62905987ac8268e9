/* What texts of a request mean: signals, restart policies, limits, variables, security options, id maps */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/signal.h"
#include "engine/environment.h"
#include "engine/limits.h"
#include "engine/security.h"
#include "engine/userns_mode.h"

static struct arena *arena;

static int setup(void **state)
{
	arena = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(arena);
	return 0;
}

static struct strings list_of(const char *text)
{
	return *text ? strings_split(arena, text, "|") : (struct strings){ 0 };
}

static void signals(void **state)
{
	static const struct { const char *text; int number; } cases[] = {
		{ "TERM", 15 }, { "SIGTERM", 15 }, { "sigterm", 15 }, { "15", 15 }, { "KILL", 9 }, { "SIGRTMIN+3", 37 },
		{ "RTMAX-1", 63 }, { "RTMIN", 34 }, { "0", -1 }, { "65", -1 }, { "", -1 }, { "SIG", -1 }, { "RTMIN+31", -1 },
		{ "-9", -1 }, { "9x", -1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++)
		assert_int_equal(signal_parse(cases[i].text), cases[i].number);
}

static void restart_policies(void **state)
{
	static const struct { const char *text; int r; enum restart_policy policy; uint32_t max; } cases[] = {
		{ NULL, 0, RESTART_NO, 0 }, { "", 0, RESTART_NO, 0 }, { "no", 0, RESTART_NO, 0 },
		{ "always", 0, RESTART_ALWAYS, 0 }, { "unless-stopped", 0, RESTART_UNLESS_STOPPED, 0 },
		{ "on-failure", 0, RESTART_ON_FAILURE, 0 }, { "on-failure:3", 0, RESTART_ON_FAILURE, 3 },
		{ "on-failure:", -1 }, { "on-failure:x", -1 }, { "sometimes", -1 }, { "always:3", -1 },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		enum restart_policy policy;
		uint32_t max;

		assert_int_equal(restart_parse(cases[i].text, &policy, &max), cases[i].r);
		if (cases[i].r == 0) {
			assert_int_equal(policy, cases[i].policy);
			assert_int_equal(max, cases[i].max);
		}
	}
}

static void cgroup_limits(void **state)
{
	static const struct { struct create_request r; const char *expect; } cases[] = {
		{ { 0 }, "{}" },
		{ { .memory = "64m" }, "{\"memory\":{\"limit\":67108864,\"swap\":134217728}}" },
		{ { .memory = "64m", .memory_swap = "100m" }, "{\"memory\":{\"limit\":67108864,\"swap\":104857600}}" },
		{ { .memory = "64m", .memory_swap = "-1" }, "{\"memory\":{\"limit\":67108864,\"swap\":-1}}" },
		{ { .memory_reservation = "1g" }, "{\"memory\":{\"reservation\":1073741824}}" },
		{ { .cpus = "1.5" }, "{\"cpu\":{\"quota\":150000,\"period\":100000}}" },
		{ { .cpu_quota = "50000", .cpu_period = "200000" }, "{\"cpu\":{\"quota\":50000,\"period\":200000}}" },
		{ { .cpu_shares = "1024" }, "{\"cpu\":{\"shares\":1024}}" },
		{ { .cpuset_cpus = "0-1" }, "{\"cpu\":{\"cpus\":\"0-1\"}}" },
		{ { .pids_limit = "50" }, "{\"pids\":{\"limit\":50}}" },
		{ { .memory = "lots" }, NULL }, { { .memory = "1k" }, NULL }, { { .memory_swap = "64m" }, NULL },
		{ { .memory = "64m", .memory_swap = "32m" }, NULL }, { { .cpus = "two" }, NULL }, { { .cpus = "nan" }, NULL },
		{ { .cpus = "1", .cpu_quota = "5000" }, NULL }, { { .cpu_shares = "1" }, NULL }, { { .pids_limit = "many" }, NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct oci_resources resources = { 0 };
		struct error err = { 0 };
		int r = limits_resources(arena, &cases[i].r, &resources, &err);

		assert_int_equal(r, cases[i].expect ? 0 : -1);
		if (cases[i].expect)
			assert_string_equal(json_print(arena, json_encode(arena, &oci_resources_shape, &resources), 0), cases[i].expect);
		else
			assert_int_equal(err.kind, ERROR_USAGE);
	}
}

static void ulimits(void **state)
{
	static const struct { const char *text, *expect; } cases[] = {
		{ "core=0", "RLIMIT_CORE:0:0" }, { "nofile=10:20", "RLIMIT_NOFILE:10:20" }, { "host", NULL },
		{ "nofile=20:10", "!" }, { "nofile", "!" }, { "bogus=1", "!" }, { "nofile=a", "!" }, { "nofile=1:2:3", "!" },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct create_request r = { .ulimit = list_of(cases[i].text) };
		struct oci_process p = { 0 };
		struct error err = { 0 };
		bool found = false;

		if (cases[i].expect && *cases[i].expect == '!') {
			assert_int_equal(limits_ulimits(arena, &r, &p, &err), -1);
			continue;
		}
		assert_int_equal(limits_ulimits(arena, &r, &p, &err), 0);
		if (!cases[i].expect) {
			assert_int_equal(p.rlimits.n, 0);
			continue;
		}
		for (size_t k = 0; k < p.rlimits.n; k++)
			found |= str_eq(cases[i].expect, arena_printf(arena, "%s:%llu:%llu", p.rlimits.v[k].type,
				(unsigned long long)p.rlimits.v[k].soft, (unsigned long long)p.rlimits.v[k].hard));
		assert_true(found);
	}
}

static void variables(void **state)
{
	struct create_request r = { .no_http_proxy = true };
	struct image_container_config image = { 0 };
	struct strings env = { 0 };
	struct error err = { 0 };

	setenv("BRYO_TEST_A", "1", 1);
	setenv("BRYO_TEST_B", "2", 1);
	image.env = list_of("PATH=/bin|A=image|BROKEN|*|LANG=C");
	r.env = list_of("A=user|BRYO_TEST_A|EMPTY=|MISSING_HERE");
	r.unsetenv = list_of("LANG");
	assert_int_equal(environment_build(arena, &r, &image, &env, &err), 0);
	assert_string_equal(strings_join(arena, &env, " "), "PATH=/bin container=bryo A=user BRYO_TEST_A=1 EMPTY=");
	r.env = list_of("BRYO_TEST_*");
	env = (struct strings){ 0 };
	assert_int_equal(environment_build(arena, &r, &(struct image_container_config){ 0 }, &env, &err), 0);
	assert_string_equal(environment_get(&env, "BRYO_TEST_B"), "2");
	r.env = list_of("=x");
	assert_int_equal(environment_build(arena, &r, &image, &env, &err), -1);
}

static void security_options(void **state)
{
	struct create_request r = { .security_opt = list_of("no-new-privileges|seccomp=/p.json|mask=/a:/b|unmask=/proc/kcore|label=disable") };
	struct security s;
	struct error err = { 0 };

	assert_int_equal(security_parse(arena, &r, &s, &err), 0);
	assert_true(s.no_new_privileges && !s.unconfined && !s.unmask_all);
	assert_string_equal(s.seccomp_profile, "/p.json");
	assert_int_equal(s.mask.n, 2);
	assert_string_equal(s.unmask.v[0], "/proc/kcore");
	r.security_opt = list_of("seccomp=unconfined|unmask=ALL");
	assert_int_equal(security_parse(arena, &r, &s, &err), 0);
	assert_true(s.unconfined && s.unmask_all);
	r.security_opt = list_of("selinux=off");
	assert_int_equal(security_parse(arena, &r, &s, &err), -1);
	r.security_opt = list_of("mask=relative");
	assert_int_equal(security_parse(arena, &r, &s, &err), -1);
}

static void labels(void **state)
{
	static const struct { const char *options, *expect; } cases[] = {
		{ "", "- - - - -" }, { "label=disable", "disable - - - - -" }, { "label:disable", "disable - - - - -" },
		{ "label=type:spc_t", "- - spc_t - -" }, { "label=level:s0:c1,c2", "- - - s0:c1,c2 -" },
		{ "label:user:u|label=role:r|label=filetype:f_t", "u r - - f_t" }, { "label=type:a_t|label=type:b_t", "- - b_t - -" },
		{ "label=nested|label=type:t", "nested - - t - -" },
		{ "label=", NULL }, { "label", NULL }, { "label=type:", NULL }, { "label=type", NULL }, { "label=what:x", NULL },
		{ "label=disabled", NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct create_request r = { .security_opt = list_of(cases[i].options) };
		struct security s;
		struct error err = { 0 };
		const struct label_options *o = &s.label;

		assert_int_equal(security_parse(arena, &r, &s, &err), cases[i].expect ? 0 : -1);
		if (!cases[i].expect)
			assert_int_equal(err.kind, ERROR_USAGE);
		else
			assert_string_equal(cases[i].expect, arena_printf(arena, "%s%s%s %s %s %s %s", o->disable ? "disable " : "",
					    o->nested ? "nested " : "", o->user ?: "-", o->role ?: "-", o->type ?: "-",
					    o->level ?: "-", o->filetype ?: "-"));
	}
	assert_string_equal(label_shared(arena, "u:object_r:f_t:s0:c1,c2"), "u:object_r:f_t:s0");
	assert_string_equal(label_shared(arena, "u:object_r:f_t"), "u:object_r:f_t");
}

/* A FIFO without a name in place of a pipe; there are no labels here, so it just works. */
static void labelled_pipes(void **state)
{
	char dir[] = "/tmp/labels.XXXXXX", byte = 0;
	struct label_pipes how = { .label = "u:object_r:f_t:s0" };
	int ends[2];

	assert_non_null(mkdtemp(dir));
	how.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (label_pipe(&how, ends, NULL) == 0) {	/* -1: this kernel asks a policy */
		assert_int_equal(write(ends[1], "x", 1), 1);
		assert_int_equal(read(ends[0], &byte, 1), 1);
		close(ends[1]);
		assert_int_equal(read(ends[0], &byte, 1), 0);
		close(ends[0]);
	}
	close(how.dir);
	assert_int_equal(rmdir(dir), 0);	/* nothing is left */
}

/* U=1000, N=65536: the arithmetic that Podman's users know. */
static void id_maps(void **state)
{
	static const struct { const char *userns, *uid, *gid; } cases[] = {
		{ "", "", "" },
		{ "host", "", "" },
		{ "keep-id", "0 1 1000\n1000 0 1\n1001 1001 64536\n", "0 1 1000\n1000 0 1\n1001 1001 64536\n" },
		{ "keep-id:uid=200,gid=210", "0 1 200\n200 0 1\n201 201 65336\n", "0 1 210\n210 0 1\n211 211 65326\n" },
		{ "keep-id:size=1000", "0 1 999\n1000 0 1\n", "0 1 999\n1000 0 1\n" },
		{ "nomap", "0 1 65536\n", "0 1 65536\n" },
		{ "keep-id:uid=x", NULL, NULL }, { "keep-id:foo=1", NULL, NULL }, { "keep-idx", NULL, NULL }, { "bogus", NULL, NULL },
	};
	struct engine e = { .arena = arena, .identity = { .uid = 1000, .gid = 1000 } };

	idmap_add(arena, &e.identity.maps.uid, 0, 1000, 1);
	idmap_add(arena, &e.identity.maps.uid, 1, 100000, 65536);
	e.identity.maps.gid = e.identity.maps.uid;
	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct container c = { .request = { .userns = (char *)cases[i].userns } };
		struct id_maps maps;
		struct userns_user user;
		struct error err = { 0 };
		int r = userns_mode_maps(&e, &c, &maps, &user, &err);

		assert_int_equal(r, cases[i].uid ? 0 : -1);
		if (r < 0)
			continue;
		assert_string_equal(idmap_print(arena, &maps.uid), cases[i].uid);
		assert_string_equal(idmap_print(arena, &maps.gid), cases[i].gid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals), cmocka_unit_test(restart_policies), cmocka_unit_test(cgroup_limits),
		cmocka_unit_test(ulimits), cmocka_unit_test(variables), cmocka_unit_test(security_options),
		cmocka_unit_test(labels), cmocka_unit_test(labelled_pipes), cmocka_unit_test(id_maps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
