#include "run/seccomp_compile.h"
#include "run/seccomp_profile.h"

#include <errno.h>
#include <linux/audit.h>
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
#include "run/seccomp_features.h"
#include "run/seccomp_machine.h"
#include "run/seccomp_newer.h"
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
		struct seccomp_source source;
		const struct oci_seccomp *s;

		if (seccomp_profile_parse(*state, profile, strlen(profile), "test", &cases[i].target, &source, &err) < 0)
			fail_msg("%s", err.text);
		s = source.rules;
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
	struct seccomp_source source;
	struct error err = { 0 };

	for (size_t i = 0; i < ELEMENTS(texts); i++)
		assert_int_equal(seccomp_profile_parse(*state, texts[i], strlen(texts[i]), "test", &target, &source, &err), -1);
}

/* --- sections */

static int compile(struct arena *arena, const char *json, bool known_only, struct seccomp_code *ret, struct error *err)
{
	struct oci_seccomp *rules = arena_new_one(arena, struct oci_seccomp);
	struct seccomp_source source = { .rules = rules, .name = ".linux.seccomp", .where = ".linux.seccomp", .known_only = known_only };

	*ret = (struct seccomp_code){ 0 };
	error_clear(err);
	if (json_decode(arena, &oci_seccomp_shape, rules, json, strlen(json), "section", err) < 0)
		fail_msg("%s", err->text);
	return seccomp_compile(arena, &source, 5, ret, err);
}

#define RULE(more) "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}," \
		   "{\"names\":[\"nosuchcall\",\"write\"]," more "}]}"
#define ARGUMENT(more) RULE("\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{" more "}]")

static const struct { const char *json, *complaint; } wrong[] = {
	{ "{\"defaultAction\":\"SCMP_ACT_X\"}", ".linux.seccomp.defaultAction: unknown action \"SCMP_ACT_X\"" },
	{ "{\"defaultAction\":\"ALLOW\"}", ".linux.seccomp.defaultAction: unknown action \"ALLOW\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":1}",
	  ".linux.seccomp.defaultErrnoRet: the action \"SCMP_ACT_ALLOW\" takes no errno" },
	{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":65536}",
	  ".linux.seccomp.defaultErrnoRet: 65536 is more than 4094, the largest for \"SCMP_ACT_ERRNO\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"X\\n\"]}",
	  ".linux.seccomp.flags[1]: unknown flag \"X?\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_Z80\"]}",
	  ".linux.seccomp.architectures[1]: unknown architecture \"SCMP_ARCH_Z80\"" },
	{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"\"]}",
	  ".linux.seccomp.architectures[0]: unknown architecture \"\"" },
	{ RULE("\"action\":\"X\""), ".linux.seccomp.syscalls[1].action: unknown action \"X\"" },
	{ RULE("\"action\":\"SCMP_ACT_KILL\",\"errnoRet\":0"),
	  ".linux.seccomp.syscalls[1].errnoRet: the action \"SCMP_ACT_KILL\" takes no errno" },
	{ RULE("\"action\":\"SCMP_ACT_TRACE\",\"errnoRet\":65536"),
	  ".linux.seccomp.syscalls[1].errnoRet: 65536 is more than 65535, the largest for \"SCMP_ACT_TRACE\"" },
	{ ARGUMENT("\"index\":0,\"value\":1,\"op\":\"X\""), ".linux.seccomp.syscalls[1].args[1].op: unknown operator \"X\"" },
	{ ARGUMENT("\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\""),
	  ".linux.seccomp.syscalls[1].args[1].index: 6: a system call has the arguments 0 to 5" },
	{ ARGUMENT("\"index\":4294967296,\"value\":1,\"op\":\"SCMP_CMP_EQ\""),
	  ".linux.seccomp.syscalls[1].args[1].index: 4294967296: a system call has the arguments 0 to 5" },
	{ "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}]}",
	  ".linux.seccomp.syscalls[0].names: no system call is named" },
	/* A contradiction that libseccomp does not resolve. */
	{ "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":["
	  "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]},"
	  "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_TRAP\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	  ".linux.seccomp.syscalls[1].names[0]: \"read\" has another action already under these conditions" },
};

static void test_positions(void **state)
{
	struct seccomp_code code;
	struct error err = { 0 };

	for (size_t i = 0; i < ELEMENTS(wrong); i++) {
		assert_int_equal(compile(*state, wrong[i].json, false, &code, &err), -1);
		assert_string_equal(err.text, wrong[i].complaint);
		assert_int_equal(err.kind, ERROR_INVALID);
	}
}

