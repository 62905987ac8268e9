#include "run/seccomp_compile.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "hostlib/hostlib.h"
#include "spec/seccomp_words.h"
#include "sys/seccomp.h"

_Static_assert(sizeof(struct sock_filter) == sizeof(uint64_t), "an instruction is told as one number");

/* --- flags */

static int find_flag(struct arena *arena, const char *name, unsigned *ret, struct error *err)
{
	const struct seccomp_word *flag = seccomp_words_find(seccomp_words_flags, name);

	if (!flag)
		return error_set(err, ERROR_INVALID, "unknown flag \"%s\"", str_printable(arena, name, 64));
	if (!seccomp_has_flag(flag->value))
		return error_set(err, ERROR_UNSUPPORTED, "this kernel does not know the flag \"%s\"", name);
	*ret |= flag->value;
	return 0;
}

int seccomp_compile_flags(struct arena *arena, const struct seccomp_source *source, unsigned *ret, struct error *err)
{
	const struct strings *names = &source->rules->flags;
	unsigned set = 0;

	for (size_t i = 0; i < names->n; i++)
		if (find_flag(arena, names->v[i], &set, err) < 0)
			return error_frame(err, "%s.flags[%zu]", source->where, i);
	if (names->n == 0 && seccomp_has_flag(SECCOMP_FILTER_FLAG_SPEC_ALLOW))
		set = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	*ret = set & ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC;
	return 0;
}

/* --- the program */

static struct hostlib_rules request_of(const struct seccomp_source *source, unsigned seconds)
{
	struct hostlib_rules r = { .rules = (struct oci_seccomp *)source->rules, .name = (char *)source->name,
				   .where = (char *)source->where, .known_only = source->known_only, .seconds = seconds };

	if (source->numbers) {
		r.numbers.v = (uint64_t *)source->numbers;
		r.numbers.n = source->rules->syscalls.n;
	}
	return r;
}

static int gone_error(const struct seccomp_source *source, unsigned seconds, int number, struct error *err)
{
	if (number == SIGXCPU)
		return error_set(err, ERROR_INVALID, "%s: libseccomp needs more than %u seconds for these rules",
				 source->name, seconds);
	return error_set(err, ERROR_FAILED, "%s: libseccomp did not survive these rules: %s", source->name, strsignal(number));
}

int seccomp_compile(struct arena *arena, const struct seccomp_source *source, unsigned seconds, struct seccomp_code *ret,
		    struct error *err)
{
	struct hostlib_rules request = request_of(source, seconds);
	struct hostlib_filter filter;
	unsigned flags;
	int number;

	if (seccomp_compile_flags(arena, source, &flags, err) < 0)
		return -1;
	if (hostlib_ask(arena, HOSTLIB_COMPILE_FILTER, &request, &filter, &number, err) < 0)
		return number ? gone_error(source, seconds, number, err) : -1;
	if (filter.instructions.n == 0 || filter.instructions.n > SECCOMP_CODE_MAX)
		return error_set(err, ERROR_FAILED, "%s: %zu instructions are no filter", source->name, filter.instructions.n);
	*ret = (struct seccomp_code){ .v = (struct sock_filter *)filter.instructions.v, .n = filter.instructions.n,
				      .flags = flags, .libseccomp = filter.libseccomp, .newest = (unsigned)filter.newest };
	return 0;
}
