#include "sys/seccomp_writer.h"

#include <errno.h>

#include "base/string.h"

#if SECCOMP_BY_HAND

#define X32_CALLS 0x40000000u	/* from here on */
#define NO_CALL 0xffffffffu	/* what a tracer makes of one that it lets fail */

void seccomp_writer_add(struct seccomp_writer *w, struct sock_filter instruction)
{
	if (w->n < ELEMENTS(w->v))
		w->v[w->n] = instruction;
	if (w->n <= ELEMENTS(w->v))
		w->n++;
}

void seccomp_writer_begin(struct seccomp_writer *w)
{
	seccomp_writer_add(w, SECCOMP_LOAD(arch));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(SECCOMP_NATIVE, 1, 0));
	seccomp_writer_add(w, SECCOMP_ANSWER(SECCOMP_RET_KILL_PROCESS));
	seccomp_writer_add(w, SECCOMP_LOAD(nr));
	seccomp_writer_add(w, SECCOMP_IF_EQUAL(NO_CALL, 0, 1));
	seccomp_writer_add(w, SECCOMP_ANSWER(SECCOMP_RET_ALLOW));
#ifdef __x86_64__
	seccomp_writer_add(w, SECCOMP_IF_NOT_LESS(X32_CALLS, 0, 1));
	seccomp_writer_add(w, SECCOMP_ANSWER(SECCOMP_RET_KILL_PROCESS));
#endif
}

void seccomp_writer_add_calls(struct seccomp_writer *w, const int *calls, size_t n, unsigned answer)
{
	for (size_t i = 0; i < n; i++) {
		seccomp_writer_add(w, SECCOMP_IF_EQUAL((unsigned)calls[i], 0, 1));
		seccomp_writer_add(w, SECCOMP_ANSWER(answer));
	}
}

int seccomp_writer_load(const struct seccomp_writer *w)
{
	if (w->n > ELEMENTS(w->v)) {
		errno = E2BIG;
		return -1;
	}
	return seccomp_load_filter(w->v, w->n, 0) < 0 && errno != ENOSYS && errno != EINVAL ? -1 : 0;
}

#endif
