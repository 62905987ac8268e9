#include "run/plan.h"

#include <errno.h>

int child_label_op(struct child *c, const struct op *op, const char **ret_what)
{
	*ret_what = "labels";
	errno = ENOSYS;
	return -1;
}
