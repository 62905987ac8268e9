#include "run/seccomp_compile.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/fd.h"


#define LIBRARY "libseccomp.so.2"
#define OPTIMIZE_BINARY_TREE 2	/* log n comparisons a system call, and a third of the kernel's time to load it */

struct library {
	__typeof__(seccomp_init) *init;
	__typeof__(seccomp_release) *release;
	__typeof__(seccomp_attr_set) *attr_set;
	__typeof__(seccomp_arch_add) *arch_add;
	__typeof__(seccomp_arch_resolve_name) *arch_resolve_name;
	__typeof__(seccomp_syscall_resolve_name) *syscall_resolve_name;
	__typeof__(seccomp_rule_add_array) *rule_add_array;
	__typeof__(seccomp_export_bpf) *export_bpf;
};

static int load(struct library *l, struct error *err)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	const struct { const char *name; void **to; } symbols[] = {
		{ "seccomp_init", (void **)&l->init },
		{ "seccomp_release", (void **)&l->release },
		{ "seccomp_attr_set", (void **)&l->attr_set },
		{ "seccomp_arch_add", (void **)&l->arch_add },
		{ "seccomp_arch_resolve_name", (void **)&l->arch_resolve_name },
		{ "seccomp_syscall_resolve_name", (void **)&l->syscall_resolve_name },
		{ "seccomp_rule_add_array", (void **)&l->rule_add_array },
		{ "seccomp_export_bpf", (void **)&l->export_bpf },
	};

	if (!handle) {
		error_set(err, ERROR_UNSUPPORTED, "%s is not installed, so no seccomp filter can be made", LIBRARY);
		return error_hint(err, "install libseccomp2, or run with --security-opt seccomp=unconfined");
	}
	for (size_t i = 0; i < ELEMENTS(symbols); i++) {
		*symbols[i].to = dlsym(handle, symbols[i].name);
		if (!*symbols[i].to)
			return error_set(err, ERROR_UNSUPPORTED, "%s lacks %s", LIBRARY, symbols[i].name);
	}
	return 0;
}

/* --- words to numbers */

static int action(const char *name, const uint64_t *errno_ret, uint32_t *ret, struct error *err)
{
	unsigned number = errno_ret ? (unsigned)*errno_ret : EPERM;
	const struct { const char *name; uint32_t value; } actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(number) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS }, { "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(number) },	{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
	};

	for (size_t i = 0; i < ELEMENTS(actions); i++)
		if (str_eq(actions[i].name, name)) {
			*ret = actions[i].value;
			return 0;
		}
	return error_set(err, ERROR_INVALID, "seccomp: unknown action \"%s\"", name ? name : "");
}

static int comparison(const struct oci_seccomp_arg *a, struct scmp_arg_cmp *ret, struct error *err)
{
	static const struct { const char *name; enum scmp_compare op; } operators[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	if (a->index > 5)
		return error_set(err, ERROR_INVALID, "seccomp: a system call has no argument %llu",
				 (unsigned long long)a->index);
	for (size_t i = 0; i < ELEMENTS(operators); i++)
		if (str_eq(operators[i].name, a->op)) {
			*ret = (struct scmp_arg_cmp){ .arg = (unsigned)a->index, .op = operators[i].op,
						      .datum_a = a->value, .datum_b = a->value_two };
			return 0;
		}
	return error_set(err, ERROR_INVALID, "seccomp: unknown operator \"%s\"", a->op ? a->op : "");
}

int seccomp_compile_flags(const struct strings *names, unsigned *ret, struct error *err)
{
	static const struct { const char *name; unsigned flag; } flags[] = {
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },	/* there is one thread */
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 0 },	/* of listeners */
	};
	unsigned set = 0;

	for (size_t i = 0, j; i < names->n; i++) {
		for (j = 0; j < ELEMENTS(flags) && !str_eq(flags[j].name, names->v[i]); j++)
			continue;
		if (j == ELEMENTS(flags))
			return error_set(err, ERROR_INVALID, "seccomp: unknown flag \"%s\"", names->v[i]);
		set |= flags[j].flag;
	}
	*ret = set;
	return 0;
}

/* --- compiling */

static int add_architectures(const struct library *l, scmp_filter_ctx ctx, const struct strings *names,
			     struct error *err)
{
	for (size_t i = 0; i < names->n; i++) {
		const char *suffix = str_after(names->v[i], "SCMP_ARCH_");
		char name[32] = "";
		uint32_t token;
		int result;

		for (size_t j = 0; suffix && suffix[j] && j < sizeof(name) - 1; j++)
			name[j] = (char)tolower((unsigned char)suffix[j]);
		token = l->arch_resolve_name(name);
		if (!token)
			return error_set(err, ERROR_INVALID, "seccomp: unknown architecture \"%s\"", names->v[i]);
		result = l->arch_add(ctx, token);
		if (result < 0 && result != -EEXIST)
			return error_set(err, ERROR_FAILED, "seccomp: architecture %s: %s", names->v[i], strerror(-result));
	}
	return 0;
}

