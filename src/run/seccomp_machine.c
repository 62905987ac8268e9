#include "run/seccomp_machine.h"

#include <string.h>

#include "base/string.h"

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	bool stopped;			/* a division by zero */
};

static uint32_t calculate(struct machine *m, const struct sock_filter *f)
{
	uint32_t by = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:	return m->a + by;
	case BPF_SUB:	return m->a - by;
	case BPF_MUL:	return m->a * by;
	case BPF_OR:	return m->a | by;
	case BPF_AND:	return m->a & by;
	case BPF_XOR:	return m->a ^ by;
	case BPF_LSH:	return m->a << (by & 31);
	case BPF_RSH:	return m->a >> (by & 31);
	case BPF_NEG:	return -m->a;
	default:	m->stopped = by == 0; return by ? m->a / by : 0;
	}
}

static size_t distance(const struct machine *m, const struct sock_filter *f)
{
	uint32_t with = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
	bool holds = false;

	switch (BPF_OP(f->code)) {
	case BPF_JA:	return f->k;
	case BPF_JEQ:	holds = m->a == with; break;
	case BPF_JGT:	holds = m->a > with; break;
	case BPF_JGE:	holds = m->a >= with; break;
	case BPF_JSET:	holds = m->a & with; break;
	}
	return holds ? f->jt : f->jf;
}

static uint32_t load(const struct machine *m, const struct sock_filter *f, const struct seccomp_data *data)
{
	uint32_t word = 0;

	switch (BPF_MODE(f->code)) {
	case BPF_IMM:	return f->k;
	case BPF_LEN:	return sizeof(*data);
	case BPF_MEM:	return m->memory[f->k % BPF_MEMWORDS];
	default:
		if (f->k <= sizeof(*data) - sizeof(word))
			memcpy(&word, (const char *)data + f->k, sizeof(word));
		return word;
	}
}

/* Everything but jumps and returns. */
static void step(struct machine *m, const struct sock_filter *f, const struct seccomp_data *data)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_LD:	m->a = load(m, f, data); break;
	case BPF_LDX:	m->x = load(m, f, data); break;
	case BPF_ST:	m->memory[f->k % BPF_MEMWORDS] = m->a; break;
	case BPF_STX:	m->memory[f->k % BPF_MEMWORDS] = m->x; break;
	case BPF_ALU:	m->a = calculate(m, f); break;
	case BPF_MISC:
		if (BPF_MISCOP(f->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
	}
}

uint32_t seccomp_machine_answer(const struct sock_filter *v, size_t n, const struct seccomp_data *data)
{
	struct machine m = { 0 };

	for (size_t pc = 0; pc < n && !m.stopped; pc++) {
		const struct sock_filter *f = &v[pc];

		if (BPF_CLASS(f->code) == BPF_RET)
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		if (BPF_CLASS(f->code) == BPF_JMP)
			pc += distance(&m, f);
		else
			step(&m, f, data);
	}
	return SECCOMP_RET_KILL_THREAD;
}

uint32_t seccomp_machine_action(const struct sock_filter *v, size_t n, long number, const uint64_t args[3])
{
	struct seccomp_data data = { .nr = (int)number, .arch = SECCOMP_NATIVE, .args = { args[0], args[1], args[2] } };

	return seccomp_machine_answer(v, n, &data) & SECCOMP_RET_ACTION_FULL;
}

