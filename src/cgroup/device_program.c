#include "cgroup/device.h"

#include <stddef.h>

/* The kernel calls the program with a struct bpf_cgroup_dev_ctx in r1 and lets the access pass when it answers 1.
 *
 * r2 the type, r3 what of the access is not allowed yet, r4 and r5 the numbers. Rules are asked from the last to the
 * first: one that denies any of r3 ends it, one that allows takes its letters out of r3, and nothing left is a yes. */
enum { R0, R1, R2, R3, R4, R5 };

#define TYPE_OF(letter) ((letter) == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR)

struct assembler {
	struct arena *arena;
	struct device_program *program;
};

static struct bpf_insn *emit(struct assembler *a, int code, int to, int from, int offset, int32_t number)
{
	struct bpf_insn *i = ARRAY_ADD(a->arena, a->program);

	*i = (struct bpf_insn){ .code = (uint8_t)code, .dst_reg = to & 15, .src_reg = from & 15, .off = (int16_t)offset,
				.imm = number };
	return i;
}

static void load(struct assembler *a, int to, size_t offset)
{
	emit(a, BPF_LDX | BPF_MEM | BPF_W, to, R1, (int)offset, 0);
}

static void answer(struct assembler *a, int yes)
{
	emit(a, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, yes);
	emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void begin(struct assembler *a)
{
	load(a, R2, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	emit(a, BPF_ALU64 | BPF_MOV | BPF_X, R3, R2, 0, 0);
	emit(a, BPF_ALU | BPF_AND | BPF_K, R2, 0, 0, 0xffff);
	emit(a, BPF_ALU | BPF_RSH | BPF_K, R3, 0, 0, 16);
	load(a, R4, offsetof(struct bpf_cgroup_dev_ctx, major));
	load(a, R5, offsetof(struct bpf_cgroup_dev_ctx, minor));
}

/* Where a rule does not match, the next one follows: the distance is known when the rule's end is. */
static void unless_equal(struct assembler *a, int reg, int64_t number)
{
	if (number != DEVICE_ANY)
		emit(a, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, -1, (int32_t)(uint32_t)number);
}

static void resolve(struct device_program *p, size_t from)
{
	for (size_t i = from; i < p->n; i++)
		if (p->v[i].off == -1)
			p->v[i].off = (int16_t)(p->n - i - 1);
}

static void rule(struct assembler *a, const struct device_rule *r)
{
	size_t from = a->program->n;

	if (r->type != 'a')
		unless_equal(a, R2, TYPE_OF(r->type));
	unless_equal(a, R4, r->major);
	unless_equal(a, R5, r->minor);
	if (r->access != DEVICE_ALL && r->allow) {
		emit(a, BPF_ALU | BPF_AND | BPF_K, R3, 0, 0, (int32_t)(~r->access & DEVICE_ALL));
		emit(a, BPF_JMP32 | BPF_JNE | BPF_K, R3, 0, -1, 0);
	} else if (r->access != DEVICE_ALL) {
		emit(a, BPF_JMP32 | BPF_JSET | BPF_K, R3, 0, 1, (int32_t)r->access);
		emit(a, BPF_JMP | BPF_JA, 0, 0, -1, 0);
	}
	answer(a, r->allow);
	resolve(a->program, from);
}

void device_program(struct arena *arena, const struct device_rules *rules, struct device_program *ret)
{
	struct device_program program = { 0 };
	struct assembler a = { arena, &program };

	begin(&a);
	for (size_t i = rules->n; i-- > 0;)
		rule(&a, &rules->v[i]);
	/* After a rule for everything this would be code that nothing reaches, which the kernel refuses. */
	if (!rules->n || !device_is_everything(&rules->v[0]))
		answer(&a, 0);
	*ret = program;
}

/* --- for people */
static int print(const struct bpf_insn *i, size_t at, struct buffer *out)
{
	size_t target = at + 1 + (size_t)i->off;

	switch (i->code) {
	case BPF_LDX | BPF_MEM | BPF_W:
		return buffer_printf(out, "%zu: r%d = context[%d]\n", at, i->dst_reg, i->off);
	case BPF_ALU64 | BPF_MOV | BPF_X:
		return buffer_printf(out, "%zu: r%d = r%d\n", at, i->dst_reg, i->src_reg);
	case BPF_ALU64 | BPF_MOV | BPF_K:
		return buffer_printf(out, "%zu: r%d = %d\n", at, i->dst_reg, i->imm);
	case BPF_ALU | BPF_AND | BPF_K:
		return buffer_printf(out, "%zu: r%d &= %#x\n", at, i->dst_reg, (unsigned)i->imm);
	case BPF_ALU | BPF_RSH | BPF_K:
		return buffer_printf(out, "%zu: r%d >>= %d\n", at, i->dst_reg, i->imm);
	case BPF_JMP32 | BPF_JNE | BPF_K:
		return buffer_printf(out, "%zu: if r%d != %u goto %zu\n", at, i->dst_reg, (unsigned)i->imm, target);
	case BPF_JMP32 | BPF_JSET | BPF_K:
		return buffer_printf(out, "%zu: if r%d & %#x goto %zu\n", at, i->dst_reg, (unsigned)i->imm, target);
	case BPF_JMP | BPF_JA:
		return buffer_printf(out, "%zu: goto %zu\n", at, target);
	}
	return buffer_printf(out, "%zu: exit\n", at);
}

int device_program_print(const struct device_program *program, struct buffer *out)
{
	for (size_t i = 0; i < program->n; i++)
		if (print(&program->v[i], i, out) < 0)
			return -1;
	return 0;
}
