/* run/seccomp_program - the compiled seccomp filter of a container
 *
 * Compiling costs milliseconds, so programs are kept in the cache directory under a name made of everything that they
 * depend on; the default profile is found there without even reading it. */
#ifndef BRYO_RUN_SECCOMP_PROGRAM_H
#define BRYO_RUN_SECCOMP_PROGRAM_H

#include "run/plan.h"

/* Fill process->filter, filter_n and filter_flags; leave them empty for an unconfined container. */
int seccomp_program_for_container(struct arena *arena, const struct run_request *request, struct plan_process *process,
				  struct error *err);
int seccomp_program_for_exec(struct arena *arena, const struct run_exec_request *request,
			     struct plan_process *process, struct error *err);

#endif
