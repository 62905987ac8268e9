#include "transfer/work.h"
work_op op_manifest, op_login;
void registry_free(struct registry *r);