/* In files the rules are counted as they stand there, whatever was left out. */
static void test_positions_in_files(void **state)
{
	static const char file[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		"{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"CAP_BPF\"]}},"
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_WHAT\"}]}";
	struct seccomp_target target = seccomp_target_native(0);
	struct seccomp_source source;
	struct seccomp_code code = { 0 };
	struct error err = { 0 };

	assert_int_equal(seccomp_profile_parse(*state, file, strlen(file), "/etc/p.json", &target, &source, &err), 0);
	assert_int_equal(source.rules->syscalls.n, 1);
	assert_int_equal(seccomp_compile(*state, &source, 5, &code, &err), -1);
	assert_string_equal(err.text, "/etc/p.json: .syscalls[1].action: unknown action \"SCMP_ACT_WHAT\"");
}

static void test_names_of_errors(void **state)
{
	static const char file[] =
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrno\":\"ENOSYS\",\"listenerPath\":\"/l\",\"syscalls\":["
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"EACCES\",\"errnoRet\":1},"
		"{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ERRNO\",\"errno\":\"ENEVER\",\"errnoRet\":7}]}";
	struct seccomp_target target = seccomp_target_native(0);
	struct seccomp_source source;

	assert_int_equal(seccomp_profile_parse(*state, file, strlen(file), "p", &target, &source, NULL), 0);
	assert_int_equal(*source.rules->default_errno_ret, ENOSYS);
	assert_int_equal(*source.rules->syscalls.v[0].errno_ret, EACCES);
	assert_int_equal(*source.rules->syscalls.v[1].errno_ret, 7);
	assert_string_equal(source.rules->listener_path, "/l");
}

static void test_unknown_calls(void **state)
{
	struct seccomp_code code;
	struct error err = { 0 };

	assert_int_equal(compile(*state, RULE("\"action\":\"SCMP_ACT_ALLOW\""), false, &code, &err), 0);
	assert_int_equal(compile(*state, RULE("\"action\":\"SCMP_ACT_ALLOW\""), true, &code, &err), -1);
	assert_string_equal(err.text, ".linux.seccomp.syscalls[1].names[0]: unknown system call \"nosuchcall\"");
}

/* What the section says of one call with these first arguments, on the native architecture. */
static uint32_t answer(struct arena *arena, const char *json, long number, uint64_t first, uint64_t second)
{
	struct seccomp_data data = { .nr = (int)number, .args = { first, second } };
	struct seccomp_code code;
	struct error err = { 0 };

	if (compile(arena, json, false, &code, &err) < 0)
		fail_msg("%s", err.text);
	data.arch = code.v[1].k;	/* as libseccomp begins: with a comparison of the architecture */
	return seccomp_machine_answer(code.v, code.n, &data);
}

static void test_actions(void **state)
{
	static const struct { const char *action; uint32_t value; } actions[] = {
		{ "\"SCMP_ACT_KILL\"", SECCOMP_RET_KILL_THREAD }, { "\"SCMP_ACT_KILL_THREAD\"", SECCOMP_RET_KILL_THREAD },
		{ "\"SCMP_ACT_KILL_PROCESS\"", SECCOMP_RET_KILL_PROCESS }, { "\"SCMP_ACT_TRAP\"", SECCOMP_RET_TRAP },
		{ "\"SCMP_ACT_ERRNO\"", SECCOMP_RET_ERRNO | EPERM }, { "\"SCMP_ACT_TRACE\"", SECCOMP_RET_TRACE | EPERM },
		{ "\"SCMP_ACT_ERRNO\",\"errnoRet\":0", SECCOMP_RET_ERRNO },
		{ "\"SCMP_ACT_TRACE\",\"errnoRet\":65535", SECCOMP_RET_TRACE | 65535 },
		{ "\"SCMP_ACT_ALLOW\"", SECCOMP_RET_ALLOW }, { "\"SCMP_ACT_LOG\"", SECCOMP_RET_LOG },
		{ "\"SCMP_ACT_NOTIFY\"", SECCOMP_RET_USER_NOTIF },
	};

	for (size_t i = 0; i < ELEMENTS(actions); i++) {
		const char *json = arena_printf(*state, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,"
						"\"syscalls\":[{\"names\":[\"read\"],\"action\":%s}]}", actions[i].action);

		assert_int_equal(answer(*state, json, SYS_read, 0, 0), actions[i].value);
		assert_int_equal(answer(*state, json, SYS_write, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	}
}

/* With read and openat2 as all that is listed, calls above are newer than the profile. */
static void test_newer(void **state)
{
	static const struct { const char *action; bool newer_matters; } defaults[] = {
		{ "\"SCMP_ACT_ERRNO\"", true }, { "\"SCMP_ACT_KILL_PROCESS\"", true }, { "\"SCMP_ACT_TRAP\"", true },
		{ "\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38", false }, { "\"SCMP_ACT_ALLOW\"", false },
		{ "\"SCMP_ACT_LOG\"", false }, { "\"SCMP_ACT_NOTIFY\"", false },
	};

	for (size_t i = 0; i < ELEMENTS(defaults); i++) {
		const char *json = arena_printf(*state, "{\"defaultAction\":%s,\"syscalls\":["
						"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
						"{\"names\":[\"openat2\"],\"action\":\"SCMP_ACT_ERRNO\"}]}", defaults[i].action);
		struct seccomp_code code, with;
		struct error err = { 0 };
		uint64_t args[3] = { 0 };

		assert_int_equal(compile(*state, json, false, &code, &err), 0);
		assert_int_equal(code.newest, defaults[i].newer_matters ? SYS_openat2 : 0);
		with = code;
		seccomp_newer_answer(*state, &with);
		for (long number = 0; number < 600; number++) {
			uint32_t old = seccomp_machine_action(code.v, code.n, number, args);
			struct seccomp_data data = { .nr = (int)number, .arch = SECCOMP_NATIVE };
			uint32_t new = seccomp_machine_answer(with.v, with.n, &data);

			if (number > SYS_openat2 && defaults[i].newer_matters)
				assert_int_equal(new, SECCOMP_RET_ERRNO | ENOSYS);
			else
				assert_int_equal(new & SECCOMP_RET_ACTION_FULL, old);
		}
	}
}

static void test_operators(void **state)
{
	static const struct { const char *op; uint64_t value, value_two; bool below, same, above; } operators[] = {
		{ "NE", 0x100000005, 0, true, false, true },	{ "LT", 0x100000005, 0, true, false, false },
		{ "LE", 0x100000005, 0, true, true, false },	{ "EQ", 0x100000005, 0, false, true, false },
		{ "GE", 0x100000005, 0, false, true, true },	{ "GT", 0x100000005, 0, false, false, true },
		{ "MASKED_EQ", 0x100000001, 0x100000001, false, true, false },
	};

	for (size_t i = 0; i < ELEMENTS(operators); i++) {
		const char *json = arena_printf(*state, "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"read\"],"
						"\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":%llu,\"valueTwo\":%llu,"
						"\"op\":\"SCMP_CMP_%s\"}]}]}", (unsigned long long)operators[i].value,
						(unsigned long long)operators[i].value_two, operators[i].op);

		assert_int_equal(answer(*state, json, SYS_read, 0, 5) == SECCOMP_RET_ALLOW, operators[i].below);
		assert_int_equal(answer(*state, json, SYS_read, 0, 0x100000005) == SECCOMP_RET_ALLOW, operators[i].same);
		assert_int_equal(answer(*state, json, SYS_read, 0, 0x200000006) == SECCOMP_RET_ALLOW, operators[i].above);
	}
}

#define EQUAL(index, value) "{\"index\":" #index ",\"value\":" #value ",\"op\":\"SCMP_CMP_EQ\"}"
#define ON_READ(args) "{\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[\"read\"]," \
		      "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" args "]}]}"

/* On different arguments all must hold; where one is named twice, any. */
static void test_conditions(void **state)
{
	static const char all[] = ON_READ(EQUAL(0, 1) "," EQUAL(1, 2)), any[] = ON_READ(EQUAL(0, 1) "," EQUAL(0, 2) "," EQUAL(1, 3));
	static const char many[] = ON_READ(EQUAL(0, 1) "," EQUAL(0, 2) "," EQUAL(0, 3) "," EQUAL(0, 4) "," EQUAL(0, 5) ","
					   EQUAL(0, 6) "," EQUAL(0, 7) "," EQUAL(0, 8));

	assert_int_equal(answer(*state, all, SYS_read, 1, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(*state, all, SYS_read, 1, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(answer(*state, any, SYS_read, 2, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(*state, any, SYS_read, 0, 3), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(*state, any, SYS_read, 0, 1), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(answer(*state, many, SYS_read, 8, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer(*state, many, SYS_read, 9, 0), SECCOMP_RET_KILL_THREAD);
}

static bool knows(const struct seccomp_code *code, uint32_t arch)
{
	for (size_t i = 0; i < code->n; i++)
		if (code->v[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && code->v[i].k == arch)
			return true;
	return false;
}

static void test_architectures(void **state)
{
	static const char other[] = "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_AARCH64\",\"riscv64\","
				    "\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_AARCH64\"],\"syscalls\":[{\"names\":[\"bpf\"],"
				    "\"action\":\"SCMP_ACT_ERRNO\"}]}";
	struct seccomp_code code;
	struct error err = { 0 };

	if (compile(*state, other, false, &code, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(knows(&code, AUDIT_ARCH_AARCH64) && knows(&code, AUDIT_ARCH_RISCV64) && knows(&code, AUDIT_ARCH_X86_64));
	assert_int_equal(compile(*state, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_S390X\"]}", false,
				 &code, &err), __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? -1 : 0);
	assert_string_equal(err.text, ".linux.seccomp.architectures[0]: the byte order of \"SCMP_ARCH_S390X\" is not this machine's");
}

static unsigned flags_of(struct arena *arena, const char *list)
{
	struct seccomp_code code;
	struct error err = { 0 };

	if (compile(arena, arena_printf(arena, "{\"defaultAction\":\"SCMP_ACT_ALLOW\"%s}", list), false, &code, &err) < 0)
		fail_msg("%s", err.text);
	return code.flags;
}

static void test_flags(void **state)
{
	assert_int_equal(flags_of(*state, ""), SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	assert_int_equal(flags_of(*state, ",\"flags\":[\"SECCOMP_FILTER_FLAG_TSYNC\"]"), 0);
	assert_int_equal(flags_of(*state, ",\"flags\":[\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"]"),
			 SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
}

/* What no filter has room for is said, soon. */
static void test_huge(void **state)
{
	_cleanup_buffer_ struct buffer b = BUFFER(1u << 24);
	struct seccomp_code code;
	struct error err = { 0 };

	buffer_adds(&b, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[");
	for (int i = 0; i < 100000; i++)
		buffer_printf(&b, "%s{\"index\":%d,\"value\":%d,\"op\":\"SCMP_CMP_EQ\"}", i ? "," : "", i % 6, i);
	buffer_adds(&b, "]}]}");
	assert_int_equal(compile(*state, b.data, false, &code, &err), -1);
	assert_string_equal(err.text, ".linux.seccomp.syscalls[0].names[0]: the filter has more than 10000 rules");
}

/* libseccomp would need most of a minute for two thousand. */
static void test_limit(void **state)
{
	struct oci_syscall call = { .action = "SCMP_ACT_ALLOW" };
	struct oci_seccomp rules = { .default_action = "SCMP_ACT_ERRNO", .syscalls = { &call, 1 } };
	struct seccomp_source source = { .rules = &rules, .name = ".linux.seccomp", .where = ".linux.seccomp" };
	struct seccomp_code code = { 0 };
	struct error err = { 0 };

	strings_add(*state, &call.names, "read");
	assert_int_equal(seccomp_compile(*state, &source, 1, &code, &err), 0);
	assert_int_equal(code.v[0].code, BPF_LD | BPF_W | BPF_ABS);
	assert_int_equal(access(code.libseccomp, R_OK), 0);
	for (uint64_t i = 0; i < 2000; i++)
		*ARRAY_ADD(*state, &call.args) = (struct oci_seccomp_arg){ .index = i % 6, .value = i << 32 | i, .op = "SCMP_CMP_EQ" };
	assert_int_equal(seccomp_compile(*state, &source, 1, &code, &err), -1);
	assert_string_equal(err.text, ".linux.seccomp: libseccomp needs more than 1 seconds for these rules");
	call.action = "X";
	assert_int_equal(seccomp_compile(*state, &source, 1, &code, &err), -1);
	assert_string_equal(err.text, ".linux.seccomp.syscalls[0].action: unknown action \"X\"");
}

static void test_features(void **state)
{
	struct seccomp_features f;

	seccomp_features(*state, &f);
	assert_true(f.enabled);
	assert_int_equal(f.actions.n, 9);
	assert_int_equal(f.operators.n, 7);
	assert_int_equal(f.known_flags.n, 4);
	assert_true(strings_has(&f.archs, "SCMP_ARCH_X86_64") && strings_has(&f.archs, "SCMP_ARCH_RISCV64"));
	assert_true(strings_has(&f.supported_flags, "SECCOMP_FILTER_FLAG_LOG"));
	assert_non_null(strchr(f.libseccomp_version, '.'));
	for (size_t i = 0; i < f.supported_flags.n; i++)
		assert_true(strings_has(&f.known_flags, f.supported_flags.v[i]));
}

/* --- bryo's own profile */

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
	struct seccomp_source source = { .rules = seccomp_profile_builtin(*state, &target), .name = "builtin", .where = "builtin: " };
	struct seccomp_code code = { 0 };
	struct error err = { 0 };
	int status;
	pid_t pid;

	if (seccomp_compile(*state, &source, 5, &code, &err) < 0)
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
		cmocka_unit_test_setup_teardown(test_positions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_positions_in_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_of_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(test_actions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_operators, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_architectures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(test_huge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features, setup, teardown),
		cmocka_unit_test_setup_teardown(test_builtin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_but_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
