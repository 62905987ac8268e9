#include "run/plan.h"

#include <errno.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_affinity(const struct op *op)
{
	if (syscall(SYS_sched_setaffinity, 0, sizeof(op->bits->word), op->bits->word) >= 0)
		return 0;
	/* "All" is what the kernel and the cgroup leave of it; where neither gives more, the caller's stays. */
	return op->flags ? -1 : 0;
}

static int set_memory_policy(const struct op *op)
{
	const unsigned long *nodes = op->bits ? op->bits->word : NULL;

	return syscall(SYS_set_mempolicy, (int)op->value, nodes, nodes ? PLAN_BITS + 1 : 0) < 0 ? -1 : 0;
}

int child_placement_op(struct child *c, const struct op *op, const char **ret_what)
{
	switch (op->kind) {
	case OP_PERSONALITY:	return personality(op->value) < 0 ? -1 : 0;
	case OP_AFFINITY:	return set_affinity(op);
	case OP_MEMORY_POLICY:	return set_memory_policy(op);
	default:		errno = ENOSYS; return -1;
	}
}
