/* engine/oci_mounts - the mounts of a container's configuration, in the order in which they are made */
#ifndef BRYO_ENGINE_OCI_MOUNTS_H
#define BRYO_ENGINE_OCI_MOUNTS_H

#include "engine/oci_config.h"

#define OCI_INIT_PATH "/run/bryo-init"

int oci_mounts(struct engine *e, const struct oci_inputs *in, struct oci_spec *spec, struct error *err);

#endif
