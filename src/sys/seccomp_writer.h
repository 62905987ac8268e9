/* sys/seccomp_writer - short filters written instruction by instruction, for the sandboxes of bryo's own programs
 *
 * A filter begins with seccomp_writer_begin and ends with its last answer. Only where SECCOMP_BY_HAND. */
#ifndef BRYO_SYS_SECCOMP_WRITER_H
#define BRYO_SYS_SECCOMP_WRITER_H

#include <linux/seccomp.h>
#include <stddef.h>

#include "sys/seccomp.h"

/* Loads one field of struct seccomp_data; of args[i] its low half. */
#define SECCOMP_LOAD(field)                                                                                  \
	((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
/* How many of the following instructions are left out when what was loaded is equal, not less, has one of the bits; and when not. */
#define SECCOMP_IF_EQUAL(value, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no)))
#define SECCOMP_IF_NOT_LESS(value, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (yes), (no)))
#define SECCOMP_IF_ANY_BIT(bits, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no)))
/* One SECCOMP_RET_*, or an error number. */
#define SECCOMP_ANSWER(action) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (action)))
#define SECCOMP_REFUSE(number) SECCOMP_ANSWER(SECCOMP_RET_ERRNO | (number))

struct seccomp_writer {
	struct sock_filter v[256];
	unsigned short n;	/* one too many when it did not fit */
};

void seccomp_writer_add(struct seccomp_writer *w, struct sock_filter instruction);
/* Kills the process for calls of another architecture than its own, and leaves the number of the call loaded. */
void seccomp_writer_begin(struct seccomp_writer *w);
/* While the number of the call is loaded: one answer for each of these calls. */
void seccomp_writer_add_calls(struct seccomp_writer *w, const int *calls, size_t n, unsigned answer);
/* 0 also where the kernel has no filters: that is not for this machine's users to change. -1 with errno; E2BIG: did not fit. */
int seccomp_writer_load(const struct seccomp_writer *w);

#endif
