#include "hostlib/filter.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hostlib/libseccomp.h"
#include "spec/seccomp_words.h"
#include "sys/fd.h"
#include "sys/seccomp.h"

#define ADDITIONS_MAX 10000	/* of conditions to calls; a program has room for less than half */
#define ARGUMENTS 6

/* One compilation. */
struct compiler {
	struct arena *arena;
	const struct hostlib_rules *source;
	struct libseccomp libseccomp;
	scmp_filter_ctx ctx;
	uint32_t default_action;
	size_t additions;
	int newest;			/* the highest number that is listed */
	struct error *err;
};

static size_t number_of(const struct hostlib_rules *s, size_t rule)
{
	return rule < s->numbers.n ? (size_t)s->numbers.v[rule] : rule;
}

/* Puts the position of a rule's member in front. */
static int in_rule(const struct compiler *c, size_t rule, const char *member)
{
	return error_frame(c->err, "%s.syscalls[%zu]%s", c->source->where, number_of(c->source, rule), member);
}

static int in_element(const struct compiler *c, size_t rule, const char *list, size_t element, const char *member)
{
	return error_frame(c->err, "%s.syscalls[%zu].%s[%zu]%s", c->source->where, number_of(c->source, rule), list,
			   element, member);
}

static int unknown(const struct compiler *c, const char *what, const char *name)
{
	return error_set(c->err, ERROR_INVALID, "unknown %s \"%s\"", what, str_printable(c->arena, name, 64));
}

/* --- words to numbers */

/* On an error *ret_errno tells whether the errno is what is wrong. */
static int find_action(const struct compiler *c, const char *name, const uint64_t *errno_ret, uint32_t *ret,
		       bool *ret_errno)
{
	const struct seccomp_word *action = seccomp_words_find(seccomp_words_actions, name);

	*ret_errno = action != NULL && errno_ret;
	if (!action)
		return unknown(c, "action", name);
	if (errno_ret && !action->data_max)
		return error_set(c->err, ERROR_INVALID, "the action \"%s\" takes no errno", name);
	if (errno_ret && *errno_ret > action->data_max)
		return error_set(c->err, ERROR_INVALID, "%llu is more than %u, the largest for \"%s\"",
				 (unsigned long long)*errno_ret, action->data_max, name);
	*ret_errno = false;
	if (!seccomp_has_action(action->value))
		return error_set(c->err, ERROR_UNSUPPORTED, "this kernel does not know the action \"%s\"", name);
	*ret = action->value | (uint32_t)(errno_ret ? *errno_ret : action->data_max ? EPERM : 0);
	return 0;
}

static int find_default(struct compiler *c)
{
	const struct oci_seccomp *rules = c->source->rules;
	bool number;

	if (find_action(c, rules->default_action, rules->default_errno_ret, &c->default_action, &number) == 0)
		return 0;
	return error_frame(c->err, "%s.%s", c->source->where, number ? "defaultErrnoRet" : "defaultAction");
}

static int find_rule_action(const struct compiler *c, size_t rule, uint32_t *ret)
{
	const struct oci_syscall *call = &c->source->rules->syscalls.v[rule];
	bool number;

	if (find_action(c, call->action, call->errno_ret, ret, &number) == 0)
		return 0;
	return in_rule(c, rule, number ? ".errnoRet" : ".action");
}

static int find_condition(const struct compiler *c, size_t rule, size_t i, struct scmp_arg_cmp *ret)
{
	const struct oci_seccomp_arg *a = &c->source->rules->syscalls.v[rule].args.v[i];
	const struct seccomp_word *op = seccomp_words_find(seccomp_words_operators, a->op);

	if (!op) {
		unknown(c, "operator", a->op);
		return in_element(c, rule, "args", i, ".op");
	}
	if (a->index >= ARGUMENTS) {
		error_set(c->err, ERROR_INVALID, "%llu: a system call has the arguments 0 to 5",
			  (unsigned long long)a->index);
		return in_element(c, rule, "args", i, ".index");
	}
	*ret = (struct scmp_arg_cmp){ .arg = (unsigned)a->index, .op = (enum scmp_compare)op->value,
				      .datum_a = a->value, .datum_b = a->value_two };
	return 0;
}

/* --- compiling */

static int add_architecture(struct compiler *c, const char *name)
{
	uint32_t token = libseccomp_architecture(&c->libseccomp, name);
	int result;

	if (!token)
		return unknown(c, "architecture", name);
	result = c->libseccomp.arch_add(c->ctx, token);
	if (result == 0 || result == -EEXIST)
		return 0;
	if (result == -EDOM)
		return error_set(c->err, ERROR_INVALID, "the byte order of \"%s\" is not this machine's", name);
	return error_set(c->err, ERROR_FAILED, "libseccomp refuses \"%s\": %s", name, strerror(-result));
}

static int add_architectures(struct compiler *c)
{
	const struct strings *names = &c->source->rules->architectures;

	for (size_t i = 0; i < names->n; i++)
		if (add_architecture(c, names->v[i]) < 0)
			return error_frame(c->err, "%s.architectures[%zu]", c->source->where, i);
	return 0;
}

