#include "run/seccomp_newer.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "run/seccomp_machine.h"

#define X32_FIRST 0x40000000		/* where x86-64's other numbering begins; elsewhere nothing is that high */

void seccomp_newer_answer(struct arena *arena, struct seccomp_code *code)
{
	const struct sock_filter first[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_NATIVE, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_FIRST, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, code->newest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	size_t n = ELEMENTS(first) + code->n;
	struct sock_filter *v;

	if (!code->newest || n > BPF_MAXINSNS)
		return;
	v = arena_new_array(arena, struct sock_filter, n);
	memcpy(v, first, sizeof(first));
	memcpy(v + ELEMENTS(first), code->v, code->n * sizeof(*v));
	code->v = v;
	code->n = n;
}
