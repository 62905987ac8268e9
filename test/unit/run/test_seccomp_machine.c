/* The interpreter and the checker against the kernel's own. */
#include "run/seccomp_machine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/string.h"
#include "sys/seccomp.h"

#define CALLS 24
#define FIRST_CALL 2000		/* of no meaning to any kernel */
#define BODY 40

/* What the child of one program found out. */
struct found {
	int load;		/* 1: loaded, -errno: refused */
	int answers[CALLS];	/* errno */
};

static struct found *found;

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

static uint32_t next(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static const uint32_t constants[] = { 0, 1, 2, 7, 31, 32, 63, 64, 255, 0x7fff0000, 0x80000000, UINT32_MAX };

static uint32_t constant(uint32_t *seed)
{
	return next(seed, 3) ? constants[next(seed, ELEMENTS(constants))] : next(seed, 70);
}

static struct sock_filter load(uint32_t *seed)
{
	static const uint16_t codes[] = { BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM, BPF_LD | BPF_W | BPF_LEN,
					  BPF_LDX | BPF_W | BPF_LEN };

	switch (next(seed, 4)) {
	case 0:	return (struct sock_filter)BPF_STMT(next(seed, 2) ? BPF_ST : BPF_STX, next(seed, BPF_MEMWORDS));
	case 1:	return (struct sock_filter)BPF_STMT(next(seed, 2) ? BPF_LD | BPF_MEM : BPF_LDX | BPF_MEM, next(seed, 4));
	case 2:	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * next(seed, 12));
	default: return (struct sock_filter)BPF_STMT(codes[next(seed, ELEMENTS(codes))], constant(seed));
	}
}

static struct sock_filter calculation(uint32_t *seed)
{
	static const uint16_t ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH };
	uint16_t op = ops[next(seed, ELEMENTS(ops))];
	uint32_t k = constant(seed);

	switch (next(seed, 5)) {
	case 0:	return (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TAX, 0);
	case 1:	return (struct sock_filter)BPF_STMT(BPF_MISC | BPF_TXA, 0);
	case 2:	return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_NEG, 0);
	case 3:	return (struct sock_filter)BPF_STMT(BPF_ALU | op | BPF_X, 0);
	default: return (struct sock_filter)BPF_STMT(BPF_ALU | op | BPF_K, op == BPF_LSH || op == BPF_RSH ? k % 32 : k ? k : 1);
	}
}

static struct sock_filter comparison(uint32_t *seed, uint32_t left)
{
	static const uint16_t ops[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

	if (next(seed, 8) == 0)
		return (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, next(seed, left));
	return (struct sock_filter){ .code = (uint16_t)(BPF_JMP | ops[next(seed, 4)] | (next(seed, 2) ? BPF_X : BPF_K)),
				     .k = constant(seed), .jt = (uint8_t)next(seed, left), .jf = (uint8_t)next(seed, left) };
}

/* Other calls are let through; a body of anything ends in an errno out of the accumulator. */
static size_t make_program(struct sock_filter *v, uint32_t seed)
{
	static const struct sock_filter head[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_CALL, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_ST, 2), BPF_STMT(BPF_ST, 3),
	};
	static const struct sock_filter tail[] = {
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7ff), BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	size_t n = ELEMENTS(head);

	memcpy(v, head, sizeof(head));
	for (uint32_t i = 0; i < BODY; i++) {
		uint32_t kind = next(&seed, 3);

		v[n++] = kind == 0 ? load(&seed) : kind == 1 ? calculation(&seed) : comparison(&seed, BODY - i);
	}
	memcpy(v + n, tail, sizeof(tail));
	return n + ELEMENTS(tail);
}

static void arguments_of(int call, uint64_t args[6])
{
	for (uint32_t i = 0, seed = (uint32_t)call + 1; i < 6; i++)
		args[i] = (uint64_t)constant(&seed) << 32 | constant(&seed);
}

static void run_program(const struct sock_filter *v, size_t n, int calls)
{
	pid_t pid;

	memset(found, 0, sizeof(*found));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		found->load = seccomp_load_filter(v, n, 0) < 0 ? -errno : 1;
		for (int i = 0; i < calls; i++) {
			uint64_t a[6];

			arguments_of(i, a);
			found->answers[i] = syscall(FIRST_CALL + i, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void test_answers(void **state)
{
	struct sock_filter v[BODY + 16];
	size_t loaded = 0;

	for (uint32_t seed = 1; seed < 400; seed++) {
		size_t n = make_program(v, seed);

		run_program(v, n, CALLS);
		loaded += found->load == 1;
		assert_int_equal(seccomp_machine_check(*state, v, n, NULL), found->load == 1 ? 0 : -1);
		for (int i = 0; i < CALLS && found->load == 1; i++) {
			struct seccomp_data data = { .nr = FIRST_CALL + i };
			uint32_t answer;

			arguments_of(i, (uint64_t *)(void *)data.args);
			answer = seccomp_machine_answer(v, n, &data);
			if (answer == SECCOMP_RET_KILL_THREAD)	/* the division by zero: the child ended there */
				break;
			assert_int_equal(answer & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ERRNO);
			assert_int_equal(answer & SECCOMP_RET_DATA, found->answers[i]);
		}
	}
	assert_true(loaded > 100);
}

/* A changed program is refused by both or by none. */
static void test_check(void **state)
{
	struct sock_filter v[BODY + 16];
	size_t refused = 0;

	for (uint32_t seed = 1; seed < 3000; seed++) {
		uint32_t change = seed;
		size_t n = make_program(v, seed % 50), at = 7 + next(&change, (uint32_t)n - 7);

		switch (next(&change, 6)) {
		case 0:	v[at].code = (uint16_t)next(&change, 256); break;
		case 1:	v[at].code ^= (uint16_t)(1u << next(&change, 16)); break;
		case 2:	v[at].k = constant(&change); break;
		case 3:	v[at].jt = (uint8_t)next(&change, 64); break;
		case 4:	v[at].jf = (uint8_t)next(&change, 64); break;
		default: n -= next(&change, 12);
		}
		run_program(v, n, 0);
		refused += found->load < 0;
		if (found->load != 1 && found->load != -EINVAL)
			fail_msg("load: %s", strerror(-found->load));
		if ((seccomp_machine_check(*state, v, n, NULL) == 0) != (found->load == 1))
			fail_msg("seed %u, instruction %zu, code %x k %x", seed, at, v[at].code, v[at].k);
	}
	assert_true(refused > 500 && refused < 2500);
}

static void test_actions(void **state)
{
	const struct sock_filter native[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	}, quiet[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) }, any[] = { BPF_STMT(BPF_RET | BPF_A, 0) };
	const uint64_t seven[3] = { 0, 7, 0 }, eight[3] = { 7, 8, 7 };

	assert_int_equal(seccomp_machine_action(native, 4, SYS_read, seven), SECCOMP_RET_ERRNO);
	assert_int_equal(seccomp_machine_action(native, 4, SYS_read, eight), SECCOMP_RET_USER_NOTIF);
	assert_true(seccomp_machine_notifies(native, 4));
	assert_false(seccomp_machine_notifies(native, 3));
	assert_false(seccomp_machine_notifies(quiet, 1));
	assert_true(seccomp_machine_notifies(any, 1));
	/* Cut off: killed, not read beyond. */
	assert_int_equal(seccomp_machine_action(native, 1, SYS_read, seven), SECCOMP_RET_KILL_THREAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_actions, setup, teardown),
	};

	found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return found == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
