#include "run/seccomp_profile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sys/caps.h"
#include "sys/fd.h"

#define PROFILE_MAX (1u << 20)
#define ERRNO_NAMES 256

/* --- the file's format */

struct seccomp_condition {
	struct strings caps, arches;
	char *min_kernel;
};

struct seccomp_rule {
	char *name;			/* the older form of names */
	struct strings names;
	char *action;
	char *errno_name;		/* "ENOSYS", which wins over the number */
	uint64_t *errno_ret;
	ARRAY(struct oci_seccomp_arg) args;
	struct seccomp_condition *includes, *excludes;
};

struct seccomp_arch_map {
	char *architecture;
	struct strings sub;
};

struct seccomp_file {
	char *default_action, *default_errno_name;
	uint64_t *default_errno_ret;
	struct strings architectures, flags;
	char *listener_path, *listener_metadata;
	ARRAY(struct seccomp_arch_map) arch_map;
	ARRAY(struct seccomp_rule) syscalls;
};

JSON_SHAPE(seccomp_condition,
	JSON_FIELD(seccomp_condition, caps, "caps", T_STRINGS),
	JSON_FIELD(seccomp_condition, arches, "arches", T_STRINGS),
	JSON_FIELD(seccomp_condition, min_kernel, "minKernel", T_STRING));

static const struct json_field argument_fields[] = {
	JSON_FIELD(oci_seccomp_arg, index, "index", T_UINT, .required = true),
	JSON_FIELD(oci_seccomp_arg, value, "value", T_UINT, .required = true),
	JSON_FIELD(oci_seccomp_arg, value_two, "valueTwo", T_UINT),
	JSON_FIELD(oci_seccomp_arg, op, "op", T_STRING, .required = true),
};
static const struct json_shape argument_shape = { "args", sizeof(struct oci_seccomp_arg), argument_fields,
						  ELEMENTS(argument_fields) };

JSON_SHAPE(seccomp_rule,
	JSON_FIELD(seccomp_rule, name, "name", T_STRING),
	JSON_FIELD(seccomp_rule, names, "names", T_STRINGS),
	JSON_FIELD(seccomp_rule, action, "action", T_STRING, .required = true),
	JSON_FIELD(seccomp_rule, errno_name, "errno", T_STRING),
	JSON_FIELD(seccomp_rule, errno_ret, "errnoRet", T_OPT_UINT),
	JSON_FIELD(seccomp_rule, args, "args", T_OBJECTS, .shape = &argument_shape),
	JSON_FIELD(seccomp_rule, includes, "includes", T_OBJECT, .shape = &seccomp_condition_shape),
	JSON_FIELD(seccomp_rule, excludes, "excludes", T_OBJECT, .shape = &seccomp_condition_shape));

JSON_SHAPE(seccomp_arch_map,
	JSON_FIELD(seccomp_arch_map, architecture, "architecture", T_STRING, .required = true),
	JSON_FIELD(seccomp_arch_map, sub, "subArchitectures", T_STRINGS));

JSON_SHAPE(seccomp_file,
	JSON_FIELD(seccomp_file, default_action, "defaultAction", T_STRING, .required = true),
	JSON_FIELD(seccomp_file, default_errno_name, "defaultErrno", T_STRING),
	JSON_FIELD(seccomp_file, default_errno_ret, "defaultErrnoRet", T_OPT_UINT),
	JSON_FIELD(seccomp_file, architectures, "architectures", T_STRINGS),
	JSON_FIELD(seccomp_file, flags, "flags", T_STRINGS),
	JSON_FIELD(seccomp_file, listener_path, "listenerPath", T_STRING),
	JSON_FIELD(seccomp_file, listener_metadata, "listenerMetadata", T_STRING),
	JSON_FIELD(seccomp_file, arch_map, "archMap", T_OBJECTS, .shape = &seccomp_arch_map_shape),
	JSON_FIELD(seccomp_file, syscalls, "syscalls", T_OBJECTS, .shape = &seccomp_rule_shape));

/* --- the machine */

struct seccomp_target seccomp_target_native(uint64_t bounding)
{
	struct seccomp_target t = { .bounding = bounding };
	struct utsname u;

#if defined(__x86_64__)
	t.arch = "amd64", t.scmp_arch = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
	t.arch = "arm64", t.scmp_arch = "SCMP_ARCH_AARCH64";
#elif defined(__riscv)
	t.arch = "riscv64", t.scmp_arch = "SCMP_ARCH_RISCV64";
#elif defined(__powerpc64__)
	t.arch = "ppc64le", t.scmp_arch = "SCMP_ARCH_PPC64LE";
#elif defined(__s390x__)
	t.arch = "s390x", t.scmp_arch = "SCMP_ARCH_S390X";
#elif defined(__arm__)
	t.arch = "arm", t.scmp_arch = "SCMP_ARCH_ARM";
#elif defined(__i386__)
	t.arch = "x86", t.scmp_arch = "SCMP_ARCH_X86";
#else
#error "name this architecture"
#endif
	if (uname(&u) == 0)
		sscanf(u.release, "%u.%u", &t.kernel_major, &t.kernel_minor);
	return t;
}