static bool has_alternatives(const struct scmp_arg_cmp *conditions, size_t n)
{
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++) {
		if (seen & 1u << conditions[i].arg)
			return true;
		seen |= 1u << conditions[i].arg;
	}
	return false;
}

static int add_to_call(struct compiler *c, uint32_t action, int number, const struct scmp_arg_cmp *conditions, size_t n)
{
	int result = 0;

	if (!has_alternatives(conditions, n))
		return c->libseccomp.rule_add_array(c->ctx, action, number, (unsigned)n, conditions);
	for (size_t i = 0; i < n && result >= 0; i++)
		result = c->libseccomp.rule_add_array(c->ctx, action, number, 1, &conditions[i]);
	return result;
}

static int add_name(struct compiler *c, size_t rule, const char *name, uint32_t action,
		    const struct scmp_arg_cmp *conditions, size_t n)
{
	int result, number = c->libseccomp.syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)	/* of another age or architecture */
		return c->source->known_only ? unknown(c, "system call", name) : 0;
	if (number > c->newest)
		c->newest = number;
	if (action == c->default_action)
		return 0;
	c->additions += n ? n : 1;
	if (c->additions > ADDITIONS_MAX)
		return error_set(c->err, ERROR_INVALID, "the filter has more than %d rules", ADDITIONS_MAX);
	result = add_to_call(c, action, number, conditions, n);
	if (result >= 0)
		return 0;
	if (result == -EEXIST)
		return error_set(c->err, ERROR_INVALID, "\"%s\" has another action already under these conditions",
				 name);
	return error_set(c->err, ERROR_FAILED, "libseccomp refuses the rule for \"%s\": %s", name, strerror(-result));
}

static int add_rule(struct compiler *c, size_t rule)
{
	const struct oci_syscall *call = &c->source->rules->syscalls.v[rule];
	struct scmp_arg_cmp *conditions = arena_new_array(c->arena, struct scmp_arg_cmp, call->args.n + 1);
	uint32_t action;

	if (call->names.n == 0) {
		error_set(c->err, ERROR_INVALID, "no system call is named");
		return in_rule(c, rule, ".names");
	}
	if (find_rule_action(c, rule, &action) < 0)
		return -1;
	for (size_t i = 0; i < call->args.n; i++)
		if (find_condition(c, rule, i, &conditions[i]) < 0)
			return -1;
	for (size_t i = 0; i < call->names.n; i++)
		if (add_name(c, rule, call->names.v[i], action, conditions, call->args.n) < 0)
			return in_element(c, rule, "names", i, "");
	return 0;
}

static int export(struct compiler *c, struct hostlib_filter *ret)
{
	_cleanup_fd_ int fd = memfd_create("filter", MFD_CLOEXEC);
	size_t n;
	off_t size;

	if (fd < 0 || c->libseccomp.export_bpf(c->ctx, fd) < 0)
		return error_errno(c->err, "%s: write the program", c->source->name);
	size = lseek(fd, 0, SEEK_END);
	n = size > 0 ? (size_t)size / sizeof(*ret->instructions.v) : 0;
	if (n == 0 || n > HOSTLIB_INSTRUCTIONS_MAX || (size_t)size % sizeof(*ret->instructions.v))
		return error_set(c->err, ERROR_INVALID, "%s: the filter is too long for the kernel", c->source->name);
	ret->instructions.v = arena_new_array(c->arena, uint64_t, n);
	ret->instructions.n = n;
	if (pread(fd, ret->instructions.v, (size_t)size, 0) != size)
		return error_errno(c->err, "%s: read the program", c->source->name);
	return 0;
}

static int fill(struct compiler *c)
{
	if (add_architectures(c) < 0)
		return -1;
	for (size_t i = 0; i < c->source->rules->syscalls.n; i++)
		if (add_rule(c, i) < 0)
			return -1;
	return 0;
}

/* An answer for calls that are not listed after which a program does not fall back to an older call. */
static bool is_final(uint32_t action)
{
	uint32_t kind = action & SECCOMP_RET_ACTION_FULL;

	return kind == SECCOMP_RET_KILL_PROCESS || kind == SECCOMP_RET_KILL_THREAD || kind == SECCOMP_RET_TRAP ||
	       (kind == SECCOMP_RET_ERRNO && (action & SECCOMP_RET_DATA) != ENOSYS);
}

int filter_compile(struct arena *arena, const void *rules, void *ret_filter, struct error *err)
{
	struct compiler c = { .arena = arena, .source = rules, .err = err };
	struct hostlib_filter *ret = ret_filter;
	int result;

	if (find_default(&c) < 0 || libseccomp_open(&c.libseccomp, err) < 0)
		return -1;
	c.ctx = c.libseccomp.init(c.default_action);
	if (!c.ctx)
		return error_set(err, ERROR_FAILED, "%s.defaultAction: libseccomp refuses it", c.source->where);
	result = fill(&c);
	if (result == 0)
		result = export(&c, ret);
	c.libseccomp.release(c.ctx);
	ret->libseccomp = arena_strdup(arena, c.libseccomp.file);
	ret->newest = is_final(c.default_action) ? (uint64_t)c.newest : 0;
	return result;
}
