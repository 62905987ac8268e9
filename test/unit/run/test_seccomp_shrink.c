#include "run/seccomp_shrink.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run/run.h"
#include "run/seccomp_compile.h"
#include "run/seccomp_profile.h"

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

static bool holds(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ: return a == k;
	case BPF_JGT: return a > k;
	default:      return a >= k;
	}
}

/* What the kernel would answer. */
static uint32_t decide(const struct sock_filter *v, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *f = &v[pc];

		if (f->code == (BPF_RET | BPF_K))
			return f->k;
		if (f->code == (BPF_LD | BPF_W | BPF_ABS))
			memcpy(&a, (const char *)data + f->k, sizeof(a));
		else if (f->code == (BPF_ALU | BPF_AND | BPF_K))
			a &= f->k;
		else if (f->code == (BPF_JMP | BPF_JA))
			pc += f->k;
		else
			pc += holds(f->code, a, f->k) ? f->jt : f->jf;
	}
	fail_msg("the program has no end");
	return 0;
}

static void assert_same(const struct sock_filter *old, size_t old_n, const struct sock_filter *new, size_t new_n,
			const struct seccomp_data *data)
{
	uint32_t expected = decide(old, old_n, data), got = decide(new, new_n, data);

	if (got != expected)
		fail_msg("arch %x call %d argument %llx: %x in place of %x", data->arch, data->nr,
			 (unsigned long long)data->args[0], got, expected);
}

static const uint64_t arguments[] = { 0, 1, 2, 8, 16, 40, 0x20000, 0x20008, 0x7c020000, 0x7e020000, 0x10000000, UINT32_MAX,
				      UINT64_MAX, UINT64_C(1) << 32, UINT64_C(0x200000008) };

static void compare(const struct sock_filter *old, size_t old_n, const struct sock_filter *new, size_t new_n, int number)
{
	static const uint32_t machines[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM,
					     AUDIT_ARCH_RISCV64, 7 };

	for (size_t i = 0; i < ELEMENTS(machines); i++) {
		for (size_t j = 0; j < ELEMENTS(arguments); j++) {
			struct seccomp_data data = { .nr = number, .arch = machines[i] };

			for (size_t k = 0; k < ELEMENTS(data.args); k++)
				data.args[k] = arguments[(j + k * (j % 3)) % ELEMENTS(arguments)];
			assert_same(old, old_n, new, new_n, &data);
		}
	}
}

/* The profile that containers get: every system call that there is or could be. */
static void test_profile(void **state)
{
	struct seccomp_target target = seccomp_target_native(0);
	struct seccomp_source source = { .rules = seccomp_profile_builtin(*state, &target), .name = "builtin", .where = "builtin: " };
	struct seccomp_code code = { 0 };
	struct sock_filter *new;
	struct error err = { 0 };
	size_t n;

	if (seccomp_compile(*state, &source, 5, &code, &err) < 0)
		fail_msg("%s", err.text);
	new = code.v;
	n = code.n;
	seccomp_shrink(*state, &new, &n);
	print_message("%zu instructions in place of %zu\n", n, code.n);
	assert_true(n < code.n);
	for (int number = -3; number < 1200; number++) {
		compare(code.v, code.n, new, n, number);
		compare(code.v, code.n, new, n, number | 0x40000000);
	}
	compare(code.v, code.n, new, n, INT32_MAX);
	compare(code.v, code.n, new, n, INT32_MIN);
}

static uint32_t next(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static uint8_t jump(uint32_t *seed, size_t left)
{
	return (uint8_t)next(seed, left > 256 ? 256 : (uint32_t)left);
}

/* Any program of the instructions that are understood, its jumps as wild as they may be. */
static void make_program(struct sock_filter *v, size_t n, uint32_t seed)
{
	static const uint16_t comparisons[] = { BPF_JEQ, BPF_JGT, BPF_JGE };

	v[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4 * next(&seed, 2));
	for (size_t i = 1; i < n; i++) {
		size_t left = n - i - 1;
		uint32_t kind = left < 2 ? 9 : next(&seed, 10);

		v[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, next(&seed, 3) << 16);
		if (kind == 0)
			v[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4 * next(&seed, 8));
		else if (kind == 1)
			v[i] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, next(&seed, 64));
		else if (kind == 2)
			v[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, next(&seed, (uint32_t)left));
		else if (kind < 9)
			v[i] = (struct sock_filter){ .code = (uint16_t)(BPF_JMP | comparisons[next(&seed, 3)] | BPF_K),
						     .k = next(&seed, 60), .jt = jump(&seed, left), .jf = jump(&seed, left) };
	}
}

