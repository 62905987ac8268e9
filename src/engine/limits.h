/* engine/limits - ulimits and cgroup limits: the user's texts as runtime-spec values */
#ifndef BRYO_ENGINE_LIMITS_H
#define BRYO_ENGINE_LIMITS_H

#include "engine/container.h"
#include "spec/oci_runtime.h"

/* rlimits of a container: --ulimit over the defaults (NOFILE and NPROC at the caller's hard limits). */
int limits_ulimits(struct arena *arena, const struct create_request *r, struct oci_process *process, struct error *err);
/* linux.resources for the request's limits; empty when nothing was asked. */
int limits_resources(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err);
/* Refuses what limits_ulimits and limits_resources would refuse, at create. */
int limits_check(struct arena *arena, const struct create_request *r, struct error *err);

#endif