bool seccomp_machine_notifies(const struct sock_filter *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (BPF_CLASS(v[i].code) == BPF_RET &&
		    (BPF_RVAL(v[i].code) == BPF_A || (v[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF))
			return true;
	return false;
}

/* --- the kernel's rules */

static bool is_known(uint16_t code)
{
	static const uint16_t codes[] = {
		BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN, BPF_LD | BPF_IMM,
		BPF_LDX | BPF_IMM, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX, BPF_RET | BPF_K,
		BPF_RET | BPF_A, BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_ALU | BPF_NEG, BPF_JMP | BPF_JA,
	};
	static const uint16_t calculations[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH,
						 BPF_RSH };
	static const uint16_t comparisons[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	uint16_t with_k = code & (uint16_t)~BPF_X;

	for (size_t i = 0; i < ELEMENTS(codes); i++)
		if (code == codes[i])
			return true;
	for (size_t i = 0; i < ELEMENTS(calculations); i++)
		if (with_k == (BPF_ALU | calculations[i]))
			return true;
	for (size_t i = 0; i < ELEMENTS(comparisons); i++)
		if (with_k == (BPF_JMP | comparisons[i]))
			return true;
	return false;
}

/* NULL, or what is wrong with the instruction; `left` are behind it. */
static const char *fault(const struct sock_filter *f, size_t left)
{
	uint16_t class = BPF_CLASS(f->code), op = BPF_OP(f->code);

	if (!is_known(f->code))
		return "is none that seccomp knows";
	if (class == BPF_LD && BPF_MODE(f->code) == BPF_ABS && (f->k >= sizeof(struct seccomp_data) || f->k & 3))
		return "loads from outside of the system call's data";
	if ((class == BPF_ST || class == BPF_STX || (class <= BPF_LDX && BPF_MODE(f->code) == BPF_MEM)) &&
	    f->k >= BPF_MEMWORDS)
		return "is outside of the scratch memory";
	if (f->code == (BPF_ALU | BPF_DIV | BPF_K) && f->k == 0)
		return "divides by zero";
	if ((f->code == (BPF_ALU | BPF_LSH | BPF_K) || f->code == (BPF_ALU | BPF_RSH | BPF_K)) && f->k >= 32)
		return "shifts by more than 31";
	if (class == BPF_JMP && (op == BPF_JA ? f->k >= left : f->jt >= left || f->jf >= left))
		return "jumps beyond the end";
	return class != BPF_RET && left == 0 ? "is the last and no return" : NULL;
}

static void reach(uint16_t *stored, size_t at, uint16_t words)
{
	stored[at] &= words;
}

/* A word of the scratch memory is loaded only where every way there stored it. Answers the first instruction that is
 * not so, or n. */
static size_t find_unstored(struct arena *arena, const struct sock_filter *v, size_t n)
{
	uint16_t *stored = arena_new_array(arena, uint16_t, n + 1), now = 0;

	memset(stored, 0xff, n * sizeof(*stored));
	for (size_t i = 0; i < n; i++) {
		uint16_t class = BPF_CLASS(v[i].code);

		now &= stored[i];
		if (class == BPF_ST || class == BPF_STX)
			now |= (uint16_t)(1u << v[i].k);
		if (class <= BPF_LDX && BPF_MODE(v[i].code) == BPF_MEM && !(now & 1u << v[i].k))
			return i;
		if (class != BPF_JMP)
			continue;
		if (BPF_OP(v[i].code) == BPF_JA) {
			reach(stored, i + 1 + v[i].k, now);
		} else {
			reach(stored, i + 1 + v[i].jt, now);
			reach(stored, i + 1 + v[i].jf, now);
		}
		now = UINT16_MAX;
	}
	return n;
}

int seccomp_machine_check(struct arena *arena, const struct sock_filter *v, size_t n, struct error *err)
{
	size_t unstored;

	if (n == 0 || n > BPF_MAXINSNS)
		return error_set(err, ERROR_INVALID, "a program of %zu instructions: the kernel takes 1 to %d", n,
				 BPF_MAXINSNS);
	for (size_t i = 0; i < n; i++) {
		const char *what = fault(&v[i], n - i - 1);

		if (what)
			return error_set(err, ERROR_INVALID, "instruction %zu of %zu %s", i, n, what);
	}
	unstored = find_unstored(arena, v, n);
	if (unstored < n)
		return error_set(err, ERROR_INVALID, "instruction %zu of %zu loads a word that nothing stored",
				 unstored, n);
	return 0;
}
