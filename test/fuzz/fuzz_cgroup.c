/* What bundles say about cgroups: linux.resources (JSON) becomes settings, device rules and their program, and properties
 * of a systemd unit; each line of what is no JSON is a property's text, a path, and a list of a kernel's file. What was
 * accepted names no file elsewhere, and a program's jumps stay in it. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "cgroup/device.h"
#include "cgroup/hierarchy.h"
#include "cgroup/place.h"
#include "cgroup/property.h"
#include "cgroup/resources.h"
#include "cgroup/stats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_settings(const struct settings *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *file = list->v[i].file;

		if (!*file || *file == '.' || strchr(file, '/') || str_starts(file, "cgroup.procs") || !list->v[i].value)
			abort();
	}
}

static void check_program(const struct device_program *p)
{
	for (size_t i = 0; i < p->n; i++)
		if ((p->v[i].code & 7) == BPF_JMP32 && (p->v[i].off < 0 || i + 1 + (size_t)p->v[i].off >= p->n))
			abort();
	if (p->v[p->n - 1].code != (BPF_JMP | BPF_EXIT))
		abort();
}

static void resources(struct arena *arena, const char *text, size_t size)
{
	struct strings v1 = strings_split(arena, "memory,cpu,cpuset,pids,blkio,hugetlb,net_cls,net_prio,rdma", ","), none = { 0 };
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 22);
	struct settings list = { 0 };
	struct properties properties = { 0 };
	struct device_program program;
	struct device_rules rules;
	struct oci_resources r;
	struct error err = { 0 };

	if (json_decode(arena, &oci_resources_shape, &r, text, size, "f", &err) < 0)
		return;
	if (resources_settings(arena, &r, &v1, "", &list, &err) == 0)
		check_settings(&list);
	if (resources_settings(arena, &r, &none, "", &list, &err) == 0) {
		check_settings(&list);
		property_limits(arena, &list, &properties);
	}
	if (device_rules(arena, &r, "", &rules, &err) < 0)
		return;
	device_settings_v1(arena, &rules, "", &list);
	device_program(arena, &rules, &program);
	check_program(&program);
	device_program_print(&program, &out);
}

static void line(struct arena *arena, const char *text)
{
	struct cgroup_host hosts[] = { { .manager = CGROUP_CGROUPFS }, { .manager = CGROUP_SYSTEMD, .unified = true } };
	_cleanup_buffer_ struct buffer out = BUFFER(1 << 20);
	struct oci_linux l = { .cgroups_path = (char *)text };
	struct oci_spec spec = { .linux_ = &l };
	ARRAY(uint64_t) numbers = { 0 };
	struct property property;
	struct place place;
	struct error err = { 0 };

	if (property_parse(arena, "TimeoutSec", text, &property, &err) == 0)
		property_print(&property, &out);
	if (property_parse(arena, "Name", text, &property, &err) == 0)
		property_print(&property, &out);
	map_set(arena, &spec.annotations, "run.oci.systemd.subgroup", text);
	if (place_choose(arena, &hosts[0], "id", &spec, &place, &err) == 0 && strstr(place.path, ".."))
		if (strstr(place.path, "/../") || str_starts(place.path, "../") || str_ends(place.path, "/.."))
			abort();
	place_choose(arena, &hosts[1], "id", &spec, &place, &err);
	hierarchy_membership(arena, text, "memory");
	stats_list(arena, text, &numbers);
	stats_flat_keyed(arena, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	char *text = arena_strndup(arena, (const char *)data, size);
	struct strings lines = strings_split(arena, text, "\n");

	if (*text == '{')
		resources(arena, text, strlen(text));
	else
		for (size_t i = 0; i < lines.n && i < 64; i++)
			line(arena, lines.v[i]);
	return 0;
}
