/* A container for tests: a root file system of static busybox, the usual specification, and one call to run it */
#ifndef TEST_RUN_CONTAINER_H
#define TEST_RUN_CONTAINER_H

#include "run/run.h"

/* Makes the caller root of a user namespace with a mount namespace. False, with a reason, where that is refused. */
bool container_enter_namespace(const char **ret_why);
/* A directory with bin/busybox and its links; NULL without a static busybox. Removed by container_remove. */
char *container_make_tree(void);
void container_remove_tree(const char *path);

/* The specification that an engine writes for a plain container: six namespaces, the usual mounts, 11 capabilities. */
struct oci_spec *container_spec(struct arena *arena, const char *const *argv);
void container_drop_namespace(struct oci_spec *spec, const char *type);

/* Spawns, releases, collects at most 64 KiB of stdout and stderr, reaps. The exit code, or -1 with err. */
int container_run(struct arena *arena, const struct oci_spec *spec, const struct rootfs *rootfs, char **ret_out,
		  struct error *err);
int container_run_plan(struct arena *arena, const struct run_plan *plan, int output, char **ret_out,
		       struct error *err);

#endif
