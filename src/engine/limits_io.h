/* engine/limits_io - limits of block I/O, by device, and raw files of the cgroup: the user's texts as runtime-spec values */
#ifndef BRYO_ENGINE_LIMITS_IO_H
#define BRYO_ENGINE_LIMITS_IO_H

#include "engine/create_request.h"
#include "spec/oci_runtime.h"

int limits_io(struct arena *arena, const struct create_request *r, struct oci_resources *ret, struct error *err);

#endif