/* Conditions on the same argument are alternatives (as Docker reads them), on different ones all must hold. */
static bool has_alternatives(const struct oci_syscall *call)
{
	unsigned seen = 0;

	for (size_t i = 0; i < call->args.n; i++) {
		if (seen & 1u << call->args.v[i].index)
			return true;
		seen |= 1u << call->args.v[i].index;
	}
	return false;
}

static int add_rule(const struct library *l, scmp_filter_ctx ctx, uint32_t act, int number,
		    const struct oci_syscall *call, const struct scmp_arg_cmp *conditions)
{
	int result = 0;

	if (!has_alternatives(call))
		return l->rule_add_array(ctx, act, number, (unsigned)call->args.n, conditions);
	for (size_t i = 0; i < call->args.n && result >= 0; i++)
		result = l->rule_add_array(ctx, act, number, 1, &conditions[i]);
	return result;
}

static int add_call(const struct library *l, scmp_filter_ctx ctx, uint32_t default_action,
		    const struct oci_syscall *call, struct error *err)
{
	struct scmp_arg_cmp conditions[6];
	uint32_t act;

	if (action(call->action, call->errno_ret, &act, err) < 0)
		return -1;
	if (act == default_action)
		return 0;
	if (call->args.n > ELEMENTS(conditions))
		return error_set(err, ERROR_INVALID, "seccomp: more than 6 conditions in one rule");
	for (size_t i = 0; i < call->args.n; i++)
		if (comparison(&call->args.v[i], &conditions[i], err) < 0)
			return -1;
	for (size_t i = 0; i < call->names.n; i++) {
		int result, number = l->syscall_resolve_name(call->names.v[i]);

		if (number == __NR_SCMP_ERROR)
			continue;	/* of another age or architecture */
		result = add_rule(l, ctx, act, number, call, conditions);
		if (result < 0 && result != -EEXIST)
			return error_set(err, ERROR_FAILED, "seccomp: rule for %s: %s", call->names.v[i],
					 strerror(-result));
	}
	return 0;
}

static int export(struct arena *arena, const struct library *l, scmp_filter_ctx ctx, struct seccomp_code *ret,
		  struct error *err)
{
	_cleanup_fd_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	off_t size;

	if (fd < 0 || l->export_bpf(ctx, fd) < 0)
		return error_errno(err, "seccomp: write the program");
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0 || size % (off_t)sizeof(*ret->v) || size / (off_t)sizeof(*ret->v) > BPF_MAXINSNS)
		return error_set(err, ERROR_INVALID, "seccomp: the program is too long for the kernel");
	ret->n = (size_t)size / sizeof(*ret->v);
	ret->v = arena_new_array(arena, struct sock_filter, ret->n);
	if (pread(fd, ret->v, (size_t)size, 0) != size)
		return error_errno(err, "seccomp: read the program");
	return 0;
}

static int fill(const struct library *l, scmp_filter_ctx ctx, uint32_t default_action,
		const struct oci_seccomp *rules, struct error *err)
{
	l->attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BINARY_TREE);
	if (add_architectures(l, ctx, &rules->architectures, err) < 0)
		return -1;
	for (size_t i = 0; i < rules->syscalls.n; i++)
		if (add_call(l, ctx, default_action, &rules->syscalls.v[i], err) < 0)
			return -1;
	return 0;
}

int seccomp_compile(struct arena *arena, const struct oci_seccomp *rules, struct seccomp_code *ret,
		    struct error *err)
{
	struct library l = { 0 };
	uint32_t default_action;
	scmp_filter_ctx ctx;
	Dl_info info = { 0 };
	int result;

	if (!str_is_empty(rules->listener_path))
		return error_set(err, ERROR_UNSUPPORTED, "seccomp: a listener");
	if (action(rules->default_action, rules->default_errno_ret, &default_action, err) < 0 ||
	    seccomp_compile_flags(&rules->flags, &ret->flags, err) < 0 || load(&l, err) < 0)
		return -1;
	ctx = l.init(default_action);
	if (!ctx)
		return error_set(err, ERROR_FAILED, "seccomp: no memory, or an impossible default action");
	result = fill(&l, ctx, default_action, rules, err);
	if (result == 0)
		result = export(arena, &l, ctx, ret, err);
	l.release(ctx);
	ret->library = arena_strdup(arena, dladdr((void *)l.init, &info) && info.dli_fname ? info.dli_fname : "");
	return result;
}
