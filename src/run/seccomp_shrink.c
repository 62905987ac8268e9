/* How: wherever the program has loaded the number of the system call, the comparisons that follow up to the next other
 * instruction are a function of that number alone, constant between the constants they compare with. That function is
 * written anew as a search tree over its ranges; all other instructions are copied. The new program is built from its
 * end, because jumps only go forward: when an instruction is written, everything that it leads to has its place. */
#include "run/seccomp_shrink.h"

#include <linux/bpf_common.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FAR 250		/* of the 255 instructions that a comparison can jump over */
#define SINGLES 4	/* numbers that are compared one after the other */

/* The numbers from `first` to that of the next range lead to the instruction `target` of the old program. */
struct range {
	uint32_t first;
	size_t target;
};

struct shrink {
	const struct sock_filter *old;
	size_t old_n;
	struct sock_filter *new;	/* from its end */
	size_t new_n, room;
	size_t *place;			/* of each old instruction in the new program, plus one; 0: not written yet */
	struct arena *arena;
	bool failed;
};

static size_t write_block(struct shrink *s, size_t pc);

static size_t add(struct shrink *s, struct sock_filter instruction)
{
	if (s->new_n >= s->room) {
		s->failed = true;
		return 0;
	}
	s->new[s->new_n] = instruction;
	return s->new_n++;
}

static bool is_comparison(const struct sock_filter *f)
{
	return f->code == (BPF_JMP | BPF_JEQ | BPF_K) || f->code == (BPF_JMP | BPF_JGT | BPF_K) ||
	       f->code == (BPF_JMP | BPF_JGE | BPF_K);
}

static bool is_jump(const struct sock_filter *f)
{
	return f->code == (BPF_JMP | BPF_JA);
}

static bool is_return(const struct sock_filter *f)
{
	return f->code == (BPF_RET | BPF_K);
}

static bool is_load(const struct sock_filter *f)
{
	return f->code == (BPF_LD | BPF_W | BPF_ABS);
}

static bool loads_number(const struct sock_filter *f)
{
	return is_load(f) && f->k == offsetof(struct seccomp_data, nr);
}

/* Only forward, and only instructions whose meaning is known here. */
static bool is_understood(const struct sock_filter *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *f = &v[i];
		size_t left = n - i - 1;

		if (is_comparison(f) ? f->jt >= left || f->jf >= left : is_jump(f) ? f->k >= left :
		    is_return(f) ? false : left == 0 || !(is_load(f) || f->code == (BPF_ALU | BPF_AND | BPF_K)))
			return false;
	}
	return n > 0;
}

/* Where comparisons and jumps from `pc` on lead with this number. */
static size_t follow(const struct shrink *s, size_t pc, uint32_t number)
{
	for (;; pc++) {
		const struct sock_filter *f = &s->old[pc];
		bool holds;

		if (is_jump(f)) {
			pc += f->k;
			continue;
		}
		if (!is_comparison(f))
			return pc;
		holds = BPF_OP(f->code) == BPF_JEQ ? number == f->k :
			BPF_OP(f->code) == BPF_JGT ? number > f->k : number >= f->k;
		pc += holds ? f->jt : f->jf;
	}
}

