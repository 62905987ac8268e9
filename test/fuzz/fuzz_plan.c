/* The config.json of a bundle, or the JSON of a further process, up to the plan: nothing is executed. Complaints must begin
 * with a position, and what was read must be readable again after it was written. */
#include <stddef.h>
#include <stdint.h>

#include "run/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine)
{
	if (!fine)
		__builtin_trap();
}

static int nothing(void *context, const struct run_process *p, struct error *err)
{
	return 0;
}

static int no_maps(void *context, pid_t pid, const struct id_maps *maps, struct error *err)
{
	return 0;
}

static void print(const struct run_plan *plan)
{
	_cleanup_buffer_ struct buffer out = BUFFER(16 << 20);

	check(run_plan_print(plan, &out) == 0);
}

/* As the engine asks: a root of its own, nothing else. */
static void plan_for_engine(struct arena *arena, const struct oci_spec *spec)
{
	struct rootfs root = { .kind = ROOTFS_DIRECTORY, .path = "/tree" };
	struct run_request request = { .spec = spec, .rootfs = &root, .root_mount = -1, .stdio = { -1, 1, 2 }, .cgroup_fd = -1 };
	struct error err = { 0 };
	struct run_plan *plan = run_plan_new(arena, &request, &err);

	if (plan)
		print(plan);
}

/* As `create` of a bundle asks, with all that can be asked for; odd: the other half of what excludes each other. */
static void plan_for_bundle(struct arena *arena, const struct oci_spec *spec, bool odd)
{
	static const int preserved[] = { 3, -1, 5 }, output[] = { 4, -1 }, start = 6, lock = 7;
	struct run_hierarchy hierarchy = { .name = "cpu", .options = "cpu", .path = "/sys/fs/cgroup/cpu/x" };
	const struct run_hierarchies hierarchies = { &hierarchy, 1 };
	const struct run_moments moments = { .map = no_maps, .born = nothing, .mounted = nothing };
	struct strings warnings = { 0 };
	struct run_request request = {
		.spec = spec, .id = "fuzz", .bundle = "/bundle", .root_mount = -1, .stdio = { 0, 1, 2 }, .cgroup_fd = -1,
		.cgroup_later = true, .preserve_fds = preserved, .preserve_fds_n = 3, .no_pivot = odd, .keyring = !odd,
		.make_devices = odd, .reset_affinity = true, .terminal_text = odd, .cgroup_v1 = odd ? &hierarchies : NULL,
		.state_head = "{\"pid\":", .state_tail = "}", .hook_output = odd ? output : NULL,
		.start_socket = odd ? NULL : &start, .created_lock = odd ? NULL : &lock, .moments = &moments,
		.warnings = &warnings,
	};
	struct error err = { 0 };
	struct run_plan *plan = run_plan_new(arena, &request, &err);

	if (plan)
		print(plan);
	else
		check(err.text[0] == '.');
}

static void plan_for_exec(struct arena *arena, const struct oci_spec *spec, const struct oci_process *process, bool file)
{
	struct strings warnings = { 0 };
	struct run_exec_request request = {
		.target = 1, .target_pidfd = 9, .spec = spec, .id = "fuzz", .bundle = "/bundle", .process = process,
		.stdio = { 0, 1, -1 }, .cgroup_fd = -1, .process_is_file = file, .warnings = &warnings,
	};
	struct error err = { 0 };
	struct run_plan *plan = run_exec_plan_new(arena, &request, &err);

	if (plan)
		print(plan);
	else
		check(err.text[0] == '.');
}

static void try_spec(struct arena *arena, const char *text, size_t size)
{
	struct oci_spec spec = { 0 }, again = { 0 };
	struct error err = { 0 };
	const char *written;

	if (json_decode(arena, &oci_spec_shape, &spec, text, size, "config.json", &err) < 0) {
		check(strncmp(err.text, "config.json: ", 13) == 0);
		return;
	}
	written = json_print(arena, json_encode(arena, &oci_spec_shape, &spec), 0);
	check(json_decode(arena, &oci_spec_shape, &again, written, strlen(written), "again", &err) == 0);
	if (spec.linux_)
		spec.linux_->seccomp = NULL;	/* compiling is libseccomp's */
	plan_for_engine(arena, &spec);
	plan_for_bundle(arena, &spec, false);
	plan_for_bundle(arena, &spec, true);
	if (spec.process)
		plan_for_exec(arena, &spec, spec.process, false);
}

static void try_process(struct arena *arena, const char *text, size_t size)
{
	struct oci_linux container = { 0 };
	const struct oci_spec spec = { .linux_ = &container };
	struct oci_process process = { 0 };
	struct error err = { 0 };

	ARRAY_ADD(arena, &container.namespaces)->type = arena_strdup(arena, "pid");
	ARRAY_ADD(arena, &container.namespaces)->type = arena_strdup(arena, "mount");
	if (json_decode(arena, &oci_process_shape, &process, text, size, "process.json", &err) == 0)
		plan_for_exec(arena, &spec, &process, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	try_spec(arena, (const char *)data, size);
	try_process(arena, (const char *)data, size);
	return 0;
}
