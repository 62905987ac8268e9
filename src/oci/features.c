/* features: what this runtime can do, in the form of the specification's features.md */
#include "oci/oci.h"
#include "run/mount_options.h"
#include "run/placement.h"
#include "run/seccomp_features.h"
#include "sys/caps.h"

static struct json *strings_of(struct arena *arena, const char *const *v)
{
	struct json *list = json_new_list(arena);

	for (; *v; v++)
		json_append(arena, list, json_new_string(arena, *v));
	return list;
}

static struct json *enabled(struct arena *arena, bool on)
{
	struct json *object = json_new_object(arena);

	json_set(arena, object, "enabled", json_new_bool(arena, on));
	return object;
}

static struct json *capabilities(struct arena *arena)
{
	struct json *list = json_new_list(arena);

	for (int n = 0; n <= caps_last(); n++)
		json_append(arena, list, json_new_string(arena, caps_name(n)));
	return list;
}

static struct json *cgroups(struct arena *arena)
{
	static const char *const members[] = { "v1", "v2", "systemd", "systemdUser", "rdma" };
	struct json *object = json_new_object(arena);

	for (size_t i = 0; i < ELEMENTS(members); i++)
		json_set(arena, object, members[i], json_new_bool(arena, true));
	return object;
}

static struct json *memory_policy(struct arena *arena)
{
	struct json *object = json_new_object(arena);
	struct strings modes = { 0 }, flags = { 0 };

	placement_memory_names(arena, &modes, &flags);
	json_set(arena, object, "modes", json_new_strings(arena, &modes));
	json_set(arena, object, "flags", json_new_strings(arena, &flags));
	return object;
}

static struct json *mount_options(struct arena *arena)
{
	struct strings names = { 0 };

	mount_options_names(arena, &names);
	return json_new_strings(arena, &names);
}

static struct json *seccomp(struct arena *arena)
{
	struct json *object = enabled(arena, true);
	struct seccomp_features f = { 0 };
	const struct { const char *name; const struct strings *list; } members[] = {
		{ "actions", &f.actions }, { "operators", &f.operators }, { "archs", &f.archs },
		{ "knownFlags", &f.known_flags }, { "supportedFlags", &f.supported_flags },
	};

	seccomp_features(arena, &f);
	for (size_t i = 0; i < ELEMENTS(members); i++)
		json_set(arena, object, members[i].name, json_new_strings(arena, members[i].list));
	return object;
}

static struct json *linux_features(struct arena *arena)
{
	static const char *const namespaces[] = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts", NULL };
	struct json *l = json_new_object(arena), *extensions = json_new_object(arena);

	json_set(arena, l, "namespaces", strings_of(arena, namespaces));
	json_set(arena, l, "capabilities", capabilities(arena));
	json_set(arena, l, "cgroup", cgroups(arena));
	json_set(arena, l, "seccomp", seccomp(arena));
	json_set(arena, l, "apparmor", enabled(arena, true));
	json_set(arena, l, "selinux", enabled(arena, true));
	json_set(arena, extensions, "idmap", enabled(arena, true));
	json_set(arena, l, "mountExtensions", extensions);
	json_set(arena, l, "intelRdt", enabled(arena, true));
	json_set(arena, l, "memoryPolicy", memory_policy(arena));
	json_set(arena, l, "netDevices", enabled(arena, true));
	return l;
}

struct json *oci_features(struct arena *arena)
{
	static const char *const hooks[] = { "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
					     "poststop", NULL };
	/* What an annotation can do that a container's author should not decide: engines must not copy these from images. */
	static const char *const unsafe[] = { "run.oci.", "org.systemd.property.", NULL };
	struct json *f = json_new_object(arena), *annotations = json_new_object(arena);

	json_set(arena, f, "ociVersionMin", json_new_string(arena, "1.0.0"));
	json_set(arena, f, "ociVersionMax", json_new_string(arena, OCI_VERSION));
	json_set(arena, f, "hooks", strings_of(arena, hooks));
	json_set(arena, f, "mountOptions", mount_options(arena));
	json_set(arena, f, "linux", linux_features(arena));
	json_set(arena, annotations, "org.opencontainers.runc.checkpoint.enabled", json_new_string(arena, "true"));
	json_set(arena, annotations, "bryo.version", json_new_string(arena, BRYO_VERSION));
	json_set(arena, f, "annotations", annotations);
	json_set(arena, f, "potentiallyUnsafeConfigAnnotations", strings_of(arena, unsafe));
	return f;
}