/* Returns of the same value are the same: the first of them stands for all. */
static size_t canonical(const struct shrink *s, size_t pc)
{
	for (size_t i = 0; is_return(&s->old[pc]) && i < pc; i++)
		if (is_return(&s->old[i]) && s->old[i].k == s->old[pc].k)
			return i;
	return pc;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The comparisons of the number that can follow on `pc`; jumps only go forward. */
static bool *find_comparisons(const struct shrink *s, size_t pc)
{
	bool *reached = arena_new_array(s->arena, bool, s->old_n);

	reached[pc] = true;
	for (size_t i = pc; i < s->old_n; i++) {
		const struct sock_filter *f = &s->old[i];

		if (reached[i] && is_jump(f))
			reached[i + 1 + f->k] = true;
		if (reached[i] && is_comparison(f))
			reached[i + 1 + f->jt] = reached[i + 1 + f->jf] = true;
		reached[i] = reached[i] && is_comparison(f);
	}
	return reached;
}

/* The numbers at which the outcome may change: beside every constant of these comparisons. */
static size_t find_limits(const struct shrink *s, size_t pc, uint32_t *limits)
{
	const bool *reached = find_comparisons(s, pc);
	size_t n = 0;

	limits[n++] = 0;
	for (size_t i = pc; i < s->old_n; i++) {
		if (!reached[i])
			continue;
		limits[n++] = s->old[i].k;
		if (s->old[i].k != UINT32_MAX)
			limits[n++] = s->old[i].k + 1;
	}
	qsort(limits, n, sizeof(*limits), by_number);
	return n;
}

static struct range *find_ranges(const struct shrink *s, size_t pc, size_t *ret_n)
{
	uint32_t *limits = arena_new_array(s->arena, uint32_t, 2 * s->old_n + 1);
	size_t limits_n = find_limits(s, pc, limits), n = 0;
	struct range *ranges = arena_new_array(s->arena, struct range, limits_n);

	for (size_t i = 0; i < limits_n; i++) {
		size_t target = canonical(s, follow(s, pc, limits[i]));

		if (n == 0 || ranges[n - 1].target != target)
			ranges[n++] = (struct range){ limits[i], target };
	}
	*ret_n = n;
	return ranges;
}

static size_t destination(const struct shrink *s, size_t place)
{
	return is_jump(&s->new[place]) ? place - s->new[place].k - 1 : place;
}

/* Something in reach that does what `target` does: put there before for another comparison. */
static bool find_near(const struct shrink *s, size_t target, size_t *ret)
{
	const struct sock_filter *f = &s->new[target];

	for (size_t i = s->new_n - FAR + 1; i < s->new_n; i++)
		if (is_return(f) ? is_return(&s->new[i]) && s->new[i].k == f->k : destination(s, i) == target) {
			*ret = i;
			return true;
		}
	return false;
}

/* The place of `target` if the next comparisons can jump there, else of a return or jump in reach. */
static size_t reach(struct shrink *s, size_t target)
{
	size_t near;

	if (s->new_n - target < FAR)
		return target;
	if (find_near(s, target, &near))
		return near;
	if (is_return(&s->new[target]))
		return add(s, s->new[target]);
	return add(s, (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = (uint32_t)(s->new_n - target - 1) });
}

static size_t add_comparison(struct shrink *s, uint16_t code, uint32_t k, size_t yes, size_t no)
{
	no = reach(s, no);
	yes = reach(s, yes);
	return add(s, (struct sock_filter){ .code = code, .k = k, .jt = (uint8_t)(s->new_n - yes - 1),
					    .jf = (uint8_t)(s->new_n - no - 1) });
}

/* Single numbers in what all leads where the last range does: each takes one comparison, in place of two. */
static bool are_singles(const struct range *r, size_t n)
{
	for (size_t i = 0; i < n - 1; i++)
		if (r[i].target != r[n - 1].target && r[i + 1].first - r[i].first != 1)
			return false;
	return true;
}

/* The index of the middle one, and how many there are. */
static size_t middle_single(const struct range *r, size_t n, size_t *ret_count)
{
	size_t count = 0, middle = 0;

	for (size_t i = 0; i < n; i++)
		count += r[i].target != r[n - 1].target;
	*ret_count = count;
	for (count = count / 2 + 1; count > 0; middle++)
		count -= r[middle].target != r[n - 1].target;
	return middle - 1;
}

static size_t write_singles(struct shrink *s, const struct range *r, size_t n)
{
	size_t no = write_block(s, r[n - 1].target);

	for (size_t i = n - 1; i-- > 0 && !s->failed;)
		if (r[i].target != r[n - 1].target) {
			size_t yes = write_block(s, r[i].target);

			no = s->failed ? 0 : add_comparison(s, BPF_JMP | BPF_JEQ | BPF_K, r[i].first, yes, no);
		}
	return no;
}

static size_t write_tree(struct shrink *s, const struct range *r, size_t n)
{
	size_t yes, no, half = n / 2, singles;

	if (s->failed)
		return 0;
	if (n == 1)
		return write_block(s, r->target);
	if (are_singles(r, n)) {
		half = middle_single(r, n, &singles);
		if (singles <= SINGLES || half == 0)
			return write_singles(s, r, n);
	}
	no = write_tree(s, r, half);
	yes = write_tree(s, r + half, n - half);
	return s->failed ? 0 : add_comparison(s, BPF_JMP | BPF_JGE | BPF_K, r[half].first, yes, no);
}

/* An instruction that goes on with the next one: that must be the last written. */
static size_t add_before(struct shrink *s, struct sock_filter instruction, size_t next)
{
	if (s->failed)
		return 0;
	if (next + 1 != s->new_n)
		add(s, (struct sock_filter){ .code = BPF_JMP | BPF_JA, .k = (uint32_t)(s->new_n - next - 1) });
	return add(s, instruction);
}

static size_t write_new(struct shrink *s, size_t pc)
{
	const struct sock_filter *f = &s->old[pc];

	if (is_return(f))
		return add(s, *f);
	if (is_jump(f))
		return write_block(s, pc + 1 + f->k);
	if (is_comparison(f)) {
		size_t no = write_block(s, pc + 1 + f->jf), yes = write_block(s, pc + 1 + f->jt);

		return s->failed ? 0 : add_comparison(s, f->code, f->k, yes, no);
	}
	if (loads_number(f)) {
		size_t n;
		struct range *ranges = find_ranges(s, pc + 1, &n);

		return add_before(s, *f, write_tree(s, ranges, n));
	}
	return add_before(s, *f, write_block(s, pc + 1));
}

static size_t write_block(struct shrink *s, size_t pc)
{
	size_t place;

	pc = canonical(s, pc);
	if (s->failed)
		return 0;
	if (s->place[pc])
		return s->place[pc] - 1;
	place = write_new(s, pc);
	s->place[pc] = place + 1;
	return place;
}

void seccomp_shrink(struct arena *arena, struct sock_filter **v, size_t *n)
{
	struct shrink s = { .old = *v, .old_n = *n, .arena = arena };
	size_t start;

	if (!is_understood(*v, *n))
		return;
	s.room = *n + *n / 2 + 16;
	if (*n <= BPF_MAXINSNS && s.room > BPF_MAXINSNS)
		s.room = BPF_MAXINSNS;
	s.new = arena_new_array(arena, struct sock_filter, s.room);
	s.place = arena_new_array(arena, size_t, *n);
	start = write_block(&s, 0);
	if (s.failed || start + 1 != s.new_n)
		return;
	for (size_t i = 0, j = s.new_n - 1; i < j; i++, j--) {
		struct sock_filter f = s.new[i];

		s.new[i] = s.new[j];
		s.new[j] = f;
	}
	*v = s.new;
	*n = s.new_n;
}
