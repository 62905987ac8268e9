#include "run/seccomp_compile.h"
#include "run/seccomp_profile.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/run.h"
#include "sys/caps.h"
#include "sys/seccomp.h"

static const char profile[] =
	"{ \"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"defaultErrno\": \"ENOSYS\","
	"  \"archMap\": [ { \"architecture\": \"SCMP_ARCH_X86_64\", \"subArchitectures\": [ \"SCMP_ARCH_X86\" ] },"
	"                 { \"architecture\": \"SCMP_ARCH_AARCH64\", \"subArchitectures\": [ \"SCMP_ARCH_ARM\" ] } ],"
	"  \"syscalls\": ["
	"    { \"names\": [ \"read\" ], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [], \"includes\": {}, \"excludes\": {} },"
	"    { \"names\": [ \"bpf\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"caps\": [ \"CAP_BPF\" ] } },"
	"    { \"names\": [ \"bpf\" ], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1, \"excludes\": { \"caps\": [ \"CAP_BPF\" ] } },"
	"    { \"names\": [ \"arm_only\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"arches\": [ \"arm64\" ] } },"
	"    { \"names\": [ \"new\" ], \"action\": \"SCMP_ACT_ALLOW\", \"includes\": { \"minKernel\": \"5.10\" } },"
	"    { \"name\": \"old_form\", \"action\": \"SCMP_ACT_ALLOW\", \"args\": null,"
	"      \"excludes\": { \"minKernel\": \"6.0\" } } ] }";

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

/* The names that are left, with the first letter of their action. */
static char *names_left(struct arena *arena, const struct oci_seccomp *s)
{
	struct strings list = { 0 };

	for (size_t i = 0; i < s->syscalls.n; i++)
		for (size_t j = 0; j < s->syscalls.v[i].names.n; j++)
			strings_addf(arena, &list, "%s:%c", s->syscalls.v[i].names.v[j], s->syscalls.v[i].action[9]);
	return strings_join(arena, &list, " ");
}

static void test_filter(void **state)
{
	static const struct { struct seccomp_target target; const char *left; } cases[] = {
		{ { 0, "amd64", "SCMP_ARCH_X86_64", 5, 9 }, "read:A bpf:E old_form:A" },
		{ { CAPS_BIT(39), "amd64", "SCMP_ARCH_X86_64", 5, 10 }, "read:A bpf:A new:A old_form:A" },
		{ { 0, "arm64", "SCMP_ARCH_AARCH64", 6, 1 }, "read:A bpf:E arm_only:A new:A" },
	};
	struct error err = { 0 };

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct oci_seccomp *s = seccomp_profile_parse(*state, profile, strlen(profile), "test", &cases[i].target, &err);

		if (!s)
			fail_msg("%s", err.text);
		assert_string_equal(names_left(*state, s), cases[i].left);
		assert_int_equal(*s->default_errno_ret, 38);
		assert_int_equal(s->architectures.n, 2);
		assert_string_equal(s->architectures.v[0], cases[i].target.scmp_arch);
	}
}

static void test_malformed(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{}", "{\"defaultAction\": 1}", "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"x\"]}]}",
	};
	struct seccomp_target target = seccomp_target_native(0);
	struct error err = { 0 };

	for (size_t i = 0; i < ELEMENTS(texts); i++)
		assert_null(seccomp_profile_parse(*state, texts[i], strlen(texts[i]), "test", &target, &err));
}

static void test_refusals(void **state)
{
	struct oci_seccomp s = { .default_action = "SCMP_ACT_WHATEVER" };
	struct seccomp_code code;
	struct error err = { 0 };
	struct oci_syscall call = { .action = "SCMP_ACT_ALLOW" };
	struct oci_seccomp_arg arg = { .index = 7, .op = "SCMP_CMP_EQ" };

	assert_int_equal(seccomp_compile(*state, &s, &code, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	s.default_action = "SCMP_ACT_ERRNO";
	s.syscalls.v = &call;
	s.syscalls.n = 1;
	call.args.v = &arg;
	call.args.n = 1;
	assert_int_equal(seccomp_compile(*state, &s, &code, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
}

/* In a child under the filter: does the call fail with this errno (0: succeeds)? Exit codes tell which did not. */
static _Noreturn void try_calls(const struct seccomp_code *code)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_load_filter(code->v, code->n, code->flags) < 0)
		_exit(100);
	if (syscall(SYS_getppid) <= 0)
		_exit(1);
	if (syscall(SYS_keyctl, 0, 0) != -1 || errno != EPERM)
		_exit(2);
	if (syscall(SYS_bpf, 0, 0, 0) != -1 || errno != EPERM)
		_exit(3);
	if (syscall(1999) != -1 || errno != ENOSYS)
		_exit(4);
	if (socket(AF_VSOCK, SOCK_STREAM, 0) != -1 || errno != ENOSYS)
		_exit(5);
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		_exit(6);
	if (unshare(0) != -1 || errno != EPERM)
		_exit(7);
	_exit(0);
}

static void test_builtin(void **state)
{
	struct seccomp_target target = seccomp_target_native(0);
	struct oci_seccomp *s = seccomp_profile_builtin(*state, &target);
	struct seccomp_code code = { 0 };
	struct error err = { 0 };
	int status;
	pid_t pid;

	if (seccomp_compile(*state, s, &code, &err) < 0)
		fail_msg("%s", err.text);
	pid = fork();
	if (pid == 0)
		try_calls(&code);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void test_capabilities(void **state)
{
	static const struct { const char *add, *drop; bool privileged; const char *set; } cases[] = {
		{ NULL, NULL, false, "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID "
				     "CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_SETFCAP" },
		{ "kill", "ALL", false, "CAP_KILL" },
		{ NULL, "all", false, "" },
		{ "NET_ADMIN,cap_net_raw", "all", false, "CAP_NET_ADMIN CAP_NET_RAW" },
		{ "nope", NULL, false, NULL },
		{ NULL, "nope", false, NULL },
		{ "kill", "CAP_KILL", false, NULL },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct strings add = cases[i].add ? strings_split(*state, cases[i].add, ",") : (struct strings){ 0 };
		struct strings drop = cases[i].drop ? strings_split(*state, cases[i].drop, ",") : (struct strings){ 0 };
		struct strings set;
		struct error err = { 0 };

		if (run_capabilities(*state, &add, &drop, cases[i].privileged, &set, &err) < 0) {
			assert_null(cases[i].set);
			assert_int_equal(err.kind, ERROR_USAGE);
			continue;
		}
		assert_non_null(cases[i].set);
		assert_string_equal(strings_join(*state, &set, " "), cases[i].set);
	}
}

static void test_all_but_one(void **state)
{
	struct strings add = strings_split(*state, "all", ","), drop = strings_split(*state, "sys_admin", ","), set;

	assert_int_equal(run_capabilities(*state, &add, &drop, false, &set, NULL), 0);
	assert_int_equal(set.n, (size_t)caps_last());
	assert_false(strings_has(&set, "CAP_SYS_ADMIN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_builtin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_but_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