const char *seccomp_profile_installed(void)
{
	static const char *const places[] = { "/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json" };

	for (size_t i = 0; i < ELEMENTS(places); i++)
		if (access(places[i], R_OK) == 0)
			return places[i];
	return NULL;
}

/* --- filtering */

static bool has_cap(const struct seccomp_target *t, const char *name)
{
	int number = caps_number(name);

	return number >= 0 && (t->bounding & CAPS_BIT(number));
}

static bool kernel_is(const struct seccomp_target *t, const char *min)
{
	unsigned major = 0, minor = 0;

	sscanf(min, "%u.%u", &major, &minor);
	return t->kernel_major > major || (t->kernel_major == major && t->kernel_minor >= minor);
}

/* Every condition of `includes` must hold. */
static bool is_included(const struct seccomp_condition *c, const struct seccomp_target *t)
{
	if (!c)
		return true;
	if (c->arches.n && !strings_has(&c->arches, t->arch))
		return false;
	for (size_t i = 0; i < c->caps.n; i++)
		if (!has_cap(t, c->caps.v[i]))
			return false;
	return str_is_empty(c->min_kernel) || kernel_is(t, c->min_kernel);
}

/* One condition of `excludes` that holds is enough. */
static bool is_excluded(const struct seccomp_condition *c, const struct seccomp_target *t)
{
	if (!c)
		return false;
	if (strings_has(&c->arches, t->arch))
		return true;
	for (size_t i = 0; i < c->caps.n; i++)
		if (has_cap(t, c->caps.v[i]))
			return true;
	return !str_is_empty(c->min_kernel) && kernel_is(t, c->min_kernel);
}

/* containers-common's files have names of errors too; one that this C library does not know is left to the number. */
static uint64_t *errno_of(struct arena *arena, const char *name, uint64_t *number)
{
	for (int n = 1; !str_is_empty(name) && n < ERRNO_NAMES; n++) {
		if (!str_eq(strerrorname_np(n), name))
			continue;
		number = arena_new_one(arena, uint64_t);
		*number = (uint64_t)n;
		break;
	}
	return number;
}

static void keep_rule(struct arena *arena, struct oci_seccomp *s, const struct seccomp_rule *r)
{
	struct oci_syscall *call = ARRAY_ADD(arena, &s->syscalls);

	call->names = r->names;
	if (r->name)
		strings_add(arena, &call->names, r->name);
	call->action = r->action;
	call->errno_ret = errno_of(arena, r->errno_name, r->errno_ret);
	call->args.v = r->args.v;
	call->args.n = r->args.n;
}

static const uint64_t *keep_rules(struct arena *arena, struct oci_seccomp *s, const struct seccomp_file *p,
				const struct seccomp_target *target)
{
	uint64_t *numbers = arena_new_array(arena, uint64_t, p->syscalls.n + 1);

	for (size_t i = 0; i < p->syscalls.n; i++) {
		const struct seccomp_rule *r = &p->syscalls.v[i];

		if (!is_included(r->includes, target) || is_excluded(r->excludes, target))
			continue;
		numbers[s->syscalls.n] = i;
		keep_rule(arena, s, r);
	}
	return numbers;
}

static void keep_architectures(struct arena *arena, struct oci_seccomp *s, const struct seccomp_file *p,
			       const struct seccomp_target *t)
{
	s->architectures = p->architectures;
	for (size_t i = 0; i < p->arch_map.n; i++) {
		if (!str_eq(p->arch_map.v[i].architecture, t->scmp_arch))
			continue;
		strings_add(arena, &s->architectures, t->scmp_arch);
		strings_add_all(arena, &s->architectures, &p->arch_map.v[i].sub);
	}
}

int seccomp_profile_parse(struct arena *arena, const char *text, size_t len, const char *where,
			  const struct seccomp_target *target, struct seccomp_source *ret, struct error *err)
{
	struct oci_seccomp *s = arena_new_one(arena, struct oci_seccomp);
	struct seccomp_file p = { 0 };

	if (json_decode(arena, &seccomp_file_shape, &p, text, len, where, err) < 0)
		return -1;
	s->default_action = p.default_action;
	s->default_errno_ret = errno_of(arena, p.default_errno_name, p.default_errno_ret);
	s->flags = p.flags;
	s->listener_path = p.listener_path;
	s->listener_metadata = p.listener_metadata;
	keep_architectures(arena, s, &p, target);
	*ret = (struct seccomp_source){ .rules = s, .name = arena_strdup(arena, where),
					.where = arena_printf(arena, "%s: ", where),
					.numbers = keep_rules(arena, s, &p, target) };
	return 0;
}

int seccomp_profile_read(struct arena *arena, const char *path, uint64_t bounding, struct seccomp_source *ret,
			 struct error *err)
{
	struct seccomp_target target = seccomp_target_native(bounding);
	size_t size;
	char *text;

	if (!path) {
		*ret = (struct seccomp_source){ .rules = seccomp_profile_builtin(arena, &target),
						.name = "bryo's profile", .where = "bryo's profile: " };
		return 0;
	}
	text = fd_read_file(arena, AT_FDCWD, path, PROFILE_MAX, &size);
	if (!text)
		return error_errno(err, "read the seccomp profile %s", path);
	if (seccomp_profile_parse(arena, text, size, path, &target, ret, err) < 0)
		return error_frame(err, "seccomp profile");
	return 0;
}