static void test_any_program(void **state)
{
	struct sock_filter old[1500], *new;
	size_t changed = 0;

	for (uint32_t seed = 1; seed < 3000; seed++) {
		size_t old_n = seed % 50 ? 4 + seed % 90 : 1500, n = old_n;

		make_program(old, old_n, seed);
		new = old;
		seccomp_shrink(*state, &new, &n);
		changed += new != old;
		for (int number = 0; number < 64; number += 1 + (int)(seed % 3))
			compare(old, old_n, new, n, number);
	}
	assert_true(changed > 1000);
}

/* --- any section */

static char *pick(uint32_t *seed, const char *const *names, uint32_t n)
{
	return (char *)(unsigned long)names[next(seed, n)];
}

static void add_argument(struct arena *arena, struct oci_syscall *call, uint32_t *seed)
{
	static const char *const operators[] = { "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE",
						 "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ" };
	struct oci_seccomp_arg *a = ARRAY_ADD(arena, &call->args);

	a->index = next(seed, 6);
	a->op = pick(seed, operators, ELEMENTS(operators));
	a->value = arguments[next(seed, ELEMENTS(arguments))];
	a->value_two = arguments[next(seed, ELEMENTS(arguments))];
}

static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_NOTIFY" };

/* Calls that architectures have or lack, number in several ways, or put behind another one. */
static void add_rule(struct arena *arena, struct oci_seccomp *s, uint32_t *seed)
{
	static const char *const names[] = {
		"read", "write", "open", "openat", "socket", "connect", "sendmsg", "recvmsg", "shmat", "semop", "semtimedop",
		"msgget", "ipc", "socketcall", "clone", "fork", "mmap", "mmap2", "stat64", "fstat", "personality", "time",
		"clock_gettime64", "arch_prctl", "breakpoint", "riscv_flush_icache", "bpf", "seccomp", "getpid", "exit_group",
		"futex", "futex_time64", "execve", "rt_sigaction", "ioctl", "umount", "umount2", "setuid32", "pidfd_open",
	};
	struct oci_syscall *call = ARRAY_ADD(arena, &s->syscalls);

	call->action = pick(seed, actions, ELEMENTS(actions));
	for (uint32_t i = 1 + next(seed, 12); i > 0; i--)
		strings_add(arena, &call->names, pick(seed, names, ELEMENTS(names)));
	for (uint32_t i = next(seed, 2) ? next(seed, 4) : 0; i > 0; i--)
		add_argument(arena, call, seed);
}

static struct oci_seccomp *make_section(struct arena *arena, uint32_t seed)
{
	static const char *const architectures[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64",
						     "SCMP_ARCH_ARM", "SCMP_ARCH_RISCV64" };
	struct oci_seccomp *s = arena_new_one(arena, struct oci_seccomp);

	s->default_action = pick(&seed, actions, ELEMENTS(actions));
	for (uint32_t i = next(&seed, 4); i > 0; i--)
		strings_add(arena, &s->architectures, pick(&seed, architectures, ELEMENTS(architectures)));
	for (uint32_t i = 1 + next(&seed, 12); i > 0; i--)
		add_rule(arena, s, &seed);
	return s;
}

static void compare_all(const struct seccomp_code *code, const struct sock_filter *new, size_t n)
{
	for (int number = -1; number < 470; number++) {
		compare(code->v, code->n, new, n, number);
		compare(code->v, code->n, new, n, number | 0x40000000);
	}
}

/* Some contradict themselves: those have no program to compare. */
static void test_sections(void **state)
{
	size_t compared = 0, changed = 0;

	for (uint32_t seed = 1; seed <= 120; seed++) {
		_cleanup_arena_ struct arena *arena = arena_new();
		struct seccomp_source source = { .rules = make_section(arena, seed), .name = "section", .where = "section" };
		struct seccomp_code code = { 0 };
		struct sock_filter *new;
		size_t n;

		if (seccomp_compile(arena, &source, 5, &code, NULL) < 0)	/* libseccomp forgets some memory then */
			continue;
		new = code.v;
		n = code.n;
		seccomp_shrink(arena, &new, &n);
		compare_all(&code, new, n);
		compared++;
		changed += new != code.v;
	}
	assert_true(compared > 60 && changed > compared - 5);
}

/* Cut off, jumping out, or with other instructions: nothing is done to it. */
static void test_not_understood(void **state)
{
	struct sock_filter cases[][3] = {
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_RET | BPF_A, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 2, 0), BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0), BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX), BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, 0) },
		{ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) },
	};

	for (size_t i = 0; i < ELEMENTS(cases); i++) {
		struct sock_filter *v = cases[i];
		size_t n = 3;

		seccomp_shrink(*state, &v, &n);
		assert_ptr_equal(v, cases[i]);
		assert_int_equal(n, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_profile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sections, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_program, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_understood, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
