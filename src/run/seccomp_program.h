/* run/seccomp_program - the seccomp filter of a process: found in the cache, compiled, or brought along
 *
 * It comes from the specification's seccomp section, from a profile file or the default profile, or, instead of these,
 * as a program in the annotation run.oci.seccomp_bpf_data. Compiling costs milliseconds, so programs are kept in the
 * cache directory under all that they depend on; that of the default profile is found without even reading it. */
#ifndef BRYO_RUN_SECCOMP_PROGRAM_H
#define BRYO_RUN_SECCOMP_PROGRAM_H

#include "run/plan.h"

/* Fill process->filter, filter_n, filter_flags and, for a filter that notifies, listener; leave them empty for an
 * unconfined container. */
int seccomp_program_for_container(struct arena *arena, const struct run_request *request, struct plan_process *process,
				  struct error *err);
int seccomp_program_for_exec(struct arena *arena, const struct run_exec_request *request,
			     struct plan_process *process, struct error *err);

#endif
