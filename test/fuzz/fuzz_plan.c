/* The config.json of a bundle, up to the plan: nothing is executed. */
#include <stddef.h>
#include <stdint.h>

#include "run/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);
	struct rootfs root = { .kind = ROOTFS_DIRECTORY, .path = "/tree" };
	struct oci_spec spec = { 0 };
	struct run_request request = { .spec = &spec, .rootfs = &root, .root_mount = -1, .cgroup_fd = -1 };
	struct error err = { 0 };
	struct run_plan *plan;

	if (json_decode(arena, &oci_spec_shape, &spec, (const char *)data, size, "config.json", &err) < 0)
		return 0;
	if (spec.linux_)
		spec.linux_->seccomp = NULL;	/* compiling is libseccomp's */
	plan = run_plan_new(arena, &request, &err);
	if (plan)
		run_plan_print(plan, &out);
	return 0;
}
